//! Sites as entities, and the chargers behind them.
//!
//! A site below another knows it by [`SiteTree::parents`]. Shared chargers, at which one car comes
//! after another, are entities that know their car; a private one serves one car and has no state
//! of its own, so that it stays one of a range in the population (a million of them would take as
//! much memory as the cars). A car's charger is the same to ask for either way:
//! [`ScenarioInForce::charger_of`].

use crate::state::{ScenarioInForce, insert_sorted, remove_sorted};
use bevy_ecs::{prelude::*, system::SystemParam};
use std::ops::Range;
use voltide_model::{
    columns::SiteTick,
    fleet::Parking,
    id::{ChargerId, EvId, SiteId, StayId},
    scenario::Scenario,
    site::Site,
};

/// What a site may draw and feed in, with all that is connected through it. kW, not negative.
#[derive(Component, Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limit {
    pub import_kw: f64,
    pub export_kw: f64,
}

/// The cars plugged in behind a site itself, without the sites below it, ascending.
#[derive(Component, Debug, Default)]
pub(crate) struct CarsBehind(pub Vec<EvId>);

/// What a site came to in this slot.
#[derive(Component, Debug, Clone, Copy, Default)]
pub(crate) struct SiteLoad(pub SiteTick);

/// The site that a shared charger stands behind.
#[derive(Component, Debug, Clone, Copy)]
pub(crate) struct BehindSite(pub Entity);

/// The car at a shared charger.
#[derive(Component, Debug, Clone, Copy, Default)]
pub(crate) struct Occupied(pub Option<EvId>);

/// Sites and shared chargers by number: queries give entities in another order.
#[derive(Resource, Default)]
pub(crate) struct SiteTree {
    /// By site; a parent comes before its children.
    pub sites: Vec<Entity>,
    /// By site: the one above it.
    pub parents: Vec<Option<usize>>,
    /// Ids of shared chargers, and their entities.
    shared: Vec<(Range<u32>, Vec<Entity>)>,
}

impl From<&Site> for Limit {
    fn from(site: &Site) -> Self {
        Self { import_kw: site.import_limit.0, export_kw: site.export_limit.0 }
    }
}

impl SiteTree {
    /// The entity of a charger, if it is shared.
    fn shared(&self, charger: ChargerId) -> Option<Entity> {
        let (ids, entities) = self.shared.iter().find(|(ids, _)| ids.contains(&charger.0))?;
        Some(entities[(charger.0 - ids.start) as usize])
    }
}

/// Spawns the sites of a world and its shared chargers.
pub(crate) fn spawn_sites(world: &mut World, scenario: &Scenario) {
    let mut tree = SiteTree::default();
    // Before chargers, which know the entity of their site.
    for site in &scenario.sites {
        let parent = site.parent.map(SiteId::row);
        let entity = world.spawn((Limit::from(site), CarsBehind::default(), SiteLoad::default()));
        tree.sites.push(entity.id());
        tree.parents.push(parent);
    }
    let population = &scenario.population;
    for range in &population.fleets {
        if matches!(scenario.fleets[range.fleet].parking, Parking::Sessions { .. }) {
            let entities = range.chargers.clone().map(|charger| {
                let mut entity = world.spawn(Occupied::default());
                if let Some(site) = population.charger(ChargerId(charger)).site {
                    entity.insert(BehindSite(tree.sites[site.row()]));
                }
                entity.id()
            });
            let entities = entities.collect();
            tree.shared.push((range.chargers.clone(), entities));
        }
    }
    world.insert_resource(tree);
}

/// Other limits hold from a fork on.
pub(crate) fn set_limits(world: &mut World, sites: &[Site]) {
    let entities = world.resource::<SiteTree>().sites.clone();
    for (entity, site) in entities.into_iter().zip(sites) {
        world.entity_mut(entity).insert(Limit::from(site));
    }
}

/// Where cars stand.
#[derive(SystemParam)]
pub(crate) struct Places<'w, 's> {
    tree: Res<'w, SiteTree>,
    cars_behind: Query<'w, 's, &'static mut CarsBehind>,
    chargers: Query<'w, 's, (&'static mut Occupied, Option<&'static BehindSite>)>,
}

impl Places<'_, '_> {
    /// A car stands at the charger of its stay.
    pub(crate) fn plug_in(&mut self, in_force: &ScenarioInForce, ev: EvId, stay: StayId) {
        let site = self.occupy(in_force, stay, Some(ev));
        if let Some(mut behind) = site.and_then(|site| self.cars_behind.get_mut(site).ok()) {
            // Ascending: a site's sum must not depend on the order in which its cars came.
            insert_sorted(&mut behind.0, ev);
        }
    }

    /// A car leaves the charger of its stay.
    pub(crate) fn unplug(&mut self, in_force: &ScenarioInForce, ev: EvId, stay: StayId) {
        let site = self.occupy(in_force, stay, None);
        if let Some(mut behind) = site.and_then(|site| self.cars_behind.get_mut(site).ok()) {
            remove_sorted(&mut behind.0, ev);
        }
    }

    /// Notes the car at the charger of a stay, if that is shared; gives the site that it stands
    /// behind.
    ///
    /// # Panics
    /// If another car stands there.
    pub(crate) fn occupy(
        &mut self,
        in_force: &ScenarioInForce,
        stay: StayId,
        car: Option<EvId>,
    ) -> Option<Entity> {
        let charger = in_force.scenario.population.stays.charger[stay.row()];
        // A private charger is no entity.
        let Some(shared) = self.tree.shared(charger) else {
            return in_force.charger_of(stay).site.map(|site| self.tree.sites[site.row()]);
        };
        let (mut occupied, behind) = self.chargers.get_mut(shared).ok()?;
        assert!(
            car.is_none() || occupied.0.is_none(),
            "two cars at charger {charger}: {:?} and {car:?}",
            occupied.0
        );
        occupied.0 = car;
        behind.map(|behind| behind.0)
    }
}
