//! What does `history` show?
//!
//! Deliberately elsewhere: reading the image's configuration (each backend).

use super::Work;
use crate::{
    cli::{
        exit::Exit,
        grammar::Format,
        json::HistoryRow,
        printer::{
            table::{Heading, Table, terminal_columns},
            wording,
        },
    },
    engine::domain::{HistoryEntry, Timestamp},
    text::units,
};

/// Docker cuts the command there.
const COMMAND_COLUMNS: usize = 45;

/// The steps, newest first.
pub async fn perform(work: &mut Work<'_>, image: &str, no_trunc: bool) -> Exit {
    let entries = match work.engine.history(image).await {
        Ok(entries) => entries,
        Err(error) => return work.failed(image, &error),
    };
    match work.printer.format {
        Format::Json => {
            for entry in &entries {
                work.printer.json(&HistoryRow::from(entry));
            }
        }
        Format::Table => {
            let columns = if work.printer.out_is_terminal() && !no_trunc { terminal_columns() } else { None };
            work.printer.text(&table(&entries, no_trunc, Timestamp::now()).render(columns));
        }
    }
    Exit::DONE
}

fn table(entries: &[HistoryEntry], no_trunc: bool, now: Timestamp) -> Table {
    let mut table = Table::new(&[
        Heading::Whole("LAYER"),
        Heading::Whole("CREATED"),
        Heading::Shrinks("CREATED BY"),
        Heading::Whole("SIZE"),
        Heading::Shrinks("COMMENT"),
    ]);
    for entry in entries {
        let layer = match &entry.layer {
            Some(digest) if no_trunc => digest.to_string(),
            Some(digest) => digest.short().to_owned(),
            None => "<missing>".to_owned(),
        };
        let mut command = entry.created_by.clone();
        if !no_trunc && command.chars().count() > COMMAND_COLUMNS {
            command = command.chars().take(COMMAND_COLUMNS - 1).chain(['…']).collect();
        }
        let created = entry.created.map_or_else(String::new, |created| wording::ago(created, now));
        table.row([layer, created, command, units::bytes_decimal(entry.size.bytes()), entry.comment.clone()]);
    }
    table
}
