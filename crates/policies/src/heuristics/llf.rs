//! Least laxity first behind a site limit.

use super::sharing::share;
use serde::Deserialize;
use voltide_policy::{Host, Observation, Policy, Replan, Result, Schedules};

/// Serves the cars behind a site in the order of their laxity, the slots that they have left less
/// those that they need at full power, worked out anew in every slot; each gets all that it can
/// use, until the site's import limit is reached; of two with the same laxity, the car with the
/// lower id first. Cars behind no site charge at once. It never discharges and knows no price.
///
/// The order is that of M. L. Dertouzos and A. K. Mok, Multiprocessor On-Line Scheduling of
/// Hard-Real-Time Tasks, IEEE Transactions on Software Engineering 15, 1989. Unlike
/// [`Edf`](crate::Edf) it sees that a car with a late departure and much to charge must begin now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Llf {}

impl Policy for Llf {
    const NAME: &'static str = "llf";
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
            waiting.sort_by(|&a, &b| sharing.laxity(a).total_cmp(&sharing.laxity(b)));
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
    use crate::{
        Edf,
        heuristics::laws::{behind, car, planned},
    };

    #[test]
    fn it_meets_targets_that_the_earliest_deadline_misses() {
        let shown = behind(14.0, 3).car(car(7.0, 2)).car(car(7.0, 2)).car(car(21.0, 3));
        let got =
            |powers: Vec<Vec<f64>>| powers.iter().map(|row| row.iter().sum()).collect::<Vec<f64>>();
        assert_eq!(got(planned(&Edf {}, &shown)), [7.0, 7.0, 14.0]);
        assert_eq!(got(planned(&Llf {}, &shown)), [7.0, 7.0, 21.0]);
    }

    #[test]
    fn laxity_is_worked_out_anew_in_every_slot() {
        let shown = behind(7.0, 4).car(car(14.0, 4)).car(car(14.0, 4));
        assert_eq!(planned(&Llf {}, &shown), [[7.0, 0.0, 7.0, 0.0], [0.0, 7.0, 0.0, 7.0]]);
    }
}
