//! What do programs read? The objects of `--format json`: our keys, snake_case, `"v": 1` first, one per line.
//!
//! Deliberately elsewhere: `inspect`, which prints Docker's JSON; script results (`script`). Keys are only ever
//! added under one version; a change of meaning is a new version.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::engine::domain::{
    Container, Done, EngineEvent, Error, ErrorKind, Finding, HistoryEntry, HostInfo, Image, Intent, LogEntry,
    LogSource, PublishedPort, SupportItem, Timestamp,
};

/// The version of every object here.
pub const VERSION: u8 = 1;

/// One container of `ps`.
#[derive(Debug, Serialize)]
pub struct ContainerRow<'a> {
    v: u8,
    id: &'a str,
    name: Option<&'a str>,
    image: &'a str,
    image_id: Option<String>,
    command: &'a [String],
    created: Timestamp,
    status: &'static str,
    pid: Option<u32>,
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
    exit_code: Option<i32>,
    oom_killed: bool,
    health: Option<crate::engine::domain::Health>,
    reason: Option<&'a str>,
    ports: Vec<PortRow>,
    labels: &'a BTreeMap<String, String>,
    tty: bool,
    auto_remove: bool,
    degraded: Option<&'a str>,
    intent: Option<IntentRow>,
}

#[derive(Debug, Serialize)]
struct PortRow {
    host_ip: Option<String>,
    host_port: Option<u16>,
    container_port: u16,
    protocol: &'static str,
}

#[derive(Debug, Serialize)]
struct IntentRow {
    verb: &'static str,
    pid: u32,
    since: Timestamp,
    deadline: Option<Timestamp>,
}

impl<'a> From<&'a Container> for ContainerRow<'a> {
    fn from(container: &'a Container) -> Self {
        let state = &container.state;
        Self {
            v: VERSION,
            id: container.id.as_str(),
            name: container.name.as_ref().map(|name| name.as_str()),
            image: &container.image,
            image_id: container.image_id.as_ref().map(ToString::to_string),
            command: &container.command,
            created: container.created,
            status: state.status.word(),
            pid: state.pid,
            started: state.started,
            finished: state.finished,
            exit_code: state.exit_code,
            oom_killed: state.oom_killed,
            health: state.health,
            reason: state.reason.as_deref(),
            ports: container.ports.iter().map(PortRow::from).collect(),
            labels: &container.labels,
            tty: container.tty,
            auto_remove: container.auto_remove,
            degraded: container.degraded.as_deref(),
            intent: container.intent.as_ref().map(IntentRow::from),
        }
    }
}

impl From<&PublishedPort> for PortRow {
    fn from(port: &PublishedPort) -> Self {
        Self {
            host_ip: port.host_ip.map(|address| address.to_string()),
            host_port: port.host_port,
            container_port: port.container_port,
            protocol: port.protocol.as_str(),
        }
    }
}

impl From<&Intent> for IntentRow {
    fn from(intent: &Intent) -> Self {
        Self { verb: intent.verb.as_str(), pid: intent.pid, since: intent.since, deadline: intent.deadline }
    }
}

/// One image of `images`.
#[derive(Debug, Serialize)]
pub struct ImageRow {
    v: u8,
    id: String,
    references: Vec<String>,
    digests: Vec<String>,
    created: Option<Timestamp>,
    size_bytes: u64,
    platform: Option<String>,
    layers: usize,
    /// Where the host counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    containers: Option<usize>,
}

impl From<&Image> for ImageRow {
    fn from(image: &Image) -> Self {
        Self {
            v: VERSION,
            id: image.id.to_string(),
            references: image.references.iter().map(ToString::to_string).collect(),
            digests: image.digests.iter().map(ToString::to_string).collect(),
            created: image.created,
            size_bytes: image.size.bytes(),
            platform: image.platform.as_ref().map(ToString::to_string),
            layers: image.layers,
            containers: image.containers,
        }
    }
}

/// One step of `history`.
#[derive(Debug, Serialize)]
pub struct HistoryRow<'a> {
    v: u8,
    layer: Option<String>,
    created: Option<Timestamp>,
    created_by: &'a str,
    size_bytes: u64,
    comment: &'a str,
    empty: bool,
}

impl<'a> From<&'a HistoryEntry> for HistoryRow<'a> {
    fn from(entry: &'a HistoryEntry) -> Self {
        Self {
            v: VERSION,
            layer: entry.layer.as_ref().map(ToString::to_string),
            created: entry.created,
            created_by: &entry.created_by,
            size_bytes: entry.size.bytes(),
            comment: &entry.comment,
            empty: entry.empty,
        }
    }
}

/// One line of `events`.
#[derive(Debug, Serialize)]
pub struct EventRow<'a> {
    v: u8,
    at: Timestamp,
    #[serde(rename = "type")]
    subject: crate::engine::domain::EventSubject,
    action: &'a str,
    id: &'a str,
    name: Option<&'a str>,
    attributes: &'a BTreeMap<String, String>,
}

impl<'a> From<&'a EngineEvent> for EventRow<'a> {
    fn from(event: &'a EngineEvent) -> Self {
        Self {
            v: VERSION,
            at: event.at,
            subject: event.subject,
            action: event.action.as_str(),
            id: &event.id,
            name: event.name.as_deref(),
            attributes: &event.attributes,
        }
    }
}

