//! Cars taken out of a population, and added to it, on the way.
//!
//! The rows that there are keep their places, so that ids, draws and stays of all other cars are
//! the same before and after. Cars that come back are other rows with the same draws.

use super::{ChargerRange, FleetRange, Population};
use crate::{
    clock::Clock,
    stay::{Stay, Stays},
};
use std::ops::Range;

impl Population {
    /// The same cars with as many of each fleet as `drawn` has, from the beginning of `slot` on.
    ///
    /// Of a fleet that becomes smaller the last cars go: their stays end when the slot begins, and
    /// no others follow. A fleet that becomes larger gets the cars that `drawn` has besides: they
    /// begin away, with the stays that begin at the slot or after it. `drawn` is a population as it
    /// is drawn over the same clock. What a charger can do is as it has it.
    #[must_use]
    pub fn recounted(&self, drawn: &Self, clock: &Clock, slot: u32) -> Self {
        let count = |fleet: usize| drawn.fleets[fleet].evs.len() as u32;
        let split =
            |range: &FleetRange| range.split(count(range.fleet), drawn.per_car(range.fleet));
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
            if self.range_of(self.stays.ev[stay as usize]).removed
                && self.stays.end_by(stay, slot, clock)
            {
                self.cut_stays.push(stay);
            }
        }
        // A population that is counted anew once more may have cut later stays before.
        self.cut_stays.sort_unstable();
        for stay in 0..self.stays_without_slot.len() as u32 {
            if self.range_of(self.stays_without_slot.ev[stay as usize]).removed
                && self.stays_without_slot.arrives_from(stay, slot, clock)
            {
                self.stays_without_slot.call_off(stay);
            }
        }
    }

    /// Appends the cars of a fleet that `drawn` has and this population has not.
    fn add_missing(&mut self, fleet: usize, drawn: &Self, clock: &Clock, slot: u32) {
        let range = &drawn.fleets[fleet];
        let per_car = drawn.per_car(fleet);
        // Those that were removed count as missing: a car that comes back is another row.
        let first_index = self.present(fleet);
        let missing = range.evs.start + first_index..range.evs.end;
        if missing.is_empty() {
            return;
        }
        let first_ev = self.len() as u32;
        let first_charger = self.charger_count();
        let places = missing.start as usize..missing.end as usize;
        self.capacity_kwh.extend_from_slice(&drawn.capacity_kwh[places.clone()]);
        self.arrival_energy_kwh.extend_from_slice(&drawn.arrival_energy_kwh[places.clone()]);
        self.departure_energy_kwh.extend_from_slice(&drawn.departure_energy_kwh[places]);
        let drawn_charger = range.chargers.start + first_index * per_car;
        for id in drawn.stays.of_evs(missing.clone()) {
            if drawn.stays.first_slot(id, clock) < slot {
                continue;
            }
            let stay = drawn.stays.get(id);
            // The energy of the trip before a car's first stay is in what it begins with.
            let ev = first_ev + (stay.ev - missing.start);
            let is_first = self.stays.ev.last() != Some(&ev);
            let trip_kwh = if is_first { 0.0 } else { stay.trip_kwh };
            let charger = first_charger + (stay.charger - drawn_charger);
            self.stays.push(Stay { ev, charger, trip_kwh, ..stay });
        }
        for id in drawn.stays_without_slot.of_evs(missing.clone()) {
            if !drawn.stays_without_slot.arrives_from(id, slot, clock) {
                continue;
            }
            let stay = drawn.stays_without_slot.get(id);
            let ev = first_ev + (stay.ev - missing.start);
            let follows_one = self.stays.begins_before(ev, stay.arrives);
            let trip_kwh = if follows_one { stay.trip_kwh } else { 0.0 };
            let charger = first_charger + (stay.charger - drawn_charger);
            self.stays_without_slot.push(Stay { ev, charger, trip_kwh, ..stay });
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
}

impl Stays {
    /// Ids of the stays of `evs`, in order.
    fn of_evs(&self, evs: Range<u32>) -> Range<u32> {
        let row = |ev| self.ev.partition_point(|&of| of < ev) as u32;
        row(evs.start)..row(evs.end)
    }

    /// Whether a stay of `ev` begins before `arrives`, in seconds from the start.
    fn begins_before(&self, ev: u32, arrives: i32) -> bool {
        let first = self.ev.partition_point(|&of| of < ev);
        self.ev.get(first) == Some(&ev) && self.arrives[first] < arrives
    }
}

impl FleetRange {
    /// The cars that a fleet of `count` cars has, and those that it has not and that are removed.
    /// Each car that is drawn has `per_car` chargers.
    fn split(&self, count: u32, per_car: u32) -> Vec<Self> {
        let staying = count.saturating_sub(self.first_index).min(self.evs.len() as u32);
        if self.removed || staying == self.evs.len() as u32 {
            return vec![self.clone()];
        }
        let ev = self.evs.start + staying;
        let charger = self.chargers.start + staying * per_car;
        let kept = Self {
            evs: self.evs.start..ev,
            chargers: self.chargers.start..charger,
            ..self.clone()
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        distribution::Distribution,
        fleet::{Fleet, Parking, Place, WorkDays, tests::fleet},
        quantity::Kilowatts,
        rules::Rules,
        site::Charger,
    };
    use proptest::prelude::*;

    fn clock() -> Clock {
        Clock::new("2018-10-08T00:00:00".parse().unwrap(), chrono_tz::UTC, 900, 3).unwrap()
    }

    fn commuters(name: &str, count: u32) -> Fleet {
        let uniform = |min, max| Distribution::Uniform { min, max };
        let charger =
            Charger { charge_max: Kilowatts(7.0), discharge_max: Kilowatts(0.0), site: None };
        let place = |arrive: f64, leave: f64| Place {
            arrive: uniform(arrive, arrive + 2.0),
            leave: uniform(leave, leave + 1.0),
            trip_time_min: 0.25,
            charger,
        };
        let parking = Parking::Commute {
            home: place(17.0, 6.0),
            work: place(8.0, 15.0),
            days: WorkDays::Daily,
        };
        Fleet {
            capacity: uniform(40.0, 80.0),
            trip_energy: uniform(2.0, 9.0),
            soc_on_arrival: uniform(0.2, 0.9),
            departure_soc: uniform(0.5, 1.0),
            ..fleet(name, count, parking)
        }
    }

    fn drawn(counts: [u32; 2]) -> Population {
        let fleets = [commuters("a", counts[0]), commuters("b", counts[1])];
        Population::draw(5, Rules::TODAY, &clock(), &fleets)
    }

    /// Fleet, index and capacity in kWh of the cars that were not taken out.
    fn present(all: &Population) -> Vec<(usize, u32, f64)> {
        let ranges = all.fleets.iter().filter(|range| !range.removed);
        let cars = ranges.flat_map(|range| {
            let car = |ev| (range.fleet, range.index_of(ev), all.capacity_kwh[ev as usize]);
            range.evs.clone().map(car)
        });
        let mut cars: Vec<_> = cars.collect();
        cars.sort_by_key(|&(fleet, index, _)| (fleet, index));
        cars
    }

    /// Stays of the run that begin at `slot` or after it, by fleet and index of their cars:
    /// arrival, departure and which of its chargers.
    fn begin_from(all: &Population, slot: u32) -> Vec<(usize, u32, i32, i32, u32)> {
        let clock = clock();
        let begin = |id: &u32| (slot..clock.slots).contains(&all.stays.first_slot(*id, &clock));
        let ids = (0..all.stays.len() as u32).filter(begin);
        let told = ids.map(|id| {
            let stay = all.stays.get(id);
            let range = all.range_of(stay.ev);
            let own_first = range.chargers.start + 2 * (stay.ev - range.evs.start);
            (
                range.fleet,
                range.index_of(stay.ev),
                stay.arrives,
                stay.leaves,
                stay.charger - own_first,
            )
        });
        let mut told: Vec<_> = told.collect();
        told.sort_unstable();
        told
    }

    proptest! {
        #[test]
        fn recounted_cars_are_those_of_the_counts(
            counts in [[0..9_u32, 0..9_u32], [0..9_u32, 0..9_u32], [0..9_u32, 0..9_u32]],
            slots in [0..288_u32, 0..288_u32],
        ) {
            let (clock, first) = (clock(), slots[0].min(slots[1]));
            let last = slots[0].max(slots[1]);
            let [parent, one, other] = counts.map(drawn);
            let once = parent.recounted(&one, &clock, first);
            let twice = once.recounted(&other, &clock, last);
            prop_assert!(once.begins_with(&parent) && twice.begins_with(&once));
            prop_assert!(twice.stays.ev.is_sorted());
            prop_assert!(twice.chargers.windows(2).all(|two| two[0].ids.end == two[1].ids.start));
            prop_assert_eq!(present(&twice), present(&other));
            prop_assert_eq!(begin_from(&twice, last), begin_from(&other, last));
            if counts[0] == counts[2] && counts[1] == counts[2] {
                prop_assert_eq!(twice, parent);
            }
        }
    }
}
