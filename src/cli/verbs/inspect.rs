//! What does `inspect` print? Docker's JSON array, of containers and images alike.
//!
//! Deliberately elsewhere: the objects (each backend).

use serde::Serialize as _;
use serde_json::{Value, ser::PrettyFormatter};

use super::Work;
use crate::{
    cli::{exit::Exit, grammar::InspectKind},
    engine::domain::{ContainerSelector, Error, ErrorKind, Result},
};

/// Prints what was found as one array; each name that was not is told of.
pub async fn perform(work: &mut Work<'_>, names: &[String], kind: InspectKind) -> Exit {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for name in names {
        match find(work, name, kind).await {
            Ok(value) => found.push(value),
            Err(error) => missing.push(error),
        }
    }
    let text = pretty(&Value::Array(found));
    work.printer.block(&text);
    work.printer.text("\n");
    for error in &missing {
        work.printer.error(error);
    }
    if missing.is_empty() { Exit::DONE } else { Exit::FAILED }
}

async fn find(work: &Work<'_>, name: &str, kind: InspectKind) -> Result<Value> {
    let container = || async { work.engine.inspect_container(&ContainerSelector::from(name)).await };
    match kind {
        InspectKind::Container => container().await,
        InspectKind::Image => work.engine.inspect_image(name).await,
        InspectKind::Any => match container().await {
            Err(error) if error.kind() == ErrorKind::NoSuchContainer => work.engine.inspect_image(name).await.map_err(
                // Also when the name cannot be an image at all: it is the container that is missing.
                |other| match matches!(other.kind(), ErrorKind::NoSuchImage | ErrorKind::InvalidInput) {
                    true => Error::no_such_container(name).remedy("there is no image of that name either"),
                    false => other,
                },
            ),
            other => other,
        },
    }
}

/// Four blanks deep, as Docker indents.
fn pretty(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    "));
    value.serialize(&mut serializer).expect("a Value has string keys and a Vec takes every byte");
    String::from_utf8_lossy(&bytes).into_owned()
}
