//! The table `ev_ticks`: a row per slot and car.

use crate::{
    rows::columns,
    value::{Time, plain},
};
use arrow_array::{DictionaryArray, Int32Array, StringArray, types::Int32Type};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use std::sync::Arc;

columns! {
    /// One row per slot and car, as far as the world's telemetry level records them; one file per
    /// local day, or in a run of more than two months per month, of more than five years per year.
    /// Power is the mean over the slot, energy what is stored at its end.
    pub ev_ticks by tick, ev_id {
        /// start of the slot (UTC)
        ts: Time;
        /// the slot, counted from the start of the run
        tick: u32;
        /// the car
        ev_id: u32;
        /// the charger it stands at; null when away
        charger_id: Option<u32>;
        /// the session; null when away
        session_id: Option<u32>;
        /// away, idle, charging or discharging
        state: State;
        /// state of charge (0..1) at the slot's end
        soc: f32;
        /// stored energy at the slot's end
        energy_kwh: f32 = "kWh";
        /// power charged, grid side; not negative
        charge_kw: f32 = "kW";
        /// power discharged, grid side; not negative
        discharge_kw: f32 = "kW", repeating;
        /// lowest state of charge that discharging may reach: the stricter one of battery and V2G
        /// terms, or what the car arrived with where that is less; when away without it
        soc_min: f32, repeating;
        /// state of charge wanted at departure; null when away
        soc_target: Option<f32>;
        /// the driver's willingness to discharge, 0..1; null when away or not asked
        willingness: Option<f32>;
        /// whether the driver agrees to discharge in this slot; null when away or not asked
        participating: Option<bool>;
        /// price of a kWh charged, as it was when the car was planned; the tariff's where the world
        /// has no incentive price
        price_per_kwh: f32 = "currency/kWh", repeating;
        /// what it asks of its site, grid side: of planned_kw what its battery can take or give; all
        /// cars behind a site together ask for asked_kw of site_ticks
        asked_kw: f32 = "kW", sign("positive charges");
        /// what the schedule in force has for the slot, grid side: what the policy answered, no more
        /// than the charger can
        planned_kw: f32 = "kW", sign("positive charges");
    }
}

/// What a car is doing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum State {
    Away,
    Idle,
    Charging,
    Discharging,
}

impl State {
    /// Its word's place in [`STATES`].
    fn place(self) -> i32 {
        self as i32
    }
}

/// The words for what a car is doing, in the order of [`State`].
const STATES: [&str; 4] = ["away", "idle", "charging", "discharging"];

// A word is kept by its place, so that none is looked up.
plain!(State: Word, i32 = State::place, words);

fn words(places: ScalarBuffer<i32>, nulls: Option<NullBuffer>) -> DictionaryArray<Int32Type> {
    let states = StringArray::from(STATES.to_vec());
    DictionaryArray::new(Int32Array::new(places, nulls), Arc::new(states))
}
