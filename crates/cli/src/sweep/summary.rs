//! What a sweep came to: a row a point, and over the seeds of each combination of values what each
//! policy comes to and how it differs from the first.

use super::{plan::Plan, row::Row};
use crate::{
    figure::to_json,
    measured::{COLUMNS, Column, Values},
    output::{self, decimal_or_dash},
    spread::Spread,
    table::{Table, notes, shows_all},
};
use serde_json::{Map, Value, json};
use std::path::Path;
use voltide_telemetry::{NamedColumn, NamedValues, TelemetryError, write_named};

/// Name of the table of points, in the sweep's folder.
pub(crate) const FILE: &str = "points.parquet";
/// Most lines of the table for people, unless it is to show all.
const LINES_MAX: usize = 60;

/// The rows of a sweep, group by group.
pub(crate) struct Summary<'a> {
    plan: &'a Plan,
    /// Groups with their rows, in order.
    groups: Vec<(usize, Vec<Row>)>,
}

/// What a policy came to over the seeds of a combination of values.
#[derive(Default)]
struct Line {
    cell: usize,
    policy: String,
    currency: String,
    runs: usize,
    failed: usize,
    figures: [Over; COLUMNS.len()],
}

/// A figure over seeds.
#[derive(Clone, Default)]
struct Over {
    /// Its values.
    own: Spread,
    /// By how much they are more than those of the first policy with the same draws.
    more: Spread,
}

impl Over {
    /// Takes in the value of a run and that of the first policy's.
    fn add(&mut self, own: Option<f64>, first: Option<f64>) {
        let Some(own) = own else { return };
        self.own.add(own);
        if let Some(first) = first {
            self.more.add(own - first);
        }
    }

    fn is_nothing(&self) -> bool {
        self.own.mean().is_none_or(|mean| mean == 0.0)
            && self.own.of_sample().is_none_or(|sd| sd == 0.0)
    }
}

impl<'a> Summary<'a> {
    /// Of these groups.
    pub(crate) fn of(plan: &'a Plan, groups: impl IntoIterator<Item = (usize, Vec<Row>)>) -> Self {
        Self { plan, groups: groups.into_iter().collect() }
    }

