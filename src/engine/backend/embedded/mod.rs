//! How does Wharf run containers without any daemon? Our own engine, its parts wired together here.
//!
//! Everything below `backend` is synchronous; only `linux` needs Linux. Deliberately elsewhere: each part's
//! own question, at the top of its file.

pub mod backend;
pub mod containers;
pub mod disk;
pub mod image_verbs;
pub mod images;
pub mod kernel;
pub mod launch;
#[cfg(target_os = "linux")]
pub mod linux;
pub mod lock;
pub mod log_segments;
pub mod machine;
pub mod manifest;
pub mod operation_history;
pub mod registry;
pub mod roles;
mod sessions;
mod stop_at;
mod streams;
pub mod workers;

use std::sync::Arc;

use super::{Backend, registry_access::RegistryAccess};
use crate::engine::{
    domain::{EngineSettings, Result},
    location::Locations,
};

/// Opens the engine on this machine's store. Reads and makes nothing yet.
///
/// # Errors
/// `Unsupported` on systems without containers of this kind.
#[cfg(target_os = "linux")]
pub fn open(locations: &Locations, settings: &EngineSettings) -> Result<Arc<dyn Backend>> {
    assemble(locations, settings, linux::LinuxKernel::this_binary())
}

/// Our registry client, for hosts that have none of their own. Reads no file yet.
#[must_use]
pub fn registry_access(settings: &EngineSettings) -> RegistryAccess {
    let settings = Arc::new(registry::RegistrySettings::of_this_process().with_settings(settings));
    let for_logins = Arc::clone(&settings);
    RegistryAccess {
        create_index: Box::new(move |targets, sources, context| {
            let client = registry::Registry::new(Arc::clone(&settings), context.clone());
            registry::outcome(&registry::create_index(&client, targets, sources)?.results)
        }),
        login: Box::new(move |reference| registry::login(&for_logins, reference)),
    }
}

/// As [`open`], for programs that are not `wharf` themselves: the helper roles are played by `binary`.
///
/// # Errors
/// As [`open`].
#[cfg(target_os = "linux")]
pub fn open_with_binary(locations: &Locations, binary: std::path::PathBuf) -> Result<Arc<dyn Backend>> {
    assemble(locations, &EngineSettings::default(), binary)
}

#[cfg(target_os = "linux")]
fn assemble(locations: &Locations, settings: &EngineSettings, binary: std::path::PathBuf) -> Result<Arc<dyn Backend>> {
    use self::{
        backend::{EmbeddedBackend, MakeWatch},
        containers::{Containers, layout::Layout},
        image_verbs::Images,
        kernel::Kernel,
        launch::LogLimits,
        linux::{FileWatch, LinuxKernel, boot_id, unpack::unpacker_of_this_user},
        machine::Machine,
        workers::OsWorkers,
    };
    let machine = Machine::this();
    let unpacker = unpacker_of_this_user(binary.clone());
    let kernel: Arc<dyn Kernel> = Arc::new(LinuxKernel::new(binary));
    let boot = boot_id();
    let images = Images::new(locations.data.clone(), machine.clone(), unpacker, boot.clone(), settings.clone());
    let images = Arc::new(images);
    let layout = Layout::new(locations.data.clone(), locations.run.clone());
    let containers = Containers::new(layout, machine.clone(), Arc::clone(&kernel), images.clone())
        .with_boot(boot)
        .with_logs(LogLimits { segment_bytes: settings.logs.file_size.bytes(), segments: settings.logs.files });
    let make_watch: MakeWatch = Box::new(|path| Ok(Box::new(FileWatch::new(path)?)));
    Ok(Arc::new(EmbeddedBackend::new(containers, images, kernel, Arc::new(OsWorkers), make_watch)))
}

/// As above.
///
/// # Errors
/// Always `Unsupported`.
#[cfg(not(target_os = "linux"))]
pub fn open(_locations: &Locations, _settings: &EngineSettings) -> Result<Arc<dyn Backend>> {
    use crate::engine::domain::{Error, ErrorKind};
    Err(Error::new(ErrorKind::Unsupported, "the embedded engine needs Linux")
        .remedy("use a Docker or Podman host: wharf --host docker, or --host ssh-forwarded unix:///path"))
}
