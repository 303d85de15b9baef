//! Which characters of foreign text may reach a terminal, and what stands for the others.
//! Colours, wrapping and layout are elsewhere; a raw attach session deliberately bypasses this.

use std::borrow::Cow;
use std::fmt;
use std::fmt::Write as _;
use std::ops::Deref;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Marks kept after one base character; more than this is a flood, not a language.
const MAX_MARKS: usize = 8;
const ELLIPSIS: &str = "…";

/// Text from outside (names, labels, logs, image configuration, daemon and registry errors) that is
/// safe to print on one line: no control, escape, bidi, zero-width or private-use character is left,
/// each is shown as a visible stand-in (`␛`, `\u{202e}`, `\xff`).
///
/// A stand-in is ordinary text: what was literally written `\u{202e}` looks the same. This type is for
/// looking at, never for feeding back to an engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SafeText<'a>(Cow<'a, str>);

/// What happens to a line feed and to a tab; everything else has one treatment.
#[derive(Clone, Copy)]
struct Layout {
    newline: Newline,
    tab: Tab,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Newline {
    Show,
    Keep,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Show,
    Expand(usize),
}

const ONE_LINE: Layout = Layout { newline: Newline::Show, tab: Tab::Show };
const SEVERAL_LINES: Layout = Layout { newline: Newline::Keep, tab: Tab::Expand(8) };

impl<'a> SafeText<'a> {
    /// Makes foreign text safe; plain text is borrowed, not copied.
    pub fn from_untrusted(text: &'a str) -> Self {
        Self(escape(text, ONE_LINE))
    }

    /// As [`SafeText::from_untrusted`]; bytes that are not UTF-8 are shown as `\xff`.
    pub fn from_bytes(bytes: &'a [u8]) -> Self {
        Self(escape_bytes(bytes, ONE_LINE))
    }

    /// One line of a log: its line ending is dropped, tabs become spaces up to the next multiple of
    /// `tab_width` columns (0 counts as 1), the rest as [`SafeText::from_bytes`].
    pub fn log_line(line: &'a [u8], tab_width: usize) -> Self {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Self(escape_bytes(line, Layout { newline: Newline::Show, tab: Tab::Expand(tab_width.max(1)) }))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Columns this text takes, counted per grapheme as the screen buffer counts them.
    pub fn width(&self) -> usize {
        columns(&self.0)
    }

    /// Detaches the text from what it was made of.
    pub fn into_owned(self) -> SafeText<'static> {
        SafeText(Cow::Owned(self.0.into_owned()))
    }

    /// At most `width` columns; what does not fit is cut at the end and marked with `…`.
    pub fn truncate_end(&self, width: usize) -> SafeText<'_> {
        if self.width() <= width {
            return SafeText(Cow::Borrowed(&self.0));
        }
        let Some(room) = width.checked_sub(1) else {
            return SafeText::default();
        };
        SafeText(Cow::Owned([head(&self.0, room), ELLIPSIS].concat()))
    }

    /// At most `width` columns; what does not fit is cut in the middle and marked with `…`, so that both
    /// the beginning and the end of a path or an image reference stay readable.
    pub fn truncate_middle(&self, width: usize) -> SafeText<'_> {
        if self.width() <= width {
            return SafeText(Cow::Borrowed(&self.0));
        }
        let Some(room) = width.checked_sub(1) else {
            return SafeText::default();
        };
        let end = tail(&self.0, room / 2);
        let start = head(&self.0, room - columns(end));
        SafeText(Cow::Owned([start, ELLIPSIS, end].concat()))
    }
}

impl Deref for SafeText<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for SafeText<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SafeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<'a> From<SafeText<'a>> for Cow<'a, str> {
    fn from(text: SafeText<'a>) -> Self {
        text.0
    }
}

impl From<SafeText<'_>> for String {
    fn from(text: SafeText<'_>) -> Self {
        text.0.into_owned()
    }
}

impl From<String> for SafeText<'static> {
    fn from(text: String) -> Self {
        SafeText::from_untrusted(&text).into_owned()
    }
}

/// Makes text of several lines safe for stdout or stderr: as [`SafeText::from_untrusted`], but line feeds
/// stay and tabs become spaces.
pub fn escape_for_terminal(text: &str) -> Cow<'_, str> {
    escape(text, SEVERAL_LINES)
}

fn escape(text: &str, layout: Layout) -> Cow<'_, str> {
    if is_plain_ascii(text.as_bytes()) || is_clean(text) {
        return Cow::Borrowed(text);
    }
    let mut escaper = Escaper::new(text.len(), layout);
    escaper.push_str(text);
    Cow::Owned(escaper.finish())
}

fn escape_bytes(bytes: &[u8], layout: Layout) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return escape(text, layout);
    }
    let mut escaper = Escaper::new(bytes.len(), layout);
    for chunk in bytes.utf8_chunks() {
        escaper.push_str(chunk.valid());
        for byte in chunk.invalid() {
            escaper.push_stand_in(format_args!("\\x{byte:02x}"));
        }
    }
    Cow::Owned(escaper.finish())
}

fn is_plain_ascii(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, 0x20..=0x7e))
}

