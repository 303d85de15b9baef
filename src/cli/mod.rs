//! What does `wharf VERB ...` do? Words become an invocation, an invocation becomes commands to the engine, and one
//! printer tells how it went.
//!
//! - [`grammar`] is the table of verbs: the shell, scripts, the UI's `:` line, help and completions share it.
//! - `verbs` has one file per verb, `attached` joins a terminal with a process, `script` runs many lines.
//! - `printer` is the only code that writes to standard output and standard error; `json` is its schema for programs.
//!
//! Deliberately elsewhere: the full-screen interface (`ui`), which `main` opens when asked to here.

mod attached;
mod exit;
pub mod grammar;
#[cfg(unix)]
pub mod guard;
mod json;
mod printer;
mod script;
pub mod settings;
mod signals;
mod verbs;

use std::{ffi::OsString, io::IsTerminal as _, mem::ManuallyDrop};

#[cfg(feature = "fuzzing")]
pub use self::script::fuzz;
use self::{
    attached::Parting,
    grammar::{Invocation, Request, Shell, UsageError},
    printer::Printer,
    script::Script,
    settings::{Loaded, choose_host},
    signals::{Signals, die_of},
    verbs::Work,
};
pub use self::{exit::Exit, grammar::command_tree, settings::ScreenSettings};
use crate::engine::{
    Engine, Locations, Session,
    domain::{EngineSettings, Error, ErrorKind, HostSpec, ProcessExit, Result},
};

/// What is left to do for `main`.
#[derive(Debug)]
pub enum Next {
    /// End with this code.
    Exit(u8),
    /// Open the full-screen interface.
    Screen { host: HostSpec, locations: Locations, settings: Box<ScreenSettings> },
}

/// Carries out one command line, the words after `wharf`.
///
/// A signal that ended it is raised again here, so this does not return then where the system allows that.
#[must_use]
pub fn run(words: Vec<OsString>) -> Next {
    let mut printer = Printer::of_this_process();
    let bare = words.is_empty();
    let invocation = match grammar::parse_line(words) {
        Ok(invocation) => invocation,
        Err(error) => return Next::Exit(refused(&mut printer, &error)),
    };
    if bare && !on_a_terminal() {
        printer.block(&help_text());
        printer.flush();
        return Next::Exit(grammar::USAGE);
    }
    let exit = match prepare(invocation, &mut printer) {
        Ok(Prepared::Screen { host, locations, settings }) => {
            printer.flush();
            return Next::Screen { host, locations, settings };
        }
        Ok(Prepared::Done(exit)) => exit,
        Ok(Prepared::Engine(invocation, place)) => with_engine(*invocation, place, &mut printer),
        Err(error) => return Next::Exit(refused(&mut printer, &error)),
    };
    printer.flush();
    let exit = if printer.is_gone() { Exit::BROKEN_PIPE } else { exit };
    if let Exit::Signal(signal) = exit {
        die_of(signal);
    }
    Next::Exit(exit.code())
}

/// Joins this process's terminal with a process in a container until it ends or the person detaches: with Ctrl-p
/// Ctrl-q, and from a process without a terminal with Ctrl-C as well. For the full-screen interface, which has given
/// the terminal up meanwhile; signals that should end it end the session first.
///
/// Returns how the process ended; none when it goes on.
///
/// # Errors
/// `Io` when the terminal cannot be set up, `Unreachable` when the connection breaks.
pub async fn join_terminal(session: Session, tty: bool) -> Result<Option<ProcessExit>> {
    let mut printer = Printer::of_this_process();
    let joining =
        attached::Joining { stdin: true, tty, signals: attached::SignalsGo::ToUs, from: attached::JoinedFrom::Screen };
    let parting = attached::join(session, joining, &mut printer, &mut Signals::of_this_process()).await;
    printer.flush();
    match parting.map_err(|error| Error::io("joining the terminal", error))? {
        Parting::Exited(exit) => Ok(Some(exit)),
        Parting::Detached | Parting::OutputGone | Parting::Interrupted(_) => Ok(None),
        Parting::Lost => Err(Error::new(ErrorKind::Unreachable, "the connection to the process broke")),
    }
}

/// Says on standard error why the full-screen interface ended by itself.
pub fn complain(text: &str) {
    let mut printer = Printer::of_this_process();
    printer.complain(text, None);
    printer.flush();
}

/// The completion script of a shell, generated from the table of verbs.
fn completion_script(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => include_str!("../../assets/completions/wharf.bash"),
        Shell::Zsh => include_str!("../../assets/completions/_wharf"),
        Shell::Fish => include_str!("../../assets/completions/wharf.fish"),
    }
}

enum Prepared {
    Done(Exit),
    Screen { host: HostSpec, locations: Locations, settings: Box<ScreenSettings> },
    Engine(Box<Invocation>, Place),
}

