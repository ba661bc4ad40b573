//! `voltide diff`: where two runs part, and what differs in the end.

use crate::{
    args::Args,
    divergence::Divergence,
    failure::Failure,
    figure::{Figure, MONEY, to_json},
    journaled::Journaled,
    likeness::clock,
    output::{self, decimal},
    run_folder::id_in,
    summary::cars,
    table::notes,
};
use clap::Args as ClapArgs;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};
use voltide_journal::{
    event::{EndReason, Event, Recorded, RunForked, RunStarted},
    sink::Sink,
};
use voltide_model::{
    columns::TickColumns, fleet::Population, id::EvId, rounding::without_rounding,
    scenario::Scenario, stay::NO_STAY,
};
use voltide_telemetry::{RunStatus, Summary, Telemetry, TelemetryError};

#[derive(Debug, ClapArgs)]
pub(crate) struct Flags {
    /// Folder of a run
    #[arg(value_name = "RUN")]
    pub one: PathBuf,

    /// Folder of another run
    #[arg(value_name = "RUN")]
    pub other: PathBuf,
}

/// Compares two runs.
pub(crate) fn diff(diff: &Flags, args: &Args) -> Result<ExitCode, Failure> {
    // Quiet: what is to be said of the logs is said when the sides are read.
    let one = Journaled::open(&diff.one, true)?;
    let other = Journaled::open(&diff.other, true)?;
    let divergence = Divergence::find(one, other)?;
    let pair =
        Pair { one: Side::of(&diff.one, args.quiet)?, other: Side::of(&diff.other, args.quiet)? };
    if args.json {
        output::say_json("diff", &pair.json(divergence.as_ref()));
    } else {
        let parts = divergence.map_or_else(|| SAME.to_owned(), |divergence| divergence.text());
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
pub(crate) type Amount = Figure<fn(&Side) -> Option<f64>>;

/// The amounts, in the order of the table's rows.
pub(crate) const AMOUNTS: [Amount; 11] = [
    Amount::new("simulated_h", "h", |it| Some(it.summary.days * 24.0))
        .shown("simulated", 3)
        .means("length of what was simulated"),
    Amount::new("charged_kwh", "kWh", |it| Some(it.summary.charged_kwh)).shown("charged", 3),
    Amount::new("discharged_kwh", "kWh", |it| Some(it.summary.discharged_kwh))
        .shown("discharged", 3),
    Amount::new("energy_cost", MONEY, |it| Some(it.summary.energy_cost)).shown("paid", 3),
    Amount::new("v2g_revenue", MONEY, |it| Some(it.summary.v2g_revenue)).shown("earned", 3),
    Amount::new("degradation_cost", MONEY, |it| Some(it.summary.degradation_cost)).shown("wear", 3),
    Amount::new("net_cost", MONEY, |it| Some(it.summary.net_cost)).shown("net cost", 3),
    Amount::new("missing_kwh", "kWh", |it| Some(it.summary.missing_kwh))
        .shown("missing at departure", 3),
    Amount::new("net_load_peak_kw", "kW", |it| {
        it.summary.net_load_peak.as_ref().map(|peak| peak.kw)
    })
    .shown("peak net load", 3)
    .means("highest net load"),
    Amount::new("on_board_kwh", "kWh", |it| Some(it.on_board_kwh))
        .shown("on board at the end", 3)
        .means(ON_BOARD),
    Amount::new("still_wanted_kwh", "kWh", |it| Some(it.still_wanted_kwh))
        .shown("still wanted at the end", 3)
        .means(STILL_WANTED),
];

/// What cars have on board at the end.
const ON_BOARD: &str = "stored in all cars after the last slot";
/// What they still want.
const STILL_WANTED: &str = "what those plugged in then lack to their targets";

/// What the amounts are.
fn legend() -> String {
    format!(
        "all amounts are of the runs from their first slot to their last, sessions that are open \
         at the end included\n\
         paid, earned: for energy that cars charge and discharge; net cost: paid less earned, \
         with wear by discharging\n\
         peak net load: the highest mean of a slot\n\
         on board: {ON_BOARD}; still wanted: {STILL_WANTED}\n\
         difference: the other's less the one's"
    )
}

/// Two runs.
struct Pair {
    one: Side,
    other: Side,
}

impl Pair {
    fn has_one_currency(&self) -> bool {
        let [one, other] = self.currencies();
        one == other
    }

    /// What the other's amount is more; nothing where a run has none, or between two currencies.
    fn difference(&self, amount: &Amount) -> Option<f64> {
        let comparable = amount.unit != MONEY || self.has_one_currency();
        let (one, other) = (amount.of)(&self.one).zip((amount.of)(&self.other))?;
        comparable.then_some(without_rounding(other - one, one.abs() + other.abs()))
    }

    fn json(&self, divergence: Option<&Divergence>) -> Value {
        let difference = AMOUNTS.iter().map(|amount| json!(self.difference(amount)));
        json!({
            "first": divergence.map(Divergence::json),
            "one": self.one.json(),
            "other": self.other.json(),
            "difference": to_json(&AMOUNTS, difference),
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
        let [one, other] = self.currencies();
        let currency = if one == other { one.to_owned() } else { format!("{one} | {other}") };
        let row = |amount: &Amount| {
            let [one, other] = [&self.one, &self.other].map(|side| amount.cell((amount.of)(side)));
            let difference = amount.cell(self.difference(amount));
            vec![amount.heading(&currency), one, other, difference]
        };
        let rows = AMOUNTS.iter().map(row).collect();
        output::table(&["", "one", "other", "difference"], rows, &[1, 2, 3])
    }

    fn currencies(&self) -> [&str; 2] {
        [&self.one, &self.other].map(|side| side.scenario.currency.as_str())
    }

    /// What must be known to read the amounts.
    fn notes(&self) -> Vec<String> {
        let mut notes = vec![legend()];
        let [one, other] = self.currencies();
        if one != other {
            notes.push(format!(
                "there is no difference of money: one counts in {one}, the other in {other}"
            ));
        }
        let less = self.less_on_board();
        // Half of the last digit that is shown.
        if less.abs() >= 0.0005 {
            let which = if less > 0.0 { "the other" } else { "the one" };
            let less = decimal(less.abs(), 3);
            notes.push(format!(
                "less on board at the end is no saving: {which} has {less} kWh less"
            ));
        }
        notes
    }

    /// What the other's batteries hold less at the end, kWh: of the cars that are in both runs to
    /// their ends. Nothing where a day follows upon itself, since nothing lies beyond it.
    fn less_on_board(&self) -> f64 {
        if self.one.folds || self.other.folds {
            return 0.0;
        }
        let others = self.other.cars();
        let cars = self.one.cars().into_iter();
        cars.filter_map(|(car, kwh)| others.get(&car).map(|other| kwh - other)).sum()
    }
}

/// A run with what it came to.
pub(crate) struct Side {
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
        let scenario = Arc::clone(journaled.own_scenario());
        let telemetry = Telemetry::create_summary(&journaled.scenario)?;
        let stock = Stock::new(telemetry, &scenario);
        let (stock, status) = journaled.replay(stock, false, quiet)?;
        Ok(Self {
            id: id_in(run),
            started,
            forked,
            still_wanted_kwh: if stock.folds { 0.0 } else { stock.still_wanted_kwh },
            folds: stock.folds,
            on_board_kwh: there(&scenario.population).map(|car| stock.energy_kwh[car]).sum(),
            energy_kwh: stock.energy_kwh,
            scenario,
            summary: stock.telemetry.finish(status.clone())?,
            status,
        })
    }

    /// What the cars hold that are there at the end, by their fleet and number in it, kWh.
    fn cars(&self) -> BTreeMap<(&str, u32), f64> {
        let population = &self.scenario.population;
        // Not by row: a fleet before it with another count moves all that follow.
        let cars = there(population).map(|car| {
            let range = population.range_of(EvId(car as u32));
            let fleet = self.scenario.fleets[range.fleet].name.as_str();
            ((fleet, range.index_of(EvId(car as u32))), self.energy_kwh[car])
        });
        cars.collect()
    }

    fn json(&self) -> Value {
        let mut fields = to_json(&AMOUNTS, AMOUNTS.map(|amount| json!((amount.of)(self))));
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
    population.present_evs().map(EvId::row)
}

/// What a car lacks to its target; nothing where only rounding makes a difference.
fn lacking_kwh(target_kwh: f64, stored_kwh: f64) -> f64 {
    without_rounding((target_kwh - stored_kwh).max(0.0), target_kwh)
}

/// Sums up a run as `voltide run` does, and looks at what is in the batteries at its end.
struct Stock {
    telemetry: Telemetry,
    energy_kwh: Vec<f64>,
    still_wanted_kwh: f64,
    /// Whether the day follows upon itself, so that nothing lies beyond its end.
    folds: bool,
}

impl Stock {
    fn new(telemetry: Telemetry, scenario: &Scenario) -> Self {
        // A run without a tick shows no columns, and has its cars all the same.
        let energy_kwh = vec![0.0; scenario.population.len()];
        Self { telemetry, energy_kwh, still_wanted_kwh: 0.0, folds: false }
    }
}

impl Sink for Stock {
    type Error = TelemetryError;

    fn event(
        &mut self,
        scenario: &Arc<Scenario>,
        recorded: &Recorded,
    ) -> Result<(), TelemetryError> {
        if let Event::SessionEnded(ended) = &recorded.event {
            self.folds |= ended.reason.contains(&EndReason::Folded);
        }
        self.telemetry.event(scenario, recorded)
    }

    fn tick(
        &mut self,
        scenario: &Arc<Scenario>,
        columns: &TickColumns<'_>,
    ) -> Result<(), TelemetryError> {
        let population = &scenario.population;
        let plugged = there(population).filter(|&car| columns.stay[car] != NO_STAY);
        // Of every slot, since nobody knows beforehand which is the last.
        self.energy_kwh.clear();
        self.energy_kwh.extend(columns.energy_kwh);
        self.still_wanted_kwh = plugged
            .map(|car| lacking_kwh(population.departure_energy_kwh[car], columns.energy_kwh[car]))
            .sum();
        self.telemetry.tick(scenario, columns)
    }
}
