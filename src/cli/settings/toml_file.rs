//! How is `config.toml` read key by key, so that every complaint names its line?
//!
//! Deliberately elsewhere: what the settings mean (`settings`).

use std::{collections::BTreeMap, ops::Range, path::PathBuf};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{ScreenSettings, Settings};
use crate::engine::domain::{HostSpec, Size};

/// Why the file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub line: Option<usize>,
    pub message: String,
    pub hint: Option<String>,
}

/// A key nobody reads, with its line.
pub type Warning = (usize, String);

type Value<'i> = Spanned<DeValue<'i>>;

/// Reads the whole text. Unknown keys are warnings, so that a file serves several releases.
pub fn read(text: &str) -> Result<(Settings, Vec<Warning>), Problem> {
    let document = DeTable::parse(text).map_err(|error| Problem {
        line: error.span().map(|span| line_of(text, &span)),
        message: error.message().to_owned(),
        hint: None,
    })?;
    let mut reader = Reader { text, settings: Settings::default(), warnings: Vec::new() };
    reader.top(document.get_ref())?;
    Ok((reader.settings, reader.warnings))
}

struct Reader<'t> {
    text: &'t str,
    settings: Settings,
    warnings: Vec<Warning>,
}

impl Reader<'_> {
    fn top(&mut self, table: &DeTable<'_>) -> Result<(), Problem> {
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "default_host" => self.settings.default_host = Some(self.text_of(value)?),
                "insecure_registries" => self.settings.engine.insecure_registries = self.texts_of(value)?,
                "registry_certificates" => self.settings.engine.registry_certificates = self.paths_of(value)?,
                "hosts" => self.hosts(value)?,
                "logs" => self.logs(value)?,
                "ui" => self.screen(value)?,
                other => self.unknown(&key.span(), other),
            }
        }
        Ok(())
    }

    fn hosts(&mut self, value: &Value<'_>) -> Result<(), Problem> {
        for (name, value) in self.table_of(value)? {
            let text = self.text_of(value)?;
            let host = text.parse::<HostSpec>().map_err(|error| Problem {
                line: Some(line_of(self.text, &value.span())),
                message: error.to_string(),
                hint: error.hint,
            })?;
            self.settings.hosts.insert(name.get_ref().to_string(), host);
        }
        Ok(())
    }

    fn logs(&mut self, value: &Value<'_>) -> Result<(), Problem> {
        for (key, value) in self.table_of(value)? {
            match key.get_ref().as_ref() {
                "max_size" => {
                    let size = self.text_of(value)?.parse::<Size>();
                    self.settings.engine.logs.file_size =
                        size.map_err(|error| self.problem(value, &error.to_string()))?;
                }
                "max_files" => self.settings.engine.logs.files = self.count_of(value)?,
                other => self.unknown(&key.span(), &format!("logs.{other}")),
            }
        }
        Ok(())
    }

    fn screen(&mut self, value: &Value<'_>) -> Result<(), Problem> {
        let mut screen = ScreenSettings::default();
        for (key, value) in self.table_of(value)? {
            match key.get_ref().as_ref() {
                "theme" => screen.theme = Some(self.text_of(value)?),
                "keymap" => screen.keymap = Some(self.text_of(value)?),
                "mouse" => {
                    let mouse = value.get_ref().as_bool();
                    screen.mouse = Some(mouse.ok_or_else(|| self.problem(value, "true or false is expected"))?);
                }
                "keys" => screen.keys = self.keys(value)?,
                other => self.unknown(&key.span(), &format!("ui.{other}")),
            }
        }
        self.settings.screen = screen;
        Ok(())
    }

    fn keys(&self, value: &Value<'_>) -> Result<BTreeMap<String, Vec<String>>, Problem> {
        let mut keys = BTreeMap::new();
        for (action, value) in self.table_of(value)? {
            let bound = if value.get_ref().is_str() { vec![self.text_of(value)?] } else { self.texts_of(value)? };
            keys.insert(action.get_ref().to_string(), bound);
        }
        Ok(keys)
    }

    fn table_of<'v, 'i>(&self, value: &'v Value<'i>) -> Result<&'v DeTable<'i>, Problem> {
        value.get_ref().as_table().ok_or_else(|| self.problem(value, "a table is expected"))
    }

    fn text_of(&self, value: &Value<'_>) -> Result<String, Problem> {
        let text = value.get_ref().as_str().map(str::to_owned);
        text.ok_or_else(|| self.problem(value, "text in quotes is expected"))
    }

    fn texts_of(&self, value: &Value<'_>) -> Result<Vec<String>, Problem> {
        let array = value.get_ref().as_array();
        let array = array.ok_or_else(|| self.problem(value, "a list of texts is expected"))?;
        array.iter().map(|item| self.text_of(item)).collect()
    }

    fn paths_of(&self, value: &Value<'_>) -> Result<Vec<PathBuf>, Problem> {
        Ok(self.texts_of(value)?.into_iter().map(PathBuf::from).collect())
    }

    fn count_of(&self, value: &Value<'_>) -> Result<u32, Problem> {
        let number = value.get_ref().as_integer();
        let number = number.and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok());
        number.filter(|number| *number > 0).ok_or_else(|| self.problem(value, "a number above zero is expected"))
    }

    fn problem(&self, value: &Value<'_>, message: &str) -> Problem {
        Problem { line: Some(line_of(self.text, &value.span())), message: message.to_owned(), hint: None }
    }

    fn unknown(&mut self, span: &Range<usize>, key: &str) {
        self.warnings.push((line_of(self.text, span), format!("nothing reads the key {key}")));
    }
}

fn line_of(text: &str, span: &Range<usize>) -> usize {
    text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1
}
