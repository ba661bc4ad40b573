//! Storage problems that the program solves for a policy.
//!
//! ```text
//! min  Σ_t dt·(buy_t·c_t − (sell_t − C_b)·d_t) − v·E_T                              (14)
//!      E_t = E_{t−1} + η_c·c_t·dt − d_t·dt/η_d
//!      0 ≤ c_t ≤ P_c,   0 ≤ d_t ≤ P_d where it may discharge,   never both at once
//!      E_min ≤ E_t ≤ E_max,   E_T ≥ target
//! ```
//! With no discharge this is (12). A policy takes what it was shown, changes what it has an
//! opinion on, and lets the program fill in the schedules:
//!
//! ```
//! use voltide_policy::{Host, Observation, Result, Schedules, storage::StorageRequest};
//!
//! fn plan(host: &Host, seen: &Observation, schedules: &mut Schedules) -> Result {
//!     let request = StorageRequest { discharge_kw_max: &[], ..StorageRequest::of(seen) };
//!     host.storage()?.solve(&request, schedules)?;
//!     Ok(())
//! }
//! # let shown = voltide_policy::testing::ObservationBuilder::new(4);
//! # let refused = plan(&Host::detached(), &shown.build(), &mut Schedules { power_kw: &mut [], horizon: 4 });
//! # assert_eq!(refused.unwrap_err().to_string(), "this program has no service `voltide.storage/1`");
//! ```

use crate::{abi, observation::Observation};

/// The way to the optimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[repr(u32)]
pub enum Method {
    /// The value function of stored energy, with branch and bound where charging and discharging at
    /// once would pay.
    #[default]
    Exact = abi::STORAGE_EXACT,
    /// Cheapest price classes first; [`Exact`](Self::Exact) where that does not apply.
    V1g = abi::STORAGE_V1G,
    /// The linear program through CBC, one of its optima: may leave a gap where charging and
    /// discharging at once would pay.
    Lp = abi::STORAGE_LP,
    /// The mixed-integer program through CBC, one of its optima.
    Milp = abi::STORAGE_MILP,
}

/// Which of the schedules of least cost is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[repr(u32)]
pub enum TieRule {
    /// Equal power over all slots of the marginal price class.
    #[default]
    Spread = abi::STORAGE_SPREAD,
    /// Energy comes as early and leaves as late as the optimum allows.
    Earliest = abi::STORAGE_EARLIEST,
    /// The sum of [`StorageRequest::load_kw`] and the battery's power is as even as the optimum
    /// allows.
    ValleyFill = abi::STORAGE_VALLEY_FILL,
}

/// Relative gaps up to this are rounding, in our own arithmetic as in a solver's.
const GAP_TOLERANCE: f64 = 1e-7;

/// How good an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Outcome {
    /// No schedule is cheaper.
    Optimal,
    /// It can be followed; a better one may exist.
    Feasible {
        /// At most this share of `max(1, |objective|)` above the optimum.
        gap: f64,
    },
    /// Nothing satisfies all rows.
    Infeasible,
    /// The objective falls without end.
    Unbounded,
    /// The budget ran out, or the solver's answer did not pass the check.
    #[default]
    NoSolution,
}

impl Outcome {
    /// Judges the objective of a schedule against a proven lower bound.
    pub fn from_bound(objective: f64, bound: f64) -> Self {
        // Of an objective near 0 a share of it would be all rounding.
        let gap = ((objective - bound) / objective.abs().max(1.0)).max(0.0);
        if gap <= GAP_TOLERANCE { Self::Optimal } else { Self::Feasible { gap } }
    }

    /// Whether there is a schedule to follow; without one a row's power is 0.
    pub fn has_solution(self) -> bool {
        matches!(self, Self::Optimal | Self::Feasible { .. })
    }
}

/// Why a target cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissedReason {
    /// Charging with full power in every slot is not enough.
    TooShort,
    /// The target lies above the most energy allowed at the end.
    AboveMaximum,
    /// Upper bounds on the way, or limits of sites, keep the battery from charging in time.
    HeldByBounds,
}

/// A target at the end that no schedule reaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TargetMissed {
    /// Target less energy at the end, kWh.
    pub missing_kwh: f64,
    /// Why.
    pub reason: MissedReason,
}

/// Energy bounds on the way that no schedule keeps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundsMissed {
    /// Slots at whose end the energy is outside.
    pub slots: u32,
    /// The largest distance, kWh; negative where the energy is below the lower bound.
    pub worst_kwh: f64,
}

/// Wishes that could not be met; both empty in the usual case.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Unmet {
    /// The target, if missed.
    pub target: Option<TargetMissed>,
    /// The bounds, if missed somewhere.
    pub bounds: Option<BoundsMissed>,
}

impl Unmet {
    /// Whether all wishes are met.
    pub fn is_empty(&self) -> bool {
        self.target.is_none() && self.bounds.is_none()
    }
}

