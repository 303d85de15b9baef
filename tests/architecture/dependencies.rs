//! Is every dependency a decision, and none of them a banned one? Read from Cargo.toml, Cargo.lock and DECISIONS.md.
//! Deliberately elsewhere: licences and advisories (`deny.toml`, checked where cargo-deny is installed).

use super::tree::Tree;

/// Crates that must not be in `Cargo.lock`, with the reason.
const BANNED: [(&str, &str); 4] = [
    ("tokio-tar", "confuses pax headers: a crafted layer can smuggle entries"),
    ("astral-tokio-tar", "the same fault in early versions; we read tar with `tar`"),
    ("openssl-sys", "TLS is rustls"),
    ("native-tls", "TLS is rustls"),
];

/// Direct dependencies that DECISIONS.md's table does not name.
pub fn undecided(tree: &Tree) -> Vec<String> {
    let decided: Vec<&str> = tree.text("DECISIONS.md").unwrap_or_default().lines().filter_map(table_subject).collect();
    let decided: Vec<&str> = decided.iter().flat_map(|subject| subject.split(", ")).collect();
    let direct = direct_dependencies(tree.text("Cargo.toml").unwrap_or_default());
    let missing = direct.into_iter().filter(|name| !decided.contains(name));
    missing.map(|name| format!("Cargo.toml: {name} has no line in DECISIONS.md, Dependencies")).collect()
}

/// Banned crates that the lock file holds.
pub fn banned(tree: &Tree) -> Vec<String> {
    let lock = tree.text("Cargo.lock").unwrap_or_default();
    let present = BANNED.iter().filter(|(name, _)| lock.lines().any(|line| line == format!("name = \"{name}\"")));
    present.map(|(name, reason)| format!("Cargo.lock: {name}: {reason}")).collect()
}

/// The first cell of a table's row.
fn table_subject(line: &str) -> Option<&str> {
    Some(line.strip_prefix("| ")?.split_once(" |")?.0)
}

/// The names in every section of the manifest whose title ends in `dependencies`.
fn direct_dependencies(manifest: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut inside = false;
    for line in manifest.lines() {
        if let Some(title) = line.strip_prefix('[') {
            inside = title.trim_end_matches(']').ends_with("dependencies");
        } else if let Some((name, _)) = line.split_once(" = ").filter(|_| inside) {
            names.push(name);
        }
    }
    names
}
