//! Which lines of a script have to wait for which? Lines that name a common container or image keep the order of the
//! file, unless all they do is look at it; a barrier waits for all.
//!
//! Deliberately elsewhere: running them (`script`). Pure.

use std::collections::HashMap;

use crate::{
    cli::grammar::Request,
    engine::domain::{About, Access, Command, ContainerName, ContainerSelector, ImageReference},
};

/// What a line touches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Only looked at.
    pub reads: Vec<Thing>,
    pub writes: Vec<Thing>,
    /// It may touch anything: it runs alone.
    pub everything: bool,
}

/// A container or image by the name the line gives it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Thing {
    Container(String),
    Image(String),
}

/// Lines between two barriers, with the edges between them; indexes count from `first`.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    pub first: usize,
    /// For each line, how many it waits for.
    pub waits: Vec<usize>,
    /// For each line, which wait for it.
    pub unblocks: Vec<Vec<usize>>,
}

impl Claims {
    /// Waits for all lines above, and all below wait for it.
    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }
}

/// What a request names, in its own words, and what it touches.
pub fn claims(request: &Request) -> (Vec<String>, Claims) {
    let mut targets = Vec::new();
    let mut claims = Claims::default();
    match request {
        Request::Change(changes) => {
            for change in changes {
                targets.push(change.target.clone());
                of_command(&change.command, &mut claims);
            }
        }
        Request::Run(run) => {
            targets.push(run.spec.name.as_ref().map_or_else(|| run.spec.image.clone(), ToString::to_string));
            of_command(&Command::Run(run.spec.clone()), &mut claims);
        }
        Request::StartAttached { container, .. }
        | Request::Exec { container, .. }
        | Request::Attach { container, .. } => {
            targets.push(container.clone());
            claims.writes.push(Thing::Container(container.clone()));
        }
        Request::Wait { containers, .. } => {
            targets.clone_from(containers);
            claims.writes.extend(containers.iter().cloned().map(Thing::Container));
        }
        Request::Logs { container, .. } | Request::Top { container } => {
            targets.push(container.clone());
            claims.reads.push(Thing::Container(container.clone()));
        }
        Request::Inspect { names, .. } => {
            targets.clone_from(names);
            claims.reads.extend(names.iter().cloned().map(Thing::Container));
            claims.reads.extend(names.iter().map(|name| image(name)));
        }
        Request::History { image: name, .. } => {
            targets.push(name.clone());
            claims.reads.push(image(name));
        }
        Request::PruneContainers { .. } | Request::PruneImages { .. } | Request::SystemRepair(_) => {
            claims.everything = true
        }
        Request::Screen
        | Request::List(_)
        | Request::Events { .. }
        | Request::Images(_)
        | Request::Script { .. }
        | Request::SystemInfo
        | Request::Completion { .. }
        | Request::Version
        | Request::Complete(_)
        | Request::Help(_) => {}
    }
    (targets, claims)
}

fn of_command(command: &Command, claims: &mut Claims) {
    match command.describe().about {
        About::Container(container) => claims.writes.push(of_selector(container)),
        About::NewContainer(spec) => {
            claims.writes.extend(spec.name.as_ref().map(of_name));
            claims.reads.push(image(&spec.image));
        }
        About::Reference(reference, Access::Write) => claims.writes.push(of_reference(reference)),
        About::Reference(reference, Access::Read) => claims.reads.push(of_reference(reference)),
        About::Image(name) => claims.writes.push(image(name)),
        About::Alias { source, target } => {
            claims.reads.push(image(source));
            claims.writes.push(of_reference(target));
        }
        About::Index { targets, sources } => {
            claims.reads.extend(sources.iter().map(of_reference));
            claims.writes.extend(targets.iter().map(of_reference));
        }
        About::Host(_) | About::Several(_) => claims.everything = true,
    }
    if let Command::Rename { name, .. } = command {
        claims.writes.push(of_name(name));
    }
}

fn of_name(name: &ContainerName) -> Thing {
    Thing::Container(name.to_string())
}

