//! How is what nobody reads or writes connected? To `/dev/null`, which not every machine lets everybody use.
//!
//! Opened here and not by `Command`, whose errors name no file. Deliberately elsewhere: whom it is given to.

use std::{io, os::fd::OwnedFd, path::Path};

use rustix::fs::{Mode, OFlags, open};

use crate::engine::domain::{Error, Result};

const NULL: &str = "/dev/null";

/// Opens it for reading and writing.
///
/// # Errors
/// `Denied` or `Io`, with its name and the exact fix.
pub(super) fn open_null() -> Result<OwnedFd> {
    open_at(Path::new(NULL))
}

fn open_at(path: &Path) -> Result<OwnedFd> {
    open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).map_err(|errno| {
        let cause = io::Error::from(errno);
        let kind = cause.kind();
        let error = Error::io(format_args!("opening {}", path.display()), cause);
        if kind == io::ErrorKind::PermissionDenied {
            error.remedy("sudo chmod 666 /dev/null")
        } else if kind == io::ErrorKind::NotFound {
            error.remedy("sudo mknod -m 666 /dev/null c 1 3")
        } else {
            error // Nothing that is wrong with the file.
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_not_there_is_named_and_made_again() {
        let error = open_at(Path::new("/dev/no-such-null")).unwrap_err();
        assert!(error.reason().starts_with("opening /dev/no-such-null: "), "{error}");
        assert_eq!(error.remedy_text(), Some("sudo mknod -m 666 /dev/null c 1 3"));
    }
}
