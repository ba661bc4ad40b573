//! A linear program, and what comes of solving it.

use crate::{
    basis::{Basis, Standing},
    interface::{Loaded, Model},
};
use std::fmt;

/// A factor in the matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// Index of the row.
    pub row: u32,
    /// The factor of the column in it.
    pub factor: f64,
}

/// A program to be minimised, by columns.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearProgram {
    starts: Vec<i32>,
    rows: Vec<i32>,
    factors: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    cost: Vec<f64>,
    row_lower: Vec<f64>,
    row_upper: Vec<f64>,
}

/// How a solve ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The values are optimal.
    Optimal,
    /// No values keep all bounds and rows.
    Infeasible,
    /// The objective has no least value, or no values keep all bounds and rows.
    Unbounded,
    /// The limit of pivots was reached, or Clp gave up.
    Stopped,
}

impl Outcome {
    /// By Clp's number for it.
    pub(crate) fn from_status(status: i32) -> Self {
        match status {
            0 => Self::Optimal,
            1 => Self::Infeasible,
            2 => Self::Unbounded,
            _ => Self::Stopped,
        }
    }
}

/// What came of solving.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// How it ended.
    pub outcome: Outcome,
    /// The objective at `values`; it means something where the outcome is optimal.
    pub objective: f64,
    /// Value of each column.
    pub values: Vec<f64>,
    /// What the objective gains by one more of each column that is at a bound.
    pub reduced_costs: Vec<f64>,
    /// What the objective changes by for one more of each row's sides.
    pub row_prices: Vec<f64>,
    /// The vertex, to begin another solve with.
    pub basis: Basis,
    /// Pivots that it took.
    pub pivots: u32,
}

/// A number that no program can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedProgram(&'static str);

impl fmt::Display for MalformedProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a linear program has {}", self.0)
    }
}

impl std::error::Error for MalformedProgram {}

impl LinearProgram {
    /// A program with these rows, each from its least to its largest value, and no columns yet.
    ///
    /// # Errors
    /// A side is NaN.
    pub fn new(rows: &[(f64, f64)]) -> Result<Self, MalformedProgram> {
        if rows.iter().any(|(least, most)| least.is_nan() || most.is_nan()) {
            return Err(MalformedProgram("a row whose side is not a number"));
        }
        Ok(Self {
            starts: vec![0],
            rows: Vec::new(),
            factors: Vec::new(),
            lower: Vec::new(),
            upper: Vec::new(),
            cost: Vec::new(),
            row_lower: rows.iter().map(|row| row.0).collect(),
            row_upper: rows.iter().map(|row| row.1).collect(),
        })
    }

    /// Adds a column between two bounds that costs so much apiece; gives its index.
    ///
    /// # Errors
    /// A bound is NaN, a cost or factor is not finite, an entry is of no row, or there are more entries
    /// than 32 bits count.
    pub fn add(
        &mut self,
        (lower, upper): (f64, f64),
        cost: f64,
        entries: impl IntoIterator<Item = Entry>,
    ) -> Result<usize, MalformedProgram> {
        if lower.is_nan() || upper.is_nan() || !cost.is_finite() {
            return Err(MalformedProgram("a column whose bound or cost is not a number"));
        }
        let before = self.rows.len();
        for Entry { row, factor } in entries {
            if row as usize >= self.row_lower.len() || !factor.is_finite() {
                self.rows.truncate(before);
                self.factors.truncate(before);
                return Err(MalformedProgram("an entry of no row, or that is not finite"));
            }
            self.rows.push(row.cast_signed());
            self.factors.push(factor);
        }
        let Ok(end) = i32::try_from(self.rows.len()) else {
            self.rows.truncate(before);
            self.factors.truncate(before);
            return Err(MalformedProgram("more entries than Clp can count"));
        };
        self.starts.push(end);
        self.lower.push(lower);
        self.upper.push(upper);
        self.cost.push(cost);
        Ok(self.cost.len() - 1)
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.cost.len()
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.row_lower.len()
    }

    /// Solves by the dual simplex, from a basis or cold, in at most so many pivots.
    ///
    /// # Panics
    /// If the basis is of a program with other columns or rows.
    pub fn solve(&self, start: Option<&Basis>, pivots_max: u32) -> Solution {
        let mut model = Model::load(&self.loaded());
        if let Some(basis) = start {
            model.begin_with(&basis.statuses());
        }
        let outcome = Outcome::from_status(model.solve(pivots_max));
        let values = model.values().to_vec();
        let standing = |status: &u8| Standing::from_status(*status);
        let (columns, rows) = model.statuses().split_at(self.columns());
        Solution {
            outcome,
            objective: values.iter().zip(&self.cost).map(|(value, cost)| value * cost).sum(),
            values,
            reduced_costs: model.reduced_costs().to_vec(),
            row_prices: model.row_prices().to_vec(),
            basis: Basis {
                columns: columns.iter().map(standing).collect(),
                rows: rows.iter().map(standing).collect(),
            },
            pivots: model.pivots(),
        }
    }

    /// The bounds of all columns: least values, then largest ones.
    pub fn bounds(&self) -> (&[f64], &[f64]) {
        (&self.lower, &self.upper)
    }

    /// The entries of a column, as they were added.
    ///
    /// # Panics
    /// If there is no such column.
    pub fn entries(&self, column: usize) -> impl ExactSizeIterator<Item = Entry> {
        let range = self.starts[column] as usize..self.starts[column + 1] as usize;
        let factors = self.factors[range.clone()].iter();
        let entries = self.rows[range].iter().zip(factors);
        entries.map(|(row, &factor)| Entry { row: row.cast_unsigned(), factor })
    }

    /// The least and the largest value of a row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn sides(&self, row: usize) -> (f64, f64) {
        (self.row_lower[row], self.row_upper[row])
    }

    /// What one more of each column costs.
    pub fn costs(&self) -> &[f64] {
        &self.cost
    }

    pub(crate) fn loaded(&self) -> Loaded<'_> {
        Loaded {
            starts: &self.starts,
            rows: &self.rows,
            factors: &self.factors,
            lower: &self.lower,
            upper: &self.upper,
            cost: &self.cost,
            row_lower: &self.row_lower,
            row_upper: &self.row_upper,
        }
    }
}

#[cfg(test)]
mod tests;
