//! What may a person choose about the screen before it opens?
//!
//! Deliberately elsewhere: reading the config file and the flags (`cli::settings`).

use std::{
    collections::BTreeMap,
    io::Read as _,
    path::{Path, PathBuf},
};

use super::{
    keymap::{self, Keymap},
    theme::{Colour, GlyphSet, Theme},
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

/// A theme file is a page of text; anything longer is something else.
const THEME_BYTES: u64 = 64 * 1024;
/// Own themes that are offered.
const THEMES: usize = 32;

/// The chosen theme: a built-in one, else the file of that name below `themes/` in the configuration directory.
///
/// # Errors
/// A sentence about the file or the line in it; the screen then has the default theme.
pub fn chosen_theme(settings: &Settings, locations: &Locations) -> Result<Theme, String> {
    let name = settings.theme.as_str();
    match Theme::built_in(name, settings.colour, settings.glyphs) {
        Ok(theme) => Ok(theme),
        Err(unknown) => {
            let path = themes_folder(locations).join(format!("{name}.toml"));
            let is_name = Path::new(name).file_name().is_some_and(|file| file == name);
            if !is_name || !path.exists() {
                return Err(format!("{unknown}, or a file {}", path.display()));
            }
            read_theme(name, &path, settings)
        }
    }
}

/// The themes in the configuration directory by name, and what was wrong with the others.
#[must_use]
pub fn own_themes(settings: &Settings, locations: &Locations) -> (Vec<Theme>, Vec<String>) {
    // Without the folder there are none; that is the usual case.
    let Ok(entries) = std::fs::read_dir(themes_folder(locations)) else { return (Vec::new(), Vec::new()) };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect(); // Vanished meanwhile.
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let (mut themes, mut problems) = (Vec::new(), Vec::new());
    for path in paths.iter().take(THEMES) {
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        match read_theme(name, path, settings) {
            Ok(theme) => themes.push(theme),
            Err(problem) => problems.push(problem),
        }
    }
    (themes, problems)
}

fn themes_folder(locations: &Locations) -> PathBuf {
    locations.config.join("themes")
}

fn read_theme(name: &str, path: &Path, settings: &Settings) -> Result<Theme, String> {
    let cannot = |why: &dyn std::fmt::Display| format!("theme {name}: {}: {why}", path.display());
    let file = std::fs::File::open(path).map_err(|error| cannot(&error))?;
    let mut text = String::new();
    file.take(THEME_BYTES).read_to_string(&mut text).map_err(|error| cannot(&error))?;
    Theme::parse(name, &text, settings.colour, settings.glyphs)
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
    let own = locations.config.join("keymap.toml");
    match std::fs::read_to_string(&own) {
        Ok(text) => problems.extend(keymap.apply(&text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => problems.push(format!("cannot read {}: {error}", own.display())),
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
    fn a_theme_of_ones_own_is_a_file_of_that_name() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        let locations = Locations::resolve(&|name| (name == "WHARF_ROOT").then(|| root.clone()), None);
        let themes = locations.config.join("themes");
        std::fs::create_dir_all(&themes).unwrap();
        std::fs::write(themes.join("night.toml"), "accent = \"#ff8800 bold\"").unwrap();
        std::fs::write(themes.join("wrong.toml"), "accent = \"purplish\"").unwrap();
        let choose = |theme: &str| {
            let settings = Settings { theme: theme.to_owned(), ..Settings::default() };
            chosen_theme(&settings, &locations)
        };
        assert_eq!(choose("night").unwrap().name, "night");
        assert_eq!(choose("light").unwrap().name, "light");
        let wrong = choose("wrong").unwrap_err();
        assert!(wrong.contains("wrong") && wrong.contains("purplish"), "{wrong}");
        for missing in ["neon", "../night", ""] {
            assert!(choose(missing).unwrap_err().contains("high-contrast"), "{missing}");
        }
        let (own, problems) = own_themes(&Settings::default(), &locations);
        assert_eq!(own.iter().map(|theme| theme.name.as_str()).collect::<Vec<_>>(), ["night"]);
        assert_eq!(problems.len(), 1);
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
