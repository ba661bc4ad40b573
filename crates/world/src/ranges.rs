//! Values against the ranges of their quantities: outside of what is usual is a warning, outside of
//! what can be reckoned with an error.

use crate::dialect::{Report, is_limited};
use ron_places::{Place, Spanned};
use voltide_model::{
    physical::{Lies, Physical},
    quantity::Kilowatts,
};

/// A number with its unit.
pub(crate) fn with_unit(value: f64, unit: &str) -> String {
    let value = if value != 0.0 && !(1e-3..1e7).contains(&value.abs()) {
        format!("{value:e}")
    } else {
        value.to_string()
    };
    if unit.is_empty() { value } else { format!("{value} {unit}") }
}

/// From the least to the most of a range.
pub(crate) fn from_to(range: (f64, f64), unit: &str) -> String {
    format!("{} to {}", with_unit(range.0, ""), with_unit(range.1, unit))
}

/// Holds values against the ranges of their quantities.
pub(crate) trait Limits {
    /// The value of a field, if it can be reckoned with, or has [no such limit](is_limited).
    fn within(&mut self, what: &Physical, field: &str, value: f64, place: Place) -> Option<f64>;

    /// The power of a charger or a site, which is given without a sign.
    fn power_within(
        &mut self,
        what: &Physical,
        field: &str,
        power: &Spanned<Kilowatts>,
    ) -> Option<Kilowatts>;
}

impl Limits for Report {
    fn within(&mut self, what: &Physical, field: &str, value: f64, place: Place) -> Option<f64> {
        let Physical { name, unit, usual, possible } = *what;
        let found = with_unit(value, unit);
        let lies = if is_limited(self, place) { what.lies(value) } else { Lies::Usual };
        match lies {
            Lies::Usual => {}
            Lies::Unusual => {
                let message = format!("`{field}` is {found}, which is not usual");
                let help = format!("{name}: usual is {}; is the unit right?", from_to(usual, unit));
                self.warn(place, message, "not usual", help);
            }
            Lies::Impossible => {
                let message = format!("`{field}` is {found}, which cannot be reckoned with");
                let help = format!("{name}: from {}", from_to(possible, unit));
                self.add_help(place, message, "out of range", help);
                return None;
            }
        }
        Some(value)
    }

    fn power_within(
        &mut self,
        what: &Physical,
        field: &str,
        power: &Spanned<Kilowatts>,
    ) -> Option<Kilowatts> {
        if power.0 < 0.0 {
            let help = "powers are given without a sign";
            self.add_help(power.place, format!("`{field}` is negative"), "below 0 kW", help);
            return None;
        }
        self.within(what, field, power.0, power.place).map(Kilowatts)
    }
}
