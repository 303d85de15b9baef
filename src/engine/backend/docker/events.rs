//! What happens on the daemon? Its event stream as notices (look again) and as facts.
//!
//! Deliberately elsewhere: connecting again after a break (`supervisor::observer`).

use std::sync::atomic::{AtomicI64, Ordering};

use http::Method;
use serde_json::Value;
use tokio::sync::mpsc::{self, error::TrySendError};

use super::{
    api::{Api, Stream},
    container_json::text,
    containers::Remembered,
    failure::About,
    json_stream::JsonStream,
    log_lines::seconds,
    path::Path,
};
use crate::engine::{
    backend::{EventRange, Notice},
    core::limits,
    domain::{EngineEvent, Error, ErrorKind, EventAction, EventSubject, Result, Timestamp},
};

/// The last event passed on, in nanoseconds since 1970: a new subscription repeats older ones, and says them once.
#[derive(Debug, Default)]
pub struct LastHeard(AtomicI64);

/// Reports changes until the stream breaks (an error) or nobody listens (`Ok`).
///
/// The daemon answers before it has subscribed; asking for the events since its last whole second closes that gap.
///
/// # Errors
/// Why the stream ended.
pub async fn watch(api: &Api, remembered: &Remembered, last: &LastHeard, notices: mpsc::Sender<Notice>) -> Result<()> {
    // After a break another version may answer.
    api.forget().await;
    let daemon = api.daemon().await?;
    let heard = Timestamp::from_unix_nanos(i128::from(last.0.load(Ordering::Relaxed)));
    let since = Timestamp::from_unix_seconds(daemon.seconds - 1);
    let since = if heard.unix_nanos() > 0 { heard.min(since) } else { since };
    let path =
        Path::new("/events").query("since", seconds(since)).query("filters", r#"{"type":["container","image"]}"#);
    let mut stream = api.stream(Method::GET, path, None, About::Host, limits::READ_DEADLINE).await?;
    let _subscription = Subscription::begin(remembered);
    if notices.send(Notice::Subscribed).await.is_err() {
        return Ok(());
    }
    let mut objects = JsonStream::default();
    let mut missed = false;
    loop {
        let bytes = tokio::select! {
            bytes = next(&mut stream, &notices) => bytes?,
            room = notices.reserve(), if missed => {
                let Ok(room) = room else { return Ok(()) };
                room.send(Notice::Gap);
                missed = false;
                continue;
            }
        };
        let Some(bytes) = bytes else { break };
        for object in objects.feed(&bytes)? {
            let Some(event) = read_event(&object) else { continue };
            let nanos = i64::try_from(event.at.unix_nanos()).unwrap_or_default();
            let new = nanos > last.0.fetch_max(nanos, Ordering::Relaxed);
            let look = look_again(&event);
            if let Some(Notice::Container(id)) = &look {
                remembered.forget(id);
            }
            let fact = new.then_some(Notice::Event(event));
            for notice in look.into_iter().chain(fact) {
                // The stream is read on whatever happens: dockerd drops events for readers that are slow.
                match notices.try_send(notice) {
                    Ok(()) => {}
                    Err(TrySendError::Full(_)) => missed = true,
                    Err(TrySendError::Closed(_)) => return Ok(()),
                }
            }
        }
    }
    if notices.is_closed() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unreachable, "the daemon ended the subscription"))
}

/// Past events of the range, then live ones when it has no end.
///
/// # Errors
/// Why the stream ended too early.
pub async fn follow(api: &Api, range: EventRange, events: mpsc::Sender<EngineEvent>) -> Result<()> {
    let path = Path::new("/events").maybe("since", range.since.map(seconds)).maybe("until", range.until.map(seconds));
    let mut stream = api.stream(Method::GET, path, None, About::Host, limits::READ_DEADLINE).await?;
    let mut objects = JsonStream::default();
    while let Some(bytes) = next(&mut stream, &events).await? {
        for event in objects.feed(&bytes)?.iter().filter_map(read_event) {
            if events.send(event).await.is_err() {
                return Ok(());
            }
        }
    }
    match range.until {
        Some(_) => Ok(()),
        None if events.is_closed() => Ok(()),
        None => Err(Error::new(ErrorKind::Unreachable, "the daemon ended the event stream")),
    }
}

/// The next bytes; `None` at the end, and when nobody listens any more.
async fn next<T>(stream: &mut Stream, listener: &mpsc::Sender<T>) -> Result<Option<hyper::body::Bytes>> {
    tokio::select! {
        bytes = stream.next() => bytes,
        () = listener.closed() => Ok(None),
    }
}

