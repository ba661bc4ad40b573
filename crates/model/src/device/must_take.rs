//! Output that nobody steers: it is not curtailed and supplies no flexibility.

use super::Device;
use crate::{
    columns::UnitKind,
    cost::UnitCost,
    dispatch::UnitSlot,
    plant::{Checked, PlantError},
    series::Series,
};

/// Output that nobody steers: run-of-river, combined heat and power, ...
#[derive(Debug, Clone, PartialEq)]
pub struct MustTake {
    /// Its name in the world file.
    pub name: String,
    /// What it gives, kW a slot.
    pub output: Series,
    /// Price of a kWh.
    pub cost: f64,
}

impl Device for MustTake {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> UnitKind {
        UnitKind::MustTake
    }

    fn check(&self) -> Result<(), PlantError> {
        Checked(&self.name).series("output", &self.output)?;
        Checked(&self.name).not_negative("cost", self.cost)
    }

    fn series(&self) -> Vec<&Series> {
        vec![&self.output]
    }

    /// What its series says is nothing that rounding left.
    fn tidied(&self, did: UnitSlot) -> UnitSlot {
        did
    }

    fn cost(&self, did: &UnitSlot, hours: f64) -> UnitCost {
        UnitCost::running(self.cost * did.given_kw * hours)
    }
}
