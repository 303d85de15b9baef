//! What must hold for the config file?
//!
//! Deliberately elsewhere: keymaps and themes (`ui::fuzz`).

use std::fs;

use wharf::{
    cli::{
        grammar::Globals,
        settings::{choose_host, load},
    },
    engine::Locations,
};

use super::{
    oracle::{Lines, assert_only_prints},
    store_files::scratch,
};

/// `config.toml`: read, or refused in words that are safe to show; then a host is chosen or refused likewise.
pub fn settings(input: &[u8]) {
    scratch(|folder| {
        fs::write(folder.join("config.toml"), input).unwrap();
        let locations = Locations { data: folder.to_owned(), run: folder.to_owned(), config: folder.to_owned() };
        match load(&Globals::default(), &locations) {
            Ok(loaded) => {
                // The printer makes warnings safe.
                assert!(loaded.warnings.iter().all(|warning| warning.contains("config.toml, line ")));
                if let Err(error) = choose_host(&Globals::default(), None, &loaded.settings) {
                    assert_only_prints(&error.message, Lines::One);
                }
            }
            Err(error) => {
                assert_only_prints(&error.message, Lines::Several);
                error.hint.iter().for_each(|hint| assert_only_prints(hint, Lines::One));
            }
        }
    });
}
