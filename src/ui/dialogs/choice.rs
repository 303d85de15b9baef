//! Which one of a few? A short list with a letter each.
//!
//! Deliberately elsewhere: what the choices are (`ui::update`).

use super::{Reaction, Wish};
use crate::{
    text::SafeText,
    ui::{
        cursor::first_shown,
        feedback::Hit,
        input::{Key, KeyCode, Modifiers},
        widgets::{
            Canvas,
            canvas::{put_cut, width_of},
            dialog_box, hints,
        },
    },
};

#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub title: String,
    pub lines: Vec<String>,
    pub items: Vec<Item>,
    pub index: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub key: char,
    pub label: String,
    pub note: String,
    pub wish: Wish,
}

impl State {
    pub fn key(&mut self, key: Key) -> Reaction {
        let last = self.items.len().saturating_sub(1);
        if key.modifiers != Modifiers::None {
            return Reaction::Stay;
        }
        match key.code {
            KeyCode::Esc => Reaction::Close,
            KeyCode::Enter => self.choose(self.index),
            KeyCode::Down | KeyCode::Tab | KeyCode::Char('j') => {
                self.index = (self.index + 1).min(last);
                Reaction::Stay
            }
            KeyCode::Up | KeyCode::BackTab | KeyCode::Char('k') => {
                self.index = self.index.saturating_sub(1);
                Reaction::Stay
            }
            KeyCode::Char(letter) => match self.items.iter().position(|item| item.key == letter) {
                Some(index) => self.choose(index),
                None if letter == 'q' => Reaction::Close,
                None => Reaction::Stay,
            },
            KeyCode::Backspace
            | KeyCode::Delete
            | KeyCode::Insert
            | KeyCode::Left
            | KeyCode::Right
            | KeyCode::Home
            | KeyCode::End
            | KeyCode::PageUp
            | KeyCode::PageDown
            | KeyCode::Function(_) => Reaction::Stay,
        }
    }

    pub fn choose(&mut self, index: usize) -> Reaction {
        self.items.get(index).map_or(Reaction::Stay, |item| Reaction::Want(vec![item.wish.clone()]))
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>) {
        let theme = canvas.theme;
        let label = self.items.iter().map(|item| width_of(&item.label)).max().unwrap_or(0);
        let note = self.items.iter().map(|item| width_of(&item.note)).max().unwrap_or(0);
        let lines = self.lines.iter().map(|line| width_of(line)).max().unwrap_or(0);
        let width = u16::try_from((label + note + 8).max(lines).clamp(30, 76) + 2).unwrap_or(76);
        let items = u16::try_from(self.items.len()).unwrap_or(u16::MAX);
        let above = u16::try_from(self.lines.len()).unwrap_or(0);
        let gap = u16::from(above > 0);
        let total = items.saturating_add(above + gap + 2);
        let inner = dialog_box::draw(canvas, &self.title, width, total, theme.rule).inset(1, 0);
        let is_whole = inner.height >= total;
        for (row, line) in (0..).zip(&self.lines) {
            put_cut(canvas, inner.row(row), line, theme.text);
        }
        let (_, rest) = inner.split_top(above + gap);
        // On a short screen the choices around the current one come before the keys.
        let (list, foot) = rest.split_bottom(if is_whole { 2 } else { 0 });
        let first = first_shown(0, self.index, self.items.len(), usize::from(list.height));
        let label = u16::try_from(label).unwrap_or(width);
        for (row, (index, item)) in (0..list.height).zip(self.items.iter().enumerate().skip(first)) {
            let place = list.row(row);
            let key = item.key.to_string();
            let mut pen = canvas.pen(place);
            pen.put(&key, theme.key).gap(2).column(label, &SafeText::from_untrusted(&item.label), theme.text).gap(2);
            let room = pen.rest().width;
            pen.column(room, &SafeText::from_untrusted(&item.note), theme.dim);
            canvas.hit(place, Hit::DialogItem(index));
            if index == self.index {
                let (_, chip) = place.split_left(2);
                canvas.overlay(chip.split_left(label + 2).0, theme.selected);
            }
        }
        hints::draw_pairs(canvas, foot.row(1), &[("enter", "chooses"), ("esc", "leaves")]);
    }
}
