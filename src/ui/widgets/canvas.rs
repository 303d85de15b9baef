//! How does text get into the cells of the screen? Clipped to its area, wide characters never cut.
//!
//! Text given here is our own or already `SafeText`. Deliberately elsewhere: turning cells into bytes (`terminal`).

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
};

use crate::{
    text::{SafeText, wrap},
    ui::{
        feedback::{Feedback, Hit},
        geometry::Area,
        theme::Theme,
    },
};

/// A screen under construction, with what is learnt while drawing.
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    pub theme: &'a Theme,
    pub feedback: Feedback,
}

impl<'a> Canvas<'a> {
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme) -> Self {
        Self { buffer, theme, feedback: Feedback::default() }
    }

    /// The whole screen.
    #[must_use]
    pub fn area(&self) -> Area {
        let Rect { x, y, width, height } = self.buffer.area;
        Area::new(x, y, width, height)
    }

    /// Writes `text` at the start of the area's first row and returns the columns it took.
    pub fn put(&mut self, area: Area, text: &str, style: Style) -> u16 {
        if area.is_empty() || area.y >= self.buffer.area.bottom() || area.x >= self.buffer.area.right() {
            return 0;
        }
        // What was there before must not shine through: a name on a rule is not the rule's colour.
        let style = Style::reset().patch(style);
        if text.is_ascii() {
            return self.put_ascii(area, text, style);
        }
        let (end, _) = self.buffer.set_stringn(area.x, area.y, text, usize::from(area.width), style);
        end.saturating_sub(area.x)
    }

    /// Most text is ASCII, where a byte is a cell and nothing needs to be measured.
    fn put_ascii(&mut self, area: Area, text: &str, style: Style) -> u16 {
        let width = usize::from(area.width.min(self.buffer.area.right().saturating_sub(area.x)));
        let mut x = area.x;
        for letter in text.chars().filter(|letter| !letter.is_ascii_control()).take(width) {
            if let Some(cell) = self.buffer.cell_mut((x, area.y)) {
                cell.set_char(letter).set_style(style);
            }
            x = x.saturating_add(1);
        }
        x - area.x
    }

    /// Writes `text` so that it ends with the area; what does not fit is cut at its end with `…`.
    pub fn put_right(&mut self, area: Area, text: &str, style: Style) -> u16 {
        let width = u16::try_from(width_of(text)).unwrap_or(u16::MAX).min(area.width);
        put_cut(self, area.split_right(width).1, text, style)
    }

    /// Writes `text` in the middle of the area's first row, cut at its end with `…` where it does not fit.
    pub fn put_centred(&mut self, area: Area, text: &str, style: Style) -> u16 {
        let width = u16::try_from(width_of(text)).unwrap_or(u16::MAX).min(area.width);
        let (_, right) = area.split_left((area.width - width) / 2);
        put_cut(self, right, text, style)
    }

    /// Writes a sentence in the middle, from the area's first row on, and returns what is left below it. A sentence
    /// longer than the rows there are is cut with `…`.
    pub fn put_sentence(&mut self, area: Area, text: &str, style: Style) -> Area {
        let lines = wrap(text, usize::from(area.width.saturating_sub(2)));
        let (place, rest) = area.split_top(u16::try_from(lines.len()).unwrap_or(u16::MAX));
        let last = place.height.saturating_sub(1);
        for (row, line) in (0..place.height).zip(&lines) {
            if row == last && lines.len() > usize::from(place.height) {
                self.put_centred(place.row(row), &format!("{line} …"), style);
            } else {
                self.put_centred(place.row(row), line, style);
            }
        }
        rest
    }

    /// Repeats a one-column sign over the whole area.
    pub fn fill(&mut self, area: Area, sign: &str, style: Style) {
        self.each_cell(area, |cell| {
            cell.set_symbol(sign).set_style(style);
        });
    }

    /// Makes the area blank, whatever was there.
    pub fn clear(&mut self, area: Area) {
        self.each_cell(area, ratatui::buffer::Cell::reset);
    }

    /// Lays a style over what is there. A style with a background hides the colours of the text, or a dim
    /// word could vanish in the bar of the selected row.
    pub fn overlay(&mut self, area: Area, style: Style) {
        let hides = style.bg.is_some() || style.add_modifier.contains(Modifier::REVERSED);
        self.each_cell(area, |cell| {
            if hides {
                cell.set_style(Style::reset());
            }
            cell.set_style(style);
        });
    }

    /// A line across the area's first row.
    pub fn rule(&mut self, area: Area) {
        let (sign, style) = (self.theme.glyphs.rule, self.theme.rule);
        self.fill(area.row(0), sign, style);
    }

    /// A line down the area's first column.
    pub fn vertical_rule(&mut self, area: Area) {
        let (sign, style) = (self.theme.glyphs.vertical, self.theme.rule);
        self.fill(Area { width: area.width.min(1), ..area }, sign, style);
    }

    /// Says what lies there, for the mouse.
    pub fn hit(&mut self, area: Area, hit: Hit) {
        if !area.is_empty() {
            self.feedback.hits.push((area, hit));
        }
    }

    /// Writes pieces one after the other along a row.
    pub fn pen(&mut self, area: Area) -> Pen<'_, 'a> {
        Pen { canvas: self, rest: Area { height: area.height.min(1), ..area } }
    }

    fn each_cell(&mut self, area: Area, mut change: impl FnMut(&mut ratatui::buffer::Cell)) {
        let bounds = self.buffer.area;
        for y in area.y..area.bottom().min(bounds.bottom()) {
            for x in area.x..area.right().min(bounds.right()) {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    change(cell);
                }
            }
        }
    }
}

