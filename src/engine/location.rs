//! Where does Wharf keep its things on this machine?
//!
//! Deliberately elsewhere: what lies inside these directories (`backend::embedded`), the config file's
//! content (`cli`).

use std::path::{Path, PathBuf};

/// The three roots. Nothing is created by naming them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locations {
    /// Durable: images, containers, names, volumes.
    pub data: PathBuf,
    /// Runtime: sockets and process facts. May lie on disk; the boot id decides what is stale.
    pub run: PathBuf,
    /// `config.toml`, keymaps, themes.
    pub config: PathBuf,
}

impl Locations {
    /// Reads `WHARF_ROOT`, the XDG variables and the effective user of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self::resolve(&variable, effective_user())
    }

    /// The rule itself: `WHARF_ROOT` over everything; system directories for root; XDG with
    /// fallbacks for users. Relative XDG values are ignored, as the specification says.
    #[must_use]
    pub fn resolve(variable: &dyn Fn(&str) -> Option<PathBuf>, user: Option<u32>) -> Self {
        if let Some(root) = variable("WHARF_ROOT") {
            let root = std::path::absolute(&root).unwrap_or(root);
            return Self { data: root.join("data"), run: root.join("run"), config: root.join("config") };
        }
        if user == Some(0) {
            return Self {
                data: PathBuf::from("/var/lib/wharf"),
                run: PathBuf::from("/run/wharf"),
                config: PathBuf::from("/etc/wharf"),
            };
        }
        let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
        let home = absolute("HOME").or_else(|| absolute("USERPROFILE"));
        let home = home.as_deref().unwrap_or(Path::new("/"));
        let user = user.map_or_else(|| "user".to_owned(), |user| user.to_string());
        Self {
            data: absolute("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share")).join("wharf"),
            run: absolute("XDG_RUNTIME_DIR")
                .map_or_else(|| std::env::temp_dir().join(format!("wharf-{user}")), |runtime| runtime.join("wharf")),
            config: absolute("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")).join("wharf"),
        }
    }
}

#[cfg(unix)]
fn effective_user() -> Option<u32> {
    Some(rustix::process::geteuid().as_raw())
}

#[cfg(not(unix))]
fn effective_user() -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)], user: u32) -> Locations {
        let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| PathBuf::from(value));
        Locations::resolve(&lookup, Some(user))
    }

    // As above.
    #[cfg(unix)]
    #[test]
    fn wharf_root_moves_everything_even_for_root() {
        let found = with(&[("WHARF_ROOT", "/x"), ("XDG_DATA_HOME", "/y")], 0);
        assert_eq!(found.data, Path::new("/x/data"));
        assert_eq!(found.run, Path::new("/x/run"));
        assert_eq!(found.config, Path::new("/x/config"));
    }

    #[test]
    fn root_uses_the_system_directories() {
        assert_eq!(with(&[("HOME", "/root")], 0).data, Path::new("/var/lib/wharf"));
    }

    // Paths of Unix, written as such.
    #[cfg(unix)]
    #[test]
    fn users_get_xdg_directories_with_fallbacks() {
        let found = with(&[("HOME", "/home/a"), ("XDG_RUNTIME_DIR", "/run/user/7")], 7);
        assert_eq!(found.data, Path::new("/home/a/.local/share/wharf"));
        assert_eq!(found.run, Path::new("/run/user/7/wharf"));
        assert_eq!(found.config, Path::new("/home/a/.config/wharf"));
        let bare = with(&[("HOME", "/home/a"), ("XDG_DATA_HOME", "relative")], 7);
        assert_eq!(bare.data, Path::new("/home/a/.local/share/wharf"));
        assert_eq!(bare.run, std::env::temp_dir().join("wharf-7"));
    }
}
