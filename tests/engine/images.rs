//! Do real images from a real registry arrive as GNU tar would unpack them, and leave nothing behind when removed?
//! Deliberately elsewhere: every way a registry can go wrong (unit tests of `images`), the client alone (`registry`).

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use wharf::engine::{
    backend::{
        OperationContext,
        embedded::{
            images::{ImageRecord, ImageStore, Pulled, registry_source::RegistrySource, unpacker::Unpacker},
            linux::unpack::{LayerUnpacker, Privilege, unpacker_of_this_user},
            machine::Machine,
            registry::{Registry, RegistrySettings},
        },
    },
    domain::{Digest, ErrorKind, Force, ImageReference, Platform, Result},
};

use crate::support::need::{is_root, needs_image, needs_user};

struct Images {
    base: TempDir,
    store: ImageStore,
}

impl Images {
    fn new() -> Self {
        Self::with(unpacker_of_this_user(env!("CARGO_BIN_EXE_wharf").into()))
    }

    fn with(unpacker: Arc<dyn Unpacker>) -> Self {
        let base = tempfile::tempdir().unwrap();
        let store = ImageStore::open(&base.path().join("images"), Machine::this(), unpacker, "boot").unwrap();
        Self { base, store }
    }

    fn pull(&self, name: &str, platform: Option<&Platform>) -> Result<Pulled> {
        let context = OperationContext::unwatched(Duration::from_secs(120));
        let reference: ImageReference = name.parse().unwrap();
        let registry = Registry::new(Arc::new(RegistrySettings::default()), context.clone());
        self.store.pull(&reference, platform, &RegistrySource::new(registry, &reference), &context)
    }

    fn blob(&self, digest: &Digest) -> PathBuf {
        self.base.path().join("images/blobs/sha256").join(digest.hex())
    }

    fn count(&self, directory: &str) -> usize {
        fs::read_dir(self.base.path().join("images").join(directory)).unwrap().count()
    }
}

/// Everything about a file that an archive tells.
#[derive(Debug, PartialEq, Eq)]
struct Facts {
    mode: u32,
    owner: (u32, u32),
    size: u64,
    device: u64,
    mtime: (i64, i64),
    links: u64,
    target: Option<PathBuf>,
    content: Option<Digest>,
}

fn facts(root: &Path) -> BTreeMap<PathBuf, Facts> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            if metadata.is_dir() {
                waiting.push(path.clone());
            }
            let facts = Facts {
                mode: metadata.mode(),
                owner: (metadata.uid(), metadata.gid()),
                size: if metadata.is_dir() { 0 } else { metadata.size() },
                device: metadata.rdev(),
                mtime: (metadata.mtime(), metadata.mtime_nsec()),
                links: if metadata.is_dir() { 0 } else { metadata.nlink() },
                target: metadata.is_symlink().then(|| fs::read_link(&path).unwrap()),
                content: metadata.is_file().then(|| Digest::sha256_of(&fs::read(&path).unwrap())),
            };
            found.insert(path.strip_prefix(root).unwrap().to_owned(), facts);
        }
    }
    found
}

/// A layer as GNU tar unpacks it.
fn by_gnu_tar(blob: &Path) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let status = Command::new("tar")
        .args(["--extract", "--numeric-owner", "--same-permissions", "--gzip", "--file"])
        .arg(blob)
        .arg("--directory")
        .arg(directory.path())
        .status()
        .unwrap();
    assert!(status.success());
    directory
}

fn lowest_first(images: &Images, record: &ImageRecord) -> Vec<PathBuf> {
    images.store.lowers(record).into_iter().rev().collect()
}

#[test]
fn every_layer_of_a_real_image_is_what_gnu_tar_makes_of_it() {
    let Some(name) = needs_image("mid:1") else { return };
    if !is_root() {
        return; // Only root keeps the owners that the comparison looks at; see the rootless tests.
    }
    let images = Images::new();
    let pulled = images.pull(&name, None).unwrap();
    let record = images.store.find(&name).unwrap();
    assert_eq!(record.id, pulled.id);
    let mut compared = 0;
    for (layer, files) in record.layers.iter().zip(lowest_first(&images, &record)) {
        let (ours, theirs) = (facts(&files), by_gnu_tar(&images.blob(&layer.blob.digest)));
        let theirs = facts(theirs.path());
        compared += ours.len();
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
        for (path, facts) in ours {
            assert_eq!(facts, theirs[&path], "{}", path.display());
        }
    }
    assert!(compared > 1_000, "{compared} files are too few to show anything");
}

