//! How do listings and single observations become the next inventory?
//!
//! Deliberately elsewhere: asking the host (`supervisor::observer`), the picture itself (`domain::Inventory`).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::engine::domain::{
    Container, ContainerId, Image, Operation, OperationId, OperationState, Origin, Progress, Status,
};

/// Containers by id, with the sorted list made only when something changed.
#[derive(Debug, Default)]
pub struct ContainerFold {
    by_id: BTreeMap<ContainerId, Arc<Container>>,
    sorted: Option<Arc<[Arc<Container>]>>,
}

impl ContainerFold {
    /// Replaces everything by a complete listing; unchanged containers keep their allocation.
    /// Returns whether anything differs.
    pub fn replace(&mut self, listing: Vec<Container>) -> bool {
        let before = std::mem::take(&mut self.by_id);
        let mut changed = before.len() != listing.len();
        for container in listing {
            let kept = before.get(&container.id).filter(|old| ***old == container).cloned();
            changed |= kept.is_none();
            self.by_id.insert(container.id.clone(), kept.unwrap_or_else(|| Arc::new(container)));
        }
        if changed {
            self.sorted = None;
        }
        changed
    }

    /// Takes in one observation; `None` means it is gone. An older generation never replaces a newer one.
    pub fn observe(&mut self, id: &ContainerId, seen: Option<Container>) -> bool {
        let changed = match seen {
            None => self.by_id.remove(id).is_some(),
            Some(container) => match self.by_id.get(id) {
                Some(old) if old.generation > container.generation || **old == container => false,
                Some(_) | None => {
                    self.by_id.insert(id.clone(), Arc::new(container));
                    true
                }
            },
        };
        if changed {
            self.sorted = None;
        }
        changed
    }

    #[must_use]
    pub fn get(&self, id: &ContainerId) -> Option<&Arc<Container>> {
        self.by_id.get(id)
    }

    /// Those that may be otherwise by now without anybody saying so: what could not be read, what somebody is at, who may
    /// be killed over it, and runs that nobody attends any more.
    #[must_use]
    pub fn doubtful(&self) -> BTreeSet<ContainerId> {
        let passing = |container: &Container| {
            let status =
                matches!(container.status(), Status::Creating | Status::Stopping | Status::Removing | Status::Broken);
            status || container.intent.is_some() || container.degraded.is_some()
        };
        let doubtful = self.by_id.iter().filter(|(_, container)| passing(container));
        doubtful.map(|(id, _)| id.clone()).collect()
    }

    /// Newest first, then by id, so that equal times keep their order.
    pub fn sorted(&mut self) -> Arc<[Arc<Container>]> {
        let by_id = &self.by_id;
        Arc::clone(self.sorted.get_or_insert_with(|| {
            let mut list: Vec<_> = by_id.values().cloned().collect();
            list.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
            list.into()
        }))
    }
}

/// Newest first, then by id.
#[must_use]
pub fn sort_images(mut images: Vec<Image>) -> Arc<[Arc<Image>]> {
    images.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    images.into_iter().map(Arc::new).collect()
}

/// The operations of other processes, read off the containers' intents. Their ids are high, so that
/// they never meet ours.
pub fn foreign_operations<'a>(
    containers: impl Iterator<Item = &'a Arc<Container>>,
    own_pid: u32,
) -> Vec<Arc<Operation>> {
    containers
        .filter_map(|container| {
            let intent = container.intent.as_ref().filter(|intent| intent.pid != own_pid)?;
            let subject = container.display_name();
            Some(Arc::new(Operation {
                id: OperationId(FOREIGN | u64::from(intent.pid)),
                verb: intent.verb,
                container: Some(container.id.clone()),
                cli: format!("wharf {} {subject}", intent.verb),
                subject,
                started: intent.since,
                deadline: intent.deadline,
                state: OperationState::Running,
                progress: Arc::new(Progress::default()),
                origin: Origin::Process { pid: intent.pid },
            }))
        })
        .collect()
}

const FOREIGN: u64 = 1 << 62;

#[cfg(test)]
mod tests {

    use super::*;
    use crate::engine::domain::{Generation, Timestamp};

    fn container(seed: u8, generation: u64) -> Container {
        Container {
            generation: Generation(generation),
            ..Container::new(ContainerId::from_random([seed; 32]), "bb:1", Timestamp::ZERO)
        }
    }

    #[test]
    fn what_may_become_otherwise_unheard_is_doubtful_until_it_is_seen_at_rest() {
        let mut fold = ContainerFold::default();
        let id = container(1, 0).id;
        let of = |status| {
            let mut container = container(1, 5);
            container.state.status = status;
            container
        };
        for status in [Status::Broken, Status::Removing, Status::Stopping, Status::Creating] {
            fold.observe(&id, Some(of(status)));
            assert_eq!(fold.doubtful().len(), 1, "{status:?}");
        }
        let degraded = Container { degraded: Some("its monitor is gone".to_owned()), ..of(Status::Running) };
        fold.observe(&id, Some(degraded));
        assert_eq!(fold.doubtful().len(), 1);
        fold.observe(&id, Some(of(Status::Exited)));
        assert!(fold.doubtful().is_empty());
    }

    #[test]
    fn an_older_observation_never_replaces_a_newer_one() {
        let mut fold = ContainerFold::default();
        let id = container(1, 0).id;
        assert!(fold.observe(&id, Some(container(1, 5))));
        assert!(!fold.observe(&id, Some(container(1, 4))));
        assert_eq!(fold.get(&id).map(|found| found.generation), Some(Generation(5)));
    }

    #[test]
    fn an_equal_listing_changes_nothing_and_keeps_its_allocation() {
        let mut fold = ContainerFold::default();
        assert!(fold.replace(vec![container(1, 1), container(2, 1)]));
        let before = fold.sorted();
        assert!(!fold.replace(vec![container(2, 1), container(1, 1)]));
        assert!(Arc::ptr_eq(&before, &fold.sorted()));
    }

    #[test]
    fn what_a_listing_does_not_have_is_gone() {
        let mut fold = ContainerFold::default();
        fold.replace(vec![container(1, 1), container(2, 1)]);
        assert!(fold.replace(vec![container(2, 1)]));
        assert_eq!(fold.sorted().len(), 1);
        assert!(fold.observe(&container(2, 1).id, None));
        assert!(fold.sorted().is_empty());
    }
}
