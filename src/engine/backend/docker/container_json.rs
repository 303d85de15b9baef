//! What does the daemon's JSON say about a container? List entries and `inspect` objects, read tolerantly.
//!
//! Nothing here fails on a missing, null or unheard-of value: one odd container must not hide the others.
//! Deliberately elsewhere: asking for the JSON (`containers`).

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use crate::engine::domain::{
    Container, ContainerId, ContainerState, Digest, Health, Protocol, PublishedPort, Status, Timestamp,
};

/// An entry of `GET /containers/json`. `None` when it has no usable id.
///
/// The exit code and the health stand only in the text for people; times, terminal and auto-remove stand nowhere.
#[must_use]
pub fn from_list_entry(entry: &Value) -> Option<Container> {
    let id: ContainerId = text(entry, "Id").parse().ok()?;
    let status = status_of(text(entry, "State"));
    let words = text(entry, "Status");
    let ended = status == Status::Exited || status == Status::Broken || status == Status::Restarting;
    let state = ContainerState {
        status,
        exit_code: if ended { code_in_parentheses(words) } else { None },
        health: health_in_parentheses(words),
        ..ContainerState::created()
    };
    let names = array(entry, "Names").iter().filter_map(Value::as_str);
    // A linked container is also listed as /other/alias.
    let name = names.filter_map(|name| name.trim_start_matches('/').parse().ok()).next();
    let command = text(entry, "Command");
    Some(Container {
        name,
        image_id: digest(text(entry, "ImageID")),
        command: if command.is_empty() { Vec::new() } else { vec![command.to_owned()] },
        labels: labels(entry.get("Labels")),
        ports: distinct(array(entry, "Ports").iter().filter_map(listed_port)),
        state,
        ..Container::new(
            id,
            text(entry, "Image"),
            Timestamp::from_unix_seconds(entry.get("Created").and_then(Value::as_i64).unwrap_or_default()),
        )
    })
}

/// Whether a list entry says all that a row of `ps` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Enough,
    TooLittle,
}

/// An entry of `GET /containers/json` with the times that its words tell, as exact as those. `None` as above.
#[must_use]
pub fn row(entry: &Value, now: Timestamp) -> Option<(Container, Told)> {
    let mut container = from_list_entry(entry)?;
    let at = age_in_words(text(entry, "Status")).map(|age| now.minus(age));
    let state = &mut container.state;
    let told = match state.status {
        Status::Running | Status::Paused | Status::Stopping => {
            state.started = at;
            at.is_some()
        }
        Status::Exited | Status::Restarting => {
            state.finished = at;
            at.is_some() && state.exit_code.is_some()
        }
        // Their words are the same whenever they began.
        Status::Creating | Status::Created | Status::Removing | Status::Broken => true,
        Status::Unknown => false,
    };
    // Docker lists the id of an image whose reference has moved on to another. Of a ghost there is nothing more to know.
    let moved = container.image.starts_with("sha256:");
    let enough = container.name.is_none() || (told && !moved);
    Some((container, if enough { Told::Enough } else { Told::TooLittle }))
}

/// The object of `GET /containers/ID/json`. `None` when it has no usable id.
#[must_use]
pub fn from_inspect(object: &Value) -> Option<Container> {
    let id: ContainerId = text(object, "Id").parse().ok()?;
    let state = object.get("State").unwrap_or(&Value::Null);
    let config = object.get("Config").unwrap_or(&Value::Null);
    let host = object.get("HostConfig").unwrap_or(&Value::Null);
    let status = inspected_status(state);
    let path = Some(text(object, "Path")).filter(|path| !path.is_empty());
    let arguments = array(object, "Args").iter().filter_map(Value::as_str);
    let reason = Some(text(state, "Error")).filter(|error| !error.is_empty()).map(str::to_owned);
    let ended = status == Status::Exited || status == Status::Broken || status == Status::Restarting;
    let code = state.get("ExitCode").and_then(Value::as_i64).and_then(|code| i32::try_from(code).ok());
    let pid = state.get("Pid").and_then(Value::as_u64).and_then(|pid| u32::try_from(pid).ok());
    Some(Container {
        name: text(object, "Name").trim_start_matches('/').parse().ok(),
        image_id: digest(text(object, "Image")),
        command: path.into_iter().chain(arguments).map(str::to_owned).collect(),
        labels: labels(config.get("Labels")),
        ports: distinct(bound_ports(object.pointer("/NetworkSettings/Ports"))),
        tty: flag(config, "Tty"),
        auto_remove: flag(host, "AutoRemove"),
        state: ContainerState {
            status,
            pid: pid.filter(|pid| *pid > 0 && status.has_process()),
            started: time(state, "StartedAt"),
            finished: time(state, "FinishedAt").filter(|_| !status.has_process() || status == Status::Restarting),
            // Podman reports -1 while it does not know; Docker keeps the last code while the next run goes on.
            exit_code: code.filter(|code| ended && *code >= 0),
            oom_killed: flag(state, "OOMKilled"),
            health: state.pointer("/Health/Status").and_then(Value::as_str).and_then(health_word),
            reason,
        },
        ..Container::new(id, text(config, "Image"), time(object, "Created").unwrap_or(Timestamp::ZERO))
    })
}

/// The exit code that a failed start left behind: 127 and 126 as a shell would say it.
#[must_use]
pub fn start_failure_code(object: &Value) -> Option<i64> {
    object.pointer("/State/ExitCode").and_then(Value::as_i64)
}

