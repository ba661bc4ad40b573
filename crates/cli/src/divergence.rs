//! Where two histories part, in words and as JSON.

use crate::{failure::Failure, journaled::Journaled, output::decimal};
use chrono::DateTime;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};
use voltide_journal::{
    describe::describe,
    difference::Difference,
    event::{
        Entity, Event, PricesSet, Recorded,
        fact::{Origin, Step},
    },
};
use voltide_model::{id::EvId, scenario::Scenario};

/// Where two histories part: the events there, or none where a log has no more.
pub(crate) struct Divergence {
    tick: u32,
    one: Option<Event>,
    other: Option<Event>,
    /// What the events do not agree on, where they are of one kind.
    difference: Option<Difference>,
    /// The scenarios of the two runs: they name cars, sites and units.
    scenarios: [Arc<Scenario>; 2],
}

impl Divergence {
    /// The first events that are not the same, leaving out how the runs began and were sealed;
    /// `None` where all are.
    pub(crate) fn find(one: Journaled, other: Journaled) -> Result<Option<Self>, Failure> {
        // The last scenario of a history names all cars of the ones before: rows of cars that were
        // removed keep their places.
        let scenarios = [&one, &other].map(|run| Arc::clone(run.scenario_at(u32::MAX)));
        let mut one = NewEvents::of(one.events(true));
        let mut other = NewEvents::of(other.events(true));
        loop {
            let here = one.next().transpose()?;
            let there = other.next().transpose()?;
            match (&here, &there) {
                (None, None) => return Ok(None),
                (Some(here), Some(there)) if says_the_same(here, there) => {}
                (Some(_) | None, Some(_)) | (Some(_), None) => {
                    return Ok(Some(Self::of(here, there, scenarios)));
                }
            }
        }
    }

    fn of(here: Option<Recorded>, there: Option<Recorded>, scenarios: [Arc<Scenario>; 2]) -> Self {
        let tick = tick_of(here.as_ref(), there.as_ref());
        let one = here.map(|recorded| recorded.event);
        let other = there.map(|recorded| recorded.event);
        let difference =
            one.as_ref().zip(other.as_ref()).and_then(|(one, other)| one.first_difference(other));
        Self { tick, one, other, difference, scenarios }
    }

    /// For machines: the events in short, and what they do not agree on.
    pub(crate) fn json(&self) -> Value {
        let difference = self.difference.as_ref();
        json!({
            "tick": self.tick,
            "local_time": self.time(self.tick).replace(' ', "T"),
            "one": self.one.as_ref().map(in_short),
            "other": self.other.as_ref().map(in_short),
            "difference": difference.map(|difference| self.difference_json(difference)),
        })
    }

    fn difference_json(&self, difference: &Difference) -> Value {
        let Difference { entity, field, slot, one, other } = difference;
        let entity = entity.as_ref().map(
            |entity| json!({ "kind": entity.kind, "id": entity.id, "name": self.name(entity) }),
        );
        json!({
            "entity": entity,
            "field": field,
            "slot": slot,
            "slot_local_time": slot.map(|slot| self.time(slot).replace(' ', "T")),
            "one": one,
            "other": other,
        })
    }

    /// For people: when, at what kind of event, about which car, site or unit, and one value
    /// against the other.
    pub(crate) fn text(&self) -> String {
        let when = format!("the runs part at tick {} ({})", self.tick, self.time(self.tick));
        if let (Some(event), Some(difference)) = (&self.one, &self.difference) {
            let sentence = self.sentence(event, difference);
            return format!("{when}, where {}\n{sentence}", happening(event));
        }
        let one = self.side(self.one.as_ref());
        let other = self.side(self.other.as_ref());
        format!("{when}\nin one: {one}\nin the other: {other}")
    }

    /// What happens on one side where the other has something else.
    fn side(&self, event: Option<&Event>) -> String {
        let Some(event) = event else {
            return "nothing more; its log ends there, and it is unfinished".to_owned();
        };
        let what = happening(event);
        if let Some(outcome) = event.outcome() {
            return format!("{what}: {outcome}");
        }
        match (event.rows(), event.first_entity()) {
            (Some(rows), Some(entity)) if rows > 1 => {
                format!("{what}: {rows} of them, the first is {}", self.name(&entity))
            }
            (_, Some(entity)) => format!("{what}: {}", self.name(&entity)),
            (_, None) => what,
        }
    }

