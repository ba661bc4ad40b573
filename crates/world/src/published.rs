//! Figures that others have published about a world, to set its own beside.

use crate::{
    dialect::Report,
    table::{Files, Wanted},
};
use ron_places::Spanned;

/// What a figure can be about, by its name in a file of figures.
const ROWS: [&str; 10] = [
    "about",
    "user_cost",
    "thermal",
    "pumped_hydro",
    "ess",
    "wind",
    "pv",
    "penalty",
    "total",
    "shortfall_kwh",
];

/// Cases that a figure can be of.
const CASES: [f64; 2] = [1.0, 2.0];

/// A published figure.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedFigure {
    /// The case it belongs to: 1 without flexibility margins, 2 with them; `None` for both.
    pub case: Option<u32>,
    /// What it is: `user_cost`, a row of system cost, `shortfall_kwh`; or `about`, for a note on
    /// all.
    pub row: String,
    /// The policy; empty for a note on a row.
    pub policy: String,
    /// The figure, in the world's currency or in kWh; `None` for a note.
    pub amount: Option<f64>,
    /// What to know of it.
    pub note: String,
}

/// Reads a file of figures.
pub(crate) fn read(
    files: &mut Files,
    path: &Spanned<String>,
    report: &mut Report,
) -> Option<Vec<PublishedFigure>> {
    let column = |name| Wanted { name, place: path.place, optional: false };
    let wanted = ["case", "row", "policy", "amount", "note"].map(column);
    let table = files.table(path, &wanted, report)?;
    let mut figures = Vec::with_capacity(table.len());
    for at in 0..table.len() {
        let row = table.text(1, at);
        let numbers = table.number(0, at).and_then(|case| Ok((case, table.number(3, at)?)));
        let wrong = match &numbers {
            Err(error) => Some(error.clone()),
            Ok((Some(case), _)) if !CASES.contains(case) => {
                Some(format!("{case} is no case; it is 1, 2, or empty for both"))
            }
            Ok(_) if !ROWS.contains(&row.as_str()) => {
                Some(format!("`{row}` is none of the figures: {}", ROWS.join(", ")))
            }
            Ok(_) => None,
        };
        if let Some(message) = wrong {
            report.push(table.problem(at, &message, "this file", report));
            return None;
        }
        // What was no number has been turned away above.
        let (case, amount) = numbers.unwrap_or_default();
        figures.push(PublishedFigure {
            case: case.map(|case| case as u32),
            row,
            policy: table.text(2, at),
            amount,
            note: table.text(4, at),
        });
    }
    Some(figures)
}
