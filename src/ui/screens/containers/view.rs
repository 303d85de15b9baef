//! How is the table of containers drawn? Only the rows on the screen are formatted.
//!
//! Deliberately elsewhere: the words (`view_model`), the frame around the table (`ui::view`).

use super::{
    state::{Direction, SortBy, State},
    view_model::{self, Remark, Tone},
};
use crate::{
    engine::domain::{Container, HostLink},
    text::SafeText,
    ui::{
        cursor::first_shown,
        facts::Facts,
        feedback::{Extent, Hit},
        focus::Focus,
        geometry::Area,
        keymap::Action,
        theme::{Style, Theme},
        widgets::{
            Canvas,
            canvas::Pen,
            table::{Column, GAP, Stretch, widths},
        },
    },
};

/// Columns before the name: cursor, mark, status sign.
const MARGIN: u16 = 4;
/// A reason gets at least so much room, if need be the image's: what went wrong is what a person came for.
const REASON: u16 = 30;

const COLUMNS: [Column; 6] = [
    Column { title: "NAME", least: 14, wanted: 32, priority: 0, stretch: Stretch::Share(1) },
    Column { title: "STATUS", least: 16, wanted: 24, priority: 1, stretch: Stretch::No },
    Column { title: "IMAGE", least: 16, wanted: 40, priority: 3, stretch: Stretch::Share(1) },
    Column { title: "PORTS", least: 8, wanted: 14, priority: 4, stretch: Stretch::No },
    Column { title: "COMMAND", least: 24, wanted: 24, priority: 5, stretch: Stretch::Share(4) },
    Column { title: "AGE", least: 4, wanted: 4, priority: 2, stretch: Stretch::No },
];

/// From this width on, what a container is doing is said in full.
const ROOMY: u16 = 72;

/// With less than this, a status is said in a word or two rather than not at all.
const NARROW: u16 = 40;
const LEAST_STATUS: u16 = 9;

/// Draws the heading and the rows.
pub fn draw(canvas: &mut Canvas<'_>, area: Area, state: &State, facts: &Facts, focus: Focus) {
    let (heading, body) = area.split_top(1);
    let columns = columns(area.width, state);
    draw_heading(canvas, heading, &columns, state);
    canvas.hit(body, Hit::List);
    let shown = usize::from(body.height);
    let first = first_shown(state.cursor.first, state.cursor.index, state.rows.len(), shown);
    canvas.feedback.list = Extent { rows: body.height, first, total: state.rows.len() };
    let containers = &facts.inventory.containers;
    let rows = state.rows.iter().enumerate().skip(first).take(shown);
    for (line, (position, container)) in
        (0..).zip(rows.filter_map(|(position, index)| containers.get(*index).map(|found| (position, found))))
    {
        let row = body.row(line);
        draw_row(canvas, row, &columns, container, state, facts);
        if position == state.cursor.index {
            draw_cursor(canvas, row, &columns, focus);
        }
    }
    if state.rows.is_empty() && !containers.is_empty() {
        let text =
            format!("No container matches \"{}\". esc shows all.", SafeText::from_untrusted(state.filter.field.text()));
        let dim = canvas.theme.dim;
        canvas.put_sentence(body.split_top(body.height / 3).1, &text, dim);
    }
    draw_thumb(canvas, body, first, shown, state.rows.len());
}

/// The widths of the columns; ports only where somebody has one, names and images no wider than the longest.
fn columns(width: u16, state: &State) -> [u16; 6] {
    let mut columns = COLUMNS;
    for column in &mut columns {
        match column.title {
            "PORTS" if !state.has_ports => column.least = Column::LEFT_OUT,
            "STATUS" if width >= ROOMY => column.least = column.wanted,
            "STATUS" if width < NARROW => column.least = LEAST_STATUS,
            "NAME" => column.wanted = state.longest_name.clamp(column.least, column.wanted),
            "IMAGE" => column.wanted = state.longest_image.clamp(column.least, column.wanted),
            _ => {}
        }
    }
    widths(&columns, width.saturating_sub(MARGIN + 1))
}

fn draw_heading(canvas: &mut Canvas<'_>, area: Area, columns: &[u16; 6], state: &State) {
    let theme = canvas.theme;
    let mut pen = canvas.pen(area);
    pen.gap(MARGIN);
    for (column, width) in COLUMNS.iter().zip(columns).filter(|(_, width)| **width > 0) {
        let (by, action) = match column.title {
            "NAME" => (Some(SortBy::Name), Action::SortByName),
            "STATUS" => (Some(SortBy::Status), Action::SortByStatus),
            "IMAGE" => (Some(SortBy::Image), Action::SortByImage),
            "AGE" => (Some(SortBy::Age), Action::SortByAge),
            _ => (None, Action::SortByTrouble),
        };
        let sorted = by == Some(state.sort.by);
        let arrow = match (sorted, state.sort.direction) {
            (true, Direction::Forward) => theme.glyphs.descending,
            (true, Direction::Reversed) => theme.glyphs.ascending,
            (false, Direction::Forward | Direction::Reversed) => "",
        };
        let style = if sorted { theme.accent } else { theme.dim };
        let title = if arrow.is_empty() { column.title.to_owned() } else { format!("{} {arrow}", column.title) };
        if column.title == "AGE" {
            let title = if arrow.is_empty() { title } else { format!("AGE{arrow}") };
            pen.column_right(*width, &title, style);
        } else {
            pen.column(*width, &title, style);
        }
        let end = pen.rest().x;
        pen.gap(GAP);
        let cell = Area { x: end.saturating_sub(*width), width: *width, ..area };
        pen.hit(cell, Hit::Action(action));
    }
}

