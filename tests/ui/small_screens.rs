//! Is a screen of 40 by 10 still of use? Whatever does not fit can be reached, and says that it is there.
//! Deliberately elsewhere: what a tiny screen looks like (`pictures`), sizes that nobody uses (`sizes`).

use wharf::{
    engine::domain::{Error, ErrorKind, HostLink, Inventory},
    ui::Stage,
};

use super::{busy_host, minutes_ago, stage};

fn tiny() -> Stage {
    let mut stage = stage(40, 10);
    stage.show(busy_host());
    stage
}

fn assert_shows(stage: &Stage, wanted: &str) {
    assert!(stage.text().contains(wanted), "{wanted} is not on\n{}", stage.text());
}

#[tokio::test]
async fn an_error_scrolls_to_its_remedy_and_its_command() {
    let mut stage = stage(40, 8);
    stage.show(busy_host());
    stage.press("f4 down enter");
    assert_shows(&stage, "cannot start seed");
    assert!(!stage.text().contains("wharf start seed"), "{}", stage.text());
    assert_shows(&stage, "5 of 7");
    stage.press("j j j j");
    assert_shows(&stage, "wharf start seed");
    stage.press("g");
    assert_shows(&stage, "cannot start seed");
    stage.press("space");
    assert_shows(&stage, "wharf start seed");
    stage.press("space");
    assert_shows(&stage, "operations");
    assert!(!stage.text().contains("esc closes"), "{}", stage.text());
}

#[tokio::test]
async fn the_form_shows_the_current_field_and_all_of_what_is_wrong() {
    let mut stage = tiny();
    stage.press("c");
    for field in ["name", "command", "env", "mounts", "directory", "memory", "cpus", "network", "terminal", "remove"] {
        assert_shows(&stage, field);
        stage.press("tab");
    }
    assert_shows(&stage, "start now");
    assert_shows(&stage, "12 of 12");
    stage.press("tab ctrl-u");
    stage.type_text("UPPER");
    stage.press("enter");
    assert_shows(&stage, "write upper");
    assert_shows(&stage, "UPPER");
    assert_shows(&stage, "enter does it");
}

#[tokio::test]
async fn a_question_keeps_its_buttons_and_a_choice_its_choices() {
    let mut stage = tiny();
    stage.press("ctrl-d");
    assert_shows(&stage, "volumes are kept");
    assert_shows(&stage, "Cancel");
    stage.press("esc H");
    assert_shows(&stage, "podman");
}

#[tokio::test]
async fn help_says_all_of_what_a_key_does() {
    let mut stage = tiny();
    stage.press("?");
    assert_shows(&stage, "Follow what it prints");
    stage.press("j j j j");
    assert_shows(&stage, "Stop it if it runs, start it");
}

#[tokio::test]
async fn how_an_operation_goes_and_what_a_container_does_stay_longest() {
    let mut stage = tiny();
    stage.press("f4");
    assert_shows(&stage, "STATE");
    assert_shows(&stage, "✗ the command");
    for columns in 32..46 {
        stage.press("f2");
        stage.resize(columns, 10);
        assert_shows(&stage, "exited 1");
    }
}

#[tokio::test]
async fn the_list_beside_the_detail_keeps_the_status_before_the_age() {
    let mut stage = stage(100, 30);
    stage.show(busy_host());
    stage.press("|");
    for _ in 0..4 {
        stage.press("+");
        let heading = stage.text().lines().nth(1).unwrap_or_default().to_owned();
        assert!(heading.contains("STATUS") || !heading.contains("AGE"), "{heading}");
    }
}

#[tokio::test]
async fn an_invitation_is_read_whole() {
    let mut stage = stage(40, 10);
    stage.show(Inventory { containers: Vec::new().into(), operations: Vec::new().into(), ..busy_host() });
    for words in ["pull an image", "create a container", "try the demo"] {
        assert_shows(&stage, words);
    }
}

#[tokio::test]
async fn a_host_that_does_not_answer_says_all_of_why_and_what_to_do() {
    let error = Error::new(ErrorKind::Unreachable, "nobody listens on unix:///var/run/docker.sock")
        .remedy("start dockerd, or choose another host");
    let mut stage = stage(40, 10);
    stage.show(Inventory {
        link: HostLink::Stale { since: minutes_ago(1), error },
        containers: Vec::new().into(),
        ..busy_host()
    });
    for words in ["nobody listens", "docker.sock", "or choose another host", "H  another host"] {
        assert_shows(&stage, words);
    }
}
