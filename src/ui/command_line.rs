//! What is being typed after `:`, and what could follow?
//!
//! Deliberately elsewhere: what a line means (`ui::update::command_line`).

use super::{
    geometry::Area,
    widgets::{Canvas, TextField, canvas::put_cut},
};
use crate::text::SafeText;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub field: TextField,
    /// Position in the history while going through it, from its end.
    pub back: usize,
    /// What could stand where the cursor is.
    pub candidates: Vec<String>,
    /// The candidate that Tab put in last.
    pub chosen: Option<usize>,
    /// The text before the first Tab.
    pub typed: String,
    pub problem: Option<String>,
}

/// Draws the line, and above it what Tab would put in, or why the line will not do.
pub fn draw(canvas: &mut Canvas<'_>, line: Area, above: Area, state: &State) {
    let theme = canvas.theme;
    canvas.clear(line);
    let used = canvas.put(line, ":", theme.accent);
    state.field.draw(canvas, line.split_left(used).1);
    if let Some(problem) = &state.problem {
        canvas.clear(above);
        put_cut(canvas, above, &format!(" {}", SafeText::from_untrusted(problem)), theme.error);
    } else if !state.candidates.is_empty() {
        canvas.clear(above);
        draw_candidates(canvas, above.inset(1, 0), state);
    }
}

/// Those around the chosen one, whole ones only, with a mark where there are more.
fn draw_candidates(canvas: &mut Canvas<'_>, area: Area, state: &State) {
    let theme = canvas.theme;
    let room = usize::from(area.width);
    let words: Vec<SafeText<'_>> = state.candidates.iter().map(|word| SafeText::from_untrusted(word)).collect();
    let chosen = state.chosen.unwrap_or(0);
    // From the chosen one back as far as there is room, so that it stays in view; the marks take room, too.
    let mut used = 6;
    let back = words.iter().take(chosen + 1).rev().take_while(|word| {
        used += word.width() + 2;
        used <= room
    });
    let first = (chosen + 1).saturating_sub(back.count().max(1));
    let mut pen = canvas.pen(area);
    if first > 0 {
        pen.put("…", theme.dim).gap(2);
    }
    for (index, word) in words.iter().enumerate().skip(first) {
        let rest = usize::from(pen.rest().width);
        let after = if index + 1 < words.len() { 3 } else { 0 };
        if word.width() + after > rest && index > chosen {
            pen.put("…", theme.dim);
            break;
        }
        let style = if state.chosen == Some(index) { theme.selected } else { theme.dim };
        let width = u16::try_from(word.width()).unwrap_or(u16::MAX).min(pen.rest().width);
        pen.column(width, word, style).gap(2);
    }
}
