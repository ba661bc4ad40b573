//! The schedules in force, run-length coded, and the calendar of their changes.
//!
//! A schedule is a list of segments: from its slot on, a segment's power holds until the next
//! segment; the last one's power is 0. Only the cars whose power changes in a slot are touched in
//! that slot.
//!
//! Stays can be planned before they begin. Such a schedule counts for the sums at once, and comes
//! into force when the car plugs in. Where the day follows upon itself, schedules run on past
//! midnight, and the sums are those of the one day that all of them make.

mod saved;

use bevy_ecs::prelude::*;
use std::{collections::BTreeMap, ops::Range};
use voltide_model::{
    clock::Clock,
    id::{EvId, SiteId, StayId},
};

/// All schedules in force.
#[derive(Resource)]
pub(crate) struct PlanBook {
    segment_slot: Vec<u32>,
    segment_kw: Vec<f64>,
    /// Per car: the segments of its schedule.
    of_ev: Vec<Span>,
    /// Per slot: cars whose schedule has a segment there, or had one when it was accepted.
    changes: Vec<Vec<EvId>>,
    /// Segments that belong to a schedule in force.
    live: usize,
    /// Per slot: sum of the schedules in force, kW.
    committed_kw: Vec<f64>,
    /// Per site, per slot: sum of the schedules in force behind it, kW.
    site_committed_kw: Vec<Vec<f64>>,
    /// Schedules of stays that have not begun, by stay; where the day follows upon itself, of all
    /// stays.
    ahead: BTreeMap<StayId, Ahead>,
    /// Says where the day comes again.
    clock: Clock,
}

/// The schedule of a stay that has not begun.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ahead {
    pub segment_slot: Vec<u32>,
    pub segment_kw: Vec<f64>,
    /// Stored energy that it begins with, kWh.
    pub expected_kwh: f64,
    /// The setting of prices that it was made at.
    pub setting: u32,
}

#[derive(Clone, Copy, Default)]
struct Span {
    start: u32,
    len: u32,
}

/// Dead segments that are tolerated before the book is written anew.
const SLACK: usize = 1 << 16;

/// Segments a car that there is room for from the start. Room costs no memory until it is used;
/// growing costs the places that the segments have moved away from.
const ROOM: usize = 4;

impl PlanBook {
    /// An empty book for `evs` cars and `sites` sites over `slots` slots of a clock.
    pub(crate) fn new(evs: usize, sites: usize, slots: usize, clock: Clock) -> Self {
        let summed = clock.typical_day().map_or(slots, |day| day as usize);
        Self {
            segment_slot: Vec::with_capacity(ROOM * evs),
            segment_kw: Vec::with_capacity(ROOM * evs),
            of_ev: vec![Span::default(); evs],
            changes: vec![Vec::new(); slots],
            committed_kw: vec![0.0; summed],
            site_committed_kw: vec![vec![0.0; summed]; sites],
            live: 0,
            ahead: BTreeMap::new(),
            clock,
        }
    }

    /// Puts a schedule into force, in place of the car's last one; `sites` are those it counts for.
    pub(crate) fn accept(
        &mut self,
        ev: EvId,
        slots: &[u32],
        kw: &[f64],
        sites: &[SiteId],
        now: u32,
    ) {
        self.withdraw(ev, sites, now);
        self.insert(ev, slots, kw);
        self.sum_up(slots, kw, sites, now, 1.0);
    }

    /// Keeps the schedule of a stay until it begins, in place of the one that it has.
    pub(crate) fn announce(&mut self, stay: StayId, ahead: Ahead, sites: &[SiteId], now: u32) {
        self.call_off(stay, sites, now);
        self.sum_up(&ahead.segment_slot, &ahead.segment_kw, sites, now, 1.0);
        self.ahead.insert(stay, ahead);
    }

