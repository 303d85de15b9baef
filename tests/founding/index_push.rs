//! Founding case 3: one index of several sources, pushed to several places at once.
//!
//! buildx#2229, #3503: the fan-out shared a mutable map between its branches. Here the plan is fixed before the first
//! byte is sent. Deliberately elsewhere: the same over sockets, every request held until all are there
//! (`tests/registry/index.rs`).

use std::{io::Read, time::Duration};

use serde_json::{Value, json};
use shuttle::{
    sync::{Arc, Mutex},
    thread,
};
use wharf::engine::{
    backend::{
        OperationContext,
        embedded::{
            manifest::Descriptor,
            registry::{
                BlobOrigin, PlannedManifest, PushPlan, Registry, RegistrySettings, Repository, create_index, push,
            },
        },
    },
    domain::{Digest, ErrorKind, ImageReference, Result},
};

use super::{
    model_registry::{ModelRegistry, ModelThreads, Unhurried},
    schedules::explore,
    twin::{Variant, holds_and_catches_its_twin},
};

const SOURCES: [&str; 3] = ["s.lan/a:1", "s.lan/b:1", "s.lan/c:1"];
const TARGETS: [&str; 4] = ["t.lan/x:1", "t.lan/x:2", "t.lan/y:1", "u.lan/x:1"];
const REFUSING: &str = "u.lan/x";
const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

#[test]
fn every_target_gets_the_same_index_after_its_children_and_one_failure_stays_its_own() {
    let test = "index_push::every_target_gets_the_same_index_after_its_children_and_one_failure_stays_its_own";
    holds_and_catches_its_twin(test, &["is not in the index"], |variant| {
        explore("index of three sources to four targets", 400, move || fan_out(variant));
    });
}

fn fan_out(variant: Variant) {
    let model = ModelRegistry::default();
    let images: Vec<PlannedManifest> = SOURCES.iter().map(|source| image(&model, source)).collect();
    model.world(|world| world.refusing.insert(REFUSING.to_owned()));
    let hosts = ["s.lan", "t.lan", "u.lan"].map(str::to_owned).to_vec();
    let settings = RegistrySettings { insecure: hosts, ..RegistrySettings::default() };
    let context = OperationContext::unwatched(Duration::from_secs(3600));
    let registry =
        Registry::with_parts(settings.into(), Box::new(model.clone()), std::sync::Arc::new(Unhurried), context)
            .with_threads(std::sync::Arc::new(ModelThreads));
    let targets: Vec<ImageReference> = TARGETS.iter().map(|target| target.parse().unwrap()).collect();
    let results = match variant {
        Variant::Ours => {
            let sources: Vec<ImageReference> = SOURCES.iter().map(|source| source.parse().unwrap()).collect();
            create_index(&registry, &targets, &sources).unwrap().results
        }
        Variant::Twin => push(&registry, &plan_in_a_fan_out(&images), &targets, &Contents(model.clone())),
    };
    for (result, target) in results.iter().zip(TARGETS) {
        match (&result.outcome, target.starts_with(REFUSING)) {
            (Err(error), true) => assert_eq!(error.kind(), ErrorKind::Denied),
            (Ok(_), false) => {}
            (outcome, _) => panic!("{target}: {outcome:?}"),
        }
    }
    let index = |place: &str, tag: &str| {
        model.world(|world| world.manifests.get(&(place.to_owned(), tag.to_owned())).cloned().unwrap())
    };
    let first = index("t.lan/x", "1");
    assert!(first == index("t.lan/x", "2") && first == index("t.lan/y", "1"), "not byte for byte the same");
    let text = String::from_utf8(first).unwrap();
    for image in images {
        assert!(text.contains(&image.digest.to_string()), "{} is not in the index", image.digest.short());
    }
}

/// The fault: every branch of the fan-out takes a copy of what is shared, adds to it, and puts it back.
fn plan_in_a_fan_out(images: &[PlannedManifest]) -> PushPlan {
    let shared: Arc<Mutex<Vec<Value>>> = Arc::default();
    let branches: Vec<_> = images
        .iter()
        .map(|image| {
            let shared = Arc::clone(&shared);
            let entry = json!({"mediaType": IMAGE, "digest": image.digest.to_string(), "size": image.bytes.len()});
            thread::spawn(move || {
                let mut entries = shared.lock().unwrap().clone();
                entries.push(entry);
                *shared.lock().unwrap() = entries;
            })
        })
        .collect();
    branches.into_iter().for_each(|branch| branch.join().unwrap());
    let entries = shared.lock().unwrap().clone();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string().into_bytes();
    let digest = Digest::sha256_of(&index);
    let root = PlannedManifest { media_type: INDEX.to_owned(), digest, bytes: index.into(), blobs: Vec::new() };
    PushPlan::new(root, images.to_vec())
}

/// An image of a configuration of its own and a layer that all share, on the registry of sources.
fn image(model: &ModelRegistry, source: &str) -> PlannedManifest {
    let (repository, tag) = source.split_once(':').unwrap();
    let architecture = repository.split_once('/').unwrap().1;
    let config = json!({"architecture": architecture, "os": "linux"}).to_string().into_bytes();
    let blobs = [config, b"layer".to_vec()].map(|bytes| {
        let digest = Digest::sha256_of(&bytes);
        let size = bytes.len() as u64;
        model.world(|world| {
            world.blobs.insert((repository.to_owned(), digest.to_string()));
            world.contents.insert(digest.to_string(), bytes);
        });
        Descriptor {
            media_type: "application/octet-stream".to_owned(),
            digest,
            size,
            platform: None,
            annotations: None,
        }
    });
    let described = |blob: &Descriptor| json!({"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size});
    let [config, layer] = blobs.each_ref().map(described);
    let manifest = json!({"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": [layer]});
    let bytes = manifest.to_string().into_bytes();
    let digest = Digest::sha256_of(&bytes);
    model.world(|world| {
        for name in [tag.to_owned(), digest.to_string()] {
            world.manifests.insert((repository.to_owned(), name), bytes.clone());
        }
    });
    PlannedManifest { media_type: IMAGE.to_owned(), digest, bytes: bytes.into(), blobs: blobs.to_vec() }
}

struct Contents(ModelRegistry);

impl BlobOrigin for Contents {
    fn open(&self, blob: &Descriptor, _: u64) -> Result<Box<dyn Read + Send>> {
        let bytes = self.0.world(|world| world.contents.get(&blob.digest.to_string()).cloned().unwrap());
        Ok(Box::new(std::io::Cursor::new(bytes)))
    }

    fn repositories(&self, _: &Digest) -> Vec<Repository> {
        Vec::new()
    }
}
