//! How does the demo come about, and how does it go? An image, then a few runs; removals, then the image.
//!
//! Nothing that is there is replaced, so asking twice is asking once. Deliberately elsewhere: what belongs to it and
//! what is missing (`engine::demo`).

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::Value;

use super::children::Children;
use crate::engine::{
    actor::bounded,
    demo::{self, IMAGE_LABEL, Step},
    domain::*,
};

pub async fn perform(demo: Demo, children: Children) -> Outcome {
    match demo {
        Demo::Start => start(children).await,
        Demo::Clean => clean(children).await,
    }
}

async fn start(children: Children) -> Outcome {
    children.context().step("looking at what is there");
    let steps = demo::missing(&containers(&children).await?);
    if steps.is_empty() {
        return Ok(Done::already_so());
    }
    if steps.iter().any(|step| matches!(step, Step::Run(_))) {
        import(&children).await?;
    }
    let mut done = Done::default();
    let mut failures = Vec::new();
    for step in steps {
        children.context().check()?;
        let (name, command) = match step {
            Step::Run(member) => (member.name.to_string(), Command::Run(Box::new(member.spec()))),
            Step::Start { container, name } => (name, Command::Start { container: ContainerSelector::Id(container) }),
            Step::NameTaken(member) => {
                done.warnings.push(format!("{} is left out: another container has this name", member.name));
                continue;
            }
        };
        children.context().step(format!("starting {name}"));
        match children.perform(command).await? {
            Ok(started) => {
                done.output.push(name);
                done.warnings.extend(started.warnings);
            }
            Err(error) => failures.push(error),
        }
    }
    done.warnings.dedup();
    settled(done, failures)
}

/// Stores the image, unless the name belongs to an image that is not the demo's.
async fn import(children: &Children) -> Result<()> {
    let reference = demo::image_reference();
    if let Some(image) = inspect(children, reference.familiar()).await?
        && !is_ours(&image)
    {
        let reason = format!("an image that is not the demo's has the name {}", reference.familiar());
        return Err(Error::new(ErrorKind::NameInUse, reason)
            .remedy(format!("give it another name with wharf tag, then wharf rmi {}", reference.familiar())));
    }
    children.context().step("making the image");
    let collecting = tokio::task::spawn_blocking(demo::image_import);
    let import = collecting.await.map_err(|failure| {
        Error::new(ErrorKind::Internal, "collecting the demo's files failed").caused_by(failure)
    })??;
    let context = children.context();
    bounded(children.backend().import_image(import, context.clone()), context).await?;
    context.report(|progress| progress.transfers.clear());
    Ok(())
}

async fn clean(children: Children) -> Outcome {
    children.context().step("looking at what is there");
    let mut ours: Vec<Container> = containers(&children).await?.into_iter().filter(demo::is_ours).collect();
    ours.sort_by_key(Container::display_name);
    let mut done = Done::default();
    let mut failures = Vec::new();
    children.context().step("removing its containers");
    let removals = ours.iter().map(|container| {
        let options = RemoveOptions { force: Force::Yes, volumes: true };
        children.perform(Command::Remove { container: ContainerSelector::Id(container.id.clone()), options })
    });
    for (container, removed) in ours.iter().zip(join_all(removals).await) {
        match removed? {
            Ok(_) => done.output.push(container.display_name()),
            Err(error) => failures.push(error),
        }
    }
    // The tag first; then what the containers were made from, where a newer build has taken the tag over.
    let mut tried = BTreeSet::new();
    let used: BTreeSet<_> = ours.iter().filter_map(|container| container.image_id.as_ref()).collect();
    let images = std::iter::once(demo::image_reference().familiar()).chain(used.iter().map(ToString::to_string));
    for image in images {
        children.context().check()?;
        let Some(found) = inspect(&children, image.clone()).await?.filter(is_ours) else { continue };
        if !tried.insert(found.get("Id").cloned().unwrap_or_default().to_string()) {
            continue;
        }
        children.context().step(format!("removing {image}"));
        match children.perform(Command::RemoveImage { image: image.clone(), force: Force::No }).await? {
            Ok(_) => done.output.push(image),
            Err(error) if error.kind() == ErrorKind::NoSuchImage => {}
            // Somebody's own container was made from it.
            Err(error) if error.kind() == ErrorKind::Refused => done.warnings.push(error.to_string()),
            Err(error) => failures.push(error),
        }
    }
    done.already = done.output.is_empty();
    settled(done, failures)
}

/// Everything that could be done is done before a failure is told.
fn settled(done: Done, mut failures: Vec<Error>) -> Outcome {
    match failures.len() {
        0 => Ok(done),
        1 if done.output.is_empty() => Err(failures.remove(0)),
        _ => {
            let reasons: Vec<String> = failures.iter().map(ToString::to_string).collect();
            Err(Error::new(ErrorKind::Partial, reasons.join("; ")).remedy("wharf demo --clean removes what is there"))
        }
    }
}

async fn containers(children: &Children) -> Result<Vec<Container>> {
    children.ask(children.backend().containers()).await
}

async fn inspect(children: &Children, image: String) -> Result<Option<Value>> {
    match children.ask(children.backend().inspect_image(image)).await {
        Ok(image) => Ok(Some(image)),
        Err(error) if error.kind() == ErrorKind::NoSuchImage => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_ours(image: &Value) -> bool {
    let (key, value) = IMAGE_LABEL;
    image.pointer("/Config/Labels").and_then(|labels| labels.get(key)).is_some_and(|found| found == value)
}
