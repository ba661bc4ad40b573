//! Sharing a site's connection among its cars, slot by slot: the kernel of [`Edf`](super::Edf),
//! [`Llf`](super::Llf) and [`RoundRobin`](super::RoundRobin), which differ only in whom they serve
//! first.
//!
//! In each slot of the horizon the cars that are there and lack energy wait. Serving one takes
//! power from its site and from every site that it is connected through, as much as charger,
//! missing energy and the tightest of these sites allow; what it leaves goes to the next. Cars
//! behind no site wait for nobody and charge at once.
//!
//! Connections that have nothing to do with each other, the trees of the sites, are shared one by
//! one.

use super::NOTHING_KWH;
use std::{collections::BTreeMap, ops::Range};
use voltide_policy::{Observation, Schedules, observation::charge_at_once};

/// The part of a limit that is left unused, so that no order of summing up the cars' power leads
/// beyond it by rounding.
const ROUNDING: f64 = 1e-12;

/// Shares every site's import limit; `serve` is asked for every slot of every tree of sites, with
/// the rows that wait, ascending by car.
pub(super) fn share(
    seen: &Observation<'_>,
    schedules: &mut Schedules<'_>,
    serve: impl Fn(&mut Sharing<'_, '_>, Vec<usize>),
) {
    let mut sharing = Sharing::new(seen, schedules);
    for rows in sharing.trees().into_values() {
        for slot in 0..seen.horizon {
            sharing.slot = slot;
            let waiting: Vec<usize> =
                rows.iter().copied().filter(|&row| sharing.waits(row)).collect();
            if !waiting.is_empty() {
                serve(&mut sharing, waiting);
            }
        }
    }
    sharing.charge_cars_behind_no_site();
}

/// What is left to hand out, and to whom.
pub(super) struct Sharing<'a, 'b> {
    seen: &'a Observation<'a>,
    /// The slot that is shared now, from now.
    slot: usize,
    /// Per site: itself and the sites that it is connected through.
    chains: Vec<Vec<usize>>,
    /// What nobody has taken of the limits, sites x H, kW.
    room_kw: Vec<f64>,
    /// Per row: grid-side energy that is still missing, kWh.
    missing_kwh: Vec<f64>,
    windows: Vec<Range<usize>>,
    power_kw: &'b mut [f64],
}

impl<'a, 'b> Sharing<'a, 'b> {
    fn new(seen: &'a Observation<'a>, schedules: &'b mut Schedules<'_>) -> Self {
        let sites = seen.parent_site.len();
        let chain = |site: usize| {
            let parent =
                |site: &usize| Some(seen.parent_site[*site] as usize).filter(|&site| site < sites);
            // Taken no further than there are sites, so that parents in a circle come to an end.
            std::iter::successors(Some(site), parent).take(sites).collect()
        };
        let mut sharing = Self {
            seen,
            slot: 0,
            chains: (0..sites).map(chain).collect(),
            room_kw: seen.site_import_kw_max.iter().map(|limit| limit * (1.0 - ROUNDING)).collect(),
            missing_kwh: seen.stays().map(|stay| stay.energy_to_departure()).collect(),
            windows: (0..seen.len()).map(|row| seen.window(row)).collect(),
            power_kw: &mut *schedules.power_kw,
        };
        sharing.leave_room_for_others();
        sharing
    }

    /// Takes the plans in force of cars that are not shown off the limits.
    fn leave_room_for_others(&mut self) {
        let seen = self.seen;
        if seen.site_committed_kw.is_empty() {
            return;
        }
        let mut others_kw = seen.site_committed_kw.to_vec();
        for (row, planned_kw) in seen.planned_kw.chunks(seen.horizon.max(1)).enumerate() {
            for &site in self.chain(row) {
                for slot in self.windows[row].clone() {
                    others_kw[site * seen.horizon + slot] -= planned_kw[slot];
                }
            }
        }
        for (room, others) in self.room_kw.iter_mut().zip(others_kw) {
            // What is next to nothing is what rounding left of the plans of the cars shown.
            *room -= if others > NOTHING_KWH { others } else { 0.0 };
        }
    }

