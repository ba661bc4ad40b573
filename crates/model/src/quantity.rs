//! Physical quantities as types, and the one parser that reads them from text.
//!
//! The type is the unit: a [`Kilowatts`] is always kW. Text always names its unit
//! (`"7 kW"`, `"0.3 MW"`, `"95 %"`), so that a world file cannot be off by a factor
//! of a thousand without saying so.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::{fmt, str::FromStr};

/// A text that is not the quantity it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; a {kind} is written like {example}")]
pub struct QuantityError {
    /// What the text should have been: "power", "energy", ...
    pub kind: &'static str,
    /// What is wrong with it, in lower case.
    pub problem: String,
    /// A right way to write it, with the valid units.
    pub example: &'static str,
}

/// Splits `"7.5 kW"` into its number and its unit; else says what is wrong.
fn number_and_unit(text: &str) -> Result<(f64, &str), String> {
    let text = text.trim();
    let end = text
        .char_indices()
        .find(|&(at, c)| !is_number_part(text, at, c))
        .map_or(text.len(), |(at, _)| at);
    let number = text[..end].trim().parse::<f64>();
    let number = number.map_err(|_| format!("`{text}` does not begin with a number"))?;
    let unit = text[end..].trim();
    if unit.strip_prefix(',').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        return Err(comma(text, &text[..end], unit));
    }
    Ok((number, unit))
}

/// What is wrong with `whole` and `rest`, which begins with a comma. Three digits behind it may be
/// thousands, so that both is shown.
fn comma(text: &str, whole: &str, rest: &str) -> String {
    let meant = format!("{}{}", whole.replace('.', ""), rest.replacen(',', ".", 1));
    let groups = rest.split(',').skip(1);
    let is_group = |group: &str| group.bytes().take_while(u8::is_ascii_digit).count() == 3;
    if !whole.contains('.') && groups.into_iter().all(is_group) {
        let together = format!("{whole}{}", rest.replace(',', ""));
        let meant =
            if rest.matches(',').count() == 1 { format!(" or `{meant}`") } else { String::new() };
        return format!(
            "`{text}` has a comma; the decimal sign is a point, and thousands are not set apart: \
             `{together}`{meant}"
        );
    }
    format!("`{text}` has a comma; the decimal sign is a point: `{meant}`")
}

/// Whether the character at `at` belongs to a leading number such as `-1.5e-3`.
fn is_number_part(text: &str, at: usize, c: char) -> bool {
    let after_exponent = || text[..at].ends_with(['e', 'E']);
    // The `E` of `5EUR/kWh` begins a currency, and no exponent.
    let starts_exponent = || {
        matches!(c, 'e' | 'E')
            && text[at + 1..].starts_with(|next: char| next.is_ascii_digit() || "+-".contains(next))
    };
    match c {
        '0'..='9' | '.' => true,
        '+' | '-' => at == 0 || after_exponent(),
        _ => at > 0 && starts_exponent(),
    }
}

