//! Does each way in which container managers are known to fail end well here? One test for each that needs a real
//! engine and no other test is about; the numbers are those of the failure catalogue in `docs/RELIABILITY.md`.
//!
//! Deliberately elsewhere: kills (`steps`, `moments`), races (`storms`), scarcity, everything that a model shows better.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, SystemTime},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::scene::Scene;
use crate::support::{
    deadline::{PATIENCE, wait_until},
    need::needs_root,
    registry::Login,
    residue::{entries, name_of},
};

fn scene() -> Option<Scene> {
    if needs_root() { Scene::new() } else { None }
}

fn signal(pid: u64, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

impl Scene {
    fn id_of(&self, name: &str) -> String {
        fs::read_to_string(self.store.root().join("data/names").join(name)).unwrap().trim().to_owned()
    }

    fn run_dir_of(&self, name: &str) -> PathBuf {
        self.store.root().join("run/c").join(self.id_of(name))
    }

    fn state_of(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.run_dir_of(name).join("state.json")).unwrap()).unwrap()
    }

    fn monitor_of(&self, name: &str) -> u64 {
        self.state_of(name)["monitor"]["pid"].as_u64().unwrap()
    }

    fn init_of(&self, name: &str) -> u64 {
        self.state_of(name)["init"]["pid"].as_u64().unwrap()
    }
}

fn is_alive(pid: u64) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

fn open_files(pid: u64) -> Vec<PathBuf> {
    entries(Path::new(&format!("/proc/{pid}/fd"))).iter().filter_map(|fd| fs::read_link(fd).ok()).collect()
}

#[test]
fn row_4_what_removes_itself_goes_although_its_monitor_was_killed() {
    let Some(scene) = scene() else { return };
    scene.verb("run -d --rm --network none --name xa IMAGE sleep 100000");
    let (monitor, init) = (scene.monitor_of("xa"), scene.init_of("xa"));
    signal(monitor, Signal::KILL);
    wait_until("the end of the monitor", PATIENCE, || (!is_alive(monitor)).then_some(()));
    signal(init, Signal::KILL);
    wait_until("the end of the process", PATIENCE, || (!is_alive(init)).then_some(()));
    scene.verb("system repair");
    assert_eq!(scene.owners().len(), 0);
    scene.assert_repairable();
}

#[test]
fn row_5_whatever_is_deleted_behind_our_back_the_container_is_seen_and_goes() {
    let Some(scene) = scene() else { return };
    for lost in ["upper", "work", "config.json", "lock", "log", "exit.json", "NAME", "RUN", "everything"] {
        scene.verb("run -d --network none --name xa IMAGE sleep 100000");
        let id = scene.id_of("xa");
        let folder = scene.store.root().join("data/containers").join(&id);
        let path = match lost {
            "NAME" => scene.store.root().join("data/names/xa"),
            "RUN" => scene.run_dir_of("xa"),
            "everything" => {
                entries(&folder).iter().for_each(|path| remove(path));
                folder.join("lock")
            }
            file => folder.join(file),
        };
        remove(&path);
        assert!(scene.owners().iter().any(|owner| owner.id == id), "without its {lost} it is not listed");
        let removed = scene.run(&format!("rm -f {id}"));
        assert!(removed.status.success(), "without its {lost}: {removed}");
        scene.assert_removable(&["xa"], &format!("a container without its {lost}"));
    }
    scene.assert_repairable();
}

fn remove(path: &Path) {
    // Some are there only after an exit.
    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}

