//! Runs side by side, as a table or as JSON.

use crate::{
    batch::Made,
    figure::to_json,
    measured::{COLUMNS, Column, RunFigures, Values, values_json},
    output::{self, decimal, thousands},
    spread::Spread,
    summary::{self, cars},
    table::{Table, Weight, notes},
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, path::PathBuf};
use voltide_model::rounding::without_rounding;
use voltide_telemetry::Summary;

/// A run that is compared.
#[derive(Debug, Clone)]
pub(crate) struct Compared {
    /// Seed of its draws.
    pub seed: u64,
    /// Its folder; `None` where it was not kept.
    pub folder: Option<PathBuf>,
    /// What it came to.
    pub figures: RunFigures,
    /// 1 without flexibility margins, 2 with them; `None` as the world has it.
    pub case: Option<u32>,
    /// In what it is not like the first run besides its policy, and whether it came to its end.
    pub unlike: Vec<String>,
}

impl Compared {
    /// A run that was made for a comparison, of a case.
    pub(crate) fn of(made: Made, case: Option<u32>) -> Self {
        let Made { seed, folder, figures } = made;
        Self { seed, folder, figures, case, unlike: Vec::new() }
    }

    /// Whether there is a share that is saved against `first`.
    fn has_share(&self, first: &Self) -> bool {
        let saving = self.figures.saving(&first.figures);
        saving.is_some_and(|saving| saving.share().is_some())
    }
}

/// A line of the comparison.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// What tells it from the others: as a rule the policy's name.
    pub label: String,
    /// Its runs, one a seed, in the order of the other rows' seeds.
    pub runs: Vec<Compared>,
}

impl Row {
    /// The values of its runs, each measured against the run of `first` with the same draws.
    fn against(&self, first: &Self) -> Vec<Values> {
        let pairs = self.runs.iter().zip(&first.runs);
        pairs.map(|(run, first)| run.figures.values(Some(&first.figures))).collect()
    }

    /// What each of its runs saves against the run of `baseline` with the same draws, in money;
    /// `None` where any has no stay in common with it.
    fn saved(&self, baseline: &Self) -> Option<Vec<f64>> {
        let pairs = self.runs.iter().zip(&baseline.runs);
        pairs.map(|(run, baseline)| Some(run.figures.saving(&baseline.figures)?.amount)).collect()
    }
}

/// Runs side by side; the first row is what the others are measured against.
#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    /// The rows; none is without runs.
    pub rows: Vec<Row>,
}

/// What makes the saving of `v2g` against `smart`, like for like: per seed, in money.
struct SavingSplit {
    total: Spread,
    tariff: Spread,
    discharge: Spread,
}

impl Comparison {
    /// Prints it.
    pub(crate) fn print(&self, as_json: bool) {
        if as_json { self.print_json() } else { self.print_table() }
    }

    /// Per row: the values of its runs, each measured against the first row's with the same draws.
    fn values(&self) -> impl Iterator<Item = (&Row, Vec<Values>)> {
        self.rows.iter().map(|row| (row, row.against(&self.rows[0])))
    }

    fn print_table(&self) {
        let currency = &self.rows[0].runs[0].figures.summary.currency;
        let columns: Vec<&Column> = COLUMNS.iter().filter(|column| column.is_shown()).collect();
        let headings = columns.iter().map(|column| column.heading(currency));
        let header: Vec<String> = std::iter::once("policy".to_owned()).chain(headings).collect();
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let rows = self.values().map(|(row, values)| cells(row, &values)).collect();
        let right: Vec<usize> = (1..header.len()).collect();
        output::say(&format!("{}\n", notes(&self.title())));
        let mut table = Table::new(&header, rows, &right);
        let weights = columns.iter().map(|column| column.weight);
        table.column_weights = std::iter::once(Weight::Plain).chain(weights).collect();
        let table = table.without_zeros();
        output::say(&table.fitted());
        output::say(&notes(&format!("\n{}", self.legend(&table.header))));
        if let Some(split) = self.split() {
            output::say(&notes(&format!("\n{}", split.sentence(currency))));
        }
        for row in &self.rows {
            for what in &row.runs[0].unlike {
                output::say(&notes(&format!("! {}: {what}", row.label)));
            }
            for what in troubles(row) {
                output::say(&notes(&format!("! {}: {what}", row.label)));
            }
        }
    }

