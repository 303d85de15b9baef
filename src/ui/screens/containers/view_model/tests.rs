use std::sync::Arc;

use super::*;
use crate::{
    engine::domain::{ContainerState, HostSpec, Timestamp, Verb},
    ui::theme::GlyphSet,
};

fn container(state: ContainerState) -> Container {
    Container {
        name: Some("web".parse().unwrap()),
        command: vec!["nginx".to_owned(), "-g".to_owned()],
        state,
        ..Container::new("a".repeat(64).parse().unwrap(), "nginx", Timestamp::from_unix_seconds(0))
    }
}

fn facts() -> Facts {
    Facts::new(HostSpec::Embedded, Timestamp::from_unix_seconds(600))
}

fn words(state: ContainerState) -> String {
    status(&container(state), &facts(), GlyphSet::Unicode.glyphs()).words
}

fn exited(code: Option<i32>) -> ContainerState {
    let finished = Some(Timestamp::from_unix_seconds(480));
    ContainerState { status: Status::Exited, exit_code: code, finished, ..ContainerState::created() }
}

#[test]
fn a_status_says_how_long_and_how_it_ended() {
    let started = Some(Timestamp::from_unix_seconds(0));
    let up = ContainerState { status: Status::Running, started, ..ContainerState::created() };
    assert_eq!(words(up.clone()), "up 10m");
    assert_eq!(words(ContainerState { health: Some(Health::Unhealthy), ..up }), "unhealthy · up 10m");
    assert_eq!(words(exited(Some(1))), "exited 1 · 2m ago");
    assert_eq!(words(exited(None)), "exited, code unknown · 2m ago");
    assert_eq!(words(ContainerState { oom_killed: true, ..exited(Some(137)) }), "out of memory · 2m ago");
}

#[test]
fn what_somebody_stopped_is_no_trouble() {
    let found = |state| urgency(&container(state), &facts());
    for code in [0, 130, 137, 143] {
        assert_eq!(found(exited(Some(code))), Urgency::Quiet, "{code}");
    }
    assert_eq!(found(exited(Some(1))), Urgency::Trouble);
    assert_eq!(found(ContainerState { oom_killed: true, ..exited(Some(137)) }), Urgency::Trouble);
    let refused = ContainerState { reason: Some("no such command".to_owned()), ..ContainerState::created() };
    assert_eq!(found(refused), Urgency::Trouble);
}

#[test]
fn a_change_by_another_process_names_it() {
    let since = Timestamp::from_unix_seconds(596);
    let intent = Some(Intent { verb: Verb::Remove, pid: 77, since, deadline: None });
    let container = Container { intent, ..container(ContainerState::created()) };
    let text = status(&container, &facts(), GlyphSet::Ascii.glyphs());
    assert_eq!(text.words, "removing 4s · by pid 77");
    assert!(text.counts);
}

#[test]
fn the_reason_stands_before_the_command() {
    let fine = container(exited(Some(0)));
    assert_eq!(remark(&fine, None), Remark::Command(SafeText::from_untrusted("nginx -g")));
    let failed = container(exited(Some(1)));
    assert_eq!(remark(&failed, Some("out of cheese")), Remark::Reason(SafeText::from_untrusted("out of cheese")));
    let missing = container(exited(Some(127)));
    assert!(matches!(remark(&missing, Some("x")), Remark::Reason(reason) if reason.contains("not in the image")));
}

#[test]
fn every_status_has_a_sign_and_words() {
    for status_found in Status::ALL {
        for set in [GlyphSet::Unicode, GlyphSet::Ascii] {
            let state = ContainerState { status: status_found, ..ContainerState::created() };
            let text = status(&container(state), &facts(), set.glyphs());
            assert!(!text.glyph.trim().is_empty() && !text.words.is_empty(), "{status_found}");
        }
    }
}

#[test]
fn a_running_operation_is_what_the_row_shows() {
    let mut facts = facts();
    let container = container(ContainerState::created());
    let operation = Operation {
        id: crate::engine::domain::OperationId(1),
        verb: Verb::Start,
        subject: "web".to_owned(),
        container: Some(container.id.clone()),
        cli: String::new(),
        started: Timestamp::from_unix_seconds(598),
        deadline: None,
        state: crate::engine::domain::OperationState::Running,
        progress: Arc::default(),
        origin: crate::engine::domain::Origin::Here,
    };
    let inventory = Arc::make_mut(&mut facts.inventory);
    inventory.operations = [Arc::new(operation)].into();
    assert_eq!(status(&container, &facts, GlyphSet::Unicode.glyphs()).words, "starting 2s");
    assert_eq!(urgency(&container, &facts), Urgency::Busy);
}
