//! Which containers does the demo have, and how is each to be found afterwards?
//!
//! Deliberately elsewhere: what their programs print (`workload`), the image's files (`image`).

use std::collections::BTreeMap;

use crate::engine::domain::{ContainerName, ContainerSpec, ImageReference, NetworkMode, PullPolicy};

/// On every container of the demo, and on nothing else: what is cleaned up.
pub const CONTAINER_LABEL: (&str, &str) = ("wharf.demo", "1");
/// On the demo's image. Another key than the containers', because containers inherit their image's labels: those that
/// a person makes from the image are that person's.
pub const IMAGE_LABEL: (&str, &str) = ("wharf.demo.image", "1");

const IMAGE: &str = "wharf/demo:latest";

/// One container of the demo.
#[derive(Clone, Debug, PartialEq)]
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

/// The demo's image.
#[must_use]
pub fn image_reference() -> ImageReference {
    IMAGE.parse().expect("the demo's image name is a reference")
}

/// The members, in the order in which they are made.
#[must_use]
pub fn plan() -> Vec<Member> {
    let members = [
        ("web", After::Running),
        ("logger", After::Running),
        ("worker", After::Running),
        ("sleeper", After::Running),
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

impl Member {
    /// What to create for it. Never pulls, needs no network.
    #[must_use]
    pub fn spec(&self) -> ContainerSpec {
        let (key, value) = CONTAINER_LABEL;
        ContainerSpec {
            image: IMAGE.to_owned(),
            name: Some(self.name.clone()),
            command: vec![self.program.to_owned()],
            labels: BTreeMap::from([(key.to_owned(), value.to_owned())]),
            network: NetworkMode::None,
            pull: PullPolicy::Never,
            ..ContainerSpec::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_has_its_own_name_and_the_label_that_cleans_it_up() {
        let members = plan();
        let names: std::collections::BTreeSet<_> = members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names.len(), members.len());
        for member in &members {
            let spec = member.spec();
            assert_eq!(spec.labels.get(CONTAINER_LABEL.0).map(String::as_str), Some(CONTAINER_LABEL.1));
            assert_eq!((spec.pull, spec.network), (PullPolicy::Never, NetworkMode::None));
        }
    }

    #[test]
    fn a_persons_own_container_of_the_image_is_not_taken_for_the_demos() {
        assert_ne!(CONTAINER_LABEL.0, IMAGE_LABEL.0);
        assert_eq!(image_reference().familiar(), IMAGE);
    }
}