#[test]
fn a_real_image_with_equal_layers_is_small_here() {
    let Some(name) = needs_image("dup:1") else { return };
    let images = Images::new();
    images.pull(&name, None).unwrap();
    let record = images.store.find(&name).unwrap();
    let mut different: Vec<_> = record.layers.iter().map(|layer| layer.diff_id.clone()).collect();
    different.sort();
    different.dedup();
    assert!(record.layers.len() > different.len());
    assert_eq!(images.count("layers"), different.len());
    assert_eq!(images.store.lowers(&record).len(), different.len());
    images.store.remove_image(&name, Force::No, &|| Ok(Vec::new())).unwrap();
    for directory in ["layers", "blobs/sha256", "records", "ingest", "leases", "trash"] {
        assert_eq!(images.count(directory), 0, "{directory}");
    }
}

#[test]
fn a_real_index_is_read_for_the_platform_asked_for() {
    let Some(name) = needs_image("multi:1") else { return };
    let images = Images::new();
    let here = images.pull(&name, None).unwrap();
    assert_eq!(images.store.find(&name).unwrap().platform, Some(Platform::host()));
    let error = images.pull(&name, Some(&Platform::new("plan9", "mips", None))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PlatformMismatch);
    assert!(error.reason().contains("linux/"), "{error}");
    assert_eq!(images.store.find(&name).unwrap().id, here.id, "a failed pull moves nothing");
}

#[test]
fn skopeo_reads_our_store_as_an_oci_layout() {
    let Some(name) = needs_image("dup:1") else { return };
    let images = Images::new();
    let pulled = images.pull(&name, None).unwrap();
    let layout = format!("oci:{}:{name}", images.base.path().join("images").display());
    let output = Command::new("skopeo").args(["inspect", "--raw", &layout]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(Digest::sha256_of(&output.stdout), pulled.digest);
}

#[test]
fn a_large_image_is_pulled_in_seconds() {
    let Some(name) = needs_image("mid:1") else { return };
    let images = Images::new();
    let started = Instant::now();
    images.pull(&name, None).unwrap();
    println!("{name} pulled and unpacked in {:.2} s", started.elapsed().as_secs_f64());
    let again = Instant::now();
    assert!(images.pull(&name, None).unwrap().already);
    println!("again in {:.0} ms", again.elapsed().as_secs_f64() * 1e3);
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn rootless_users_keep_owners_within_their_range_and_can_remove_them_again() {
    let Some(name) = needs_image("tree:1") else { return };
    if !needs_user() {
        return;
    }
    let images = Images::new();
    images.pull(&name, None).unwrap();
    let record = images.store.find(&name).unwrap();
    let files: Vec<_> = images.store.lowers(&record).iter().flat_map(|layer| facts_of_owners(layer)).collect();
    let own = rustix::process::getegid().as_raw();
    assert!(files.iter().any(|(_, group)| *group == own) && files.iter().any(|(_, group)| *group != own));
    images.store.remove_image(&name, Force::No, &|| Ok(Vec::new())).unwrap();
    for directory in ["layers", "blobs/sha256", "records", "ingest", "leases", "trash"] {
        assert_eq!(images.count(directory), 0, "{directory}");
    }
}

#[test]
fn rootless_users_without_a_range_own_every_file_themselves() {
    let Some(name) = needs_image("tree:1") else { return };
    if !needs_user() {
        return;
    }
    let images = Images::with(Arc::new(LayerUnpacker::new(Privilege::SingleUser)));
    images.pull(&name, None).unwrap();
    let record = images.store.find(&name).unwrap();
    let own = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let mut layers = images.store.lowers(&record).into_iter();
    assert!(layers.all(|layer| facts_of_owners(&layer).iter().all(|owner| *owner == own)));
    images.store.remove_image(&name, Force::No, &|| Ok(Vec::new())).unwrap();
    assert_eq!(images.count("layers"), 0);
}

/// User and group of everything that can be seen.
fn facts_of_owners(root: &Path) -> Vec<(u32, u32)> {
    let mut owners = Vec::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        // Some directories of other owners are closed to us.
        for path in fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            let metadata = fs::symlink_metadata(&path).unwrap();
            owners.push((metadata.uid(), metadata.gid()));
            if metadata.is_dir() {
                waiting.push(path);
            }
        }
    }
    owners
}
