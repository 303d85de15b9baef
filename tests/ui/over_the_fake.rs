//! Does the whole interface work, keys to engine and back, over the fake engine?
//! Deliberately elsewhere: real engines (`on_a_terminal`).

use std::sync::Arc;

use wharf::{
    engine::{Engine, backend::fake::FakeHost},
    ui::{OpenEngine, Settings, Stage},
};

use super::live_stage;
use crate::support::deadline::PATIENCE;

/// Waits for a text on the screen.
async fn until(stage: &mut Stage, wanted: &str) {
    if let Err(screen) = stage.wait_until(PATIENCE, |text| text.contains(wanted)).await {
        panic!("waited in vain for {wanted:?} on\n{screen}");
    }
}

async fn until_gone(stage: &mut Stage, unwanted: &str) {
    if let Err(screen) = stage.wait_until(PATIENCE, |text| !text.contains(unwanted)).await {
        panic!("waited in vain for {unwanted:?} to go from\n{screen}");
    }
}

/// Types a line after `:`.
fn command(stage: &mut Stage, line: &str) {
    stage.press(":");
    stage.type_text(line);
    stage.press("enter");
}

#[tokio::test]
async fn a_container_is_pulled_run_stopped_renamed_and_removed_without_leaving_the_keyboard() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    until(&mut stage, "No containers on the embedded engine").await;
    stage.press("p");
    until(&mut stage, "wharf pull").await;
    stage.type_text("remote:1");
    stage.press("enter");
    until(&mut stage, "pulled remote:1").await;
    stage.press("c");
    until(&mut stage, "create a container").await;
    stage.type_text("bb:1");
    stage.press("tab");
    stage.type_text("web");
    stage.press("tab");
    stage.type_text("sh -c \"echo hello there; trap 'exit' TERM; sleep 1000\"");
    stage.press("enter");
    until(&mut stage, "● web").await;
    until(&mut stage, "hello there").await;
    stage.press("s");
    until(&mut stage, "exited").await;
    stage.press("R");
    until(&mut stage, "wharf rename").await;
    stage.press("ctrl-u");
    stage.type_text("shop");
    stage.press("enter");
    until(&mut stage, "○ shop").await;
    stage.press("ctrl-d");
    until(&mut stage, "remove shop?").await;
    stage.press("tab enter");
    until(&mut stage, "No containers").await;
    stage.press("f4");
    until(&mut stage, "wharf rm").await;
    stage.press("q q");
    assert!(stage.ended);
}

#[tokio::test]
async fn enter_alone_never_removes() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    command(&mut stage, "create --name keep bb:1 true");
    until(&mut stage, "○ keep").await;
    stage.press("ctrl-d");
    until(&mut stage, "remove keep?").await;
    stage.press("enter");
    assert!(!stage.text().contains("remove keep?"));
    assert!(stage.text().contains("keep"));
}

#[tokio::test]
async fn keys_typed_ahead_of_the_question_do_not_answer_it() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    command(&mut stage, "create --name keep bb:1 true");
    until(&mut stage, "○ keep").await;
    stage.press_ahead("ctrl-d tab enter y");
    assert!(stage.text().contains("remove keep?"), "{}", stage.text());
    stage.press("tab enter");
    until(&mut stage, "No containers").await;
}

#[tokio::test]
async fn a_paste_presses_no_keys() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    until(&mut stage, "No containers").await;
    stage.paste("q\nq\n:rm -f x\n");
    assert!(!stage.ended);
    assert!(stage.text().contains("nothing takes text here"));
}

#[tokio::test]
async fn an_error_is_shown_whole_and_kept() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    command(&mut stage, "run --name bad bb:1 /no/such/file");
    until(&mut stage, "cannot start").await;
    stage.press("esc f4");
    until(&mut stage, "wharf run").await;
    stage.press("enter");
    until(&mut stage, "cannot start").await;
}

#[tokio::test]
async fn the_command_line_says_what_is_wrong_and_keeps_the_line() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    command(&mut stage, "stpo web");
    assert!(stage.text().contains("there is no verb"), "{}", stage.text());
    assert!(stage.text().contains(":stpo web"));
}

#[tokio::test]
async fn marked_containers_are_acted_on_together() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    for name in ["one", "two", "three"] {
        command(&mut stage, &format!("create --name {name} bb:1 sleep 1000"));
        until(&mut stage, &format!("○ {name}")).await;
    }
    stage.press("* s");
    let all_up = |text: &str| text.matches(" up ").count() == 3;
    stage.wait_until(PATIENCE, all_up).await.unwrap();
    stage.press("* ctrl-d");
    until(&mut stage, "remove 3 containers?").await;
    stage.press("tab enter");
    until(&mut stage, "No containers").await;
}

