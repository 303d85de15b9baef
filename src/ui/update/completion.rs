//! What could stand where the cursor is on the `:` line? Verbs, then names of containers or images.
//!
//! Deliberately elsewhere: the verbs (`cli::grammar`).

use crate::{
    cli::grammar::{self, Completes, Group},
    ui::state::State,
};

/// Words of the screen's own.
const OWN: [&str; 7] = ["containers", "help", "host", "images", "operations", "quit", "theme"];
const MOST: usize = 60;

/// Candidates for the last word of `before`.
#[must_use]
pub fn candidates(before: &str, state: &State) -> Vec<String> {
    let before = before.trim_start();
    let (head, word) = before.rsplit_once(' ').unwrap_or(("", before));
    let mut found: Vec<String> = if head.trim().is_empty() {
        let verbs = grammar::verbs().filter(|entry| entry.group != Group::Hidden);
        let first = verbs.map(|entry| entry.name.split(' ').next().unwrap_or(entry.name).to_owned());
        first.chain(OWN.map(str::to_owned)).collect()
    } else {
        let first = head.split_whitespace().next().unwrap_or_default();
        let second =
            grammar::verbs().filter(|entry| entry.name.split_once(' ').is_some_and(|(group, _)| group == first));
        let words: Vec<String> = second.map(|entry| entry.last_word().to_owned()).collect();
        if first == "host" {
            let named = state.settings.hosts.iter().map(|(name, _)| name.clone());
            ["embedded", "docker", "podman"].map(str::to_owned).into_iter().chain(named).collect()
        } else if !words.is_empty() && head.split_whitespace().count() == 1 {
            words
        } else {
            names(first, state)
        }
    };
    found.retain(|candidate| candidate.starts_with(word) && candidate != word);
    found.sort_unstable();
    found.dedup();
    found.truncate(MOST);
    found
}

/// The line with its last word replaced.
#[must_use]
pub fn with_word(line: &str, word: &str) -> String {
    match line.rsplit_once(' ') {
        Some((head, _)) => format!("{head} {word}"),
        None => word.to_owned(),
    }
}

fn names(verb: &str, state: &State) -> Vec<String> {
    let completes = grammar::find_verb(verb).map_or(Completes::Nothing, |entry| entry.completes);
    let containers = || state.facts.inventory.containers.iter().map(|container| container.display_name());
    let images = || {
        let images = state.facts.inventory.images.iter();
        images.flat_map(|image| image.references.iter().map(|reference| reference.familiar()))
    };
    match completes {
        Completes::Containers => containers().collect(),
        Completes::Images => images().collect(),
        Completes::Either => containers().chain(images()).collect(),
        Completes::Nothing => Vec::new(),
    }
}
