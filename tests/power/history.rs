//! What must a store hold after a power cut? What was acknowledged; of the one line each script was at, all or nothing.
//! Deliberately elsewhere: running the lines and cutting the power (`cuts`), the machine (`machine`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::split_mix::SplitMix;

/// Image the containers are made from.
pub const IMAGE: &str = "wharf/demo:latest";
/// How many objects of a kind a script keeps at most.
const CROWD: usize = 6;

/// One line of a script and what is there once it is acknowledged.
#[derive(Clone, Debug)]
pub struct Step {
    pub line: String,
    after: Store,
    /// Between its two parts: `run` creates and then starts.
    between: Option<Store>,
}

/// What the engine's store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Store {
    /// By name; whether its process ever began.
    containers: BTreeMap<String, bool>,
    tags: BTreeSet<String>,
}

impl Store {
    /// What the machine says is there, from the lines of `ps -a` and `images` as JSON, for the names that begin with
    /// `owner`.
    pub fn of_machine(lines: &[String], owner: char) -> Self {
        let mut store = Self::default();
        for line in lines {
            let Ok(object) = serde_json::from_str::<Value>(line) else { continue };
            if let Some(name) = object["name"].as_str().filter(|name| name.starts_with(owner)) {
                let status = object["status"].as_str().unwrap_or_default();
                assert!(matches!(status, "created" | "exited"), "after a power cut nothing runs: {line}");
                store.containers.insert(name.to_owned(), status == "exited");
            }
            for reference in object["references"].as_array().into_iter().flatten() {
                let tag = reference.as_str().unwrap_or_default().trim_start_matches("docker.io/library/");
                if tag.starts_with(owner) {
                    store.tags.insert(tag.to_owned());
                }
            }
        }
        store
    }

    /// A step that is possible now; each is about one object.
    fn step(&self, owner: char, number: usize, chance: &mut SplitMix) -> Step {
        let mut after = self.clone();
        let mut between = None;
        let pick = |from: Vec<&String>, chance: &mut SplitMix| {
            let index = usize::try_from(chance.next() % from.len() as u64).unwrap();
            from[index].clone()
        };
        let name = format!("{owner}{number}");
        let any = |chance: &mut SplitMix| pick(self.containers.keys().collect(), chance);
        let line = match chance.next() % 8 {
            0 | 1 if self.containers.len() < CROWD => {
                after.containers.insert(name.clone(), false);
                format!("create --name {name} {IMAGE} /bin/wharf __demo sleeper")
            }
            2 if self.containers.len() < CROWD => {
                after.containers.insert(name.clone(), false);
                between = Some(after.clone());
                after.containers.insert(name.clone(), true);
                format!("run -d --name {name} {IMAGE} /bin/wharf __demo sleeper")
            }
            3 if !self.containers.is_empty() => {
                let name = any(chance);
                after.containers.insert(name.clone(), true);
                format!("start {name}")
            }
            4 if !self.containers.is_empty() => {
                let old = any(chance);
                let ran = after.containers.remove(&old).unwrap();
                after.containers.insert(name.clone(), ran);
                format!("rename {old} {name}")
            }
            5 if self.tags.len() < CROWD => {
                after.tags.insert(format!("{name}:1"));
                format!("tag {IMAGE} {name}:1")
            }
            6 if !self.tags.is_empty() => {
                let tag = pick(self.tags.iter().collect(), chance);
                after.tags.remove(&tag);
                format!("rmi {tag}")
            }
            _ if !self.containers.is_empty() => {
                let name = any(chance);
                after.containers.remove(&name);
                format!("rm -f {name}")
            }
            _ => {
                after.containers.insert(name.clone(), false);
                format!("create --name {name} {IMAGE} /bin/wharf __demo sleeper")
            }
        };
        Step { line, after, between }
    }
}

/// What one script does, from a store.
pub fn steps(before: &Store, owner: char, first: usize, count: usize, chance: &mut SplitMix) -> Vec<Step> {
    let mut now = before.clone();
    let mut steps = Vec::with_capacity(count);
    for number in first..first + count {
        let step = now.step(owner, number, chance);
        now = step.after.clone();
        steps.push(step);
    }
    steps
}

/// Says what is wrong when the machine holds neither what was there after the last acknowledged step nor what is there
/// after the step that followed it.
pub fn judge(before: &Store, steps: &[Step], acknowledged: usize, found: &Store) -> Result<(), String> {
    let certain = acknowledged.checked_sub(1).map_or(before, |last| &steps[last].after);
    let under_way = steps.get(acknowledged);
    if found == certain || under_way.is_some_and(|step| *found == step.after || Some(found) == step.between.as_ref()) {
        return Ok(());
    }
    let line = under_way.map_or("nothing", |step| &step.line);
    Err(format!("acknowledged: {certain:?}\nunder way: {line}\nfound: {found:?}"))
}
