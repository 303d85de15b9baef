use std::{fs, sync::Barrier, thread};

use super::{
    memory_registry::{Fault, Packing, pack, tar},
    *,
};
use crate::engine::domain::{Digest, ErrorKind, Platform, Progress, TransferPhase};

const NAME: &str = "localhost:5000/app:1";

/// Content that does not compress to nothing.
fn noise(seed: u8) -> String {
    let mut state = u32::from(seed) + 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + (state >> 24) as u8 % 26)
    };
    (0..40_000).map(|_| next()).collect()
}

fn two_layers() -> Vec<Vec<u8>> {
    let noise = noise(1);
    vec![
        tar(&[("etc/", ""), ("etc/name", "lower"), ("etc/noise", noise.as_str())]),
        tar(&[("etc/", ""), ("etc/name", "upper"), ("bin/tool", "x")]),
    ]
}

#[test]
fn a_pulled_image_is_whole_whatever_it_is_packed_with() {
    for packing in [Packing::Plain, Packing::Gzip, Packing::Zstd] {
        let store = TestStore::new();
        let mut registry = MemoryRegistry::default();
        let (digest, blobs) = registry.image("1", &two_layers(), packing);
        let pulled = store.pull(&registry, NAME).unwrap();
        assert_eq!((&pulled.digest, pulled.already), (&digest, false));
        let record = store.images.records.image(&pulled.id).unwrap().unwrap();
        let lowers = store.images.lowers(&record);
        assert_eq!(fs::read_to_string(lowers[0].join("etc/name")).unwrap(), "upper");
        assert_eq!(fs::read_to_string(lowers[1].join("etc/name")).unwrap(), "lower");
        for blob in blobs {
            assert!(store.names("blobs/sha256").contains(&blob.hex().to_owned()));
        }
        assert_eq!(record.digests, [reference("localhost:5000/app").with_digest(digest)]);
        store.assert_tidy();
        assert!(store.pull(&registry, NAME).unwrap().already);
    }
}

#[test]
fn a_directory_only_implied_looks_as_it_does_below() {
    use std::os::unix::fs::PermissionsExt as _;
    let store = TestStore::new();
    let mut registry = MemoryRegistry::default();
    let base = |mode| {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_size(0);
        header.set_mode(mode);
        builder.append_data(&mut header, "opt/", &b""[..]).unwrap();
        builder.into_inner().unwrap()
    };
    let upper = tar(&[("opt/tool", "x")]);
    registry.image("1", &[base(0o700), upper.clone()], Packing::Gzip);
    registry.image("2", &[base(0o711), upper.clone(), upper], Packing::Gzip);
    for (name, mode, layers) in [("localhost:5000/app:1", 0o700, 2), ("localhost:5000/app:2", 0o711, 3)] {
        let pulled = store.pull(&registry, name).unwrap();
        let record = store.images.records.image(&pulled.id).unwrap().unwrap();
        let lowers = store.images.lowers(&record);
        assert_eq!(lowers.len(), layers);
        let opt = fs::metadata(lowers[0].join("opt")).unwrap();
        assert_eq!(opt.permissions().mode() & 0o7777, mode, "the same layer upon another one");
    }
    store.assert_tidy();
}

#[test]
fn equal_layers_are_fetched_and_unpacked_once() {
    let store = TestStore::new();
    let mut registry = MemoryRegistry::default();
    let layer = tar(&[("same", "x")]);
    let other = tar(&[("other", "y")]);
    let mut layers = vec![layer.clone(); 30];
    layers.insert(10, other);
    let (_, blobs) = registry.image("1", &layers, Packing::Gzip);
    let pulled = store.pull(&registry, NAME).unwrap();
    assert_eq!(registry.asked_for(&blobs[0]).len(), 1);
    let record = store.images.records.image(&pulled.id).unwrap().unwrap();
    assert_eq!((record.layers.len(), store.images.lowers(&record).len()), (31, 2));
    assert_eq!(store.names("layers").len(), 2);
}

#[test]
fn an_interrupted_transfer_goes_on_where_it_stopped() {
    let store = TestStore::new();
    let mut registry = MemoryRegistry::default();
    let (_, blobs) = registry.image("1", &two_layers(), Packing::Gzip);
    registry.break_blob(&blobs[0], Fault::CutOnce(5_000));
    registry.break_blob(&blobs[0], Fault::CutOnce(9_000));
    store.pull(&registry, NAME).unwrap();
    assert_eq!(registry.asked_for(&blobs[0]), [0, 5_000, 9_000]);
    store.assert_tidy();
}

