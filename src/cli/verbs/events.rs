//! What does `events` print, and which ones?
//!
//! Deliberately elsewhere: where they come from (each backend).

use tokio::sync::mpsc;

use super::Work;
use crate::{
    cli::{
        exit::Exit,
        grammar::{EventFilter, Format},
        json::EventRow,
    },
    engine::{
        EventRange,
        domain::{EngineEvent, EventSubject},
        limits,
    },
};

/// Prints events as they come, until the range ends or the person ends it.
pub async fn perform(work: &mut Work<'_>, range: EventRange, filters: &[EventFilter]) -> Exit {
    let (sender, mut events) = mpsc::channel(limits::ENGINE_EVENTS);
    let following = work.engine.events(range, sender);
    tokio::pin!(following);
    let mut ended = None;
    loop {
        tokio::select! {
            biased;
            event = events.recv() => match event {
                Some(event) => {
                    if fits(&event, filters) {
                        print(work, &event);
                    }
                    if events.is_empty() {
                        work.printer.flush();
                    }
                    if work.printer.is_gone() {
                        return Exit::BROKEN_PIPE;
                    }
                }
                None => break,
            },
            result = &mut following, if ended.is_none() => ended = Some(result),
        }
    }
    match ended {
        Some(Err(error)) => {
            let host = work.engine.host().to_string();
            work.failed(&host, &error)
        }
        Some(Ok(())) | None => Exit::DONE,
    }
}

fn print(work: &mut Work<'_>, event: &EngineEvent) {
    match work.printer.format {
        Format::Json => work.printer.json(&EventRow::from(event)),
        Format::Table => {
            let named = event.name.iter().map(|name| ("name", name.as_str()));
            let others = event.attributes.iter().map(|(key, value)| (key.as_str(), value.as_str()));
            let others = others.filter(|(key, _)| *key != "name");
            let attributes: Vec<String> = named.chain(others).map(|(key, value)| format!("{key}={value}")).collect();
            let mut line = format!(
                "{} {} {} {}",
                event.at.rfc3339_fixed(),
                subject(event.subject),
                event.action.as_str(),
                event.id
            );
            if !attributes.is_empty() {
                line = format!("{line} ({})", attributes.join(", "));
            }
            work.printer.line(&line);
        }
    }
}

fn subject(subject: EventSubject) -> &'static str {
    match subject {
        EventSubject::Container => "container",
        EventSubject::Image => "image",
        EventSubject::Other => "other",
    }
}

/// Values of one key widen, different keys narrow.
fn fits(event: &EngineEvent, filters: &[EventFilter]) -> bool {
    let of_kind = |kind: fn(&EventFilter) -> bool| {
        let mut same = filters.iter().filter(|filter| kind(filter)).peekable();
        same.peek().is_none() || same.any(|filter| fits_one(event, filter))
    };
    of_kind(|filter| matches!(filter, EventFilter::Container(_)))
        && of_kind(|filter| matches!(filter, EventFilter::Image(_)))
        && of_kind(|filter| matches!(filter, EventFilter::Action(_)))
        && of_kind(|filter| matches!(filter, EventFilter::Type(_)))
}

fn fits_one(event: &EngineEvent, filter: &EventFilter) -> bool {
    let names = |wanted: &str| event.name.as_deref() == Some(wanted) || event.id == wanted;
    match filter {
        EventFilter::Container(wanted) => {
            event.subject == EventSubject::Container && (names(wanted) || event.id.starts_with(wanted.as_str()))
        }
        EventFilter::Image(wanted) => {
            let of_container = event.attributes.get("image").is_some_and(|image| image == wanted);
            (event.subject == EventSubject::Image && names(wanted)) || of_container
        }
        EventFilter::Action(wanted) => event.action.as_str() == wanted,
        EventFilter::Type(wanted) => subject(event.subject) == wanted,
    }
}