    /// Of what two events of a kind say something else, and what each says.
    fn sentence(&self, event: &Event, difference: &Difference) -> String {
        let Difference { entity, field, slot, one, other } = difference;
        let who = entity.as_ref().map(|entity| self.name(entity));
        let Some(field) = field else {
            let side = if other.is_null() { "one" } else { "the other" };
            return format!("{}: only in {side}", who.unwrap_or_default());
        };
        let from = match (event, slot) {
            (_, None) => String::new(),
            (Event::PlansAccepted(_) | Event::WillingnessAgreed(_), Some(slot)) => {
                format!(" from {}", self.time(*slot))
            }
            (_, Some(slot)) => format!(" at {}", self.time(*slot)),
        };
        let terms = self.scenarios.each_ref().map(|scenario| Term { scenario, field });
        let [one, other] = told_apart(&terms, [one, other]);
        let what = who.into_iter().chain([label(field)]).collect::<Vec<_>>().join(", ");
        format!("{what}{from}: {one} in one, {other} in the other")
    }

    /// A car, site or unit as people call it.
    fn name(&self, entity: &Entity) -> String {
        let Entity { kind, id } = entity;
        let number = id.parse::<u32>().ok();
        let known = number.and_then(|number| {
            // A car may be there in only one of the two runs.
            self.scenarios.iter().find_map(|scenario| name_in(scenario, kind, number))
        });
        known.unwrap_or_else(|| format!("{kind} `{id}`"))
    }

    /// The start of a slot on the wall clock of the first run.
    fn time(&self, slot: u32) -> String {
        time(&self.scenarios[0], slot)
    }
}

/// An event in short.
fn in_short(event: &Event) -> Value {
    json!({ "event": event.kind(), "payload": describe(event) })
}

fn time(scenario: &Scenario, slot: u32) -> String {
    scenario.clock.local(slot).format("%Y-%m-%d %H:%M").to_string()
}

/// A field of an event in one of the runs, on its way into words.
struct Term<'a> {
    scenario: &'a Scenario,
    field: &'a str,
}

/// Two values that differ, with as many digits as it takes to see that they do.
fn told_apart(terms: &[Term<'_>; 2], values: [&Value; 2]) -> [String; 2] {
    let rounded = [0, 1].map(|side| terms[side].value(values[side], Some(3)));
    if rounded[0] != rounded[1] {
        return rounded;
    }
    [0, 1].map(|side| terms[side].value(values[side], None))
}

impl Term<'_> {
    /// A value with its unit; without `decimals` all of them are shown.
    fn value(&self, value: &Value, decimals: Option<usize>) -> String {
        match value {
            Value::Null => "none".to_owned(),
            Value::String(text) => text.clone(),
            Value::Array(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.value(part, decimals)).collect();
                parts.join(" ")
            }
            Value::Number(number) => number
                .as_u64()
                .and_then(|number| self.counted(number))
                .unwrap_or_else(|| self.amount(number.as_f64().unwrap_or(f64::NAN), decimals)),
            Value::Bool(is_so) => if *is_so { "yes" } else { "no" }.to_owned(),
            Value::Object(_) => value.to_string(),
        }
    }

    /// A whole number that stands for something else, or that only counts.
    fn counted(&self, number: u64) -> Option<String> {
        match self.field {
            "slot" | "first_slot" | "departure_slot" | "arrival_slot" | "load_slot" => {
                u32::try_from(number).ok().map(|slot| time(self.scenario, slot))
            }
            "at_us" => {
                let at = DateTime::from_timestamp_micros(number.cast_signed())?;
                Some(
                    at.with_timezone(&self.scenario.clock.zone)
                        .format("%Y-%m-%d %H:%M %Z")
                        .to_string(),
                )
            }
            field => unit(field).is_none().then(|| number.to_string()),
        }
    }

    fn amount(&self, amount: f64, decimals: Option<usize>) -> String {
        let number =
            decimals.map_or_else(|| amount.to_string(), |decimals| decimal(amount, decimals));
        let unit = unit(self.field).unwrap_or_default().replace("{}", &self.scenario.currency);
        format!("{number} {unit}").trim_end().to_owned()
    }
}

/// The tick at which histories part: that of what goes on, where one has ended.
fn tick_of(here: Option<&Recorded>, there: Option<&Recorded>) -> u32 {
    let both = || here.into_iter().chain(there);
    let going_on = both().filter(|recorded| recorded.event.step() != Step::Ending);
    let ticks = going_on.map(|recorded| recorded.tick);
    ticks.min().or_else(|| both().map(|recorded| recorded.tick).max()).unwrap_or_default()
}

/// Whether two events say the same of what happened: they may count stays in another way.
fn says_the_same(here: &Recorded, there: &Recorded) -> bool {
    let one = &here.event;
    let other = &there.event;
    let is_one_moment = here.tick == there.tick;
    is_one_moment
        && (one == other || (one.kind() == other.kind() && one.first_difference(other).is_none()))
}

