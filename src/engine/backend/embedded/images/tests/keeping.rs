use std::{fs, thread};

use super::{
    memory_registry::{Fault, Packing, tar},
    *,
};
use crate::engine::domain::{Digest, Error, ErrorKind, Force, Platform, RepairMode, Result};

const NAME: &str = "localhost:5000/app:1";

fn no_users() -> Result<Vec<ImageUser>> {
    Ok(Vec::new())
}

fn used_by(image: &Digest, running: bool) -> Vec<ImageUser> {
    vec![ImageUser { image: image.clone(), container: "web".into(), running }]
}

/// Two images that share their lowest layer.
fn two_images() -> (TestStore, MemoryRegistry, Pulled, Pulled) {
    let store = TestStore::new();
    let mut registry = MemoryRegistry::default();
    let base = tar(&[("base", "shared")]);
    registry.image("1", &[base.clone(), tar(&[("one", "1")])], Packing::Gzip);
    registry.image("2", &[base, tar(&[("two", "2")])], Packing::Gzip);
    let one = store.pull(&registry, NAME).unwrap();
    let two = store.pull(&registry, "localhost:5000/app:2").unwrap();
    (store, registry, one, two)
}

#[test]
fn images_are_found_by_every_name_they_have() {
    let (store, _registry, one, two) = two_images();
    let images = &store.images;
    for query in [
        NAME.to_owned(),
        one.id.to_string(),
        one.id.hex().to_owned(),
        one.id.short().to_owned(),
        format!("sha256:{}", one.id.short()),
        one.digest.to_string(),
        format!("localhost:5000/app@{}", one.digest),
        format!("localhost:5000/app:other@{}", one.digest),
    ] {
        assert_eq!(images.find(&query).unwrap().id, one.id, "{query}");
    }
    for query in ["nginx", "localhost:5000/app:3", "localhost:5000/other:1", "ffffffffffff", "", "UPPER", "a b"] {
        assert_eq!(images.find(query).unwrap_err().kind(), ErrorKind::NoSuchImage, "{query:?}");
    }
    let listed = images.images().unwrap();
    assert_eq!(listed.len(), 2);
    let listed = listed.into_iter().find(|image| image.id == two.id).unwrap();
    assert_eq!(listed.references, [reference("localhost:5000/app:2")]);
    assert_eq!((listed.layers, listed.size.bytes()), (2, 7));
}

#[test]
fn an_ambiguous_prefix_names_the_candidates() {
    let store = TestStore::new();
    let mut registry = MemoryRegistry::default();
    let mut first = std::collections::HashMap::new();
    // At most 17 images until two ids begin with the same digit.
    for number in 0..17 {
        registry.image("1", &[tar(&[("n", &number.to_string())])], Packing::Plain);
        let id = store.pull(&registry, NAME).unwrap().id;
        if let Some(other) = first.insert(id.hex()[..1].to_owned(), id.clone()) {
            let error = store.images.find(&id.hex()[..1]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Ambiguous);
            assert!(error.reason().contains(id.short()) && error.reason().contains(other.short()), "{error}");
            return;
        }
    }
    unreachable!("seventeen ids cannot begin with different hexadecimal digits");
}

