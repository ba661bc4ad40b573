//! Charging without control: what cars do when nobody asks them.

use serde::Deserialize;
use voltide_policy::{Host, Observation, Policy, Result, Schedules, observation::charge_at_once};

/// Charges every car from its arrival on, as fast as its charger can, until it has the energy
/// wanted at departure; the last slot is partial. It never discharges and knows no price.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uncontrolled {}

impl Policy for Uncontrolled {
    const NAME: &'static str = "uncontrolled";

    fn plan(
        &mut self,
        _host: &Host,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result {
        for (stay, power_kw) in seen.stays().zip(schedules.rows()) {
            let usable = &mut power_kw[stay.window()];
            charge_at_once(
                usable,
                stay.charge_kw_max(),
                seen.slot_hours,
                stay.energy_to_departure(),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use voltide_policy::testing::{Car, ObservationBuilder, plan};

    /// Power that differs by less is the same, kW; energy likewise, kWh.
    const TOLERANCE: f64 = 1e-8;

    #[test]
    fn the_last_slot_is_partial() {
        let car = Car { energy_kwh: 40.0, departure_energy_kwh: 44.0, ..Car::default() };
        let powers = plan(&mut Uncontrolled {}, &ObservationBuilder::new(5).car(car)).unwrap();
        assert_eq!(powers, [[7.0, 7.0, 2.0, 0.0, 0.0]]);
    }

    #[test]
    fn a_car_that_has_enough_is_left_alone() {
        let car = Car { energy_kwh: 50.0, ..Car::default() };
        assert_eq!(
            plan(&mut Uncontrolled {}, &ObservationBuilder::new(3).car(car)).unwrap(),
            [[0.0; 3]]
        );
    }

    fn any_car() -> impl Strategy<Value = Car> {
        let battery = (5.0..100.0, 0.0..=1.0, 0.0..=1.0, 0.3..=1.0, 0.7..=1.0);
        (battery, 0.0..50.0, 6_u32..60).prop_map(|(battery, charge_kw_max, departure_slot)| {
            let (capacity_kwh, soc, departure_soc, soc_max, charge_efficiency) = battery;
            Car {
                capacity_kwh,
                energy_kwh: soc * capacity_kwh,
                energy_kwh_max: soc_max * capacity_kwh,
                departure_energy_kwh: departure_soc * capacity_kwh,
                charge_kw_max,
                charge_efficiency,
                departure_slot,
                ..Car::default()
            }
        })
    }

    proptest! {
        #[test]
        fn a_car_reaches_its_target_or_charges_at_full_power_all_along(car in any_car()) {
            let shown = ObservationBuilder::new(48).at(5).car(car);
            let powers = plan(&mut Uncontrolled {}, &shown).unwrap().remove(0);
            let (used, after) = powers.split_at((car.departure_slot as usize - 5).min(48));
            prop_assert!(used.iter().all(|power| (0.0..=car.charge_kw_max).contains(power)));
            prop_assert!(after.iter().all(|&power| power == 0.0));
            prop_assert!(used.is_sorted_by(|earlier, later| earlier >= later));
            let stored = used.iter().sum::<f64>() * 0.25 * car.charge_efficiency;
            let target = car.departure_energy_kwh.min(car.energy_kwh_max);
            let reached = (car.energy_kwh + stored - target).abs() < TOLERANCE;
            let full_power = used.iter().all(|power| car.charge_kw_max - power < TOLERANCE);
            prop_assert!(reached || full_power || (stored == 0.0 && car.energy_kwh >= target));
        }
    }
}
