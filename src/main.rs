//! Which role does this process play? Decided from the first argument, before any thread, logger or runtime exists:
//! a process that will clone namespaces must be single-threaded when it does.
//!
//! Deliberately elsewhere: the roles themselves (`engine::backend::embedded`, `engine::demo`, `cli`, `ui`).

use std::process::ExitCode;

use wharf::{
    cli::{self, Next},
    engine::{backend::embedded::roles::role, demo},
    ui,
};

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some(run) = role(&words) {
        return run();
    }
    if let Some(code) = demo::role(&words) {
        return code;
    }
    match cli::run(words) {
        Next::Exit(code) => ExitCode::from(code),
        Next::Screen { host, locations, settings } => {
            // Unset and not Unicode are the same here: nothing is asked for.
            let settings = ui::Settings::resolve(*settings, &|name| std::env::var(name).ok());
            ui::run(host, locations, settings)
        }
    }
}
