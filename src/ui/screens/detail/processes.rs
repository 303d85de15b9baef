//! What runs inside a container? The table of its processes, as asked last.
//!
//! Deliberately elsewhere: asking (`effect_runner`).

use crate::{
    engine::domain::{Error, ProcessTable, Timestamp},
    text::SafeText,
    ui::{
        feedback::{Extent, Hit},
        geometry::Area,
        widgets::{Canvas, canvas::width_of},
    },
};

#[derive(Clone, Debug, Default, PartialEq)]
pub enum State {
    #[default]
    Nothing,
    Loading,
    Table {
        table: ProcessTable,
        at: Timestamp,
    },
    Failed(Error),
}

/// Draws the table; every column but the last as wide as its widest cell.
pub fn draw(canvas: &mut Canvas<'_>, area: Area, state: &State, first: usize) {
    let theme = canvas.theme;
    canvas.hit(area, Hit::Viewer);
    match state {
        State::Nothing | State::Loading => {}
        State::Failed(error) => {
            let (_, below) = area.split_top(area.height / 3);
            let below = canvas.put_sentence(below, &SafeText::from(error.to_string()), theme.error);
            let remedy = error.remedy_text().unwrap_or("ctrl-r asks again");
            canvas.put_sentence(below, &SafeText::from_untrusted(remedy), theme.dim);
        }
        State::Table { table, at } => {
            let rows: Vec<Vec<SafeText<'_>>> =
                table.rows.iter().map(|row| row.iter().map(|cell| SafeText::from_untrusted(cell)).collect()).collect();
            let widths = widths(table, &rows);
            let (heading, body) = area.split_top(1);
            let (body, note) = body.split_bottom(1);
            let mut pen = canvas.pen(heading);
            pen.gap(1);
            for (title, width) in table.titles.iter().zip(&widths) {
                pen.column(*width, &SafeText::from_untrusted(title), theme.dim).gap(2);
            }
            let shown = usize::from(body.height);
            canvas.feedback.viewer = Extent { rows: body.height, first, total: rows.len() };
            for (line, row) in (0..).zip(rows.iter().skip(first).take(shown)) {
                let mut pen = canvas.pen(body.row(line));
                pen.gap(1);
                for (cell, width) in row.iter().zip(&widths) {
                    pen.column(*width, cell, theme.text).gap(2);
                }
            }
            let local = at.local();
            let time = local.get(11..19).unwrap_or(&local);
            canvas.put(note.inset(1, 0), &format!("as of {time} · ctrl-r asks again"), theme.dim);
        }
    }
}

fn widths(table: &ProcessTable, rows: &[Vec<SafeText<'_>>]) -> Vec<u16> {
    let column = |index: usize, title: &str| {
        let widest = rows.iter().filter_map(|row| row.get(index)).map(SafeText::width).max().unwrap_or(0);
        // The command is last and takes what is left; anything else is short by nature.
        let limit = if index + 1 == table.titles.len() { usize::from(u16::MAX) } else { 24 };
        u16::try_from(widest.max(width_of(title)).min(limit)).unwrap_or(u16::MAX)
    };
    table.titles.iter().enumerate().map(|(index, title)| column(index, title)).collect()
}
