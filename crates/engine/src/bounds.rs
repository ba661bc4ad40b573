//! Bounds of stored energy at given slots, as policies see them: what fleets wish for.

use std::ops::Range;
use voltide_model::{
    id::{EvId, StayId},
    scenario::Scenario,
};

/// The bounds of a batch; row i has entries `offset[i]..offset[i + 1]`. Empty where no row has any.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    pub offset: Vec<u32>,
    /// The slot at whose beginning a bound holds.
    pub slot: Vec<u32>,
    pub kwh_min: Vec<f64>,
    pub kwh_max: Vec<f64>,
}

/// The rows of a batch, with the bounds that hold throughout, kWh.
pub(crate) struct BoundedRows<'a> {
    pub evs: &'a [EvId],
    pub stays: &'a [StayId],
    pub energy_kwh_min: &'a [f64],
    pub energy_kwh_max: &'a [f64],
}

impl Bounds {
    /// Fills the columns for the stays of a batch and the slots of its horizon.
    pub(crate) fn fill(
        &mut self,
        scenario: &Scenario,
        horizon: Range<u32>,
        rows: &BoundedRows<'_>,
    ) {
        self.offset.clear();
        self.slot.clear();
        self.kwh_min.clear();
        self.kwh_max.clear();
        if scenario.fleets.iter().all(|fleet| fleet.wishes.is_empty()) {
            return;
        }
        self.offset.push(0);
        for row in 0..rows.evs.len() {
            self.push(scenario, &horizon, rows, row);
            self.offset.push(self.slot.len() as u32);
        }
        if self.slot.is_empty() {
            self.offset.clear();
        }
    }

    fn push(
        &mut self,
        scenario: &Scenario,
        horizon: &Range<u32>,
        rows: &BoundedRows<'_>,
        row: usize,
    ) {
        let ev = rows.evs[row];
        let fleet = &scenario.fleets[scenario.population.fleet_of(ev)];
        if fleet.wishes.is_empty() {
            return;
        }
        let capacity = scenario.population.capacity_kwh[ev.row()];
        let wished = scenario.wished_stay(ev, rows.stays[row]);
        let clock = &scenario.clock;
        let stays = &scenario.population.stays;
        let first = stays.first_slot(rows.stays[row], clock);
        let end = stays.announced_end_slot(rows.stays[row], clock);
        let least_kwh = rows.energy_kwh_min[row];
        let most_kwh = rows.energy_kwh_max[row];
        // What holds now cannot be helped: the first instant that a plan decides is the end of a
        // slot.
        for slot in horizon.start.max(first) + 1..=horizon.end.min(end) {
            let (low, high) = fleet.wishes.at(&wished, i64::from(slot) * wished.slot_seconds);
            if low.is_some() || high.is_some() {
                self.slot.push(slot);
                // A wish for what the battery cannot hold would leave no schedule: it is held to
                // what it can.
                let within = |soc: f64| (capacity * soc).clamp(least_kwh, most_kwh);
                self.kwh_min.push(low.map_or(0.0, within));
                self.kwh_max.push(high.map_or(capacity, within));
            }
        }
    }
}
