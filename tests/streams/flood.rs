//! Does the interface stay small and quick while the container it shows prints as fast as it can?
//! `WHARF_FLOOD_MIB` says how much it prints: 64 unless told otherwise; the promise is about 2048.
//! Deliberately elsewhere: viewers that stall (`stalled`).

use std::{
    fs,
    io::Write as _,
    time::{Duration, Instant},
};

use super::place::Place;
use crate::support::{
    deadline::{Deadline, PATIENCE},
    screen::{Screen, Size},
};

const MIB: u64 = 1 << 20;
/// What the interface may hold, whatever is printed.
const MEMORY: u64 = 60 * MIB;
/// What a key press may take, beside what it takes on this machine when nothing is printed.
const KEY: Duration = Duration::from_millis(50);
/// So many presses at least, however quickly the flood is over.
const PRESSES: usize = 40;
/// Fewer presses than this say nothing about one in a hundred: a pause of the machine, beside other tests, is two of them.
const ENOUGH: usize = 400;

/// From the key to the screen that shows its effect: help opens over whatever is there, and goes again.
fn press(screen: &Screen) -> [Duration; 2] {
    let begun = Instant::now();
    screen.type_keys("?");
    screen.wait_for("esc closes");
    let opened = begun.elapsed();
    let begun = Instant::now();
    screen.type_keys("esc");
    screen.wait_until_gone("esc closes");
    [opened, begun.elapsed()]
}

/// The slowest of the fastest 99 in 100; with few presses, of the fastest 90.
fn slowest(times: &mut [Duration]) -> (&'static str, Duration) {
    let (name, quantile) = if times.len() < ENOUGH { ("p90", 90) } else { ("p99", 99) };
    times.sort_unstable();
    (name, times[(times.len() - 1) * quantile / 100])
}

/// Memory that is the process's own: not its program file, which an unoptimized build makes large.
fn memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
fn a_flooding_log_on_the_screen_costs_neither_memory_nor_quick_keys() {
    let Some(place) = Place::new() else { return };
    let mib: u64 = std::env::var("WHARF_FLOOD_MIB").map_or(64, |text| text.parse().unwrap());
    let script = format!(
        "echo ready; while [ ! -e /go ]; do sleep 0.02; done; \
         yes 0123456789012345678901234567890123456789 | head -c {}",
        mib * MIB
    );
    place.start("flood", &script);
    let screen = place.store().screen(&["ui"], Size::WIDE);
    screen.wait_for("ready");
    let mut idle: Vec<Duration> = (0..PRESSES / 2).flat_map(|_| press(&screen)).collect();
    place.store().ok(&["exec", "flood", "touch", "/go"]);
    let exit = place.container_dir("flood").join("exit.json");
    let deadline = Deadline::after(PATIENCE * 3 + Duration::from_secs(mib));
    let (mut times, mut largest) = (Vec::new(), 0);
    while !exit.exists() || times.len() < PRESSES {
        assert!(!deadline.passed(), "{mib} MiB are not printed yet");
        times.extend(press(&screen));
        largest = largest.max(memory(screen.pid()));
    }
    let ((_, idle), (name, busy)) = (slowest(&mut idle), slowest(&mut times));
    // On the real stderr, beside the skips: the figure is worth more than the word "ok".
    let figures =
        format!("flood of {mib} MiB: {} keys, {name} {busy:?} (idle {idle:?}), {} KiB", times.len(), largest / 1024);
    writeln!(std::io::stderr(), "{figures}").unwrap();
    assert!(largest < MEMORY, "{figures}");
    assert!(busy < KEY + idle * 4, "{figures}");
}
