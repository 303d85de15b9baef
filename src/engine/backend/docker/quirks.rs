//! Where do real daemons depart from what we promise? One visible list; the conformance suite reads it.
//!
//! Each entry says what differs, on which engine, and why we live with it. Code that bends around a daemon's
//! oddity and is needed in several places stands here too.

use crate::engine::domain::{Container, Error, ErrorKind, HostKind, ProcessTable};

/// One known difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deviation {
    pub host: HostKind,
    /// The conformance check or the promise it concerns.
    pub concerns: &'static str,
    pub reason: &'static str,
}

/// All that is known, seen on dockerd 20.10.24 (API 1.41) and Podman 4.3.1.
pub const DEVIATIONS: &[Deviation] = &[
    Deviation {
        host: HostKind::Docker,
        concerns: "index create",
        reason: "the Engine API cannot join images of several platforms; the embedded engine does it",
    },
    Deviation {
        host: HostKind::Podman,
        concerns: "index create",
        reason: "the Docker-compatible API cannot join images of several platforms; the embedded engine does it",
    },
    Deviation {
        host: HostKind::Docker,
        concerns: "exec signal",
        reason: "the Engine API cannot signal an exec; only the terminal's own keys (Ctrl-C, Ctrl-\\, Ctrl-Z) reach it",
    },
    Deviation {
        host: HostKind::Podman,
        concerns: "exec signal",
        reason: "as on Docker: only the terminal's own keys reach an exec",
    },
    Deviation {
        host: HostKind::Docker,
        concerns: "stop signal",
        reason: "before API 1.42 a stop cannot name its signal: it is sent by kill, waited for, then KILL follows",
    },
    Deviation {
        host: HostKind::Docker,
        concerns: "ghost",
        reason: "a rename that meets a removal can leave an entry without name that only a daemon restart clears",
    },
    Deviation {
        host: HostKind::Podman,
        concerns: "log times",
        reason: "the compatible API gives log times in whole seconds: lines within a second share one time",
    },
    Deviation {
        host: HostKind::Podman,
        concerns: "processes",
        reason: "top answers with its columns joined into one; they are split again at white space",
    },
    Deviation {
        host: HostKind::Docker,
        concerns: "exec exit code",
        reason: "20.10 ends an exec of a missing command with 126; it is made 127 from what the daemon prints",
    },
    Deviation {
        host: HostKind::Docker,
        concerns: "unread foreground run",
        reason: "while a lossless client does not read, dockerd holds back inspect, stop and rm of that container by \
                 other programs (moby#41827); our own verbs relieve it first",
    },
    Deviation {
        host: HostKind::Podman,
        concerns: "registry without TLS",
        reason: "the compatible pull insists on TLS; for registries of this machine Podman's own call is used, which \
                 reports lines and no layers",
    },
    Deviation {
        host: HostKind::Podman,
        concerns: "auto-remove exit code",
        reason: "waiting for the removal answers 0 whatever the process said; the exit is awaited, then the removal",
    },
    Deviation {
        host: HostKind::Docker,
        concerns: "image layers",
        reason: "the listing has neither layers nor platform; each image is inspected once and remembered by its id",
    },
];

/// A listed container that the daemon itself knows nothing about.
#[must_use]
pub fn ghost(seen: &Container) -> Error {
    let reason = format!("the daemon lists {} as being removed and otherwise denies that it exists", seen.id.short());
    Error::new(ErrorKind::Refused, reason)
        .remedy("nothing of it is left but the entry; a restart of the Docker daemon clears it")
}

/// What a failed start says where its exit code is lost with the container. Docker's own client reads the same words.
#[must_use]
pub fn start_failure_in_words(reason: &str) -> Option<ErrorKind> {
    let says = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    if says(&["executable file not found", "no such file or directory", "executable file `"]) {
        Some(ErrorKind::CommandNotFound)
    } else if says(&["permission denied", "is a directory", "exec format error"]) {
        Some(ErrorKind::CommandNotExecutable)
    } else {
        None
    }
}

/// dockerd 20.10 ends an exec that never ran with 126 for whatever reason and prints the reason where the output would
/// be; 127 is what shells say for a command that is not there.
#[must_use]
pub fn never_ran(code: i32, printed: &[u8]) -> i32 {
    match start_failure_in_words(&String::from_utf8_lossy(printed)) {
        Some(ErrorKind::CommandNotFound) if code == 126 => 127,
        Some(_) | None => code,
    }
}

/// Podman gives one title and one cell per process, columns joined by blanks; the last column takes the rest.
#[must_use]
pub fn process_table(titles: Vec<String>, rows: Vec<Vec<String>>) -> ProcessTable {
    let [joined] = titles.as_slice() else { return ProcessTable { titles, rows } };
    let titles: Vec<String> = joined.split_whitespace().map(str::to_owned).collect();
    let columns = titles.len();
    if columns < 2 {
        return ProcessTable { titles, rows };
    }
    let split = |row: Vec<String>| {
        let mut rest = row.first().map_or("", String::as_str).trim();
        let mut cells = Vec::with_capacity(columns);
        while cells.len() + 1 < columns {
            let (cell, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            cells.push(cell.to_owned());
            rest = after.trim_start();
        }
        cells.push(rest.to_owned());
        cells
    };
    ProcessTable { titles, rows: rows.into_iter().map(split).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_columns_are_split_again() {
        let owned = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        let table = process_table(owned(&["PID   USER     COMMAND"]), vec![owned(&["1 root     sleep 300"])]);
        assert_eq!(table.titles, ["PID", "USER", "COMMAND"]);
        assert_eq!(table.rows, [owned(&["1", "root", "sleep 300"])]);
        let docker = process_table(owned(&["UID", "CMD"]), vec![owned(&["root", "sleep 300"])]);
        assert_eq!(docker.rows, [owned(&["root", "sleep 300"])]);
    }

    #[test]
    fn every_deviation_says_why() {
        for deviation in DEVIATIONS {
            assert!(!deviation.concerns.is_empty() && deviation.reason.len() > 20, "{deviation:?}");
        }
    }
}
