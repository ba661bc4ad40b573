//! The table `site_ticks`: a row per slot and site.

use crate::{
    rows::rows,
    value::{Time, Word},
};
use voltide_model::{columns::SiteTick, scenario::Scenario};

rows! {
    /// One row per slot and site. A private home connection is its charger's limit, not a site.
    pub site_ticks by tick, site_id {
        /// start of the slot (UTC)
        ts: Time;
        /// the slot, counted from the start of the run
        tick: u32;
        /// the site
        site_id: u32;
        /// power of its chargers after the limit
        power_kw: f64 = "kW", sign("positive draws from the grid");
        /// most that its chargers may draw together
        limit_kw: f64 = "kW";
        /// most that they may feed in together; not negative
        export_limit_kw: f64 = "kW";
        /// power that set-points asked for
        asked_kw: f64 = "kW", sign("positive draws from the grid");
        /// cars plugged in
        plugged: u32;
        /// its name
        site: Word;
        /// length of the slot: power times this is energy
        step_h: f64 = "h", repeating;
    }
}

impl<'a> Row<'a> {
    /// The row of a site in a slot that was settled.
    pub(crate) fn of(tick: u32, site_id: u32, settled: &SiteTick, scenario: &'a Scenario) -> Self {
        let site = &scenario.sites[site_id as usize];
        Self {
            ts: Time::of_slot(&scenario.clock, tick),
            tick,
            site_id,
            power_kw: settled.power_kw,
            limit_kw: site.import_limit.0,
            export_limit_kw: site.export_limit.0,
            asked_kw: settled.asked_kw,
            plugged: settled.plugged,
            site: &site.name,
            step_h: scenario.clock.slot_hours(),
        }
    }
}
