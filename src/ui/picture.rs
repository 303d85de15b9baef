//! What does the screen show, and what changed since the last frame? Two grids of cells.
//!
//! Deliberately elsewhere: writing them to a terminal (`terminal`).

use std::io;

use ratatui::{
    backend::{Backend as _, CrosstermBackend},
    buffer::{Buffer, Cell},
    layout::Rect,
    style::{Color, Modifier},
};

use super::{feedback::Feedback, geometry::Size, theme::Theme, widgets::Canvas};

/// The frame on the screen and the one before it.
#[derive(Debug)]
pub struct Picture {
    shown: Buffer,
    before: Buffer,
}

/// The cells that turn one frame into the next.
pub struct Changes<'a>(Vec<(u16, u16, &'a Cell)>);

impl Changes<'_> {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Appends the sequences that show them.
    ///
    /// # Errors
    /// None for a `Vec`.
    pub fn write(self, bytes: &mut Vec<u8>) -> io::Result<()> {
        CrosstermBackend::new(bytes).draw(self.0.into_iter())
    }
}

impl Picture {
    #[must_use]
    pub fn new(size: Size) -> Self {
        let empty = Buffer::empty(Rect::new(0, 0, size.columns, size.rows));
        Self { shown: empty.clone(), before: empty }
    }

    pub fn resize(&mut self, size: Size) {
        if self.shown.area != Rect::new(0, 0, size.columns, size.rows) {
            *self = Self::new(size);
        }
    }

    /// Takes the screen for blank.
    pub fn forget(&mut self) {
        self.shown.reset();
    }

    /// Draws the next frame.
    pub fn draw(&mut self, theme: &Theme, draw: impl FnOnce(Canvas<'_>) -> Feedback) -> Feedback {
        std::mem::swap(&mut self.shown, &mut self.before);
        self.shown.reset();
        draw(Canvas::new(&mut self.shown, theme))
    }

    /// What the last frame changed. Looks at every cell: ask once.
    #[must_use]
    pub fn changes(&self) -> Changes<'_> {
        Changes(self.before.diff(&self.shown))
    }

    /// The rows as text.
    #[must_use]
    pub fn rows(&self) -> Vec<String> {
        let width = usize::from(self.shown.area.width).max(1);
        let row = |cells: &[Cell]| {
            let mut text = String::with_capacity(width);
            let mut skip = 0;
            for cell in cells {
                if skip == 0 {
                    text.push_str(cell.symbol());
                    skip = super::widgets::canvas::width_of(cell.symbol()).max(1);
                }
                skip -= 1;
            }
            text
        };
        self.shown.content().chunks(width).map(row).collect()
    }

    /// Runs of cells with a style: row, first column, column after the last, style in words.
    #[must_use]
    pub fn style_runs(&self) -> Vec<(usize, usize, usize, String)> {
        let width = usize::from(self.shown.area.width).max(1);
        let mut runs: Vec<(usize, usize, usize, String)> = Vec::new();
        for (index, cell) in self.shown.content().iter().enumerate() {
            let (row, column) = (index / width, index % width);
            let style = style_words(cell);
            match runs.last_mut() {
                Some((last_row, _, end, last)) if *last_row == row && *last == style => *end = column + 1,
                Some(_) | None => runs.push((row, column, column + 1, style)),
            }
        }
        runs.retain(|(.., style)| !style.is_empty());
        runs
    }
}

fn style_words(cell: &Cell) -> String {
    let flags = [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::ITALIC, "italic"),
        (Modifier::UNDERLINED, "underline"),
        (Modifier::REVERSED, "reverse"),
    ];
    let mut words: Vec<String> =
        flags.into_iter().filter(|(flag, _)| cell.modifier.contains(*flag)).map(|(_, word)| word.to_owned()).collect();
    for (ground, colour) in [("fg", cell.fg), ("bg", cell.bg)] {
        if colour != Color::Reset {
            words.push(format!("{ground}={colour}"));
        }
    }
    words.join(" ")
}
