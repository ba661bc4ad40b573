//! The virtual battery of a plugged-in car: between which amounts of stored energy it may be in
//! each slot so that every wish of its stay is still met.
//!
//! ```text
//! least(b) = max(E_min, w_min(b), least(b+1) - η_c·P_c·Δt)     what still reaches all that is wanted
//! most(b)  = min(E_max, w_max(b), most(b+1) + P_d/η_d·Δt)      what still comes down in time
//! low(b)   = max(least(b), low(b-1) - P_d/η_d·Δt)              from what the stay began with,
//! high(b)  = min(most(b),  high(b-1) + η_c·P_c·Δt)             as late, or as soon, as can be
//! ```
//! `b` is the instant at which a slot begins. A car that goes from edge to edge keeps its charger's
//! limits, and one that is beyond an edge cannot meet every wish any more, whatever it does. The
//! band of many cars is the sum of theirs, and is as tight. Limits of sites are no part of it.

use crate::{
    battery::EnergyBounds,
    id::{EvId, StayId},
    scenario::Scenario,
    wishes::WishedStay,
};

/// What a plugged-in car can move in a slot, kWh of stored energy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlotReach {
    /// Most that charging stores.
    pub stored_kwh: f64,
    /// Most that discharging takes; 0 where the car may not discharge.
    pub drawn_kwh: f64,
}

/// What a stay must hold and may hold, kWh, at the instants at which slots begin.
#[derive(Debug, Clone, PartialEq)]
pub struct StayNeeds {
    /// The slot after the last one that the stay is expected to have.
    pub end_slot: u32,
    /// Between what it may be moved.
    pub bounds: EnergyBounds,
    /// What it wants at departure, as far as its bounds allow.
    pub target_kwh: f64,
    /// What charging can store in a slot.
    pub stored_kwh: f64,
    /// Where the fleet has wishes: least and most, from the end of the stay backwards.
    wished: Box<[(f64, f64)]>,
}

impl StayNeeds {
    /// Needs of a stay without wishes but its target: `bounds` are those of plans.
    pub fn new(bounds: EnergyBounds, target_kwh: f64, end_slot: u32, reach: SlotReach) -> Self {
        let target_kwh = target_kwh.max(bounds.least_kwh).min(bounds.most_kwh);
        let stored_kwh = reach.stored_kwh;
        Self { end_slot, bounds, target_kwh, stored_kwh, wished: Box::default() }
    }

    /// The same with what the fleet wishes of a stay that is seen from slot `from` on; its slots
    /// count from an axis on which this one is later by `shift`.
    #[must_use]
    pub fn with_wishes(
        mut self,
        scenario: &Scenario,
        (ev, stay): (EvId, StayId),
        (from, shift): (u32, u32),
        reach: SlotReach,
    ) -> Self {
        let wishes = &scenario.fleets[scenario.population.fleet_of(ev)].wishes;
        if wishes.is_empty() {
            return self;
        }
        let wished_stay = scenario.wished_stay(ev, stay);
        let capacity_kwh = scenario.population.capacity_kwh[ev.row()];
        let EnergyBounds { least_kwh, most_kwh } = self.bounds;
        let mut at_end = (self.target_kwh, most_kwh);
        let mut wished = Vec::new();
        for slot in (from + 1..=self.end_slot).rev() {
            let at = i64::from(slot + shift) * wished_stay.slot_seconds;
            let (low, high) = wishes.at(&wished_stay, at);
            let within = |soc: f64| (capacity_kwh * soc).max(least_kwh).min(most_kwh);
            let low = at_end.0.max(low.map_or(least_kwh, within));
            let high = at_end.1.min(high.map_or(most_kwh, within));
            wished.push((low, high.max(low)));
            at_end = (low - reach.stored_kwh, (high + reach.drawn_kwh).min(most_kwh));
        }
        self.wished = wished.into_boxed_slice();
        self
    }

    /// Whether it is wished for more than a target.
    pub fn has_wishes(&self) -> bool {
        !self.wished.is_empty()
    }

    /// Least stored energy at the beginning of a slot with which all that is wanted from then on
    /// can still be had, kWh.
    pub fn least_at(&self, slot: u32) -> f64 {
        let left = self.end_slot.saturating_sub(slot);
        match self.wished.get(left as usize) {
            Some((low, _)) => low.max(self.bounds.least_kwh),
            None => {
                (self.target_kwh - f64::from(left) * self.stored_kwh).max(self.bounds.least_kwh)
            }
        }
    }

    /// Most stored energy at the beginning of a slot with which no maximum is passed from then on,
    /// kWh.
    pub fn most_at(&self, slot: u32) -> f64 {
        let left = self.end_slot.saturating_sub(slot);
        self.wished.get(left as usize).map_or(self.bounds.most_kwh, |(_, high)| *high)
    }

    /// The same at a slot `at`, without what a car with this energy at the beginning of `slot`
    /// cannot reach until then.
    pub fn least_within_reach(&self, slot: u32, energy_kwh: f64, at: u32) -> f64 {
        let reached = energy_kwh + f64::from(at.saturating_sub(slot)) * self.stored_kwh;
        self.least_at(at).min(reached)
    }
}

/// The edges of the band of one car at the end of a slot, kWh stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edges {
    /// Least, where the car may discharge in every slot.
    pub low_kwh: f64,
    /// Least, where it discharges only in slots in which its driver agreed.
    pub low_agreed_kwh: f64,
    /// Most.
    pub high_kwh: f64,
}

