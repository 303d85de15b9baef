//! Where may a debug build be told to die? Before any step that changes something: the chaos tests kill it at each.
//!
//! `WHARF_STOP_AT=ROLE:N` makes the process of that role (`wharf`, `monitor`, `exec`) kill itself with SIGKILL just
//! before its N-th step, counted from 1; `WHARF_STOP_TRACE=FILE` appends one line for each step reached, `ROLE N WHAT
//! PATH`, also of that last one. Release builds have neither: there [`step`] is nothing. Deliberately elsewhere: going
//! through all of them (`tests/chaos`), steps on a modelled machine (unit tests).

/// A change is about to be made: `what`, to `path`. Every change of the disk, the kernel or a registry has its step.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn step(_what: &'static str, _path: &std::path::Path) {}

/// What a role that this process starts must be told, so that its steps count too.
#[cfg(not(debug_assertions))]
#[must_use]
pub fn environment() -> [(&'static str, std::ffi::OsString); 0] {
    []
}

#[cfg(debug_assertions)]
pub use self::counted::{environment, step};

#[cfg(debug_assertions)]
mod counted {
    use std::{
        ffi::OsString,
        fs::OpenOptions,
        io::Write as _,
        path::{Path, PathBuf},
        sync::{
            OnceLock,
            atomic::{AtomicU64, Ordering},
        },
    };

    const STOP_AT: &str = "WHARF_STOP_AT";
    const TRACE: &str = "WHARF_STOP_TRACE";

    /// What the environment asks of this process.
    struct Orders {
        role: &'static str,
        stop_at: Option<u64>,
        trace: Option<PathBuf>,
    }

    pub fn step(what: &'static str, path: &Path) {
        static ORDERS: OnceLock<Option<Orders>> = OnceLock::new();
        static REACHED: AtomicU64 = AtomicU64::new(0);
        let Some(orders) = ORDERS.get_or_init(Orders::read) else { return };
        let number = REACHED.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(trace) = &orders.trace {
            let line = format!("{} {number} {what} {}\n", orders.role, path.display());
            // A line that is lost is a step that is not listed; nothing else depends on it.
            let _ = OpenOptions::new()
                .append(true)
                .create(true)
                .open(trace)
                .and_then(|mut file| file.write_all(line.as_bytes()));
        }
        if orders.stop_at == Some(number) {
            die();
        }
    }

    /// The same orders for a role that this process starts with an empty environment.
    #[must_use]
    pub fn environment() -> Vec<(&'static str, OsString)> {
        let told = |name: &'static str| std::env::var_os(name).map(|value| (name, value));
        [STOP_AT, TRACE].into_iter().filter_map(told).collect()
    }

    impl Orders {
        /// `None`: nobody asks anything, which is the usual case.
        fn read() -> Option<Self> {
            let role = match std::env::args_os().nth(1).as_ref().and_then(|word| word.to_str()) {
                Some("__monitor") => "monitor",
                Some("__exec") => "exec",
                Some(_) | None => "wharf",
            };
            let asked = std::env::var(STOP_AT).ok();
            let stop_at = asked.as_ref().and_then(|asked| asked.strip_prefix(role)?.strip_prefix(':')?.parse().ok());
            let trace = std::env::var_os(TRACE).map(PathBuf::from);
            (asked.is_some() || trace.is_some()).then_some(Self { role, stop_at, trace })
        }
    }

    /// Ends this process as SIGKILL from outside would: nothing is flushed, dropped or told.
    fn die() -> ! {
        #[cfg(unix)]
        loop {
            // It cannot fail for ourselves; the loop is for the instant until it takes effect.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        }
        #[cfg(not(unix))]
        std::process::abort()
    }
}
