//! An engine in memory, for tests: stricter than the real ones.
