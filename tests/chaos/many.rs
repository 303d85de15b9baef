//! Do thousands of containers keep the listing and the screen usable? Row 82 of the failure catalogue: a store of
//! `WHARF_MANY` containers (default 2,000; the promise is about 10,000), made by copying one record.
//!
//! The bounds are those of an unoptimised program on a busy machine; the figures are printed. Deliberately elsewhere: how
//! quick it is with a hundred (`benches`).

use std::{
    fs,
    io::Write as _,
    time::{Duration, Instant},
};

use super::scene::{Scene, setting};
use crate::support::{
    deadline::PATIENCE,
    need::needs_root,
    screen::{Screen, Size},
};

/// What a listing may take for each thousand containers.
const LISTING: Duration = Duration::from_millis(1500);
/// From a key to its effect on the screen: not a thing of how many there are.
const KEY: Duration = Duration::from_millis(250);
/// Memory of the screen that is its own, and what each container may add.
const MEMORY: u64 = 24 << 20;
const EACH: u64 = 8 << 10;
const PRESSES: usize = 20;

#[test]
fn thousands_of_containers_are_listed_and_the_screen_stays_quick_and_small() {
    if !needs_root() {
        return;
    }
    let Some(scene) = Scene::new() else { return };
    let many = setting("WHARF_MANY", 2000);
    scene.verb("create --network none --name first IMAGE true");
    multiply(&scene, many);
    let begun = Instant::now();
    let listed = scene.verb("ps -aq").lines().count() as u64;
    let listing = begun.elapsed();
    assert_eq!(listed, many);
    let begun = Instant::now();
    let screen = scene.store.screen(&["ui"], Size::WIDE);
    screen.wait_for("containers");
    let first_frame = begun.elapsed();
    screen.wait_until("all of them", PATIENCE * 3, |text| text.contains(&format!("○ {many}")));
    let all = begun.elapsed();
    let mut keys: Vec<Duration> = (0..PRESSES).flat_map(|_| press(&screen, many)).collect();
    keys.sort_unstable();
    let (median, slowest) = (keys[keys.len() / 2], keys[keys.len() - 1]);
    let memory = memory(screen.pid());
    screen.type_keys("q");
    // On the real stderr: the figures are worth more than the word "ok".
    let figures = format!(
        "{many} containers: ps {listing:?}, first frame {first_frame:?}, all of them {all:?}, keys {median:?} \
         (slowest {slowest:?}), {} KiB",
        memory / 1024
    );
    writeln!(std::io::stderr(), "{figures}").unwrap();
    let thousands = u32::try_from(many.div_ceil(1000)).unwrap();
    assert!(listing < LISTING * thousands, "{figures}");
    assert!(first_frame < Duration::from_secs(2), "{figures}");
    assert!(median < KEY, "{figures}");
    assert!(memory < MEMORY + EACH * many, "{figures}");
    forget(&scene);
}

/// To the last row and back to the first, by what is drawn.
fn press(screen: &Screen, many: u64) -> [Duration; 2] {
    let begun = Instant::now();
    screen.type_keys("G");
    screen.wait_for(&format!("x{:05}", many - 1));
    let down = begun.elapsed();
    let begun = Instant::now();
    screen.type_keys("g");
    screen.wait_for("x00001");
    [down, begun.elapsed()]
}

/// Copies the only container's record under other ids and names until there are so many.
fn multiply(scene: &Scene, many: u64) {
    let data = scene.store.root().join("data");
    let id = fs::read_to_string(data.join("names/first")).unwrap();
    let record = fs::read_to_string(data.join("containers").join(&id).join("config.json")).unwrap();
    for number in 1..many {
        let (copy, name) = (format!("{number:064x}"), format!("x{number:05}"));
        let folder = data.join("containers").join(&copy);
        fs::create_dir(&folder).unwrap();
        for inner in ["upper", "work"] {
            fs::create_dir(folder.join(inner)).unwrap();
        }
        fs::write(folder.join("lock"), "").unwrap();
        let record = record.replace(&id, &copy).replace("\"name\":\"first\"", &format!("\"name\":\"{name}\""));
        fs::write(folder.join("config.json"), record).unwrap();
        fs::write(data.join("names").join(&name), &copy).unwrap();
    }
}

/// Takes the copies away as they came: removing thousands one by one is not what this is about.
fn forget(scene: &Scene) {
    let data = scene.store.root().join("data");
    for folder in fs::read_dir(data.join("containers")).unwrap().map(|entry| entry.unwrap().path()) {
        fs::remove_dir_all(folder).unwrap();
    }
    for name in fs::read_dir(data.join("names")).unwrap().map(|entry| entry.unwrap().path()) {
        if !name.ends_with(".lock") {
            fs::remove_file(name).unwrap();
        }
    }
}

/// Memory that is the process's own: not its program file, which an unoptimised build makes large.
fn memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
