//! Which action does a key mean here? Defaults from the action table, changed by keymap files.
//!
//! Deliberately elsewhere: the actions (`action`), doing them (`ui::update`).

mod action;

use std::collections::{BTreeMap, HashMap};

pub use self::action::{ACTIONS, Action, ActionEntry, Scope};
use super::input::Key;

/// The bindings in force.
#[derive(Clone, Debug)]
pub struct Keymap {
    bindings: HashMap<(Scope, Key), Action>,
    /// The key to show for an action in a scope.
    shown: HashMap<(Scope, Action), Key>,
}

/// Keymaps that come with the program, as changes to the default one.
pub const BUILT_IN: [(&str, &str); 3] = [
    ("default", include_str!("../../../assets/keymaps/default.toml")),
    ("k9s", include_str!("../../../assets/keymaps/k9s.toml")),
    ("lazydocker", include_str!("../../../assets/keymaps/lazydocker.toml")),
];

impl Default for Keymap {
    fn default() -> Self {
        let mut keymap = Self { bindings: HashMap::with_capacity(160), shown: HashMap::with_capacity(96) };
        for entry in ACTIONS {
            let keys = entry.keys.iter().map(|key| key.parse().expect("a test parses every default key"));
            keymap.bind(entry, &keys.collect::<Vec<Key>>());
        }
        keymap
    }
}

impl Keymap {
    /// The action of `key` in the first of `scopes` that binds it.
    #[must_use]
    pub fn action(&self, scopes: &[Scope], key: Key) -> Option<Action> {
        scopes.iter().find_map(|scope| self.bindings.get(&(*scope, key)).copied())
    }

    /// The key to show for an action.
    #[must_use]
    pub fn key(&self, scope: Scope, action: Action) -> Option<Key> {
        self.shown.get(&(scope, action)).copied()
    }

    /// Every key of an action in a scope, the shown one first.
    #[must_use]
    pub fn keys(&self, scope: Scope, action: Action) -> Vec<Key> {
        let shown = self.key(scope, action);
        let mut keys: Vec<Key> = self
            .bindings
            .iter()
            .filter(|((bound, _), bound_action)| *bound == scope && **bound_action == action)
            .map(|((_, key), _)| *key)
            .collect();
        keys.sort_by_key(|key| (Some(*key) != shown, *key));
        keys
    }

    /// Applies a keymap file: a table per scope, `name = "key"` or `name = ["key", "key"]`, an empty list
    /// unbinds. Entries that clash or make no sense are left out and reported; the rest holds.
    pub fn apply(&mut self, text: &str) -> Vec<String> {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => return vec![format!("keymap: {error}")],
        };
        let mut problems = Vec::new();
        let mut taken: HashMap<(Scope, Key), &'static str> = HashMap::new();
        for (section, value) in &table {
            let scope = Scope::ALL.into_iter().find(|scope| scope.name() == section);
            let (Some(scope), Some(entries)) = (scope, value.as_table()) else {
                problems.push(format!("keymap: there is no section {section}"));
                continue;
            };
            for (name, keys) in entries {
                let found = ACTIONS.iter().find(|entry| entry.scope == scope && entry.name == name);
                let Some(entry) = found else {
                    problems.push(format!("keymap: [{section}] has no action {name}"));
                    continue;
                };
                match read_keys(keys) {
                    Err(why) => problems.push(format!("keymap: {section}.{name}: {why}")),
                    Ok(keys) => {
                        if let Some(other) = keys.iter().find_map(|key| taken.get(&(scope, *key))) {
                            problems.push(format!("keymap: {section}.{name}: {other} has that key already"));
                            continue;
                        }
                        taken.extend(keys.iter().map(|key| ((scope, *key), entry.name)));
                        self.bindings.retain(|(bound, _), action| !(*bound == scope && *action == entry.action));
                        self.bind(entry, &keys);
                    }
                }
            }
        }
        problems
    }

    /// Applies `action name = keys`, whatever its scope.
    pub fn apply_names(&mut self, keys: &BTreeMap<String, Vec<String>>) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, keys) in keys {
            let parsed: Result<Vec<Key>, String> = keys.iter().map(|key| key.parse()).collect();
            match (ACTIONS.iter().find(|entry| entry.name == name), parsed) {
                (Some(entry), Ok(keys)) => {
                    self.bindings.retain(|(bound, _), action| !(*bound == entry.scope && *action == entry.action));
                    self.bind(entry, &keys);
                }
                (None, _) => problems.push(format!("keys: there is no action {name}")),
                (Some(_), Err(why)) => problems.push(format!("keys: {name}: {why}")),
            }
        }
        problems
    }

    fn bind(&mut self, entry: &ActionEntry, keys: &[Key]) {
        self.shown.remove(&(entry.scope, entry.action));
        for key in keys {
            let replaced = self.bindings.insert((entry.scope, *key), entry.action);
            if let Some(replaced) = replaced.filter(|replaced| *replaced != entry.action) {
                let other = self.keys(entry.scope, replaced).into_iter().next();
                match other {
                    Some(other) => self.shown.insert((entry.scope, replaced), other),
                    None => self.shown.remove(&(entry.scope, replaced)),
                };
            }
        }
        if let Some(first) = keys.first() {
            self.shown.insert((entry.scope, entry.action), *first);
        }
    }
}

