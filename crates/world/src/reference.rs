//! The field reference `worlds/README.md`, written from the types that read world files.
//!
//! So it cannot say anything that the reader does not do.

use crate::{dialect::WorldText, file::WorldFile, ranges::from_to};
use ron_places::{Read, reference::sections};
use std::fmt::Write as _;
use voltide_model::physical::{self, Physical};

#[cfg(test)]
#[path = "../../../tests/written.rs"]
mod written;

const HEAD: &str = "\
# World files

A world is one file in [RON](https://github.com/ron-rs/ron) with all that a run is made of. `one-car.ron` is the
smallest; `germany/week.ron` and `acn/caltech.ron` are made of real data, whose origin and licence stand beside it;
`v2g-street.ron` has incentive prices and drivers who are asked, on a calibrated day; `paper/paper.ron` is the case
study with its units, `ten-units/day.ron` switches units on and off, and `hydrogen.ron` makes hydrogen and keeps it
in a tank. `depot.ron` has vans behind a connection that is too small for all of them at once.
`voltide check WORLD.ron` reports everything that is wrong with one.

* Fields stand in any order; those with a default may be left out; unknown ones are refused.
* Quantities are strings with their unit: power `\"7 kW\"` (W, kW, MW, GW), energy `\"60 kWh\"` (Wh, kWh, MWh, GWh),
  durations `\"15 min\"` (s, min, h, d), prices `\"0.30 EUR/kWh\"` or per MWh, times of day `\"17:30\"`. A share, such as a
  state of charge, is a number from 0 to 1 or `\"95 %\"`.
* Power and energy of cars are on the grid side; positive power charges.
* Paths start at the world file's folder. Timestamps in data are RFC 3339, or wall-clock time in a named zone.
* CSV is UTF-8 text with a header. Cells are parted by `,`, `;` or tabs, whichever the header has most of. Where it is
  not `,`, decimals may have a comma, as pandas writes them with `sep=\";\", decimal=\",\"`: one mark in the whole
  column, and none between thousands.
* Parquet is read as pandas, Polars, DuckDB and Spark write it. Timestamps without a zone need the file's `time_zone`;
  so does int96, in which Spark writes timestamps by default, and there it is `\"UTC\"`.
* Names are made of letters, digits, `-` and `_`.
* `--set fleets.commuters.count=1000` overrides a field, or adds one that is left out. The value is RON, without quotes
  where a string is due (`--set policy=smart`), and may be a whole struct. A name that is not there yet adds a
  fleet, site, tariff or unit, whole: `--set 'sites.depot=(import_limit: \"50 kW\")'`.

<!-- Written from the types in crates/world; `VOLTIDE_BLESS=1 cargo test -p voltide-world` writes it anew. -->
";

/// The reference as Markdown.
pub fn markdown() -> String {
    let fields = sections(&<WorldFile as Read<WorldText>>::kind());
    let mut text = format!("{HEAD}{fields}{RANGES}");
    for Physical { name, unit, usual, possible } in physical::ALL {
        let (usual, possible) = (from_to(usual, ""), from_to(possible, ""));
        let _ = writeln!(text, "| {name} | {unit} | {usual} | {possible} |");
    }
    text
}

const RANGES: &str = "
## ranges

What lies outside of what is usual is a warning; what lies outside of what can be reckoned with is an error. Money is in
the world's currency.

| quantity | unit | usual | can be reckoned with |
|---|---|---|---|
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_beside_the_worlds_is_up_to_date() {
        written::check(env!("CARGO_MANIFEST_DIR"), "../../worlds/README.md", &markdown());
    }

    #[test]
    fn every_field_has_its_meaning() {
        let text = markdown();
        assert!(
            text.lines().filter(|line| line.starts_with('|')).all(|line| !line.ends_with("|  |"))
        );
        assert!(text.contains("| `requested_kwh` |"));
    }
}