/// Reads a finite number with one of `units`, each with its factor to the base unit.
fn parse_scaled(
    text: &str,
    kind: &'static str,
    example: &'static str,
    units: &[(&str, f64)],
) -> Result<f64, QuantityError> {
    let fail = |problem| QuantityError { kind, problem, example };
    let (number, unit) = number_and_unit(text).map_err(fail)?;
    if unit.is_empty() {
        return Err(fail(format!("`{text}` has no unit")));
    }
    let &(_, factor) = units
        .iter()
        // Letter by letter, as large and small ones differ by a factor: `mW` is no `MW`.
        .find(|(name, _)| *name == unit)
        .ok_or_else(|| fail(format!("`{unit}` is not a unit of {kind}")))?;
    // `1e400` is read as infinity, and a finite number may become one by its factor.
    let value = number * factor;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(fail(format!("`{text}` is not a finite number")))
    }
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $unit:literal, $example:literal, $units:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl FromStr for $name {
            type Err = QuantityError;
            fn from_str(text: &str) -> Result<Self, QuantityError> {
                parse_scaled(text, $kind, $example, &$units).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} {}", self.0, $unit)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}

quantity!(
    /// Power in kW.
    Kilowatts, "power", "kW", "\"7 kW\" (W, kW, MW or GW)",
    [
        ("kW", 1.0),
        ("W", 1e-3),
        ("MW", 1e3),
        ("GW", 1e6),
        // FlexMeasures gives power in these units, too; apparent power counts as if it were all
        // real.
        ("kVA", 1.0),
        ("VA", 1e-3),
        ("MVA", 1e3),
        ("kWh/h", 1.0),
        ("Wh/h", 1e-3),
        ("MWh/h", 1e3)
    ]
);
quantity!(
    /// Energy in kWh.
    KilowattHours, "energy", "kWh", "\"60 kWh\" (Wh, kWh, MWh or GWh)",
    [("kWh", 1.0), ("Wh", 1e-3), ("MWh", 1e3), ("GWh", 1e6)]
);
quantity!(
    /// How fast power may change, in kW per hour.
    KilowattsPerHour, "ramp", "kW/h", "\"245 kW/h\" (kW/h, MW/h or kW/min)",
    [("kW/h", 1.0), ("MW/h", 1e3), ("kW/min", 60.0), ("MW/min", 6e4)]
);
quantity!(
    /// A length of time in hours.
    Hours, "duration", "h", "\"15 min\" (s, min, h or d)",
    [("h", 1.0), ("min", 1.0 / 60.0), ("s", 1.0 / 3600.0), ("d", 24.0)]
);

/// A share between 0 and 1: a state of charge, an efficiency.
///
/// Text may be `"95 %"`; a bare number is the share itself.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Share(f64);

impl Share {
    /// Nothing of it.
    pub const ZERO: Self = Self(0.0);
    /// All of it.
    pub const ONE: Self = Self(1.0);

    /// A share that is known when the program is built.
    ///
    /// # Panics
    /// If it does not lie between 0 and 1.
    pub(crate) const fn constant(value: f64) -> Self {
        assert!(value >= 0.0 && value <= 1.0);
        Self(value)
    }

    /// The share as a number, if it lies between 0 and 1.
    pub fn new(value: f64) -> Result<Self, QuantityError> {
        if (0.0..=1.0).contains(&value) {
            return Ok(Self(value));
        }
        Err(Self::error(format!("{value} is not between 0 and 1")))
    }

    /// The number between 0 and 1.
    pub fn get(self) -> f64 {
        self.0
    }

    fn error(problem: String) -> QuantityError {
        QuantityError { kind: "share", problem, example: "0.95 or \"95 %\"" }
    }
}

impl FromStr for Share {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        match number_and_unit(text) {
            Ok((number, "%")) => Self::new(number / 100.0),
            Ok((number, "")) => Self::new(number),
            Ok((_, unit)) => Err(Self::error(format!("`{unit}` is not a unit of share"))),
            Err(problem) => Err(Self::error(problem)),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A price of energy with its currency, as text gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// Amount per kWh.
    pub per_kwh: f64,
    /// Three capital letters (ISO 4217).
    pub currency: String,
}

impl FromStr for Price {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let units = [("kWh", 1.0), ("MWh", 1e-3), ("Wh", 1e3)];
        let (per_kwh, currency) =
            parse_money(text, "price", "energy", "\"0.43 CNY/kWh\" (per kWh or MWh)", &units)?;
        Ok(Self { per_kwh, currency })
    }
}

/// A price of power with its currency, as text gives it: of a peak, or of breaching a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct PowerPrice {
    /// Amount per kW.
    pub per_kw: f64,
    /// Three capital letters (ISO 4217).
    pub currency: String,
}

impl FromStr for PowerPrice {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let units = [("kW", 1.0), ("MW", 1e-3), ("W", 1e3), ("kVA", 1.0), ("MVA", 1e-3)];
        let (per_kw, currency) =
            parse_money(text, "price of power", "power", "\"260 EUR/MW\" (per kW or MW)", &units)?;
        Ok(Self { per_kw, currency })
    }
}

/// Reads an amount of money per one of `units`, which measure `what`, each with its factor.
fn parse_money(
    text: &str,
    kind: &'static str,
    what: &str,
    example: &'static str,
    units: &[(&str, f64)],
) -> Result<(f64, String), QuantityError> {
    let fail = |problem| QuantityError { kind, problem, example };
    let (number, unit) = number_and_unit(text).map_err(fail)?;
    let (currency, per) = unit
        .split_once('/')
        .ok_or_else(|| fail(format!("`{text}` does not say per what {what}")))?;
    if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(fail(format!("`{currency}` is not a currency code of three capital letters")));
    }
    let found = units.iter().find(|(name, _)| *name == per);
    let &(_, factor) = found
        .ok_or_else(|| fail(format!("`{per}` is not {what} that such prices are given for")))?;
    let value = number * factor;
    if !value.is_finite() {
        return Err(fail(format!("`{text}` is not a finite number")));
    }
    Ok((value, currency.to_owned()))
}

/// A number without a dimension that may exceed 1: the efficiency of a heat pump.
///
/// Text may be `"95 %"`; a bare number is the ratio itself.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Ratio(pub f64);

impl FromStr for Ratio {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let fail = |problem| QuantityError { kind: "ratio", problem, example: "0.95 or \"95 %\"" };
        let value = match number_and_unit(text) {
            Ok((number, "%")) => number / 100.0,
            Ok((number, "")) => number,
            Ok((_, unit)) => return Err(fail(format!("`{unit}` is not a unit of ratio"))),
            Err(problem) => return Err(fail(problem)),
        };
        if value.is_finite() {
            Ok(Self(value))
        } else {
            Err(fail(format!("`{text}` is not a finite number")))
        }
    }
}

