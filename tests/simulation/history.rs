//! What was asked and answered, and does it fit together? Calls with their order, checked against what must be so.
//!
//! A call that was never answered, because its process died, may have had its effect or not. Deliberately elsewhere:
//! the state of the store at rest (`invariants`), whether one container's answers have an order at all (`linear`).

use std::collections::BTreeMap;

use wharf::engine::domain::{ContainerId, ContainerName, ErrorKind};

use super::linear;

/// What a process asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Create { name: ContainerName, auto_remove: bool },
    Start,
    Stop,
    Kill,
    Remove,
    Rename { to: ContainerName },
    Other(&'static str),
}

/// How it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Done,
    Already,
    Failed(ErrorKind),
}

/// One call, from its beginning to its answer.
#[derive(Clone, Debug)]
pub struct Call {
    pub asked: Asked,
    pub container: Option<ContainerId>,
    /// Positions in the one order of all beginnings and ends.
    pub begun: u64,
    pub ended: Option<u64>,
    pub answer: Option<Answer>,
    /// Power cuts before it began.
    boot: usize,
}

/// Somebody looked for a name.
#[derive(Clone, Debug)]
pub struct Lookup {
    pub name: ContainerName,
    /// Whose it is, if anybody's.
    pub found: Option<ContainerId>,
    pub begun: u64,
    pub ended: u64,
}

pub type CallNumber = usize;

#[derive(Clone, Debug, Default)]
pub struct History {
    pub calls: Vec<Call>,
    lookups: Vec<Lookup>,
    order: u64,
    /// Where in the order the power went.
    cuts: Vec<u64>,
}

/// A container at rest, as the store shows it.
#[derive(Clone, Debug)]
pub struct AtRest {
    pub id: ContainerId,
    pub name: ContainerName,
}

impl History {
    pub fn begin(&mut self, asked: Asked, container: Option<&ContainerId>) -> CallNumber {
        self.order += 1;
        let (begun, boot) = (self.order, self.cuts.len());
        self.calls.push(Call { asked, container: container.cloned(), begun, ended: None, answer: None, boot });
        self.calls.len() - 1
    }

    pub fn end(&mut self, call: CallNumber, container: Option<&ContainerId>, answer: Answer) -> Result<(), String> {
        self.order += 1;
        let call = &mut self.calls[call];
        if call.ended.is_some() {
            return Err(format!("{:?} ended twice", call.asked));
        }
        (call.ended, call.answer) = (Some(self.order), Some(answer));
        if let Some(id) = container {
            call.container = Some(id.clone());
        }
        Ok(())
    }

    /// It has come out which container a call is about.
    pub fn about(&mut self, call: CallNumber, container: &ContainerId) {
        self.calls[call].container = Some(container.clone());
    }

    /// A position in the order of beginnings and ends.
    pub fn tick(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    pub fn looked_up(&mut self, name: &ContainerName, begun: u64, found: Option<&ContainerId>) {
        let ended = self.tick();
        self.lookups.push(Lookup { name: name.clone(), found: found.cloned(), begun, ended });
    }

    pub fn power_lost(&mut self) {
        self.order += 1;
        self.cuts.push(self.order);
    }

    /// Everything that must hold, given what is there in the end.
    pub fn check(&self, at_rest: &[AtRest]) -> Result<(), String> {
        let mut by_container: BTreeMap<&ContainerId, Vec<&Call>> = BTreeMap::new();
        for call in &self.calls {
            if let Some(id) = &call.container {
                by_container.entry(id).or_default().push(call);
            }
        }
        for (id, calls) in &by_container {
            let there = at_rest.iter().find(|container| container.id == **id);
            acknowledged_is_durable(id, calls, there, self.cuts.len())?;
            gone_is_gone(id, calls)?;
            linear::check(id, calls, &self.lookups, there, &self.cuts)?;
        }
        names_have_one_owner(&by_container, &self.cuts)
    }
}

impl Call {
    pub fn is_done(&self) -> bool {
        self.answer == Some(Answer::Done)
    }

