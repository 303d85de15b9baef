use super::*;
use crate::{
    engine::domain::{LogEntry, LogSource, Timestamp},
    ui::feedback::Extent,
};

fn lines(range: std::ops::Range<usize>) -> Vec<LogItem> {
    let entry = |number| LogEntry {
        at: Timestamp::from_unix_seconds(0),
        source: LogSource::Stdout,
        bytes: format!("line {number}").into_bytes(),
        partial: false,
    };
    range.map(entry).map(LogItem::Entry).collect()
}

fn screen() -> Feedback {
    Feedback { viewer: Extent { rows: 10, first: 0, total: 0 }, viewer_width: 40, ..Feedback::default() }
}

fn filled(count: usize) -> State {
    let mut state = State::default();
    state.append(lines(0..count), &screen());
    state
}

#[test]
fn scrolling_up_lets_go_of_the_end_and_reaching_it_takes_hold() {
    let mut state = filled(100);
    assert_eq!(state.top.line, 90);
    state.step(Step::Up(5), &screen());
    assert_eq!((state.top.line, state.follow), (85, Follow::Released));
    state.append(lines(100..150), &screen());
    assert_eq!(state.top.line, 85);
    state.step(Step::Down(1_000), &screen());
    assert_eq!((state.top.line, state.follow), (140, Follow::End));
    state.append(lines(150..151), &screen());
    assert_eq!(state.top.line, 141);
}

#[test]
fn matches_are_counted_as_lines_come() {
    let mut state = filled(30);
    state.search.field.set("line 1");
    state.search(&screen());
    assert_eq!(state.search.matches, 11);
    assert_eq!(state.search.current, Some(19));
    state.append(lines(30..200), &screen());
    assert_eq!(state.search.matches, 111);
}

#[test]
fn the_next_match_goes_around_the_ends() {
    let mut state = filled(30);
    state.search.field.set("line 2");
    state.search(&screen());
    assert_eq!(state.search.current, Some(29));
    state.next_match(Direction::Forward, &screen());
    assert_eq!(state.search.current, Some(2));
    state.next_match(Direction::Back, &screen());
    assert_eq!(state.search.current, Some(29));
    state.end_search();
    state.next_match(Direction::Forward, &screen());
    assert_eq!(state.search.current, None);
}

#[test]
fn follow_can_be_let_go_without_moving() {
    let mut state = filled(30);
    state.toggle_follow(&screen());
    assert_eq!(state.follow, Follow::Released);
    state.append(lines(30..60), &screen());
    assert_eq!(state.top.line, 20);
    state.toggle_follow(&screen());
    assert_eq!((state.top.line, state.follow), (50, Follow::End));
}
