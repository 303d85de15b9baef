//! Was anything left half-done when the power went? Looked for once after each boot, before the first change.
//!
//! A kill leaves what the next change of the same object meets under its lock; a power cut may also take back what was
//! never synced, such as the name of a container that goes when it ends, which nobody would meet. Deliberately
//! elsewhere: what is looked for and done (`repair`), what only takes room (`wharf system repair`, the interface).

use super::Containers;

impl Containers {
    /// Puts the store right, unless somebody has done so since the machine was booted. One short read when so. What
    /// cannot be put right now is tried again by the next change; the caller goes on all the same.
    pub(super) fn settle_boot(&self) {
        let Some(boot) = &self.boot else { return };
        if self.settled.get().is_some() {
            return;
        }
        let (disk, mark) = (self.store.disk(), self.store.layout.boot());
        let settled = disk.read(&mark).is_ok_and(|settled| settled == boot.as_bytes())
            // The mark only saves work: one that cannot be written is missed by nobody.
            || self.reconcile().is_ok_and(|whole| whole && disk.write_atomic(&mark, boot.as_bytes()).is_ok());
        if settled {
            // Another thread that found the same has done the same.
            let _ = self.settled.set(());
        }
    }
}
