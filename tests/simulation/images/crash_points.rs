//! What if exactly the n-th call of an operation on images goes wrong? Every n, every effect; then repair, and everything
//! must hold. Calls of the disk and of the registry count alike.
//!
//! `WHARF_SIM_OPERATION=NAME` tries one of them. Deliberately elsewhere: faults drawn by lot (`super`), the effects
//! themselves (`simulation::crash_points`).

use std::{path::Path, sync::Arc};

use wharf::engine::{backend::embedded::images::PruneScope, domain::Force};

use super::super::{
    crash_points::{Effect, Stage, Strike, Struck, every_point},
    faults::Faults,
    file_system::{FileSystem, PowerLoss},
    history::History,
};
use super::{
    Site, invariants,
    ledger::Book,
    party::{Party, ROOT, name},
    registry::Content,
    twins::ImageTwin,
};

/// An operation, and what must be there before it.
struct Operation {
    name: &'static str,
    prepare: fn(&Party),
    /// The power goes after the preparation.
    cut: Option<PowerLoss>,
    /// What is prepared has processes: it is prepared anew for every point.
    runs: Runs,
    act: fn(&Party),
}

/// Whether anything runs when an operation begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runs {
    Nothing,
    AContainer,
}

const TAG: fn(&Party) = |party| {
    let id = unarmed(party, |party| party.store().find(&name("app", 1)).unwrap().id);
    drop(party.tag(&id, &name("mirror", 1)));
};

const OPERATIONS: [Operation; 14] = [
    operation("tag", pulled, TAG),
    operation("rmi of one name of two", tagged, |party| drop(party.rmi(&name("mirror", 1), Force::No))),
    operation("rmi", two_pulled, |party| drop(party.rmi(&name("app", 1), Force::No))),
    Operation {
        runs: Runs::AContainer,
        ..operation("rmi -f of a running container's image", running, |party| {
            drop(party.rmi(&name("app", 1), Force::Yes));
        })
    },
    operation("rmi -f of a stopped container's image", made, |party| drop(party.rmi(&name("app", 1), Force::Yes))),
    operation("rm of its last container", held, |party| drop(party.rm("web"))),
    operation("prune", two_pulled, |party| drop(party.prune(PruneScope::Unused))),
    operation("pull", nothing, |party| drop(party.pull(&name("app", 1)))),
    operation("pull of an index", nothing, |party| drop(party.pull(&name("app", 3)))),
    operation("pull beside what is here", pulled, |party| drop(party.pull(&name("app", 2)))),
    Operation {
        cut: Some(PowerLoss::Torn),
        ..operation("create after a power cut", pulled, |party| drop(party.create("web", &name("app", 1))))
    },
    Operation {
        cut: Some(PowerLoss::Drop),
        ..operation("start after a power cut", held, |party| drop(party.start("web")))
    },
    operation("push", tagged, |party| drop(party.push(&name("mirror", 1)))),
    operation("repair", half_removed, |party| drop(party.repair())),
];

const fn operation(name: &'static str, prepare: fn(&Party), act: fn(&Party)) -> Operation {
    Operation { name, prepare, cut: None, runs: Runs::Nothing, act }
}

fn nothing(_: &Party) {}

fn pulled(party: &Party) {
    party.pull(&name("app", 1)).unwrap();
}

fn two_pulled(party: &Party) {
    pulled(party);
    party.pull(&name("app", 2)).unwrap();
}

fn tagged(party: &Party) {
    pulled(party);
    TAG(party);
}

fn made(party: &Party) {
    pulled(party);
    party.hands.create_of(&name("app", 1), &"web".parse().unwrap(), false, true).unwrap();
}

fn running(party: &Party) {
    made(party);
    party.start("web").unwrap();
}

fn held(party: &Party) {
    made(party);
    party.rmi(&name("app", 1), Force::Yes).unwrap();
}

/// Tag and record are gone, what they named is not.
fn half_removed(party: &Party) {
    two_pulled(party);
    let id = party.store().find(&name("app", 1)).unwrap().id;
    party.rmi(&name("app", 1), Force::No).unwrap();
    party.pull(&name("app", 1)).unwrap();
    for file in ["refs/localhost+5000/app/_tags/1.json", &format!("records/{}.json", id.hex())] {
        let path = Path::new(ROOT).join(file);
        party.machine.disk.remove_file(&path).unwrap();
        party.machine.disk.sync_dir(path.parent().unwrap()).unwrap();
    }
    let removed = [(name("app", 1), None)];
    party.note(&removed);
}

