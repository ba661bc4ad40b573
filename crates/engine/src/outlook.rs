//! What sinks are shown of the slots to come.

use crate::{plan_book::PlanBook, prices::PriceBook, state::ScenarioInForce};
use voltide_model::{
    columns::Outlook,
    id::{EvId, SiteId},
};

/// Schedules and prices in force.
pub(crate) struct InForce<'a> {
    pub scenario: &'a ScenarioInForce,
    pub plans: &'a PlanBook,
    pub prices: &'a PriceBook,
}

impl Outlook for InForce<'_> {
    fn plan(&self, ev: EvId) -> (&[u32], &[f64]) {
        self.plans.segments(ev)
    }

    fn site_kw(&self, site: SiteId, slot: u32) -> f64 {
        self.plans.site_committed_kw(site, slot)
    }

    fn prices_of(&self, ev: EvId) -> u32 {
        self.prices.setting_of(ev.row())
    }

    fn incentive_ratio(&self, ev: EvId, slot: u32) -> f64 {
        let Some(incentive) = self.scenario.scenario.incentive else { return 1.0 };
        let prices = self.prices.of_ev(ev.row(), self.scenario.fleet_of(ev).tariff);
        let at = prices.at(slot.clamp(prices.first_slot, prices.end() - 1));
        incentive.expected.incentive_ratio(prices.k[at], prices.incentive[at])
    }
}
