//! How does an image look from outside? Docker's `inspect` object, its history, and the index other tools read.
//!
//! Deliberately elsewhere: tables (`cli`), finding the image (`catalog`).

use std::io;

use serde_json::{Map, Value, json};

use super::{records::ImageRecord, store::ImageStore};
use crate::engine::{
    backend::embedded::manifest::{Descriptor, OCI_INDEX},
    domain::{Error, ErrorKind, HistoryEntry, Result, Size},
};

/// What Docker always shows in an image's `Config`, set or not.
fn config_defaults() -> Value {
    json!({
        "Hostname": "", "Domainname": "", "User": "",
        "AttachStdin": false, "AttachStdout": false, "AttachStderr": false,
        "Tty": false, "OpenStdin": false, "StdinOnce": false,
        "Env": null, "Cmd": null, "Image": "", "Volumes": null, "WorkingDir": "", "Entrypoint": null,
        "OnBuild": null, "Labels": null,
    })
}

impl ImageStore {
    /// Docker's `inspect` object. Docker Engine API, `GET /images/{name}/json`.
    ///
    /// # Errors
    /// As `find`; `Corrupt` when the configuration is gone.
    pub fn inspect(&self, query: &str) -> Result<Value> {
        let record = self.find(query)?;
        let raw: Value = serde_json::from_slice(&self.config_bytes(&record)?)
            .map_err(|error| Error::new(ErrorKind::Corrupt, "its configuration is malformed").caused_by(error))?;
        let text = |key: &str| raw.get(key).cloned().unwrap_or_else(|| json!(""));
        let mut config = match raw.get("config") {
            Some(Value::Object(config)) => config.clone(),
            Some(_) | None => Map::new(),
        };
        for (key, default) in config_defaults().as_object().into_iter().flatten() {
            config.entry(key.clone()).or_insert_with(|| default.clone());
        }
        let tags = self.records.tags()?.into_iter().filter(|(_, id)| *id == record.id);
        let tags: Vec<String> = tags.map(|(tag, _)| tag.familiar()).collect();
        let digests: Vec<String> = record.digests.iter().map(|digest| digest.familiar()).collect();
        let comment =
            raw.pointer("/history").and_then(Value::as_array).and_then(|steps| steps.last()?.get("comment").cloned());
        let lowers: Vec<String> = self.lowers(&record).iter().map(|path| path.display().to_string()).collect();
        let layers: Vec<String> = record.layers.iter().map(|layer| layer.diff_id.to_string()).collect();
        let mut shown = json!({
            "Id": record.id.to_string(),
            "RepoTags": tags,
            "RepoDigests": digests,
            "Parent": "",
            "Comment": comment.unwrap_or_else(|| json!("")),
            "Created": text("created"),
            "Container": text("container"),
            "DockerVersion": text("docker_version"),
            "Author": text("author"),
            "Config": config,
            "Architecture": text("architecture"),
            "Os": text("os"),
            "Size": record.size(),
            "VirtualSize": record.size(),
            "GraphDriver": {"Name": "overlay", "Data": {"LowerDirs": lowers}},
            "RootFS": {"Type": "layers", "Layers": layers},
            "Metadata": {"LastTagTime": record.pulled},
        });
        if let (Some(variant), Some(shown)) = (raw.get("variant"), shown.as_object_mut()) {
            shown.insert("Variant".to_owned(), variant.clone());
        }
        Ok(shown)
    }

    /// How the image was made, newest step first.
    ///
    /// # Errors
    /// As `find`; `Corrupt` when the configuration is gone.
    pub fn history(&self, query: &str) -> Result<Vec<HistoryEntry>> {
        let record = self.find(query)?;
        let steps = self.config(&record)?.history;
        let mut layers = record.layers.iter();
        let mut entries: Vec<HistoryEntry> = steps
            .into_iter()
            .map(|step| {
                let layer = if step.empty_layer { None } else { layers.next() };
                HistoryEntry {
                    layer: layer.map(|layer| layer.blob.digest.clone()),
                    created: step.created,
                    created_by: step.created_by,
                    size: Size(layer.map_or(0, |layer| layer.bytes)),
                    comment: step.comment,
                    empty: step.empty_layer,
                }
            })
            .collect();
        // Builders may leave steps out; layers are facts.
        entries.extend(layers.map(|layer| HistoryEntry {
            layer: Some(layer.blob.digest.clone()),
            created: record.created,
            created_by: String::new(),
            size: Size(layer.bytes),
            comment: String::new(),
            empty: false,
        }));
        entries.reverse();
        Ok(entries)
    }

    /// Bytes that all images take: blobs, and files of layers, each once.
    ///
    /// # Errors
    /// What reading the store comes to.
    pub fn usage(&self) -> Result<Size> {
        let records = self.records.images()?;
        let mut counted = std::collections::HashSet::new();
        let mut bytes = 0;
        for layer in records.iter().flat_map(|record| &record.layers) {
            bytes += if counted.insert(layer.key.clone()) { layer.bytes } else { 0 };
        }
        for blob in records.iter().flat_map(ImageRecord::blobs) {
            let new = counted.insert(blob.clone());
            bytes += if new { self.blobs.size(blob).unwrap_or_default() } else { 0 };
        }
        Ok(Size(bytes))
    }

    /// Writes `index.json`, so that the directory is an OCI image layout with every tag in it. image-layout.md.
    pub(super) fn write_index(&self) -> Result<()> {
        let index = self.index()?;
        self.disk
            .write_atomic(&self.layout.index(), index.as_bytes())
            .map_err(|error| Error::io("writing the image index", error))
    }

    /// Whether `index.json` says what is here: it is never synced, and a full disk keeps it from being written.
    pub(super) fn is_index_right(&self) -> Result<bool> {
        let should = self.index()?;
        match self.disk.read(&self.layout.index()) {
            Ok(there) => Ok(there == should.as_bytes()),
            // Nothing was ever pulled.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(self.records.tags()?.is_empty()),
            Err(error) => Err(Error::io("reading the image index", error)),
        }
    }

    fn index(&self) -> Result<String> {
        let records = self.records.images()?;
        let manifests = self.records.tags()?.into_iter().filter_map(|(tag, id)| {
            let record = records.iter().find(|record| record.id == id)?;
            let mut annotations = Map::new();
            annotations.insert("org.opencontainers.image.ref.name".to_owned(), json!(tag.to_string()));
            Some(Descriptor { annotations: Some(annotations), ..record.manifest.clone() })
        });
        let manifests: Vec<Descriptor> = manifests.collect();
        Ok(json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}).to_string())
    }
}
