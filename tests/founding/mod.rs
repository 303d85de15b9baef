//! Are the six faults that Wharf was founded on impossible here? One module per case; what a model checker runs is in
//! the binaries `loom` and `shuttle` beside this file.
//!
//! | case | where |
//! |---|---|
//! | 1 removal beside inspect | `removal` (loom), `daemon`; crashes: `containers/tests` |
//! | 2 a lock that is none | `tests/locks` |
//! | 3 fan-out over a shared value | `index_push` (shuttle), `tests/registry/index.rs` |
//! | 4 one digest, several writers | `flights`, `tide` (loom), `images/tests` |
//! | 5 waiting in a circle | `switching`, `supervision`, `lock_order` (shuttle), `waiting` |
//! | 6 a client that stopped reading | `ring` (loom), `docker/session/tests` |
//!
//! Deliberately elsewhere: how a twin is caught (`twin.rs`).

#[cfg(unix)]
mod daemon;
#[cfg(debug_assertions)]
mod waiting;
