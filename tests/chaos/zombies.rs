//! Does a process that starts many containers reap what they leave, all the time and not only at its end? Row 34 of the
//! failure catalogue, looked at while it happens: also where that process is number 1 of its namespace, so that every
//! orphan becomes its child.
//! Deliberately elsewhere: what is left afterwards (`support::residue`).

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use super::scene::Scene;
use crate::support::{
    command::wharf_binary,
    deadline::{Deadline, PATIENCE, wait_until},
    need::{needs_root, needs_user},
    residue::{entries, name_of},
    screen::Size,
};

/// Between a process's end and its parent's look lies a moment; on a busy machine a long one.
const LONGEST: Duration = Duration::from_secs(3);
/// How many containers come and go.
const RUNS: usize = 40;
const JOBS: usize = 4;

#[test]
fn while_containers_come_and_go_nobody_stays_a_zombie() {
    if needs_root() {
        watch_a_script(Place::Beside);
    }
}

#[test]
fn while_rootless_containers_come_and_go_nobody_stays_a_zombie() {
    if needs_user() {
        watch_a_script(Place::Beside);
    }
}

#[test]
fn as_the_first_process_of_a_namespace_it_keeps_no_zombies_either() {
    if needs_root() {
        watch_a_script(Place::First);
    }
}

#[test]
fn a_screen_that_has_nothing_to_do_keeps_no_zombies() {
    if !needs_root() {
        return;
    }
    let Some(scene) = Scene::new() else { return };
    let screen = scene.store.screen(&["ui"], Size::STANDARD);
    screen.wait_for("No containers");
    screen.send(format!(":run -d --network none --name xa {} sleep 1000\r", scene.image).as_bytes());
    screen.wait_for("up <1m");
    let monitor = || descendants(screen.pid()).into_iter().find(|process| process.parent == screen.pid());
    wait_until("its monitor", PATIENCE, monitor);
    scene.verb("kill xa");
    wait_until("the end of its monitor, taken note of", PATIENCE, || {
        // The guard of the terminal is a child as well, and lives.
        descendants(screen.pid()).into_iter().all(|process| process.name == "wharf-guard").then_some(())
    });
    screen.type_keys("q");
    scene.verb("rm xa");
}

/// Where the program stands among the processes that it sees.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Beside,
    /// Number 1: every orphan of its namespace is its child.
    First,
}

fn watch_a_script(place: Place) {
    let Some(scene) = Scene::new() else { return };
    let mut command = scene.store.command(&["script", "--keep-going", "--jobs", &JOBS.to_string(), "-"]);
    if place == Place::First {
        let words = ["--pid", "--fork", "--mount-proc", "--kill-child"];
        let mut wrapped = Command::new("unshare");
        wrapped.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        wrapped.args(words).arg(wharf_binary()).args(command.get_args()).current_dir(scene.store.root());
        command = wrapped;
    }
    let mut script = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let parent = match place {
        Place::Beside => script.id(),
        Place::First => wait_until("the program", PATIENCE, || only_child(script.id())),
    };
    let mut lines = script.stdin.take().unwrap();
    let results = BufReader::new(script.stdout.take().unwrap());
    let over = AtomicBool::new(false);
    let mut seen = std::thread::scope(|scope| {
        let watching = scope.spawn(|| watch(parent, &over));
        let image = &scene.image;
        for number in 0..RUNS {
            // One that ends by itself, and one that is entered, killed and removed.
            writeln!(lines, "run --rm --network none --name x{number} {image} true").unwrap();
            writeln!(lines, "run -d --network none --name y{number} {image} sh -c 'sleep 1000 & sleep 1000'").unwrap();
            writeln!(lines, "exec y{number} true\nkill y{number}\nrm y{number}").unwrap();
        }
        drop(lines);
        let told: Vec<String> = results.lines().map_while(Result::ok).collect();
        over.store(true, Ordering::Relaxed);
        let failed: Vec<&String> = told.iter().filter(|line| !line.contains("\"outcome\":\"done\"")).collect();
        assert!(failed.is_empty() && told.len() == RUNS * 5, "{} results: {failed:?}", told.len());
        watching.join().unwrap()
    });
    assert!(script.wait().unwrap().success());
    println!("at most {} zombies at once, none longer than {:?}", seen.most, seen.longest);
    // Each job, and what ended since the last step of any of them.
    assert!(seen.most <= 3 * JOBS, "{} zombies at once", seen.most);
    seen.lasting.sort();
    assert_eq!(seen.lasting, Vec::<String>::new());
    assert_eq!(scene.store.clean(), Vec::<String>::new());
}

#[derive(Default)]
struct Seen {
    most: usize,
    longest: Duration,
    /// Those that stayed too long.
    lasting: Vec<String>,
}

/// Looks at all descendants of `parent` again and again.
fn watch(parent: u32, over: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    let mut since: HashMap<u32, Instant> = HashMap::new();
    while !over.load(Ordering::Relaxed) {
        let zombies: Vec<Process> = descendants(parent).into_iter().filter(|process| process.zombie).collect();
        seen.most = seen.most.max(zombies.len());
        since.retain(|pid, _| zombies.iter().any(|zombie| zombie.pid == *pid));
        for zombie in zombies {
            let age = since.entry(zombie.pid).or_insert_with(Instant::now).elapsed();
            seen.longest = seen.longest.max(age);
            let words = format!("{} {} of {}", zombie.pid, zombie.name, zombie.parent);
            if age > LONGEST && !seen.lasting.contains(&words) {
                seen.lasting.push(words);
            }
        }
        let moment = Deadline::after(Duration::from_millis(5));
        while !moment.passed() {
            moment.pause();
        }
    }
    seen
}

struct Process {
    pid: u32,
    parent: u32,
    name: String,
    zombie: bool,
}

fn processes() -> Vec<Process> {
    let numbers = entries(Path::new("/proc")).into_iter().filter_map(|path| name_of(&path).parse::<u32>().ok());
    let read = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (front, rest) = stat.rsplit_once(')')?;
        let mut rest = rest.split_whitespace();
        let zombie = rest.next()? == "Z";
        let name = front.split_once('(')?.1.to_owned();
        Some(Process { pid, parent: rest.next()?.parse().ok()?, name, zombie })
    };
    numbers.filter_map(read).collect()
}

fn only_child(of: u32) -> Option<u32> {
    processes().into_iter().find(|process| process.parent == of).map(|process| process.pid)
}

/// Everybody below `top`, itself not counted.
fn descendants(top: u32) -> Vec<Process> {
    let mut left = processes();
    let mut below = Vec::new();
    let mut tops = vec![top];
    while let Some(top) = tops.pop() {
        let (children, others): (Vec<_>, Vec<_>) = left.into_iter().partition(|process| process.parent == top);
        left = others;
        tops.extend(children.iter().map(|child| child.pid));
        below.extend(children);
    }
    below
}
