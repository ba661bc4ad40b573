//! The page `docs/figures.md`.

use super::{Figure, MONEY};
use crate::{
    cases, log_summary, measured,
    verb::{check, diff, redecide, state},
};
use std::fmt::Write;
use voltide_model::figure::{Field, Record};
use voltide_telemetry::{RECORDS, Summary, SystemCostRows};

#[path = "../../../../tests/written.rs"]
mod written;

const OPENING: &str = "# Figures\n\nWhat `--json` says of runs, figure by figure; the names of \
    amounts end in their units, `currency` is the world's. Figures with a heading stand in \
    tables for people, too. What happened in a run can be asked of its tables as well: \
    [outputs/README.md](../outputs/README.md) says what those hold.\n\nThis page is written by \
    `VOLTIDE_BLESS=1 cargo test --release -p voltide-cli` from what the program prints by.\n";

const OF_RUN: &str = "Lines `run`, as `run`, `fork`, `resume` and `replay` print them, with \
    `run_id` and `folder`; `cost` is what the run cost on the machine, as in `profile.json`.";

const OF_COMPARISON: &str = "Lines `compared_run`, one a run, and `comparison`, one a policy, \
    with `mean` and `sd`, the standard deviation of a sample, of each figure over its runs. \
    `first` is the run of the first policy with the same draws. Beside its figures a run has its \
    `seed`, `case` and `folder`, in what it is `unlike` the first besides its policy, what went \
    wrong first, as under [a run](#summary), and `stored_price_per_kwh`: by fleet the price at \
    which emptier batteries are filled up.\n\nA sweep has them, too: lines `sweep_point`, one a \
    run, also in its `points.parquet`, and `sweep_policy`, one a policy and combination of \
    `parameters`. There each figure has `mean`, `sd` and `half_width_95`, half the interval that \
    holds the mean of all seeds with 95 % (Student's t), and in `less_first` the same of what it is \
    more than that of the first policy, run by run with the same draws.";

const OF_CASE: &str = "Lines `compared_figure`, one a case, policy and figure: the figure's \
    `amount`, and beside it what others have `published`. `voltide compare --cases --out` writes \
    the same to `comparison.parquet`.";

const OF_DIFF: &str = "A line `diff` has these of the `one` run, of the `other`, and as the \
    `difference`: the other's less the one's.";

const OF_STATE: &str = "A line `state` says what holds in a slot: power is its mean, energy that \
    at its end.";

const OF_LOG: &str = "Lines `log`, as `log ls`, `log stats` and `log verify` print them.";

const OF_REDECIDED: &str = "A line `redecided`, as `replay --redecide` prints it.";

fn page() -> String {
    let mut page = format!("{OPENING}\n## A run\n\n{OF_RUN}\n");
    for record in RECORDS {
        page += &section(record);
    }
    page += &table("A comparison", OF_COMPARISON, &measured::COLUMNS);
    page += &table("A case of a world with a plant", OF_CASE, &cases::LINES);
    page += &table("A difference", OF_DIFF, &diff::AMOUNTS);
    page += &table("A run in a slot", OF_STATE, &state::OF_SLOT);
    page += &table(
        "All cars in a slot",
        "Without `--ev`, a line `state` has these besides.",
        &state::OF_ALL,
    );
    page += &table("Sites in a slot", "Where the world has sites, these, too.", &state::OF_SITES);
    page += &table("A site in a slot", "One of the list of `sites`.", &state::OF_SITE);
    page +=
        &table("A car in a slot", "With `--ev`, a line `state` has these instead.", &state::OF_CAR);
    page += &table(
        "A session in a slot",
        "Where that car is plugged in, these, too.",
        &state::OF_SESSION,
    );
    page += &table("A log", OF_LOG, &log_summary::OF_LOG);
    page += &table("A kind of event in a log", "One of `kinds`.", &log_summary::OF_KIND);
    page += &table(
        "A run that is not run",
        "A line `dry_run`, as `run --dry-run` prints it.",
        &check::OF_DRY_RUN,
    );
    page += &table("A policy asked again", OF_REDECIDED, &redecide::OF_AGAIN);
    page += &table(
        "What schedules come to",
        "What `recorded` and `again` hold.",
        &redecide::OF_PLANNED,
    );
    page
}

/// A record, one row a figure.
fn section(record: &Record) -> String {
    let mut text = format!("\n### {}\n\n{}\n", record.name, prose(record.meaning));
    text += "\n| figure | type | unit | meaning |\n|---|---|---|---|\n";
    for Field { name, kept, unit, sign, meaning } in record.fields {
        let sign = if sign.is_empty() { String::new() } else { format!("; {sign}") };
        let meaning = without_stop(&prose(meaning)).to_owned() + &sign;
        writeln!(text, "| `{name}` | {} | {unit} | {meaning} |", type_in_words(kept))
            .expect("a string takes all");
    }
    text
}

/// Figures that tables show, too.
fn table<F: Copy>(title: &str, about: &str, figures: &[Figure<F>]) -> String {
    let mut text = format!("\n## {title}\n\n{about}\n");
    text += "\n| figure | heading | unit | meaning |\n|---|---|---|---|\n";
    for figure in figures.iter().filter(|figure| !figure.name.is_empty()) {
        let Figure { name, unit, .. } = figure;
        let heading = figure.label.trim();
        writeln!(text, "| `{name}` | {heading} | {unit} | {} |", meaning_of(figure))
            .expect("a string takes all");
    }
    text
}