fn of_selector(container: &ContainerSelector) -> Thing {
    match container {
        ContainerSelector::Id(id) => Thing::Container(id.to_string()),
        ContainerSelector::Query(query) => Thing::Container(query.clone()),
    }
}

fn of_reference(reference: &ImageReference) -> Thing {
    Thing::Image(reference.to_string())
}

/// `alpine` and `docker.io/library/alpine:latest` are one; an id stays as it is written.
fn image(name: &str) -> Thing {
    match name.parse::<ImageReference>() {
        Ok(reference) => of_reference(&reference.with_default_tag()),
        Err(_) => Thing::Image(name.to_owned()),
    }
}

/// The sections of a script, in order.
pub fn sections(lines: &[Claims]) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut first = 0;
    while first < lines.len() {
        let rest = lines.get(first..).unwrap_or_default();
        let shared = rest.iter().take_while(|claims| !claims.everything).count();
        let count = shared.max(1);
        sections.push(section(first, rest.get(..count).unwrap_or_default()));
        first += count;
    }
    sections
}

/// Who touched a thing since its last writer.
#[derive(Default)]
struct Users {
    writer: Option<usize>,
    readers: Vec<usize>,
}

fn section(first: usize, lines: &[Claims]) -> Section {
    let mut users: HashMap<&Thing, Users> = HashMap::new();
    let mut waits = Vec::with_capacity(lines.len());
    let mut unblocks: Vec<Vec<usize>> = vec![Vec::new(); lines.len()];
    for (line, claims) in lines.iter().enumerate() {
        let mut before: Vec<usize> = Vec::new();
        for thing in &claims.reads {
            let users = users.entry(thing).or_default();
            before.extend(users.writer);
            users.readers.push(line);
        }
        for thing in &claims.writes {
            let users = users.entry(thing).or_default();
            before.extend(users.writer.take());
            before.append(&mut users.readers);
            users.writer = Some(line);
        }
        before.sort_unstable();
        before.dedup();
        before.retain(|earlier| *earlier != line);
        waits.push(before.len());
        for earlier in before {
            if let Some(next) = unblocks.get_mut(earlier) {
                next.push(line);
            }
        }
    }
    Section { first, waits, unblocks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::grammar::parse_line;

    fn of(lines: &[&str]) -> Vec<Section> {
        let claims = |line: &&str| match *line {
            "barrier" => Claims::everything(),
            line => claims(&parse_line(line.split(' ')).unwrap().request).1,
        };
        sections(&lines.iter().map(claims).collect::<Vec<_>>())
    }

    #[test]
    fn lines_on_one_container_keep_their_order_and_others_do_not_wait() {
        let sections = of(&["create --name a alpine", "create --name b alpine", "start a", "rm -f a b"]);
        let [section] = sections.as_slice() else { panic!("{sections:?}") };
        assert_eq!(section.waits, [0, 0, 1, 2]);
        assert_eq!(section.unblocks, [vec![2], vec![3], vec![3], vec![]]);
    }

    #[test]
    fn using_an_image_waits_for_its_pull_under_any_spelling_but_not_for_other_users() {
        let sections =
            of(&["pull alpine", "run -d docker.io/library/alpine:latest", "create alpine:latest", "rmi alpine"]);
        assert_eq!(sections[0].waits, [0, 1, 1, 3]);
    }

    #[test]
    fn both_names_of_a_rename_are_touched() {
        assert_eq!(of(&["rename a b", "start b", "create --name a alpine"])[0].waits, [0, 1, 1]);
    }

    #[test]
    fn looking_does_not_wait_for_looking() {
        assert_eq!(of(&["start a", "logs a", "inspect a", "stop a"])[0].waits, [0, 1, 1, 3]);
    }

    #[test]
    fn a_barrier_and_a_prune_stand_alone() {
        let sections = of(&["start a", "barrier", "stop b", "prune containers -f", "ps"]);
        assert_eq!(sections.iter().map(|section| section.first).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    }
}
