//! What images does the daemon have, and how are they tagged and removed?
//!
//! Deliberately elsewhere: moving them from and to registries (`transfer`).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use bollard::{
    models::ImageDeleteResponseItem,
    query_parameters::{PruneImagesOptionsBuilder, RemoveImageOptionsBuilder, TagImageOptionsBuilder},
};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;

use super::{
    api::{Api, typed_error},
    container_json::{array, digest, text, time},
    failure::About,
    path::Path,
};
use crate::engine::domain::{
    Digest, Done, Error, ErrorKind, Force, HistoryEntry, Image, ImageReference, Platform, Result, Size, Timestamp,
};

/// Images inspected side by side while listing.
const SIDE_BY_SIDE: usize = 4;
/// A listing inspects so many new images; the rest lack layers and platform until the next.
const CLOSE_LOOKS: usize = 128;

/// What never changes about an image, by its id: asked once.
#[derive(Default)]
pub struct KnownImages(Mutex<HashMap<Digest, Fixed>>);

#[derive(Clone)]
struct Fixed {
    platform: Option<Platform>,
    layers: usize,
    created: Option<Timestamp>,
}

/// Every image, tagged or dangling.
///
/// # Errors
/// When the daemon does not answer.
pub async fn list(api: &Api, known: &KnownImages) -> Result<Vec<Image>> {
    let entries: Vec<Value> = api.get(Path::new("/images/json")).await?.json(About::Host)?;
    let mut images: Vec<Image> = entries.iter().filter_map(from_list_entry).collect();
    known.keep_only(&images);
    let unknown: Vec<Digest> =
        images.iter().map(|image| image.id.clone()).filter(|id| known.get(id).is_none()).take(CLOSE_LOOKS).collect();
    let looks = stream::iter(unknown).map(|id| async move {
        // One image that cannot be inspected (it is being removed) does not spoil the list.
        let object: Value =
            api.get(Path::new("/images").image(&id.to_string()).then("json")).await?.json(About::Image)?;
        known.put(id, fixed(&object));
        Ok::<(), Error>(())
    });
    looks.buffer_unordered(SIDE_BY_SIDE).for_each(|_| async {}).await;
    for image in &mut images {
        if let Some(Fixed { platform, layers, created }) = known.get(&image.id) {
            image.platform = platform;
            image.layers = layers;
            image.created = created.or(image.created);
        }
    }
    Ok(images)
}

impl KnownImages {
    fn get(&self, id: &Digest) -> Option<Fixed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn put(&self, id: Digest, fixed: Fixed) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, fixed);
    }

    fn keep_only(&self, images: &[Image]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > images.len() {
            known.retain(|id, _| images.iter().any(|image| image.id == *id));
        }
    }
}

fn fixed(object: &Value) -> Fixed {
    let (os, architecture) = (text(object, "Os"), text(object, "Architecture"));
    let variant = Some(text(object, "Variant")).filter(|variant| !variant.is_empty());
    let known = !os.is_empty() && !architecture.is_empty();
    Fixed {
        platform: known.then(|| Platform::new(os, architecture, variant)),
        layers: object.pointer("/RootFS/Layers").and_then(Value::as_array).map_or(0, Vec::len),
        created: time(object, "Created"),
    }
}

fn from_list_entry(entry: &Value) -> Option<Image> {
    let references = |key: &str| -> Vec<ImageReference> {
        // `<none>:<none>` stands for nothing, and parses as nothing.
        array(entry, key).iter().filter_map(Value::as_str).filter_map(|name| name.parse().ok()).collect()
    };
    let created = entry.get("Created").and_then(Value::as_i64).filter(|created| *created > 0);
    let containers = entry.get("Containers").and_then(Value::as_i64);
    Some(Image {
        id: digest(text(entry, "Id"))?,
        references: references("RepoTags"),
        digests: references("RepoDigests"),
        created: created.map(Timestamp::from_unix_seconds),
        size: size(entry.get("Size")),
        platform: None,
        layers: 0,
        // Docker says -1 when it did not count.
        containers: containers.and_then(|count| usize::try_from(count).ok()),
    })
}

fn size(value: Option<&Value>) -> Size {
    Size::from_bytes(value.and_then(Value::as_u64).unwrap_or_default())
}

/// Docker's `inspect` object of an image, untouched.
///
/// # Errors
/// `NoSuchImage`.
pub async fn inspect(api: &Api, query: &str) -> Result<Value> {
    let reply = api.get(Path::new("/images").image(checked(query)?).then("json")).await?;
    reply.json(About::Image).map_err(|error| named(error, query))
}

/// # Errors
/// `NoSuchImage`.
pub async fn history(api: &Api, query: &str) -> Result<Vec<HistoryEntry>> {
    let reply = api.get(Path::new("/images").image(checked(query)?).then("history")).await?;
    let entries: Vec<Value> = reply.json(About::Image).map_err(|error| named(error, query))?;
    Ok(entries.iter().map(history_entry).collect())
}

fn history_entry(entry: &Value) -> HistoryEntry {
    let created = entry.get("Created").and_then(Value::as_i64).filter(|created| *created > 0);
    let size = size(entry.get("Size"));
    HistoryEntry {
        // What stands in `Id` is an image, not a layer; the API does not say which layer a step made.
        layer: None,
        created: created.map(Timestamp::from_unix_seconds),
        created_by: text(entry, "CreatedBy").to_owned(),
        size,
        comment: text(entry, "Comment").to_owned(),
        empty: size.bytes() == 0,
    }
}

