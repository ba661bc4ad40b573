//! A battery, seen from the plug.
//!
//! `E[k+1] = E[k] + η_c·P_c·Δt - P_d/η_d·Δt` with power on the grid side in both
//! directions and one-way efficiencies; within a slot a battery charges or discharges,
//! never both.

use crate::{quantity::Share, rules::Rules};

/// The least efficiency that is reckoned with, either way.
///
/// Below it so little passes that nothing can be told from nothing, while its reciprocal, by which
/// costs and powers are found, leaves the numbers that there are.
const EFFICIENCY_MIN: Share = Share::constant(1e-9);

/// The efficiency to reckon with: the one given, or `EFFICIENCY_MIN` where that is more. Up to
/// [`Rules::V1`] it was the one given.
pub fn reckoned_efficiency(given: Share, rules: Rules) -> Share {
    if rules >= Rules::V2 && given < EFFICIENCY_MIN { EFFICIENCY_MIN } else { given }
}

/// What a fleet's batteries have in common; capacity is drawn per car.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Battery {
    /// Lowest state of charge that discharging may reach.
    pub soc_min: Share,
    /// Highest state of charge that charging may reach.
    pub soc_max: Share,
    /// Stored energy per grid-side energy charged; above 0.
    pub charge_efficiency: Share,
    /// Grid-side energy per stored energy discharged; above 0.
    pub discharge_efficiency: Share,
    /// Price of wear per grid-side kWh discharged.
    pub degradation_per_kwh: f64,
}

/// Between which amounts of stored energy a car may be moved, kWh.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EnergyBounds {
    /// What discharging must leave.
    pub least_kwh: f64,
    /// What charging may reach.
    pub most_kwh: f64,
}

impl EnergyBounds {
    /// Of a battery of so many kWh when full, by states of charge.
    pub fn new(capacity_kwh: f64, soc_min: f64, soc_max: f64) -> Self {
        Self { least_kwh: capacity_kwh * soc_min, most_kwh: capacity_kwh * soc_max }
    }

    /// Widened to what a stay begins with: `min(S_0, m)` and `max(S_0, SOC_max)`. A car that
    /// arrives outside its bounds may be moved back to where it was, never further away. Up to
    /// [`Rules::V1`] bounds were not widened.
    #[must_use]
    pub fn widened_to(self, energy_kwh: f64, rules: Rules) -> Self {
        match rules {
            Rules::V1 => self,
            Rules::V2 => Self {
                least_kwh: self.least_kwh.min(energy_kwh),
                most_kwh: self.most_kwh.max(energy_kwh),
            },
        }
    }
}

/// How one slot of power moves stored energy: [`Battery`] with the slot length worked in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlotBattery {
    /// kWh stored per kW charged over the slot.
    pub stored_per_kw: f64,
    /// kWh taken from store per kW discharged over the slot.
    pub drawn_per_kw: f64,
    /// kW that store one kWh in the slot.
    pub kw_per_stored: f64,
    /// kW that one kWh of store delivers in the slot.
    pub kw_per_drawn: f64,
}

impl Battery {
    /// The battery's coefficients for slots of `hours`.
    pub fn slot(&self, hours: f64) -> SlotBattery {
        // Divided here, once a fleet, so that kernels over all cars only multiply.
        let stored_per_kw = self.charge_efficiency.get() * hours;
        let drawn_per_kw = hours / self.discharge_efficiency.get();
        SlotBattery {
            stored_per_kw,
            drawn_per_kw,
            kw_per_stored: 1.0 / stored_per_kw,
            kw_per_drawn: 1.0 / drawn_per_kw,
        }
    }

    /// Stored energy that comes of `charged_kwh` on the grid side, kWh.
    pub fn stored_kwh(&self, charged_kwh: f64) -> f64 {
        charged_kwh * self.charge_efficiency.get()
    }

    /// Stored energy that `discharged_kwh` on the grid side take, kWh.
    pub fn drawn_kwh(&self, discharged_kwh: f64) -> f64 {
        discharged_kwh / self.discharge_efficiency.get()
    }

    /// What discharging so much on the grid side costs in wear.
    pub fn wear_cost(&self, discharged_kwh: f64) -> f64 {
        discharged_kwh * self.degradation_per_kwh
    }
}

