//! How is the log drawn? Rows of text, times, matches; a sentence where there is nothing.
//!
//! Deliberately elsewhere: which rows (`layout`).

use super::{
    buffer::{Line, LineKind},
    layout::{Layout, Row, Wrap},
    state::{Follow, State, StreamLink, Times},
};
use crate::{
    engine::domain::{Container, Status, Timestamp},
    text::SafeText,
    ui::{
        feedback::{Extent, Hit},
        geometry::Area,
        widgets::{Canvas, canvas::width_of},
    },
};

/// `12:01:07.114` and two blanks.
const TIME_WIDTH: u16 = 14;
/// Stands where a line goes on beyond the edge.
const CUT: &str = "…";

pub fn draw(canvas: &mut Canvas<'_>, area: Area, state: &State, container: &Container) {
    let times = match state.times {
        Times::Shown if area.width > 40 => TIME_WIDTH,
        Times::Shown | Times::Hidden => 0,
    };
    let text_width = area.width.saturating_sub(times + 2);
    let layout = Layout { buffer: &state.buffer, width: usize::from(text_width), wrap: state.wrap };
    let screen = usize::from(area.height);
    let top = match state.follow {
        Follow::End => layout.last_top(screen),
        Follow::Released => state.top,
    };
    canvas.hit(area, Hit::Viewer);
    let kept = state.buffer.range();
    let first = usize::try_from(top.line - kept.start.min(top.line)).unwrap_or(usize::MAX);
    let total = usize::try_from(kept.end - kept.start).unwrap_or(usize::MAX);
    canvas.feedback.viewer = Extent { rows: area.height, first, total };
    canvas.feedback.viewer_width = text_width;
    if state.buffer.is_empty() {
        draw_nothing(canvas, area, state, container);
        return;
    }
    for (index, row) in (0..).zip(layout.rows_from(top, screen)) {
        if let Some(line) = state.buffer.get(row.position.line) {
            draw_row(canvas, area.row(index), &row, line, state, times);
        }
    }
}

fn draw_row(canvas: &mut Canvas<'_>, area: Area, row: &Row, line: &Line, state: &State, times: u16) {
    let theme = canvas.theme;
    let (margin, rest) = area.split_left(1);
    if state.search.current == Some(row.position.line) {
        canvas.put(margin, theme.glyphs.cursor, theme.accent);
    } else if row.position.row > 0 {
        canvas.put(margin, theme.glyphs.wrapped, theme.dim);
    }
    let (time, rest) = rest.split_left(times);
    let (rest, edge) = rest.split_right(1);
    if times > 0 && row.position.row == 0 && line.kind != LineKind::Missed {
        canvas.put(time, &clock(line.at), theme.dim);
    }
    let style = match line.kind {
        LineKind::Stdout => theme.text,
        LineKind::Stderr => theme.stderr,
        LineKind::Missed => theme.warning,
    };
    let part = line.text.get(row.part.clone()).unwrap_or_default();
    let shown = match state.wrap {
        Wrap::On => part,
        Wrap::Off => skip_columns(part, state.left),
    };
    canvas.put(rest, shown, style);
    if !state.search.needle.is_empty() {
        for found in state.search.needle.all(shown) {
            let before = width_of(shown.get(..found.start).unwrap_or_default());
            let width = width_of(shown.get(found).unwrap_or_default());
            let (_, from) = rest.split_left(u16::try_from(before).unwrap_or(u16::MAX));
            let (place, _) = from.split_left(u16::try_from(width).unwrap_or(u16::MAX));
            canvas.overlay(place, theme.matched);
        }
    }
    if state.wrap == Wrap::Off {
        if shown.len() < part.len() && state.search.current != Some(row.position.line) {
            canvas.put(margin, CUT, theme.dim);
        }
        if width_of(shown) > usize::from(rest.width) {
            canvas.put(edge, CUT, theme.dim);
        }
    }
}

fn draw_nothing(canvas: &mut Canvas<'_>, area: Area, state: &State, container: &Container) {
    let theme = canvas.theme;
    let (text, more) = match &state.link {
        StreamLink::Idle if container.status() == Status::Created => {
            ("It has not been started yet.".to_owned(), "s starts it".to_owned())
        }
        StreamLink::Idle | StreamLink::Loading => return,
        StreamLink::Live => ("Waiting for its output.".to_owned(), String::new()),
        StreamLink::Ended => ("It printed nothing.".to_owned(), "0 looks at the whole log".to_owned()),
        StreamLink::Failed(error) => {
            let remedy = error.remedy_text().unwrap_or("ctrl-r tries again");
            (SafeText::from(error.to_string()).into(), SafeText::from_untrusted(remedy).into())
        }
    };
    let style = if matches!(state.link, StreamLink::Failed(_)) { theme.error } else { theme.dim };
    let below = canvas.put_sentence(area.split_top(area.height / 3).1, &text, style);
    canvas.put_sentence(below, &more, theme.dim);
}

/// Local time of day with milliseconds.
fn clock(at: Timestamp) -> String {
    let local = at.local();
    let time = local.get(11..19).unwrap_or(&local);
    let millis = at.unix_nanos().rem_euclid(1_000_000_000) / 1_000_000;
    format!("{time}.{millis:03}")
}

/// The text without its first columns; a wide character that is cut goes whole.
fn skip_columns(text: &str, columns: usize) -> &str {
    if text.is_ascii() {
        return text.get(columns.min(text.len())..).unwrap_or_default();
    }
    let mut used = 0;
    for (at, letter) in text.char_indices() {
        if used >= columns {
            return text.get(at..).unwrap_or_default();
        }
        used += width_of(letter.encode_utf8(&mut [0; 4]));
    }
    ""
}
