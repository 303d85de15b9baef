//! What does a push leave in a registry, and how often did it send what?

use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
    sync::Mutex,
};

use wharf::engine::{
    backend::embedded::{
        manifest::{Descriptor, Manifest},
        registry::{BlobOrigin, PlannedManifest, PushPlan, Repository, outcome, push},
    },
    domain::{Digest, ErrorKind, ImageReference, Result},
};

use super::{noise, operation, reference};
use crate::support::registry::{Fault, Login, OCI_MANIFEST, TestRegistry};

/// Blobs in memory.
#[derive(Default)]
struct Shelf {
    blobs: BTreeMap<Digest, Vec<u8>>,
    neighbours: Vec<Repository>,
    opened: Mutex<Vec<(String, u64)>>,
}

impl Shelf {
    /// From where a blob was read, in order.
    fn opened(&self, digest: &str) -> Vec<u64> {
        let opened = self.opened.lock().unwrap();
        opened.iter().filter(|(opened, _)| opened == digest).map(|(_, offset)| *offset).collect()
    }
}

impl BlobOrigin for Shelf {
    fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send>> {
        self.opened.lock().unwrap().push((blob.digest.to_string(), offset));
        let mut reader = Cursor::new(self.blobs[&blob.digest].clone());
        reader.set_position(offset);
        Ok(Box::new(reader))
    }

    fn repositories(&self, _: &Digest) -> Vec<Repository> {
        self.neighbours.clone()
    }
}

/// An image of three layers, two of them the same.
fn image() -> (PushPlan, Shelf) {
    let scratch = TestRegistry::start();
    let (big, small) = (noise(400_000), noise(70_000));
    let made = scratch.put_image("x", "1", "amd64", &[&big, &small, &big]);
    let Manifest::Image(parsed) = Manifest::parse(&made.manifest, None).unwrap() else { panic!("no image") };
    let blobs: Vec<Descriptor> = parsed.layers.iter().chain([&parsed.config]).cloned().collect();
    let shelf = blobs.iter().map(|blob| {
        let found = operation().blob(&format!("{}/x", scratch.host()), &blob.digest, blob.size as usize).unwrap();
        (blob.digest.clone(), found)
    });
    let shelf = Shelf { blobs: shelf.collect(), ..Shelf::default() };
    let root = PlannedManifest {
        media_type: OCI_MANIFEST.to_owned(),
        digest: made.digest.clone(),
        bytes: made.manifest.clone().into(),
        blobs,
    };
    (PushPlan::new(root, Vec::new()), shelf)
}

fn targets(host: &str, names: &[&str]) -> Vec<ImageReference> {
    names.iter().map(|name| reference(&format!("{host}/{name}"))).collect()
}

#[test]
fn every_blob_is_sent_once_to_each_repository_however_many_tags() {
    let registry = TestRegistry::start();
    registry.refuse_mounts();
    let (plan, shelf) = image();
    let results =
        push(&operation().registry, &plan, &targets(&registry.host(), &["a:1", "a:2", "b/c:1", "a:3"]), &shelf);
    for result in &results {
        assert_eq!(result.outcome.as_ref().unwrap(), plan.digest());
    }
    for repository in ["a", "b/c"] {
        let sent = registry.sent_blobs(repository);
        assert_eq!(sent.len(), 3, "{sent:?}");
        assert!(sent.values().all(|times| *times == 1), "{sent:?}");
    }
    assert_eq!(registry.manifest("a", "3"), registry.manifest("b/c", "1"));
    let done = outcome(&results).unwrap();
    assert_eq!(done.output.len(), 4);
}

#[test]
fn what_is_there_is_not_sent_and_a_second_repository_is_linked() {
    let registry = TestRegistry::start();
    let (plan, shelf) = image();
    push(&operation().registry, &plan, &targets(&registry.host(), &["a:1", "b:1"]), &shelf);
    assert_eq!(registry.sent_blobs("a").len(), 3);
    assert_eq!(registry.sent_blobs("b").len(), 0, "linked from next door");
    registry.forget_requests();
    let again = push(&operation().registry, &plan, &targets(&registry.host(), &["a:again"]), &shelf);
    assert!(again[0].outcome.is_ok());
    assert_eq!(registry.requests().iter().filter(|request| request.path.contains("/blobs/")).count(), 0);
}

#[test]
fn a_blob_known_to_be_elsewhere_on_the_registry_is_linked_with_a_token_for_both() {
    let registry = TestRegistry::start();
    let (plan, mut shelf) = image();
    push(&operation().registry, &plan, &targets(&registry.host(), &["team/base:1"]), &shelf);
    registry.demand(Login::Bearer { realm: None, user: None, refresh: None });
    shelf.neighbours = vec![
        Repository::from(&reference("elsewhere.example/team/base")),
        Repository::from(&reference(&format!("{}/team/base", registry.host()))),
    ];
    registry.forget_requests();
    let results = push(&operation().registry, &plan, &targets(&registry.host(), &["team/app:1"]), &shelf);
    assert!(results[0].outcome.is_ok(), "{results:?}");
    assert_eq!(registry.sent_blobs("team/app").len(), 0);
    let both = "scope=repository:team/app:pull,push&scope=repository:team/base:pull";
    assert!(registry.count("GET", both) >= 1, "{:?}", registry.requests());
}

