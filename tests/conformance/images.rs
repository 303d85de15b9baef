//! Are images listed, tagged and removed alike?
//!
//! Deliberately elsewhere: transfers under faults (`tests/engine`), containers (`lifecycle`).

use wharf::engine::domain::*;

use super::bench::{Bench, checks, fails_as, same, told};

checks! {
    "a pulled image is listed under its reference" => |bench| {
        pull(bench).await?;
        let wanted = reference(&bench.image);
        let images = bench.engine.images().await.map_err(told)?;
        same("listed", images.iter().any(|image| image.references.contains(&wanted)), true)
    }
    "a tag is a second reference to the same image" => |bench| {
        pull(bench).await?;
        let target = reference("wharf-conformance/tagged:1");
        bench.submit(Command::Tag { source: bench.image.clone(), target: target.clone() }).await.map_err(told)?;
        let images = bench.engine.images().await.map_err(told)?;
        let found = images.iter().find(|image| image.references.contains(&target)).ok_or("the tag is not listed")?;
        same("same image", found.references.contains(&reference(&bench.image)), true)?;
        let untag = Command::RemoveImage { image: target.familiar(), force: Force::No };
        bench.submit(untag).await.map_err(told)?;
        let images = bench.engine.images().await.map_err(told)?;
        same("untagged", images.iter().any(|image| image.references.contains(&target)), false)?;
        same("kept", images.iter().any(|image| image.references.contains(&reference(&bench.image))), true)
    }
    "an image of that name must exist" => |bench| {
        let missing = "wharf-conformance/missing:1";
        fails_as("inspect", bench.engine.inspect_image(missing).await, ErrorKind::NoSuchImage)?;
        let rmi = Command::RemoveImage { image: missing.into(), force: Force::No };
        fails_as("rmi", bench.submit(rmi).await, ErrorKind::NoSuchImage)?;
        let spec = ContainerSpec { image: missing.into(), pull: PullPolicy::Never, ..bench.spec(&["true"]) };
        fails_as("create", bench.create(spec).await, ErrorKind::NoSuchImage)
    }
    "inspect and history know a pulled image" => |bench| {
        pull(bench).await?;
        let json = bench.engine.inspect_image(&bench.image).await.map_err(told)?;
        same("Id", json["Id"].as_str().is_some_and(|id| id.starts_with("sha256:")), true)?;
        let history = bench.engine.history(&bench.image).await.map_err(told)?;
        same("has steps", history.is_empty(), false)
    }
    "two pulls of one reference both succeed" => |bench| {
        let (one, two) = tokio::join!(pull(bench), pull(bench));
        one?;
        two
    }
}

fn reference(text: &str) -> ImageReference {
    text.parse::<ImageReference>().unwrap().with_default_tag()
}

async fn pull(bench: &Bench) -> Result<(), String> {
    let command = Command::Pull { reference: reference(&bench.image), options: PullOptions::default() };
    bench.submit(command).await.map(|_| ()).map_err(told)
}
