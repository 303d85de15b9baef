//! Who owns a name, and what does a prefix stand for?
//!
//! Deliberately elsewhere: the life-cycle (`lifecycle`).

use wharf::engine::domain::*;

use super::bench::{checks, fails_as, same, told};

checks! {
    "a name in use is refused" => |bench| {
        let spec = bench.spec(&["true"]);
        bench.create(spec.clone()).await.map_err(told)?;
        fails_as("create", bench.create(spec).await, ErrorKind::NameInUse)
    }
    "of two creates with one name exactly one succeeds" => |bench| {
        let spec = bench.spec(&["true"]);
        let (one, two) = tokio::join!(bench.create(spec.clone()), bench.create(spec));
        same("successes", usize::from(one.is_ok()) + usize::from(two.is_ok()), 1)
    }
    "a renamed container answers to its new name only" => |bench| {
        let spec = bench.spec(&["true"]);
        let old = spec.name.clone().unwrap().to_string();
        let id = bench.create(spec).await.map_err(told)?;
        let name = bench.name();
        let rename = Command::Rename { container: id.clone().into(), name: name.clone() };
        bench.submit(rename).await.map_err(told)?;
        let found = bench.engine.find_container(&name.to_string().as_str().into()).await.map_err(told)?;
        same("id", found.id, id)?;
        fails_as("old name", bench.engine.find_container(&old.as_str().into()).await, ErrorKind::NoSuchContainer)
    }
    "renaming to a name in use changes nothing" => |bench| {
        let taken = bench.spec(&["true"]);
        let name = taken.name.clone().unwrap();
        bench.create(taken).await.map_err(told)?;
        let id = bench.create(bench.spec(&["true"])).await.map_err(told)?;
        let before = bench.look(&id).await.map_err(told)?.name;
        let rename = Command::Rename { container: id.clone().into(), name };
        fails_as("rename", bench.submit(rename).await, ErrorKind::NameInUse)?;
        same("name", bench.look(&id).await.map_err(told)?.name, before)
    }
    "a name is free again once its container is gone" => |bench| {
        let spec = bench.spec(&["true"]);
        let id = bench.create(spec.clone()).await.map_err(told)?;
        bench.remove(&id, Force::No).await.map_err(told)?;
        bench.create(spec).await.map_err(told)?;
        Ok(())
    }
    "a container without a name gets one" => |bench| {
        let spec = ContainerSpec { name: None, ..bench.spec(&["true"]) };
        let id = bench.create(spec).await.map_err(told)?;
        same("has a name", bench.look(&id).await.map_err(told)?.name.is_some(), true)
    }
    "a unique prefix of an id finds its container" => |bench| {
        let id = bench.create(bench.spec(&["true"])).await.map_err(told)?;
        let found = bench.engine.find_container(&id.short().into()).await.map_err(told)?;
        same("id", found.id, id)
    }
    "labels and image come back as given" => |bench| {
        let spec = bench.spec(&["true"]);
        let labels = spec.labels.clone();
        let id = bench.create(spec).await.map_err(told)?;
        let seen = bench.look(&id).await.map_err(told)?;
        same("labels", labels.iter().all(|(key, value)| seen.labels.get(key) == Some(value)), true)?;
        same("image", seen.image, bench.image.clone())
    }
}
