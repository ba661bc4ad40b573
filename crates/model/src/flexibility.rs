//! Flexibility: how far net load moves from one slot to the next, and how far units could follow.
//!
//! | symbol                 | equation     | here                          |
//! |------------------------|--------------|-------------------------------|
//! | `F_D`                  | (15)-(18)    | [`demand`]                    |
//! | `P_L`                  | (19), (20)   | [`SlotDispatch::net_load_kw`] |
//! | `F_S,g`                | (21), (22)   | [`thermal`]                   |
//! | `F_S,h`, `F_S,ess`     | (23)-(26)    | [`store`]                     |
//! | `F_S,cut`              | (27)         | [`interruptible`]             |
//! | `F_S,wind`, `F_S,pv`   | (28), (29)   | [`renewable`]                 |
//! | `F_S,ev`               | (30), (31)   | [`car`]                       |
//! | `F_M`                  | (32)-(35)    | supply - demand, as [`UpDown`] |
//!
//! All in kW; a shortfall in kWh is its kW times the slot's hours. Where the paper's equations do
//! not say what they must mean, or say what cannot be, [`Readings`] names both ways to read them.
//! (30) and (31) are missing in the paper.

use crate::{
    dispatch::SlotDispatch,
    plant::{InterruptibleLoad, Plant, Store, ThermalUnit},
};
use std::ops::{Add, AddAssign, Sub};

/// Power upward (more generation or less load) and downward, kW.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct UpDown {
    /// Upward.
    pub up: f64,
    /// Downward.
    pub down: f64,
}

/// Flexibility that is not missed, kW.
pub const SHORTFALL_MIN_KW: f64 = 1e-6;

impl UpDown {
    /// Without what rounding leaves, which is no more than [`SHORTFALL_MIN_KW`] either way, kW.
    #[must_use]
    pub fn without_rounding(self) -> Self {
        let part = |kw: f64| if kw.abs() > SHORTFALL_MIN_KW { kw } else { 0.0 };
        Self { up: part(self.up), down: part(self.down) }
    }

    /// What is missing where a margin is negative, kW: its negative parts.
    #[must_use]
    pub fn shortfall(self) -> Self {
        Self { up: (-self.up).max(0.0), down: (-self.down).max(0.0) }
    }
}

impl Add for UpDown {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { up: self.up + other.up, down: self.down + other.down }
    }
}

impl Sub for UpDown {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { up: self.up - other.up, down: self.down - other.down }
    }
}

impl AddAssign for UpDown {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for UpDown {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), Add::add)
    }
}

/// How equations that can be read in two ways are read. The default is the physical reading of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Readings {
    /// (27).
    pub cut_up: CutUp,
    /// (28), (29).
    pub vre_down: VreDown,
    /// (23)-(26).
    pub flex_storage: FlexStorage,
    /// Whether cars count as supply, (30) and (31); the list after (35) leaves them out.
    pub ev_in_supply: bool,
    /// What follows the last slot of a day, in (15)-(18).
    pub last_step: LastStep,
}

impl Readings {
    /// As the paper prints them.
    pub const PRINTED: Self = Self {
        cut_up: CutUp::Literal,
        vre_down: VreDown::Literal,
        flex_storage: FlexStorage::Printed,
        ev_in_supply: false,
        last_step: LastStep::Wrap,
    };
}

/// How much more load can be shed, (27).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CutUp {
    /// All that may be shed, whether it is shed already or not.
    Literal,
    /// What is not shed yet.
    #[default]
    Physical,
}

/// What curtailing gives, (28) and (29).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum VreDown {
    /// Down what is curtailed already, up nothing.
    Literal,
    /// Down what is delivered, up what is curtailed.
    #[default]
    Physical,
}

/// How far a store's energy reaches, (23)-(26).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FlexStorage {
    /// The energy is compared with the change of power, as if the power now took none of it.
    Printed,
    /// The energy is compared with the power after the change. A store that cannot go on as it does
    /// supplies less than nothing.
    #[default]
    Reachable,
}

/// What follows the last slot of a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LastStep {
    /// The day's first slot: a typical day that follows itself.
    Wrap,
    /// The next day's first slot.
    #[default]
    NextDay,
}

/// `F_D`, (15)-(18): how far net load rises or falls to the next slot.
pub fn demand(net_load_kw: f64, next_kw: f64) -> UpDown {
    UpDown { up: (next_kw - net_load_kw).max(0.0), down: (net_load_kw - next_kw).max(0.0) }
}

/// (21) and (22): what ramp and limits leave a thermal unit; nothing while it is off.
pub fn thermal(unit: &ThermalUnit, on: bool, output_kw: f64, hours: f64) -> UpDown {
    if !on {
        return UpDown::default();
    }
    let ramp = unit.ramp.0 * hours;
    UpDown { up: ramp.min(unit.power_max.0 - output_kw), down: ramp.min(output_kw - unit.power_min.0) }
}

