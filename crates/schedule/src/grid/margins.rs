//! Margins (32)-(35): supplies as variables below both arguments of their min.

use super::{DispatchProblem, StoreEnd, build::DispatchProgram};
use good_lp::{Expression, constraint, variable};
use voltide_model::{
    flexibility::{CutUp, FlexStorage, UpDown, VreDown, demand},
    plant::Store,
};

/// Upward or downward.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Up,
    Down,
}

impl Way {
    fn of(self, both: UpDown) -> f64 {
        if self == Self::Up { both.up } else { both.down }
    }
}

impl DispatchProblem<'_> {
    /// `F_D` of each slot, (15)-(18).
    pub fn demands(&self) -> Vec<UpDown> {
        let seen = &self.outlook;
        let net_load = |slot: usize| {
            let sum = |columns: &[Vec<f64>]| columns.iter().map(|column| column[slot]).sum::<f64>();
            seen.load_kw[slot] - sum(&seen.available_kw) - sum(&seen.must_take_kw)
        };
        let mut net_loads: Vec<f64> = (0..self.slots()).map(net_load).collect();
        net_loads.push(seen.net_load_next_kw);
        net_loads.windows(2).map(|pair| demand(pair[0], pair[1])).collect()
    }

    /// Whether a store may supply less than nothing: where it cannot go on as it does, or holds more
    /// or less than it may.
    fn store_supply_may_be_negative(&self) -> bool {
        let outside =
            |(store, &energy): (&Store, &f64)| energy < store.energy_min.0 || energy > store.energy_max.0;
        match self.readings.flex_storage {
            FlexStorage::Reachable => !self.plant.stores.is_empty(),
            FlexStorage::Printed => self.plant.stores.iter().zip(&self.state.energy_kwh).any(outside),
        }
    }

    /// `F_S` of the cars in a slot.
    pub(super) fn car_supply(&self, slot: usize) -> UpDown {
        self.outlook.car_supply_kw.get(slot).copied().unwrap_or_default()
    }
}

impl DispatchProgram {
    /// One row a slot and direction, except where it holds by itself: without demand, the sum of
    /// supplies that cannot be negative is enough.
    pub(super) fn require_margins(&mut self, problem: &DispatchProblem<'_>) {
        let may_be_negative = problem.store_supply_may_be_negative();
        for (slot, demand) in problem.demands().into_iter().enumerate() {
            for way in [Way::Up, Way::Down] {
                let cars = way.of(problem.car_supply(slot));
                if may_be_negative || way.of(demand) > cars.min(0.0) {
                    self.require_margin(problem, slot, way, way.of(demand) - cars);
                }
            }
        }
    }

    fn require_margin(&mut self, problem: &DispatchProblem<'_>, slot: usize, way: Way, demand: f64) {
        let slack = self.power(problem.slot_hours, f64::INFINITY, problem.prices.margin);
        let supply = self.thermal_supply(problem, slot, way)
            + self.store_supply(problem, slot, way)
            + self.renewable_supply(problem, slot, way)
            + self.interruptible_supply(problem, slot, way);
        self.program.require(constraint!(supply + slack >= demand));
    }

    /// (21), (22).
    fn thermal_supply(&mut self, problem: &DispatchProblem<'_>, slot: usize, way: Way) -> Expression {
        let mut sum = Expression::default();
        for (at, unit) in problem.plant.thermal.iter().enumerate() {
            if self.thermal[at].on.is_off(slot) {
                continue;
            }
            let (output, on) = (self.thermal[at].output[slot], self.thermal[at].on.at(slot));
            let ramp = unit.ramp.0 * problem.slot_hours;
            let room = match way {
                Way::Up => unit.power_max.0 * on.clone() - output,
                Way::Down => output - unit.power_min.0 * on.clone(),
            };
            let supply = self.program.add(variable().min(0.0).max(ramp));
            self.program.require(constraint!(supply <= room));
            if self.thermal[at].is_free() {
                self.program.require(constraint!(supply <= ramp * on));
            }
            sum += supply;
        }
        sum
    }

    /// (23)-(26).
    fn store_supply(&mut self, problem: &DispatchProblem<'_>, slot: usize, way: Way) -> Expression {
        let mut sum = Expression::default();
        for (at, store) in problem.plant.stores.iter().enumerate() {
            if problem.ends[at] == StoreEnd::Idle {
                continue;
            }
            let (by_power, by_energy) = self.store_room(problem, store, at, slot, way);
            let supply = self.program.add(variable());
            self.program.require(constraint!(supply <= by_power));
            self.program.require(constraint!(supply <= by_energy));
            sum += supply;
        }
        sum
    }

    /// Both arguments of the min: what power leaves, and what energy leaves.
    fn store_room(
        &self,
        problem: &DispatchProblem<'_>,
        store: &Store,
        at: usize,
        slot: usize,
        way: Way,
    ) -> (Expression, Expression) {
        let (hours, columns) = (problem.slot_hours, &self.stores[at]);
        let output = columns.discharge[slot] - columns.charge[slot];
        let energy = columns.energy[slot];
        let taken = match problem.readings.flex_storage {
            FlexStorage::Printed => Expression::default(),
            FlexStorage::Reachable => output.clone(),
        };
        match way {
            Way::Up => {
                let per_kwh = store.discharge_efficiency.get() / hours;
                (store.discharge_max.0 - output, (energy - store.energy_min.0) * per_kwh - taken)
            }
            Way::Down => {
                let per_kwh = 1.0 / (store.charge_efficiency.get() * hours);
                (output + store.charge_max.0, (store.energy_max.0 - energy) * per_kwh + taken)
            }
        }
    }

    /// (28), (29).
    fn renewable_supply(&self, problem: &DispatchProblem<'_>, slot: usize, way: Way) -> Expression {
        let units = self.renewables.iter().zip(&problem.outlook.available_kw);
        let of = |(unit, available): (&Vec<good_lp::Variable>, &Vec<f64>)| -> Expression {
            let curtailed = available[slot] - unit[slot];
            match (problem.readings.vre_down, way) {
                (VreDown::Literal, Way::Up) => Expression::default(),
                (VreDown::Literal, Way::Down) | (VreDown::Physical, Way::Up) => curtailed,
                (VreDown::Physical, Way::Down) => unit[slot].into(),
            }
        };
        units.map(of).sum()
    }

    /// (27).
    fn interruptible_supply(&self, problem: &DispatchProblem<'_>, slot: usize, way: Way) -> Expression {
        if way == Way::Down {
            return Expression::default();
        }
        let loads = problem.plant.interruptible.iter().zip(&self.interrupted);
        loads
            .map(|(load, shed)| match problem.readings.cut_up {
                CutUp::Literal => Expression::from(load.power_max.0),
                CutUp::Physical => load.power_max.0 - shed[slot],
            })
            .sum()
    }
}
