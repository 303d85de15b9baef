//! Which signs stand for states and parts? A Unicode set and one in plain ASCII, each sign one column wide.
//!
//! Deliberately elsewhere: the words beside them (`screens::containers::view_model`).

/// The two sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GlyphSet {
    #[default]
    Unicode,
    Ascii,
}

/// One sign per meaning.
#[derive(Debug, PartialEq, Eq)]
pub struct Glyphs {
    pub running: &'static str,
    pub stopped: &'static str,
    pub failed: &'static str,
    pub paused: &'static str,
    pub restarting: &'static str,
    pub busy: &'static str,
    pub warning: &'static str,
    pub unknown: &'static str,
    pub created: &'static str,
    pub done: &'static str,
    pub jobs: &'static str,
    pub cursor: &'static str,
    pub marked: &'static str,
    pub reason: &'static str,
    pub rule: &'static str,
    pub vertical: &'static str,
    pub cross: &'static str,
    pub corners: [&'static str; 4],
    pub bar: [&'static str; 9],
    pub bar_rest: &'static str,
    pub folded: &'static str,
    pub unfolded: &'static str,
    pub ascending: &'static str,
    pub descending: &'static str,
    pub on: &'static str,
    pub off: &'static str,
    pub dot: &'static str,
    pub wrapped: &'static str,
    pub thumb: &'static str,
    pub mask: &'static str,
}

impl GlyphSet {
    #[must_use]
    pub fn glyphs(self) -> &'static Glyphs {
        match self {
            Self::Unicode => &UNICODE,
            Self::Ascii => &ASCII,
        }
    }
}

static UNICODE: Glyphs = Glyphs {
    running: "●",
    stopped: "○",
    failed: "✗",
    paused: "‖",
    restarting: "◐",
    busy: "…",
    warning: "⚠",
    unknown: "?",
    created: "○",
    done: "✓",
    jobs: "↻",
    cursor: "┃",
    marked: "◆",
    reason: "└",
    rule: "─",
    vertical: "│",
    cross: "┼",
    corners: ["╭", "╮", "╰", "╯"],
    bar: [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
    bar_rest: "·",
    folded: "▸",
    unfolded: "▾",
    ascending: "▴",
    descending: "▾",
    on: "●",
    off: "○",
    dot: "·",
    wrapped: "↪",
    thumb: "▐",
    mask: "••••••••",
};

static ASCII: Glyphs = Glyphs {
    running: "*",
    stopped: "-",
    failed: "x",
    paused: "=",
    restarting: "@",
    busy: "~",
    warning: "!",
    unknown: "?",
    created: "-",
    done: "+",
    jobs: "@",
    cursor: ">",
    marked: "#",
    reason: "`",
    rule: "-",
    vertical: "|",
    cross: "+",
    corners: ["+", "+", "+", "+"],
    bar: [" ", " ", " ", " ", "=", "=", "=", "=", "="],
    bar_rest: ".",
    folded: "+",
    unfolded: "-",
    ascending: "^",
    descending: "v",
    on: "*",
    off: "-",
    dot: "-",
    wrapped: "\\",
    thumb: "|",
    mask: "********",
};

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr as _;

    use super::*;

    #[test]
    fn every_sign_is_one_column_wide() {
        for set in [&UNICODE, &ASCII] {
            let singles = [
                set.running,
                set.stopped,
                set.failed,
                set.paused,
                set.restarting,
                set.busy,
                set.warning,
                set.unknown,
                set.created,
                set.done,
                set.jobs,
                set.cursor,
                set.marked,
                set.reason,
                set.rule,
                set.vertical,
                set.cross,
                set.bar_rest,
                set.folded,
                set.unfolded,
                set.ascending,
                set.descending,
                set.on,
                set.off,
                set.dot,
                set.wrapped,
                set.thumb,
            ];
            for sign in singles.into_iter().chain(set.corners).chain(set.bar) {
                assert_eq!(sign.width(), 1, "{sign}");
            }
        }
    }

    #[test]
    fn the_plain_set_is_ascii() {
        assert!(format!("{ASCII:?}").is_ascii());
    }
}
