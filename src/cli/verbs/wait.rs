//! When does `wait` end, and with what?
//!
//! Deliberately elsewhere: noticing changes (`engine`'s inventory).

use futures_util::future::join_all;

use super::Work;
use crate::{
    cli::{
        exit::Exit,
        grammar::{Format, WaitGoal},
        json::WaitRow,
    },
    engine::{
        Engine,
        domain::{
            ContainerId, ContainerSelector, Error, ErrorKind, HostLink, Inventory, ProcessExit, Result, Span, Status,
        },
    },
};

/// Waits for all of them and prints, for `exited`, their exit codes in the order of their names.
pub async fn perform(work: &mut Work<'_>, names: &[String], goal: WaitGoal, timeout: Option<Span>) -> Exit {
    let engine = work.engine;
    let waits = join_all(names.iter().map(|name| wait_for_one(engine, name, goal)));
    let results = match timeout {
        None => waits.await,
        Some(limit) => match tokio::time::timeout(limit.duration(), waits).await {
            Ok(results) => results,
            Err(_) => {
                let message = format!("not {} within {limit}: {}", goal_words(goal), names.join(", "));
                work.printer.complain(&message, None);
                return Exit::TIMED_OUT;
            }
        },
    };
    let mut exit = Exit::DONE;
    for (name, result) in names.iter().zip(results) {
        match result {
            Ok(code) => tell(work, name, goal, code),
            Err(error) => exit = exit.and(work.failed(name, &error)),
        }
    }
    exit
}

fn tell(work: &mut Work<'_>, name: &str, goal: WaitGoal, exit: Option<ProcessExit>) {
    let code = match exit {
        Some(ProcessExit::Code(code)) => Some(code),
        Some(ProcessExit::Unknown) | None => None,
    };
    match (work.printer.format, goal) {
        (Format::Json, _) => work.printer.json(&WaitRow::new(name, true, code)),
        (Format::Table, WaitGoal::Exited) => match code {
            Some(code) => work.printer.line(&code.to_string()),
            None => {
                work.printer.warning(&format!("{name} has ended, but nobody saw its exit code"));
                work.printer.line("-1");
            }
        },
        (Format::Table, WaitGoal::Running | WaitGoal::Removed) => {}
    }
}

fn goal_words(goal: WaitGoal) -> &'static str {
    match goal {
        WaitGoal::Running => "running",
        WaitGoal::Exited => "exited",
        WaitGoal::Removed => "removed",
    }
}

async fn wait_for_one(engine: &Engine, name: &str, goal: WaitGoal) -> Result<Option<ProcessExit>> {
    let id = engine.find_container(&ContainerSelector::from(name)).await?.id;
    match goal {
        WaitGoal::Exited => engine.wait_exit(&id).await.map(Some),
        WaitGoal::Running => watch(engine, name, &id, |status| status == Some(Status::Running)).await,
        WaitGoal::Removed => watch(engine, name, &id, |status| status.is_none()).await,
    }
}

/// Looks at every new picture of the host until it shows what is wanted; `None` stands for a container that is gone.
async fn watch(
    engine: &Engine,
    name: &str,
    id: &ContainerId,
    reached: impl Fn(Option<Status>) -> bool,
) -> Result<Option<ProcessExit>> {
    let mut inventory = engine.inventory();
    engine.observe();
    let mut picture = inventory.newest();
    loop {
        match status_in(&picture, id) {
            Seen::Unknown => {}
            Seen::Known(status) if reached(status) => return Ok(None),
            Seen::Known(None) => return Err(Error::no_such_container(name)),
            Seen::Known(Some(_)) => {}
        }
        picture = inventory
            .next()
            .await
            .map_err(|_| Error::new(ErrorKind::Internal, "the engine ended before the container got there"))?;
    }
}

enum Seen {
    /// The picture is not of now.
    Unknown,
    Known(Option<Status>),
}

fn status_in(inventory: &Inventory, id: &ContainerId) -> Seen {
    match &inventory.link {
        HostLink::Live => Seen::Known(inventory.container(id).map(|container| container.status())),
        HostLink::Connecting | HostLink::Stale { .. } => Seen::Unknown,
    }
}
