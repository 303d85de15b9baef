//! What lies in the store that Wharf never puts there? Named, and left alone: it may be dear to somebody.
//!
//! Deliberately elsewhere: leftovers of our own (`super`).

use std::path::Path;

use super::Pass;
use crate::engine::{
    backend::embedded::{
        containers::layout::{Layout, NASCENT},
        disk::is_temporary,
    },
    domain::{ContainerId, ContainerName, Result},
};

impl Pass<'_> {
    /// Names each entry that cannot be ours by the way it is called.
    pub(super) fn strangers(&mut self) -> Result<()> {
        let containers = self.containers;
        let layout = &containers.store.layout;
        self.strangers_in(&layout.containers(), |name| is_id(name) || name.starts_with(NASCENT))?;
        self.strangers_in(&layout.names(), |name| {
            name.parse::<ContainerName>().is_ok() || is_names_lock(layout, name)
        })?;
        self.strangers_in(&layout.runs(), is_id)?;
        self.strangers_in(&layout.trash(), is_trash)
    }

    fn strangers_in(&mut self, dir: &Path, ours: impl Fn(&str) -> bool) -> Result<()> {
        for entry in self.listed(dir)?.into_iter().filter(|entry| !ours(entry) && !is_temporary(entry)) {
            let advice = "left alone; move it elsewhere if it is yours".to_owned();
            let subject = dir.join(entry).display().to_string();
            self.advise(&subject, "nothing that Wharf puts there".to_owned(), advice);
        }
        Ok(())
    }
}

pub(super) fn is_id(name: &str) -> bool {
    name.parse::<ContainerId>().is_ok()
}

/// An id, perhaps with a number for the second time; see `remove`.
pub(super) fn is_trash(name: &str) -> bool {
    is_id(name.split('.').next().unwrap_or(name))
}

fn is_names_lock(layout: &Layout, name: &str) -> bool {
    layout.names_lock().file_name().is_some_and(|lock| lock == name)
}
