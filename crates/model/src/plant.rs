//! Plant: what generates, stores and sheds, any number of each kind of [`Device`].

use crate::{
    device::{Device, Unit},
    series::Series,
};

/// All units of a world; a unit's number is its place in the list.
///
/// World files have them kind by kind: renewables, must-take, thermal, stores, interruptible loads,
/// connections, electrolysers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plant {
    /// The units.
    pub units: Vec<Unit>,
}

impl Plant {
    /// The same with more units, after those that are there.
    #[must_use]
    pub fn with<T: Into<Unit>>(mut self, units: impl IntoIterator<Item = T>) -> Self {
        self.units.extend(units.into_iter().map(Into::into));
        self
    }

    /// The devices, in the order of their numbers.
    pub fn devices(&self) -> impl Iterator<Item = &dyn Device> {
        self.units.iter().map(Unit::device)
    }

    /// The devices of one kind, in the order of their numbers.
    pub fn each<T: Device>(&self) -> impl Iterator<Item = &T> {
        self.units.iter().filter_map(Unit::get)
    }

    /// Names of all units, in the order of their numbers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.devices().map(Device::name)
    }

    /// A load less what units give without being steered, kW: wind and sun, and what nobody steers.
    pub fn net_of_unsteered(&self, load_kw: f64, of: impl Fn(usize, &dyn Device) -> f64) -> f64 {
        let units: Vec<_> = self.devices().enumerate().collect();
        // Kind by kind: a sum in another order rounds to another number.
        let kinds = units.chunk_by(|(_, one), (_, next)| one.kind().same_device(next.kind()));
        let sum = |kind: &[(usize, &dyn Device)]| {
            kind.iter().map(|&(at, unit)| of(at, unit)).sum::<f64>()
        };
        kinds.fold(load_kw, |left, kind| left - sum(kind))
    }

    /// All series with their values, in a fixed order: what a run needs besides the world's text.
    pub fn series(&self) -> impl Iterator<Item = &Series> {
        self.devices().flat_map(Device::series)
    }
}