fn draw_row(
    canvas: &mut Canvas<'_>,
    row: Area,
    columns: &[u16; 6],
    container: &Container,
    state: &State,
    facts: &Facts,
) {
    let theme = canvas.theme;
    let stale = matches!(facts.inventory.link, HostLink::Stale { .. });
    let status = view_model::status(container, facts, theme.glyphs);
    let tone = if stale { theme.dim } else { tone_style(theme, status.tone) };
    canvas.feedback.shows_ages = true;
    canvas.feedback.shows_seconds |= status.counts;
    let quiet = status.tone == Tone::Quiet || stale;
    let marked = state.marked.contains(&container.id);
    let [name, state_width, image, ports, command, age] = *columns;
    let mut pen = canvas.pen(row);
    let mark = if marked { theme.glyphs.marked } else { " " };
    pen.gap(1).put(mark, theme.marked);
    pen.put(if stale { theme.glyphs.unknown } else { status.glyph }, tone).gap(1);
    let name_style = match (marked, quiet) {
        (true, _) => theme.marked,
        (false, true) => theme.text,
        (false, false) => theme.strong,
    };
    match &container.name {
        Some(text) => column(&mut pen, name, text.as_str(), name_style, Cut::End),
        None => column(&mut pen, name, container.id.short(), name_style, Cut::End),
    }
    column(&mut pen, state_width, view_model::fitted(&status.words, usize::from(state_width)), tone, Cut::End);
    let remark = view_model::remark(container, state.last_lines.get(&container.id).map(|line| line.text.as_str()));
    let beyond: u16 = [image, ports, command].iter().filter(|width| **width > 0).map(|width| width + GAP).sum();
    match &remark {
        Remark::Reason(reason) if command < REASON && beyond > GAP => draw_reason(&mut pen, beyond - GAP, reason),
        Remark::Reason(_) | Remark::Command(_) => {
            let image_style = if quiet { theme.dim } else { theme.text };
            column(&mut pen, image, &SafeText::from_untrusted(&container.image), image_style, Cut::Middle);
            if ports > 0 {
                column(&mut pen, ports, &view_model::ports(container), theme.text, Cut::End);
            }
            match &remark {
                _ if command == 0 => {}
                Remark::Reason(reason) => draw_reason(&mut pen, command, reason),
                Remark::Command(words) => column(&mut pen, command, words, theme.dim, Cut::End),
            }
        }
    }
    if age > 0 {
        pen.column_right(age, &facts.age(container.created), theme.dim);
    }
}

/// Why the row is in trouble, behind a sign that leads back to it.
fn draw_reason(pen: &mut Pen<'_, '_>, width: u16, reason: &str) {
    let theme = pen.theme();
    pen.put(theme.glyphs.reason, theme.error).gap(1);
    column(pen, width.saturating_sub(2), reason, theme.error, Cut::End);
}

/// How a text that is too long is cut.
#[derive(Clone, Copy)]
enum Cut {
    End,
    Middle,
}

fn column(pen: &mut Pen<'_, '_>, width: u16, text: &str, style: Style, cut: Cut) {
    if width == 0 {
        return;
    }
    match cut {
        Cut::End => pen.column(width, text, style),
        Cut::Middle => pen.column_middle(width, text, style),
    };
    pen.gap(GAP);
}

/// A bar at the left, and the name as a chip: the eye finds it, and the tones of the row stay.
fn draw_cursor(canvas: &mut Canvas<'_>, row: Area, columns: &[u16; 6], focus: Focus) {
    let theme = canvas.theme;
    let (bar, rest) = row.split_left(1);
    match focus {
        Focus::Here => {
            canvas.put(bar, theme.glyphs.cursor, theme.accent);
            let name = columns.first().copied().unwrap_or(0).saturating_add(2);
            let (_, chip) = rest.split_left(MARGIN - 2);
            let (chip, _) = chip.split_left(name);
            canvas.overlay(chip, theme.selected);
        }
        Focus::Elsewhere => {
            canvas.put(bar, theme.glyphs.cursor, theme.dim);
            canvas.overlay(rest, theme.unfocused);
        }
    }
}

fn draw_thumb(canvas: &mut Canvas<'_>, body: Area, first: usize, shown: usize, total: usize) {
    if total <= shown || shown == 0 {
        return;
    }
    let rows = usize::from(body.height);
    let length = (rows * shown / total).max(1);
    let start = (rows - length) * first / (total - shown).max(1);
    let (_, track) = body.split_right(1);
    let style = canvas.theme.rule;
    let sign = canvas.theme.glyphs.thumb;
    for line in start..start + length {
        let row = track.row(u16::try_from(line).unwrap_or(u16::MAX));
        canvas.put(row, sign, style);
    }
}

/// The colour of a tone.
#[must_use]
pub fn tone_style(theme: &Theme, tone: Tone) -> Style {
    match tone {
        Tone::Good => theme.good,
        Tone::Busy => theme.busy,
        Tone::Bad => theme.bad,
        Tone::Warning => theme.warning,
        Tone::Quiet => theme.dim,
    }
}
