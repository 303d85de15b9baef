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

/// A key and what it does in a dialog or a line that is typed.
pub type Pair<'a> = (&'a str, &'a str);

/// Writes as many of a dialog's own keys as fit, whole ones only, the first ones first.
pub fn draw_pairs(canvas: &mut Canvas<'_>, area: Area, pairs: &[Pair<'_>]) {
    let theme = canvas.theme;
    let mut pen = canvas.pen(area.row(0));
    for (key, word) in pairs {
        if width_of(key) + 1 + width_of(word) > usize::from(pen.rest().width) {
            break;
        }
        pen.put(key, theme.key).gap(1).put(word, theme.dim).gap(3);
    }
}

/// Writes as many as fit, whole ones only, the first ones first. The last one, help, is always there.
pub fn draw(canvas: &mut Canvas<'_>, area: Area, hints: &[Hint]) {
    let theme = canvas.theme;
    let needed = |hint: &Hint| width_of(&hint.key) + 1 + width_of(&hint.word);
    let last = hints.last();
    let reserved = last.map_or(0, |last| needed(last) + 2);
    let mut pen = canvas.pen(area.row(0));
    let others = hints.iter().take(hints.len().saturating_sub(1));
    let room = usize::from(area.width);
    let mut used = 0;
    let fitting = others.take_while(|hint| {
        used += needed(hint) + 2;
        used + reserved <= room + 2
    });
    for hint in fitting.chain(last) {
        let hit = Hit::Action(hint.action);
        pen.button(&hint.key, theme.key, hit).gap(1).button(&hint.word, theme.dim, hit).gap(2);
    }
}
