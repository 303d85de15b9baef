//! How does a text that is longer than its dialog scroll? Its keys, and the row that says that there is more.
//!
//! Deliberately elsewhere: the texts (`help`, `message`).

use crate::ui::{
    feedback::Extent,
    geometry::Area,
    input::{Key, KeyCode, Modifiers},
    widgets::{
        Canvas,
        canvas::width_of,
        hints::{self, Pair},
    },
};

/// The first row to show after a key, given what the last frame showed.
#[must_use]
pub fn first_after(key: Key, first: usize, drawn: Extent) -> usize {
    let shown = usize::from(drawn.rows);
    let last = drawn.total.saturating_sub(shown);
    let page = shown.saturating_sub(1).max(1);
    let control = key.modifiers == Modifiers::Ctrl;
    let moved = match key.code {
        KeyCode::Char('d') if control => first + page.div_ceil(2),
        KeyCode::Char('u') if control => first.saturating_sub(page.div_ceil(2)),
        KeyCode::Down | KeyCode::Char('j') => first + 1,
        KeyCode::Up | KeyCode::Char('k') => first.saturating_sub(1),
        KeyCode::PageDown | KeyCode::Char(' ') => first + page,
        KeyCode::PageUp => first.saturating_sub(page),
        KeyCode::Home | KeyCode::Char('g') => 0,
        KeyCode::End | KeyCode::Char('G') => last,
        KeyCode::Char(_)
        | KeyCode::Enter
        | KeyCode::Esc
        | KeyCode::Tab
        | KeyCode::BackTab
        | KeyCode::Backspace
        | KeyCode::Delete
        | KeyCode::Insert
        | KeyCode::Left
        | KeyCode::Right
        | KeyCode::Function(_) => first,
    };
    moved.min(last)
}

/// The dialog's last row: its keys, and how far the text has been read when not all of it is shown.
pub fn draw_foot(canvas: &mut Canvas<'_>, row: Area, extent: Extent, keys: &[Pair<'_>]) {
    let shown = extent.first.saturating_add(usize::from(extent.rows)).min(extent.total);
    if usize::from(extent.rows) >= extent.total {
        hints::draw_pairs(canvas, row, keys);
        return;
    }
    let place = format!("{shown} of {}", extent.total);
    let width = u16::try_from(width_of(&place)).unwrap_or(u16::MAX);
    let (left, right) = row.split_right(width);
    let (first, others) = keys.split_at(keys.len().min(1));
    let scrolling = [first, &[("j k space", "scroll")], others].concat();
    hints::draw_pairs(canvas, left.split_right(1).0, &scrolling);
    let dim = canvas.theme.dim;
    canvas.put(right, &place, dim);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_scrolls_to_its_end_and_no_further() {
        let drawn = Extent { rows: 4, first: 0, total: 9 };
        let first = |key: &str, first| first_after(key.parse().unwrap(), first, drawn);
        assert_eq!([first("j", 0), first("pagedown", 0), first("G", 0), first("ctrl-d", 0)], [1, 3, 5, 2]);
        assert_eq!([first("down", 5), first("space", 4), first("k", 0), first("g", 5)], [5, 5, 0, 0]);
        assert_eq!(first_after("G".parse().unwrap(), 0, Extent { rows: 9, first: 0, total: 4 }), 0);
    }
}
