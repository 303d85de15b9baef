//! What does `ps` show?
//!
//! Deliberately elsewhere: words and columns (`printer::{wording, table}`).

use std::cmp::Reverse;

use serde_json::Value;

use super::Work;
use crate::{
    cli::{
        exit::Exit,
        grammar::{ContainerFilter, Format, ListRequest},
        json::ContainerRow,
        printer::{
            table::{Heading, Table, terminal_columns},
            wording,
        },
    },
    engine::domain::{Container, ContainerSelector, ErrorKind, ImageReference, Timestamp},
    text::units,
};

/// Docker cuts commands there.
const COMMAND_COLUMNS: usize = 20;

/// Lists containers, newest first.
pub async fn perform(work: &mut Work<'_>, request: &ListRequest) -> Exit {
    // Programs get exact times; a table shows them rounded anyway.
    let listed = match (work.printer.quiet, work.printer.format) {
        (false, Format::Json) => work.engine.containers().await,
        (true, _) | (false, Format::Table) => work.engine.container_table().await,
    };
    let containers = match listed {
        Ok(containers) => chosen(containers, request),
        Err(error) => return work.failed(&work.engine.host().to_string(), &error),
    };
    match (work.printer.quiet, work.printer.format) {
        (true, _) => {
            for container in &containers {
                let id = if request.no_trunc { container.id.as_str() } else { container.id.short() };
                work.printer.line(id);
            }
        }
        (false, Format::Json) => {
            for container in &containers {
                work.printer.json(&ContainerRow::from(container));
            }
        }
        (false, Format::Table) => {
            let sizes = if request.size { Some(sizes(work, &containers).await) } else { None };
            let table = table(&containers, sizes.as_deref(), request, Timestamp::now());
            let columns = if work.printer.out_is_terminal() && !request.no_trunc { terminal_columns() } else { None };
            work.printer.text(&table.render(columns));
        }
    }
    Exit::DONE
}

/// The containers asked for, newest first.
fn chosen(mut containers: Vec<Container>, request: &ListRequest) -> Vec<Container> {
    // Where times are equal the host's own order stays.
    containers.sort_by_key(|container| Reverse(container.created));
    let asks_status = request.filters.iter().any(|filter| match filter {
        ContainerFilter::Status(_) | ContainerFilter::Exited(_) => true,
        ContainerFilter::Name(_)
        | ContainerFilter::Id(_)
        | ContainerFilter::Label { .. }
        | ContainerFilter::Ancestor(_) => false,
    });
    let all = request.all || request.last.is_some() || asks_status;
    containers.retain(|container| (all || container.status().has_process()) && fits(container, &request.filters));
    containers.truncate(request.last.unwrap_or(usize::MAX));
    containers
}

/// Values of one key widen, different keys narrow; labels all have to fit.
fn fits(container: &Container, filters: &[ContainerFilter]) -> bool {
    let of_kind = |kind: fn(&ContainerFilter) -> bool| {
        let mut same = filters.iter().filter(|filter| kind(filter)).peekable();
        same.peek().is_none() || same.any(|filter| fits_one(container, filter))
    };
    of_kind(|filter| matches!(filter, ContainerFilter::Name(_)))
        && of_kind(|filter| matches!(filter, ContainerFilter::Id(_)))
        && of_kind(|filter| matches!(filter, ContainerFilter::Status(_)))
        && of_kind(|filter| matches!(filter, ContainerFilter::Ancestor(_)))
        && of_kind(|filter| matches!(filter, ContainerFilter::Exited(_)))
        && filters
            .iter()
            .filter(|filter| matches!(filter, ContainerFilter::Label { .. }))
            .all(|filter| fits_one(container, filter))
}

fn fits_one(container: &Container, filter: &ContainerFilter) -> bool {
    match filter {
        ContainerFilter::Name(part) => container.name.as_ref().is_some_and(|name| name.as_str().contains(part)),
        ContainerFilter::Id(start) => container.id.as_str().starts_with(start),
        ContainerFilter::Status(statuses) => statuses.contains(&container.status()),
        ContainerFilter::Label { key, value } => {
            container.labels.get(key).is_some_and(|present| value.as_ref().is_none_or(|wanted| wanted == present))
        }
        ContainerFilter::Ancestor(image) => comes_from(container, image),
        ContainerFilter::Exited(code) => container.state.finished.is_some() && container.state.exit_code == Some(*code),
    }
}

fn comes_from(container: &Container, image: &str) -> bool {
    let full = |text: &str| text.parse::<ImageReference>().map(ImageReference::with_default_tag);
    let same_reference = match (full(&container.image), full(image)) {
        (Ok(its), Ok(wanted)) => its == wanted,
        (Ok(_) | Err(_), _) => container.image == image,
    };
    let of_id = |id: &crate::engine::domain::Digest| {
        id.hex().starts_with(image.strip_prefix("sha256:").unwrap_or(image)) && image.len() >= 4
    };
    same_reference || container.image_id.as_ref().is_some_and(of_id)
}

fn table(containers: &[Container], sizes: Option<&[String]>, request: &ListRequest, now: Timestamp) -> Table {
    let mut headings = vec![
        Heading::Whole("CONTAINER ID"),
        Heading::Shrinks("IMAGE"),
        Heading::Shrinks("COMMAND"),
        Heading::Whole("CREATED"),
        Heading::Shrinks("STATUS"),
        Heading::Shrinks("PORTS"),
        Heading::Whole("NAMES"),
    ];
    if sizes.is_some() {
        headings.push(Heading::Whole("SIZE"));
    }
    let mut table = Table::new(&headings);
    for (row, container) in containers.iter().enumerate() {
        let id = if request.no_trunc { container.id.as_str() } else { container.id.short() };
        let cut = (!request.no_trunc).then_some(COMMAND_COLUMNS);
        let mut cells = vec![
            id.to_owned(),
            container.image.clone(),
            wording::command(&container.command, cut),
            wording::ago(container.created, now),
            wording::status(container, now),
            wording::ports(&container.ports),
            container.name.as_ref().map_or_else(String::new, ToString::to_string),
        ];
        cells.extend(sizes.and_then(|sizes| sizes.get(row)).cloned());
        table.row(cells);
    }
    table
}

/// What each container wrote, where its host tells.
async fn sizes(work: &mut Work<'_>, containers: &[Container]) -> Vec<String> {
    let mut sizes = Vec::with_capacity(containers.len());
    for container in containers {
        let written = match work.engine.inspect_container(&ContainerSelector::Id(container.id.clone())).await {
            Ok(value) => value.get("SizeRw").and_then(Value::as_u64),
            // A container that has gone meanwhile has no size any more.
            Err(error) if error.kind() == ErrorKind::NoSuchContainer => None,
            Err(error) => {
                work.printer.error(&error);
                None
            }
        };
        sizes.push(written.map_or_else(|| "-".to_owned(), units::bytes_decimal));
    }
    sizes
}

#[cfg(test)]
mod tests;
