//! Can somebody who looks on hold up a container, its owner or this program? The embedded engine for real, with
//! viewers as bad as they come.
//! Deliberately elsewhere: what flows over which stream on every engine (`tests/conformance`), one monitor's own
//! behaviour (`tests/engine`).

mod crowd;
mod daemons;
mod flood;
mod follow;
mod orphans;
mod place;
mod stalled;
mod viewer;
