//! A program whose objective changes from phase to phase, for Clp or, with binaries, for CBC.

use crate::linear::{Budget, Program};
use good_lp::{Expression, variable};
use voltide_clp::{Basis, Entry, LinearProgram, Outcome, Standing};

/// Pivots after which Clp has lost its way.
const PIVOTS_MAX: u32 = 2_000_000;

/// A column: bounds, and its factors in rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) lower: f64,
    pub(super) upper: f64,
    pub(super) entries: Vec<Entry>,
    /// Whether it must be whole.
    pub(super) whole: bool,
}

/// Columns and rows without an objective.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Draft {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<(f64, f64)>,
}

/// A solution of a draft.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) values: Vec<f64>,
    pub(super) objective: f64,
    /// Lower bound of the objective.
    pub(super) bound: f64,
    /// What the objective gains by one more of each row's sides; empty with binaries.
    pub(super) row_prices: Vec<f64>,
    /// The vertex; none with binaries.
    pub(super) basis: Option<Basis>,
}

impl Draft {
    /// Adds a row between two sides; gives its index.
    pub(super) fn row(&mut self, least: f64, most: f64) -> u32 {
        self.rows.push((least, most));
        u32::try_from(self.rows.len() - 1).unwrap_or(u32::MAX)
    }

    /// Adds a column; gives its index.
    pub(super) fn column(&mut self, lower: f64, upper: f64, entries: Vec<Entry>) -> usize {
        self.columns.push(Column { lower, upper, entries, whole: false });
        self.columns.len() - 1
    }

    /// Gives a column a factor in a row.
    pub(super) fn enter(&mut self, column: usize, row: u32, factor: f64) {
        self.columns[column].entries.push(Entry { row, factor });
    }

    fn has_whole(&self) -> bool {
        self.columns.iter().any(|column| column.whole)
    }

    /// Minimises the objective of these costs, one a column; nothing where no solver finds any.
    pub(super) fn solve(
        &self,
        cost: &[f64],
        start: Option<&Basis>,
        budget: Budget,
    ) -> Option<Found> {
        if self.has_whole() { self.by_cbc(cost, budget) } else { self.by_clp(cost, start) }
    }

    fn by_clp(&self, cost: &[f64], start: Option<&Basis>) -> Option<Found> {
        let mut program = LinearProgram::new(&self.rows).ok()?;
        for (column, &cost) in self.columns.iter().zip(cost) {
            let entries = column.entries.iter().copied();
            program.add((column.lower, column.upper), cost, entries).ok()?;
        }
        let start = start.map(|basis| self.extend(basis));
        let mut found = program.solve(start.as_ref(), PIVOTS_MAX);
        if found.outcome != Outcome::Optimal && start.is_some() {
            found = program.solve(None, PIVOTS_MAX);
        }
        if found.outcome != Outcome::Optimal {
            // CBC prepares a program in other ways, and finds what Clp alone does not.
            return self.by_cbc(cost, Budget::default());
        }
        Some(Found {
            values: found.values,
            objective: found.objective,
            bound: found.objective,
            row_prices: found.row_prices,
            basis: Some(found.basis),
        })
    }

    /// A basis of this draft before rows and columns were added to it.
    fn extend(&self, basis: &Basis) -> Basis {
        let mut basis = basis.clone();
        basis.rows.resize(self.rows.len(), Standing::Basic);
        basis.columns.resize(self.columns.len(), Standing::AtLower);
        basis
    }

    fn by_cbc(&self, cost: &[f64], budget: Budget) -> Option<Found> {
        let mut program = Program::default();
        let mut sums = vec![Expression::default(); self.rows.len()];
        let mut variables = Vec::with_capacity(self.columns.len());
        for (column, &cost) in self.columns.iter().zip(cost) {
            let mut definition = variable().min(column.lower).max(column.upper);
            if column.whole {
                definition = definition.integer();
            }
            let variable = program.add(definition);
            for entry in &column.entries {
                sums[entry.row as usize].add_mul(entry.factor, variable);
            }
            program.pay(cost * variable);
            variables.push(variable);
        }
        for (sum, &(least, most)) in sums.into_iter().zip(&self.rows) {
            if most - least <= 0.0 {
                program.require(sum.eq(least));
                continue;
            }
            if least.is_finite() {
                program.require(sum.clone().geq(least));
            }
            if most.is_finite() {
                program.require(sum.leq(most));
            }
        }
        let solved = program.solve(budget);
        solved.outcome.has_solution().then(|| Found {
            values: variables.iter().map(|variable| solved.values[variable]).collect(),
            objective: solved.objective,
            bound: solved.bound,
            row_prices: Vec::new(),
            basis: None,
        })
    }
}