/// What happens in a history, without prices that are announced anew and say nothing new, as they
/// are where a fork plans with another policy.
struct NewEvents<I> {
    events: I,
    /// By tariff and slot: the prices as they were last announced, and what they come from.
    prices: BTreeMap<String, BTreeMap<u32, SlotPrices>>,
}

/// The values of [`PricesSet`] in a slot; `None` where it has none of a kind.
type SlotPrices = [Option<f64>; 7];

impl<I: Iterator<Item = Result<Recorded, Failure>>> NewEvents<I> {
    fn of(events: I) -> Self {
        Self { events, prices: BTreeMap::new() }
    }

    /// Whether prices are others than those known for their slots; from now on they are known.
    fn are_new(&mut self, tick: u32, set: &PricesSet) -> bool {
        let known = self.prices.entry(set.tariff.clone()).or_default();
        // What has passed is not announced again, and would only take memory.
        *known = known.split_off(&tick);
        let mut new = false;
        for (slot, prices) in slots(set) {
            new |= known.insert(slot, prices).is_none_or(|before| before != prices);
        }
        new
    }
}

impl<I: Iterator<Item = Result<Recorded, Failure>>> Iterator for NewEvents<I> {
    type Item = Result<Recorded, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let recorded = self.events.next()?;
            if !happens(&recorded) {
                continue;
            }
            if let Ok(Recorded { tick, event: Event::PricesSet(set), .. }) = &recorded
                && !self.are_new(*tick, set)
            {
                continue;
            }
            return Some(recorded);
        }
    }
}

/// What is announced, slot by slot.
fn slots(set: &PricesSet) -> impl Iterator<Item = (u32, SlotPrices)> {
    // Field by field, so that one that is added cannot be forgotten here.
    let PricesSet {
        tariff: _,
        first_slot,
        buy,
        sell,
        tou,
        incentive,
        k,
        net_load_kw,
        net_load_mean_kw,
    } = set;
    let columns = [buy, sell, tou, incentive, k, net_load_kw, net_load_mean_kw];
    (0..buy.len()).map(move |place| {
        (first_slot + place as u32, columns.map(|column| column.get(place).copied()))
    })
}

/// Whether an event is part of what happened, rather than of how it is recorded.
fn happens(recorded: &Result<Recorded, Failure>) -> bool {
    recorded.as_ref().map_or(true, |recorded| {
        let event = &recorded.event;
        !event.opens() && event.origin() != Origin::Follows(Step::Seal)
    })
}

/// What people call something of a kind that has this number in a scenario; `None` where it has
/// none.
fn name_in(scenario: &Scenario, kind: &str, number: u32) -> Option<String> {
    match kind {
        "ev" if (number as usize) < scenario.population.len() => {
            let range = scenario.population.range_of(EvId(number));
            let fleet = &scenario.fleets[range.fleet].name;
            Some(format!(
                "car {number}, number {} of fleet `{fleet}`",
                range.index_of(EvId(number))
            ))
        }
        "site" => scenario.sites.get(number as usize).map(|site| format!("site `{}`", site.name)),
        "unit" => scenario.unit_names().get(number as usize).map(|name| format!("unit `{name}`")),
        _ => None,
    }
}

/// What happens, with the event's name in the log.
fn happening(event: &Event) -> String {
    if let Event::SolveFinished(solve) = event {
        return format!("the problem of the {} stage was solved (SolveFinished)", solve.stage);
    }
    format!("{} ({})", event.declared().happening(), event.name())
}

/// A field's name in words, without its unit.
fn label(field: &str) -> String {
    match field {
        "buy" => "price of buying".to_owned(),
        "sell" => "price of selling".to_owned(),
        "tou" => "price by the tariff".to_owned(),
        "incentive" => "incentive price".to_owned(),
        "values" => "forecast".to_owned(),
        "at_us" => "beginning".to_owned(),
        _ => {
            // In this order, since the first ends like the second.
            let name = ["_per_kwh", "_kwh", "_kw"].iter().find_map(|unit| field.strip_suffix(unit));
            name.unwrap_or(field).replace('_', " ")
        }
    }
}

/// The unit of a field's values; `{}` stands for the currency.
fn unit(field: &str) -> Option<&'static str> {
    match field {
        "buy" | "sell" | "tou" | "incentive" => Some("{}/kWh"),
        "energy_cost" | "v2g_revenue" | "objective" | "bound" => Some("{}"),
        "values" => Some("kW"),
        _ if field.ends_with("_per_kwh") => Some("{}/kWh"),
        _ if field.ends_with("_kwh") => Some("kWh"),
        _ if field.ends_with("_kw") => Some("kW"),
        _ => None,
    }
}
