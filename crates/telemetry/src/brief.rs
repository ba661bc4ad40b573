//! Stays that hold no whole slot: when they are told, and with what energy.

use std::collections::BTreeMap;
use voltide_model::{
    columns::TickColumns,
    id::{ChargerId, EvId, StayId},
    scenario::Scenario,
};

/// A stay that holds no whole slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Brief {
    /// `-1 - number`, where its stays without a whole slot are numbered from 0.
    pub(crate) session: i32,
    pub(crate) ev: EvId,
    pub(crate) charger: ChargerId,
    /// The slot in which the car leaves.
    pub(crate) slot: u32,
    /// When the car comes and leaves, in seconds from the start.
    pub(crate) times: (i64, i64),
    /// Whole slots up to the departure that was announced.
    pub(crate) announced_slots: u32,
    /// Stored energy while the car stands there, kWh.
    pub(crate) energy_kwh: f64,
    /// Stored energy driven since the session before, kWh.
    pub(crate) driven_kwh: f64,
}

/// All of them, by the slots in which their cars leave.
///
/// In the state a car takes a trip when its next session begins; its trips to stays that hold no
/// whole slot are told of before.
#[derive(Debug, Default)]
pub(crate) struct BriefStays {
    by_slot: BTreeMap<u32, Vec<StayId>>,
    /// Energy that was told of as driven and is still in the state, by car: what was wanted and
    /// what there was, kWh.
    told: BTreeMap<EvId, Told>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Told {
    wanted_kwh: f64,
    driven_kwh: f64,
}

impl BriefStays {
    /// A scenario begins to hold. Which stays hold no whole slot, and how they are numbered, goes
    /// by its cars.
    pub(crate) fn enter(&mut self, scenario: &Scenario) {
        self.by_slot.clear();
        for number in scenario.population.stays_without_slot.ids() {
            let (_, leaves) = times(scenario, number);
            let length = i64::from(scenario.clock.slot_seconds);
            // A car that leaves at the edge of a slot stood in the slot before it. Before the run's
            // start the division has to round down, or the stay would be of slot 0.
            if let Ok(slot) = u32::try_from((leaves - 1).div_euclid(length)) {
                self.by_slot.entry(slot).or_default().push(number);
            }
        }
    }

    /// The stays whose cars leave in the slot that was settled.
    pub(crate) fn leaving_in(
        &mut self,
        scenario: &Scenario,
        columns: &TickColumns<'_>,
    ) -> Vec<Brief> {
        let leaving = self.by_slot.get(&columns.tick).cloned().unwrap_or_default();
        leaving.into_iter().map(|number| self.tell(scenario, columns, number)).collect()
    }

    fn tell(&mut self, scenario: &Scenario, columns: &TickColumns<'_>, number: StayId) -> Brief {
        let stay = scenario.population.stays_without_slot.get(number);
        let stored_kwh = columns.energy_kwh[stay.ev.row()];
        let told = self.told.entry(stay.ev).or_default();
        told.wanted_kwh += stay.trip_kwh;
        let before_kwh = told.driven_kwh;
        // Over all trips since the last session: none of them is in the state yet, so that each
        // would find the battery as full as the first did.
        told.driven_kwh = told.wanted_kwh.min(stored_kwh);
        let first = scenario.clock.slot_from(stay.arrives.into());
        Brief {
            session: -1 - number.0.cast_signed(),
            ev: stay.ev,
            charger: stay.charger,
            slot: columns.tick,
            times: times(scenario, number),
            announced_slots: scenario
                .clock
                .slots_until(stay.announced.into())
                .saturating_sub(first),
            energy_kwh: stored_kwh - told.driven_kwh,
            driven_kwh: told.driven_kwh - before_kwh,
        }
    }

    /// What of the energy that a car drove to the session that begins was told of already, kWh.
    pub(crate) fn told_kwh(&mut self, ev: EvId) -> f64 {
        self.told.remove(&ev).map_or(0.0, |told| told.driven_kwh)
    }
}

/// When a stay begins and ends, in seconds from the start; on a day that follows upon itself, on
/// that day.
fn times(scenario: &Scenario, number: StayId) -> (i64, i64) {
    let stay = scenario.population.stays_without_slot.get(number);
    let (arrives, leaves) = (i64::from(stay.arrives), i64::from(stay.leaves));
    let Some(slots) = scenario.clock.typical_day() else { return (arrives, leaves) };
    let day = i64::from(slots) * i64::from(scenario.clock.slot_seconds);
    // A departure at midnight is of the day that ends.
    let days = (leaves - 1).div_euclid(day);
    (arrives - days * day, leaves - days * day)
}
