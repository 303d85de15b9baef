//! Does anything import what it must not? Direction by the table, no two-way pairs at any level, edge crates in
//! their own files.
//! Deliberately elsewhere: the table (`rules.rs`), reading sources (`paths.rs`).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    paths::{Named, is_unit_test, module_of, named_by},
    rules::{ImportRules, fits},
    tree::Tree,
};

/// Modules that name what the table does not let them name, and modules the table does not list.
pub fn direction(tree: &Tree, rules: &ImportRules) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources(tree).iter().filter(|source| !source.module.is_empty()) {
        let Some(own) = rules.listed(&source.module) else {
            violations.push(format!("{}: ARCHITECTURE.md's import rules do not list this module", source.path));
            continue;
        };
        let allowed = &rules.may_name[own];
        let targets: BTreeSet<&str> = source.named.inside.iter().filter_map(|path| rules.listed(path)).collect();
        let free = |target: &str| target == own || is_inside(target, own) || allowed.iter().any(|name| name == target);
        let refused = targets.into_iter().filter(|target| !free(target));
        violations
            .extend(refused.map(|target| {
                format!("{}: {own} must not name {target} (ARCHITECTURE.md, Import rules)", source.path)
            }));
    }
    violations
}

/// Pairs of sibling modules, at any level, that import each other.
pub fn two_way_pairs(tree: &Tree) -> Vec<String> {
    let all = sources(tree);
    let modules: BTreeSet<String> = all.iter().flat_map(|source| with_ancestors(&source.module)).collect();
    let mut edges: BTreeMap<(String, String), &str> = BTreeMap::new();
    for source in &all {
        for target in source.named.inside.iter().map(|path| deepest(&modules, path)) {
            if let Some(edge) = sibling_edge(&source.module, target) {
                edges.entry(edge).or_insert(source.path);
            }
        }
    }
    let back = |edge: &(String, String)| edges.get(&(edge.1.clone(), edge.0.clone()));
    let once = edges.iter().filter(|(edge, _)| edge.0 < edge.1);
    let pairs = once.filter_map(|(edge, there)| {
        back(edge).map(|here| format!("{} and {} import each other ({there}, {here})", edge.0, edge.1))
    });
    pairs.collect()
}

/// Files that name an edge crate outside the places the table gives it.
pub fn edge_crates(tree: &Tree, rules: &ImportRules) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources(tree) {
        for (name, patterns) in &rules.edge_crates {
            let names = source.named.outside.iter().any(|outside| outside == name);
            if names && !patterns.iter().any(|pattern| fits(pattern, source.path)) {
                violations.push(format!("{}: {name} may be named only in {}", source.path, patterns.join(", ")));
            }
        }
    }
    violations
}

struct Source<'a> {
    path: &'a str,
    module: String,
    named: Named,
}

/// Every production source with what it names.
fn sources(tree: &Tree) -> Vec<Source<'_>> {
    let production = tree.rust_below(&["src/"]).filter(|(path, _)| !is_unit_test(path));
    let read = production.map(|(path, text)| {
        let module = module_of(path);
        let named = named_by(&module, text);
        Source { path, module, named }
    });
    read.collect()
}

fn is_inside(module: &str, parent: &str) -> bool {
    module.strip_prefix(parent).is_some_and(|rest| rest.starts_with("::"))
}

fn with_ancestors(module: &str) -> Vec<String> {
    let ends = module.match_indices("::").map(|(at, _)| at).chain([module.len()]);
    ends.map(|end| module[..end].to_owned()).filter(|name| !name.is_empty()).collect()
}

/// The deepest existing module on a path that may end in a type or a function.
fn deepest<'a>(modules: &BTreeSet<String>, path: &'a str) -> &'a str {
    let mut prefix = path;
    while !modules.contains(prefix) {
        match prefix.rsplit_once("::") {
            Some((shorter, _)) => prefix = shorter,
            None => return "",
        }
    }
    prefix
}

/// The two siblings below the last common ancestor of two modules; none when one contains the other.
fn sibling_edge(from: &str, to: &str) -> Option<(String, String)> {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.split("::").collect(), to.split("::").collect());
    let common = from.iter().zip(&to).take_while(|(left, right)| left == right).count();
    let cut = |segments: &[&str]| segments.get(..=common).map(|part| part.join("::")).filter(|name| !name.is_empty());
    Some((cut(&from)?, cut(&to)?))
}
