//! Phase 5: set-points become applied power.
//!
//! First every battery takes what it has room for, then every site cuts what its cars ask for
//! down to its connection, in proportion. Charging and discharging behind one connection offset
//! each other; only the direction that is too much is cut.

use crate::{
    cars::{
        AppliedPower, BLOCK, LANES, PluggedStay, Session, SetPoint, StoredEnergy, at_rest, columns,
        padded, writable,
    },
    outbox::Recorder,
    plan_book::PlanBook,
    sites::{CarsBehind, Limit, SiteLoad, SiteTree},
    state::{
        FleetConstants, LastCut, LastCuts, Now, Piece, ScenarioInForce, SiteCuts, arrival_kwh,
        insert_sorted,
    },
    state_hash::{Component, Dirty},
    workers::Workers,
};
use bevy_ecs::{
    prelude::{IntoScheduleConfigs, Query, Res, ResMut, Resource},
    system::ScheduleSystem,
};
use bytemuck::cast_slice;
use voltide_journal::event::{
    ClipReason, Event, LimitViolated, PlansAccepted, SetPointClipped, TickStarted,
};
use voltide_model::{
    columns::SiteTick,
    id::{EvId, SiteId},
    rules::Rules,
};

/// Cuts that are no more than rounding, kW.
const CLIP_MIN_KW: f64 = 1e-9;

/// Applies the schedules' set-points for this slot as far as batteries and sites allow.
pub(crate) fn following() -> impl IntoScheduleConfigs<ScheduleSystem, ()> {
    (move_set_points, fit_batteries, limit_sites, record_clips).chain().into_configs()
}

/// Power that a car asked for and did not get, kW.
#[derive(Debug, Clone, Copy)]
struct Clip {
    ev: EvId,
    asked: f64,
    applied: f64,
    reason: ClipReason,
}

/// What batteries and sites took off set-points in this slot.
#[derive(Resource, Default)]
pub(crate) struct Clips {
    cars: Vec<Clip>,
    sites: LimitViolated,
}

/// Records what was taken off, and keeps it for the policy.
fn record_clips(mut clips: ResMut<Clips>, mut cuts: ResMut<LastCuts>, mut record: Recorder) {
    let Clips { mut cars, sites } = std::mem::take(&mut *clips);
    // A car that its battery and a site cut has a row for each, in this order: the sort is stable.
    cars.sort_by_key(|clip| clip.ev);
    cuts.0.clear();
    for &Clip { ev, applied, reason, .. } in &cars {
        let by_site = reason == ClipReason::Site;
        cuts.note(LastCut { ev, drawn_kw: applied, by_site });
    }
    let cause = record.cause(&[&PlansAccepted::KIND, &TickStarted::KIND]);
    if !sites.site.is_empty() {
        record.note(cause, Event::LimitViolated(sites));
    }
    if !cars.is_empty() {
        record.note(cause, Event::SetPointClipped(set_point_clipped(cars)));
    }
}

/// The clips as an event.
fn set_point_clipped(clips: Vec<Clip>) -> SetPointClipped {
    let mut event = SetPointClipped::default();
    for clip in clips {
        event.push(clip.ev, clip.asked, clip.applied, clip.reason);
    }
    event
}

/// Takes up the powers that schedules ask for from this slot on.
fn move_set_points(
    now: Res<Now>,
    mut plans: ResMut<PlanBook>,
    cars: Query<&mut SetPoint>,
    mut dirty: ResMut<Dirty>,
) {
    let set_points = writable(columns(cars));
    for ev in plans.take_changes(now.tick) {
        let car = ev.row();
        let power = plans.power_at(ev, now.tick);
        // By bits, since hashes are over bits: 0 and -0 are two states.
        if set_points[car].0.to_bits() != power.to_bits() {
            set_points[car].0 = power;
            dirty.mark(Component::SetPoint, car / BLOCK);
        }
    }
}

/// One piece's columns.
struct Task<'a> {
    first: usize,
    fleet: &'a FleetConstants,
    capacity: &'a [f64],
    energy: &'a [f64],
    set_point: &'a [f64],
    power: &'a mut [f64],
}

/// What fitting reads of the cars.
type Batteries = (&'static StoredEnergy, &'static SetPoint, &'static PluggedStay, &'static Session);

