//! The carried resources: who is plugged in and due, and the plant.

use super::{Future, flat, ids, lists, numbers, only};
use crate::{
    cars::{PluggedStay, columns},
    due::DueCars,
    grid::UnitSchedule,
    sites::{CarsBehind, Places, SiteTree},
    state::{
        ExpectedStays, LastCut, LastCuts, NetLoadMost, PluggedAtMidnight, PluggedIn,
        ScenarioInForce, SiteCuts, StoredInAll,
    },
};
use bevy_ecs::prelude::*;
use std::collections::VecDeque;
use voltide_journal::{
    event::Event,
    snapshot::{Column, Lacking, Part},
};
use voltide_model::{
    dispatch::GridState,
    id::{EvId, StayId},
    plant::Plant,
    stay::NO_STAY,
    unit::UnitState,
};

/// Who is plugged in, due and expected: one part, though it is of many resources.
pub(super) fn save_roster(world: &mut World, _future: Future) -> Part {
    let sites = world.resource::<SiteTree>().sites.iter();
    let behind = sites.filter_map(|&site| world.get::<CarsBehind>(site));
    let behind: Vec<Vec<EvId>> = behind.map(|cars| cars.0.clone()).collect();
    let (site_lengths, at_site) = flat(&behind);
    let due = world.resource::<DueCars>();
    let cut = world.resource::<SiteCuts>().in_session.iter().map(|&cut| u8::from(cut));
    let cuts = &world.resource::<LastCuts>().0;
    let by_site = cuts.iter().map(|cut| u8::from(cut.by_site));
    let (stays, expected): (Vec<StayId>, Vec<f64>) =
        world.resource::<ExpectedStays>().0.iter().unzip();
    let at_midnight = world.resource::<PluggedAtMidnight>().0.iter().copied();
    let (evs, at_midnight): (Vec<EvId>, Vec<f64>) = at_midnight.unzip();
    Part::default()
        .with("plugged", Column::Ids(vec![world.resource::<PluggedIn>().0]))
        .with("site_lengths", Column::Ids(site_lengths))
        .with("at_site", Column::Ids(numbers(&at_site)))
        .with("overdue", Column::Ids(numbers(&due.overdue)))
        .with("due", Column::Ids(due.marked.iter().map(|ev| ev.0).collect()))
        .with("net_load_most_kw", Column::Reals(vec![world.resource::<NetLoadMost>().0]))
        .with("stored_kwh", Column::Reals(vec![world.resource::<StoredInAll>().0]))
        .with("site_cut", Column::Bytes(cut.collect()))
        .with("last_cut", Column::Ids(cuts.iter().map(|cut| cut.ev.0).collect()))
        .with("last_cut_kw", Column::Reals(cuts.iter().map(|cut| cut.drawn_kw).collect()))
        .with("last_cut_by_site", Column::Bytes(by_site.collect()))
        .with("expected_stay", Column::Ids(numbers(&stays)))
        .with("expected_kwh", Column::Reals(expected))
        .with("midnight_ev", Column::Ids(numbers(&evs)))
        .with("midnight_kwh", Column::Reals(at_midnight))
}

