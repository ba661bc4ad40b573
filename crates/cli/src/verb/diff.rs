//! `voltide diff`: where two runs part, and what differs in the end.

use crate::{
    args::{Args, Diff},
    failure::Failure,
    journaled::Journaled,
    likeness::clock,
    output::{self, decimal},
    parting::Parting,
    run_folder::id_in,
    summary::cars,
    table::notes,
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, path::Path, process::ExitCode, sync::Arc};
use voltide_journal::{
    event::{EndReason, Event, Recorded, RunForked, RunStarted},
    sink::Sink,
};
use voltide_model::{
    columns::TickColumns, fleet::Population, rounding::without_rounding, scenario::Scenario,
    stay::NO_STAY,
};
use voltide_telemetry::{RunStatus, Summary, Telemetry, TelemetryError};

/// Compares two runs.
pub(crate) fn diff(diff: &Diff, args: &Args) -> Result<ExitCode, Failure> {
    let open = |run: &Path| Journaled::open(run, true);
    let parting = Parting::find(open(&diff.one)?, open(&diff.other)?)?;
    let pair =
        Pair { one: Side::of(&diff.one, args.quiet)?, other: Side::of(&diff.other, args.quiet)? };
    if args.json {
        output::say_json("diff", &pair.json(parting.as_ref()));
    } else {
        let parts = parting.map_or_else(|| SAME.to_owned(), |parting| parting.text());
        output::say(&notes(&parts));
        output::say(&format!(
            "\n{}\n\n{}\n\n{}",
            pair.runs(),
            pair.amounts(),
            notes(&pair.notes().join("\n"))
        ));
    }
    Ok(ExitCode::SUCCESS)
}

const SAME: &str = "the runs have the same events";

/// An amount that a run comes to.
struct Figure {
    /// Its name in JSON, the unit last.
    name: &'static str,
    /// What it is called in the table; `{}` stands for the currency.
    label: &'static str,
    is_money: bool,
    of: fn(&Side) -> Option<f64>,
}

const fn amount(name: &'static str, label: &'static str, of: fn(&Side) -> Option<f64>) -> Figure {
    Figure { name, label, is_money: false, of }
}

const fn money(name: &'static str, label: &'static str, of: fn(&Side) -> Option<f64>) -> Figure {
    Figure { name, label, is_money: true, of }
}

/// The amounts, in order.
const FIGURES: [Figure; 11] = [
    amount("simulated_h", "simulated h", |it| Some(it.summary.days * 24.0)),
    amount("charged_kwh", "charged kWh", |it| Some(it.summary.charged_kwh)),
    amount("discharged_kwh", "discharged kWh", |it| Some(it.summary.discharged_kwh)),
    money("energy_cost", "paid {}", |it| Some(it.summary.energy_cost)),
    money("v2g_revenue", "earned {}", |it| Some(it.summary.v2g_revenue)),
    money("degradation_cost", "wear {}", |it| Some(it.summary.degradation_cost)),
    money("net_cost", "net cost {}", |it| Some(it.summary.net_cost)),
    amount("missing_kwh", "missing at departure kWh", |it| Some(it.summary.missing_kwh)),
    amount("net_load_peak_kw", "peak net load kW", |it| {
        it.summary.net_load_peak.as_ref().map(|peak| peak.kw)
    }),
    amount("on_board_kwh", "on board at the end kWh", |it| Some(it.on_board_kwh)),
    amount("still_wanted_kwh", "still wanted at the end kWh", |it| Some(it.still_wanted_kwh)),
];

/// What the amounts are.
const LEGEND: &str = "\
all amounts are of the runs from their first slot to their last, sessions that are open at the end included
paid, earned: for energy that cars charge and discharge; net cost: paid less earned, with wear by discharging
peak net load: the highest mean of a slot
on board: stored in all cars after the last slot; still wanted: what those plugged in then lack to their targets
difference: the other's less the one's";

/// Two runs.
struct Pair {
    one: Side,
    other: Side,
}

impl Pair {
    fn has_one_currency(&self) -> bool {
        self.one.scenario.currency == self.other.scenario.currency
    }

    /// What the other's amount is more; nothing where a run has none, or between two currencies.
    fn difference(&self, figure: &Figure) -> Option<f64> {
        let comparable = !figure.is_money || self.has_one_currency();
        let (one, other) = (figure.of)(&self.one).zip((figure.of)(&self.other))?;
        comparable.then_some(without_rounding(other - one, one.abs() + other.abs()))
    }

