//! A plugin that panics, on its config or when it is asked.

use serde::{Deserialize, Deserializer};
use voltide_policy::{Host, Observation, Policy, Result, Schedules};

/// Panics at the slot that its config names.
#[derive(Debug, Deserialize)]
pub struct Broken {
    #[serde(deserialize_with = "lucky")]
    slot: usize,
}

fn lucky<'de, D: Deserializer<'de>>(config: D) -> std::result::Result<usize, D::Error> {
    let slot = usize::deserialize(config)?;
    assert_ne!(slot, 13, "slot 13 does not exist");
    Ok(slot)
}

impl Policy for Broken {
    const NAME: &'static str = "broken";

    fn plan(
        &mut self,
        _host: &Host,
        _seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result {
        schedules.power_kw[self.slot] = 1.0;
        Ok(())
    }
}

voltide_policy::export_policy!(Broken);
