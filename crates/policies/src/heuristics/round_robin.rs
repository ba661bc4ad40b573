//! Everyone in turn behind a site limit.

use super::sharing::{Sharing, share};
use serde::{Deserialize, Deserializer, de::Error};
use voltide_policy::{Host, Observation, Policy, Replan, Result, Schedules};

/// The least power that a turn may add, kW: chargers are not set more finely.
const INCREMENT_KW_MIN: f64 = 0.001;

/// Gives the cars behind a site one increment of power each, in turn, until the site's import limit
/// is reached or all have what they can use; so cars that lack energy get the same power, but for
/// the last increment. Turns go by car id, and begin with another car in every slot. Cars behind no
/// site charge at once. It never discharges and knows no price.
///
/// The rule is the round robin of Z. J. Lee, D. Johansson and S. H. Low, ACN-Sim: An Open-Source
/// Simulator for Data-Driven Electric Vehicle Charging Research, e-Energy 2019. Its result is that
/// of single turns, however small the increment; whole rounds that all can take are given at once.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoundRobin {
    /// Power that a turn adds, kW; at least 0.001.
    #[serde(deserialize_with = "increment_kw")]
    pub increment_kw: f64,
}

impl Default for RoundRobin {
    fn default() -> Self {
        Self { increment_kw: 1.0 }
    }
}

fn increment_kw<'de, D: Deserializer<'de>>(source: D) -> Result<f64, D::Error> {
    let power_kw = f64::deserialize(source)?;
    if power_kw.is_finite() && power_kw >= INCREMENT_KW_MIN {
        Ok(power_kw)
    } else {
        Err(D::Error::custom(format!(
            "`increment_kw` is {power_kw}, but must be {INCREMENT_KW_MIN} or more"
        )))
    }
}

impl Policy for RoundRobin {
    const NAME: &'static str = "round-robin";
    const REPLAN: Replan = Replan::EveryTick;
    const WHOLE_SITE: bool = true;

    fn plan(
        &mut self,
        _host: &Host,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result {
        share(seen, schedules, |sharing, mut waiting| {
            // By the tick and not by the slot of the horizon, or each plan would begin with the
            // same car.
            let first = sharing.tick() % waiting.len();
            waiting.rotate_left(first);
            take_turns(sharing, waiting, self.increment_kw);
        });
        Ok(())
    }
}

/// Serves the cars in turn; who gets less than was its turn can use no more in this slot.
fn take_turns(sharing: &mut Sharing<'_, '_>, mut waiting: Vec<usize>, increment_kw: f64) {
    while !waiting.is_empty() {
        // At least one turn: who cannot take all of it drops out, so that this ends.
        let turn_kw = increment_kw * sharing.whole_rounds(&waiting, increment_kw).max(1.0);
        waiting.retain(|&row| sharing.serve(row, turn_kw) >= turn_kw);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heuristics::laws::{behind, car, planned};
    use voltide_policy::policy::from_config;

    #[test]
    fn who_lacks_energy_gets_the_same_but_for_the_last_increment() {
        let shown = behind(11.0, 2).car(car(50.0, 2)).car(car(50.0, 2)).car(car(1.5, 2));
        assert_eq!(planned(&RoundRobin::default(), &shown), [[5.0, 5.0], [4.5, 6.0], [1.5, 0.0]]);
    }

    #[test]
    fn whole_rounds_at_once_are_single_turns() {
        let shown = behind(12.5, 1).car(car(9.3, 3)).car(car(1.1, 1)).car(car(30.0, 3));
        assert_eq!(planned(&RoundRobin { increment_kw: 0.001 }, &shown), [[5.7], [1.1], [5.7]]);
    }

    #[test]
    fn an_increment_that_adds_nothing_is_refused() {
        let refused = |config: &str| from_config::<RoundRobin>(config).unwrap_err().message;
        let expected = "`increment_kw` is 0, but must be 0.001 or more";
        assert_eq!(refused("(increment_kw: 0.0)"), expected);
        assert!(refused("(increment_kw: NaN)").contains("NaN"));
        assert!(refused("(increment: 1.0)").contains("increment_kw"));
        assert_eq!(from_config(""), Ok(RoundRobin { increment_kw: 1.0 }));
    }
}
