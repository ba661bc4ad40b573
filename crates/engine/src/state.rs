//! The state of a run beside the cars' own, and what systems look up of the scenario.

use crate::{cars::BLOCK, plan_book::PlanBook};
use bevy_ecs::prelude::*;
use std::{collections::BTreeMap, ops::Range, sync::Arc};
use voltide_model::{
    battery::{EnergyBounds, SlotBattery},
    columns::{Ledger, SystemTick},
    fleet::FleetRange,
    id::{EvId, SiteId, StayId},
    scenario::Scenario,
    site::{Charger, Site},
    stay::Calendar,
};

/// Energy within which a car arrives as it was expected to, kWh.
pub(crate) const EXPECTED_WITHIN_KWH: f64 = 1e-6;

/// The scenario that holds, with what follows from it alone; from a fork on it is another.
#[derive(Resource)]
pub(crate) struct ScenarioInForce {
    pub scenario: Arc<Scenario>,
    pub calendar: Calendar,
    pub fleets: Vec<FleetConstants>,
    pub pieces: Vec<Piece>,
    /// Per site: itself and the sites that it is connected through.
    site_chains: Vec<Vec<SiteId>>,
}

/// What all cars of a fleet share, ready for the kernels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FleetConstants {
    pub battery: SlotBattery,
    pub soc_min: f64,
    pub soc_max: f64,
    pub charge_efficiency: f64,
    pub discharge_efficiency: f64,
    pub degradation_per_kwh: f64,
    pub tariff: usize,
    /// State of charge that discharging must leave.
    pub v2g_soc_min: f64,
}

/// Cars of one block and one fleet: what a kernel works on at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub evs: Range<usize>,
    pub fleet: usize,
}

impl FleetConstants {
    /// Stored energy before a session put `charged_kwh` in and took `discharged_kwh` out, both on
    /// the grid side, where the battery holds `energy_kwh` now, kWh.
    pub(crate) fn energy_before(
        &self,
        energy_kwh: f64,
        charged_kwh: f64,
        discharged_kwh: f64,
    ) -> f64 {
        let stored_kwh = charged_kwh * self.charge_efficiency;
        energy_kwh - stored_kwh + discharged_kwh / self.discharge_efficiency
    }
}

impl ScenarioInForce {
    pub(crate) fn new(scenario: Arc<Scenario>) -> Self {
        let calendar = Calendar::new(&scenario.population.stays, &scenario.clock);
        let hours = scenario.clock.slot_hours();
        // As plain numbers: kernels go by them for every car.
        let fleets = scenario.fleets.iter().map(|fleet| FleetConstants {
            battery: fleet.battery.slot(hours),
            soc_min: fleet.battery.soc_min.get(),
            soc_max: fleet.battery.soc_max.get(),
            charge_efficiency: fleet.battery.charge_efficiency.get(),
            discharge_efficiency: fleet.battery.discharge_efficiency.get(),
            degradation_per_kwh: fleet.battery.degradation_per_kwh,
            tariff: fleet.tariff as usize,
            v2g_soc_min: fleet.v2g_soc_min(),
        });
        let fleets = fleets.collect();
        let pieces = pieces(&scenario.population.fleets);
        let site_chains = (0..scenario.sites.len() as u32)
            .map(|site| site_chain(&scenario.sites, SiteId(site)))
            .collect();
        Self { scenario, calendar, fleets, pieces, site_chains }
    }

    pub(crate) fn fleet_of(&self, ev: EvId) -> &FleetConstants {
        &self.fleets[self.scenario.population.fleet_of(ev)]
    }

    /// Where a battery's stored energy is kept during a stay that began with `arrival_kwh`.
    pub(crate) fn battery_bounds(&self, ev: EvId, arrival_kwh: f64) -> EnergyBounds {
        let FleetConstants { soc_min, soc_max, .. } = self.fleet_of(ev);
        self.bounds(ev, *soc_min, *soc_max, arrival_kwh)
    }

    /// Where plans keep it, which leave what V2G must leave.
    pub(crate) fn plan_bounds(&self, ev: EvId, arrival_kwh: f64) -> EnergyBounds {
        let FleetConstants { v2g_soc_min, soc_max, .. } = self.fleet_of(ev);
        self.bounds(ev, *v2g_soc_min, *soc_max, arrival_kwh)
    }

    fn bounds(&self, ev: EvId, soc_min: f64, soc_max: f64, arrival_kwh: f64) -> EnergyBounds {
        let capacity_kwh = self.scenario.population.capacity_kwh[ev.row()];
        EnergyBounds::new(capacity_kwh, soc_min, soc_max)
            .widened_to(arrival_kwh, self.scenario.rules)
    }

    /// The charger at which a stay takes place.
    pub(crate) fn charger_of(&self, stay: StayId) -> &Charger {
        let population = &self.scenario.population;
        population.charger(population.stays.charger[stay.row()])
    }

    /// The site that a stay's charger stands behind, and those that it is connected through.
    pub(crate) fn sites_of(&self, stay: StayId) -> &[SiteId] {
        self.charger_of(stay).site.map_or(&[], |site| &self.site_chains[site.row()])
    }

    /// The site at the top of the tree that a site belongs to.
    pub(crate) fn root_of(&self, site: SiteId) -> SiteId {
        *self.site_chains[site.row()].last().unwrap_or(&site)
    }
}

