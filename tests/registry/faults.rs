//! What does a registry's failure do to a fetch? Everything that passes is waited out, everything else is told, and
//! wrong content is never taken for right.

use std::{
    io::Read,
    thread,
    time::{Duration, Instant},
};

use wharf::engine::{
    backend::embedded::registry::{RegistrySettings, Repository, read_error},
    domain::ErrorKind,
};

use super::{descriptor, noise, operation, operation_with, reference};
use crate::support::{
    deadline::{PATIENCE, wait_until},
    registry::{Fault, OCI_MANIFEST, TestRegistry},
};

const SIZE: usize = 300_000;

#[test]
fn a_blob_cut_anywhere_is_resumed_where_it_was() {
    let registry = TestRegistry::start();
    let bytes = noise(SIZE);
    let digest = registry.put_blob("a", &bytes);
    let name = format!("{}/a", registry.host());
    for cuts in [&[0][..], &[1], &[SIZE / 2], &[SIZE - 1], &[0, 5, 70_000, 1], &[1; 12]] {
        for cut in cuts {
            registry.break_next(1, "GET", "/blobs/", Fault::CutAfter(*cut));
        }
        registry.forget_requests();
        assert_eq!(operation().blob(&name, &digest, SIZE).unwrap(), bytes, "{cuts:?}");
        assert_eq!(registry.count("GET", "/blobs/"), cuts.len() + 1, "{cuts:?}");
    }
}

#[test]
fn a_server_without_ranges_sends_again_and_nothing_is_doubled() {
    let registry = TestRegistry::start();
    let bytes = noise(SIZE);
    let digest = registry.put_blob("a", &bytes);
    registry.break_next(1, "GET", "/blobs/", Fault::CutAfter(100_000));
    registry.break_next(1, "GET", "/blobs/", Fault::IgnoreRange);
    let name = format!("{}/a", registry.host());
    assert_eq!(operation().blob(&name, &digest, SIZE).unwrap(), bytes);
    // A download continued from an earlier attempt meets the same server.
    registry.break_next(1, "GET", "/blobs/", Fault::IgnoreRange);
    let repository = Repository::from(&reference(&name));
    let mut rest = Vec::new();
    let mut reader = operation().registry.blob(&repository, &descriptor(&digest, SIZE), 1234).unwrap();
    reader.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, &bytes[1234..]);
}

#[test]
fn a_server_that_cuts_for_ever_is_given_up_in_the_end() {
    let registry = TestRegistry::start();
    let bytes = noise(SIZE);
    let digest = registry.put_blob("a", &bytes);
    registry.break_next(usize::MAX, "GET", "/blobs/", Fault::CutAfter(0));
    let operation = operation();
    let error = operation.blob(&format!("{}/a", registry.host()), &digest, SIZE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error:?}");
    assert_eq!(operation.pace.passed(), Duration::from_millis(250 + 500 + 1000 + 2000 + 4000));
}

#[test]
fn busy_servers_are_waited_for_with_growing_pauses() {
    let registry = TestRegistry::start();
    registry.put_image("a", "1", "amd64", &[b"layer"]);
    let name = format!("{}/a:1", registry.host());
    for status in [408, 429, 500, 502, 503, 504, 499, 522] {
        registry.break_next(3, "GET", "/manifests/", Fault::Status(status, &[]));
        let operation = operation();
        operation.manifest(&name).unwrap_or_else(|error| panic!("{status}: {error}"));
        assert_eq!(operation.pace.passed(), Duration::from_millis(250 + 500 + 1000), "{status}");
    }
}

#[test]
fn what_a_server_asks_for_is_obeyed_up_to_a_minute() {
    let registry = TestRegistry::start();
    registry.put_image("a", "1", "amd64", &[b"layer"]);
    let name = format!("{}/a:1", registry.host());
    registry.break_next(1, "GET", "/manifests/", Fault::Status(429, &[("Retry-After", "42")]));
    let patient = operation();
    patient.manifest(&name).unwrap();
    assert_eq!(patient.pace.passed(), Duration::from_secs(42));

    registry.break_next(1, "GET", "/manifests/", Fault::Status(429, &[("Retry-After", "3600")]));
    let told = operation();
    let error = told.manifest(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.remedy_text().is_some());
    assert_eq!(told.pace.passed(), Duration::ZERO);
}

#[test]
fn the_patience_of_one_operation_is_bounded_over_all_its_requests() {
    let registry = TestRegistry::start();
    registry.put_image("a", "1", "amd64", &[b"layer"]);
    registry.break_next(usize::MAX, "GET", "/manifests/", Fault::Status(503, &[("Retry-After", "60")]));
    let operation = operation();
    let name = format!("{}/a:1", registry.host());
    for _ in 0..3 {
        assert_eq!(operation.manifest(&name).unwrap_err().kind(), ErrorKind::Unreachable);
    }
    assert!(operation.pace.passed() <= Duration::from_secs(300), "{:?}", operation.pace.passed());
}