#[test]
fn an_upload_that_breaks_goes_on_where_it_was() {
    const SIZE: usize = 400_000;
    // Breaks: of the first request, then of those that send the rest. Of nothing and of one byte registries say the
    // same ("0-0"), so both begin again.
    for (breaks, offsets) in [
        (&[0][..], &[0, 0][..]),
        (&[1], &[0, 0]),
        (&[65_536], &[0, 65_536]),
        (&[SIZE - 1], &[0, SIZE as u64 - 1]),
        (&[1000, 500, 2000], &[0, 1000, 1500, 3500]),
    ] {
        let registry = TestRegistry::start();
        let (plan, shelf) = image();
        let big = Digest::sha256_of(&noise(SIZE)).to_string();
        registry.break_next(1, "PUT", &big, Fault::CutUploadAfter(breaks[0]));
        for taken in &breaks[1..] {
            registry.break_next(1, "PATCH", "/blobs/uploads/", Fault::CutUploadAfter(*taken));
        }
        let results = push(&operation().registry, &plan, &targets(&registry.host(), &["a:1"]), &shelf);
        assert!(results[0].outcome.is_ok(), "{breaks:?}: {results:?}");
        assert_eq!(shelf.opened(&big), offsets, "{breaks:?}");
    }
}

#[test]
fn busy_registries_are_waited_for_while_uploading_too() {
    let registry = TestRegistry::start();
    let (plan, shelf) = image();
    for method in ["HEAD", "POST", "PUT"] {
        registry.break_next(2, method, "/blobs/", Fault::Status(503, &[]));
    }
    registry.break_next(1, "PUT", "/manifests/", Fault::Status(502, &[]));
    let results = push(&operation().registry, &plan, &targets(&registry.host(), &["a:1"]), &shelf);
    assert!(results[0].outcome.is_ok(), "{results:?}");
}

#[test]
fn one_targets_failure_is_its_own() {
    let (registry, broken) = (TestRegistry::start(), TestRegistry::start());
    let (plan, shelf) = image();
    broken.break_next(usize::MAX, "POST", "/blobs/", Fault::Status(403, &[]));
    let mut all = targets(&broken.host(), &["a:1"]);
    all.extend(targets(&registry.host(), &["a:1"]));
    let results = push(&operation().registry, &plan, &all, &shelf);
    assert_eq!(results[0].outcome.as_ref().unwrap_err().kind(), ErrorKind::Denied);
    assert!(results[1].outcome.is_ok());
    assert_eq!(broken.count("PUT", "/manifests/"), 0, "no manifest without its blobs");
    let error = outcome(&results).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Partial);
    assert!(error.reason().contains("1 of 2 targets are done"), "{error}");
}

#[test]
fn a_blob_that_is_shorter_than_promised_is_our_fault_and_told_so() {
    let registry = TestRegistry::start();
    let (plan, mut shelf) = image();
    shelf.blobs.values_mut().for_each(|bytes| bytes.truncate(bytes.len() / 2));
    let results = push(&operation().registry, &plan, &targets(&registry.host(), &["a:1"]), &shelf);
    let error = results[0].outcome.as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error:?}");
    assert!(registry.manifest("a", "1").is_none());
}

#[test]
fn a_target_pinned_to_another_digest_is_refused() {
    let registry = TestRegistry::start();
    let (plan, shelf) = image();
    let pinned = format!("a:1@{}", Digest::sha256_of(b"other"));
    let results = push(&operation().registry, &plan, &targets(&registry.host(), &[&pinned]), &shelf);
    assert_eq!(results[0].outcome.as_ref().unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn the_operation_shows_one_line_for_each_blob() {
    let registry = TestRegistry::start();
    let (plan, shelf) = image();
    let (sender, progress) = tokio::sync::watch::channel(Default::default());
    let context = wharf::engine::backend::OperationContext::new(
        wharf::engine::domain::OperationId(1),
        std::time::Instant::now() + std::time::Duration::from_secs(60),
        sender,
    );
    let operation = wharf::engine::backend::embedded::registry::Registry::new(Default::default(), context);
    push(&operation, &plan, &targets(&registry.host(), &["a:1"]), &shelf);
    let transfers = progress.borrow().transfers.clone();
    assert_eq!(transfers.len(), 3);
    for transfer in transfers {
        assert_eq!(transfer.phase.word(), "done");
        assert_eq!(transfer.done, transfer.total);
    }
}