/// Looks without being struck: looking changes nothing.
fn unarmed<T>(party: &Party, look: impl FnOnce(&Party) -> T) -> T {
    let armed = std::mem::replace(&mut party.site.world.state().strike.armed, false);
    let seen = look(party);
    party.site.world.state().strike.armed = armed;
    seen
}

/// The machine as an operation finds it, made once and copied for every point.
struct Scene {
    files: FileSystem,
    content: Content,
    book: Book,
    history: History,
    now: u64,
    boot: u32,
}

impl Scene {
    fn of(operation: &Operation) -> Self {
        let site = Site::new(0, Faults::none(), false);
        let mut stage = Stage::new(&site.world);
        stage.play(site.spawn("prepare", None, operation.prepare));
        let struck = stage.end();
        assert_eq!(struck.violation, None, "{}: preparing", operation.name);
        if let Some(how) = operation.cut {
            site.world.lose_power(how);
        }
        let state = site.world.state();
        Self {
            files: state.files.clone(),
            content: site.remote.content().clone(),
            book: site.ledger.book().clone(),
            history: state.history.clone(),
            now: state.now,
            boot: state.boot,
        }
    }

    /// A torn power cut draws lots: another point, another draw.
    fn copy(&self, seed: u64, traced: bool) -> Site {
        let site = Site::new(seed, Faults::none(), traced);
        *site.remote.content() = self.content.clone();
        *site.ledger.book() = self.book.clone();
        {
            let mut state = site.world.state();
            (state.files, state.history) = (self.files.clone(), self.history.clone());
            (state.now, state.boot) = (self.now, self.boot);
        }
        site
    }
}

fn try_point(operation: &Operation, scene: &Scene, at: u64, effect: Effect, traced: bool) -> Struck {
    let site = match operation.runs {
        Runs::Nothing => scene.copy(at, traced),
        Runs::AContainer => Site::new(at, Faults::none(), traced),
    };
    let mut stage = Stage::new(&site.world);
    if operation.runs == Runs::AContainer {
        stage.play(site.spawn("prepare", None, operation.prepare));
    }
    let (act, world) = (operation.act, Arc::clone(&site.world));
    stage.play(site.spawn("act", None, move |party| {
        world.state().strike = Strike { armed: true, at: Some((at, effect)), counted: 0 };
        act(party);
    }));
    stage.disarm();
    // That images can still be used is shown at every fourth point, that they can be removed at every one.
    let after = if at.is_multiple_of(4) { invariants::come_to_rest } else { invariants::come_to_rest_unused };
    stage.play(site.spawn("repair", None, after));
    stage.end()
}

#[test]
fn an_operation_on_images_struck_at_any_call_by_anything_leaves_nothing_half_done() {
    let mut total = 0;
    let only = std::env::var("WHARF_SIM_OPERATION").ok();
    for operation in OPERATIONS.iter().filter(|operation| only.as_ref().is_none_or(|only| operation.name == only)) {
        let scene = Scene::of(operation);
        total += every_point(operation.name, |at, effect, traced| try_point(operation, &scene, at, effect, traced));
    }
    println!("crash points of images: {total}, all held");
}

/// A pull killed at its n-th call, another one that is acknowledged, and then the power goes: whether that one was true.
fn take_over(scene: &Scene, at: u64, twin: Option<ImageTwin>) -> Struck {
    let site = scene.copy(at, false);
    let mut stage = Stage::new(&site.world);
    let world = Arc::clone(&site.world);
    stage.play(site.spawn("killed", None, move |party| {
        world.state().strike = Strike { armed: true, at: Some((at, Effect::Kill)), counted: 0 };
        drop(party.pull(&name("app", 1)));
    }));
    stage.disarm();
    stage.play(site.spawn("taking over", twin, |party| party.pull(&name("app", 1)).unwrap()));
    site.world.lose_power(PowerLoss::Drop);
    stage.play(site.spawn("repair", None, invariants::come_to_rest_unused));
    stage.end()
}

#[test]
fn a_pull_that_takes_over_from_a_killed_one_is_durable_when_it_is_acknowledged() {
    let scene = Scene::of(&operation("nothing", nothing, |_| ()));
    let (mut points, mut noticed) = (0, None);
    for at in 1.. {
        let struck = take_over(&scene, at, None);
        assert_eq!(struck.violation, None, "killed at call {at}");
        if struck.counted < at {
            break;
        }
        points = at;
        noticed = noticed.or_else(|| take_over(&scene, at, Some(ImageTwin::TrustsItsEyes)).violation);
    }
    let noticed = noticed.expect("a twin that nobody notices means that this test looks away");
    println!("taken over at {points} points; TrustsItsEyes found: {noticed}");
}
