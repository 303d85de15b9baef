//! What happens when the store's disk is full, or read-only from one moment to the next? Nothing is lost, everything is
//! told, and what takes no room still works, removing above all.
//!
//! On a file system of 16 MiB in a file. Deliberately elsewhere: each failing write on a modelled disk (unit tests).

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::{
    scarcity::{LIFE, assert_readable},
    scene::Scene,
};
use crate::support::{
    deadline::wait_until,
    need::{Need, needs_root},
    store::Store,
};

/// A small ext4, mounted until it is dropped.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// `None` where no loop device can be had.
    fn new() -> Option<Self> {
        let disk = Self { folder: tempfile::tempdir().unwrap() };
        let image = disk.folder.path().join("image");
        fs::File::create(&image).unwrap().set_len(16 << 20).unwrap();
        fs::create_dir(disk.root()).unwrap();
        let made = ran("mkfs.ext4", &["-q", "-m", "0", "-N", "4096", &text(&image)]);
        if !(made && ran("mount", &["-o", "loop", &text(&image), &text(&disk.root())])) {
            Need::from_environment().missing("no small file system can be made and mounted");
            return None;
        }
        Some(disk)
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// Fills the disk to its last byte.
    fn fill(&self) {
        let mut file = fs::File::create(self.root().join("ballast")).unwrap();
        for piece in [vec![1; 1 << 16], vec![1; 512], vec![1]] {
            while file.write_all(&piece).is_ok() {}
        }
        // It is full: nothing else is meant.
        let _ = file.sync_all();
    }

    fn empty(&self) {
        fs::remove_file(self.root().join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A loop device goes with its last mount, and a mount that is still used with its last user.
        ran("umount", &["-l", &text(&self.root())]);
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn ran(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args);
    command.output().is_ok_and(|output| output.status.success())
}

/// A store on a small disk, with a container that runs and prints, one that has ended, and one that never ran.
fn scene_on(disk: &SmallDisk) -> Option<Scene> {
    let scene = Scene::in_store(Store::below(&disk.root()))?.with_bystander();
    scene.verb("create --network none --name made IMAGE true");
    scene.verb("run -d --network none --name ended IMAGE echo remembered");
    wait_until("its end", Duration::from_secs(20), || {
        scene.owners().iter().any(|owner| owner.name == "ended" && owner.status == "exited").then_some(())
    });
    scene.verb("tag IMAGE PUSHED");
    Some(scene)
}

#[test]
fn on_a_full_disk_nothing_is_lost_and_everything_can_go() {
    if !needs_root() {
        return;
    }
    let Some(disk) = SmallDisk::new() else { return };
    let Some(scene) = scene_on(&disk) else { return };
    disk.fill();
    let mut failed = Vec::new();
    for line in LIFE {
        let finished = scene.run(line);
        assert_readable(line, &finished);
        if finished.code() != 0 {
            failed.push(format!("{line}: {}", finished.stderr.trim()));
        }
    }
    println!("on a full disk {} of {} verbs did not work:\n    {}", failed.len(), LIFE.len(), failed.join("\n    "));
    let names: Vec<String> = scene.owners().into_iter().map(|owner| owner.name).collect();
    for name in ["bystander", "made", "ended"] {
        assert!(names.iter().any(|known| known == name), "{name} is lost: {names:?}");
    }
    scene.assert_bystander("on a full disk");
    assert_eq!(scene.verb("logs ended"), "remembered");
    assert!(scene.verb("inspect ended").contains("\"ExitCode\": 0"));
    // Its runtime files lie on the same disk here.
    assert_readable("exec", &scene.run("exec bystander true"));
    disk.fill();
    scene.verb("stop -t 0 bystander");
    let stopped = scene.owners().into_iter().find(|owner| owner.name == "bystander").unwrap();
    assert_eq!(stopped.status, "exited");
    disk.fill();
    scene.verb("rm ended made bystander");
    assert_eq!(scene.owners().len(), 0);
    disk.empty();
    scene.verb("run --rm --network none --name made IMAGE true");
    scene.assert_repairable();
}

#[test]
fn a_running_container_can_be_removed_by_force_from_a_full_disk() {
    if !needs_root() {
        return;
    }
    let Some(disk) = SmallDisk::new() else { return };
    let Some(scene) = scene_on(&disk) else { return };
    disk.fill();
    scene.verb("rm -f bystander made ended");
    assert_eq!(scene.owners().len(), 0);
    disk.empty();
    scene.assert_repairable();
}

#[test]
fn a_disk_that_turns_read_only_can_still_be_looked_at() {
    if !needs_root() {
        return;
    }
    let Some(disk) = SmallDisk::new() else { return };
    let Some(scene) = scene_on(&disk) else { return };
    scene.verb("stop -t 0 bystander");
    if !ran("mount", &["-o", "remount,ro", &text(&disk.root())]) {
        Need::from_environment().missing("a small file system cannot be turned read-only");
        return;
    }
    let listed = scene.verb("ps -a");
    assert!(["bystander", "made", "ended"].iter().all(|name| listed.contains(name)), "{listed}");
    assert!(scene.verb("inspect made").contains("\"created\""));
    assert_eq!(scene.verb("logs ended"), "remembered");
    scene.verb("images");
    for line in [
        "start made",
        "rm made",
        "rename made other",
        "run --rm --network none IMAGE true",
        "tag IMAGE x:1",
        "rmi -f PUSHED",
    ] {
        let refused = scene.run(line);
        assert_readable(line, &refused);
        assert_ne!(refused.code(), 0, "{line}: {refused}");
        assert!(refused.stderr.to_lowercase().contains("read-only"), "{line}: {refused}");
    }
    assert!(ran("mount", &["-o", "remount,rw", &text(&disk.root())]));
    scene.verb("start made");
    scene.verb("rm -f made ended bystander");
    scene.assert_repairable();
}
