//! What makes no sense in a dispatch problem, and the checks that say so.

use crate::answer::Outcome;
use voltide_model::device::PlantError;

/// A dispatch problem that makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GridError {
    /// A unit cannot be.
    #[error(transparent)]
    Plant(#[from] PlantError),
    /// A column has too few or too many values: a forecast is shorter than the window, for example.
    #[error("{column} has {found} values, not {expected}")]
    Length {
        /// Which column.
        column: String,
        /// Its length.
        found: usize,
        /// The length it should have.
        expected: usize,
    },
    /// A number is outside what its column allows, or not a number.
    #[error("{column} is {value} in slot {slot}; it must be {allowed}")]
    Value {
        /// Which column.
        column: String,
        /// The slot, 0 for quantities that have one value.
        slot: usize,
        /// The value found.
        value: f64,
        /// What would be right.
        allowed: &'static str,
    },
    /// No schedule was found within the limits of the search, though there is one.
    #[error("the solver found no schedule ({0:?}); allow more nodes or a larger gap")]
    Unsolved(Outcome),
}

const FINITE: &str = "finite";
const NOT_NEGATIVE: &str = "finite and not negative";

pub(super) fn length(column: &str, found: usize, expected: usize) -> Result<(), GridError> {
    if found == expected {
        Ok(())
    } else {
        Err(GridError::Length { column: column.to_owned(), found, expected })
    }
}

pub(super) fn number(
    column: &str,
    slot: usize,
    value: f64,
    right: bool,
    allowed: &'static str,
) -> Result<(), GridError> {
    if right {
        Ok(())
    } else {
        Err(GridError::Value { column: column.to_owned(), slot, value, allowed })
    }
}

pub(super) fn not_negative(column: &str, slot: usize, value: f64) -> Result<(), GridError> {
    number(column, slot, value, value.is_finite() && value >= 0.0, NOT_NEGATIVE)
}

pub(super) fn finite(column: &str, values: &[f64]) -> Result<(), GridError> {
    values
        .iter()
        .enumerate()
        .try_for_each(|(slot, &value)| number(column, slot, value, value.is_finite(), FINITE))
}

/// What a unit's series holds.
#[derive(Clone, Copy)]
pub(super) enum Holds {
    /// Power or another amount that is not negative.
    Amount,
    /// A price.
    Price,
}

/// Checks the series of a unit, each with what it is called.
pub(super) fn series(
    unit: &str,
    series: &[Vec<f64>],
    slots: usize,
    names: &[(&str, Holds)],
) -> Result<(), GridError> {
    length(&format!("series of `{unit}`"), series.len(), names.len())?;
    let mut columns = series.iter().zip(names);
    columns.try_for_each(|(values, &(what, holds))| column(what, unit, values, slots, holds))
}

/// Checks one column of a unit.
pub(super) fn column(
    what: &str,
    unit: &str,
    values: &[f64],
    slots: usize,
    holds: Holds,
) -> Result<(), GridError> {
    let column = format!("{what} of `{unit}`");
    length(&column, values.len(), slots)?;
    match holds {
        Holds::Amount => {
            let mut values = values.iter().enumerate();
            values.try_for_each(|(slot, &value)| not_negative(&column, slot, value))
        }
        Holds::Price => finite(&column, values),
    }
}
