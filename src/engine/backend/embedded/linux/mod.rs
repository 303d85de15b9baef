//! What does the embedded engine do that only Linux can? Namespaces, overlays, cgroups, ownership of files.
//!
//! Deliberately elsewhere: everything portable (`super`).

pub mod unpack;
