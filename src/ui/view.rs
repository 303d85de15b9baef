//! How is the whole screen drawn? Header, the screen's parts, footer, and what lies above them.
//!
//! Borrows the state and returns what drawing learnt. Deliberately elsewhere: each part's own drawing.

use super::{
    command_line, fault,
    feedback::Feedback,
    focus::Focus,
    geometry::Area,
    screens::{Screen, containers, detail, images, operations},
    state::{NoticeTone, Part, State},
    update::offer,
    widgets::{
        Canvas,
        canvas::{put_cut, width_of},
        hints,
    },
};
use crate::{
    engine::domain::{HostLink, HostSpec},
    text::{SafeText, units},
};

/// Narrower than this, the program's own name makes room for the host's.
const BRAND_COLUMNS: u16 = 60;
/// What ends the typing of a filter or a search, and the room it takes.
const TYPING: [hints::Pair<'static>; 2] = [("enter", "keeps"), ("esc", "clears")];
const TYPING_KEYS: u16 = 25;
/// Columns of an invitation with two keys side by side.
const INVITATION: u16 = 54;
/// The least of a word in the header that is worth showing.
const LEAST_PIECE: u16 = 10;

/// Draws everything.
#[must_use]
pub fn draw(state: &State, mut canvas: Canvas<'_>) -> Feedback {
    if canvas.area().is_empty() {
        return canvas.feedback;
    }
    if state.facts.inventory.link != HostLink::Connecting {
        fault::point(fault::Part::Draw);
    }
    let parts = state.parts();
    draw_header(&mut canvas, parts.header, state);
    let focus =
        |part: Part| if state.part == part && state.dialogs.is_empty() { Focus::Here } else { Focus::Elsewhere };
    let facts = &state.facts;
    canvas.vertical_rule(parts.rule);
    match state.screen {
        Screen::Containers => {
            if facts.inventory.containers.is_empty() {
                draw_nothing(&mut canvas, parts.list, state);
            } else if !parts.list.is_empty() {
                containers::view::draw(&mut canvas, parts.list, &state.containers, facts, focus(Part::List));
            }
            if !parts.detail.is_empty() {
                detail::view::draw(&mut canvas, parts.detail, &state.detail, facts, focus(Part::Detail));
            }
        }
        Screen::Images => {
            if facts.inventory.images.is_empty() {
                draw_no_images(&mut canvas, parts.list, state);
            } else if !parts.list.is_empty() {
                images::view::draw(&mut canvas, parts.list, &state.images, facts, focus(Part::List));
            }
            if !parts.detail.is_empty() {
                images::view::draw_history(&mut canvas, parts.detail, &state.images, facts, focus(Part::Detail));
            }
        }
        Screen::Operations => operations::view::draw(&mut canvas, parts.list, &state.operations, facts),
    }
    draw_footer(&mut canvas, parts.footer, state);
    for dialog in &state.dialogs {
        canvas.feedback.cursor = None;
        dialog.draw(&mut canvas, facts);
    }
    canvas.feedback
}

fn draw_header(canvas: &mut Canvas<'_>, area: Area, state: &State) {
    let theme = canvas.theme;
    let (left, right) = (header_left(state), header_right(state, canvas));
    let right_width: usize = right.iter().map(|(text, _)| width_of(text)).sum();
    let taken = if right_width == 0 { 0 } else { u16::try_from(right_width + 2).unwrap_or(u16::MAX) };
    // Numbers matter more than the host's address where there is no room for both.
    let (place, numbers) = area.split_right(taken);
    let mut pen = canvas.pen(place);
    pen.gap(1);
    if area.width >= BRAND_COLUMNS {
        pen.put("wharf", theme.accent).gap(2);
    }
    pen.put(state.screen.title(), theme.strong);
    for (text, style) in left {
        let gap = if text.starts_with('·') { 1 } else { 2 };
        let room = pen.rest().width.saturating_sub(gap);
        let width = u16::try_from(width_of(&text)).unwrap_or(u16::MAX);
        // Half a word says little: what does not fit is left out, unless most of it fits.
        if width > room && room < LEAST_PIECE {
            break;
        }
        pen.gap(gap).column(width.min(room), &text, style);
    }
    let mut pen = canvas.pen(numbers);
    pen.gap(1);
    for (text, style) in right {
        pen.put(&text, style);
    }
}

type Piece = (String, super::theme::Style);

/// Which host, what it is, what narrows the list.
fn header_left(state: &State) -> Vec<Piece> {
    let theme = &state.theme;
    let inventory = &state.facts.inventory;
    let mut pieces = Vec::new();
    let (filter, shown, all) = match state.screen {
        Screen::Containers => (&state.containers.filter, state.containers.rows.len(), inventory.containers.len()),
        Screen::Images => (&state.images.filter, state.images.rows.len(), state.images.total),
        Screen::Operations => (&state.operations.filter, state.operations.rows.len(), inventory.operations.len()),
    };
    if filter.is_active() {
        let text = SafeText::from_untrusted(filter.field.text());
        let cut = text.truncate_end(24).into_owned();
        pieces.push((format!("/{cut}"), theme.marked));
        pieces.push((format!("{shown} of {all}"), theme.dim));
    }
    if !state.containers.marked.is_empty() {
        pieces.push((format!("{} marked", state.containers.marked.len()), theme.marked));
    }
    match (&inventory.link, &inventory.info) {
        (HostLink::Connecting, _) => {
            pieces.push((SafeText::from(inventory.host.to_string()).into(), theme.text));
            pieces.push(("connecting".to_owned(), theme.dim));
        }
        (HostLink::Stale { .. }, _) => {
            pieces.push((SafeText::from(inventory.host.to_string()).into(), theme.text));
        }
        (HostLink::Live, None) => pieces.push((SafeText::from(inventory.host.to_string()).into(), theme.text)),
        (HostLink::Live, Some(info)) => {
            pieces.push((SafeText::from_untrusted(&info.title).into(), theme.text));
            if !info.location.is_empty() {
                pieces.push((SafeText::from_untrusted(&info.location).into(), theme.dim));
            }
            let machine = [info.memory_bytes.map(units::bytes_short), info.cpus.map(|count| format!("{count} cpu"))];
            let machine: Vec<String> = machine.into_iter().flatten().collect();
            if !machine.is_empty() {
                pieces.push((format!("· {}", machine.join(" ")), theme.dim));
            }
        }
    }
    pieces
}

/// How many of what, and how many jobs run.
fn header_right(state: &State, canvas: &mut Canvas<'_>) -> Vec<Piece> {
    let (theme, glyphs) = (&state.theme, state.theme.glyphs);
    let totals = state.containers.totals;
    let mut pieces = Vec::new();
    if let HostLink::Stale { since, .. } = &state.facts.inventory.link {
        if since.is_zero() {
            pieces.push((format!("{} no answer  ", glyphs.unknown), theme.bad));
        } else {
            canvas.feedback.shows_ages = true;
            pieces.push((format!("{} stale {}  ", glyphs.unknown, state.facts.age(*since)), theme.bad));
        }
    }
    if totals != Default::default() {
        pieces.push((format!("{} {}", glyphs.running, totals.running), theme.good));
        pieces.push((format!("  {} {}", glyphs.stopped, totals.stopped), theme.dim));
        if totals.failed > 0 {
            pieces.push((format!("  {} {}", glyphs.failed, totals.failed), theme.bad));
        }
    }
    let jobs = state.facts.running_operations().count();
    if jobs > 0 {
        let noun = if jobs == 1 { "job" } else { "jobs" };
        pieces.push((format!("  {} {jobs} {noun}", glyphs.jobs), theme.busy));
    }
    pieces
}

fn draw_footer(canvas: &mut Canvas<'_>, area: Area, state: &State) {
    let theme = canvas.theme;
    if let Some(line) = &state.command_line {
        let above = Area { y: area.y.saturating_sub(1), ..area };
        command_line::draw(canvas, area, above, line);
        return;
    }
    if let Some(typed) = state.typed() {
        let row = area.split_left(1).1;
        let used = canvas.put(row, "/", theme.accent);
        let (field, keys) = row.split_left(used).1.split_right(TYPING_KEYS);
        typed.draw(canvas, field);
        hints::draw_pairs(canvas, keys, &TYPING);
        return;
    }
    if let Some(notice) = &state.notice {
        let style = match notice.tone {
            NoticeTone::Good => theme.good,
            NoticeTone::Plain => theme.text,
            NoticeTone::Bad => theme.error,
        };
        put_cut(canvas, area.inset(1, 0), &notice.text, style);
        return;
    }
    if !state.dialogs.is_empty() {
        // It shows its own keys, and no others do anything.
        return;
    }
    hints::draw(canvas, area.inset(1, 0), &offer::hints(state));
}

fn draw_nothing(canvas: &mut Canvas<'_>, area: Area, state: &State) {
    let theme = canvas.theme;
    match &state.facts.inventory.link {
        HostLink::Connecting => {}
        HostLink::Stale { error, .. } => {
            let top = area.height / 3;
            let below = canvas.put_sentence(area.split_top(top).1, &SafeText::from(error.to_string()), theme.error);
            let remedy = error.remedy_text().unwrap_or("ctrl-r tries again");
            let below = canvas.put_sentence(below, &SafeText::from_untrusted(remedy), theme.dim);
            canvas.put_centred(below.row(1), "H  another host", theme.dim);
        }
        HostLink::Live => {
            let title = format!("No containers on {}.", engine_words(state));
            let lines = [
                ("p", "pull an image", "c", "create a container"),
                ("D", "try the demo (no network needed)", "", ""),
                ("H", "another host: Docker or Podman", "", ""),
            ];
            draw_invitation(canvas, area, &title, &lines);
        }
    }
}

/// The engine in a sentence.
fn engine_words(state: &State) -> String {
    let inventory = &state.facts.inventory;
    match (&inventory.host, &inventory.info) {
        (HostSpec::Embedded, _) => "the embedded engine".to_owned(),
        (_, Some(info)) => SafeText::from_untrusted(&info.title).into_owned().into(),
        (host, None) => SafeText::from(host.to_string()).into(),
    }
}

fn draw_no_images(canvas: &mut Canvas<'_>, area: Area, state: &State) {
    if state.facts.inventory.link == HostLink::Live {
        let lines = [("p", "pull an image", "esc", "back to the containers")];
        draw_invitation(canvas, area, &format!("No images on {}.", engine_words(state)), &lines);
    }
}

/// Pairs of keys and words, side by side where there is room for it.
fn draw_invitation(canvas: &mut Canvas<'_>, area: Area, title: &str, lines: &[(&str, &str, &str, &str)]) {
    let theme = canvas.theme;
    let top = area.height / 3;
    canvas.put_centred(area.row(top), title, theme.strong);
    let width = INVITATION.min(area.width);
    let place = Area { x: area.x + (area.width - width) / 2, width, ..area };
    let mut row = top + 2;
    for (key, word, other_key, other_word) in lines {
        let mut pen = canvas.pen(place.row(row));
        pen.gap(4).put(key, theme.key).gap(3);
        let beside = width == INVITATION && !other_key.is_empty();
        if beside {
            pen.column(23, word, theme.text).put(other_key, theme.key).gap(3).put(other_word, theme.text);
        } else {
            let room = pen.rest().width;
            pen.column(room, word, theme.text);
        }
        row += 1;
        if !beside && !other_key.is_empty() {
            let mut pen = canvas.pen(place.row(row));
            pen.gap(4).put(other_key, theme.key).gap(3).put(other_word, theme.text);
            row += 1;
        }
    }
}
