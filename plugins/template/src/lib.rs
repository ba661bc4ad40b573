//! The policy `template`: charges every car at once, as fast as it can, until it has what it needs.

use serde::Deserialize;
use voltide_policy::{Host, Observation, Policy, Result, Schedules, export_policy};

/// The policy. Its fields are what a world file may say of it, under `policies: { "template": (...) }`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {}

impl Policy for Template {
    const NAME: &'static str = "template";

    fn plan(
        &mut self,
        _host: &Host,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result {
        for stay in seen.stays() {
            schedules.row(stay).charge_from(0, stay.energy_to_departure());
        }
        Ok(())
    }
}

export_policy!(Template);

#[cfg(test)]
mod tests {
    use super::*;
    use voltide_policy::testing::{Car, ObservationBuilder, plan};

    #[test]
    fn a_car_charges_at_once_until_it_has_what_it_needs() {
        let car = Car {
            energy_kwh: 40.0,
            departure_energy_kwh: 44.0,
            charge_kw_max: 7.0,
            ..Car::default()
        };
        let shown = ObservationBuilder::new(5).car(car);
        assert_eq!(plan(&mut Template {}, &shown).unwrap(), [[7.0, 7.0, 2.0, 0.0, 0.0]]);
    }
}
