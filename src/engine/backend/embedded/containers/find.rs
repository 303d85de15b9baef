//! Which container does a person mean? A name, a full id, or the beginning of one.
//!
//! Deliberately elsewhere: the wording of commands (`cli`), looking at what was found (`observe`).

use super::{Containers, names, observe::Seen};
use crate::engine::domain::{
    Container, ContainerId, ContainerName, Error, ErrorKind, PrefixMatch, Result, match_prefix,
};

/// So many candidates are listed.
const LISTED: usize = 5;

impl Containers {
    /// By exact name, full id, or unambiguous prefix of an id, in that order. A name costs one file.
    ///
    /// # Errors
    /// `NoSuchContainer` or `Ambiguous`.
    pub fn find(&self, query: &str) -> Result<Container> {
        if let Ok(name) = query.parse::<ContainerName>()
            && let Some(owner) = names::owner(self.store.disk(), &self.store.layout, &name)?
            && let Some(found) = self.named(&name, &owner)
        {
            return Ok(found);
        }
        if let Ok(id) = query.parse::<ContainerId>() {
            return self.get(&id).ok_or_else(|| Error::no_such_container(query));
        }
        let ids = self.store.ids()?;
        match match_prefix(query, ids.iter().map(|id| (id, id))) {
            PrefixMatch::One(id) => self.get(id).ok_or_else(|| Error::no_such_container(query)),
            PrefixMatch::None => Err(Error::no_such_container(query)),
            PrefixMatch::Many(candidates) => {
                let shown: Vec<&str> = candidates.iter().take(LISTED).map(ContainerId::short).collect();
                let more = if candidates.len() > LISTED { ", ..." } else { "" };
                Err(Error::new(
                    ErrorKind::Ambiguous,
                    format!("{query} is the beginning of {} ids: {}{more}", candidates.len(), shown.join(", ")),
                )
                .remedy("write more of the id, or the name"))
            }
        }
    }

    /// The container behind a name file, if it bears that name (and is not a leftover of a rename).
    fn named(&self, name: &ContainerName, owner: &ContainerId) -> Option<Container> {
        match self.look(owner) {
            Seen::Whole(observed) if observed.record.name == *name => Some(observed.container),
            // It cannot say otherwise.
            Seen::Damaged(damaged) => Some(damaged.container),
            Seen::Whole(_) | Seen::Gone => None,
        }
    }
}
