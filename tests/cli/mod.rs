//! Does the command line keep its promises? Generated pages are fresh, errors and exit codes are as documented, and
//! verbs do on real engines what their help says.
//! Deliberately elsewhere: how words are read (unit tests of `cli::grammar`), what engines do (`conformance`).

mod bad_input;
mod bench;
mod completions;
mod life;
mod plain;
mod reference;
#[cfg(unix)]
mod running;
mod scripts;
#[cfg(unix)]
mod terminal;
mod volumes;
