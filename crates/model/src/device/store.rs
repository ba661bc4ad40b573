//! Stores: pumped hydro and batteries.
//!
//! A store has two non-negative powers, and its efficiencies are one-way:
//! `W[t] = W[t-1] + η_c·charge·dt - discharge·dt/η_d`, with `W[t]` the energy at the END of slot t.

use super::{Device, PlantError, check::Checked};
use crate::{
    columns::{UnitKind, UnitTick},
    cost::{CostComponent, UnitCost},
    flexibility::{FlexStorage, Readings, UpDown},
    quantity::{KilowattHours, Kilowatts, Share},
    unit::{UnitSlot, UnitState},
};

/// What a store stores energy in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// Water in an upper basin.
    PumpedHydro,
    /// A stationary battery ("ESS" in the paper).
    Ess,
}

/// Pumped hydro or a battery.
#[derive(Debug, Clone, PartialEq)]
pub struct Store {
    /// Its name in the world file.
    pub name: String,
    /// What kind it is.
    pub kind: StoreKind,
    /// Most it charges with, `-P_h^min`.
    pub charge_max: Kilowatts,
    /// Most it discharges with, `P_h^max`.
    pub discharge_max: Kilowatts,
    /// Least it may hold.
    pub energy_min: KilowattHours,
    /// Most it may hold.
    pub energy_max: KilowattHours,
    /// Stored per energy charged.
    pub charge_efficiency: Share,
    /// Delivered per stored energy discharged.
    pub discharge_efficiency: Share,
    /// Price of a kWh that goes in or comes out, (38) and (43).
    pub throughput_cost: f64,
    /// What it holds before the first slot.
    pub initial_energy: KilowattHours,
    /// Least it holds where the day-ahead stage stops looking; `None` leaves that to the stage, which
    /// then empties it.
    pub day_end_energy: Option<KilowattHours>,
    /// Whether it holds that at the end of each day before, too.
    pub holds_each_day: bool,
}

impl Store {
    /// Checks everything but what the store holds, which may have come from elsewhere.
    pub fn check_shape(&self) -> Result<(), PlantError> {
        let unit = Checked(&self.name);
        unit.not_negative("charge_max", self.charge_max.0)?;
        unit.not_negative("discharge_max", self.discharge_max.0)?;
        unit.not_negative("energy_min", self.energy_min.0)?;
        unit.not_negative("energy_max", self.energy_max.0)?;
        unit.ordered("energy", self.energy_min.0, self.energy_max.0)?;
        for (field, share) in [
            ("charge_efficiency", self.charge_efficiency),
            ("discharge_efficiency", self.discharge_efficiency),
        ] {
            unit.holds(field, share.get(), share.get() > 0.0, "above 0 and at most 1")?;
        }
        unit.not_negative("throughput_cost", self.throughput_cost)
    }

    /// What the store holds after a slot of so many hours that began with `energy_kwh`.
    pub fn energy_after(
        &self,
        energy_kwh: f64,
        charge_kw: f64,
        discharge_kw: f64,
        hours: f64,
    ) -> f64 {
        let (charged, discharged) = (charge_kw * hours, discharge_kw * hours);
        energy_kwh + self.charge_efficiency.get() * charged
            - discharged / self.discharge_efficiency.get()
    }
}

impl UnitKind {
    /// Pumped hydro.
    pub const PUMPED_HYDRO: Self = Self::new("pumped_hydro", "store");
    /// A battery.
    pub const ESS: Self = Self::new("ess", "store");
}

/// Throughput of pumped hydro, (38).
pub(super) const PUMPED_HYDRO: CostComponent =
    CostComponent { name: "pumped_hydro", row: "pumped_hydro", part: "stores", place: 5 };

/// Throughput of batteries, (43).
pub(super) const ESS: CostComponent =
    CostComponent { name: "ess", row: "ess", part: "stores", place: 6 };

impl Device for Store {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> UnitKind {
        match self.kind {
            StoreKind::PumpedHydro => UnitKind::PUMPED_HYDRO,
            StoreKind::Ess => UnitKind::ESS,
        }
    }

    fn check(&self) -> Result<(), PlantError> {
        self.check_shape()?;
        let unit = Checked(&self.name);
        let wishes = [
            ("initial_energy", Some(self.initial_energy)),
            ("day_end_energy", self.day_end_energy),
        ];
        for (field, energy) in wishes {
            let (least, most) = (self.energy_min.0, self.energy_max.0);
            let within = |energy: KilowattHours| unit.within(field, energy.0, least, most);
            energy.map_or(Ok(()), within)?;
        }
        Ok(())
    }

