//! Does `system repair` say what it found and did? Every kind of leftover, planted; then looked at, mended, looked at again.
//! Deliberately elsewhere: leftovers of real kills (`steps`, `moments`).

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rustix::mount::{MountFlags, mount};
use serde_json::Value;

use super::scene::Scene;
use crate::support::{need::needs_root, ownership, residue::entries};

const GONE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const NEVER: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

/// Something planted, by what a finding about it says.
struct Planted {
    path: PathBuf,
    problem: &'static str,
}

/// Something that Wharf did not make, and must not touch.
const FOREIGN: [&str; 6] = [
    "data/containers/notes.txt",
    "data/names/-what is this",
    "data/trash/photos/summer.jpg",
    "run/c/README/text",
    "data/images/ingest/thesis.tex",
    "data/images/records/shopping list",
];

#[test]
fn repair_finds_names_and_mends_every_kind_of_leftover_and_leaves_the_rest_alone() {
    if !needs_root() {
        return;
    }
    let Some(scene) = Scene::new() else { return };
    let scene = scene.with_bystander();
    let root = scene.store.root().to_owned();
    let planted = plant(&scene);
    for path in FOREIGN {
        write(&root.join(path), "dear to somebody");
    }
    let before = everything_below(&root);
    let dry = findings(&scene, "system repair --dry-run --format json", 0);
    // Locks are looked at, and whoever holds one writes his name into it; nothing else may change.
    assert_eq!(everything_below(&root), before, "a dry run changed something");
    for Planted { path, problem } in &planted {
        let subject = path.file_name().unwrap().to_string_lossy().into_owned();
        let named = dry.iter().any(|found| says(found, "subject", &subject) && says(found, "problem", problem));
        assert!(named, "nothing about {}: {problem}: {dry:#?}", path.display());
    }
    assert!(dry.iter().all(|found| found["mended"] == false), "{dry:#?}");
    let done = findings(&scene, "system repair --format json", 1);
    assert_eq!(done.len(), dry.len(), "a dry run and a repair find different things: {dry:#?} {done:#?}");
    for found in &done {
        let foreign = says(found, "problem", "nothing that Wharf puts there");
        assert_eq!(found["mended"], !foreign, "{found}");
    }
    let strangers = done.iter().filter(|found| found["mended"] == false).count();
    assert_eq!(strangers, FOREIGN.len(), "{done:#?}");
    for path in FOREIGN {
        assert_eq!(fs::read_to_string(root.join(path)).unwrap(), "dear to somebody");
    }
    for Planted { path, .. } in planted.iter().filter(|planted| planted.path.starts_with(&root)) {
        assert!(!path.exists() || path.ends_with("old") || path.ends_with("lost"), "{} is still there", path.display());
    }
    assert_eq!(findings(&scene, "system repair --format json", 1).len(), FOREIGN.len());
    for path in FOREIGN {
        let path = root.join(path);
        let inner = path.parent().unwrap();
        // Only what was planted: a file, or a file in a folder of its own.
        fs::remove_file(&path).unwrap();
        if entries(inner).is_empty() && (inner.ends_with("photos") || inner.ends_with("README")) {
            fs::remove_dir(inner).unwrap();
        }
    }
    let (owners, left) = (scene.owners(), ownership::ownerless(&scene.store));
    assert!(left.is_empty(), "{left:#?}");
    let names: Vec<&str> = owners.iter().map(|owner| owner.name.as_str()).collect();
    assert!(names.contains(&"new") && names.contains(&"lost") && names.len() == 3, "{names:?}");
    scene.assert_bystander("after a repair");
    scene.assert_removable(&["new", "old", "lost", "ghost"], "after a repair");
}

#[test]
fn repair_speaks_to_people_and_teaches_itself() {
    if !needs_root() {
        return;
    }
    let Some(scene) = Scene::new() else { return };
    let well = scene.run("system repair");
    assert_eq!((well.code(), well.stdout.as_str()), (0, ""));
    assert!(well.stderr.contains("nothing to repair"), "{well}");
    write(&scene.store.root().join("data/names/ghost"), GONE);
    let looked = scene.run("system repair --dry-run");
    assert!(looked.stdout.contains("WOULD BE DONE") && looked.stderr.contains("nothing was changed"), "{looked}");
    let mended = scene.run("system repair");
    assert_eq!(mended.code(), 0, "{mended}");
    assert!(mended.stdout.starts_with("WHAT") && mended.stdout.contains("nobody has this name"), "{mended}");
    assert!(mended.stderr.contains("1 put right, 0 left to you"), "{mended}");
    let help = scene.verb("system repair --help");
    for word in ["--dry-run", "changes nothing", "0: all is well", "--format json"] {
        assert!(help.contains(word), "{word}: {help}");
    }
}

