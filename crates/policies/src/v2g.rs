//! Vehicle to grid: charge when it is cheap, give back when it pays and the driver agrees.
//!
//! ```text
//! min  Σ_t dt·(λ_t·c_t − λ_t·d_t + C_b·d_t)                                         (14)
//!      E_t = E_{t−1} + η_c·c_t·dt − d_t·dt/η_d,   E_T ≥ E_e
//!      0 ≤ c_t ≤ P_c·u_t,   0 ≤ d_t ≤ P_d·(1 − u_t) where the driver agreed, else 0
//!      min(E_0, E_min) ≤ E_t ≤ max(E_0, E_max)
//! ```
//! A stay that is too short for V2G by (13) only charges, at the same price.

use crate::smart::{energy_limits, load_to_fill, solve};
use serde::Deserialize;
use voltide_policy::{
    Host, Observation, Policy, Result, Schedules,
    storage::{Method, StorageRequest, TieRule},
};

/// Charges and discharges every car at least cost, wear included, at the incentive price.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct V2g {
    /// The way to the optimum.
    pub solver: Solver,
    /// Which of the cheapest schedules is meant; [`Lp`](Solver::Lp) and [`Milp`](Solver::Milp) give
    /// one of their own choice.
    pub tie: TieRule,
}

/// The ways to the optimum of (14).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Solver {
    /// The value function of stored energy.
    #[default]
    Exact,
    /// A linear program through CBC; above the optimum where charging and discharging at once would
    /// pay.
    Lp,
    /// A mixed-integer program through CBC.
    Milp,
}

impl From<Solver> for Method {
    fn from(solver: Solver) -> Self {
        match solver {
            Solver::Exact => Self::Exact,
            Solver::Lp => Self::Lp,
            Solver::Milp => Self::Milp,
        }
    }
}

impl Policy for V2g {
    const NAME: &'static str = "v2g";
    const PAYS_INCENTIVE: bool = true;
    const WHOLE_TREE: bool = true;

    fn plan(
        &mut self,
        host: &Host,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result {
        let (least, most) = energy_limits(seen);
        let load = load_to_fill(seen, self.tie)?;
        // For the whole stay; agreement, slot by slot, comes with what was shown.
        let eligible = seen.v2g_eligible.iter().map(|&eligible| f64::from(eligible));
        let discharge: Vec<f64> = seen
            .discharge_kw_max
            .iter()
            .zip(eligible)
            .map(|(most, eligible)| most * eligible)
            .collect();
        let request = StorageRequest {
            method: self.solver.into(),
            tie: self.tie,
            load_kw: &load,
            energy_kwh_min: &least,
            energy_kwh_max: &most,
            discharge_kw_max: &discharge,
            ..StorageRequest::of(seen)
        };
        solve(host, seen, &request, schedules)
    }
}
