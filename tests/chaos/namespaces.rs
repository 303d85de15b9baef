//! What can be done with a container that was started in another PID namespace? What its monitor does on request works;
//! what needs the numbers of its processes is refused at once and says where it can be done; nobody takes it for ended.
//! Deliberately elsewhere: wharf as the first process of a namespace (`zombies`).

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::scene::Scene;
use crate::support::{
    command::{Finished, run_to_end, wharf_binary},
    deadline::{PATIENCE, wait_until},
    need::needs_root,
};

/// Far below the deadline of any verb.
const AT_ONCE: Duration = Duration::from_secs(10);

/// Runs a verb as the first process of a PID namespace of its own, with a /proc that shows only that.
fn inside(scene: &Scene, line: &str) -> Finished {
    let plain = scene.store.command(&scene.words(line));
    let mut command = Command::new("unshare");
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(["--pid", "--fork", "--mount-proc", "--kill-child"]).arg(wharf_binary());
    command.args(plain.get_args()).current_dir(scene.store.root());
    let began = Instant::now();
    let finished = run_to_end(command, PATIENCE);
    assert!(began.elapsed() < AT_ONCE, "{line} took {:?}: {finished}", began.elapsed());
    finished
}

#[test]
fn from_another_pid_namespace_a_container_is_seen_and_ended_and_not_entered() {
    if !needs_root() {
        return;
    }
    let Some(scene) = Scene::new() else { return };
    for name in ["xa", "xb"] {
        scene.verb(&format!("run -d --network none --name {name} IMAGE sleep 1000"));
    }
    assert!(inside(&scene, "ps").success().contains(" Up "));
    for line in ["exec xa true", "top xa"] {
        let refused = inside(&scene, line);
        assert!(!refused.status.success(), "{line}: {refused}");
        assert!(refused.stderr.contains("another PID namespace"), "{line}: {refused}");
    }
    inside(&scene, "kill xa").success();
    inside(&scene, "rm -f xb").success();
    assert_eq!(scene.verb("ps -a -q").lines().count(), 1);
    scene.verb("rm xa");
}

#[test]
fn a_container_without_a_monitor_is_not_taken_for_ended_from_another_pid_namespace() {
    if !needs_root() {
        return;
    }
    let Some(scene) = Scene::new() else { return };
    scene.verb("run -d --network none --name xa IMAGE sleep 1000");
    let run_dir = scene.store.root().join("run/c").join(&scene.owners()[0].id);
    let state: Value = serde_json::from_slice(&fs::read(run_dir.join("state.json")).unwrap()).unwrap();
    let monitor = i32::try_from(state["monitor"]["pid"].as_i64().unwrap()).unwrap();
    kill_process(Pid::from_raw(monitor).unwrap(), Signal::KILL).unwrap();
    wait_until("its monitor's end", PATIENCE, || scene.verb("ps").contains("degraded").then_some(()));
    assert!(inside(&scene, "ps").success().contains("degraded"));
    assert!(inside(&scene, "start xa").status.success(), "it runs already, and nothing is started beside it");
    let refused = inside(&scene, "kill xa");
    assert!(!refused.status.success() && refused.stderr.contains("another PID namespace"), "{refused}");
    scene.verb("kill xa");
    scene.verb("rm xa");
}

#[test]
fn a_container_whose_pid_namespace_is_gone_has_ended_and_can_be_started_and_removed() {
    if !needs_root() {
        return;
    }
    let Some(scene) = Scene::new() else { return };
    inside(&scene, "run -d --network none --name xa IMAGE sleep 1000").success();
    wait_until("its end", PATIENCE, || scene.verb("ps -a").contains("Exited").then_some(()));
    scene.verb("start xa");
    scene.verb("rm -f xa");
}
