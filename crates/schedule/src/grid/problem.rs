//! The dispatch problem as plain data.

use crate::answer::Outcome;
use std::num::NonZeroU32;
use voltide_model::{
    device::{Device, Exchange, MustTake, Renewable, Store, ThermalUnit, Unit},
    dispatch::GridState,
    flexibility::{Readings, UpDown},
    plant::{Plant, PlantError},
    two_stage::{SearchLimits, SlackPrices},
};

/// A plant over T equal slots.
#[derive(Debug, Clone, PartialEq)]
pub struct DispatchProblem<'a> {
    /// The units.
    pub plant: &'a Plant,
    /// Length of a slot, h.
    pub slot_hours: f64,
    /// What comes from outside, slot by slot.
    pub outlook: Outlook,
    /// What the slots before leave.
    pub state: GridState,
    /// What each thermal unit must keep to.
    pub courses: Vec<Course>,
    /// What each store must hold at the end.
    pub ends: Vec<StoreEnd>,
    /// Whether flexibility margins must hold, (32)-(35).
    pub margins: bool,
    /// How ambiguous equations are read.
    pub readings: Readings,
    /// Prices of what should not happen.
    pub prices: SlackPrices,
    /// Chords of a quadratic cost.
    pub segments: NonZeroU32,
    /// When the search for a commitment may stop.
    pub search: SearchLimits,
}

/// What comes from outside the schedule. Columns have T values; outer vectors are in the plant's order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outlook {
    /// Base load and cars: base + charging - discharging, kW.
    pub load_kw: Vec<f64>,
    /// What each renewable unit could deliver, kW.
    pub available_kw: Vec<Vec<f64>>,
    /// What each must-take unit gives, kW.
    pub must_take_kw: Vec<Vec<f64>>,
    /// Price of imports over each connection.
    pub import_price: Vec<Vec<f64>>,
    /// What exports over each connection earn.
    pub export_price: Vec<Vec<f64>>,
    /// `F_S` of the cars, (30) and (31), kW; empty where they do not count.
    pub car_supply_kw: Vec<UpDown>,
    /// Net load in the slot after the last, kW: for `F_D` of the last slot.
    pub net_load_next_kw: f64,
}

/// What a thermal unit must keep to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Course {
    /// Whether it is on, slot by slot; `None` leaves that to the schedule where the unit may be
    /// switched, and means on throughout where it may not.
    pub on: Option<Vec<bool>>,
    /// Output it should stay close to, within the unit's `deviation_max`; `None` for no such output.
    pub reference_kw: Option<Vec<f64>>,
}

/// What a store must hold at the end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StoreEnd {
    /// The store takes no part: no power, no supply of flexibility.
    Idle,
    /// Whatever is left.
    Free,
    /// At least so many kWh, or as near as can be.
    AtLeast(f64),
    /// At least so many kWh, or the price of what is missing.
    Softened(f64),
}

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

