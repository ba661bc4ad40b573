//! Reading a schedule out of a solution: within limits, balanced, and priced anew.

use super::{
    Dispatch, DispatchProblem, ObjectiveParts, SlotMargin, SolveSize, StoreEnd,
    build::DispatchProgram,
    thermal::{On, Thermal},
};
use crate::{answer::Outcome, linear::Solved};
use good_lp::Variable;
use voltide_model::{
    cost::{chords, chords_per_hour},
    dispatch::{NOTHING_KW, SlotDispatch},
    flexibility::{UpDown, supply},
};

impl Thermal {
    /// Whether the schedule decides when the unit is on.
    pub(super) fn is_free(&self) -> bool {
        matches!(self.on, On::Free { .. })
    }

    fn is_on(&self, solved: &Solved, slot: usize) -> bool {
        match &self.on {
            On::Fixed(on) => on[slot],
            On::Free { on, .. } => solved.values[&on[slot]] > 0.5,
        }
    }
}

impl DispatchProgram {
    /// The schedule that `solved` stands for.
    pub(super) fn read(self, problem: &DispatchProblem<'_>, solved: &Solved, solves: u32) -> Dispatch {
        let mut energy = problem.state.energy_kwh.clone();
        let mut was_on: Vec<bool> = problem.state.thermal.iter().map(|unit| unit.on).collect();
        let mut slots = Vec::with_capacity(problem.slots());
        for at in 0..problem.slots() {
            let slot = self.slot(problem, solved, at, &energy, &was_on);
            energy.copy_from_slice(&slot.energy_kwh);
            was_on.copy_from_slice(&slot.on);
            slots.push(slot);
        }
        let margins = problem.margins_of(&slots);
        let parts = problem.parts(&slots, &margins);
        let objective = parts.sum();
        let size = SolveSize {
            variables: self.program.columns(),
            integers: self.program.integers(),
            constraints: self.program.rows(),
            solves,
        };
        let outcome = Outcome::from_bound(objective, solved.bound);
        Dispatch { outcome, objective, bound: solved.bound, parts, slots, margins, unmet: self.unmet, size }
    }

    fn slot(
        &self,
        problem: &DispatchProblem<'_>,
        solved: &Solved,
        at: usize,
        energy: &[f64],
        was_on: &[bool],
    ) -> SlotDispatch {
        let plant = problem.plant;
        let value = |variable: &Variable| solved.values[variable].max(0.0);
        let column = |columns: &[Vec<f64>]| columns.iter().map(|column| column[at]).collect::<Vec<f64>>();
        let tidy = |power: f64| if power < NOTHING_KW { 0.0 } else { power };
        let available_kw = column(&problem.outlook.available_kw);
        let on: Vec<bool> = self.thermal.iter().map(|unit| unit.is_on(solved, at)).collect();
        let flows: Vec<(f64, f64)> = plant
            .stores
            .iter()
            .zip(&self.stores)
            .map(|(store, columns)| {
                let (charge, discharge) = (value(&columns.charge[at]), value(&columns.discharge[at]));
                one_way(charge.min(store.charge_max.0), discharge.min(store.discharge_max.0))
            })
            .collect();
        let exchange_kw: Vec<f64> = self
            .exchanges
            .iter()
            .zip(&plant.exchanges)
            .map(|(columns, unit)| {
                let (imports, exports) = (value(&columns.imports[at]), value(&columns.exports[at]));
                (imports - exports).clamp(-unit.export_max.0, unit.import_max.0)
            })
            .collect();
        let mut slot = SlotDispatch {
            load_kw: problem.outlook.load_kw[at],
            renewable_kw: self
                .renewables
                .iter()
                .zip(&available_kw)
                .map(|(columns, &most)| value(&columns[at]).min(most))
                .collect(),
            available_kw,
            must_take_kw: column(&problem.outlook.must_take_kw),
            thermal_kw: (plant.thermal.iter().zip(&self.thermal).zip(&on))
                .map(|((unit, columns), &on)| {
                    let within = value(&columns.output[at]).clamp(unit.power_min.0, unit.power_max.0);
                    if on { within } else { 0.0 }
                })
                .collect(),
            started: on.iter().zip(was_on).map(|(&on, &was_on)| on && !was_on).collect(),
            on,
            charge_kw: flows.iter().map(|flow| flow.0).collect(),
            discharge_kw: flows.iter().map(|flow| flow.1).collect(),
            energy_kwh: Vec::new(),
            interrupted_kw: (plant.interruptible.iter().zip(&self.interrupted))
                .map(|(load, columns)| tidy(value(&columns[at]).min(load.power_max.0)))
                .collect(),
            exchange_price: problem.exchange_prices(&exchange_kw, at),
            exchange_kw,
            unserved_kw: tidy(value(&self.unserved[at])),
            spilled_kw: tidy(value(&self.spilled[at])),
        };
        slot.energy_kwh = (plant.stores.iter().enumerate())
            .map(|(at, store)| {
                store.energy_after(energy[at], slot.charge_kw[at], slot.discharge_kw[at], problem.slot_hours)
            })
            .collect();
        problem.close_balance(&mut slot);
        slot
    }
}

/// Takes out what rounding lets flow in both directions at once.
fn one_way(charge: f64, discharge: f64) -> (f64, f64) {
    if charge >= discharge { (charge - discharge, 0.0) } else { (0.0, discharge - charge) }
}

