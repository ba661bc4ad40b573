//! The storage problem as plain data: one battery, one horizon.
//!
//! ```text
//! min  Σ_t dt·(buy_t·c_t − (sell_t − C_b)·d_t) − v·E_T                              (14)
//!      E_t = E_{t−1} + η_c·c_t·dt − d_t·dt/η_d
//!      0 ≤ c_t ≤ P_c,t,   0 ≤ d_t ≤ P_d,t,   never both at once
//!      E_min,t ≤ E_t ≤ E_max,t,   E_T ≥ target
//! ```
//! Power is measured on the grid side in both directions, energy inside the battery; prices and
//! the degradation cost C_b are per grid-side kWh. A car that does not agree to discharge in a
//! slot has `P_d,t = 0` there; with `P_d = 0` throughout the problem is (12).
//!
//! In terms of the energy x that enters the battery, a slot costs two lines that meet at 0:
//! `buy/η_c` per kWh for x > 0 and `(sell − C_b)·η_d` for x < 0. That is convex, and (14) a linear
//! program, unless discharging earns more per stored kWh than charging costs
//! ([`Slope::is_convex`]); only such slots need a binary.

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

    fn has_length(self, slots: usize) -> bool {
        matches!(self, Self::Same(_)) || matches!(self, Self::Each(values) if values.len() == slots)
    }
}

/// Which of the schedules of least cost is meant.
///
/// Moving energy for no gain is avoided under every rule: among schedules of one cost, those with
/// the least throughput are compared.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum TieRule<'a> {
    /// Equal power over all slots of the marginal price class.
    #[default]
    Spread,
    /// Energy comes as early and leaves as late as the optimum allows: no schedule of this cost
    /// and throughput stores more at any instant.
    Earliest,
    /// The sum of this load (kW, one value a slot) and the battery's power is as even as the
    /// optimum allows.
    ValleyFill(&'a [f64]),
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
    /// Cost of wear C_b, per grid-side kWh discharged.
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
    pub tie: TieRule<'a>,
}

/// A storage problem that makes no sense, as opposed to one that cannot be met.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
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
    /// Whether the two lines form a convex function, so that charging and discharging at once never pays.
    pub fn is_convex(self) -> bool {
        self.discharge <= self.charge
    }
}

impl StorageProblem<'_> {
    /// Number of slots T.
    pub fn slots(&self) -> usize {
        self.buy.len()
    }

    /// Most energy that can enter the battery in `slot`, kWh.
    #[inline]
    pub fn charge_kwh_max(&self, slot: usize) -> f64 {
        self.charge_kw_max.at(slot) * self.charge_efficiency * self.slot_hours
    }

    /// Most energy that can leave the battery in `slot`, kWh.
    #[inline]
    pub fn discharge_kwh_max(&self, slot: usize) -> f64 {
        self.discharge_kw_max.at(slot) * self.slot_hours / self.discharge_efficiency
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

    /// Grid-side power that moves `energy` kWh into (> 0) or out of (< 0) the battery in one slot, kW.
    #[inline]
    pub fn power_for(&self, energy: f64) -> f64 {
        if energy > 0.0 {
            energy / (self.charge_efficiency * self.slot_hours)
        } else {
            energy * self.discharge_efficiency / self.slot_hours
        }
    }

    /// Energy that `power` kW on the grid side brings into (> 0) the battery in one slot, kWh.
    #[inline]
    pub fn energy_for(&self, power: f64) -> f64 {
        if power > 0.0 {
            power * self.charge_efficiency * self.slot_hours
        } else {
            power / self.discharge_efficiency * self.slot_hours
        }
    }

    /// The objective of (14) for a schedule (kW, positive charges), less the terminal value.
    pub fn objective(&self, power_kw: &[f64]) -> f64 {
        let (mut money, mut energy) = (0.0, self.energy_kwh);
        for (slot, &power) in power_kw.iter().enumerate() {
            let price = if power > 0.0 { self.buy[slot] } else { self.sell[slot] - self.degradation };
            money += price * power;
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
        self.validate_lengths()?;
        self.validate_numbers()?;
        (0..self.slots()).try_for_each(|slot| self.validate_slot(slot))
    }

    fn validate_lengths(&self) -> Result<(), ProblemError> {
        let expected = self.slots();
        let length = |column, found| {
            if found == expected { Ok(()) } else { Err(ProblemError::Length { column, found, expected }) }
        };
        length("sell price", self.sell.len())?;
        if let TieRule::ValleyFill(load) = self.tie {
            length("load to fill", load.len())?;
        }
        for (column, values) in self.per_slot_columns() {
            if let (PerSlot::Each(each), false) = (values, values.has_length(expected)) {
                length(column, each.len())?;
            }
        }
        Ok(())
    }

    fn per_slot_columns(&self) -> [(&'static str, PerSlot<'_>); 4] {
        [
            ("charge power", self.charge_kw_max),
            ("discharge power", self.discharge_kw_max),
            ("least energy", self.energy_kwh_min),
            ("most energy", self.energy_kwh_max),
        ]
    }

    fn validate_numbers(&self) -> Result<(), ProblemError> {
        let share = |value: f64| value > 0.0 && value <= 1.0;
        let one = |column, value: f64, right: bool, allowed| {
            if right { Ok(()) } else { Err(ProblemError::Value { column, slot: 0, value, allowed }) }
        };
        let hours = self.slot_hours;
        one("slot length", hours, hours > 0.0 && hours.is_finite(), "above 0 h")?;
        one("degradation cost", self.degradation, self.degradation.is_finite(), "a finite number")?;
        one("terminal value", self.terminal_value, self.terminal_value.is_finite(), "a finite number")?;
        one("stored energy", self.energy_kwh, self.energy_kwh.is_finite(), "a finite number")?;
        one("target energy", self.target_kwh, self.target_kwh.is_finite(), "a finite number")?;
        let (charge, discharge) = (self.charge_efficiency, self.discharge_efficiency);
        one("charge efficiency", charge, share(charge), "above 0 and at most 1")?;
        one("discharge efficiency", discharge, share(discharge), "above 0 and at most 1")
    }

    fn validate_slot(&self, slot: usize) -> Result<(), ProblemError> {
        let one = |column, value: f64, right: bool, allowed| {
            if right { Ok(()) } else { Err(ProblemError::Value { column, slot, value, allowed }) }
        };
        for (column, value) in [("buy price", self.buy[slot]), ("sell price", self.sell[slot])] {
            one(column, value, value.is_finite(), "a finite number")?;
        }
        if let TieRule::ValleyFill(load) = self.tie {
            one("load to fill", load[slot], load[slot].is_finite(), "a finite number")?;
        }
        for (index, (column, values)) in self.per_slot_columns().into_iter().enumerate() {
            let value = values.at(slot);
            let power = index < 2;
            let allowed = if power { "finite and not negative" } else { "a finite number" };
            one(column, value, value.is_finite() && (!power || value >= 0.0), allowed)?;
        }
        let (least, most) = (self.energy_kwh_min.at(slot), self.energy_kwh_max.at(slot));
        if least <= most { Ok(()) } else { Err(ProblemError::CrossedBounds { slot, least, most }) }
    }
}
