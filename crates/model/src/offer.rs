//! What a plugged-in car could add to its schedule or take off it, by the same power in every slot
//! for a while, and still meet every wish of its stay.
//!
//! With `p(s)` the power in slot s and `E(b)` what is stored when slot b begins, the most that can
//! be added over the slots from t to u is the largest δ for which `p(s) + δ <= P_c` and
//! `E_δ(b) <= most(b)`; the most that can be taken off, the largest for which `p(s) - δ` is not
//! below what the car may discharge with and `E_δ(b) >= least(b)`, where t < b <= u. Both edges are
//! those of [`crate::virtual_battery`]: what comes after the while is free to make up for it.

use crate::{battery::SlotBattery, virtual_battery::StayNeeds};

/// Neighbouring slots of one power.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// How many.
    pub slots: u32,
    /// Power in each, kW; positive charges.
    pub kw: f64,
}

/// A car from one slot on.
#[derive(Debug, Clone, Copy)]
pub struct Course<'a> {
    /// How its battery moves in a slot.
    pub battery: SlotBattery,
    /// What it wants, and when.
    pub needs: &'a StayNeeds,
    /// The first slot.
    pub slot: u32,
    /// What is stored when that begins, kWh.
    pub energy_kwh: f64,
    /// What it is to do in the slots from there on; single slots where it has wishes. Not empty.
    pub parts: &'a [Part],
}

/// Stored energy that is rounding, kWh.
const ROUNDING_KWH: f64 = 1e-9;

/// Steps to a change; each takes the kinks of one more part, so that few suffice.
const STEPS: u32 = 32;

