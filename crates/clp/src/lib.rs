//! Linear programs through Clp, called by its own C interface.
//!
//! ```text
//! min  c·x    with   row_lower ≤ A·x ≤ row_upper,   lower ≤ x ≤ upper
//! ```
//! Clp is asked for nothing but its dual simplex: what stands around it elsewhere, presolve and
//! the set-up of branch and cut, costs more than the pivots of a program of a thousand columns.
//! A program is solved [cold or from a basis](LinearProgram::solve) that its caller knows to be
//! near the optimum. Nothing is kept between two calls, so that the same program and basis give
//! the same answer wherever they are asked.
//!
//! Infinite bounds are [`f64::INFINITY`] and its negative; no number may be NaN.

#[cfg(not(any(feature = "bundled-cbc", feature = "system-cbc")))]
compile_error!("choose where Clp comes from: feature `bundled-cbc` (the default) or `system-cbc`");

mod basis;
mod interface;
mod program;
mod session;

pub use basis::{Basis, Standing};
pub use program::{Entry, LinearProgram, MalformedProgram, Outcome, Solution};
pub use session::{Session, Vertex};
