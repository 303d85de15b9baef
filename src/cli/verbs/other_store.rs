//! Is the container that is missing here in the other store? `sudo wharf` and `wharf` keep their own.
//!
//! Deliberately elsewhere: where a store is (`engine::Locations`). From an ordinary user's side nothing can be known:
//! root's store is closed to others.

use std::path::{Path, PathBuf};

use crate::engine::domain::ContainerName;

/// A hint for somebody who typed `sudo` for a container of their own.
pub fn hint(name: &str) -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if variable("WHARF_ROOT").is_some() {
        return None;
    }
    let user = variable("SUDO_USER")?;
    // Without a readable list of users there is nothing to look at.
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let names = home_of(&user, &users)?.join(".local/share/wharf/names");
    has(&names, name).then(|| format!("{user} has a container of that name: leave out sudo"))
}

fn home_of(user: &str, users: &str) -> Option<PathBuf> {
    let line = users.lines().find(|line| line.split(':').next() == Some(user))?;
    line.split(':').nth(5).map(PathBuf::from)
}

/// Only what can be a name is looked up: anything else could point elsewhere.
fn has(names: &Path, name: &str) -> bool {
    name.parse::<ContainerName>().is_ok_and(|name| names.join(name.as_str()).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_own_name_is_found_and_nothing_outside_it() {
        let users = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000:Ann:/home/ann:/bin/sh\n";
        assert_eq!(home_of("ann", users), Some(PathBuf::from("/home/ann")));
        assert_eq!(home_of("bob", users), None);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("web"), "").unwrap();
        assert!(has(folder.path(), "web"));
        assert!(!has(folder.path(), "db"));
        assert!(!has(&folder.path().join("names"), "../web"));
    }
}
