//! `voltide diff`: where two runs part, and what differs in the end.

use crate::{
    args::{Args, Diff},
    failure::Failure,
    journaled::Journaled,
    output::{self, decimal},
};
use serde_json::{Value, json};
use std::{convert::Infallible, path::Path, process::ExitCode, sync::Arc};
use voltide_engine::Replay;
use voltide_journal::{
    describe::describe,
    event::{Event, Recorded},
    sink::Sink,
};
use voltide_model::{clock::Clock, columns::TickColumns, scenario::Scenario};

/// Compares two runs.
pub(crate) fn diff(diff: &Diff, args: &Args) -> Result<ExitCode, Failure> {
    let open = |run: &Path| Journaled::open(run, args.quiet);
    let parting = first_difference(open(&diff.one)?, open(&diff.other)?, args.quiet)?;
    let (one, other) = (Totals::of(&diff.one, args.quiet)?, Totals::of(&diff.other, args.quiet)?);
    let clock = open(&diff.one)?.scenario.clock;
    if args.json {
        let parting = parting.as_ref().map(|parting| parting.json(&clock));
        let values = |totals: &Totals| {
            Value::Object(totals.values().map(|(name, _, value)| (name.to_owned(), json!(value))).collect())
        };
        let value = json!({ "first": parting, "one": values(&one), "other": values(&other) });
        output::say_json("diff", &value);
        return Ok(ExitCode::SUCCESS);
    }
    match &parting {
        None => output::say("the runs have the same events"),
        Some(parting) => output::say(&parting.text(&clock)),
    }
    let rows = one.values().zip(other.values()).map(|((_, label, one), (_, _, other))| {
        vec![label, decimal(one, 3), decimal(other, 3), decimal(other - one, 3)]
    });
    output::say(&output::table(&["", "one", "other", "difference"], rows.collect(), &[1, 2, 3]));
    Ok(ExitCode::SUCCESS)
}

/// Where two histories part: the events there, or none where one has ended.
struct Parting {
    tick: u32,
    one: Option<Event>,
    other: Option<Event>,
}

impl Parting {
    fn json(&self, clock: &Clock) -> Value {
        let event = |event: &Option<Event>| {
            event.as_ref().map(|event| json!({ "event": event.kind(), "payload": describe(event) }))
        };
        json!({
            "tick": self.tick,
            "local_time": clock.local(self.tick).format("%Y-%m-%dT%H:%M").to_string(),
            "one": event(&self.one),
            "other": event(&self.other),
        })
    }

    fn text(&self, clock: &Clock) -> String {
        let event = |event: &Option<Event>| match event {
            Some(event) => format!("{:<22} {}", event.kind(), describe(event)),
            None => "has ended".to_owned(),
        };
        let time = clock.local(self.tick).format("%Y-%m-%d %H:%M");
        let (one, other) = (event(&self.one), event(&self.other));
        format!("the runs part at tick {} ({time})\none    {one}\nother  {other}{}", self.tick, self.cars())
    }

    /// The first car for which a batch is different.
    fn cars(&self) -> String {
        let (Some(one), Some(other)) = (&self.one, &self.other) else { return String::new() };
        match one.first_row_that_differs(other) {
            Some(ev) => format!("\nfirst  car {ev}"),
            None => String::new(),
        }
    }
}

/// The first events that are not the same, leaving out how the runs began and were sealed.
fn first_difference(one: Journaled, other: Journaled, quiet: bool) -> Result<Option<Parting>, Failure> {
    let mut one = one.events(quiet).filter(happens);
    let mut other = other.events(quiet).filter(happens);
    loop {
        let (one, other) = (one.next().transpose()?, other.next().transpose()?);
        match (&one, &other) {
            (None, None) => return Ok(None),
            (Some(here), Some(there)) if here.tick == there.tick && here.event == there.event => {}
            _ => {
                let tick = one.iter().chain(&other).map(|recorded| recorded.tick).min().unwrap_or_default();
                let event = |recorded: Option<Recorded>| recorded.map(|recorded| recorded.event);
                return Ok(Some(Parting { tick, one: event(one), other: event(other) }));
            }
        }
    }
}

