//! Devices: one file a kind, and what all of them answer.
//!
//! | type                  | what it is                                  | equations        |
//! |-----------------------|---------------------------------------------|------------------|
//! | [`Renewable`]         | a wind farm or a PV plant; can be curtailed | (28), (29), (39), (41) |
//! | [`MustTake`]          | output that nobody steers                   | -                |
//! | [`ThermalUnit`]       | burns fuel; limits, ramp, quadratic cost    | (21), (22), (37) |
//! | [`Store`]             | pumped hydro or a battery                   | (23)-(26), (38), (43) |
//! | [`InterruptibleLoad`] | load that may be shed at a price            | (27), (40)       |
//! | [`Exchange`]          | the connection to the world outside         | -                |
//! | [`Electrolyser`]      | load that makes hydrogen, kept in a tank    | as (25)-(27)     |
//!
//! A kind's file says its data and limits, its name in tables, its flexibility and its cost. To add
//! a kind, write its file here and in `schedule/src/grid/kinds`, name it in the lists of both
//! ([`Unit`] here), and read it in the world's `grid_file.rs` and `resolve/units.rs`. Power is measured
//! on the grid side.

mod check;
mod electrolyser;
mod exchange;
mod interruptible;
mod must_take;
mod renewable;
mod store;
mod thermal;

pub use check::PlantError;
pub use electrolyser::Electrolyser;
pub use exchange::Exchange;
pub use interruptible::InterruptibleLoad;
pub use must_take::MustTake;
pub use renewable::{Renewable, RenewableKind};
pub use store::{Store, StoreKind};
pub use thermal::{Commitment, ThermalUnit};

use crate::{
    columns::{CountsAs, UnitKind, UnitTick},
    cost::{Chord, CostComponent, UnitCost},
    flexibility::{Readings, UpDown},
    forecast::{Forecast, Issue},
    series::Series,
    unit::{UnitSlot, UnitState},
};
use std::{any::Any, num::NonZeroU32};

/// What units cost, by component, as journals and summaries list it whether a plant has such units
/// or not. What kinds that came later cost is listed after these, where there are such units.
pub const COMPONENTS: [CostComponent; 10] = [
    thermal::OUTPUT,
    thermal::STARTS,
    store::PUMPED_HYDRO,
    store::ESS,
    renewable::WIND,
    renewable::PV,
    renewable::CURTAILMENT,
    interruptible::COST,
    must_take::COST,
    exchange::COST,
];

/// Power that comes whether it is wanted or not.
#[derive(Debug, Clone, Copy)]
pub struct Unsteered<'a> {
    /// What comes, kW a slot.
    pub actual: &'a Series,
    /// What is known of it beforehand.
    pub forecast: &'a Forecast,
}

/// The slot in which a unit offers more than is scheduled.
#[derive(Debug, Clone, Copy)]
pub struct OfferedAt {
    /// Its number.
    pub slot: u32,
    /// Slots of 24 hours.
    pub day: u32,
    /// Chords of a cost curve.
    pub segments: NonZeroU32,
}

/// Which slots are looked at, and what is known of them.
#[derive(Debug, Clone, Copy)]
pub struct SlotsAhead {
    /// When, and what for.
    pub issue: Issue,
    /// How many slots.
    pub count: usize,
    /// The world's seed, of errors in forecasts.
    pub seed: u64,
    /// Slots of 24 hours.
    pub day: u32,
}

impl SlotsAhead {
    /// A series as it really is.
    pub fn actual(&self, series: &Series) -> Vec<f64> {
        self.forecast(series, &Forecast::Perfect)
    }

    /// A series as it is foreseen.
    pub fn forecast(&self, actual: &Series, forecast: &Forecast) -> Vec<f64> {
        forecast.issue(actual, self.issue, self.count, self.seed, self.day)
    }
}

/// What a unit of any kind answers.
pub trait Device: Any {
    /// Its name in the world file.
    fn name(&self) -> &str;

    /// Its kind.
    fn kind(&self) -> UnitKind;

    /// Checks its numbers; what passes can be scheduled.
    ///
    /// # Errors
    /// The first number that cannot be.
    fn check(&self) -> Result<(), PlantError>;

    /// Its series with their values, in a fixed order.
    fn series(&self) -> Vec<&Series> {
        Vec::new()
    }

    /// Where it stands before the first slot.
    fn initial(&self) -> UnitState {
        UnitState::default()
    }

    /// Where it stands after one more slot of `hours`.
    fn after(&self, before: &UnitState, _did: &UnitSlot, _hours: f64) -> UnitState {
        *before
    }

    /// What of where it stands a hash of the state is over.
    fn hashed(&self, _state: &UnitState) -> Vec<f64> {
        Vec::new()
    }

