//! The schedules in force, run-length coded, and the calendar of their changes.
//!
//! A schedule is a list of segments: from its slot on, a segment's power holds until the next
//! segment; the last one's power is 0. Only the cars whose power changes in a slot are touched in
//! that slot.

use bevy_ecs::prelude::*;

/// All schedules in force.
#[derive(Resource, Default)]
pub(crate) struct PlanBook {
    segment_slot: Vec<u32>,
    segment_kw: Vec<f64>,
    /// Per car: the segments of its schedule.
    of_ev: Vec<Span>,
    /// Per slot: cars whose schedule has a segment there, or had one when it was accepted.
    changes: Vec<Vec<u32>>,
    /// Segments that belong to a schedule in force.
    live: usize,
    /// Per slot: sum of the schedules in force, kW.
    committed_kw: Vec<f64>,
    /// Per site, per slot: sum of the schedules in force behind it, kW.
    site_committed_kw: Vec<Vec<f64>>,
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
    /// An empty book for `evs` cars and `sites` sites over `slots` slots.
    pub(crate) fn new(evs: usize, sites: usize, slots: usize) -> Self {
        Self {
            segment_slot: Vec::with_capacity(ROOM * evs),
            segment_kw: Vec::with_capacity(ROOM * evs),
            of_ev: vec![Span::default(); evs],
            changes: vec![Vec::new(); slots],
            committed_kw: vec![0.0; slots],
            site_committed_kw: vec![vec![0.0; slots]; sites],
            ..Self::default()
        }
    }

    /// Puts a schedule into force, in place of the car's last one; `sites` are those it counts for.
    pub(crate) fn accept(&mut self, ev: u32, slots: &[u32], kw: &[f64], sites: &[u32], now: u32) {
        self.withdraw(ev, sites, now);
        let start = self.segment_slot.len() as u32;
        self.segment_slot.extend_from_slice(slots);
        self.segment_kw.extend_from_slice(kw);
        self.of_ev[ev as usize] = Span { start, len: slots.len() as u32 };
        self.live += slots.len();
        for &slot in slots {
            if let Some(changes) = self.changes.get_mut(slot as usize) {
                changes.push(ev);
            }
        }
        self.commit(ev, sites, now, 1.0);
    }

    /// Takes the car's schedule out of force.
    pub(crate) fn withdraw(&mut self, ev: u32, sites: &[u32], now: u32) {
        let span = self.of_ev[ev as usize];
        if span.len == 0 {
            return;
        }
        self.commit(ev, sites, now, -1.0);
        self.of_ev[ev as usize] = Span::default();
        self.live -= span.len as usize;
        if self.segment_slot.len() > 2 * self.live + SLACK {
            self.compact();
        }
    }

    /// The cars whose power may change at `slot`; each slot is asked for once.
    pub(crate) fn take_changes(&mut self, slot: u32) -> Vec<u32> {
        std::mem::take(&mut self.changes[slot as usize])
    }

    /// What the car's schedule says for `slot`, kW.
    pub(crate) fn power_at(&self, ev: u32, slot: u32) -> f64 {
        let (slots, kw) = self.segments(ev);
        match slots.partition_point(|&from| from <= slot) {
            0 => 0.0,
            after => kw[after - 1],
        }
    }

    /// Whether the car has a schedule.
    pub(crate) fn has_plan(&self, ev: u32) -> bool {
        self.of_ev[ev as usize].len > 0
    }

    /// Sum of all schedules per slot from `from` on, kW.
    pub(crate) fn committed_kw(&self, from: u32) -> &[f64] {
        self.committed_kw.get(from as usize..).unwrap_or_default()
    }

    /// Sum of the schedules behind a site per slot from `from` on, kW.
    pub(crate) fn site_committed_kw(&self, site: u32, from: u32) -> &[f64] {
        self.site_committed_kw[site as usize].get(from as usize..).unwrap_or_default()
    }

