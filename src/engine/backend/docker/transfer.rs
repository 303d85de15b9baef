//! How does the daemon pull and push an image, and how far is it?
//!
//! The answer begins as a success whatever comes; the stream says how it ends, and afterwards the image is looked at.
//! Deliberately elsewhere: credentials (`credentials`), the objects of the stream (`json_stream`).

use http::Method;
use serde_json::Value;

use super::{
    api::{Api, Stream},
    container_json::text,
    credentials,
    failure::{self, About},
    images,
    json_stream::JsonStream,
    path::Path,
};
use crate::engine::{
    backend::OperationContext,
    domain::{
        Done, Error, ErrorKind, HostKind, ImageReference, Progress, PullOptions, Result, Transfer, TransferPhase,
    },
};

/// Fetches an image. Cancelling hangs up; the daemon keeps whole layers for the next try.
///
/// # Errors
/// `NoSuchImage`, `Unauthorized`, `PlatformMismatch`, `Unreachable`, or the daemon's reason.
pub async fn pull(
    api: &Api,
    reference: &ImageReference,
    options: &PullOptions,
    context: &OperationContext,
) -> Result<Done> {
    let reference = reference.clone().with_default_tag();
    let name = reference.to_string();
    let before = id_of(api, &name).await;
    let auth = credentials::header(api.registries(), &reference).await?;
    context.step("resolving");
    let compatible = |reference: &ImageReference| {
        let version = match reference.digest() {
            Some(digest) => digest.to_string(),
            None => reference.tag_or_latest().to_string(),
        };
        Path::new("/images/create").query("fromImage", reference.name()).query("tag", version)
    };
    // Podman's compatible call insists on TLS; its own call can be told that a registry of this machine has none.
    let own_call = api.daemon().await?.kind == HostKind::Podman && reference.is_loopback_registry();
    let path = if own_call {
        Path::new("/libpod/images/pull").query("reference", &name).query("tlsVerify", false)
    } else {
        compatible(&reference)
    };
    let path = match &options.platform {
        Some(platform) if own_call => path
            .query("OS", &platform.os)
            .query("Arch", &platform.architecture)
            .maybe("Variant", platform.variant.as_ref()),
        Some(platform) => path.query("platform", platform),
        None => path,
    };
    let stream = open(api, path, &auth, context).await.map_err(|error| refused(error, &reference))?;
    follow(stream, context).await.map_err(|error| refused(error, &reference))?;
    // What counts is that the image is there now.
    let after = images::inspect(api, &name).await?;
    let after = text(&after, "Id").to_owned();
    Ok(Done {
        already: before.as_deref() == Some(after.as_str()),
        output: vec![reference.familiar()],
        ..Done::default()
    })
}

/// Sends an image to its registry.
///
/// # Errors
/// As [`pull`].
pub async fn push(api: &Api, reference: &ImageReference, context: &OperationContext) -> Result<Done> {
    let reference = reference.clone().with_default_tag();
    // "Not here" is told before anybody is asked for credentials.
    images::inspect(api, &reference.to_string()).await?;
    let auth = credentials::header(api.registries(), &reference).await?;
    context.step("connecting");
    let podman = api.daemon().await?.kind == HostKind::Podman;
    let path = Path::new("/images").image(&reference.name()).then("push");
    let path = path.query("tag", reference.tag_or_latest());
    let path = path.maybe("tlsVerify", (podman && reference.is_loopback_registry()).then_some(false));
    let stream = open(api, path, &auth, context).await.map_err(|error| refused(error, &reference))?;
    let digest = follow(stream, context).await.map_err(|error| refused(error, &reference))?;
    let line = match digest {
        Some(digest) => format!("{}@{digest}", reference.familiar()),
        None => reference.familiar(),
    };
    Ok(Done { output: vec![line], ..Done::default() })
}

/// The head of the answer waits for the registry, so a cancel must get through here too.
async fn open(api: &Api, path: Path, auth: &str, context: &OperationContext) -> Result<Stream> {
    tokio::select! {
        stream = api.stream(Method::POST, path, Some(auth), About::Image, context.remaining()) => stream,
        () = context.cancel.cancelled() => Err(Error::cancelled()),
    }
}

