//! How are keys and what they do written side by side?
//!
//! Deliberately elsewhere: which of them apply now (`ui::update::offer`).

use super::canvas::{Canvas, width_of};
use crate::ui::{feedback::Hit, geometry::Area, keymap::Action};

/// One key and its word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    pub key: String,
    pub word: String,
    pub action: Action,
}

/// Writes as many as fit, whole ones only, the first ones first.
pub fn draw(canvas: &mut Canvas<'_>, area: Area, hints: &[Hint]) {
    let theme = canvas.theme;
    let mut pen = canvas.pen(area.row(0));
    for hint in hints {
        let needed = width_of(&hint.key) + 1 + width_of(&hint.word);
        if needed > usize::from(pen.rest().width) {
            break;
        }
        let hit = Hit::Action(hint.action);
        pen.button(&hint.key, theme.key, hit).gap(1).button(&hint.word, theme.dim, hit).gap(2);
    }
}
