//! Rows of `ev_ticks`, gathered in columns.

use crate::{
    frame::{Frame, PluggedIn},
    table::EV_TICKS,
};
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Float32Array, Int32Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use arrow_buffer::{BooleanBufferBuilder, NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, SchemaRef};
use std::{mem::take, sync::Arc};
use voltide_model::{columns::slot_micros, scenario::Scenario, stay::NO_STAY};

/// What `state` can be; its dictionary.
const STATES: [&str; 4] = ["away", "idle", "charging", "discharging"];

/// The cars that are recorded, and what of them does not change from tick to tick.
pub(crate) struct Cars {
    scenario: Arc<Scenario>,
    /// `EvId` by place among the recorded cars.
    ids: Vec<u32>,
    capacity_kwh: Vec<f64>,
    soc_min: Vec<f32>,
    /// State of charge that the stay began with of a car that is plugged in.
    soc_arrival: Vec<f32>,
    soc_target: Vec<f32>,
    tariff: Vec<u32>,
    /// Whether the car's driver is asked, where any is.
    asked: Vec<bool>,
    /// Price of a kWh bought in the current tick, by tariff.
    prices: Vec<f32>,
    states: ArrayRef,
    schema: SchemaRef,
    rows: Rows,
}

/// Rows that are not written yet.
#[derive(Default)]
struct Rows {
    ts: Vec<i64>,
    tick: Vec<i32>,
    ev: Vec<i32>,
    charger: Vec<i32>,
    session: Vec<i32>,
    plugged: Option<BooleanBufferBuilder>,
    state: Vec<i32>,
    soc: Vec<f32>,
    energy_kwh: Vec<f32>,
    charge_kw: Vec<f32>,
    discharge_kw: Vec<f32>,
    soc_min: Vec<f32>,
    soc_target: Vec<f32>,
    opinions: Opinions,
    price: Vec<f32>,
}

/// What drivers said: columns that stay empty as long as nobody is asked.
#[derive(Default)]
struct Opinions {
    /// Whether the driver was asked: not where the car is away or the fleet need not be.
    asked: Vec<bool>,
    willingness: Vec<f32>,
    participating: Vec<bool>,
}

impl Cars {
    /// The cars `ids`, ascending.
    pub(crate) fn new(scenario: Arc<Scenario>, ids: Vec<u32>) -> Self {
        let mut cars = Self {
            ids: Vec::new(),
            capacity_kwh: Vec::new(),
            soc_min: Vec::new(),
            soc_arrival: Vec::new(),
            soc_target: Vec::new(),
            tariff: Vec::new(),
            asked: Vec::new(),
            prices: Vec::new(),
            states: Arc::new(StringArray::from(STATES.to_vec())),
            schema: EV_TICKS.schema(),
            rows: Rows::default(),
            scenario: Arc::clone(&scenario),
        };
        cars.forked(&scenario, ids);
        cars
    }

    /// From here on another scenario holds; `ids` are the recorded cars, those before and maybe more.
    pub(crate) fn forked(&mut self, scenario: &Arc<Scenario>, ids: Vec<u32>) {
        let population = &scenario.population;
        let capacity = |&ev: &u32| population.capacity_kwh[ev as usize];
        let target =
            |&ev: &u32| (population.departure_energy_kwh[ev as usize] / capacity(&ev)) as f32;
        self.soc_target.extend(ids[self.ids.len()..].iter().map(target));
        self.soc_arrival.resize(ids.len(), 1.0);
        self.capacity_kwh = ids.iter().map(capacity).collect();
        self.ids = ids;
        let fleet = |&ev: &u32| &scenario.fleets[population.fleet_of(ev)];
        self.soc_min = self.ids.iter().map(|ev| fleet(ev).v2g_soc_min() as f32).collect();
        self.tariff = self.ids.iter().map(|ev| fleet(ev).tariff).collect();
        let asks = |&ev: &u32| scenario.asks_drivers(population.fleet_of(ev)).is_some();
        self.asked = self.ids.iter().map(asks).collect();
        self.scenario = Arc::clone(scenario);
    }

    /// The recorded cars, ascending.
    pub(crate) fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Number of rows that are not written yet.
    pub(crate) fn pending(&self) -> usize {
        self.rows.ts.len()
    }

    /// Takes in what cars that plugged in begin with and want at departure.
    pub(crate) fn plug_in(&mut self, plugged_in: &[PluggedIn]) {
        for car in plugged_in {
            if let Ok(place) = self.ids.binary_search(&car.ev) {
                let soc = |kwh: f64| (kwh / self.capacity_kwh[place]) as f32;
                self.soc_target[place] = soc(car.departure_kwh);
                self.soc_arrival[place] = soc(car.arrival_kwh);
            }
        }
    }

    /// Takes in the tariffs' prices of `tick`.
    pub(crate) fn set_prices(&mut self, tick: u32) {
        let day = self.scenario.clock.slots_per_24_hours();
        self.prices.clear();
        self.prices
            .extend(self.scenario.tariffs.iter().map(|tariff| tariff.buy.at(tick, day) as f32));
    }