#[test]
fn a_failed_pull_shows_nothing_and_the_next_one_uses_what_arrived() {
    let store = TestStore::new();
    let mut registry = MemoryRegistry::default();
    let (_, blobs) = registry.image("1", &two_layers(), Packing::Gzip);
    registry.break_blob(&blobs[0], Fault::Cut(7_000));
    let error = store.pull(&registry, NAME).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert!(error.reason().contains("after 7000 of"), "{error}");
    assert!(store.names("records").is_empty() && store.names("refs").is_empty());
    assert_eq!(store.names("ingest"), [format!("{}.part", blobs[0].hex())]);
    registry.mend();
    registry.asked.lock().unwrap().clear();
    store.pull(&registry, NAME).unwrap();
    assert_eq!(registry.asked_for(&blobs[0]), [7_000]);
    store.assert_tidy();
}

#[test]
fn wrong_content_is_refused_wherever_it_is_wrong_and_never_kept() {
    let mut registry = MemoryRegistry::default();
    let (_, blobs) = registry.image("1", &two_layers(), Packing::Gzip);
    let store = TestStore::new();
    for fault in [Fault::Flip(3), Fault::Flip(30), Fault::Flip(5_000), Fault::Flip(20_000), Fault::Extra] {
        registry.mend();
        registry.break_blob(&blobs[0], fault);
        let error = store.pull(&registry, NAME).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{fault:?}: {error}");
        assert!(!store.names("blobs/sha256").contains(&blobs[0].hex().to_owned()));
        assert!(store.names("records").is_empty());
        store.assert_tidy_but_for(&[&blobs[1]]);
    }
    registry.mend();
    store.pull(&registry, NAME).unwrap();
    store.assert_tidy();
}

#[test]
fn a_damaged_beginning_is_dropped_and_fetched_again() {
    let store = TestStore::new();
    let mut registry = MemoryRegistry::default();
    let (_, blobs) = registry.image("1", &two_layers(), Packing::Gzip);
    fs::write(store.root().join(format!("ingest/{}.part", blobs[0].hex())), [0; 3_000]).unwrap();
    store.pull(&registry, NAME).unwrap();
    assert_eq!(registry.asked_for(&blobs[0]), [3_000, 0]);
    store.assert_tidy();
}

#[test]
fn a_layer_that_is_not_what_the_configuration_promises_is_refused() {
    let store = TestStore::new();
    let mut registry = MemoryRegistry::default();
    let layers = two_layers();
    let (manifest, _) = registry.image("1", &layers, Packing::Gzip);
    let other = registry.blob(pack(&layers[1], Packing::Zstd));
    let text = String::from_utf8(registry.found_bytes(&manifest)).unwrap();
    let first = Digest::sha256_of(&pack(&layers[0], Packing::Gzip));
    let size = pack(&layers[0], Packing::Gzip).len();
    let forged = text
        .replace(&first.to_string(), &other.to_string())
        .replace(&format!("\"size\":{size}"), &format!("\"size\":{}", pack(&layers[1], Packing::Zstd).len()));
    registry.manifest(Some("1"), forged.into_bytes());
    let error = store.pull(&registry, NAME).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{error}");
    assert!(store.names("records").is_empty() && store.names("layers").len() <= 1);
    store.assert_tidy_but_for(&[&Digest::sha256_of(&pack(&layers[1], Packing::Gzip))]);
}

#[test]
fn a_byte_at_a_time_is_fine() {
    let store = TestStore::new();
    let mut registry = MemoryRegistry::default();
    let (_, blobs) = registry.image("1", &[tar(&[("a", "b")])], Packing::Gzip);
    registry.break_blob(&blobs[0], Fault::Drip);
    store.pull(&registry, NAME).unwrap();
}

#[test]
fn the_variant_for_the_asked_platform_is_taken_or_the_others_are_named() {
    let store = TestStore::new();
    let mut registry = MemoryRegistry::default();
    let (arm, _) = registry.image_for(None, &[tar(&[("arm", "")])], Packing::Gzip, "arm64");
    let (amd, _) = registry.image_for(None, &[tar(&[("amd", "")])], Packing::Gzip, "amd64");
    let index = registry.index("1", &[(arm, "arm64"), (amd, "amd64")]);
    let pull = |registry: &MemoryRegistry, architecture| {
        let platform = Platform::new("linux", architecture, None);
        store.images.pull(&reference(NAME), Some(&platform), registry, &context())
    };
    let pulled = pull(&registry, "arm64").unwrap();
    assert_eq!(pulled.digest, index);
    let record = store.images.records.image(&pulled.id).unwrap().unwrap();
    assert!(store.images.lowers(&record)[0].join("arm").exists());
    let error = pull(&registry, "riscv64").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PlatformMismatch);
    assert!(error.reason().contains("linux/arm64, linux/amd64"), "{error}");
    registry.image_for(Some("1"), &[tar(&[("arm", "")])], Packing::Gzip, "arm64");
    let error = pull(&registry, "riscv64").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PlatformMismatch);
}

