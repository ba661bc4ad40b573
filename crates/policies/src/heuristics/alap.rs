//! Charging as late as possible.

use serde::Deserialize;
use voltide_policy::{Host, Observation, Policy, Result, Schedules, observation::charge_at_once};

/// Puts the energy wanted at departure into the last slots of the announced stay, at full power,
/// the first of them partial. It never discharges and knows no price.
///
/// The mirror of charging at once: it keeps batteries from standing full, and shows what it costs
/// to trust an announced departure, since a car that leaves early leaves empty. Where the
/// horizon ends before the stay, its last slots count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alap {}

impl Policy for Alap {
    const NAME: &'static str = "alap";

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
            usable.reverse();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Uncontrolled;
    use proptest::prelude::*;
    use voltide_policy::testing::{Car, ObservationBuilder, plan};

    #[test]
    fn the_first_of_the_last_slots_is_partial() {
        let car = Car { departure_energy_kwh: 24.0, departure_slot: 15, ..Car::default() };
        let powers = plan(&mut Alap {}, &ObservationBuilder::new(7).at(10).car(car)).unwrap();
        assert_eq!(powers, [[0.0, 0.0, 2.0, 7.0, 7.0, 0.0, 0.0]]);
    }

    #[test]
    fn a_car_that_cannot_reach_its_target_charges_all_along() {
        let car = Car { arrival_slot: 1, ..Car::default() };
        let powers = plan(&mut Alap {}, &ObservationBuilder::new(4).car(car)).unwrap();
        assert_eq!(powers, [[0.0, 7.0, 7.0, 7.0]]);
    }

    proptest! {
        #[test]
        fn it_mirrors_charging_at_once(
            energy_kwh in 0.0..60.0,
            charge_kw_max in 0.0..30.0,
            slots in 1_u32..60,
        ) {
            let car = Car { energy_kwh, charge_kw_max, departure_slot: slots, ..Car::default() };
            let shown = ObservationBuilder::new(48).car(car);
            let mut late = plan(&mut Alap {}, &shown).unwrap().remove(0);
            late[..(slots as usize).min(48)].reverse();
            prop_assert_eq!(late, plan(&mut Uncontrolled {}, &shown).unwrap().remove(0));
        }
    }
}
