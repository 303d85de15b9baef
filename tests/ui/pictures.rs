//! What do the screens look like? Snapshots of text and style runs, at the sizes people use.
//! Deliberately elsewhere: strange sizes (`sizes`).

use std::sync::Arc;

use wharf::engine::domain::*;

use super::{busy_host, minutes_ago, seed_log, stage};

macro_rules! picture {
    ($name:expr, $stage:expr) => {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!($name, $stage.styled());
        })
    };
}

#[tokio::test]
async fn containers_on_a_standard_screen() {
    let mut stage = stage(80, 24);
    stage.show(busy_host());
    stage.print(seed_log());
    picture!("containers_80x24", stage);
}

#[tokio::test]
async fn containers_on_a_wide_screen() {
    let mut stage = stage(160, 50);
    stage.show(busy_host());
    stage.print(seed_log());
    picture!("containers_160x50", stage);
}

#[tokio::test]
async fn containers_on_a_tiny_screen() {
    let mut stage = stage(40, 10);
    stage.show(busy_host());
    picture!("containers_40x10", stage);
}

#[tokio::test]
async fn an_empty_host_says_what_to_press() {
    let mut stage = stage(80, 24);
    stage.show(Inventory { link: HostLink::Live, ..Inventory::unknown(HostSpec::Embedded) });
    picture!("empty_80x24", stage);
}

#[tokio::test]
async fn the_first_frame_comes_before_the_engine_answers() {
    picture!("connecting_80x24", stage(80, 24));
}

#[tokio::test]
async fn a_stale_host_says_since_when_and_dims_its_rows() {
    let error = Error::new(ErrorKind::Unreachable, "connection refused").remedy("start dockerd");
    let mut stage = stage(80, 24);
    stage.show(Inventory { link: HostLink::Stale { since: minutes_ago(1), error }, ..busy_host() });
    picture!("stale_80x24", stage);
}

#[tokio::test]
async fn operations_running_and_past() {
    let mut stage = stage(120, 24);
    stage.show(busy_host());
    stage.press("f4");
    picture!("operations_120x24", stage);
    stage.press("down enter");
    picture!("operation_error_120x24", stage);
}

#[tokio::test]
async fn removing_asks_and_names_object_and_host() {
    let mut stage = stage(80, 24);
    stage.show(busy_host());
    stage.press("/ web enter ctrl-d");
    picture!("remove_80x24", stage);
}

#[tokio::test]
async fn the_create_form_shows_its_command_line() {
    let mut stage = stage(80, 24);
    stage.show(busy_host());
    stage.press("/ db enter c tab");
    stage.type_text("sleep 60");
    picture!("create_80x24", stage);
}

#[tokio::test]
async fn help_lists_every_key() {
    let mut stage = stage(100, 30);
    stage.show(busy_host());
    stage.press("?");
    picture!("help_100x30", stage);
}

#[tokio::test]
async fn a_pull_shows_every_layer() {
    let transfer = |name: &str, phase, done: u64, total: u64, files| Transfer {
        name: name.to_owned(),
        phase,
        done: done << 20,
        total: total << 20,
        files,
    };
    let pull = Operation {
        id: OperationId(41),
        verb: Verb::Pull,
        subject: "shop/worker:3".to_owned(),
        container: None,
        cli: "wharf pull shop/worker:3".to_owned(),
        started: super::noon().minus(std::time::Duration::from_secs(2)),
        deadline: None,
        state: OperationState::Running,
        progress: Arc::new(Progress {
            step: "fetching layers".to_owned(),
            until: None,
            overdue: None,
            transfers: vec![
                transfer("1a2b3c4d5e6f", TransferPhase::Done, 88, 88, 0),
                transfer("2b3c4d5e6f70", TransferPhase::Unpacking, 60, 94, 14_359),
                transfer("3c4d5e6f7081", TransferPhase::Fetching, 3, 12, 0),
                transfer("4d5e6f708192", TransferPhase::Waiting, 0, 40, 0),
            ],
        }),
        origin: Origin::Here,
    };
    let mut stage = stage(100, 24);
    stage.show(Inventory { operations: [Arc::new(pull)].into(), ..busy_host() });
    stage.press("f4 enter");
    picture!("pull_100x24", stage);
}

#[tokio::test]
async fn the_command_line_completes_verbs_and_names() {
    let mut stage = stage(80, 24);
    stage.show(busy_host());
    stage.press(":");
    stage.type_text("stop ");
    stage.press("tab");
    picture!("command_line_80x24", stage);
}
