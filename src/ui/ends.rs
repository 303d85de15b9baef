//! Which ends of containers is a person told of? Those that nobody asked for and that did not go well, once each.
//!
//! The row shows the same for as long as it is there; the line is for whoever looks at another screen, and for containers
//! that are gone with their end. Deliberately elsewhere: where the line stands and for how long (`update`).

use std::{collections::VecDeque, time::Duration};

use crate::{
    engine::domain::{EngineEvent, EventAction, EventSubject, Timestamp},
    text::SafeText,
};

/// An end this soon after a signal was asked for: longer than most graces.
const ASKED: Duration = Duration::from_secs(30);
/// A container that ends again and again is told of once in this time.
const TOLD: Duration = Duration::from_secs(60);
/// Containers remembered of either kind. More at once would only flicker past.
const REMEMBERED: usize = 64;

/// What was heard lately, by container id.
#[derive(Debug, Default)]
pub struct Ends {
    asked: Lately,
    told: Lately,
}

impl Ends {
    /// Whether an event can lead to a line, now or together with a later one; all others need not come here.
    #[must_use]
    pub fn concerns(event: &EngineEvent) -> bool {
        if event.subject != EventSubject::Container {
            return false;
        }
        match &event.action {
            EventAction::Kill | EventAction::Die | EventAction::Oom => true,
            EventAction::Create
            | EventAction::Start
            | EventAction::Stop
            | EventAction::Restart
            | EventAction::Pause
            | EventAction::Unpause
            | EventAction::Rename
            | EventAction::Destroy
            | EventAction::Pull
            | EventAction::Push
            | EventAction::Tag
            | EventAction::Untag
            | EventAction::Delete
            | EventAction::Other(_) => false,
        }
    }

    /// Takes an event in; the line to show for it, safe for a terminal. `asked_here`: an operation of ours is ending it.
    pub fn hear(&mut self, event: &EngineEvent, asked_here: bool, now: Timestamp) -> Option<String> {
        if !Self::concerns(event) {
            return None;
        }
        if event.action == EventAction::Kill {
            self.asked.note(&event.id, now);
            return None;
        }
        let name = event.name.clone().unwrap_or_else(|| event.id.chars().take(12).collect());
        let name = SafeText::from_untrusted(&name);
        let line = if event.action == EventAction::Oom {
            format!("{name} ran out of memory: the kernel killed a process in it")
        } else {
            let code: i32 = event.attributes.get("exitCode")?.parse().ok()?;
            if code == 0 || asked_here || self.asked.has(&event.id, now, ASKED) {
                return None;
            }
            format!("{name} exited ({code})")
        };
        if self.told.has(&event.id, now, TOLD) {
            return None;
        }
        self.told.note(&event.id, now);
        Some(line)
    }

    /// Whether a line about this container has been shown within `time`.
    #[must_use]
    pub fn told_within(&self, id: &str, now: Timestamp, time: Duration) -> bool {
        self.told.has(id, now, time)
    }
}

/// Ids with the moment each was last noted; the oldest make room.
#[derive(Debug, Default)]
struct Lately(VecDeque<(String, Timestamp)>);

impl Lately {
    fn note(&mut self, id: &str, now: Timestamp) {
        self.0.retain(|(known, _)| known != id);
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((id.to_owned(), now));
    }

    fn has(&self, id: &str, now: Timestamp, within: Duration) -> bool {
        self.0.iter().any(|(known, at)| known == id && now.since(*at) < within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, action: EventAction, code: Option<&str>) -> EngineEvent {
        EngineEvent {
            at: Timestamp::ZERO,
            subject: EventSubject::Container,
            action,
            id: id.to_owned(),
            name: Some(format!("{id}\u{1b}[31m")),
            attributes: code.map(|code| ("exitCode".to_owned(), code.to_owned())).into_iter().collect(),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000 + seconds)
    }

    #[test]
    fn only_bad_ends_that_nobody_asked_for_are_told_and_never_with_raw_bytes() {
        let mut ends = Ends::default();
        let died = |id, code| event(id, EventAction::Die, Some(code));
        assert_eq!(ends.hear(&died("fine", "0"), false, at(0)), None);
        assert_eq!(ends.hear(&died("ours", "143"), true, at(0)), None);
        assert_eq!(ends.hear(&event("theirs", EventAction::Kill, None), false, at(0)), None);
        assert_eq!(ends.hear(&died("theirs", "137"), false, at(9)), None);
        assert_eq!(ends.hear(&event("odd", EventAction::Die, None), false, at(0)), None);
        let line = ends.hear(&died("web", "1"), false, at(0)).unwrap();
        assert!(line.starts_with("web") && line.ends_with("exited (1)") && !line.contains('\u{1b}'), "{line:?}");
        let line = ends.hear(&died("theirs", "1"), false, at(60)).unwrap();
        assert!(line.ends_with("exited (1)"), "a signal of a minute ago explains nothing: {line:?}");
    }

    #[test]
    fn a_container_that_ends_again_and_again_is_told_of_once_a_minute() {
        let mut ends = Ends::default();
        let died = event("loop", EventAction::Die, Some("2"));
        let lines: Vec<i64> = (0..100).filter(|second| ends.hear(&died, false, at(*second)).is_some()).collect();
        assert_eq!(lines, [0, 60]);
    }

    #[test]
    fn the_want_of_memory_is_told_instead_of_the_code_it_led_to() {
        let mut ends = Ends::default();
        let line = ends.hear(&event("db", EventAction::Oom, None), false, at(0)).unwrap();
        assert!(line.contains("ran out of memory"), "{line:?}");
        assert_eq!(ends.hear(&event("db", EventAction::Die, Some("137")), false, at(1)), None);
    }

    #[test]
    fn a_storm_of_ends_is_remembered_within_bounds() {
        let mut ends = Ends::default();
        for number in 0..1_000 {
            let id = format!("c{number}");
            ends.hear(&event(&id, EventAction::Kill, None), false, at(0));
            ends.hear(&event(&id, EventAction::Oom, None), false, at(0));
        }
        assert!(ends.asked.0.len() <= REMEMBERED && ends.told.0.len() <= REMEMBERED);
    }
}
