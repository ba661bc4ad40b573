//! Stores: charge, discharge, the energy between them, and what is held at the end.
//!
//! A store that is outside its bounds at the start gets wider ones; what it cannot hold at the end
//! is asked for as far as it can, and noted.

use crate::{
    grid::{
        DispatchProblem, EnergyEnd, GridError, UnitTask, Unmet,
        held::{astray_kwh, check_held, hold_after, missing_kwh, note_outside, wishes},
        plan::UnitPlan,
        unit::{Kind, UnitColumns, Way, powers, value},
    },
    linear::{Program, Solved},
};
use good_lp::{Expression, Variable, constraint, variable};
use voltide_model::{
    device::{Device, Store, StoreKind},
    flexibility::{FlexStorage, Readings},
    two_stage::TwoStage,
    unit::UnitSlot,
};

/// Both directions at once above this are not rounding, kW.
const BOTH_KW: f64 = 1e-6;

/// Powers and energy by slot.
struct Columns<'p> {
    unit: &'p Store,
    task: &'p UnitTask,
    hours: f64,
    readings: Readings,
    charge: Vec<Variable>,
    discharge: Vec<Variable>,
    energy: Vec<Variable>,
}

/// The bounds that a store can keep, kWh.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Reach {
    energy_min: f64,
    energy_max: f64,
    /// What it holds before the first slot.
    start: f64,
    /// What it gains most in an hour.
    gain_per_hour: f64,
    /// Length of a slot, h.
    hours: f64,
}

impl Reach {
    /// Bounds that hold the energy at the start, even where that is outside the store's own.
    fn new(store: &Store, energy: f64, hours: f64) -> Self {
        Self {
            energy_min: store.energy_min.0.min(energy),
            energy_max: store.energy_max.0.max(energy),
            start: energy,
            gain_per_hour: store.charge_efficiency.get() * store.charge_max.0,
            hours,
        }
    }

    /// Most that it can hold after so many slots, kWh.
    fn most_after(&self, slots: usize) -> f64 {
        let most = self.start + self.gain_per_hour * (self.hours * slots as f64);
        most.min(self.energy_max)
    }
}

impl Kind for Store {
    /// What it holds comes from elsewhere, and may lie outside its bounds.
    fn check(&self, task: &UnitTask, _slots: usize) -> Result<(), GridError> {
        self.check_shape()?;
        let held = format!("stored energy of `{}`", self.name);
        check_held(task, &held, &format!("energy at the end of `{}`", self.name))
    }

    fn columns<'p>(
        &'p self,
        program: &mut Program,
        unmet: &mut Vec<Unmet>,
        problem: &DispatchProblem<'_>,
        task: &'p UnitTask,
    ) -> Box<dyn UnitColumns + 'p> {
        Box::new(Columns::new(program, unmet, problem, self, task))
    }

    fn is_two_way(&self) -> bool {
        true
    }

    /// Where it cannot go on as it does, or holds more or less than it may.
    fn may_supply_less_than_nothing(&self, task: &UnitTask, readings: Readings) -> bool {
        let held = task.state.energy_kwh;
        match readings.flex_storage {
            FlexStorage::Reachable => true,
            FlexStorage::Printed => held < self.energy_min.0 || held > self.energy_max.0,
        }
    }

    fn ask_day_ahead(&self, task: &mut UnitTask, rules: &TwoStage, day_ends: &[usize]) {
        if self.kind == StoreKind::Ess && !rules.ess_in_day_ahead {
            task.end = EnergyEnd::Idle;
            return;
        }
        task.end = self.day_end_energy.map_or(EnergyEnd::Free, |end| EnergyEnd::AtLeast(end.0));
        if self.holds_each_day {
            task.midway = day_ends.iter().map(|&slot| (slot, task.end)).collect();
        }
    }

    fn ask_intra_day(&self, task: &mut UnitTask, plan: UnitPlan<'_>) {
        plan.ask_to_hold(task, (self.energy_min.0, self.energy_max.0));
    }
}

impl<'p> Columns<'p> {
    /// (38) or (43), the store's balance, and its end.
    fn new(
        program: &mut Program,
        unmet: &mut Vec<Unmet>,
        problem: &DispatchProblem<'_>,
        unit: &'p Store,
        task: &'p UnitTask,
    ) -> Self {
        let hours = problem.slot_hours;
        let start_kwh = task.state.energy_kwh;
        let reach = Reach::new(unit, start_kwh, hours);
        let bounds = (unit.energy_min.0, unit.energy_max.0);
        note_outside(unmet, &unit.name, start_kwh, bounds);
        // An idle store keeps its columns, so that what it holds is read like any other's.
        let open = if task.end == EnergyEnd::Idle { 0.0 } else { 1.0 };
        let price = unit.throughput_cost;
        let charge = powers(program, problem, open * unit.charge_max.0, price);
        let discharge = powers(program, problem, open * unit.discharge_max.0, price);
        let held = || variable().min(reach.energy_min).max(reach.energy_max);
        let energy = (0..problem.slots()).map(|_| program.add(held())).collect();
        let readings = problem.readings;
        let this = Self { unit, task, hours, readings, charge, discharge, energy };
        this.balance(program);
        for (slot, end) in wishes(task, this.energy.len()) {
            let held = (this.energy[slot].into(), reach.most_after(slot + 1));
            hold_after(program, unmet, &unit.name, held, end, &problem.prices);
        }
        this
    }

