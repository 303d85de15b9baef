//! How does the fake engine keep images?
//!
//! Deliberately elsewhere: containers (`records`), the seam (`answers`).

use std::{collections::BTreeMap, io::Read as _};

use serde_json::{Value, json};

use super::{FakeHost, canonical, made_up_image};
use crate::engine::{
    backend::{Notice, OperationContext},
    domain::*,
};

impl FakeHost {
    pub(super) async fn list_images(&self) -> Result<Vec<Image>> {
        self.travel().await;
        let mut by_id: BTreeMap<Digest, Image> = BTreeMap::new();
        for (reference, image) in &self.world().images {
            let merged =
                by_id.entry(image.id.clone()).or_insert_with(|| Image { references: Vec::new(), ..image.clone() });
            merged
                .references
                .extend(reference.parse::<ImageReference>().ok().filter(|_| *reference != Self::nameless(&image.id)));
        }
        Ok(by_id.into_values().collect())
    }

    pub(super) async fn image_json(&self, query: String) -> Result<Value> {
        self.travel().await;
        let image = self.image(&query)?;
        let tags: Vec<_> = image.references.iter().map(ImageReference::familiar).collect();
        let labels = self.world().image_labels.get(&image.id).cloned();
        Ok(json!({ "Id": image.id.to_string(), "RepoTags": tags, "Config": { "Labels": labels } }))
    }

    pub(super) async fn image_history(&self, query: String) -> Result<Vec<HistoryEntry>> {
        self.travel().await;
        let image = self.image(&query)?;
        Ok(vec![HistoryEntry {
            layer: Some(image.id),
            created: image.created,
            created_by: "made up".into(),
            size: image.size,
            comment: String::new(),
            empty: false,
        }])
    }

    pub(super) async fn pull_image(&self, reference: ImageReference, context: OperationContext) -> Result<Done> {
        context.step("resolving");
        self.travel().await;
        context.check()?;
        let key = reference.clone().with_default_tag().to_string();
        let mut world = self.world();
        let image = world
            .registry
            .get(&key)
            .or_else(|| world.images.get(&key))
            .cloned()
            .ok_or_else(|| Error::no_such_image(reference.familiar()))?;
        let id = image.id.clone();
        world.images.insert(key, image);
        drop(world);
        self.notify(Notice::Images);
        Ok(Done { output: vec![id.to_string()], ..Done::default() })
    }

    pub(super) async fn push_image(&self, reference: ImageReference) -> Result<Done> {
        self.travel().await;
        let image = self.image(&reference.to_string())?;
        self.world().registry.insert(reference.with_default_tag().to_string(), image);
        Ok(Done::default())
    }

    /// Keeps nothing of the layer, but reads all of it and refuses what no engine could unpack.
    pub(super) async fn keep_import(&self, mut import: ImageImport, context: OperationContext) -> Result<Done> {
        context.step("importing");
        self.travel().await;
        context.check()?;
        let mut layer = Vec::new();
        import.layer.read_to_end(&mut layer).map_err(|error| Error::io("reading the layer", error))?;
        assert_eq!(layer.len() as u64, import.layer_size, "a layer was not as long as foretold");
        let mut archive = tar::Archive::new(layer.as_slice());
        let entries = archive.entries().map_err(|error| Error::io("reading the layer", error))?;
        for entry in entries {
            entry.map_err(|error| Error::io("reading the layer", error))?;
        }
        let reference = import.reference.with_default_tag();
        let id = Digest::sha256_of(&layer);
        let image = Image {
            id: id.clone(),
            references: vec![reference.clone()],
            created: Some(import.created),
            size: Size(import.layer_size),
            ..made_up_image("imported")
        };
        let mut world = self.world();
        world.image_labels.insert(id.clone(), import.labels);
        world.images.insert(reference.to_string(), image);
        drop(world);
        self.notify(Notice::Images);
        Ok(Done { output: vec![id.to_string()], ..Done::default() })
    }

    pub(super) async fn tag_image(&self, source: String, target: ImageReference) -> Result<Done> {
        self.travel().await;
        let image = self.image(&source)?;
        self.world().images.insert(target.with_default_tag().to_string(), image);
        self.notify(Notice::Images);
        Ok(Done::default())
    }

    /// Docker's rules: the last name of what is in use goes only by force, and what runs keeps its image.
    pub(super) async fn untag_image(&self, image: String, force: Force) -> Result<Done> {
        self.travel().await;
        let id = self.image(&image)?.id;
        let mut world = self.world();
        let key = canonical(&image);
        let named = world.images.get(&key).is_some_and(|there| there.id == id);
        let all: Vec<String> =
            world.images.iter().filter(|(_, other)| other.id == id).map(|(key, _)| key.clone()).collect();
        let users = || world.containers.values().filter(|entry| entry.container.image_id.as_ref() == Some(&id));
        let (used, runs) = (users().next().is_some(), users().any(|entry| entry.container.status().has_process()));
        let refused = |why: &str| Error::new(ErrorKind::Refused, why).remedy("remove the container first");
        let nameless = Self::nameless(&id);
        let tags = all.iter().filter(|key| **key != nameless).count();
        match (named && key != nameless, force) {
            (true, _) if tags > 1 => {}
            (true, Force::No) if used => return Err(refused("a container uses it")),
            (false, _) if runs => return Err(refused("a container runs it")),
            (false, Force::No) if tags > 1 => return Err(refused("it has several names")),
            (false, Force::No) if used => return Err(refused("a container uses it")),
            (true | false, Force::No | Force::Yes) => {}
        }
        let going = if named && key != nameless { vec![key] } else { all };
        let mut last = None;
        for key in &going {
            last = world.images.remove(key).or(last);
        }
        if let Some(image) = last.filter(|_| runs && tags == 1) {
            world.images.insert(nameless, image);
        }
        drop(world);
        self.notify(Notice::Images);
        Ok(Done { output: going.iter().map(|key| format!("Untagged: {key}")).collect(), ..Done::default() })
    }

    /// Where an image without a name is kept: under its id, which no reference is written like.
    fn nameless(id: &Digest) -> String {
        id.to_string()
    }

    pub(super) async fn drop_images(&self, unused: bool) -> Result<Done> {
        self.travel().await;
        let mut world = self.world();
        let used: Vec<_> = world.containers.values().filter_map(|entry| entry.container.image_id.clone()).collect();
        world.images.retain(|_, image| !unused || used.contains(&image.id));
        drop(world);
        self.notify(Notice::Images);
        Ok(Done::default())
    }

    pub(super) fn image(&self, query: &str) -> Result<Image> {
        let world = self.world();
        let by_id = || {
            let hex = query.strip_prefix("sha256:").unwrap_or(query);
            world.images.values().find(|image| !hex.is_empty() && image.id.hex().starts_with(hex))
        };
        let found = world.images.get(&canonical(query)).or_else(by_id);
        found.cloned().ok_or_else(|| Error::no_such_image(query))
    }
}
