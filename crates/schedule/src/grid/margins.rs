//! Margins (32)-(35): supplies as variables below both arguments of their min.

use super::{
    DispatchProblem,
    build::DispatchProgram,
    unit::{Way, power},
};
use good_lp::{Expression, constraint};
use voltide_model::{
    device::Store,
    flexibility::{FlexStorage, UpDown, demand},
};

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
        let outside = |(store, &energy): (&Store, &f64)| {
            energy < store.energy_min.0 || energy > store.energy_max.0
        };
        match self.readings.flex_storage {
            FlexStorage::Reachable => self.plant.each::<Store>().next().is_some(),
            FlexStorage::Printed => {
                self.plant.each::<Store>().zip(&self.state.energy_kwh).any(outside)
            }
        }
    }

    /// `F_S` of the cars in a slot.
    pub(super) fn car_supply(&self, slot: usize) -> UpDown {
        self.outlook.car_supply_kw.get(slot).copied().unwrap_or_default()
    }
}

impl DispatchProgram<'_> {
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

    fn require_margin(
        &mut self,
        problem: &DispatchProblem<'_>,
        slot: usize,
        way: Way,
        demand: f64,
    ) {
        let Self { program, units, .. } = self;
        let slack = power(program, problem.slot_hours, f64::INFINITY, problem.prices.margin);
        let mut supply = Expression::default();
        // Kind by kind, as in every sum over units: another order rounds to another program.
        for kind in
            units.chunk_by(|one, next| one.device().kind().same_device(next.device().kind()))
        {
            supply += kind.iter().map(|unit| unit.supply(program, slot, way)).sum::<Expression>();
        }
        program.require(constraint!(supply + slack >= demand));
    }
}
