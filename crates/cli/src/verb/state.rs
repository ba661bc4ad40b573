//! `voltide state`: a run at some moment, from its log.

use crate::{
    args::Args,
    failure::{Code, Failure},
    figure::{Line, MONEY, Told, told_json, told_rows},
    journaled::Journaled,
    output::{self, counted, decimal},
    playback,
    verb::fork::slot,
};
use clap::Args as ClapArgs;
use serde_json::{Map, Value};
use std::{convert::Infallible, path::PathBuf, process::ExitCode, sync::Arc};
use voltide_journal::{event::Recorded, sink::Sink};
use voltide_model::{
    clock::Clock,
    columns::{Ledger, SiteTick, SystemTick, TickColumns},
    id::{ChargerId, EvId, StayId},
    scenario::Scenario,
    site::Site,
    stay::NO_STAY,
};

#[derive(Debug, ClapArgs)]
pub(crate) struct Flags {
    /// Folder of the run
    pub run: PathBuf,

    /// The slot: its number, or a time within it
    #[arg(long, value_name = "TICK|TIME")]
    pub at: String,

    /// Only this car
    #[arg(long)]
    pub ev: Option<u32>,
}

/// Shows a run, or one of its cars, in a slot.
pub(crate) fn state(state: &Flags, args: &Args) -> Result<ExitCode, Failure> {
    let journaled = Journaled::open(&state.run, args.quiet)?;
    let tick = slot(&state.at, &journaled.scenario)?;
    if let Some(ev) = state.ev.map(EvId) {
        // By the scenario that holds then: cars that a fork adds later are not there yet.
        check_car(ev, journaled.scenario_at(tick))?;
    }
    let moment = || Moment { at: tick, seen: None };
    // From a snapshot before it: in one of the tick itself there is none left to be seen.
    let played_back = playback::play(&state.run, (tick, Some(tick + 1)), moment, 1, args.quiet)?;
    let seen = played_back.replay.end()?.sink.seen.expect("a tick that was replayed was seen");
    let answer = match state.ev.map(EvId) {
        Some(ev) => seen.of_car(ev),
        None => seen.of_all(),
    };
    if args.json {
        output::say_json("state", &Value::Object(answer.json));
    } else {
        output::say(&output::table(&[], answer.rows, &[]));
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses a car that there is not.
fn check_car(ev: EvId, scenario: &Scenario) -> Result<(), Failure> {
    let count = scenario.population.len() as u32;
    if ev.0 < count {
        return Ok(());
    }
    let what = format!("there is no car {ev}: the run has the cars 0 to {}", count - 1);
    Err(Failure::new(Code::Input, what, None))
}

/// Waits for one tick.
struct Moment {
    at: u32,
    seen: Option<Seen>,
}

/// A tick, copied.
pub(crate) struct Seen {
    /// The scenario that holds in it.
    scenario: Arc<Scenario>,
    tick: u32,
    stay: Vec<StayId>,
    energy_kwh: Vec<f64>,
    power_kw: Vec<f64>,
    ledger: Vec<Ledger>,
    sites: Vec<SiteTick>,
    system: SystemTick,
}

impl Sink for Moment {
    type Error = Infallible;

    fn event(&mut self, _: &Arc<Scenario>, _: &Recorded) -> Result<(), Infallible> {
        Ok(())
    }

    fn tick(
        &mut self,
        scenario: &Arc<Scenario>,
        columns: &TickColumns<'_>,
    ) -> Result<(), Infallible> {
        if columns.tick == self.at {
            self.seen = Some(Seen {
                scenario: Arc::clone(scenario),
                tick: columns.tick,
                stay: columns.stay.to_vec(),
                energy_kwh: columns.energy_kwh.to_vec(),
                power_kw: columns.power_kw.to_vec(),
                ledger: columns.ledger.to_vec(),
                sites: columns.sites.to_vec(),
                system: *columns.system,
            });
        }
        Ok(())
    }
}

/// What a slot is.
pub(crate) const OF_SLOT: [Line<Seen>; 2] = [
    Line::<Seen>::new("tick", "", |it| Told::new(it.tick, it.slot_in_words()))
        .shown("tick", 0)
        .means("number of the slot"),
    Line::<Seen>::new("local_time", "", |it| {
        let from = local_time(&it.scenario.clock, it.tick);
        let text = from.replace('T', " ");
        Told::new(from, text)
    })
    .shown("local time", 0)
    .means("when it begins, on the wall clock of the world's time zone"),
];

/// What all cars do in a slot, and the system.
pub(crate) const OF_ALL: [Line<Seen>; 11] = [
    Line::<Seen>::new("cars", "", |it| Told::count(it.present().count() as u64))
        .shown("cars", 0)
        .means("cars that no fork removed"),
    Line::<Seen>::new("plugged", "", |it| cars(it.system.plugged.into()))
        .shown("plugged", 0)
        .means("cars that are plugged in"),
    Line::<Seen>::new("charging", "", |it| cars(it.with_power(|kw| kw > 0.0)))
        .shown("charging", 0)
        .means("cars that charge"),
    Line::<Seen>::new("discharging", "", |it| cars(it.with_power(|kw| kw < 0.0)))
        .shown("discharging", 0)
        .means("cars that discharge"),
    Line::<Seen>::new("agreed", "", |it| {
        let agreed = it.system.agreed;
        Told::new(agreed, counted(agreed.into(), "driver", "drivers"))
    })
    .shown("agreed", 0)
    .means("drivers of cars plugged in who agreed to discharge"),
    Line::<Seen>::new("stored_kwh", "kWh", |it| {
        Told::amount(it.present().map(|ev| it.energy_kwh[ev.row()]).sum())
    })
    .shown("stored in all cars", 3)
    .means("energy stored in all cars at the slot's end"),
    Line::<Seen>::new("ev_charge_kw", "kW", |it| Told::amount(it.system.ev_charge_kw))
        .shown("ev charge", 3)
        .means("mean power of the cars that charge"),
    Line::<Seen>::new("ev_discharge_kw", "kW", |it| Told::amount(it.system.ev_discharge_kw))
        .shown("ev discharge", 3)
        .means("mean power of the cars that discharge; not negative"),
    Line::<Seen>::new("base_load_kw", "kW", |it| Told::amount(it.system.base_load_kw))
        .shown("base load", 3)
        .means("load without cars"),
    Line::<Seen>::new("net_load_kw", "kW", |it| Told::amount(it.system.net_load_kw()))
        .shown("net load", 3)
        .means("load with cars, less the wind and sun that there is; positive draws"),
    Line::<Seen>::new("tou_price_per_kwh", "currency/kWh", |it| {
        Told::amount(it.system.tou_price_per_kwh)
    })
    .shown("tou price", 3)
    .means("the first tariff's price of a kWh bought"),
];

/// What sites do in a slot, in a world that has any.
pub(crate) const OF_SITES: [Line<Seen>; 1] = [Line::<Seen>::new("sites", "", Seen::sites_told)
    .shown("sites", 0)
    .means("what each site draws and may draw")];

/// What a site does in a slot.
pub(crate) const OF_SITE: [Line<SeenSite>; 5] = [
    Line::<SeenSite>::new("site", "", |it| Told::words(&it.name)).means("name of the site"),
    Line::<SeenSite>::new("power_kw", "kW", |it| Told::amount(it.tick.power_kw))
        .means("mean power that it draws; negative gives"),
    Line::<SeenSite>::new("asked_kw", "kW", |it| Told::amount(it.tick.asked_kw))
        .means("power that its chargers asked for"),
    Line::<SeenSite>::new("import_limit_kw", "kW", |it| Told::amount(it.import_limit_kw))
        .means("power that it may draw"),
    Line::<SeenSite>::new("plugged", "", |it| Told::count(it.tick.plugged.into()))
        .means("cars that are plugged in at it"),
];

/// What a car is at a slot's end.
pub(crate) const OF_CAR: [Line<SeenCar>; 4] = [
    Line::<SeenCar>::new("ev", "", |it| {
        Told::new(it.ev.0, format!("{}, number {} of fleet `{}`", it.ev, it.index, it.fleet))
    })
    .shown("ev", 0)
    .means("number of the car"),
    Line::<SeenCar>::new("energy_kwh", "kWh", |it| Told::amount(it.energy_kwh))
        .shown("energy", 3)
        .means("energy stored at the slot's end"),
    Line::<SeenCar>::new("soc", "", |it| {
        let soc = it.energy_kwh / it.capacity_kwh;
        let capacity = decimal(it.capacity_kwh, 1);
        Told::new(soc, format!("{} of {capacity} kWh", decimal(soc, 3)))
    })
    .shown("soc", 3)
    .means("state of charge, 0..1"),
    Line::<SeenCar>::new("session_id", "", |it| {
        let away = if it.removed { "none: the car was removed" } else { "none: the car is away" };
        let text = it.stay.map_or_else(|| away.to_owned(), |stay| stay.to_string());
        Told::new(it.stay.map(u32::from), text)
    })
    .shown("session id", 0)
    .means("number of the stay; null where the car is away"),
];

/// What a car that is plugged in does.
pub(crate) const OF_SESSION: [Line<SeenSession>; 9] = [
    Line::<SeenSession>::new("charger_id", "", |it| {
        Told::new(it.charger.0, it.charger.to_string())
    })
    .shown("charger id", 0)
    .means("number of the charger"),
    Line::<SeenSession>::new("plugged_from", "", |it| Told::words(&it.plugged_from))
        .shown("plugged from", 0)
        .means("when the session began, by local time"),
    Line::<SeenSession>::new("departure", "", |it| Told::words(&it.departure))
        .shown("departure", 0)
        .means("when it is announced to end, by local time"),
    Line::<SeenSession>::new("departure_kwh", "kWh", |it| Told::amount(it.departure_kwh))
        .shown("wanted then", 3)
        .means("stored energy that is wanted then"),
    Line::<SeenSession>::new("power_kw", "kW", |it| Told::amount(it.power_kw))
        .shown("power", 3)
        .means("mean power on the grid side; negative discharges"),
    Line::<SeenSession>::new("charged_kwh", "kWh", |it| Told::amount(it.ledger.charged_kwh))
        .shown("charged", 3)
        .means("energy charged in the session so far, grid side"),
    Line::<SeenSession>::new("discharged_kwh", "kWh", |it| Told::amount(it.ledger.discharged_kwh))
        .shown("discharged", 3)
        .means("energy discharged in it so far, grid side; not negative"),
    Line::<SeenSession>::new("energy_cost", MONEY, |it| Told::amount(it.ledger.energy_cost))
        .shown("energy cost", 3)
        .means("paid for energy charged in it so far"),
    Line::<SeenSession>::new("v2g_revenue", MONEY, |it| Told::amount(it.ledger.v2g_revenue))
        .shown("v2g revenue", 3)
        .means("earned by energy discharged in it so far"),
];

/// A number of cars.
fn cars(count: u64) -> Told {
    Told::new(count, counted(count, "car", "cars"))
}

/// A site in a slot.
pub(crate) struct SeenSite {
    name: String,
    import_limit_kw: f64,
    tick: SiteTick,
}

/// A car at a slot's end.
pub(crate) struct SeenCar {
    ev: EvId,
    /// Its number in its fleet.
    index: u32,
    fleet: String,
    energy_kwh: f64,
    capacity_kwh: f64,
    /// Whether a fork took it out.
    removed: bool,
    /// `None` where it is away.
    stay: Option<StayId>,
}

/// The session of a car, up to a slot's end.
pub(crate) struct SeenSession {
    charger: ChargerId,
    plugged_from: String,
    departure: String,
    departure_kwh: f64,
    power_kw: f64,
    ledger: Ledger,
}

/// The start of a slot on the wall clock of the world's time zone.
fn local_time(clock: &Clock, slot: u32) -> String {
    clock.local(slot).format("%Y-%m-%dT%H:%M").to_string()
}

/// What is said of a slot.
#[derive(Default)]
struct Answer {
    json: Map<String, Value>,
    rows: Vec<Vec<String>>,
}

impl Answer {
    fn with<T>(mut self, lines: &[Line<T>], of: &T, currency: &str) -> Self {
        self.json.extend(told_json(lines, of));
        self.rows.extend(told_rows(lines, of, currency));
        self
    }
}

impl Seen {
    fn of_all(&self) -> Answer {
        let currency = &self.scenario.currency;
        let sites = if self.scenario.sites.is_empty() { &[][..] } else { &OF_SITES[..] };
        Answer::default()
            .with(&OF_SLOT, self, currency)
            .with(&OF_ALL, self, currency)
            .with(sites, self, currency)
    }

    fn of_car(&self, ev: EvId) -> Answer {
        let currency = &self.scenario.currency;
        let car = self.car(ev);
        let answer = Answer::default().with(&OF_SLOT, self, currency).with(&OF_CAR, &car, currency);
        match car.stay {
            Some(stay) => answer.with(&OF_SESSION, &self.session(ev, stay), currency),
            None => answer,
        }
    }

    fn slot_in_words(&self) -> String {
        let clock = &self.scenario.clock;
        let from = clock.local(self.tick).format("%Y-%m-%d %H:%M");
        let to = clock.local(self.tick + 1).format("%H:%M");
        format!("{} ({from} to {to}); power is its mean, energy that at its end", self.tick)
    }

    /// The cars that no fork removed.
    fn present(&self) -> impl Iterator<Item = EvId> {
        self.scenario.population.present_evs()
    }

    /// How many cars have such a power, kW.
    fn with_power(&self, is_such: impl Fn(f64) -> bool) -> u64 {
        self.power_kw.iter().filter(|power| is_such(**power)).count() as u64
    }

    /// All sites for programs; for people the first of them.
    fn sites_told(&self) -> Told {
        let sites = self.scenario.sites.iter().zip(&self.sites);
        let value: Vec<Value> = sites
            .clone()
            .map(|(site, tick)| {
                let import_limit_kw = site.import_limit.0;
                let seen = SeenSite { name: site.name.clone(), import_limit_kw, tick: *tick };
                Value::Object(told_json(&OF_SITE, &seen))
            })
            .collect();
        let text: Vec<String> =
            sites.take(SITES_IN_WORDS).map(|(site, tick)| site_in_words(site, tick)).collect();
        Told::new(value, text.join(", "))
    }

    fn car(&self, ev: EvId) -> SeenCar {
        let population = &self.scenario.population;
        let range = population.range_of(ev);
        let stay = self.stay[ev.row()];
        SeenCar {
            ev,
            index: range.index_of(ev),
            fleet: self.scenario.fleets[range.fleet].name.clone(),
            energy_kwh: self.energy_kwh[ev.row()],
            capacity_kwh: population.capacity_kwh[ev.row()],
            removed: range.removed,
            stay: (stay != NO_STAY).then_some(stay),
        }
    }

    fn session(&self, ev: EvId, stay: StayId) -> SeenSession {
        let clock = &self.scenario.clock;
        let population = &self.scenario.population;
        SeenSession {
            charger: population.stays.charger[stay.row()],
            plugged_from: local_time(clock, population.stays.first_slot(stay, clock)),
            departure: local_time(clock, population.stays.announced_end_slot(stay, clock)),
            departure_kwh: population.departure_energy_kwh[ev.row()],
            power_kw: self.power_kw[ev.row()],
            ledger: self.ledger[ev.row()],
        }
    }
}

/// Sites that people are told of: a line of more is read by nobody.
const SITES_IN_WORDS: usize = 10;

/// What a site draws, and may draw.
fn site_in_words(site: &Site, tick: &SiteTick) -> String {
    let power = decimal(tick.power_kw, 1);
    let limit = decimal(site.import_limit.0, 1);
    format!("{} {power} kW of {limit} kW", site.name)
}
