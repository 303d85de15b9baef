//! Can a process be killed at any moment? Verbs, the screen and monitors, by SIGKILL, between any two instructions.
//!
//! `WHARF_CHAOS_KILLS` says how often. The moments are picked by a number that is printed, and come from anywhere within
//! the time that verbs take. Deliberately elsewhere: the known steps (`steps`), who sits at a
//! terminal in a container (`attached`).

use std::{fs, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::scene::{Scene, lives, setting};
use crate::support::{
    deadline::{Deadline, PATIENCE, wait_until},
    need::{needs_root, needs_user},
    screen::Size,
};

/// What verbs are killed at; on the names `xa` and `xb`, which begin no id.
const LINES: [&str; 18] = [
    "run -d --network none --name xa IMAGE sleep 100000",
    "run -d --network none --name xb -v /data IMAGE sleep 100000",
    "run --rm --network none --name xa IMAGE true",
    "run -d --rm --network none --name xb IMAGE sleep 0.01",
    "create --network none --name xa IMAGE true",
    "start xa",
    "stop -t 0 xa",
    "kill xb",
    "restart -t 0 xa",
    "pause xa",
    "unpause xa",
    "rename xa xb",
    "exec xb true",
    "rm -f xa",
    "rm -f xb",
    "pull -q IMAGE",
    "tag IMAGE chaos:1",
    "rmi -f chaos:1",
];

/// Most verbs end within this time when nobody kills them.
const LONGEST_MICROSECONDS: u64 = 25_000;

#[test]
fn processes_killed_at_random_moments_leave_nothing_stuck() {
    if needs_root() {
        kill_at_random_moments();
    }
}

#[test]
fn rootless_processes_killed_at_random_moments_leave_nothing_stuck() {
    if needs_user() {
        kill_at_random_moments();
    }
}

#[test]
fn a_container_whose_monitor_was_killed_is_seen_marked_and_goes() {
    if !needs_root() {
        return;
    }
    let Some(scene) = Scene::new() else { return };
    let ends = ["kill xa", "stop -t 1 xa", "rm -f xa"];
    for end in ends {
        scene.verb("run -d --network none --name xa IMAGE sleep 100000");
        let pid = kill_monitor(&scene, "xa").unwrap();
        let orphan = wait_until("a container marked degraded", PATIENCE, || {
            scene.owners().into_iter().find(|owner| owner.name == "xa" && owner.degraded)
        });
        assert!(orphan.runs() && orphan.pid.is_some(), "after the end of monitor {pid}: {orphan:?}");
        assert!(scene.verb("ps").contains("xa"), "ps does not show it");
        let inspected: Value = serde_json::from_str(&scene.verb("inspect xa")).unwrap();
        assert_eq!(inspected[0]["State"]["Running"], true, "{inspected}");
        scene.verb(end);
        if end != "rm -f xa" {
            let exited = scene.owners();
            assert!(exited.iter().any(|owner| owner.name == "xa" && owner.status == "exited"), "{exited:?}");
        }
        scene.assert_removable(&["xa"], &format!("its monitor was killed, then {end}"));
    }
    scene.assert_repairable();
}

fn kill_at_random_moments() {
    let Some(scene) = Scene::new() else { return };
    let scene = scene.with_bystander();
    let kills = setting("WHARF_CHAOS_KILLS", 60);
    let seed = setting("WHARF_CHAOS_SEED", u64::from(std::process::id()));
    println!("WHARF_CHAOS_SEED={seed} WHARF_CHAOS_KILLS={kills}");
    let mut chance = Chance(seed);
    let mut count = Count::default();
    while count.killed() < kills {
        assert!(count.late < 10 * kills + 100, "nearly everything ends before it can be killed");
        let line = *LINES.get(chance.below(LINES.len() as u64) as usize).unwrap();
        let moment = Duration::from_micros(chance.below(LONGEST_MICROSECONDS));
        let whom = chance.below(10);
        if chance.below(3) == 0 {
            // Something for the other verbs to be about; it may be there already.
            let _ = scene.run("run -d --network none --name xa IMAGE sleep 100000");
        }
        let why = match whom {
            0..=5 => kill_verb(&scene, line, moment, &mut count),
            6 => kill_screen(&scene, line, moment, &mut count),
            7..=9 => kill_tending(&scene, line, moment, &mut count),
            other => unreachable!("{other} is below ten"),
        };
        let why = format!("seed {seed}: {why}");
        scene.assert_bystander(&why);
        // Half the time the next verb meets what the last one left.
        if chance.below(2) == 0 {
            scene.assert_removable(&["xa", "xb"], &why);
        }
    }
    println!(
        "killed {} verbs, {} screens, {} monitors; {} were too late",
        count.verbs, count.screens, count.monitors, count.late
    );
    scene.assert_removable(&["xa", "xb"], "at the end");
    scene.assert_repairable();
    scene.assert_bystander("at the end");
}

#[derive(Default)]
struct Count {
    verbs: u64,
    screens: u64,
    monitors: u64,
    late: u64,
}

impl Count {
    fn killed(&self) -> u64 {
        self.verbs + self.screens + self.monitors
    }
}

pub fn wait_for(moment: Duration) {
    let moment = Deadline::after(moment);
    while !moment.passed() {
        moment.pause();
    }
}

fn kill_verb(scene: &Scene, line: &str, moment: Duration, count: &mut Count) -> String {
    let mut child =
        scene.store.command(&scene.words(line)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for(moment);
    match child.try_wait().unwrap() {
        Some(_) => count.late += 1,
        None => count.verbs += 1,
    }
    // It may end just now, which is one of the moments meant.
    let _ = child.kill();
    child.wait().unwrap();
    format!("{line} killed after {moment:?}")
}

/// The screen dies while it carries out a line typed into it.
fn kill_screen(scene: &Scene, line: &str, moment: Duration, count: &mut Count) -> String {
    let mut screen = scene.store.screen(&["ui"], Size::STANDARD);
    screen.wait_for("bystander");
    screen.type_keys(":");
    screen.send(format!("{}\r", scene.words(line).join(" ")).as_bytes());
    wait_for(moment);
    // It may have ended by itself: a verb that needs the terminal.
    if signal(screen.pid()) {
        count.screens += 1;
    }
    screen.wait_exit();
    format!("the screen killed {moment:?} after {line}")
}

/// A monitor dies while a verb is at its container, or while nothing is.
fn kill_tending(scene: &Scene, line: &str, moment: Duration, count: &mut Count) -> String {
    let mut child =
        scene.store.command(&scene.words(line)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for(moment);
    let killed = ["xa", "xb"].into_iter().find_map(|name| kill_monitor(scene, name));
    match killed {
        Some(_) => count.monitors += 1,
        None => count.late += 1,
    }
    wait_until("the end of a verb whose monitor was killed", PATIENCE, || child.try_wait().unwrap());
    // For an instant after the end of its process a container still counts as running.
    wait_until("containers that tell the truth about themselves", PATIENCE, || {
        scene.owners().iter().all(|owner| !owner.runs() || owner.degraded || lives(owner)).then_some(())
    });
    format!("the monitor killed {moment:?} into {line}")
}

/// Kills the monitor of that container, if it has one; tells its number.
fn kill_monitor(scene: &Scene, name: &str) -> Option<u32> {
    let id = fs::read_to_string(scene.store.root().join("data/names").join(name)).ok()?;
    let state = fs::read(scene.store.root().join("run/c").join(id.trim()).join("state.json")).ok()?;
    let state: Value = serde_json::from_slice(&state).ok()?;
    let pid = u32::try_from(state["monitor"]["pid"].as_u64()?).ok()?;
    // The number may be a stranger's by now: only a program of ours with that start time is meant.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let since = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse::<u64>().ok()?;
    (Some(since) == state["monitor"]["start_time"].as_u64() && signal(pid)).then_some(pid)
}

/// Kills it; `false` when it was gone already.
pub fn signal(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).unwrap();
    kill_process(pid, Signal::KILL).is_ok()
}

/// A repeatable source of chance: a linear congruence.
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % bound
    }
}
