//! What can be wrong with a unit's numbers.

use crate::series::Series;

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
        "`{unit}` pays {export} for exports and asks {import} for imports in slot {slot}; exports \
         must not earn more"
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

/// Says which number of which unit is wrong.
pub(super) struct Checked<'a>(pub(super) &'a str);

const NOT_NEGATIVE: &str = "finite and not negative";

impl Checked<'_> {
    pub(super) fn holds(
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

    pub(super) fn not_negative(&self, field: &'static str, value: f64) -> Result<(), PlantError> {
        self.holds(field, value, value.is_finite() && value >= 0.0, NOT_NEGATIVE)
    }

    pub(super) fn ordered(
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

    pub(super) fn within(
        &self,
        field: &'static str,
        value: f64,
        least: f64,
        most: f64,
    ) -> Result<(), PlantError> {
        if (least..=most).contains(&value) {
            return Ok(());
        }
        Err(PlantError::OutsideBounds { unit: self.0.to_owned(), field, value, least, most })
    }

    pub(super) fn series(&self, field: &'static str, series: &Series) -> Result<(), PlantError> {
        series.values.iter().try_for_each(|&value| self.not_negative(field, value))
    }
}
