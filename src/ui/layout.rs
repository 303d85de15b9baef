//! How is the screen divided? Header, list, detail, footer, for every size there is.
//!
//! Deliberately elsewhere: drawing the parts (`view`).

use super::{
    geometry::{Area, Size},
    screens::Screen,
};

/// Narrower or lower than this, list and detail are shown one at a time.
const SPLIT_COLUMNS: u16 = 60;
const SPLIT_ROWS: u16 = 14;
/// From this width on, list and detail fit side by side.
const BESIDE_COLUMNS: u16 = 180;
const STEPS: i8 = 4;

/// How the person wants it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Split {
    pub arrangement: Arrangement,
    /// Steps by which the detail is larger than usual.
    pub grown: i8,
    pub zoom: Zoom,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrangement {
    /// As the width suggests.
    #[default]
    Auto,
    Beside,
    Stacked,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zoom {
    #[default]
    Both,
    Detail,
}

/// The parts; empty ones are not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    pub header: Area,
    pub list: Area,
    /// The line between list and detail when they are side by side.
    pub rule: Area,
    pub detail: Area,
    pub footer: Area,
}

impl Parts {
    #[must_use]
    pub fn of(size: Size, split: &Split, screen: Screen, detail_has_keys: bool, has_rows: bool) -> Self {
        let whole = Area::whole(size);
        let (header, rest) = whole.split_top(if size.rows >= 4 { 1 } else { 0 });
        let (main, footer) = rest.split_bottom(if size.rows >= 3 { 1 } else { 0 });
        let mut parts = Self { header, footer, ..Self::default() };
        let one_at_a_time = size.columns < SPLIT_COLUMNS || size.rows < SPLIT_ROWS || split.zoom == Zoom::Detail;
        match screen {
            Screen::Operations => parts.list = main,
            Screen::Containers | Screen::Images if !has_rows => parts.list = main,
            Screen::Containers | Screen::Images if one_at_a_time && detail_has_keys => parts.detail = main,
            Screen::Containers | Screen::Images if one_at_a_time => parts.list = main,
            Screen::Containers | Screen::Images => divide(main, split, &mut parts),
        }
        parts
    }
}

impl Split {
    pub fn grow(&mut self) {
        self.grown = (self.grown + 1).min(STEPS);
    }

    pub fn shrink(&mut self) {
        self.grown = (self.grown - 1).max(-STEPS);
    }

    /// The other arrangement than the one shown.
    pub fn turn(&mut self, size: Size) {
        self.arrangement = if self.is_beside(size.columns) { Arrangement::Stacked } else { Arrangement::Beside };
    }

    fn is_beside(&self, columns: u16) -> bool {
        match self.arrangement {
            Arrangement::Auto => columns >= BESIDE_COLUMNS,
            Arrangement::Beside => true,
            Arrangement::Stacked => false,
        }
    }
}

fn divide(main: Area, split: &Split, parts: &mut Parts) {
    let share = |whole: u16, percent: i32| {
        let percent = (percent + i32::from(split.grown) * 10).clamp(10, 90);
        u16::try_from(i32::from(whole) * percent / 100).unwrap_or(whole)
    };
    if split.is_beside(main.width) {
        let (list, rest) = main.split_right(share(main.width, 44));
        let (rule, detail) = rest.split_left(1);
        (parts.list, parts.rule, parts.detail) = (list, rule, detail);
    } else {
        (parts.list, parts.detail) = main.split_bottom(share(main.height, 45).max(3));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(columns: u16, rows: u16) -> Parts {
        Parts::of(Size { columns, rows }, &Split::default(), Screen::Containers, false, true)
    }

    #[test]
    fn every_size_has_a_design() {
        let wide = parts(200, 50);
        assert!(wide.rule.width == 1 && wide.detail.width > 60 && wide.list.width > 80);
        let standard = parts(80, 24);
        assert!(standard.list.height >= 10 && standard.detail.height >= 9 && standard.rule.is_empty());
        let small = parts(40, 10);
        assert!(small.detail.is_empty() && small.list.height == 8);
        for (columns, rows) in [(0, 0), (1, 1), (2, 2), (3, 3), (500, 1), (1, 500)] {
            let found = parts(columns, rows);
            assert!(found.list.bottom() <= rows && found.list.right() <= columns);
        }
    }

    #[test]
    fn the_parts_cover_the_screen_without_overlap() {
        for columns in [40, 60, 80, 120, 150, 200] {
            for rows in [3, 10, 14, 24, 60] {
                let found = parts(columns, rows);
                let all = [found.header, found.list, found.rule, found.detail, found.footer];
                let cells: u32 = all.iter().map(|area| u32::from(area.width) * u32::from(area.height)).sum();
                assert_eq!(cells, u32::from(columns) * u32::from(rows), "{columns}x{rows}");
            }
        }
    }
}
