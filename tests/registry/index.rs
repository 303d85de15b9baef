//! Does making an index keep its order and its promises? Children first, each blob once, the same bytes everywhere.

use serde_json::{Value, json};
use wharf::engine::{
    backend::embedded::registry::create_index,
    domain::{ErrorKind, ImageReference},
};

use super::{noise, operation, reference};
use crate::support::registry::{Fault, OCI_INDEX, OCI_MANIFEST, TestRegistry};

fn named(registry: &TestRegistry, names: &[&str]) -> Vec<ImageReference> {
    names.iter().map(|name| reference(&format!("{}/{name}", registry.host()))).collect()
}

/// An index of the given (digest, size, architecture), tagged `tag`.
fn put_index(registry: &TestRegistry, repository: &str, tag: &str, entries: Vec<Value>) {
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries});
    registry.put_manifest(repository, tag, OCI_INDEX, index.to_string().as_bytes());
}

#[test]
fn sources_of_two_registries_become_one_index_in_three_places() {
    let (here, there) = (TestRegistry::start(), TestRegistry::start());
    let shared = noise(100_000);
    let amd = here.put_image("src/amd", "1", "amd64", &[&shared, b"amd"]);
    let arm = there.put_image("src/arm", "1", "arm64", &[&shared, b"arm"]);
    let mut targets = named(&here, &["dst/x:1", "dst/x:2", "dst/y:1"]);
    targets.extend(named(&there, &["dst/z:1"]));
    let sources = [named(&here, &["src/amd:1"]), named(&there, &["src/arm:1"])].concat();
    let created = create_index(&operation().registry, &targets, &sources).unwrap();
    for result in &created.results {
        assert_eq!(result.outcome.as_ref().unwrap(), &created.digest);
    }
    let bytes = here.manifest("dst/x", "1").unwrap();
    for (registry, repository, tag) in [(&here, "dst/x", "2"), (&here, "dst/y", "1"), (&there, "dst/z", "1")] {
        assert_eq!(registry.manifest(repository, tag).unwrap(), bytes);
        for image in [&amd, &arm] {
            assert_eq!(registry.manifest(repository, &image.digest.to_string()).unwrap(), image.manifest);
        }
    }
    let index: Value = serde_json::from_slice(&bytes).unwrap();
    let platforms: Vec<&str> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["platform"]["architecture"].as_str().unwrap())
        .collect();
    assert_eq!(platforms, ["amd64", "arm64"]);
    // From the other registry each blob came once; what both have was linked.
    for (registry, repository) in [(&here, "dst/x"), (&here, "dst/y"), (&there, "dst/z")] {
        assert!(registry.sent_blobs(repository).values().all(|times| *times == 1));
    }
    assert_eq!(here.sent_blobs("dst/y").len(), 0, "the second repository is linked from the first");
}

#[test]
fn an_index_as_source_gives_its_entries_with_all_their_fields() {
    let registry = TestRegistry::start();
    let amd = registry.put_image("a", "amd", "amd64", &[b"amd"]);
    let arm = registry.put_image("a", "arm", "arm64", &[b"arm"]);
    let entry = |image: &crate::support::registry::TestImage, architecture: &str| {
        json!({"mediaType": OCI_MANIFEST, "digest": image.digest, "size": image.manifest.len(),
               "platform": {"architecture": architecture, "os": "linux"}, "annotations": {"k": architecture}, "odd": 1})
    };
    put_index(&registry, "a", "amd-only", vec![entry(&amd, "amd64")]);
    put_index(&registry, "a", "both", vec![entry(&amd, "amd64"), entry(&arm, "arm64")]);
    let created =
        create_index(&operation().registry, &named(&registry, &["b:1"]), &named(&registry, &["a:amd-only", "a:both"]))
            .unwrap();
    assert!(created.results[0].outcome.is_ok(), "{created:?}");
    let index: Value = serde_json::from_slice(&registry.manifest("b", "1").unwrap()).unwrap();
    let entries = index["manifests"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "the same entry of two sources counts once");
    assert_eq!(entries[1]["annotations"]["k"], "arm64");
    assert_eq!(entries[1]["odd"], 1);
}

#[test]
fn a_single_index_is_copied_byte_for_byte_with_what_is_nested_in_it() {
    let registry = TestRegistry::start();
    let image = registry.put_image("a", "1", "amd64", &[b"layer"]);
    let leaf = json!({"mediaType": OCI_MANIFEST, "digest": image.digest, "size": image.manifest.len()});
    put_index(&registry, "a", "inner", vec![leaf]);
    let inner = registry.manifest("a", "inner").unwrap();
    let nested = json!({"mediaType": OCI_INDEX, "digest": wharf::engine::domain::Digest::sha256_of(&inner), "size": inner.len()});
    put_index(&registry, "a", "outer", vec![nested]);
    let created =
        create_index(&operation().registry, &named(&registry, &["b:1"]), &named(&registry, &["a:outer"])).unwrap();
    assert!(created.results[0].outcome.is_ok(), "{created:?}");
    assert_eq!(registry.manifest("b", "1"), registry.manifest("a", "outer"));
    assert!(registry.manifest("b", &image.digest.to_string()).is_some());
}

#[test]
fn a_source_that_is_missing_leaves_every_target_untouched() {
    let registry = TestRegistry::start();
    registry.put_image("a", "1", "amd64", &[b"layer"]);
    let targets = named(&registry, &["b:1", "c:1"]);
    let error = create_index(&operation().registry, &targets, &named(&registry, &["a:1", "a:none"])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchImage);
    assert!(error.subject().unwrap().ends_with("a:none"), "{error:?}");
    assert!(registry.requests().iter().all(|request| matches!(request.method.as_str(), "GET" | "HEAD")));
    let error = create_index(&operation().registry, &targets, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_child_that_cannot_be_stored_keeps_the_index_away_from_that_target_only() {
    let registry = TestRegistry::start();
    registry.put_image("a", "1", "amd64", &[b"amd"]);
    registry.put_image("a", "2", "arm64", &[b"arm"]);
    registry.break_next(usize::MAX, "PUT", "/v2/bad/manifests/sha256", Fault::Status(403, &[]));
    let created = create_index(
        &operation().registry,
        &named(&registry, &["bad:1", "good:1"]),
        &named(&registry, &["a:1", "a:2"]),
    )
    .unwrap();
    assert_eq!(created.results[0].outcome.as_ref().unwrap_err().kind(), ErrorKind::Denied);
    assert!(created.results[1].outcome.is_ok());
    assert!(registry.manifest("bad", "1").is_none());
    assert_eq!(registry.count("PUT", "/v2/bad/manifests/1"), 0);
}
