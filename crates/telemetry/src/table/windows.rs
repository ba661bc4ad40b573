//! The table `windows`: what each stage expected of the steps that it looked at, and which
//! flexibility came of it.

use crate::{
    rows::rows,
    value::{Time, Word},
};
use voltide_journal::event::WindowForeseen;
use voltide_model::{clock::Clock, flexibility::UpDown};

rows! {
    /// One row per step that a stage looked at when it scheduled a plant, as it was foreseen then:
    /// what a row of `solves` was about. A step that is looked at again has another row. Without
    /// rows in runs of 0.1.0.
    pub windows by tick, stage, slot {
        /// the slot in which the problem was solved, as in `solves`
        tick: u32;
        /// day_ahead, day_path or intra_day
        stage: Word;
        /// the slot in which the step begins
        slot: u32;
        /// start of the step (UTC)
        ts: Time;
        /// length of the step: power times this is energy; the last one of a day may reach beyond
        /// it
        step_h: f64 = "h", repeating;
        /// whether its schedule held; others are scheduled again before they come
        committed: bool;
        /// load expected, cars included
        load_kw: f64 = "kW";
        /// what cars were expected to draw of it, net of what they discharge
        ev_kw: f64 = "kW", sign("positive draws from the grid");
        /// what cars could do upwards; null where they do not count as supply
        ev_flex_up_kw: Option<f64> = "kW";
        /// what cars could do downwards; null likewise
        ev_flex_down_kw: Option<f64> = "kW";
        /// flexibility wanted upwards: by how much net load is expected to rise to the
        /// next step; what rounding leaves is 0, here and below
        flex_demand_up_kw: f64 = "kW";
        /// flexibility wanted downwards, likewise
        flex_demand_down_kw: f64 = "kW";
        /// flexibility at hand upwards, cars included where they count
        flex_supply_up_kw: f64 = "kW";
        /// flexibility at hand downwards
        flex_supply_down_kw: f64 = "kW";
        /// supply less demand upwards; negative is a shortfall
        margin_up_kw: f64 = "kW";
        /// supply less demand downwards; negative is a shortfall
        margin_down_kw: f64 = "kW";
    }
}

/// The rows of what a stage looked at in a slot.
pub(crate) fn rows(
    tick: u32,
    foreseen: &WindowForeseen,
    clock: &Clock,
) -> impl Iterator<Item = Row<'static>> {
    let step_h = clock.slot_hours() * f64::from(foreseen.step);
    let stage = foreseen.stage.name();
    (0..foreseen.load_kw.len()).map(move |at| {
        let slot = foreseen.slot(at);
        let of =
            |up: &[f64], down: &[f64]| UpDown { up: up[at], down: down[at] }.without_rounding();
        let demand = of(&foreseen.flex_demand_up_kw, &foreseen.flex_demand_down_kw);
        let supply = of(&foreseen.flex_supply_up_kw, &foreseen.flex_supply_down_kw);
        let margin = (supply - demand).without_rounding();
        Row {
            tick,
            stage,
            slot,
            ts: Time::of_slot(clock, slot),
            step_h,
            committed: at < foreseen.committed as usize,
            load_kw: foreseen.load_kw[at],
            ev_kw: foreseen.ev_kw[at],
            ev_flex_up_kw: foreseen.ev_flex_up_kw.get(at).copied(),
            ev_flex_down_kw: foreseen.ev_flex_down_kw.get(at).copied(),
            flex_demand_up_kw: demand.up,
            flex_demand_down_kw: demand.down,
            flex_supply_up_kw: supply.up,
            flex_supply_down_kw: supply.down,
            margin_up_kw: margin.up,
            margin_down_kw: margin.down,
        }
    })
}
