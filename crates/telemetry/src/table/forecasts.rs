//! The table `forecasts`: what the series of units were expected to be.

use crate::{
    rows::rows,
    value::{Time, Word},
};
use voltide_journal::event::WindowForeseen;
use voltide_model::clock::Clock;

rows! {
    /// One row per step that a stage looked at and series of a unit, as it was foreseen then; of
    /// load and cars `windows` tells. Values of a step are means over its slots. Without rows in
    /// runs of 0.1.0.
    pub forecasts by tick, stage, slot, unit_id, series {
        /// the slot in which the problem was solved, as in `solves`
        tick: u32;
        /// day_ahead, day_path or intra_day
        stage: Word;
        /// the slot in which the step begins
        slot: u32;
        /// start of the step (UTC)
        ts: Time;
        /// the unit
        unit_id: u32;
        /// the unit's name
        unit: Word;
        /// which of its series, by its name in the journal
        series: Word;
        /// what it was expected to be: kW, of prices currency/kWh
        value: f64;
    }
}

/// The rows of what a stage expected in a slot of units with these names and series.
pub(crate) fn rows<'a>(
    tick: u32,
    foreseen: &'a WindowForeseen,
    units: &'a [UnitSeries],
    clock: &'a Clock,
) -> impl Iterator<Item = Row<'a>> {
    let stage = foreseen.stage.name();
    let steps = foreseen.load_kw.len();
    let mut of_unit = vec![0; units.len()];
    let series = foreseen.unit.iter().zip(foreseen.expected.chunks(steps.max(1)));
    series.flat_map(move |(&unit_id, values)| {
        let unit = &units[unit_id as usize];
        let series = &unit.series[of_unit[unit_id as usize]];
        of_unit[unit_id as usize] += 1;
        values.iter().enumerate().map(move |(at, &value)| {
            let slot = foreseen.slot(at);
            let ts = Time::of_slot(clock, slot);
            Row { tick, stage, slot, ts, unit_id, unit: &unit.name, series, value }
        })
    })
}

/// A unit, and what its series are called.
pub(crate) struct UnitSeries {
    pub(crate) name: String,
    pub(crate) series: Vec<String>,
}
