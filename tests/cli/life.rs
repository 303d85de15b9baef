//! Do the verbs on containers and images do what Docker's do, with the same output and exit codes?
//! Deliberately elsewhere: attached runs (`running.rs`), scripts (`scripts.rs`).

use serde_json::Value;

use super::bench::on_each_engine;
use crate::support::{
    deadline::{PATIENCE, wait_until},
    registry::TestRegistry,
};

#[test]
fn a_container_lives_through_every_verb() {
    on_each_engine(|bench| {
        let (first, second) = (bench.name("first"), bench.name("second"));
        let id =
            bench.ok(&["create", "--network", "none", "--name", &first, &bench.image, "sh", "-c", "echo hi; sleep 60"]);
        assert_eq!(id.len(), 64, "{id}");
        assert_eq!(bench.status(&first), "created");
        assert_eq!(bench.ok(&["start", &first]), first);
        wait_until("the log to say hi", PATIENCE, || (bench.ok(&["logs", &first]) == "hi").then_some(()));
        let inspected: Value = serde_json::from_str(&bench.ok(&["inspect", &first])).unwrap();
        assert_eq!(inspected[0]["State"]["Running"], true, "{inspected}");
        assert_eq!(inspected[0]["Id"], id.as_str());
        assert!(bench.ok(&["top", &first]).contains("sleep"));
        assert_eq!(bench.ok(&["exec", &first, "echo", "in"]), "in");
        bench.ends_with(7, &["exec", &first, "sh", "-c", "exit 7"]);
        bench.ok(&["rename", &first, &second]);
        assert_eq!(bench.ok(&["stop", "-t", "0", &second]), second);
        assert_eq!(bench.status(&second), "exited");
        bench.ok(&["restart", "-t", "0", &second]);
        assert_eq!(bench.status(&second), "running");
        bench.ok(&["kill", &second]);
        assert_eq!(bench.ok(&["wait", &second]), "137");
        assert_eq!(bench.ok(&["rm", &second]), second);
        assert_eq!(bench.status(&second), "gone");
    });
}

#[test]
fn nothing_there_is_1_and_says_so_except_for_rm_by_force() {
    on_each_engine(|bench| {
        let name = bench.name("nobody");
        for words in [
            ["start"].as_slice(),
            &["stop"],
            &["kill"],
            &["rm"],
            &["logs"],
            &["inspect"],
            &["wait"],
            &["top"],
            &["attach", "--no-stdin"],
        ] {
            let ended = bench.ends_with(1, &[words, &[name.as_str()]].concat());
            assert!(ended.stderr.contains(&format!("No such container: {name}")), "{words:?}: {ended}");
        }
        bench.ends_with(1, &["exec", &name, "true"]);
        bench.ok(&["rm", "-f", &name]);
    });
}

#[test]
fn each_of_several_names_has_its_own_result() {
    on_each_engine(|bench| {
        let (there, missing) = (bench.name("there"), bench.name("missing"));
        bench.ok(&["create", "--network", "none", "--name", &there, &bench.image, "true"]);
        let ended = bench.ends_with(1, &["rm", &missing, &there]);
        assert_eq!(ended.stdout, format!("{there}\n"));
        assert!(ended.stderr.contains(&missing), "{ended}");
        assert_eq!(bench.status(&there), "gone");
    });
}

#[test]
fn results_as_json_are_one_versioned_object_per_target() {
    on_each_engine(|bench| {
        let (there, missing) = (bench.name("there"), bench.name("missing"));
        bench.ok(&["create", "--network", "none", "--name", &there, &bench.image, "true"]);
        let listed: Value =
            serde_json::from_str(&bench.ok(&["ps", "-a", "--format", "json", "--filter", &format!("name={there}")]))
                .unwrap();
        assert_eq!((&listed["v"], &listed["name"]), (&Value::from(1), &Value::from(there.as_str())));
        let ended = bench.ends_with(1, &["rm", "--format", "json", &there, &missing]);
        let rows: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&rows[0]["outcome"], &rows[0]["target"]), (&Value::from("done"), &Value::from(there.as_str())));
        assert_eq!(rows[1]["error"]["kind"], "no_such_container");
    });
}