#[tokio::test]
async fn nothing_marked_starts_because_something_else_was_to_stop() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    command(&mut stage, "create --name idle bb:1 sleep 1000");
    until(&mut stage, "○ idle").await;
    command(&mut stage, "run --name busy bb:1 sleep 1000");
    until(&mut stage, "● busy").await;
    stage.press("g *");
    assert!(stage.text().contains("s stop"), "{}", stage.text());
    stage.press("s");
    until(&mut stage, "1 of 2 do not run").await;
    until_gone(&mut stage, "● busy").await;
    assert!(stage.text().contains("○ idle"), "{}", stage.text());
}

#[tokio::test]
async fn a_refused_form_comes_back_as_it_was_filled_in() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    command(&mut stage, "create --name taken bb:1 sleep 1000");
    until(&mut stage, "○ taken").await;
    command(&mut stage, "create --name other bb:1 sleep 1000");
    until(&mut stage, "○ other").await;
    stage.press("c");
    stage.type_text("taken");
    stage.press("tab");
    stage.type_text("sleep 4242");
    stage.press("enter");
    until(&mut stage, "belongs to container").await;
    assert!(stage.text().contains("sleep 4242") && stage.text().contains("start now"), "{}", stage.text());
    stage.press("esc R");
    stage.press("ctrl-u");
    stage.type_text("taken");
    stage.press("enter");
    until(&mut stage, "belongs to container").await;
    stage.press("backspace enter");
    until(&mut stage, "○ take ").await;
}

#[tokio::test]
async fn each_name_of_an_image_has_its_row_and_goes_alone() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    command(&mut stage, "pull bb:1");
    until(&mut stage, "pulled").await;
    for name in ["mine:1", "second:2"] {
        command(&mut stage, &format!("tag bb:1 {name}"));
        until(&mut stage, "tagged").await;
    }
    stage.press("f3 /");
    stage.type_text("mine");
    stage.press("enter ctrl-d");
    until(&mut stage, "remove mine:1?").await;
    assert!(stage.text().contains("Only this name goes: the image has 2 others."), "{}", stage.text());
    stage.press("tab enter");
    until_gone(&mut stage, "mine:1").await;
    stage.press("esc");
    until(&mut stage, "second:2").await;
    assert!(stage.text().contains("bb:1"), "{}", stage.text());
}

#[tokio::test]
async fn a_log_is_followed_searched_and_let_go() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    command(&mut stage, "run --name talk bb:1 sh -c 'echo first line; sleep 1000'");
    until(&mut stage, "● talk").await;
    let talker = {
        use wharf::engine::domain::HostSpec;
        let engine = Engine::with_backend(HostSpec::Embedded, std::sync::Arc::new(fake.clone()));
        engine.find_container(&"talk".into()).await.unwrap().id
    };
    for number in 0..100 {
        fake.print(&talker, wharf::engine::domain::LogSource::Stdout, format!("line number {number}").as_bytes());
    }
    until(&mut stage, "line number 99").await;
    stage.press("l /");
    stage.type_text("number 42");
    stage.press("enter");
    until(&mut stage, "1 match").await;
    assert!(stage.text().contains("line number 42") && !stage.text().contains("line number 99"), "{}", stage.text());
    stage.press("esc G");
    until(&mut stage, "line number 99").await;
}

#[tokio::test]
async fn a_search_says_which_match_it_is_at() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    command(&mut stage, "run --name talk bb:1 sh -c 'echo one; echo two; echo one more; sleep 1000'");
    until(&mut stage, "one more").await;
    stage.press("l /");
    stage.type_text("one");
    stage.press("enter");
    until(&mut stage, "2/2 matches").await;
    stage.press("N");
    until(&mut stage, "1/2 matches").await;
}

#[tokio::test]
async fn a_run_whose_output_would_be_lost_says_what_to_type_instead() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    until(&mut stage, "No containers").await;
    for line in ["run --rm bb:1 echo lost", "run -it bb:1 sh"] {
        command(&mut stage, line);
        assert!(stage.text().contains(&format!("in a shell: wharf {line}")), "{}", stage.text());
        stage.press("esc");
    }
    command(&mut stage, "run --name web bb:1 sleep 1000");
    until(&mut stage, "started web in the background").await;
}

#[tokio::test]
async fn letting_go_on_is_not_told_as_freezing() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 120, 30);
    command(&mut stage, "run --name web bb:1 sleep 1000");
    until(&mut stage, "● web").await;
    stage.press("ctrl-p");
    until(&mut stage, "‖ web").await;
    stage.press("ctrl-p");
    until(&mut stage, "● web").await;
    stage.press("f4");
    until(&mut stage, "wharf unpause web").await;
    let first = stage.text().lines().nth(2).unwrap_or_default().to_owned();
    assert!(first.contains("unpause"), "{}", stage.text());
}

#[tokio::test]
async fn a_silent_engine_never_stops_the_keys() {
    let fake = FakeHost::new();
    fake.set_silent(true);
    let mut stage = live_stage(&fake, 100, 30);
    stage.press("?");
    assert!(stage.text().contains("in the list of containers"));
    stage.press("esc q");
    assert!(stage.ended);
}

