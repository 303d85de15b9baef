//! How long may anything wait, and how many of it may wait? Every queue and deadline, with its reason.
//!
//! Deliberately elsewhere: limits of one registry or one monitor connection, beside their code.

use std::time::Duration;

/// Commands handed over and not yet routed. A script of 1,000 lines fits without waiting.
pub const REQUESTS: usize = 1024;
/// Commands waiting for one container's actor. People and scripts rarely queue more than a few.
pub const CONTAINER_QUEUE: usize = 64;
/// Engine events a slow reader may lag behind before it re-reads the inventory.
pub const ENGINE_EVENTS: usize = 1024;
/// Backend notices not yet handled; a full queue becomes one `Gap`.
pub const NOTICES: usize = 1024;
/// Items between a process and its session: 64 x 64 KiB at most.
pub const SESSION_ITEMS: usize = 64;
/// Signals and sizes on their way to a process. Nobody presses more keys at once.
pub const SESSION_CONTROLS: usize = 16;
/// Batches of log lines between the reader and its client.
pub const LOG_BATCHES: usize = 16;
/// Finished operations kept for the operations screen.
pub const HISTORY: usize = 200;

/// A read that takes longer is reported as such.
pub const READ_DEADLINE: Duration = Duration::from_secs(10);
/// Short life-cycle steps: create (image present), start, pause, rename, rm.
pub const STEP_DEADLINE: Duration = Duration::from_secs(60);
/// Added to a stop's grace period: escalation, exit, record.
pub const STOP_MARGIN: Duration = Duration::from_secs(20);
/// Docker's default grace between the stop signal and KILL.
pub const STOP_GRACE: Duration = Duration::from_secs(10);
/// Transfers end by their own progress deadlines; this is the outer bound.
pub const TRANSFER_DEADLINE: Duration = Duration::from_secs(6 * 60 * 60);
/// How long `close` waits for cancelled operations.
pub const CLOSE_DEADLINE: Duration = Duration::from_secs(2);
/// The longest grace a container may bring itself when the asker names none.
pub const STOP_GRACE_MAX: Duration = Duration::from_secs(600);
/// An actor without work retires after this.
pub const ACTOR_IDLE: Duration = Duration::from_secs(5);
/// First and longest wait before asking a silent host again.
pub const RECONNECT_FIRST: Duration = Duration::from_millis(250);
pub const RECONNECT_MAX: Duration = Duration::from_secs(10);
/// A failed listing is repeated after this.
pub const RELIST_PAUSE: Duration = Duration::from_secs(2);
/// Everything is listed again after this, and later where a listing takes long: hints can be lost.
pub const RELIST_EVERY: Duration = Duration::from_secs(60);
pub const RELIST_EVERY_MAX: Duration = Duration::from_secs(600);
/// The first and the longest pause between two looks at what cannot be read or is being changed: nobody may tell when that is over.
pub const DOUBT_FIRST: Duration = Duration::from_millis(250);
pub const DOUBT_MAX: Duration = Duration::from_secs(60);
/// Progress reaches the inventory at most this often.
pub const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
