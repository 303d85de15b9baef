//! Does a layer made here become an image like any other?

use std::{collections::BTreeMap, io::Read};

use super::*;
use crate::engine::domain::{ErrorKind, ImageImport, Timestamp};

fn archive() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o644);
    header.set_size(5);
    builder.append_data(&mut header, "etc/motd", &b"ahoy\n"[..]).unwrap();
    builder.into_inner().unwrap()
}

fn import_of(layer: Box<dyn Read + Send>, layer_size: u64) -> ImageImport {
    ImageImport {
        reference: reference("made/here:1"),
        layer,
        layer_size,
        created: Timestamp::from_unix_nanos(1_700_000_000_000_000_000),
        entrypoint: Vec::new(),
        command: vec!["/bin/x".to_owned()],
        env: vec!["A=b".to_owned()],
        labels: BTreeMap::from([("made".to_owned(), "here".to_owned())]),
        created_by: "a test".to_owned(),
    }
}

fn import(bytes: Vec<u8>) -> ImageImport {
    let size = bytes.len() as u64;
    import_of(Box::new(std::io::Cursor::new(bytes)), size)
}

#[test]
fn an_imported_layer_is_an_image_with_its_configuration_and_files() {
    let store = TestStore::new();
    let first = store.images.import(import(archive()), &context()).unwrap();
    let record = store.images.find("made/here:1").unwrap();
    assert_eq!((record.id.clone(), first.already), (first.id.clone(), false));
    let config = store.images.config(&record).unwrap();
    assert_eq!((config.config.env, config.config.cmd), (vec!["A=b".to_owned()], vec!["/bin/x".to_owned()]));
    let lowers = store.images.lowers(&record);
    assert_eq!(std::fs::read(lowers[0].join("etc/motd")).unwrap(), b"ahoy\n");
    store.assert_tidy();
    let again = store.images.import(import(archive()), &context()).unwrap();
    assert_eq!((again.id, again.already), (first.id, true));
}

#[test]
fn a_layer_of_another_length_or_that_is_no_archive_leaves_no_image() {
    let store = TestStore::new();
    let bytes = archive();
    let size = bytes.len() as u64 + 512;
    let short = store.images.import(import_of(Box::new(std::io::Cursor::new(bytes)), size), &context()).unwrap_err();
    assert_eq!(short.kind(), ErrorKind::InvalidInput);
    let garbage = store.images.import(import(vec![b'x'; 2048]), &context()).unwrap_err();
    assert_eq!(garbage.kind(), ErrorKind::Corrupt);
    assert_eq!(store.images.images().unwrap(), []);
    store.assert_tidy();
}