/// Fits every set-point to its battery and to what its stay began with; lists the cars for which
/// that was less.
fn fit_batteries(
    in_force: Res<ScenarioInForce>,
    plans: Res<PlanBook>,
    workers: Res<Workers>,
    cars: Query<Batteries>,
    mut power: ResMut<AppliedPower>,
    mut clips: ResMut<Clips>,
) {
    let (energies, set_points, stays, ledgers) = columns(cars);
    let energies: &[f64] = cast_slice(energies);
    let mut cut = fit_pieces(&in_force, &workers, energies, cast_slice(set_points), &mut power.0);
    // Those that were cut are fitted once more, to bounds widened to what their stays began with:
    // few have begun outside the bounds of their battery.
    cut.retain_mut(|clip| {
        let car = clip.ev.row();
        let energy_kwh = energies[car];
        let of_stay = (clip.ev, stays[car].0);
        let began_with = arrival_kwh(&in_force, &plans, of_stay, energy_kwh, &ledgers[car].0);
        let bounds = in_force.battery_bounds(clip.ev, began_with);
        clip.applied =
            in_force.fleet_of(clip.ev).battery.fit_within(clip.asked, energy_kwh, bounds);
        power.0[car] = clip.applied;
        (clip.asked - clip.applied).abs() > CLIP_MIN_KW
    });
    clips.cars = cut;
}

/// Fits every set-point to the bounds of its battery, and lists the cars for which that was less.
fn fit_pieces(
    in_force: &ScenarioInForce,
    workers: &Workers,
    energy: &[f64],
    set_point: &[f64],
    mut power: &mut [f64],
) -> Vec<Clip> {
    let mut tasks = Vec::with_capacity(in_force.pieces.len());
    for Piece { evs, fleet } in &in_force.pieces {
        let (here, rest) = power.split_at_mut(evs.len());
        // Each task writes its own part.
        power = rest;
        tasks.push(Task {
            first: evs.start,
            fleet: &in_force.fleets[*fleet],
            capacity: &in_force.scenario.population.capacity_kwh[evs.clone()],
            energy: &energy[evs.clone()],
            set_point: &set_point[evs.clone()],
            power: here,
        });
    }
    workers.map(tasks, fit_piece).into_iter().flatten().collect()
}

/// Fits one piece; returns where that was less than asked.
fn fit_piece(task: Task<'_>) -> Vec<Clip> {
    let mut cuts = [0.0; LANES];
    let (capacity, last_capacity) = task.capacity.as_chunks::<LANES>();
    let (energy, last_energy) = task.energy.as_chunks::<LANES>();
    let (asked, last_asked) = task.set_point.as_chunks::<LANES>();
    let (power, last_power) = task.power.as_chunks_mut::<LANES>();
    for (((capacity, energy), asked), power) in capacity.iter().zip(energy).zip(asked).zip(power) {
        // Who asks for nothing gets nothing, and most do: their batteries need not be looked at.
        if !(at_rest(asked) && at_rest(power)) {
            fit_cars(*task.fleet, capacity, energy, asked, power, &mut cuts);
        }
    }
    let mut fitted = [0.0; LANES];
    let capacity = padded(last_capacity);
    let energy = padded(last_energy);
    let asked = padded(last_asked);
    fit_cars(*task.fleet, &capacity, &energy, &asked, &mut fitted, &mut cuts);
    last_power.copy_from_slice(&fitted[..last_power.len()]);
    // Who was cut is looked for only where somebody was, which is seldom.
    if cuts.iter().all(|&cut| cut <= CLIP_MIN_KW) {
        return Vec::new();
    }
    let rows = (task.first as u32..).map(EvId).zip(task.set_point.iter().zip(&*task.power));
    rows.filter(|(_, (asked, power))| (**asked - **power).abs() > CLIP_MIN_KW)
        .map(|(ev, (&asked, &applied))| Clip { ev, asked, applied, reason: ClipReason::Battery })
        .collect()
}

/// Fits one car a lane; `cuts` are the largest differences so far, kW.
#[inline]
fn fit_cars(
    fleet: FleetConstants,
    capacity: &[f64; LANES],
    energy: &[f64; LANES],
    asked: &[f64; LANES],
    power: &mut [f64; LANES],
    cuts: &mut [f64; LANES],
) {
    let FleetConstants { battery, soc_min, soc_max, .. } = fleet;
    for lane in 0..LANES {
        let lowest = capacity[lane] * soc_min;
        let highest = capacity[lane] * soc_max;
        power[lane] = battery.fit(asked[lane], energy[lane], lowest, highest);
        cuts[lane] = cuts[lane].max((asked[lane] - power[lane]).abs());
    }
}

