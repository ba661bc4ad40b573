//! What a dispatch problem is answered with.

use super::Fallback;
use crate::{answer::Outcome, linear::SolverName};
use voltide_model::{
    cost::{CostComponent, SystemCost},
    device::{COMPONENTS, Device},
    dispatch::SlotDispatch,
    flexibility::UpDown,
    plant::Plant,
};

/// A schedule of all units over all slots of a problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    /// Who solved the last program.
    pub by: SolverName,
    /// How it came about where none was found as asked.
    pub fallback: Option<Fallback>,
    /// How good it is.
    pub outcome: Outcome,
    /// The objective: the sum of `parts`.
    pub objective: f64,
    /// Proven lower bound of the objective.
    pub bound: f64,
    /// What the objective is made of.
    pub parts: ObjectiveParts,
    /// What each unit does, slot by slot; every slot's balance is closed.
    pub slots: Vec<SlotDispatch>,
    /// Flexibility, slot by slot, whether margins had to hold or not.
    pub margins: Vec<SlotMargin>,
    /// What had to be relaxed.
    pub unmet: Vec<Unmet>,
    /// How large the problem was.
    pub size: SolveSize,
}

impl Dispatch {
    /// The same schedule, held against another bound.
    pub(super) fn with_bound(self, bound: f64) -> Self {
        let outcome = Outcome::from_bound(self.objective, bound);
        Self { outcome, bound, ..self }
    }
}

/// The objective by parts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ObjectiveParts {
    /// What units cost, by part; a curve on chords, which is above the bill by the piecewise-linear
    /// error. In the order in which journals list it.
    units: Vec<UnitsPart>,
    /// Load not served and power not taken.
    pub unserved: f64,
    /// Missing flexibility margin.
    pub margin: f64,
    /// Output outside the band around the day-ahead plan.
    pub deviation: f64,
    /// Stored energy missing at the end.
    pub terminal: f64,
    /// What the last slot has units do, and hold, from where the day's path does not lead on; `None`
    /// where there is no path.
    pub path: Option<f64>,
}

/// What units of some kinds cost.
#[derive(Debug, Clone, Copy, PartialEq)]
struct UnitsPart {
    name: &'static str,
    /// Its place in sums.
    place: u8,
    amount: f64,
}

impl ObjectiveParts {
    /// The parts of a plant's objective, all nothing.
    pub(super) fn of_plant(plant: &Plant) -> Self {
        let mut units: Vec<UnitsPart> = Vec::new();
        let of_plant = plant.devices().flat_map(Device::components);
        // Those of the first release come first, whether there are such units or not: journals list
        // them so.
        for &CostComponent { part, place, .. } in COMPONENTS.iter().chain(of_plant) {
            if units.iter().all(|known| known.name != part) {
                units.push(UnitsPart { name: part, place, amount: 0.0 });
            }
        }
        Self { units, ..Self::default() }
    }

    /// Adds what is billed of a slot.
    pub(super) fn add_bill(&mut self, bill: &SystemCost) {
        for part in &mut self.units {
            part.amount += bill.sum_of(|component| component.part == part.name);
        }
    }

    /// Says what a part is, in place of what was added.
    pub(super) fn set(&mut self, part: &str, amount: f64) {
        self.units.iter_mut().filter(|of| of.name == part).for_each(|of| of.amount = amount);
    }

    /// What one part of the units' cost is.
    pub fn of_units(&self, part: &str) -> f64 {
        self.units.iter().filter(|of| of.name == part).map(|of| of.amount).sum()
    }

    /// All parts by name, as journals list them.
    pub fn named(&self) -> Vec<(&'static str, f64)> {
        let slack = [
            ("unserved", self.unserved),
            ("margin", self.margin),
            ("deviation", self.deviation),
            ("terminal", self.terminal),
        ];
        let path = self.path.map(|amount| ("path", amount));
        self.units.iter().map(|part| (part.name, part.amount)).chain(slack).chain(path).collect()
    }

    /// What would be billed if chords were the cost: all but the prices of slack.
    pub fn running(&self) -> f64 {
        // A sum in another order rounds to another number.
        let mut parts = self.units.clone();
        parts.sort_by_key(|part| part.place);
        parts.iter().fold(0.0, |sum, part| sum + part.amount)
    }

    /// The sum of all.
    pub fn sum(&self) -> f64 {
        self.running()
            + self.unserved
            + self.margin
            + self.deviation
            + self.terminal
            + self.path.unwrap_or(0.0)
    }
}

/// Flexibility in one slot, kW.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SlotMargin {
    /// `F_D` towards the next slot.
    pub demand: UpDown,
    /// `F_S` of all units, and of cars where they count.
    pub supply: UpDown,
}

impl SlotMargin {
    /// `F_M`, (32)-(35).
    pub fn margin(&self) -> UpDown {
        self.supply - self.demand
    }

    /// What is missing, not negative.
    pub fn shortfall(&self) -> UpDown {
        self.margin().shortfall()
    }
}

/// A wish that no schedule could meet, relaxed as far as needed.
#[derive(Debug, Clone, PartialEq)]
pub struct Unmet {
    /// The unit's name.
    pub unit: String,
    /// What was wished for.
    pub wish: UnmetWish,
    /// By how much it is missed, kW or kWh.
    pub by: f64,
}

/// What may have to be relaxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnmetWish {
    /// A ramp from the output before the first slot into the unit's limits, kW.
    RampIntoLimits,
    /// A ramp down before the unit is switched off, kW.
    RampToStop,
    /// A store that is outside its bounds from the start, kWh.
    InitialEnergy,
    /// Stored energy at the end, kWh.
    FinalEnergy,
}

/// How large a problem was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SolveSize {
    /// Columns of the last program solved.
    pub variables: usize,
    /// Those of them that are whole.
    pub integers: usize,
    /// Rows.
    pub constraints: usize,
    /// Programs solved: 1, and more where stores needed binaries.
    pub solves: u32,
}
