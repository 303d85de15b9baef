//! How was a container made? Command, limits, mounts, environment, labels, in sections.
//!
//! Deliberately elsewhere: everything else (`tree`), what is hidden until asked for (`secrets`).

use serde_json::Value;

use super::secrets::{Secrets, is_secret};
use crate::{
    text::{SafeText, units},
    ui::{
        feedback::{Extent, Hit},
        geometry::Area,
        widgets::{Canvas, canvas::width_of},
    },
};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub lines: Vec<Line>,
    pub first: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    Section(&'static str),
    Pair { name: String, value: String, secret: bool },
    Blank,
}

/// Reads the sections out of Docker's inspect object.
#[must_use]
pub fn lines(document: &Value) -> Vec<Line> {
    let mut lines = Vec::new();
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |pointer: &str| document.pointer(pointer).and_then(Value::as_u64).filter(|number| *number > 0);
    let words = |pointer: &str| {
        let items = document.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
    };
    section(
        &mut lines,
        "process",
        vec![
            ("entrypoint", words("/Config/Entrypoint")),
            ("command", words("/Config/Cmd")),
            ("directory", text("/Config/WorkingDir")),
            ("user", text("/Config/User")),
            ("host name", text("/Config/Hostname")),
            ("restart", text("/HostConfig/RestartPolicy/Name")),
        ],
    );
    section(
        &mut lines,
        "limits",
        vec![
            ("memory", number("/HostConfig/Memory").map(units::bytes_short).unwrap_or_default()),
            ("cpus", number("/HostConfig/NanoCpus").map(cpus).unwrap_or_default()),
            ("processes", number("/HostConfig/PidsLimit").map(|limit| limit.to_string()).unwrap_or_default()),
            ("network", text("/HostConfig/NetworkMode")),
        ],
    );
    let mounts = document.pointer("/Mounts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mount = |value: &Value| {
        let part = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let source = if part("Name").is_empty() { part("Source") } else { part("Name") };
        let writable = value.get("RW").and_then(Value::as_bool).unwrap_or(true);
        let mode = if writable { "" } else { " (read-only)" };
        (part("Destination").to_owned(), format!("{source}{mode}"))
    };
    section(&mut lines, "mounts", mounts.iter().map(mount).collect());
    let variables = document.pointer("/Config/Env").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let variable = |value: &Value| {
        let (name, value) = value.as_str()?.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    };
    section(&mut lines, "environment", variables.iter().filter_map(variable).collect());
    let labels = document.pointer("/Config/Labels").and_then(Value::as_object);
    let label = |(name, value): (&String, &Value)| (name.clone(), value.as_str().unwrap_or_default().to_owned());
    section(&mut lines, "labels", labels.into_iter().flatten().map(label).collect());
    lines.pop();
    lines
}

fn section<N: Into<String>>(lines: &mut Vec<Line>, title: &'static str, pairs: Vec<(N, String)>) {
    let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value));
    let mut pairs = pairs.filter(|(_, value)| !value.is_empty()).peekable();
    if pairs.peek().is_none() {
        return;
    }
    lines.push(Line::Section(title));
    for (name, value) in pairs {
        let secret = title == "environment" && is_secret(&name);
        let (name, value) = (SafeText::from(name).into(), SafeText::from(value).into());
        lines.push(Line::Pair { name, value, secret });
    }
    lines.push(Line::Blank);
}

fn cpus(nanos: u64) -> String {
    crate::engine::domain::Cpus::from_nanos(nanos).to_string()
}

pub fn draw(canvas: &mut Canvas<'_>, area: Area, state: &State, secrets: Secrets) {
    let theme = canvas.theme;
    canvas.hit(area, Hit::Viewer);
    let name = |line: &Line| match line {
        Line::Pair { name, .. } => width_of(name),
        Line::Section(_) | Line::Blank => 0,
    };
    let widest = state.lines.iter().map(name).max().unwrap_or(0).min(usize::from(area.width) / 3);
    let widest = u16::try_from(widest).unwrap_or(area.width);
    let shown = usize::from(area.height);
    let first = state.first.min(state.lines.len().saturating_sub(shown));
    canvas.feedback.viewer = Extent { rows: area.height, first, total: state.lines.len() };
    for (row, line) in (0..).zip(state.lines.iter().skip(first).take(shown)) {
        let mut pen = canvas.pen(area.row(row));
        match line {
            Line::Blank => {}
            Line::Section(title) => {
                pen.gap(1).put(title, theme.accent);
            }
            Line::Pair { name, value, secret } => {
                pen.gap(1).column(widest, name, theme.dim).gap(2);
                if *secret && secrets == Secrets::Hidden {
                    pen.put(theme.glyphs.mask, theme.dim).gap(2).put("v shows it", theme.dim);
                } else {
                    let rest = pen.rest().width;
                    pen.column(rest, value, theme.text);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sections_that_say_nothing_are_left_out_and_secrets_are_found() {
        let lines = lines(&json!({
            "Config": {"Env": ["PATH=/bin", "DB_PASSWORD=hunter2"], "Cmd": ["sleep", "1"]},
            "HostConfig": {"Memory": 67108864, "NanoCpus": 500000000},
        }));
        let titles: Vec<_> = lines
            .iter()
            .filter_map(|line| match line {
                Line::Section(title) => Some(*title),
                Line::Pair { .. } | Line::Blank => None,
            })
            .collect();
        assert_eq!(titles, ["process", "limits", "environment"]);
        assert!(
            lines.iter().any(|line| matches!(line, Line::Pair { name, secret: true, .. } if name == "DB_PASSWORD"))
        );
        assert!(lines.iter().any(|line| matches!(line, Line::Pair { name, secret: false, .. } if name == "PATH")));
    }
}
