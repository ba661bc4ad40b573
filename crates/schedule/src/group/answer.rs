//! What is answered to a group problem.

/// Schedules of a group, and how good they are.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupAnswer {
    /// Power of each member by slot of its stay, kW; positive charges.
    pub power_kw: Vec<Vec<f64>>,
    /// What of its given power each node curtails, by slot, kW.
    pub curtailed_kw: Vec<Vec<f64>>,
    /// Violation of hard limits, kWh.
    pub violation_kwh: f64,
    /// Lower bound of that violation, kWh; where it is 0, no limit is exceeded.
    pub violation_bound_kwh: f64,
    /// Stored energy below the members' targets at their ends, kWh.
    pub missing_kwh: f64,
    /// Lower bound of what is missing, kWh.
    pub missing_bound_kwh: f64,
    /// Cost, soft breaches included.
    pub cost: f64,
    /// Lower bound of the cost at the missing energy; minus infinity where none is known.
    pub bound: f64,
    /// What a kWh more at a node costs, by node and slot, beside its members' prices; the costs of
    /// nodes above are in it. With binaries these are the prices of the relaxed program.
    pub price: Vec<Vec<f64>>,
    /// Slots in which a member's direction had to be a binary.
    pub binaries: usize,
}

impl GroupAnswer {
    /// How far the cost may be above the least, relative to it or to 1.
    pub fn gap(&self) -> f64 {
        (self.cost - self.bound).max(0.0) / self.cost.abs().max(1.0)
    }
}
