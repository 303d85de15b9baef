//! Are images listed, tagged and removed alike?
//!
//! Deliberately elsewhere: transfers under faults (`tests/engine`), containers (`lifecycle`).

use wharf::engine::domain::*;

use super::bench::{Bench, checks, fails_as, same, told};

/// Checks that not every engine passes.
pub const STOPPED: &str = "a forced removal deletes the image of a stopped container, which still starts";
pub const RUNNING: &str = "a forced removal takes only the name from an image that runs";
pub const RUNNING_BY_ID: &str = "an image that runs is not removed by its id, even by force";
pub const SEVERAL_NAMES: &str = "an id with several names wants force";

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
    "a name among several can be removed while the image runs" => |bench| {
        let spare = Spare::pulled(bench).await?;
        spare.run(&["sleep", "1000"]).await?;
        spare.tag(OTHER).await?;
        spare.rmi(OTHER, Force::No).await.map_err(told)?;
        same("listed", spare.names().await?, Some(vec![reference(&bench.spare)]))?;
        spare.sweep().await
    }
    "the last name of an image in use is not removed without force" => |bench| {
        let spare = Spare::pulled(bench).await?;
        let id = bench.create(spare.spec(&["sleep", "1000"])).await.map_err(told)?;
        fails_as("created", spare.rmi(&bench.spare, Force::No).await, ErrorKind::Refused)?;
        bench.start(&id).await.map_err(told)?;
        fails_as("running", spare.rmi(&bench.spare, Force::No).await, ErrorKind::Refused)?;
        same("listed", spare.names().await?, Some(vec![reference(&bench.spare)]))?;
        spare.sweep().await
    }
    "a forced removal deletes the image of a stopped container, which still starts" => |bench| {
        let spare = Spare::pulled(bench).await?;
        let id = bench.create(spare.spec(&["true"])).await.map_err(told)?;
        spare.rmi(&bench.spare, Force::Yes).await.map_err(told)?;
        same("listed", spare.names().await?, None)?;
        fails_as("inspect", bench.engine.inspect_image(&spare.id.to_string()).await, ErrorKind::NoSuchImage)?;
        for _ in 0..2 {
            bench.start(&id).await.map_err(told)?;
            same("exit", bench.exit(&id).await.map_err(told)?, ProcessExit::Code(0))?;
        }
        spare.pull().await?;
        bench.start(&id).await.map_err(told)?;
        same("exit", bench.exit(&id).await.map_err(told)?, ProcessExit::Code(0))?;
        spare.sweep().await
    }
    "a forced removal takes only the name from an image that runs" => |bench| {
        let spare = Spare::pulled(bench).await?;
        let id = spare.run(&["sleep", "1000"]).await?;
        spare.rmi(&bench.spare, Force::Yes).await.map_err(told)?;
        same("listed", spare.names().await?, Some(Vec::new()))?;
        same("status", bench.status(&id).await.map_err(told)?, Status::Running)?;
        spare.sweep().await
    }
    "an image that runs is not removed by its id, even by force" => |bench| {
        let spare = Spare::pulled(bench).await?;
        spare.run(&["sleep", "1000"]).await?;
        for force in [Force::No, Force::Yes] {
            fails_as("rmi", spare.rmi(&spare.id.to_string(), force).await, ErrorKind::Refused)?;
        }
        same("listed", spare.names().await?, Some(vec![reference(&bench.spare)]))?;
        spare.sweep().await
    }
    "an id with several names wants force" => |bench| {
        let spare = Spare::pulled(bench).await?;
        spare.tag(OTHER).await?;
        fails_as("rmi", spare.rmi(&spare.id.to_string(), Force::No).await, ErrorKind::Refused)?;
        spare.rmi(&spare.id.to_string(), Force::Yes).await.map_err(told)?;
        same("listed", spare.names().await?, None)
    }
}

const OTHER: &str = "wharf-conformance/other:1";

/// The image that checks may remove.
struct Spare<'a> {
    bench: &'a Bench,
    id: Digest,
}

impl<'a> Spare<'a> {
    /// Fresh from the registry, whatever an earlier check left.
    async fn pulled(bench: &'a Bench) -> Result<Self, String> {
        let mut spare = Self { bench, id: Digest::sha256_of(b"") };
        spare.sweep().await?;
        spare.pull().await?;
        let wanted = reference(&bench.spare);
        let images = bench.engine.images().await.map_err(told)?;
        let found = images.into_iter().find(|image| image.references.contains(&wanted)).ok_or("it is not listed")?;
        spare.id = found.id;
        Ok(spare)
    }

    async fn pull(&self) -> Result<(), String> {
        let command = Command::Pull { reference: reference(&self.bench.spare), options: PullOptions::default() };
        self.bench.submit(command).await.map(|_| ()).map_err(told)
    }

    fn spec(&self, command: &[&str]) -> ContainerSpec {
        ContainerSpec { image: self.bench.spare.clone(), pull: PullPolicy::Never, ..self.bench.spec(command) }
    }

    async fn run(&self, command: &[&str]) -> Result<ContainerId, String> {
        let done = self.bench.submit(Command::Run(Box::new(self.spec(command)))).await.map_err(told)?;
        done.container.ok_or_else(|| "a run tells its id".to_owned())
    }

    async fn tag(&self, target: &str) -> Result<(), String> {
        let command = Command::Tag { source: self.bench.spare.clone(), target: reference(target) };
        self.bench.submit(command).await.map(|_| ()).map_err(told)
    }

    async fn rmi(&self, image: &str, force: Force) -> Outcome {
        self.bench.submit(Command::RemoveImage { image: image.to_owned(), force }).await
    }

    /// The image's names; `None` when it is not listed.
    async fn names(&self) -> Result<Option<Vec<ImageReference>>, String> {
        let images = self.bench.engine.images().await.map_err(told)?;
        Ok(images.into_iter().find(|image| image.id == self.id).map(|image| image.references))
    }

    /// Nothing of it is left: containers, names, the image.
    async fn sweep(&self) -> Result<(), String> {
        self.bench.sweep().await;
        for name in [&self.bench.spare, OTHER, &self.id.to_string()] {
            match self.rmi(name, Force::Yes).await {
                Err(error) if error.kind() != ErrorKind::NoSuchImage => return Err(told(error)),
                Ok(_) | Err(_) => {}
            }
        }
        same("swept", self.names().await?, None)
    }
}

fn reference(text: &str) -> ImageReference {
    text.parse::<ImageReference>().unwrap().with_default_tag()
}

async fn pull(bench: &Bench) -> Result<(), String> {
    let command = Command::Pull { reference: reference(&bench.image), options: PullOptions::default() };
    bench.submit(command).await.map(|_| ()).map_err(told)
}
