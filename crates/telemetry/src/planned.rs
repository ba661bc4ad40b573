//! What units were scheduled to do, as rows of `unit_ticks`: each slot once a stage.

use crate::{frame::PlannedUnit, table::unit_ticks::Step};
use std::collections::BTreeMap;
use voltide_journal::{
    event::{Stage, UnitsDispatched},
    units::unpack,
};
use voltide_model::{
    clock::Clock,
    columns::UnitTick,
    dispatch::{SlotDispatch, supply, unit_rows},
    scenario::Scenario,
};

/// Slots of intra-day windows that have not come yet: a window that begins early takes the place of
/// what the one before it had for the same slots.
#[derive(Debug, Default)]
pub(crate) struct Planned(BTreeMap<u32, Vec<PlannedUnit>>);

impl Planned {
    /// Takes up a schedule. Gives the rows of a day-ahead one; those of a window come when their
    /// slots do.
    pub(crate) fn take_up(
        &mut self,
        scenario: &Scenario,
        dispatched: &UnitsDispatched,
    ) -> Vec<PlannedUnit> {
        match dispatched.stage {
            Stage::DayAhead => {
                steps(scenario, dispatched).into_iter().flat_map(|(_, units)| units).collect()
            }
            Stage::IntraDay => {
                // What is split off is dropped: this window takes its place.
                self.0.split_off(&dispatched.first_slot);
                self.0.extend(steps(scenario, dispatched));
                Vec::new()
            }
            // It is scheduled for nobody, and has a table of its own.
            Stage::DayPath => Vec::new(),
        }
    }

    /// What was scheduled for the slot that was settled.
    pub(crate) fn followed_in(&mut self, tick: u32) -> Vec<PlannedUnit> {
        self.0.remove(&tick).unwrap_or_default()
    }
}

/// What a schedule comes to, by the first slot of each step.
fn steps(scenario: &Scenario, dispatched: &UnitsDispatched) -> Vec<(u32, Vec<PlannedUnit>)> {
    let Some(grid) = &scenario.grid else { return Vec::new() };
    let slots = (dispatched.first_slot..).step_by(dispatched.step as usize);
    let day_end = day_end(&scenario.clock, dispatched.first_slot);
    let steps = slots.zip(unpack(&grid.plant, dispatched));
    let told = |(slot, step): (u32, SlotDispatch)| {
        (slot, units(scenario, dispatched, slot, day_end, &step))
    };
    steps.map(told).collect()
}

/// What a step is for each unit. The last one of a day may reach beyond it; the next day is
/// scheduled anew. How far units could move is from where the solver has them, over a whole step.
fn units(
    scenario: &Scenario,
    dispatched: &UnitsDispatched,
    slot: u32,
    day_end: u32,
    step: &SlotDispatch,
) -> Vec<PlannedUnit> {
    let Some(grid) = &scenario.grid else { return Vec::new() };
    let hours = scenario.clock.slot_hours() * f64::from(dispatched.step.min(day_end - slot));
    let of = Step { slot, stage: dispatched.stage.name(), hours };
    let whole = scenario.clock.slot_hours() * f64::from(dispatched.step);
    let supply = supply(&grid.plant, step, whole, grid.rules.readings);
    let units = unit_rows(&grid.plant, &step.tidied(&grid.plant), hours).into_iter().zip(supply);
    let planned = |(unit, supply)| PlannedUnit {
        step: of,
        unit: UnitTick { flexibility: Some(supply), ..unit },
    };
    units.map(planned).collect()
}

/// The slot after the last one of the local day of `slot`.
fn day_end(clock: &Clock, slot: u32) -> u32 {
    let tomorrow = clock.local(slot).date().succ_opt().expect("the calendar goes on");
    clock.slot_from(clock.day(tomorrow).at(0.0))
}
