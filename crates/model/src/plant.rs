//! Plant: what generates, stores and sheds, any number of each kind of [`Device`].

use crate::{
    device::{Device, Unit},
    series::Series,
};

/// All units of a world; a unit's number is its place in the list.
///
/// World files have them kind by kind: renewables, must-take, thermal, stores, interruptible loads,
/// connections.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plant {
    /// The units.
    pub units: Vec<Unit>,
}

/// A unit that cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlantError {
    /// A number is outside its range, or not a number.
    #[error("{field} of `{unit}` is {value}; it must be {wanted}")]
    Value {
        /// The unit's name.
        unit: String,
        /// Which of its numbers.
        field: &'static str,
        /// The value.
        value: f64,
        /// What it must be.
        wanted: &'static str,
    },
    /// The least is above the most.
    #[error("the least {what} of `{unit}`, {least}, is above the most, {most}")]
    Crossed {
        /// The unit's name.
        unit: String,
        /// Output or energy.
        what: &'static str,
        /// The least.
        least: f64,
        /// The most.
        most: f64,
    },
    /// A store's energy, before the first slot or at a day's end, lies outside its bounds.
    #[error("{field} of `{unit}` is {value} kWh, outside its bounds of {least} to {most} kWh")]
    OutsideBounds {
        /// The store's name.
        unit: String,
        /// `initial_energy` or `day_end_energy`.
        field: &'static str,
        /// The value.
        value: f64,
        /// Least it may hold.
        least: f64,
        /// Most it may hold.
        most: f64,
    },
    /// Exporting earns more than importing costs, so that doing both would pay without end.
    #[error(
        "`{unit}` pays {export} for exports and asks {import} for imports in slot {slot}; exports must not earn more"
    )]
    ExportDearer {
        /// The connection's name.
        unit: String,
        /// The slot.
        slot: usize,
        /// Price of imports.
        import: f64,
        /// Price of exports.
        export: f64,
    },
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

    /// All series with their values, in a fixed order: what a run needs besides the world's text.
    pub fn series(&self) -> impl Iterator<Item = &Series> {
        self.devices().flat_map(Device::series)
    }
}

/// Says which number of which unit is wrong.
pub(crate) struct Checked<'a>(pub(crate) &'a str);

const NOT_NEGATIVE: &str = "finite and not negative";

impl Checked<'_> {
    pub(crate) fn holds(
        &self,
        field: &'static str,
        value: f64,
        right: bool,
        wanted: &'static str,
    ) -> Result<(), PlantError> {
        if right {
            Ok(())
        } else {
            Err(PlantError::Value { unit: self.0.to_owned(), field, value, wanted })
        }
    }

    pub(crate) fn not_negative(&self, field: &'static str, value: f64) -> Result<(), PlantError> {
        self.holds(field, value, value.is_finite() && value >= 0.0, NOT_NEGATIVE)
    }

    pub(crate) fn ordered(
        &self,
        what: &'static str,
        least: f64,
        most: f64,
    ) -> Result<(), PlantError> {
        if least <= most {
            Ok(())
        } else {
            Err(PlantError::Crossed { unit: self.0.to_owned(), what, least, most })
        }
    }

    pub(crate) fn series(&self, field: &'static str, series: &Series) -> Result<(), PlantError> {
        series.values.iter().try_for_each(|&value| self.not_negative(field, value))
    }
}