    /// Power of it that comes whether it is wanted or not, for a kind that has such.
    fn unsteered(&self) -> Option<Unsteered<'_>> {
        None
    }

    /// The same in a slot that was scheduled, kW.
    fn unsteered_kw(&self, _did: &UnitSlot) -> f64 {
        0.0
    }

    /// What its first [`series`](Self::series) are expected to be, a value a slot; what comes
    /// unsteered is the first. What is known of them beforehand is none of these.
    fn expected(&self, at: SlotsAhead) -> Vec<Vec<f64>> {
        self.unsteered().map(|it| at.forecast(it.actual, it.forecast)).into_iter().collect()
    }

    /// Which figure of the system its output is part of.
    fn counts_as(&self) -> CountsAs {
        CountsAs::Plant
    }

    /// Output of a slot that was scheduled that stays whatever the load, kW, and steps by which it
    /// could give more, cheapest first: nothing for a kind whose energy is wanted elsewhere.
    fn offer(&self, did: &UnitSlot, _at: OfferedAt) -> (f64, Vec<Chord>) {
        (did.power_kw(), Vec::new())
    }

    /// What tables show of a slot, but for its number, flexibility and cost.
    fn row(&self, did: &UnitSlot) -> UnitTick {
        UnitTick::new(0, self.kind(), did.power_kw())
    }

    /// What it did, without what rounding left, as it is shown and billed.
    fn tidied(&self, did: UnitSlot) -> UnitSlot {
        did.without_rounding()
    }

    /// `F_S`: how far it could follow in the next slot, kW; nothing for a kind that supplies none.
    fn flexibility(&self, _did: &UnitSlot, _hours: f64, _readings: Readings) -> UpDown {
        UpDown::default()
    }

    /// What the two parts of its cost are counted as; one where there is no second part.
    fn components(&self) -> &[CostComponent];

    /// What a slot of `hours` costs.
    fn cost(&self, did: &UnitSlot, hours: f64) -> UnitCost;
}

// An enum beside the trait: the compiler lists the kinds wherever all are to be named, as where a
// world file is read, and nothing else needs a `match`.
/// A unit of any kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Unit {
    /// A wind farm or a PV plant.
    Renewable(Renewable),
    /// Output that nobody steers.
    MustTake(MustTake),
    /// A unit that burns fuel.
    Thermal(ThermalUnit),
    /// Pumped hydro or a battery.
    Store(Store),
    /// Load that may be shed.
    Interruptible(InterruptibleLoad),
    /// A connection to the world outside.
    Exchange(Exchange),
    /// Load that makes hydrogen.
    Electrolyser(Electrolyser),
}

impl Unit {
    /// What it answers, whatever its kind.
    pub fn device(&self) -> &dyn Device {
        match self {
            Self::Renewable(unit) => unit,
            Self::MustTake(unit) => unit,
            Self::Thermal(unit) => unit,
            Self::Store(unit) => unit,
            Self::Interruptible(unit) => unit,
            Self::Exchange(unit) => unit,
            Self::Electrolyser(unit) => unit,
        }
    }

    /// The device itself, where it is of kind `T`.
    pub fn get<T: Device>(&self) -> Option<&T> {
        (self.device() as &dyn Any).downcast_ref()
    }
}

impl From<Renewable> for Unit {
    fn from(unit: Renewable) -> Self {
        Self::Renewable(unit)
    }
}

impl From<MustTake> for Unit {
    fn from(unit: MustTake) -> Self {
        Self::MustTake(unit)
    }
}

impl From<ThermalUnit> for Unit {
    fn from(unit: ThermalUnit) -> Self {
        Self::Thermal(unit)
    }
}

impl From<Store> for Unit {
    fn from(unit: Store) -> Self {
        Self::Store(unit)
    }
}

impl From<InterruptibleLoad> for Unit {
    fn from(unit: InterruptibleLoad) -> Self {
        Self::Interruptible(unit)
    }
}

impl From<Electrolyser> for Unit {
    fn from(unit: Electrolyser) -> Self {
        Self::Electrolyser(unit)
    }
}

impl From<Exchange> for Unit {
    fn from(unit: Exchange) -> Self {
        Self::Exchange(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn wind_and_sun_are_one_kind_of_device_and_two_of_unit() {
        assert!(UnitKind::WIND.same_device(UnitKind::PV) && UnitKind::WIND != UnitKind::PV);
        assert!(UnitKind::ESS.same_device(UnitKind::PUMPED_HYDRO));
        assert!(!UnitKind::ESS.same_device(UnitKind::WIND));
    }

    #[test]
    fn every_component_of_cost_has_a_name_and_a_place_of_its_own() {
        let names: BTreeSet<&str> = COMPONENTS.iter().map(|component| component.name).collect();
        let places: BTreeSet<u8> = COMPONENTS.iter().map(|component| component.place).collect();
        assert_eq!((names.len(), places.len()), (COMPONENTS.len(), COMPONENTS.len()));
    }
}