/// Storage problems as rows. Columns have one value a row, series H values each; slots are
/// absolute, as in an [`Observation`].
#[derive(Debug, Clone, Copy, Default)]
pub struct StorageRequest<'a> {
    /// The way to the optimum.
    pub method: Method,
    /// Which of the cheapest schedules is meant.
    pub tie: TieRule,
    /// Gives no schedule where a wish cannot be met, instead of the best that can be reached.
    pub strict: bool,
    /// Length of a slot, h.
    pub slot_hours: f64,
    /// The slot with which the horizon begins.
    pub origin_slot: u32,
    /// Number of slots H.
    pub horizon: usize,

    /// Price of energy bought, per grid-side kWh, tariffs x H.
    pub buy_price: &'a [f64],
    /// Price of energy sold, tariffs x H; empty where it is the price of energy bought.
    pub sell_price: &'a [f64],
    /// The load that [`TieRule::ValleyFill`] fills, H values, kW; empty for no load.
    pub load_kw: &'a [f64],

    /// Which tariff the battery pays; empty for the first throughout.
    pub tariff_id: &'a [u32],
    /// First slot that it may use, `origin_slot` where that is later; empty for `origin_slot`
    /// throughout.
    pub first_slot: &'a [u32],
    /// The slot after its last one.
    pub end_slot: &'a [u32],
    /// Stored energy at the beginning of its first slot, kWh.
    pub energy_kwh: &'a [f64],
    /// Least stored energy, kWh.
    pub energy_kwh_min: &'a [f64],
    /// Most stored energy, kWh.
    pub energy_kwh_max: &'a [f64],
    /// Least stored energy at the end of its last slot, kWh.
    pub target_kwh: &'a [f64],
    /// Most that may be charged with, kW.
    pub charge_kw_max: &'a [f64],
    /// Most that may be discharged with, kW; empty for 0 throughout.
    pub discharge_kw_max: &'a [f64],
    /// Stored per grid-side energy charged, above 0 and at most 1.
    pub charge_efficiency: &'a [f64],
    /// Grid-side per stored energy discharged, above 0 and at most 1.
    pub discharge_efficiency: &'a [f64],
    /// Price of wear per grid-side kWh discharged; empty for 0 throughout.
    pub degradation_per_kwh: &'a [f64],
    /// What a kWh still stored at the end is worth; empty for 0 throughout.
    pub terminal_value_per_kwh: &'a [f64],

    /// One bit per row and slot: may discharge. Row-major, least significant bit first, rows padded
    /// to whole bytes; empty where everyone may throughout.
    pub may_discharge: &'a [u8],
    /// Entries `bound_offset[i]..bound_offset[i + 1]` of the next three columns narrow the energy
    /// bounds of row i at given slots; n + 1 values, or none.
    pub bound_offset: &'a [u32],
    /// The slot at whose beginning the bound holds.
    pub bound_slot: &'a [u32],
    /// Least energy then, kWh.
    pub bound_kwh_min: &'a [f64],
    /// Most energy then, kWh.
    pub bound_kwh_max: &'a [f64],
}

impl<'a> StorageRequest<'a> {
    /// What was shown, taken at its word: every car between its bounds, to its target at departure,
    /// at the prices it pays, discharging where its driver agreed whether
    /// [eligible](Observation::v2g_eligible) or not.
    pub fn of(seen: &Observation<'a>) -> Self {
        Self {
            slot_hours: seen.slot_hours,
            origin_slot: seen.tick,
            horizon: seen.horizon,
            buy_price: seen.buy_price,
            sell_price: seen.sell_price,
            tariff_id: seen.tariff_id,
            first_slot: seen.arrival_slot,
            end_slot: seen.departure_slot,
            energy_kwh: seen.energy_kwh,
            energy_kwh_min: seen.energy_kwh_min,
            energy_kwh_max: seen.energy_kwh_max,
            target_kwh: seen.departure_energy_kwh,
            charge_kw_max: seen.charge_kw_max,
            discharge_kw_max: seen.discharge_kw_max,
            charge_efficiency: seen.charge_efficiency,
            discharge_efficiency: seen.discharge_efficiency,
            degradation_per_kwh: seen.degradation_per_kwh,
            may_discharge: seen.agreed,
            bound_offset: seen.bound_offset,
            bound_slot: seen.bound_slot,
            bound_kwh_min: seen.bound_kwh_min,
            bound_kwh_max: seen.bound_kwh_max,
            ..Self::default()
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.energy_kwh.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.energy_kwh.is_empty()
    }
}

/// Sites that limit the rows of a request together: a forest, each with as many values a series as
/// the request has slots.
#[derive(Debug, Clone, Copy, Default)]
pub struct GroupSites<'a> {
    /// The site of each row, or [`NO_SITE`](crate::observation::NO_SITE).
    pub site_id: &'a [u32],
    /// Parent of each site, or [`NO_SITE`](crate::observation::NO_SITE).
    pub parent_site: &'a [u32],
    /// Most that a site may draw, sites x H, kW, not negative; infinite for no limit.
    pub import_kw_max: &'a [f64],
    /// Most that a site may feed in, sites x H, kW, not negative; infinite for no limit.
    pub export_kw_max: &'a [f64],
    /// Power behind each site that is there already, with that of the sites behind it, sites x H,
    /// kW, positive draws; empty for none.
    pub given_kw: &'a [f64],
    /// What the rows would do otherwise, n x H, kW: the search begins there, so that a group of
    /// which most is planned already takes less time. Empty where nothing is known.
    pub planned_kw: &'a [f64],
    /// What the power of sites costs, beside what rows pay.
    pub costs: &'a [SiteCost<'a>],
    /// Who misses energy.
    pub share: Share,
}