/// One line of `logs`. Bytes that are no text are replaced; `--format table` into a pipe keeps them.
#[derive(Debug, Serialize)]
pub struct LogRow {
    v: u8,
    at: Timestamp,
    source: &'static str,
    text: String,
    partial: bool,
}

impl From<&LogEntry> for LogRow {
    fn from(entry: &LogEntry) -> Self {
        Self {
            v: VERSION,
            at: entry.at,
            source: match entry.source {
                LogSource::Stdout => "stdout",
                LogSource::Stderr => "stderr",
            },
            text: String::from_utf8_lossy(&entry.bytes).into_owned(),
            partial: entry.partial,
        }
    }
}

/// What became of one target of a changing verb.
#[derive(Debug, Serialize)]
pub struct ResultRow<'a> {
    v: u8,
    verb: &'a str,
    target: &'a str,
    /// `done`, `already`, `failed` or `cancelled`.
    outcome: &'static str,
    id: Option<String>,
    output: &'a [String],
    warnings: &'a [String],
    error: Option<ErrorRow>,
}

impl<'a> ResultRow<'a> {
    #[must_use]
    pub fn of_done(verb: &'a str, target: &'a str, done: &'a Done) -> Self {
        Self {
            v: VERSION,
            verb,
            target,
            outcome: if done.already { "already" } else { "done" },
            id: done.container.as_ref().map(ToString::to_string),
            output: &done.output,
            warnings: &done.warnings,
            error: None,
        }
    }

    #[must_use]
    pub fn of_error(verb: &'a str, target: &'a str, error: &Error) -> Self {
        Self {
            v: VERSION,
            verb,
            target,
            outcome: if error.kind() == ErrorKind::Cancelled { "cancelled" } else { "failed" },
            id: None,
            output: &[],
            warnings: &[],
            error: Some(ErrorRow::from(error)),
        }
    }
}

/// A failure as programs read it: branch on `kind`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorRow {
    pub kind: ErrorKind,
    pub message: String,
    pub remedy: Option<String>,
}

impl From<&Error> for ErrorRow {
    fn from(error: &Error) -> Self {
        Self { kind: error.kind(), message: error.to_string(), remedy: error.remedy_text().map(str::to_owned) }
    }
}

/// What `wait` saw.
#[derive(Debug, Serialize)]
pub struct WaitRow<'a> {
    v: u8,
    target: &'a str,
    reached: bool,
    exit_code: Option<i32>,
}

impl<'a> WaitRow<'a> {
    #[must_use]
    pub fn new(target: &'a str, reached: bool, exit_code: Option<i32>) -> Self {
        Self { v: VERSION, target, reached, exit_code }
    }
}

/// `top`: one process, by the host's own titles.
#[derive(Debug, Serialize)]
pub struct ProcessRow<'a> {
    v: u8,
    process: BTreeMap<&'a str, &'a str>,
}

impl<'a> ProcessRow<'a> {
    pub fn new(titles: &'a [String], row: &'a [String]) -> Self {
        let process = titles.iter().map(String::as_str).zip(row.iter().map(String::as_str)).collect();
        Self { v: VERSION, process }
    }
}

/// `system info`.
#[derive(Debug, Serialize)]
pub struct InfoRow<'a> {
    v: u8,
    wharf: &'static str,
    host: String,
    #[serde(flatten)]
    info: InfoFields<'a>,
    data: String,
    run: String,
    config: String,
}

#[derive(Debug, Serialize)]
struct InfoFields<'a> {
    kind: crate::engine::domain::HostKind,
    title: &'a str,
    version: &'a str,
    location: &'a str,
    rootless: bool,
    root_equivalent: bool,
    memory_bytes: Option<u64>,
    cpus: Option<usize>,
    support: &'a [SupportItem],
    facts: BTreeMap<&'a str, &'a str>,
}

impl<'a> InfoRow<'a> {
    #[must_use]
    pub fn new(host: String, info: &'a HostInfo, locations: &crate::engine::Locations) -> Self {
        Self {
            v: VERSION,
            wharf: env!("CARGO_PKG_VERSION"),
            host,
            info: InfoFields {
                kind: info.kind,
                title: &info.title,
                version: &info.version,
                location: &info.location,
                rootless: info.rootless,
                root_equivalent: info.root_equivalent,
                memory_bytes: info.memory_bytes,
                cpus: info.cpus,
                support: &info.support.items,
                facts: info.facts.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
            },
            data: locations.data.display().to_string(),
            run: locations.run.display().to_string(),
            config: locations.config.display().to_string(),
        }
    }
}

/// One finding of `system repair`.
#[derive(Debug, Serialize)]
pub struct FindingRow<'a> {
    v: u8,
    #[serde(flatten)]
    finding: &'a Finding,
}

impl<'a> From<&'a Finding> for FindingRow<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self { v: VERSION, finding }
    }
}

/// `version`.
#[derive(Debug, Serialize)]
pub struct VersionRow {
    v: u8,
    wharf: &'static str,
}

impl VersionRow {
    #[must_use]
    pub fn of_this_build() -> Self {
        Self { v: VERSION, wharf: env!("CARGO_PKG_VERSION") }
    }
}

#[cfg(test)]
mod tests;
