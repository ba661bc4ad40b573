//! Quantities as JSON gives them: a text with a unit, or a bare number where a unit is known.

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use std::{fmt, str::FromStr};
use voltide_model::quantity::{KilowattHours, Kilowatts, PowerPrice, Price, Ratio};

/// A quantity that still has its unit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Amount {
    /// A bare number, or a text that is one.
    Number(f64),
    /// A number and its unit.
    Text(String),
}

impl Amount {
    /// As text, for a parser that wants one.
    fn text(&self) -> String {
        match self {
            // Without its unit it is refused by whoever needs one, in the words for a missing unit.
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }

    fn parse<T: FromStr<Err: fmt::Display>>(&self) -> Result<T, String> {
        self.text().parse().map_err(|error: T::Err| error.to_string())
    }

    /// Power, kW.
    pub(crate) fn kilowatts(&self) -> Result<f64, String> {
        self.parse().map(|Kilowatts(power)| power)
    }

    /// Energy, kWh; a bare number is given in units of `bare` kWh.
    pub(crate) fn kilowatt_hours(&self, bare: f64) -> Result<f64, String> {
        match self {
            Self::Number(number) => Ok(number * bare),
            Self::Text(_) => self.parse().map(|KilowattHours(energy)| energy),
        }
    }

    /// A share or a coefficient of performance; a bare number is the ratio itself.
    pub(crate) fn ratio(&self) -> Result<f64, String> {
        self.parse().map(|Ratio(ratio)| ratio)
    }

    /// Money per kWh, and its currency.
    pub(crate) fn price(&self) -> Result<(f64, String), String> {
        self.parse().map(|price: Price| (price.per_kwh, price.currency))
    }

    /// Money per kW, and its currency.
    pub(crate) fn power_price(&self) -> Result<(f64, String), String> {
        self.parse().map(|price: PowerPrice| (price.per_kw, price.currency))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AmountVisitor)
    }
}

/// Reads an [`Amount`]; other visitors hand numbers and texts on to it.
pub(crate) struct AmountVisitor;

impl Visitor<'_> for AmountVisitor {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity such as \"11 kW\"")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Amount, E> {
        Ok(Amount::Number(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Amount, E> {
        Ok(Amount::Number(number as f64))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Amount, E> {
        Ok(Amount::Number(number as f64))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
        Ok(match text.trim().parse() {
            Ok(number) => Amount::Number(number),
            Err(_) => Amount::Text(text.to_owned()),
        })
    }
}
