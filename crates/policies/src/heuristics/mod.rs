//! The classic rules of thumb that the literature compares itself with: no prices but for the last,
//! no solver, no look at the grid.
//!
//! | policy         | charges                                    | after                                 |
//! |----------------|--------------------------------------------|---------------------------------------|
//! | [`Alap`]       | as late as possible                        | the mirror of charging at once        |
//! | [`Edf`]        | at a site: who leaves first                | Liu and Layland 1973                  |
//! | [`Llf`]        | at a site: who has the least time to spare | Dertouzos and Mok 1989                |
//! | [`RoundRobin`] | at a site: everyone in turn                | Lee, Johansson and Low 2019 (ACN-Sim) |
//! | [`Threshold`]  | when it is cheap; sells when it is dear    | Kempton and Tomić 2005                |
//!
//! [`Edf`], [`Llf`] and [`RoundRobin`] are one kernel, [`sharing`], with three orders. All of them
//! know a car's target at departure, but no bounds at slots in between.

mod alap;
mod edf;
#[cfg(test)]
mod laws;
mod llf;
mod round_robin;
mod sharing;
mod threshold;

pub use alap::Alap;
pub use edf::Edf;
pub use llf::Llf;
pub use round_robin::RoundRobin;
pub use threshold::Threshold;

/// Energy that is not worth a slot of its own, kWh: what rounding leaves of a number of whole
/// slots.
const NOTHING_KWH: f64 = 1e-9;