    /// (23)-(26): what power and energy leave. The energy is what it holds at the slot's end, so
    /// that it is there for the next.
    fn flexibility(&self, did: &UnitSlot, hours: f64, readings: Readings) -> UpDown {
        let output = did.power_kw();
        let by_discharge =
            (did.energy_kwh - self.energy_min.0) * self.discharge_efficiency.get() / hours;
        let by_charge =
            (self.energy_max.0 - did.energy_kwh) / (self.charge_efficiency.get() * hours);
        let taken = match readings.flex_storage {
            FlexStorage::Printed => 0.0,
            FlexStorage::Reachable => output,
        };
        UpDown {
            up: (self.discharge_max.0 - output).min(by_discharge - taken),
            down: (output + self.charge_max.0).min(by_charge + taken),
        }
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

    fn row(&self, did: &UnitSlot) -> UnitTick {
        UnitTick {
            charge_kw: Some(did.charge_kw),
            energy_kwh: Some(did.energy_kwh),
            ..UnitTick::new(0, self.kind(), did.power_kw())
        }
    }

    fn components(&self) -> &[CostComponent] {
        match self.kind {
            StoreKind::PumpedHydro => &[PUMPED_HYDRO],
            StoreKind::Ess => &[ESS],
        }
    }

    /// (38) and (43).
    fn cost(&self, did: &UnitSlot, hours: f64) -> UnitCost {
        UnitCost::running(self.throughput_cost * (did.charge_kw + did.given_kw) * hours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn basin() -> Store {
        Store {
            name: "basin".into(),
            kind: StoreKind::PumpedHydro,
            charge_max: Kilowatts(255.0),
            discharge_max: Kilowatts(255.0),
            energy_min: KilowattHours(150.0),
            energy_max: KilowattHours(1500.0),
            charge_efficiency: Share::new(0.8).unwrap(),
            discharge_efficiency: Share::new(0.8).unwrap(),
            throughput_cost: 0.1,
            initial_energy: KilowattHours(750.0),
            day_end_energy: None,
            holds_each_day: false,
        }
    }

    /// What the basin supplies; positive output discharges.
    fn supply(output_kw: f64, energy_kwh: f64, hours: f64, flex_storage: FlexStorage) -> UpDown {
        let did = UnitSlot {
            given_kw: output_kw.max(0.0),
            charge_kw: (-output_kw).max(0.0),
            energy_kwh,
            ..UnitSlot::idle(UnitKind::PUMPED_HYDRO)
        };
        basin().flexibility(&did, hours, Readings { flex_storage, ..Readings::default() })
    }

    #[test]
    fn a_discharging_store_supplies_less_where_its_energy_is_reckoned_with() {
        // 100 kWh above the least, 0.8 of it on the grid side: 80 kW for an hour, 50 of them in
        // use.
        let of = |reading| supply(50.0, 250.0, 1.0, reading).up;
        assert_eq!((of(FlexStorage::Printed), of(FlexStorage::Reachable)), (80.0, 30.0));
        // Empty: it cannot even go on.
        let empty = |reading| supply(50.0, 150.0, 1.0, reading).up;
        assert_eq!((empty(FlexStorage::Printed), empty(FlexStorage::Reachable)), (0.0, -50.0));
    }

    #[test]
    fn a_charging_store_supplies_less_downward_where_its_room_is_reckoned_with() {
        // 80 kWh of room take 100 kWh from the grid, 60 of them in use.
        let of = |reading| supply(-60.0, 1420.0, 1.0, reading).down;
        assert_eq!((of(FlexStorage::Printed), of(FlexStorage::Reachable)), (100.0, 40.0));
    }

    proptest! {
        #[test]
        fn a_store_can_really_go_where_its_reachable_supply_says(
            energy in 150.0..1500.0_f64,
            output in -255.0..255.0_f64,
            hours in 0.1..2.0_f64,
        ) {
            let room = supply(output, energy, hours, FlexStorage::Reachable);
            for power in [output + room.up, output - room.down] {
                prop_assert!((-255.0 - 1e-9..=255.0 + 1e-9).contains(&power));
                let after =
                    basin().energy_after(energy, (-power).max(0.0), power.max(0.0), hours);
                prop_assert!((150.0 - 1e-6..=1500.0 + 1e-6).contains(&after), "{after} kWh");
            }
        }

        #[test]
        fn the_printed_supply_of_a_store_is_never_the_smaller_in_the_way_it_runs(
            energy in 150.0..1500.0_f64,
            output in 0.0..255.0_f64,
        ) {
            let of = |output, reading| supply(output, energy, 0.25, reading);
            let (printed, reachable) = (FlexStorage::Printed, FlexStorage::Reachable);
            prop_assert!(of(output, printed).up >= of(output, reachable).up);
            prop_assert!(of(-output, printed).down >= of(-output, reachable).down);
        }
    }
}
