//! Reading JSON that has lost numbers.
//!
//! JSON has no NaN and no infinity; logs of 0.1 may hold `null` for either.

use serde::{Deserialize, Deserializer};

/// Reads a number, and `null` as NaN.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Option::deserialize(deserializer).map(or_nan)
}

/// Reads the components of an objective likewise.
pub(crate) fn read_components<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(String, f64)>, D::Error> {
    let components = Vec::<(String, Option<f64>)>::deserialize(deserializer)?;
    Ok(components.into_iter().map(|(name, amount)| (name, or_nan(amount))).collect())
}

/// Reads what had to be relaxed likewise.
pub(crate) fn read_unmet<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(String, String, f64)>, D::Error> {
    let unmet = Vec::<(String, String, Option<f64>)>::deserialize(deserializer)?;
    Ok(unmet.into_iter().map(|(unit, wish, by)| (unit, wish, or_nan(by))).collect())
}

fn or_nan(number: Option<f64>) -> f64 {
    number.unwrap_or(f64::NAN)
}
