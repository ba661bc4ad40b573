//! Wind farms and PV plants, which can be curtailed.

use super::{Device, PlantError, Unsteered, check::Checked};
use crate::{
    columns::{CountsAs, UnitKind, UnitTick},
    cost::{CostComponent, UnitCost},
    flexibility::{Readings, UpDown, VreDown},
    forecast::Forecast,
    series::Series,
    unit::{NOTHING_KW, UnitSlot},
};

/// What a renewable unit generates from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenewableKind {
    /// Wind.
    Wind,
    /// Sun.
    Pv,
}

/// A wind farm or a PV plant.
#[derive(Debug, Clone, PartialEq)]
pub struct Renewable {
    /// Its name in the world file.
    pub name: String,
    /// Wind or sun.
    pub kind: RenewableKind,
    /// What it could give, kW a slot.
    pub available: Series,
    /// What is known of that beforehand.
    pub forecast: Forecast,
    /// Price of a kWh delivered, (39).
    pub cost: f64,
    /// Price of a kWh curtailed, (41).
    pub waste_price: f64,
}

impl Renewable {
    /// Checks the prices alone.
    pub fn check_prices(&self) -> Result<(), PlantError> {
        let unit = Checked(&self.name);
        unit.not_negative("cost", self.cost)?;
        unit.not_negative("waste_price", self.waste_price)
    }
}

impl UnitKind {
    /// Wind power.
    pub const WIND: Self = Self::new("wind", "renewable");
    /// Photovoltaic power.
    pub const PV: Self = Self::new("pv", "renewable");
}

/// Wind delivered, (39).
pub(super) const WIND: CostComponent =
    CostComponent { name: "wind", row: "wind", part: "renewables", place: 2 };

/// Sun delivered, (39).
pub(super) const PV: CostComponent =
    CostComponent { name: "pv", row: "pv", part: "renewables", place: 3 };

/// Wind and sun not used, (41).
pub(super) const CURTAILMENT: CostComponent =
    CostComponent { name: "curtailment", row: "penalty", part: "curtailment", place: 7 };

impl Device for Renewable {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> UnitKind {
        match self.kind {
            RenewableKind::Wind => UnitKind::WIND,
            RenewableKind::Pv => UnitKind::PV,
        }
    }

    fn check(&self) -> Result<(), PlantError> {
        let unit = Checked(&self.name);
        unit.series("available", &self.available)?;
        match &self.forecast {
            Forecast::Perfect => {}
            Forecast::Series(series) => unit.series("forecast", series)?,
            Forecast::Ar1 { phi, sd } => {
                unit.holds(
                    "forecast.phi",
                    *phi,
                    (0.0..1.0).contains(phi),
                    "at least 0 and below 1",
                )?;
                unit.not_negative("forecast.sd", *sd)?;
            }
        }
        self.check_prices()
    }

    fn series(&self) -> Vec<&Series> {
        let forecast =
            if let Forecast::Series(series) = &self.forecast { Some(series) } else { None };
        std::iter::once(&self.available).chain(forecast).collect()
    }

    /// Nothing is nearly curtailed.
    fn tidied(&self, did: UnitSlot) -> UnitSlot {
        // Set to what is available, not only rounded: else rounding would be billed as curtailed.
        if did.curtailed_kw() < NOTHING_KW {
            return UnitSlot { given_kw: did.available_kw, ..did };
        }
        did.without_rounding()
    }

    /// (28) and (29): what curtailing more or less would give.
    fn flexibility(&self, did: &UnitSlot, _hours: f64, readings: Readings) -> UpDown {
        match readings.vre_down {
            VreDown::Literal => UpDown { up: 0.0, down: did.curtailed_kw() },
            VreDown::Physical => UpDown { up: did.curtailed_kw(), down: did.given_kw },
        }
    }

    fn counts_as(&self) -> CountsAs {
        match self.kind {
            RenewableKind::Wind => CountsAs::Wind,
            RenewableKind::Pv => CountsAs::Pv,
        }
    }

    fn unsteered(&self) -> Option<Unsteered<'_>> {
        Some(Unsteered { actual: &self.available, forecast: &self.forecast })
    }

    /// What it could have given.
    fn unsteered_kw(&self, did: &UnitSlot) -> f64 {
        // Not what it delivers: the flexibility that a schedule has to offer would then depend on
        // the schedule.
        did.available_kw
    }

    fn row(&self, did: &UnitSlot) -> UnitTick {
        UnitTick {
            available_kw: Some(did.available_kw),
            ..UnitTick::new(0, self.kind(), did.power_kw())
        }
    }

    fn components(&self) -> &[CostComponent] {
        match self.kind {
            RenewableKind::Wind => &[WIND, CURTAILMENT],
            RenewableKind::Pv => &[PV, CURTAILMENT],
        }
    }

    /// (39), and (41) for what is curtailed.
    fn cost(&self, did: &UnitSlot, hours: f64) -> UnitCost {
        UnitCost {
            running: self.cost * did.given_kw * hours,
            extra: self.waste_price * did.curtailed_kw() * hours,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_curtailed_counts_by_its_reading() {
        let wind = Renewable {
            name: "wind".into(),
            kind: RenewableKind::Wind,
            available: Series { name: "wind".into(), unit: "kW".into(), values: [].into() },
            forecast: Forecast::Perfect,
            cost: 0.0,
            waste_price: 0.0,
        };
        let did =
            UnitSlot { given_kw: 70.0, available_kw: 100.0, ..UnitSlot::idle(UnitKind::WIND) };
        let supply =
            |vre_down| wind.flexibility(&did, 1.0, Readings { vre_down, ..Readings::default() });
        assert_eq!(supply(VreDown::Literal), UpDown { up: 0.0, down: 30.0 });
        assert_eq!(supply(VreDown::Physical), UpDown { up: 30.0, down: 70.0 });
    }
}
