//! What does a person get to try everything on in the first minute, without network?
//!
//! A small image made of this very program and the libraries it runs with, and a handful of containers of it. The plan
//! is pure. Deliberately elsewhere: making it true on a host (`supervisor::demo`), storing the image (each backend).

mod plan;

pub use self::plan::{After, CONTAINER_LABEL, IMAGE_LABEL, Member, image_reference, plan};
