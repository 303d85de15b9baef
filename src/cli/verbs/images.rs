//! What does `images` show?
//!
//! Deliberately elsewhere: words and columns (`printer::{wording, table}`).

use super::Work;
use crate::{
    cli::{
        exit::Exit,
        grammar::{Format, ImagesRequest},
        json::ImageRow,
        printer::{
            table::{Heading, Table, terminal_columns},
            wording,
        },
    },
    engine::domain::{Image, ImageReference, Timestamp},
    text::units,
};

const NONE: &str = "<none>";

/// Lists images, newest first: one row per reference.
pub async fn perform(work: &mut Work<'_>, request: &ImagesRequest) -> Exit {
    let mut images = match work.engine.images().await {
        Ok(images) => images,
        Err(error) => return work.failed(&work.engine.host().to_string(), &error),
    };
    images.retain(|image| request.dangling.is_none_or(|wanted| image.references.is_empty() == wanted));
    if let Some(only) = &request.only {
        for image in &mut images {
            image.references.retain(|reference| is_asked_for(reference, only));
        }
        images.retain(|image| !image.references.is_empty());
    }
    images.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.to_string().cmp(&b.id.to_string())));
    match (work.printer.quiet, work.printer.format) {
        (true, _) => {
            for image in &images {
                work.printer.line(&id(image, request));
            }
        }
        (false, Format::Json) => {
            for image in &images {
                work.printer.json(&ImageRow::from(image));
            }
        }
        (false, Format::Table) => {
            let columns = if work.printer.out_is_terminal() && !request.no_trunc { terminal_columns() } else { None };
            work.printer.text(&table(&images, request, Timestamp::now()).render(columns));
        }
    }
    Exit::DONE
}

/// `REPOSITORY` fits every tag of it, `REPOSITORY:TAG` one.
fn is_asked_for(reference: &ImageReference, only: &str) -> bool {
    let Ok(wanted) = only.parse::<ImageReference>() else { return false };
    reference.name() == wanted.name() && wanted.tag().is_none_or(|tag| reference.tag() == Some(tag))
}

fn table(images: &[Image], request: &ImagesRequest, now: Timestamp) -> Table {
    let mut headings = vec![Heading::Shrinks("REPOSITORY"), Heading::Whole("TAG")];
    if request.digests {
        headings.push(Heading::Shrinks("DIGEST"));
    }
    headings.extend([Heading::Whole("IMAGE ID"), Heading::Whole("CREATED"), Heading::Whole("SIZE")]);
    let mut table = Table::new(&headings);
    for image in images {
        let mut names: Vec<(String, String)> = image
            .references
            .iter()
            .map(|reference| {
                (
                    reference.familiar_name(),
                    reference.tag().map_or_else(|| NONE.to_owned(), |tag| tag.as_str().to_owned()),
                )
            })
            .collect();
        if names.is_empty() {
            let name = image.digests.first().map_or_else(|| NONE.to_owned(), ImageReference::familiar_name);
            names.push((name, NONE.to_owned()));
        }
        for (repository, tag) in names {
            let mut cells = vec![repository.clone(), tag];
            if request.digests {
                let of_repository = image.digests.iter().find(|digest| digest.familiar_name() == repository);
                let digest = of_repository.or(image.digests.first()).and_then(|reference| reference.digest());
                cells.push(digest.map_or_else(|| NONE.to_owned(), ToString::to_string));
            }
            let created = image.created.map_or_else(|| "N/A".to_owned(), |created| wording::ago(created, now));
            cells.extend([id(image, request), created, units::bytes_decimal(image.size.bytes())]);
            table.row(cells);
        }
    }
    table
}

fn id(image: &Image, request: &ImagesRequest) -> String {
    if request.no_trunc { image.id.to_string() } else { image.id.short().to_owned() }
}
