//! The ranges of a world's quantities: what is usual, and what can be reckoned with.
//!
//! A value that is not usual is hardly meant: a unit is wrong, or a decimal comma was lost. Beyond
//! what can be reckoned with, sums lose the small numbers beside the large ones and optimisation
//! has no answer. Both ranges include their ends.

/// A quantity with its ranges.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Physical {
    /// What messages and docs call it.
    pub name: &'static str,
    /// The unit of its ranges, as a world writes it; empty for a bare number. Money is the world's.
    pub unit: &'static str,
    /// Least and most of what is usual.
    pub usual: (f64, f64),
    /// Least and most of what can be reckoned with.
    pub possible: (f64, f64),
}

/// Where a value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lies {
    /// Within what is usual.
    Usual,
    /// Outside of that, but it can be reckoned with.
    Unusual,
    /// Outside of what can be reckoned with, or no number.
    Impossible,
}

impl Physical {
    const fn new(
        name: &'static str,
        unit: &'static str,
        usual: (f64, f64),
        possible: (f64, f64),
    ) -> Self {
        Self { name, unit, usual, possible }
    }

    /// Where a value in [`unit`](Self::unit) lies.
    pub fn lies(&self, value: f64) -> Lies {
        let within = |(least, most): (f64, f64)| (least..=most).contains(&value);
        match () {
            () if within(self.usual) => Lies::Usual,
            () if within(self.possible) => Lies::Unusual,
            () => Lies::Impossible,
        }
    }
}

// The limits of what is possible keep all that power and energy may cost far below 1e20, beyond
// which CBC takes numbers for infinite.
/// Energy that a car's battery holds when full.
pub const CAR_CAPACITY: Physical =
    Physical::new("capacity of a car's battery", "kWh", (1.0, 2000.0), (1e-6, 1e6));
/// Energy that a car takes from its battery between two stays, or asks for in one.
pub const CAR_ENERGY: Physical =
    Physical::new("energy of a trip or session", "kWh", (0.0, 2000.0), (0.0, 1e6));
/// Power of a charger; the most that is usual is what the Megawatt Charging System gives a vehicle.
pub const CHARGER_POWER: Physical =
    Physical::new("power of a charger", "kW", (0.0, 3750.0), (0.0, 1e6));
/// Power of a connection that chargers share.
pub const SITE_POWER: Physical = Physical::new("power of a site", "kW", (0.0, 1e6), (0.0, 1e9));
/// One-way efficiency. Less than 1e-9 is reckoned as 1e-9.
pub const EFFICIENCY: Physical = Physical::new("efficiency", "", (0.5, 1.0), (0.0, 1.0));
/// Power of load, wind or sun in a slot; negative where a load is fed from elsewhere.
pub const SYSTEM_POWER: Physical =
    Physical::new("power of load, wind or sun", "kW", (-1e9, 1e9), (-1e10, 1e10));
/// Power of a unit.
pub const UNIT_POWER: Physical = Physical::new("power of a unit", "kW", (0.0, 1e8), (0.0, 1e9));
/// Energy that a store holds.
pub const STORE_ENERGY: Physical =
    Physical::new("energy of a store", "kWh", (0.0, 1e9), (0.0, 1e11));
/// How fast a unit's power may change.
pub const RAMP: Physical = Physical::new("ramp of a unit", "kW/h", (0.0, 1e9), (0.0, 1e11));
/// Price of energy.
pub const PRICE: Physical = Physical::new("price", "per kWh", (-1e5, 1e5), (-1e7, 1e7));
/// Factor of the square of power in a unit's cost.
pub const QUADRATIC_COST: Physical =
    Physical::new("quadratic cost `a`", "per kW² and hour", (0.0, 1.0), (0.0, 100.0));
/// Cost of a unit for an hour of being on.
pub const HOURLY_COST: Physical =
    Physical::new("hourly cost `c`", "per hour", (0.0, 1e7), (0.0, 1e9));
/// Cost of a start.
pub const START_COST: Physical = Physical::new("cost of a start", "", (0.0, 1e8), (0.0, 1e10));
// A month of 30 days, and a leap year.
/// For how long a unit must be, or has been, on or off.
pub const COMMITMENT_TIME: Physical =
    Physical::new("time on or off", "h", (0.0, 720.0), (0.0, 8784.0));
/// What the error of a forecast grows to, as a share.
pub const FORECAST_ERROR: Physical =
    Physical::new("error of a forecast", "", (0.0, 1.0), (0.0, 10.0));
/// How far prices follow net load.
pub const RHO: Physical = Physical::new("`rho`", "", (0.0, 10.0), (0.0, 1000.0));
/// The expected price in terms of the tariff.
pub const EXPECTED_PRICE: Physical =
    Physical::new("factor of the expected price", "", (0.01, 100.0), (1e-6, 1e6));
/// Reluctance of drivers, `a` of a curve.
pub const RELUCTANCE: Physical = Physical::new("`a` of a curve", "", (1e-3, 1e3), (1e-9, 1e9));
/// Steepness of a curve, `b`.
pub const STEEPNESS: Physical = Physical::new("`b` of a curve", "", (0.0, 1e3), (0.0, 1e6));

/// All quantities, in the order of the world file.
pub const ALL: [Physical; 19] = [
    CAR_CAPACITY,
    CAR_ENERGY,
    CHARGER_POWER,
    SITE_POWER,
    EFFICIENCY,
    RELUCTANCE,
    STEEPNESS,
    PRICE,
    SYSTEM_POWER,
    RHO,
    EXPECTED_PRICE,
    UNIT_POWER,
    RAMP,
    QUADRATIC_COST,
    HOURLY_COST,
    START_COST,
    COMMITMENT_TIME,
    STORE_ENERGY,
    FORECAST_ERROR,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_can_be_reckoned_with() {
        for it in ALL {
            assert!(it.possible.0 <= it.usual.0 && it.usual.1 <= it.possible.1, "{}", it.name);
            assert!(it.usual.0 < it.usual.1 && it.possible.1.is_finite(), "{}", it.name);
        }
    }

    #[test]
    fn what_is_no_number_is_impossible() {
        assert_eq!(PRICE.lies(f64::NAN), Lies::Impossible);
        assert_eq!(PRICE.lies(1e100), Lies::Impossible);
        assert_eq!(PRICE.lies(-2e5), Lies::Unusual);
        assert_eq!(PRICE.lies(0.3), Lies::Usual);
    }
}
