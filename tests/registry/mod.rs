//! Does the registry client keep its promises, over real sockets?
//! Deliberately elsewhere: its pure parts (unit tests beside them), what the store makes of the bytes.

mod faults;
mod index;
mod login;
mod push;
mod real;
mod redirects;
mod tls;

use std::{
    io::Read,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use wharf::engine::{
    backend::{
        OperationContext,
        embedded::{
            manifest::Descriptor,
            registry::{FetchedManifest, ManifestName, Registry, RegistrySettings, Repository, pace::Pace, read_error},
        },
    },
    domain::{Digest, ImageReference, Result},
};

/// A clock that only pauses move, and that notes them.
#[derive(Default)]
struct ManualPace {
    passed: Mutex<Duration>,
}

impl Pace for ManualPace {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_000_000) + self.passed()
    }

    fn pause(&self, time: Duration) {
        *self.passed.lock().unwrap() += time;
    }

    fn chance(&self) -> f64 {
        1.0 - f64::EPSILON
    }
}

impl ManualPace {
    fn passed(&self) -> Duration {
        *self.passed.lock().unwrap()
    }
}

/// One operation as a test sees it.
struct Operation {
    registry: Registry,
    pace: Arc<ManualPace>,
    context: OperationContext,
}

fn operation() -> Operation {
    operation_with(RegistrySettings::default())
}

fn operation_with(settings: RegistrySettings) -> Operation {
    let pace = Arc::new(ManualPace::default());
    let context = OperationContext::unwatched(Duration::from_secs(60));
    let registry = Registry::with_pace(Arc::new(settings), Arc::clone(&pace) as Arc<dyn Pace>, context.clone());
    Operation { registry, pace, context }
}

impl Operation {
    fn manifest(&self, name: &str) -> Result<FetchedManifest> {
        let reference = reference(name);
        self.registry.manifest(&Repository::from(&reference), &ManifestName::from(&reference))
    }

    /// The blob of `bytes` out of the repository of `name`, read to the end.
    fn blob(&self, name: &str, digest: &Digest, size: usize) -> Result<Vec<u8>> {
        let wanted = descriptor(digest, size);
        let mut bytes = Vec::new();
        let mut reader = self.registry.blob(&Repository::from(&reference(name)), &wanted, 0)?;
        reader.read_to_end(&mut bytes).map_err(read_error)?;
        Ok(bytes)
    }
}

fn reference(name: &str) -> ImageReference {
    name.parse().unwrap()
}

fn descriptor(digest: &Digest, size: usize) -> Descriptor {
    Descriptor {
        media_type: String::new(),
        digest: digest.clone(),
        size: size as u64,
        platform: None,
        annotations: None,
    }
}

/// Bytes without a pattern that a shift could hide.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    };
    (0..length).map(|_| next()).collect()
}