/// Takes it up.
pub(super) fn load_roster(world: &mut World, part: &Part) -> Result<(), Lacking> {
    world.insert_resource(PluggedIn(only(part.ids("plugged")?)?));
    let behind = lists(part.ids("site_lengths")?, &ids(part.ids("at_site")?))?;
    let sites = world.resource::<SiteTree>().sites.clone();
    for (site, cars) in sites.into_iter().zip(behind) {
        world.entity_mut(site).insert(CarsBehind(cars));
    }
    // Which car stands at a shared charger follows from its stay, so that it is not carried.
    let occupied = world.run_system_cached(occupy);
    occupied.expect("the state's resources are inserted");
    let marked = VecDeque::from(ids::<EvId>(part.ids("due")?));
    world.insert_resource(DueCars { marked, overdue: ids(part.ids("overdue")?) });
    world.insert_resource(StoredInAll(only(part.reals("stored_kwh")?)?));
    // Snapshots of 0.1.0 have none, whose policies were not shown it.
    let most = part.reals("net_load_most_kw").ok().and_then(|values| values.first());
    world.insert_resource(NetLoadMost(most.copied().unwrap_or_default()));
    let in_session = part.bytes("site_cut")?.iter().map(|&cut| cut == 1).collect();
    world.insert_resource(SiteCuts { in_session, ..SiteCuts::default() });
    // Snapshots of 0.1.0 have none, whose policies were not shown what came of their schedules.
    let drawn_kw = part.reals("last_cut_kw").unwrap_or_default();
    let cuts = pairs::<EvId>(part.ids("last_cut").unwrap_or_default(), drawn_kw)
        .zip(part.bytes("last_cut_by_site").unwrap_or_default())
        .map(|((ev, drawn_kw), &by_site)| LastCut { ev, drawn_kw, by_site: by_site == 1 });
    world.insert_resource(LastCuts(cuts.collect()));
    let expected = pairs(part.ids("expected_stay")?, part.reals("expected_kwh")?);
    world.insert_resource(ExpectedStays(expected.collect()));
    let at_midnight = pairs(part.ids("midnight_ev")?, part.reals("midnight_kwh")?);
    world.insert_resource(PluggedAtMidnight(at_midnight.collect()));
    Ok(())
}

/// Cars that are plugged in stand at their chargers.
fn occupy(in_force: Res<ScenarioInForce>, cars: Query<&PluggedStay>, mut places: Places) {
    let plugged = (0..).map(EvId).zip(columns(cars)).filter(|(_, stay)| stay.0 != NO_STAY);
    for (ev, stay) in plugged {
        places.occupy(&in_force, stay.0, Some(ev));
    }
}

fn pairs<T: From<u32>>(numbers: &[u32], values: &[f64]) -> impl Iterator<Item = (T, f64)> {
    numbers.iter().map(|&number| T::from(number)).zip(values.iter().copied())
}

impl UnitSchedule {
    /// What there is to carry, with where units stand.
    pub(super) fn save(&self, state: &GridState) -> Part {
        let units = &state.units;
        let start =
            self.plan.as_ref().map(|plan| plan.energy_start_kwh.clone()).unwrap_or_default();
        let columns = Part::default()
            .with("energy_kwh", Column::Reals(state.energy_kwh()))
            .with(
                "power_kw",
                Column::Reals(units.iter().map(|it| it.power_kw.unwrap_or(f64::NAN)).collect()),
            )
            .with("on", Column::Bytes(units.iter().map(|it| u8::from(it.on)).collect()))
            .with("hours", Column::Reals(units.iter().map(|it| it.hours).collect()))
            .with("day_began_kwh", Column::Reals(start))
            .with_event(Event::ForecastIssued(self.forecast.clone()));
        let decided = self.decided.iter().flatten();
        decided.fold(columns, |part, event| part.with_event(Event::UnitsDispatched(event.clone())))
    }

    /// Takes it up, where the world has the same plant, whose units stand as in `initial`; gives
    /// where they stand now.
    pub(super) fn load(
        &mut self,
        plant: Option<&Plant>,
        initial: GridState,
        part: &Part,
    ) -> Result<GridState, Lacking> {
        let rows = part.reals("power_kw")?.iter().zip(part.bytes("on")?).zip(part.reals("hours")?);
        let units: Vec<UnitState> = rows
            .zip(part.reals("energy_kwh")?)
            .map(|(((&power, &on), &hours), &energy_kwh)| UnitState {
                // A column of reals has no other way to say that there is none.
                power_kw: (!power.is_nan()).then_some(power),
                on: on == 1,
                hours,
                energy_kwh,
            })
            .collect();
        if units.len() != initial.units.len() {
            return Err(Lacking("units of the plant".to_owned()));
        }
        // The day's schedule is counted from what units held when the day began.
        let mut day_began = initial;
        for (unit, &energy_kwh) in day_began.units.iter_mut().zip(part.reals("day_began_kwh")?) {
            unit.energy_kwh = energy_kwh;
        }
        for event in part.events()? {
            if let Event::ForecastIssued(forecast) = event {
                self.expect(&forecast);
            } else if let Event::UnitsDispatched(event) = event {
                let plant = plant.ok_or_else(|| Lacking("plant".to_owned()))?;
                self.dispatched(plant, &event, &day_began);
            }
        }
        Ok(GridState { units })
    }
}
