//! Does a real registry agree with us? The lab's docker-registry and skopeo.
//! Deliberately elsewhere: faults (`faults`), which a real registry does not produce on demand.

use std::{io, process::Command, sync::Arc, time::Duration};

use wharf::engine::{
    backend::{
        OperationContext,
        embedded::{
            manifest::Manifest,
            registry::{ManifestName, Registry, RegistrySettings, Repository},
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
    let Some(name) = needs_image("debian:bookworm") else { return };
    let reference: ImageReference = name.parse().unwrap();
    let repository = Repository::from(&reference);
    let registry = registry();
    let top = registry.manifest(&repository, &ManifestName::from(&reference)).unwrap();
    let output = Command::new("skopeo")
        .args(["inspect", "--raw", "--tls-verify=false", &format!("docker://{name}")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(Digest::sha256_of(&output.stdout), top.digest);
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
