//! Which processes run in a container? `ps -ef` as the host sees them.
//!
//! Deliberately elsewhere: drawing tables (`ui`, `cli`).

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::engine::domain::{ProcessTable, Timestamp};

const TITLES: [&str; 8] = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"];
/// What the kernel counts in; fixed at 100 for user space on every architecture we build for.
const TICKS_PER_SECOND: u64 = 100;

/// The table of every process in `init`'s pid namespace and those below it, by number.
pub(super) fn table(init: u32) -> ProcessTable {
    let titles = TITLES.map(str::to_owned).to_vec();
    let boot = boot_time();
    let mut rows: Vec<(u32, Vec<String>)> =
        namespace_members(init).into_iter().filter_map(|pid| row(pid, boot).map(|row| (pid, row))).collect();
    rows.sort_by_key(|(pid, _)| *pid);
    ProcessTable { titles, rows: rows.into_iter().map(|(_, row)| row).collect() }
}

/// Every process whose pid namespace is `init`'s or one inside it. What runs in an inner one descends from its first
/// process, and that from a process of ours.
fn namespace_members(init: u32) -> Vec<u32> {
    let namespace = |pid: u32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok(); // Gone, or not ours to look at.
    let Some(wanted) = namespace(init) else { return Vec::new() };
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() }; // No /proc: nothing to list.
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let (mut members, mut others): (Vec<u32>, Vec<u32>) =
        numbers.partition(|pid| namespace(*pid).is_some_and(|found| found == wanted));
    let inside = |members: &[u32], pid: u32| parent(pid).is_some_and(|parent| members.contains(&parent));
    loop {
        let (children, rest): (Vec<u32>, Vec<u32>) = others.iter().partition(|pid| inside(&members, **pid));
        if children.is_empty() {
            return members;
        }
        members.extend(children);
        others = rest;
    }
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?; // Ended meanwhile.
    stat.rsplit_once(") ")?.1.split_whitespace().nth(1)?.parse().ok()
}

fn row(pid: u32, boot: Duration) -> Option<Vec<String>> {
    let dir = PathBuf::from(format!("/proc/{pid}"));
    let stat = fs::read_to_string(dir.join("stat")).ok()?; // Ended meanwhile: no row.
    let (before, rest) = stat.rsplit_once(") ")?;
    let name = before.split_once('(')?.1;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |at: usize| fields.get(at).and_then(|field| field.parse::<i64>().ok()).unwrap_or(0);
    let ticks = u64::try_from(number(11) + number(12)).unwrap_or(0);
    let started = boot + Duration::from_millis(u64::try_from(number(19)).unwrap_or(0) * 1000 / TICKS_PER_SECOND);
    let lived = now().saturating_sub(started).as_secs();
    let cpu = ticks / TICKS_PER_SECOND;
    let percent = (cpu * 100).checked_div(lived).unwrap_or(0);
    let at = Timestamp::from_unix_seconds(i64::try_from(started.as_secs()).unwrap_or(0)).rfc3339_fixed();
    let clock = at.get(11..16).unwrap_or_default().to_owned();
    Some(vec![
        owner(&dir),
        pid.to_string(),
        number(1).to_string(),
        percent.min(99).to_string(),
        clock,
        terminal(number(4)),
        format!("{:02}:{:02}:{:02}", cpu / 3600, cpu / 60 % 60, cpu % 60),
        command(&dir, name),
    ])
}

fn owner(dir: &Path) -> String {
    let status = fs::read_to_string(dir.join("status")).unwrap_or_default(); // Ended meanwhile: unknown.
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next());
    match uid {
        Some("0") => "root".to_owned(),
        Some(uid) => uid.to_owned(),
        None => "?".to_owned(),
    }
}

fn terminal(device: i64) -> String {
    // proc(5): major in bits 8-15, minor in the rest; 136 is pts.
    let (major, minor) = ((device >> 8) & 0xff, (device & 0xff) | ((device >> 12) & 0xfff00));
    if major == 136 { format!("pts/{minor}") } else { "?".to_owned() }
}

fn command(dir: &Path, name: &str) -> String {
    let words = fs::read(dir.join("cmdline")).unwrap_or_default(); // Ended meanwhile: its name is left.
    let text = String::from_utf8_lossy(&words);
    let text = text.trim_end_matches('\0').replace('\0', " ");
    if text.is_empty() { format!("[{name}]") } else { text }
}

fn boot_time() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default(); // No /proc: times are wrong, rows empty anyway.
    let seconds = stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok()).unwrap_or(0);
    Duration::from_secs(seconds)
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
