//! Words on stdout and stderr, and what became of them.
//!
//! Whoever reads does not decide what the program does: it goes on whether its words arrive or not,
//! and [`undelivered`] tells at the end whether the result did. Only a verb with nothing left to do
//! but to print asks [`is_heard`].

use crate::{
    progress,
    table::{Table, notes},
};
use serde_json::{Value, json};
use std::{
    io::{self, ErrorKind, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Version of the JSON that `--json` prints.
const SCHEMA_VERSION: u32 = 1;

/// What became of stdout.
enum Stdout {
    /// Nothing was printed yet.
    Unused,
    /// It took everything.
    Open,
    /// It took no more, and why: nothing is printed after that.
    Lost(io::Error),
}

static STDOUT: Mutex<Stdout> = Mutex::new(Stdout::Unused);

/// Prints a result.
pub(crate) fn say(text: &str) {
    print(|| writeln!(io::stdout(), "{text}"));
}

/// Prints a result in sentences, in lines that fit.
pub(crate) fn tell(text: &str) {
    say(&notes(text));
}

/// Prints a result as one line of JSON.
pub(crate) fn say_json(kind: &str, value: &Value) {
    say(&json_line(kind, value));
}

/// One line of JSON, with its kind and the schema's version.
pub(crate) fn json_line(kind: &str, value: &Value) -> String {
    let mut line = json!({ "schema_version": SCHEMA_VERSION, "kind": kind });
    if let (Some(line), Some(fields)) = (line.as_object_mut(), value.as_object()) {
        line.extend(fields.clone());
    }
    line.to_string()
}

/// Prints a diagnostic. One that cannot be printed has nowhere else to go, and the exit code says
/// the same in short.
pub(crate) fn complain(text: &str) {
    progress::aside(|| {
        let _ = writeln!(io::stderr(), "{text}");
    });
}

/// Prints something in passing, unless the user wants quiet.
pub(crate) fn mention(quiet: bool, text: &str) {
    if !quiet {
        complain(text);
    }
}

/// Prints with a `write` to stdout, unless stdout is lost already.
pub(crate) fn print(write: impl FnOnce() -> io::Result<()>) {
    let mut stdout = stdout();
    let ready = match *stdout {
        Stdout::Unused => takes_words(),
        Stdout::Open => Ok(()),
        Stdout::Lost(_) => return,
    };
    // Flushed at once: whether a result arrived is known before anything else is done.
    *stdout = match ready.and_then(|()| write()).and_then(|()| io::stdout().flush()) {
        Ok(()) => Stdout::Open,
        Err(error) => Stdout::Lost(error),
    };
}

/// Whether stdout may be written to. The standard library takes one that may not for one that wants
/// no words; only the system tells.
fn takes_words() -> io::Result<()> {
    nix::unistd::write(io::stdout(), &[]).map(drop).map_err(io::Error::from)
}

/// Whether more results would be printed: whether stdout has taken everything so far.
pub(crate) fn is_heard() -> bool {
    !matches!(*stdout(), Stdout::Lost(_))
}

/// Why stdout could not take a result. A reader that went away, as `head` does, had what it wanted;
/// a stdout that was closed from the start wants nothing.
pub(crate) fn undelivered() -> Option<String> {
    match &*stdout() {
        Stdout::Lost(error) if error.kind() != ErrorKind::BrokenPipe => Some(error.to_string()),
        Stdout::Lost(_) | Stdout::Unused | Stdout::Open => None,
    }
}

fn stdout() -> MutexGuard<'static, Stdout> {
    STDOUT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A table without rules, as wide as stdout; columns in `right` (from 0) are aligned to the right.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>, right: &[usize]) -> String {
    Table::new(header, rows, right).fitted()
}

/// A number with its thousands set apart: `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    grouped(&number.to_string())
}

/// Digits in groups of three; a number may have more of them than a `u64`.
fn grouped(digits: &str) -> String {
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
    // What rounds to zero has no sign.
    let sign =
        if number < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) { "-" } else { "" };
    let whole = grouped(whole);
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// The same; a dash where there is no number.
pub(crate) fn decimal_or_dash(number: Option<f64>, decimals: usize) -> String {
    number.map_or_else(|| "-".to_owned(), |number| decimal(number, decimals))
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

    #[test]
    fn a_sum_above_what_counts_hold_keeps_its_digits() {
        assert_eq!(decimal(2e19, 1), "20,000,000,000,000,000,000.0");
        assert_eq!(decimal(-1e21, 0), "-1,000,000,000,000,000,000,000");
    }
}
