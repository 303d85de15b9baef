//! What may a person choose about the screen before it opens?
//!
//! Deliberately elsewhere: reading the config file and the flags (`cli::settings`).

use std::collections::BTreeMap;

use super::{
    keymap::{self, Keymap},
    theme::{Colour, GlyphSet},
};
use crate::{
    cli::ScreenSettings,
    engine::{
        Locations,
        domain::{EngineSettings, HostSpec},
    },
};

/// Resolved choices; every field has a sensible default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A built-in theme, or a file of that name below `themes/` in the configuration directory.
    pub theme: String,
    /// A built-in keymap. `keymap.toml` in the configuration directory applies after it.
    pub keymap: String,
    pub colour: Colour,
    pub glyphs: GlyphSet,
    pub mouse: Mouse,
    /// Keys of the config file, by action name; they apply last.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Hosts of the config file: name and where.
    pub hosts: Vec<(String, HostSpec)>,
    /// What the embedded engine is opened with.
    pub engine: EngineSettings,
}

/// Whether the mouse is ours. Left to the terminal, it selects text as usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mouse {
    #[default]
    Used,
    Left,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: "default".to_owned(),
            keymap: "default".to_owned(),
            colour: Colour::Yes,
            glyphs: GlyphSet::Unicode,
            mouse: Mouse::Used,
            keys: BTreeMap::new(),
            hosts: Vec::new(),
            engine: EngineSettings::default(),
        }
    }
}

impl Settings {
    /// The config file's wishes over what the environment says.
    #[must_use]
    pub fn resolve(screen: ScreenSettings, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let found = Self::of_environment(variable);
        Self {
            theme: screen.theme.unwrap_or(found.theme),
            keymap: screen.keymap.unwrap_or(found.keymap),
            colour: if screen.no_color { Colour::No } else { found.colour },
            mouse: if screen.mouse == Some(false) { Mouse::Left } else { Mouse::Used },
            keys: screen.keys,
            hosts: screen.hosts.into_iter().collect(),
            engine: screen.engine,
            glyphs: found.glyphs,
        }
    }

    /// What the environment says: `NO_COLOR`, and a locale that is not UTF-8 gets plain signs.
    #[must_use]
    pub fn of_environment(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let colour = if set("NO_COLOR").is_some() { Colour::No } else { Colour::Yes };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).map(|name| name.to_lowercase());
        // Without any locale most terminals still show UTF-8; only one that says otherwise is believed.
        let plain = locale.is_some_and(|name| !name.contains("utf") && name != "c" && name != "posix")
            || set("TERM").is_some_and(|term| term == "linux");
        Self { colour, glyphs: if plain { GlyphSet::Ascii } else { GlyphSet::Unicode }, ..Self::default() }
    }
}

/// Applies the chosen keymap, then the person's own file; returns what was wrong with them.
pub fn apply_files(keymap: &mut Keymap, settings: &Settings, locations: &Locations) -> Vec<String> {
    let mut problems = Vec::new();
    match keymap::BUILT_IN.iter().find(|(name, _)| *name == settings.keymap) {
        Some((_, text)) => problems.extend(keymap.apply(text)),
        None => {
            let known = keymap::BUILT_IN.map(|(name, _)| name).join(", ");
            problems.push(format!("there is no keymap {}; there are {known}", settings.keymap));
        }
    }
    // A file that is not there is no problem; one that cannot be read is nobody's either, but its own.
    if let Ok(text) = std::fs::read_to_string(locations.config.join("keymap.toml")) {
        problems.extend(keymap.apply(&text));
    }
    problems.extend(keymap.apply_names(&settings.keys));
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Settings {
        Settings::of_environment(&|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn no_color_and_old_locales_are_obeyed() {
        assert_eq!(with(&[("NO_COLOR", "1")]).colour, Colour::No);
        assert_eq!(with(&[("NO_COLOR", "")]).colour, Colour::Yes);
        assert_eq!(with(&[("LANG", "de_DE.ISO-8859-1")]).glyphs, GlyphSet::Ascii);
        assert_eq!(with(&[("LANG", "en_US.UTF-8")]).glyphs, GlyphSet::Unicode);
        assert_eq!(with(&[]).glyphs, GlyphSet::Unicode);
    }
}
