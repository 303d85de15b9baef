//! Which images are on this machine, and how do they come and go? The content store of the embedded engine.
//!
//! Deliberately elsewhere: talking to registries (`registry`), writing a layer's files (`linux::unpack`), containers'
//! own file systems (`containers`). Everything here is synchronous and portable.

mod blobs;
pub mod config;
mod layout;
mod receive;
pub mod source;
pub mod unpacker;
