//! Which names do completion scripts offer?
//!
//! Deliberately elsewhere: the scripts (`assets/completions`).

use super::Work;
use crate::{
    cli::{exit::Exit, grammar::Completable},
    engine::domain::ImageReference,
};

/// One name a line; a host that does not answer offers none and says nothing: somebody is typing.
pub async fn perform(work: &mut Work<'_>, what: Completable) -> Exit {
    let mut names: Vec<String> = match what {
        Completable::Containers => match work.engine.container_table().await {
            Ok(containers) => containers.iter().map(|container| container.display_name()).collect(),
            Err(_) => return Exit::FAILED,
        },
        Completable::Images => match work.engine.images().await {
            Ok(images) => images.iter().flat_map(|image| &image.references).map(ImageReference::familiar).collect(),
            Err(_) => return Exit::FAILED,
        },
    };
    names.sort();
    names.iter().for_each(|name| work.printer.line(name));
    Exit::DONE
}
