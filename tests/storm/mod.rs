//! Does everybody agree after a storm? Several processes on one store, mixed verbs, kills at any moment; then the
//! screen, the listing and the kernel must tell one story, every name has one owner, and nothing is left.
//!
//! `WHARF_STORM_SECONDS` sets the length (default 4; `.ci/run` says 60 as root), `WHARF_STORM_KILLS` the number of
//! single commands that are killed. Deliberately elsewhere: order within one process (`supervision`).

mod agreement;
mod lines;

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::PathBuf,
    process::Stdio,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use serde_json::Value;

use self::{
    agreement::{Row, agreed, listing},
    lines::Lines,
};
use crate::support::{
    deadline::{Deadline, wait_until},
    need::{needs_image, needs_root, needs_user},
    residue::{entries, name_of},
    screen::Size,
    store::Store,
};

/// How long everybody may take to agree; a machine that runs other tests beside this one is given more.
const AGREEMENT: Duration = Duration::from_secs(1);
const AGREEMENT_BESIDE_OTHERS: Duration = Duration::from_secs(10);

/// How soon a fresh start has put right what was cut.
const RECONCILED: Duration = Duration::from_secs(10);

#[test]
fn after_a_storm_of_two_scripts_and_a_screen_all_agree() {
    if needs_root() {
        storm();
    }
}

#[test]
fn after_a_rootless_storm_all_agree() {
    if needs_user() {
        storm();
    }
}

#[test]
fn what_runs_goes_on_through_a_storm_of_killed_scripts_and_screens_and_the_next_start_mends_the_rest() {
    if needs_root() {
        storm_of_kills();
    }
}

#[test]
fn what_runs_goes_on_through_a_rootless_storm_of_killed_scripts_and_screens() {
    if needs_user() {
        storm_of_kills();
    }
}

#[test]
fn commands_killed_at_any_moment_lose_nothing_and_leave_nothing() {
    if needs_root() {
        kills();
    }
}

#[test]
fn rootless_commands_killed_at_any_moment_lose_nothing_and_leave_nothing() {
    if needs_user() {
        kills();
    }
}

/// What happened, for the log of whoever ran it.
#[derive(Default)]
struct Counts {
    lines: AtomicU32,
    done: AtomicU32,
    scripts: AtomicU32,
    scripts_killed: AtomicU32,
    screens_killed: AtomicU32,
}

impl Counts {
    fn add(count: &AtomicU32, more: usize) {
        count.fetch_add(u32::try_from(more).unwrap(), Ordering::Relaxed);
    }

