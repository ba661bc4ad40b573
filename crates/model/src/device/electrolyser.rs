//! Electrolysers: load that turns power into hydrogen, which is taken from a tank.
//!
//! Energy of hydrogen is its lower heating value, 33.3 kWh a kilogram. With `H[t]` what the tank
//! holds at the END of slot t:
//!
//! `H[t] = H[t-1] + η·draw·dt - (demand - bought)·dt`, `0 ≤ H[t] ≤ tank`.
//!
//! Nothing is turned back into power. Hydrogen that the tank cannot give is bought at a price, so
//! that there always is a schedule.

use super::{Device, PlantError, SlotsAhead, check::Checked};
use crate::{
    columns::{UnitKind, UnitTick},
    cost::{CostComponent, UnitCost},
    flexibility::{Readings, UpDown},
    quantity::{KilowattHours, Kilowatts, Share},
    series::Series,
    unit::{UnitSlot, UnitState, tidied},
};

/// An electrolyser with its tank. What it draws counts as charged, hydrogen bought as available.
#[derive(Debug, Clone, PartialEq)]
pub struct Electrolyser {
    /// Its name in the world file.
    pub name: String,
    /// Least it draws while it runs.
    pub power_min: Kilowatts,
    /// Most it draws.
    pub power_max: Kilowatts,
    /// Energy of the hydrogen made per energy drawn.
    pub efficiency: Share,
    /// Most that the tank holds.
    pub tank: KilowattHours,
    /// What it holds before the first slot.
    pub initial_energy: KilowattHours,
    /// Least it should hold where the day-ahead stage stops looking.
    pub day_end_energy: KilowattHours,
    /// Whether it should hold that at the end of each day before, too.
    pub holds_each_day: bool,
    /// Hydrogen taken from the tank, kW a slot.
    pub demand: Series,
    /// Price of a kWh of hydrogen bought.
    pub backup_price: f64,
}

impl UnitKind {
    /// Load that makes hydrogen.
    pub const ELECTROLYSER: Self = Self::new("electrolyser", "electrolyser");
}

/// Hydrogen bought.
const COST: CostComponent =
    CostComponent { name: "hydrogen", row: "other", part: "hydrogen", place: 10 };

impl Electrolyser {
    /// Checks everything but the demand, and what the tank holds, which may have come from
    /// elsewhere.
    pub fn check_shape(&self) -> Result<(), PlantError> {
        let unit = Checked(&self.name);
        unit.not_negative("power_min", self.power_min.0)?;
        unit.not_negative("power_max", self.power_max.0)?;
        unit.ordered("power", self.power_min.0, self.power_max.0)?;
        let efficiency = self.efficiency.get();
        unit.holds("efficiency", efficiency, efficiency > 0.0, "above 0 and at most 1")?;
        unit.not_negative("tank", self.tank.0)?;
        unit.not_negative("backup_price", self.backup_price)
    }

    /// The demand can be met on average: else hydrogen would be bought for good.
    fn check_demand(&self) -> Result<(), PlantError> {
        let unit = Checked(&self.name);
        unit.series("demand", &self.demand)?;
        let count = self.demand.values.len().max(1) as f64;
        let mean = self.demand.values.iter().sum::<f64>() / count;
        let most = self.efficiency.get() * self.power_max.0;
        let wanted = "on average at most `power_max` times `efficiency`, which is all that it \
                      makes: raise `power_max`, or lower `demand`";
        // The mean of a demand that is just met may round to more.
        unit.holds("demand", mean, mean <= most * (1.0 + 1e-9), wanted)
    }

    /// What the tank holds after a slot of so many hours that began with `energy_kwh`; powers in
    /// kW, hydrogen by its energy.
    pub fn energy_after(&self, energy_kwh: f64, draw_kw: f64, taken_kw: f64, hours: f64) -> f64 {
        energy_kwh + self.efficiency.get() * draw_kw * hours - taken_kw * hours
    }
}

impl Device for Electrolyser {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> UnitKind {
        UnitKind::ELECTROLYSER
    }

    fn check(&self) -> Result<(), PlantError> {
        self.check_shape()?;
        let wishes =
            [("initial_energy", self.initial_energy.0), ("day_end_energy", self.day_end_energy.0)];
        for (field, energy_kwh) in wishes {
            Checked(&self.name).within(field, energy_kwh, 0.0, self.tank.0)?;
        }
        self.check_demand()
    }

    fn series(&self) -> Vec<&Series> {
        vec![&self.demand]
    }

    fn initial(&self) -> UnitState {
        UnitState { energy_kwh: self.initial_energy.0, ..UnitState::default() }
    }

