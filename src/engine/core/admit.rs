//! May this verb be applied to a container in this status?
//!
//! Deliberately elsewhere: waiting for other operations (`lane`). On a host we own the answer is law
//! and is asked again under the container's lock; on Docker and Podman it is advice.

use crate::engine::domain::{Force, Status, Verb};

/// The answer, complete for every verb and status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    Go,
    /// Nothing to do: report success.
    AlreadySo,
    /// Not now; with a clause saying why and what would help.
    Refuse {
        reason: String,
        remedy: &'static str,
    },
}

/// Decides for one verb on one container. Verbs that are not about an existing container always go. Whether anything
/// runs in a broken one is not known here: the host says, and what is broken.
#[must_use]
pub fn admit(verb: Verb, status: Status, force: Force) -> Admission {
    match verb {
        Verb::Start => start(status),
        Verb::Stop => stop(status),
        Verb::Restart => restart(status),
        Verb::Kill => kill(status),
        Verb::Pause => pause(status),
        Verb::Unpause => unpause(status),
        Verb::Remove => remove(status, force),
        Verb::Rename => rename(status),
        Verb::Exec | Verb::Attach | Verb::Processes => needs_process(status),
        Verb::Create
        | Verb::Run
        | Verb::Pull
        | Verb::Push
        | Verb::Tag
        | Verb::RemoveImage
        | Verb::CreateIndex
        | Verb::PruneContainers
        | Verb::PruneImages
        | Verb::Demo
        | Verb::Connect
        | Verb::List
        | Verb::Inspect
        | Verb::Logs
        | Verb::Wait
        | Verb::Images
        | Verb::History
        | Verb::Events
        | Verb::Repair => Admission::Go,
    }
}

fn start(status: Status) -> Admission {
    match status {
        Status::Created | Status::Exited | Status::Unknown | Status::Broken => Admission::Go,
        Status::Running | Status::Restarting => Admission::AlreadySo,
        Status::Paused => refuse("it is paused", "unpause it instead"),
        Status::Stopping => refuse("it is still stopping", "wait for it to stop, or use restart"),
        Status::Creating => not_ready(),
        Status::Removing => going(),
    }
}

fn stop(status: Status) -> Admission {
    match status {
        Status::Running | Status::Paused | Status::Restarting | Status::Stopping | Status::Broken | Status::Unknown => {
            Admission::Go
        }
        Status::Created | Status::Exited | Status::Removing => Admission::AlreadySo,
        Status::Creating => not_ready(),
    }
}

fn restart(status: Status) -> Admission {
    match status {
        Status::Created
        | Status::Exited
        | Status::Running
        | Status::Paused
        | Status::Restarting
        | Status::Stopping
        | Status::Broken
        | Status::Unknown => Admission::Go,
        Status::Creating => not_ready(),
        Status::Removing => going(),
    }
}

fn kill(status: Status) -> Admission {
    match status {
        Status::Running | Status::Paused | Status::Restarting | Status::Stopping | Status::Broken | Status::Unknown => {
            Admission::Go
        }
        Status::Creating | Status::Created | Status::Exited | Status::Removing => {
            not_running(status, "there is no process to signal")
        }
    }
}

fn pause(status: Status) -> Admission {
    match status {
        Status::Running | Status::Unknown | Status::Broken => Admission::Go,
        Status::Paused => Admission::AlreadySo,
        Status::Stopping => refuse("it is stopping", "wait for it to stop"),
        Status::Restarting => refuse("it is between two starts", "try again once it runs"),
        Status::Creating | Status::Created | Status::Exited | Status::Removing => not_running(status, "start it first"),
    }
}

fn unpause(status: Status) -> Admission {
    match status {
        Status::Paused | Status::Unknown | Status::Broken => Admission::Go,
        Status::Running | Status::Stopping => Admission::AlreadySo,
        Status::Restarting => refuse("it is not paused", "it starts again by itself"),
        Status::Creating | Status::Created | Status::Exited | Status::Removing => {
            not_running(status, "start it instead")
        }
    }
}

fn remove(status: Status, force: Force) -> Admission {
    match (status, force) {
        (_, Force::Yes)
        | (Status::Created | Status::Exited | Status::Broken | Status::Removing | Status::Unknown, _) => Admission::Go,
        (Status::Running | Status::Paused | Status::Restarting | Status::Stopping, Force::No) => {
            Admission::Refuse { reason: format!("it is {status}"), remedy: "stop it first, or use rm --force" }
        }
        (Status::Creating, Force::No) => not_ready(),
    }
}

fn rename(status: Status) -> Admission {
    match status {
        Status::Created
        | Status::Running
        | Status::Paused
        | Status::Restarting
        | Status::Stopping
        | Status::Exited
        | Status::Broken
        | Status::Unknown => Admission::Go,
        Status::Creating => not_ready(),
        Status::Removing => going(),
    }
}

fn needs_process(status: Status) -> Admission {
    match status {
        Status::Running | Status::Stopping | Status::Unknown => Admission::Go,
        Status::Paused => refuse("it is paused", "unpause it first"),
        Status::Restarting => refuse("it is between two starts", "try again once it runs"),
        Status::Creating | Status::Created | Status::Exited | Status::Removing | Status::Broken => {
            not_running(status, "start it first")
        }
    }
}

fn refuse(reason: &str, remedy: &'static str) -> Admission {
    Admission::Refuse { reason: reason.to_owned(), remedy }
}

fn not_running(status: Status, remedy: &'static str) -> Admission {
    Admission::Refuse { reason: format!("it is not running ({status})"), remedy }
}

fn not_ready() -> Admission {
    refuse("it is still being created", "wait a moment, or use rm --force")
}

fn going() -> Admission {
    refuse("it is being removed", "create a new one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forced_removal_is_admitted_from_every_status() {
        for status in Status::ALL {
            assert_eq!(admit(Verb::Remove, status, Force::Yes), Admission::Go, "{status}");
        }
    }

    #[test]
    fn removing_a_running_container_without_force_offers_stop() {
        let Admission::Refuse { reason, remedy } = admit(Verb::Remove, Status::Running, Force::No) else {
            panic!("a running container was given up");
        };
        assert_eq!(reason, "it is running");
        assert!(remedy.contains("stop"));
    }

    #[test]
    fn nothing_is_said_of_the_processes_of_what_cannot_be_read() {
        for verb in [Verb::Start, Verb::Stop, Verb::Restart, Verb::Kill, Verb::Pause, Verb::Unpause] {
            assert_eq!(admit(verb, Status::Broken, Force::No), Admission::Go, "{verb}");
        }
    }

    #[test]
    fn from_every_status_some_verb_leads_on() {
        for status in Status::ALL {
            let onward = [Verb::Start, Verb::Stop, Verb::Kill, Verb::Unpause, Verb::Remove];
            assert!(
                onward.into_iter().any(|verb| admit(verb, status, Force::Yes) == Admission::Go),
                "{status} is a dead end"
            );
        }
    }

    #[test]
    fn repeating_a_verb_that_took_effect_is_already_so() {
        for (verb, after) in [
            (Verb::Start, Status::Running),
            (Verb::Stop, Status::Exited),
            (Verb::Pause, Status::Paused),
            (Verb::Unpause, Status::Running),
        ] {
            assert_eq!(admit(verb, after, Force::No), Admission::AlreadySo, "{verb} at {after}");
        }
    }
}
