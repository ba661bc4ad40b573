//! Cases of a world with a plant side by side: system cost by rows, and flexibility that is
//! missing.

use crate::{
    comparison::{Compared, SMART_AT_INCENTIVE},
    figure::{Figure, MONEY},
    output::{self, decimal, decimal_or_dash},
    table::{is_nothing, notes, shows_all},
};
use serde_json::json;
use voltide_telemetry::{ComparedFigure, FlexibilitySums, Summary, SystemCostRows};
use voltide_world::PublishedFigure;

/// One case: a run of each policy, with one seed.
#[derive(Debug)]
pub(crate) struct Case {
    /// 1 without flexibility margins, 2 with them.
    pub number: u32,
    /// Policies with their runs.
    pub runs: Vec<(String, Compared)>,
}

/// The cases of a comparison.
#[derive(Debug)]
pub(crate) struct Cases {
    /// The cases, in the order asked for.
    pub all: Vec<Case>,
    /// What others have published.
    pub published: Vec<PublishedFigure>,
    /// Seed of their runs.
    pub seed: u64,
    /// Price of a kWh of missing flexibility.
    pub margin_price: f64,
    /// Price of a kWh that is not served or not taken.
    pub unserved_price: f64,
    /// ISO 4217 code of all money.
    pub currency: String,
}

/// A figure of a case.
pub(crate) type Line = Figure<fn(&Run<'_>) -> f64>;

/// The figures of a case, in the order of its lines.
pub(crate) const LINES: [Line; 19] = [
    Line::new("user_cost", MONEY, |run| run.summary.net_cost)
        .shown("drivers", 1)
        .means("what drivers pay: a run's `net_cost`"),
    Line::new("thermal", MONEY, |run| run.cost.thermal).shown("thermal", 0),
    Line::new("pumped_hydro", MONEY, |run| run.cost.pumped_hydro).shown("pumped hydro", 0),
    Line::new("ess", MONEY, |run| run.cost.ess).shown("ess", 0),
    Line::new("wind", MONEY, |run| run.cost.wind).shown("wind", 0),
    Line::new("pv", MONEY, |run| run.cost.pv).shown("sun", 0),
    Line::new("penalty", MONEY, |run| run.cost.penalty).shown("shed and curtailed", 0),
    Line::new("other", MONEY, |run| run.cost.other).shown("other", 0),
    Line::new("unserved", MONEY, |run| run.cost.unserved)
        .shown("not served or taken", 0)
        .explained("a kWh at {unserved_price}"),
    Line::new("total", MONEY, |run| run.cost.total).shown("system, total", 0),
    Line::new("solver_gap", MONEY, |run| run.summary.solver_gap.unwrap_or_default())
        .shown("solver gap", 0)
        .explained("how much less the best switching of units may cost, by the solver's bounds"),
    Line::new("societal_cost", MONEY, |run| run.cost.total + run.summary.net_cost)
        .shown("system + drivers", 0)
        .means("`total` and `user_cost`")
        .explained(
            "what drivers pay is added, though payments between them and the system cancel out",
        ),
    Line::new("total_with_shortfall", MONEY, |run| {
        run.cost.total + run.margin_price * shortfall_kwh(run)
    })
    .shown("system + shortfall", 0)
    .means("`total` and the missing flexibility at its price, `margin_price_per_kwh`")
    .explained("a kWh of missing flexibility at {margin_price}"),
    Line::new("shortfall_kwh", "kWh", shortfall_kwh).shown("shortfall", 1).explained(
        "flexibility missing after the fact, up and down; kW-slots are the sum of kW over slots",
    ),
    Line::new("shortfall_up_kw_slots", "kW-slots", |run| run.up.shortfall_kw_slots)
        .shown("  up", 1)
        .means("flexibility missing upwards, as a sum over the slots"),
    Line::new("shortfall_down_kw_slots", "kW-slots", |run| run.down.shortfall_kw_slots)
        .shown("  down", 1)
        .means("flexibility missing downwards, as a sum over the slots"),
    Line::new("demand_up_kw_slots", "kW-slots", |run| run.up.demand_kw_slots)
        .shown("demand up", 1)
        .means("demand for flexibility upwards, as a sum over the slots"),
    Line::new("unserved_kwh", "kWh", |run| run.summary.unserved_kwh).shown("not served", 1),
    Line::new("margin_slack_cost", MONEY, |run| run.summary.margin_slack_cost)
        .shown("margin slack", 2),
];

/// What the figures of a run in a case are read off; what a run has not counts as 0.
pub(crate) struct Run<'a> {
    summary: &'a Summary,
    cost: SystemCostRows,
    up: FlexibilitySums,
    down: FlexibilitySums,
    /// Price of a kWh of missing flexibility.
    margin_price: f64,
}

