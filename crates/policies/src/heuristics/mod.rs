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

use std::ops::Range;
use voltide_policy::Observation;

/// Energy that is not worth a slot of its own, kWh: what rounding leaves of a number of whole slots.
const NOTHING_KWH: f64 = 1e-9;

/// The slots from now in which the car of a row is there, as announced; within the horizon.
fn window(seen: &Observation<'_>, row: usize) -> Range<usize> {
    let end = seen.slots(row);
    let start = seen.arrival_slot[row].saturating_sub(seen.tick) as usize;
    start.min(end)..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use voltide_policy::testing::{Car, ObservationBuilder};

    #[test]
    fn a_car_can_be_shown_before_it_arrives() {
        let car = |arrival_slot, departure_slot| Car { arrival_slot, departure_slot, ..Car::default() };
        let cars = [car(2, 14), car(12, 14), car(12, 40), car(30, 40)];
        let shown = cars.into_iter().fold(ObservationBuilder::new(8).at(10), ObservationBuilder::car);
        let windows: Vec<_> = (0..4).map(|row| window(&shown.build(), row)).collect();
        assert_eq!(windows, [0..4, 2..4, 2..8, 8..8]);
    }
}
