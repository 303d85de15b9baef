//! What may a stalled viewer of ours cost on somebody else's engine? The same nothing, as far as the daemon can bear it:
//! dockerd and Podman hold up a container whose attached client does not read, so our client goes on reading and drops.
//! Deliberately elsewhere: our own engine (`stalled`), how viewers stall (`viewer`).

use std::{
    process::Command,
    time::{Duration, Instant},
};

use super::viewer::{MANNERS, Manner, Viewer};
use crate::support::{
    command::run_to_end,
    deadline::{PATIENCE, wait_until},
    need::{needs_docker, needs_image, needs_podman},
    store::Store,
};

const FLOOD: &str = "yes 0123456789012345678901234567890123456789";

/// One container of a daemon; removed with the value.
struct Watched {
    store: Store,
    host: String,
    name: String,
}

impl Watched {
    #[track_caller]
    fn start(host: &str, image: &str, name: &str, script: &str) -> Self {
        let name = format!("wharf-stalled-{}-{name}", std::process::id());
        let watched = Self { store: Store::new(), host: host.to_owned(), name };
        run_to_end(watched.command("pull -q IMAGE", image), PATIENCE).success();
        let mut run = watched.command("run -d --network none --name NAME IMAGE sh -c", image);
        run.arg(script);
        run_to_end(run, PATIENCE).success();
        watched
    }

    fn command(&self, line: &str, image: &str) -> Command {
        let word = |word: &str| match word {
            "NAME" => self.name.clone(),
            "RENAMED" => format!("{}-2", self.name),
            "IMAGE" => image.to_owned(),
            other => other.to_owned(),
        };
        let words: Vec<String> = line.split(' ').map(word).collect();
        let mut command = self.store.command(&words);
        command.env("WHARF_HOST", &self.host);
        command
    }

    /// Does something to it as its owner; how long that took, when it went well.
    #[track_caller]
    fn time(&self, line: &str) -> Duration {
        let begun = Instant::now();
        let ended = run_to_end(self.command(line, ""), BOUND);
        assert!(ended.status.success(), "{} {line}: {ended}", self.host);
        begun.elapsed()
    }

    /// Starts a viewer in each of these manners.
    fn watched_by(&self, line: &str, manners: &[Manner]) -> Vec<Viewer> {
        let viewers: Vec<Viewer> =
            manners.iter().map(|manner| Viewer::start(self.command(line, ""), *manner)).collect();
        if let Some(viewer) = viewers.first().filter(|_| !line.starts_with("events")) {
            viewer.wait_until_full();
        }
        viewers
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // As a rule it has been removed; a failing test must not leave a flood behind.
        let _ = self.command("rm -f NAME", "").output();
    }
}

/// What an owner does meanwhile; the last ones end it. No reading of the log: Podman fails at the torn end of a flood.
const OPERATIONS: [&str; 11] = [
    "inspect NAME",
    "ps -a",
    "top NAME",
    "exec NAME true",
    "pause NAME",
    "unpause NAME",
    "kill -s CONT NAME",
    "rename NAME RENAMED",
    "rename RENAMED NAME",
    "stop -t 0 NAME",
    "rm NAME",
];
/// Every verb of ours ends, whatever a daemon does.
const BOUND: Duration = Duration::from_secs(90);

fn daemons() -> Vec<(String, String)> {
    let Some(image) = needs_image("bb:1") else { return Vec::new() };
    [needs_docker(), needs_podman()].into_iter().flatten().map(|host| (host, image.clone())).collect()
}

/// A machine that is busy with something else delays one round, a viewer that is waited for delays each.
const ROUNDS: usize = 3;

#[test]
fn those_who_look_on_badly_delay_nobody_on_a_daemon() {
    for (host, image) in daemons() {
        let mut delayed = Vec::new();
        for _ in 0..ROUNDS {
            delayed = delays(&host, &image);
            if delayed.is_empty() {
                break;
            }
        }
        assert!(delayed.is_empty(), "{host}, in each of {ROUNDS} rounds: {delayed:#?}");
    }
}

