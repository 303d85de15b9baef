//! How do images go? Untag, delete what nothing refers to, prune.
//!
//! Deliberately elsewhere: Docker's rules for what stands in the way (`untag`), which content goes with them (`collect`).

use super::{
    collect::Partials,
    records::ImageRecord,
    store::ImageStore,
    untag::{Fate, ImageUser, Named, decide},
};
use crate::engine::domain::{Digest, Error, ErrorKind, Force, ImageReference, Result, Size, Verb};

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

    /// Removes a name of an image, and with its last name the image and whatever only it needed; what containers made of
    /// it need stays until they go. `users` is asked under the store's lock, so that no container can appear between the
    /// question and the deed. Done when it returns, also after a power cut.
    ///
    /// # Errors
    /// As [`Self::find`]; `Refused` by Docker's rules (`untag`).
    pub fn remove_image(
        &self,
        query: &str,
        force: Force,
        users: &dyn Fn() -> Result<Vec<ImageUser>>,
    ) -> Result<Removed> {
        let guard = self.leases.exclude(Verb::RemoveImage)?;
        if let Some(removed) = self.remove_dead_tag(query)? {
            return Ok(removed);
        }
        let (mut record, by) = self.find_with(query)?;
        let tags = self.tags_of(&record.id)?;
        let all = users()?;
        let mine: Vec<ImageUser> = all.iter().filter(|user| user.image == record.id).cloned().collect();
        let verdict = decide(&Named { tags: &tags, digests: &record.digests, users: &mine }, &by, force)?;
        // What needs room on the disk comes first, while there is nothing to take back.
        match verdict.fate {
            Fate::Goes if mine.is_empty() => {}
            Fate::Goes => self.records.hold(&record)?,
            Fate::Stays if verdict.digests.is_empty() => {}
            Fate::Stays => {
                record.digests.retain(|digest| !verdict.digests.contains(digest));
                self.records.put_image(&record)?;
            }
        }
        let mut removed = Removed::default();
        for tag in &verdict.tags {
            self.records.remove_tag(tag)?;
        }
        removed
            .lines
            .extend(verdict.tags.iter().chain(&verdict.digests).map(|name| format!("Untagged: {}", name.familiar())));
        let gone =
            match verdict.fate {
                Fate::Goes => {
                    self.records.remove_image(&record.id)?;
                    removed.warnings.extend(mine.iter().map(|user| {
                        format!("container {} keeps the image's layers until it is removed", user.container)
                    }));
                    vec![record]
                }
                Fate::Stays => {
                    let nameless = tags.len() == verdict.tags.len();
                    removed.warnings.extend(
                        mine.iter().filter(|user| nameless && user.running).map(|user| {
                            format!("the image stays without a name: container {} runs it", user.container)
                        }),
                    );
                    Vec::new()
                }
            };
        self.drop_unheld(&all)?;
        self.finish(guard, &gone, Partials::Keep, removed)
    }

    /// A tag that leads to nothing, after damage: nothing but the tag can go.
    fn remove_dead_tag(&self, query: &str) -> Result<Option<Removed>> {
        let Ok(reference) = query.parse::<ImageReference>() else { return Ok(None) };
        let reference = reference.with_default_tag();
        if reference.digest().is_some() {
            return Ok(None);
        }
        let Some(id) = self.records.tagged(&reference)? else { return Ok(None) };
        if self.records.image(&id)?.is_some() {
            return Ok(None);
        }
        self.records.remove_tag(&reference)?;
        Ok(Some(Removed { lines: vec![format!("Untagged: {}", reference.familiar())], ..Removed::default() }))
    }

    /// Frees what was only kept for containers that are gone. Reads one directory when there is nothing to do.
    ///
    /// # Errors
    /// The disk's; `Busy`.
    pub fn release(&self, users: &dyn Fn() -> Result<Vec<ImageUser>>) -> Result<()> {
        let held = self.disk.list(&self.layout.held()).map_err(|error| Error::io("listing removed images", error))?;
        if held.is_empty() {
            return Ok(());
        }
        let guard = self.leases.exclude(Verb::Remove)?;
        if self.drop_unheld(&users()?)? {
            self.collect(guard, Partials::Keep)?;
        }
        Ok(())
    }

    /// Forgets removed images that no container needs, or that are back. Whether there were any.
    pub(super) fn drop_unheld(&self, users: &[ImageUser]) -> Result<bool> {
        let mut any = false;
        for record in self.records.held()? {
            if users.iter().any(|user| user.image == record.id) && self.records.image(&record.id)?.is_none() {
                continue;
            }
            self.records.let_go(&record.id)?;
            any = true;
        }
        Ok(any)
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
        self.drop_unheld(&users)?;
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
        if let Err(error) = collected.index {
            removed.warnings.push(format!("index.json, for other tools, is out of date: {error}"));
        }
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
