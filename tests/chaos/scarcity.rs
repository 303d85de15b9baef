//! What does a verb do when a process may open, fork or keep next to nothing? It works, or says in words that it cannot.
//!
//! Deliberately elsewhere: full and failing disks (`full_disk`), processes that
//! the kernel ends for want of memory (`out_of_memory`).

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use super::scene::Scene;
use crate::support::{
    command::{Finished, run_to_end, wharf_binary},
    deadline::{Deadline, PATIENCE},
    need::{Need, needs_image, needs_root},
    screen::Size,
};

/// A life of verbs, each once; `xa` is the container that they are about.
pub const LIFE: [&str; 24] = [
    "pull -q IMAGE",
    "images",
    "create --network none --name xa -v /data IMAGE sh -c sleep\t100000",
    "start xa",
    "ps -a",
    "inspect xa",
    "logs xa",
    "top xa",
    "exec xa true",
    "pause xa",
    "unpause xa",
    "rename xa xb",
    "rename xb xa",
    "restart -t 0 xa",
    "stop -t 0 xa",
    "start xa",
    "kill xa",
    "wait --timeout 10 xa",
    "rm -f xa",
    "run --rm --network none --name xa IMAGE true",
    "tag IMAGE chaos:1",
    "push PUSHED",
    "rmi -f chaos:1",
    "system repair",
];

/// It did what it was asked, or said in words that it did not.
#[track_caller]
pub fn assert_readable(line: &str, finished: &Finished) {
    let said = &finished.stderr;
    assert!(!said.contains("panicked") && !said.contains("RUST_BACKTRACE"), "{line}: {finished}");
    let ended = matches!(finished.code(), 0 | 1 | 2 | 124 | 125);
    assert!(ended && (finished.code() == 0 || said.contains("wharf: ")), "{line}: {finished}");
}

/// How a command is put under a limit.
pub trait Limit {
    fn wrap(&self, scene: &Scene, line: &str) -> Command;
}

/// At most so many open files.
struct Descriptors(u32);

impl Limit for Descriptors {
    fn wrap(&self, scene: &Scene, line: &str) -> Command {
        after(scene, line, &format!("ulimit -n {}", self.0))
    }
}

/// A control group of ours; gone with the value.
pub struct Group(PathBuf);

