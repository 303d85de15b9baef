//! What is a command about, in its asker's words?
//!
//! Deliberately elsewhere: the whole command line (`cli_line`).

use crate::engine::domain::{About, Command, ImageReference, Several};

/// One short phrase; untrusted text.
#[must_use]
pub fn subject(command: &Command) -> String {
    match command.describe().about {
        About::Container(container) => container.to_string(),
        About::NewContainer(spec) => spec.name.as_ref().map_or_else(|| spec.image.clone(), ToString::to_string),
        About::Reference(reference, _) => reference.familiar(),
        About::Image(image) => image.to_owned(),
        About::Alias { source, target } => format!("{source} as {}", target.familiar()),
        About::Index { targets, .. } => targets.iter().map(ImageReference::familiar).collect::<Vec<_>>().join(", "),
        About::Host(what) => what.to_owned(),
        About::Several(Several::StoppedContainers) => "stopped containers".to_owned(),
        About::Several(Several::Demo(_)) => "the demo".to_owned(),
    }
}
