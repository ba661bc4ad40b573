//! The tables as analysts use them: the canonical questions in DuckDB, and every table in Polars.
//!
//! Needs `python3` with `venv` and `PyPI`, which not every machine has: `-- --ignored` runs these.

use crate::{
    program::{copy, fail, root, run, succeed, text, voltide},
    resume::{kill_after, kill_in_its_run, start},
    tables_agree::SETS as STREET_AND_HOUSE,
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

const WHEELS: [&str; 5] =
    ["duckdb==1.4.1", "polars==1.34.0", "pytz==2025.2", "mcap==1.2.2", "scipy==1.15.3"];

/// The interpreter of a virtual environment with the wheels, kept in the target folder between runs.
///
/// Tests run side by side, and two that fill one folder at once break it: the first of them makes it.
pub(crate) fn python() -> PathBuf {
    static PYTHON: LazyLock<PathBuf> = LazyLock::new(virtual_environment);
    PYTHON.clone()
}

fn virtual_environment() -> PathBuf {
    let folder = std::env::current_exe().unwrap().parent().unwrap().join("python-venv");
    let python = folder.join("bin/python");
    let ready = folder.join(WHEELS.join("+"));
    if !ready.exists() {
        succeeds(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        succeeds(Command::new(&python).args(pip).args(WHEELS));
        fs::write(ready, "").unwrap();
    }
    python
}

fn succeeds(command: &mut Command) {
    let output = command.output().expect("python3 with venv and PyPI is needed here");
    assert!(output.status.success(), "{command:?} needs venv and PyPI:\n{}", text(&output.stderr));
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

/// Makes the tables of a run those of a version that did not know these columns.
const AGED: &str = r#"
import polars, pathlib, sys
new = {"world_hash", "parent_run_id", "forked_at_tick", "changes", "step_h", "slots", "missing_kwh",
       "requested_kwh"}
for file in pathlib.Path(sys.argv[1]).glob("*.parquet"):
    frame = polars.read_parquet(file, hive_partitioning=False)
    frame.drop([name for name in frame.columns if name in new]).write_parquet(file)
"#;

/// What the recorded sessions asked for, as their file has it in the column of this name.
const REQUESTED: &str = r#"
import duckdb, pathlib
connection = duckdb.connect()
connection.execute(pathlib.Path("outputs/views.sql").read_text())
print(connection.execute("SELECT sum(requested_kwh) FROM sessions").fetchone()[0])
"#;

/// Opens every table with Polars, over all runs, and prints name, rows and whether it has `run_id`.
const TABLES: &str = r#"
import json, pathlib, polars
names = sorted({path.name.split("-")[0].split(".")[0] for path in pathlib.Path("outputs").glob("**/*.parquet")})
for name in names:
    pattern = f"outputs/**/{name}-*.parquet" if name == "ev_ticks" else f"outputs/**/{name}.parquet"
    columns = {"missing_columns": "insert", "extra_columns": "ignore"}
    frame = polars.scan_parquet(pattern, hive_partitioning=True, **columns).collect()
    print(json.dumps({"table": name, "rows": frame.height, "run_id": "run_id" in frame.columns}))
"#;

/// Says by how much each figure of `fleet_ticks` is off at most from what the tables of cars,
/// sessions and slots say of the cars that are plugged in. Behind the house stand the neighbours,
/// and all behind the street.
const FLEETS: &str = r#"
import duckdb, json, pathlib
connection = duckdb.connect()
connection.execute(pathlib.Path("outputs/views.sql").read_text())
connection.execute("""
CREATE VIEW stood AS
    SELECT e.tick, c.fleet, e.charge_kw - e.discharge_kw AS kw, e.energy_kwh AS kwh, e.soc, e.soc_target,
           s.soc_arrival * c.capacity_kwh AS arrival_kwh,
           greatest(e.soc_target * c.capacity_kwh - e.energy_kwh, 0) AS wanted_kwh
    FROM ev_ticks e JOIN cars c USING (run_id, ev_id) JOIN sessions s USING (run_id, session_id);
CREATE VIEW grouped AS
    SELECT 'fleet' AS kind, fleet AS name, * FROM stood
    UNION ALL SELECT 'site', 'street', * FROM stood
    UNION ALL SELECT 'site', 'house', * FROM stood WHERE fleet = 'neighbours';
""")
figures = {
    "plugged": "count(*)", "power_kw": "sum(kw)", "energy_kwh": "sum(kwh)", "arrival_kwh": "sum(arrival_kwh)",
    "wanted_kwh": "sum(wanted_kwh)", "soc_target": "avg(soc_target)",
} | {f"soc_{share:02}": f"quantile_cont(soc, {share / 100})" for share in (5, 25, 50, 75, 95)}
columns = ", ".join(f"{sql} AS {name}" for name, sql in figures.items())
offs = ", ".join(f"max(abs(t.{name} - g.{name})) AS {name}" for name in figures)
off = connection.sql(f"""
    SELECT count(*) AS groups, {offs} FROM fleet_ticks t
    JOIN (SELECT kind, name, tick, {columns} FROM grouped GROUP BY ALL) g USING (kind, name, tick)
""")
print(json.dumps(dict(zip(off.columns, off.fetchone()))))
there = connection.sql("SELECT count(*), count(*) FILTER (plugged > 0) FROM fleet_ticks").fetchone()
print(json.dumps(dict(zip(("rows", "groups"), there))))
"#;

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
#[ignore = "needs python3 with venv and PyPI"]
fn the_log_opens_with_the_mcap_package() {
    let python = python();
    let out = tempfile::tempdir().unwrap();
    for kill in [false, true] {
        let out = out.path().join(if kill { "resumed" } else { "whole" });
        let run = if kill {
            let child = start(&["run", "worlds/germany/week.ron", "--out"], &out);
            let run = kill_in_its_run(child, &out, std::time::Duration::from_millis(300));
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

/// Of a world with commitment, and of one with forecast errors, stores, margins and cars whose
/// flexibility counts, before and after a fork that changes prices.
#[test]
#[ignore = "needs python3 with venv and PyPI"]
fn every_window_comes_out_again_by_equations_written_anew() {
    let script = root().join("benches/windows/solve_again.py");
    let out = tempfile::tempdir().unwrap();
    let few = ["fleets.commuters.count=300", "clock.days=2", "grid.readings=(ev_in_supply: true)"];
    let few = few.map(|set| ["--set", set]).concat();
    let week =
        run("worlds/germany/week.ron", out.path(), &[&["--policy", "v2g"], &few[..]].concat());
    let dearer = ["--json", "fork", "--at", "60", "--set", "grid.slack.terminal=0.5 EUR/kWh"];
    let fork = folder_of(voltide().args(dearer).arg(&week));
    let units = run("worlds/ten-units/day.ron", out.path(), &[]);
    for run in [week, fork, units] {
        let said = succeed(Command::new(python()).arg(&script).arg(&run));
        assert!(said.contains(" 0 differ"), "{said}");
    }
}

#[test]
#[ignore = "needs python3 with venv and PyPI"]
fn the_ten_questions_have_answers() {
    let python = python();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("outputs");
    copy(&root().join("outputs/queries"), &out.join("queries"));
    fs::copy(root().join("outputs/views.sql"), out.join("views.sql")).unwrap();
    run("worlds/one-car.ron", &out, &[]);
    run("worlds/acn/caltech.ron", &out, &[]);
    run(
        "worlds/germany/week.ron",
        &out,
        &["--set", "fleets.commuters.count=300", "--set", "clock.days=2"],
    );

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

    let requested = &lines(&python, REQUESTED, folder.path())[0];
    assert!((requested.as_f64().unwrap() - 13_261.508).abs() < 1e-6, "{requested}");

    let tables = lines(&python, TABLES, folder.path());
    assert_eq!(tables.len(), 15, "{tables:?}");
    assert!(tables.iter().all(|table| table["run_id"] == true), "{tables:?}");
}

/// Two fleets on tariffs of their own over two midnights, some of them still there at the end.
#[test]
#[ignore = "needs python3 with venv and PyPI"]
fn fleets_and_sites_hold_what_their_cars_do() {
    let python = python();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("outputs");
    let set = STREET_AND_HOUSE.iter().flat_map(|set| ["--set", set]);
    let arguments: Vec<&str> = ["--policy", "v2g"].into_iter().chain(set).collect();
    run("worlds/v2g-street.ron", &out, &arguments);
    fs::copy(root().join("outputs/views.sql"), out.join("views.sql")).unwrap();
    let [off, there] = &lines(&python, FLEETS, folder.path())[..] else { panic!("two lines") };
    assert_eq!(there["rows"], 4 * 192);
    assert_eq!(off["groups"], there["groups"], "no group but those of cars that are there");
    for (name, off) in off.as_object().unwrap().iter().filter(|(name, _)| *name != "groups") {
        assert!(off.as_f64().unwrap() < 2e-3, "{name} is {off} off");
    }
}

/// Runs a program with arguments and returns the folder of the run that it made.
fn folder_of(program: &mut Command) -> PathBuf {
    let summary: serde_json::Value = serde_json::from_str(&succeed(program)).unwrap();
    root().join(summary["folder"].as_str().unwrap())
}

/// A run that stands for one of an earlier version, one that was interrupted, two seeds of one world, the
/// same world in another currency and at another price, a fork, and a fork of that.
fn mixed_runs(python: &Path, out: &Path) {
    let street = |arguments: &[&str]| {
        let few = ["--set", "fleets.commuters.count=10"];
        run("worlds/v2g-street.ron", out, &[&few[..], arguments].concat())
    };
    for policy in ["uncontrolled", "smart"] {
        street(&["--policy", policy, "--seed", "20"]);
        street(&["--policy", policy, "--set", "clock.days=1"]);
    }
    street(&["--policy", "uncontrolled"]);
    street(&["--policy", "smart", "--set", "tariff=Fixed(\"0.30 CNY/kWh\")"]);
    let parent = street(&["--policy", "smart"]);
    let fork = |parent: &Path, arguments: &[&str]| {
        folder_of(voltide().args(["--json", "fork", "--at", "100"]).args(arguments).arg(parent))
    };
    let child = fork(&parent, &["--policy", "v2g"]);
    fork(&child, &["--set", "fleets.commuters.count=4"]);
    let week = ["run", "worlds/germany/week.ron", "--set", "fleets.commuters.count=300", "--out"];
    kill_after(start(&week, out), std::time::Duration::from_millis(700));
    let world = "worlds/one-car.ron";
    run(world, out, &["--policy", "smart"]);
    let aged = run(world, out, &[]);
    succeed(Command::new(python).args(["-c", AGED]).arg(aged));
}

/// The rows of an answer by its columns.
fn answer(
    answers: &[serde_json::Value],
    number: usize,
) -> Vec<BTreeMap<String, serde_json::Value>> {
    let answer = &answers[number - 1];
    let names: Vec<String> = serde_json::from_value(answer["columns"].clone()).unwrap();
    let rows: Vec<Vec<serde_json::Value>> = serde_json::from_value(answer["rows"].clone()).unwrap();
    rows.into_iter().map(|row| names.iter().cloned().zip(row).collect()).collect()
}

#[test]
#[ignore = "needs python3 with venv and PyPI"]
fn questions_keep_forks_worlds_and_currencies_apart() {
    let python = python();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("outputs");
    copy(&root().join("outputs/queries"), &out.join("queries"));
    fs::copy(root().join("outputs/views.sql"), out.join("views.sql")).unwrap();
    mixed_runs(&python, &out);
    let answers = lines(&python, QUERIES, folder.path());

    let costs = answer(&answers, 1);
    let street: Vec<_> = costs.iter().filter(|row| row["world"] == "v2g-street").collect();
    let seeds =
        |row: &&&BTreeMap<String, serde_json::Value>| row["runs"] == 2 && row["fork"].is_null();
    assert_eq!(street.iter().filter(seeds).count(), 2, "two seeds of two policies: {street:?}");
    assert_eq!(street.iter().filter(|row| !row["fork"].is_null()).count(), 2, "{street:?}");
    assert_eq!(street.iter().filter(|row| row["runs"] == 1 && row["fork"].is_null()).count(), 3);

    let savings = answer(&answers, 2);
    for row in &savings {
        let is_fork = !row["parent_run_id"].is_null();
        let has_base = savings.iter().any(|base| {
            base["policy"] == "uncontrolled"
                && ["world_hash", "sim_end", "seed"].iter().all(|name| base[*name] == row[*name])
                && !base["world_hash"].is_null()
        });
        assert_eq!(row["saving"].is_null(), is_fork || !has_base, "{row:?}");
    }
    assert_eq!(savings.iter().filter(|row| !row["saving"].is_null()).count(), 6);

    for number in [3, 4, 5, 6, 7, 8] {
        let rows = answer(&answers, number);
        let keys = ["run_id", "stage", "unit_kind", "fleet", "ts", "local_hour"];
        let key = |row: &BTreeMap<String, serde_json::Value>| {
            keys.map(|key| row.get(key).map(ToString::to_string).unwrap_or_default())
        };
        let unique: std::collections::BTreeSet<_> = rows.iter().map(key).collect();
        assert_eq!(unique.len(), rows.len(), "question {number} has a row twice");
        assert!(rows.iter().all(|row| row.contains_key("parent_run_id")));
    }
    let aged = |row: &&BTreeMap<String, serde_json::Value>| {
        row["world"] == "one-car" && row["policy"] == "uncontrolled"
    };
    let mix = answer(&answers, 8);
    assert!(
        mix.iter().filter(aged).all(|row| row["output_kwh"].is_null()),
        "its steps are not known"
    );
    let river = |stage: &str| {
        let rows = mix.iter().find(|row| row["stage"] == stage && row["unit_kind"] == "must_take");
        rows.map(|row| row["output_kwh"].as_f64().unwrap())
    };
    if let (Some(ahead), Some(settled)) = (river("day_ahead"), river("settled")) {
        assert!((ahead / settled - 1.0).abs() < 1e-9, "{ahead} kWh ahead, {settled} kWh settled");
    }

    let twice = out.join("again");
    fs::create_dir(&twice).unwrap();
    let first = fs::read_dir(out.join("one-car")).unwrap().next().unwrap().unwrap();
    copy(&first.path(), &twice.join(first.file_name()));
    let (_, message) = fail(Command::new(&python).args(["-c", QUERIES]).current_dir(folder.path()));
    assert!(message.contains("lies twice below outputs"), "{message}");
}

/// Counts runs by the views of a file, and says where it looked.
const ELSEWHERE: &str = r#"
import duckdb, json, pathlib, sys
connection = duckdb.connect()
if len(sys.argv) > 2:
    connection.execute(f"SET VARIABLE outputs = '{sys.argv[2]}'")
connection.execute(pathlib.Path(sys.argv[1]).read_text())
print(json.dumps(connection.sql("FROM runs").fetchall(), default=str))
"#;

#[test]
#[ignore = "needs python3 with venv and PyPI"]
fn views_work_in_any_folder() {
    let python = python();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("elsewhere");
    run("worlds/one-car.ron", &out, &[]);
    let views = root().join("outputs/views.sql");
    let runs = |at: &Path, given: &[&str]| {
        let mut command = Command::new(&python);
        command.args(["-c", ELSEWHERE]).arg(&views).args(given).current_dir(at);
        serde_json::from_str::<serde_json::Value>(&succeed(&mut command)).unwrap()
    };
    assert_eq!(runs(&out, &[]).as_array().unwrap().len(), 1);
    assert_eq!(runs(folder.path(), &[]), runs(&out, &[]));
    assert_eq!(runs(Path::new("/"), &[out.to_str().unwrap()]), runs(&out, &[]));
}

#[test]
#[ignore = "needs python3 with venv and PyPI"]
fn an_audit_finds_what_is_wrong() {
    let python = python();
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
        assert!(
            !found[audit - 1]["rows"].as_array().unwrap().is_empty(),
            "audit {audit} found nothing"
        );
    }
}
