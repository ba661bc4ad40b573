//! Optimal schedules for batteries on a grid.
//!
//! [`StorageProblem`] is one battery over one horizon, equations (11) to (14) as plain data;
//! [`StorageRequest`] is many of them in columns, as policies hand them over. Four ways lead to
//! the same optimum:
//!
//! | [`Method`] | how                                                | where                                  |
//! |------------|----------------------------------------------------|----------------------------------------|
//! | `Exact`    | value function of stored energy, branch and bound  | always; the default                    |
//! | `V1g`      | cheapest price classes first                       | no discharge, bounds that do not bind  |
//! | `Lp`       | linear program of the hull, through CBC            | exact where every slot is convex       |
//! | `Milp`     | mixed-integer program, through CBC                 | always; the referee                    |
//!
//! Wishes that cannot be met (a target too far, a start outside the bounds) give the best
//! reachable schedule and say what is [unmet](Unmet). [`grid`] schedules generation, storage and
//! load of a whole system, [`group`] many batteries behind common limits. [`linear`] is the checked way to CBC for any other program.

#[cfg(not(any(feature = "bundled-cbc", feature = "system-cbc")))]
compile_error!("choose where CBC comes from: feature `bundled-cbc` (the default) or `system-cbc`");

// Links the CBC that was built from source; nothing else names it.
#[cfg(feature = "bundled-cbc")]
extern crate cbc_src as _;

mod answer;
mod batch;
mod branch;
pub mod check;
mod exact;
mod general;
pub mod grid;
pub mod group;
mod group_batch;
mod level;
pub mod linear;
mod options;
mod problem;
mod programs;
mod ranking;
mod reach;
mod search;
mod site_costs;
mod solver;
mod sweep;
mod ties;
mod v1g;

pub use answer::{BoundsMissed, MissedReason, Outcome, StorageAnswer, TargetMissed, Unmet};
pub use batch::{BatchError, solve_batch};
pub use group_batch::solve_group_batch;
pub use options::Options;
pub use problem::{PerSlot, ProblemError, Slope, StorageProblem};
pub use programs::StorageProgram;
pub use solver::Solver;
pub use voltide_policy::storage::{Method, StorageRequest, TieRule};
