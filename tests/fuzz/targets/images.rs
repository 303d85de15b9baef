//! What must hold for manifests, indexes, image configurations and paths of layers?
//!
//! Deliberately elsewhere: layers (`tar_apply`), what registries say beside them (`registry::fuzz`).

use wharf::engine::{
    backend::embedded::{
        images::{config::ImageConfig, unpacker::LayerPath},
        manifest::Manifest,
    },
    domain::{ErrorKind, Platform},
};

/// A media type on the first line, the manifest behind it: what is understood survives writing and reading, and
/// one entry for a platform is chosen, or none there is said to be.
pub fn manifest(input: &[u8]) {
    let cut = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (said, bytes) = input.split_at(cut);
    let said = std::str::from_utf8(said).ok().filter(|said| !said.is_empty());
    match Manifest::parse(bytes, said) {
        Ok(Manifest::Image(image)) => {
            let written = serde_json::to_vec(&image).unwrap();
            assert_eq!(
                serde_json::from_slice::<wharf::engine::backend::embedded::manifest::ImageManifest>(&written).unwrap(),
                image
            );
            assert!(Manifest::parse(bytes, None).is_ok() || said.is_some());
        }
        Ok(Manifest::Index(index)) => {
            for wanted in ["linux/amd64", "linux/arm/v7", "windows/amd64"] {
                let wanted: Platform = wanted.parse().unwrap();
                match index.select(&wanted) {
                    Ok(chosen) => assert!(index.manifests.contains(chosen)),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::PlatformMismatch),
                }
            }
            index.manifests.iter().for_each(|descriptor| drop((descriptor.platform(), descriptor.is_foreign())));
        }
        Err(error) => assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Unsupported), "{error}"),
    }
}

/// A configuration: one chain id for each layer, and what is understood survives writing and reading.
pub fn config(input: &[u8]) {
    let Ok(config) = ImageConfig::parse(input) else { return };
    assert_eq!(config.chain_ids().len(), config.rootfs.diff_ids.len());
    drop(config.platform());
    let written = serde_json::to_vec(&config).unwrap();
    assert_eq!(ImageConfig::parse(&written).unwrap(), config);
}

/// A path of a layer as it stands in a report: bytes survive, and no text panics.
pub fn layer_path(input: &[u8]) {
    let path = LayerPath(input.to_vec());
    let json = serde_json::to_vec(&path).unwrap();
    assert_eq!(serde_json::from_slice::<LayerPath>(&json).unwrap(), path);
    if let Ok(read) = serde_json::from_slice::<LayerPath>(input) {
        assert_eq!(serde_json::from_slice::<LayerPath>(&serde_json::to_vec(&read).unwrap()).unwrap(), read);
    }
    if let Ok(text) = serde_json::from_value::<LayerPath>(String::from_utf8_lossy(input).into_owned().into()) {
        assert_eq!(serde_json::from_str::<LayerPath>(&serde_json::to_string(&text).unwrap()).unwrap(), text);
    }
}
