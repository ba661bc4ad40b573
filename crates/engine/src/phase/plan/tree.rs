//! The second showing: all plugged cars of a tree of sites whose limits plans do not keep together,
//! and where a day is planned before it begins, all its stays there.
//!
//! Cars are planned alone first. While what they will draw and the plans in force keep every limit
//! of the tree, those plans stand, and nobody else is shown. A car that leaves before its schedule
//! ends is another reason to look at its tree: others may want the room that it leaves, or have
//! leaned on what it fed in.

use crate::{
    batch::ToPlan,
    due::LeftEarly,
    plan_book::PlanBook,
    planning::Planning,
    sites::{CarsBehind, SiteTree},
    state::ScenarioInForce,
};
use bevy_ecs::{prelude::*, system::SystemParam};
use std::ops::Range;
use voltide_journal::event::{LimitUnkept, SessionEnded};
use voltide_model::{
    id::{EvId, SiteId, StayId},
    rules::Rules,
};
use voltide_policy::{observation::Shown, planner::PolicyInfo};

/// Power beyond a limit that is rounding, kW: sites cut nothing for it either.
const BEYOND_MIN_KW: f64 = 1e-9;

/// Power beyond a limit that is more than the rounding of a program, kW.
const UNKEPT_MIN_KW: f64 = 1e-6;

/// Share of a limit from which on it is met: plans of large groups leave a little of it.
const MET: f64 = 1.0 - 1e-3;

/// Where plugged cars stand.
#[derive(SystemParam)]
pub(super) struct Trees<'w, 's> {
    tree: Res<'w, SiteTree>,
    cars_behind: Query<'w, 's, &'static CarsBehind>,
}

/// Whether a policy is shown whole trees. Runs of 0.1.0 never are.
pub(super) fn are_shown(seen: &Planning, policy: &PolicyInfo) -> bool {
    policy.whole_tree && seen.in_force.scenario.rules >= Rules::V2
}

/// Notes which of the cars that leave at `now` do so before their schedules end, and where the room
/// that they leave may be wanted.
pub(crate) fn left_early(
    in_force: &ScenarioInForce,
    plans: &PlanBook,
    ended: &SessionEnded,
    now: u32,
) -> LeftEarly {
    let mut early = LeftEarly::default();
    for (&ev, &stay) in ended.ev.iter().zip(&ended.stay) {
        let sites = in_force.sites_of(stay);
        let Some(&root) = sites.last() else { continue };
        let mut left = plans.left_of(ev, now).peekable();
        if left.peek().is_none() {
            continue;
        }
        early.stays.push(stay);
        let meets = |(slots, kw): (Range<u32>, f64)| is_met(in_force, plans, (sites, slots), kw);
        if left.any(meets) {
            early.wanted.push(root);
        }
    }
    early
}

/// Whether one of `sites` has a limit in one of `slots` that is met in the direction of `kw`.
fn is_met(
    in_force: &ScenarioInForce,
    plans: &PlanBook,
    (sites, slots): (&[SiteId], Range<u32>),
    kw: f64,
) -> bool {
    let met = |site: SiteId, slot: u32| {
        let limits = &in_force.scenario.sites[site.row()];
        let committed_kw = plans.site_committed_kw(site, slot);
        if kw > 0.0 {
            committed_kw >= MET * limits.import_limit.0
        } else {
            -committed_kw >= MET * limits.export_limit.0
        }
    };
    sites.iter().any(|&site| slots.clone().any(|slot| met(site, slot)))
}

/// Roots of the trees that are to be shown whole, ascending: where stays were just `planned` alone,
/// or cars left `early`, and limits are not kept now; and where room that these left may be wanted.
pub(super) fn due(seen: &Planning, planned: &[StayId], early: LeftEarly) -> Vec<SiteId> {
    let mut changed = planned.to_vec();
    changed.extend(early.stays);
    let mut roots = crowded(seen, &changed);
    roots.extend(early.wanted);
    roots.sort_unstable();
    roots.dedup();
    roots
}