/// # Errors
/// `NoSuchImage`.
pub async fn tag(api: &Api, source: &str, target: &ImageReference) -> Result<Done> {
    let options = TagImageOptionsBuilder::new().repo(&target.name()).tag(target.tag_or_latest().as_str()).build();
    let answer = api.typed().tag_image(checked(source)?, Some(options)).await;
    answer.map_err(|error| named(typed_error(error, About::Image), source))?;
    Ok(Done::default())
}

/// Untags, and deletes what nothing refers to any more.
///
/// # Errors
/// `NoSuchImage`; `Refused` when a container uses it, or several names stand for the id.
pub async fn remove(api: &Api, image: &str, force: Force) -> Result<Done> {
    let options = RemoveImageOptionsBuilder::new().force(force == Force::Yes).build();
    let answer = api.typed().remove_image(checked(image)?, Some(options), None).await;
    match answer.map_err(|error| named(typed_error(error, About::Image), image)) {
        Ok(items) => Ok(Done { output: removed(&items), ..Done::default() }),
        Err(error) if error.kind() == ErrorKind::NoSuchImage && force == Force::Yes => Ok(Done::already_so()),
        Err(error) if error.kind() == ErrorKind::Refused && force == Force::No => {
            Err(error.remedy("remove its containers first, or use rmi --force"))
        }
        Err(error) => Err(error),
    }
}

/// # Errors
/// When the daemon fails; what is in use is skipped by itself.
pub async fn prune(api: &Api, unused: bool) -> Result<Done> {
    let filters = HashMap::from([("dangling", vec![if unused { "false" } else { "true" }])]);
    let options = PruneImagesOptionsBuilder::new().filters(&filters).build();
    let pruned = api.typed().prune_images(Some(options)).await.map_err(|error| typed_error(error, About::Host))?;
    let items = pruned.images_deleted.unwrap_or_default();
    Ok(Done { already: items.is_empty(), output: removed(&items), ..Done::default() })
}

/// As Docker prints it.
fn removed(items: &[ImageDeleteResponseItem]) -> Vec<String> {
    let untagged = |item: &ImageDeleteResponseItem| item.untagged.as_ref().map(|name| format!("Untagged: {name}"));
    let deleted = |item: &ImageDeleteResponseItem| item.deleted.as_ref().map(|id| format!("Deleted: {id}"));
    items.iter().flat_map(|item| [untagged(item), deleted(item)]).flatten().collect()
}

/// A reference, a digest or a prefix of an id. Anything else cannot name an image, and must not reach the request's
/// path.
fn checked(query: &str) -> Result<&str> {
    let digits = query.strip_prefix("sha256:").unwrap_or(query);
    let is_id = !digits.is_empty() && digits.len() <= 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id || query.parse::<ImageReference>().is_ok() { Ok(query) } else { Err(Error::no_such_image(query)) }
}

/// The daemon's words for a missing image differ; ours do not.
fn named(error: Error, query: &str) -> Error {
    if error.kind() == ErrorKind::NoSuchImage { Error::no_such_image(query) } else { error }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "sha256:8db6ea3925a1bd76557a6aba0697fefdbfa13be3c65e33a9e0ed140b6b7eb1df";

    #[test]
    fn recorded_entries_are_read() {
        let docker = json!({"Containers": -1, "Created": 1_795_251_374, "Id": ID, "Labels": null,
            "RepoDigests": ["127.0.0.1:5000/bb@sha256:871599feb6ec1d11fdae448f128baa5e601938a53dac0daf8d7741dc467a8cfd"],
            "RepoTags": ["127.0.0.1:5000/bb:1"], "Size": 1_984_194});
        let image = from_list_entry(&docker).unwrap();
        assert_eq!(image.references[0].to_string(), "127.0.0.1:5000/bb:1");
        assert!(image.digests[0].digest().is_some());
        assert_eq!((image.size.bytes(), image.containers), (1_984_194, None));
        let dangling = json!({"Id": ID, "RepoTags": ["<none>:<none>"], "RepoDigests": null, "Containers": 2});
        let image = from_list_entry(&dangling).unwrap();
        assert!(image.references.is_empty() && image.digests.is_empty());
        assert_eq!((image.containers, image.created), (Some(2), None));
        assert!(from_list_entry(&json!({"Id": "x"})).is_none());
    }

    #[test]
    fn only_names_of_images_reach_the_path() {
        for good in [
            "bb",
            "bb:1",
            "127.0.0.1:5000/a/b:1",
            ID,
            "8db6ea",
            "bb@sha256:8db6ea3925a1bd76557a6aba0697fefdbfa13be3c65e33a9e0ed140b6b7eb1df",
        ] {
            assert!(checked(good).is_ok(), "{good}");
        }
        for bad in ["", "a?force=1", "../x", "a b", "a#b", "a/../b", "%2e"] {
            assert_eq!(checked(bad).unwrap_err().kind(), ErrorKind::NoSuchImage, "{bad}");
        }
    }

    #[test]
    fn the_fixed_facts_are_read_from_inspect() {
        let fixed = fixed(&json!({"Os": "linux", "Architecture": "arm", "Variant": "v7",
            "RootFS": {"Layers": ["a", "b"]}, "Created": "2026-11-21T09:43:33Z"}));
        assert_eq!((fixed.platform.unwrap().to_string().as_str(), fixed.layers), ("linux/arm/v7", 2));
        assert!(fixed.created.is_some());
    }
}