    fn after(&self, before: &UnitState, did: &UnitSlot, _hours: f64) -> UnitState {
        UnitState { energy_kwh: did.energy_kwh, ..*before }
    }

    fn hashed(&self, state: &UnitState) -> Vec<f64> {
        vec![state.energy_kwh]
    }

    /// Its demand, as it is.
    fn expected(&self, at: SlotsAhead) -> Vec<Vec<f64>> {
        vec![at.actual(&self.demand)]
    }

    fn row(&self, did: &UnitSlot) -> UnitTick {
        UnitTick {
            charge_kw: Some(did.charge_kw),
            energy_kwh: Some(did.energy_kwh),
            ..UnitTick::new(0, self.kind(), did.power_kw())
        }
    }

    fn tidied(&self, did: UnitSlot) -> UnitSlot {
        UnitSlot { available_kw: tidied(did.available_kw), ..did.without_rounding() }
    }

    /// As a load that is cut at once, all of it or a part, or raised: up what it draws, as far as
    /// the tank has the hydrogen that is then not made; down what more it may draw, as far as the
    /// tank has room. That it cannot draw less than its least power is not looked at.
    fn flexibility(&self, did: &UnitSlot, hours: f64, _readings: Readings) -> UpDown {
        let made_per_kw = self.efficiency.get() * hours;
        UpDown {
            // Not bounded from below: a tank that rounding left below nothing supplies less.
            up: did.charge_kw.min(did.energy_kwh / made_per_kw),
            down: (self.power_max.0 - did.charge_kw)
                .min((self.tank.0 - did.energy_kwh) / made_per_kw)
                .max(0.0),
        }
    }

    fn components(&self) -> &[CostComponent] {
        &[COST]
    }

    /// Hydrogen bought; what it draws is paid where it is generated.
    fn cost(&self, did: &UnitSlot, hours: f64) -> UnitCost {
        UnitCost::running(self.backup_price * did.available_kw * hours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn electrolyser() -> Electrolyser {
        Electrolyser {
            name: "h2".into(),
            power_min: Kilowatts(20.0),
            power_max: Kilowatts(100.0),
            efficiency: Share::new(0.5).unwrap(),
            tank: KilowattHours(60.0),
            initial_energy: KilowattHours(10.0),
            day_end_energy: KilowattHours(10.0),
            holds_each_day: false,
            demand: Series { name: "h2".into(), unit: "kW".into(), values: [0.0, 100.0].into() },
            backup_price: 0.3,
        }
    }

    fn at(charge_kw: f64, energy_kwh: f64) -> UnitSlot {
        UnitSlot { charge_kw, energy_kwh, ..UnitSlot::idle(UnitKind::ELECTROLYSER) }
    }

    #[test]
    fn a_load_is_cut_as_far_as_the_tank_lasts_and_raised_as_far_as_it_has_room() {
        let supply = |did| electrolyser().flexibility(&did, 0.5, Readings::default());
        // Half an hour of a kW makes a quarter of a kWh of hydrogen.
        assert_eq!(supply(at(40.0, 30.0)), UpDown { up: 40.0, down: 60.0 });
        assert_eq!(supply(at(40.0, 5.0)), UpDown { up: 20.0, down: 60.0 });
        assert_eq!(supply(at(40.0, 50.0)), UpDown { up: 40.0, down: 40.0 });
        assert_eq!(supply(at(0.0, 60.0)), UpDown { up: 0.0, down: 0.0 });
        assert_eq!(
            supply(at(0.0, 90.0)),
            UpDown { up: 0.0, down: 0.0 },
            "more than it has room for"
        );
    }

    #[test]
    fn only_hydrogen_that_is_bought_has_a_cost_of_its_own() {
        let bought = UnitSlot { available_kw: 8.0, ..at(40.0, 0.0) };
        assert_eq!(electrolyser().cost(&bought, 0.5), UnitCost::running(0.3 * 8.0 * 0.5));
        assert_eq!(electrolyser().cost(&at(40.0, 30.0), 0.5), UnitCost::running(0.0));
    }

    #[test]
    fn demand_may_be_high_for_a_while_and_not_on_average() {
        let unit = electrolyser();
        assert_eq!(Device::check(&unit), Ok(()));
        let weaker = Electrolyser { power_max: Kilowatts(99.0), ..unit };
        let message = Device::check(&weaker).unwrap_err().to_string();
        assert!(message.starts_with("demand of `h2` is 50; it must be on average"), "{message}");
        let full = Electrolyser { initial_energy: KilowattHours(61.0), ..electrolyser() };
        assert!(matches!(full.check(), Err(PlantError::OutsideBounds { .. })));
    }
}
