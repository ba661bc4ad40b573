//! Smart charging: the energy wanted at departure, in the cheapest slots.
//!
//! ```text
//! min  Σ_t dt·λ_t·c_t                                                               (12)
//!      E_t = E_{t−1} + η_c·c_t·dt,   0 ≤ c_t ≤ P_c,   E_t ≤ max(E_0, E_max),   E_T ≥ E_e
//! ```
//! Where a stay is too short for its target (11), the car charges all along, as much as fits.

use serde::Deserialize;
use voltide_policy::{
    Host, Observation, Policy, Result, Schedules,
    observation::Shown,
    storage::{GroupSites, Method, StorageAnswer, StorageRequest, TieRule},
};

/// Charges every car in the cheapest slots of its stay, at the tariff it pays; never discharges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Smart {
    /// How slots of one price share the energy.
    pub tie: TieRule,
}

/// [`Smart`] with cars that pay the incentive price: what V2G without discharge would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmartIncentive {
    /// How slots of one price share the energy.
    pub tie: TieRule,
}

impl Policy for Smart {
    const NAME: &'static str = "smart";
    const WHOLE_TREE: bool = true;

    fn plan(
        &mut self,
        host: &Host,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result {
        charge_cheapest(host, seen, schedules, self.tie)
    }
}

impl Policy for SmartIncentive {
    const NAME: &'static str = "smart-incentive";
    const PAYS_INCENTIVE: bool = true;
    const WHOLE_TREE: bool = true;

    fn plan(
        &mut self,
        host: &Host,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result {
        charge_cheapest(host, seen, schedules, self.tie)
    }
}

fn charge_cheapest(
    host: &Host,
    seen: &Observation<'_>,
    schedules: &mut Schedules<'_>,
    tie: TieRule,
) -> Result {
    let (least, most) = energy_limits(seen);
    let load = load_to_fill(seen, tie)?;
    let request = StorageRequest {
        method: Method::V1g,
        tie,
        load_kw: &load,
        energy_kwh_min: &least,
        energy_kwh_max: &most,
        discharge_kw_max: &[],
        may_discharge: &[],
        ..StorageRequest::of(seen)
    };
    solve(host, seen, &request, schedules)
}

/// Lets the program solve a request: each car by itself, or all behind the limits of their tree.
pub(crate) fn solve(
    host: &Host,
    seen: &Observation<'_>,
    request: &StorageRequest<'_>,
    schedules: &mut Schedules<'_>,
) -> Result {
    let storage = host.storage()?;
    let answers = match seen.shown {
        Shown::Due => storage.solve(request, schedules)?,
        Shown::Tree | Shown::Fleet => {
            storage.solve_group(request, &GroupSites::of(seen), schedules)?.0
        }
    };
    all_planned(seen, &answers)
}

/// Least and most energy of every car, kWh: its bounds, widened to where it starts.
pub(crate) fn energy_limits(seen: &Observation<'_>) -> (Vec<f64>, Vec<f64>) {
    // Runs that began under the rules of 0.1.0 show bounds as the battery has them.
    let widened = |bounds: &[f64], widen: fn(f64, f64) -> f64| {
        bounds.iter().zip(seen.energy_kwh).map(|(&bound, &start)| widen(bound, start)).collect()
    };
    (widened(seen.energy_kwh_min, f64::min), widened(seen.energy_kwh_max, f64::max))
}

/// What [`TieRule::ValleyFill`] fills: the net load and the cars planned so far, kW; none for other
/// rules.
pub(crate) fn load_to_fill(seen: &Observation<'_>, tie: TieRule) -> Result<Vec<f64>> {
    if tie != TieRule::ValleyFill {
        return Ok(Vec::new());
    }
    if seen.net_load_kw.len() != seen.horizon {
        return Err(
            "`tie: ValleyFill` needs a forecast of the net load, which this world does not have"
                .into(),
        );
    }
    let cars = seen.committed_ev_kw.iter().chain(std::iter::repeat(&0.0));
    Ok(seen.net_load_kw.iter().zip(cars).map(|(load, cars)| load + cars).collect())
}

/// Makes sure that no car is left without a schedule because the solver had none.
pub(crate) fn all_planned(seen: &Observation<'_>, answers: &[StorageAnswer]) -> Result {
    // After an error the world's fallback policy answers; else the car would stand uncharged.
    let missing =
        answers.iter().zip(seen.stay_id).find(|(answer, _)| !answer.outcome.has_solution());
    missing.map_or(Ok(()), |(answer, stay)| {
        Err(format!("the solver has no schedule for stay {stay}: {:?}", answer.outcome).into())
    })
}
