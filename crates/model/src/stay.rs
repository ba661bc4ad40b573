//! Planned parking: who stands where from when to when.
//!
//! A stay is kept in seconds from the clock's start and used in whole slots: its first slot
//! begins at or after the arrival, its last one ends at or before the departure. Stays may
//! cross midnight and may have begun before the start, in which case they are in progress
//! at slot 0.

use crate::{
    clock::Clock,
    id::{ChargerId, EvId, StayId},
};

/// The stay of a car that is not plugged in.
pub const NO_STAY: StayId = StayId(u32::MAX);

/// When a stay begins and ends that does not take place any more, in seconds from the start: beyond
/// any run.
const NEVER: i32 = i32::MAX;

/// All stays of a population, in columns; sorted by car, then by arrival.
///
/// The index of a row is the stay's id, and its session's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stays {
    /// The car.
    pub ev: Vec<EvId>,
    /// The charger it stands at.
    pub charger: Vec<ChargerId>,
    /// Arrival, in seconds from the start; negative for a stay in progress at slot 0.
    pub arrives: Vec<i32>,
    /// Departure, in seconds from the start.
    pub leaves: Vec<i32>,
    /// Departure that the driver announced; the same as `leaves` unless the data says otherwise.
    pub announced: Vec<i32>,
    /// Energy wanted for driving between the car's previous stay and this one, kWh.
    pub trip_kwh: Vec<f64>,
}

impl Stays {
    /// Number of stays.
    pub fn len(&self) -> usize {
        self.ev.len()
    }

    /// All ids, ascending.
    pub fn ids(&self) -> impl Iterator<Item = StayId> + Clone + use<> {
        (0..self.len() as u32).map(StayId)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ev.is_empty()
    }

    /// First slot that the stay can use.
    pub fn first_slot(&self, stay: StayId, clock: &Clock) -> u32 {
        clock.slot_from(i64::from(self.arrives[stay.row()]))
    }

    /// The slot after the last one that the stay can use; may lie beyond the simulation.
    pub fn end_slot(&self, stay: StayId, clock: &Clock) -> u32 {
        clock.slots_until(i64::from(self.leaves[stay.row()]))
    }

    /// The slot after the last one that a policy is told of; at least one after the first.
    pub fn announced_end_slot(&self, stay: StayId, clock: &Clock) -> u32 {
        clock
            .slots_until(i64::from(self.announced[stay.row()]))
            // A driver may announce a time before the first whole slot, and without a slot nothing
            // could be planned.
            .max(self.first_slot(stay, clock) + 1)
    }

    /// The slot after the last one that a car plugged in for this stay is expected to stay for, on
    /// the axis of ticks: who stays beyond the announced departure may leave after this slot.
    pub fn expected_end_slot(&self, stay: StayId, tick: u32, clock: &Clock) -> u32 {
        let end = self.announced_end_slot(stay, clock).max(tick + 1);
        end - clock.slots_before(self.first_slot(stay, clock), tick)
    }

    /// The stay with this id.
    pub fn get(&self, stay: StayId) -> Stay {
        let row = stay.row();
        Stay {
            ev: self.ev[row],
            charger: self.charger[row],
            arrives: self.arrives[row],
            leaves: self.leaves[row],
            announced: self.announced[row],
            trip_kwh: self.trip_kwh[row],
        }
    }

    /// The stay ends when `slot` begins at the latest; one that would begin later does not take
    /// place. Whether one is cut short that would have lasted longer.
    pub(crate) fn end_by(&mut self, stay: StayId, slot: u32, clock: &Clock) -> bool {
        let row = stay.row();
        if self.first_slot(stay, clock) >= slot {
            self.call_off(stay);
            return false;
        }
        let lasts_longer = self.end_slot(stay, clock) > slot;
        let end = i64::from(slot) * i64::from(clock.slot_seconds);
        for instant in [&mut self.leaves[row], &mut self.announced[row]] {
            *instant = i64::from(*instant).min(end) as i32;
        }
        lasts_longer
    }

