//! Which containers does the demo have, which of them are missing, and how are they found again?
//!
//! Deliberately elsewhere: what their programs print (`workload`), the image's files (`image`).

use std::collections::BTreeMap;

use crate::engine::domain::{
    Container, ContainerId, ContainerName, ContainerSpec, ImageReference, NetworkMode, PullPolicy, Status,
};

/// Where this program is inside the image.
pub const PROGRAM: &str = "/bin/wharf";
/// The first argument that makes this program play a member of the demo.
pub const ROLE: &str = "__demo";
/// On every container of the demo, and on nothing else: what is cleaned up.
pub const CONTAINER_LABEL: (&str, &str) = ("wharf.demo", "1");
/// Which member a container is, whatever a person has renamed it to.
pub const MEMBER_LABEL: &str = "wharf.demo.member";
/// On the demo's image. Another key than the containers', because containers inherit their image's labels: those that
/// a person makes from the image are that person's.
pub const IMAGE_LABEL: (&str, &str) = ("wharf.demo.image", "1");

const IMAGE: &str = "wharf/demo:latest";

/// One container of the demo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub name: ContainerName,
    /// The argument that chooses what it does.
    pub program: &'static str,
    pub after: After,
}

/// What is right for a member once it has run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It should be running, and is started again when it is not.
    Running,
    /// It ends by itself; having run once is enough.
    Ended,
}

/// What has to be done for one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Run(Member),
    /// It is there and should be running.
    Start {
        container: ContainerId,
        name: String,
    },
    /// Somebody else's container has its name.
    NameTaken(Member),
}

/// The demo's image.
#[must_use]
pub fn image_reference() -> ImageReference {
    IMAGE.parse().expect("the demo's image name is a reference")
}

/// The members, in the order in which they are made.
#[must_use]
pub fn members() -> Vec<Member> {
    let members = [
        ("web", After::Running),
        ("logger", After::Running),
        ("worker", After::Running),
        ("sleeper", After::Running),
        ("burst", After::Ended),
        ("finisher", After::Ended),
        ("failer", After::Ended),
    ];
    members
        .into_iter()
        .map(|(program, after)| Member {
            name: format!("demo-{program}").parse().expect("the demo's names are container names"),
            program,
            after,
        })
        .collect()
}

/// What is missing, given the containers of the host. Nothing that is there is replaced.
#[must_use]
pub fn missing(containers: &[Container]) -> Vec<Step> {
    members().into_iter().filter_map(|member| step(member, containers)).collect()
}

/// Whether the demo made this container.
#[must_use]
pub fn is_ours(container: &Container) -> bool {
    let (key, value) = CONTAINER_LABEL;
    container.labels.get(key).is_some_and(|found| found == value)
}

/// The command line of one of the programs inside.
#[must_use]
pub fn command(program: &str) -> Vec<String> {
    [PROGRAM, ROLE, program].map(str::to_owned).to_vec()
}

impl Member {
    /// What to create for it. Never pulls, needs no network.
    #[must_use]
    pub fn spec(&self) -> ContainerSpec {
        let labels = [CONTAINER_LABEL, (MEMBER_LABEL, self.program)];
        ContainerSpec {
            image: IMAGE.to_owned(),
            name: Some(self.name.clone()),
            command: command(self.program),
            labels: BTreeMap::from(labels.map(|(key, value)| (key.to_owned(), value.to_owned()))),
            network: NetworkMode::None,
            pull: PullPolicy::Never,
            ..ContainerSpec::default()
        }
    }

    fn is(&self, container: &Container) -> bool {
        is_ours(container) && container.labels.get(MEMBER_LABEL).is_some_and(|program| program == self.program)
    }
}

fn step(member: Member, containers: &[Container]) -> Option<Step> {
    if let Some(own) = containers.iter().find(|container| member.is(container)) {
        return needs_start(own.status(), member.after)
            .then(|| Step::Start { container: own.id.clone(), name: own.display_name() });
    }
    let taken = containers.iter().any(|container| container.name.as_ref() == Some(&member.name));
    Some(if taken { Step::NameTaken(member) } else { Step::Run(member) })
}

fn needs_start(status: Status, after: After) -> bool {
    match status {
        Status::Created => true,
        Status::Exited => after == After::Running,
        // It runs, it is somebody's decision, or it is under way.
        Status::Running
        | Status::Paused
        | Status::Creating
        | Status::Restarting
        | Status::Stopping
        | Status::Removing
        | Status::Broken
        | Status::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::domain::{ContainerState, Timestamp};

    fn container(member: &Member, number: usize, status: Status) -> Container {
        let spec = member.spec();
        Container {
            name: spec.name,
            command: spec.command,
            labels: spec.labels,
            state: ContainerState { status, ..ContainerState::created() },
            ..Container::new(format!("{number:064x}").parse().unwrap(), spec.image, Timestamp::from_unix_nanos(0))
        }
    }

    fn all(status: impl Fn(After) -> Status) -> Vec<Container> {
        let members = members();
        members.iter().enumerate().map(|(number, member)| container(member, number, status(member.after))).collect()
    }

    #[test]
    fn on_an_empty_host_every_member_is_run_under_its_own_name() {
        let steps = missing(&[]);
        let names: std::collections::BTreeSet<_> = members().into_iter().map(|member| member.name).collect();
        assert_eq!(names.len(), steps.len());
        assert!(steps.iter().all(|step| matches!(step, Step::Run(_))));
    }

    #[test]
    fn what_runs_and_what_has_ended_by_itself_stays_as_it_is() {
        let settled = |after| if after == After::Running { Status::Running } else { Status::Exited };
        assert_eq!(missing(&all(settled)), []);
        assert_eq!(missing(&all(|_| Status::Paused)), []);
    }

    #[test]
    fn what_should_run_is_started_again() {
        let containers = all(|_| Status::Exited);
        let steps = missing(&containers);
        let running = members().into_iter().filter(|member| member.after == After::Running).count();
        assert_eq!(steps.len(), running);
        assert!(steps.iter().all(|step| matches!(step, Step::Start { .. })));
    }

    #[test]
    fn a_renamed_member_is_still_the_member() {
        let mut containers = all(|_| Status::Running);
        containers[0].name = Some("mine".parse().unwrap());
        assert_eq!(missing(&containers), []);
    }

    #[test]
    fn a_strangers_name_is_left_alone() {
        let mut containers = all(|_| Status::Running);
        containers[0].labels.clear();
        assert!(!is_ours(&containers[0]));
        assert_eq!(missing(&containers), [Step::NameTaken(members().remove(0))]);
    }

    #[test]
    fn members_need_no_network_and_carry_the_label_that_cleans_them_up() {
        for member in members() {
            let spec = member.spec();
            assert_eq!((spec.pull, spec.network), (PullPolicy::Never, NetworkMode::None));
            assert_eq!(spec.labels.get(CONTAINER_LABEL.0).map(String::as_str), Some(CONTAINER_LABEL.1));
        }
        assert_ne!(CONTAINER_LABEL.0, IMAGE_LABEL.0, "a person's own container of the image is not the demo's");
        assert_eq!(image_reference().familiar(), IMAGE);
    }
}