    /// Puts the schedule of a stay that begins now into force, if it was planned ahead; `first` is
    /// the stay's first slot. Returns what was expected of it.
    pub(crate) fn begin(&mut self, ev: EvId, stay: StayId, first: u32, now: u32) -> Option<Ahead> {
        if self.clock.typical_day().is_none() {
            let ahead = self.ahead.remove(&stay)?;
            self.insert(ev, &ahead.segment_slot, &ahead.segment_kw);
            return Some(ahead);
        }
        // It stays in the book: the second part of a stay over midnight begins with it as well.
        let ahead = self.ahead.get(&stay)?.clone();
        let (slots, kw) = shifted(&ahead, self.clock.slots_before(first, now));
        self.insert(ev, &slots, &kw);
        Some(ahead)
    }

    /// Stored energy that a stay begins with where the day follows upon itself, kWh, once it is
    /// planned.
    pub(crate) fn expected_of_folded(&self, stay: StayId) -> Option<f64> {
        self.clock.typical_day().and_then(|_| self.ahead.get(&stay)).map(|it| it.expected_kwh)
    }

    /// Makes room for cars up to a number of `evs`.
    pub(crate) fn add_cars(&mut self, evs: usize) {
        self.of_ev.resize(evs, Span::default());
    }

    /// Stays that are planned and have not begun, ascending.
    pub(crate) fn stays_ahead(&self) -> impl Iterator<Item = StayId> {
        self.ahead.keys().copied()
    }

    /// The same with the stored energy that each is expected to begin with, kWh.
    pub(crate) fn stays_ahead_with_energy(&self) -> impl Iterator<Item = (StayId, f64)> {
        self.ahead.iter().map(|(&stay, ahead)| (stay, ahead.expected_kwh))
    }

    /// What the schedule of a stay that has not begun says for `slots`, kW; nothing where it has
    /// none.
    pub(crate) fn power_ahead(
        &self,
        stay: StayId,
        slots: Range<u32>,
    ) -> Option<impl Iterator<Item = f64>> {
        let Ahead { segment_slot, segment_kw, .. } = self.ahead.get(&stay)?;
        Some(slots.map(|slot| power_in(segment_slot, segment_kw, slot)))
    }

    /// The settings of prices that stays were planned at that have not begun.
    pub(crate) fn settings_ahead(&self) -> impl Iterator<Item = u32> {
        self.ahead.values().map(|ahead| ahead.setting)
    }

    /// Drops the schedule of a stay that will not begin.
    pub(crate) fn call_off(&mut self, stay: StayId, sites: &[SiteId], now: u32) {
        if let Some(ahead) = self.ahead.remove(&stay) {
            self.sum_up(&ahead.segment_slot, &ahead.segment_kw, sites, now, -1.0);
        }
    }

    fn insert(&mut self, ev: EvId, slots: &[u32], kw: &[f64]) {
        let start = self.segment_slot.len() as u32;
        self.segment_slot.extend_from_slice(slots);
        self.segment_kw.extend_from_slice(kw);
        self.of_ev[ev.row()] = Span { start, len: slots.len() as u32 };
        self.live += slots.len();
        for &slot in slots {
            // Schedules may reach beyond the last slot, where nothing takes place any more.
            if let Some(changes) = self.changes.get_mut(slot as usize) {
                changes.push(ev);
            }
        }
    }

    /// Takes the car's schedule out of force.
    pub(crate) fn withdraw(&mut self, ev: EvId, sites: &[SiteId], now: u32) {
        let span = self.of_ev[ev.row()];
        if span.len == 0 {
            return;
        }
        // Taken out for the call: the sums that it changes are of the same book.
        let slots = std::mem::take(&mut self.segment_slot);
        let kw = std::mem::take(&mut self.segment_kw);
        let range = span.start as usize..(span.start + span.len) as usize;
        self.sum_up(&slots[range.clone()], &kw[range], sites, now, -1.0);
        (self.segment_slot, self.segment_kw) = (slots, kw);
        self.of_ev[ev.row()] = Span::default();
        self.live -= span.len as usize;
        // At least half of it is dead by then, so that writing anew costs no more than writing did.
        if self.segment_slot.len() > 2 * self.live + SLACK {
            self.compact();
        }
    }

    /// The cars whose power may change at `slot`; each slot is asked for once.
    pub(crate) fn take_changes(&mut self, slot: u32) -> Vec<EvId> {
        std::mem::take(&mut self.changes[slot as usize])
    }

