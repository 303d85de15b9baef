use super::*;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn image(extra: &str) -> String {
    format!(
        r#"{{"schemaVersion":2,{extra}"config":{{"mediaType":"c","digest":"{DIGEST}","size":0}},
            "layers":[{{"mediaType":"l","digest":"{DIGEST}","size":7,"annotations":{{"a":"b"}}}}]}}"#
    )
}

fn parse(text: &str) -> Result<Manifest> {
    Manifest::parse(text.as_bytes(), None)
}

#[test]
fn the_bytes_and_unknown_fields_are_kept() {
    let text = image(r#""surprise":[1,2],"#);
    let found = parse(&text).unwrap();
    assert_eq!(&*found.bytes, text.as_bytes());
    assert_eq!(found.digest, Digest::sha256_of(text.as_bytes()));
    let ManifestContent::Image { layers, .. } = &found.content else { panic!("{found:?}") };
    let layer = serde_json::to_value(&layers[0]).unwrap();
    assert_eq!(layer["annotations"]["a"], "b");
    assert_eq!(found.blobs().iter().map(|blob| blob.size).collect::<Vec<_>>(), [7, 0]);
}

#[test]
fn the_document_names_its_kind_then_the_server_then_its_shape() {
    let docker = image(&format!("\"mediaType\":\"{DOCKER_MANIFEST}\","));
    assert_eq!(Manifest::parse(docker.as_bytes(), Some(OCI_MANIFEST)).unwrap().media_type, DOCKER_MANIFEST);
    let bare = image("");
    let called = format!("{DOCKER_MANIFEST}; charset=utf-8");
    assert_eq!(Manifest::parse(bare.as_bytes(), Some(&called)).unwrap().media_type, DOCKER_MANIFEST);
    assert_eq!(Manifest::parse(bare.as_bytes(), Some("text/html")).unwrap().media_type, OCI_MANIFEST);
    assert_eq!(parse(r#"{"schemaVersion":2,"manifests":[]}"#).unwrap().media_type, OCI_INDEX);
}

#[test]
fn what_is_not_a_manifest_is_refused_without_a_panic() {
    let both = image(r#""manifests":[],"#);
    let disguised = image(&format!("\"mediaType\":\"{OCI_INDEX}\","));
    for text in
        ["", "null", "[]", "{}", "7", "\u{1b}[31m", r#"{"manifests":{}}"#, r#"{"layers":[]}"#, &both, &disguised]
    {
        let error = parse(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{text}: {error}");
        assert!(!error.to_string().contains('\u{1b}'));
    }
    let entry = r#"{"mediaType":"m","digest":"sha256:../../x","size":1}"#;
    assert!(parse(&format!(r#"{{"manifests":[{entry}]}}"#)).is_err());
    assert!(parse(&format!(r#"{{"manifests":[{{"digest":"{DIGEST}","size":-1}}]}}"#)).is_err());
    assert_eq!(parse(r#"{"schemaVersion":1,"fsLayers":[]}"#).unwrap_err().kind(), ErrorKind::Unsupported);
}

fn entry(os: &str, architecture: &str, variant: Option<&str>) -> Descriptor {
    let mut entry = Descriptor::new(OCI_MANIFEST, Digest::sha256_of(architecture.as_bytes()), 1);
    let mut fields = Map::new();
    fields.insert("os".into(), os.into());
    fields.insert("architecture".into(), architecture.into());
    fields.extend(variant.map(|variant| ("variant".to_owned(), variant.into())));
    entry.platform = Some(fields);
    entry
}

#[test]
fn the_best_variant_is_chosen_and_attestations_never() {
    let entries = [
        entry("unknown", "unknown", None),
        entry("linux", "arm", Some("v6")),
        entry("linux", "arm64", None),
        entry("linux", "amd64", None),
    ];
    let chosen = |wanted: &str| select(&entries, &wanted.parse().unwrap()).map(|entry| entry.platform().unwrap());
    assert_eq!(chosen("linux/amd64").unwrap().to_string(), "linux/amd64");
    assert_eq!(chosen("linux/arm/v7").unwrap().to_string(), "linux/arm/v6");
    let error = chosen("linux/s390x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PlatformMismatch);
    assert!(error.to_string().contains("linux/amd64, linux/arm/v6, linux/arm64"), "{error}");
    let silent = [Descriptor::new(OCI_MANIFEST, Digest::sha256_of(b"x"), 1)];
    assert!(select(&silent, &Platform::host()).is_ok());
    assert!(select(&[], &Platform::host()).is_err());
}
