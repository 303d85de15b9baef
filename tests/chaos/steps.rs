//! Can a verb be killed before any of its steps? Each verb, each of its processes, each step: one SIGKILL.
//!
//! A debug build counts its own steps (`WHARF_STOP_AT`, see `stop_at.rs`): a verb is killed before its first, its second,
//! and so on until it comes to its end alive; so no step is forgotten. After each kill the next verb puts things right.
//! Deliberately elsewhere: moments between steps (`moments`).

use std::{collections::BTreeMap, fs, path::Path};

use super::scene::Scene;
use crate::support::{
    command::run_to_end,
    deadline::PATIENCE,
    need::{Need, needs_root, needs_user},
};

/// A verb to be killed, and how it is made ready each time.
struct Victim {
    /// What the list of points calls it.
    name: &'static str,
    /// Which of its processes dies: `wharf`, `monitor` or `exec`.
    role: &'static str,
    prepare: &'static [&'static str],
    words: &'static [&'static str],
}

const RUN: &str = "run -d --network none --name xa IMAGE sleep 100000";

/// Every verb that changes something, and every process that takes part in it.
const VICTIMS: &[Victim] = &[
    Victim {
        name: "create",
        role: "wharf",
        prepare: &[],
        words: &["create --network none --name xa -v /data IMAGE true"],
    },
    Victim {
        name: "start",
        role: "wharf",
        prepare: &["create --network none --name xa IMAGE sleep 100000"],
        words: &["start xa"],
    },
    Victim {
        name: "start",
        role: "monitor",
        prepare: &["create --network none --name xa IMAGE sleep 100000"],
        words: &["start xa"],
    },
    Victim { name: "run --rm", role: "wharf", prepare: &[], words: &["run --rm --network none --name xa IMAGE true"] },
    Victim {
        name: "run --rm",
        role: "monitor",
        prepare: &[],
        words: &["run --rm --network none --name xa IMAGE true"],
    },
    Victim { name: "stop", role: "wharf", prepare: &[RUN], words: &["stop -t 0 xa"] },
    Victim { name: "run and stop", role: "monitor", prepare: &[], words: &[RUN, "stop -t 0 xa"] },
    Victim { name: "kill", role: "wharf", prepare: &[RUN], words: &["kill xa"] },
    Victim { name: "run and kill", role: "monitor", prepare: &[], words: &[RUN, "kill xa"] },
    Victim { name: "restart", role: "wharf", prepare: &[RUN], words: &["restart -t 0 xa"] },
    Victim { name: "pause", role: "wharf", prepare: &[RUN], words: &["pause xa"] },
    Victim { name: "run, pause and unpause", role: "monitor", prepare: &[], words: &[RUN, "pause xa", "unpause xa"] },
    Victim {
        name: "rm",
        role: "wharf",
        prepare: &["create --network none --name xa -v /data IMAGE true"],
        words: &["rm -v xa"],
    },
    Victim { name: "rm -f", role: "wharf", prepare: &[RUN], words: &["rm -f xa"] },
    Victim { name: "rename", role: "wharf", prepare: &[RUN], words: &["rename xa xb"] },
    Victim { name: "exec", role: "wharf", prepare: &[RUN], words: &["exec xa true"] },
    Victim { name: "exec", role: "exec", prepare: &[RUN], words: &["exec xa true"] },
];

/// The same for verbs on images.
const IMAGE_VICTIMS: &[Victim] = &[
    Victim { name: "pull", role: "wharf", prepare: &["rmi -f IMAGE", "prune images"], words: &["pull -q IMAGE"] },
    Victim { name: "tag", role: "wharf", prepare: &["pull -q IMAGE"], words: &["tag IMAGE chaos:1"] },
    Victim { name: "push", role: "wharf", prepare: &["pull -q IMAGE", "tag IMAGE PUSHED"], words: &["push PUSHED"] },
    Victim {
        name: "rmi",
        role: "wharf",
        prepare: &["pull -q IMAGE", "tag IMAGE chaos:2"],
        words: &["rmi -f IMAGE chaos:2"],
    },
];

#[test]
fn a_container_verb_killed_before_any_of_its_steps_leaves_nothing_stuck() {
    if needs_root() {
        kill_at_every_step(VICTIMS, true);
    }
}

