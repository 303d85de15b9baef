//! Does a real registry agree with us? The lab's docker-registry and skopeo.
//! Deliberately elsewhere: faults (`faults`), which a real registry does not produce on demand.

use std::{io, path::Path, process::Command, sync::Arc, time::Duration};

use wharf::engine::{
    backend::{
        OperationContext,
        embedded::{
            manifest::Manifest,
            registry::{ManifestName, Registry, RegistrySettings, Repository, create_index},
        },
    },
    domain::{Digest, Digester, ErrorKind, ImageReference, Platform},
};

use crate::support::need::needs_image;

fn registry() -> Registry {
    Registry::new(Arc::new(RegistrySettings::default()), OperationContext::unwatched(Duration::from_secs(60)))
}

#[test]
fn a_real_image_arrives_whole_and_skopeo_names_the_same_digest() {
    let Some(name) = needs_image("mid:1") else { return };
    let reference: ImageReference = name.parse().unwrap();
    let repository = Repository::from(&reference);
    let registry = registry();
    let top = registry.manifest(&repository, &ManifestName::from(&reference)).unwrap();
    assert_eq!(Digest::sha256_of(&skopeo_raw(&name)), top.digest);
    assert_eq!(
        registry.find_manifest(&repository, &ManifestName::from(&reference)).unwrap().unwrap().digest,
        top.digest
    );

    let parsed = match Manifest::parse(&top.bytes, top.media_type.as_deref()).unwrap() {
        Manifest::Image(image) => image,
        Manifest::Index(index) => {
            let child = index.select(&Platform::host()).unwrap();
            let child = registry.manifest(&repository, &ManifestName::Digest(child.digest.clone())).unwrap();
            let Manifest::Image(image) = Manifest::parse(&child.bytes, None).unwrap() else { panic!("nested index") };
            image
        }
    };
    for blob in parsed.layers.iter().chain([&parsed.config]) {
        for offset in [0, blob.size / 2] {
            let mut digester = Digester::new(blob.digest.algorithm());
            // The first half is fetched again, to be hashed: the reader begins anywhere.
            if offset > 0 {
                let mut first = io::Read::take(registry.blob(&repository, blob, 0).unwrap(), offset);
                io::copy(&mut first, &mut digester).unwrap();
            }
            io::copy(&mut registry.blob(&repository, blob, offset).unwrap(), &mut digester).unwrap();
            assert_eq!(digester.finish(), blob.digest);
        }
    }
}

#[test]
fn what_a_real_registry_does_not_have_is_said_in_plain_words() {
    let Some(name) = needs_image("bb:1") else { return };
    let reference: ImageReference = name.parse().unwrap();
    let registry = registry();
    for missing in
        [reference.clone().with_tag("no-such-tag").unwrap(), name.replace("/bb:", "/no-such-repo:").parse().unwrap()]
    {
        let error = registry.manifest(&Repository::from(&missing), &ManifestName::from(&missing)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSuchImage, "{error:?}");
        assert!(error.remedy_text().is_some());
        assert_eq!(registry.find_manifest(&Repository::from(&missing), &ManifestName::from(&missing)).unwrap(), None);
    }
}

#[test]
fn a_registry_that_is_not_there_is_told_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let reference: ImageReference = format!("{address}/a:1").parse().unwrap();
    let error = registry().manifest(&Repository::from(&reference), &ManifestName::from(&reference)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[test]
fn an_index_of_two_images_is_copied_to_two_repositories_and_skopeo_reads_it() {
    let (Some(multi), Some(single)) = (needs_image("multi:1"), needs_image("bb:1")) else { return };
    let host = multi.split('/').next().unwrap();
    let stamp = std::process::id();
    let targets: Vec<ImageReference> = ["one", "two"]
        .iter()
        .flat_map(|name| [format!("{host}/wharf-test/{name}-{stamp}:a"), format!("{host}/wharf-test/{name}-{stamp}:b")])
        .map(|target| target.parse().unwrap())
        .collect();
    let created = create_index(&registry(), &targets, &[multi.parse().unwrap(), single.parse().unwrap()]).unwrap();
    assert_eq!(created.results.len(), 4);
    for result in &created.results {
        assert_eq!(result.outcome.as_ref().unwrap(), &created.digest);
        let raw = skopeo_raw(&result.target.to_string());
        assert_eq!(Digest::sha256_of(&raw), created.digest);
        let Manifest::Index(index) = Manifest::parse(&raw, None).unwrap() else { panic!("not an index") };
        assert!(index.manifests.iter().any(|entry| entry.platform().unwrap().architecture == "arm64"));
        // skopeo fetches every image of the index, with all its blobs.
        let copy = tempfile::tempdir().unwrap();
        let output = skopeo(copy.path())
            .args(["copy", "--all", "--src-tls-verify=false", &format!("docker://{}", result.target)])
            .arg(format!("dir:{}", copy.path().display()))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let again = create_index(&registry(), &targets, &[multi.parse().unwrap(), single.parse().unwrap()]).unwrap();
    assert_eq!(again, created, "doing it again changes nothing");
}

/// skopeo without anybody's credentials: in its default place it may not look, as an ordinary user without a session.
fn skopeo(runtime: &Path) -> Command {
    let mut command = Command::new("skopeo");
    command.env("XDG_RUNTIME_DIR", runtime);
    command
}

fn skopeo_raw(name: &str) -> Vec<u8> {
    let runtime = tempfile::tempdir().unwrap();
    let output = skopeo(runtime.path())
        .args(["inspect", "--raw", "--tls-verify=false", &format!("docker://{name}")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