#[test]
fn row_6_a_process_in_the_monitors_mount_namespace_does_not_keep_the_container() {
    let Some(scene) = scene() else { return };
    scene.verb("run -d --network none --name xa IMAGE sleep 100000");
    let init = scene.init_of("xa");
    let mut holder = std::process::Command::new("nsenter")
        .args(["-t", &scene.monitor_of("xa").to_string(), "-m", "cat"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("a stranger in the mount namespace", PATIENCE, || {
        let namespace = |pid: u64| fs::read_link(format!("/proc/{pid}/ns/mnt")).ok();
        (namespace(u64::from(holder.id())) == namespace(scene.monitor_of("xa"))).then_some(())
    });
    scene.verb("rm -f xa");
    assert!(!is_alive(init));
    holder.kill().unwrap();
    holder.wait().unwrap();
    scene.assert_removable(&["xa"], "a stranger held its mounts");
    scene.assert_repairable();
}

#[test]
fn row_7_a_fork_bomb_goes_by_force() {
    let Some(scene) = scene() else { return };
    let bomb = "bomb()\t{\tbomb\t|\tbomb\t&\t};\tbomb;\tsleep\t100000";
    scene.verb(&format!("run -d --network none --pids-limit 40 --name xa IMAGE sh -c {bomb}"));
    wait_until("a full control group", PATIENCE, || {
        let shown = scene.run("top xa").stdout;
        (shown.lines().count() > 20).then_some(())
    });
    scene.verb("rm -f xa");
    scene.assert_removable(&["xa"], "a fork bomb");
    scene.assert_repairable();
}

#[test]
fn row_10_a_monitor_that_stands_still_keeps_nobody_from_removing() {
    let Some(scene) = scene() else { return };
    scene.verb("run -d --network none --name xa IMAGE sleep 100000");
    let (monitor, init) = (scene.monitor_of("xa"), scene.init_of("xa"));
    signal(monitor, Signal::STOP);
    scene.verb("rm -f xa");
    assert!(!is_alive(init) && !is_alive(monitor));
    scene.assert_removable(&["xa"], "its monitor was stopped");
    scene.assert_repairable();
}

#[test]
fn row_13_kill_answers_when_the_process_is_dead() {
    let Some(scene) = scene() else { return };
    for _ in 0..10 {
        scene.verb("run -d --network none --name xa IMAGE sleep 100000");
        let init = scene.init_of("xa");
        scene.verb("kill xa");
        assert!(!is_alive(init));
        scene.verb("rm xa");
    }
}

#[test]
fn row_18_exit_codes_are_kept_when_nobody_waits_for_them() {
    let Some(scene) = scene() else { return };
    for code in [0, 1, 42, 125, 126, 127, 137, 255] {
        let line = format!("run --network none --name xa IMAGE sh -c sleep\t0.3;\texit\t{code}");
        let mut asker = scene.store.command(&scene.words(&line)).stdout(Stdio::null()).spawn().unwrap();
        wait_until("a running container", PATIENCE, || scene.owners().iter().any(|owner| owner.runs()).then_some(()));
        asker.kill().unwrap();
        asker.wait().unwrap();
        assert_eq!(scene.verb("wait --timeout 20 xa"), code.to_string());
        let inspected: Value = serde_json::from_str(&scene.verb("inspect xa")).unwrap();
        assert_eq!(inspected[0]["State"]["ExitCode"], code);
        scene.verb("rm xa");
    }
}

#[test]
fn row_19_a_stranger_with_the_processs_number_is_never_signalled() {
    let Some(scene) = scene() else { return };
    scene.verb("run -d --network none --name xa IMAGE sleep 100000");
    let (monitor, init) = (scene.monitor_of("xa"), scene.init_of("xa"));
    signal(monitor, Signal::KILL);
    wait_until("the end of the monitor", PATIENCE, || (!is_alive(monitor)).then_some(()));
    signal(init, Signal::KILL);
    wait_until("the end of the process", PATIENCE, || (!is_alive(init)).then_some(()));
    // The number is given to somebody else, as after 32768 forks: only the time of its start tells.
    let mut stranger = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
    let mut state = scene.state_of("xa");
    state["init"]["pid"] = stranger.id().into();
    fs::write(scene.run_dir_of("xa").join("state.json"), state.to_string()).unwrap();
    let seen = scene.owners();
    assert!(seen.iter().all(|owner| owner.status == "exited"), "{seen:?}");
    assert_ne!(scene.run("kill xa").code(), 0);
    scene.run("stop -t 0 xa");
    scene.verb("rm -f xa");
    assert!(stranger.try_wait().unwrap().is_none(), "a stranger was killed");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    scene.assert_repairable();
}

#[test]
fn row_23_a_broken_container_does_not_keep_prune_from_the_others() {
    let Some(scene) = scene() else { return };
    for name in ["xa", "xb", "xc"] {
        scene.verb(&format!("create --network none --name {name} IMAGE true"));
    }
    fs::write(scene.store.root().join("data/containers").join(scene.id_of("xb")).join("config.json"), "{torn").unwrap();
    let pruned = scene.run("prune containers -f");
    let left = scene.owners();
    assert!(left.iter().all(|owner| owner.status == "broken"), "{pruned}\n{left:?}");
    for owner in left {
        scene.verb(&format!("rm -f {}", owner.id));
    }
    scene.assert_removable(&["xa", "xb", "xc"], "a broken record");
}

#[test]
fn row_24_a_beginning_that_two_ids_share_names_both() {
    let Some(scene) = scene() else { return };
    // Of seventeen ids two begin alike; more than five would not all be named.
    let mut ids: Vec<String> = Vec::new();
    let shared = loop {
        let id = scene.verb(&format!("create --network none --name x{} IMAGE true", ids.len()));
        let beginning = id.get(..1).unwrap().to_owned();
        let is_shared = ids.iter().any(|other| other.starts_with(&beginning));
        ids.push(id);
        if is_shared {
            break beginning;
        }
    };
    let refused = scene.run(&format!("rm -f {shared}"));
    assert_ne!(refused.code(), 0, "{refused}");
    for id in ids.iter().filter(|id| id.starts_with(&shared)) {
        assert!(refused.stderr.contains(&id[..12]), "{refused}");
    }
    assert_eq!(scene.owners().len(), ids.len(), "an ambiguous word removed something");
}

#[test]
fn row_31_times_from_the_future_neither_hide_nor_keep_anything() {
    let Some(scene) = scene() else { return };
    scene.verb("create --network none --name xa IMAGE true");
    let nascent = scene.store.root().join("data/containers/.new-").display().to_string() + &"0".repeat(64);
    fs::create_dir(&nascent).unwrap();
    let later = SystemTime::now() + Duration::from_secs(10 * 365 * 86_400);
    for path in [PathBuf::from(&nascent), scene.store.root().join("data/containers").join(scene.id_of("xa"))] {
        fs::File::open(path).unwrap().set_modified(later).unwrap();
    }
    scene.verb("system repair");
    assert!(!Path::new(&nascent).exists(), "what comes from the future is never old enough");
    assert!(scene.verb("ps -a").contains("xa"));
    scene.verb("start xa");
    scene.verb("rm -f xa");
}

#[test]
fn row_37_a_monitor_holds_nothing_of_another_container() {
    let Some(scene) = scene() else { return };
    let names: Vec<String> = (0..8).map(|number| format!("x{number}")).collect();
    let lines: String = names
        .iter()
        .map(|name| format!("run -d --network none --name {name} {} sleep 100000\n", scene.image))
        .collect();
    let file = scene.store.root().join("parallel");
    fs::write(&file, lines).unwrap();
    scene.verb(&format!("script --jobs 8 {}", file.display()));
    let root = scene.store.root().display().to_string();
    for name in &names {
        let id = scene.id_of(name);
        let of_others = |path: &PathBuf| {
            let path = path.display().to_string();
            path.starts_with(&root) && !path.contains(&id)
        };
        let held: Vec<PathBuf> = open_files(scene.monitor_of(name)).into_iter().filter(of_others).collect();
        assert!(held.is_empty(), "the monitor of {name} holds {held:?}");
        let inside = open_files(scene.init_of(name));
        assert!(inside.len() <= 3, "the process of {name} holds {inside:?}");
        let own_lock = format!("data/containers/{id}/lock");
        assert!(
            !open_files(scene.monitor_of(name)).iter().any(|path| path.ends_with(&own_lock)),
            "a lock was inherited"
        );
    }
}

#[test]
fn rows_38_and_39_clients_that_come_and_are_killed_leave_the_monitor_no_descriptor() {
    let Some(scene) = scene() else { return };
    scene.verb("run -d --network none --name xa IMAGE sh -c while\t:;\tdo\techo\tx;\tsleep\t0.01;\tdone");
    let monitor = scene.monitor_of("xa");
    scene.verb("exec xa true");
    let before = open_files(monitor).len();
    for _ in 0..30 {
        let command = |line: &str| scene.store.command(&scene.words(line)).stdout(Stdio::piped()).spawn().unwrap();
        for mut client in [command("attach --no-stdin xa"), command("logs -f xa")] {
            let mut first = String::new();
            // The first line, or the end of a client that did not like its flags.
            BufReader::new(client.stdout.take().unwrap()).read_line(&mut first).unwrap();
            client.kill().unwrap();
            client.wait().unwrap();
            assert_eq!(first.trim(), "x");
        }
        scene.verb("exec xa true");
    }
    wait_until("a monitor that has let go of its clients", Duration::from_secs(2), || {
        (open_files(monitor).len() <= before).then_some(())
    });
    let clients = entries(&scene.run_dir_of("xa").join("exec"));
    assert!(clients.is_empty(), "{:?}", clients.iter().map(|path| name_of(path)).collect::<Vec<_>>());
    scene.assert_removable(&["xa"], "after many clients");
}

#[test]
fn row_43_a_monitor_is_the_last_to_be_killed_for_memory() {
    let Some(scene) = scene() else { return };
    let may = std::process::Command::new("sh").args(["-c", "echo -999 >/proc/self/oom_score_adj"]).output().unwrap();
    if !may.status.success() {
        println!("not checked: this machine lets nobody lower a score");
        return;
    }
    scene.verb("run -d --network none --name xa IMAGE sleep 100000");
    let score =
        |pid: u64| fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).unwrap().trim().parse::<i32>().unwrap();
    assert!(score(scene.monitor_of("xa")) < -900, "{}", score(scene.monitor_of("xa")));
    assert!(score(scene.init_of("xa")) > -900, "the container is spared too");
    scene.verb("rm -f xa");
}

/// Files of the person's own, cut short by a full disk or a crash: nothing of ours writes them, and wherever they end, a
/// verb works or names the file.
#[test]
fn row_90_a_configuration_or_login_file_cut_short_is_named_and_never_written_by_us() {
    let Some(scene) = scene() else { return };
    let root = scene.store.root();
    assert!(entries(&root.join("config")).is_empty() && entries(&root.join("home")).is_empty());
    let settings = "# what I like\n[ui]\ntheme = \"light\"\nmouse = false\n";
    let login = format!("{{\"auths\": {{\"{}\": {{\"auth\": \"bWU6cHc=\"}}}}}}", scene.registry.host());
    scene.verb("tag IMAGE PUSHED");
    scene.verb("push -q PUSHED");
    scene.registry.demand(Login::Basic { user: "me", password: "pw" });
    let cases =
        [("config/config.toml", settings, "ps"), ("home/.docker/config.json", login.as_str(), "pull -q PUSHED")];
    for (file, whole, verb) in cases {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        for end in (0..whole.len()).step_by(4).chain([whole.len()]) {
            fs::write(&path, &whole[..end]).unwrap();
            let ended = scene.run(verb);
            let named = ended.stderr.contains(file.rsplit('/').next().unwrap());
            // Without its login the registry refuses, which says what to do; with half of one the file is named.
            let refused = end == 0 && ended.stderr.contains("login");
            assert!(ended.status.success() || named || refused, "{file} cut at {end}: {ended}");
            assert!(!ended.stderr.contains("bWU6"), "a secret is shown: {ended}");
            assert_eq!(fs::read_to_string(&path).unwrap(), &whole[..end], "{file} was written");
        }
        assert!(scene.run(verb).status.success(), "{file} is whole");
        fs::remove_file(path).unwrap();
    }
}