    fn json(&self, parting: Option<&Parting>) -> Value {
        let difference =
            FIGURES.iter().map(|figure| (figure.name.to_owned(), json!(self.difference(figure))));
        json!({
            "first": parting.map(Parting::json),
            "one": self.one.json(),
            "other": self.other.json(),
            "difference": difference.collect::<Map<_, _>>(),
        })
    }

    /// Which runs these are: their ids, and in what they were made differently.
    fn runs(&self) -> String {
        let traits = self.one.traits().into_iter().zip(self.other.traits());
        let differing = traits.filter(|((name, one), (_, other))| *name == "run" || one != other);
        let rows = differing.map(|((name, one), (_, other))| vec![name.to_owned(), one, other]);
        output::table(&["", "one", "other"], rows.collect(), &[])
    }

    fn amounts(&self) -> String {
        let row = |figure: &Figure| {
            let shown =
                |amount: Option<f64>| amount.map_or_else(|| "-".to_owned(), |it| decimal(it, 3));
            let [one, other] = [&self.one, &self.other].map(|side| shown((figure.of)(side)));
            vec![self.label(figure), one, other, shown(self.difference(figure))]
        };
        let rows = FIGURES.iter().map(row).collect();
        output::table(&["", "one", "other", "difference"], rows, &[1, 2, 3])
    }

    fn label(&self, figure: &Figure) -> String {
        let [one, other] = [&self.one, &self.other].map(|side| side.scenario.currency.as_str());
        let currency = if one == other { one.to_owned() } else { format!("{one} | {other}") };
        figure.label.replace("{}", &currency)
    }

    /// What must be known to read the amounts.
    fn notes(&self) -> Vec<String> {
        let mut notes = vec![LEGEND.to_owned()];
        let [one, other] = [&self.one, &self.other].map(|side| side.scenario.currency.as_str());
        if one != other {
            notes.push(format!(
                "there is no difference of money: one counts in {one}, the other in {other}"
            ));
        }
        let less = self.less_on_board();
        if less.abs() >= 0.0005 {
            let which = if less > 0.0 { "the other" } else { "the one" };
            let less = decimal(less.abs(), 3);
            notes.push(format!(
                "less on board at the end is no saving: {which} has {less} kWh less"
            ));
        }
        notes
    }

    /// What the other's batteries hold less at the end, kWh: of the cars that are in both runs to their
    /// ends. Nothing where a day follows upon itself, since nothing lies beyond it.
    fn less_on_board(&self) -> f64 {
        if self.one.folds || self.other.folds {
            return 0.0;
        }
        let others = self.other.cars();
        let in_both = |(car, kwh): (_, f64)| others.get(&car).map(|other| kwh - other);
        self.one.cars().into_iter().filter_map(in_both).sum()
    }
}

/// A run with what it came to.
struct Side {
    id: String,
    started: RunStarted,
    forked: Option<RunForked>,
    scenario: Arc<Scenario>,
    status: RunStatus,
    summary: Summary,
    /// What each car holds at the end, kWh.
    energy_kwh: Vec<f64>,
    on_board_kwh: f64,
    still_wanted_kwh: f64,
    folds: bool,
}

impl Side {
    fn of(run: &Path, quiet: bool) -> Result<Self, Failure> {
        let journaled = Journaled::open(run, quiet)?;
        let started = journaled.started.clone();
        let forked = journaled.forked().cloned();
        let telemetry = Telemetry::create_summary(Arc::clone(&journaled.scenario))?;
        let stock = Stock::new(telemetry, &journaled.scenario);
        let (stock, status) = journaled.replay(stock, false, quiet)?;
        Ok(Self {
            id: id_in(run),
            started,
            forked,
            still_wanted_kwh: if stock.folds { 0.0 } else { stock.still_wanted_kwh },
            folds: stock.folds,
            on_board_kwh: there(&stock.scenario.population).map(|car| stock.energy_kwh[car]).sum(),
            energy_kwh: stock.energy_kwh,
            scenario: stock.scenario,
            summary: stock.telemetry.finish(status.clone())?,
            status,
        })
    }