impl Group {
    /// `None`: this machine has no such controller to give.
    pub fn new(controller: &str, file: &str, value: &str) -> Option<Self> {
        let unified = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
        let top = if unified { PathBuf::from("/sys/fs/cgroup") } else { Path::new("/sys/fs/cgroup").join(controller) };
        let file = match (unified, file) {
            (true, "memory.limit_in_bytes") => "memory.max",
            (_, file) => file,
        };
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let group = top.join(format!("chaos-{controller}-{}-{number}", std::process::id()));
        if fs::create_dir_all(&group).and_then(|()| fs::write(group.join(file), value)).is_err() {
            Need::from_environment().missing(&format!("no {controller} control group can be made"));
            return None;
        }
        Some(Self(group))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// How many processes the kernel ended here for want of memory.
    pub fn ended(&self) -> u64 {
        let text = ["memory.oom_control", "memory.events"].map(|file| fs::read_to_string(self.0.join(file)));
        let lines = text.iter().flatten().flat_map(|text| text.lines());
        lines.filter_map(|line| line.strip_prefix("oom_kill ")?.parse::<u64>().ok()).sum()
    }
}

impl Limit for Group {
    fn wrap(&self, scene: &Scene, line: &str) -> Command {
        after(scene, line, &format!("echo $$ >{}/cgroup.procs", self.0.display()))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Monitors end a moment after their verb; what never ends is found by the residue check.
        let deadline = Deadline::after(PATIENCE);
        while fs::remove_dir(&self.0).is_err() && !deadline.passed() {
            deadline.pause();
        }
    }
}

/// The program on a line, started by a shell that does something to itself first.
fn after(scene: &Scene, line: &str, first: &str) -> Command {
    let plain = scene.store.command(&[""; 0]);
    let mut command = Command::new("sh");
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(scene.store.root()).stdin(std::process::Stdio::null());
    command.args(["-c", &format!("{first} && exec \"$0\" \"$@\"")]).arg(wharf_binary()).args(scene.words(line));
    command
}

/// Lives through all verbs under the limit; afterwards, without it, nothing is stuck.
fn live_under(limit: &impl Limit, what: &str) {
    let Some(scene) = Scene::new() else { return };
    let scene = scene.with_bystander();
    scene.verb("tag IMAGE PUSHED");
    let mut failed = Vec::new();
    for line in LIFE {
        let finished = run_to_end(limit.wrap(&scene, line), Duration::from_secs(30));
        assert_readable(&format!("{what}: {line}"), &finished);
        if finished.code() != 0 {
            failed.push(format!("{line}: {}", finished.stderr.trim()));
        }
    }
    println!("{what}: {} of {} verbs did not work:\n    {}", failed.len(), LIFE.len(), failed.join("\n    "));
    scene.assert_bystander(what);
    scene.assert_removable(&["xa", "xb"], what);
    scene.assert_repairable();
}

#[test]
fn with_few_descriptors_verbs_work_or_say_why_not() {
    if !needs_root() {
        return;
    }
    for descriptors in [64, 32, 16, 10] {
        live_under(&Descriptors(descriptors), &format!("{descriptors} descriptors"));
    }
}

#[test]
fn however_few_descriptors_nobody_takes_a_running_container_for_ended() {
    if !needs_root() {
        return;
    }
    let Some(scene) = Scene::new() else { return };
    let scene = scene.with_bystander();
    let mut told = 0;
    for descriptors in 3..40 {
        let limit = Descriptors(descriptors);
        let run = |line: &str| run_to_end(limit.wrap(&scene, line), Duration::from_secs(30));
        let listed = run("ps -a --format json");
        if listed.code() == 0 {
            told += 1;
            assert!(listed.stdout.contains(r#""status":"running""#), "{descriptors} descriptors: {listed}");
        }
        // Each would take what has ended away, and lets alone what runs.
        assert_ne!(run("rm bystander").code(), 0, "{descriptors} descriptors");
        for line in ["system repair", "prune containers --force", "start bystander"] {
            run(line);
        }
        scene.assert_bystander(&format!("{descriptors} descriptors"));
    }
    assert!(told > 10, "only {told} lists were told");
    scene.assert_repairable();
}

/// In a namespace of its own, where nobody may open the null device: root neither, on a file system without devices.
struct NoNullDevice;

impl Limit for NoNullDevice {
    fn wrap(&self, scene: &Scene, line: &str) -> Command {
        let mounted = "mount -t tmpfs -o nodev none /mnt && mknod -m 666 /mnt/null c 1 3 \
                       && mount --bind /mnt/null /dev/null && exec \"$0\" \"$@\"";
        after(scene, line, &format!("exec unshare -m sh -c '{mounted}' \"$0\" \"$@\""))
    }
}

#[test]
fn without_the_null_device_verbs_name_it_and_the_way_to_mend_it() {
    if !needs_root() {
        return;
    }
    let Some(scene) = Scene::new() else { return };
    for line in [
        "run --rm --network none --name xa IMAGE true",
        "create --network none --name xa -v /bin IMAGE true",
        "system info",
    ] {
        let finished = run_to_end(NoNullDevice.wrap(&scene, line), Duration::from_secs(30));
        let told = format!("{}{}", finished.stdout, finished.stderr);
        for words in ["opening /dev/null: Permission denied", "sudo chmod 666 /dev/null"] {
            assert!(told.contains(words), "{line}: {finished}");
        }
    }
    scene.assert_removable(&["xa"], "no null device");
    scene.assert_repairable();
}

#[test]
fn where_nothing_can_be_forked_verbs_work_or_say_why_not() {
    if !needs_root() {
        return;
    }
    for processes in [1, 2, 6, 12] {
        let Some(group) = Group::new("pids", "pids.max", &processes.to_string()) else { return };
        live_under(&group, &format!("{processes} processes and threads"));
    }
}

#[test]
fn in_32_mebibytes_a_pull_works_or_dies_without_a_trace() {
    if !needs_root() {
        return;
    }
    let Some(image) = needs_image("mid:1") else { return };
    let Some(group) = Group::new("memory", "memory.limit_in_bytes", &(32 << 20).to_string()) else { return };
    let Some(scene) = Scene::new() else { return };
    let finished = run_to_end(group.wrap(&scene, &format!("pull -q {image}")), Duration::from_secs(120));
    // 137: the kernel killed it; then nothing was told, and nothing is half there.
    assert!(finished.code() == 137 || finished.code() == 0, "{finished}");
    println!("a pull of mid:1 in 32 MiB ended with {}", finished.code());
    scene.verb(&format!("pull -q {image}"));
    scene.verb(&format!("run --rm --network none {image} true"));
    scene.assert_repairable();
}

#[test]
fn in_32_mebibytes_the_screen_shows_110_containers() {
    if !needs_root() {
        return;
    }
    let Some(group) = Group::new("memory", "memory.limit_in_bytes", &(32 << 20).to_string()) else { return };
    let Some(scene) = Scene::new() else { return };
    let scene = scene.with_bystander();
    let lines: String =
        (0..110).map(|number| format!("create --network none --name xa{number} {} true\n", scene.image)).collect();
    let file = scene.store.root().join("fill");
    fs::write(&file, lines).unwrap();
    scene.verb(&format!("script --jobs 4 {}", file.display()));
    let mut screen = scene.store.screen(&["ui"], Size::WIDE);
    fs::write(group.0.join("cgroup.procs"), screen.pid().to_string()).unwrap();
    screen.wait_for("bystander");
    screen.type_keys("j,j,j,j,G");
    screen.wait_for("xa");
    screen.type_keys("q");
    assert!(screen.wait_exit().success(), "{}", screen.text());
    let listed: Vec<String> = scene.owners().into_iter().map(|owner| owner.name).collect();
    assert_eq!(listed.len(), 111);
    let mine: Vec<&str> = listed.iter().map(String::as_str).filter(|name| name.starts_with("xa")).collect();
    scene.run(&format!("rm {}", mine.join(" "))).success();
    scene.assert_bystander("after the screen");
}
