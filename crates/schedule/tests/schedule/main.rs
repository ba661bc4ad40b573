//! The optimisation core, held against other solvers and its own laws; `tests/it/paper_cases.rs`
//! holds it against the reference instances of the paper.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail it")]

mod batches;
mod best_effort;
mod differential;
mod electrolyser;
mod fallback;
mod grid_laws;
mod grid_limits;
mod grid_systems;
mod group_cases;
mod group_laws;
mod group_random;
mod instances;
mod lattice;
mod laws;
mod one_way;
mod rolling;
mod switched;
mod ties;
mod traps;
