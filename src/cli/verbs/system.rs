//! What does Wharf say about itself and its host, and how is it mended?
//!
//! Deliberately elsewhere: finding out (each backend).

use super::Work;
use crate::{
    cli::{
        exit::Exit,
        grammar::Format,
        json::{FindingRow, InfoRow},
        printer::table::{Heading, Table, terminal_columns},
    },
    engine::domain::{Finding, HostInfo, HostKind, RepairMode, SupportItem},
    text::units,
};

/// `wharf system info`.
pub async fn info(work: &mut Work<'_>) -> Exit {
    let host = work.engine.host().to_string();
    match work.engine.info().await {
        Ok(info) => {
            match work.printer.format {
                Format::Json => work.printer.json(&InfoRow::new(host, &info, work.locations)),
                Format::Table => page(work, &info),
            }
            Exit::DONE
        }
        Err(error) => {
            paths(work);
            work.failed(&host, &error)
        }
    }
}

fn page(work: &mut Work<'_>, info: &HostInfo) {
    fact(work, "wharf", env!("CARGO_PKG_VERSION"));
    fact(work, "host", &format!("{} ({})", info.title, info.location));
    fact(work, "version", &info.version);
    let rights = match (info.rootless, info.root_equivalent && info.kind != HostKind::Embedded) {
        (true, _) => "rootless",
        (false, true) => "whoever uses this host is root on it",
        (false, false) => "root",
    };
    fact(work, "rights", rights);
    if let Some(cpus) = info.cpus {
        fact(work, "processors", &cpus.to_string());
    }
    if let Some(memory) = info.memory_bytes {
        fact(work, "memory", &units::bytes_short(memory));
    }
    for (key, value) in info.facts.iter().filter(|(key, _)| !matches!(key.as_str(), "data" | "run" | "config")) {
        fact(work, key, value);
    }
    paths(work);
    if !info.support.items.is_empty() {
        work.printer.line("");
        work.printer.line("What this host can do:");
    }
    for item in &info.support.items {
        support(work, item);
    }
}

fn paths(work: &mut Work<'_>) {
    let locations = work.locations;
    fact(work, "data", &locations.data.display().to_string());
    fact(work, "run", &locations.run.display().to_string());
    fact(work, "config", &locations.config.display().to_string());
}

fn fact(work: &mut Work<'_>, key: &str, value: &str) {
    work.printer.line(&format!("{:<14} {value}", format!("{key}:")));
}

fn support(work: &mut Work<'_>, item: &SupportItem) {
    let mark = if item.available { "yes" } else { "no " };
    let reason = item.reason.as_deref().map_or_else(String::new, |reason| format!(": {reason}"));
    work.printer.line(&format!("  {mark}  {}{reason}", item.feature.words()));
    if let Some(fix) = &item.fix {
        fix.lines().for_each(|line| work.printer.line(&format!("         fix: {line}")));
    }
}

/// `wharf system repair`: one row per finding; 1 when something is left that could not be mended.
pub async fn repair(work: &mut Work<'_>, mode: RepairMode) -> Exit {
    let host = work.engine.host().to_string();
    let findings = match work.engine.repair(mode).await {
        Ok(findings) => findings,
        Err(error) => return work.failed(&host, &error),
    };
    match work.printer.format {
        Format::Json => findings.iter().for_each(|finding| work.printer.json(&FindingRow::from(finding))),
        Format::Table if findings.is_empty() => {}
        Format::Table => {
            let columns = if work.printer.out_is_terminal() { terminal_columns() } else { None };
            work.printer.text(&table(&findings, mode).render(columns));
        }
    }
    let left = findings.iter().filter(|finding| !finding.mended).count();
    let mended = findings.len() - left;
    match mode {
        _ if findings.is_empty() => work.printer.note("nothing to repair"),
        RepairMode::LookOnly => work.printer.note(&format!("{left} found; nothing was changed")),
        RepairMode::Mend => work.printer.note(&format!("{mended} put right, {left} left to you")),
    }
    if left > 0 && mode == RepairMode::Mend { Exit::FAILED } else { Exit::DONE }
}

fn table(findings: &[Finding], mode: RepairMode) -> Table {
    let last = match mode {
        RepairMode::Mend => "DONE",
        RepairMode::LookOnly => "WOULD BE DONE",
    };
    let mut table = Table::new(&[Heading::Whole("WHAT"), Heading::Whole("FOUND"), Heading::Whole(last)]);
    for finding in findings {
        table.row([&finding.subject, &finding.problem, &finding.action]);
    }
    table
}
