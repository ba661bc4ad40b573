//! The storage problem as plain data: one battery, one horizon.
//!
//! ```text
//! min  Σ_t dt·(buy_t·c_t − (sell_t − C_b)·d_t) − v·E_T                              (14)
//!      E_t = E_{t−1} + η_c·c_t·dt − d_t·dt/η_d
//!      0 ≤ c_t ≤ P_c,t,   0 ≤ d_t ≤ P_d,t,   never both at once
//!      E_min,t ≤ E_t ≤ E_max,t,   E_T ≥ target
//! ```
//! Power is measured on the grid side in both directions, energy inside the battery; prices and
//! the degradation cost `C_b` are per grid-side kWh. A car that does not agree to discharge in a
//! slot has `P_d,t = 0` there; with `P_d = 0` throughout the problem is (12).
//!
//! In terms of the energy x that enters the battery, a slot costs two lines that meet at 0:
//! `buy/η_c` per kWh for x > 0 and `(sell − C_b)·η_d` for x < 0. That is convex, and (14) a linear
//! program, unless discharging earns more per stored kWh than charging costs
//! ([`Slope::is_convex`]); only such slots need a binary.

use voltide_policy::storage::TieRule;

/// A number for every slot: the same throughout, or one each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PerSlot<'a> {
    /// The same in every slot.
    Same(f64),
    /// One value a slot.
    Each(&'a [f64]),
}

impl PerSlot<'_> {
    /// The value in `slot`.
    #[inline]
    pub fn at(self, slot: usize) -> f64 {
        match self {
            Self::Same(value) => value,
            Self::Each(values) => values[slot],
        }
    }
}

/// One battery over T slots; all slices of slots have T elements.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StorageProblem<'a> {
    /// Length of a slot, h.
    pub slot_hours: f64,
    /// Price of energy bought, per grid-side kWh.
    pub buy: &'a [f64],
    /// Price of energy sold, per grid-side kWh.
    pub sell: &'a [f64],
    /// Cost of wear `C_b`, per grid-side kWh discharged.
    pub degradation: f64,
    /// Most that may be charged with, kW.
    pub charge_kw_max: PerSlot<'a>,
    /// Most that may be discharged with, kW, not negative.
    pub discharge_kw_max: PerSlot<'a>,
    /// Least stored energy at the end of each slot, kWh.
    pub energy_kwh_min: PerSlot<'a>,
    /// Most stored energy at the end of each slot, kWh.
    pub energy_kwh_max: PerSlot<'a>,
    /// Stored energy at the start, kWh.
    pub energy_kwh: f64,
    /// Least stored energy at the end of the last slot, kWh.
    pub target_kwh: f64,
    /// Stored per grid-side energy charged, in (0, 1].
    pub charge_efficiency: f64,
    /// Grid-side per stored energy discharged, in (0, 1].
    pub discharge_efficiency: f64,
    /// What a kWh that is still stored at the end is worth.
    pub terminal_value: f64,
    /// Which of the cheapest schedules is meant.
    ///
    /// Moving energy for no gain is avoided under every rule: among schedules of one cost, those
    /// with the least throughput are compared.
    pub tie: TieRule,
    /// The load that [`TieRule::ValleyFill`] fills, kW; empty for no load.
    pub load_kw: &'a [f64],
}

/// A storage problem that makes no sense, as opposed to one that cannot be met.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ProblemError {
    /// A slice has another length than the prices have.
    #[error("{column} has {found} values, not {expected}")]
    Length {
        /// Which slice.
        column: &'static str,
        /// Its length.
        found: usize,
        /// The number of values it should have.
        expected: usize,
    },
    /// A number is outside what the column allows, or not a number.
    #[error("{column} is {value} in slot {slot}; it must be {allowed}")]
    Value {
        /// Which quantity.
        column: &'static str,
        /// The slot, 0 for quantities that have one value.
        slot: usize,
        /// The value found.
        value: f64,
        /// What would be right.
        allowed: &'static str,
    },
    /// The least energy is above the most.
    #[error("at the end of slot {slot} at least {least} kWh and at most {most} kWh are asked for")]
    CrossedBounds {
        /// The slot.
        slot: usize,
        /// The lower bound, kWh.
        least: f64,
        /// The upper bound, kWh.
        most: f64,
    },
}

