//! `voltide state`: a run at some moment, from its log.

use crate::{
    args::Args,
    failure::{Code, Failure},
    journaled::Journaled,
    output::{self, counted, decimal, thousands},
    playback,
    verb::fork::slot,
};
use clap::Args as ClapArgs;
use serde_json::{Value, json};
use std::{convert::Infallible, path::PathBuf, process::ExitCode, sync::Arc};
use voltide_journal::{event::Recorded, sink::Sink};
use voltide_model::{
    clock::Clock,
    columns::{Ledger, SiteTick, SystemTick, TickColumns},
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
    if let Some(ev) = state.ev {
        check_car(ev, journaled.scenario_at(tick))?;
    }
    let moment = || Moment { at: tick, seen: None };
    let played_back = playback::play(&state.run, (tick, Some(tick + 1)), moment, 1, args.quiet)?;
    let seen = played_back.replay.end()?.sink.seen.expect("a tick that was replayed was seen");
    let rows = match state.ev {
        Some(ev) => seen.of_car(ev),
        None => seen.of_all(),
    };
    if args.json {
        let fields = rows.into_iter().map(|row| (row.name.to_owned(), row.value)).collect();
        output::say_json("state", &Value::Object(fields));
    } else {
        let rows = rows.into_iter().map(|row| vec![row.name.replace('_', " "), row.text]).collect();
        output::say(&output::table(&[], rows, &[]));
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses a car that there is not.
fn check_car(ev: u32, scenario: &Scenario) -> Result<(), Failure> {
    let count = scenario.population.len() as u32;
    if ev < count {
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
struct Seen {
    /// The scenario that holds in it.
    scenario: Arc<Scenario>,
    tick: u32,
    stay: Vec<u32>,
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

/// A line of the answer.
struct Row {
    /// Its name in JSON, the unit last.
    name: &'static str,
    value: Value,
    text: String,
}

fn row(name: &'static str, value: impl Into<Value>, text: String) -> Row {
    Row { name, value: value.into(), text }
}

fn number(name: &'static str, value: f64, unit: &str) -> Row {
    row(name, value, format!("{} {unit}", decimal(value, 3)))
}

/// What a site draws, and may draw.
fn site_in_words(site: &Site, tick: &SiteTick) -> String {
    let power = decimal(tick.power_kw, 1);
    let limit = decimal(site.import_limit.0, 1);
    format!("{} {power} kW of {limit} kW", site.name)
}

/// The start of a slot on the wall clock of the world's time zone.
fn local_time(clock: &Clock, slot: u32) -> String {
    clock.local(slot).format("%Y-%m-%dT%H:%M").to_string()
}

impl Seen {
    fn moment(&self) -> Vec<Row> {
        let clock = &self.scenario.clock;
        let from = clock.local(self.tick).format("%Y-%m-%d %H:%M").to_string();
        let to = clock.local(self.tick + 1).format("%H:%M").to_string();
        let text =
            format!("{} ({from} to {to}); power is its mean, energy that at its end", self.tick);
        vec![row("tick", self.tick, text), row("local_time", from.replace(' ', "T"), from)]
    }

    fn of_all(&self) -> Vec<Row> {
        let SystemTick { plugged, agreed, .. } = self.system;
        let charging = self.power_kw.iter().filter(|power| **power > 0.0).count() as u64;
        let discharging = self.power_kw.iter().filter(|power| **power < 0.0).count() as u64;
        let cars = self.scenario.population.present_evs();
        let stored: f64 = cars.map(|ev| self.energy_kwh[ev as usize]).sum();
        let cars = self.scenario.population.present_evs().count();
        let mut rows = self.moment();
        rows.extend([
            row("cars", cars, thousands(cars as u64)),
            row("plugged", plugged, counted(plugged.into(), "car", "cars")),
            row("charging", charging, counted(charging, "car", "cars")),
            row("discharging", discharging, counted(discharging, "car", "cars")),
            row("agreed", agreed, counted(agreed.into(), "driver", "drivers")),
            number("stored_kwh", stored, "kWh in all cars"),
            number("ev_charge_kw", self.system.ev_charge_kw, "kW"),
            number("ev_discharge_kw", self.system.ev_discharge_kw, "kW"),
            number("base_load_kw", self.system.base_load_kw, "kW"),
            number("net_load_kw", self.system.net_load_kw(), "kW"),
            number("tou_price_per_kwh", self.system.tou_price_per_kwh, &self.scenario.currency),
        ]);
        rows.extend(self.sites_row());
        rows
    }

    fn sites_row(&self) -> Option<Row> {
        let sites = self.scenario.sites.iter().zip(&self.sites);
        let values: Vec<Value> = sites
            .clone()
            .map(|(site, tick)| {
                json!({
                    "site": site.name, "power_kw": tick.power_kw, "asked_kw": tick.asked_kw,
                    "import_limit_kw": site.import_limit.0, "plugged": tick.plugged,
                })
            })
            .collect();
        let text: Vec<String> =
            sites.take(10).map(|(site, tick)| site_in_words(site, tick)).collect();
        (!values.is_empty()).then(|| row("sites", values, text.join(", ")))
    }

    fn of_car(&self, ev: u32) -> Vec<Row> {
        let car = ev as usize;
        let population = &self.scenario.population;
        let range = population.range_of(ev);
        let energy = self.energy_kwh[car];
        let capacity = population.capacity_kwh[car];
        let mut rows = self.moment();
        let index = range.index_of(ev);
        let name = &self.scenario.fleets[range.fleet].name;
        rows.extend([
            row("ev", ev, format!("{ev}, number {index} of fleet `{name}`")),
            number("energy_kwh", energy, "kWh"),
            number("soc", energy / capacity, &format!("of {} kWh", decimal(capacity, 1))),
        ]);
        let stay = self.stay[car];
        if stay == NO_STAY {
            let why =
                if range.removed { "none: the car was removed" } else { "none: the car is away" };
            rows.push(row("session_id", Value::Null, why.into()));
            return rows;
        }
        rows.extend(self.session_rows(car, stay));
        rows
    }

    fn session_rows(&self, car: usize, stay: u32) -> Vec<Row> {
        let population = &self.scenario.population;
        let clock = &self.scenario.clock;
        let ledger = &self.ledger[car];
        let from = local_time(clock, population.stays.first_slot(stay, clock));
        let to = local_time(clock, population.stays.announced_end_slot(stay, clock));
        let charger = population.stays.charger[stay as usize];
        vec![
            row("session_id", stay, stay.to_string()),
            row("charger_id", charger, charger.to_string()),
            row("plugged_from", from.clone(), from),
            row("departure", to.clone(), to),
            number("departure_kwh", population.departure_energy_kwh[car], "kWh wanted then"),
            number("power_kw", self.power_kw[car], "kW"),
            number("charged_kwh", ledger.charged_kwh, "kWh"),
            number("discharged_kwh", ledger.discharged_kwh, "kWh"),
            number("energy_cost", ledger.energy_cost, &self.scenario.currency),
            number("v2g_revenue", ledger.v2g_revenue, &self.scenario.currency),
        ]
    }
}
