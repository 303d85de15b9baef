//! Which image does a container need? For whoever is about to delete images.
//!
//! Deliberately elsewhere: what Docker's rules make of it (`images`), making the layers ready (`base_image`).

use super::{
    Containers,
    observe::{self, Damaged, Seen},
    record::Damage,
};
use crate::engine::{
    backend::embedded::kernel::Observation,
    domain::{ContainerId, Digest, Error, ErrorKind, Result},
};

/// What keeps an image's layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    pub image: Digest,
    /// The container's name, for messages.
    pub container: String,
    /// It runs, or nobody can say that it does not.
    pub running: bool,
}

impl Containers {
    /// What the container needs. `None` for one that is gone, or whose record is lost and in which nothing is alive: it
    /// cannot start again.
    ///
    /// # Errors
    /// `Refused` for a lost record of what runs; `Io`, `Denied` or `Unsupported` when the record, or who is alive, cannot
    /// be read now: what it needs is not known then.
    pub fn need(&self, id: &ContainerId) -> Result<Option<Need>> {
        match self.look(id) {
            Seen::Whole(observed) => Ok(Some(Need {
                image: observed.record.image.id.clone(),
                container: observed.container.display_name(),
                running: observed.container.status().has_process(),
            })),
            Seen::Damaged(damaged) => self.need_without_record(id, &damaged),
            Seen::Gone => Ok(None),
        }
    }

    fn need_without_record(&self, id: &ContainerId, damaged: &Damaged) -> Result<Option<Need>> {
        let alive = observe::alive_without_record(&self.store, &*self.kernel, id).map(Observation::anybody);
        if let Some(image) = self.store.image_of(id) {
            let container = damaged.container.display_name();
            return Ok(Some(Need { image, container, running: alive.unwrap_or(true) }));
        }
        let unknown = |error: Error| error.at(format!("what container {} needs is not known", id.short()));
        let remove = |error: Error| error.remedy(format!("remove it first: wharf rm --force {}", id.short()));
        match (&damaged.damage, alive) {
            (Damage::Unreadable(_), _) => Err(unknown(damaged.damage.error(id))),
            (Damage::Lost(_), Ok(false)) => Ok(None),
            (Damage::Lost(reason), Ok(true)) => {
                let error = Error::new(ErrorKind::Refused, format!("it is running, and {reason}"));
                Err(remove(unknown(error)))
            }
            (Damage::Lost(_), Err(error)) => Err(remove(unknown(error))),
        }
    }
}
