//! Earliest deadline first behind a site limit.

use super::sharing::share;
use serde::Deserialize;
use voltide_policy::{Host, Observation, Policy, Replan, Result, Schedules};

/// Serves the cars behind a site in the order of their announced departure, each with all that it
/// can use, until the site's import limit is reached; of two that leave together, the car with the
/// lower id first. Cars behind no site charge at once. It never discharges and knows no price.
///
/// The order is that of C. L. Liu and J. W. Layland, Scheduling Algorithms for Multiprogramming in
/// a Hard-Real-Time Environment, Journal of the ACM 20, 1973. What they prove carries over where a
/// limit holds one car at a time, that is where every charger can use all of it: if all cars can
/// have what they need, they do. Where several charge at once it does not, since a car's
/// charger bounds how fast it catches up; [`Llf`](crate::Llf) then misses fewer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edf {}

impl Policy for Edf {
    const NAME: &'static str = "edf";
    // A plan holds for the cars that it was made for: who comes later may have to go first.
    const REPLAN: Replan = Replan::EveryTick;
    const WHOLE_SITE: bool = true;

    fn plan(
        &mut self,
        _host: &Host,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result {
        share(seen, schedules, |sharing, mut waiting| {
            // Rows ascend by car, and the sort is stable.
            waiting.sort_by_key(|&row| sharing.departure_slot(row));
            for row in waiting {
                sharing.serve(row, f64::INFINITY);
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heuristics::laws::{behind, car, planned};
    use proptest::prelude::*;
    use voltide_policy::testing::{Car, ObservationBuilder};

    #[test]
    fn who_leaves_first_is_served_first_and_leaves_the_rest_to_the_next() {
        let shown = behind(6.0, 4).car(car(7.0, 4)).car(car(3.0, 2)).car(car(2.0, 4));
        assert_eq!(
            planned(&Edf {}, &shown),
            [[3.0, 4.0, 0.0, 0.0], [3.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0]]
        );
    }

    proptest! {
        /// One car at a time can use all of the limit. It suffices for each to get what it needs
        /// that between any arrival and any departure there is room for those who stay in between.
        #[test]
        fn all_targets_are_met_where_that_is_possible_and_a_charger_can_use_the_whole_limit(
            stays in prop::collection::vec((0_u32..8, 1_u32..8, 0.1..20.0), 1..7),
            limit_kw in 1.0..7.0,
            scale in 0.7..=1.0,
        ) {
            let crowding = |stays: &[(u32, u32, f64)]| {
                let ends = stays.iter().flat_map(|from| stays.iter().map(|to| (from.0, to.0 + to.1)));
                ends.filter(|(from, to)| from < to).map(|(from, to)| {
                    let inside = stays.iter().filter(|stay| from <= stay.0 && stay.0 + stay.1 <= to);
                    inside.map(|stay| stay.2).sum::<f64>() / (f64::from(to - from) * limit_kw)
                }).fold(0.0, f64::max)
            };
            let fit = scale / crowding(&stays);
            let cars = stays.iter().map(|&(arrival_slot, slots, kwh)| {
                Car { arrival_slot, ..car(kwh * fit, arrival_slot + slots) }
            });
            let shown = cars.fold(behind(limit_kw, 16), ObservationBuilder::car);
            for (powers, stay) in planned(&Edf {}, &shown).iter().zip(&stays) {
                let missed: f64 = stay.2 * fit - powers.iter().sum::<f64>();
                prop_assert!(missed.abs() < 1e-4);
            }
        }
    }
}