impl DispatchProblem<'_> {
    /// Number of slots T.
    pub fn slots(&self) -> usize {
        self.outlook.load_kw.len()
    }

    /// Checks units, lengths and numbers; what passes can be solved.
    ///
    /// # Errors
    /// The first thing that makes no sense.
    pub fn validate(&self) -> Result<(), GridError> {
        self.validate_plant()?;
        self.validate_state()?;
        self.validate_outlook()?;
        self.validate_courses()?;
        let hours = self.slot_hours;
        number("slot length", 0, hours, hours.is_finite() && hours > 0.0, "above 0 h")?;
        let SlackPrices { unserved, margin, terminal, deviation } = self.prices;
        let prices = [
            ("price of unserved energy", unserved),
            ("price of missing margin", margin),
            ("price of missing stored energy", terminal),
            ("price of deviation", deviation),
        ];
        prices.into_iter().try_for_each(|(column, price)| not_negative(column, 0, price))
    }

    /// What stores hold comes with the state, so that it is not checked here.
    fn validate_plant(&self) -> Result<(), GridError> {
        for unit in &self.plant.units {
            match unit {
                Unit::Thermal(unit) => unit.check()?,
                Unit::Store(unit) => unit.check_shape()?,
                Unit::Renewable(unit) => unit.check_prices()?,
                Unit::Interruptible(unit) => unit.check()?,
                // Their series come with the outlook, and are checked there.
                Unit::MustTake(_) | Unit::Exchange(_) => {}
            }
        }
        Ok(())
    }

    fn validate_state(&self) -> Result<(), GridError> {
        length(
            "state of thermal units",
            self.state.thermal.len(),
            self.plant.each::<ThermalUnit>().count(),
        )?;
        length("stored energy", self.state.energy_kwh.len(), self.plant.each::<Store>().count())?;
        length("ends of stores", self.ends.len(), self.plant.each::<Store>().count())?;
        for (slot, state) in self.state.thermal.iter().enumerate() {
            not_negative("output before the first slot", slot, state.power_kw.unwrap_or(0.0))?;
        }
        for (at, (&energy, end)) in self.state.energy_kwh.iter().zip(&self.ends).enumerate() {
            number("stored energy", at, energy, energy.is_finite(), FINITE)?;
            if let StoreEnd::AtLeast(wish) | StoreEnd::Softened(wish) = *end {
                number("energy at the end", at, wish, wish.is_finite(), FINITE)?;
            }
        }
        Ok(())
    }

    fn validate_outlook(&self) -> Result<(), GridError> {
        let (plant, seen) = (self.plant, &self.outlook);
        let slots = self.slots();
        if !seen.car_supply_kw.is_empty() {
            length("supply of cars", seen.car_supply_kw.len(), slots)?;
        }
        finite("net load after the last slot", std::slice::from_ref(&seen.net_load_next_kw))?;
        finite("load", &seen.load_kw)?;
        length("available power", seen.available_kw.len(), plant.each::<Renewable>().count())?;
        for (unit, column) in plant.each::<Renewable>().zip(&seen.available_kw) {
            named_column("available power", &unit.name, column, slots, true)?;
        }
        length("must-take output", seen.must_take_kw.len(), plant.each::<MustTake>().count())?;
        for (unit, column) in plant.each::<MustTake>().zip(&seen.must_take_kw) {
            named_column("output", &unit.name, column, slots, true)?;
        }
        length("import prices", seen.import_price.len(), plant.each::<Exchange>().count())?;
        length("export prices", seen.export_price.len(), plant.each::<Exchange>().count())?;
        for (at, unit) in plant.each::<Exchange>().enumerate() {
            let (import, export) = (&seen.import_price[at], &seen.export_price[at]);
            named_column("import price", &unit.name, import, slots, false)?;
            named_column("export price", &unit.name, export, slots, false)?;
            unit.check_prices(import, export)?;
        }
        Ok(())
    }

    fn validate_courses(&self) -> Result<(), GridError> {
        length(
            "courses of thermal units",
            self.courses.len(),
            self.plant.each::<ThermalUnit>().count(),
        )?;
        for (unit, course) in self.plant.each::<ThermalUnit>().zip(&self.courses) {
            if let Some(on) = &course.on {
                length(&format!("commitment of `{}`", unit.name), on.len(), self.slots())?;
            }
            if let Some(reference) = &course.reference_kw {
                named_column("day-ahead output", &unit.name, reference, self.slots(), true)?;
            }
        }
        Ok(())
    }
}

fn length(column: &str, found: usize, expected: usize) -> Result<(), GridError> {
    if found == expected {
        Ok(())
    } else {
        Err(GridError::Length { column: column.to_owned(), found, expected })
    }
}

fn number(
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

fn not_negative(column: &str, slot: usize, value: f64) -> Result<(), GridError> {
    number(column, slot, value, value.is_finite() && value >= 0.0, NOT_NEGATIVE)
}

fn finite(column: &str, values: &[f64]) -> Result<(), GridError> {
    values
        .iter()
        .enumerate()
        .try_for_each(|(slot, &value)| number(column, slot, value, value.is_finite(), FINITE))
}

fn named_column(
    what: &str,
    unit: &str,
    values: &[f64],
    slots: usize,
    power: bool,
) -> Result<(), GridError> {
    let column = format!("{what} of `{unit}`");
    length(&column, values.len(), slots)?;
    if power {
        values.iter().enumerate().try_for_each(|(slot, &value)| not_negative(&column, slot, value))
    } else {
        finite(&column, values)
    }
}