/// A place on a row that moves to the right as things are written.
pub struct Pen<'c, 'a> {
    canvas: &'c mut Canvas<'a>,
    rest: Area,
}

impl<'a> Pen<'_, 'a> {
    #[must_use]
    pub fn theme(&self) -> &'a Theme {
        self.canvas.theme
    }

    pub fn put(&mut self, text: &str, style: Style) -> &mut Self {
        let used = self.canvas.put(self.rest, text, style);
        self.advance(used)
    }

    pub fn gap(&mut self, columns: u16) -> &mut Self {
        self.advance(columns)
    }

    /// A column of a fixed width, the text cut at its end with `…`.
    pub fn column(&mut self, width: u16, text: &str, style: Style) -> &mut Self {
        let (cell, _) = self.rest.split_left(width);
        put_cut(self.canvas, cell, text, style);
        self.advance(width)
    }

    /// The same, cut in the middle: names of images, ids, paths.
    pub fn column_middle(&mut self, width: u16, text: &str, style: Style) -> &mut Self {
        let (cell, _) = self.rest.split_left(width);
        if width_of(text) <= usize::from(cell.width) {
            self.canvas.put(cell, text, style);
        } else {
            let safe = SafeText::from_untrusted(text);
            self.canvas.put(cell, &safe.truncate_middle(usize::from(cell.width)), style);
        }
        self.advance(width)
    }

    /// A column of a fixed width, aligned to the right.
    pub fn column_right(&mut self, width: u16, text: &str, style: Style) -> &mut Self {
        let (cell, _) = self.rest.split_left(width);
        self.canvas.put_right(cell, text, style);
        self.advance(width)
    }

    /// Like [`Pen::put`], and a click on it does something.
    pub fn button(&mut self, text: &str, style: Style, hit: Hit) -> &mut Self {
        let used = self.canvas.put(self.rest, text, style);
        let (area, _) = self.rest.split_left(used);
        self.canvas.hit(area, hit);
        self.advance(used)
    }

    /// Says what lies at a place, for the mouse.
    pub fn hit(&mut self, area: Area, hit: Hit) {
        self.canvas.hit(area, hit);
    }

    /// What is left of the row.
    #[must_use]
    pub fn rest(&self) -> Area {
        self.rest
    }

    fn advance(&mut self, columns: u16) -> &mut Self {
        self.rest = self.rest.split_left(columns).1;
        self
    }
}

/// Writes `text`, cut at its end with `…` where it does not fit.
pub fn put_cut(canvas: &mut Canvas<'_>, area: Area, text: &str, style: Style) -> u16 {
    if width_of(text) <= usize::from(area.width) {
        return canvas.put(area, text, style);
    }
    let safe = SafeText::from_untrusted(text);
    canvas.put(area, &safe.truncate_end(usize::from(area.width)), style)
}

/// Columns of a text that is already safe.
#[must_use]
pub fn width_of(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { SafeText::from_untrusted(text).width() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::GlyphSet;

    fn drawn(width: u16, draw: impl FnOnce(&mut Canvas<'_>)) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, 1));
        let theme = Theme::plain("test", GlyphSet::Unicode);
        draw(&mut Canvas::new(&mut buffer, &theme));
        buffer.content().iter().map(|cell| cell.symbol().to_owned()).collect()
    }

    #[test]
    fn a_wide_character_is_never_cut() {
        let whole = Area::new(0, 0, 3, 1);
        assert_eq!(drawn(5, |canvas| _ = canvas.put(whole, "日本", Style::new())), "日    ");
        assert_eq!(
            drawn(4, |canvas| _ = put_cut(canvas, whole, "日本語", Style::new())),
            "日 … ".trim_end().to_owned() + " "
        );
    }

    #[test]
    fn columns_align_and_say_that_something_was_cut() {
        let text = drawn(16, |canvas| {
            let whole = canvas.area();
            canvas.pen(whole).column(6, "abcdefgh", Style::new()).gap(1).column_right(4, "42", Style::new());
        });
        assert_eq!(text, "abcde…   42     ");
        let text = drawn(9, |canvas| {
            let whole = canvas.area();
            canvas.pen(whole).column_middle(9, "registry/app:1.27", Style::new());
        });
        assert_eq!(text, "regi…1.27");
    }

    #[test]
    fn a_sentence_goes_on_in_the_next_row_and_is_cut_only_below_the_last() {
        let rows = |height: u16| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 12, height));
            let theme = Theme::plain("test", GlyphSet::Unicode);
            let mut canvas = Canvas::new(&mut buffer, &theme);
            let rest = canvas.put_sentence(canvas.area(), "No answer from it", Style::new());
            let text: String = buffer.content().iter().map(|cell| cell.symbol().to_owned()).collect();
            (text, rest.height)
        };
        assert_eq!(rows(3), (" No answer    from it               ".to_owned(), 1));
        assert_eq!(rows(1), ("No answer … ".to_owned(), 0));
    }

    #[test]
    fn nothing_is_written_outside() {
        for area in [Area::new(9, 9, 5, 5), Area::new(0, 0, 0, 0), Area::new(2, 0, 9, 9)] {
            drawn(3, |canvas| {
                canvas.put(area, "text", Style::new());
                canvas.put(area, "文字", Style::new());
                canvas.fill(area, "x", Style::new());
                canvas.overlay(area, Style::new());
            });
        }
    }
}
