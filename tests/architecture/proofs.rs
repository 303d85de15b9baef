//! Can each rule fail? A small tree that breaks it, and the same tree mended.
//! Deliberately elsewhere: the rules on the project itself (`mod.rs`).

use super::{
    dependencies, files, generated,
    generated::Generated,
    imports,
    paths::{Named, code_only, module_of, named_by},
    rules::{ImportRules, fits},
    tree::Tree,
    waiting, words,
};

const TABLE: &str = "# Import rules\n\nWords.\n\n```text\n# who: whom\nengine::core: engine::domain\nengine::domain: -\n\
                     engine: -\nui: engine text\ntext: -\ncrate bollard: src/engine/docker/**\n```\n";

fn rules() -> ImportRules {
    ImportRules::parse(TABLE).unwrap()
}

fn tree(path: &str, text: &str) -> Tree {
    Tree::made_up(&[(path, text)])
}

#[track_caller]
fn breaks(found: &[String], part: &str) {
    assert!(found.len() == 1 && found[0].contains(part), "expected one violation with {part:?}, found {found:?}");
}

#[track_caller]
fn keeps(found: &[String]) {
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_lower_module_that_names_a_higher_one_is_found() {
    let upward = tree("src/engine/domain/id.rs", "//! q\nuse crate::engine::core::admit;\n");
    breaks(&imports::direction(&upward, &rules()), "engine::domain must not name engine::core");
    let by_super = tree("src/engine/domain/id.rs", "fn f() { super::super::core::admit() }");
    breaks(&imports::direction(&by_super, &rules()), "engine::domain must not name engine::core");
    let through_the_door = tree("src/ui/mod.rs", "use crate::{engine::core::admit, text};");
    breaks(&imports::direction(&through_the_door, &rules()), "ui must not name engine::core");
    keeps(&imports::direction(&tree("src/ui/mod.rs", "use crate::{engine::Engine, text};"), &rules()));
    keeps(&imports::direction(&tree("src/engine/mod.rs", "use self::{core::admit, domain::Id};"), &rules()));
}

#[test]
fn a_module_without_a_rule_is_found() {
    breaks(&imports::direction(&tree("src/novel/mod.rs", ""), &rules()), "do not list");
}

#[test]
fn a_missing_or_garbled_table_is_an_error() {
    assert!(ImportRules::parse("nothing").is_err());
    assert!(ImportRules::parse("# Import rules\n```\n```").is_err());
    assert!(ImportRules::parse("# Import rules\n```\nui engine\n```").is_err());
    assert_eq!(rules().may_name["ui"], ["engine", "text"]);
}

#[test]
fn two_modules_that_import_each_other_are_found_at_any_level() {
    let pair = |left: &str, right: &str| Tree::made_up(&[("src/a/b/one.rs", left), ("src/a/b/two/x.rs", right)]);
    let both = pair("use super::two::x::T;", "use crate::a::b::one::S;");
    breaks(&imports::two_way_pairs(&both), "a::b::one and a::b::two import each other");
    keeps(&imports::two_way_pairs(&pair("use super::two::x::T;", "use crate::a::b::other::S;")));
    let only_in_a_test = pair("use super::two::x::T;", "#[cfg(test)]\nmod tests {\n use crate::a::b::one::S;\n}\n");
    keeps(&imports::two_way_pairs(&only_in_a_test));
    let parent_and_child = Tree::made_up(&[("src/a/mod.rs", "use self::b::T;"), ("src/a/b.rs", "use super::S;")]);
    keeps(&imports::two_way_pairs(&parent_and_child));
}

#[test]
fn an_edge_crate_outside_its_folder_is_found() {
    let source = "fn f() -> bollard::Docker { g() }";
    breaks(&imports::edge_crates(&tree("src/engine/core.rs", source), &rules()), "bollard may be named only in");
    breaks(&imports::edge_crates(&tree("src/ui/mod.rs", "use {bollard::Docker, std::io};"), &rules()), "bollard");
    keeps(&imports::edge_crates(&tree("src/engine/docker/list.rs", source), &rules()));
    keeps(&imports::edge_crates(
        &tree("src/ui/mod.rs", "// bollard::Docker\nconst S: &str = \"bollard::x\";"),
        &rules(),
    ));
}

#[test]
fn patterns_fit_what_they_say() {
    assert!(fits("src/ui/**/view.rs", "src/ui/screens/images/view.rs") && fits("src/ui/**/view.rs", "src/ui/view.rs"));
    assert!(fits("src/ui/widgets/**", "src/ui/widgets/table.rs") && fits("src/ui/theme*", "src/ui/theme.rs"));
    assert!(!fits("src/ui/**/view.rs", "src/ui/review.rs") && !fits("src/ui/theme*", "src/ui/theme/dark.rs"));
}

#[test]
fn sources_are_read_as_the_compiler_reads_them() {
    assert_eq!(module_of("src/engine/core/admit.rs"), "engine::core::admit");
    assert_eq!((module_of("src/engine/mod.rs"), module_of("src/lib.rs")), ("engine".to_owned(), String::new()));
    let code =
        "let a = 'x'; /* todo!( /* */ */ let b: &'static str = r#\"todo!(\"#; // todo!(\nlet c = b\"\\\"todo!(\";";
    assert!(
        !code_only(code).contains("todo") && code_only(code).contains("'static") && code_only(code).contains("let c")
    );
    let named = named_by(
        "ui::view",
        "pub use super::{state::{self, State as S}, *};\nuse std::io;\nfn f() { crate::text::f() }",
    );
    let inside = ["text::f", "ui::*", "ui::state::State", "ui::state::self"].map(str::to_owned).to_vec();
    assert_eq!(named, Named { inside, outside: vec!["std".to_owned()] });
}

#[test]
fn long_silent_and_nameless_sources_are_found() {
    breaks(&files::too_long(&tree("src/a.rs", &"x\n".repeat(451))), "451 lines");
    keeps(&files::too_long(&tree("src/a.rs", &"x\n".repeat(450))));
    breaks(&files::without_question(&tree("src/a.rs", "use std::io;\n")), "which question");
    breaks(&files::without_question(&tree("src/a.rs", "//! placeholder\n")), "which question");
    keeps(&files::without_question(&tree("src/a.rs", "//! What is a?\n")));
    breaks(&files::nameless(&tree("src/engine/utils/time.rs", "")), "name it by its noun");
    keeps(&files::nameless(&tree("src/engine/database.rs", "")));
}

#[test]
fn a_test_file_without_a_way_to_it_is_found() {
    let project = |root: &str| {
        let manifest = ("Cargo.toml", "[[test]]\npath = \"tests/all.rs\"\n");
        Tree::made_up(&[manifest, ("tests/all.rs", root), ("tests/cli/mod.rs", "mod run;"), ("tests/cli/run.rs", "")])
    };
    assert_eq!(files::forgotten_tests(&project("// mod cli;")).len(), 2);
    keeps(&files::forgotten_tests(&project("mod cli;")));
}

#[test]
fn a_stale_or_missing_generated_file_is_found() {
    let generated = [Generated { path: "assets/a.1", make: || "new".to_owned() }];
    breaks(&generated::stale(&tree("assets/a.1", "old"), &generated), "stale");
    breaks(&generated::stale(&Tree::default(), &generated), "stale");
    keeps(&generated::stale(&tree("assets/a.1", "new"), &generated));
}

#[test]
fn words_that_do_not_belong_are_found() {
    breaks(&words::prints(&tree("src/ui/mod.rs", "\nfn f() { eprintln!(\"x\") }")), "src/ui/mod.rs:2: eprintln!(");
    keeps(&words::prints(&tree("src/cli/printer.rs", "fn f() { println!(\"x\") }")));
    breaks(&words::unfinished(&tree("src/a.rs", "fn f() { todo!() }")), "todo!(");
    breaks(&words::unfinished(&tree("tests/a.rs", "#[ignore]\nfn f() {}")), "#[ignore");
    keeps(&words::unfinished(&tree("src/a.rs", "// todo!()\nfn f() { \"todo!(\"; }")));
    breaks(&words::sleeping_tests(&tree("tests/a.rs", "std::thread::sleep(d);")), "wait for a value");
    keeps(&words::sleeping_tests(&tree("src/engine/monitor.rs", "std::thread::sleep(d);")));
    let machine = format!("run /{}/main/x", "work");
    breaks(&words::machine_paths(&tree("README.md", &machine)), "README.md:1");
    keeps(&words::machine_paths(&tree("README.md", &format!("overlay/{}/x", "work"))));
}

#[test]
fn an_undecided_and_a_banned_dependency_are_found() {
    let project = |decisions: &str, lock: &str| {
        let manifest = "[dependencies]\ntar = \"1\"\n[target.'cfg(unix)'.dependencies]\nrustix = { version = \"1\" }\n";
        Tree::made_up(&[("Cargo.toml", manifest), ("DECISIONS.md", decisions), ("Cargo.lock", lock)])
    };
    breaks(&dependencies::undecided(&project("| tar | why |", "")), "rustix has no line");
    keeps(&dependencies::undecided(&project("| rustix, tar | why |", "")));
    breaks(&dependencies::banned(&project("", "[[package]]\nname = \"tokio-tar\"\n")), "tokio-tar");
    keeps(&dependencies::banned(&project("", "[[package]]\nname = \"tar\"\n")));
}

#[test]
fn an_actor_that_waits_for_an_answer_is_found() {
    let waits = "//! q\nstruct Job { answer: oneshot::Receiver<Outcome> }\n";
    breaks(&waiting::awaited_actors(&tree("src/engine/actor/mod.rs", waits)), "waits for nobody");
    let sends = "impl Handle {\n    pub async fn send(&self) {}\n}\n";
    breaks(&waiting::awaited_actors(&tree("src/engine/actor/mod.rs", sends)), "never waits");
    let awaits = "fn f() { handle.stopped().await; }";
    breaks(&waiting::awaited_actors(&tree("src/engine/supervisor/route.rs", awaits)), "nobody waits for an actor");
    keeps(&waiting::awaited_actors(&tree("src/engine/supervisor/route.rs", "fn f() { handle.try_send(m); }")));
}

#[test]
fn a_queue_without_a_bound_is_found() {
    breaks(&waiting::unbounded_queues(&tree("src/ui/run.rs", "let (a, b) = mpsc::unbounded_channel();")), "bound");
    keeps(&waiting::unbounded_queues(&tree("src/ui/run.rs", "let (a, b) = mpsc::channel(limits::NOTICES);")));
}
