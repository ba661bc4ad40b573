//! Words on stdout and stderr. A reader that goes away, as `head` does, ends the program quietly.

use comfy_table::{CellAlignment, Table, presets::NOTHING};
use serde_json::{Value, json};
use std::io::{self, ErrorKind, Write};

/// Version of the JSON that `--json` prints.
const SCHEMA_VERSION: u32 = 1;

/// Prints a result.
pub(crate) fn say(text: &str) {
    deliver(writeln!(io::stdout(), "{text}"));
}

/// Prints a result as one line of JSON, with its kind and the schema's version first.
pub(crate) fn say_json(kind: &str, value: &Value) {
    let mut line = json!({ "schema_version": SCHEMA_VERSION, "kind": kind });
    if let (Some(line), Some(fields)) = (line.as_object_mut(), value.as_object()) {
        line.extend(fields.clone());
    }
    say(&line.to_string());
}

/// Prints a diagnostic.
pub(crate) fn complain(text: &str) {
    deliver(writeln!(io::stderr(), "{text}"));
}

/// Prints something in passing, unless the user wants quiet.
pub(crate) fn mention(quiet: bool, text: &str) {
    if !quiet {
        complain(text);
    }
}

fn deliver(result: io::Result<()>) {
    if let Err(error) = result
        && error.kind() == ErrorKind::BrokenPipe
    {
        std::process::exit(0);
    }
}

/// A table without rules; columns in `right` (from 0) are aligned to the right.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>, right: &[usize]) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    if !header.is_empty() {
        table.set_header(header.to_vec());
    }
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for &column in right {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.to_string().lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// A number with its thousands set apart: `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number of things: `1 car`, `2 cars`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// A number with a fixed number of decimals, its thousands set apart.
pub(crate) fn decimal(number: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", number.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let sign = if number < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) { "-" } else { "" };
    let whole = thousands(whole.parse().unwrap_or(0));
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// A size in the unit that suits it.
pub(crate) fn bytes(size: u64) -> String {
    let size = size as f64;
    match size {
        ..1e3 => format!("{size} B"),
        ..1e6 => format!("{:.1} kB", size / 1e3),
        ..1e9 => format!("{:.1} MB", size / 1e6),
        _ => format!("{:.2} GB", size / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(decimal(-1234.56, 1), "-1,234.6");
        assert_eq!(decimal(-0.01, 1), "0.0");
        assert_eq!(bytes(1_500_000), "1.5 MB");
    }
}
