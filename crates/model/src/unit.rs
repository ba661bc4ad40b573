//! One unit: what it does in a slot, and what of that the next slot must know.

use crate::columns::UnitKind;

/// What one unit does in one slot; what its kind does not have is 0 or false.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitSlot {
    /// Its kind.
    pub kind: UnitKind,
    /// Power into the system, kW: delivered, discharged, shed or imported; negative exports. What a
    /// store charges with is not taken off.
    pub given_kw: f64,
    // One column for both: the event of a slot has no other, and journals from before there were
    // electrolysers are read as they are.
    /// What a renewable unit could have delivered, kW; hydrogen that is bought since no tank has
    /// it, kW of its energy.
    pub available_kw: f64,
    /// What a store charges with, or hydrogen is made from, kW.
    pub charge_kw: f64,
    /// What a store or a tank holds at the slot's end, kWh.
    pub energy_kwh: f64,
    /// Price of a kWh in the direction that a connection is used in.
    pub price_per_kwh: f64,
    /// Whether a unit that can be switched is on.
    pub on: bool,
    /// Whether it was off in the slot before.
    pub started: bool,
}

impl UnitSlot {
    /// A unit that does nothing.
    pub fn idle(kind: UnitKind) -> Self {
        Self {
            kind,
            given_kw: 0.0,
            available_kw: 0.0,
            charge_kw: 0.0,
            energy_kwh: 0.0,
            price_per_kwh: 0.0,
            on: false,
            started: false,
        }
    }

    /// What it gives less what it charges with, kW.
    pub fn power_kw(&self) -> f64 {
        self.given_kw - self.charge_kw
    }

    /// What a renewable unit could have delivered and did not, kW.
    pub fn curtailed_kw(&self) -> f64 {
        self.available_kw - self.given_kw
    }

    /// The same without power that rounding left where none is meant.
    #[must_use]
    pub fn without_rounding(self) -> Self {
        Self { given_kw: tidied(self.given_kw), charge_kw: tidied(self.charge_kw), ..self }
    }
}

/// Where a unit stands before a slot: what the past leaves to it. What its kind does not have is 0
/// or false.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct UnitState {
    /// Output in the slot before, kW; `None` where the next output is free.
    pub power_kw: Option<f64>,
    /// Whether it is on.
    pub on: bool,
    /// For how long it has been on, or off, h.
    pub hours: f64,
    /// What it holds, kWh.
    pub energy_kwh: f64,
}

/// Power below this is what rounding leaves where none is meant, kW.
pub const NOTHING_KW: f64 = 1e-7;

/// The power, or none where rounding left it, kW.
pub fn tidied(power_kw: f64) -> f64 {
    if power_kw.abs() < NOTHING_KW { 0.0 } else { power_kw }
}
