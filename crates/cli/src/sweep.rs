//! Runs of one world over values, seeds and policies: which there are, what they come to, and what
//! is kept of that for a sweep that goes on.

pub(crate) mod groups;
mod notes;
pub(crate) mod plan;
pub(crate) mod row;
pub(crate) mod summary;