async fn id_of(api: &Api, name: &str) -> Option<String> {
    // Not here yet, or not answering: the pull will tell.
    let object = images::inspect(api, name).await.ok()?;
    Some(text(&object, "Id").to_owned())
}

/// Reads the stream to its end, reporting; the digest when it names one.
pub async fn follow(mut stream: Stream, context: &OperationContext) -> Result<Option<String>> {
    let mut objects = JsonStream::default();
    let mut digest = None;
    loop {
        let bytes = tokio::select! {
            bytes = stream.next() => bytes?,
            () = context.cancel.cancelled() => return Err(Error::cancelled()),
        };
        let Some(bytes) = bytes else {
            context.report(|progress| {
                let open = progress.transfers.iter_mut().filter(|transfer| transfer.phase == TransferPhase::Fetching);
                open.for_each(|transfer| transfer.phase = TransferPhase::Done);
            });
            return Ok(digest);
        };
        let objects = objects.feed(&bytes)?;
        for object in &objects {
            if let Some(error) = error_in(object) {
                return Err(failure::in_stream(error, About::Image));
            }
            digest = digest_in(object).or(digest);
        }
        context.report(|progress| objects.iter().for_each(|object| advance(progress, object)));
    }
}

/// `{"errorDetail": {"message": ...}, "error": ...}`, the form of every daemon.
fn error_in(object: &Value) -> Option<&str> {
    let detail = object.pointer("/errorDetail/message").and_then(Value::as_str);
    detail.or_else(|| object.get("error").and_then(Value::as_str)).filter(|error| !error.is_empty())
}

/// `{"aux": {"Digest": ...}}` from Docker; Podman has it only in `1: digest: sha256:... size: 427`.
fn digest_in(object: &Value) -> Option<String> {
    let aux = object.pointer("/aux/Digest").and_then(Value::as_str).map(str::to_owned);
    aux.or_else(|| {
        let (_, rest) = text(object, "status").split_once("digest: ")?;
        Some(rest.split_whitespace().next()?.to_owned())
    })
}

/// One object of the stream on the progress. The words are for people, and there is nothing else: an unknown one
/// changes nothing.
fn advance(progress: &mut Progress, object: &Value) {
    let (word, id) = (text(object, "status"), text(object, "id"));
    let phase = match word {
        "Pulling fs layer" | "Waiting" | "Preparing" | "Download complete" | "Verifying Checksum" => {
            TransferPhase::Waiting
        }
        "Downloading" => TransferPhase::Fetching,
        "Extracting" => TransferPhase::Unpacking,
        "Pushing" => TransferPhase::Uploading,
        "Already exists" | "Layer already exists" => TransferPhase::Exists,
        "Pull complete" | "Pushed" => TransferPhase::Done,
        word if word.starts_with("Mounted from") => TransferPhase::Mounted,
        _ => {
            let line = if word.is_empty() { text(object, "stream") } else { word }.trim();
            if let Some(blob) = line.strip_prefix("Copying blob sha256:") {
                // Podman's own pull names what it fetches and counts nothing.
                transfer(progress, blob.get(..12).unwrap_or(blob), TransferPhase::Fetching);
            } else if !line.is_empty() {
                progress.step = line.to_owned();
            }
            return;
        }
    };
    if id.is_empty() {
        return;
    }
    let Some(transfer) = transfer(progress, id, phase) else { return };
    let detail = |key: &str| object.get("progressDetail").and_then(|detail| detail.get(key)).and_then(Value::as_u64);
    transfer.phase = phase;
    transfer.total = detail("total").unwrap_or(transfer.total).max(transfer.total);
    transfer.done = match (word, phase) {
        ("Download complete" | "Verifying Checksum", _) => transfer.total,
        // Unpacking counts from zero again; the bytes are all here.
        (_, TransferPhase::Unpacking | TransferPhase::Exists | TransferPhase::Mounted | TransferPhase::Done) => {
            transfer.total
        }
        (_, _) => detail("current").unwrap_or(transfer.done),
    };
    progress.step = match phase {
        TransferPhase::Uploading | TransferPhase::Mounted => "pushing",
        TransferPhase::Unpacking => "unpacking",
        TransferPhase::Waiting
        | TransferPhase::Joined
        | TransferPhase::Fetching
        | TransferPhase::Exists
        | TransferPhase::Done
        | TransferPhase::Failed => "transferring",
    }
    .to_owned();
}

