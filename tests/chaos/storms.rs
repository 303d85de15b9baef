//! Do two verbs at once on one container agree? Rename against rm, creators of one name, start against rm -f, and a
//! container that removes itself against everybody: what somebody was told happened has happened, and no ghost stays.
//!
//! `WHARF_CHAOS_PAIRS` says how often each is raced. Deliberately elsewhere: mixed verbs for a minute (`storm`).

use std::time::Duration;

use super::{
    moments::Chance,
    scene::{Scene, setting},
};
use crate::support::{command::Finished, deadline::Deadline, need::needs_root, ownership};

#[test]
fn a_rename_against_a_removal_leaves_no_ghost() {
    race("rename", |scene, chance| {
        scene.verb("create --network none --name xa IMAGE true");
        let [renamed, removed] = at_once(scene, chance, ["rename xa xb", "rm -f xa"]);
        let owners = scene.owners();
        let unowned = ownership::among_the_names(&scene.store, &owners);
        let names: Vec<String> = owners.into_iter().map(|owner| owner.name).collect();
        // `rm -f` of a name that is gone just now succeeds without having done anything.
        let told = format!("rename: {renamed}\nrm: {removed}\nleft: {names:?}");
        assert!(names.is_empty() || names == ["xb"], "{told}");
        assert!(renamed.status.success() || names.is_empty(), "{told}");
        assert!(unowned.is_empty(), "{told}\n{unowned:?}");
        scene.assert_removable(&["xa", "xb"], &told);
    });
}

#[test]
fn a_rename_against_a_removal_by_id_ends_without_the_container() {
    race("rename by id", |scene, chance| {
        let id = scene.verb("create --network none --name xa IMAGE true");
        let [renamed, removed] = at_once(scene, chance, [&format!("rename {id} xb"), &format!("rm {id}")]);
        let told = format!("rename: {renamed}\nrm: {removed}");
        assert!(removed.status.success(), "{told}");
        assert_eq!(scene.owners().len(), 0, "{told}");
        scene.assert_removable(&["xa", "xb"], &told);
    });
}

#[test]
fn two_renames_of_one_container_leave_it_one_name() {
    race("two renames", |scene, chance| {
        let id = scene.verb("create --network none --name xa IMAGE true");
        let [one, other] = at_once(scene, chance, [&format!("rename {id} xb"), &format!("rename {id} xc")]);
        let owners = scene.owners();
        let told = format!("{one}\n{other}\n{owners:?}");
        assert!(one.status.success() && other.status.success() && owners.len() == 1, "{told}");
        assert!(["xb", "xc"].contains(&owners[0].name.as_str()), "{told}");
        let left = ownership::among_the_names(&scene.store, &owners);
        assert!(left.is_empty(), "{told}: {left:?}");
        scene.assert_removable(&["xa", "xb", "xc"], &told);
    });
}

#[test]
fn of_many_creators_of_one_name_one_succeeds() {
    race("create", |scene, chance| {
        let created = at_once(scene, chance, ["create --network none --name xa IMAGE true"; 4]);
        let winners = created.iter().filter(|created| created.status.success()).count();
        let told: Vec<String> = created.iter().map(ToString::to_string).collect();
        assert_eq!((winners, scene.owners().len()), (1, 1), "{told:#?}");
        assert!(
            created.iter().all(|created| created.status.success() || created.stderr.contains("in use")),
            "{told:#?}"
        );
        scene.assert_removable(&["xa"], "creators of one name");
    });
}

#[test]
fn a_start_against_a_forced_removal_ends_without_the_container() {
    race("start", |scene, chance| {
        scene.verb("create --network none --name xa IMAGE sleep 100000");
        let [started, removed, again] = at_once(scene, chance, ["start xa", "rm -f xa", "start xa"]);
        let told = format!("start: {started}\nrm -f: {removed}\nstart: {again}");
        assert!(removed.status.success(), "{told}");
        assert_eq!(scene.owners().len(), 0, "{told}");
        scene.assert_removable(&["xa"], &told);
    });
}

#[test]
fn a_container_that_removes_itself_goes_whoever_else_ends_it() {
    race("--rm", |scene, chance| {
        scene.verb("run -d --rm --network none --name xa IMAGE sleep 100000");
        let [stopped, killed, removed, waited] =
            at_once(scene, chance, ["stop -t 0 xa", "kill xa", "rm -f xa", "wait --timeout 10 xa"]);
        let told = format!("stop: {stopped}\nkill: {killed}\nrm -f: {removed}\nwait: {waited}");
        assert!(removed.status.success(), "{told}");
        assert_ne!(waited.code(), 124, "{told}");
        assert_eq!(scene.owners().len(), 0, "{told}");
        scene.assert_removable(&["xa"], &told);
    });
}

fn race(what: &str, once: impl Fn(&Scene, &mut Chance)) {
    if !needs_root() {
        return;
    }
    let Some(scene) = Scene::new() else { return };
    let pairs = setting("WHARF_CHAOS_PAIRS", 40);
    let mut chance = Chance(7);
    for _ in 0..pairs {
        once(&scene, &mut chance);
    }
    let left = ownership::in_the_kernel(&scene.store, &scene.owners());
    assert!(left.is_empty(), "{left:#?}");
    scene.assert_repairable();
    println!("raced {what} {pairs} times");
}

/// Runs all lines at once, each a few milliseconds earlier or later than the others.
fn at_once<const N: usize>(scene: &Scene, chance: &mut Chance, lines: [&str; N]) -> [Finished; N] {
    let lines = lines.map(|line| (line.to_owned(), Duration::from_micros(chance.below(8_000))));
    std::thread::scope(|scope| {
        let running = lines.map(|(line, later)| {
            scope.spawn(move || {
                let moment = Deadline::after(later);
                while !moment.passed() {
                    moment.pause();
                }
                scene.run(&line)
            })
        });
        running.map(|running| running.join().unwrap())
    })
}
