//! Rows of `charger_ticks`, gathered in columns.

use crate::{frame::Frame, table::CHARGER_TICKS};
use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Int32Array, RecordBatch, TimestampMicrosecondArray,
};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow_schema::SchemaRef;
use std::{mem::take, sync::Arc};
use voltide_model::{columns::slot_micros, scenario::Scenario, stay::NO_STAY};

/// An id where there is none.
const NONE: i32 = -1;

/// All chargers, with what stands at them now and stood at them before.
pub(crate) struct Chargers {
    scenario: Arc<Scenario>,
    site: Vec<i32>,
    limit_kw: Vec<f32>,
    now: Occupied,
    before: Occupied,
    schema: SchemaRef,
    rows: Rows,
}

/// What stands at each charger.
#[derive(Default)]
struct Occupied {
    ev: Vec<i32>,
    power_kw: Vec<f64>,
}

impl Occupied {
    /// Nothing stands at the chargers up to a number of `count` that it does not know.
    fn make_room(&mut self, count: usize) {
        self.ev.resize(count, NONE);
        self.power_kw.resize(count, 0.0);
    }
}

/// Rows that are not written yet.
#[derive(Default)]
struct Rows {
    ts: Vec<i64>,
    tick: Vec<i32>,
    charger: Vec<i32>,
    site: Vec<i32>,
    power_kw: Vec<f32>,
    limit_kw: Vec<f32>,
    ev: Vec<i32>,
}

impl Chargers {
    /// All chargers of the scenario.
    pub(crate) fn new(scenario: Arc<Scenario>) -> Self {
        let mut chargers = Self {
            site: Vec::new(),
            limit_kw: Vec::new(),
            now: Occupied::default(),
            before: Occupied::default(),
            schema: CHARGER_TICKS.schema(),
            rows: Rows::default(),
            scenario: Arc::clone(&scenario),
        };
        chargers.forked(&scenario);
        chargers
    }

    /// From here on another scenario holds, with the same chargers and maybe more.
    pub(crate) fn forked(&mut self, scenario: &Arc<Scenario>) {
        let (population, count) = (&scenario.population, scenario.population.charger_count());
        let site = |id| population.charger(id).site.map_or(NONE, u32::cast_signed);
        self.site.extend((self.len() as u32..count).map(site));
        self.limit_kw = (0..count).map(|id| population.charger(id).charge_max.0 as f32).collect();
        self.now.make_room(count as usize);
        self.before.make_room(count as usize);
        self.scenario = Arc::clone(scenario);
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
        self.rows.ts.len()
    }

    /// Takes in where the recorded cars `ids` stand. Two at one charger add up; the first one counts as its car.
    pub(crate) fn occupy(&mut self, frame: &Frame, ids: impl Iterator<Item = u32>) {
        std::mem::swap(&mut self.now, &mut self.before);
        self.now.ev.fill(NONE);
        self.now.power_kw.fill(0.0);
        for ((ev, &stay), power) in ids.zip(&frame.stay).zip(&frame.power_kw) {
            if stay != NO_STAY {
                let charger = self.scenario.population.stays.charger[stay as usize] as usize;
                self.now.power_kw[charger] += power;
                if self.now.ev[charger] == NONE {
                    self.now.ev[charger] = ev.cast_signed();
                }
            }
        }
    }

    /// Adds the rows of `chargers`.
    pub(crate) fn add(&mut self, tick: u32, chargers: &[u32]) {
        let rows = &mut self.rows;
        let len = rows.ts.len() + chargers.len();
        let places = || chargers.iter().map(|&charger| charger as usize);
        rows.ts.resize(len, slot_micros(&self.scenario.clock, tick));
        rows.tick.resize(len, tick.cast_signed());
        rows.charger.extend(chargers.iter().map(|&charger| charger.cast_signed()));
        rows.site.extend(places().map(|charger| self.site[charger]));
        rows.power_kw.extend(places().map(|charger| self.now.power_kw[charger] as f32));
        rows.limit_kw.extend(places().map(|charger| self.limit_kw[charger]));
        rows.ev.extend(places().map(|charger| self.now.ev[charger]));
    }

    /// The rows as a batch; none are pending afterwards.
    pub(crate) fn batch(&mut self) -> RecordBatch {
        let rows = take(&mut self.rows);
        let occupied = present(&rows.ev);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(TimestampMicrosecondArray::from(rows.ts).with_timezone("UTC")),
            Arc::new(Int32Array::from(rows.tick)),
            Arc::new(Int32Array::from(rows.charger)),
            ids(rows.site),
            Arc::new(Float32Array::from(rows.power_kw)),
            Arc::new(Float32Array::from(rows.limit_kw)),
            Arc::new(BooleanArray::new(occupied, None)),
            ids(rows.ev),
        ];
        RecordBatch::try_new(self.schema.clone(), columns)
            .expect("the columns follow the dictionary")
    }
}

fn present(ids: &[i32]) -> BooleanBuffer {
    BooleanBuffer::collect_bool(ids.len(), |row| ids[row] != NONE)
}

fn ids(values: Vec<i32>) -> ArrayRef {
    let nulls = NullBuffer::new(present(&values));
    Arc::new(Int32Array::new(ScalarBuffer::from(values), Some(nulls)))
}