/// What an owner had to wait for because others looked on.
fn delays(host: &str, image: &str) -> Vec<String> {
    let alone = Watched::start(host, image, "alone", FLOOD);
    let alone: Vec<Duration> = OPERATIONS.iter().map(|line| alone.time(line)).collect();
    let watched = Watched::start(host, image, "watched", FLOOD);
    // A client that stands still cannot drop what it is sent: see below.
    let reading = [Manner::NeverReads, Manner::OneByteASecond];
    let lines = [("logs -f NAME", &MANNERS[..]), ("attach NAME", &reading), ("events --since 1h", &MANNERS)];
    let _viewers: Vec<Viewer> =
        lines.into_iter().flat_map(|(line, manners)| watched.watched_by(line, manners)).collect();
    let took = OPERATIONS.iter().zip(alone).map(|(line, usually)| (line, usually, watched.time(line)));
    let late = took.filter(|(_, usually, took)| *took > *usually * 3 + Duration::from_secs(1));
    late.map(|(line, usually, took)| format!("{line} took {took:?}, unwatched {usually:?}")).collect()
}

/// How long a container takes to print 16 MiB into its log while `watch` starts looking on.
fn time_to_print(host: &str, image: &str, name: &str, lines: &[&str]) -> Duration {
    let script = format!("while [ ! -e /go ]; do echo waiting; sleep 0.02; done; {FLOOD} | head -c 16777216");
    let watched = Watched::start(host, image, name, &script);
    let start = |(line, manner): (&&str, Manner)| Viewer::start(watched.command(line, ""), manner);
    let pairs = lines.iter().flat_map(|line| [Manner::NeverReads, Manner::OneByteASecond].map(|manner| (line, manner)));
    let _viewers: Vec<Viewer> = pairs.map(start).collect();
    watched.time("exec NAME touch /go");
    let took = watched.time("wait NAME");
    watched.time("rm NAME");
    took
}

#[test]
fn stalled_viewers_do_not_slow_the_workload_of_a_daemon_down() {
    for (host, image) in daemons() {
        let alone = time_to_print(&host, &image, "first", &[]);
        let watched = time_to_print(&host, &image, "second", &["logs -f NAME", "attach NAME"]);
        assert!(
            watched <= alone * 3 + Duration::from_secs(2),
            "{host}: {watched:?} with stalled viewers, {alone:?} without"
        );
    }
}

/// What no client can spare anybody: dockerd and Podman wait for whoever is attached and stands still, and for the asker
/// of an exec, who loses nothing. Their verbs then fail late (moby#41827) - in words, and only until that one is gone.
#[test]
fn where_a_daemon_waits_for_a_stalled_client_our_verbs_end_in_words_and_its_end_frees_the_container() {
    for (host, image) in daemons() {
        for (line, manner) in [("attach NAME", Manner::Stopped), ("exec NAME yes", Manner::NeverReads)] {
            let watched = Watched::start(&host, &image, "held", FLOOD);
            let viewers = watched.watched_by(line, &[Manner::NeverReads]);
            let stopped = (manner == Manner::Stopped).then(|| watched.watched_by(line, &[manner]));
            for verb in ["inspect NAME", "stop -t 0 NAME"] {
                let ended = run_to_end(watched.command(verb, ""), BOUND);
                let told = ended.status.success() || ended.stderr.contains("wharf: ");
                assert!(told && matches!(ended.code(), 0 | 1), "{host}: {line} {manner:?}: {verb}: {ended}");
            }
            drop((viewers, stopped));
            wait_until("the container to go", PATIENCE * 2, || {
                run_to_end(watched.command("rm -f NAME", ""), BOUND).status.success().then_some(())
            });
            let gone = run_to_end(watched.command("inspect NAME", ""), BOUND);
            assert_eq!(gone.code(), 1, "{host}: {line} {manner:?}: {gone}");
        }
    }
}
