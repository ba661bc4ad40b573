//! A plugin that panics, on its config or when it is asked.

use serde::Deserialize;
use voltide_policy::{Host, Observation, Policy, Result, Schedules};

/// Panics at the slot that its config names.
#[derive(Debug, Deserialize)]
#[serde(try_from = "u32")]
pub struct Broken {
    slot: usize,
}

impl TryFrom<u32> for Broken {
    type Error = String;

    fn try_from(slot: u32) -> std::result::Result<Self, String> {
        assert_ne!(slot, 13, "slot 13 does not exist");
        Ok(Self { slot: slot as usize })
    }
}

impl Policy for Broken {
    const NAME: &'static str = "broken";

    fn plan(&mut self, _host: &Host, _seen: &Observation<'_>, schedules: &mut Schedules<'_>) -> Result {
        schedules.power_kw[self.slot] = 1.0;
        Ok(())
    }
}

voltide_policy::export_policy!(Broken);
