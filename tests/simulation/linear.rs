//! Is the history of each container that of one container? There must be an order of all answers about it that agrees with
//! time and with a model that is created, renamed and removed: linearizability (Herlihy and Wing 1990), searched as Wing
//! and Gong do (1993).
//!
//! A call that failed or was never answered may have had its effect at any time since, or none. Left out: what goes when
//! it ends, after a power cut; anything after a power cut that may have undone an effect nobody was told of. Deliberately
//! elsewhere: how calls are noted (`history`).

use std::collections::HashSet;

use wharf::engine::domain::{ContainerId, ContainerName, ErrorKind};

use super::history::{Answer, Asked, AtRest, Call, Lookup, is_fleeting};

/// Histories with more answers about one container are not searched.
const ANSWERS_MAX: usize = 128;

/// The model: a container is not there yet, there under a name, or gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Model<'a> {
    NotYet,
    There(&'a ContainerName),
    Gone,
}

#[derive(Clone, Copy, Debug)]
enum Said<'a> {
    Created(&'a ContainerName),
    Renamed(&'a ContainerName),
    Removed,
    IsNamed(&'a ContainerName),
    IsNotNamed(&'a ContainerName),
    IsThere,
    IsNotThere,
}

/// What one answer says, and when that was so.
#[derive(Clone, Debug)]
struct Event<'a> {
    said: Said<'a>,
    from: u64,
    until: u64,
    /// It was answered: it took place.
    sure: bool,
}

impl<'a> Said<'a> {
    /// The model after it, if it fits.
    fn after(self, model: Model<'a>) -> Option<Model<'a>> {
        match (self, model) {
            (Self::Created(name), Model::NotYet) => Some(Model::There(name)),
            (Self::Renamed(name), Model::There(_)) => Some(Model::There(name)),
            (Self::Removed, Model::There(_)) => Some(Model::Gone),
            (Self::IsThere, Model::There(_)) | (Self::IsNotThere, Model::NotYet | Model::Gone) => Some(model),
            (Self::IsNamed(name), Model::There(named)) if named == name => Some(model),
            (Self::IsNotNamed(name), _) if model != Model::There(name) => Some(model),
            (
                Self::Created(_) | Self::Renamed(_) | Self::Removed | Self::IsThere | Self::IsNotThere,
                Model::NotYet | Model::There(_) | Model::Gone,
            )
            | (Self::IsNamed(_) | Self::IsNotNamed(_), _) => None,
        }
    }

    fn is_change(self) -> bool {
        matches!(self, Self::Created(_) | Self::Renamed(_) | Self::Removed)
    }
}

/// Whether the calls on one container, the look-ups of all, and what is there in the end fit together.
pub fn check(
    id: &ContainerId,
    calls: &[&Call],
    lookups: &[Lookup],
    there: Option<&AtRest>,
    cuts: &[u64],
) -> Result<(), String> {
    let made_known = calls.iter().any(|call| matches!(call.asked, Asked::Create { .. }) && call.is_done());
    if !made_known {
        return Ok(());
    }
    let mut events: Vec<Event<'_>> = calls.iter().filter_map(|call| event(call)).collect();
    events.extend(lookups.iter().filter_map(|lookup| looked_up(lookup, id)));
    let last = if there.is_some() { there.map(|there| Said::IsNamed(&there.name)) } else { Some(Said::IsNotThere) };
    events.extend(last.map(|said| Event { said, from: u64::MAX - 1, until: u64::MAX - 1, sure: true }));
    let fleeting = is_fleeting(calls);
    if fleeting {
        let ends = calls.iter().filter(|call| call.asked == Asked::Start);
        events.extend(ends.map(|call| Event { said: Said::Removed, from: call.begun, until: u64::MAX, sure: false }));
    }
    // From here on nobody can tell.
    let doubtful = events.iter().filter(|event| !event.sure || fleeting).map(|event| event.from);
    let horizon = doubtful.filter_map(|from| cuts.iter().copied().find(|cut| *cut > from)).min();
    events.retain(|event| horizon.is_none_or(|horizon| event.from < horizon));
    // One that came back half-removed may be seen, and is removed again.
    let removed =
        events.iter().filter(|event| event.sure && matches!(event.said, Said::Removed)).map(|event| event.until);
    let again = removed.min().and_then(|until| cuts.iter().copied().find(|cut| *cut > until));
    let comes_again = |event: &Event<'_>| again.is_some_and(|again| event.from > again);
    events.retain(|event| !(comes_again(event) && matches!(event.said, Said::Removed | Said::IsThere)));
    if events.len() > ANSWERS_MAX || fits(&events, Model::NotYet, 0, &mut HashSet::new()) {
        return Ok(());
    }
    events.sort_by_key(|event| event.from);
    Err(format!("nothing that {} went through gives these answers: {events:?}", id.short()))
}

fn event<'a>(call: &'a Call) -> Option<Event<'a>> {
    let (from, answered) = (call.begun, call.ended);
    let sure = |said| Some(Event { said, from, until: answered.unwrap_or(u64::MAX), sure: true });
    let unsure = |said| Some(Event { said, from, until: u64::MAX, sure: false });
    match (&call.asked, call.answer) {
        (_, Some(Answer::Failed(ErrorKind::NoSuchContainer))) => sure(Said::IsNotThere),
        (Asked::Create { name, .. }, Some(Answer::Done)) => sure(Said::Created(name)),
        (Asked::Rename { to }, Some(Answer::Done)) => sure(Said::Renamed(to)),
        (Asked::Rename { to }, Some(Answer::Already)) => sure(Said::IsNamed(to)),
        (Asked::Rename { .. }, Some(Answer::Failed(ErrorKind::NameInUse | ErrorKind::Refused))) => None,
        (Asked::Rename { to }, Some(Answer::Failed(_)) | None) => unsure(Said::Renamed(to)),
        (Asked::Remove, Some(Answer::Done)) => sure(Said::Removed),
        (Asked::Remove, Some(Answer::Already | Answer::Failed(_)) | None) => unsure(Said::Removed),
        (Asked::Start | Asked::Stop | Asked::Kill | Asked::Other(_), Some(Answer::Done | Answer::Already)) => {
            sure(Said::IsThere)
        }
        (Asked::Create { .. }, Some(Answer::Already | Answer::Failed(_)) | None)
        | (Asked::Start | Asked::Stop | Asked::Kill | Asked::Other(_), Some(Answer::Failed(_)) | None) => None,
    }
}

fn looked_up<'a>(lookup: &'a Lookup, id: &ContainerId) -> Option<Event<'a>> {
    let said = match &lookup.found {
        Some(found) if found == id => Said::IsNamed(&lookup.name),
        Some(_) => return None,
        None => Said::IsNotNamed(&lookup.name),
    };
    Some(Event { said, from: lookup.begun, until: lookup.ended, sure: true })
}

/// Whether what is left of the events, after those that were `placed`, has an order that fits `model`.
fn fits<'a>(events: &[Event<'a>], model: Model<'a>, placed: u128, seen: &mut HashSet<(u128, Model<'a>)>) -> bool {
    let left = |placed: u128| events.iter().enumerate().filter(move |(at, _)| placed & (1 << at) == 0);
    let mut placed = placed;
    loop {
        let soonest = left(placed).filter(|(_, event)| event.sure).map(|(_, event)| event.until).min();
        let Some(soonest) = soonest else { return true };
        // What changes nothing and fits now need not wait.
        let mut told = left(placed).filter(|(_, event)| !event.said.is_change() && event.from <= soonest);
        match told.find(|(_, event)| event.said.after(model).is_some()) {
            Some((at, _)) => placed |= 1 << at,
            None => {
                if !seen.insert((placed, model)) {
                    return false;
                }
                let changes = left(placed).filter(|(_, event)| event.said.is_change() && event.from <= soonest);
                return changes
                    .filter_map(|(at, event)| Some((at, event.said.after(model)?)))
                    .any(|(at, model)| fits(events, model, placed | (1 << at), seen));
            }
        }
    }
}
