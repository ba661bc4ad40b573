//! Runs side by side, as a table or as JSON.

use crate::{
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

/// A line of the comparison.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// What tells it from the others: as a rule the policy's name.
    pub label: String,
    /// Its runs, one a seed, in the order of the other rows' seeds.
    pub runs: Vec<Compared>,
}

/// Runs side by side; the first row is what the others are measured against.
#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    /// The rows; none is without runs.
    pub rows: Vec<Row>,
}

/// What makes the saving of `v2g` against `smart`, like for like: per seed, in money.
struct Split {
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
        let against = |row: &Row| {
            let pairs = row.runs.iter().zip(&self.rows[0].runs);
            pairs.map(|(run, first)| run.figures.values(&first.figures)).collect()
        };
        self.rows.iter().map(move |row| (row, against(row)))
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
                "\nthis table is of case {case} alone; the tables of the cases are of the first seed alone"
            )
        })
    }

    /// Why there is no share that is saved, where there is none.
    fn without_share(&self) -> &'static str {
        let has_none = |run: &Compared, first: &Compared| {
            run.figures.saving(&first.figures).is_none_or(|saving| saving.share().is_none())
        };
        let runs = self.rows.iter().flat_map(|row| row.runs.iter().zip(&self.rows[0].runs));
        if runs.into_iter().any(|(run, first)| has_none(run, first)) {
            "\n-: no share, where those stays cost nothing or less in the first run (as at negative prices), \
             or none ended in both"
        } else {
            ""
        }
    }

    /// What a stored kWh is valued at; nothing where no run of the first row has stays that ended.
    fn stored_price(&self) -> String {
        let first = &self.rows[0];
        let mut prices: BTreeMap<String, Spread> = BTreeMap::new();
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
            let spread = |spread: Option<Spread>| {
                let spread = spread.unwrap_or_default();
                json!({ "mean": spread.mean(), "sd": spread.of_sample() })
            };
            let head = json!({
                "policy": row.label,
                "against": self.rows[0].label,
                "runs": row.runs.len(),
                "currency": row.runs[0].figures.summary.currency,
            });
            say("comparison", head, to_json(&COLUMNS, spreads(&values).into_iter().map(spread)));
        }
        if let Some(split) = self.split() {
            output::say_json("saving_split", &split.to_json());
        }
    }

    /// Needs `smart`, `smart-incentive` and `v2g`.
    fn split(&self) -> Option<Split> {
        let runs =
            |label: &str| self.rows.iter().find(|row| row.label == label).map(|row| &row.runs);
        let smart = runs("smart")?;
        let saved = |runs: &[Compared]| -> Option<Vec<f64>> {
            let pairs = runs.iter().zip(smart);
            pairs.map(|(run, smart)| Some(run.figures.saving(&smart.figures)?.amount)).collect()
        };
        let by_tariff = saved(runs(SMART_AT_INCENTIVE)?)?;
        let total = saved(runs("v2g")?)?;
        Some(Split {
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
    let first = |count: fn(&Summary) -> u64, of: fn(&Summary) -> Option<String>| {
        let run = row.runs.iter().find(|run| count(&run.figures.summary) > 0)?;
        let summary = &run.figures.summary;
        Some(format!("{} {} with seed {}", thousands(count(summary)), of(summary)?, run.seed))
    };
    let lost = |run: &Compared| {
        let lost = run.figures.summary.lost_policy.as_ref()?;
        Some(format!("{}, with seed {}", summary::out(lost), run.seed))
    };
    let kinds = [
        first(|it| it.policy_faults, |it| Some(format!("calls {}", summary::faults(it)?))),
        row.runs.iter().find_map(lost),
        first(
            |it| it.answers_not_finite,
            |it| Some(format!("schedules {}", summary::not_finite(it)?)),
        ),
        first(
            |it| it.clipped_by_charger,
            |it| Some(format!("schedules {}", summary::clipped(it)?)),
        ),
    ];
    kinds.into_iter().flatten().collect()
}

/// What is saved beyond what the tariff saves.
fn beyond(total: f64, tariff: f64) -> f64 {
    without_rounding(total - tariff, total.abs() + tariff.abs())
}

/// The policy that does as `smart` does, at the prices of `v2g`.
pub(crate) const SMART_AT_INCENTIVE: &str = "smart-incentive";

impl Split {
    fn sentence(&self, currency: &str) -> String {
        let part = |spread: &Spread| format!("{} {currency}", cell(spread, 2));
        format!(
            "v2g saves {} against smart: {} by the incentive price, {} by discharging",
            part(&self.total),
            part(&self.tariff),
            part(&self.discharge)
        )
    }

    fn to_json(&self) -> Value {
        let part = |spread: &Spread| json!({ "mean": spread.mean(), "sd": spread.of_sample() });
        json!({
            "policy": "v2g",
            "against": "smart",
            "saving": part(&self.total),
            "by_tariff": part(&self.tariff),
            "by_discharge": part(&self.discharge),
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
