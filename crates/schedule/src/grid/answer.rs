//! What a dispatch problem is answered with.

use crate::answer::Outcome;
use voltide_model::{dispatch::SlotDispatch, flexibility::UpDown};

/// A schedule of all units over all slots of a problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
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

/// The objective by parts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ObjectiveParts {
    /// Thermal output on chords; above the bill by the piecewise-linear error.
    pub thermal: f64,
    /// Starts.
    pub starts: f64,
    /// Throughput of stores.
    pub stores: f64,
    /// Wind and sun delivered.
    pub renewables: f64,
    /// Wind and sun curtailed.
    pub curtailment: f64,
    /// Load shed by agreement.
    pub interruption: f64,
    /// Output that nobody steers.
    pub must_take: f64,
    /// Imports less exports.
    pub exchange: f64,
    /// Load not served and power not taken.
    pub unserved: f64,
    /// Missing flexibility margin.
    pub margin: f64,
    /// Thermal output outside the band around the day-ahead plan.
    pub deviation: f64,
    /// Stored energy missing at the end.
    pub terminal: f64,
}

impl ObjectiveParts {
    /// What would be billed if chords were the cost: all but the prices of slack.
    pub fn running(&self) -> f64 {
        let generation = self.thermal + self.starts + self.renewables + self.must_take;
        generation + self.stores + self.curtailment + self.interruption + self.exchange
    }

    /// The sum of all.
    pub fn sum(&self) -> f64 {
        self.running() + self.unserved + self.margin + self.deviation + self.terminal
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
