//! The table `unit_ticks`: what each unit was scheduled to do and did.

use crate::{
    rows::rows,
    value::{Time, Word},
};
use voltide_model::{clock::Clock, columns::UnitTick, flexibility::UpDown};

rows! {
    /// One row per step of a stage and unit: what the day-ahead and the intra-day stage scheduled,
    /// and what was settled. Steps of the day-ahead stage are longer than slots, as `step_h` says;
    /// a slot that the intra-day stage scheduled again is told as it was followed. A world without
    /// a plant has wind, sun, and the connection that closes the balance, and the stage settled
    /// alone.
    pub unit_ticks by tick, stage, unit_id {
        /// start of the slot (UTC)
        ts: Time;
        /// the slot, counted from the start of the run
        tick: u32;
        /// day_ahead, intra_day or settled
        stage: Word;
        /// the unit
        unit_id: u32;
        /// wind, pv, must_take, thermal, pumped_hydro, ess (stationary batteries), interruptible,
        /// import_export or electrolyser
        unit_kind: Word;
        /// power into the system; negative when a store charges, import_export exports or an
        /// electrolyser draws; of interruptible load what is shed
        output_kw: f64 = "kW", sign("positive supplies the system");
        /// power into storage, or into hydrogen; null where the unit stores nothing
        charge_kw: Option<f64> = "kW";
        /// power out of storage, 0 for hydrogen; null where the unit stores nothing
        discharge_kw: Option<f64> = "kW";
        /// power that could have been had from wind or sun; null for other units
        available_kw: Option<f64> = "kW";
        /// available less delivered; null where nothing is curtailed
        curtailed_kw: Option<f64> = "kW";
        /// stored energy at the slot's end, of hydrogen in a tank its lower heating value; null
        /// where the unit is no storage
        energy_kwh: Option<f64> = "kWh";
        /// flexibility offered upwards
        flex_up_kw: Option<f64> = "kW";
        /// flexibility offered downwards
        flex_down_kw: Option<f64> = "kW";
        /// cost of the step, by the units' prices, curtailment and starts included; without a plant
        /// import_export is valued at tou_price_per_kwh and nothing else has a price
        cost: Option<f64> = "currency", sign("negative is earned");
        /// the unit's name
        unit: Word;
        /// length of the step, as far as it lies in its local day: power times this is energy,
        /// whatever the stage
        step_h: f64 = "h", repeating;
    }
}

/// A step of a stage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// The slot that it begins with.
    pub(crate) slot: u32,
    /// Name of the stage.
    pub(crate) stage: &'static str,
    /// Its length, as far as it lies in its day.
    pub(crate) hours: f64,
}

impl<'a> Row<'a> {
    /// The row of what a unit did in a step, or was scheduled to do, and of what that cost.
    pub(crate) fn of(
        step: Step,
        unit: &UnitTick,
        cost: Option<f64>,
        name: &'a str,
        clock: &Clock,
    ) -> Self {
        let flexibility = unit.flexibility.map(UpDown::without_rounding);
        Self {
            ts: Time::of_slot(clock, step.slot),
            tick: step.slot,
            stage: step.stage,
            unit_id: unit.unit,
            unit_kind: unit.kind.name(),
            output_kw: unit.output_kw,
            charge_kw: unit.charge_kw,
            // What a store puts out is what it discharges less what it charges.
            discharge_kw: unit.charge_kw.map(|charge| unit.output_kw + charge),
            available_kw: unit.available_kw,
            curtailed_kw: unit.available_kw.map(|available| available - unit.output_kw),
            energy_kwh: unit.energy_kwh,
            flex_up_kw: flexibility.map(|it| it.up),
            flex_down_kw: flexibility.map(|it| it.down),
            cost,
            unit: name,
            step_h: step.hours,
        }
    }
}
