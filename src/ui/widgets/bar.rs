//! How far is it? A bar in eighths of a cell.
//!
//! Deliberately elsewhere: the numbers (`engine::domain::Progress`).

use super::canvas::Canvas;
use crate::ui::geometry::Area;

/// Fills the first row of the area in proportion to `done` of `total`.
pub fn draw(canvas: &mut Canvas<'_>, area: Area, done: u64, total: u64) {
    let theme = canvas.theme;
    let eighths = u128::from(area.width) * 8;
    let filled = if total == 0 { 0 } else { u128::from(done.min(total)) * eighths / u128::from(total) };
    let whole = u16::try_from(filled / 8).unwrap_or(area.width);
    let part = usize::try_from(filled % 8).unwrap_or(0);
    let (full, rest) = area.row(0).split_left(whole);
    canvas.fill(rest, theme.glyphs.bar_rest, theme.dim);
    let full_sign = theme.glyphs.bar.last().copied().unwrap_or("#");
    canvas.fill(full, full_sign, theme.accent);
    if part > 0 {
        let sign = theme.glyphs.bar.get(part).copied().unwrap_or(" ");
        canvas.put(rest.split_left(1).0, sign, theme.accent);
    }
}

/// `61%`; nothing known is nothing shown.
#[must_use]
pub fn percent(done: u64, total: u64) -> String {
    if total == 0 {
        return String::new();
    }
    format!("{}%", u128::from(done.min(total)) * 100 / u128::from(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_over_a_hundred() {
        assert_eq!(percent(3, 2), "100%");
        assert_eq!(percent(0, 0), "");
        assert_eq!(percent(u64::MAX, u64::MAX), "100%");
    }
}