#[test]
fn a_name_in_use_is_refused_by_name() {
    on_each_engine(|bench| {
        let name = bench.name("twice");
        bench.ok(&["create", "--network", "none", "--name", &name, &bench.image, "true"]);
        let ended = bench.ends_with(125, &["create", "--network", "none", "--name", &name, &bench.image, "true"]);
        assert!(ended.stderr.contains(&name), "{ended}");
    });
}

#[test]
fn images_are_listed_tagged_inspected_and_removed() {
    on_each_engine(|bench| {
        let tag = format!("wharf-cli-test/{}:1", bench.name("tag"));
        bench.ok(&["tag", &bench.image, &tag]);
        assert!(bench.ok(&["images"]).contains(&bench.name("tag")));
        let listed = bench.ok(&["images", "--format", "json", &tag]);
        let row: Value = serde_json::from_str(&listed).unwrap();
        assert_eq!(row["v"], 1);
        let inspected: Value = serde_json::from_str(&bench.ok(&["inspect", "--type", "image", &tag])).unwrap();
        assert_eq!(inspected[0]["Id"], row["id"]);
        assert!(bench.ok(&["history", &tag]).starts_with("LAYER"));
        bench.ok(&["rmi", &tag]);
        let ended = bench.ends_with(1, &["rmi", &tag]);
        assert!(ended.stderr.contains("No such image"), "{ended}");
        assert!(!bench.ok(&["images"]).contains(&bench.name("tag")));
    });
}

#[test]
fn waiting_for_what_does_not_come_ends_with_124() {
    on_each_engine(|bench| {
        let name = bench.name("sleeper");
        bench.ok(&["run", "-d", "--network", "none", "--name", &name, &bench.image, "sleep", "60"]);
        bench.ok(&["wait", "--for", "running", &name]);
        bench.ends_with(124, &["wait", "--timeout", "200ms", &name]);
        let mut removed = bench.command(&["wait", "--for", "removed", "--timeout", "30s", &name]).spawn().unwrap();
        bench.ok(&["rm", "-f", &name]);
        let status = removed.wait().unwrap();
        // It may come too late to find the container at all, which is Docker's 1.
        assert!(matches!(status.code(), Some(0 | 1)), "{status}");
    });
}

#[test]
fn prune_shows_its_list_and_asks() {
    on_each_engine(|bench| {
        if !bench.is_embedded() {
            return; // Other people's stopped containers are none of ours.
        }
        let name = bench.name("stopped");
        bench.ok(&["create", "--network", "none", "--name", &name, &bench.image, "true"]);
        let ended = bench.ends_with(2, &["prune", "containers"]);
        assert!(ended.stderr.contains(&name) && ended.stderr.contains("add -f"), "{ended}");
        assert_eq!(bench.status(&name), "created");
        assert_eq!(bench.ok(&["prune", "containers", "-f"]), name);
        assert_eq!(bench.status(&name), "gone");
    });
}

#[test]
fn an_index_is_made_of_images_in_registries_whatever_the_host() {
    on_each_engine(|bench| {
        let registry = TestRegistry::start();
        let place = |name: &str| format!("{}/{name}", registry.host());
        registry.put_image("app", "x86", "amd64", &[b"one"]);
        registry.put_image("app", "arm", "arm64", &[b"two"]);
        let (whole, copy) = (place("app:both"), place("other/app:both"));
        bench.ok(&["index", "create", "-t", &whole, "-t", &copy, &place("app:x86"), &place("app:arm")]);
        let index = registry.manifest("app", "both").unwrap();
        assert_eq!(Some(&index), registry.manifest("other/app", "both").as_ref());
        let index: Value = serde_json::from_slice(&index).unwrap();
        assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
        assert_eq!(index["manifests"][1]["platform"]["architecture"], "arm64");
    });
}
