//! Which code carries out which verb? One file each; this is the switchboard.
//!
//! Deliberately elsewhere: reading command lines (`cli::grammar`), scripts (`cli::script`), writing (`printer`).

mod attach;
mod change;
mod complete;
mod events;
mod exec;
mod history;
mod images;
mod inspect;
mod list;
mod logs;
mod other_store;
mod prune;
mod run;
mod system;
mod top;
mod wait;

use super::{
    exit::Exit,
    grammar::{Format, Request, USAGE},
    json::{ResultRow, VersionRow},
    printer::Printer,
    signals::Signals,
};
use crate::engine::{
    Engine, Locations,
    domain::{Error, ErrorKind, HostSpec},
};

/// What a verb works with.
pub struct Work<'a> {
    pub engine: &'a Engine,
    pub locations: &'a Locations,
    pub printer: &'a mut Printer,
    pub signals: &'a mut Signals,
    /// The verb's words, for results.
    pub verb: &'static str,
}

impl Work<'_> {
    /// Tells of a failed target and gives the exit code of it.
    fn failed(&mut self, target: &str, error: &Error) -> Exit {
        let hint = match error.kind() == ErrorKind::NoSuchContainer && *self.engine.host() == HostSpec::Embedded {
            true => other_store::hint(target),
            false => None,
        };
        let mut error = hint.map_or_else(|| error.clone(), |hint| error.clone().remedy(hint));
        if error.verb().is_some() {
            // "cannot inspect web: …" rather than "inspect: …".
            error = error.on(target);
        }
        let error = &error;
        if self.printer.format == Format::Json {
            self.printer.json(&ResultRow::of_error(self.verb, target, error));
        }
        self.printer.error(error);
        Exit::FAILED
    }
}

/// Carries out everything that needs an engine and is no script.
pub async fn perform(work: &mut Work<'_>, request: Request) -> Exit {
    match request {
        Request::Change(changes) => change::perform(work, changes).await,
        Request::Run(request) => run::perform(work, request).await,
        Request::StartAttached { container, stdin } => attach::start(work, container, stdin).await,
        Request::Wait { containers, goal, timeout } => wait::perform(work, &containers, goal, timeout).await,
        Request::List(request) => list::perform(work, &request).await,
        Request::Inspect { names, kind } => inspect::perform(work, &names, kind).await,
        Request::Logs { container, options, timestamps, raw } => {
            logs::perform(work, &container, options, logs::Look { timestamps, raw }).await
        }
        Request::Exec { container, spec } => exec::perform(work, &container, spec).await,
        Request::Attach { container, stdin } => attach::perform(work, &container, stdin).await,
        Request::Top { container } => top::perform(work, &container).await,
        Request::Events { range, filters } => events::perform(work, range, &filters).await,
        Request::Images(request) => images::perform(work, &request).await,
        Request::History { image, no_trunc } => history::perform(work, &image, no_trunc).await,
        Request::PruneContainers { ask } => prune::containers(work, ask).await,
        Request::PruneImages { unused, ask } => prune::images(work, unused, ask).await,
        Request::SystemInfo => system::info(work).await,
        Request::SystemRepair(mode) => system::repair(work, mode).await,
        Request::Complete(what) => complete::perform(work, what).await,
        Request::Version => version(work.printer),
        Request::Screen | Request::Script { .. } | Request::Completion { .. } | Request::Help(_) => {
            work.printer.complain(&format!("{} does not work here", work.verb), None);
            Exit::Code(USAGE)
        }
    }
}

/// `wharf version`.
pub fn version(printer: &mut Printer) -> Exit {
    match printer.format {
        Format::Json => printer.json(&VersionRow::of_this_build()),
        Format::Table => printer.line(concat!("wharf ", env!("CARGO_PKG_VERSION"))),
    }
    Exit::DONE
}