/// What a kWh that enters (x > 0) or leaves (x < 0) the battery in one slot costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// Cost per stored kWh charged.
    pub charge: f64,
    /// Gain per stored kWh discharged, less wear.
    pub discharge: f64,
}

impl Slope {
    /// Whether the two lines form a convex function, so that charging and discharging at once never
    /// pays.
    pub fn is_convex(self) -> bool {
        self.discharge <= self.charge
    }
}

impl StorageProblem<'_> {
    /// Number of slots T.
    pub fn slots(&self) -> usize {
        self.buy.len()
    }

    /// What the tie rule fills in `slot`, kW; 0 where it fills nothing.
    #[inline]
    pub(crate) fn load_to_fill(&self, slot: usize) -> f64 {
        match self.tie {
            TieRule::ValleyFill => self.load_kw.get(slot).copied().unwrap_or(0.0),
            TieRule::Spread | TieRule::Earliest => 0.0,
        }
    }

    /// Whether limits and bounds are the same in all slots.
    pub(crate) fn is_steady(&self) -> bool {
        self.limits().iter().all(|(_, values, _)| matches!(values, PerSlot::Same(_)))
    }

    /// Energy that enters the battery in a slot for each kW charged, kWh.
    #[inline]
    pub fn charge_kwh_per_kw(&self) -> f64 {
        self.charge_efficiency * self.slot_hours
    }

    /// Energy that leaves the battery in a slot for each kW discharged, kWh.
    #[inline]
    pub fn discharge_kwh_per_kw(&self) -> f64 {
        self.slot_hours / self.discharge_efficiency
    }

    /// Most energy that can enter the battery in `slot`, kWh.
    #[inline]
    pub fn charge_kwh_max(&self, slot: usize) -> f64 {
        self.charge_kw_max.at(slot) * self.charge_kwh_per_kw()
    }

    /// Most energy that can leave the battery in `slot`, kWh.
    #[inline]
    pub fn discharge_kwh_max(&self, slot: usize) -> f64 {
        self.discharge_kw_max.at(slot) * self.discharge_kwh_per_kw()
    }

    /// The two slopes of `slot`.
    #[inline]
    pub fn slope(&self, slot: usize) -> Slope {
        Slope {
            charge: self.buy[slot] / self.charge_efficiency,
            discharge: (self.sell[slot] - self.degradation) * self.discharge_efficiency,
        }
    }

    /// Whether `slot` needs a binary: both directions are open, and doing both at once would pay.
    pub fn needs_binary(&self, slot: usize) -> bool {
        self.discharge_kw_max.at(slot) > 0.0
            && self.charge_kw_max.at(slot) > 0.0
            && !self.slope(slot).is_convex()
    }

    /// Number of slots that need a binary; 0 means that the linear program is exact.
    pub fn binaries(&self) -> usize {
        (0..self.slots()).filter(|&slot| self.needs_binary(slot)).count()
    }

    /// Grid-side power that moves `energy` kWh into (> 0) or out of (< 0) the battery in one slot,
    /// kW.
    #[inline]
    pub fn power_for(&self, energy: f64) -> f64 {
        // The factors do not change from slot to slot, so that loops divide once.
        let factor = if energy > 0.0 {
            1.0 / self.charge_kwh_per_kw()
        } else {
            1.0 / self.discharge_kwh_per_kw()
        };
        energy * factor
    }

    /// Energy that `power` kW on the grid side brings into (> 0) the battery in one slot, kWh.
    #[inline]
    pub fn energy_for(&self, power: f64) -> f64 {
        power * if power > 0.0 { self.charge_kwh_per_kw() } else { self.discharge_kwh_per_kw() }
    }

    /// The objective of (14) for a schedule (kW, positive charges), less the terminal value.
    pub fn objective(&self, power_kw: &[f64]) -> f64 {
        let mut money = 0.0;
        let mut energy = self.energy_kwh;
        for ((&power, buy), sell) in power_kw.iter().zip(self.buy).zip(self.sell) {
            money += power * if power > 0.0 { *buy } else { sell - self.degradation };
            energy += self.energy_for(power);
        }
        money * self.slot_hours - self.terminal_value * energy
    }

    /// Stored energy at the end of each slot under a schedule, kWh.
    pub fn energies(&self, power_kw: &[f64]) -> Vec<f64> {
        let mut energy = self.energy_kwh;
        let step = |&power: &f64| {
            energy += self.energy_for(power);
            energy
        };
        power_kw.iter().map(step).collect()
    }

    /// Checks lengths, signs and finiteness; what passes can be solved.
    pub fn validate(&self) -> Result<(), ProblemError> {
        validate_prices(self.buy, self.sell)?;
        validate_load(self.tie, self.load_kw, self.slots())?;
        self.validate_battery()
    }

    /// Checks everything but the prices and the load to fill, which a batch checks once for all.
    pub(crate) fn validate_battery(&self) -> Result<(), ProblemError> {
        self.validate_numbers()?;
        for (column, values, is_power) in self.limits() {
            validate_limit(column, values, self.slots(), is_power)?;
        }
        let same = |values| matches!(values, PerSlot::Same(_));
        let both_same = same(self.energy_kwh_min) && same(self.energy_kwh_max);
        for slot in 0..self.slots().min(if both_same { 1 } else { usize::MAX }) {
            let (least, most) = (self.energy_kwh_min.at(slot), self.energy_kwh_max.at(slot));
            if least > most {
                return Err(ProblemError::CrossedBounds { slot, least, most });
            }
        }
        Ok(())
    }

    fn limits(&self) -> [(&'static str, PerSlot<'_>, bool); 4] {
        [
            ("charge power", self.charge_kw_max, true),
            ("discharge power", self.discharge_kw_max, true),
            ("least energy", self.energy_kwh_min, false),
            ("most energy", self.energy_kwh_max, false),
        ]
    }

    fn validate_numbers(&self) -> Result<(), ProblemError> {
        let share = |value: f64| value > 0.0 && value <= 1.0;
        let one = |column, value, right, allowed| check(column, 0, value, right, allowed);
        let finite = |column, value: f64| one(column, value, value.is_finite(), FINITE);
        let hours = self.slot_hours;
        one("slot length", hours, hours > 0.0 && hours.is_finite(), "above 0 h")?;
        finite("degradation cost", self.degradation)?;
        finite("terminal value", self.terminal_value)?;
        finite("stored energy", self.energy_kwh)?;
        finite("target energy", self.target_kwh)?;
        let (charge, discharge) = (self.charge_efficiency, self.discharge_efficiency);
        one("charge efficiency", charge, share(charge), "above 0 and at most 1")?;
        one("discharge efficiency", discharge, share(discharge), "above 0 and at most 1")
    }
}

