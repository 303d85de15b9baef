//! How are images and the layers of one drawn?
//!
//! Deliberately elsewhere: what is selected (`state`).

use super::{
    state::{History, Order, State},
    update::Named,
};
use crate::{
    engine::domain::{Container, Image},
    text::{SafeText, units},
    ui::{
        cursor::first_shown,
        facts::Facts,
        feedback::{Extent, Hit},
        focus::Focus,
        geometry::Area,
        keymap::Action,
        widgets::{
            Canvas,
            table::{Column, GAP, Stretch, widths},
        },
    },
};

const MARGIN: u16 = 2;

const COLUMNS: [Column; 6] = [
    Column { title: "IMAGE", least: 16, wanted: 36, priority: 0, stretch: Stretch::Share(3) },
    Column { title: "ID", least: 12, wanted: 12, priority: 3, stretch: Stretch::No },
    Column { title: "PLATFORM", least: 11, wanted: 14, priority: 4, stretch: Stretch::No },
    Column { title: "USED BY", least: 7, wanted: 7, priority: 5, stretch: Stretch::No },
    Column { title: "SIZE", least: 7, wanted: 7, priority: 1, stretch: Stretch::No },
    Column { title: "AGE", least: 4, wanted: 4, priority: 2, stretch: Stretch::No },
];

pub fn draw(canvas: &mut Canvas<'_>, area: Area, state: &State, facts: &Facts, focus: Focus) {
    let theme = canvas.theme;
    let (heading, body) = area.split_top(1);
    let columns = widths(&COLUMNS, area.width.saturating_sub(MARGIN + 1));
    let mut pen = canvas.pen(heading);
    pen.gap(MARGIN);
    for (column, width) in COLUMNS.iter().zip(columns).filter(|(_, width)| *width > 0) {
        let (order, action) = match column.title {
            "IMAGE" => (Some(Order::Name), Action::SortByName),
            _ => (Some(Order::Newest).filter(|_| column.title == "AGE"), Action::SortByAge),
        };
        let sorted = order == Some(state.order);
        let style = if sorted { theme.accent } else { theme.dim };
        let place = Area { width, ..pen.rest() };
        let arrow = theme.glyphs.descending;
        match column.title {
            "AGE" if sorted => pen.column_right(width, &format!("AGE{arrow}"), style),
            "SIZE" | "AGE" | "USED BY" => pen.column_right(width, column.title, style),
            title if sorted => pen.column(width, &format!("{title} {arrow}"), style),
            title => pen.column(width, title, style),
        };
        pen.hit(place, Hit::Action(action));
        pen.gap(GAP);
    }
    canvas.hit(body, Hit::List);
    let shown = usize::from(body.height);
    let first = first_shown(state.cursor.first, state.cursor.index, state.rows.len(), shown);
    canvas.feedback.list = Extent { rows: body.height, first, total: state.rows.len() };
    if state.rows.is_empty() {
        let text = SafeText::from_untrusted(state.filter.field.text());
        let (_, below) = body.split_top(body.height / 3);
        canvas.put_sentence(below, &format!("No image matches \"{text}\". esc shows all."), theme.dim);
    }
    for (line, (position, row)) in (0..).zip(state.rows.iter().enumerate().skip(first).take(shown)) {
        let Some(named) = Named::at(*row, facts) else { continue };
        let row = body.row(line);
        draw_row(canvas, row, &columns, named, facts);
        if position == state.cursor.index {
            let (bar, rest) = row.split_left(1);
            let (bar_style, style) = match focus {
                Focus::Here => (theme.accent, theme.selected),
                Focus::Elsewhere => (theme.dim, theme.unfocused),
            };
            canvas.put(bar, theme.glyphs.cursor, bar_style);
            let chip = rest.split_left(MARGIN - 1).1.split_left(columns.first().copied().unwrap_or(0)).0;
            canvas.overlay(chip, style);
        }
    }
}

fn draw_row(canvas: &mut Canvas<'_>, row: Area, columns: &[u16; 6], named: Named<'_>, facts: &Facts) {
    let theme = canvas.theme;
    canvas.feedback.shows_ages = true;
    let [reference, id, platform, used, size, age] = *columns;
    let image = named.image;
    let mut pen = canvas.pen(row);
    pen.gap(MARGIN);
    let style = if named.reference.is_none() { theme.dim } else { theme.strong };
    pen.column_middle(reference, &SafeText::from(named.shown()), style).gap(GAP);
    if id > 0 {
        let hex = image.id.to_string();
        let hex = hex.split_once(':').map_or(hex.as_str(), |(_, hex)| hex);
        pen.column(id, hex.get(..12).unwrap_or(hex), theme.dim).gap(GAP);
    }
    if platform > 0 {
        let text = image.platform.as_ref().map(ToString::to_string).unwrap_or_default();
        pen.column(platform, &SafeText::from(text), theme.dim).gap(GAP);
    }
    if used > 0 {
        let count = users(image, facts);
        let words = if count > 0 { count.to_string() } else { String::new() };
        pen.column_right(used, &words, theme.text).gap(GAP);
    }
    if size > 0 {
        pen.column_right(size, &units::bytes_decimal(image.size.bytes()), theme.text).gap(GAP);
    }
    if age > 0 {
        let words = image.created.map(|created| facts.age(created)).unwrap_or_default();
        pen.column_right(age, &words, theme.dim);
    }
}

/// The containers that were made from it.
fn users(image: &Image, facts: &Facts) -> usize {
    let made_from_it = |container: &&std::sync::Arc<Container>| {
        container.image_id.as_ref() == Some(&image.id)
            || container.image_id.is_none() && image.references.iter().any(|name| name.familiar() == container.image)
    };
    facts.inventory.containers.iter().filter(made_from_it).count()
}

/// The layers, newest first, as `history` lists them.
pub fn draw_history(canvas: &mut Canvas<'_>, area: Area, state: &State, facts: &Facts, focus: Focus) {
    let theme = canvas.theme;
    let (heading, body) = area.split_top(1);
    canvas.rule(heading);
    let title = state.current(facts).map(|named| named.shown()).unwrap_or_default();
    let title = SafeText::from(title);
    let title = title.truncate_middle(usize::from(area.width / 2));
    let style = match focus {
        Focus::Here => theme.selected,
        Focus::Elsewhere => theme.strong,
    };
    canvas.pen(heading).gap(2).put(" ", style).put(&title, style).put(" ", style).put(" layers ", theme.dim);
    canvas.hit(body, Hit::Viewer);
    match &state.history {
        History::NotAsked => {
            canvas.put_centred(body.row(body.height / 3), "enter shows how it was made", theme.dim);
        }
        History::Loading => {}
        History::Failed(error) => {
            let (_, below) = body.split_top(body.height / 3);
            canvas.put_sentence(below, &SafeText::from(error.to_string()), theme.error);
        }
        History::Entries(entries) => {
            let shown = usize::from(body.height);
            let first = state.history_first.min(entries.len().saturating_sub(shown));
            canvas.feedback.viewer = Extent { rows: body.height, first, total: entries.len() };
            for (line, entry) in (0..).zip(entries.iter().skip(first).take(shown)) {
                let mut pen = canvas.pen(body.row(line));
                let size = if entry.empty { String::new() } else { units::bytes_decimal(entry.size.bytes()) };
                let style = if entry.empty { theme.dim } else { theme.text };
                pen.gap(2).column_right(8, &size, theme.number).gap(GAP);
                let step = entry.created_by.split_whitespace().collect::<Vec<_>>().join(" ");
                let width = pen.rest().width;
                pen.column(width, &SafeText::from(step), style);
            }
        }
    }
}