impl DispatchProblem<'_> {
    fn exchange_prices(&self, exchange_kw: &[f64], slot: usize) -> Vec<f64> {
        let prices = self.outlook.import_price.iter().zip(&self.outlook.export_price);
        let of = |(&power, (import, export)): (&f64, (&Vec<f64>, &Vec<f64>))| {
            if power < 0.0 { export[slot] } else { import[slot] }
        };
        exchange_kw.iter().zip(prices).map(of).collect()
    }

    /// Lets the first units with room take up what rounding left of the balance.
    fn close_balance(&self, slot: &mut SlotDispatch) {
        let take = |missing: f64, power: &mut f64, least: f64, most: f64| {
            let moved = (*power + missing).clamp(least, most) - *power;
            *power += moved;
            missing - moved
        };
        let mut missing = -slot.residual_kw();
        for (at, unit) in self.plant.thermal.iter().enumerate().filter(|(at, _)| slot.on[*at]) {
            missing = take(missing, &mut slot.thermal_kw[at], unit.power_min.0, unit.power_max.0);
        }
        for (power, &available) in slot.renewable_kw.iter_mut().zip(&slot.available_kw) {
            missing = take(missing, power, 0.0, available);
        }
        for (power, load) in slot.interrupted_kw.iter_mut().zip(&self.plant.interruptible) {
            missing = take(missing, power, 0.0, load.power_max.0);
        }
        missing = -slot.residual_kw();
        if missing > NOTHING_KW {
            slot.unserved_kw += missing;
        } else if missing < -NOTHING_KW {
            slot.spilled_kw -= missing;
        }
    }

    /// Flexibility of each slot, supplies by their equations and not by the program's variables.
    fn margins_of(&self, slots: &[SlotDispatch]) -> Vec<SlotMargin> {
        let of = |(at, (slot, demand)): (usize, (&SlotDispatch, UpDown))| {
            let units = supply(self.plant, slot, self.slot_hours, self.readings);
            let first_store = units.len() - self.plant.exchanges.len() - self.plant.interruptible.len();
            let first_store = first_store - self.plant.stores.len();
            let idle = |unit: usize| {
                let store = unit.checked_sub(first_store);
                store.and_then(|store| self.ends.get(store)) == Some(&StoreEnd::Idle)
            };
            let units = units.into_iter().enumerate().filter(|(unit, _)| !idle(*unit));
            let supply = units.map(|(_, supply)| supply).sum::<UpDown>() + self.car_supply(at);
            SlotMargin { demand, supply }
        };
        slots.iter().zip(self.demands()).enumerate().map(of).collect()
    }

    fn parts(&self, slots: &[SlotDispatch], margins: &[SlotMargin]) -> ObjectiveParts {
        let mut parts = ObjectiveParts::default();
        for (at, (slot, margin)) in slots.iter().zip(margins).enumerate() {
            self.add_running(&mut parts, slot);
            let (hours, prices) = (self.slot_hours, self.prices);
            parts.unserved += prices.unserved * hours * (slot.unserved_kw + slot.spilled_kw);
            if self.margins {
                let missing = margin.shortfall();
                parts.margin += prices.margin * hours * (missing.up + missing.down);
            }
            parts.deviation += prices.deviation * hours * self.deviation_kw(slot, at);
        }
        parts.thermal = self.thermal_on_chords(slots);
        parts.terminal = self.prices.terminal * self.missing_at_end(slots);
        parts
    }

    fn add_running(&self, parts: &mut ObjectiveParts, slot: &SlotDispatch) {
        let bill = voltide_model::cost::bill(self.plant, slot, self.slot_hours);
        parts.starts += bill.starts;
        parts.stores += bill.pumped_hydro + bill.ess;
        parts.renewables += bill.wind + bill.pv;
        parts.curtailment += bill.curtailment;
        parts.interruption += bill.interruption;
        parts.must_take += bill.must_take;
        parts.exchange += bill.exchange;
    }

    fn thermal_on_chords(&self, slots: &[SlotDispatch]) -> f64 {
        let mut sum = 0.0;
        for (at, unit) in self.plant.thermal.iter().enumerate() {
            let least = unit.power_min.0;
            let chords = chords(unit.cost, least, unit.power_max.0, self.segments);
            let on = slots.iter().filter(|slot| slot.on[at]);
            sum +=
                on.map(|slot| chords_per_hour(unit.cost, least, &chords, slot.thermal_kw[at])).sum::<f64>();
        }
        sum * self.slot_hours
    }

    /// How far thermal output lies outside the bands around the day-ahead plan, kW.
    fn deviation_kw(&self, slot: &SlotDispatch, at: usize) -> f64 {
        let mut sum = 0.0;
        for (unit, course) in self.courses.iter().enumerate().filter(|(unit, _)| slot.on[*unit]) {
            if let (Some(reference), Some(band)) =
                (&course.reference_kw, self.plant.thermal[unit].deviation_max)
            {
                sum += ((slot.thermal_kw[unit] - reference[at]).abs() - band.0).max(0.0);
            }
        }
        sum
    }

    /// What stores hold less at the end than would be free of charge, kWh.
    fn missing_at_end(&self, slots: &[SlotDispatch]) -> f64 {
        let held = slots.last().map_or(&self.state.energy_kwh, |slot| &slot.energy_kwh);
        let missing = |(end, held): (&StoreEnd, &f64)| match end {
            StoreEnd::Softened(wish) => (wish - held).max(0.0),
            StoreEnd::Idle | StoreEnd::Free | StoreEnd::AtLeast(_) => 0.0,
        };
        self.ends.iter().zip(held).map(missing).sum()
    }
}
