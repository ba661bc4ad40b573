//! Rows of `ev_ticks`.

use crate::{
    frame::{Frame, PluggedIn},
    rows::TableColumns,
    table::ev_ticks::{Columns, State},
    value::Time,
    wanted::Wanted,
};
use arrow_array::RecordBatch;
use arrow_buffer::BooleanBuffer;
use voltide_model::{
    battery::EnergyBounds,
    id::{EvId, StayId},
    scenario::Scenario,
    stay::NO_STAY,
};

/// The cars that are recorded, and what of them does not change from tick to tick.
#[derive(Default)]
pub(crate) struct EvRows {
    /// `EvId` by place among the recorded cars.
    ids: Vec<EvId>,
    capacity_kwh: Vec<f64>,
    soc_min: Vec<f32>,
    /// Stored energy that its last stay began with, kWh; before the first nothing is known of one.
    arrival_kwh: Vec<Option<f64>>,
    /// State of charge that discharging may reach in that stay.
    soc_min_plugged: Vec<f32>,
    soc_target: Vec<f32>,
    tariff: Vec<u32>,
    /// Whether the car's driver is asked, where any is.
    asked: Vec<bool>,
    /// Price of a kWh bought in the current tick, by tariff.
    prices: Vec<f32>,
    rows: Columns,
    /// Number of rows that are not written yet.
    pending: usize,
}

impl EvRows {
    /// A scenario begins to hold; `ids` are the recorded cars, ascending: those before and maybe
    /// more.
    pub(crate) fn enter(&mut self, scenario: &Scenario, ids: Vec<EvId>) {
        let population = &scenario.population;
        let capacity = |&ev: &EvId| population.capacity_kwh[ev.row()];
        let target =
            |&ev: &EvId| (population.departure_energy_kwh[ev.row()] / capacity(&ev)) as f32;
        // The cars that were there before keep what their stay wants.
        self.soc_target.extend(ids[self.ids.len()..].iter().map(target));
        self.arrival_kwh.resize(ids.len(), None);
        self.capacity_kwh = ids.iter().map(capacity).collect();
        self.ids = ids;
        let fleet = |&ev: &EvId| &scenario.fleets[population.fleet_of(ev)];
        self.soc_min = self.ids.iter().map(|ev| fleet(ev).v2g_soc_min() as f32).collect();
        self.tariff = self.ids.iter().map(|ev| fleet(ev).tariff).collect();
        let asks = |&ev: &EvId| scenario.asks_drivers(population.fleet_of(ev)).is_some();
        self.asked = self.ids.iter().map(asks).collect();
        // A stay goes on under the fork's terms, with what it began with under its parent's.
        self.soc_min_plugged =
            (0..self.ids.len()).map(|place| self.soc_min_plugged(scenario, place)).collect();
    }

    /// The recorded cars, ascending.
    pub(crate) fn ids(&self) -> &[EvId] {
        &self.ids
    }

    /// Number of rows that are not written yet.
    pub(crate) fn pending(&self) -> usize {
        self.pending
    }

    /// Takes in what cars that plugged in begin with and want at departure.
    pub(crate) fn plug_in(&mut self, scenario: &Scenario, plugged_in: &[PluggedIn]) {
        for car in plugged_in {
            if let Ok(place) = self.ids.binary_search(&car.ev) {
                self.soc_target[place] = (car.departure_kwh / self.capacity_kwh[place]) as f32;
                self.arrival_kwh[place] = Some(car.arrival_kwh);
                self.soc_min_plugged[place] = self.soc_min_plugged(scenario, place);
            }
        }
    }

    /// State of charge that discharging may reach in the stay of the car at a place.
    fn soc_min_plugged(&self, scenario: &Scenario, place: usize) -> f32 {
        let Some(arrival_kwh) = self.arrival_kwh[place] else { return self.soc_min[place] };
        let fleet = &scenario.fleets[scenario.population.fleet_of(self.ids[place])];
        let capacity_kwh = self.capacity_kwh[place];
        let soc_max = fleet.battery.soc_max.get();
        let bounds = EnergyBounds::new(capacity_kwh, fleet.v2g_soc_min(), soc_max);
        (bounds.widened_to(arrival_kwh, scenario.rules).least_kwh / capacity_kwh) as f32
    }

    /// Takes in the tariffs' prices of `tick`.
    pub(crate) fn set_prices(&mut self, scenario: &Scenario, tick: u32) {
        let day = scenario.clock.slots_per_24_hours();
        self.prices.clear();
        self.prices.extend(scenario.tariffs.iter().map(|tariff| tariff.buy.at(tick, day) as f32));
    }

