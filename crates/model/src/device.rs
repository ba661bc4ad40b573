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
//!
//! A kind's file says its data and limits, its flexibility and its cost. To add a kind, write its
//! file and give it a line in [`Unit`] and a word in [`UnitKind`]. Power is measured on the grid side.

mod exchange;
mod interruptible;
mod must_take;
mod renewable;
mod store;
mod thermal;

pub use exchange::Exchange;
pub use interruptible::InterruptibleLoad;
pub use must_take::MustTake;
pub use renewable::{Renewable, RenewableKind};
pub use store::{Store, StoreKind};
pub use thermal::{Commitment, ThermalUnit};

use crate::{
    columns::UnitKind,
    cost::UnitCost,
    dispatch::UnitSlot,
    flexibility::{Readings, UpDown},
    plant::PlantError,
    series::Series,
};
use std::any::Any;

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

    /// What it did, without what rounding left, as it is shown and billed.
    fn tidied(&self, did: UnitSlot) -> UnitSlot {
        did.without_rounding()
    }

    /// `F_S`: how far it could follow in the next slot, kW; nothing for a kind that supplies none.
    fn flexibility(&self, _did: &UnitSlot, _hours: f64, _readings: Readings) -> UpDown {
        UpDown::default()
    }

    /// What a slot of `hours` costs.
    fn cost(&self, did: &UnitSlot, hours: f64) -> UnitCost;
}

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

impl From<Exchange> for Unit {
    fn from(unit: Exchange) -> Self {
        Self::Exchange(unit)
    }
}
