//! The optimisation core, held against reference cases, other solvers and its own laws.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail it")]

mod batches;
mod best_effort;
mod cases;
mod differential;
mod grid_cases;
mod grid_days;
mod grid_laws;
mod grid_limits;
mod grid_systems;
mod grid_world;
mod instances;
mod lattice;
mod laws;
#[path = "../../../../tests/cases/reader.rs"]
mod reader;
mod ties;
mod traps;
