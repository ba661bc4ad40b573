//! Which cars make a group: those of a fleet, or those behind a site and the sites below it.
//!
//! Cars of one fleet that stand directly behind one site, or behind none, are a cell; what a cell
//! comes to counts for its fleet, its site, and the sites that this one is connected through.

use crate::offers::{Headroom, Offer};
use std::collections::BTreeMap;
use voltide_model::{
    id::{ChargerId, EvId, SiteId},
    scenario::Scenario,
};

/// What the plugged-in cars of a group come to in a slot, without what they could do otherwise.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    pub(crate) plugged: u32,
    /// Applied power, kW.
    pub(crate) power_kw: f64,
    /// Stored at the slot's end, kWh, as all that follows.
    pub(crate) energy_kwh: f64,
    /// Stored when their stays began.
    pub(crate) arrival_kwh: f64,
    /// Missing to their targets.
    pub(crate) wanted_kwh: f64,
    pub(crate) low_kwh: f64,
    pub(crate) low_agreed_kwh: f64,
    pub(crate) high_kwh: f64,
    /// Sum of the targets' states of charge.
    pub(crate) soc_target: f64,
    /// State of charge of each.
    pub(crate) soc: Vec<f64>,
}

impl Held {
    fn add(&mut self, other: &Self) {
        self.plugged += other.plugged;
        self.power_kw += other.power_kw;
        self.energy_kwh += other.energy_kwh;
        self.arrival_kwh += other.arrival_kwh;
        self.wanted_kwh += other.wanted_kwh;
        self.low_kwh += other.low_kwh;
        self.low_agreed_kwh += other.low_agreed_kwh;
        self.high_kwh += other.high_kwh;
        self.soc_target += other.soc_target;
        self.soc.extend_from_slice(&other.soc);
    }
}

/// One cell in one slot.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    pub(crate) held: Held,
    pub(crate) offer: Offer,
}

/// A group in one slot.
#[derive(Debug, Default)]
pub(crate) struct GroupTick {
    pub(crate) held: Held,
    pub(crate) offer: Offer,
}

/// All cells of a world.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    numbers: BTreeMap<(usize, Option<SiteId>), usize>,
    cells: Vec<Cell>,
}

impl Cells {
    /// Those of a scenario that begins to hold.
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let mut cells = Self::default();
        for (range, chargers) in
            scenario.population.fleets.iter().zip(&scenario.population.chargers)
        {
            for charger in &chargers.kinds {
                let number = cells.numbers.len();
                cells.numbers.entry((range.fleet, charger.site)).or_insert(number);
            }
        }
        cells.cells.resize_with(cells.numbers.len(), Cell::default);
        cells
    }

    /// The number of the cell of a fleet's cars behind a site.
    pub(crate) fn number_of(&self, cell: (usize, Option<SiteId>)) -> usize {
        self.numbers[&cell]
    }

    /// A slot begins, in which none has anything yet.
    pub(crate) fn clear(&mut self) {
        self.cells.fill_with(Cell::default);
    }

    /// The cell of a number.
    pub(crate) fn cell(&mut self, number: usize) -> &mut Cell {
        &mut self.cells[number]
    }

    /// The groups of a scenario: its fleets, then its sites.
    pub(crate) fn groups(&self, scenario: &Scenario, heads: &[Headroom]) -> Vec<GroupTick> {
        let mut groups: Vec<GroupTick> = Vec::new();
        groups.resize_with(scenario.fleets.len() + scenario.sites.len(), GroupTick::default);
        let (fleets, sites) = groups.split_at_mut(scenario.fleets.len());
        let mut own: Vec<BTreeMap<usize, Offer>> = Vec::new();
        own.resize_with(fleets.len(), BTreeMap::new);
        let mut of_all = BTreeMap::<usize, Offer>::new();
        for (&(fleet, site), &number) in &self.numbers {
            let Cell { held, offer } = &self.cells[number];
            if held.plugged == 0 {
                continue;
            }
            fleets[fleet].held.add(held);
            let Some(site) = site else {
                fleets[fleet].offer.join(offer);
                continue;
            };
            own[fleet].entry(site.row()).or_default().join(offer);
            of_all.entry(site.row()).or_default().join(offer);
            for above in chain(scenario, site) {
                sites[above.row()].held.add(held);
            }
        }
        for (fleet, own) in fleets.iter_mut().zip(own) {
            up_the_tree(scenario, heads, own, |site, offer| {
                if scenario.sites[site].parent.is_none() {
                    fleet.offer.join(offer);
                }
            });
        }
        up_the_tree(scenario, heads, of_all, |site, offer| sites[site].offer = offer.clone());
        limit_from_above(scenario, heads, sites);
        groups
    }
}

/// A site and those that it is connected through.
fn chain(scenario: &Scenario, site: SiteId) -> impl Iterator<Item = SiteId> {
    std::iter::successors(Some(site), |site| scenario.sites[site.row()].parent)
}

/// Adds what the cars directly behind sites offer up the tree, and shows what passes each site.
fn up_the_tree(
    scenario: &Scenario,
    heads: &[Headroom],
    mut own: BTreeMap<usize, Offer>,
    mut show: impl FnMut(usize, &Offer),
) {
    // A parent comes before its children, so that from the last to the first each has all.
    while let Some((site, mut offer)) = own.pop_last() {
        offer.limit(&heads[site]);
        show(site, &offer);
        if let Some(parent) = scenario.sites[site].parent {
            own.entry(parent.row()).or_default().join(&offer);
        }
    }
}

/// Holds what sites offer to what those above let pass.
fn limit_from_above(scenario: &Scenario, heads: &[Headroom], sites: &mut [GroupTick]) {
    for (site, group) in sites.iter_mut().enumerate() {
        let above = scenario.sites[site].parent;
        for above in above.into_iter().flat_map(|above| chain(scenario, above)) {
            group.offer.limit(&heads[above.row()]);
        }
    }
}

/// The car's fleet, and the site that its charger stands behind.
pub(crate) fn cell_of(
    scenario: &Scenario,
    ev: EvId,
    charger: ChargerId,
) -> (usize, Option<SiteId>) {
    let population = &scenario.population;
    (population.fleet_of(ev), population.charger(charger).site)
}
