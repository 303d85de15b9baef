//! How are operations drawn? One row each: what, on what, how long, how it goes, its command line.
//!
//! Deliberately elsewhere: the words (`view_model`).

use super::{state::State, view_model};
use crate::{
    engine::domain::{Operation, Origin},
    text::SafeText,
    ui::{
        cursor::first_shown,
        facts::Facts,
        feedback::{Extent, Hit},
        geometry::Area,
        screens::containers::view::tone_style,
        widgets::{
            Canvas, bar,
            table::{Column, GAP, Stretch, widths},
        },
    },
};

const MARGIN: u16 = 2;

const COLUMNS: [Column; 7] = [
    Column { title: "#", least: 4, wanted: 4, priority: 5, stretch: Stretch::No },
    Column { title: "OPERATION", least: 9, wanted: 10, priority: 2, stretch: Stretch::No },
    Column { title: "ON", least: 12, wanted: 20, priority: 0, stretch: Stretch::Share(1) },
    Column { title: "FOR", least: 6, wanted: 6, priority: 3, stretch: Stretch::No },
    Column { title: "AGE", least: 4, wanted: 4, priority: 4, stretch: Stretch::No },
    Column { title: "STATE", least: 24, wanted: 48, priority: 1, stretch: Stretch::Share(3) },
    Column { title: "COMMAND", least: 26, wanted: 32, priority: 6, stretch: Stretch::Share(2) },
];
/// With less than this, what it is about and how it goes are cut rather than left out.
const NARROW: u16 = 60;

/// The widths of the columns; numbers only where something has one.
fn columns(width: u16, facts: &Facts) -> [u16; 7] {
    let mut columns = COLUMNS;
    let numbered = facts.inventory.operations.iter().any(|operation| operation.origin == Origin::Here);
    for column in &mut columns {
        match column.title {
            "#" if !numbered => column.least = Column::LEFT_OUT,
            "ON" if width < NARROW => column.least = 10,
            "STATE" if width < NARROW => column.least = 14,
            _ => {}
        }
    }
    widths(&columns, width.saturating_sub(MARGIN + 1))
}

pub fn draw(canvas: &mut Canvas<'_>, area: Area, state: &State, facts: &Facts) {
    let theme = canvas.theme;
    let (heading, body) = area.split_top(1);
    let columns = columns(area.width, facts);
    let mut pen = canvas.pen(heading);
    pen.gap(MARGIN);
    for (column, width) in COLUMNS.iter().zip(columns).filter(|(_, width)| *width > 0) {
        match column.title {
            "#" | "FOR" | "AGE" => pen.column_right(width, column.title, theme.dim),
            _ => pen.column(width, column.title, theme.dim),
        };
        pen.gap(GAP);
    }
    canvas.hit(body, Hit::List);
    let operations = &facts.inventory.operations;
    let shown = usize::from(body.height);
    let first = first_shown(state.cursor.first, state.cursor.index, state.rows.len(), shown);
    canvas.feedback.list = Extent { rows: body.height, first, total: state.rows.len() };
    let (_, middle) = body.split_top(body.height / 3);
    if operations.is_empty() {
        canvas.put_sentence(middle, "Nothing is going on, and nothing was done yet.", theme.dim);
    } else if state.rows.is_empty() {
        let text = SafeText::from_untrusted(state.filter.field.text());
        canvas.put_sentence(middle, &format!("No operation matches \"{text}\". esc shows all."), theme.dim);
    }
    let rows = state.rows.iter().enumerate().skip(first).take(shown);
    let rows = rows.filter_map(|(position, index)| operations.get(*index).map(|found| (position, found)));
    for (line, (position, operation)) in (0..).zip(rows) {
        let row = body.row(line);
        draw_row(canvas, row, &columns, operation, facts);
        if position == state.cursor.index {
            let (bar, rest) = row.split_left(1);
            canvas.put(bar, theme.glyphs.cursor, theme.accent);
            let number = columns.first().copied().unwrap_or(0);
            let skipped = if number > 0 { number + GAP } else { 0 };
            let verb = columns.get(1).copied().unwrap_or(0);
            let chip = rest.split_left(MARGIN - 1 + skipped).1.split_left(verb).0;
            canvas.overlay(chip, theme.selected);
        }
    }
}

fn draw_row(canvas: &mut Canvas<'_>, row: Area, columns: &[u16; 7], operation: &Operation, facts: &Facts) {
    let theme = canvas.theme;
    let [number, verb, on, duration, age, state, command] = *columns;
    let running = operation.is_running();
    canvas.feedback.shows_seconds |= running;
    canvas.feedback.shows_ages |= age > 0;
    let text = view_model::state_text(operation, facts);
    let tone = tone_style(theme, text.tone);
    let mut pen = canvas.pen(row);
    pen.gap(MARGIN);
    if number > 0 {
        pen.column_right(number, &view_model::number(operation), theme.dim).gap(GAP);
    }
    if verb > 0 {
        pen.column(verb, operation.verb.as_str(), if running { theme.strong } else { theme.text }).gap(GAP);
    }
    pen.column_middle(on, &view_model::subject(operation, facts), theme.text).gap(GAP);
    if duration > 0 {
        pen.column_right(duration, &view_model::duration(operation, facts), theme.dim).gap(GAP);
    }
    if age > 0 {
        pen.column_right(age, &facts.age(operation.started), theme.dim).gap(GAP);
    }
    let place = Area { width: state.min(pen.rest().width), ..pen.rest() };
    match text.bar {
        Some((done, total)) => {
            let width = 12.min(state / 2);
            pen.gap(width).gap(1).put(&bar::percent(done, total), theme.text).gap(1);
            let used = pen.rest().x.saturating_sub(place.x);
            pen.column(state.saturating_sub(used), &text.words, theme.dim).gap(GAP);
            if command > 0 {
                pen.column(command, &view_model::command_line(operation, facts), theme.dim);
            }
            bar::draw(canvas, Area { width, ..place }, done, total);
        }
        None => {
            let words = format!("{} {}", text.glyph(theme.glyphs), &*text.words);
            pen.column(state, &words, tone).gap(GAP);
            if command > 0 {
                pen.column(command, &view_model::command_line(operation, facts), theme.dim);
            }
        }
    }
}