impl<'a> Run<'a> {
    fn of(summary: &'a Summary, margin_price: f64) -> Self {
        Self {
            summary,
            cost: summary.system_cost.unwrap_or_default(),
            up: summary.flexibility_up.unwrap_or_default(),
            down: summary.flexibility_down.unwrap_or_default(),
            margin_price,
        }
    }
}

/// Flexibility that is missing up and down, kWh.
fn shortfall_kwh(run: &Run<'_>) -> f64 {
    run.up.shortfall_kwh + run.down.shortfall_kwh
}

/// What stands before a line's cells: money has the currency of the table's heading.
fn heading(line: &Line) -> String {
    match line.unit {
        MONEY => line.label.to_owned(),
        unit => format!("{}, {unit}", line.label),
    }
}

/// A difference in system cost that is smaller than what the solver left open.
struct Doubt<'a> {
    case: u32,
    policy: &'a str,
    against: &'a str,
    difference: f64,
    solver_gap: f64,
}

impl Case {
    /// The policies that were asked for, with their runs.
    fn shown(&self) -> impl Iterator<Item = &(String, Compared)> {
        self.runs.iter().filter(|(policy, _)| policy != SMART_AT_INCENTIVE)
    }

    /// The policies whose system costs differ from the first one's by less than the gaps of the
    /// two.
    fn doubts(&self) -> Vec<Doubt<'_>> {
        let shown: Vec<_> = self.shown().collect();
        let Some(((against, first), others)) = shown.split_first() else { return Vec::new() };
        let [total, gap] = total_and_gap(first);
        let doubts = others.iter().map(|(policy, run)| {
            let [own_total, own_gap] = total_and_gap(run);
            Doubt {
                case: self.number,
                policy,
                against,
                difference: own_total - total,
                solver_gap: own_gap + gap,
            }
        });
        doubts.filter(|doubt| doubt.solver_gap > doubt.difference.abs()).collect()
    }
}

/// The system's cost in a run, and how much of it the solver left open.
fn total_and_gap(run: &Compared) -> [f64; 2] {
    let summary = &run.figures.summary;
    [summary.system_cost.unwrap_or_default().total, summary.solver_gap.unwrap_or_default()]
}

impl Doubt<'_> {
    fn sentence(&self, currency: &str) -> String {
        format!(
            "! {} and {} differ by {} {currency} in system cost, less than the {} {currency} \
             that the solver left open: that is no difference between them",
            self.policy,
            self.against,
            decimal(self.difference.abs(), 0),
            decimal(self.solver_gap, 0)
        )
    }

    fn to_json(&self, currency: &str) -> serde_json::Value {
        json!({
            "case": self.case,
            "policy": self.policy,
            "against": self.against,
            "difference": self.difference,
            "solver_gap": self.solver_gap,
            "currency": currency,
        })
    }
}

impl Cases {
    /// Prints a table for each case, and what to know of the published figures.
    pub(crate) fn print(&self, as_json: bool) {
        if as_json {
            for figure in self.figures() {
                output::say_json("compared_figure", &self.json(&figure));
            }
            for doubt in self.all.iter().flat_map(Case::doubts) {
                output::say_json("within_solver_gap", &doubt.to_json(&self.currency));
            }
            return;
        }
        for case in &self.all {
            output::say(&self.table(case));
            for doubt in case.doubts() {
                output::say(&notes(&doubt.sentence(&self.currency)));
            }
        }
        output::say(&notes(&self.legend()));
    }

    /// All figures, for a table of their own.
    pub(crate) fn figures(&self) -> Vec<ComparedFigure> {
        self.all.iter().flat_map(|case| self.figures_of(case)).collect()
    }

