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
        let mut pen = canvas.pen(above);
        pen.gap(1);
        // Those around the chosen one, when there are more than fit.
        let first = state.chosen.unwrap_or(0).saturating_sub(6);
        for (index, candidate) in state.candidates.iter().enumerate().skip(first).take(40) {
            let style = if state.chosen == Some(index) { theme.selected } else { theme.dim };
            pen.put(&SafeText::from_untrusted(candidate), style).gap(2);
        }
    }
}
