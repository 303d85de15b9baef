//! Which import rules are in force? Those of the fenced block below the heading "Import rules" in ARCHITECTURE.md:
//! `MODULE: MODULE...` lists what a module may name besides itself and its own children, and
//! `crate CRATE: PATTERN...` lists the files that may name an edge crate.
//! Deliberately elsewhere: reading the sources (`paths.rs`) and comparing (`imports.rs`).

use std::collections::BTreeMap;

/// The parsed table.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct ImportRules {
    /// Module to the modules it may name. A module absent here is a violation of its own.
    pub may_name: BTreeMap<String, Vec<String>>,
    /// Edge crate to the path patterns of the files that may name it.
    pub edge_crates: BTreeMap<String, Vec<String>>,
}

impl ImportRules {
    /// Reads the table out of the document.
    ///
    /// # Errors
    /// A sentence, when the block is missing or a line of it has no colon.
    pub fn parse(document: &str) -> Result<Self, String> {
        let section = document.split_once("Import rules\n").ok_or("no heading \"Import rules\"")?.1;
        let block = section.split("```").nth(1).ok_or("no fenced block below \"Import rules\"")?;
        let mut rules = Self::default();
        // The fence's first line is its language.
        for line in block.lines().skip(1) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let (subject, allowed) = line.split_once(": ").ok_or_else(|| format!("no \": \" in {line:?}"))?;
            let allowed = allowed.split_whitespace().filter(|word| *word != "-").map(str::to_owned).collect();
            match subject.trim().strip_prefix("crate ") {
                Some(name) => rules.edge_crates.insert(name.trim().to_owned(), allowed),
                None => rules.may_name.insert(subject.trim().to_owned(), allowed),
            };
        }
        if rules.may_name.is_empty() { Err("the table is empty".to_owned()) } else { Ok(rules) }
    }

    /// The most specific listed module that `path` (`engine::core::admit`) is or lies in.
    pub fn listed(&self, path: &str) -> Option<&str> {
        let mut prefix = path;
        loop {
            if let Some((name, _)) = self.may_name.get_key_value(prefix) {
                return Some(name);
            }
            prefix = prefix.rsplit_once("::")?.0;
        }
    }
}

/// Whether `path` fits `pattern`: `**` stands for any part of a path, `*` for any part of one name.
pub fn fits(pattern: &str, path: &str) -> bool {
    if let Some(rest) = pattern.strip_prefix("**") {
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        return tails(path).any(|tail| fits(rest, tail));
    }
    if let Some(rest) = pattern.strip_prefix('*') {
        let name_end = path.find('/').unwrap_or(path.len());
        return (0..=name_end).filter(|end| path.is_char_boundary(*end)).any(|end| fits(rest, &path[end..]));
    }
    match (pattern.chars().next(), path.chars().next()) {
        (None, None) => true,
        (Some(wanted), Some(found)) if wanted == found => {
            fits(&pattern[wanted.len_utf8()..], &path[found.len_utf8()..])
        }
        (Some(_) | None, _) => false,
    }
}

/// `path`, `path` without its first folder, and so on to the empty path.
fn tails(path: &str) -> impl Iterator<Item = &str> {
    let after_slashes = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
    std::iter::once(path).chain(after_slashes).chain(std::iter::once(""))
}