    fn title(&self) -> String {
        let run = &self.rows[0].runs[0];
        let summary = &run.figures.summary;
        let cars = cars(summary);
        let days = decimal(summary.days, 2);
        let last = self.rows[0].runs.last().map_or(run.seed, |run| run.seed);
        let seeds = match self.rows[0].runs.len() {
            1 => format!("seed {}", run.seed),
            _ => format!("seeds {} to {last}: mean ± standard deviation", run.seed),
        };
        let case = run.case.map_or_else(String::new, |case| format!(", case {case}"));
        format!("{}, {cars}, {days} days, {seeds}{case}", summary.world)
    }

    /// What the columns that are shown mean.
    fn legend(&self, shown: &[String]) -> String {
        let first = &self.rows[0];
        let currency = &first.runs[0].figures.summary.currency;
        let put_in = [("{first}", first.label.as_str()), ("{stored_price}", &self.stored_price())];
        let columns = COLUMNS.iter().filter(|column| shown.contains(&column.heading(currency)));
        let lines: Vec<String> = columns.filter_map(|column| column.note(&put_in)).collect();
        format!("{}{}{}", lines.join("\n"), self.of_case(), self.without_share())
    }

    /// Of which case the table is, where there are some.
    fn of_case(&self) -> String {
        let case = self.rows[0].runs[0].case;
        case.map_or_else(String::new, |case| {
            format!(
                "\nthis table is of case {case} alone; the tables of the cases are of the first \
                 seed alone"
            )
        })
    }

    /// Why there is no share that is saved, where there is none.
    fn without_share(&self) -> &'static str {
        let mut runs = self.rows.iter().flat_map(|row| row.runs.iter().zip(&self.rows[0].runs));
        if runs.any(|(run, first)| !run.has_share(first)) {
            "\n-: no share, where those stays cost nothing or less in the first run (as at \
             negative prices), or none ended in both"
        } else {
            ""
        }
    }

    /// What a stored kWh is valued at; nothing where no run of the first row has stays that ended.
    fn stored_price(&self) -> String {
        let first = &self.rows[0];
        let mut prices: BTreeMap<String, Spread> = BTreeMap::new();
        // Each against itself: the price is that of the baseline, whatever is measured against it.
        for saving in first.runs.iter().filter_map(|run| run.figures.saving(&run.figures)) {
            for price in saving.prices {
                prices.entry(price.fleet).or_default().add(price.per_kwh);
            }
        }
        let currency = &first.runs[0].figures.summary.currency;
        let prices =
            prices.iter().map(|(fleet, price)| format!("{} {currency} ({fleet})", cell(price, 4)));
        let prices: Vec<String> = prices.collect();
        if prices.is_empty() {
            return String::new();
        }
        format!(
            ";\n\x20       emptier batteries are filled up at {}'s mean price of a stored kWh: {}",
            first.label,
            prices.join(", ")
        )
    }

    fn print_json(&self) {
        for (row, values) in self.values() {
            for ((run, first), values) in row.runs.iter().zip(&self.rows[0].runs).zip(&values) {
                say("compared_run", identity(row, run, first), values_json(values));
            }
            let figures = spreads(&values).map(|spread| spread_json(&spread.unwrap_or_default()));
            let head = json!({
                "policy": row.label,
                "against": self.rows[0].label,
                "runs": row.runs.len(),
                "currency": row.runs[0].figures.summary.currency,
            });
            say("comparison", head, to_json(&COLUMNS, figures));
        }
        if let Some(split) = self.split() {
            output::say_json("saving_split", &split.to_json());
        }
    }

    /// The row of this name.
    fn row(&self, label: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.label == label)
    }

    /// Needs `smart`, `smart-incentive` and `v2g`.
    fn split(&self) -> Option<SavingSplit> {
        let smart = self.row("smart")?;
        let by_tariff = self.row(SMART_AT_INCENTIVE)?.saved(smart)?;
        let total = self.row("v2g")?.saved(smart)?;
        Some(SavingSplit {
            discharge: total
                .iter()
                .zip(&by_tariff)
                .map(|(&total, &tariff)| beyond(total, tariff))
                .collect(),
            tariff: by_tariff.into_iter().collect(),
            total: total.into_iter().collect(),
        })
    }
}

