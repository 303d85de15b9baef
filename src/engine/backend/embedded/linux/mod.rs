//! How does the embedded engine do on Linux what [`Kernel`](super::kernel::Kernel) asks? Monitors, namespaces, overlays.
//!
//! The only folder that names libcontainer, and it is called in single-threaded roles of this binary
//! alone. Deliberately elsewhere: deciding what to run (`containers`), portable formats (`launch`, `log_segments`).

mod cgroup;
mod changes_watch;
mod client;
mod client_socket;
mod console;
mod exec;
mod executor;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod host_files;
mod ids;
mod inheritance;
mod launcher;
mod link;
mod linux_kernel;
mod log_watch;
mod monitor;
mod namespaces;
mod null_device;
mod overlay;
mod parts;
mod past_monitor;
mod process;
mod protocol;
mod ps;
mod pump;
mod rootfs;
mod run_dir;
mod runtime_failure;
mod sealed;
mod session;
mod signals;
mod spec;
mod status_line;
mod support;
mod unattended;
pub mod unpack;
mod user;
mod waiting_monitor;

pub use changes_watch::FileWatch;
pub use exec::exec;
pub use linux_kernel::LinuxKernel;
pub use monitor::{MonitorHooks, monitor};

/// This boot of the machine; empty when the kernel does not tell, which matches no earlier boot.
#[must_use]
pub fn boot_id() -> String {
    process::boot_id().unwrap_or_default()
}