    /// What the car's schedule says for `slot`, kW.
    pub(crate) fn power_at(&self, ev: EvId, slot: u32) -> f64 {
        let (slots, kw) = self.segments(ev);
        power_in(slots, kw, slot)
    }

    /// Whether the car has a schedule.
    pub(crate) fn has_plan(&self, ev: EvId) -> bool {
        self.of_ev[ev.row()].len > 0
    }

    /// Sum of all schedules in a slot, kW.
    pub(crate) fn committed_kw(&self, slot: u32) -> f64 {
        self.committed_kw.get(self.clock.place(slot) as usize).copied().unwrap_or_default()
    }

    /// Sum of the schedules behind a site in a slot, kW.
    pub(crate) fn site_committed_kw(&self, site: SiteId, slot: u32) -> f64 {
        self.site_committed_kw[site.row()]
            .get(self.clock.place(slot) as usize)
            .copied()
            .unwrap_or_default()
    }

    /// What the car's schedule has from `now` on: slots with power, and how much, kW.
    pub(crate) fn left_of(
        &self,
        ev: EvId,
        now: u32,
    ) -> impl Iterator<Item = (Range<u32>, f64)> + '_ {
        let (slots, kw) = self.segments(ev);
        with_power(slots, kw, now)
    }

    /// The car's schedule: slots, and the power from each on, kW.
    pub(crate) fn segments(&self, ev: EvId) -> (&[u32], &[f64]) {
        let Span { start, len } = self.of_ev[ev.row()];
        let range = start as usize..(start + len) as usize;
        (&self.segment_slot[range.clone()], &self.segment_kw[range])
    }

    /// Adds `sign` times a schedule from `now` on to the sums.
    fn sum_up(&mut self, slots: &[u32], kw: &[f64], sites: &[SiteId], now: u32, sign: f64) {
        // What was planned of slots that are over took place, and stays in the sums.
        for (range, kw) in with_power(slots, kw, now) {
            let kw = sign * kw;
            for places in places(self.clock, range) {
                add(&mut self.committed_kw, places.clone(), kw);
                for &site in sites {
                    add(&mut self.site_committed_kw[site.row()], places.clone(), kw);
                }
            }
        }
    }

    /// Writes the live segments next to each other.
    fn compact(&mut self) {
        let room = self.live.max(ROOM * self.of_ev.len());
        let mut slots = Vec::with_capacity(room);
        let mut kw = Vec::with_capacity(room);
        for span in &mut self.of_ev {
            let range = span.start as usize..(span.start + span.len) as usize;
            span.start = slots.len() as u32;
            slots.extend_from_slice(&self.segment_slot[range.clone()]);
            kw.extend_from_slice(&self.segment_kw[range]);
        }
        (self.segment_slot, self.segment_kw) = (slots, kw);
    }
}

/// What a schedule says for a slot, kW.
fn power_in(slots: &[u32], kw: &[f64], slot: u32) -> f64 {
    match slots.partition_point(|&from| from <= slot) {
        0 => 0.0,
        after => kw[after - 1],
    }
}

/// Slots of a schedule from `now` on in which there is power, and how much, kW.
fn with_power<'s>(
    slots: &'s [u32],
    kw: &'s [f64],
    now: u32,
) -> impl Iterator<Item = (Range<u32>, f64)> + 's {
    let segments = slots.windows(2).zip(kw);
    let left = segments.map(move |(ends, &kw)| (ends[0].max(now)..ends[1], kw));
    left.filter(|(slots, kw)| *kw != 0.0 && !slots.is_empty())
}

/// Where slots stand in the sums, day by day where the day comes again.
fn places(clock: Clock, mut slots: Range<u32>) -> impl Iterator<Item = Range<usize>> {
    std::iter::from_fn(move || {
        let first = clock.place(slots.start);
        let to_midnight = clock.typical_day().map_or(u32::MAX, |day| day - first);
        let here = to_midnight.min(slots.end - slots.start);
        slots.start += here;
        (here > 0).then_some(first as usize..(first + here) as usize)
    })
}