    /// Adds the rows of the recorded cars at `places`.
    pub(crate) fn add(
        &mut self,
        scenario: &Scenario,
        frame: &Frame,
        wanted: &Wanted,
        tick: u32,
        places: &[u32],
    ) {
        let rows = &mut self.rows;
        let stays = gather(&frame.stay, places);
        let plugged = present(places, |place| frame.stay[place] != NO_STAY);
        let powers = gather(&frame.power_kw, places);
        let energies = gather(&frame.energy_kwh, places);
        rows.ts.repeat(Time::of_slot(&scenario.clock, tick), places.len());
        rows.tick.repeat(tick, places.len());
        rows.ev_id.extend(gather(&self.ids, places).map(u32::from));
        let chargers = &scenario.population.stays.charger;
        // `NO_STAY` is beyond all rows. What stands for it here is null in the table.
        let charger = |stay: StayId| chargers.get(stay.row()).copied().unwrap_or_default().0;
        rows.charger_id.extend(&plugged, stays.clone().map(charger));
        rows.session_id.extend(&plugged, stays.clone().map(u32::from));
        rows.state.extend(stays.clone().zip(powers.clone()).map(state));
        let full = gather(&self.capacity_kwh, places);
        rows.soc.extend(energies.clone().zip(full).map(|(kwh, full)| (kwh / full) as f32));
        rows.energy_kwh.extend(energies.map(|kwh| kwh as f32));
        rows.charge_kw.extend(powers.clone().map(|power| positive(power) as f32));
        rows.discharge_kw.extend(powers.map(|power| positive(-power) as f32));
        let limits = gather(&self.soc_min, places).zip(gather(&self.soc_min_plugged, places));
        rows.soc_min.extend(stays.zip(limits).map(soc_min));
        rows.soc_target.extend(&plugged, gather(&self.soc_target, places));
        self.add_answers(frame, places);
        self.add_prices(frame, places);
        self.add_wanted(frame, wanted, places);
        self.pending += places.len();
    }

    /// What drivers said: nothing where nobody is asked, or where the car is away or its fleet need
    /// not be.
    fn add_answers(&mut self, frame: &Frame, places: &[u32]) {
        let Self { rows, asked, .. } = self;
        if frame.agreed.is_empty() {
            rows.willingness.extend_missing(places.len());
            rows.participating.extend_missing(places.len());
            return;
        }
        let asked = present(places, |place| asked[place] && frame.stay[place] != NO_STAY);
        let willing = gather(&frame.willingness, places).map(|willingness| willingness as f32);
        rows.willingness.extend(&asked, willing);
        let agreed = gather(&frame.agreed, places).map(|agreed| agreed == 1);
        rows.participating.extend(&asked, agreed);
    }

    /// The prices that cars were planned with; the tariffs' where they were planned with none.
    fn add_prices(&mut self, frame: &Frame, places: &[u32]) {
        let column = &mut self.rows.price_per_kwh;
        if frame.price_per_kwh.is_empty() {
            column.extend(gather(&self.tariff, places).map(|it| self.prices[it as usize]));
        } else {
            column.extend(gather(&frame.price_per_kwh, places).map(|price| price as f32));
        }
    }

    /// What schedules have, and what is asked of sites.
    fn add_wanted(&mut self, frame: &Frame, wanted: &Wanted, places: &[u32]) {
        let single = |kw: f64| kw as f32;
        let asked = gather(wanted.asked(&frame.power_kw), places);
        self.rows.asked_kw.extend(asked.map(single));
        let planned = gather(wanted.planned(&frame.power_kw), places);
        self.rows.planned_kw.extend(planned.map(single));
    }

    /// The rows as a batch; none are pending afterwards.
    pub(crate) fn batch(&mut self) -> RecordBatch {
        self.pending = 0;
        self.rows.batch()
    }
}

pub(crate) fn gather<'a, T: Copy>(
    column: &'a [T],
    places: &'a [u32],
) -> impl ExactSizeIterator<Item = T> + Clone + 'a {
    places.iter().map(|&place| column[place as usize])
}

/// At which places there is something.
pub(crate) fn present(places: &[u32], is_there: impl Fn(usize) -> bool) -> BooleanBuffer {
    BooleanBuffer::collect_bool(places.len(), |row| is_there(places[row] as usize))
}

/// The value where it is positive, and otherwise a zero without sign.
pub(crate) fn positive(value: f64) -> f64 {
    if value > 0.0 { value } else { 0.0 }
}

fn state((stay, power): (StayId, f64)) -> State {
    match () {
        () if stay == NO_STAY => State::Away,
        () if power > 0.0 => State::Charging,
        () if power < 0.0 => State::Discharging,
        () => State::Idle,
    }
}

/// The lowest state of charge that discharging may reach: that of the stay, where there is one.
fn soc_min((stay, (away, plugged)): (StayId, (f32, f32))) -> f32 {
    if stay == NO_STAY { away } else { plugged }
}
