//! How does meaning look? One named style per meaning, from a theme file; glyphs with an ASCII set.
//!
//! Deliberately elsewhere: which meaning a thing has (view models), drawing (`widgets`).

mod glyphs;
mod style_words;

pub use ratatui::style::Style;

pub use self::glyphs::{GlyphSet, Glyphs};

/// The style of each meaning. Views name meanings, never colours.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    pub name: String,
    pub text: Style,
    pub strong: Style,
    pub dim: Style,
    pub accent: Style,
    pub selected: Style,
    pub unfocused: Style,
    pub marked: Style,
    pub rule: Style,
    pub key: Style,
    pub matched: Style,
    pub good: Style,
    pub busy: Style,
    pub bad: Style,
    pub error: Style,
    pub warning: Style,
    pub stderr: Style,
    pub string: Style,
    pub number: Style,
    pub field: Style,
    pub glyphs: &'static Glyphs,
}

/// Whether colours may be used. Modifiers stay: reverse and bold are what is left of focus without colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    #[default]
    Yes,
    No,
}

/// The themes that come with the program: name and text.
pub const BUILT_IN: [(&str, &str); 3] = [
    ("default", include_str!("../../../assets/themes/default.toml")),
    ("light", include_str!("../../../assets/themes/light.toml")),
    ("high-contrast", include_str!("../../../assets/themes/high-contrast.toml")),
];

impl Theme {
    /// A theme by the name of a built-in one.
    ///
    /// # Errors
    /// A sentence naming the themes there are.
    pub fn built_in(name: &str, colour: Colour, glyphs: GlyphSet) -> Result<Self, String> {
        let known = || BUILT_IN.map(|(name, _)| name).join(", ");
        let found = BUILT_IN.iter().find(|(known, _)| *known == name);
        let (name, text) = found.ok_or_else(|| format!("there is no theme {name}; there are {}", known()))?;
        Self::parse(name, text, colour, glyphs)
    }

    /// Reads a theme file. Meanings it leaves out keep the terminal's default.
    ///
    /// # Errors
    /// A sentence naming the line or the word that is wrong.
    pub fn parse(name: &str, text: &str, colour: Colour, glyphs: GlyphSet) -> Result<Self, String> {
        let mut theme = Self::plain(name, glyphs);
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| format!("theme {name}: {error}"))?;
        for (meaning, words) in table {
            let words = words.as_str().ok_or_else(|| format!("theme {name}: {meaning} must be a text"))?;
            let style = style_words::parse(words, colour).map_err(|why| format!("theme {name}: {meaning}: {why}"))?;
            let place = theme.place(&meaning).ok_or_else(|| format!("theme {name}: there is no meaning {meaning}"))?;
            *place = style;
        }
        Ok(theme)
    }

    /// Everything in the terminal's default style but focus, which is reversed.
    #[must_use]
    pub fn plain(name: &str, glyphs: GlyphSet) -> Self {
        let none = Style::new();
        let selected = style_words::reversed();
        Self {
            name: name.to_owned(),
            text: none,
            strong: none,
            dim: none,
            accent: none,
            selected,
            unfocused: none,
            marked: none,
            rule: none,
            key: none,
            matched: selected,
            good: none,
            busy: none,
            bad: none,
            error: none,
            warning: none,
            stderr: none,
            string: none,
            number: none,
            field: none,
            glyphs: glyphs.glyphs(),
        }
    }

    fn place(&mut self, meaning: &str) -> Option<&mut Style> {
        Some(match meaning {
            "text" => &mut self.text,
            "strong" => &mut self.strong,
            "dim" => &mut self.dim,
            "accent" => &mut self.accent,
            "selected" => &mut self.selected,
            "unfocused" => &mut self.unfocused,
            "marked" => &mut self.marked,
            "rule" => &mut self.rule,
            "key" => &mut self.key,
            "match" => &mut self.matched,
            "good" => &mut self.good,
            "busy" => &mut self.busy,
            "bad" => &mut self.bad,
            "error" => &mut self.error,
            "warning" => &mut self.warning,
            "stderr" => &mut self.stderr,
            "string" => &mut self.string,
            "number" => &mut self.number,
            "field" => &mut self.field,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_reads_and_names_every_meaning() {
        for (name, text) in BUILT_IN {
            Theme::built_in(name, Colour::Yes, GlyphSet::Unicode).unwrap();
            assert_eq!(text.parse::<toml::Table>().unwrap().len(), 19, "{name} leaves a meaning out");
        }
    }

    #[test]
    fn without_colour_focus_is_still_visible() {
        for (name, _) in BUILT_IN {
            let theme = Theme::built_in(name, Colour::No, GlyphSet::Ascii).unwrap();
            assert_eq!(theme.selected.fg, None, "{name}");
            assert_ne!(theme.selected, theme.text, "{name}");
        }
    }

    #[test]
    fn a_wrong_theme_says_what_is_wrong() {
        let read = |text| Theme::parse("mine", text, Colour::Yes, GlyphSet::Unicode).unwrap_err();
        assert!(read("text = \"purplish\"").contains("purplish"));
        assert!(read("txt = \"red\"").contains("txt"));
        assert!(read("text = 3").contains("text"));
        assert!(Theme::built_in("neon", Colour::Yes, GlyphSet::Unicode).unwrap_err().contains("high-contrast"));
    }
}