/// Power behind one connection, kW, each direction by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Flow {
    charge: f64,
    discharge: f64,
}

impl Flow {
    /// The shares of a flow that is not cut.
    const WHOLE: Self = Self { charge: 1.0, discharge: 1.0 };

    fn of(power: f64) -> Self {
        Self { charge: power.max(0.0), discharge: (-power).max(0.0) }
    }

    fn add(&mut self, other: Self) {
        self.charge += other.charge;
        self.discharge += other.discharge;
    }

    fn net(self) -> f64 {
        self.charge - self.discharge
    }

    /// The shares of charging and discharging that keep the net within the limits.
    fn shares(self, import_limit: f64, export_limit: f64) -> Self {
        let share = |limit: f64, of: f64| (limit / of).clamp(0.0, 1.0);
        if self.net() > import_limit {
            Self { charge: share(import_limit + self.discharge, self.charge), discharge: 1.0 }
        } else if -self.net() > export_limit {
            Self { charge: 1.0, discharge: share(export_limit + self.charge, self.discharge) }
        } else {
            Self::WHOLE
        }
    }

    fn times(self, shares: Self) -> Self {
        Self { charge: self.charge * shares.charge, discharge: self.discharge * shares.discharge }
    }
}

/// Cuts each site to its connection.
fn limit_sites(
    in_force: Res<ScenarioInForce>,
    tree: Res<SiteTree>,
    mut sites: Query<(&Limit, &CarsBehind, &mut SiteLoad)>,
    set_points: Query<&SetPoint>,
    mut power: ResMut<AppliedPower>,
    mut clips: ResMut<Clips>,
    mut cuts: ResMut<SiteCuts>,
) {
    cuts.in_slot.clear();
    if tree.sites.is_empty() {
        return;
    }
    let (limits, behind) = in_order(&tree, &sites);
    let own = site_flows(&behind, &power.0);
    // Plans that keep a limit sum up to it, but for rounding. Runs of 0.1.0 took that for a breach.
    let rounding_kw = if in_force.scenario.rules >= Rules::V2 { CLIP_MIN_KW } else { 0.0 };
    let (shares, violated) = site_shares(&tree.parents, &limits, &own, rounding_kw);
    if !violated.site.is_empty() {
        let cut = cut_cars(&behind, &shares, columns(set_points), &mut power.0);
        for clip in &cut {
            // They come by site, and are due in the order of cars.
            insert_sorted(&mut cuts.in_slot, clip.ev);
        }
        clips.cars.extend(cut);
        clips.sites = violated;
    }
    let asked = up_the_tree(&tree.parents, &own);
    let applied = up_the_tree(&tree.parents, &site_flows(&behind, &power.0));
    for (&site, (asked, applied)) in tree.sites.iter().zip(asked.iter().zip(&applied)) {
        if let Ok((_, cars, mut load)) = sites.get_mut(site) {
            let plugged = cars.0.len() as u32;
            load.0 = SiteTick { asked_kw: asked.net(), power_kw: applied.net(), plugged };
        }
    }
}

/// Limits and cars of all sites, by number.
fn in_order<'a>(
    tree: &SiteTree,
    sites: &'a Query<(&Limit, &CarsBehind, &mut SiteLoad)>,
) -> (Vec<Limit>, Vec<&'a [EvId]>) {
    let rows = tree.sites.iter().filter_map(|&site| sites.get(site).ok());
    rows.map(|(&limit, cars, _)| (limit, cars.0.as_slice())).unzip()
}

