//! What do the backend's image verbs come to on this store? The image store, opened when first needed.
//!
//! Deliberately elsewhere: the store's own work (`images`), registries (`registry`), containers (`containers`).

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use serde_json::Value;

use super::{
    containers::{
        Containers, Need,
        base_image::{BaseImage, BaseImages, Defaults},
    },
    images::{ImageStore, ImageUser, PinnedImage, registry_source::RegistrySource, unpacker::Unpacker},
    machine::Machine,
    registry::{Registry, RegistrySettings, create_index, outcome},
};
use crate::engine::{
    backend::OperationContext,
    domain::{
        ContainerId, Digest, Done, EngineSettings, Error, Finding, HistoryEntry, Image, ImageReference, Platform,
        PullOptions, RepairMode, Result,
    },
};

/// Asks which containers were made of which image.
pub type Users<'a> = dyn Fn() -> Result<Vec<ImageUser>> + 'a;

/// Which containers were made of which image. Ask under the image store's own lock.
///
/// # Errors
/// `Denied` or `Io` when the containers cannot be listed; as [`Containers::need`] when what one of them needs is not
/// known and must not be deleted.
pub fn users_among(containers: &Containers) -> Result<Vec<ImageUser>> {
    let ids = containers.store().ids()?;
    ids.iter().filter_map(|id| user(containers, id).transpose()).collect()
}

fn user(containers: &Containers, id: &ContainerId) -> Result<Option<ImageUser>> {
    let need = containers.need(id)?;
    Ok(need.map(|Need { image, container, running }| ImageUser { image, container, running }))
}

/// The images of this store and the way to registries.
pub struct Images {
    data: PathBuf,
    machine: Machine,
    unpacker: Arc<dyn Unpacker>,
    boot: String,
    /// What the config file says; the environment joins it when a registry is first needed.
    configured: EngineSettings,
    settings: OnceLock<Arc<RegistrySettings>>,
    store: OnceLock<ImageStore>,
}

impl Images {
    #[must_use]
    pub fn new(
        data: PathBuf,
        machine: Machine,
        unpacker: Arc<dyn Unpacker>,
        boot: String,
        configured: EngineSettings,
    ) -> Self {
        Self { data, machine, unpacker, boot, configured, settings: OnceLock::new(), store: OnceLock::new() }
    }

    /// The store; opening it makes its directories.
    ///
    /// # Errors
    /// `Denied` for a directory of somebody else, `NoSpace`, `Io`.
    pub fn store(&self) -> Result<&ImageStore> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        self.machine.disk.claim_root(&self.data).map_err(|error| {
            Error::io(format!("{} cannot be used", self.data.display()), error)
                .remedy("make it your own (chown, chmod 700), or set WHARF_ROOT to another directory")
        })?;
        let root = self.data.join("images");
        let opened = ImageStore::open(&root, self.machine.clone(), Arc::clone(&self.unpacker), &self.boot)?;
        Ok(self.store.get_or_init(|| opened))
    }

    /// # Errors
    /// What reading the store comes to. No store has no images.
    pub fn list(&self) -> Result<Vec<Image>> {
        if self.machine.disk.exists(&self.data.join("images")) { self.store()?.images() } else { Ok(Vec::new()) }
    }

    /// Clears what killed processes left.
    ///
    /// # Errors
    /// As [`ImageStore::sweep`].
    pub fn sweep(&self) -> Result<()> {
        if self.machine.disk.exists(&self.data.join("images")) { self.store()?.sweep() } else { Ok(()) }
    }

    /// What is wrong among the images, mended as far as it can be.
    ///
    /// # Errors
    /// As [`ImageStore::repair`].
    pub fn repair(&self, mode: RepairMode, users: &Users<'_>) -> Result<Vec<Finding>> {
        let there = self.machine.disk.exists(&self.data.join("images"));
        if there { self.store()?.repair(mode, users) } else { Ok(Vec::new()) }
    }

    /// Frees what was only kept for containers that are gone.
    ///
    /// # Errors
    /// As [`ImageStore::release`].
    pub fn release(&self, users: &Users<'_>) -> Result<()> {
        if self.machine.disk.exists(&self.data.join("images")) { self.store()?.release(users) } else { Ok(()) }
    }

    /// Writes what was unpacked to the disk for good, if there is anything.
    ///
    /// # Errors
    /// The disk's.
    pub fn settle(&self) -> Result<bool> {
        if self.machine.disk.exists(&self.data.join("images")) { self.store()?.settle() } else { Ok(false) }
    }

    /// # Errors
    /// `NoSuchImage`, `Ambiguous`.
    pub fn inspect(&self, query: &str) -> Result<Value> {
        self.store()?.inspect(query)
    }

    /// # Errors
    /// As [`Images::inspect`].
    pub fn history(&self, query: &str) -> Result<Vec<HistoryEntry>> {
        self.store()?.history(query)
    }

    /// # Errors
    /// The registry's and the store's.
    pub fn pull(&self, reference: &ImageReference, options: &PullOptions, context: &OperationContext) -> Result<Done> {
        let source = RegistrySource::new(self.registry(context), reference);
        let pulled = self.store()?.pull(reference, options.platform.as_ref(), &source, context)?;
        Ok(Done { already: pulled.already, ..Done::default() })
    }

    /// # Errors
    /// As [`ImageStore::push`].
    pub fn push(&self, reference: &ImageReference, context: &OperationContext) -> Result<Done> {
        let digest = self.store()?.push(reference, &self.registry(context), context)?;
        let output = vec![format!("{}: digest: {digest}", reference.tag_or_latest())];
        Ok(Done { output, ..Done::default() })
    }

    /// # Errors
    /// As [`create_index`]; `Partial` when some targets worked and some did not.
    pub fn create_index(
        &self,
        targets: &[ImageReference],
        sources: &[ImageReference],
        context: &OperationContext,
    ) -> Result<Done> {
        let created = create_index(&self.registry(context), targets, sources)?;
        outcome(&created.results)
    }

    /// This operation's connection to registries.
    #[must_use]
    pub fn registry(&self, context: &OperationContext) -> Registry {
        let read = || Arc::new(RegistrySettings::of_this_process().with_settings(&self.configured));
        Registry::new(Arc::clone(self.settings.get_or_init(read)), context.clone())
    }
}

impl BaseImages for Images {
    fn ready(&self, image: &Digest, context: &OperationContext) -> Result<()> {
        self.store()?.ready(image, context)
    }

    fn base(&self, query: &str, platform: Option<&Platform>, context: &OperationContext) -> Result<BaseImage> {
        let pinned: PinnedImage = self.store()?.pin(query, platform, context)?;
        let config = &pinned.config.config;
        let defaults = Defaults {
            entrypoint: config.entrypoint.clone(),
            command: config.cmd.clone(),
            env: config.env.clone(),
            workdir: config.working_dir.clone(),
            user: config.user.clone(),
            labels: config.labels.clone(),
            stop_signal: config.stop_signal.clone(),
            volumes: config.volumes.keys().cloned().collect(),
            exposed_ports: config.exposed_ports.keys().cloned().collect(),
        };
        Ok(BaseImage {
            id: pinned.record.id.clone(),
            platform: pinned.record.platform.clone(),
            layers: pinned.lowers.clone(),
            defaults,
            root: pinned.root,
            hold: Box::new(pinned),
        })
    }
}
