//! Does the tree keep its own rules? Direction of imports, edge crates, file shape, forgotten tests, stale
//! generated files, words that do not belong. The import rules are the fenced table in ARCHITECTURE.md.
//! Deliberately elsewhere: what the compiler and clippy check already (`Cargo.toml`, `clippy.toml`).

mod dependencies;
mod files;
mod generated;
mod imports;
mod paths;
mod proofs;
mod rules;
mod steps;
mod tree;
mod waiting;
mod words;

use self::{rules::ImportRules, tree::Tree};

/// Fails with one line per violation.
#[track_caller]
fn none(violations: Vec<String>) {
    assert!(violations.is_empty(), "{} violations:\n  {}", violations.len(), violations.join("\n  "));
}

fn import_rules(tree: &Tree) -> ImportRules {
    ImportRules::parse(tree.text("ARCHITECTURE.md").unwrap_or_default()).unwrap()
}

#[test]
fn modules_name_only_what_the_import_rules_let_them_name() {
    let tree = Tree::of_this_project();
    none(imports::direction(&tree, &import_rules(&tree)));
}

#[test]
fn no_two_modules_import_each_other() {
    none(imports::two_way_pairs(&Tree::of_this_project()));
}

#[test]
fn edge_crates_are_named_in_their_own_places_only() {
    let tree = Tree::of_this_project();
    none(imports::edge_crates(&tree, &import_rules(&tree)));
}

#[test]
fn source_files_are_short_and_say_which_question_they_answer() {
    let tree = Tree::of_this_project();
    none([files::too_long(&tree), files::without_question(&tree), files::nameless(&tree)].concat());
}

#[test]
fn every_test_file_is_reachable_from_a_test_binary() {
    none(files::forgotten_tests(&Tree::of_this_project()));
}

#[test]
fn generated_files_are_fresh() {
    none(generated::stale(&Tree::of_this_project(), generated::GENERATED));
}

#[test]
fn nothing_prints_but_the_printer_and_nothing_is_left_to_do() {
    let tree = Tree::of_this_project();
    none([words::prints(&tree), words::unfinished(&tree), words::sleeping_tests(&tree)].concat());
}

#[test]
fn nobody_waits_for_an_actor_and_no_queue_is_without_a_bound() {
    let tree = Tree::of_this_project();
    none([waiting::awaited_actors(&tree), waiting::unbounded_queues(&tree)].concat());
}

#[test]
fn no_path_of_one_machine_is_in_the_tree() {
    none(words::machine_paths(&Tree::of_this_project()));
}

#[test]
fn every_dependency_is_a_decision_and_none_is_banned() {
    let tree = Tree::of_this_project();
    none([dependencies::undecided(&tree), dependencies::banned(&tree)].concat());
}

#[test]
fn whatever_the_engine_changes_is_a_point_at_which_chaos_kills() {
    let tree = Tree::of_this_project();
    none([steps::past_the_seam(&tree), steps::unannounced(&tree)].concat());
}
