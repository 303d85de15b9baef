//! What may a person settle for all containers and images of the embedded engine?
//!
//! Deliberately elsewhere: reading the config file (`cli::settings`), where things are kept (`engine::location`).

use std::path::PathBuf;

use super::Size;

/// Everything has a default that is safe to live with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineSettings {
    /// `host` or `host:port` of registries that may be spoken to without TLS; this machine's own always may.
    pub insecure_registries: Vec<String>,
    /// PEM files with certificate authorities beside the system's.
    pub registry_certificates: Vec<PathBuf>,
    pub logs: LogRetention,
}

/// How much of what a container prints is kept: Docker's `max-size` and `max-file`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRetention {
    pub file_size: Size,
    pub files: u32,
}

impl Default for LogRetention {
    /// Bounded: nobody's disk fills up because somebody printed.
    fn default() -> Self {
        Self { file_size: Size::from_mib(10), files: 3 }
    }
}