    /// The figures of a case, policy by policy.
    fn figures_of(&self, case: &Case) -> Vec<ComparedFigure> {
        let mut figures = Vec::new();
        for (policy, run) in case.shown() {
            let run = Run::of(&run.figures.summary, self.margin_price);
            let of_line = |line: &Line| self.figure(case.number, line, policy, (line.of)(&run));
            figures.extend(LINES.iter().map(of_line));
        }
        figures
    }

    fn figure(&self, case: u32, line: &Line, policy: &str, amount: f64) -> ComparedFigure {
        let is_of_line = |figure: &&PublishedFigure| {
            figure.row == line.name && figure.case.is_none_or(|of| of == case)
        };
        let of_line: Vec<_> = self.published.iter().filter(is_of_line).collect();
        let published = of_line.iter().find(|figure| figure.policy == policy);
        let published = published.and_then(|figure| figure.amount);
        let note = of_line.iter().find(|figure| figure.policy.is_empty());
        let note = note.map(|figure| figure.note.clone());
        ComparedFigure {
            case,
            figure: line.name,
            policy: policy.to_owned(),
            amount,
            note: note.filter(|_| published.is_some()),
            published,
        }
    }

    fn table(&self, case: &Case) -> String {
        let figures = self.figures_of(case);
        let with_published = figures.iter().any(|figure| figure.published.is_some());
        let margins = if case.number == 1 { "without" } else { "with" };
        let mut header = vec![format!("case {}, {}", case.number, self.currency)];
        for (policy, _) in case.shown() {
            header.push(policy.clone());
            if with_published {
                header.extend(["published".to_owned(), "ratio".to_owned()]);
            }
        }
        let rows = LINES.iter().map(|line| {
            let of_line = figures.iter().filter(|figure| figure.figure == line.name);
            let cells = of_line.flat_map(|figure| cells(line, figure, with_published));
            std::iter::once(heading(line)).chain(cells).collect::<Vec<_>>()
        });
        let says_something =
            |row: &Vec<String>| shows_all() || !row[1..].iter().all(|cell| is_nothing(cell));
        let rows = rows.filter(says_something).collect();
        let right: Vec<usize> = (1..header.len()).collect();
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        format!(
            "\nCase {}, {margins} flexibility margins, seed {}\n\n{}",
            case.number,
            self.seed,
            output::table(&header, rows, &right)
        )
    }

    /// What is to be known of the figures, and of those that others have published.
    fn legend(&self) -> String {
        let [unserved, margin] = [self.unserved_price, self.margin_price]
            .map(|price| format!("{} {}", decimal(price, 2), self.currency));
        let put_in = [("{unserved_price}", unserved.as_str()), ("{margin_price}", &margin)];
        let notes: Vec<String> = LINES.iter().filter_map(|line| line.note(&put_in)).collect();
        let mut lines = vec![format!("\n{}", notes.join("\n"))];
        for figure in self.published.iter().filter(|figure| !figure.note.is_empty()) {
            let line = LINES.iter().find(|line| line.name == figure.row);
            let heading = line.map_or_else(|| "published".to_owned(), heading);
            lines.push(format!("{}: {}", heading.trim(), figure.note));
        }
        lines.join("\n")
    }

    fn json(&self, figure: &ComparedFigure) -> serde_json::Value {
        json!({
            "case": figure.case,
            "seed": self.seed,
            "figure": figure.figure,
            "policy": figure.policy,
            "amount": figure.amount,
            "published": figure.published,
            "ratio": figure.ratio(),
            "note": figure.note,
            "currency": self.currency,
            "unserved_price_per_kwh": self.unserved_price,
            "margin_price_per_kwh": self.margin_price,
        })
    }
}

/// The cells of a run's figure in a line; beside them what is published, and the ratio to it.
fn cells(line: &Line, figure: &ComparedFigure, with_published: bool) -> Vec<String> {
    let mut cells = vec![line.cell(Some(figure.amount))];
    if with_published {
        cells.push(decimal_or_dash(figure.published, 0));
        cells.push(decimal_or_dash(figure.ratio(), 3));
    }
    cells
}