/// What the policy of a row did wrong, in the first of its runs with each kind of it.
fn troubles(row: &Row) -> Vec<String> {
    let kinds = [
        first_with(
            row,
            |it| it.policy_faults,
            |it| Some(format!("calls {}", summary::faults(it)?)),
        ),
        first_lost(row),
        first_with(
            row,
            |it| it.answers_not_finite,
            |it| Some(format!("schedules {}", summary::not_finite(it)?)),
        ),
        first_with(
            row,
            |it| it.clipped_by_charger,
            |it| Some(format!("schedules {}", summary::clipped(it)?)),
        ),
    ];
    kinds.into_iter().flatten().collect()
}

/// What happened in the first run in which it did, and how often.
fn first_with(
    row: &Row,
    count: fn(&Summary) -> u64,
    what: fn(&Summary) -> Option<String>,
) -> Option<String> {
    let run = row.runs.iter().find(|run| count(&run.figures.summary) > 0)?;
    let summary = &run.figures.summary;
    Some(format!("{} {} with seed {}", thousands(count(summary)), what(summary)?, run.seed))
}

/// Which policy was not asked again, in the first run in which one was not.
fn first_lost(row: &Row) -> Option<String> {
    row.runs.iter().find_map(|run| {
        let lost = run.figures.summary.lost_policy.as_ref()?;
        Some(format!("{}, with seed {}", summary::out(lost), run.seed))
    })
}

/// What is saved beyond what the tariff saves.
fn beyond(total: f64, tariff: f64) -> f64 {
    // Where discharging saves nothing, both are the same sum but for rounding.
    without_rounding(total - tariff, total.abs() + tariff.abs())
}

/// The policy that does as `smart` does, at the prices of `v2g`.
pub(crate) const SMART_AT_INCENTIVE: &str = "smart-incentive";

impl SavingSplit {
    fn sentence(&self, currency: &str) -> String {
        let [total, tariff, discharge] = [&self.total, &self.tariff, &self.discharge]
            .map(|part| format!("{} {currency}", cell(part, 2)));
        format!(
            "v2g saves {total} against smart: {tariff} by the incentive price, \
             {discharge} by discharging"
        )
    }

    fn to_json(&self) -> Value {
        json!({
            "policy": "v2g",
            "against": "smart",
            "saving": spread_json(&self.total),
            "by_tariff": spread_json(&self.tariff),
            "by_discharge": spread_json(&self.discharge),
        })
    }
}

fn identity(row: &Row, run: &Compared, first: &Compared) -> Value {
    let summary = &run.figures.summary;
    let saving = run.figures.saving(&first.figures).unwrap_or_default();
    let prices = saving.prices.into_iter().map(|price| (price.fleet, json!(price.per_kwh)));
    json!({
        "policy": row.label,
        "world": summary.world,
        "seed": run.seed,
        "case": run.case,
        "folder": run.folder,
        "unlike": run.unlike,
        "first_policy_fault": summary.first_policy_fault,
        "lost_policy": summary.lost_policy,
        "first_not_finite": summary.first_not_finite,
        "first_clipped": summary.first_clipped,
        "currency": summary.currency,
        "stored_price_per_kwh": prices.collect::<Map<String, Value>>(),
    })
}

fn say(kind: &str, head: Value, mut values: Map<String, Value>) {
    let mut line = head.as_object().cloned().unwrap_or_default();
    line.append(&mut values);
    output::say_json(kind, &Value::Object(line));
}

/// Per column the spread over the runs; `None` where a run has no value.
fn spreads(values: &[Values]) -> [Option<Spread>; COLUMNS.len()] {
    std::array::from_fn(|column| values.iter().map(|values| values[column]).collect())
}

/// A row of the table: its label, and the columns that are shown.
fn cells(row: &Row, values: &[Values]) -> Vec<String> {
    let columns = spreads(values).into_iter().zip(&COLUMNS).filter(|(_, column)| column.is_shown());
    let text = columns
        .map(|(spread, column)| spread.map_or_else(|| "-".into(), |it| cell(&it, column.decimals)));
    std::iter::once(row.label.clone()).chain(text).collect()
}

fn spread_json(spread: &Spread) -> Value {
    json!({ "mean": spread.mean(), "sd": spread.of_sample() })
}

fn cell(spread: &Spread, decimals: usize) -> String {
    let mean = decimal(spread.mean().unwrap_or_default(), decimals);
    match spread.of_sample() {
        None => mean,
        // Of counts the mean is no count any more.
        Some(sd) => {
            let decimals = decimals.max(1);
            let mean = decimal(spread.mean().unwrap_or_default(), decimals);
            format!("{mean} ± {}", decimal(sd, decimals))
        }
    }
}
