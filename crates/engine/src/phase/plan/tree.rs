//! The second showing: all plugged cars of a tree of sites whose limits plans do not keep together.
//!
//! Cars are planned alone first. While what they will draw and the plans in force keep every limit
//! of the tree, those plans stand, and nobody else is shown.

use crate::{
    batch::ToPlan,
    planning::Planning,
    sites::{CarsBehind, SiteTree},
    state::ScenarioInForce,
};
use bevy_ecs::{prelude::*, system::SystemParam};
use voltide_model::{
    id::{EvId, SiteId, StayId},
    rules::Rules,
    scenario::Planning as Plans,
};
use voltide_policy::planner::PolicyInfo;

/// Power beyond a limit that is rounding, kW: sites cut nothing for it either.
const BEYOND_MIN_KW: f64 = 1e-9;

/// Where plugged cars stand.
#[derive(SystemParam)]
pub(super) struct Trees<'w, 's> {
    tree: Res<'w, SiteTree>,
    cars_behind: Query<'w, 's, &'static CarsBehind>,
}

/// Whether a policy is shown whole trees. Runs of 0.1.0 never are. Where stays are planned before
/// their day begins, cars that are there would have to keep limits which the plans of those to come
/// have broken already.
pub(super) fn are_shown(seen: &Planning, policy: &PolicyInfo) -> bool {
    let scenario = &seen.in_force.scenario;
    policy.whole_tree && scenario.rules >= Rules::V2 && scenario.planning == Plans::AtPlugIn
}

/// Roots of the trees in which stays that were just planned stand, and whose limits the plans in
/// force do not keep until the last of these stays ends; ascending.
pub(super) fn crowded(seen: &Planning, planned: &[StayId]) -> Vec<SiteId> {
    let scenario = &seen.in_force.scenario;
    let stays = &scenario.population.stays;
    let ends = planned.iter().map(|&stay| stays.announced_end_slot(stay, &scenario.clock));
    // An overdue car is planned for one slot.
    let end = ends.max().unwrap_or(0).max(seen.tick + 1);
    let above = planned.iter().filter_map(|&stay| seen.in_force.sites_of(stay).last().copied());
    let mut roots: Vec<SiteId> = above.collect();
    roots.sort_unstable();
    roots.dedup();
    roots.retain(|&root| {
        let mut sites = sites_below(seen.in_force, root);
        sites.any(|site| (seen.tick..end).any(|slot| is_beyond(seen, site, slot)))
    });
    roots
}

/// Whether the plans in force exceed a limit of a site in a slot.
fn is_beyond(seen: &Planning, site: SiteId, slot: u32) -> bool {
    let limits = &seen.in_force.scenario.sites[site.row()];
    let kw = seen.plans.site_committed_kw(site, slot);
    kw > limits.import_limit.0 + BEYOND_MIN_KW || -kw > limits.export_limit.0 + BEYOND_MIN_KW
}

/// A root and all sites below it.
fn sites_below(in_force: &ScenarioInForce, root: SiteId) -> impl Iterator<Item = SiteId> {
    let sites = (0..in_force.scenario.sites.len() as u32).map(SiteId);
    sites.filter(move |&site| in_force.root_of(site) == root)
}

impl Trees<'_, '_> {
    /// All cars that are plugged in below a root, by car.
    pub(super) fn plugged(&self, seen: &Planning, root: SiteId) -> Vec<ToPlan> {
        let mut evs: Vec<EvId> = Vec::new();
        for site in sites_below(seen.in_force, root) {
            let behind = self.cars_behind.get(self.tree.sites[site.row()]);
            evs.extend(behind.iter().flat_map(|cars| &cars.0));
        }
        evs.sort_unstable();
        evs.into_iter().map(|ev| in_progress(seen, ev)).collect()
    }
}

/// The stay that a car is plugged in for.
fn in_progress(seen: &Planning, ev: EvId) -> ToPlan {
    let energy_kwh = seen.energy_kwh[ev.row()];
    ToPlan { ev, stay: seen.stay[ev.row()], energy_kwh, arrival_kwh: seen.arrival_kwh(ev) }
}
