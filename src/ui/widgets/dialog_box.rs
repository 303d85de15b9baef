//! What does every dialog have around it? A border, a title, a blank margin.
//!
//! Deliberately elsewhere: what is inside (`dialogs`).

use super::canvas::{Canvas, put_cut};
use crate::ui::{feedback::Hit, geometry::Area, theme::Style};

/// Draws the frame in the middle of the screen and returns the area inside it.
pub fn draw(canvas: &mut Canvas<'_>, title: &str, width: u16, rows: u16, border: Style) -> Area {
    let screen = canvas.area();
    let outer = screen.centred(width.saturating_add(4).min(screen.width), rows.saturating_add(2));
    frame(canvas, outer, title, border)
}

/// Draws the frame at a place of its own.
pub fn frame(canvas: &mut Canvas<'_>, outer: Area, title: &str, border: Style) -> Area {
    let glyphs = canvas.theme.glyphs;
    canvas.clear(outer);
    canvas.hit(outer, Hit::Dialog);
    if outer.width < 4 || outer.height < 3 {
        return outer;
    }
    let (top, rest) = outer.split_top(1);
    let (middle, bottom) = rest.split_bottom(1);
    canvas.fill(top, glyphs.rule, border);
    canvas.fill(bottom, glyphs.rule, border);
    for side in [middle.split_left(1).0, middle.split_right(1).1] {
        canvas.fill(side, glyphs.vertical, border);
    }
    let [top_left, top_right, bottom_left, bottom_right] = glyphs.corners;
    canvas.put(top.split_left(1).0, top_left, border);
    canvas.put(top.split_right(1).1, top_right, border);
    canvas.put(bottom.split_left(1).0, bottom_left, border);
    canvas.put(bottom.split_right(1).1, bottom_right, border);
    let strong = canvas.theme.strong;
    if !title.is_empty() {
        let place = top.inset(2, 0);
        let spaced = format!(" {title} ");
        put_cut(canvas, place, &spaced, strong);
    }
    outer.inset(2, 1)
}
