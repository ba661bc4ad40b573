//! A dispatch problem as a program, and its variables.

use super::{DispatchProblem, StoreEnd, Unmet, UnmetWish, thermal::Thermal};
use crate::linear::Program;
use good_lp::{Expression, Variable, constraint, variable};
use voltide_model::plant::Store;

/// A dispatch problem as a program, with its variables by unit and slot.
#[derive(Default)]
pub struct DispatchProgram {
    /// The program.
    pub program: Program,
    pub(super) thermal: Vec<Thermal>,
    pub(super) stores: Vec<StoreColumns>,
    pub(super) renewables: Vec<Vec<Variable>>,
    pub(super) interrupted: Vec<Vec<Variable>>,
    pub(super) exchanges: Vec<ExchangeColumns>,
    pub(super) unserved: Vec<Variable>,
    pub(super) spilled: Vec<Variable>,
    /// What had to be relaxed before solving.
    pub(super) unmet: Vec<Unmet>,
}

/// Variables of a store, by slot.
#[derive(Default)]
pub(super) struct StoreColumns {
    pub(super) charge: Vec<Variable>,
    pub(super) discharge: Vec<Variable>,
    pub(super) energy: Vec<Variable>,
}

/// Variables of a connection, by slot.
#[derive(Default)]
pub(super) struct ExchangeColumns {
    pub(super) imports: Vec<Variable>,
    pub(super) exports: Vec<Variable>,
}

/// The bounds that a store can keep, and what it can hold at the end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StoreReach {
    pub(super) energy_min: f64,
    pub(super) energy_max: f64,
    pub(super) end_max: f64,
}

impl StoreReach {
    /// Bounds that hold the energy at the start, even where that is outside the store's own.
    pub(super) fn new(store: &Store, energy: f64, hours: f64) -> Self {
        let energy_max = store.energy_max.0.max(energy);
        let most = energy + store.charge_efficiency.get() * store.charge_max.0 * hours;
        Self { energy_min: store.energy_min.0.min(energy), energy_max, end_max: most.min(energy_max) }
    }
}

impl DispatchProgram {
    /// Writes down `problem`, which must be valid; stores are held to one direction at a time in the
    /// `exclusive` (store, slot) pairs.
    pub fn new(problem: &DispatchProblem<'_>, exclusive: &[(usize, usize)]) -> Self {
        let mut this = Self::default();
        this.add_renewables(problem);
        this.add_must_take(problem);
        this.add_thermal(problem);
        this.add_stores(problem);
        this.add_interruptible(problem);
        this.add_exchanges(problem);
        this.balance(problem);
        if problem.margins {
            this.require_margins(problem);
        }
        for &(store, slot) in exclusive {
            this.exclude(&problem.plant.stores[store], store, slot);
        }
        this
    }

    /// A non-negative power with a limit and a price, in every slot.
    fn powers(&mut self, problem: &DispatchProblem<'_>, limit_kw: f64, price: f64) -> Vec<Variable> {
        (0..problem.slots()).map(|_| self.power(problem.slot_hours, limit_kw, price)).collect()
    }

    pub(super) fn power(&mut self, hours: f64, limit_kw: f64, price: f64) -> Variable {
        let power = self.program.add(variable().min(0.0).max(limit_kw));
        self.program.pay(price * hours * power);
        power
    }

    /// (39) and (41): what is delivered costs the one and saves the other.
    fn add_renewables(&mut self, problem: &DispatchProblem<'_>) {
        let hours = problem.slot_hours;
        for (unit, available) in problem.plant.renewables.iter().zip(&problem.outlook.available_kw) {
            let price = unit.cost - unit.waste_price;
            let columns = available.iter().map(|&most| self.power(hours, most, price)).collect();
            self.renewables.push(columns);
            self.program.pay(unit.waste_price * hours * available.iter().sum::<f64>());
        }
    }

    fn add_must_take(&mut self, problem: &DispatchProblem<'_>) {
        for (unit, output) in problem.plant.must_take.iter().zip(&problem.outlook.must_take_kw) {
            self.program.pay(unit.cost * problem.slot_hours * output.iter().sum::<f64>());
        }
    }

    fn add_thermal(&mut self, problem: &DispatchProblem<'_>) {
        for at in 0..problem.plant.thermal.len() {
            let unit = Thermal::new(&mut self.program, &mut self.unmet, problem, at);
            self.thermal.push(unit);
        }
    }

    fn add_stores(&mut self, problem: &DispatchProblem<'_>) {
        for (at, store) in problem.plant.stores.iter().enumerate() {
            let columns = self.store(problem, store, problem.state.energy_kwh[at], problem.ends[at]);
            self.stores.push(columns);
        }
    }

