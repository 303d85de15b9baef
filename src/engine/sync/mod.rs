//! How do our own tasks and threads meet? The few concurrent types that are ours, over primitives that can be checked.
//!
//! Everything here is written over [`primitives`]: the standard library's and tokio's in the program, a model
//! checker's under the cargo feature `model` (`tests/founding`). Nothing here awaits or blocks while
//! it holds a lock, and no waker is called or dropped under one. Deliberately elsewhere: what is sent and published
//! (`actor`, `supervisor`, `backend`).

pub mod fault;
mod flights;
mod mailbox;
pub mod primitives;
mod published;
mod ring;
pub mod task;
mod tide;
pub mod time;
pub mod waits;

pub use self::{
    flights::{Flights, Lead},
    mailbox::{Inbox, Refused, Sender, mailbox},
    published::{Closed, Publisher, Reader, published},
    ring::{Left, Piece, RingReader, RingWriter, ring},
    tide::{Flood, Tide, TideEnd},
};
