//! Output that nobody steers: it is not curtailed and supplies no flexibility.

use super::{Device, PlantError, Unsteered, check::Checked};
use crate::{
    columns::UnitKind,
    cost::{CostComponent, UnitCost},
    forecast::Forecast,
    series::Series,
    unit::UnitSlot,
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

impl UnitKind {
    /// Output that nobody steers.
    pub const MUST_TAKE: Self = Self::new("must_take", "must_take");
}

/// All of it.
pub(super) const COST: CostComponent =
    CostComponent { name: "must_take", row: "other", part: "must_take", place: 4 };

impl Device for MustTake {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> UnitKind {
        UnitKind::MUST_TAKE
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

    fn unsteered(&self) -> Option<Unsteered<'_>> {
        Some(Unsteered { actual: &self.output, forecast: &Forecast::Perfect })
    }

    fn unsteered_kw(&self, did: &UnitSlot) -> f64 {
        did.given_kw
    }

    fn components(&self) -> &[CostComponent] {
        &[COST]
    }

    fn cost(&self, did: &UnitSlot, hours: f64) -> UnitCost {
        UnitCost::running(self.cost * did.given_kw * hours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn river(output: &[f64]) -> MustTake {
        let output =
            Series { name: "river".into(), unit: "kW".into(), values: output.to_vec().into() };
        MustTake { name: "run of river".into(), output, cost: 0.25 }
    }

    #[test]
    fn each_kwh_has_its_price() {
        let did = UnitSlot { given_kw: 8.0, ..UnitSlot::idle(UnitKind::MUST_TAKE) };
        assert_eq!(river(&[]).cost(&did, 0.5), UnitCost { running: 1.0, extra: 0.0 });
    }

    #[test]
    fn an_output_below_zero_in_any_slot_is_refused() {
        assert!(river(&[3.0, 0.0]).check().is_ok());
        let refused = river(&[3.0, -1.0]).check().unwrap_err();
        let PlantError::Value { field, value, .. } = refused else { panic!("{refused}") };
        assert_eq!((field, value), ("output", -1.0));
    }
}