#[test]
fn indexes_that_lead_nowhere_or_too_deep_end() {
    let store = TestStore::new();
    let mut registry = MemoryRegistry::default();
    let (amd, _) = registry.image_for(None, &two_layers(), Packing::Gzip, "amd64");
    let mut index = registry.index("1", &[(amd, "amd64")]);
    for _ in 0..6 {
        index = registry.index("1", &[(index, "amd64")]);
    }
    assert_eq!(store.pull(&registry, NAME).unwrap_err().kind(), ErrorKind::Protocol);
    registry.manifest(Some("2"), b"{}".to_vec());
    assert_eq!(store.pull(&registry, "localhost:5000/app:2").unwrap_err().kind(), ErrorKind::Protocol);
    assert_eq!(store.pull(&registry, "localhost:5000/app:3").unwrap_err().kind(), ErrorKind::NoSuchImage);
}

#[test]
fn pulls_at_once_fetch_each_blob_once() {
    let store = TestStore::new();
    let mut registry = MemoryRegistry::default();
    let (_, blobs) = registry.image("1", &two_layers(), Packing::Gzip);
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                // A store of its own, as another process would have.
                let other = open(store.base.path(), "boot-1");
                start.wait();
                other.pull(&reference(NAME), None, &registry, &context()).unwrap();
            });
        }
    });
    for blob in &blobs {
        assert_eq!(registry.asked_for(blob), [0]);
    }
    store.assert_tidy();
}

#[test]
fn cancelling_keeps_partial_downloads_and_nothing_else() {
    let store = TestStore::new();
    let mut registry = MemoryRegistry::default();
    let (_, blobs) = registry.image("1", &two_layers(), Packing::Gzip);
    registry.break_blob(&blobs[0], Fault::Cut(2_000));
    let context = context();
    thread::scope(|scope| {
        let pulling = scope.spawn(|| store.images.pull(&reference(NAME), None, &registry, &context));
        while registry.asked_for(&blobs[0]).len() < 2 {
            thread::yield_now();
        }
        context.cancel.cancel();
        assert_eq!(pulling.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    });
    assert_eq!(store.names("ingest"), [format!("{}.part", blobs[0].hex())]);
    assert!(store.names("records").is_empty() && store.names("leases").is_empty());
}

#[test]
fn layers_of_an_earlier_boot_are_unpacked_again_unless_settled() {
    let store = TestStore::new();
    let mut registry = MemoryRegistry::default();
    let (_, blobs) = registry.image("1", &two_layers(), Packing::Gzip);
    let pulled = store.pull(&registry, NAME).unwrap();
    let record = store.images.records.image(&pulled.id).unwrap().unwrap();
    let file = store.images.lowers(&record)[0].join("etc/name");
    fs::write(&file, "").unwrap(); // As a power cut leaves it.
    let rebooted = open(store.base.path(), "boot-2");
    rebooted.pull(&reference(NAME), None, &registry, &context()).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "upper");
    assert_eq!(registry.asked_for(&blobs[1]), [0], "the blob was here");
    assert!(rebooted.settle().unwrap());
    assert!(!rebooted.settle().unwrap());
    fs::write(&file, "touched").unwrap();
    open(store.base.path(), "boot-3").pull(&reference(NAME), None, &registry, &context()).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "touched");
}

#[test]
fn a_damaged_blob_is_found_when_it_is_needed_and_fetched_again() {
    let store = TestStore::new();
    let mut registry = MemoryRegistry::default();
    let (_, blobs) = registry.image("1", &two_layers(), Packing::Gzip);
    store.pull(&registry, NAME).unwrap();
    let path = store.root().join("blobs/sha256").join(blobs[1].hex());
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let rebooted = open(store.base.path(), "boot-2");
    rebooted.pull(&reference(NAME), None, &registry, &context()).unwrap();
    assert_eq!(registry.asked_for(&blobs[1]), [0, 0]);
    assert!(Digest::sha256_of(&fs::read(&path).unwrap()) == blobs[1]);
}

#[test]
fn progress_tells_bytes_files_and_what_was_there() {
    use crate::engine::domain::OperationId;
    let store = TestStore::new();
    let mut registry = MemoryRegistry::default();
    registry.image("1", &two_layers(), Packing::Gzip);
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    for phase in [TransferPhase::Done, TransferPhase::Exists] {
        let (sender, progress) = tokio::sync::watch::channel(Arc::new(Progress::default()));
        let context = OperationContext::new(OperationId(1), deadline, sender);
        store.images.pull(&reference(NAME), None, &registry, &context).unwrap();
        let progress = progress.borrow().clone();
        assert_eq!(progress.transfers.len(), 2);
        assert!(progress.transfers.iter().all(|transfer| transfer.phase == phase && transfer.done == transfer.total));
        assert_eq!(progress.transfers[0].files, if phase == TransferPhase::Done { 3 } else { 0 });
    }
}
