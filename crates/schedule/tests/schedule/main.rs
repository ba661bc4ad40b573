//! The optimisation core, held against reference cases, other solvers and its own laws.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail it")]

mod batches;
mod best_effort;
mod cases;
mod differential;
mod instances;
mod lattice;
mod laws;
mod ties;
mod traps;