/// Roots of the trees in which stays stand whose plans have `changed`, and whose limits the plans
/// in force do not keep until the last of these stays was to end.
fn crowded(seen: &Planning, changed: &[StayId]) -> Vec<SiteId> {
    let scenario = &seen.in_force.scenario;
    let stays = &scenario.population.stays;
    let ends = changed.iter().map(|&stay| stays.announced_end_slot(stay, &scenario.clock));
    // An overdue car is planned for one slot.
    let end = ends.max().unwrap_or(0).max(seen.tick + 1);
    let above = changed.iter().filter_map(|&stay| seen.in_force.sites_of(stay).last().copied());
    let mut roots: Vec<SiteId> = above.collect();
    roots.sort_unstable();
    roots.dedup();
    roots.retain(|&root| {
        let mut sites = sites_below(seen.in_force, root);
        sites.any(|site| (seen.tick..end).any(|slot| over_kw(seen, site, slot) != 0.0))
    });
    roots
}

/// What the plans in force go beyond a limit of a site by in a slot, kW; negative where they feed
/// in too much, and 0 where they keep it.
fn over_kw(seen: &Planning, site: SiteId, slot: u32) -> f64 {
    let limits = &seen.in_force.scenario.sites[site.row()];
    let kw = seen.plans.site_committed_kw(site, slot);
    let import = kw - limits.import_limit.0;
    let export = kw + limits.export_limit.0;
    if import > BEYOND_MIN_KW {
        import
    } else if export < -BEYOND_MIN_KW {
        export
    } else {
        0.0
    }
}

/// The limits below a root that plans do not keep, while any of `stays` lasts as announced.
pub(super) fn unkept(seen: &Planning, root: SiteId, stays: &[ToPlan]) -> LimitUnkept {
    let scenario = &seen.in_force.scenario;
    let of_all = &scenario.population.stays;
    let ends = stays.iter().map(|it| of_all.announced_end_slot(it.stay, &scenario.clock));
    let end = ends.max().unwrap_or(0).max(seen.tick + 1);
    let mut unkept = LimitUnkept::default();
    for site in sites_below(seen.in_force, root) {
        for slot in seen.tick..end {
            let over_kw = over_kw(seen, site, slot);
            if over_kw.abs() > UNKEPT_MIN_KW {
                unkept.site.push(site);
                unkept.slot.push(slot);
                unkept.over_kw.push(over_kw);
            }
        }
    }
    unkept
}

/// The name of the site at the top of the tree that `stays` of a call stand in; empty where they
/// were not shown because of it.
pub(super) fn top_of<'a>(in_force: &'a ScenarioInForce, stays: &[StayId], shown: Shown) -> &'a str {
    let root = stays.first().and_then(|&stay| in_force.sites_of(stay).last());
    match (shown, root) {
        (Shown::Tree, Some(root)) => &in_force.scenario.sites[root.row()].name,
        (Shown::Tree, None) | (Shown::Due | Shown::Fleet, _) => "",
    }
}

/// A root and all sites below it.
fn sites_below(in_force: &ScenarioInForce, root: SiteId) -> impl Iterator<Item = SiteId> {
    let sites = (0..in_force.scenario.sites.len() as u32).map(SiteId);
    sites.filter(move |&site| in_force.root_of(site) == root)
}

impl Trees<'_, '_> {
    /// The stays below a root that are in progress, and those to come that are planned; by car.
    pub(super) fn stays(&self, seen: &Planning, root: SiteId) -> Vec<ToPlan> {
        let mut stays: Vec<ToPlan> = Vec::new();
        for site in sites_below(seen.in_force, root) {
            let behind = self.cars_behind.get(self.tree.sites[site.row()]);
            let evs = behind.iter().flat_map(|cars| &cars.0);
            stays.extend(evs.map(|&ev| in_progress(seen, ev)));
        }
        let is_below = |&(stay, _): &(StayId, f64)| seen.in_force.sites_of(stay).contains(&root);
        let ahead = seen.plans.stays_ahead_with_energy().filter(is_below);
        stays.extend(ahead.map(|(stay, expected_kwh)| to_come(seen, stay, expected_kwh)));
        // Stays are numbered by car.
        stays.sort_unstable_by_key(|it| it.stay);
        stays
    }
}

/// A stay that has not begun, with the energy that its plan counts on.
fn to_come(seen: &Planning, stay: StayId, expected_kwh: f64) -> ToPlan {
    let ev = seen.in_force.scenario.population.stays.ev[stay.row()];
    ToPlan { ev, stay, energy_kwh: expected_kwh, arrival_kwh: expected_kwh }
}

/// The stay that a car is plugged in for.
fn in_progress(seen: &Planning, ev: EvId) -> ToPlan {
    let energy_kwh = seen.energy_kwh[ev.row()];
    ToPlan { ev, stay: seen.stay[ev.row()], energy_kwh, arrival_kwh: seen.arrival_kwh(ev) }
}