/// The shares of what it asks for that each site's own cars get, and the limits that they met;
/// found from the leaves of the tree to its roots, and handed down again. Power beyond a limit up
/// to `rounding_kw` is not cut.
fn site_shares(
    parents: &[Option<usize>],
    limits: &[Limit],
    own: &[Flow],
    rounding_kw: f64,
) -> (Vec<Flow>, LimitViolated) {
    let mut flows = own.to_vec();
    let mut shares = vec![Flow::WHOLE; limits.len()];
    let mut violated = LimitViolated::default();
    // A parent comes before its children, so that from the last to the first each is asked for no
    // more than those below it may pass on.
    for (site, &Limit { import_kw, export_kw }) in limits.iter().enumerate().rev() {
        let flow = flows[site];
        if flow.net() > import_kw + rounding_kw || -flow.net() > export_kw + rounding_kw {
            shares[site] = flow.shares(import_kw, export_kw);
        }
        if shares[site] != Flow::WHOLE {
            // An event lists sites ascending.
            violated.site.insert(0, SiteId(site as u32));
            violated.asked_kw.insert(0, flow.net());
            violated.limit_kw.insert(0, if flow.net() > 0.0 { import_kw } else { -export_kw });
        }
        if let Some(parent) = parents[site] {
            flows[parent].add(flow.times(shares[site]));
        }
    }
    // What a site leaves its cars is cut once more by all that it is connected through.
    for (site, parent) in parents.iter().enumerate() {
        if let Some(parent) = *parent {
            shares[site] = shares[site].times(shares[parent]);
        }
    }
    (shares, violated)
}

/// What the cars at each site draw, without the sites below it.
fn site_flows(behind: &[&[EvId]], power: &[f64]) -> Vec<Flow> {
    let flow_of = |evs: &&[EvId]| {
        let mut flow = Flow::default();
        for &ev in *evs {
            flow.add(Flow::of(power[ev.row()]));
        }
        flow
    };
    behind.iter().map(flow_of).collect()
}

/// Adds to each site what flows behind it; a parent comes before its children.
fn up_the_tree(parents: &[Option<usize>], own: &[Flow]) -> Vec<Flow> {
    let mut sums = own.to_vec();
    for (site, parent) in parents.iter().enumerate().rev() {
        if let Some(parent) = *parent {
            let flow = sums[site];
            sums[parent].add(flow);
        }
    }
    sums
}

/// Applies the sites' shares to their cars, and lists those that were cut.
fn cut_cars(
    behind: &[&[EvId]],
    shares: &[Flow],
    set_points: &[SetPoint],
    power: &mut [f64],
) -> Vec<Clip> {
    let mut cut = Vec::new();
    for (evs, shares) in behind.iter().zip(shares) {
        for &ev in *evs {
            let power = &mut power[ev.row()];
            // Adding 0 takes the sign off a zero.
            let applied = Flow::of(*power).times(*shares).net() + 0.0;
            if (*power - applied).abs() > CLIP_MIN_KW {
                let asked = set_points[ev.row()].0;
                cut.push(Clip { ev, asked, applied, reason: ClipReason::Site });
                *power = applied;
            }
        }
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phase::systems;
    use bevy_ecs::world::World;
    use proptest::prelude::*;

    #[test]
    fn an_order_that_matters_and_is_not_said_is_refused() {
        let mut world = World::new();
        let chained = (move_set_points, fit_batteries).chain();
        assert!(systems(chained).initialize(&mut world).is_ok());
        let open = (move_set_points, fit_batteries);
        assert!(systems(open).initialize(&mut world).is_err());
    }

    proptest! {
        #[test]
        fn shares_bring_the_net_within_the_limits(
            charge in 0.0..100.0_f64, discharge in 0.0..100.0_f64,
            import in 0.0..80.0_f64, export in 0.0..80.0_f64,
        ) {
            let flow = Flow { charge, discharge };
            let applied = flow.times(flow.shares(import, export));
            prop_assert!(applied.net() <= import + 1e-9 && applied.net() >= -export - 1e-9);
            prop_assert!(applied.charge <= charge && applied.discharge <= discharge);
        }
    }

    #[test]
    fn discharging_makes_room_for_charging() {
        let flow = Flow { charge: 20.0, discharge: 5.0 };
        assert_eq!(flow.shares(15.0, 0.0), Flow::WHOLE);
        assert_eq!(flow.shares(10.0, 0.0), Flow { charge: 0.75, discharge: 1.0 });
    }

    #[test]
    fn a_limit_that_is_met_has_the_sign_of_the_flow_that_met_it() {
        let limit = Limit { import_kw: 5.0, export_kw: 3.0 };
        let into = Flow { charge: 8.0, discharge: 1.0 };
        let out_of = Flow { charge: 1.0, discharge: 8.0 };
        let (_, violated) =
            site_shares(&[None; 3], &[limit; 3], &[into, Flow::of(2.0), out_of], 0.0);
        assert_eq!(violated.site[..], [0, 2].map(SiteId));
        assert_eq!((violated.asked_kw, violated.limit_kw), (vec![7.0, -7.0], vec![5.0, -3.0]));
    }
}