    fn tell(&self, what: &str, agreed: Duration, listed: &BTreeMap<String, Row>) {
        let [lines, done, scripts, scripts_killed, screens] =
            [&self.lines, &self.done, &self.scripts, &self.scripts_killed, &self.screens_killed]
                .map(|count| count.load(Ordering::Relaxed));
        let running = listed.values().filter(|row| row.status == "running").count();
        // On the real stderr: the harness swallows what a passing test prints. A closed one must not fail it.
        let _ = writeln!(
            std::io::stderr(),
            "{what}: {scripts} scripts ({scripts_killed} killed), {screens} screens killed, {lines} lines, {done} done; \
             {} containers left, {running} running; all agreed after {} ms",
            listed.len(),
            agreed.as_millis()
        );
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

fn seconds() -> u64 {
    setting("WHARF_STORM_SECONDS").unwrap_or(4)
}

fn patience() -> Duration {
    // Whoever sets the length runs the storms alone.
    if setting("WHARF_STORM_SECONDS").is_some() { AGREEMENT } else { AGREEMENT_BESIDE_OTHERS }
}

/// A store with the storm's images: one that stays, one that comes and goes.
fn prepared() -> Option<(Store, String, String)> {
    let (image, fleeting) = (needs_image("bb:1")?, needs_image("dup:1")?);
    let store = Store::new();
    store.ok(&["pull", "-q", &image]);
    Some((store, image, fleeting))
}

fn storm() {
    let Some((store, image, fleeting)) = prepared() else { return };
    let screen = store.screen(&["ui"], Size::WIDE);
    screen.wait_for("No containers");
    let counts = Counts::default();
    let end = Deadline::after(Duration::from_secs(seconds()));
    std::thread::scope(|scope| {
        for seed in [1, 2] {
            let (store, counts, image, fleeting) = (&store, &counts, &image, &fleeting);
            scope.spawn(move || {
                let mut lines = Lines::new(seed, image, fleeting);
                while !end.passed() {
                    run_script(store, &lines.take(60), counts);
                }
            });
        }
    });
    let (took, listed) = agreed(&store, &screen, patience());
    counts.tell("storm", took, &listed);
    screen.type_keys("q");
}

/// Every line must come back as one result; which of them succeed depends on the other storm.
fn run_script(store: &Store, lines: &[String], counts: &Counts) {
    let file = script_file(store, lines);
    let finished = store.run(&["script", "--jobs", "4", "--keep-going", &file]);
    let results = results(&finished.stdout);
    assert_eq!(results.len(), lines.len(), "{finished}");
    Counts::add(&counts.scripts, 1);
    Counts::add(&counts.lines, lines.len());
    for result in results {
        assert!(!is_defect(&result), "{result}\n{finished}");
        Counts::add(&counts.done, usize::from(result["outcome"] == "done"));
    }
}

fn script_file(store: &Store, lines: &[String]) -> String {
    let file = store.root().join(format!("script-{:?}", std::thread::current().id()));
    std::fs::write(&file, lines.join("\n")).unwrap();
    file.display().to_string()
}

fn results(stdout: &str) -> Vec<Value> {
    let whole = stdout.split_inclusive('\n').filter(|line| line.starts_with('{') && line.ends_with('\n'));
    whole.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A storm refuses much, but nothing in it is slow, broken or unexplained.
fn is_defect(result: &Value) -> bool {
    let kind = result["error"]["kind"].as_str().unwrap_or_default();
    let defects = ["internal", "timed_out", "io", "corrupt", "protocol", "unreachable", "digest_mismatch", "denied"];
    result["ms"].as_f64().unwrap() > 20_000.0 || defects.contains(&kind)
}

/// Two scripts and a screen, each killed again and again at random moments, and begun anew.
fn storm_of_kills() {
    let Some((store, image, fleeting)) = prepared() else { return };
    let standers = ["stander-0", "stander-1", "stander-2"];
    for name in standers {
        store.ok(&["run", "-d", "--network", "none", "--name", name, &image, "sleep", "100000"]);
    }
    let before = listing(&store);
    let counts = Counts::default();
    let end = Deadline::after(Duration::from_secs(seconds().div_ceil(2)));
    std::thread::scope(|scope| {
        for seed in [11, 12] {
            let (store, counts, image, fleeting) = (&store, &counts, &image, &fleeting);
            scope.spawn(move || {
                let mut lines = Lines::new(seed, image, fleeting);
                while !end.passed() {
                    let moment = Duration::from_millis(20 + lines.below(1500));
                    cut_script(store, &lines.take(60), moment, counts);
                }
            });
        }
        scope.spawn(|| {
            let mut lines = Lines::new(13, &image, &fleeting);
            while !end.passed() {
                let moment = Deadline::after(Duration::from_millis(50 + lines.below(2500)));
                let screen = store.screen(&["ui"], Size::WIDE);
                while !moment.passed() {
                    let verb = ["stop -t 0", "start", "restart -t 0", "pause", "unpause"][lines.below(5) as usize];
                    screen.send(format!("\u{1b}:{verb} {}\r", lines.name()).as_bytes());
                    wait(Duration::from_millis(lines.below(200)).min(moment.left()));
                }
                // Dropping it kills it.
                drop(screen);
                Counts::add(&counts.screens_killed, 1);
            }
        });
    });
    let screen = store.screen(&["ui"], Size::WIDE);
    screen.wait_for("stander-2");
    let (took, listed) = agreed(&store, &screen, patience());
    for name in standers {
        assert_eq!(listed.get(name), before.get(name), "{name} was to be left alone");
    }
    wait_until("the next start to have put everything half-done right", RECONCILED, || {
        half_done(&store).is_empty().then_some(())
    });
    // Whole content that a killed pull has left stays for whoever pulls again; a repair frees it, and then finds nothing.
    let deadline = Deadline::after(RECONCILED);
    loop {
        store.ok(&["system", "repair"]);
        let found = store.ok(&["system", "repair", "--dry-run", "-q"]);
        if found.is_empty() {
            break;
        }
        assert!(!deadline.passed(), "a repair leaves\n{found}");
        deadline.pause();
    }
    // And what it put right is on the screen again.
    let (_, listed) = agreed(&store, &screen, patience());
    counts.tell("storm of kills", took, &listed);
    screen.type_keys("q");
}

/// Nothing is awaited: the moment is the point.
fn wait(time: Duration) {
    let moment = Deadline::after(time);
    while !moment.passed() {
        moment.pause();
    }
}

fn cut_script(store: &Store, lines: &[String], moment: Duration, counts: &Counts) {
    let file = script_file(store, lines);
    let output = store.root().join(format!("output-{:?}", std::thread::current().id()));
    let mut child = store
        .command(&["script", "--jobs", "4", "--keep-going", &file])
        .stdout(std::fs::File::create(&output).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let moment = Deadline::after(moment);
    while !moment.passed() && child.try_wait().unwrap().is_none() {
        moment.pause();
    }
    let killed = child.try_wait().unwrap().is_none();
    // It may have ended by now, which is one of the moments meant.
    let _ = child.kill();
    child.wait().unwrap();
    let results = results(&std::fs::read_to_string(&output).unwrap());
    Counts::add(&counts.scripts, 1);
    Counts::add(&counts.scripts_killed, usize::from(killed));
    Counts::add(&counts.lines, results.len());
    for result in results {
        assert!(!is_defect(&result), "{result}");
        Counts::add(&counts.done, usize::from(result["outcome"] == "done"));
    }
}

/// Containers in the making or on their way out, layers half-unpacked, leases: nobody works on this store now.
fn half_done(store: &Store) -> Vec<PathBuf> {
    let data = store.root().join("data");
    let hidden = entries(&data.join("containers")).into_iter().filter(|path| name_of(path).starts_with('.'));
    // A part of a download waits for whoever goes on with it.
    let ingest = entries(&data.join("images/ingest")).into_iter().filter(|path| !name_of(path).ends_with(".part"));
    let rest = ["trash", "images/trash", "images/leases"].map(|folder| entries(&data.join(folder)));
    hidden.chain(ingest).chain(rest.into_iter().flatten()).collect()
}

fn kills() {
    let Some((store, image, fleeting)) = prepared() else { return };
    store.ok(&["run", "-d", "--network", "none", "--name", "bystander", &image, "sleep", "100000"]);
    let before = listing(&store);
    let mut lines = Lines::new(3, &image, &fleeting);
    for number in 0..setting("WHARF_STORM_KILLS").unwrap_or(40) {
        let line = lines.take(1).remove(0);
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut child = store.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Between the first instruction and well after the end of most verbs.
        wait(Duration::from_micros(number * 7919 % 40_000));
        // It may have ended already, which is one of the moments meant.
        let _ = child.kill();
        child.wait().unwrap();
    }
    // What was cut within the last second still looks like work in progress, and is repaired a moment later.
    wait_until("a repair that leaves nothing half-made", Duration::from_secs(10), || {
        store.ok(&["system", "repair"]);
        half_done(&store).is_empty().then_some(())
    });
    let again = store.ok(&["system", "repair", "--dry-run", "-q"]);
    assert!(again.is_empty(), "a second repair still finds: {again}");
    assert_eq!(listing(&store).get("bystander"), before.get("bystander"));
    let screen = store.screen(&["ui"], Size::WIDE);
    screen.wait_for("bystander");
    screen.type_keys("q");
}
