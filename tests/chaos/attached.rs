//! What is left when somebody at a terminal in a container is killed? Our terminal as it was, the container running, the
//! exec going on until its container ends: whoever is attached is never what keeps a container.
//! Deliberately elsewhere: an exec without a terminal (`streams::orphans`), other ends of the screen
//! (`terminal::endings`), other verbs (`moments`).

use super::{
    moments::{Chance, signal, wait_for},
    scene::{Scene, lives, setting},
};
use crate::support::{
    deadline::{PATIENCE, wait_until},
    need::{needs_root, needs_user},
    screen::{Screen, Size},
};

/// What a program may ask of a terminal, and what a shell then runs; `top` shows it by its odd number.
const PROGRAM: &str = "printf '\\033[?1049h\\033[?25l\\033[?2004h\\033[?1000h'; echo ready; exec sleep 77777";
/// Long enough that most kills come after the process has begun, short enough that many do not.
const LONGEST_MICROSECONDS: u64 = 60_000;

#[test]
fn a_killed_verb_at_a_terminal_gives_it_back_and_leaves_the_container_running() {
    if needs_root() {
        kill_verbs();
    }
}

#[test]
fn a_killed_rootless_verb_at_a_terminal_gives_it_back_and_leaves_the_container_running() {
    if needs_user() {
        kill_verbs();
    }
}

#[test]
fn a_screen_killed_during_a_shell_in_a_container_gives_the_terminal_back_and_the_shell_goes_on() {
    if needs_root() {
        kill_the_screen();
    }
}

#[test]
fn a_rootless_screen_killed_during_a_shell_in_a_container_gives_the_terminal_back_and_the_shell_goes_on() {
    if needs_user() {
        kill_the_screen();
    }
}

#[test]
fn attached_verbs_killed_at_random_moments_leave_nothing_behind() {
    if needs_root() {
        kill_at_random_moments();
    }
}

#[test]
fn attached_rootless_verbs_killed_at_random_moments_leave_nothing_behind() {
    if needs_user() {
        kill_at_random_moments();
    }
}

fn kill_verbs() {
    let Some(scene) = Scene::new() else { return };
    let scene = scene.with_bystander();
    // The exec's process is beside the container's own; the other two look at the container's own.
    let exec = ["exec", "-it", "bystander", "sh", "-c", PROGRAM];
    let run = ["run", "-it", "--network", "none", "--name", "xa", &scene.image, "sh", "-c", PROGRAM];
    let attach = ["attach", "xa"];
    for (words, name) in [(exec.as_slice(), "bystander"), (&run, "xa"), (&attach, "xa")] {
        let mut screen = scene.store.screen(words, Size::STANDARD);
        wait_until("raw mode", PATIENCE, || (!screen.is_cooked()).then_some(()));
        wait_until("the process", PATIENCE, || sleeper(&scene, name));
        if words != attach {
            screen.wait_until("what the process printed", PATIENCE, |text| text.contains("ready"));
            assert!(screen.left_set().contains(&"alternate screen"));
        }
        assert!(signal(screen.pid()));
        assert_given_back(&mut screen);
        let why = format!("{} was killed", words[0]);
        scene.assert_bystander(&why);
        assert!(sleeper(&scene, name).is_some(), "{why}: the process went with it");
        let owners = scene.owners();
        assert!(owners.iter().any(|owner| owner.name == name && lives(owner)), "{why}: {owners:?}");
        // Whoever comes next can do everything.
        assert_eq!(scene.verb(&format!("exec {name} echo back")), "back", "{why}");
    }
    scene.assert_removable(&["xa"], "its run and its attach were killed");
    scene.assert_bystander("at the end");
    scene.verb("restart -t 0 bystander");
    wait_until("the end of the exec with its container", PATIENCE, || {
        sleeper(&scene, "bystander").is_none().then_some(())
    });
    scene.assert_repairable();
}

fn kill_the_screen() {
    let Some(scene) = Scene::new() else { return };
    let scene = scene.with_bystander();
    let mut screen = scene.store.screen(&["ui"], Size::STANDARD);
    screen.wait_for("bystander");
    screen.type_keys("e");
    screen.wait_for("comes back");
    screen.send(format!("{PROGRAM}\r").as_bytes());
    wait_until("the process", PATIENCE, || sleeper(&scene, "bystander"));
    wait_until("its modes", PATIENCE, || screen.left_set().contains(&"bracketed paste").then_some(()));
    assert!(signal(screen.pid()));
    assert_given_back(&mut screen);
    scene.assert_bystander("the screen was killed");
    assert!(sleeper(&scene, "bystander").is_some(), "the shell went with the screen");
    // The next start of the screen finds everything as it is.
    let mut again = scene.store.screen(&["ui"], Size::STANDARD);
    again.wait_for("bystander");
    again.type_keys("e");
    again.wait_for("comes back");
    again.send(b"echo $((6*7)); exit\r");
    again.wait_until("the table again", PATIENCE, |text| text.contains("bystander") && !text.contains("comes back"));
    again.type_keys("q");
    assert!(again.wait_exit().success());
    scene.verb("rm -f bystander");
    scene.assert_repairable();
}

fn kill_at_random_moments() {
    let Some(scene) = Scene::new() else { return };
    let scene = scene.with_bystander();
    let kills = setting("WHARF_CHAOS_KILLS", 60).div_ceil(6);
    let seed = setting("WHARF_CHAOS_SEED", u64::from(std::process::id()));
    println!("WHARF_CHAOS_SEED={seed}");
    let mut chance = Chance(seed);
    let run = ["run", "-it", "--network", "none", "--name", "xa", &scene.image, "sleep", "100000"];
    let run_rm = ["run", "-it", "--rm", "--network", "none", "--name", "xb", &scene.image, "sh", "-c", "sleep 0.02"];
    let lines = [["exec", "-it", "bystander", "sh"].as_slice(), &["attach", "xa"], &run, &run_rm];
    for number in 0..kills {
        if chance.below(2) == 0 {
            // Something to attach to; it may be there already.
            let _ = scene.run("run -dit --network none --name xa IMAGE sleep 100000");
        }
        let line = lines[chance.below(lines.len() as u64) as usize];
        let moment = std::time::Duration::from_micros(chance.below(LONGEST_MICROSECONDS));
        let mut screen = scene.store.screen(line, Size::STANDARD);
        wait_for(moment);
        // It may have ended by itself.
        let _ = signal(screen.pid());
        assert_given_back(&mut screen);
        let why = format!("seed {seed}, kill {number}: {line:?} killed after {moment:?}");
        scene.assert_bystander(&why);
        if chance.below(2) == 0 {
            scene.assert_removable(&["xa", "xb"], &why);
        }
    }
    scene.assert_removable(&["xa", "xb"], "at the end");
    scene.assert_repairable();
    scene.assert_bystander("at the end");
}

/// The row of the sleeping process in the container's table of processes.
fn sleeper(scene: &Scene, name: &str) -> Option<String> {
    let table = scene.run(&format!("top {name}"));
    table.stdout.lines().find(|line| line.contains("sleep 77777")).map(str::to_owned)
}

/// The terminal is as it was, and nobody of ours holds it.
#[track_caller]
fn assert_given_back(screen: &mut Screen) {
    wait_until("the terminal to be given back", PATIENCE, || {
        (screen.left_set().is_empty() && screen.is_cooked()).then_some(())
    });
    // To the end of the terminal's output: the guard and whatever else held it are gone.
    screen.wait_exit();
    assert!(screen.left_set().is_empty() && screen.is_cooked(), "{:?}", screen.left_set());
}