/// Whether an event is part of what happened, rather than of how it is recorded.
fn happens(recorded: &Result<Recorded, Failure>) -> bool {
    !matches!(
        recorded.as_ref().map(|recorded| &recorded.event),
        Ok(Event::RunStarted(_)
            | Event::SeriesLoaded(_)
            | Event::StaysLoaded(_)
            | Event::RunForked(_)
            | Event::TickSealed(_))
    )
}

/// What a run came to, in energy and money.
struct Totals {
    scenario: Arc<Scenario>,
    charged_kwh: f64,
    discharged_kwh: f64,
    energy_cost: f64,
    v2g_revenue: f64,
    missing_kwh: f64,
    net_load_peak_kw: f64,
    /// Ledgers of the sessions that are open.
    open: [f64; 4],
}

impl Totals {
    fn of(run: &Path, quiet: bool) -> Result<Self, Failure> {
        let journaled = Journaled::open(run, quiet)?;
        let scenario = Arc::clone(&journaled.scenario);
        let totals = Self {
            scenario: Arc::clone(&scenario),
            charged_kwh: 0.0,
            discharged_kwh: 0.0,
            energy_cost: 0.0,
            v2g_revenue: 0.0,
            missing_kwh: 0.0,
            net_load_peak_kw: f64::NEG_INFINITY,
            open: [0.0; 4],
        };
        let mut replay = Replay::new(scenario, totals, 1, false);
        journaled.play(&mut replay, quiet)?;
        Ok(replay.end()?.sink)
    }

    /// Name, label and value of each.
    fn values(&self) -> impl Iterator<Item = (&'static str, String, f64)> {
        let [charged, discharged, cost, revenue] = self.open;
        let (cost, revenue) = (self.energy_cost + cost, self.v2g_revenue + revenue);
        let money = &self.scenario.currency;
        [
            ("charged_kwh", "charged kWh".to_owned(), self.charged_kwh + charged),
            ("discharged_kwh", "discharged kWh".to_owned(), self.discharged_kwh + discharged),
            ("energy_cost", format!("paid {money}"), cost),
            ("v2g_revenue", format!("earned {money}"), revenue),
            ("net_cost", format!("net cost {money}"), cost - revenue),
            ("missing_kwh", "missing at departure kWh".to_owned(), self.missing_kwh),
            ("net_load_peak_kw", "peak net load kW".to_owned(), self.net_load_peak_kw),
        ]
        .into_iter()
    }
}

impl Sink for Totals {
    type Error = Infallible;

    fn event(&mut self, recorded: &Recorded) -> Result<(), Infallible> {
        if let Event::SessionEnded(ended) = &recorded.event {
            let sum = |values: &[f64]| values.iter().sum::<f64>();
            self.charged_kwh += sum(&ended.charged_kwh);
            self.discharged_kwh += sum(&ended.discharged_kwh);
            self.energy_cost += sum(&ended.energy_cost);
            self.v2g_revenue += sum(&ended.v2g_revenue);
            self.missing_kwh += sum(&ended.missing_kwh);
        }
        Ok(())
    }

    fn tick(&mut self, columns: &TickColumns<'_>) -> Result<(), Infallible> {
        self.net_load_peak_kw = self.net_load_peak_kw.max(columns.system.net_load_kw());
        if columns.tick + 1 == self.scenario.clock.slots {
            for ledger in columns.ledger {
                self.open[0] += ledger.charged_kwh;
                self.open[1] += ledger.discharged_kwh;
                self.open[2] += ledger.energy_cost;
                self.open[3] += ledger.v2g_revenue;
            }
        }
        Ok(())
    }
}