#[test]
fn a_tag_moves_and_its_old_image_stays_without_a_name() {
    let (store, _registry, one, two) = two_images();
    store.images.tag("localhost:5000/app:2", &reference(NAME)).unwrap();
    assert_eq!(store.images.find(NAME).unwrap().id, two.id);
    let dangling = store.images.images().unwrap().into_iter().find(|image| image.id == one.id).unwrap();
    assert!(dangling.references.is_empty());
    let removed = store.images.prune(PruneScope::Dangling, &no_users).unwrap();
    assert!(removed.lines.contains(&format!("Deleted: {}", one.id)));
    assert!(removed.freed.bytes() > 0);
    assert_eq!(store.images.images().unwrap().len(), 1);
    let pinned = reference(NAME).with_digest(one.digest);
    assert_eq!(store.images.tag(NAME, &pinned).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn removing_one_name_of_several_only_untags() {
    let (store, _registry, one, _) = two_images();
    let images = &store.images;
    images.tag(NAME, &reference("other:1")).unwrap();
    let removed = images.remove_image(NAME, Force::No, &no_users).unwrap();
    let digest = format!("Untagged: localhost:5000/app@{}", one.digest);
    assert_eq!(removed.lines, ["Untagged: localhost:5000/app:1".to_owned(), digest]);
    assert_eq!(images.find("other:1").unwrap().id, one.id);
    let last = images.remove_image("other:1", Force::No, &no_users).unwrap();
    assert_eq!(last.lines[..2], ["Untagged: other:1".to_owned(), format!("Deleted: {}", one.id)]);
}

#[test]
fn removing_the_last_name_deletes_what_no_other_image_needs() {
    let (store, registry, one, two) = two_images();
    let before = store.images.find(NAME).unwrap();
    let removed = store.images.remove_image(NAME, Force::No, &no_users).unwrap();
    assert_eq!(removed.lines.len(), 4, "{:?}", removed.lines);
    assert_eq!(removed.lines[3], format!("Deleted: {}", before.layers[1].chain_id));
    assert_eq!(store.images.find(NAME).unwrap_err().kind(), ErrorKind::NoSuchImage);
    let kept = store.images.find(two.id.hex()).unwrap();
    assert!(store.images.lowers(&kept).iter().all(|lower| lower.exists()));
    assert_eq!((store.names("layers").len(), store.names("records").len()), (2, 1));
    assert_eq!(store.names("blobs/sha256").len(), 4);
    store.assert_tidy();
    assert_eq!(store.pull(&registry, NAME).unwrap().id, one.id);
    for query in [NAME, "localhost:5000/app:2"] {
        store.images.remove_image(query, Force::No, &no_users).unwrap();
    }
    for directory in ["layers", "records", "blobs/sha256", "blobs/sha512", "refs"] {
        assert_eq!(store.names(directory), Vec::<String>::new());
    }
    let error = store.images.remove_image(NAME, Force::Yes, &no_users).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchImage);
}

#[test]
fn an_id_with_several_names_wants_force() {
    for other in ["localhost:5000/app:again", "other:1"] {
        let (store, _registry, one, _) = two_images();
        store.images.tag(NAME, &reference(other)).unwrap();
        let error = store.images.remove_image(one.id.short(), Force::No, &no_users).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.reason().contains(other), "{error}");
        let removed = store.images.remove_image(one.id.short(), Force::Yes, &no_users).unwrap();
        assert_eq!(removed.lines.iter().filter(|line| line.starts_with("Untagged")).count(), 3);
        assert_eq!(store.images.find(other).unwrap_err().kind(), ErrorKind::NoSuchImage);
    }
}