fn site_chain(sites: &[Site], site: SiteId) -> Vec<SiteId> {
    std::iter::successors(Some(site), |&site| sites[site.row()].parent).collect()
}

/// Cuts consecutive ranges at block borders.
fn pieces(ranges: &[FleetRange]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for range in ranges {
        let (mut start, end) = (range.evs.start as usize, range.evs.end as usize);
        while start < end {
            // A piece of one block, so that what it moves makes one block's hash out of date.
            let stop = end.min((start / BLOCK + 1) * BLOCK);
            pieces.push(Piece { evs: start..stop, fleet: range.fleet });
            start = stop;
        }
    }
    pieces
}

/// The slot that is being simulated.
#[derive(Resource, Default, Clone, Copy)]
pub(crate) struct Now {
    pub tick: u32,
}

/// Stored energy that the stay of a plugged-in car began with, kWh: what it holds less what the
/// session put in, or as planned where the day follows upon itself and the session may be a stay's
/// second part.
pub(crate) fn arrival_kwh(
    in_force: &ScenarioInForce,
    book: &PlanBook,
    (ev, stay): (EvId, StayId),
    energy_kwh: f64,
    session: &Ledger,
) -> f64 {
    let fleet = in_force.fleet_of(ev);
    book.expected_of_folded(stay).unwrap_or_else(|| {
        fleet.energy_before(energy_kwh, session.charged_kwh, session.discharged_kwh)
    })
}

/// Number of cars plugged in.
#[derive(Resource, Default)]
pub(crate) struct PluggedIn(pub u32);

/// Energy stored in all cars, kWh; kept to check that none is lost.
#[derive(Resource, Default)]
pub(crate) struct StoredInAll(pub f64);

/// Energy that stays are expected to begin with, kWh, by stay; only between being expected and
/// planned.
#[derive(Resource, Default)]
pub(crate) struct ExpectedStays(pub BTreeMap<StayId, f64>);

/// The cars plugged in when a typical day begins, with their energy, kWh: they end the day with it.
#[derive(Resource, Default)]
pub(crate) struct PluggedAtMidnight(pub Vec<(EvId, f64)>);

/// Cars whose power a site limit cut.
#[derive(Resource, Default)]
pub(crate) struct SiteCuts {
    /// In this slot, ascending: due again at the next tick.
    pub in_slot: Vec<EvId>,
    /// Per car: whether in its open session; empty where there are no sites.
    pub in_session: Vec<bool>,
}

/// What was taken off set-points in the slot before, by car.
#[derive(Resource, Default)]
pub(crate) struct LastCuts(pub Vec<LastCut>);

/// What was left of one car's set-point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LastCut {
    pub ev: EvId,
    /// What it drew, kW.
    pub drawn_kw: f64,
    /// Whether a site cut it, its battery, or both.
    pub by_site: bool,
}

impl LastCuts {
    /// What was taken off a car's.
    pub(crate) fn of(&self, ev: EvId) -> Option<LastCut> {
        let place = self.0.binary_search_by_key(&ev, |cut| cut.ev).ok()?;
        self.0.get(place).copied()
    }

    /// Notes that a car was cut once more; cars come in their order.
    pub(crate) fn note(&mut self, cut: LastCut) {
        match self.0.last_mut().filter(|last| last.ev == cut.ev) {
            Some(last) => {
                last.drawn_kw = cut.drawn_kw;
                last.by_site |= cut.by_site;
            }
            None => self.0.push(cut),
        }
    }
}

/// Adds `ev` to an ascending list that does not hold it yet.
pub(crate) fn insert_sorted(list: &mut Vec<EvId>, ev: EvId) {
    match list.last() {
        Some(&last) if last >= ev => {
            if let Err(place) = list.binary_search(&ev) {
                list.insert(place, ev);
            }
        }
        _ => list.push(ev),
    }
}

/// Takes `ev` out of an ascending list, if it is there.
pub(crate) fn remove_sorted(list: &mut Vec<EvId>, ev: EvId) {
    if let Ok(place) = list.binary_search(&ev) {
        list.remove(place);
    }
}

/// What the balance of a slot came to: derived, for the records.
#[derive(Resource, Default)]
pub(crate) struct Balance(pub SystemTick);

/// Highest net load of the slots so far, cars included, kW; not negative.
#[derive(Resource, Default)]
pub(crate) struct NetLoadMost(pub f64);

/// Per car: price of a kWh charged in this slot; empty where every car pays its tariff.
#[derive(Resource, Default)]
pub(crate) struct ChargingPrices(pub Vec<f64>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_end_at_fleets_and_at_blocks() {
        let block = BLOCK as u32;
        let range =
            |fleet, evs| FleetRange { fleet, first_index: 0, evs, chargers: 0..0, removed: false };
        let cut = pieces(&[range(0, 0..10), range(1, 10..block + 5)]);
        let piece = |evs, fleet| Piece { evs, fleet };
        assert_eq!(cut, [piece(0..10, 0), piece(10..BLOCK, 1), piece(BLOCK..BLOCK + 5, 1)]);
    }

    #[test]
    fn sorted_lists_stay_sorted_and_unique() {
        let mut list = vec![];
        for ev in [3, 1, 2, 3, 9] {
            insert_sorted(&mut list, EvId(ev));
        }
        remove_sorted(&mut list, EvId(2));
        remove_sorted(&mut list, EvId(7));
        assert_eq!(list, [1, 3, 9].map(EvId));
    }
}