fn inspected_status(state: &Value) -> Status {
    let named = status_of(text(state, "Status"));
    if named != Status::Unknown {
        return named;
    }
    // The flags tell more than a word of the future.
    let flags = [
        ("Paused", Status::Paused),
        ("Restarting", Status::Restarting),
        ("Running", Status::Running),
        ("Dead", Status::Broken),
    ];
    flags.into_iter().find(|(key, _)| flag(state, key)).map_or(Status::Unknown, |(_, status)| status)
}

/// Docker's words, Podman's words, and `Unknown` for whatever comes next.
fn status_of(word: &str) -> Status {
    match word {
        "creating" => Status::Creating,
        "created" | "configured" | "initialized" => Status::Created,
        "running" => Status::Running,
        "paused" => Status::Paused,
        "restarting" => Status::Restarting,
        "stopping" => Status::Stopping,
        "exited" | "stopped" => Status::Exited,
        "removing" => Status::Removing,
        "dead" => Status::Broken,
        _ => Status::Unknown,
    }
}

/// `Exited (137) 2 hours ago` is the only place where a listing has the code.
fn code_in_parentheses(words: &str) -> Option<i32> {
    let (_, rest) = words.split_once('(')?;
    let (code, _) = rest.split_once(')')?;
    code.parse().ok().filter(|code| *code >= 0)
}

/// How long ago it was by `Up 3 minutes (healthy)` or `Exited (1) About an hour ago`: Docker's steps, back to a time.
fn age_in_words(words: &str) -> Option<Duration> {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let ended = || words.strip_suffix(" ago").and_then(|words| words.split_once(") "));
    let age = match words.strip_prefix("Up ") {
        Some(rest) => rest.split_once(" (").map_or(rest, |(age, _)| age),
        None => ended()?.1,
    };
    let seconds = match age {
        "Less than a second" => 0,
        "About a minute" => MINUTE,
        "About an hour" => HOUR,
        _ => {
            let (count, unit) = age.split_once(' ')?;
            let unit = match unit.trim_end_matches('s') {
                "second" => 1,
                "minute" => MINUTE,
                "hour" => HOUR,
                "day" => DAY,
                "week" => 7 * DAY,
                "month" => 30 * DAY,
                "year" => 365 * DAY,
                _ => return None,
            };
            count.parse::<u64>().ok()?.checked_mul(unit)?
        }
    };
    Some(Duration::from_secs(seconds))
}

/// `Up 2 hours (healthy)`, `Up 1 second (health: starting)`.
fn health_in_parentheses(words: &str) -> Option<Health> {
    let (_, last) = words.rsplit_once('(')?;
    let word = last.strip_suffix(')')?;
    health_word(word.strip_prefix("health: ").unwrap_or(word))
}

fn health_word(word: &str) -> Option<Health> {
    match word {
        "starting" => Some(Health::Starting),
        "healthy" => Some(Health::Healthy),
        "unhealthy" => Some(Health::Unhealthy),
        _ => None,
    }
}

fn listed_port(port: &Value) -> Option<PublishedPort> {
    let number = |key: &str| port.get(key).and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
    Some(PublishedPort {
        host_ip: host_ip(text(port, "IP")),
        host_port: Some(number("PublicPort").filter(|port| *port > 0)?),
        container_port: number("PrivatePort").filter(|port| *port > 0)?,
        protocol: text(port, "Type").parse().unwrap_or(Protocol::Tcp),
    })
}

/// `{"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "443/tcp": null}`: the second is not published.
fn bound_ports(ports: Option<&Value>) -> impl Iterator<Item = PublishedPort> {
    let ports = ports.and_then(Value::as_object).into_iter().flatten();
    ports.flat_map(|(key, bindings)| {
        let (port, protocol) = key.split_once('/').unwrap_or((key, "tcp"));
        let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0); // 0 is none yet.
        let inside = number(port);
        let protocol = protocol.parse().unwrap_or(Protocol::Tcp);
        let bindings = bindings.as_array().map(Vec::as_slice).unwrap_or_default();
        bindings.iter().filter_map(move |binding| {
            Some(PublishedPort {
                host_ip: host_ip(text(binding, "HostIp")),
                host_port: Some(number(text(binding, "HostPort"))?),
                container_port: inside?,
                protocol,
            })
        })
    })
}

/// Every address, of either family, is said by leaving it out.
fn host_ip(text: &str) -> Option<std::net::IpAddr> {
    text.parse().ok().filter(|ip: &std::net::IpAddr| !ip.is_unspecified())
}

fn distinct(ports: impl Iterator<Item = PublishedPort>) -> Vec<PublishedPort> {
    let mut ports: Vec<_> = ports.collect();
    ports.sort();
    ports.dedup();
    ports
}

fn labels(labels: Option<&Value>) -> BTreeMap<String, String> {
    let labels = labels.and_then(Value::as_object).into_iter().flatten();
    labels.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

/// Docker writes `sha256:` in front; some Podman answers leave it out.
pub(super) fn digest(text: &str) -> Option<Digest> {
    text.parse().or_else(|_| format!("sha256:{text}").parse()).ok()
}

/// A time that has happened; Docker writes year 1 for "never".
pub(super) fn time(object: &Value, key: &str) -> Option<Timestamp> {
    text(object, key).parse().ok().filter(|time: &Timestamp| time.unix_nanos() > 0)
}

pub(super) fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn array<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn flag(object: &Value, key: &str) -> bool {
    object.get(key).and_then(Value::as_bool).unwrap_or_default()
}

#[cfg(test)]
mod tests;
