//! What a world says of the fleet's objective, and whether it has what that needs.

use serde::Deserialize;
use voltide_policy::{ConfigError, Observation, Result, World};

/// What a fleet is placed for.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub enum Objective {
    /// What cars pay.
    #[default]
    Cost,
    /// Net load as even as can be.
    Valley,
    /// What cars pay, and a price on the highest net load.
    Peak {
        /// What a kW of it costs, above what it has been.
        price: PeakPrice,
    },
    /// A series of the world as the fleet's power.
    Follow(Followed),
    /// What the plant's supply costs, by its schedule of the day.
    System,
}

/// A price of the highest power, such as `"120 EUR/kW"`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct PeakPrice {
    /// Per kW.
    pub per_kw: f64,
    /// ISO 4217 code of its money.
    pub currency: String,
}

impl TryFrom<String> for PeakPrice {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.split_once(' ').and_then(|(number, unit)| {
            let (currency, per) = unit.split_once('/')?;
            Some((number.parse::<f64>().ok()?, currency, kilowatts(per)?))
        });
        match parts {
            Some((price, currency, kw)) if (0.0..=PRICE_MAX).contains(&(price / kw)) => {
                Ok(Self { per_kw: price / kw, currency: currency.to_owned() })
            }
            _ => Err(format!(
                "`{text}` is no price of power from 0 to {PRICE_MAX} per kW, such as \"120 EUR/kW\""
            )),
        }
    }
}

/// Highest price that can be reckoned with beside those of energy, per kW.
const PRICE_MAX: f64 = 1e6;

fn kilowatts(unit: &str) -> Option<f64> {
    match unit {
        "kW" => Some(1.0),
        "MW" => Some(1000.0),
        _ => None,
    }
}

/// One of the world's series.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "String")]
pub struct Followed {
    name: String,
    /// Its place among all, once the world is known.
    place: Option<usize>,
}

impl From<String> for Followed {
    fn from(name: String) -> Self {
        Self { name, place: None }
    }
}

impl Followed {
    /// Its values, kW a slot of the horizon.
    pub(super) fn of<'a>(&self, seen: &Observation<'a>) -> Result<&'a [f64]> {
        let values =
            self.place.and_then(|place| seen.series_kw.chunks(seen.horizon.max(1)).nth(place));
        values.ok_or_else(|| format!("the world has no series `{}`", self.name).into())
    }
}

impl Objective {
    /// Finds in a world what it needs; `config` is the text that it was read from.
    ///
    /// # Errors
    /// Where the world lacks it.
    pub(super) fn enter(&mut self, world: &World, config: &str) -> Result<(), ConfigError> {
        match self {
            Self::Cost | Self::Valley => Ok(()),
            Self::System if world.has_plant => Ok(()),
            Self::System => Err(lacking(
                "`System` goes by what a plant costs, and the world has no `grid`".to_owned(),
                config,
                "System",
            )),
            Self::Peak { price } if price.currency == world.currency => Ok(()),
            Self::Peak { price } => Err(lacking(
                format!(
                    "the price is in {}, the world's money is {}",
                    price.currency, world.currency
                ),
                config,
                "price",
            )),
            Self::Follow(series) => {
                series.place = world.series.iter().position(|name| *name == series.name);
                if series.place.is_some() {
                    return Ok(());
                }
                let known: Vec<String> = world.series.iter().map(|it| format!("`{it}`")).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let message =
                    format!("the world has no series `{}`; in its `series`: {known}", series.name);
                Err(lacking(message, config, &format!("\"{}\"", series.name)))
            }
        }
    }
}

/// An error at the first place of `word` in a config.
fn lacking(message: String, config: &str, word: &str) -> ConfigError {
    ConfigError { message, offset: config.find(word) }
}