const FINITE: &str = "a finite number";

fn check(
    column: &'static str,
    slot: usize,
    value: f64,
    right: bool,
    allowed: &'static str,
) -> Result<(), ProblemError> {
    if right { Ok(()) } else { Err(ProblemError::Value { column, slot, value, allowed }) }
}

fn check_length(column: &'static str, found: usize, expected: usize) -> Result<(), ProblemError> {
    if found == expected { Ok(()) } else { Err(ProblemError::Length { column, found, expected }) }
}

/// Checks the prices of a tariff.
pub(crate) fn validate_prices(buy: &[f64], sell: &[f64]) -> Result<(), ProblemError> {
    check_length("sell price", sell.len(), buy.len())?;
    check_finite("buy price", buy)?;
    check_finite("sell price", sell)
}

/// Checks the load that is to be filled; no other rule looks at it.
pub(crate) fn validate_load(
    tie: TieRule,
    load_kw: &[f64],
    slots: usize,
) -> Result<(), ProblemError> {
    if tie != TieRule::ValleyFill || load_kw.is_empty() {
        return Ok(());
    }
    check_length("load to fill", load_kw.len(), slots)?;
    check_finite("load to fill", load_kw)
}

fn check_finite(column: &'static str, values: &[f64]) -> Result<(), ProblemError> {
    let one = |(slot, &value): (usize, &f64)| check(column, slot, value, value.is_finite(), FINITE);
    values.iter().enumerate().try_for_each(one)
}

fn validate_limit(
    column: &'static str,
    values: PerSlot<'_>,
    slots: usize,
    is_power: bool,
) -> Result<(), ProblemError> {
    let allowed = if is_power { "finite and not negative" } else { FINITE };
    let one = |(slot, &value): (usize, &f64)| {
        check(column, slot, value, value.is_finite() && (!is_power || value >= 0.0), allowed)
    };
    match values {
        PerSlot::Same(value) => one((0, &value)),
        PerSlot::Each(values) => {
            check_length(column, values.len(), slots)?;
            values.iter().enumerate().try_for_each(one)
        }
    }
}