    /// What the cars hold that are there at the end, by their fleet and number in it, kWh.
    fn cars(&self) -> BTreeMap<(&str, u32), f64> {
        let population = &self.scenario.population;
        let key = |car: usize| {
            let range = population.range_of(car as u32);
            (self.scenario.fleets[range.fleet].name.as_str(), range.index_of(car as u32))
        };
        there(population).map(|car| (key(car), self.energy_kwh[car])).collect()
    }

    fn json(&self) -> Value {
        let amounts =
            FIGURES.iter().map(|figure| (figure.name.to_owned(), json!((figure.of)(self))));
        let mut fields: Map<_, _> = amounts.collect();
        fields.insert("currency".to_owned(), json!(self.scenario.currency));
        fields.extend(
            self.traits().into_iter().map(|(name, text)| (name.replace(' ', "_"), json!(text))),
        );
        Value::Object(fields)
    }

    /// What a run is, and what it was made of, by name.
    fn traits(&self) -> [(&'static str, String); 11] {
        let Self { started, scenario, .. } = self;
        [
            ("run", self.id.clone()),
            ("status", self.status.error().unwrap_or(self.status.name()).to_owned()),
            (
                "fork of",
                self.forked.as_ref().map_or_else(String::new, |forked| self.lineage(forked)),
            ),
            ("world", scenario.name.clone()),
            ("overrides", started.overrides.join(", ")),
            ("configuration", started.config_hash.chars().take(8).collect()),
            ("seed", started.seed.to_string()),
            ("clock", clock(&scenario.clock)),
            ("cars", cars(&self.summary)),
            (
                "policy",
                format!("{} {}", started.policy, started.policy_config).trim_end().to_owned(),
            ),
            ("policy's version", version(started)),
        ]
    }

    fn lineage(&self, forked: &RunForked) -> String {
        let at = self.scenario.clock.local(forked.at_tick).format("%Y-%m-%d %H:%M");
        let changes = forked.changes.join(", ");
        format!("{} at tick {} ({at}) {changes}", forked.parent_run, forked.at_tick)
            .trim_end()
            .to_owned()
    }
}

/// The version of a run's policy, and of its file where it is one.
fn version(started: &RunStarted) -> String {
    let hash: String = started.build.plugin_hash.chars().take(12).collect();
    format!("{} {hash}", started.build.policy_version).trim_end().to_owned()
}

/// The cars that were not removed, as places in columns.
fn there(population: &Population) -> impl Iterator<Item = usize> {
    population.present_evs().map(|ev| ev as usize)
}

/// Sums up a run as `voltide run` does, and looks at what is in the batteries at its end.
struct Stock {
    telemetry: Telemetry,
    scenario: Arc<Scenario>,
    energy_kwh: Vec<f64>,
    still_wanted_kwh: f64,
    /// Whether the day follows upon itself, so that nothing lies beyond its end.
    folds: bool,
}

impl Stock {
    fn new(telemetry: Telemetry, scenario: &Arc<Scenario>) -> Self {
        let scenario = Arc::clone(scenario);
        let energy_kwh = vec![0.0; scenario.population.len()];
        Self { telemetry, scenario, energy_kwh, still_wanted_kwh: 0.0, folds: false }
    }
}

impl Sink for Stock {
    type Error = TelemetryError;

    fn event(&mut self, recorded: &Recorded) -> Result<(), TelemetryError> {
        if let Event::SessionEnded(ended) = &recorded.event {
            self.folds |= ended.reason.contains(&EndReason::Folded);
        }
        self.telemetry.event(recorded)
    }

    fn tick(&mut self, columns: &TickColumns<'_>) -> Result<(), TelemetryError> {
        let population = &self.scenario.population;
        let plugged = there(population).filter(|&car| columns.stay[car] != NO_STAY);
        let lacks = |car: usize| {
            let target = population.departure_energy_kwh[car];
            without_rounding((target - columns.energy_kwh[car]).max(0.0), target)
        };
        self.energy_kwh.clear();
        self.energy_kwh.extend(columns.energy_kwh);
        self.still_wanted_kwh = plugged.map(lacks).sum();
        self.telemetry.tick(columns)
    }

    fn forked(&mut self, scenario: &Arc<Scenario>) -> Result<(), TelemetryError> {
        self.scenario = Arc::clone(scenario);
        self.telemetry.forked(scenario)
    }
}