/// Adds `kw` to the slots of `range` that there are.
fn add(sums: &mut [f64], range: Range<usize>, kw: f64) {
    let end = range.end.min(sums.len());
    for sum in sums.get_mut(range.start..end).unwrap_or_default() {
        *sum += kw;
    }
}

/// The part of a schedule from slot `by` on, with `by` as slot 0.
fn shifted(ahead: &Ahead, by: u32) -> (Vec<u32>, Vec<f64>) {
    let begun = ahead.segment_slot.partition_point(|&slot| slot <= by);
    let mut slots = Vec::new();
    let mut kw = Vec::new();
    if let Some(&power) = begun.checked_sub(1).and_then(|last| ahead.segment_kw.get(last)) {
        slots.push(0);
        kw.push(power);
    }
    slots.extend(ahead.segment_slot[begun..].iter().map(|slot| slot - by));
    kw.extend(&ahead.segment_kw[begun..]);
    (slots, kw)
}

/// Appends the run-length code of `schedule`, which begins at slot `from`, to the segments.
pub(crate) fn encode(schedule: &[f64], from: u32, slots: &mut Vec<u32>, kw: &mut Vec<f64>) {
    // Like no power, so that the first slot begins a segment whatever it holds.
    let mut last = f64::NAN;
    for (slot, &power) in (from..).zip(schedule) {
        if power.to_bits() != last.to_bits() {
            slots.push(slot);
            kw.push(power);
            last = power;
        }
    }
    if last != 0.0 {
        slots.push(from + schedule.len() as u32);
        kw.push(0.0);
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the book hands out what it was given")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use voltide_model::clock::Boundary;

    /// Three days of hours.
    fn hours(boundary: Boundary) -> Clock {
        let start = "2024-01-01T00:00:00".parse().unwrap();
        let clock = Clock::new(start, "UTC".parse().unwrap(), 3600, 3).unwrap();
        Clock { boundary, ..clock }
    }

    fn book(evs: usize, sites: usize, boundary: Boundary) -> PlanBook {
        PlanBook::new(evs, sites, 72, hours(boundary))
    }

    fn book_with(schedule: &[f64]) -> PlanBook {
        let mut book = book(2, 1, Boundary::Open);
        let mut slots = vec![];
        let mut kw = vec![];
        encode(schedule, 3, &mut slots, &mut kw);
        book.accept(EvId(1), &slots, &kw, &[SiteId(0)], 3);
        book
    }

    #[test]
    fn a_schedule_is_coded_by_its_changes() {
        let mut slots = vec![];
        let mut kw = vec![];
        encode(&[7.0, 7.0, 2.5, 0.0, 0.0], 10, &mut slots, &mut kw);
        assert_eq!((slots, kw), (vec![10, 12, 13], vec![7.0, 2.5, 0.0]));
    }

    #[test]
    fn a_new_schedule_replaces_the_old_one() {
        let mut book = book_with(&[7.0; 4]);
        book.accept(EvId(1), &[5, 6], &[3.0, 0.0], &[SiteId(0)], 5);
        assert_eq!((book.power_at(EvId(1), 5), book.power_at(EvId(1), 6)), (3.0, 0.0));
        let committed = [3, 4, 5, 6, 7].map(|slot| book.committed_kw(slot));
        assert_eq!(committed, [7.0, 7.0, 3.0, 0.0, 0.0]);
        assert_eq!(committed, [3, 4, 5, 6, 7].map(|slot| book.site_committed_kw(SiteId(0), slot)));
        book.withdraw(EvId(1), &[SiteId(0)], 5);
        assert_eq!(book.power_at(EvId(1), 5), 0.0);
    }

    fn ahead(segment_slot: &[u32], segment_kw: &[f64]) -> Ahead {
        Ahead {
            segment_slot: segment_slot.to_vec(),
            segment_kw: segment_kw.to_vec(),
            expected_kwh: 0.0,
            setting: 0,
        }
    }

    #[test]
    fn a_schedule_made_ahead_counts_once_and_comes_into_force_when_the_stay_begins() {
        let mut book = book(2, 1, Boundary::Open);
        book.announce(StayId(8), ahead(&[0, 10, 12], &[0.0, 5.0, 0.0]), &[SiteId(0)], 0);
        assert_eq!((book.committed_kw(10), book.power_at(EvId(1), 10)), (5.0, 0.0));
        assert!(book.begin(EvId(1), StayId(8), 9, 9).is_some());
        assert_eq!((book.committed_kw(10), book.power_at(EvId(1), 10)), (5.0, 5.0));
        assert_eq!(book.take_changes(10), [EvId(1)]);
        book.withdraw(EvId(1), &[SiteId(0)], 11);
        assert_eq!([10, 11].map(|slot| book.committed_kw(slot)), [5.0, 0.0]);
        assert!(book.begin(EvId(1), StayId(8), 9, 9).is_none(), "a stay begins once");
    }

    #[test]
    fn a_day_that_follows_upon_itself_has_the_night_at_both_ends() {
        let mut book = book(1, 0, Boundary::Fold);
        book.announce(StayId(3), ahead(&[20, 22, 30], &[0.0, 6.0, 0.0]), &[], 0);
        let day: Vec<f64> = (0..24).map(|slot| book.committed_kw(slot)).collect();
        assert_eq!(day.iter().sum::<f64>(), 48.0);
        assert_eq!([5, 6, 21, 22].map(|slot| day[slot]), [6.0, 0.0, 0.0, 6.0]);
        book.begin(EvId(0), StayId(3), 20, 0).unwrap();
        assert_eq!([0, 5, 6].map(|slot| book.power_at(EvId(0), slot)), [6.0, 6.0, 0.0]);
        book.withdraw(EvId(0), &[], 6);
        book.begin(EvId(0), StayId(3), 20, 20).unwrap();
        assert_eq!([20, 21, 22, 23].map(|slot| book.power_at(EvId(0), slot)), [0.0, 0.0, 6.0, 6.0]);
        assert_eq!((0..24).map(|slot| book.committed_kw(slot)).collect::<Vec<_>>(), day);
    }

    #[test]
    fn what_is_called_off_counts_no_more() {
        let mut book = book(1, 1, Boundary::Open);
        book.announce(StayId(3), ahead(&[5, 8], &[6.0, 0.0]), &[SiteId(0)], 0);
        book.call_off(StayId(3), &[SiteId(0)], 6);
        book.call_off(StayId(4), &[SiteId(0)], 6);
        assert_eq!([5, 6, 7].map(|slot| book.committed_kw(slot)), [6.0, 0.0, 0.0]);
        assert_eq!([5, 6, 7].map(|slot| book.site_committed_kw(SiteId(0), slot)), [6.0, 0.0, 0.0]);
        assert_eq!(book.stays_ahead().count(), 0);
        assert!(book.begin(EvId(0), StayId(3), 5, 6).is_none());
    }

    #[test]
    fn what_is_after_midnight_of_a_typical_day_lies_a_day_later_on_a_stays_own_axis() {
        let fold = hours(Boundary::Fold);
        assert_eq!([20, 23, 5].map(|tick| fold.slots_before(20, tick)), [0, 0, 24]);
        assert_eq!([8, 7].map(|tick| fold.slots_before(32, tick)), [24, 48]);
        assert_eq!(hours(Boundary::Open).slots_before(32, 40), 0);
        let parts: Vec<_> = places(fold, 20..50).collect();
        assert_eq!(parts, [20..24, 0..24, 0..2]);
        assert!(places(hours(Boundary::Open), 20..50).eq(std::iter::once(20..50)));
    }

    proptest! {
        #[test]
        fn the_book_gives_back_every_slot(schedule in prop::collection::vec(0..3_i32, 1..30)) {
            let schedule: Vec<f64> = schedule.into_iter().map(f64::from).collect();
            let book = book_with(&schedule);
            for (slot, &kw) in (3..).zip(&schedule) {
                prop_assert_eq!(book.power_at(EvId(1), slot), kw);
                prop_assert_eq!(book.committed_kw(slot), kw);
            }
            prop_assert_eq!(book.power_at(EvId(1), 3 + schedule.len() as u32), 0.0);
        }
    }
}