/// The transfer of that name, a new one if need be.
fn transfer<'a>(progress: &'a mut Progress, name: &str, phase: TransferPhase) -> Option<&'a mut Transfer> {
    let place = progress.transfers.iter().position(|transfer| transfer.name == name).unwrap_or_else(|| {
        progress.transfers.push(Transfer { name: name.to_owned(), phase, done: 0, total: 0, files: 0 });
        progress.transfers.len() - 1
    });
    progress.transfers.get_mut(place)
}

/// A missing image, a registry that does not answer and a wrong password come as 404, as 500 or inside the stream,
/// depending on the daemon: one kind each, and a way out.
fn refused(error: Error, reference: &ImageReference) -> Error {
    // A failure inside the daemon has no code for what the registry said.
    let error = if error.kind() == ErrorKind::Io { failure::in_stream(error.reason(), About::Image) } else { error };
    let (kind, registry) = (error.kind(), reference.registry());
    if kind == ErrorKind::NoSuchImage {
        error.remedy("check the name and the tag; a private image also needs a login")
    } else if kind == ErrorKind::Unauthorized || kind == ErrorKind::Denied {
        error.remedy(format!("log in first: docker login {registry}"))
    } else if kind == ErrorKind::Unreachable {
        error.remedy(format!("check that {registry} is up and that the daemon may reach it"))
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn layers_advance_in_the_order_they_were_named() {
        let mut progress = Progress::default();
        for object in [
            json!({"status": "Pulling from bb", "id": "1"}),
            json!({"status": "Pulling fs layer", "progressDetail": {}, "id": "aaa"}),
            json!({"status": "Already exists", "progressDetail": {}, "id": "bbb"}),
            json!({"status": "Downloading", "progressDetail": {"current": 40, "total": 89}, "id": "aaa"}),
        ] {
            advance(&mut progress, &object);
        }
        assert_eq!(progress.transfers.len(), 2);
        assert_eq!((progress.transfers[0].done, progress.transfers[0].total), (40, 89));
        assert_eq!(progress.transfers[1].phase, TransferPhase::Exists);
        advance(
            &mut progress,
            &json!({"status": "Extracting", "progressDetail": {"current": 1, "total": 89}, "id": "aaa"}),
        );
        assert_eq!(progress.bytes(), (89, 89), "unpacking does not go back");
        advance(&mut progress, &json!({"status": "a word of the future", "id": "aaa"}));
        advance(&mut progress, &json!({"status": 3, "id": []}));
        assert_eq!(progress.transfers[0].phase, TransferPhase::Unpacking);
    }

    #[test]
    fn errors_and_digests_are_found_in_every_form() {
        assert_eq!(error_in(&json!({"errorDetail": {"message": "a"}, "error": "b"})), Some("a"));
        assert_eq!(error_in(&json!({"error": "b"})), Some("b"));
        assert_eq!(error_in(&json!({"progressDetail": {}, "status": "x"})), None);
        assert_eq!(digest_in(&json!({"aux": {"Digest": "sha256:1"}})).as_deref(), Some("sha256:1"));
        assert_eq!(digest_in(&json!({"status": "1: digest: sha256:2 size: 427"})).as_deref(), Some("sha256:2"));
        assert_eq!(digest_in(&json!({"status": "Pushed"})), None);
    }

    #[test]
    fn refusals_of_registries_have_one_kind_each() {
        let reference: ImageReference = "box:5000/a:1".parse().unwrap();
        for (text, kind) in [
            ("manifest for box:5000/a:1 not found: manifest unknown: manifest unknown", ErrorKind::NoSuchImage),
            ("Get \"http://box:5000/v2/\": dial tcp: connect: connection refused", ErrorKind::Unreachable),
            ("unauthorized: authentication required", ErrorKind::Unauthorized),
            ("no matching manifest for linux/s390x in the manifest list entries", ErrorKind::PlatformMismatch),
            ("write /var/lib/x: no space left on device", ErrorKind::NoSpace),
            ("something else", ErrorKind::Io),
        ] {
            let error = refused(Error::new(ErrorKind::Io, text), &reference);
            assert_eq!((error.kind(), error.reason()), (kind, text));
        }
    }
}
