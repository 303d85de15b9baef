//! What is left when a `wharf` command is killed in the middle? A store that the next one mends by itself.
//! Deliberately elsewhere: each single cut on a modelled machine (unit tests of `containers`), killed monitors
//! (`runtime_kills`).

use std::{fs, process::Stdio, sync::mpsc, time::Duration};

use crate::support::{
    command::run_to_end,
    deadline::{PATIENCE, wait_until},
    need::{needs_image, needs_root},
    store::Store,
};

/// Starts `words` and kills it after so long, or lets it end before.
fn cut(store: &Store, words: &[&str], after: Duration) {
    let mut child = store.command(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The moment is the point of the test; nothing is waited for.
    let (_sender, never) = mpsc::channel::<()>();
    let _ = never.recv_timeout(after);
    let _ = child.kill();
    child.wait().unwrap();
}

#[test]
fn a_wharf_killed_at_any_moment_leaves_nothing_that_repair_does_not_mend() {
    if !needs_root() {
        return;
    }
    let Some(image) = needs_image("bb:1") else { return };
    let store = Store::new();
    store.ok(&["pull", "-q", &image]);
    for step in 0..20 {
        let moment = Duration::from_millis(step * 5);
        let network = ["--network", "none"];
        let create = [&["create", "--name", "a"], &network[..], &[&image, "sleep", "100"]].concat();
        let run = [&["run", "-d", "--name", "b"], &network[..], &[&image, "sleep", "100"]].concat();
        let gone = [&["run", "--rm", "--name", "c"], &network[..], &[&image, "true"]].concat();
        for words in
            [&create[..], &["start", "a"], &run, &gone, &["rename", "a", "d"], &["rm", "-f", "a", "b", "c", "d"]]
        {
            cut(&store, words, moment);
        }
    }
    wait_until("nothing to repair", PATIENCE, || {
        store.ok(&["system", "repair"]);
        // What was thrown away just now may still be somebody's work, and is left for a second.
        let trash = fs::read_dir(store.root().join("data/trash")).map_or(0, Iterator::count);
        (store.ok(&["system", "repair", "--dry-run"]).is_empty() && trash == 0).then_some(())
    });
    for name in store.ok(&["ps", "-a", "--format", "json"]).lines().map(name_in) {
        store.ok(&["inspect", &name]);
        store.ok(&["rm", "-f", &name]);
    }
    // Every name is free again, and the store's own check finds nothing left when it is dropped.
    for name in ["a", "b", "c", "d"] {
        store.ok(&["create", "--network", "none", "--name", name, &image, "true"]);
    }
    let listed = run_to_end(store.command(&["ps", "-a", "-q"]), PATIENCE).success();
    assert_eq!(listed.lines().count(), 4);
    assert_eq!(store.clean(), Vec::<String>::new());
}

fn name_in(row: &str) -> String {
    let row: serde_json::Value = serde_json::from_str(row).unwrap();
    row["name"].as_str().or(row["names"].as_str()).unwrap().to_owned()
}