    /// Points, and those of them that failed.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let failed = self.rows().filter(|(_, row)| row.error.is_some()).count();
        (self.rows().count(), failed)
    }

    /// The points that failed.
    pub(crate) fn failures(&self) -> impl Iterator<Item = String> {
        self.rows().filter_map(|(group, row)| {
            let error = row.error.as_ref()?;
            let values = self.said(self.plan.cell(group));
            Some(format!("{values}{} seed {}: {error}", row.policy, row.seed))
        })
    }

    fn rows(&self) -> impl Iterator<Item = (usize, &Row)> {
        self.groups.iter().flat_map(|(group, rows)| rows.iter().map(move |row| (*group, row)))
    }

    /// The values of a combination, in words.
    fn said(&self, cell: usize) -> String {
        let values = self.plan.grid.iter().zip(self.plan.values(cell));
        values.fold(String::new(), |said, (axis, value)| said + &axis.path + "=" + value + " ")
    }

    /// Writes a row a point.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), TelemetryError> {
        let texts = |of: fn(&Row) -> Option<String>| {
            NamedValues::Texts(self.rows().map(|(_, row)| of(row)).collect())
        };
        let column = |name: &str, description: &str, values| NamedColumn {
            name: name.to_owned(),
            unit: String::new(),
            description: description.to_owned(),
            values,
        };
        let seeds = self.rows().map(|(_, row)| Some(row.seed.cast_signed())).collect();
        let mut columns = vec![
            column("run_id", "the run; null where there is none", texts(|it| it.run_id.clone())),
            column("policy", "who planned", texts(|it| Some(it.policy.clone()))),
            column("seed", "seed of every draw (its 64 bits, signed)", NamedValues::Longs(seeds)),
        ];
        columns.extend((0..self.plan.grid.len()).map(|axis| self.parameter(axis)));
        columns.push(column("status", "finished or failed", texts(|it| Some(it.status().into()))));
        columns.push(column("error", "why it failed", texts(|it| it.error.clone())));
        columns.push(column(
            "currency",
            "ISO 4217 code of all money",
            texts(|it| Some(it.currency.clone()).filter(|code| !code.is_empty())),
        ));
        columns.extend((0..COLUMNS.len()).map(|place| self.figure(place)));
        write_named(folder, FILE, &columns)
    }

    /// The column of a path.
    fn parameter(&self, axis: usize) -> NamedColumn {
        let values: Vec<Option<&str>> = self
            .rows()
            .map(|(group, _)| Some(self.plan.values(self.plan.cell(group))[axis]))
            .collect();
        NamedColumn::of_path(&self.plan.grid[axis].path, &values)
    }

    /// The column of a figure.
    fn figure(&self, place: usize) -> NamedColumn {
        let Column { name, unit, .. } = COLUMNS[place];
        NamedColumn {
            name: name.to_owned(),
            unit: unit.to_owned(),
            description: format!("`{name}` of a comparison, against the first policy"),
            values: NamedValues::Reals(self.rows().map(|(_, row)| row.values()[place]).collect()),
        }
    }

    /// What each policy came to, combination by combination.
    fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for (group, rows) in &self.groups {
            let cell = self.plan.cell(*group);
            if lines.last().is_none_or(|line| line.cell != cell) {
                lines.extend(self.plan.policies.iter().map(|policy| Line::new(cell, policy)));
            }
            let begin = lines.len() - rows.len();
            let first = rows[0].values();
            for (line, row) in lines[begin..].iter_mut().zip(rows) {
                line.add(row, &first);
            }
        }
        lines
    }

    /// Prints it.
    pub(crate) fn print(&self, as_json: bool) {
        if as_json { self.print_json() } else { self.print_table() }
    }

    fn print_json(&self) {
        for (group, row) in self.rows() {
            let mut line = object(&json!({
                "policy": row.policy,
                "seed": row.seed,
                "parameters": self.parameters(self.plan.cell(group)),
                "run_id": row.run_id,
                "status": row.status(),
                "error": row.error,
                "currency": row.currency,
            }));
            line.extend(row.figures().clone());
            output::say_json("sweep_point", &Value::Object(line));
        }
        let first = self.plan.policies.first();
        for line in self.lines() {
            let mut said = object(&json!({
                "policy": line.policy,
                "against": first,
                "parameters": self.parameters(line.cell),
                "runs": line.runs,
                "failed": line.failed,
                "currency": line.currency,
            }));
            said.extend(to_json(&COLUMNS, line.figures.iter().map(Over::to_json)));
            output::say_json("sweep_policy", &Value::Object(said));
        }
    }

    fn parameters(&self, cell: usize) -> Map<String, Value> {
        let values = self.plan.grid.iter().zip(self.plan.values(cell));
        values.map(|(axis, value)| (axis.path.clone(), json!(value))).collect()
    }

    fn print_table(&self) {
        let lines = self.lines();
        let shown = (0..COLUMNS.len()).filter(|&place| COLUMNS[place].is_shown());
        let first = self.plan.policies.first().map_or("", String::as_str);
        let more = format!("less {first}");
        let paths = self.plan.grid.iter().map(|axis| axis.path.as_str());
        let fixed = ["policy", "runs", "figure", "mean", "sd", "± 95 %", &more, "± 95 %"];
        let header: Vec<&str> = paths.chain(fixed).collect();
        let keys = self.plan.grid.len() + 1;
        let right: Vec<usize> = [1, 3, 4, 5, 6, 7].map(|at| keys - 1 + at).to_vec();
        let mut rows: Vec<Vec<String>> = Vec::new();
        for line in &lines {
            let said = shown.clone().filter(|&at| shows_all() || !line.figures[at].is_nothing());
            rows.extend(said.map(|place| self.cells(line, place)));
        }
        let all = rows.len();
        if !shows_all() {
            rows.truncate(LINES_MAX);
        }
        let left_out = all - rows.len();
        let mut table = Table::new(&header, rows, &right);
        table.keys = keys;
        output::say(&table.fitted());
        if left_out > 0 {
            output::say(&notes(&format!("... and {left_out} lines more: --wide shows all")));
        }
        output::say(&notes(&format!(
            "\nover seeds: mean, standard deviation, and half the interval that holds the mean of \
             all seeds with 95 % (Student's t); `{more}`: run by run with the same draws, where \
             energy that is put off counts as saved but in `saving`"
        )));
    }

    /// A line of the table: a figure of a policy.
    fn cells(&self, line: &Line, place: usize) -> Vec<String> {
        let column = &COLUMNS[place];
        let Over { own, more } = &line.figures[place];
        // Of counts the mean is no count any more.
        let decimals = if line.runs > 1 { column.decimals.max(1) } else { column.decimals };
        let cell = |amount: Option<f64>| decimal_or_dash(amount, decimals);
        let is_first = self.plan.policies.first() == Some(&line.policy);
        let more = Some(more).filter(|_| !is_first);
        let values = self.plan.values(line.cell).into_iter().map(str::to_owned);
        let runs = match line.failed {
            0 => line.runs.to_string(),
            failed => format!("{} ({failed} failed)", line.runs),
        };
        let figures = [
            cell(own.mean()),
            cell(own.of_sample()),
            cell(own.interval_95()),
            cell(more.and_then(Spread::mean)),
            cell(more.and_then(Spread::interval_95)),
        ];
        let named = [line.policy.clone(), runs, column.heading(&line.currency)];
        values.chain(named).chain(figures).collect()
    }
}

impl Line {
    fn new(cell: usize, policy: &str) -> Self {
        Self { cell, policy: policy.to_owned(), ..Self::default() }
    }

    /// Takes in a run; `first` are the values of the first policy with the same draws.
    fn add(&mut self, row: &Row, first: &Values) {
        if row.error.is_some() {
            self.failed += 1;
            return;
        }
        self.runs += 1;
        self.currency.clone_from(&row.currency);
        for ((over, own), first) in self.figures.iter_mut().zip(row.values()).zip(first) {
            over.add(own, *first);
        }
    }
}

impl Over {
    fn to_json(&self) -> Value {
        let spread = |it: &Spread| json!({ "mean": it.mean(), "sd": it.of_sample(), "half_width_95": it.interval_95() });
        let mut said = object(&spread(&self.own));
        said.insert("less_first".to_owned(), spread(&self.more));
        Value::Object(said)
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
