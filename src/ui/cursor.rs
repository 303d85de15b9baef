//! Which row of a list is current, and which is the first one shown?
//!
//! Deliberately elsewhere: what the rows are (each screen keeps the id of its current object).

/// A position in a list of changing length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    pub index: usize,
    /// The first row shown, as far as the last frame knew.
    pub first: usize,
}

/// A movement of the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Up(usize),
    Down(usize),
    First,
    Last,
}

impl Cursor {
    /// Moves within `total` rows, of which `shown` fit on the screen.
    pub fn step(&mut self, step: Step, total: usize, shown: usize) {
        let last = total.saturating_sub(1);
        self.index = match step {
            Step::Up(rows) => self.index.saturating_sub(rows),
            Step::Down(rows) => self.index.saturating_add(rows).min(last),
            Step::First => 0,
            Step::Last => last,
        };
        self.first = first_shown(self.first, self.index, total, shown);
    }

    /// Puts the cursor on a row after the list changed, keeping the picture still where that is possible.
    pub fn place(&mut self, index: usize, total: usize, shown: usize) {
        self.index = index.min(total.saturating_sub(1));
        self.first = first_shown(self.first, self.index, total, shown);
    }

    /// Moves the picture, and the cursor only as far as it must to stay in it.
    pub fn scroll(&mut self, step: Step, total: usize, shown: usize) {
        let most = total.saturating_sub(shown);
        self.first = match step {
            Step::Up(rows) => self.first.saturating_sub(rows),
            Step::Down(rows) => self.first.saturating_add(rows).min(most),
            Step::First => 0,
            Step::Last => most,
        };
        let last = self.first.saturating_add(shown.saturating_sub(1)).min(total.saturating_sub(1));
        self.index = self.index.clamp(self.first.min(last), last);
    }
}

/// The first row to show so that `index` is in view: the old one if it will do.
#[must_use]
pub fn first_shown(first: usize, index: usize, total: usize, shown: usize) -> usize {
    let most = total.saturating_sub(shown);
    let first = first.min(most);
    if index < first {
        index
    } else if shown > 0 && index >= first + shown {
        index + 1 - shown
    } else {
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_in_the_list_and_in_view() {
        let mut cursor = Cursor::default();
        for (step, index, first) in [
            (Step::Up(1), 0, 0),
            (Step::Down(1), 1, 0),
            (Step::Down(4), 5, 2),
            (Step::Last, 9, 6),
            (Step::Down(1), 9, 6),
            (Step::Up(2), 7, 6),
            (Step::First, 0, 0),
        ] {
            cursor.step(step, 10, 4);
            assert_eq!((cursor.index, cursor.first), (index, first), "{step:?}");
        }
    }

    #[test]
    fn an_empty_list_and_a_screen_without_rows_do_no_harm() {
        let mut cursor = Cursor { index: 7, first: 7 };
        cursor.place(7, 0, 4);
        assert_eq!(cursor, Cursor::default());
        cursor.step(Step::Down(1), 3, 0);
        cursor.scroll(Step::Down(1), 0, 0);
        assert!(cursor.index < 3);
    }

    #[test]
    fn scrolling_moves_the_picture_first() {
        let mut cursor = Cursor { index: 0, first: 0 };
        cursor.scroll(Step::Down(3), 10, 4);
        assert_eq!((cursor.index, cursor.first), (3, 3));
        cursor.scroll(Step::Up(1), 10, 4);
        assert_eq!((cursor.index, cursor.first), (3, 2));
    }
}
