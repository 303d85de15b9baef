//! What containers does the daemon have? Listing, finding and looking at one.
//!
//! Deliberately elsewhere: reading the JSON (`container_json`), changing containers (`lifecycle`).

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use http::StatusCode;
use serde_json::Value;

use super::{
    api::{Api, typed_error},
    container_json::{self, Told},
    failure::About,
    path::Path,
};
use crate::engine::{
    core::admit::{Admission, admit},
    domain::{
        Container, ContainerId, Error, ErrorKind, Force, PrefixMatch, ProcessTable, Result, Timestamp, Verb,
        match_prefix,
    },
};

/// Containers looked at side by side while listing.
const SIDE_BY_SIDE: usize = 8;
/// A listing looks closer at so many containers; beyond that their rows lack times and terminals.
const CLOSE_LOOKS: usize = 512;

/// What was last seen of each container, kept only while a subscription reports every change: with it a listing
/// costs one request instead of one per container.
#[derive(Default)]
pub struct Remembered {
    containers: Mutex<HashMap<ContainerId, Container>>,
    subscribed: AtomicBool,
}

impl Remembered {
    /// From here on every change is reported, or from here on none is.
    pub fn subscribe(&self, subscribed: bool) {
        self.containers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.subscribed.store(subscribed, Ordering::Release);
    }