#[test]
fn a_container_keeps_the_layers_of_a_removed_image_until_it_goes() {
    let (store, registry, one, _) = two_images();
    let images = &store.images;
    let stopped = || Ok(used_by(&one.id, false));
    let layer = images.pin(NAME, None, &context()).unwrap().lowers[0].join("one");
    assert_eq!(images.remove_image(NAME, Force::No, &stopped).unwrap_err().kind(), ErrorKind::Refused);
    let removed = images.remove_image(NAME, Force::Yes, &stopped).unwrap();
    assert!(removed.lines.contains(&format!("Deleted: {}", one.id)) && removed.warnings.len() == 1, "{removed:?}");
    assert_eq!(images.images().unwrap().len(), 1, "only the other image is shown");
    for query in [NAME, one.id.short(), one.id.hex()] {
        assert_eq!(images.find(query).unwrap_err().kind(), ErrorKind::NoSuchImage);
    }
    images.prune(PruneScope::Unused, &stopped).unwrap();
    images.release(&stopped).unwrap();
    assert!(images.repair(RepairMode::Mend, &stopped).unwrap().is_empty());
    assert_eq!(fs::read_to_string(&layer).unwrap(), "1");
    // The power goes, and with it what was never synced.
    fs::write(&layer, "").unwrap();
    let rebooted = open(store.base.path(), "boot-2");
    rebooted.ready(&one.id, &context()).unwrap();
    assert_eq!(fs::read_to_string(&layer).unwrap(), "1");
    // It comes back, and is an image like any other.
    assert_eq!(rebooted.pull(&reference(NAME), None, &registry, &context()).unwrap().id, one.id);
    rebooted.release(&stopped).unwrap();
    assert_eq!(store.names("held"), Vec::<String>::new());
    rebooted.remove_image(NAME, Force::Yes, &stopped).unwrap();
    assert!(layer.exists());
    let left = rebooted.repair(RepairMode::LookOnly, &no_users).unwrap();
    assert!(left.len() == 1 && left[0].problem.contains("containers that are gone"), "{left:?}");
    rebooted.release(&no_users).unwrap();
    assert!(!layer.exists());
    for directory in ["layers", "records", "held", "blobs/sha256"] {
        assert_eq!(store.names(directory), Vec::<String>::new(), "{directory}");
    }
}

#[test]
fn a_repair_that_cannot_know_who_needs_what_says_so_and_keeps_it() {
    let (store, _registry, one, _) = two_images();
    let images = &store.images;
    images.remove_image(NAME, Force::Yes, &|| Ok(used_by(&one.id, false))).unwrap();
    let (held, layers) = (store.names("held"), store.names("layers"));
    let unknown = || Err(Error::new(ErrorKind::Refused, "what container web needs is not known").remedy("remove it"));
    assert_eq!(images.release(&unknown).unwrap_err().kind(), ErrorKind::Refused);
    for mode in [RepairMode::LookOnly, RepairMode::Mend] {
        let found = images.repair(mode, &unknown).unwrap();
        assert!(found.len() == 1 && found[0].problem.contains("web") && !found[0].mended, "{found:?}");
    }
    assert_eq!((store.names("held"), store.names("layers")), (held, layers));
}

#[test]
fn what_runs_keeps_its_image_but_not_its_name() {
    let (store, _registry, one, _) = two_images();
    let images = &store.images;
    let running = || Ok(used_by(&one.id, true));
    for force in [Force::No, Force::Yes] {
        let error = images.remove_image(one.id.short(), force, &running).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.remedy_text().unwrap().contains("wharf rm -f web"));
    }
    assert_eq!(images.remove_image(NAME, Force::No, &running).unwrap_err().kind(), ErrorKind::Refused);
    images.tag(NAME, &reference("other:1")).unwrap();
    images.remove_image(NAME, Force::No, &running).unwrap();
    let removed = images.remove_image("other:1", Force::Yes, &running).unwrap();
    assert!(removed.lines.iter().all(|line| line.starts_with("Untagged")) && removed.warnings.len() == 1);
    assert!(images.find(one.id.short()).is_ok());
    images.prune(PruneScope::Dangling, &no_users).unwrap();
    assert!(images.find(one.id.short()).is_err());
}

#[test]
fn a_tag_that_leads_nowhere_can_be_removed() {
    let (store, _registry, one, _) = two_images();
    fs::remove_file(store.root().join(format!("records/{}.json", one.id.hex()))).unwrap();
    assert_eq!(store.images.find(NAME).unwrap_err().kind(), ErrorKind::Corrupt);
    let removed = store.images.remove_image(NAME, Force::No, &no_users).unwrap();
    assert_eq!(removed.lines, [format!("Untagged: {NAME}")]);
    assert_eq!(store.images.find(NAME).unwrap_err().kind(), ErrorKind::NoSuchImage);
    assert!(store.images.repair(RepairMode::Mend, &no_users).unwrap().iter().all(|finding| finding.mended));
    assert!(store.images.repair(RepairMode::LookOnly, &no_users).unwrap().is_empty());
}

