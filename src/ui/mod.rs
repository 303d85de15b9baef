//! What does a person at a terminal see and press? A full-screen interface over the engine's door.
//!
//! Elm-shaped: everything that wakes the loop is a [`message`], `update` turns state and message into state and
//! effects, `view` borrows the state and returns what it learnt. `screens` and `dialogs` hold one folder or file per
//! thing to look at. Deliberately elsewhere: the same verbs without a screen (`cli`).

mod command_line;
mod cursor;
mod defects;
mod dialogs;
mod effect;
mod effect_runner;
mod ends;
mod facts;
mod fault;
mod feedback;
mod focus;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod geometry;
mod input;
#[cfg(unix)]
mod key_bytes;
pub mod keymap;
mod layout;
mod message;
mod output;
mod picture;
mod run;
mod screens;
mod search;
mod session;
mod settings;
mod signals;
mod stage;
mod state;
mod terminal;
mod terminal_input;
mod theme;
mod update;
mod view;
mod widgets;

use std::{io, panic, process::ExitCode};

pub use self::{
    effect_runner::OpenEngine,
    settings::{Mouse, Settings},
    stage::Stage,
    theme::{Colour, GlyphSet},
};
use self::{geometry::Size, run::note_problems, state::State, terminal::Terminal};
use crate::engine::{
    Locations,
    domain::{HostSpec, Timestamp},
};

/// Threads of the engine beside the interface's own. Two are enough to keep one busy and one free.
const WORKERS: usize = 2;

/// Opens the interface on a host and runs it until the person quits.
///
/// The first frame is drawn before the engine is asked anything. The terminal is given back whatever happens.
#[must_use]
pub fn run(host: HostSpec, locations: Locations, settings: Settings) -> ExitCode {
    let open = effect_runner::real_hosts(locations.clone(), settings.engine.clone());
    let ended = panic::catch_unwind(panic::AssertUnwindSafe(|| start(host, open, &locations, settings)));
    match ended {
        Ok(Ok(())) => ExitCode::SUCCESS,
        // The hook has given the terminal back and said what happened.
        Err(_) => ExitCode::FAILURE,
        Ok(Err(error)) => {
            // Dropping everything has given the terminal back; where it is gone, nobody hears this.
            crate::cli::complain(&format!("the screen ended: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn start(host: HostSpec, open: OpenEngine, locations: &Locations, settings: Settings) -> io::Result<()> {
    // First of all: it keeps the terminal's modes as they are, and what is forked early is small.
    #[cfg(unix)]
    let guard = crate::cli::guard::Guard::start(rustix::stdio::stdout(), &terminal::exit_sequences());
    let defects = defects::install_hook();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
    let runtime = Threads(Some(runtime));
    // Heard from before the terminal is ours: a signal in between would leave it raw.
    let signals = {
        let _inside = runtime.handle().enter();
        signals::Signals::listen()
    };
    let size = Terminal::size().unwrap_or(Size { columns: 80, rows: 24 });
    let mut terminal = Terminal::enter(size, settings.mouse)?;
    let mut state = State::new(host, size, settings, Timestamp::now());
    let mut problems = Vec::new();
    match settings::chosen_theme(&state.settings, locations) {
        Ok(theme) => state.theme = theme,
        Err(problem) => problems.push(problem),
    }
    if let Some(feedback) = terminal.present(&state.theme, |canvas| view::draw(&state, canvas))? {
        state.drawn(feedback);
    }
    problems.extend(settings::apply_files(&mut state.keymap, &state.settings, locations));
    let (own, wrong) = settings::own_themes(&state.settings, locations);
    problems.extend(wrong.into_iter().filter(|problem| !problems.contains(problem)).collect::<Vec<_>>());
    state.own_themes = own;
    note_problems(&mut state, &problems);
    let result = runtime.handle().block_on(run::run(state, terminal, open, defects, signals));
    drop(runtime);
    #[cfg(unix)]
    drop(guard);
    result
}

/// The runtime. Threads that still wait for a host or a disk must not hold the end, not even after a panic.
struct Threads(Option<tokio::runtime::Runtime>);

impl Threads {
    fn handle(&self) -> &tokio::runtime::Handle {
        self.0.as_ref().expect("only the drop takes it").handle()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
