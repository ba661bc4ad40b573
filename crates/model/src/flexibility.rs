//! Flexibility: how far net load moves from one slot to the next, and how far units could follow.
//!
//! | symbol                 | equation     | here                          |
//! |------------------------|--------------|-------------------------------|
//! | `F_D`                  | (15)-(18)    | [`demand`]                    |
//! | `P_L`                  | (19), (20)   | `SlotDispatch::net_load_kw`   |
//! | `F_S,g`                | (21), (22)   | `Device::flexibility`         |
//! | `F_S,h`, `F_S,ess`     | (23)-(26)    | `Device::flexibility`         |
//! | `F_S,cut`              | (27)         | `Device::flexibility`         |
//! | `F_S,wind`, `F_S,pv`   | (28), (29)   | `Device::flexibility`         |
//! | `F_S,ev`               | (30), (31)   | [`car`]                       |
//! | `F_M`                  | (32)-(35)    | supply - demand, as [`UpDown`] |
//!
//! All in kW; a shortfall in kWh is its kW times the slot's hours. Where the paper's equations do
//! not say what they must mean, or say what cannot be, [`Readings`] names both ways to read them.
//! (30) and (31) are missing in the paper.

use std::ops::{Add, AddAssign, Sub};

/// Power upward (more generation or less load) and downward, kW.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct UpDown {
    /// Upward.
    pub up: f64,
    /// Downward.
    pub down: f64,
}

// A schedule keeps its margins only as well as the solver keeps its rows.
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
    let discharge =
        (car.energy_kwh - car.energy_kwh_min).max(0.0) * car.discharge_efficiency / hours;
    let charge = (car.energy_kwh_max - car.energy_kwh).max(0.0) / (car.charge_efficiency * hours);
    UpDown {
        up: car.discharge_kw_max.min(discharge) + car.power_kw,
        down: car.charge_kw_max.min(charge) - car.power_kw,
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
    }

    #[test]
    fn a_battery_that_is_nearly_empty_or_full_moves_only_what_it_holds_or_has_room_for() {
        let lossy = CarReach {
            power_kw: 0.0,
            energy_kwh: 18.5,
            energy_kwh_min: 18.0,
            energy_kwh_max: 19.5,
            charge_kw_max: 100.0,
            discharge_kw_max: 100.0,
            charge_efficiency: 0.5,
            discharge_efficiency: 0.25,
        };
        // Of half a kWh an eighth reaches the grid; for one kWh of room it gives two.
        assert_eq!(car(&lossy, 0.25), UpDown { up: 0.5, down: 8.0 });
    }
}