#[test]
fn statuses_that_will_not_change_are_told_at_once() {
    let registry = TestRegistry::start();
    registry.put_image("a", "1", "amd64", &[b"layer"]);
    let name = format!("{}/a:1", registry.host());
    for (status, kind) in [
        (403, ErrorKind::Denied),
        (404, ErrorKind::NoSuchImage),
        (401, ErrorKind::Unauthorized),
        (418, ErrorKind::Protocol),
    ] {
        registry.break_next(1, "GET", "/manifests/", Fault::Status(status, &[]));
        let operation = operation();
        let error = operation.manifest(&name).unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert_eq!(operation.pace.passed(), Duration::ZERO, "{status}");
    }
}

#[test]
fn a_connection_that_ends_without_an_answer_is_tried_again() {
    let registry = TestRegistry::start();
    registry.put_image("a", "1", "amd64", &[b"layer"]);
    registry.break_next(2, "GET", "/manifests/", Fault::HangUp);
    operation().manifest(&format!("{}/a:1", registry.host())).unwrap();
    assert_eq!(registry.count("GET", "/manifests/"), 3);
}

#[test]
fn a_server_that_is_no_registry_is_named_as_such() {
    let registry = TestRegistry::start();
    registry.break_next(usize::MAX, "GET", "/manifests/", Fault::Garbage);
    let error = operation().manifest(&format!("{}/a:1", registry.host())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
    assert!(error.to_string().contains(&registry.host()), "{error}");
}

#[test]
fn a_manifest_with_another_digest_is_refused() {
    let registry = TestRegistry::start();
    let image = registry.put_image("a", "1", "amd64", &[b"layer"]);
    for name in [format!("{}/a@{}", registry.host(), image.digest), format!("{}/a:1", registry.host())] {
        registry.break_next(1, "GET", "/manifests/", Fault::WrongBytes);
        assert_eq!(operation().manifest(&name).unwrap_err().kind(), ErrorKind::DigestMismatch, "{name}");
    }
}

#[test]
fn a_small_blob_with_other_content_or_length_is_refused() {
    let registry = TestRegistry::start();
    let bytes = noise(1000);
    let digest = registry.put_blob("a", &bytes);
    let repository = Repository::from(&reference(&format!("{}/a", registry.host())));
    for fault in [Fault::WrongBytes, Fault::LongerBy(1), Fault::LongerBy(5000)] {
        registry.break_next(1, "GET", "/blobs/", fault.clone());
        let error = operation().registry.small_blob(&repository, &descriptor(&digest, 1000), 1 << 20).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{fault:?}: {error:?}");
    }
    let error = operation().registry.small_blob(&repository, &descriptor(&digest, 999), 1 << 20).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{error:?}");
    let error = operation().registry.small_blob(&repository, &descriptor(&digest, 1000), 999).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
}

#[test]
fn a_manifest_without_end_is_refused() {
    let registry = TestRegistry::start();
    registry.put_manifest("a", "1", OCI_MANIFEST, &vec![b' '; (4 << 20) + 1]);
    let error = operation().manifest(&format!("{}/a:1", registry.host())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
}

#[test]
fn a_stall_ends_with_the_progress_deadline_and_is_resumed() {
    let registry = TestRegistry::start();
    let bytes = noise(SIZE);
    let digest = registry.put_blob("a", &bytes);
    registry.break_next(2, "GET", "/blobs/", Fault::Stall);
    let impatient = RegistrySettings { progress_deadline: Duration::from_millis(100), ..RegistrySettings::default() };
    let found = operation_with(impatient).blob(&format!("{}/a", registry.host()), &digest, SIZE).unwrap();
    assert_eq!(found, bytes);
    assert_eq!(registry.count("GET", "/blobs/"), 3);
}

#[test]
fn a_cancel_ends_a_stalled_read_soon() {
    let registry = TestRegistry::start();
    let digest = registry.put_blob("a", &noise(SIZE));
    registry.break_next(1, "GET", "/blobs/", Fault::Stall);
    let operation = operation();
    let repository = Repository::from(&reference(&format!("{}/a", registry.host())));
    let mut reader = operation.registry.blob(&repository, &descriptor(&digest, SIZE), 0).unwrap();
    let reading = thread::spawn(move || reader.read(&mut [0; 10]).map_err(read_error));
    let asked = Instant::now();
    operation.context.cancel.cancel();
    wait_until("the read to end", PATIENCE, || reading.is_finished().then_some(()));
    assert_eq!(reading.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert_eq!(operation.manifest(&format!("{}/a:1", registry.host())).unwrap_err().kind(), ErrorKind::Cancelled);
}