    /// The rows behind each site that is connected through no other, ascending.
    fn trees(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut trees = BTreeMap::<usize, Vec<usize>>::new();
        for row in 0..self.seen.len() {
            if let Some(&root) = self.chain(row).last() {
                trees.entry(root).or_default().push(row);
            }
        }
        trees
    }

    fn charge_cars_behind_no_site(&mut self) {
        let seen = self.seen;
        for row in (0..seen.len()).filter(|&row| self.chain(row).is_empty()).collect::<Vec<_>>() {
            let schedule = &mut self.power_kw[row * seen.horizon..][..seen.horizon];
            let usable = &mut schedule[self.windows[row].clone()];
            charge_at_once(usable, seen.charge_kw_max[row], seen.slot_hours, self.missing_kwh[row]);
        }
    }

    /// The sites whose limits a car counts for, its own first; none where it stands behind none.
    fn chain(&self, row: usize) -> &[usize] {
        self.chains.get(self.seen.site_id[row] as usize).map_or(&[], Vec::as_slice)
    }

    fn waits(&self, row: usize) -> bool {
        self.windows[row].contains(&self.slot) && self.missing_kwh[row] > NOTHING_KWH
    }

    /// The slot that is shared now, counted as ticks are.
    pub(super) fn tick(&self) -> usize {
        self.seen.tick as usize + self.slot
    }

    /// The slot after the last one of a car's stay, as announced.
    pub(super) fn departure_slot(&self, row: usize) -> u32 {
        self.seen.departure_slot[row]
    }

    /// Slots that a car has left, less those that it needs at full power; negative when it will
    /// miss its target.
    pub(super) fn laxity(&self, row: usize) -> f64 {
        let left = f64::from(self.departure_slot(row)) - self.tick() as f64;
        // Minus infinity at a charger without power: such a car is first and takes nothing.
        left - self.missing_kwh[row] / (self.seen.charge_kw_max[row] * self.seen.slot_hours)
    }

    /// Power that a car can still use in this slot, whatever its site says, kW.
    fn usable_kw(&self, row: usize) -> f64 {
        let used = self.power_kw[row * self.seen.horizon + self.slot];
        (self.seen.charge_kw_max[row] - used).min(self.missing_kwh[row] / self.seen.slot_hours)
    }

    fn room_at(&self, site: usize) -> f64 {
        self.room_kw[site * self.seen.horizon + self.slot]
    }

    /// Gives a car up to `most_kw` more in this slot; returns what it got, kW.
    pub(super) fn serve(&mut self, row: usize, most_kw: f64) -> f64 {
        let room =
            self.chain(row).iter().map(|&site| self.room_at(site)).fold(f64::INFINITY, f64::min);
        // Plans of others may be above a limit, which leaves less than nothing.
        let given = most_kw.min(self.usable_kw(row)).min(room).max(0.0);
        let horizon = self.seen.horizon;
        let slot = self.slot;
        let chain = self.chains.get(self.seen.site_id[row] as usize);
        for site in chain.into_iter().flatten() {
            self.room_kw[site * horizon + slot] -= given;
        }
        self.missing_kwh[row] -= given * self.seen.slot_hours;
        self.power_kw[row * horizon + slot] += given;
        given
    }

    /// How many times `step_kw` can be given to each of `rows` before a car has enough or a site is
    /// full; a whole number, infinite only where everything is.
    pub(super) fn whole_rounds(&self, rows: &[usize], step_kw: f64) -> f64 {
        let mut behind = BTreeMap::<usize, f64>::new();
        for &row in rows {
            for &site in self.chain(row) {
                *behind.entry(site).or_default() += 1.0;
            }
        }
        let cars = rows.iter().map(|&row| self.usable_kw(row) / step_kw);
        let sites = behind.into_iter().map(|(site, cars)| self.room_at(site) / (cars * step_kw));
        cars.chain(sites).fold(f64::INFINITY, f64::min).max(0.0).floor()
    }
}
