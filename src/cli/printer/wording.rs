//! How are a container's status, ages, ports and commands put into words, as in Docker's tables?
//!
//! Deliberately elsewhere: the short forms of the full-screen interface (`text::units`).

use std::time::Duration;

use crate::engine::domain::{Container, Health, PublishedPort, Status, Timestamp};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// `Up 3 minutes (healthy)`, `Exited (1) 2 hours ago`, `Created`.
#[must_use]
pub fn status(container: &Container, now: Timestamp) -> String {
    let state = &container.state;
    let up = || match state.started {
        Some(started) => format!("Up {}", lasting(now.since(started))),
        None => "Up".to_owned(),
    };
    let words = match state.status {
        Status::Creating => "Creating".to_owned(),
        Status::Created => "Created".to_owned(),
        Status::Running => match state.health {
            Some(Health::Starting) => format!("{} (health: starting)", up()),
            Some(Health::Healthy) => format!("{} (healthy)", up()),
            Some(Health::Unhealthy) => format!("{} (unhealthy)", up()),
            None => up(),
        },
        Status::Paused => format!("{} (Paused)", up()),
        Status::Stopping => format!("{} (Stopping)", up()),
        Status::Restarting => ended("Restarting", container, now),
        Status::Exited => ended("Exited", container, now),
        Status::Removing => "Removal In Progress".to_owned(),
        Status::Broken => "Broken".to_owned(),
        Status::Unknown => "Unknown".to_owned(),
    };
    if container.degraded.is_some() { words + " (degraded)" } else { words }
}

fn ended(word: &str, container: &Container, now: Timestamp) -> String {
    let code = container.state.exit_code.map_or_else(|| "?".to_owned(), |code| code.to_string());
    match container.state.finished {
        Some(finished) => format!("{word} ({code}) {}", ago(finished, now)),
        None => format!("{word} ({code})"),
    }
}

/// `3 minutes ago`.
#[must_use]
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    if at.is_zero() { String::new() } else { format!("{} ago", lasting(now.since(at))) }
}

/// `3 minutes`, in Docker's words and steps.
#[must_use]
pub fn lasting(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        s if s < MINUTE => format!("{s} seconds"),
        s if s < 2 * MINUTE => "About a minute".to_owned(),
        s if s < HOUR => format!("{} minutes", s / MINUTE),
        s if s < 2 * HOUR => "About an hour".to_owned(),
        s if s < 2 * DAY => format!("{} hours", s / HOUR),
        s if s < 14 * DAY => format!("{} days", s / DAY),
        s if s < 60 * DAY => format!("{} weeks", s / (7 * DAY)),
        s if s < 730 * DAY => format!("{} months", s / (30 * DAY)),
        s => format!("{} years", s / (365 * DAY)),
    }
}

/// `0.0.0.0:8080->80/tcp, 443/tcp`.
#[must_use]
pub fn ports(ports: &[PublishedPort]) -> String {
    let one = |port: &PublishedPort| {
        let inside = format!("{}/{}", port.container_port, port.protocol);
        match port.host_port {
            Some(host_port) => {
                let address = port.host_ip.map_or_else(|| "0.0.0.0".to_owned(), |address| address.to_string());
                format!("{address}:{host_port}->{inside}")
            }
            None => inside,
        }
    };
    ports.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The command in double quotes, cut as Docker cuts it.
#[must_use]
pub fn command(words: &[String], cut: Option<usize>) -> String {
    let line = words.join(" ");
    let line = match cut {
        Some(most) if line.chars().count() > most => {
            let head: String = line.chars().take(most.saturating_sub(1)).collect();
            format!("{head}…")
        }
        Some(_) | None => line,
    };
    format!("\"{line}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_docker_prints_them() {
        for (seconds, words) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (179, "2 minutes"),
            (3_700, "About an hour"),
            (7_300, "2 hours"),
            (3 * DAY, "3 days"),
            (20 * DAY, "2 weeks"),
            (90 * DAY, "3 months"),
            (800 * DAY, "2 years"),
        ] {
            assert_eq!(lasting(Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn long_commands_are_cut_with_a_mark() {
        let words = ["sh".to_owned(), "-c".to_owned(), "while true; do :; done".to_owned()];
        assert_eq!(command(&words, Some(20)), "\"sh -c while true; d…\"");
        assert_eq!(command(&words, None), "\"sh -c while true; do :; done\"");
    }
}