/// True when escaping would change nothing, so that clean text in any script is borrowed too.
fn is_clean(text: &str) -> bool {
    let mut marks = MAX_MARKS; // A mark with nothing before it has no base: not clean.
    text.chars().all(|c| {
        if is_dangerous(c) || is_presentation_selector(c) {
            return false;
        }
        marks = if is_mark(c) { marks + 1 } else { 0 };
        marks <= MAX_MARKS
    })
}

struct Escaper {
    out: String,
    layout: Layout,
    column: usize,
    marks: usize,
    last: Option<char>,
}

impl Escaper {
    fn new(capacity: usize, layout: Layout) -> Self {
        Self { out: String::with_capacity(capacity + 16), layout, column: 0, marks: 0, last: None }
    }

    fn push_str(&mut self, text: &str) {
        for c in text.chars() {
            self.push(c);
        }
    }

    fn push(&mut self, c: char) {
        match (c, self.layout) {
            ('\n', Layout { newline: Newline::Keep, .. }) => {
                self.out.push('\n');
                self.column = 0;
                self.last = None;
                return;
            }
            ('\t', Layout { tab: Tab::Expand(width), .. }) => {
                let spaces = width - self.column % width;
                self.out.extend(std::iter::repeat_n(' ', spaces));
                self.column += spaces;
                self.last = Some(' ');
                self.marks = 0;
                return;
            }
            _ => {}
        }
        if let Some(picture) = control_picture(c) {
            self.push_visible(picture);
        } else if is_presentation_selector(c) && self.last.is_some_and(|last| !last.is_ascii()) {
            // Only asks for the colour or the text drawing of the symbol before it, and terminals
            // disagree about its width: leaving it out keeps columns true and loses no word.
        } else if is_dangerous(c) || is_presentation_selector(c) {
            self.push_stand_in(format_args!("\\u{{{:x}}}", u32::from(c)));
        } else if is_mark(c) {
            self.push_mark(c);
        } else {
            self.push_visible(c);
        }
    }

    fn push_mark(&mut self, c: char) {
        if self.last.is_none() {
            // Without a base it would land on whatever was drawn before this text.
            self.push_stand_in(format_args!("\\u{{{:x}}}", u32::from(c)));
            return;
        }
        self.marks += 1;
        if self.marks <= MAX_MARKS {
            self.out.push(c);
        } else if self.marks == MAX_MARKS + 1 {
            self.out.push_str(ELLIPSIS);
            self.column += 1;
        }
    }

    fn push_visible(&mut self, c: char) {
        self.out.push(c);
        self.column += UnicodeWidthChar::width(c).unwrap_or(0);
        self.marks = 0;
        self.last = Some(c);
    }

    fn push_stand_in(&mut self, stand_in: fmt::Arguments<'_>) {
        let before = self.out.len();
        self.out.write_fmt(stand_in).expect("writing to a String cannot fail");
        self.column += self.out.len() - before; // Stand-ins of this kind are ASCII.
        self.marks = 0;
        self.last = Some('}');
    }

    fn finish(self) -> String {
        self.out
    }
}

/// The one-column picture Unicode has for a C0 control or DEL.
fn control_picture(c: char) -> Option<char> {
    match u32::from(c) {
        code @ 0..=0x1f => char::from_u32(0x2400 + code),
        0x7f => Some('\u{2421}'),
        _ => None,
    }
}

/// Variation selectors 15 and 16.
fn is_presentation_selector(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}')
}

/// Draws nothing of its own but changes the character before it.
fn is_mark(c: char) -> bool {
    !c.is_ascii() && UnicodeWidthChar::width(c) == Some(0)
}

/// Controls (Cc), formats (Cf), private use (Co), line separators and the fillers that draw nothing:
/// whatever can move the cursor, reorder, hide or fake the text around it.
fn is_dangerous(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    matches!(u32::from(c),
        0x80..=0x9f                     // C1: 0x9b is CSI, 0x9d OSC, 0x90 DCS
        | 0xad | 0x34f | 0x61c          // soft hyphen, grapheme joiner, Arabic letter mark
        | 0x600..=0x605 | 0x6dd | 0x70f | 0x890..=0x891 | 0x8e2
        | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f
        | 0x200b..=0x200f               // zero width, direction marks
        | 0x2028..=0x202e               // separators, embeddings and overrides
        | 0x2060..=0x206f               // joiners, invisible operators, isolates
        | 0x3164 | 0xfdd0..=0xfdef | 0xfe00..=0xfe0d | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
        | 0x110bd | 0x110cd | 0x13430..=0x1345f | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
        | 0xe000..=0xf8ff               // private use
        | 0xe0000..=0x10ffff             // tags, selectors, private use: nothing up here is text
    ) || u32::from(c) & 0xfffe == 0xfffe // never a character in any plane
}

fn columns(text: &str) -> usize {
    if is_plain_ascii(text.as_bytes()) {
        return text.len();
    }
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// The longest start of `text` that takes at most `room` columns.
fn head(text: &str, room: usize) -> &str {
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += grapheme.width();
        if used > room {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// The longest end of `text` that takes at most `room` columns.
fn tail(text: &str, room: usize) -> &str {
    let mut used = 0;
    let mut from = text.len();
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        used += grapheme.width();
        if used > room {
            break;
        }
        from = at;
    }
    text.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests;
