//! How does `prune` remove exactly what it showed? By id, each as a removal of its own; what came to be needed
//! meanwhile is refused, what appeared meanwhile is left alone.
//!
//! Deliberately elsewhere: the removal (`verbs::change`).

use super::{Work, change};
use crate::{
    cli::{
        attached::terminal,
        exit::Exit,
        grammar::{Ask, Change, Format, USAGE, UsageError},
        printer::{
            table::{Heading, Table},
            wording,
        },
    },
    engine::domain::{Command, Container, ContainerSelector, Force, Image, RemoveOptions, Timestamp},
    text::units,
};

/// Removes all containers without a process.
pub async fn containers(work: &mut Work<'_>, ask: Ask) -> Exit {
    let containers = match work.engine.container_table().await {
        Ok(containers) => containers,
        Err(error) => return work.failed(&work.engine.host().to_string(), &error),
    };
    let doomed: Vec<Container> = containers.into_iter().filter(|container| container.status().is_idle()).collect();
    let now = Timestamp::now();
    let mut table = Table::new(&[Heading::Whole("CONTAINER ID"), Heading::Whole("NAMES"), Heading::Whole("STATUS")]);
    for container in &doomed {
        table.row([container.id.short(), &container.display_name(), &wording::status(container, now)]);
    }
    let changes = doomed.iter().map(|container| Change {
        target: container.display_name(),
        command: Command::Remove {
            container: ContainerSelector::Id(container.id.clone()),
            options: RemoveOptions::default(),
        },
    });
    remove(work, &table, changes.collect(), "containers", ask).await
}

/// Removes images without a reference, or all that no container uses.
pub async fn images(work: &mut Work<'_>, unused: bool, ask: Ask) -> Exit {
    let (images, containers) = match (work.engine.images().await, work.engine.container_table().await) {
        (Ok(images), Ok(containers)) => (images, containers),
        (Err(error), _) | (_, Err(error)) => return work.failed(&work.engine.host().to_string(), &error),
    };
    let is_used = |image: &Image| containers.iter().any(|container| container.image_id.as_ref() == Some(&image.id));
    let doomed: Vec<Image> =
        images.into_iter().filter(|image| (unused || image.references.is_empty()) && !is_used(image)).collect();
    let mut table = Table::new(&[Heading::Whole("IMAGE ID"), Heading::Whole("REFERENCES"), Heading::Whole("SIZE")]);
    let mut changes = Vec::new();
    for image in &doomed {
        let references: Vec<String> = image.references.iter().map(|reference| reference.familiar()).collect();
        let shown = if references.is_empty() { "<none>".to_owned() } else { references.join(", ") };
        table.row([image.id.short(), &shown, &units::bytes_decimal(image.size.bytes())]);
        let targets = if references.is_empty() { vec![image.id.to_string()] } else { references };
        changes.extend(targets.into_iter().map(|target| Change {
            target: target.clone(),
            command: Command::RemoveImage { image: target, force: Force::No },
        }));
    }
    remove(work, &table, changes, "images", ask).await
}

async fn remove(work: &mut Work<'_>, table: &Table, changes: Vec<Change>, what: &str, ask: Ask) -> Exit {
    if changes.is_empty() {
        work.printer.note(&format!("no {what} to remove"));
        return Exit::DONE;
    }
    if !work.printer.quiet && work.printer.format == Format::Table {
        let text = table.render(None);
        text.lines().for_each(|line| work.printer.note(line));
    }
    if ask == Ask::Yes {
        if work.printer.is_captured() || !terminal::stdin_is_terminal() {
            let refusal = UsageError::new(format!("nobody is here to agree to removing these {what}"));
            work.printer.usage(&refusal.hint("add -f to remove them without asking"));
            return Exit::Code(USAGE);
        }
        let answer = work.printer.ask(&format!("Remove these {} {what}? [y/N] ", changes.len()));
        if !matches!(answer.as_str(), "y" | "Y" | "yes") {
            work.printer.note("nothing was removed");
            return Exit::DONE;
        }
    }
    change::perform(work, changes).await
}
