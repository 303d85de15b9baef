//! Which helper role does this process play, if any? Asked by `main` before any thread, logger or runtime exists.
//!
//! Deliberately elsewhere: the roles themselves (`linux`), what the store does when a run ends (`containers`).

use std::{ffi::OsString, process::ExitCode};

/// The role that the first word of the command line names. Words that begin with `__` belong to roles;
/// a person never types them.
#[must_use]
pub fn role(words: &[OsString]) -> Option<fn() -> ExitCode> {
    match words.first()?.to_str()? {
        #[cfg(target_os = "linux")]
        "__monitor" => Some(|| super::linux::monitor(monitor_hooks())),
        #[cfg(target_os = "linux")]
        super::linux::unpack::ROLE => Some(super::linux::unpack::unpack_role),
        #[cfg(target_os = "linux")]
        "__exec" => Some(super::linux::exec),
        _ => None,
    }
}

#[cfg(target_os = "linux")]
fn monitor_hooks() -> super::linux::MonitorHooks {
    use super::{containers::StoreReports, machine::Machine};
    super::linux::MonitorHooks {
        changed: |plan, change| StoreReports::new(Machine::this()).changed(plan, change),
        ended: |plan, exit, gone| StoreReports::new(Machine::this()).run_ended(plan, exit, gone),
    }
}