    /// Adds the rows of the recorded cars at `places`.
    pub(crate) fn add(&mut self, frame: &Frame, tick: u32, places: &[u32]) {
        let rows = &mut self.rows;
        let chargers = &self.scenario.population.stays.charger;
        let stays = gather(&frame.stay, places);
        let powers = gather(&frame.power_kw, places);
        let len = rows.ts.len() + places.len();
        rows.ts.resize(len, slot_micros(&self.scenario.clock, tick));
        rows.tick.resize(len, tick.cast_signed());
        rows.ev.extend(gather(&self.ids, places).map(u32::cast_signed));
        let charger =
            |stay: u32| chargers.get(stay as usize).map_or(0, |&charger| charger.cast_signed());
        rows.charger.extend(stays.clone().map(charger));
        rows.session.extend(stays.clone().map(u32::cast_signed));
        let plugged = rows.plugged.get_or_insert_with(|| BooleanBufferBuilder::new(0));
        stays.clone().for_each(|stay| plugged.append(stay != NO_STAY));
        rows.state.extend(stays.zip(powers.clone()).map(|(stay, power)| state(stay, power)));
        let energies = gather(&frame.energy_kwh, places);
        rows.soc.extend(
            energies
                .clone()
                .zip(gather(&self.capacity_kwh, places))
                .map(|(kwh, full)| (kwh / full) as f32),
        );
        rows.energy_kwh.extend(energies.map(|kwh| kwh as f32));
        rows.charge_kw.extend(powers.clone().map(|power| positive(power) as f32));
        rows.discharge_kw.extend(powers.map(|power| positive(-power) as f32));
        let least = gather(&self.soc_min, places).zip(gather(&self.soc_arrival, places));
        let least = gather(&frame.stay, places).zip(least);
        rows.soc_min.extend(least.map(
            |(stay, (min, arrival))| {
                if stay == NO_STAY { min } else { min.min(arrival) }
            },
        ));
        rows.soc_target.extend(gather(&self.soc_target, places));
        if !frame.agreed.is_empty() {
            rows.opinions.add(len - places.len(), frame, &self.asked, places);
        }
        if frame.price_per_kwh.is_empty() {
            rows.price
                .extend(gather(&self.tariff, places).map(|tariff| self.prices[tariff as usize]));
        } else {
            rows.price.extend(gather(&frame.price_per_kwh, places).map(|price| price as f32));
        }
    }

    /// The rows as a batch; none are pending afterwards.
    pub(crate) fn batch(&mut self) -> RecordBatch {
        let rows = take(&mut self.rows);
        let len = rows.ts.len();
        let plugged = rows.plugged.map(|mut plugged| NullBuffer::new(plugged.finish()));
        let ints = |values: Vec<i32>| Arc::new(Int32Array::from(values)) as ArrayRef;
        let stay_ints = |values: Vec<i32>| {
            Arc::new(Int32Array::new(ScalarBuffer::from(values), plugged.clone())) as ArrayRef
        };
        let singles = |values: Vec<f32>| Arc::new(Float32Array::from(values)) as ArrayRef;
        let [willingness, participating] = rows.opinions.columns(len);
        let states = DictionaryArray::new(Int32Array::from(rows.state), self.states.clone());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(TimestampMicrosecondArray::from(rows.ts).with_timezone("UTC")),
            ints(rows.tick),
            ints(rows.ev),
            stay_ints(rows.charger),
            stay_ints(rows.session),
            Arc::new(states),
            singles(rows.soc),
            singles(rows.energy_kwh),
            singles(rows.charge_kw),
            singles(rows.discharge_kw),
            singles(rows.soc_min),
            Arc::new(Float32Array::new(ScalarBuffer::from(rows.soc_target), plugged.clone())),
            willingness,
            participating,
            singles(rows.price),
        ];
        RecordBatch::try_new(self.schema.clone(), columns)
            .expect("the columns follow the dictionary")
    }
}

impl Opinions {
    /// Adds what the drivers at `places` said, after `before` rows in all.
    fn add(&mut self, before: usize, frame: &Frame, asked: &[bool], places: &[u32]) {
        self.fill(before);
        let plugged = gather(&frame.stay, places).map(|stay| stay != NO_STAY);
        self.asked
            .extend(plugged.zip(gather(asked, places)).map(|(plugged, asked)| plugged && asked));
        self.willingness
            .extend(gather(&frame.willingness, places).map(|willingness| willingness as f32));
        self.participating.extend(gather(&frame.agreed, places).map(|agreed| agreed == 1));
    }

    /// Nobody was asked in the rows up to `len` that are not there.
    fn fill(&mut self, len: usize) {
        self.asked.resize(len, false);
        self.willingness.resize(len, 0.0);
        self.participating.resize(len, false);
    }

    /// The columns `willingness` and `participating`, of `len` rows.
    fn columns(mut self, len: usize) -> [ArrayRef; 2] {
        if self.asked.is_empty() {
            return [DataType::Float32, DataType::Boolean].map(|kind| new_null_array(&kind, len));
        }
        self.fill(len);
        let asked = Some(NullBuffer::from(self.asked));
        [
            Arc::new(Float32Array::new(ScalarBuffer::from(self.willingness), asked.clone())),
            Arc::new(BooleanArray::new(self.participating.into(), asked)),
        ]
    }
}

fn gather<'a, T: Copy>(
    column: &'a [T],
    places: &'a [u32],
) -> impl ExactSizeIterator<Item = T> + Clone + 'a {
    places.iter().map(|&place| column[place as usize])
}

/// The value where it is positive, and otherwise a zero without sign.
pub(crate) fn positive(value: f64) -> f64 {
    if value > 0.0 { value } else { 0.0 }
}

fn state(stay: u32, power: f64) -> i32 {
    match () {
        () if stay == NO_STAY => 0,
        () if power > 0.0 => 2,
        () if power < 0.0 => 3,
        () => 1,
    }
}
