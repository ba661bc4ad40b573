//! The carried prices.
//!
//! Prices that a world announces for the whole run are made from it anew; what feedback from cars
//! has made is carried as far as it is still to come. Settings that no car is billed by are left
//! out.

use super::{Future, only};
use crate::{phase::price, plan_book::PlanBook, prices::PriceBook, state::ScenarioInForce};
use bevy_ecs::prelude::*;
use std::sync::Arc;
use voltide_journal::{
    event::{Event, PricesSet},
    snapshot::{Column, Lacking, Part},
};
use voltide_model::scenario::Scenario;

/// Where the prices of a setting are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Source {
    /// Nowhere: no one is billed by them.
    Forgotten = 0,
    /// In the world, where cars pay their tariff.
    World = 1,
    /// In the world, where cars pay the incentive price.
    WorldPaid = 2,
    /// In the snapshot.
    Carried = 3,
}

impl Source {
    const ALL: [Self; 4] = [Self::Forgotten, Self::World, Self::WorldPaid, Self::Carried];

    /// The prices of the world, if these are they.
    fn of_world(self, scenario: &Scenario, from: u32, end: u32) -> Option<Vec<PricesSet>> {
        match self {
            Self::World => price::of_world(scenario, false, from, end),
            Self::WorldPaid => price::of_world(scenario, true, from, end),
            Self::Forgotten | Self::Carried => None,
        }
    }

    /// Where the prices of a setting are, all tariffs together.
    fn of(sets: &[PricesSet], scenario: &Scenario) -> Self {
        let Some(set) = sets.first() else { return Self::Forgotten };
        // Only what is announced for the whole run is worth the comparison.
        let whole = set.end() == scenario.horizon_end();
        let same = |it: &Self| {
            it.of_world(scenario, set.first_slot, set.end()).is_some_and(|its| its == sets)
        };
        let in_world = [Self::World, Self::WorldPaid].into_iter().find(|it| whole && same(it));
        in_world.unwrap_or(Self::Carried)
    }
}

/// What there is to carry.
pub(super) fn save(world: &mut World, future: Future) -> Part {
    let book = world.resource::<PriceBook>();
    let plans = world.resource::<PlanBook>();
    let scenario = &world.resource::<ScenarioInForce>().scenario;
    let used = book.used(plans.settings_ahead());
    let kept =
        || (book.first..).zip(&book.settings).skip_while(|(number, _)| !used.contains(number));
    let settings: Vec<&[PricesSet]> = kept()
        .map(|(number, sets)| if used.contains(&number) { sets.as_slice() } else { &[] })
        .collect();
    let sources: Vec<Source> = settings.iter().map(|sets| Source::of(sets, scenario)).collect();
    let bounds = |of: fn(&PricesSet) -> u32| {
        settings.iter().map(|sets| sets.first().map_or(0, of)).collect()
    };
    let columns = Part::default()
        .with("first", Column::Ids(vec![kept().next().map_or(book.first, |(number, _)| number)]))
        .with("of_ev", Column::Ids(book.of_ev.clone()))
        .with("outdated", Column::Bytes(vec![u8::from(book.outdated)]))
        .with("source", Column::Bytes(sources.iter().map(|&source| source as u8).collect()))
        .with("first_slot", Column::Ids(bounds(|set| set.first_slot)))
        .with("end", Column::Ids(bounds(PricesSet::end)));
    let carried = settings.iter().zip(&sources).filter(|(_, source)| **source == Source::Carried);
    let all = carried.flat_map(|(sets, _)| sets.iter());
    all.fold(columns, |part, set| part.with_event(Event::PricesSet(set.from(future.next))))
}

/// Takes it up.
pub(super) fn load(world: &mut World, part: &Part) -> Result<(), Lacking> {
    let scenario = Arc::clone(&world.resource::<ScenarioInForce>().scenario);
    let mut carried = part.events()?.into_iter().filter_map(|event| {
        let Event::PricesSet(set) = event else { return None };
        Some(set)
    });
    let mut book = world.resource_mut::<PriceBook>();
    book.settings.clear();
    let bounds = part.ids("first_slot")?.iter().zip(part.ids("end")?);
    for (&source, (&from, &end)) in part.bytes("source")?.iter().zip(bounds) {
        let source =
            Source::ALL.get(usize::from(source)).ok_or_else(|| Lacking("prices".to_owned()))?;
        let sets = match source {
            Source::Forgotten => Vec::new(),
            Source::Carried => carried.by_ref().take(scenario.tariffs.len()).collect(),
            Source::World | Source::WorldPaid => {
                source.of_world(&scenario, from, end).unwrap_or_default()
            }
        };
        if *source != Source::Forgotten && sets.len() != scenario.tariffs.len() {
            return Err(Lacking("prices".to_owned()));
        }
        book.settings.push_back(sets);
    }
    book.first = only(part.ids("first")?)?;
    book.of_ev = part.ids("of_ev")?.to_vec();
    book.outdated = only(part.bytes("outdated")?)? == 1;
    Ok(())
}
