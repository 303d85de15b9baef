//! How does a layer made here become an image of the daemon? Streamed to its import call, with the configuration as
//! Dockerfile instructions.
//!
//! Deliberately elsewhere: the answer's stream (`transfer`), what is in the layer (whoever made it).

use std::io::{self, Read};

use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame};
use tokio::sync::mpsc;

use super::{
    api::Api, connection::RequestBody, container_json::text, failure::About, images, path::Path, transfer::follow,
};
use crate::engine::{
    backend::OperationContext,
    domain::{Done, Error, ImageImport, Result},
};

/// Bytes read at a time, and how many such pieces may wait for the daemon.
const PIECE: usize = 256 << 10;
const PIECES: usize = 4;

/// Makes the image. The daemon chooses its time, so the same layer makes another image each time.
///
/// # Errors
/// The daemon's reason; `Cancelled`. A layer that breaks off makes no image.
pub async fn import(api: &Api, import: ImageImport, context: &OperationContext) -> Result<Done> {
    let reference = import.reference.clone().with_default_tag();
    context.step("sending the layer");
    let mut path = Path::new("/images/create")
        .query("fromSrc", "-")
        .query("repo", reference.name())
        .query("tag", reference.tag_or_latest())
        .query("message", &import.created_by);
    for change in instructions(&import) {
        path = path.query("changes", change);
    }
    let body = (streamed(import.layer), import.layer_size);
    let stream = tokio::select! {
        opened = api.upload(path, body, About::Image, context.remaining()) => opened?,
        () = context.cancel.cancelled() => return Err(Error::cancelled()),
    };
    follow(stream, context).await?;
    // What counts is that the image is there now.
    let made = images::inspect(api, &reference.to_string()).await?;
    Ok(Done { output: vec![text(&made, "Id").to_owned()], ..Done::default() })
}

/// The configuration in the form that `docker import --change` takes.
fn instructions(import: &ImageImport) -> Vec<String> {
    let list = |words: &[String]| serde_json::Value::from(words).to_string();
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut lines = Vec::new();
    if !import.entrypoint.is_empty() {
        lines.push(format!("ENTRYPOINT {}", list(&import.entrypoint)));
    }
    if !import.command.is_empty() {
        lines.push(format!("CMD {}", list(&import.command)));
    }
    for (key, value) in import.env.iter().filter_map(|variable| variable.split_once('=')) {
        lines.push(format!("ENV {key}={}", quoted(value)));
    }
    for (key, value) in &import.labels {
        lines.push(format!("LABEL {key}={}", quoted(value)));
    }
    lines
}

/// Reads the layer on a thread for blocking work, as fast as the daemon takes it.
fn streamed(mut layer: Box<dyn Read + Send>) -> RequestBody {
    let (sender, pieces) = mpsc::channel::<io::Result<Bytes>>(PIECES);
    // Ends with the layer, or as soon as nobody takes the pieces any more.
    drop(tokio::task::spawn_blocking(move || {
        let mut piece = vec![0; PIECE];
        loop {
            let read = match layer.read(&mut piece) {
                Ok(0) => return,
                Ok(count) => Ok(Bytes::copy_from_slice(piece.get(..count).unwrap_or_default())),
                Err(error) => Err(error),
            };
            let failed = read.is_err();
            if sender.blocking_send(read).is_err() || failed {
                return;
            }
        }
    }));
    let frames = stream::unfold(pieces, async |mut pieces| {
        let piece = pieces.recv().await?;
        Some((piece.map(Frame::data), pieces))
    });
    StreamBody::new(frames).boxed_unsync()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::engine::domain::Timestamp;

    #[test]
    fn the_configuration_becomes_instructions_that_no_value_can_break_out_of() {
        let import = ImageImport {
            reference: "wharf/demo".parse().unwrap(),
            layer: Box::new(io::empty()),
            layer_size: 0,
            created: Timestamp::from_unix_nanos(0),
            entrypoint: Vec::new(),
            command: vec!["/bin/x".to_owned(), "a \"b\"".to_owned()],
            env: vec!["PATH=/bin:/usr/bin".to_owned()],
            labels: BTreeMap::from([("wharf.demo.image".to_owned(), "1\nCMD evil".to_owned())]),
            created_by: String::new(),
        };
        let expected =
            [r#"CMD ["/bin/x","a \"b\""]"#, r#"ENV PATH="/bin:/usr/bin""#, r#"LABEL wharf.demo.image="1\nCMD evil""#];
        assert_eq!(instructions(&import), expected);
    }
}
