use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Read, Write},
    sync::Mutex,
};

use serde_json::json;

use super::super::source::{ImageSource, ManifestBytes};
use crate::engine::{
    backend::{
        OperationContext,
        embedded::manifest::{Descriptor, OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST},
    },
    domain::{Digest, Error, ErrorKind, ImageReference, Result},
};

/// Images by tag, and every way a registry can go wrong.
#[derive(Default)]
pub struct MemoryRegistry {
    manifests: HashMap<Digest, Vec<u8>>,
    blobs: HashMap<Digest, Vec<u8>>,
    tags: BTreeMap<String, Digest>,
    pub faults: Mutex<Vec<(Digest, Fault)>>,
    /// Digest and offset of every blob asked for.
    pub asked: Mutex<Vec<(Digest, u64)>>,
}

#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The connection ends here, once.
    CutOnce(usize),
    /// The connection always ends here.
    Cut(usize),
    /// One bit is wrong.
    Flip(usize),
    /// More comes than was announced.
    Extra,
    /// One byte at a time.
    Drip,
}

#[derive(Clone, Copy)]
pub enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// A layer's tar from `(path, content)`; a path ending in `/` is a directory.
pub fn tar(members: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(if path.ends_with('/') { 0o755 } else { 0o644 });
        header.set_entry_type(match path.ends_with('/') {
            true => tar::EntryType::Directory,
            false => tar::EntryType::Regular,
        });
        builder.append_data(&mut header, path, content.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

pub fn pack(tar: &[u8], packing: Packing) -> Vec<u8> {
    match packing {
        Packing::Plain => tar.to_vec(),
        Packing::Gzip => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(tar).unwrap();
            gzip.finish().unwrap()
        }
        Packing::Zstd => zstd::encode_all(tar, 1).unwrap(),
    }
}

impl MemoryRegistry {
    pub fn blob(&mut self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::sha256_of(&bytes);
        self.blobs.insert(digest.clone(), bytes);
        digest
    }

    /// Adds an image of these layers; returns its manifest's digest and the blobs' ones.
    pub fn image(&mut self, tag: &str, layers: &[Vec<u8>], packing: Packing) -> (Digest, Vec<Digest>) {
        self.image_for(Some(tag), layers, packing, "amd64")
    }

    pub fn image_for(
        &mut self,
        tag: Option<&str>,
        layers: &[Vec<u8>],
        packing: Packing,
        architecture: &str,
    ) -> (Digest, Vec<Digest>) {
        let diff_ids: Vec<_> = layers.iter().map(|layer| Digest::sha256_of(layer)).collect();
        let blobs: Vec<_> = layers.iter().map(|layer| self.blob(pack(layer, packing))).collect();
        let config = json!({
            "architecture": architecture, "os": "linux", "created": "2024-05-01T10:00:00Z",
            "config": {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": layers.iter().map(|_| json!({"created_by": "COPY . /"})).collect::<Vec<_>>(),
        });
        let config = serde_json::to_vec(&config).unwrap();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIG, "size": config.len(), "digest": self.blob(config)},
            "layers": blobs.iter().map(|digest| json!({
                "mediaType": OCI_LAYER_GZIP, "size": self.blobs[digest].len(), "digest": digest,
            })).collect::<Vec<_>>(),
        });
        (self.manifest(tag, serde_json::to_vec(&manifest).unwrap()), blobs)
    }

    /// An index of manifests and architectures.
    pub fn index(&mut self, tag: &str, entries: &[(Digest, &str)]) -> Digest {
        let manifests: Vec<_> = entries
            .iter()
            .map(|(digest, architecture)| {
                let size = self.manifests[digest].len();
                let platform = json!({"os": "linux", "architecture": architecture});
                json!({"mediaType": OCI_MANIFEST, "size": size, "digest": digest, "platform": platform})
            })
            .collect();
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests});
        self.manifest(Some(tag), serde_json::to_vec(&index).unwrap())
    }

    pub fn manifest(&mut self, tag: Option<&str>, bytes: Vec<u8>) -> Digest {
        let digest = Digest::sha256_of(&bytes);
        self.manifests.insert(digest.clone(), bytes);
        if let Some(tag) = tag {
            self.tags.insert(tag.to_owned(), digest.clone());
        }
        digest
    }

    pub fn break_blob(&self, digest: &Digest, fault: Fault) {
        self.faults.lock().unwrap().push((digest.clone(), fault));
    }

    pub fn mend(&self) {
        self.faults.lock().unwrap().clear();
    }

    pub fn asked_for(&self, digest: &Digest) -> Vec<u64> {
        self.asked.lock().unwrap().iter().filter(|(asked, _)| asked == digest).map(|(_, offset)| *offset).collect()
    }

    fn take_fault(&self, digest: &Digest) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let at = faults.iter().position(|(broken, _)| broken == digest)?;
        let fault = faults[at].1;
        if let Fault::CutOnce(_) = fault {
            faults.remove(at);
        }
        Some(fault)
    }

    fn found(&self, digest: &Digest) -> Result<ManifestBytes> {
        let bytes = self.manifests.get(digest).cloned();
        let bytes = bytes.ok_or_else(|| Error::new(ErrorKind::NoSuchImage, "the registry does not know it"))?;
        Ok(ManifestBytes { bytes, media_type: None, digest: digest.clone() })
    }
}

impl ImageSource for MemoryRegistry {
    fn resolve(&self, reference: &ImageReference, _context: &OperationContext) -> Result<ManifestBytes> {
        let tagged = || self.tags.get(reference.tag_or_latest().as_str()).cloned();
        match reference.digest().cloned().or_else(tagged) {
            Some(digest) => self.found(&digest),
            None => Err(Error::new(ErrorKind::NoSuchImage, "the registry does not know it")),
        }
    }

    fn manifest(&self, descriptor: &Descriptor, _context: &OperationContext) -> Result<ManifestBytes> {
        self.found(&descriptor.digest)
    }

    fn blob(&self, descriptor: &Descriptor, offset: u64, _context: &OperationContext) -> Result<Box<dyn Read + Send>> {
        self.asked.lock().unwrap().push((descriptor.digest.clone(), offset));
        let mut bytes = self.blobs[&descriptor.digest].clone();
        let offset = usize::try_from(offset).unwrap();
        match self.take_fault(&descriptor.digest) {
            None => {}
            Some(Fault::CutOnce(at) | Fault::Cut(at)) => bytes.truncate(at.max(offset)),
            Some(Fault::Flip(at)) => bytes[at] ^= 4,
            Some(Fault::Extra) => bytes.push(0),
            Some(Fault::Drip) => return Ok(Box::new(Drip(io::Cursor::new(bytes[offset..].to_vec())))),
        }
        Ok(Box::new(io::Cursor::new(bytes[offset..].to_vec())))
    }
}

struct Drip(io::Cursor<Vec<u8>>);

impl Read for Drip {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let end = into.len().min(1);
        self.0.read(&mut into[..end])
    }
}

impl MemoryRegistry {
    pub fn found_bytes(&self, digest: &Digest) -> Vec<u8> {
        self.manifests[digest].clone()
    }
}
