//! Load that may be shed at a price; what is shed counts as given.

use super::{Device, OfferedAt, PlantError, check::Checked};
use crate::{
    columns::{CountsAs, UnitKind},
    cost::{Chord, CostComponent, UnitCost},
    flexibility::{CutUp, Readings, UpDown},
    quantity::Kilowatts,
    unit::UnitSlot,
};

/// Load that may be shed at a price.
#[derive(Debug, Clone, PartialEq)]
pub struct InterruptibleLoad {
    /// Its name in the world file.
    pub name: String,
    /// Most that may be shed, `P_cut^max`.
    pub power_max: Kilowatts,
    /// Price of a kWh shed, (40).
    pub price: f64,
}

impl UnitKind {
    /// Load that may be shed.
    pub const INTERRUPTIBLE: Self = Self::new("interruptible", "interruptible");
}

/// Load shed by agreement, (40).
pub(super) const COST: CostComponent =
    CostComponent { name: "interruption", row: "penalty", part: "interruption", place: 8 };

impl Device for InterruptibleLoad {
    fn name(&self) -> &str {
        &self.name
    }

    fn offer(&self, _did: &UnitSlot, _at: OfferedAt) -> (f64, Vec<Chord>) {
        let shed = Chord { width_kw: self.power_max.0, slope_per_kwh: self.price.max(0.0) };
        (0.0, vec![shed])
    }

    fn kind(&self) -> UnitKind {
        UnitKind::INTERRUPTIBLE
    }

    fn check(&self) -> Result<(), PlantError> {
        Checked(&self.name).not_negative("power_max", self.power_max.0)?;
        Checked(&self.name).not_negative("price", self.price)
    }

    /// (27): what more may be shed.
    fn flexibility(&self, did: &UnitSlot, _hours: f64, readings: Readings) -> UpDown {
        let up = match readings.cut_up {
            CutUp::Literal => self.power_max.0,
            CutUp::Physical => self.power_max.0 - did.given_kw,
        };
        UpDown { up, down: 0.0 }
    }

    fn counts_as(&self) -> CountsAs {
        CountsAs::Shed
    }

    fn components(&self) -> &[CostComponent] {
        &[COST]
    }

    /// (40).
    fn cost(&self, did: &UnitSlot, hours: f64) -> UnitCost {
        UnitCost::running(self.price * did.given_kw * hours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shed_counts_by_its_reading() {
        let load =
            InterruptibleLoad { name: "mill".into(), power_max: Kilowatts(90.0), price: 3.0 };
        let did = UnitSlot { given_kw: 40.0, ..UnitSlot::idle(UnitKind::INTERRUPTIBLE) };
        let supply =
            |cut_up| load.flexibility(&did, 1.0, Readings { cut_up, ..Readings::default() }).up;
        assert_eq!((supply(CutUp::Literal), supply(CutUp::Physical)), (90.0, 50.0));
    }
}