#[test]
fn repair_names_what_it_cannot_read_and_deletes_nothing_then() {
    let (store, _registry, one, _) = two_images();
    fs::write(store.root().join(format!("records/{}.json", one.id.hex())), "torn").unwrap();
    fs::write(store.root().join("records/shopping list"), "milk").unwrap();
    fs::write(store.root().join("trash/x"), "left").unwrap();
    let layers = store.names("layers");
    let found = store.images.repair(RepairMode::Mend, &no_users).unwrap();
    let says = |word: &str| found.iter().find(|finding| finding.problem.contains(word)).map(|finding| finding.mended);
    assert_eq!((says("cannot be read"), says("nothing that Wharf")), (Some(false), Some(false)), "{found:?}");
    assert_eq!(says("removed layer"), Some(true), "{found:?}");
    assert_eq!(store.names("layers"), layers);
}

#[test]
fn a_running_pull_keeps_what_it_has_and_the_dead_keep_nothing() {
    let store = TestStore::new();
    let mut registry = MemoryRegistry::default();
    let layers = [tar(&[("a", "first")]), tar(&[("b", &"x".repeat(9_000))])];
    let (_, blobs) = registry.image("1", &layers, Packing::Plain);
    registry.break_blob(&blobs[1], Fault::Cut(600));
    let context = context();
    thread::scope(|scope| {
        let pulling = scope.spawn(|| store.images.pull(&reference(NAME), None, &registry, &context));
        while !store.root().join("layers").join(blobs[0].hex()).exists() || registry.asked_for(&blobs[1]).len() < 2 {
            thread::yield_now();
        }
        let other = open(store.base.path(), "boot-1");
        other.prune(PruneScope::Unused, &no_users).unwrap();
        assert!(store.root().join("layers").join(blobs[0].hex()).exists());
        assert!(store.root().join("blobs/sha256").join(blobs[0].hex()).exists());
        assert!(store.names("ingest").iter().any(|name| name.ends_with(".part")));
        registry.mend();
        pulling.join().unwrap().unwrap();
    });
    let (ingest, leases) = (store.root().join("ingest"), store.root().join("leases"));
    fs::create_dir_all(ingest.join("0123.99999.0.layer/fs/left")).unwrap();
    fs::write(ingest.join("abc.part"), "left").unwrap();
    fs::write(ingest.join("abc.blob.lock"), "").unwrap();
    fs::write(leases.join("99999-0.lock"), "").unwrap();
    fs::write(leases.join("99999-0.json"), "[]").unwrap();
    store.images.prune(PruneScope::Dangling, &no_users).unwrap();
    store.assert_tidy();
    assert!(store.images.find(NAME).is_ok());
}

#[test]
fn a_pinned_image_cannot_be_removed_until_it_is_let_go() {
    let (store, _registry, one, _) = two_images();
    let pinned = store.images.pin(NAME, None, &context()).unwrap();
    assert_eq!((pinned.record.id.clone(), pinned.lowers.len()), (one.id.clone(), 2));
    assert_eq!(pinned.config.config.cmd, ["/bin/sh"]);
    thread::scope(|scope| {
        let removing = scope.spawn(|| store.images.remove_image(NAME, Force::No, &|| Ok(used_by(&one.id, false))));
        thread::yield_now();
        assert!(pinned.lowers.iter().all(|lower| lower.exists()));
        drop(pinned);
        assert_eq!(removing.join().unwrap().unwrap_err().kind(), ErrorKind::Refused);
    });
    let wanted = Platform::new("linux", "riscv64", None);
    assert_eq!(store.images.pin(NAME, Some(&wanted), &context()).unwrap_err().kind(), ErrorKind::PlatformMismatch);
}

