//! Can an actor come to wait for another one, or a queue grow without a bound? By what the sources say.
//!
//! An actor's handle offers and never waits; whatever would let an actor wait for an answer of another is not named
//! where actors live. Deliberately elsewhere: waits for locks, which debug builds look at (`engine::sync::waits`).

use super::{
    paths::{code_only, is_unit_test},
    tree::Tree,
};

/// What an actor could wait for another's answer with.
const ANSWERS: [&str; 4] = ["oneshot::Receiver", "Ticket", "Request", "Children"];
/// Channels that take whatever comes.
const UNBOUNDED: [&str; 4] = ["unbounded_channel", "UnboundedSender", "mpsc::unbounded", "mpsc::channel()"];

/// Ways for an actor to wait for an actor, and for the supervisor to wait for one.
pub fn awaited_actors(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in production(tree, &["src/engine/actor/", "src/engine/supervisor/"]) {
        let code = code_only(text);
        let handle = code.split("impl Handle {").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap_or_default();
        if handle.contains("async ") {
            violations.push(format!("{path}: a handle offers and never waits"));
        }
        for (number, line) in code.lines().enumerate() {
            let number = number + 1;
            if path.starts_with("src/engine/actor/") && ANSWERS.iter().any(|answer| line.contains(answer)) {
                violations.push(format!("{path}:{number}: an actor waits for nobody's answer: {}", line.trim()));
            }
            if line.contains("handle.") && line.contains(".await") {
                violations.push(format!("{path}:{number}: nobody waits for an actor: {}", line.trim()));
            }
        }
    }
    violations
}

/// Queues without a bound.
pub fn unbounded_queues(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in production(tree, &["src/"]) {
        for (number, line) in code_only(text).lines().enumerate() {
            if UNBOUNDED.iter().any(|channel| line.contains(channel)) {
                violations.push(format!("{path}:{}: every queue has a bound (core::limits)", number + 1));
            }
        }
    }
    violations
}

fn production<'a>(tree: &'a Tree, folders: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
    tree.rust_below(folders).filter(|(path, _)| !is_unit_test(path))
}
