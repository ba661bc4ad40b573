//! Charging without control: what cars do when nobody asks them.

use serde::Deserialize;
use voltide_policy::{Host, Observation, Policy, Result, Schedules, observation::charge_at_once};

/// Charges every car from now on, as fast as its charger can, until it has the energy wanted at
/// departure; the last slot is partial. It never discharges and knows no price.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uncontrolled {}

impl Policy for Uncontrolled {
    const NAME: &'static str = "uncontrolled";

    fn plan(&mut self, _host: &Host, seen: &Observation<'_>, schedules: &mut Schedules<'_>) -> Result {
        for (stay, power_kw) in seen.stays().zip(schedules.rows()) {
            let usable = &mut power_kw[..stay.slots()];
            charge_at_once(usable, stay.charge_kw_max(), seen.slot_hours, stay.energy_to_departure());
        }
        Ok(())
    }
}