/// (23)-(26): what power and energy leave a store.
///
/// `output_kw` is positive while it discharges; `energy_kwh` is what it holds at the slot's end,
/// so that it is there for the next.
pub fn store(store: &Store, output_kw: f64, energy_kwh: f64, hours: f64, reading: FlexStorage) -> UpDown {
    let discharge = (energy_kwh - store.energy_min.0) * store.discharge_efficiency.get() / hours;
    let charge = (store.energy_max.0 - energy_kwh) / (store.charge_efficiency.get() * hours);
    let taken = match reading {
        FlexStorage::Printed => 0.0,
        FlexStorage::Reachable => output_kw,
    };
    UpDown {
        up: (store.discharge_max.0 - output_kw).min(discharge - taken),
        down: (output_kw + store.charge_max.0).min(charge + taken),
    }
}

/// (27): what more may be shed.
pub fn interruptible(load: &InterruptibleLoad, shed_kw: f64, reading: CutUp) -> UpDown {
    let up = match reading {
        CutUp::Literal => load.power_max.0,
        CutUp::Physical => load.power_max.0 - shed_kw,
    };
    UpDown { up, down: 0.0 }
}

/// (28) and (29): what curtailing more or less would give.
pub fn renewable(available_kw: f64, delivered_kw: f64, reading: VreDown) -> UpDown {
    let curtailed = available_kw - delivered_kw;
    match reading {
        VreDown::Literal => UpDown { up: 0.0, down: curtailed },
        VreDown::Physical => UpDown { up: curtailed, down: delivered_kw },
    }
}

/// What a plugged-in car could do in the next slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CarReach {
    /// Power now, kW; positive charges.
    pub power_kw: f64,
    /// What the battery holds at the slot's end, kWh.
    pub energy_kwh: f64,
    /// Least it may hold, kWh.
    pub energy_kwh_min: f64,
    /// Most it may hold, kWh.
    pub energy_kwh_max: f64,
    /// Most it charges with, kW.
    pub charge_kw_max: f64,
    /// Most it discharges with, kW; 0 where the driver does not agree.
    pub discharge_kw_max: f64,
    /// Stored per energy charged.
    pub charge_efficiency: f64,
    /// Delivered per stored energy discharged.
    pub discharge_efficiency: f64,
}

/// (30) and (31): charging less or discharging more, and the other way round.
pub fn car(car: &CarReach, hours: f64) -> UpDown {
    let discharge = (car.energy_kwh - car.energy_kwh_min).max(0.0) * car.discharge_efficiency / hours;
    let charge = (car.energy_kwh_max - car.energy_kwh).max(0.0) / (car.charge_efficiency * hours);
    UpDown {
        up: car.discharge_kw_max.min(discharge) + car.power_kw,
        down: car.charge_kw_max.min(charge) - car.power_kw,
    }
}

