//! The table `paths`: what units can do all day with the commitment that was decided.

use crate::{
    rows::rows,
    table::forecasts::UnitSeries,
    value::{Time, Word},
};
use voltide_journal::event::UnitsDispatched;
use voltide_model::clock::Clock;

rows! {
    /// One row per slot and unit of a day's path, to which intra-day windows lead back: a window
    /// ends within a ramp of where units are in the slot after it, and with what they hold then.
    /// It looks ahead as far as the day-ahead stage and is made anew when the next day begins.
    /// Without rows in runs of 0.1.0, and where a day follows upon itself.
    pub paths by tick, slot, unit_id {
        /// the slot in which the path was made, as in `solves` with the stage day_path
        tick: u32;
        /// the slot
        slot: u32;
        /// start of the slot (UTC)
        ts: Time;
        /// the unit
        unit_id: u32;
        /// the unit's name
        unit: Word;
        /// whether it is on, of units that are switched
        on: bool;
        /// power into the system; negative when a store charges, import_export exports or an
        /// electrolyser draws
        output_kw: f64 = "kW", sign("positive supplies the system");
        /// stored energy at the slot's end; 0 of a unit that stores nothing
        energy_kwh: f64 = "kWh";
    }
}

/// The rows of a path that was made in a slot, of these units.
pub(crate) fn rows<'a>(
    tick: u32,
    path: &'a UnitsDispatched,
    units: &'a [UnitSeries],
    clock: &'a Clock,
) -> impl Iterator<Item = Row<'a>> {
    let of_all = path.units.max(1);
    (0..).zip(&path.power_kw).map(move |(place, &output_kw)| {
        let (slot, unit_id) = (path.first_slot + place / of_all * path.step, place % of_all);
        Row {
            tick,
            slot,
            ts: Time::of_slot(clock, slot),
            unit_id,
            unit: &units[unit_id as usize].name,
            on: path.on[place as usize] != 0,
            output_kw,
            energy_kwh: path.energy_kwh[place as usize],
        }
    })
}