    /// The stay does not take place.
    pub(crate) fn call_off(&mut self, stay: StayId) {
        let row = stay.row();
        (self.arrives[row], self.leaves[row], self.announced[row]) = (NEVER, NEVER, NEVER);
    }

    /// Whether the car arrives when `slot` begins or later.
    pub(crate) fn arrives_from(&self, stay: StayId, slot: u32, clock: &Clock) -> bool {
        i64::from(self.arrives[stay.row()]) >= i64::from(slot) * i64::from(clock.slot_seconds)
    }

    /// Adds a stay and returns its id.
    pub fn push(&mut self, stay: Stay) -> StayId {
        self.ev.push(stay.ev);
        self.charger.push(stay.charger);
        self.arrives.push(stay.arrives);
        self.leaves.push(stay.leaves);
        self.announced.push(stay.announced);
        self.trip_kwh.push(stay.trip_kwh);
        StayId(self.ev.len() as u32 - 1)
    }
}

/// One row of [`Stays`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stay {
    /// The car.
    pub ev: EvId,
    /// The charger it stands at.
    pub charger: ChargerId,
    /// Arrival, in seconds from the start.
    pub arrives: i32,
    /// Departure, in seconds from the start.
    pub leaves: i32,
    /// Announced departure, in seconds from the start.
    pub announced: i32,
    /// Energy wanted for the trip before it, kWh.
    pub trip_kwh: f64,
}

/// Which stays begin and end at each slot.
#[derive(Debug, Clone, Default)]
pub struct Calendar {
    begins: Buckets,
    ends: Buckets,
    overdue: Buckets,
    /// With a period: stays that reach over its end, ascending.
    folded: Vec<StayId>,
}

impl Calendar {
    /// Sorts `stays` by the slots of the simulation at which they begin and end.
    ///
    /// On a typical day a stay that reaches over its end begins in one part and ends in the other,
    /// and is in progress at slot 0.
    pub fn new(stays: &Stays, clock: &Clock) -> Self {
        let period = clock.typical_day();
        let ids = || stays.ids();
        let first = |stay| stays.first_slot(stay, clock);
        let announced_end = |stay| stays.announced_end_slot(stay, clock);
        let late = ids().filter(|&stay| announced_end(stay) < stays.end_slot(stay, clock));
        // A stay that ends with the day does not reach over it.
        let folded = |stay| {
            period.is_some_and(|slots| stays.end_slot(stay, clock) > fold(first(stay), slots).1)
        };
        let end = |stay| {
            let end = stays.end_slot(stay, clock);
            period.map_or(end, |slots| {
                let (begin, day_end) = fold(first(stay), slots);
                if end > day_end { end - day_end } else { begin + end - first(stay) }
            })
        };
        Self {
            begins: Buckets::new(clock.slots, ids(), |stay| {
                period.map_or(first(stay), |slots| fold(first(stay), slots).0)
            }),
            ends: Buckets::new(clock.slots, ids(), end),
            overdue: Buckets::new(clock.slots, late, announced_end),
            folded: ids().filter(|&stay| folded(stay)).collect(),
        }
    }

    /// Ids of the stays that reach over the end of the period, and so are in progress at slot 0;
    /// ascending.
    pub fn folded(&self) -> &[StayId] {
        &self.folded
    }

    /// Ids of the stays whose announced departure is at `slot` but whose car stays on, ascending.
    pub fn overdue_from(&self, slot: u32) -> &[StayId] {
        self.overdue.at(slot)
    }

    /// Ids of the stays whose first slot is `slot`, ascending.
    pub fn beginning_at(&self, slot: u32) -> &[StayId] {
        self.begins.at(slot)
    }

    /// Ids of the stays that no longer use `slot` but did the one before, ascending.
    pub fn ending_at(&self, slot: u32) -> &[StayId] {
        self.ends.at(slot)
    }
}

