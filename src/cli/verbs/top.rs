//! What does `top` show?
//!
//! Deliberately elsewhere: asking the kernel or the daemon (each backend).

use super::Work;
use crate::{
    cli::{exit::Exit, grammar::Format, json::ProcessRow},
    engine::domain::ContainerSelector,
};

/// Columns are as wide as their widest cell; the last one, the command, is not padded.
pub async fn perform(work: &mut Work<'_>, name: &str) -> Exit {
    let processes = match work.engine.find_container(&ContainerSelector::from(name)).await {
        Ok(container) => work.engine.processes(&container.id).await,
        Err(error) => Err(error),
    };
    let processes = match processes {
        Ok(processes) => processes,
        Err(error) => return work.failed(name, &error),
    };
    match work.printer.format {
        Format::Json => {
            for row in &processes.rows {
                work.printer.json(&ProcessRow::new(&processes.titles, row));
            }
        }
        Format::Table => {
            let rows: Vec<&Vec<String>> = std::iter::once(&processes.titles).chain(&processes.rows).collect();
            let width = |column: usize| {
                rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
            };
            let widths: Vec<usize> = (0..processes.titles.len()).map(width).collect();
            for row in rows {
                let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
                work.printer.line(cells.collect::<Vec<_>>().join("   ").trim_end());
            }
        }
    }
    Exit::DONE
}
