//! The journal: every accepted fact of a run, in an append-only log.

pub mod event;
pub mod sink;