impl Course<'_> {
    /// The most that can be added in all its slots alike, kW, not negative; `charge_max` is the
    /// charger's.
    pub fn added(&self, charge_max: f64) -> f64 {
        let highest = self.parts.iter().map(|part| part.kw).fold(f64::NEG_INFINITY, f64::max);
        let mut change = (charge_max - highest).max(0.0);
        let mut end = self.slot;
        for count in 1..=self.parts.len() {
            end += self.parts[count - 1].slots;
            let room = self.needs.most_at(end) - self.energy_kwh;
            change = self.held(count, change, room, |excess_kwh| excess_kwh > ROUNDING_KWH);
        }
        change.max(0.0)
    }

    /// The most that can be taken off in all its slots alike, kW, where the car may discharge with
    /// `discharge_max`. Negative where its schedule already discharges more than that.
    pub fn taken_off(&self, discharge_max: f64) -> f64 {
        let lowest = self.parts.iter().map(|part| part.kw).fold(f64::INFINITY, f64::min);
        let most = lowest + discharge_max;
        if most <= 0.0 {
            return most;
        }
        let mut change = -most;
        let mut end = self.slot;
        for count in 1..=self.parts.len() {
            end += self.parts[count - 1].slots;
            let least = self.needs.least_within_reach(self.slot, self.energy_kwh, end);
            let room = least - self.energy_kwh;
            change = self.held(count, change, room, |excess_kwh| excess_kwh < -ROUNDING_KWH);
        }
        (-change).max(0.0)
    }

    /// The change of power, in kW, brought back to where the first `count` parts move stored energy
    /// by `room_kwh`, if what they move beyond that is too much.
    ///
    /// What is stored is concave in the change, and linear between few kinks: Newton's steps come
    /// to the root from one side and end there.
    fn held(
        &self,
        count: usize,
        mut change: f64,
        room_kwh: f64,
        is_too_much: impl Fn(f64) -> bool,
    ) -> f64 {
        let (mut moved_kwh, mut slope) = self.moved(count, change);
        if !is_too_much(moved_kwh - room_kwh) {
            return change;
        }
        for _ in 0..STEPS {
            change -= (moved_kwh - room_kwh) / slope;
            (moved_kwh, slope) = self.moved(count, change);
            if (moved_kwh - room_kwh).abs() <= ROUNDING_KWH {
                break;
            }
        }
        change
    }

    /// What the first `count` parts store with a change of power, kWh, and how that grows with it,
    /// kWh per kW.
    fn moved(&self, count: usize, change: f64) -> (f64, f64) {
        let SlotBattery { stored_per_kw, drawn_per_kw, .. } = self.battery;
        let mut sums = (0.0, 0.0);
        for part in &self.parts[..count] {
            let kw = part.kw + change;
            let per_kw = if kw >= 0.0 { stored_per_kw } else { drawn_per_kw };
            let slots = f64::from(part.slots);
            sums.0 += slots * kw * per_kw;
            sums.1 += slots * per_kw;
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        battery::{Battery, EnergyBounds},
        quantity::Share,
        virtual_battery::SlotReach,
    };
    use proptest::prelude::*;

    const CHARGE_MAX: f64 = 7.0;
    const DISCHARGE_MAX: f64 = 5.0;

    fn battery() -> SlotBattery {
        Battery {
            soc_min: Share::ZERO,
            soc_max: Share::ONE,
            charge_efficiency: Share::new(0.9).unwrap(),
            discharge_efficiency: Share::new(0.8).unwrap(),
            degradation_per_kwh: 0.0,
        }
        .slot(0.25)
    }

    fn needs(target_kwh: f64, end_slot: u32) -> StayNeeds {
        let bounds = EnergyBounds { least_kwh: 10.0, most_kwh: 50.0 };
        let battery = battery();
        let reach = SlotReach {
            stored_kwh: CHARGE_MAX * battery.stored_per_kw,
            drawn_kwh: DISCHARGE_MAX * battery.drawn_per_kw,
        };
        StayNeeds::new(bounds, target_kwh, end_slot, reach)
    }

    /// Whether a changed schedule stays within the edges and the charger's limits.
    fn holds(course: &Course<'_>, change: f64) -> bool {
        let mut energy_kwh = course.energy_kwh;
        let mut slot = course.slot;
        let mut held = true;
        for part in course.parts {
            let kw = part.kw + change;
            held &= (-DISCHARGE_MAX - 1e-9..=CHARGE_MAX + 1e-9).contains(&kw);
            for _ in 0..part.slots {
                slot += 1;
                energy_kwh = course.battery.after(energy_kwh, kw);
                held &= energy_kwh >= course.needs.least_at(slot) - 1e-7;
                held &= energy_kwh <= course.needs.most_at(slot) + 1e-7;
            }
        }
        held
    }

    #[test]
    fn a_car_that_charges_can_stop_and_turn_round_as_far_as_its_target_allows() {
        let course =
            |needs, parts| Course { battery: battery(), needs, slot: 0, energy_kwh: 30.0, parts };
        let at_leisure = needs(30.0, 40);
        let parts = [Part { slots: 4, kw: 4.0 }];
        let with_time = course(&at_leisure, &parts);
        assert!((with_time.added(CHARGE_MAX) - 3.0).abs() < 1e-12);
        assert!((with_time.taken_off(DISCHARGE_MAX) - 9.0).abs() < 1e-12);
        assert!((with_time.taken_off(0.0) - 4.0).abs() < 1e-12);
        // Four slots of 7 kW are all that is left: nothing can be taken off.
        let in_haste = needs(30.0 + 4.0 * 7.0 * 0.25 * 0.9, 4);
        let parts = [Part { slots: 4, kw: 7.0 }];
        assert!(course(&in_haste, &parts).taken_off(DISCHARGE_MAX) < 1e-9);
        // What discharges as planned would have to stop, were it not allowed to.
        let parts = [Part { slots: 2, kw: -3.0 }];
        assert!((course(&at_leisure, &parts).taken_off(0.0) + 3.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn the_most_is_possible_and_more_is_not(
            powers in proptest::collection::vec((1..4_u32, -5.0..7.0_f64), 1..6),
            energy in 10.0..50.0_f64,
            target in 10.0..50.0_f64,
            left in 0..12_u32,
        ) {
            let parts: Vec<Part> =
                powers.iter().map(|&(slots, kw)| Part { slots, kw }).collect();
            let slots: u32 = parts.iter().map(|part| part.slots).sum();
            let needs = needs(target, slots + left);
            let course =
                Course { battery: battery(), needs: &needs, slot: 0, energy_kwh: energy, parts: &parts };
            prop_assume!(holds(&course, 0.0));
            let added = course.added(CHARGE_MAX);
            prop_assert!(holds(&course, added) && !holds(&course, added + 1e-3));
            let taken = course.taken_off(DISCHARGE_MAX);
            prop_assert!(holds(&course, -taken) && !holds(&course, -taken - 1e-3));
        }
    }
}
