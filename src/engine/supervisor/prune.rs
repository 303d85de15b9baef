//! How are all stopped containers removed? One removal each, through their actors.
//!
//! Deliberately elsewhere: removing one (`actor`), pruning images (one call of the backend).

use super::children::Children;
use crate::engine::domain::*;

/// Removes what is created or exited; a container that refuses is skipped with its reason.
pub async fn containers(children: Children) -> Outcome {
    let mut done = Done::default();
    let listed = children.ask(children.backend().container_table()).await?;
    for container in listed.into_iter().filter(|container| container.status().is_idle()) {
        children.context().check()?;
        children.context().step(format!("removing {}", container.display_name()));
        let command = Command::Remove {
            container: ContainerSelector::Id(container.id.clone()),
            options: RemoveOptions::default(),
        };
        match children.perform(command).await? {
            Ok(_) => done.output.push(container.id.to_string()),
            Err(error) => done.warnings.push(error.to_string()),
        }
    }
    Ok(done)
}
