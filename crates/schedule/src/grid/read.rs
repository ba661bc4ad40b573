//! Reading a schedule out of a solution: within limits, balanced, and priced anew.

use super::{
    Dispatch, DispatchProblem, ObjectiveParts, SlotMargin, SolveSize,
    build::DispatchProgram,
    unit::{UnitColumns, value},
};
use crate::{answer::Outcome, linear::Solved};
use voltide_model::{
    columns::UnitKind,
    cost::bill,
    dispatch::{NOTHING_KW, SlotDispatch, UnitSlot, tidied},
    flexibility::UpDown,
};

/// Who takes up first what rounding left of the balance.
const TAKES_UP: [fn(UnitKind) -> bool; 3] = [
    |kind| kind.same_device(UnitKind::Thermal),
    UnitKind::is_renewable,
    |kind| kind.same_device(UnitKind::Interruptible),
];

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
        let outcome = Outcome::from_bound(objective, solved.bound);
        let unmet = self.unmet;
        Dispatch { outcome, objective, bound: solved.bound, parts, slots, margins, unmet, size }
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
            load_kw: problem.outlook.load_kw[at],
            units: units.map(|(unit, columns)| columns.read(solved, at, before(unit))).collect(),
            unserved_kw: tidied(value(solved, self.unserved[at])),
            spilled_kw: tidied(value(solved, self.spilled[at])),
        };
        self.close_balance(&mut slot);
        slot
    }

    /// Lets the first units with room take up what rounding left of the balance.
    fn close_balance(&self, slot: &mut SlotDispatch) {
        let mut missing = -slot.residual_kw();
        for takes_up in TAKES_UP {
            let units = self.units.iter().zip(&mut slot.units);
            for (unit, did) in units.filter(|(_, did)| takes_up(did.kind)) {
                missing = take_up(unit.as_ref(), did, missing);
            }
        }
        missing = -slot.residual_kw();
        if missing > NOTHING_KW {
            slot.unserved_kw += missing;
        } else if missing < -NOTHING_KW {
            slot.spilled_kw -= missing;
        }
    }

    /// Flexibility of each slot, supplies by their equations and not by the program's variables.
    fn margins_of(&self, problem: &DispatchProblem<'_>, slots: &[SlotDispatch]) -> Vec<SlotMargin> {
        let (hours, readings) = (problem.slot_hours, problem.readings);
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
        let (hours, prices) = (problem.slot_hours, problem.prices);
        let mut parts = ObjectiveParts::default();
        for (at, (slot, margin)) in slots.iter().zip(margins).enumerate() {
            add_running(&mut parts, problem, slot);
            parts.unserved += prices.unserved * hours * (slot.unserved_kw + slot.spilled_kw);
            if problem.margins {
                let missing = margin.shortfall();
                parts.margin += prices.margin * hours * (missing.up + missing.down);
            }
            let units = self.units.iter().zip(&slot.units);
            let deviation: f64 = units.map(|(unit, did)| unit.deviation_kw(did, at)).sum();
            parts.deviation += prices.deviation * hours * deviation;
        }
        parts.thermal = self.on_chords(slots) * hours;
        let last = |unit: usize| slots.last().map(|slot| &slot.units[unit]);
        let units = self.units.iter().enumerate();
        let missing: f64 = units.filter_map(|(at, unit)| unit.missing_at_end_kwh(last(at))).sum();
        parts.terminal = prices.terminal * missing;
        parts
    }

    /// What an hour of every slot costs where the program has chords, unit by unit.
    fn on_chords(&self, slots: &[SlotDispatch]) -> f64 {
        let hours_of = |at: usize| slots.iter().map(move |slot| &slot.units[at]);
        let units = self.units.iter().enumerate();
        units
            .map(|(at, unit)| hours_of(at).map(|did| unit.on_chords_per_hour(did)).sum::<f64>())
            .sum()
    }
}

/// Moves a unit by what is missing, kW, as far as it has room; what is left is still missing.
fn take_up(unit: &dyn UnitColumns, did: &mut UnitSlot, missing: f64) -> f64 {
    let Some((least, most)) = unit.room(did) else { return missing };
    let moved = (did.given_kw + missing).clamp(least, most) - did.given_kw;
    did.given_kw += moved;
    missing - moved
}

/// Adds what is billed of a slot; thermal output is priced on chords instead.
fn add_running(parts: &mut ObjectiveParts, problem: &DispatchProblem<'_>, slot: &SlotDispatch) {
    let bill = bill(problem.plant, slot, problem.slot_hours);
    parts.starts += bill.starts;
    parts.stores += bill.pumped_hydro + bill.ess;
    parts.renewables += bill.wind + bill.pv;
    parts.curtailment += bill.curtailment;
    parts.interruption += bill.interruption;
    parts.must_take += bill.must_take;
    parts.exchange += bill.exchange;
}