/// What a figure is: by its own words, by those of a run's figure of the same name, or by its
/// legend.
fn meaning_of<F>(figure: &Figure<F>) -> String {
    let own = if figure.meaning.is_empty() { figure.legend } else { figure.meaning };
    match of_run(figure.name).filter(|_| figure.meaning.is_empty()) {
        Some(field) => without_stop(&prose(field.meaning)).to_owned(),
        None => capitalised(&own.replace("{first}", "`first`").replace("{stored_price}", "")),
    }
}

/// A run's figure of this name.
fn of_run(name: &str) -> Option<&'static Field> {
    Summary::RECORD.field(name).or_else(|| SystemCostRows::RECORD.field(name))
}

fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn prose(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

fn without_stop(sentence: &str) -> &str {
    sentence.strip_suffix('.').unwrap_or(sentence)
}

/// A type of Rust as readers of JSON know it; records have sections of their own.
fn type_in_words(kept: &str) -> String {
    if let Some(inner) = kept.strip_prefix("Option<").and_then(|kept| kept.strip_suffix('>')) {
        return format!("{}, may be null", type_in_words(inner));
    }
    if let Some(inner) = kept.strip_prefix("Vec<").and_then(|kept| kept.strip_suffix('>')) {
        return format!("list of {}", type_in_words(inner));
    }
    match kept {
        "String" | "&'static str" => "string".to_owned(),
        "u32" | "u64" => "integer".to_owned(),
        "f64" => "number".to_owned(),
        record => format!("[{record}](#{})", record.to_lowercase()),
    }
}

/// The unit that a name ends with, as the name spells it.
fn unit_in_name(unit: &str) -> Option<String> {
    match unit {
        "kWh" | "kW" | "h" | "kW-slots" => Some(unit.to_lowercase().replace('-', "_")),
        "%" => Some("percent".to_owned()),
        _ => None,
    }
}

#[test]
fn the_page_of_figures_is_what_they_are_declared_as() {
    written::check(env!("CARGO_MANIFEST_DIR"), "../../docs/figures.md", &page());
}

#[test]
fn every_figure_says_what_it_is_and_has_its_unit_in_its_name() {
    let tables = [
        measured::COLUMNS.map(|it| (it.name, it.unit, meaning_of(&it))).to_vec(),
        cases::LINES.map(|it| (it.name, it.unit, meaning_of(&it))).to_vec(),
        diff::AMOUNTS.map(|it| (it.name, it.unit, meaning_of(&it))).to_vec(),
        state::OF_SLOT.map(|it| (it.name, it.unit, meaning_of(&it))).to_vec(),
        state::OF_ALL.map(|it| (it.name, it.unit, meaning_of(&it))).to_vec(),
        state::OF_SITES.map(|it| (it.name, it.unit, meaning_of(&it))).to_vec(),
        state::OF_SITE.map(|it| (it.name, it.unit, meaning_of(&it))).to_vec(),
        state::OF_CAR.map(|it| (it.name, it.unit, meaning_of(&it))).to_vec(),
        state::OF_SESSION.map(|it| (it.name, it.unit, meaning_of(&it))).to_vec(),
        log_summary::OF_LOG.map(|it| (it.name, it.unit, meaning_of(&it))).to_vec(),
        log_summary::OF_KIND.map(|it| (it.name, it.unit, meaning_of(&it))).to_vec(),
        check::OF_DRY_RUN.map(|it| (it.name, it.unit, meaning_of(&it))).to_vec(),
        redecide::OF_AGAIN.map(|it| (it.name, it.unit, meaning_of(&it))).to_vec(),
        redecide::OF_PLANNED.map(|it| (it.name, it.unit, meaning_of(&it))).to_vec(),
    ];
    for (name, unit, meaning) in tables.into_iter().flatten() {
        assert!(!meaning.is_empty() && !meaning.contains('{'), "{name}: {meaning}");
        assert!(unit_in_name(unit).is_none_or(|unit| name.ends_with(&unit)), "{name}: {unit}");
        let field = of_run(name);
        assert!(
            field.is_none_or(|field| field.unit == unit),
            "{name}: {unit}, and of a run {field:?}"
        );
    }
    for field in RECORDS.iter().flat_map(|record| record.fields) {
        let unit = unit_in_name(field.unit).unwrap_or_default();
        let has_unit = field.name.ends_with(&unit) || field.name.contains(&format!("{unit}_"));
        assert!(has_unit, "{field:?}");
    }
    assert_eq!(measured::COLUMNS[0].unit, MONEY);
}

#[test]
fn what_is_said_of_a_run_in_json_has_a_row_in_the_page() {
    let summary = serde_json::to_value(Summary::default()).unwrap();
    let fields = Summary::RECORD.fields;
    let declared: Vec<&str> = fields.iter().map(|field| field.name).collect();
    assert_eq!(summary.as_object().unwrap().len(), declared.len());
    assert!(declared.iter().all(|name| summary.get(name).is_some()), "{declared:?}");
}
