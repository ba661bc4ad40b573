//! A figure of tables for people: all that is said of it, declared once.
//!
//! From that come its heading, its cells, its place in JSON, its line in a table's legend, and its
//! row in `docs/figures.md`.

#[cfg(test)]
mod page;

use crate::{
    output::{decimal, decimal_or_dash, thousands},
    table::Weight,
};
use serde_json::{Map, Value};

/// The unit of money: in tables the world's currency.
pub(crate) const MONEY: &str = "currency";

/// A figure, which `F` reads off what it is a figure of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure<F> {
    /// Its name in JSON, the unit last.
    pub name: &'static str,
    /// Its unit, in which [`MONEY`] stands for the currency; empty where it has none.
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

/// What a figure comes to: as programs read it, and as people do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub value: Value,
    pub text: String,
}

impl Told {
    /// A value, and other words for it.
    pub(crate) fn new(value: impl Into<Value>, text: impl Into<String>) -> Self {
        Self { value: value.into(), text: text.into() }
    }

    /// A count.
    pub(crate) fn count(count: u64) -> Self {
        Self::new(count, thousands(count))
    }

    /// An amount.
    pub(crate) fn amount(amount: f64) -> Self {
        Self::new(amount, decimal(amount, 3))
    }

    /// Words.
    pub(crate) fn words(words: impl Into<String>) -> Self {
        let words = words.into();
        Self::new(words.clone(), words)
    }
}

/// A figure in a line of its own, among others of one thing. What has no name is for people alone,
/// and what has no label for programs.
pub(crate) type Line<T> = Figure<fn(&T) -> Told>;

/// The lines of a thing by their names.
pub(crate) fn told_json<T>(lines: &[Line<T>], of: &T) -> Map<String, Value> {
    let named = lines.iter().filter(|line| !line.name.is_empty());
    named.map(|line| (line.name.to_owned(), (line.of)(of).value)).collect()
}

/// The lines of a thing as people read them, in a world with this currency: headings and words.
pub(crate) fn told_rows<T>(lines: &[Line<T>], of: &T, currency: &str) -> Vec<Vec<String>> {
    let labelled = lines.iter().filter(|line| line.is_shown());
    labelled.map(|line| vec![line.heading(currency), (line.of)(of).text]).collect()
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
        let unit = self.unit.replace(MONEY, currency);
        format!("{} {unit}", self.label).trim_end().to_owned()
    }

    /// An amount of it as a table shows it; a dash where there is none.
    pub(crate) fn cell(&self, amount: Option<f64>) -> String {
        decimal_or_dash(amount, self.decimals)
    }

    /// Its line below a table, with `put_in` in the places of the words in braces.
    pub(crate) fn note(&self, put_in: &[(&str, &str)]) -> Option<String> {
        let mut said = self.legend.to_owned();
        for (word, with) in put_in {
            said = said.replace(word, with);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    type Amount = Figure<fn(f64) -> f64>;

    const PAID: Amount = Amount::new("paid", MONEY, |paid| paid).shown("paid", 2);

    #[test]
    fn a_heading_is_what_people_call_it_and_its_unit() {
        let kwh = Figure { unit: "kWh", ..PAID };
        let count = Figure { unit: "", ..PAID };
        let headings = [PAID, kwh, count].map(|figure| figure.heading("EUR"));
        assert_eq!(headings, ["paid EUR", "paid kWh", "paid"]);
        assert_eq!(PAID.cell(Some((PAID.of)(1234.567))), "1,234.57");
        assert_eq!(PAID.cell(None), "-");
        assert!(PAID.is_shown() && !Figure::new("paid", MONEY, |paid: f64| paid).is_shown());
    }

    #[test]
    fn what_a_table_says_of_it_has_words_put_in() {
        let put_in = [("{first}", "smart"), ("{price}", "3 EUR")];
        assert_eq!(PAID.note(&put_in), None);
        let explained = PAID.explained("less than under {first}, at {price}");
        let said = "paid: less than under smart, at 3 EUR";
        assert_eq!(explained.note(&put_in).as_deref(), Some(said));
    }

    #[test]
    fn what_has_no_name_is_for_people_alone_and_what_has_no_label_for_programs() {
        let lines: [Line<f64>; 3] = [
            Line::<f64>::new("stored_kwh", "kWh", |it| Told::amount(*it)).shown("stored", 3),
            Line::<f64>::new("", "", |_| Told::words("noon")).shown("when", 0),
            Line::<f64>::new("cars", "", |_| Told::count(1000)),
        ];
        let json = told_json(&lines, &1.5);
        assert_eq!(Value::Object(json), json!({ "stored_kwh": 1.5, "cars": 1000 }));
        let rows = told_rows(&lines, &1.5, "EUR");
        assert_eq!(rows, [["stored kWh", "1.500"], ["when", "noon"]]);
    }

    #[test]
    fn json_has_values_by_name() {
        let named = to_json(&[PAID, Figure { name: "earned", ..PAID }], [1.0, 2.0]);
        assert_eq!(Value::Object(named), json!({ "paid": 1.0, "earned": 2.0 }));
    }
}
