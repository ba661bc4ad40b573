//! The table `charger_ticks`: a row per slot and charger.

use crate::{rows::columns, value::Time};

columns! {
    /// One row per slot and charger, at the level of ev_ticks: where that is a sample, only
    /// chargers that a recorded car stands at.
    pub charger_ticks by tick, charger_id {
        /// start of the slot (UTC)
        ts: Time;
        /// the slot, counted from the start of the run
        tick: u32;
        /// the charger
        charger_id: u32;
        /// the site behind whose limit it stands
        site_id: Option<u32>, repeating;
        /// power at the charger
        power_kw: f32 = "kW", sign("positive charges");
        /// most that it charges with
        limit_kw: f32 = "kW", repeating;
        /// whether a car is plugged in
        occupied: bool;
        /// the car plugged in
        ev_id: Option<u32>;
    }
}
