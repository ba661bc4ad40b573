//! Reading a schedule out of a solution: within limits, balanced, and priced anew.

use super::{
    Dispatch, DispatchProblem, ObjectiveParts, SlotMargin, SolveSize, UnitTask,
    build::DispatchProgram,
    unit::{TURNS, TURNS_IN_FORCE, UnitColumns, value},
};
use crate::{answer::Outcome, linear::Solved};
use voltide_model::{
    cost::CostComponent,
    dispatch::{SlotDispatch, bill},
    flexibility::UpDown,
    unit::{NOTHING_KW, UnitSlot, tidied},
};

impl DispatchProgram<'_> {
    /// The schedule that `solved` stands for.
    pub(super) fn read(
        self,
        problem: &DispatchProblem<'_>,
        solved: &Solved,
        solves: u32,
    ) -> Dispatch {
        let mut slots: Vec<SlotDispatch> = Vec::with_capacity(problem.slots());
        for at in 0..problem.slots() {
            let slot = self.slot(problem, solved, at, slots.last());
            slots.push(slot);
        }
        let margins = self.margins_of(problem, &slots);
        let parts = self.parts(problem, &slots, &margins);
        let objective = parts.sum();
        let size = SolveSize {
            variables: self.program.columns(),
            integers: self.program.integers(),
            constraints: self.program.rows(),
            solves,
        };
        // By the schedule as it was read, so that what reading it costs shows as a gap.
        let outcome = Outcome::from_bound(objective, solved.bound);
        let unmet = self.unmet;
        let by = solved.by;
        let bound = solved.bound;
        let fallback = None;
        Dispatch { by, fallback, outcome, objective, bound, parts, slots, margins, unmet, size }
    }

    fn slot(
        &self,
        problem: &DispatchProblem<'_>,
        solved: &Solved,
        at: usize,
        before: Option<&SlotDispatch>,
    ) -> SlotDispatch {
        let before = |unit: usize| before.map(|slot| &slot.units[unit]);
        let units = self.units.iter().enumerate();
        let mut slot = SlotDispatch {
            load_kw: problem.exogenous.load_kw[at],
            units: units.map(|(unit, columns)| columns.read(solved, at, before(unit))).collect(),
            unserved_kw: tidied(value(solved, self.unserved[at])),
            spilled_kw: tidied(value(solved, self.spilled[at])),
        };
        self.close_balance(&mut slot);
        slot
    }

    /// Lets the first units with room take up what rounding left of the balance.
    fn close_balance(&self, slot: &mut SlotDispatch) {
        // A solver keeps the balance within its tolerance, and limits have cut its values since.
        // Who holds energy is not moved for that: what is held is worked out already.
        let mut missing = -slot.residual_kw();
        for turn in if self.is_in_force { TURNS_IN_FORCE } else { TURNS } {
            for (unit, did) in self.units.iter().zip(&mut slot.units) {
                missing = take_up(unit.as_ref(), did, turn, missing);
            }
        }
        // From the powers as they are by now: moving them rounds, too.
        missing = -slot.residual_kw();
        if missing > NOTHING_KW {
            slot.unserved_kw += missing;
        } else if missing < -NOTHING_KW {
            slot.spilled_kw -= missing;
        }
    }

    /// Flexibility of each slot, supplies by their equations and not by the program's variables.
    fn margins_of(&self, problem: &DispatchProblem<'_>, slots: &[SlotDispatch]) -> Vec<SlotMargin> {
        let hours = problem.slot_hours;
        let readings = problem.readings;
        let supply = |slot: &SlotDispatch| -> UpDown {
            let units = self.units.iter().zip(&slot.units).filter(|(unit, _)| unit.takes_part());
            units.map(|(unit, did)| unit.device().flexibility(did, hours, readings)).sum()
        };
        let margin = |(at, (slot, demand)): (usize, (&SlotDispatch, UpDown))| SlotMargin {
            demand,
            supply: supply(slot) + problem.car_supply(at),
        };
        slots.iter().zip(problem.demands()).enumerate().map(margin).collect()
    }

    fn parts(
        &self,
        problem: &DispatchProblem<'_>,
        slots: &[SlotDispatch],
        margins: &[SlotMargin],
    ) -> ObjectiveParts {
        let hours = problem.slot_hours;
        let prices = problem.prices;
        let mut parts = ObjectiveParts::of_plant(problem.plant);
        for (at, (slot, margin)) in slots.iter().zip(margins).enumerate() {
            parts.add_bill(&bill(problem.plant, slot, hours));
            parts.unserved += prices.unserved_cost(hours, slot.unserved_kw, slot.spilled_kw);
            if problem.margins {
                let missing = margin.shortfall();
                parts.margin += prices.margin * hours * (missing.up + missing.down);
            }
            let units = self.units.iter().zip(&slot.units);
            let deviation: f64 = units.map(|(unit, did)| unit.deviation_kw(did, at)).sum();
            parts.deviation += prices.deviation * hours * deviation;
        }
        self.price_chords(&mut parts, slots, hours);
        let units = self.units.iter().enumerate();
        let missing: f64 = units
            .map(|(at, unit)| unit.missing_kwh(&|slot: usize| slots[slot].units[at].energy_kwh))
            .sum();
        parts.terminal = prices.terminal * missing;
        if problem.units.iter().any(UnitTask::has_path) {
            let last = self.units.iter().zip(slots.last().into_iter().flat_map(|it| &it.units));
            let astray: f64 = last.map(|(unit, did)| unit.astray_kwh(did)).sum();
            parts.path = Some(prices.unserved * astray);
        }
        parts
    }

    /// Has units whose curve the program holds as chords pay by these, in place of what is billed.
    fn price_chords(&self, parts: &mut ObjectiveParts, slots: &[SlotDispatch], hours: f64) {
        let units = self.units.iter().enumerate();
        let on_chords: Vec<(CostComponent, f64)> = units
            .filter_map(|(at, unit)| {
                let slots = slots.iter().map(|slot| unit.on_chords_per_hour(&slot.units[at]));
                Some((*unit.device().components().first()?, slots.sum::<Option<f64>>()?))
            })
            .collect();
        for part in on_chords.chunk_by(|(one, _), (next, _)| one.part == next.part) {
            let per_hour = part.iter().map(|(_, per_hour)| per_hour).sum::<f64>();
            parts.set(part[0].0.part, per_hour * hours);
        }
    }
}

/// Moves a unit whose turn it is by what is missing, kW, as far as it has room; what is left is
/// still missing.
fn take_up(unit: &dyn UnitColumns, did: &mut UnitSlot, turn: u8, missing: f64) -> f64 {
    let Some(room) = unit.room(did).filter(|room| room.turn == turn) else { return missing };
    let moved = (did.given_kw + missing).clamp(room.least_kw, room.most_kw) - did.given_kw;
    did.given_kw += moved;
    missing - moved
}
