//! Cars taken out of a population, and added to it, on the way.
//!
//! The rows that there are keep their places, so that ids, draws and stays of all other cars are the same
//! before and after. Cars that come back are other rows with the same draws.

use super::{ChargerRange, FleetRange, Population};
use crate::{
    clock::Clock,
    stay::{Stay, Stays},
};

impl Population {
    /// The same cars with as many of each fleet as `drawn` has, from the beginning of `slot` on.
    ///
    /// Of a fleet that becomes smaller the last cars go: their stays end when the slot begins, and no
    /// others follow. A fleet that becomes larger gets the cars that `drawn` has besides: they begin
    /// away, with the stays that begin at the slot or after it. `drawn` is a population as it is drawn
    /// over the same clock. What a charger can do is as it has it.
    pub fn recounted(&self, drawn: &Self, clock: &Clock, slot: u32) -> Self {
        let count = |fleet: usize| drawn.fleets[fleet].evs.len() as u32;
        let split = |range: &FleetRange| range.split(count(range.fleet), drawn.per_car(range.fleet));
        let mut all = Self { fleets: self.fleets.iter().flat_map(split).collect(), ..self.clone() };
        all.end_removed(clock, slot);
        all.chargers = all.fleets.iter().map(|range| range.charger_range(drawn)).collect();
        for fleet in 0..drawn.fleets.len() {
            all.add_missing(fleet, drawn, clock, slot);
        }
        all
    }

    /// Whether all of `parent`'s cars are here, at their places.
    pub fn begins_with(&self, parent: &Self) -> bool {
        let Stays { ev, charger, .. } = &self.stays;
        self.capacity_kwh.starts_with(&parent.capacity_kwh)
            && ev.starts_with(&parent.stays.ev)
            && charger.starts_with(&parent.stays.charger)
    }

    /// Number of a fleet's cars that were not taken out.
    fn present(&self, fleet: usize) -> u32 {
        let ranges = self.fleets.iter().filter(|range| range.fleet == fleet && !range.removed);
        ranges.map(|range| range.evs.len() as u32).sum()
    }

    /// Number of chargers that each of a fleet's cars has for itself.
    fn per_car(&self, fleet: usize) -> u32 {
        self.chargers[fleet].kinds.len() as u32
    }

    /// Ends the stays of removed cars when `slot` begins.
    fn end_removed(&mut self, clock: &Clock, slot: u32) {
        for stay in 0..self.stays.len() as u32 {
            if self.range_of(self.stays.ev[stay as usize]).removed {
                self.stays.end_by(stay, slot, clock);
            }
        }
    }

    /// Appends the cars of a fleet that `drawn` has and this population has not.
    fn add_missing(&mut self, fleet: usize, drawn: &Self, clock: &Clock, slot: u32) {
        let (range, per_car) = (&drawn.fleets[fleet], drawn.per_car(fleet));
        let first_index = self.present(fleet);
        let missing = range.evs.start + first_index..range.evs.end;
        if missing.is_empty() {
            return;
        }
        let (first_ev, first_charger) = (self.len() as u32, self.charger_count());
        let places = missing.start as usize..missing.end as usize;
        self.capacity_kwh.extend_from_slice(&drawn.capacity_kwh[places.clone()]);
        self.arrival_energy_kwh.extend_from_slice(&drawn.arrival_energy_kwh[places.clone()]);
        self.departure_energy_kwh.extend_from_slice(&drawn.departure_energy_kwh[places]);
        let drawn_charger = range.chargers.start + first_index * per_car;
        for stay in drawn.stays_from(missing.clone(), clock, slot) {
            // The energy of the trip before a car's first stay is in what it begins with.
            let ev = first_ev + (stay.ev - missing.start);
            let is_first = self.stays.ev.last() != Some(&ev);
            let trip_kwh = if is_first { 0.0 } else { stay.trip_kwh };
            let charger = first_charger + (stay.charger - drawn_charger);
            self.stays.push(Stay { ev, charger, trip_kwh, ..stay });
        }
        let added = FleetRange {
            fleet,
            first_index,
            evs: first_ev..first_ev + missing.len() as u32,
            chargers: first_charger..first_charger + missing.len() as u32 * per_car,
            removed: false,
        };
        self.chargers.push(added.charger_range(drawn));
        self.fleets.push(added);
    }

    /// The stays of `evs` that begin at `slot` or after it, in order.
    fn stays_from(&self, evs: std::ops::Range<u32>, clock: &Clock, slot: u32) -> impl Iterator<Item = Stay> {
        let row = |ev| self.stays.ev.partition_point(|&of| of < ev) as u32;
        let rows = row(evs.start)..row(evs.end);
        rows.filter(move |&stay| self.stays.first_slot(stay, clock) >= slot).map(|stay| self.stays.get(stay))
    }
}

impl FleetRange {
    /// The cars that a fleet of `count` cars has, and those that it has not and that are removed. Each car
    /// that is drawn has `per_car` chargers.
    fn split(&self, count: u32, per_car: u32) -> Vec<Self> {
        let staying = count.saturating_sub(self.first_index).min(self.evs.len() as u32);
        if self.removed || staying == self.evs.len() as u32 {
            return vec![self.clone()];
        }
        let (ev, charger) = (self.evs.start + staying, self.chargers.start + staying * per_car);
        let kept = Self { evs: self.evs.start..ev, chargers: self.chargers.start..charger, ..self.clone() };
        let gone = Self {
            first_index: self.first_index + staying,
            evs: ev..self.evs.end,
            chargers: charger..self.chargers.end,
            removed: true,
            ..self.clone()
        };
        [kept, gone].into_iter().filter(|part| !part.evs.is_empty()).collect()
    }

    /// The range's chargers, of the kinds that the fleet's chargers are of in `drawn`.
    fn charger_range(&self, drawn: &Population) -> ChargerRange {
        ChargerRange { ids: self.chargers.clone(), kinds: drawn.chargers[self.fleet].kinds.clone() }
    }
}
