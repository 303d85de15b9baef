//! Is a container its owner's, however many are connected to its monitor and whatever they do not say?
//! Deliberately elsewhere: clients that do not read (`viewer`, `stalled`), monitors that stand still (`engine`).

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::{fd::AsRawFd, unix::net::UnixStream},
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, getrlimit, prlimit};

use super::place::{Listener, Place};
use crate::support::deadline::PATIENCE;

/// More than a monitor keeps of either sort.
const CROWD: usize = 80;
/// What takes no longer was not held up by anybody. Far below the deadlines of the verbs.
const AT_ONCE: Duration = Duration::from_secs(10);

/// Connections to a monitor: as many that say nothing as that wait for the end.
struct Crowd {
    silent: Vec<UnixStream>,
    waiting: Vec<UnixStream>,
}

impl Crowd {
    fn around(place: &Place, name: &str) -> Self {
        let run_dir = place.run_dir(name);
        let silent = (0..CROWD).map(|_| connect(&run_dir)).collect();
        Self { silent, waiting: (0..CROWD).map(|_| wait(&run_dir)).collect() }
    }

    /// How many of those who wait were told why they may not.
    fn refused(&mut self) -> usize {
        let reply = |mut stream: &UnixStream| {
            let mut head = [0; 5];
            stream.read_exact(&mut head).unwrap();
            let mut payload = vec![0; u32::from_le_bytes(head[..4].try_into().unwrap()) as usize];
            stream.read_exact(&mut payload).unwrap();
            String::from_utf8(payload).unwrap()
        };
        self.waiting.iter().map(reply).filter(|reply| reply.contains("too many clients")).count()
    }
}

fn connect(run_dir: &Path) -> UnixStream {
    let dir = File::open(run_dir).unwrap();
    // By this way the path is short, as those of sockets must be.
    let stream = UnixStream::connect(format!("/proc/self/fd/{}/monitor.sock", dir.as_raw_fd())).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A connection that waits for the end.
fn wait(run_dir: &Path) -> UnixStream {
    let request = br#"{"v":1,"request":"wait"}"#;
    let mut frame = u32::try_from(request.len()).unwrap().to_le_bytes().to_vec();
    frame.push(1);
    frame.extend(request);
    let mut stream = connect(run_dir);
    stream.write_all(&frame).unwrap();
    stream
}

#[test]
fn a_crowd_at_its_monitor_keeps_nobody_from_killing_or_removing_a_container() {
    let Some(place) = Place::new() else { return };
    place.start("xa", "sleep 100000");
    let mut crowd = Crowd::around(&place, "xa");
    assert_eq!(crowd.refused(), CROWD - 64);
    let attached = place.store().run(&["attach", "xa"]);
    assert!(attached.code() != 0 && attached.stderr.contains("too many clients"), "{attached}");
    // Nobody at the monitor has room for this one.
    let waiter = Listener::start(place.store().command(&["wait", "xa"]));
    let begun = Instant::now();
    place.store().ok(&["kill", "-s", "USR1", "xa"]);
    place.store().ok(&["kill", "xa"]);
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    assert_eq!(waiter.rest(), ["137"]);

    place.store().ok(&["start", "xa"]);
    let _crowd = Crowd::around(&place, "xa");
    let begun = Instant::now();
    place.store().ok(&["rm", "-f", "xa"]);
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

#[test]
fn whoever_says_nothing_is_hung_up_on() {
    let Some(place) = Place::new() else { return };
    place.start("xa", "sleep 100000");
    let crowd = Crowd::around(&place, "xa");
    for mut silent in crowd.silent {
        assert_eq!(silent.read(&mut [0]).unwrap(), 0);
    }
    place.store().ok(&["rm", "-f", "xa"]);
}

/// Lines of a container that prints every 50 ms: some seconds.
const TICKS: usize = 50;

#[test]
fn a_monitor_without_a_free_descriptor_rests_serves_those_it_has_and_recovers() {
    let Some(place) = Place::new() else { return };
    place.start("xa", "while :; do echo tick; sleep 0.05; done");
    let attached = Listener::start(place.store().command(&["attach", "xa"]));
    assert!(attached.line().is_some());
    let ((monitor, _), run_dir) = (place.pids("xa"), place.run_dir("xa"));
    let open = descriptors(monitor);
    let most = open.last().map_or(0, |last| last + 1);
    let before = allow_descriptors(monitor, Some(most));
    // What is free below the limit is taken by others, all but the last of whom are let in.
    let mut waiting: Vec<UnixStream> = (open.len() as u64..=most).map(|_| wait(&run_dir)).collect();
    let mut late = waiting.pop().unwrap();
    let mut head = [0; 5];
    for mut served in &waiting {
        served.read_exact(&mut head).unwrap();
    }
    assert_eq!(descriptors(monitor).len() as u64, most);
    let (begun, worked) = (Instant::now(), time_on_processor(monitor));
    for _ in 0..TICKS {
        assert_eq!(attached.line().as_deref(), Some("tick"));
    }
    let worked = time_on_processor(monitor) - worked;
    assert!(worked < begun.elapsed() / 8, "{worked:?} of {:?}", begun.elapsed());
    allow_descriptors(monitor, before);
    late.read_exact(&mut head).unwrap();
    place.store().ok(&["rm", "-f", "xa"]);
}

/// In their order.
fn descriptors(pid: u32) -> Vec<u64> {
    let names = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let mut open: Vec<u64> = names.map(|name| name.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
    open.sort_unstable();
    open
}

/// Lets a process open no more than so many files; returns how many it could.
fn allow_descriptors(pid: u32, most: Option<u64>) -> Option<u64> {
    let process = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap());
    // Whoever may raise the lower of the two again need not be asked about the other.
    let limits = Rlimit { current: most, maximum: getrlimit(Resource::Nofile).maximum };
    prlimit(process, Resource::Nofile, limits).unwrap().current
}

/// proc(5), `/proc/PID/schedstat`: nanoseconds first.
fn time_on_processor(pid: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}
