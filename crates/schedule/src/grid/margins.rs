//! Margins (32)-(35): supplies as variables below both arguments of their min.

use super::{
    DispatchProblem,
    build::DispatchProgram,
    kinds::kind_of,
    unit::{Way, power},
};
use good_lp::{Expression, constraint};
use voltide_model::flexibility::{UpDown, demand};

impl DispatchProblem<'_> {
    /// `F_D` of each slot, (15)-(18).
    pub fn demands(&self) -> Vec<UpDown> {
        let mut net_loads: Vec<f64> =
            (0..self.slots()).map(|slot| self.net_load_kw(slot)).collect();
        net_loads.push(self.exogenous.net_load_next_kw);
        net_loads.windows(2).map(|pair| demand(pair[0], pair[1])).collect()
    }

    /// Whether a unit may supply less than nothing.
    fn supply_may_be_negative(&self) -> bool {
        let mut units = self.plant.units.iter().zip(&self.units);
        units.any(|(unit, task)| kind_of(unit).may_supply_less_than_nothing(task, self.readings))
    }

    /// `F_S` of the cars in a slot.
    pub(super) fn car_supply(&self, slot: usize) -> UpDown {
        self.exogenous.car_supply_kw.get(slot).copied().unwrap_or_default()
    }
}

impl DispatchProgram<'_> {
    /// One row a slot and direction, except where it holds by itself: without demand, the sum of
    /// supplies that cannot be negative is enough.
    pub(super) fn require_margins(&mut self, problem: &DispatchProblem<'_>) {
        let may_be_negative = problem.supply_may_be_negative();
        for (slot, demand) in problem.demands().into_iter().enumerate() {
            for way in [Way::Up, Way::Down] {
                let cars = way.of(problem.car_supply(slot));
                // Demand is not negative: cars that supply less than nothing need others even
                // without any.
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