    /// `W_t = W_(t-1) + η_c·ch·dt - dis·dt/η_d`.
    fn balance(&self, program: &mut Program) {
        let gained = self.unit.charge_efficiency.get() * self.hours;
        let lost = self.hours / self.unit.discharge_efficiency.get();
        let mut before = Expression::from(self.task.state.energy_kwh);
        for ((&energy, &charge), &discharge) in
            self.energy.iter().zip(&self.charge).zip(&self.discharge)
        {
            program.require(constraint!(energy - before == gained * charge - lost * discharge));
            before = energy.into();
        }
    }

    /// Both arguments of the min: what power leaves, and what energy leaves, kW.
    fn left(&self, slot: usize, way: Way) -> (Expression, Expression) {
        let output = self.given(slot);
        let energy = self.energy[slot];
        let taken = match self.readings.flex_storage {
            FlexStorage::Printed => Expression::default(),
            FlexStorage::Reachable => output.clone(),
        };
        match way {
            Way::Up => {
                let per_kwh = self.unit.discharge_efficiency.get() / self.hours;
                let by_energy = (energy - self.unit.energy_min.0) * per_kwh - taken;
                (self.unit.discharge_max.0 - output, by_energy)
            }
            Way::Down => {
                let per_kwh = 1.0 / (self.unit.charge_efficiency.get() * self.hours);
                let by_energy = (self.unit.energy_max.0 - energy) * per_kwh + taken;
                (output + self.unit.charge_max.0, by_energy)
            }
        }
    }
}

impl UnitColumns for Columns<'_> {
    fn device(&self) -> &dyn Device {
        self.unit
    }

    fn given(&self, slot: usize) -> Expression {
        self.discharge[slot] - self.charge[slot]
    }

    fn read(&self, solved: &Solved, slot: usize, before: Option<&UnitSlot>) -> UnitSlot {
        let charge = value(solved, self.charge[slot]).min(self.unit.charge_max.0);
        let discharge = value(solved, self.discharge[slot]).min(self.unit.discharge_max.0);
        // At most `BOTH_KW` flow both ways: what is more was held to one way, and solved again.
        let (charge_kw, given_kw) = one_way(charge, discharge);
        let held = before.map_or(self.task.state.energy_kwh, |before| before.energy_kwh);
        let energy_kwh = self.unit.energy_after(held, charge_kw, given_kw, self.hours);
        UnitSlot { given_kw, charge_kw, energy_kwh, ..UnitSlot::idle(self.unit.kind()) }
    }

    /// (23)-(26).
    fn supply(&self, program: &mut Program, slot: usize, way: Way) -> Expression {
        if !self.takes_part() {
            return Expression::default();
        }
        let (by_power, by_energy) = self.left(slot, way);
        // Without a lower bound, since a store that cannot go on supplies less than nothing.
        let supply = program.add(variable());
        program.require(constraint!(supply <= by_power));
        program.require(constraint!(supply <= by_energy));
        supply.into()
    }

    fn takes_part(&self) -> bool {
        self.task.end != EnergyEnd::Idle
    }

    fn is_misused(&self, solved: &Solved, slot: usize) -> bool {
        solved.values[&self.charge[slot]].min(solved.values[&self.discharge[slot]]) > BOTH_KW
    }

    fn directions(&self, slot: usize) -> Option<(Variable, Variable)> {
        Some((self.charge[slot], self.discharge[slot]))
    }

    fn exclude(&self, program: &mut Program, slot: usize) {
        let (charge, discharge) = (self.charge[slot], self.discharge[slot]);
        let charging = program.add(variable().binary());
        program.require(constraint!(charge <= self.unit.charge_max.0 * charging));
        program.require(constraint!(discharge <= self.unit.discharge_max.0 * (1.0 - charging)));
    }

    fn charge_only(&self, program: &mut Program, slot: usize) {
        program.fix(self.discharge[slot], 0.0);
    }

    fn astray_kwh(&self, last: &UnitSlot) -> f64 {
        astray_kwh(self.task.end, last.energy_kwh)
    }

    fn missing_kwh(&self, held_kwh: &dyn Fn(usize) -> f64) -> f64 {
        let wishes = wishes(self.task, self.energy.len());
        wishes.map(|(slot, end)| missing_kwh(end, held_kwh(slot))).sum()
    }
}

/// Takes out what rounding lets flow in both directions at once: what is charged, and what is
/// discharged.
fn one_way(charge: f64, discharge: f64) -> (f64, f64) {
    if charge >= discharge { (charge - discharge, 0.0) } else { (0.0, discharge - charge) }
}
