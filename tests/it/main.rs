//! Tests of voltide as a whole: the program as a user runs it, and the laws that hold for any world.
//!
//! They need the `voltide` program beside them, which `cargo test --workspace` builds.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]
#![expect(clippy::print_stderr, reason = "a test that cannot run here says so")]

mod arrival;
mod bad_input;
mod company;
mod compare;
mod coordinated;
mod determinism;
mod directions;
mod electrolyser;
mod engine;
mod engine_laws;
mod explain;
mod export;
mod extremes;
mod faults;
mod feed_in;
mod figures;
mod fleet_ticks;
mod floor_plan;
mod footprint;
mod foreseen;
mod golden;
mod grid;
mod identity;
mod init;
mod journal_promise;
mod new_plugin;
mod no_number;
mod observed;
mod paper_cases;
mod planned_again;
mod program;
mod python;
mod races;
mod readme;
mod report;
mod requests;
mod reservations;
mod resume;
mod savings;
mod schedule;
mod site_limits;
mod sources;
mod stages;
mod stays;
mod streams;
mod sweep;
mod tables;
mod tables_agree;
mod time_travel;
mod together;
mod typical_day;
mod worlds;
