//! Which user and group ids exist inside a container?
//!
//! Deliberately elsewhere: finding out and mapping them (`namespaces`).

/// The ids inside, all from the host's point of view or mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ids {
    /// All: real root, no user namespace.
    All,
    /// A range besides root.
    Ranges,
    /// Root alone.
    Single,
}