/// Puts one leftover of each kind into the store.
fn plant(scene: &Scene) -> Vec<Planted> {
    let root = scene.store.root();
    let at = |path: String, problem: &'static str| Planted { path: root.join(path), problem };
    // A creation that was cut, and a removal that was cut after its commit.
    let nascent = at(format!("data/containers/.new-{NEVER}"), "its creation was interrupted");
    write(&nascent.path.join("upper/etc/half"), "written");
    write(&nascent.path.join("lock"), "");
    let trash = at(format!("data/trash/{GONE}"), "files of a removed container");
    write(&trash.path.join("upper/file"), "orphaned layer");
    // Names that lead nowhere, or are not written to their end.
    let stale = at("data/names/ghost".to_owned(), "nobody has this name");
    write(&stale.path, GONE);
    let torn_name = at("data/names/.tmp-1-1".to_owned(), "a write was interrupted");
    write(&torn_name.path, "01234");
    // A rename that was cut: both names lead to it.
    rename_cut_in_half(scene);
    let renamed = at("new".to_owned(), "its renaming was interrupted");
    // A container whose name was lost, with a record that was being written.
    let id = scene.verb("create --network none --name lost IMAGE true");
    fs::remove_file(root.join("data/names/lost")).unwrap();
    let lost = at("lost".to_owned(), "its name did not lead to it");
    let torn = at(format!("data/containers/{id}/.tmp-1-2"), "a write was interrupted");
    write(&torn.path, "{");
    // What a run left: a mount, a control group, files.
    let run = at(format!("run/c/{GONE}"), "its container is gone");
    fs::create_dir_all(run.path.join("rootfs")).unwrap();
    mount("none", run.path.join("rootfs"), "tmpfs", MountFlags::empty(), None).unwrap();
    write(&run.path.join("monitor.lock"), "");
    entries(Path::new("/sys/fs/cgroup")).iter().filter(|folder| folder.join("cgroup.procs").exists()).for_each(
        |folder| {
            fs::create_dir(folder.join(format!("wharf-{GONE}"))).unwrap();
        },
    );
    // Among the images: a lease of the dead, a torn tag, half an unpacked layer, half a deleted one.
    let lease = at("data/images/leases/999999-0.lock".to_owned(), "the process that held this lease is gone");
    write(&lease.path, "{}");
    let unpacked = at("data/images/ingest/999999-1.layer".to_owned(), "a pull was interrupted");
    write(&unpacked.path.join("files/half"), "a layer");
    let tag = at("data/images/refs/.tmp-1-3".to_owned(), "a write was interrupted");
    write(&tag.path, "{");
    let deleted = at("data/images/trash/999999-4".to_owned(), "files of a removed layer");
    write(&deleted.path.join("files/half"), "a layer");
    let planted = vec![nascent, trash, stale, torn_name, renamed, lost, torn, run, lease, unpacked, tag, deleted];
    planted.iter().for_each(|planted| make_old(&planted.path));
    planted
}

/// Kills renames before one step after the other until one leaves both names.
fn rename_cut_in_half(scene: &Scene) {
    let names = scene.store.root().join("data/names");
    for step in 1..40 {
        scene.run("rm -f old new").success();
        scene.verb("create --network none --name old IMAGE true");
        let mut command = scene.store.command(&["rename", "old", "new"]);
        command.env("WHARF_STOP_AT", format!("wharf:{step}"));
        crate::support::command::run_to_end(command, Duration::from_secs(20));
        let both = names.join("old").exists() && names.join("new").exists();
        if both && scene.owners().iter().any(|owner| owner.name == "new") {
            return;
        }
    }
    panic!("no rename can be cut in half; is this a debug build?");
}

fn findings(scene: &Scene, line: &str, code: i32) -> Vec<Value> {
    let finished = scene.run(line);
    assert_eq!(finished.code(), code, "{finished}");
    finished.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn says(found: &Value, key: &str, words: &str) -> bool {
    found[key].as_str().is_some_and(|said| said.contains(words))
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What is a second old is no work in progress.
fn make_old(path: &Path) {
    if let Ok(file) = fs::File::open(path) {
        file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
    }
}

/// Every path below, with the length of files that are not locks; what runs may write its log.
fn everything_below(root: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            let about = fs::symlink_metadata(&path).unwrap();
            let is_lock = path.to_string_lossy().ends_with("lock");
            if about.is_dir() {
                folders.push(path.clone());
            }
            found.push((path, if about.is_file() && !is_lock { about.len() } else { 0 }));
        }
    }
    found.sort();
    found
}
