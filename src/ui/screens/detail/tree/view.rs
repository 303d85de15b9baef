//! How is the tree drawn? Indented keys, values by their kind, matches marked.
//!
//! Deliberately elsewhere: the rows (`rows`).

use super::{
    rows::{Row, Shown},
    state::{Content, State},
};
use crate::{
    text::SafeText,
    ui::{
        cursor::first_shown,
        feedback::{Extent, Hit},
        focus::Focus,
        geometry::Area,
        screens::detail::secrets::Secrets,
        widgets::{Canvas, canvas::width_of},
    },
};

pub fn draw(canvas: &mut Canvas<'_>, area: Area, state: &State, secrets: Secrets, focus: Focus) {
    let theme = canvas.theme;
    let shown = usize::from(area.height);
    let first = first_shown(state.cursor.first, state.cursor.index, state.rows.len(), shown);
    canvas.hit(area, Hit::Viewer);
    canvas.feedback.viewer = Extent { rows: area.height, first, total: state.rows.len() };
    if let Content::Failed(error) = &state.content {
        let (_, below) = area.split_top(area.height / 3);
        canvas.put_sentence(below, &SafeText::from(error.to_string()), theme.error);
        return;
    }
    for (line, (index, row)) in (0..).zip(state.rows.iter().enumerate().skip(first).take(shown)) {
        let place = area.row(line);
        draw_row(canvas, place, row, state, secrets);
        if index == state.cursor.index && focus == Focus::Here {
            canvas.put(place, theme.glyphs.cursor, theme.accent);
        }
    }
}

fn draw_row(canvas: &mut Canvas<'_>, area: Area, row: &Row, state: &State, secrets: Secrets) {
    let theme = canvas.theme;
    let depth = u16::try_from(row.path.len().saturating_sub(1)).unwrap_or(u16::MAX);
    let mut pen = canvas.pen(area);
    pen.gap(2).gap(depth.saturating_mul(2));
    let sign = match row.value {
        Shown::Folded(_) => theme.glyphs.folded,
        Shown::Unfolded => theme.glyphs.unfolded,
        Shown::Text(_) | Shown::Secret { .. } | Shown::Number(_) | Shown::Word(_) => " ",
    };
    let matched = |text: &str| !state.needle.is_empty() && state.needle.is_in(text);
    let style = |text: &str| if matched(text) { theme.matched } else { theme.string };
    pen.put(sign, theme.dim).gap(1);
    let key = u16::try_from(width_of(&row.key)).unwrap_or(u16::MAX).min(pen.rest().width);
    pen.column(key, &row.key, if matched(&row.key) { theme.matched } else { theme.field }).gap(2);
    let width = pen.rest().width;
    match &row.value {
        Shown::Folded(count) => pen.put(count, theme.dim),
        Shown::Unfolded => &mut pen,
        Shown::Text(text) => pen.column(width, text, style(text)),
        Shown::Secret { variable, .. } if secrets == Secrets::Hidden => {
            pen.put(variable, theme.string).put("=", theme.string).put(theme.glyphs.mask, theme.dim).gap(2);
            pen.put("v shows it", theme.dim)
        }
        Shown::Secret { variable, value } => {
            let text = format!("{variable}={value}");
            pen.column(width, &text, style(&text))
        }
        Shown::Number(number) => pen.put(number, theme.number),
        Shown::Word(word) => pen.put(word, theme.dim),
    };
}
