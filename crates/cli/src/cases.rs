//! Cases of a world with a plant side by side: system cost by rows, and flexibility that is missing.

use crate::{
    comparison::{Compared, SMART_AT_INCENTIVE},
    output::{self, decimal},
    table::{is_nothing, notes, shows_all},
};
use serde_json::json;
use voltide_telemetry::{ComparedFigure, FlexibilitySums, Summary};
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

/// What a figure is, how it is headed, and with how many digits it is shown.
struct Line {
    name: &'static str,
    heading: &'static str,
    decimals: usize,
}

const fn line(name: &'static str, heading: &'static str, decimals: usize) -> Line {
    Line { name, heading, decimals }
}

/// The figures of a case, in order.
const LINES: [Line; 19] = [
    line("user_cost", "drivers", 1),
    line("thermal", "thermal", 0),
    line("pumped_hydro", "pumped hydro", 0),
    line("ess", "ess", 0),
    line("wind", "wind", 0),
    line("pv", "sun", 0),
    line("penalty", "shed and curtailed", 0),
    line("other", "other", 0),
    line("unserved", "not served or taken", 0),
    line("total", "system, total", 0),
    line("solver_gap", "solver gap", 0),
    line("societal_cost", "system + drivers", 0),
    line("total_with_shortfall", "system + shortfall", 0),
    line("shortfall_kwh", "shortfall, kWh", 1),
    line("shortfall_up_kw_slots", "  up, kW-slots", 1),
    line("shortfall_down_kw_slots", "  down, kW-slots", 1),
    line("demand_up_kw_slots", "demand up, kW-slots", 1),
    line("unserved_kwh", "not served, kWh", 1),
    line("margin_slack_cost", "margin slack", 2),
];

/// A difference in system cost that is smaller than what the solver left open.
struct Doubt<'a> {
    case: u32,
    policy: &'a str,
    against: &'a str,
    difference: f64,
    solver_gap: f64,
}

impl Case {
    /// The policies whose system costs differ from the first one's by less than the gaps of the two.
    fn doubts(&self) -> Vec<Doubt<'_>> {
        let shown: Vec<_> =
            self.runs.iter().filter(|(policy, _)| policy != SMART_AT_INCENTIVE).collect();
        let Some(((against, first), others)) = shown.split_first() else { return Vec::new() };
        let total = |run: &Compared| run.figures.summary.system_cost.unwrap_or_default().total;
        let gap = |run: &Compared| run.figures.summary.solver_gap.unwrap_or_default();
        let doubts = others.iter().map(|(policy, run)| Doubt {
            case: self.number,
            policy,
            against,
            difference: total(run) - total(first),
            solver_gap: gap(run) + gap(first),
        });
        doubts.filter(|doubt| doubt.solver_gap > doubt.difference.abs()).collect()
    }
}