#[tokio::test]
async fn the_selection_follows_its_container_and_not_the_row() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    command(&mut stage, "create --name older bb:1 true");
    until(&mut stage, "○ older").await;
    command(&mut stage, "create --name newer bb:1 true");
    until(&mut stage, "○ newer").await;
    stage.press("G");
    let selected = |stage: &Stage| stage.text().lines().find(|row| row.starts_with('┃')).unwrap_or_default().to_owned();
    assert!(selected(&stage).contains("older"), "{}", stage.text());
    // Somebody else makes one; what a person makes here is selected, which is another test.
    let mut elsewhere = live_stage(&fake, 100, 30);
    command(&mut elsewhere, "create --name newest bb:1 true");
    until(&mut stage, "○ newest").await;
    assert!(selected(&stage).contains("older"), "{}", stage.text());
    command(&mut stage, "rm older");
    until_gone(&mut stage, "older  ").await;
    assert!(selected(&stage).contains("newer"), "{}", stage.text());
}

#[tokio::test]
async fn what_was_made_here_is_selected() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    for name in ["first", "second"] {
        command(&mut stage, &format!("create --name {name} bb:1 true"));
        until(&mut stage, &format!("┃ ○ {name}")).await;
    }
}

#[tokio::test]
async fn good_news_gives_the_hints_their_place_back() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    command(&mut stage, "create --name box bb:1 true");
    until(&mut stage, "created box").await;
    until_gone(&mut stage, "created box").await;
    assert!(stage.text().contains("? help"), "{}", stage.text());
}

#[tokio::test]
async fn an_end_that_nobody_asked_for_is_told_on_every_screen_and_one_that_was_asked_for_is_not() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    until(&mut stage, "No containers").await;
    stage.press("f3");
    // Somebody else's, so that only the host tells of it.
    let mut elsewhere = live_stage(&fake, 100, 30);
    command(&mut elsewhere, "run --name web bb:1 sh -c 'exit 3'");
    until(&mut stage, "web exited (3)").await;
    until_gone(&mut stage, "web exited (3)").await;
    command(&mut stage, "run --name db bb:1 sleep 1000");
    until(&mut stage, "started db").await;
    command(&mut stage, "kill db");
    until(&mut stage, "killed db").await;
    command(&mut stage, "run --name last bb:1 sh -c 'exit 4'");
    until(&mut stage, "last exited (4)").await;
    assert!(!stage.text().contains("db exited"), "{}", stage.text());
}

#[tokio::test]
async fn an_end_never_takes_the_place_of_an_error() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    command(&mut stage, "create --name idle bb:1 true");
    until(&mut stage, "○ idle").await;
    stage.press("e");
    until(&mut stage, "idle is not running").await;
    let mut elsewhere = live_stage(&fake, 100, 30);
    command(&mut elsewhere, "run --name web bb:1 false");
    until(&mut stage, "exited 1").await;
    assert!(stage.text().contains("idle is not running"), "{}", stage.text());
}

#[tokio::test]
async fn clicks_select_sort_and_open() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    for name in ["bb", "aa"] {
        command(&mut stage, &format!("create --name {name} bb:1 true"));
        until(&mut stage, &format!("○ {name}")).await;
    }
    stage.click(6, 1);
    assert!(stage.text().contains("NAME ▾"), "{}", stage.text());
    stage.click(10, 3);
    let row = stage.text().lines().nth(3).unwrap_or_default().to_owned();
    assert!(row.starts_with('┃') && row.contains("bb"), "{}", stage.text());
    let footer = stage.text().lines().last().unwrap_or_default().to_owned();
    let at = footer.chars().position(|letter| letter == '?').unwrap();
    stage.click(u16::try_from(at).unwrap(), 29);
    assert!(stage.text().contains("in the list of containers"), "{}", stage.text());
}

#[tokio::test]
async fn a_host_given_by_its_address_can_be_opened_again() {
    let fake = FakeHost::new();
    let open: OpenEngine = Arc::new(move |host| Ok(Engine::with_backend(host, Arc::new(fake.clone()))));
    let host = "tcp://build.example:2375".parse().unwrap();
    let mut stage = Stage::open(host, open, 100, 30, Settings::default());
    stage.press("H 1");
    until(&mut stage, "No containers on the embedded engine").await;
    stage.press("H");
    until(&mut stage, "given at the start").await;
    stage.press("4");
    until_gone(&mut stage, "embedded").await;
    assert!(stage.text().contains("tcp://build.example:2375"), "{}", stage.text());
}

#[tokio::test]
async fn another_host_starts_from_nothing() {
    let fake = FakeHost::new();
    let mut stage = live_stage(&fake, 100, 30);
    command(&mut stage, "create --name here bb:1 true");
    until(&mut stage, "○ here").await;
    stage.press("H 2");
    assert!(!stage.text().contains("here  "), "{}", stage.text());
    assert!(stage.text().contains("docker"), "{}", stage.text());
    until(&mut stage, "○ here").await;
}
