//! What a solver answers: how good the schedule is, and which wishes it could not meet.

use crate::problem::StorageProblem;

/// Energy differences below this are rounding, kWh.
pub(crate) const ENERGY_TOLERANCE: f64 = 1e-9;

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
        let gap = ((objective - bound) / objective.abs().max(1.0)).max(0.0);
        if gap <= GAP_TOLERANCE { Self::Optimal } else { Self::Feasible { gap } }
    }

    /// Whether there is a schedule to follow.
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
    /// Upper bounds on the way keep the battery from charging in time.
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
    /// The first of them.
    pub first_slot: u32,
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

    /// Notes by how much the energies that can be reached at the end of `slot`, `least` to `most` kWh,
    /// miss the bounds of `problem`, if they do.
    pub(crate) fn note_bounds(&mut self, problem: &StorageProblem<'_>, slot: usize, least: f64, most: f64) {
        let (floor, ceiling) = (problem.energy_kwh_min.at(slot), problem.energy_kwh_max.at(slot));
        let distance = if floor > most { most - floor } else { (least - ceiling).max(0.0) };
        if distance.abs() <= ENERGY_TOLERANCE {
            return;
        }
        let first = BoundsMissed { slots: 0, first_slot: slot as u32, worst_kwh: distance };
        let seen = self.bounds.get_or_insert(first);
        seen.slots += 1;
        if distance.abs() > seen.worst_kwh.abs() {
            seen.worst_kwh = distance;
        }
    }

    /// Notes that `problem` ends `missing` kWh below its target.
    pub(crate) fn note_target(&mut self, problem: &StorageProblem<'_>, missing: f64) {
        let slots = problem.slots();
        let most = slots.checked_sub(1).map_or(f64::INFINITY, |last| problem.energy_kwh_max.at(last));
        let with_full_power =
            problem.energy_kwh + (0..slots).map(|slot| problem.charge_kwh_max(slot)).sum::<f64>();
        let reason = if problem.target_kwh > most + ENERGY_TOLERANCE {
            MissedReason::AboveMaximum
        } else if with_full_power < problem.target_kwh - ENERGY_TOLERANCE {
            MissedReason::TooShort
        } else {
            MissedReason::HeldByBounds
        };
        self.target = Some(TargetMissed { missing_kwh: missing, reason });
    }
}

/// The answer to one storage problem; the schedule itself is written to the caller's slice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// How good it is.
    pub outcome: Outcome,
    /// The objective of (14) for the schedule, terminal value included.
    pub objective: f64,
    /// What could not be met.
    pub unmet: Unmet,
}

impl Default for Answer {
    fn default() -> Self {
        Self::without_schedule(Outcome::NoSolution, Unmet::default())
    }
}

impl Answer {
    /// An answer without a schedule.
    pub(crate) fn without_schedule(outcome: Outcome, unmet: Unmet) -> Self {
        Self { outcome, objective: f64::NAN, unmet }
    }
}