    fn segments(&self, ev: u32) -> (&[u32], &[f64]) {
        let Span { start, len } = self.of_ev[ev as usize];
        let range = start as usize..(start + len) as usize;
        (&self.segment_slot[range.clone()], &self.segment_kw[range])
    }

    /// Adds `sign` times the car's schedule from `now` on to the sums.
    fn commit(&mut self, ev: u32, sites: &[u32], now: u32, sign: f64) {
        let Span { start, len } = self.of_ev[ev as usize];
        for segment in start as usize..(start + len) as usize - 1 {
            let kw = sign * self.segment_kw[segment];
            let range = self.segment_slot[segment].max(now) as usize..self.segment_slot[segment + 1] as usize;
            if kw == 0.0 || range.is_empty() {
                continue;
            }
            add(&mut self.committed_kw, range.clone(), kw);
            for &site in sites {
                add(&mut self.site_committed_kw[site as usize], range.clone(), kw);
            }
        }
    }

    /// Writes the live segments next to each other.
    fn compact(&mut self) {
        let room = self.live.max(ROOM * self.of_ev.len());
        let (mut slots, mut kw) = (Vec::with_capacity(room), Vec::with_capacity(room));
        for span in &mut self.of_ev {
            let range = span.start as usize..(span.start + span.len) as usize;
            span.start = slots.len() as u32;
            slots.extend_from_slice(&self.segment_slot[range.clone()]);
            kw.extend_from_slice(&self.segment_kw[range]);
        }
        (self.segment_slot, self.segment_kw) = (slots, kw);
    }
}

/// Adds `kw` to the slots of `range` that there are.
fn add(sums: &mut [f64], range: std::ops::Range<usize>, kw: f64) {
    let end = range.end.min(sums.len());
    for sum in sums.get_mut(range.start..end).unwrap_or_default() {
        *sum += kw;
    }
}

/// Appends the run-length code of `schedule`, which begins at slot `from`, to the segments.
pub(crate) fn encode(schedule: &[f64], from: u32, slots: &mut Vec<u32>, kw: &mut Vec<f64>) {
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

    fn book_with(schedule: &[f64]) -> PlanBook {
        let mut book = PlanBook::new(2, 1, 40);
        let (mut slots, mut kw) = (vec![], vec![]);
        encode(schedule, 3, &mut slots, &mut kw);
        book.accept(1, &slots, &kw, &[0], 3);
        book
    }

    #[test]
    fn a_schedule_is_coded_by_its_changes() {
        let (mut slots, mut kw) = (vec![], vec![]);
        encode(&[7.0, 7.0, 2.5, 0.0, 0.0], 10, &mut slots, &mut kw);
        assert_eq!((slots, kw), (vec![10, 12, 13], vec![7.0, 2.5, 0.0]));
    }

    #[test]
    fn a_new_schedule_replaces_the_old_one() {
        let mut book = book_with(&[7.0; 4]);
        book.accept(1, &[5, 6], &[3.0, 0.0], &[0], 5);
        assert_eq!((book.power_at(1, 5), book.power_at(1, 6)), (3.0, 0.0));
        assert_eq!(book.committed_kw(3)[..5], [7.0, 7.0, 3.0, 0.0, 0.0]);
        assert_eq!(book.committed_kw(3), book.site_committed_kw(0, 3));
        book.withdraw(1, &[0], 5);
        assert_eq!(book.power_at(1, 5), 0.0);
    }

    proptest! {
        #[test]
        fn the_book_gives_back_every_slot(schedule in prop::collection::vec(0..3_i32, 1..30)) {
            let schedule: Vec<f64> = schedule.into_iter().map(f64::from).collect();
            let book = book_with(&schedule);
            for (slot, &kw) in (3..).zip(&schedule) {
                prop_assert_eq!(book.power_at(1, slot), kw);
                prop_assert_eq!(book.committed_kw(slot)[0], kw);
            }
            prop_assert_eq!(book.power_at(1, 3 + schedule.len() as u32), 0.0);
        }
    }
}