/// `F_S` of each unit in one slot of `hours`, in the order of [`Plant::names`]; cars are not among them.
///
/// # Panics
/// If `slot` was not made for this plant.
pub fn supply(plant: &Plant, slot: &SlotDispatch, hours: f64, readings: Readings) -> Vec<UpDown> {
    let mut supply = Vec::with_capacity(plant.names().count());
    let renewables = slot.available_kw.iter().zip(&slot.renewable_kw);
    supply.extend(
        renewables.map(|(&available, &delivered)| renewable(available, delivered, readings.vre_down)),
    );
    supply.extend(plant.must_take.iter().map(|_| UpDown::default()));
    supply.extend(
        plant
            .thermal
            .iter()
            .enumerate()
            .map(|(at, unit)| thermal(unit, slot.on[at], slot.thermal_kw[at], hours)),
    );
    supply.extend(
        plant.stores.iter().enumerate().map(|(at, unit)| {
            store(unit, slot.store_kw(at), slot.energy_kwh[at], hours, readings.flex_storage)
        }),
    );
    let loads = plant.interruptible.iter().zip(&slot.interrupted_kw);
    supply.extend(loads.map(|(load, &shed)| interruptible(load, shed, readings.cut_up)));
    supply.extend(plant.exchanges.iter().map(|_| UpDown::default()));
    supply
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;
    use crate::{
        cost::QuadraticCost,
        plant::StoreKind,
        quantity::{KilowattHours, Kilowatts, KilowattsPerHour, Share},
    };
    use proptest::prelude::*;

    fn unit() -> ThermalUnit {
        ThermalUnit {
            name: "unit".into(),
            power_min: Kilowatts(900.0),
            power_max: Kilowatts(1505.0),
            ramp: KilowattsPerHour(240.0),
            cost: QuadraticCost::default(),
            commitment: None,
            initial_power: None,
            deviation_max: None,
        }
    }

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
        }
    }

    #[test]
    fn a_thermal_unit_supplies_what_ramp_and_limits_leave() {
        assert_eq!(thermal(&unit(), true, 1000.0, 0.25), UpDown { up: 60.0, down: 60.0 });
        assert_eq!(thermal(&unit(), true, 1490.0, 0.25), UpDown { up: 15.0, down: 60.0 });
        assert_eq!(thermal(&unit(), true, 900.0, 0.25), UpDown { up: 60.0, down: 0.0 });
        assert_eq!(thermal(&unit(), false, 0.0, 0.25), UpDown::default());
    }

    #[test]
    fn a_discharging_store_supplies_less_where_its_energy_is_reckoned_with() {
        // 100 kWh above the least, 0.8 of it on the grid side: 80 kW for an hour, 50 of them in use.
        let of = |reading| store(&basin(), 50.0, 250.0, 1.0, reading).up;
        assert_eq!((of(FlexStorage::Printed), of(FlexStorage::Reachable)), (80.0, 30.0));
        // Empty: it cannot even go on.
        let empty = |reading| store(&basin(), 50.0, 150.0, 1.0, reading).up;
        assert_eq!((empty(FlexStorage::Printed), empty(FlexStorage::Reachable)), (0.0, -50.0));
    }

    #[test]
    fn a_charging_store_supplies_less_downward_where_its_room_is_reckoned_with() {
        // 80 kWh of room take 100 kWh from the grid, 60 of them in use.
        let of = |reading| store(&basin(), -60.0, 1420.0, 1.0, reading).down;
        assert_eq!((of(FlexStorage::Printed), of(FlexStorage::Reachable)), (100.0, 40.0));
    }

    #[test]
    fn what_is_curtailed_or_shed_counts_by_its_reading() {
        let wind = |reading| renewable(100.0, 70.0, reading);
        assert_eq!(wind(VreDown::Literal), UpDown { up: 0.0, down: 30.0 });
        assert_eq!(wind(VreDown::Physical), UpDown { up: 30.0, down: 70.0 });
        let load = InterruptibleLoad { name: "mill".into(), power_max: Kilowatts(90.0), price: 3.0 };
        let shed = |reading| interruptible(&load, 40.0, reading).up;
        assert_eq!((shed(CutUp::Literal), shed(CutUp::Physical)), (90.0, 50.0));
    }

    #[test]
    fn what_rounding_leaves_is_nothing_either_way() {
        let left = UpDown { up: 1e-11, down: -2e-13 };
        assert_eq!(left.without_rounding(), UpDown::default());
        let some = UpDown { up: 1e-3, down: -1e-3 };
        assert_eq!(some.without_rounding(), some);
    }

    #[test]
    fn a_charging_car_can_stop_and_turn_round() {
        let car = CarReach {
            power_kw: 7.0,
            energy_kwh: 30.0,
            energy_kwh_min: 18.0,
            energy_kwh_max: 60.0,
            charge_kw_max: 7.0,
            discharge_kw_max: 7.0,
            charge_efficiency: 0.95,
            discharge_efficiency: 0.95,
        };
        assert_eq!(super::car(&car, 0.25), UpDown { up: 14.0, down: 0.0 });
        let unwilling = CarReach { discharge_kw_max: 0.0, ..car };
        assert_eq!(super::car(&unwilling, 0.25).up, 7.0);
        let empty = CarReach { energy_kwh: 18.0, power_kw: 0.0, ..car };
        assert_eq!(super::car(&empty, 0.25), UpDown { up: 0.0, down: 7.0 });
    }

    proptest! {
        #[test]
        fn net_load_moves_one_way_at_a_time(now in -1e4..1e4_f64, next in -1e4..1e4_f64) {
            let moved = demand(now, next);
            prop_assert!(moved.up.min(moved.down) == 0.0 && moved.up >= 0.0 && moved.down >= 0.0);
            prop_assert_eq!(moved.up - moved.down, next - now);
            prop_assert_eq!(demand(next, now), UpDown { up: moved.down, down: moved.up });
        }

        #[test]
        fn a_store_can_really_go_where_its_reachable_supply_says(
            energy in 150.0..1500.0_f64,
            output in -255.0..255.0_f64,
            hours in 0.1..2.0_f64,
        ) {
            let store = basin();
            let room = super::store(&store, output, energy, hours, FlexStorage::Reachable);
            for power in [output + room.up, output - room.down] {
                prop_assert!((-255.0 - 1e-9..=255.0 + 1e-9).contains(&power));
                let after = store.energy_after(energy, (-power).max(0.0), power.max(0.0), hours);
                prop_assert!((150.0 - 1e-6..=1500.0 + 1e-6).contains(&after), "{after} kWh");
            }
        }

        #[test]
        fn the_printed_supply_of_a_store_is_never_the_smaller_in_the_way_it_runs(
            energy in 150.0..1500.0_f64,
            output in 0.0..255.0_f64,
        ) {
            let of = |output, reading| store(&basin(), output, energy, 0.25, reading);
            prop_assert!(of(output, FlexStorage::Printed).up >= of(output, FlexStorage::Reachable).up);
            prop_assert!(of(-output, FlexStorage::Printed).down >= of(-output, FlexStorage::Reachable).down);
        }
    }
}