impl Doubt<'_> {
    fn sentence(&self, currency: &str) -> String {
        format!(
            "! {} and {} differ by {} {currency} in system cost, less than the {} {currency} that the solver \
             left open: that is no difference between them",
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
        let of_case = |case: &Case| {
            let runs = case.runs.iter().filter(|(policy, _)| policy != SMART_AT_INCENTIVE);
            let of_run = |(policy, run): &(String, Compared)| {
                let amounts = self.amounts(&run.figures.summary);
                let lines = LINES.iter().zip(amounts);
                lines
                    .map(|(line, amount)| self.figure(case.number, line, policy, amount))
                    .collect::<Vec<_>>()
            };
            runs.flat_map(of_run).collect::<Vec<_>>()
        };
        self.all.iter().flat_map(of_case).collect()
    }

    fn figure(&self, case: u32, line: &Line, policy: &str, amount: f64) -> ComparedFigure {
        let of_line = || {
            self.published
                .iter()
                .filter(|figure| figure.row == line.name && figure.case.is_none_or(|of| of == case))
        };
        let published =
            of_line().find(|figure| figure.policy == policy).and_then(|figure| figure.amount);
        let note =
            of_line().find(|figure| figure.policy.is_empty()).map(|figure| figure.note.clone());
        ComparedFigure {
            case,
            figure: line.name,
            policy: policy.to_owned(),
            amount,
            note: note.filter(|_| published.is_some()),
            published,
        }
    }

    /// The values of [`LINES`].
    fn amounts(&self, summary: &Summary) -> [f64; LINES.len()] {
        let cost = summary.system_cost.unwrap_or_default();
        let sums = |sums: Option<FlexibilitySums>| sums.unwrap_or_default();
        let (up, down) = (sums(summary.flexibility_up), sums(summary.flexibility_down));
        let shortfall_kwh = up.shortfall_kwh + down.shortfall_kwh;
        [
            summary.net_cost,
            cost.thermal,
            cost.pumped_hydro,
            cost.ess,
            cost.wind,
            cost.pv,
            cost.penalty,
            cost.other,
            cost.unserved,
            cost.total,
            summary.solver_gap.unwrap_or_default(),
            cost.total + summary.net_cost,
            cost.total + self.margin_price * shortfall_kwh,
            shortfall_kwh,
            up.shortfall_kw_slots,
            down.shortfall_kw_slots,
            up.demand_kw_slots,
            summary.unserved_kwh,
            summary.margin_slack_cost,
        ]
    }

    fn table(&self, case: &Case) -> String {
        let figures: Vec<ComparedFigure> =
            self.figures().into_iter().filter(|figure| figure.case == case.number).collect();
        let policies: Vec<&str> = case
            .runs
            .iter()
            .map(|(policy, _)| policy.as_str())
            .filter(|policy| *policy != SMART_AT_INCENTIVE)
            .collect();
        let with_published = figures.iter().any(|figure| figure.published.is_some());
        let margins = if case.number == 1 { "without" } else { "with" };
        let mut header = vec![format!("case {}, {}", case.number, self.currency)];
        for policy in &policies {
            header.push((*policy).to_owned());
            if with_published {
                header.extend(["published".to_owned(), "ratio".to_owned()]);
            }
        }
        let row = |line: &Line| {
            let mut cells = vec![line.heading.to_owned()];
            for figure in figures.iter().filter(|figure| figure.figure == line.name) {
                cells.push(decimal(figure.amount, line.decimals));
                if with_published {
                    cells
                        .push(figure.published.map_or_else(|| "-".to_owned(), |it| decimal(it, 0)));
                    cells.push(figure.ratio().map_or_else(|| "-".to_owned(), |it| decimal(it, 3)));
                }
            }
            cells
        };
        let rows = LINES.iter().map(row);
        let rows = rows
            .filter(|row| shows_all() || !row[1..].iter().all(|cell| is_nothing(cell)))
            .collect();
        let right: Vec<usize> = (1..header.len()).collect();
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        format!(
            "\nCase {}, {margins} flexibility margins, seed {}\n\n{}",
            case.number,
            self.seed,
            output::table(&header, rows, &right)
        )
    }

    fn legend(&self) -> String {
        let mut lines = vec![format!(
            "\nnot served or taken: a kWh at {} {}\n\
                 solver gap: how much less the best switching of units may cost, by the solver's bounds\n\
                 system + drivers: what drivers pay is added, though payments between them and the system cancel out\n\
                 system + shortfall: a kWh of missing flexibility at {} {}\n\
                 shortfall: flexibility missing after the fact, up and down; kW-slots are the sum of kW over slots",
            decimal(self.unserved_price, 2),
            self.currency,
            decimal(self.margin_price, 2),
            self.currency
        )];
        for figure in self.published.iter().filter(|figure| !figure.note.is_empty()) {
            let heading = LINES
                .iter()
                .find(|line| line.name == figure.row)
                .map_or("published", |line| line.heading);
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