/// What the power of a site costs, given power included, beside what rows pay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SiteCost<'a> {
    /// The site.
    pub site: u32,
    /// How.
    pub cost: PowerCost<'a>,
}

/// How power costs. Series have as many values as the request has slots.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PowerCost<'a> {
    /// A price on how far the highest power lies above a baseline.
    Peak {
        /// Per kW above the baseline, not negative.
        price_per_kw: f64,
        /// What is free, since it is sunk, kW.
        baseline_kw: f64,
    },
    /// Half of a price times the square of the distance from a power, over every slot: what fills
    /// valleys.
    Square {
        /// By how much a kWh is dearer for every kW of power, not negative.
        price_per_kwh_kw: f64,
        /// The power that costs nothing, kW.
        anchor_kw: f64,
    },
    /// A price on the distance from a series.
    Follow {
        /// The series, kW.
        series_kw: &'a [f64],
        /// Per kWh of distance, not negative.
        price_per_kwh: f64,
    },
    /// A supply curve a slot, used from the cheapest step up; power below zero costs nothing.
    Supply {
        /// Entries `step_offset[t]..step_offset[t + 1]` of the next two columns are the steps of
        /// slot t, in any order; H + 1 values.
        step_offset: &'a [u32],
        /// How much there is of a step, kW.
        step_kw: &'a [f64],
        /// What it costs, per kWh; not negative.
        step_price: &'a [f64],
        /// Price of what lies beyond all steps, per kWh; no less than any step's.
        beyond_price: f64,
    },
}

/// Who misses energy among those who could.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[repr(u32)]
pub enum Share {
    /// Whoever it is cheapest for.
    #[default]
    Cost = abi::STORAGE_SHARE_COST,
    /// All in proportion to what they want and could have alone, as far as limits let them.
    Even = abi::STORAGE_SHARE_EVEN,
}

impl<'a> GroupSites<'a> {
    /// What was shown: all sites, the plans in force of stays that are not shown, and those of the
    /// ones that are as a start.
    pub fn of(seen: &Observation<'a>) -> Self {
        Self {
            site_id: seen.site_id,
            parent_site: seen.parent_site,
            import_kw_max: seen.site_import_kw_max,
            export_kw_max: seen.site_export_kw_max,
            given_kw: seen.site_others_kw,
            planned_kw: seen.planned_kw,
            ..Self::default()
        }
    }
}

/// How good the schedules of a group are.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GroupFigures {
    /// Energy beyond limits, kWh: no less can be.
    pub violation_kwh: f64,
    /// Stored energy below targets, kWh.
    pub missing_kwh: f64,
    /// A lower bound of it, kWh.
    pub missing_bound_kwh: f64,
    /// What all schedules cost together.
    pub cost: f64,
    /// A lower bound of that at this missing energy; minus infinity where none is known.
    pub cost_bound: f64,
}

/// The answer to one row; its schedule is in the matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StorageAnswer {
    /// How good it is.
    pub outcome: Outcome,
    /// The objective of (14) for the schedule, terminal value included; NaN without a schedule.
    pub objective: f64,
    /// What could not be met.
    pub unmet: Unmet,
}

impl StorageAnswer {
    /// An answer without a schedule.
    pub fn without_schedule(outcome: Outcome, unmet: Unmet) -> Self {
        Self { outcome, objective: f64::NAN, unmet }
    }
}

impl Default for StorageAnswer {
    fn default() -> Self {
        Self::without_schedule(Outcome::NoSolution, Unmet::default())
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// The program does not have the service.
    #[error("this program has no service `{}`", abi::STORAGE_SERVICE)]
    Absent,
    /// The program solves no groups: it is older than version 1.3 of the contract.
    #[error("the service `{}` of this program solves no groups", abi::STORAGE_SERVICE)]
    NoGroups,
    /// The problems make no sense.
    #[error("{0}")]
    Refused(String),
}