/// While it lives, every change is reported; it may be dropped in the middle of an await.
struct Subscription<'a>(&'a Remembered);

impl<'a> Subscription<'a> {
    fn begin(remembered: &'a Remembered) -> Self {
        remembered.subscribe(true);
        Self(remembered)
    }
}

impl Drop for Subscription<'_> {
    fn drop(&mut self) {
        self.0.subscribe(false);
    }
}

/// Which look an event is worth. Looking at processes, attaching and running commands change nothing in the list,
/// and looking itself makes events on some daemons.
fn look_again(event: &EngineEvent) -> Option<Notice> {
    match (event.subject, &event.action) {
        (EventSubject::Image, EventAction::Push) | (EventSubject::Other, _) => None,
        (EventSubject::Image, _) => Some(Notice::Images),
        (EventSubject::Container, EventAction::Other(word)) => {
            let word = word.split(':').next().unwrap_or_default();
            let idle = ["attach", "detach", "top", "resize", "copy", "export", "archive-path", "extract-to-dir"];
            let quiet = idle.contains(&word) || word.starts_with("exec") || word == "sync" || word == "init";
            if quiet { None } else { event.id.parse().ok().map(Notice::Container) }
        }
        (EventSubject::Container, _) => event.id.parse().ok().map(Notice::Container),
    }
}

/// `None` for what is no event at all.
pub(super) fn read_event(object: &Value) -> Option<EngineEvent> {
    let actor = object.get("Actor").unwrap_or(&Value::Null);
    let action = match text(object, "Action") {
        "" => text(object, "status"),
        action => action,
    };
    let id = match text(actor, "ID") {
        "" => text(object, "id"),
        id => id,
    };
    if action.is_empty() {
        return None;
    }
    let nanos = object.get("timeNano").and_then(Value::as_i64).map(i128::from);
    let at = nanos.or_else(|| object.get("time").and_then(Value::as_i64).map(|time| i128::from(time) * 1_000_000_000));
    let attributes = actor.get("Attributes").and_then(Value::as_object).into_iter().flatten();
    let attributes: std::collections::BTreeMap<String, String> = attributes
        .map(|(key, value)| (key.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    Some(EngineEvent {
        at: Timestamp::from_unix_nanos(at.unwrap_or_default()),
        subject: match text(object, "Type") {
            "container" | "" => EventSubject::Container,
            "image" => EventSubject::Image,
            _ => EventSubject::Other,
        },
        action: EventAction::from(action),
        id: id.to_owned(),
        name: attributes.get("name").cloned(),
        attributes,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "21c5779a813c5c694664e6123543c03b3a0bc36abf0877090c805d5c213ab951";

    #[test]
    fn recorded_events_are_read() {
        let docker = json!({"status": "die", "id": ID, "from": "bb:1", "Type": "container", "Action": "die",
            "Actor": {"ID": ID, "Attributes": {"exitCode": "137", "image": "bb:1", "name": "dk1"}},
            "scope": "local", "time": 1_795_254_213, "timeNano": 1_795_254_213_158_986_323_i64});
        let event = read_event(&docker).unwrap();
        assert_eq!((event.action.clone(), event.name.as_deref()), (EventAction::Die, Some("dk1")));
        assert_eq!(event.attributes["exitCode"], "137");
        assert_eq!(look_again(&event), Some(Notice::Container(ID.parse().unwrap())));
        let podman = json!({"Type": "container", "Action": "died", "Actor": {"ID": ID, "Attributes": {"exitCode": 1}}});
        assert_eq!(read_event(&podman).unwrap().action, EventAction::Die);
    }

    #[test]
    fn what_changes_nothing_causes_no_look() {
        for (action, looks) in [
            ("exec_create: sh", false),
            ("exec_die", false),
            ("top", false),
            ("attach", false),
            ("health_status: healthy", true),
            ("update", true),
            ("rename", true),
        ] {
            let event = read_event(&json!({"Type": "container", "Action": action, "Actor": {"ID": ID}})).unwrap();
            assert_eq!(look_again(&event).is_some(), looks, "{action}");
        }
    }

    #[test]
    fn odd_objects_are_skipped_and_never_panic() {
        for odd in [json!(null), json!([]), json!({}), json!({"Type": "x"}), json!({"Action": 3})] {
            assert!(read_event(&odd).is_none(), "{odd}");
        }
        let unknown = read_event(&json!({"Type": "sidecar", "Action": "grow", "time": i64::MAX})).unwrap();
        assert_eq!(unknown.subject, EventSubject::Other);
        assert_eq!(look_again(&unknown), None);
    }
}
