//! Is a container its owner's, however many are connected to its monitor and whatever they do not say?
//! Deliberately elsewhere: clients that do not read (`viewer`, `stalled`), monitors that stand still (`engine`).

use std::{
    fs::File,
    io::{Read, Write},
    os::{fd::AsRawFd, unix::net::UnixStream},
    time::{Duration, Instant},
};

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
        let dir = File::open(place.run_dir(name)).unwrap();
        // By this way the path is short, as those of sockets must be.
        let socket = format!("/proc/self/fd/{}/monitor.sock", dir.as_raw_fd());
        let connect = || {
            let stream = UnixStream::connect(&socket).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream
        };
        let silent = (0..CROWD).map(|_| connect()).collect();
        let request = br#"{"v":1,"request":"wait"}"#;
        let mut frame = u32::try_from(request.len()).unwrap().to_le_bytes().to_vec();
        frame.push(1);
        frame.extend(request);
        let ask = |mut stream: UnixStream| {
            stream.write_all(&frame).unwrap();
            stream
        };
        Self { silent, waiting: (0..CROWD).map(|_| ask(connect())).collect() }
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
