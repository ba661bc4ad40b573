//! Tests of the library as its users see it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

mod cases;
mod checker;
mod refusals;
mod shapes;
