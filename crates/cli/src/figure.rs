//! A figure of tables for people: all that is said of it, declared once.
//!
//! From that come its heading, its cells, its place in JSON, its line in a table's legend, and its
//! row in `docs/figures.md`.

#[cfg(test)]
mod page;

use crate::{output::decimal, table::Weight};
use serde_json::{Map, Value};

/// The unit of money: in tables the world's currency.
pub(crate) const MONEY: &str = "currency";

/// A figure, which `F` reads off what it is a figure of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure<F> {
    /// Its name in JSON, the unit last.
    pub name: &'static str,
    /// Its unit, or [`MONEY`]; empty where it has none.
    pub unit: &'static str,
    /// What people call it; empty where only JSON has it.
    pub label: &'static str,
    /// Digits after the point in a table.
    pub decimals: usize,
    /// How it is shown where there is any.
    pub weight: Weight,
    /// What it is; empty where that is said of a run's figure of the same name, or below the table.
    #[cfg_attr(not(test), expect(dead_code, reason = "it is said in docs/figures.md alone"))]
    pub meaning: &'static str,
    /// What is said of it below a table, where it is in one; words in braces are put in.
    pub legend: &'static str,
    /// Reads it.
    pub of: F,
}

impl<F: Copy> Figure<F> {
    /// A figure that is in JSON alone, and that a run has by the same name.
    pub(crate) const fn new(name: &'static str, unit: &'static str, of: F) -> Self {
        let weight = Weight::Plain;
        Self { name, unit, label: "", decimals: 0, weight, meaning: "", legend: "", of }
    }

    /// The same in a table, under a name for people and with so many digits after the point.
    pub(crate) const fn shown(self, label: &'static str, decimals: usize) -> Self {
        Self { label, decimals, ..self }
    }

    /// The same, which should not be overlooked.
    pub(crate) const fn notable(self) -> Self {
        Self { weight: Weight::Notable, ..self }
    }

    /// The same, of which any is wrong.
    pub(crate) const fn wrong(self) -> Self {
        Self { weight: Weight::Wrong, ..self }
    }

    /// The same, saying what it is.
    pub(crate) const fn means(self, meaning: &'static str) -> Self {
        Self { meaning, ..self }
    }

    /// The same, saying below a table what to know of it.
    pub(crate) const fn explained(self, legend: &'static str) -> Self {
        Self { legend, ..self }
    }

    /// Whether it is in a table.
    pub(crate) fn is_shown(&self) -> bool {
        !self.label.is_empty()
    }

    /// What stands over or before its cells, in a world with this currency.
    pub(crate) fn heading(&self, currency: &str) -> String {
        let unit = if self.unit == MONEY { currency } else { self.unit };
        format!("{} {unit}", self.label).trim_end().to_owned()
    }

    /// An amount of it as a table shows it; a dash where there is none.
    pub(crate) fn cell(&self, amount: Option<f64>) -> String {
        amount.map_or_else(|| "-".to_owned(), |amount| decimal(amount, self.decimals))
    }

    /// Its line below a table, with `put_in` in the places of the words in braces.
    pub(crate) fn note(&self, put_in: &[(&str, &str)]) -> Option<String> {
        let put = |text: String, (word, with): &(&str, &str)| text.replace(word, with);
        let said = put_in.iter().fold(self.legend.to_owned(), put);
        (!said.is_empty()).then(|| format!("{}: {said}", self.label))
    }
}

/// Values of figures by their names.
pub(crate) fn to_json<F, T: Into<Value>>(
    figures: &[Figure<F>],
    values: impl IntoIterator<Item = T>,
) -> Map<String, Value> {
    let names = figures.iter().map(|figure| figure.name.to_owned());
    names.zip(values.into_iter().map(Into::into)).collect()
}
