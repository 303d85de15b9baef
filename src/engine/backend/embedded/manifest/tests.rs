use proptest::prelude::*;
use serde_json::json;

use super::*;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn image(media_type: Option<&str>, config_type: &str) -> Vec<u8> {
    let layers = json!([{"mediaType": OCI_LAYER_GZIP, "size": 5, "digest": DIGEST}]);
    let config = json!({"mediaType": config_type, "size": 3, "digest": DIGEST});
    let mut manifest = json!({"schemaVersion": 2, "config": config, "layers": layers});
    if let Some(media_type) = media_type {
        manifest["mediaType"] = media_type.into();
    }
    serde_json::to_vec(&manifest).unwrap()
}

fn index(platforms: &[&str]) -> Vec<u8> {
    let entry = |platform: &&str| {
        let (os, architecture) = platform.split_once('/').unwrap();
        json!({"mediaType": OCI_MANIFEST, "size": 3, "digest": DIGEST, "platform": {"os": os, "architecture": architecture}})
    };
    let manifests: Vec<_> = platforms.iter().map(entry).collect();
    serde_json::to_vec(&json!({"schemaVersion": 2, "manifests": manifests})).unwrap()
}

fn kind_of(bytes: &[u8], media_type: Option<&str>) -> ErrorKind {
    Manifest::parse(bytes, media_type).unwrap_err().kind()
}

#[test]
fn docker_and_oci_manifests_parse_alike() {
    for (inside, beside) in [
        (Some(OCI_MANIFEST), None),
        (Some(DOCKER_MANIFEST), Some("text/plain")),
        (None, Some("application/vnd.oci.image.manifest.v1+json; charset=utf-8")),
        (None, Some("application/json")),
        (None, None),
    ] {
        for config in [OCI_CONFIG, "application/vnd.docker.container.image.v1+json", ""] {
            let parsed = Manifest::parse(&image(inside, config), beside).unwrap();
            assert!(matches!(parsed, Manifest::Image(image) if image.layers[0].size == 5));
        }
    }
}

#[test]
fn what_is_no_image_is_refused_with_its_reason() {
    assert_eq!(kind_of(br#"{"schemaVersion":1,"fsLayers":[]}"#, None), ErrorKind::Unsupported);
    assert_eq!(kind_of(&image(None, "application/vnd.cncf.helm.config.v1+json"), None), ErrorKind::Unsupported);
    assert_eq!(kind_of(&image(Some("application/x"), OCI_CONFIG), None), ErrorKind::Unsupported);
    assert_eq!(kind_of(b"<html>", None), ErrorKind::Protocol);
    assert_eq!(kind_of(b"{}", None), ErrorKind::Protocol);
    assert_eq!(kind_of(br#"{"schemaVersion":2,"layers":[],"manifests":[]}"#, None), ErrorKind::Protocol);
    assert_eq!(kind_of(&vec![b' '; MANIFEST_MAX + 1], None), ErrorKind::Protocol);
    let negative = image(None, OCI_CONFIG);
    let negative = String::from_utf8(negative).unwrap().replace("\"size\":5", "\"size\":-1");
    assert_eq!(kind_of(negative.as_bytes(), None), ErrorKind::Protocol);
    let escaping = String::from_utf8(image(None, OCI_CONFIG)).unwrap().replace(DIGEST, "sha256:../../etc/passwd");
    assert_eq!(kind_of(escaping.as_bytes(), None), ErrorKind::Protocol);
}

#[test]
fn the_best_variant_is_taken_and_a_mismatch_says_what_is_there() {
    let parse = |platforms: &[&str]| match Manifest::parse(&index(platforms), None).unwrap() {
        Manifest::Index(index) => index,
        Manifest::Image(_) => unreachable!(),
    };
    let amd64 = Platform::new("linux", "amd64", None);
    let several = parse(&["linux/386", "linux/arm64", "linux/amd64", "unknown/unknown"]);
    assert_eq!(several.select(&amd64).unwrap().platform().unwrap(), amd64);
    assert_eq!(parse(&["linux/386"]).select(&amd64).unwrap().platform().unwrap().architecture, "386");
    let error = parse(&["linux/arm64", "windows/amd64"]).select(&amd64).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PlatformMismatch);
    assert!(error.reason().contains("linux/arm64, windows/amd64"), "{error}");
    assert_eq!(parse(&[]).select(&amd64).unwrap_err().kind(), ErrorKind::PlatformMismatch);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), hint in proptest::option::of(".{0,20}")) {
        let _either = Manifest::parse(&bytes, hint.as_deref());
    }

    #[test]
    fn a_damaged_manifest_never_panics(at in 0_usize..300, byte in any::<u8>()) {
        let mut bytes = image(Some(OCI_MANIFEST), OCI_CONFIG);
        let at = at % bytes.len();
        bytes[at] = byte;
        let _either = Manifest::parse(&bytes, None);
    }
}
