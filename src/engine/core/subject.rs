//! What is a command about, in its asker's words?
//!
//! Deliberately elsewhere: the whole command line (`cli_line`).

use crate::engine::domain::Command;

/// One short phrase; untrusted text.
#[must_use]
pub fn subject(command: &Command) -> String {
    match command {
        Command::Create(spec) | Command::Run(spec) => match &spec.name {
            Some(name) => name.to_string(),
            None => spec.image.clone(),
        },
        Command::Start { container }
        | Command::Stop { container, .. }
        | Command::Restart { container, .. }
        | Command::Kill { container, .. }
        | Command::Pause { container }
        | Command::Unpause { container }
        | Command::Remove { container, .. }
        | Command::Rename { container, .. } => container.to_string(),
        Command::Pull { reference, .. } | Command::Push { reference } => reference.familiar(),
        Command::Tag { source, target } => format!("{source} as {}", target.familiar()),
        Command::RemoveImage { image, .. } => image.clone(),
        Command::CreateIndex { targets, .. } => {
            targets.iter().map(crate::engine::domain::ImageReference::familiar).collect::<Vec<_>>().join(", ")
        }
        Command::PruneContainers => "stopped containers".to_owned(),
        Command::PruneImages { unused: true } => "unused images".to_owned(),
        Command::PruneImages { unused: false } => "dangling images".to_owned(),
        Command::Demo(_) => "the demo".to_owned(),
    }
}
