//! Tests of voltide as a whole: the program as a user runs it, and the laws that hold for any world.
//!
//! They need the `voltide` program beside them, which `cargo test --workspace` builds.

mod bad_input;
mod determinism;
mod engine_laws;
mod floor_plan;
mod journal_promise;
mod program;
mod python;
mod worlds;
