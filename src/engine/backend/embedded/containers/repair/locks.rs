//! Which locks beside the containers are nobody's? Only where locks cannot lie in the containers' directories.
//!
//! One is left by whoever was killed between a removal and its end, or waited for a container that went. Deliberately
//! elsewhere: taking and retiring locks (`store`).

use super::Pass;
use crate::engine::{
    backend::embedded::lock,
    domain::{ContainerId, Error, Result},
};

impl Pass<'_> {
    pub(super) fn locks(&mut self) -> Result<()> {
        let containers = self.containers;
        let (layout, disk) = (&containers.store.layout, containers.store.disk());
        if !disk.open_files_keep_names() {
            return Ok(());
        }
        for entry in self.listed(&layout.locks())? {
            let Ok(id) = entry.parse::<ContainerId>() else { continue };
            let path = layout.locks().join(&entry);
            // One in the making moves from its hidden directory to its own, so that is looked for first.
            let is_somebodys = || disk.exists(&layout.nascent(&id)) || disk.exists(&layout.container(&id));
            if self.is_old(&path) && lock::is_free(disk, &path) && !is_somebodys() {
                self.fix(entry, "a lock without a container", "deleted", || {
                    disk.remove_file(&path).map_err(|error| Error::io("it cannot be deleted", error))
                });
            }
        }
        Ok(())
    }
}