fn read_keys(value: &toml::Value) -> Result<Vec<Key>, String> {
    if let Some(key) = value.as_str() {
        return Ok(vec![key.parse()?]);
    }
    let list = value.as_array().ok_or("a key or a list of keys is expected")?;
    list.iter().map(|item| item.as_str().ok_or_else(|| "keys are texts".to_owned()).and_then(str::parse)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::ui::input::KeyCode;

    #[test]
    fn every_default_key_reads_and_means_one_thing_in_its_scope() {
        let mut seen = HashSet::new();
        for entry in ACTIONS {
            for key in entry.keys {
                let key: Key = key.parse().unwrap();
                assert!(seen.insert((entry.scope, key)), "{key} is bound twice in {}", entry.scope.name());
            }
        }
    }

    #[test]
    fn names_are_unique_and_every_action_says_what_it_does() {
        let mut names = HashSet::new();
        for entry in ACTIONS {
            assert!(names.insert(entry.name), "{} twice", entry.name);
            assert!(!entry.help.is_empty() && !entry.help.ends_with('.'), "{}", entry.name);
        }
    }

    #[test]
    fn no_bare_letter_destroys() {
        for entry in ACTIONS {
            if matches!(entry.action, Action::Remove | Action::Kill) {
                for key in entry.keys {
                    let key: Key = key.parse().unwrap();
                    assert!(
                        !matches!(key, Key { code: KeyCode::Char(_), modifiers: crate::ui::input::Modifiers::None }),
                        "{key}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_most_specific_scope_wins() {
        let keymap = Keymap::default();
        let key = Key::ctrl('d');
        assert_eq!(keymap.action(&[Scope::Viewer, Scope::Container], key), Some(Action::HalfDown));
        assert_eq!(keymap.action(&[Scope::List, Scope::Container], key), Some(Action::Remove));
        assert_eq!(keymap.action(&[Scope::List], Key::char('%')), None);
    }

    #[test]
    fn the_built_in_keymaps_apply_without_a_complaint() {
        for (name, text) in BUILT_IN {
            assert_eq!(Keymap::default().apply(text), Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn a_clash_loses_only_the_clashing_entry() {
        let mut keymap = Keymap::default();
        let problems =
            keymap.apply("[containers]\nlogs = \"L\"\nexec = \"L\"\nattach = \"nokey\"\nfly = \"f\"\n[roof]\n");
        assert_eq!(problems.len(), 4, "{problems:?}");
        let bound: Vec<_> = ["L", "e", "a"].map(|key| keymap.action(&[Scope::Container], key.parse().unwrap())).into();
        assert_eq!(bound.iter().filter(|action| action.is_some()).count(), 2);
    }

    #[test]
    fn an_empty_list_unbinds() {
        let mut keymap = Keymap::default();
        assert!(keymap.apply("[containers]\nkill = []\n").is_empty());
        assert_eq!(keymap.action(&[Scope::Container], Key::ctrl('k')), None);
        assert_eq!(keymap.key(Scope::Container, Action::Kill), None);
    }
}
