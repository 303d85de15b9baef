//! How do images go? Untag, delete what nothing refers to, prune; Docker's rules for what stands in the way.
//!
//! Deliberately elsewhere: which content goes with them (`collect`).

use super::{catalog::FoundBy, collect::Partials, records::ImageRecord, store::ImageStore};
use crate::engine::domain::{Digest, Error, ErrorKind, Force, ImageReference, Result, Size, Verb};

/// A container that was made of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageUser {
    pub image: Digest,
    /// The container's name, for messages.
    pub container: String,
    pub running: bool,
}

/// Which images a prune takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PruneScope {
    /// Those without a tag.
    Dangling,
    /// Those without a container.
    Unused,
}

/// What was untagged and deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// `Untagged: …` and `Deleted: …`, as Docker prints them.
    pub lines: Vec<String>,
    /// What a person should know besides.
    pub warnings: Vec<String>,
    /// Bytes given back: blobs, and files of layers.
    pub freed: Size,
}

impl ImageStore {
    /// Gives `source` the tag `target`; an image that had it keeps its other names, or becomes dangling.
    ///
    /// # Errors
    /// As [`Self::find`]; `InvalidInput` for a target with a digest.
    pub fn tag(&self, source: &str, target: &ImageReference) -> Result<Digest> {
        if target.digest().is_some() {
            return Err(Error::new(ErrorKind::InvalidInput, "a tag cannot be given to a digest")
                .remedy("leave out the @sha256:… part of the new name"));
        }
        let _guard = self.leases.exclude(Verb::Tag)?;
        let record = self.find(source)?;
        self.records.put_tag(target, &record.id)?;
        self.write_index()?;
        Ok(record.id)
    }

    /// Removes a name of an image, and with its last name the image and whatever only it needed. `users` is asked under
    /// the store's lock, so that no container can appear between the question and the deed.
    ///
    /// # Errors
    /// As [`Self::find`]; `Refused` while containers need it or it has names in several repositories.
    pub fn remove_image(
        &self,
        query: &str,
        force: Force,
        users: &dyn Fn() -> Result<Vec<ImageUser>>,
    ) -> Result<Removed> {
        let guard = self.leases.exclude(Verb::RemoveImage)?;
        let (record, by) = self.find_with(query)?;
        let tags = self.tags_of(&record.id)?;
        let (going, last) = match &by {
            FoundBy::Tag(reference) => (vec![reference.clone()], tags.len() <= 1),
            FoundBy::Digest(_) => (Vec::new(), tags.is_empty() && record.digests.len() <= 1),
            FoundBy::Id => {
                let names: std::collections::BTreeSet<String> = tags.iter().map(ImageReference::name).collect();
                if names.len() > 1 && force == Force::No {
                    let list: Vec<String> = tags.iter().map(ImageReference::familiar).collect();
                    return Err(Error::new(ErrorKind::Refused, format!("it is also named {}", list.join(", ")))
                        .remedy("remove the names one by one, or use --force"));
                }
                (tags.clone(), true)
            }
        };
        let mut users = users()?;
        users.retain(|user| user.image == record.id);
        if last {
            refuse_if_used(&users, force)?;
        }
        let mut removed = Removed::default();
        let mut record = record;
        for tag in &going {
            self.records.remove_tag(tag)?;
            removed.lines.push(format!("Untagged: {}", tag.familiar()));
        }
        let rest: Vec<&ImageReference> = tags.iter().filter(|tag| !going.contains(tag)).collect();
        let loses = |digest: &ImageReference| match &by {
            FoundBy::Digest(named) => digest == named,
            FoundBy::Tag(named) => digest.name() == named.name() && !rest.iter().any(|tag| tag.name() == named.name()),
            FoundBy::Id => true,
        };
        let (lost, kept): (Vec<_>, Vec<_>) = record.digests.drain(..).partition(loses);
        removed.lines.extend(lost.iter().map(|digest| format!("Untagged: {}", digest.familiar())));
        record.digests = kept;
        if last && users.is_empty() {
            self.records.remove_image(&record.id)?;
        } else {
            self.records.put_image(&record)?;
            removed.warnings.extend(
                users.iter().filter(|_| last).map(|user| {
                    format!("the image stays, without a name, until container {} is removed", user.container)
                }),
            );
        }
        self.write_index()?;
        let gone = if last && users.is_empty() { vec![record] } else { Vec::new() };
        self.finish(guard, &gone, Partials::Keep, removed)
    }

    /// Removes every image in `scope` that no container uses, and interrupted downloads.
    ///
    /// # Errors
    /// What reading or changing the store comes to.
    pub fn prune(&self, scope: PruneScope, users: &dyn Fn() -> Result<Vec<ImageUser>>) -> Result<Removed> {
        let guard = self.leases.exclude(Verb::PruneImages)?;
        let users = users()?;
        let leased = self.leases.living()?;
        let mut removed = Removed::default();
        let mut gone = Vec::new();
        for record in self.records.images()? {
            let tags = self.tags_of(&record.id)?;
            let wanted = match scope {
                PruneScope::Dangling => tags.is_empty(),
                PruneScope::Unused => true,
            };
            // A running pull may be about to name it.
            let needed =
                users.iter().any(|user| user.image == record.id) || leased.digests.contains(&record.config.digest);
            if !wanted || needed {
                continue;
            }
            for tag in tags {
                self.records.remove_tag(&tag)?;
                removed.lines.push(format!("Untagged: {}", tag.familiar()));
            }
            removed.lines.extend(record.digests.iter().map(|digest| format!("Untagged: {}", digest.familiar())));
            self.records.remove_image(&record.id)?;
            gone.push(record);
        }
        self.write_index()?;
        self.finish(guard, &gone, Partials::Drop, removed)
    }

    fn finish(
        &self,
        guard: super::leases::CollectionGuard,
        gone: &[ImageRecord],
        partials: Partials,
        mut removed: Removed,
    ) -> Result<Removed> {
        let collected = self.collect(guard, partials)?;
        let mut freed = collected.bytes;
        let mut told = std::collections::HashSet::new();
        for record in gone {
            removed.lines.push(format!("Deleted: {}", record.id));
            for layer in record.layers.iter().rev() {
                if collected.layers.contains(layer.key.hex()) && told.insert(layer.key.clone()) {
                    removed.lines.push(format!("Deleted: {}", layer.chain_id));
                    freed += layer.bytes;
                }
            }
        }
        removed.freed = Size(freed);
        Ok(removed)
    }

    fn tags_of(&self, id: &Digest) -> Result<Vec<ImageReference>> {
        let tags = self.records.tags()?.into_iter();
        Ok(tags.filter(|(_, image)| image == id).map(|(tag, _)| tag).collect())
    }
}

fn refuse_if_used(users: &[ImageUser], force: Force) -> Result<()> {
    let refused =
        |user: &ImageUser, how: &str| Error::new(ErrorKind::Refused, format!("container {} {how}", user.container));
    if let Some(user) = users.iter().find(|user| user.running) {
        return Err(
            refused(user, "runs it").remedy(format!("stop and remove it first: wharf rm -f {}", user.container))
        );
    }
    match (users.first(), force) {
        (Some(user), Force::No) => Err(refused(user, "was made of it").remedy(format!(
            "remove it first: wharf rm {}; or use --force to take away the name only",
            user.container
        ))),
        (Some(_), Force::Yes) | (None, _) => Ok(()),
    }
}
