//! Where on the screen is something? Rectangles in cells, and how they are divided.
//!
//! Deliberately elsewhere: what is drawn in them (`widgets`, the views).

/// Columns and rows of the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}

/// A rectangle of cells. Every division stays inside it, so an empty one divides into empty ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
}

impl Area {
    #[must_use]
    pub fn new(x: u16, y: u16, width: u16, height: u16) -> Self {
        Self { x, y, width, height }
    }

    #[must_use]
    pub fn whole(size: Size) -> Self {
        Self::new(0, 0, size.columns, size.rows)
    }

    #[must_use]
    pub fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    #[must_use]
    pub fn right(self) -> u16 {
        self.x.saturating_add(self.width)
    }

    #[must_use]
    pub fn bottom(self) -> u16 {
        self.y.saturating_add(self.height)
    }

    #[must_use]
    pub fn contains(self, x: u16, y: u16) -> bool {
        (self.x..self.right()).contains(&x) && (self.y..self.bottom()).contains(&y)
    }

    /// The first `rows` rows and the rest.
    #[must_use]
    pub fn split_top(self, rows: u16) -> (Self, Self) {
        let rows = rows.min(self.height);
        (Self { height: rows, ..self }, Self { y: self.y.saturating_add(rows), height: self.height - rows, ..self })
    }

    /// The rest and the last `rows` rows.
    #[must_use]
    pub fn split_bottom(self, rows: u16) -> (Self, Self) {
        self.split_top(self.height - rows.min(self.height))
    }

    /// The first `columns` columns and the rest.
    #[must_use]
    pub fn split_left(self, columns: u16) -> (Self, Self) {
        let columns = columns.min(self.width);
        (
            Self { width: columns, ..self },
            Self { x: self.x.saturating_add(columns), width: self.width - columns, ..self },
        )
    }

    /// The rest and the last `columns` columns.
    #[must_use]
    pub fn split_right(self, columns: u16) -> (Self, Self) {
        self.split_left(self.width - columns.min(self.width))
    }

    /// Without `columns` at both sides and `rows` at top and bottom.
    #[must_use]
    pub fn inset(self, columns: u16, rows: u16) -> Self {
        let columns = columns.min(self.width / 2);
        let rows = rows.min(self.height / 2);
        Self::new(self.x + columns, self.y + rows, self.width - 2 * columns, self.height - 2 * rows)
    }

    /// The row `index` rows below the top; empty when there is none.
    #[must_use]
    pub fn row(self, index: u16) -> Self {
        if index >= self.height {
            return Self { y: self.bottom(), height: 0, ..self };
        }
        Self { y: self.y + index, height: 1, ..self }
    }

    /// A rectangle of at most this size in the middle, a little above the centre as the eye expects.
    #[must_use]
    pub fn centred(self, width: u16, height: u16) -> Self {
        let width = width.min(self.width);
        let height = height.min(self.height);
        Self::new(self.x + (self.width - width) / 2, self.y + (self.height - height) * 2 / 5, width, height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisions_never_leave_the_area() {
        for (width, height) in [(0, 0), (1, 1), (3, 2), (80, 24)] {
            let area = Area::new(5, 7, width, height);
            for cut in [0, 1, 2, 50, u16::MAX] {
                for part in [area.split_top(cut), area.split_bottom(cut), area.split_left(cut), area.split_right(cut)] {
                    for part in [part.0, part.1] {
                        assert!(part.right() <= area.right() && part.bottom() <= area.bottom());
                    }
                }
                assert!(area.inset(cut, cut).right() <= area.right());
                assert!(area.centred(cut, cut).bottom() <= area.bottom());
            }
        }
    }

    #[test]
    fn a_row_that_is_not_there_is_empty() {
        assert!(Area::new(0, 0, 10, 2).row(2).is_empty());
        assert_eq!(Area::new(0, 3, 10, 2).row(1), Area::new(0, 4, 10, 1));
    }
}