/// A slot within its period, and the end of that period.
fn fold(slot: u32, period: u32) -> (u32, u32) {
    (slot % period, (slot / period + 1) * period)
}

/// Ids sorted by slot (a counting sort): `ids[offsets[slot]..offsets[slot + 1]]`.
#[derive(Debug, Clone, Default)]
struct Buckets {
    offsets: Vec<u32>,
    ids: Vec<StayId>,
}

impl Buckets {
    fn new(
        slots: u32,
        ids: impl Iterator<Item = StayId> + Clone,
        slot_of: impl Fn(StayId) -> u32,
    ) -> Self {
        let mut offsets = vec![0; slots as usize + 1];
        for id in ids.clone() {
            // What begins or ends beyond the run has no slot in it.
            if let Some(count) = offsets.get_mut(slot_of(id) as usize + 1) {
                *count += 1;
            }
        }
        for slot in 1..offsets.len() {
            offsets[slot] += offsets[slot - 1];
        }
        // Counting leaves the ids of a slot ascending, as events of a tick must be.
        let mut next = offsets.clone();
        let mut sorted = vec![NO_STAY; offsets[slots as usize] as usize];
        for id in ids {
            let slot = slot_of(id);
            if slot < slots {
                sorted[next[slot as usize] as usize] = id;
                next[slot as usize] += 1;
            }
        }
        Self { offsets, ids: sorted }
    }

    fn at(&self, slot: u32) -> &[StayId] {
        let range = |slot: u32| self.offsets[slot as usize] as usize;
        if slot as usize + 1 >= self.offsets.len() {
            &[]
        } else {
            &self.ids[range(slot)..range(slot + 1)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::UTC;

    #[test]
    fn usable_slots_are_those_wholly_inside() {
        let clock = Clock::new("2024-01-01T00:00:00".parse().unwrap(), UTC, 900, 1).unwrap();
        let mut stays = Stays::default();
        let stay = |arrives, leaves| Stay {
            ev: EvId(0),
            charger: ChargerId(0),
            arrives,
            leaves,
            announced: leaves,
            trip_kwh: 0.0,
        };
        let inside = stays.push(stay(100, 2000));
        let in_progress = stays.push(stay(-5000, 1800));
        let beyond = stays.push(stay(3600, 200_000));
        let slots = |id| (stays.first_slot(id, &clock), stays.end_slot(id, &clock));
        assert_eq!([slots(inside), slots(in_progress), slots(beyond)], [(1, 2), (0, 2), (4, 222)]);
        let calendar = Calendar::new(&stays, &clock);
        assert_eq!(calendar.beginning_at(0), [in_progress]);
        assert_eq!(calendar.ending_at(2), [inside, in_progress]);
        assert_eq!(calendar.beginning_at(95).len() + calendar.ending_at(96).len(), 0);
    }

    #[test]
    fn folded_stays_begin_and_end_on_one_day() {
        let clock = Clock::new("2024-01-01T00:00:00".parse().unwrap(), UTC, 3600, 1).unwrap();
        let mut stays = Stays::default();
        let hours = |from: i32, to: i32| Stay {
            ev: EvId(0),
            charger: ChargerId(0),
            arrives: from * 3600,
            leaves: to * 3600,
            announced: to * 3600,
            trip_kwh: 0.0,
        };
        let home = stays.push(hours(17, 31));
        let work = stays.push(hours(32, 40));
        let to_midnight = stays.push(hours(20, 24));
        let calendar =
            Calendar::new(&stays, &Clock { boundary: crate::clock::Boundary::Fold, ..clock });
        assert_eq!(calendar.folded(), [home]);
        assert_eq!((calendar.beginning_at(17), calendar.ending_at(7)), (&[home][..], &[home][..]));
        assert_eq!((calendar.beginning_at(8), calendar.ending_at(16)), (&[work][..], &[work][..]));
        assert_eq!(calendar.beginning_at(20), [to_midnight]);
        assert!((0..24).all(|slot| !calendar.ending_at(slot).contains(&to_midnight)));
    }
}