/// A wall-clock time of day, in hours since local midnight.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct TimeOfDay(pub f64);

impl FromStr for TimeOfDay {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let fail = || QuantityError {
            kind: "time of day",
            problem: format!("`{text}` is not a time between 00:00 and 24:00"),
            example: "\"17:30\"",
        };
        let (hours, minutes) = text.trim().split_once(':').ok_or_else(fail)?;
        let hours: u32 = hours.parse().map_err(|_| fail())?;
        let minutes: u32 = minutes.parse().map_err(|_| fail())?;
        // 24:00 is a time, too: a band ends with it at midnight.
        if hours > 24 || minutes > 59 || hours * 60 + minutes > 24 * 60 {
            return Err(fail());
        }
        Ok(Self(f64::from(hours) + f64::from(minutes) / 60.0))
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    #[test]
    fn every_unit_leads_to_the_base_unit() {
        assert_eq!("7 kW".parse(), Ok(Kilowatts(7.0)));
        assert_eq!("0.3 MW".parse(), Ok(Kilowatts(300.0)));
        assert_eq!("60kWh".parse(), Ok(KilowattHours(60.0)));
        assert_eq!("245 kW/h".parse(), Ok(KilowattsPerHour(245.0)));
        assert_eq!("15 min".parse(), Ok(Hours(0.25)));
        assert_eq!("1.5e-1 MW".parse(), Ok(Kilowatts(150.0)));
    }

    #[test]
    fn a_comma_may_be_a_decimal_sign_or_set_thousands_apart() {
        let said = |text: &str| text.parse::<Kilowatts>().unwrap_err().problem;
        assert!(said("7,4 kW").ends_with("a point: `7.4 kW`"));
        assert!(said("1.234,5 kW").ends_with("a point: `1234.5 kW`"));
        assert!(said("1,000 kW").ends_with("thousands are not set apart: `1000 kW` or `1.000 kW`"));
        assert!(said("1,234,567.5 kW").ends_with("thousands are not set apart: `1234567.5 kW`"));
    }

    #[test]
    fn a_share_may_be_a_percentage_or_a_number() {
        assert_eq!("95 %".parse::<Share>().unwrap().get(), 0.95);
        assert_eq!("0.95".parse::<Share>().unwrap().get(), 0.95);
        assert!("20".parse::<Share>().is_err());
        assert!(Share::new(f64::NAN).is_err());
    }

    #[test]
    fn a_price_names_its_currency_and_energy() {
        let price: Price = "55.6 EUR/MWh".parse().unwrap();
        assert_eq!((price.per_kwh, price.currency.as_str()), (55.6 * 1e-3, "EUR"));
        assert!("0.3 /kWh".parse::<Price>().is_err());
        assert!("0.3 EUR".parse::<Price>().is_err());
        assert!("0.3 eur/kWh".parse::<Price>().is_err());
    }

    #[test]
    fn a_price_of_power_is_not_a_price_of_energy() {
        let price: PowerPrice = "260 EUR/MW".parse().unwrap();
        assert_eq!((price.per_kw, price.currency.as_str()), (260.0 * 1e-3, "EUR"));
        assert!("260 EUR/MWh".parse::<PowerPrice>().is_err());
        assert!("260 EUR/MW".parse::<Price>().is_err());
    }

    #[test]
    fn a_ratio_may_exceed_one() {
        assert_eq!("350 %".parse(), Ok(Ratio(3.5)));
        assert_eq!(".9".parse(), Ok(Ratio(0.9)));
        assert!("0.9 kW".parse::<Ratio>().is_err());
    }

    #[test]
    fn errors_say_what_is_wrong_and_what_would_be_right() {
        let message = |text: &str| text.parse::<Kilowatts>().unwrap_err().to_string();
        assert_eq!(
            message("7 kWh"),
            "`kWh` is not a unit of power; a power is written like \"7 kW\" (W, kW, MW or GW)"
        );
        assert_eq!(
            message("7"),
            "`7` has no unit; a power is written like \"7 kW\" (W, kW, MW or GW)"
        );
        assert!(message("many kW").starts_with("`many kW` does not begin with a number"));
        assert!(message("1e400 kW").contains("not a finite number"));
    }

    #[test]
    fn a_time_of_day_lies_within_the_day() {
        assert_eq!("17:30".parse(), Ok(TimeOfDay(17.5)));
        assert_eq!("24:00".parse(), Ok(TimeOfDay(24.0)));
        assert!("24:01".parse::<TimeOfDay>().is_err());
        assert!("71582789:00".parse::<TimeOfDay>().is_err());
        assert!("7:60".parse::<TimeOfDay>().is_err());
    }
}
