//! The tables as analysts use them: the canonical questions in DuckDB, and every table in Polars.
//!
//! Needs `python3` with `venv` and `PyPI`; without them the test says so and counts as passed, but
//! not where `CI` is set.

use crate::{
    program::{root, run, succeed, text, voltide},
    resume::{kill_after, run_in, start},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const WHEELS: [&str; 4] = ["duckdb==1.4.1", "polars==1.34.0", "pytz==2025.2", "mcap==1.2.2"];

/// A virtual environment with the wheels, kept in the target folder between runs.
pub(crate) fn python() -> Option<PathBuf> {
    let folder = std::env::current_exe().unwrap().parent().unwrap().join("python-venv");
    let python = folder.join("bin/python");
    let ready = folder.join(WHEELS.join("+"));
    if ready.exists() {
        return Some(python);
    }
    let made =
        Command::new("python3").args(["-m", "venv"]).arg(&folder).output().is_ok_and(|o| o.status.success());
    let filled = made
        && Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(WHEELS)
            .output()
            .is_ok_and(|output| output.status.success());
    if filled {
        fs::write(ready, "").unwrap();
        return Some(python);
    }
    assert!(std::env::var_os("CI").is_none(), "python3 with venv and PyPI is needed in CI");
    eprintln!("ignored: python3 with venv and PyPI is not to be had here");
    None
}

/// Runs every query file in DuckDB and prints one JSON object a line: file, columns, rows.
const QUERIES: &str = r#"
import duckdb, json, pathlib, sys
connection = duckdb.connect()
connection.execute(pathlib.Path("outputs/views.sql").read_text())
for query in sorted(pathlib.Path("outputs/queries").glob("*.sql")):
    result = connection.execute(query.read_text())
    columns = [column[0] for column in result.description]
    print(json.dumps({"query": query.name, "columns": columns, "rows": result.fetchall()}, default=str))
"#;

/// Opens every table with Polars, over all runs, and prints name, rows and whether it has `run_id`.
const TABLES: &str = r#"
import json, pathlib, polars
names = sorted({path.name.split("-")[0].split(".")[0] for path in pathlib.Path("outputs").glob("**/*.parquet")})
for name in names:
    pattern = f"outputs/**/{name}-*.parquet" if name == "ev_ticks" else f"outputs/**/{name}.parquet"
    frame = polars.scan_parquet(pattern, hive_partitioning=True, missing_columns="insert").collect()
    print(json.dumps({"table": name, "rows": frame.height, "run_id": "run_id" in frame.columns}))
"#;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { fs::copy(&path, target).map(drop).unwrap() }
    }
}

fn lines(python: &Path, script: &str, folder: &Path) -> Vec<serde_json::Value> {
    let printed = succeed(Command::new(python).args(["-c", script]).current_dir(folder));
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Reads a run's segments with the mcap package, checksums included, and counts messages by schema.
const SEGMENTS: &str = r#"
import collections, json, pathlib
from mcap.reader import NonSeekingReader, make_reader
count, summarised = collections.Counter(), collections.Counter()
for segment in sorted(pathlib.Path("log").glob("*.mcap")):
    with open(segment, "rb") as file:
        for schema, channel, message in NonSeekingReader(file, validate_crcs=True).iter_messages():
            count[schema.name] += 1
            if channel.message_encoding == "json":
                json.loads(message.data)
    with open(segment, "rb") as file:
        for schema, channel, message in make_reader(file).iter_messages(log_time_order=True):
            summarised[schema.name] += 1
assert count == summarised, (count, summarised)
print(json.dumps(count))
"#;

#[test]
fn the_log_opens_with_the_mcap_package() {
    let Some(python) = python() else { return };
    let out = tempfile::tempdir().unwrap();
    for kill in [false, true] {
        let out = out.path().join(if kill { "resumed" } else { "whole" });
        let run = if kill {
            let child = start(&["run", "worlds/germany/week.ron", "--out"], &out);
            kill_after(child, std::time::Duration::from_millis(700));
            let run = run_in(&out).unwrap();
            succeed(voltide().arg("resume").arg(&run));
            run
        } else {
            run("worlds/v2g-street.ron", &out, &["--policy", "v2g"])
        };
        let counted = &lines(&python, SEGMENTS, &run)[0];
        let stats = succeed(voltide().args(["--json", "log", "ls"]).arg(&run));
        let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
        for (kind, of_kind) in stats["kinds"].as_object().unwrap() {
            assert_eq!(counted[kind], of_kind["events"], "{kind}");
        }
    }
}

#[test]
fn the_ten_questions_have_answers() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("outputs");
    copy(&root().join("outputs/queries"), &out.join("queries"));
    fs::copy(root().join("outputs/views.sql"), out.join("views.sql")).unwrap();
    run("worlds/one-car.ron", &out, &[]);
    run("worlds/acn/caltech.ron", &out, &[]);
    run("worlds/germany/week.ron", &out, &["--set", "fleets.commuters.count=300", "--set", "clock.days=2"]);

    let answers = lines(&python, QUERIES, folder.path());
    assert_eq!(answers.len(), 10);
    for answer in &answers {
        let (name, rows) = (answer["query"].as_str().unwrap(), answer["rows"].as_array().unwrap());
        if name.contains("audit") {
            assert!(rows.is_empty(), "{name}: {rows:?}");
        }
    }
    let rows = |number: usize| answers[number - 1]["rows"].as_array().unwrap().len();
    for question in [1, 2, 3, 6, 7, 8] {
        assert!(rows(question) > 0, "question {question} has no answer");
    }

    let tables = lines(&python, TABLES, folder.path());
    assert_eq!(tables.len(), 10, "{tables:?}");
    assert!(tables.iter().all(|table| table["run_id"] == true), "{tables:?}");
}

#[test]
fn an_audit_finds_what_is_wrong() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("outputs");
    copy(&root().join("outputs/queries"), &out.join("queries"));
    fs::copy(root().join("outputs/views.sql"), out.join("views.sql")).unwrap();
    let run = run("worlds/one-car.ron", &out, &[]);
    let spoil = format!(
        "import polars, pathlib\nfile = {:?}\nframe = polars.read_parquet(file, hive_partitioning=False)\n\
         frame.with_columns(polars.col('ev_charge_kw') + 1.0).write_parquet(file)",
        text(run.join("system_ticks.parquet").to_string_lossy().as_bytes())
    );
    succeed(Command::new(&python).args(["-c", &spoil]));
    let found = lines(&python, QUERIES, folder.path());
    for audit in [9, 10] {
        assert!(!found[audit - 1]["rows"].as_array().unwrap().is_empty(), "audit {audit} found nothing");
    }
}
