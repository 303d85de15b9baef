//! What does a person get to try everything on in the first minute, without network?
//!
//! A small image made of this very program and the libraries it runs with, and a handful of containers of it. Deciding
//! is pure. Deliberately elsewhere: making it true on a host (`supervisor::demo`), storing the image (each backend).

mod elf;
mod image;
mod layer;
mod libraries;
mod pace;
mod plan;
mod workload;

pub use self::{
    image::image_import,
    plan::{
        After, CONTAINER_LABEL, IMAGE_LABEL, MEMBER_LABEL, Member, ROLE, Step, image_reference, is_ours, members,
        missing,
    },
    workload::role,
};