    fn failed(&self) -> bool {
        matches!(self.answer, Some(Answer::Failed(_)))
    }
}

/// Whether the container may go by itself, with the power too. One whose maker never answered may be of that kind.
pub fn is_fleeting(calls: &[&Call]) -> bool {
    !calls.iter().any(|call| matches!(call.asked, Asked::Create { auto_remove: false, .. }))
}

fn acknowledged_is_durable(
    id: &ContainerId,
    calls: &[&Call],
    there: Option<&AtRest>,
    boots: usize,
) -> Result<(), String> {
    let id = id.short();
    let removals = || calls.iter().filter(|call| call.asked == Asked::Remove);
    let Some(created) = calls.iter().find(|call| matches!(call.asked, Asked::Create { .. }) && call.is_done()) else {
        return Ok(()); // Its maker never said so; it may be there.
    };
    match there {
        // What goes when it ends is not synced: neither is its removal.
        Some(_) if removals().any(|call| call.is_done() && (call.boot == boots || !is_fleeting(calls))) => {
            Err(format!("{id} was removed and is there"))
        }
        None if !is_fleeting(calls) && removals().next().is_none() => {
            Err(format!("{id} was created, nobody removed it, and it is gone"))
        }
        Some(container) if !is_fleeting(calls) => {
            let renames = || calls.iter().filter(|call| matches!(call.asked, Asked::Rename { .. }));
            let last = renames().filter(|call| call.is_done()).max_by_key(|call| call.ended).unwrap_or(created);
            let (Asked::Create { name, .. } | Asked::Rename { to: name }) = &last.asked else { return Ok(()) };
            let overtaken = renames().any(|call| {
                call.ended.is_none_or(|ended| Some(ended) > Some(last.begun)) && !std::ptr::eq(*call, *last)
            });
            if container.name != *name && !overtaken {
                return Err(format!("{id} was last named {name} and is {}", container.name));
            }
            Ok(())
        }
        Some(_) | None => Ok(()),
    }
}

/// After a removal was acknowledged, nothing that begins later succeeds on the container: not after a power cut either,
/// but for removing again what came back half-removed.
fn gone_is_gone(id: &ContainerId, calls: &[&Call]) -> Result<(), String> {
    for removal in calls.iter().filter(|call| call.asked == Asked::Remove && call.is_done()) {
        let durably = |call: &Call| !is_fleeting(calls) && call.asked != Asked::Remove;
        let later = |call: &&&Call| {
            Some(call.begun) > removal.ended && (call.boot == removal.boot || durably(call)) && call.is_done()
        };
        if let Some(call) = calls.iter().find(later) {
            return Err(format!("{:?} succeeded on {} after its removal", call.asked, id.short()));
        }
    }
    Ok(())
}

/// From the answer that gives a name to the beginning of what may take it away, nobody else is given it. What goes when
/// it ends may go with the power, and with it its name.
fn names_have_one_owner(by_container: &BTreeMap<&ContainerId, Vec<&Call>>, cuts: &[u64]) -> Result<(), String> {
    let mut held: BTreeMap<&ContainerName, Vec<(u64, u64, &ContainerId)>> = BTreeMap::new();
    for (id, calls) in by_container {
        for call in calls.iter().filter(|call| call.is_done()) {
            let (Asked::Create { name, .. } | Asked::Rename { to: name }) = &call.asked else { continue };
            let takes_away = |other: &&&Call| match other.asked {
                Asked::Remove | Asked::Rename { .. } => {
                    !std::ptr::eq(**other, *call) && other.ended > Some(call.begun) || other.ended.is_none()
                }
                Asked::Start => is_fleeting(calls),
                Asked::Create { .. } | Asked::Stop | Asked::Kill | Asked::Other(_) => false,
            };
            let harmless =
                |other: &&&Call| other.failed() && matches!(other.answer, Some(Answer::Failed(ErrorKind::NameInUse)));
            let from = call.ended.unwrap_or(u64::MAX);
            let taken = calls.iter().filter(takes_away).filter(|other| !harmless(other)).map(|other| other.begun);
            let cut = cuts.iter().copied().filter(|cut| is_fleeting(calls) && *cut > from);
            let until = taken.chain(cut).min().unwrap_or(u64::MAX);
            if from < until {
                held.entry(name).or_default().push((from, until, id));
            }
        }
    }
    for (name, mut spans) in held {
        spans.sort();
        for pair in spans.windows(2) {
            let [(_, until, one), (from, _, two)] = pair else { continue };
            if from < until && one != two {
                return Err(format!("{name} belonged to {} and {} at once", one.short(), two.short()));
            }
        }
    }
    Ok(())
}
