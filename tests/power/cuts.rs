//! Does a machine that loses its power keep what it acknowledged, and come back whole?
//! Deliberately elsewhere: what must be there (`history`), the machine (`machine`).

use std::{fmt::Write as _, time::Duration};

use serde_json::Value;

use super::{
    history::{self, IMAGE, Step, Store},
    machine::{BOOT, Machine},
};
use crate::support::split_mix::SplitMix;

/// Power cuts unless `WHARF_POWER_CUTS` says how many.
const CUTS: u64 = 3;
/// Steps in a script: more than are done before the longest wait.
const STEPS: usize = 400;
/// The latest cut after the scripts have begun.
const LATEST: u64 = 6_000;

/// Two scripts work at the same time; the lines of the second are counted from here.
const SECOND: usize = 1_000;

const PREPARE: &str = r#"
if [ ! -e /var/made ]; then wharf demo >/dev/null 2>&1; wharf rm -f $(wharf ps -aq) >/dev/null 2>&1; touch /var/made; fi
wharf system repair 2>&1; echo "@repaired $?"
wharf ps -a --format json; wharf images --format json
echo @seen
"#;

/// The store must be as after its making: nothing but the directories and files that are always there.
const CLEAR: &str = r#"
wharf rm -f $(wharf ps -aq) >/dev/null 2>&1; wharf rmi -f $(wharf images -q) >/dev/null 2>&1; wharf system repair 2>&1; echo "@cleared $?"
wharf ps -aq; wharf images -q
cd /var/wharf && find data/containers data/names data/trash data/images/blobs data/images/layers \
  data/images/records data/images/held data/images/refs data/images/leases data/images/ingest data/images/trash run -type f ! -name .lock ! -path run/boot 2>/dev/null
grep wharf /proc/mounts; ls -d /sys/fs/cgroup/wharf-* 2>/dev/null
echo @left
"#;

#[test]
fn power_cuts_lose_nothing_that_was_acknowledged_and_leave_nothing_behind() {
    let Some(machine) = Machine::new() else { return };
    let asked = std::env::var("WHARF_POWER_CUTS").ok().and_then(|cuts| cuts.parse().ok());
    let seed = std::env::var("WHARF_POWER_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let (cuts, mut chance) = (asked.unwrap_or(CUTS), SplitMix::new(seed));
    let mut stores = [Store::default(), Store::default()];
    let (mut first, mut acknowledged) = (0, 0);
    for cut in 0..cuts {
        let scripts = [0, 1].map(|index| history::steps(&stores[index], owner(index), first, STEPS, &mut chance));
        first += STEPS;
        let running = machine.boot(&format!("{PREPARE}{}", work(&scripts)));
        let seen = whole(&running.until("@seen", BOOT));
        assert_eq!(seen, stores, "a clean look must not change anything (cut {cut}, seed {seed})");
        running.until("@work", BOOT);
        let printed = running.cut_after(Duration::from_millis(chance.next() % LATEST));
        let done = [0, 1].map(|index| acknowledgements(&printed, index));
        acknowledged += done[0] + done[1];
        // Looked at by itself first: what the cut left is what the next boot finds.
        let found = whole(&machine.boot(PREPARE).until("@seen", BOOT));
        for index in [0, 1] {
            if let Err(wrong) = history::judge(&stores[index], &scripts[index], done[index], &found[index]) {
                panic!(
                    "after cut {cut} of seed {seed}, {} acknowledged:\n{wrong}\n{}",
                    done[index],
                    printed.join("\n")
                );
            }
        }
        stores = found;
    }
    let left = machine.boot(&format!("{PREPARE}{CLEAR}")).until("@left", BOOT);
    let after: Vec<&String> = left.iter().skip_while(|line| **line != "@cleared 0").collect();
    assert_eq!(after, ["@cleared 0"], "{}", left.join("\n"));
    println!("{cuts} power cuts, {acknowledged} acknowledged steps, nothing lost, nothing left");
}

fn owner(index: usize) -> char {
    ['a', 'b'][index]
}

/// Both scripts at once; their results tell by their line numbers whose they are.
fn work(scripts: &[Vec<Step>; 2]) -> String {
    let mut text = String::new();
    for (name, (script, blank)) in ["a", "b"].iter().zip(scripts.iter().zip([0, SECOND])) {
        let lines: Vec<&str> = script.iter().map(|step| step.line.as_str()).collect();
        let empty = "\n".repeat(blank);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "cat >/tmp/{name} <<'END'\n{empty}{}\nEND", lines.join("\n"));
    }
    text.push_str("echo @work\n");
    for name in ["a", "b"] {
        let _ = writeln!(text, "wharf script --jobs 1 --format json /tmp/{name} 2>/dev/null &");
    }
    text.push_str("wait\n");
    text
}

/// How many lines of a script have been acknowledged; none may have failed.
fn acknowledgements(printed: &[String], index: usize) -> usize {
    let mut count = 0;
    for line in printed {
        let Ok(result) = serde_json::from_str::<Value>(line) else { continue };
        let Some(number) = result["line"].as_u64() else { continue };
        if (number > SECOND as u64) == (index == 1) {
            assert_eq!(result["exit_code"], 0, "{line}");
            count += 1;
        }
    }
    count
}

/// What both scripts own, from what the machine printed.
fn whole(printed: &[String]) -> [Store; 2] {
    assert!(printed.iter().any(|line| line == "@repaired 0"), "{}", printed.join("\n"));
    assert!(printed.iter().any(|line| line.contains(IMAGE)), "the image is gone:\n{}", printed.join("\n"));
    [0, 1].map(|index| Store::of_machine(printed, owner(index)))
}