#[test]
fn pinning_after_a_power_cut_unpacks_again() {
    let (store, registry, one, _) = two_images();
    let lower = store.images.pin(NAME, None, &context()).unwrap().lowers[0].join("one");
    fs::write(&lower, "").unwrap();
    let rebooted = open(store.base.path(), "boot-2");
    let pinned = rebooted.pin(NAME, None, &context()).unwrap();
    assert_eq!(fs::read_to_string(pinned.lowers[0].join("one")).unwrap(), "1");
    assert_eq!(pinned.record.id, one.id);
    let asked = registry.asked.lock().unwrap().len();
    assert_eq!(asked, 5, "two configurations and three layers, once each");
}

#[test]
fn inspect_and_history_are_shaped_like_dockers() {
    let (store, _registry, one, _) = two_images();
    let shown = store.images.inspect(NAME).unwrap();
    assert_eq!(shown["Id"], one.id.to_string());
    assert_eq!(shown["RepoTags"][0], NAME);
    assert_eq!(shown["RepoDigests"][0], format!("localhost:5000/app@{}", one.digest));
    assert_eq!(shown["Config"]["Cmd"][0], "/bin/sh");
    assert_eq!(shown["Config"]["Entrypoint"], serde_json::Value::Null);
    assert_eq!(shown["RootFS"]["Layers"].as_array().unwrap().len(), 2);
    assert_eq!((shown["Architecture"].as_str(), shown["Size"].as_u64()), (Some("amd64"), Some(7)));
    let history = store.images.history(NAME).unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!((history[0].size.bytes(), history[1].size.bytes()), (1, 6));
    assert_eq!(history[0].created_by, "COPY . /");
    assert!(store.images.usage().unwrap().bytes() > 8);
}

#[test]
fn the_store_is_an_oci_image_layout() {
    let (store, _registry, one, _) = two_images();
    let index: serde_json::Value = serde_json::from_slice(&fs::read(store.root().join("index.json")).unwrap()).unwrap();
    let entry = &index["manifests"][0];
    assert_eq!(entry["annotations"]["org.opencontainers.image.ref.name"], NAME);
    assert_eq!(entry["digest"], one.digest.to_string());
    assert!(store.root().join("oci-layout").exists());
}

#[test]
fn an_image_made_here_is_like_any_other() {
    use crate::engine::domain::{ImageImport, Timestamp};
    let store = TestStore::new();
    let layer = tar(&[("bin/", ""), ("bin/demo", "x")]);
    let import = |size| ImageImport {
        reference: reference("wharf/demo:1"),
        layer: Box::new(std::io::Cursor::new(layer.clone())),
        layer_size: size,
        created: Timestamp::from_unix_seconds(1_000_000_000),
        entrypoint: vec!["/bin/demo".into()],
        command: Vec::new(),
        env: vec!["A=b".into()],
        labels: std::collections::BTreeMap::from([("demo".into(), "yes".into())]),
        created_by: "a test".into(),
    };
    for wrong in [layer.len() as u64 - 1, layer.len() as u64 + 1] {
        assert_eq!(store.images.import(import(wrong), &context()).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert!(store.names("records").is_empty() && store.names("blobs/sha256").is_empty());
        store.assert_tidy();
    }
    let made = store.images.import(import(layer.len() as u64), &context()).unwrap();
    let again = store.images.import(import(layer.len() as u64), &context()).unwrap();
    assert_eq!((made.already, again.already, &made.id), (false, true, &again.id));
    let pinned = store.images.pin("wharf/demo:1", None, &context()).unwrap();
    assert_eq!(fs::read_to_string(pinned.lowers[0].join("bin/demo")).unwrap(), "x");
    assert_eq!(pinned.config.config.entrypoint, ["/bin/demo"]);
    assert_eq!(store.images.history("wharf/demo:1").unwrap()[0].created_by, "a test");
    store.assert_tidy();
}
