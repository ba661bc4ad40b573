//! Connections to the world outside. Imports count as given, exports as negative.

use super::{Device, OfferedAt, PlantError, SlotsAhead, check::Checked};
use crate::{
    columns::{CountsAs, UnitKind},
    cost::{Chord, CostComponent, UnitCost},
    quantity::Kilowatts,
    series::Series,
    unit::UnitSlot,
};

/// A connection to the world outside. It is scheduled, and supplies no flexibility.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// Its name in the world file.
    pub name: String,
    /// Most that may be imported.
    pub import_max: Kilowatts,
    /// Most that may be exported.
    pub export_max: Kilowatts,
    /// Price of a kWh imported, one a slot.
    pub import_price: Series,
    /// What a kWh exported earns, one a slot; nowhere above the import price.
    pub export_price: Series,
}

impl Exchange {
    /// Checks limits, and prices that may be other ones than its own.
    pub fn check_prices(&self, imports: &[f64], exports: &[f64]) -> Result<(), PlantError> {
        let unit = Checked(&self.name);
        unit.not_negative("import_max", self.import_max.0)?;
        unit.not_negative("export_max", self.export_max.0)?;
        for (slot, (&import, &export)) in imports.iter().zip(exports).enumerate() {
            unit.holds("import_price", import, import.is_finite(), "finite")?;
            unit.holds("export_price", export, export.is_finite(), "finite")?;
            if export > import {
                return Err(PlantError::ExportDearer {
                    unit: self.name.clone(),
                    slot,
                    import,
                    export,
                });
            }
        }
        Ok(())
    }
}

impl UnitKind {
    /// The connection to the world outside; positive output imports.
    pub const IMPORT_EXPORT: Self = Self::new("import_export", "exchange");
}

/// Imports less exports.
pub(super) const COST: CostComponent =
    CostComponent { name: "import_export", row: "other", part: "exchange", place: 9 };

impl Device for Exchange {
    fn name(&self) -> &str {
        &self.name
    }

    fn offer(&self, _did: &UnitSlot, at: OfferedAt) -> (f64, Vec<Chord>) {
        let price = self.import_price.at(at.slot, at.day).max(0.0);
        (0.0, vec![Chord { width_kw: self.import_max.0, slope_per_kwh: price }])
    }

    fn kind(&self) -> UnitKind {
        UnitKind::IMPORT_EXPORT
    }

    fn check(&self) -> Result<(), PlantError> {
        self.check_prices(&self.import_price.values, &self.export_price.values)
    }

    fn series(&self) -> Vec<&Series> {
        vec![&self.import_price, &self.export_price]
    }

    fn counts_as(&self) -> CountsAs {
        CountsAs::Import
    }

    /// Its prices, as they are.
    fn expected(&self, at: SlotsAhead) -> Vec<Vec<f64>> {
        [&self.import_price, &self.export_price].map(|price| at.actual(price)).into()
    }

    fn components(&self) -> &[CostComponent] {
        &[COST]
    }

    /// At the price of the direction that it is used in.
    fn cost(&self, did: &UnitSlot, hours: f64) -> UnitCost {
        UnitCost::running(did.given_kw * did.price_per_kwh * hours)
    }
}
