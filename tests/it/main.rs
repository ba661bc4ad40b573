//! Tests of voltide as a whole: the program as a user runs it, and the laws that hold for any world.
//!
//! They need the `voltide` program beside them, which `cargo test --workspace` builds.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]
#![expect(clippy::print_stderr, reason = "a test that cannot run here says so")]

mod bad_input;
mod compare;
mod determinism;
mod engine_laws;
mod faults;
mod floor_plan;
mod golden;
mod grid;
mod identity;
mod journal_promise;
mod new_plugin;
mod paper_cases;
mod program;
mod python;
mod races;
mod reservations;
mod resume;
mod schedule;
mod tables;
mod time_travel;
mod typical_day;
mod worlds;
