//! What should a person read about a container in one row? A sign, words and a tone; no clock, no drawing.
//!
//! Deliberately elsewhere: colours and columns (`view`).

use crate::{
    engine::domain::{Container, Health, Intent, Operation, Protocol, PublishedPort, Status},
    text::SafeText,
    ui::{facts::Facts, theme::Glyphs},
};

/// How much a row wants to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    Trouble,
    Busy,
    Running,
    Quiet,
}

/// The meaning of a status, which the theme colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Busy,
    Bad,
    Warning,
    Quiet,
}

/// A status as a sign, words and a tone; each says enough without the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusText {
    pub glyph: &'static str,
    pub words: String,
    pub tone: Tone,
    /// The words count seconds.
    pub counts: bool,
}

/// What is wrong, or what it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark<'a> {
    Reason(SafeText<'a>),
    Command(SafeText<'a>),
}

#[must_use]
pub fn urgency(container: &Container, facts: &Facts) -> Urgency {
    let state = &container.state;
    if container.intent.is_some() || facts.operation_on(&container.id).is_some() {
        return Urgency::Busy;
    }
    match state.status {
        Status::Broken | Status::Unknown | Status::Restarting => Urgency::Trouble,
        Status::Exited if failed(container) => Urgency::Trouble,
        Status::Running if state.health == Some(Health::Unhealthy) || container.degraded.is_some() => Urgency::Trouble,
        Status::Creating | Status::Stopping | Status::Removing => Urgency::Busy,
        Status::Running | Status::Paused => Urgency::Running,
        Status::Created if state.reason.is_some() => Urgency::Trouble,
        Status::Created | Status::Exited => Urgency::Quiet,
    }
}

/// Ended by itself and not well. Signals that a person sends to end things (INT, KILL, TERM) are no failure.
fn failed(container: &Container) -> bool {
    let state = &container.state;
    state.oom_killed || state.reason.is_some() || !matches!(state.exit_code, None | Some(0 | 130 | 137 | 143))
}

/// The status column.
#[must_use]
pub fn status(container: &Container, facts: &Facts, glyphs: &'static Glyphs) -> StatusText {
    if let Some(operation) = facts.operation_on(&container.id) {
        return under_way(operation, facts, glyphs);
    }
    if let Some(intent) = &container.intent {
        return intended(intent, facts, glyphs);
    }
    let state = &container.state;
    let text = |glyph, words: String, tone| StatusText { glyph, words, tone, counts: false };
    let up = || state.started.map_or_else(|| "up".to_owned(), |since| format!("up {}", facts.age(since)));
    match state.status {
        Status::Running => match state.health {
            _ if container.degraded.is_some() => text(glyphs.warning, format!("{} · degraded", up()), Tone::Warning),
            Some(Health::Unhealthy) => text(glyphs.warning, format!("unhealthy · {}", up()), Tone::Warning),
            Some(Health::Starting) => text(glyphs.running, format!("{} · health starting", up()), Tone::Good),
            Some(Health::Healthy) => text(glyphs.running, format!("{} · healthy", up()), Tone::Good),
            None => text(glyphs.running, up(), Tone::Good),
        },
        Status::Exited => exited(container, facts, glyphs),
        Status::Created => text(glyphs.created, "created".to_owned(), Tone::Quiet),
        Status::Paused => text(glyphs.paused, "paused".to_owned(), Tone::Busy),
        Status::Restarting => text(glyphs.restarting, "restarting".to_owned(), Tone::Busy),
        Status::Creating => text(glyphs.busy, "creating".to_owned(), Tone::Busy),
        Status::Stopping => text(glyphs.busy, "stopping".to_owned(), Tone::Busy),
        Status::Removing => text(glyphs.busy, "removing".to_owned(), Tone::Busy),
        Status::Broken => text(glyphs.failed, "broken".to_owned(), Tone::Bad),
        Status::Unknown => text(glyphs.unknown, "unknown".to_owned(), Tone::Warning),
    }
}

/// The words of a status in so many columns: ages lose their "ago" before anything is cut.
#[must_use]
pub fn fitted(words: &str, columns: usize) -> &str {
    match words.strip_suffix(" ago") {
        Some(shorter) if words.chars().count() > columns => shorter,
        Some(_) | None => words,
    }
}

fn exited(container: &Container, facts: &Facts, glyphs: &'static Glyphs) -> StatusText {
    let state = &container.state;
    let code = match state.exit_code {
        Some(_) if state.oom_killed => "out of memory".to_owned(),
        Some(code) => format!("exited {code}"),
        None => "exited, code unknown".to_owned(),
    };
    let words = match state.finished {
        Some(at) => format!("{code} · {} ago", facts.age(at)),
        None => code,
    };
    let (glyph, tone) = if failed(container) { (glyphs.failed, Tone::Bad) } else { (glyphs.stopped, Tone::Quiet) };
    StatusText { glyph, words, tone, counts: false }
}

fn under_way(operation: &Operation, facts: &Facts, glyphs: &'static Glyphs) -> StatusText {
    let mut words = format!("{} {}", operation.verb.doing(), facts.seconds(operation.started));
    if let Some((moment, what)) = &operation.progress.until {
        words = format!("{words} · {} in {}", SafeText::from_untrusted(what), facts.seconds_until(*moment));
    }
    StatusText { glyph: glyphs.busy, words, tone: Tone::Busy, counts: true }
}

fn intended(intent: &Intent, facts: &Facts, glyphs: &'static Glyphs) -> StatusText {
    let words = format!("{} {} · by pid {}", intent.verb.doing(), facts.seconds(intent.since), intent.pid);
    StatusText { glyph: glyphs.busy, words, tone: Tone::Busy, counts: true }
}

/// Why it is in trouble, else what it runs.
#[must_use]
pub fn remark<'a>(container: &'a Container, last_line: Option<&'a str>) -> Remark<'a> {
    let state = &container.state;
    if let Some(reason) = state.reason.as_deref().or(container.degraded.as_deref()) {
        return Remark::Reason(SafeText::from_untrusted(reason));
    }
    if state.status == Status::Exited {
        let known = match state.exit_code {
            Some(125) => "the engine could not run it",
            Some(126) => "its command cannot be executed",
            Some(127) => "its command is not in the image",
            Some(134) => "it aborted (SIGABRT)",
            Some(139) => "it crashed (SIGSEGV)",
            Some(_) | None => "",
        };
        if let Some(line) = last_line.filter(|line| known.is_empty() && !line.is_empty()) {
            return Remark::Reason(SafeText::from_untrusted(line));
        }
        if !known.is_empty() {
            return Remark::Reason(SafeText::from_untrusted(known));
        }
    }
    Remark::Command(match container.command.as_slice() {
        [] => SafeText::default(),
        [only] => SafeText::from_untrusted(only),
        words => SafeText::from(words.join(" ")),
    })
}

/// `8080→80`, several separated by blanks, a protocol other than TCP named.
#[must_use]
pub fn ports(container: &Container) -> String {
    let one = |port: &PublishedPort| {
        let protocol = match port.protocol {
            Protocol::Tcp => "",
            Protocol::Udp => "/udp",
            Protocol::Sctp => "/sctp",
        };
        match port.host_port {
            Some(host) => format!("{host}→{}{protocol}", port.container_port),
            None => format!("{}{protocol}", port.container_port),
        }
    };
    container.ports.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
