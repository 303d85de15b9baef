//! Can a change slip past the points at which chaos kills? What the engine changes, it changes through three seams, and
//! each method that changes something begins by saying so.
//! Deliberately elsewhere: the points themselves (`stop_at.rs`), killing at each (`tests/chaos/steps.rs`).

use super::{
    paths::{code_only, is_unit_test},
    tree::Tree,
};

/// Where verbs are carried out: here the file system is reached through `Disk` alone.
const SAGAS: [&str; 2] = ["src/engine/backend/embedded/containers/", "src/engine/backend/embedded/images/"];
/// Calls that change files without `Disk`.
const CHANGES: [&str; 10] = [
    "fs::write(",
    "fs::rename(",
    "fs::remove_file(",
    "fs::remove_dir(",
    "fs::remove_dir_all(",
    "fs::create_dir(",
    "fs::create_dir_all(",
    "fs::copy(",
    "OpenOptions::new(",
    "File::create(",
];
/// The seams, and what in them changes something.
const SEAMS: [(&str, &[&str]); 3] = [
    (
        "src/engine/backend/embedded/disk/real.rs",
        &[
            "append",
            "truncate",
            "rename",
            "remove_file",
            "remove_tree",
            "create_dir",
            "create_dir_all",
            "create_dir_with_mode",
            "sync_dir",
            "create_exclusive",
            "publish",
            "replace",
            "create_new",
        ],
    ),
    (
        "src/engine/backend/embedded/linux/linux_kernel.rs",
        &["launch", "stop", "kill", "pause", "unpause", "exec", "remove_tree"],
    ),
    ("src/engine/backend/embedded/registry/transport_ureq.rs", &["send"]),
];

/// Changes of the disk in a verb that no step announces.
pub fn past_the_seam(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in tree.rust_below(&SAGAS).filter(|(path, _)| !is_unit_test(path)) {
        let code = code_only(text);
        for (number, line) in code.lines().enumerate().take_while(|(_, line)| !line.contains("#[cfg(test)]")) {
            let hit = CHANGES.iter().find(|change| line.contains(*change));
            violations.extend(hit.map(|change| format!("{path}:{}: {change}: change files through Disk", number + 1)));
        }
    }
    violations
}

/// Methods of a seam that change something and do not say so first.
pub fn unannounced(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, methods) in SEAMS {
        let Some(text) = tree.text(path) else { continue };
        for method in methods {
            let Some(body) = body_of(text, method) else {
                violations.push(format!("{path}: there is no {method}"));
                continue;
            };
            if !body.contains("stop_at::step(") {
                violations.push(format!("{path}: {method} changes something without stop_at::step"));
            }
        }
    }
    violations
}

/// From the head of the function to the brace that closes it, by indentation.
fn body_of<'a>(text: &'a str, method: &str) -> Option<&'a str> {
    let head = format!("fn {method}(");
    let from = text.find(&head)?;
    let line = text[..from].rfind('\n').map_or(0, |at| at + 1);
    let indent: String = text[line..].chars().take_while(|letter| *letter == ' ').collect();
    let end = format!("\n{indent}}}");
    let to = text[from..].find(&end)?;
    Some(&text[from..from + to])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_past_the_points_of_chaos_is_found() {
        let saga = "src/engine/backend/embedded/containers/create.rs";
        let sly = Tree::made_up(&[(saga, "fn f() { std::fs::rename(a, b); }")]);
        assert_eq!(past_the_seam(&sly).len(), 1);
        assert_eq!(past_the_seam(&Tree::made_up(&[(saga, "fn f() { disk.rename(a, b); }")])), [""; 0]);
        let transport = SEAMS[2].0;
        let silent = Tree::made_up(&[(transport, "    fn send(&self) {\n        go();\n    }\n")]);
        assert!(unannounced(&silent).iter().any(|found| found.contains("send changes something")));
        let loud = Tree::made_up(&[(transport, "    fn send(&self) {\n        stop_at::step(a, b);\n    }\n")]);
        assert_eq!(unannounced(&loud), [""; 0]);
    }
}
