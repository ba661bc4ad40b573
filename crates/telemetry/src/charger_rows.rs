//! Rows of `charger_ticks`.

use crate::{
    ev_rows::{gather, present},
    frame::Frame,
    rows::TableColumns,
    table::charger_ticks::Columns,
    value::Time,
};
use arrow_array::RecordBatch;
use voltide_model::{
    clock::Clock,
    id::{ChargerId, EvId},
    scenario::Scenario,
    stay::NO_STAY,
};

/// An id where there is none.
const NONE: u32 = u32::MAX;

/// All chargers, with what stands at them now and stood at them before.
#[derive(Default)]
pub(crate) struct ChargerRows {
    /// The site that each stands behind.
    site: Vec<u32>,
    limit_kw: Vec<f32>,
    now: Occupied,
    before: Occupied,
    rows: Columns,
    /// Number of rows that are not written yet.
    pending: usize,
}

/// What stands at each charger.
#[derive(Default)]
struct Occupied {
    ev: Vec<u32>,
    power_kw: Vec<f64>,
}

impl Occupied {
    /// Nothing stands at the chargers up to a number of `count` that it does not know.
    fn make_room(&mut self, count: usize) {
        self.ev.resize(count, NONE);
        self.power_kw.resize(count, 0.0);
    }
}

impl ChargerRows {
    /// A scenario begins to hold, with the chargers of the one before and maybe more.
    pub(crate) fn enter(&mut self, scenario: &Scenario) {
        let population = &scenario.population;
        let count = scenario.population.charger_count();
        let site = |id| population.charger(ChargerId(id)).site.map_or(NONE, u32::from);
        self.site.extend((self.len() as u32..count).map(site));
        self.limit_kw =
            (0..count).map(|id| population.charger(ChargerId(id)).charge_max.0 as f32).collect();
        self.now.make_room(count as usize);
        self.before.make_room(count as usize);
    }

    /// Number of chargers.
    pub(crate) fn len(&self) -> usize {
        self.site.len()
    }

    /// Whether a recorded car stands at the charger.
    pub(crate) fn is_occupied(&self, charger: usize) -> bool {
        self.now.ev[charger] != NONE
    }

    /// Whether another car stands there than in the tick before, or the power is another.
    pub(crate) fn has_changed(&self, charger: usize) -> bool {
        self.now.ev[charger] != self.before.ev[charger]
            || self.now.power_kw[charger].to_bits() != self.before.power_kw[charger].to_bits()
    }

    /// Number of rows that are not written yet.
    pub(crate) fn pending(&self) -> usize {
        self.pending
    }

    /// Takes in where the recorded cars `ids` stand: at most one at a charger.
    pub(crate) fn occupy(
        &mut self,
        scenario: &Scenario,
        frame: &Frame,
        ids: impl Iterator<Item = EvId>,
    ) {
        std::mem::swap(&mut self.now, &mut self.before);
        self.now.ev.fill(NONE);
        self.now.power_kw.fill(0.0);
        for ((ev, &stay), power) in ids.zip(&frame.stay).zip(&frame.power_kw) {
            if stay != NO_STAY {
                let charger = scenario.population.stays.charger[stay.row()].row();
                // Added to the 0 there, so that a car that stands by is no negative zero.
                self.now.power_kw[charger] += power;
                self.now.ev[charger] = ev.0;
            }
        }
    }

    /// Adds the rows of `chargers`.
    pub(crate) fn add(&mut self, clock: &Clock, tick: u32, chargers: &[u32]) {
        let Self { rows, now, site, .. } = self;
        let occupied = present(chargers, |charger| now.ev[charger] != NONE);
        let limited = present(chargers, |charger| site[charger] != NONE);
        rows.ts.repeat(Time::of_slot(clock, tick), chargers.len());
        rows.tick.repeat(tick, chargers.len());
        rows.charger_id.extend(chargers.iter().copied());
        rows.site_id.extend(&limited, gather(site, chargers));
        rows.power_kw.extend(gather(&now.power_kw, chargers).map(|power| power as f32));
        rows.limit_kw.extend(gather(&self.limit_kw, chargers));
        rows.occupied.extend(gather(&now.ev, chargers).map(|ev| ev != NONE));
        rows.ev_id.extend(&occupied, gather(&now.ev, chargers));
        self.pending += chargers.len();
    }

    /// The rows as a batch; none are pending afterwards.
    pub(crate) fn batch(&mut self) -> RecordBatch {
        self.pending = 0;
        self.rows.batch()
    }
}
