//! What is left when the kernel ends a verb or a monitor for want of memory, wherever it happens to be? The same as after
//! any kill: nothing stuck, and the bystander runs.
//! Deliberately elsewhere: verbs that fit into little memory (`scarcity`), other kills (`moments`).

use std::{
    fs,
    process::{Child, Stdio},
    time::Duration,
};

use super::{
    moments::Chance,
    scarcity::{Group, Limit as _, assert_readable},
    scene::{Scene, lives, setting},
};
use crate::support::{
    command::run_to_end,
    deadline::{PATIENCE, wait_until},
    need::needs_root,
};

/// Each on `xa`, which may be there or not.
const LINES: [&str; 11] = [
    "run -d --network none --name xa IMAGE sleep 100000",
    "run -d --network none --name xa -v /data IMAGE sleep 100000",
    "run --rm --network none --name xa IMAGE true",
    "create --network none --name xa IMAGE true",
    "start xa",
    "stop -t 0 xa",
    "restart -t 0 xa",
    "exec xa true",
    "rename xa xb",
    "rm -f xa xb",
    "pull -q IMAGE",
];
/// From too little for the program itself to enough for most verbs, in KiB.
const LEAST: u64 = 512;
const MOST: u64 = 6 << 10;
const FLOOD: &str = "yes 0123456789012345678901234567890123456789";

fn limited(kibibytes: u64) -> Option<Group> {
    Group::new("memory", "memory.limit_in_bytes", &(kibibytes << 10).to_string())
}

#[test]
fn verbs_that_the_kernel_ends_for_want_of_memory_leave_nothing_stuck() {
    if !needs_root() {
        return;
    }
    let Some(scene) = Scene::new() else { return };
    let scene = scene.with_bystander();
    let seed = setting("WHARF_CHAOS_SEED", u64::from(std::process::id()));
    let wanted = setting("WHARF_CHAOS_KILLS", 60).div_ceil(6);
    let mut chance = Chance(seed);
    let (mut tried, mut ended) = (0, 0);
    while ended < wanted {
        tried += 1;
        assert!(tried < 20 * wanted, "only {ended} of {tried} verbs were ended");
        let line = LINES[chance.below(LINES.len() as u64) as usize];
        let kibibytes = LEAST + chance.below(MOST - LEAST);
        let why = format!("seed {seed}: {line} in {kibibytes} KiB");
        if chance.below(3) == 0 {
            // Something for the verbs to be about; it may be there already.
            let _ = scene.run("run -d --network none --name xa IMAGE sleep 100000");
        }
        let Some(group) = limited(kibibytes) else { return };
        let finished = run_to_end(group.wrap(&scene, line), Duration::from_secs(60));
        match group.ended() {
            0 => assert_readable(&why, &finished),
            kills => ended += kills,
        }
        scene.assert_bystander(&why);
        if chance.below(2) == 0 {
            scene.assert_removable(&["xa", "xb"], &why);
        }
        // What it started may be in there: gone before the group.
        let _ = scene.run("rm -f xa xb");
    }
    println!("{tried} verbs, {ended} processes ended by the kernel");
    scene.assert_removable(&["xa", "xb"], "at the end");
    scene.assert_repairable();
    scene.assert_bystander("at the end");
}

#[test]
fn a_monitor_that_the_kernel_ends_for_want_of_memory_loses_nobody() {
    if !needs_root() {
        return;
    }
    let Some(scene) = Scene::new() else { return };
    let scene = scene.with_bystander();
    let mut chance = Chance(setting("WHARF_CHAOS_SEED", u64::from(std::process::id())));
    for end in ["kill xa", "stop -t 1 xa", "rm -f xa"] {
        scene.verb(&format!("run -d --network none --name xa IMAGE {FLOOD}"));
        let kibibytes = 64 + chance.below(512);
        let Some(group) = limited(kibibytes) else { return };
        // What it holds already is not counted here; what its viewers make it hold from now on is.
        let monitor = monitor_of(&scene, "xa");
        fs::write(group.path().join("cgroup.procs"), monitor.to_string()).unwrap();
        let mut viewers = Viewers(Vec::new());
        wait_until("the end of the monitor", PATIENCE * 2, || {
            if group.ended() > 0 {
                return Some(());
            }
            viewers.add(&scene);
            None
        });
        let why = format!("its monitor ended in {kibibytes} KiB, then {end}");
        let orphan = wait_until("a container marked degraded", PATIENCE, || {
            scene.owners().into_iter().find(|owner| owner.name == "xa" && (owner.degraded || !owner.runs()))
        });
        // Its output goes nowhere any more: a program that does not bear that has ended, and that is all.
        assert!(!orphan.runs() || lives_degraded(&orphan), "{why}: {orphan:?}");
        drop(viewers);
        let ended = scene.run(end);
        assert_readable(&why, &ended);
        scene.assert_removable(&["xa"], &why);
        scene.assert_bystander(&why);
    }
    scene.assert_repairable();
}

fn lives_degraded(owner: &crate::support::ownership::Owner) -> bool {
    owner.degraded && !lives(owner) && owner.pid.is_some()
}

fn monitor_of(scene: &Scene, name: &str) -> u32 {
    let id = fs::read_to_string(scene.store.root().join("data/names").join(name)).unwrap();
    let state = fs::read(scene.store.root().join("run/c").join(id.trim()).join("state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    u32::try_from(state["monitor"]["pid"].as_u64().unwrap()).unwrap()
}

/// Programs attached to `xa` that nobody reads: for each the monitor keeps a buffer.
struct Viewers(Vec<Child>);

impl Viewers {
    fn add(&mut self, scene: &Scene) {
        if self.0.len() < 40 {
            let mut viewer = scene.store.command(&["attach", "xa"]);
            self.0.push(viewer.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
        }
    }
}

impl Drop for Viewers {
    fn drop(&mut self) {
        for viewer in &mut self.0 {
            // It ended with the monitor.
            let _ = viewer.kill();
            let _ = viewer.wait();
        }
    }
}
