//! Do the hints and the help name only keys that do something here and now?
//! Deliberately elsewhere: what the keys do to containers (`over_the_fake`).

use wharf::ui::Stage;

use super::{busy_host, seed_log, stage};

fn opened() -> Stage {
    let mut stage = stage(100, 30);
    stage.show(busy_host());
    stage
}

fn last_line(stage: &Stage) -> String {
    stage.text().lines().nth(29).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn under_a_dialog_there_are_no_hints_but_its_own() {
    let mut stage = opened();
    assert!(last_line(&stage).contains("? help"), "{}", stage.text());
    for script in ["c", "p", "H", "ctrl-d", "R", "?"] {
        stage.press(script);
        assert!(!last_line(&stage).contains("help"), "{}", stage.text());
        stage.press("esc");
        assert!(last_line(&stage).contains("? help"), "{}", stage.text());
    }
}

#[tokio::test]
async fn a_filter_and_a_search_say_how_they_end() {
    let mut stage = opened();
    for script in ["/", "f3 /", "f4 /", "f2 l /", "i /"] {
        stage.press(script);
        assert!(last_line(&stage).contains("enter keeps   esc clears"), "{script}\n{}", stage.text());
        stage.press("esc");
        assert!(!last_line(&stage).contains("keeps"), "{}", stage.text());
    }
}

#[tokio::test]
async fn operations_are_filtered_and_copied_from() {
    let mut stage = opened();
    stage.press("f4 /");
    stage.type_text("seed");
    stage.press("enter");
    assert!(stage.text().contains("1 of 3") && !stage.text().contains("shop/worker"), "{}", stage.text());
    stage.press("y");
    assert_eq!(stage.copied, ["c".repeat(64)]);
    stage.press("esc");
    assert!(stage.text().contains("shop/worker"), "{}", stage.text());
    stage.press("esc");
    assert!(stage.text().contains("containers"), "{}", stage.text());
}

#[tokio::test]
async fn help_names_marks_and_orders_only_where_there_are_some() {
    let mut stage = opened();
    for (script, marks, by_name) in [("f2", true, true), ("f3", false, true), ("f4", false, false)] {
        stage.press(script);
        stage.press("?");
        // What is in force here comes first; what is not follows the section "everywhere".
        let mut here = String::new();
        for _ in 0..80 {
            let text = stage.text();
            here.push_str(&text);
            if text.contains("everywhere") {
                break;
            }
            stage.press("j");
        }
        assert_eq!(here.contains("Mark the row"), marks, "{script}");
        assert_eq!(here.contains("Sort by name"), by_name, "{script}");
        assert!(here.contains("Show only rows"), "{script}");
        stage.press("esc");
    }
}

#[tokio::test]
async fn the_arrow_of_the_sorted_column_turns() {
    let mut stage = opened();
    let heading = |stage: &Stage| stage.text().lines().nth(1).unwrap_or_default().to_owned();
    stage.press("N");
    assert!(heading(&stage).contains("NAME ▾"), "{}", heading(&stage));
    stage.press("N");
    assert!(heading(&stage).contains("NAME ▴"), "{}", heading(&stage));
    let first = |stage: &Stage| stage.text().lines().nth(2).unwrap_or_default().to_owned();
    stage.press("T g");
    let trouble = first(&stage);
    assert!(!heading(&stage).contains('▴') && trouble.contains("seed"), "{trouble}");
    stage.press("T g");
    assert_eq!(first(&stage), trouble, "trouble comes first, however often one asks");
    stage.press("f3");
}

#[tokio::test]
async fn a_line_that_goes_on_beyond_the_edge_says_so() {
    let mut stage = stage(60, 20);
    stage.show(busy_host());
    stage.print(seed_log());
    stage.press("l w");
    stage.resize(44, 20);
    assert!(stage.text().contains("seeding users from /seed/users.csv, 1204 r…"), "{}", stage.text());
    stage.press("right");
    assert!(stage.text().contains("\n…users from"), "{}", stage.text());
}

#[tokio::test]
async fn candidates_that_do_not_fit_are_announced() {
    let mut stage = stage(40, 10);
    stage.show(busy_host());
    stage.press(": tab");
    let shown = |stage: &Stage| stage.text().lines().nth(8).unwrap_or_default().trim_end().to_owned();
    assert!(shown(&stage).ends_with('…'), "{}", stage.text());
    for _ in 0..7 {
        stage.press("tab");
    }
    let chosen = stage.text().lines().nth(9).unwrap_or_default().trim_start_matches(':').trim().to_owned();
    assert!(shown(&stage).contains(&chosen) && shown(&stage).starts_with(" …"), "{}", stage.text());
}