impl Edges {
    /// Those of a stay that begins with this energy.
    pub fn beginning(energy_kwh: f64) -> Self {
        Self { low_kwh: energy_kwh, low_agreed_kwh: energy_kwh, high_kwh: energy_kwh }
    }

    /// Those at the end of the next slot, which ends when `slot` begins, as its driver answers.
    #[must_use]
    pub fn after(self, needs: &StayNeeds, slot: u32, reach: SlotReach, agreed: bool) -> Self {
        let soonest = self.high_kwh + reach.stored_kwh;
        let high_kwh = soonest.min(needs.most_at(slot));
        // What was out of reach from the beginning is as much as can be had.
        let least = needs.least_at(slot).min(soonest);
        let drawn = if agreed { reach.drawn_kwh } else { 0.0 };
        Self {
            low_kwh: least.max(self.low_kwh - reach.drawn_kwh),
            low_agreed_kwh: least.max(self.low_agreed_kwh - drawn),
            high_kwh: high_kwh.max(least),
        }
    }
}

impl Scenario {
    /// What wishes go by of a stay: as policies know it, to its announced departure.
    pub fn wished_stay(&self, ev: EvId, stay: StayId) -> WishedStay {
        let population = &self.population;
        let clock = &self.clock;
        let range = population.range_of(ev);
        let charger = population.charger(population.stays.charger[stay.row()]);
        let efficiency = self.fleets[range.fleet].battery.charge_efficiency.get();
        let seconds = |slot: u32| i64::from(slot) * i64::from(clock.slot_seconds);
        let first = population.stays.first_slot(stay, clock);
        let end = population.stays.announced_end_slot(stay, clock);
        WishedStay {
            car: range.index_of(ev),
            seconds: seconds(first)..seconds(end),
            slot_seconds: i64::from(clock.slot_seconds),
            soc_per_hour: charger.charge_max.0 * efficiency / population.capacity_kwh[ev.row()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REACH: SlotReach = SlotReach { stored_kwh: 2.0, drawn_kwh: 3.0 };

    fn needs(target_kwh: f64, slots: u32) -> StayNeeds {
        let bounds = EnergyBounds { least_kwh: 10.0, most_kwh: 50.0 };
        StayNeeds::new(bounds, target_kwh, slots, REACH)
    }

    /// Edges at the end of each slot of a stay.
    fn course(needs: &StayNeeds, arrival_kwh: f64, agreed: bool) -> Vec<Edges> {
        let mut edges = Edges::beginning(arrival_kwh);
        let step = |slot| {
            edges = edges.after(needs, slot, REACH, agreed);
            edges
        };
        (1..=needs.end_slot).map(step).collect()
    }

    #[test]
    fn a_stay_goes_down_as_far_as_it_may_and_comes_back_as_late_as_it_can() {
        let edges = course(&needs(20.0, 8), 16.0, true);
        let low: Vec<f64> = edges.iter().map(|edge| edge.low_kwh).collect();
        assert_eq!(low, [13.0, 10.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0]);
        let high: Vec<f64> = edges.iter().map(|edge| edge.high_kwh).collect();
        assert_eq!(high, [18.0, 20.0, 22.0, 24.0, 26.0, 28.0, 30.0, 32.0]);
        let unwilling = course(&needs(20.0, 8), 16.0, false);
        let low: Vec<f64> = unwilling.iter().map(|edge| edge.low_agreed_kwh).collect();
        assert_eq!(low, [16.0, 16.0, 16.0, 16.0, 16.0, 16.0, 18.0, 20.0]);
    }

    #[test]
    fn a_target_out_of_reach_leaves_no_band() {
        let edges = course(&needs(40.0, 3), 16.0, true);
        let both = edges.iter().map(|edge| (edge.low_kwh, edge.high_kwh));
        assert_eq!(both.collect::<Vec<_>>(), [(18.0, 18.0), (20.0, 20.0), (22.0, 22.0)]);
    }

    proptest! {
        #[test]
        fn edges_are_followed_with_what_a_slot_can_move(
            arrival in 5.0..60.0_f64, target in 0.0..60.0_f64, slots in 1..40_u32,
            agreed in proptest::bool::ANY,
        ) {
            let bounds = EnergyBounds { least_kwh: 10.0_f64.min(arrival), most_kwh: 50.0_f64.max(arrival) };
            let needs = StayNeeds::new(bounds, target, slots, REACH);
            let mut before = Edges::beginning(arrival);
            for edges in course(&needs, arrival, agreed) {
                for (from, to) in [
                    (before.low_kwh, edges.low_kwh),
                    (before.low_agreed_kwh, edges.low_agreed_kwh),
                    (before.high_kwh, edges.high_kwh),
                ] {
                    prop_assert!((-3.0 - 1e-9..=2.0 + 1e-9).contains(&(to - from)), "{from} {to}");
                }
                prop_assert!(edges.low_kwh <= edges.low_agreed_kwh + 1e-9);
                prop_assert!(edges.low_agreed_kwh <= edges.high_kwh + 1e-9);
                before = edges;
            }
            let reached = (arrival + f64::from(slots) * 2.0).min(needs.target_kwh);
            prop_assert!(before.low_kwh >= reached - 1e-9);
        }
    }
}