    /// Something happened to this container.
    pub fn forget(&self, id: &ContainerId) {
        self.containers.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    fn remember(&self, container: &Container) {
        if self.subscribed.load(Ordering::Acquire) {
            let mut containers = self.containers.lock().unwrap_or_else(PoisonError::into_inner);
            containers.insert(container.id.clone(), container.clone());
        }
    }

    /// What is known of a listed container, as long as the listing does not contradict it.
    fn recall(&self, listed: &Container) -> Option<Container> {
        let containers = self.containers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = containers.get(&listed.id)?;
        let same = known.state.status == listed.state.status
            && known.state.health == listed.state.health
            && known.name == listed.name;
        same.then(|| known.clone())
    }
}

/// Every container, running or not.
///
/// # Errors
/// When the daemon does not answer the listing; a container that vanishes meanwhile is left out.
pub async fn list(api: &Api, remembered: &Remembered) -> Result<Vec<Container>> {
    let listed: Vec<Container> = entries(api).await?.iter().filter_map(container_json::from_list_entry).collect();
    let looks = stream::iter(listed.into_iter().enumerate()).map(|(place, listed)| async move {
        // A ghost or a container on its way out has nothing more to tell.
        let has_more = listed.name.is_some() && listed.status() != crate::engine::domain::Status::Removing;
        if !has_more || place >= CLOSE_LOOKS {
            return Ok(Some(listed));
        }
        if let Some(known) = remembered.recall(&listed) {
            return Ok(Some(known));
        }
        look(api, remembered, &listed.id).await
    });
    let seen: Vec<Result<Option<Container>>> = looks.buffered(SIDE_BY_SIDE).collect().await;
    seen.into_iter().filter_map(Result::transpose).collect()
}

/// Every container as the listing tells it, in one request. Looks closer only at what the listing leaves open.
///
/// # Errors
/// As [`list`].
pub async fn table(api: &Api, remembered: &Remembered) -> Result<Vec<Container>> {
    let entries = entries(api).await?;
    let now = Timestamp::now();
    let mut rows: Vec<_> = entries.iter().filter_map(|entry| container_json::row(entry, now)).collect();
    // Times of creation are in whole seconds here: within one, dockerd's order is the order; Podman has none.
    if !rows.is_sorted_by(|(a, _), (b, _)| a.created >= b.created) {
        rows.sort_by(|(a, _), (b, _)| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    }
    // Whoever sorts by these times keeps the order.
    for ((row, _), place) in rows.iter_mut().rev().zip(0..) {
        row.created = row.created.plus(Duration::from_nanos(place));
    }
    let looks = stream::iter(rows).map(|(row, told)| async move {
        match told {
            Told::Enough => Ok(Some(row)),
            Told::TooLittle => look(api, remembered, &row.id).await,
        }
    });
    let seen: Vec<Result<Option<Container>>> = looks.buffered(SIDE_BY_SIDE).collect().await;
    seen.into_iter().filter_map(Result::transpose).collect()
}

async fn entries(api: &Api) -> Result<Vec<Value>> {
    api.get(Path::new("/containers/json").query("all", 1)).await?.json(About::Host)
}

/// One container as it is now; `None` when it is gone.
///
/// # Errors
/// When the daemon does not answer.
pub async fn look(api: &Api, remembered: &Remembered, id: &ContainerId) -> Result<Option<Container>> {
    let reply = api.get(Path::new("/containers").part(id).then("json")).await?;
    if reply.status == StatusCode::NOT_FOUND || reply.status.is_server_error() {
        // While a container is being removed, dockerd fails in several ways, and of a ghost it knows nothing but its
        // place in the listing.
        return listed(api, id).await;
    }
    let object: Value = reply.json(About::Container)?;
    let container = container_json::from_inspect(&object).ok_or_else(nameless)?;
    remembered.remember(&container);
    Ok(Some(container))
}

/// The entry of one container in the list, where even ghosts stand.
pub async fn listed(api: &Api, id: &ContainerId) -> Result<Option<Container>> {
    Ok(entries(api).await?.iter().filter_map(container_json::from_list_entry).find(|container| container.id == *id))
}

/// Docker's `inspect` object, untouched.
///
/// # Errors
/// `NoSuchContainer`.
pub async fn inspect(api: &Api, id: &ContainerId) -> Result<Value> {
    api.get(Path::new("/containers").part(id).then("json")).await?.json(About::Container)
}

/// By exact name, full id or unambiguous prefix.
///
/// # Errors
/// `NoSuchContainer`, or `Ambiguous` with the candidates.
pub async fn find(api: &Api, remembered: &Remembered, query: &str) -> Result<Container> {
    let wanted = query.trim_start_matches('/');
    if wanted.is_empty() {
        return Err(Error::no_such_container(query));
    }
    let reply = api.get(Path::new("/containers").part(wanted).then("json")).await?;
    if reply.status.is_success() {
        let object: Value = reply.json(About::Container)?;
        let container = container_json::from_inspect(&object).ok_or_else(nameless)?;
        remembered.remember(&container);
        return Ok(container);
    }
    // The daemon has no code for "fits several", and none for "is being removed": the listing decides.
    let all: Vec<Container> = entries(api).await?.iter().filter_map(container_json::from_list_entry).collect();
    if let Some(named) =
        all.iter().find(|container| container.name.as_ref().is_some_and(|name| name.as_str() == wanted))
    {
        return Ok(named.clone());
    }
    match match_prefix(wanted, all.iter().map(|container| (&container.id, container))) {
        PrefixMatch::One(container) => Ok(container.clone()),
        PrefixMatch::None => Err(Error::no_such_container(query)),
        PrefixMatch::Many(ids) => {
            let shown: Vec<&str> = ids.iter().take(8).map(ContainerId::short).collect();
            Err(Error::new(
                ErrorKind::Ambiguous,
                format!("{query} fits {} containers: {}", ids.len(), shown.join(", ")),
            )
            .remedy("give more digits of the id, or the name"))
        }
    }
}

/// `ps` inside a container.
///
/// # Errors
/// `Refused` when it does not run.
pub async fn processes(api: &Api, remembered: &Remembered, id: &ContainerId) -> Result<ProcessTable> {
    let answer = api.typed().top_processes(id.as_str(), None).await;
    match answer {
        Ok(table) => {
            let titles = table.titles.unwrap_or_default();
            let rows = table.processes.unwrap_or_default();
            Ok(super::quirks::process_table(titles, rows))
        }
        Err(error) => {
            Err(reconsidered(api, remembered, id, Verb::Processes, Force::No, typed_error(error, About::Container))
                .await
                .err()
                .unwrap_or_else(|| Error::new(ErrorKind::Refused, "its processes cannot be listed now")))
        }
    }
}

/// What a refusal means now that it has been looked at again: daemons say 409, 500 and 304 for the same thing, and
/// the container may have changed meanwhile. `Ok` when it is already as the verb wants it.
///
/// # Errors
/// The reason in our words where the status explains it, else the daemon's own.
pub async fn reconsidered(
    api: &Api,
    remembered: &Remembered,
    id: &ContainerId,
    verb: Verb,
    force: Force,
    refusal: Error,
) -> Result<()> {
    let worth_a_look = match refusal.kind() {
        ErrorKind::Refused | ErrorKind::Io | ErrorKind::Busy | ErrorKind::InvalidInput => true,
        ErrorKind::NoSuchContainer
        | ErrorKind::NoSuchImage
        | ErrorKind::NameInUse
        | ErrorKind::Ambiguous
        | ErrorKind::Unsupported
        | ErrorKind::Unauthorized
        | ErrorKind::Denied
        | ErrorKind::Unreachable
        | ErrorKind::Protocol
        | ErrorKind::RateLimited
        | ErrorKind::TimedOut
        | ErrorKind::Cancelled
        | ErrorKind::DigestMismatch
        | ErrorKind::PlatformMismatch
        | ErrorKind::NoSpace
        | ErrorKind::CommandNotFound
        | ErrorKind::CommandNotExecutable
        | ErrorKind::Corrupt
        | ErrorKind::Partial
        | ErrorKind::Internal => false,
    };
    if !worth_a_look {
        return Err(refusal);
    }
    match look(api, remembered, id).await {
        Ok(Some(container)) => match admit(verb, container.status(), force) {
            Admission::Go => Err(refusal),
            Admission::AlreadySo => Ok(()),
            Admission::Refuse { reason, remedy } => Err(Error::new(ErrorKind::Refused, reason).remedy(remedy)),
        },
        Ok(None) => Err(Error::no_such_container(id.short())),
        // The second question failed too: the first answer is the one to show.
        Err(_) => Err(refusal),
    }
}

fn nameless() -> Error {
    Error::new(ErrorKind::Protocol, "the daemon described a container without an id")
}