/// Which engine, and with what.
struct Place {
    host: HostSpec,
    locations: Locations,
    settings: EngineSettings,
}

/// Answers what needs no engine; otherwise settles which one.
fn prepare(invocation: Invocation, printer: &mut Printer) -> Result<Prepared, UsageError> {
    printer.format = invocation.globals.format;
    printer.quiet = invocation.globals.quiet;
    if invocation.globals.no_color {
        printer.no_color();
    }
    if let Some(exit) = answer_at_once(&invocation.request, printer) {
        return Ok(Prepared::Done(exit));
    }
    if invocation.request == Request::Screen && !on_a_terminal() {
        return Err(UsageError::new("the full-screen interface needs a terminal").hint("wharf --help lists the verbs"));
    }
    if invocation.request == Request::Screen && std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        return Err(UsageError::new("this terminal (TERM=dumb) cannot show a full-screen interface")
            .hint("wharf --help lists the verbs, which need none"));
    }
    let locations = Locations::of_this_process();
    let Loaded { settings, warnings } = settings::load(&invocation.globals, &locations)?;
    for warning in &warnings {
        printer.warning(warning);
    }
    // Unset and not Unicode are the same here: no host is named.
    let host = choose_host(&invocation.globals, std::env::var("WHARF_HOST").ok(), &settings)?;
    if invocation.request == Request::Screen {
        let no_color = invocation.globals.no_color;
        let screen = ScreenSettings { hosts: settings.hosts, no_color, engine: settings.engine, ..settings.screen };
        return Ok(Prepared::Screen { host, locations, settings: Box::new(screen) });
    }
    Ok(Prepared::Engine(Box::new(invocation), Place { host, locations, settings: settings.engine }))
}

/// What is known without a host, a file or a runtime.
fn answer_at_once(request: &Request, printer: &mut Printer) -> Option<Exit> {
    if let Request::Help(text) = request {
        printer.block(text);
    } else if let Request::Completion { shell } = request {
        printer.block(completion_script(*shell));
    } else if *request == Request::Version {
        verbs::version(printer);
    } else {
        return None;
    }
    Some(Exit::DONE)
}

fn with_engine(mut invocation: Invocation, place: Place, printer: &mut Printer) -> Exit {
    let Place { host, locations, settings } = place;
    let locations = &locations;
    let script = match load_script(&mut invocation.request) {
        Ok(script) => script,
        Err(errors) => {
            errors.iter().for_each(|error| printer.usage(error));
            return Exit::Code(grammar::USAGE);
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.complain(&format!("cannot start: {error}"), None);
            return Exit::FAILED;
        }
    };
    let exit = runtime.block_on(async {
        let engine = match Engine::open_with(host, locations, &settings) {
            Ok(engine) => engine,
            Err(error) => {
                printer.error(&error);
                return failure_of(&invocation);
            }
        };
        let mut signals = Signals::of_this_process();
        let exit = match script {
            Some((script, options)) => {
                script::perform(&engine, locations, printer, &mut signals, script, options).await
            }
            None => {
                let verb = invocation.verb;
                let mut work = Work { engine: &engine, locations, printer: &mut *printer, signals: &mut signals, verb };
                verbs::perform(&mut work, invocation.request).await
            }
        };
        if let Exit::Signal(_) = exit {
            engine.close().await;
        }
        // As below.
        let _ = ManuallyDrop::new(engine);
        exit
    });
    // The process ends now, and with it all its threads: those that still wait for a host or a disk must not hold the
    // end, and taking the others apart first would only be waited for.
    let _ = ManuallyDrop::new(runtime);
    exit
}

/// A script is read before an engine is opened: one that does not parse touches nothing.
fn load_script(request: &mut Request) -> Result<Option<(Script, script::Options)>, Vec<UsageError>> {
    let Request::Script { file, jobs, keep_going } = request else { return Ok(None) };
    let options = script::Options { jobs: *jobs, keep_going: *keep_going };
    script::load(file.as_deref()).map(|script| Some((script, options)))
}

/// The code of a command line whose host cannot be opened.
fn failure_of(invocation: &Invocation) -> Exit {
    match grammar::find_verb(invocation.verb).map(|entry| entry.usage_exit_code) {
        Some(grammar::USAGE_OF_RUN) => Exit::ENGINE_FAILED,
        Some(_) | None => Exit::FAILED,
    }
}

fn refused(printer: &mut Printer, error: &UsageError) -> u8 {
    printer.usage(error);
    printer.flush();
    error.exit_code
}

fn help_text() -> String {
    match grammar::parse_line(["--help"]) {
        Ok(Invocation { request: Request::Help(text), .. }) => text,
        Ok(_) | Err(_) => String::new(),
    }
}

fn on_a_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}