    /// (38) or (43), the store's balance, and its end.
    fn store(
        &mut self,
        problem: &DispatchProblem<'_>,
        store: &Store,
        start: f64,
        end: StoreEnd,
    ) -> StoreColumns {
        let hours = problem.slot_hours;
        let reach = StoreReach::new(store, start, hours * problem.slots() as f64);
        self.note_outside(store, start);
        let open = if end == StoreEnd::Idle { 0.0 } else { 1.0 };
        let columns = StoreColumns {
            charge: self.powers(problem, open * store.charge_max.0, store.throughput_cost),
            discharge: self.powers(problem, open * store.discharge_max.0, store.throughput_cost),
            energy: (0..problem.slots())
                .map(|_| self.program.add(variable().min(reach.energy_min).max(reach.energy_max)))
                .collect(),
        };
        let (gained, lost) =
            (store.charge_efficiency.get() * hours, hours / store.discharge_efficiency.get());
        let mut before = Expression::from(start);
        for slot in 0..problem.slots() {
            let (charge, discharge) = (columns.charge[slot], columns.discharge[slot]);
            let energy = columns.energy[slot];
            self.program.require(constraint!(energy - before == gained * charge - lost * discharge));
            before = energy.into();
        }
        self.end(problem, store, reach, before, end);
        columns
    }

    fn note_outside(&mut self, store: &Store, start: f64) {
        let by = (store.energy_min.0 - start).max(start - store.energy_max.0);
        // A chain of solves leaves the bounds by rounding.
        if by > 1e-6 {
            self.note(&store.name, UnmetWish::InitialEnergy, by);
        }
    }

    fn note(&mut self, unit: &str, wish: UnmetWish, by: f64) {
        self.unmet.push(Unmet { unit: unit.to_owned(), wish, by });
    }

    fn end(
        &mut self,
        problem: &DispatchProblem<'_>,
        store: &Store,
        reach: StoreReach,
        last: Expression,
        end: StoreEnd,
    ) {
        match end {
            StoreEnd::Idle | StoreEnd::Free => {}
            StoreEnd::AtLeast(wish) => {
                if wish > reach.end_max + 1e-9 {
                    self.note(&store.name, UnmetWish::FinalEnergy, wish - reach.end_max);
                }
                self.program.require(constraint!(last >= wish.min(reach.end_max)));
            }
            StoreEnd::Softened(wish) => {
                let missing = self.program.add(variable().min(0.0));
                self.program.pay(problem.prices.terminal * missing);
                self.program.require(constraint!(last + missing >= wish));
            }
        }
    }

    /// (40).
    fn add_interruptible(&mut self, problem: &DispatchProblem<'_>) {
        for load in &problem.plant.interruptible {
            let columns = self.powers(problem, load.power_max.0, load.price);
            self.interrupted.push(columns);
        }
    }

    fn add_exchanges(&mut self, problem: &DispatchProblem<'_>) {
        let hours = problem.slot_hours;
        let prices = problem.outlook.import_price.iter().zip(&problem.outlook.export_price);
        for (unit, (imports, exports)) in problem.plant.exchanges.iter().zip(prices) {
            let imports = imports.iter().map(|&price| self.power(hours, unit.import_max.0, price)).collect();
            let exports = exports.iter().map(|&price| self.power(hours, unit.export_max.0, -price)).collect();
            self.exchanges.push(ExchangeColumns { imports, exports });
        }
    }

    fn balance(&mut self, problem: &DispatchProblem<'_>) {
        let price = problem.prices.unserved;
        self.unserved = self.powers(problem, f64::INFINITY, price);
        self.spilled = self.powers(problem, f64::INFINITY, price);
        for slot in 0..problem.slots() {
            let must_take: f64 = problem.outlook.must_take_kw.iter().map(|output| output[slot]).sum();
            let left = problem.outlook.load_kw[slot] - must_take;
            let given = self.given(slot);
            self.program.require(constraint!(given == left));
        }
    }

    /// All that units give to the balance of one slot, less what they take.
    fn given(&self, slot: usize) -> Expression {
        let mut given = Expression::from(self.unserved[slot]) - self.spilled[slot];
        self.thermal.iter().for_each(|unit| given += unit.output[slot]);
        self.renewables.iter().chain(&self.interrupted).for_each(|unit| given += unit[slot]);
        for store in &self.stores {
            given += store.discharge[slot] - store.charge[slot];
        }
        for unit in &self.exchanges {
            given += unit.imports[slot] - unit.exports[slot];
        }
        given
    }

    /// One direction at a time.
    fn exclude(&mut self, store: &Store, at: usize, slot: usize) {
        let (charge, discharge) = (self.stores[at].charge[slot], self.stores[at].discharge[slot]);
        let charging = self.program.add(variable().binary());
        self.program.require(constraint!(charge <= store.charge_max.0 * charging));
        self.program.require(constraint!(discharge <= store.discharge_max.0 * (1.0 - charging)));
    }
}
