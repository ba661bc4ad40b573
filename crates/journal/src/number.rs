//! Numbers of events: how they are compared, and how JSON that has lost some is read.
//!
//! JSON has no NaN and no infinity; logs of 0.1 may hold `null` for either.

use serde::{Deserialize, Deserializer};

/// A value in a column of an event.
pub(crate) trait Value: Copy {
    /// Whether the bits are the same.
    fn same(self, other: Self) -> bool;

    /// Whether it is a number; whole ones always are.
    fn is_finite(self) -> bool;
}

macro_rules! whole {
    ($($kind:ty),+) => {
        $(impl Value for $kind {
            fn same(self, other: Self) -> bool {
                self == other
            }
            fn is_finite(self) -> bool {
                true
            }
        })+
    };
}

whole!(u8, u32, u64, i32);

impl Value for f64 {
    fn same(self, other: Self) -> bool {
        self.to_bits() == other.to_bits()
    }

    fn is_finite(self) -> bool {
        self.is_finite()
    }
}

impl<T: Value> Value for Option<T> {
    fn same(self, other: Self) -> bool {
        match (self, other) {
            (Some(one), Some(other)) => one.same(other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    fn is_finite(self) -> bool {
        self.is_none_or(Value::is_finite)
    }
}

/// Whether two events of JSON say the same numbers. What is no number is `null` in both.
pub(crate) fn all_same(ours: impl IntoIterator<Item = f64>, theirs: impl IntoIterator<Item = f64>) -> bool {
    let as_written = |number: f64| number.is_finite().then(|| number.to_bits());
    ours.into_iter().map(as_written).eq(theirs.into_iter().map(as_written))
}

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