impl SlotBattery {
    /// The power that `asked` becomes, so that stored energy stays within `bounds`; see
    /// [`fit`](Self::fit).
    pub fn fit_within(&self, asked: f64, energy: f64, bounds: EnergyBounds) -> f64 {
        self.fit(asked, energy, bounds.least_kwh, bounds.most_kwh)
    }

    /// The power that `asked` becomes, so that stored energy stays within `[lowest, highest]`.
    ///
    /// A battery that already lies outside its bounds may move towards them, never further away.
    /// All in kW and kWh; positive power charges.
    #[inline]
    pub fn fit(&self, asked: f64, energy: f64, lowest: f64, highest: f64) -> f64 {
        let charge_max = ((highest - energy) * self.kw_per_stored).max(0.0);
        let discharge_max = ((energy - lowest) * self.kw_per_drawn).max(0.0);
        // Adding zero turns -0.0 into 0.0, so that equal power has equal bytes.
        asked.min(charge_max).max(-discharge_max) + 0.0
    }

    /// Stored energy after one slot at `power`.
    #[inline]
    pub fn after(&self, energy: f64, power: f64) -> f64 {
        energy + power.max(0.0) * self.stored_per_kw + power.min(0.0) * self.drawn_per_kw
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn battery() -> SlotBattery {
        Battery {
            soc_min: Share::ZERO,
            soc_max: Share::ONE,
            charge_efficiency: Share::new(0.95).unwrap(),
            discharge_efficiency: Share::new(0.9).unwrap(),
            degradation_per_kwh: 0.0,
        }
        .slot(0.25)
    }

    #[test]
    fn a_car_that_arrives_outside_its_bounds_may_go_back_to_where_it_was() {
        let bounds = EnergyBounds::new(50.0, 0.5, 0.75);
        let of = |least_kwh, most_kwh| EnergyBounds { least_kwh, most_kwh };
        assert_eq!(bounds, of(25.0, 37.5));
        let widened =
            [10.0, 30.0, 45.0].map(|arrival_kwh| bounds.widened_to(arrival_kwh, Rules::V2));
        assert_eq!(widened, [of(10.0, 37.5), of(25.0, 37.5), of(25.0, 45.0)]);
        assert_eq!(bounds.widened_to(10.0, Rules::V1), bounds, "as 0.1.0 did");
        let discharged = battery().fit_within(-99.0, 12.0, widened[0]);
        assert!((battery().after(12.0, discharged) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn efficiencies_are_one_way_and_power_is_grid_side() {
        assert!((battery().after(30.0, 7.0) - (30.0 + 7.0 * 0.25 * 0.95)).abs() < 1e-12);
        assert!((battery().after(30.0, -7.0) - (30.0 - 7.0 * 0.25 / 0.9)).abs() < 1e-12);
    }

    #[test]
    fn an_efficiency_is_not_so_small_that_its_reciprocal_is_none() {
        let reckoned =
            |given: f64, rules| reckoned_efficiency(Share::new(given).unwrap(), rules).get();
        assert_eq!(reckoned(5e-324, Rules::V1), 5e-324, "as 0.1.0 did");
        for given in [5e-324, 1e-310, 1e-20] {
            assert_eq!(reckoned(given, Rules::V2), 1e-9);
        }
        assert_eq!(reckoned(1e-3, Rules::V2), 1e-3);
    }

    #[test]
    fn the_last_slot_is_partial() {
        let power = battery().fit(7.0, 59.0, 0.0, 60.0);
        assert!((battery().after(59.0, power) - 60.0).abs() < 1e-12);
        assert!(power < 7.0);
    }

    #[test]
    fn a_battery_outside_its_bounds_may_only_move_towards_them() {
        assert_eq!(battery().fit(-7.0, 5.0, 12.0, 60.0), 0.0);
        assert_eq!(battery().fit(7.0, 5.0, 12.0, 60.0), 7.0);
        assert_eq!(battery().fit(7.0, 61.0, 12.0, 60.0), 0.0);
    }

    proptest! {
        #[test]
        fn fitted_power_keeps_energy_within_bounds(asked in -50.0..50.0_f64, energy in 12.0..60.0_f64) {
            let power = battery().fit(asked, energy, 12.0, 60.0);
            let after = battery().after(energy, power);
            prop_assert!((12.0 - 1e-9..=60.0 + 1e-9).contains(&after));
            prop_assert!(power.abs() <= asked.abs());
        }
    }
}