#[test]
fn a_rootless_container_verb_killed_before_any_of_its_steps_leaves_nothing_stuck() {
    if needs_user() {
        kill_at_every_step(VICTIMS, true);
    }
}

#[test]
fn an_image_verb_killed_before_any_of_its_steps_leaves_the_store_whole() {
    if needs_root() {
        kill_at_every_step(IMAGE_VICTIMS, false);
    }
}

fn kill_at_every_step(victims: &[Victim], on_containers: bool) {
    let Some(scene) = Scene::new() else { return };
    let trace = scene.store.root().join("trace");
    if !counts_its_steps(&scene, &trace) {
        Need::from_environment().missing("the program under test is a release build: it cannot be told to stop");
        return;
    }
    let scene = if on_containers { scene.with_bystander() } else { scene };
    let mut points: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for victim in victims {
        let called = format!("{} ({})", victim.name, victim.role);
        let mut step = 1;
        while let Some(point) = kill(&scene, &trace, victim, step) {
            check(&scene, victim, &format!("{called} killed before {point}"), on_containers);
            points.entry(called.clone()).or_default().push(point);
            step += 1;
            assert!(step < 400, "{called} does not come to its end");
        }
        // The last one came to its end; what it made goes as well.
        check(&scene, victim, &format!("{called} at its end"), on_containers);
        assert!(step > 2, "{called} was killed before {} steps only", step - 1);
    }
    let kills: usize = points.values().map(Vec::len).sum();
    for (victim, points) in &points {
        println!("{victim}: {} points", points.len());
        points.iter().for_each(|point| println!("    {point}"));
    }
    println!("killed before each of {kills} steps");
    scene.assert_repairable();
}

fn counts_its_steps(scene: &Scene, trace: &Path) -> bool {
    let mut command = scene.store.command(&["tag", &scene.image, "counted:1"]);
    command.env("WHARF_STOP_TRACE", trace);
    run_to_end(command, PATIENCE).success();
    fs::read_to_string(trace).is_ok_and(|lines| !lines.is_empty())
}

/// Runs the victim so that its role dies before that step; says before which. `None`: it has no so many steps.
fn kill(scene: &Scene, trace: &Path, victim: &Victim, step: u32) -> Option<String> {
    for line in victim.prepare {
        // An image that is not there, a name that is free: what was wanted.
        let _ = scene.run(line);
    }
    // There is none when this is the first.
    let _ = fs::remove_file(trace);
    for line in victim.words {
        let mut command = scene.store.command(&scene.words(line));
        command.env("WHARF_STOP_AT", format!("{}:{step}", victim.role)).env("WHARF_STOP_TRACE", trace);
        run_to_end(command, PATIENCE);
    }
    let trace = fs::read_to_string(trace).unwrap_or_default();
    let marked = format!("{} {step} ", victim.role);
    let reached = trace.lines().find_map(|line| line.strip_prefix(&marked))?;
    Some(without_numbers(scene, reached))
}

/// The point's name: the same in every store and for every container.
fn without_numbers(scene: &Scene, point: &str) -> String {
    let (what, path) = point.rsplit_once(' ').unwrap_or((point, ""));
    let path = path.strip_prefix(&scene.store.root().display().to_string()).unwrap_or(path);
    let part = |part: &str| {
        let name = part.trim_start_matches(".new-").split('.').next().unwrap_or_default();
        let hex = name.len() >= 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        match () {
            () if part.starts_with(".tmp-") => "TEMPORARY".to_owned(),
            () if hex => part.replace(name, "ID"),
            () => part.to_owned(),
        }
    };
    let path: Vec<String> = path.split('/').map(part).collect();
    format!("{what} {}", path.join("/"))
}

/// What must hold at once after every kill, by way of the very next verbs.
fn check(scene: &Scene, victim: &Victim, why: &str, on_containers: bool) {
    if on_containers {
        scene.assert_bystander(why);
        let names: &[&str] = if victim.name == "rename" { &["xa", "xb"] } else { &["xa"] };
        scene.assert_removable(names, why);
    } else {
        scene.verb("pull -q IMAGE");
        let used = scene.run("run --rm --network none IMAGE true");
        assert!(used.status.success(), "{why}: the image is broken: {used}");
    }
}
