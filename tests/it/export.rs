//! What `log export` writes is what `log cat` tells, row for row and field for field.

use crate::{
    figures::{WORLDS, sets},
    program::{run, succeed, voltide},
    tables::{longs, texts},
};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, path::Path};

/// What an event is told as: its kind, and its content in short.
type Told = (String, Map<String, Value>);

/// The events of a run as `log cat` tells them, by number.
fn told(run: &Path) -> BTreeMap<i64, Told> {
    let printed = succeed(voltide().args(["--json", "log", "cat"]).arg(run));
    let event = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let kind = line["event"].as_str().unwrap().split('.').next().unwrap().to_owned();
        (line["seq"].as_i64().unwrap(), (kind, line["payload"].as_object().unwrap().clone()))
    };
    printed.lines().map(event).collect()
}

/// The contents of an export's rows, by the number of their event.
fn exported(table: &Path) -> BTreeMap<i64, Vec<Map<String, Value>>> {
    let numbers = longs(table, "events", "seq");
    let contents = texts(table, "events", "payload");
    let mut found: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    for (seq, content) in numbers.into_iter().zip(contents) {
        let Value::Object(content) = serde_json::from_str(&content).unwrap() else {
            panic!("{content}")
        };
        found.entry(seq).or_default().push(content);
    }
    found
}

/// What a field of a batch comes to over its rows, in the words of `log cat`.
fn in_short(short: &Value, values: &[&Value]) -> Value {
    match short {
        Value::Object(_) => {
            let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
            for word in values {
                *counts.entry(word.as_str().unwrap()).or_default() += 1;
            }
            serde_json::to_value(counts).unwrap()
        }
        Value::Number(_) if values.iter().all(|value| value.is_boolean()) => {
            values.iter().filter(|value| **value == &Value::Bool(true)).count().into()
        }
        Value::Number(_) if values.iter().all(|value| value.is_array()) => {
            values.iter().map(|value| value.as_array().unwrap().len()).sum::<usize>().into()
        }
        _ => values.iter().fold(0.0, |sum, value| sum + value.as_f64().unwrap()).into(),
    }
}

fn assert_same(at: &str, told: &Map<String, Value>, rows: &[Map<String, Value>]) {
    let Some(count) = told.get("rows") else {
        assert_eq!([told.clone()].as_slice(), rows, "{at}");
        return;
    };
    assert_eq!(count.as_u64(), Some(rows.len() as u64), "{at}");
    for (name, short) in told.iter().filter(|(name, _)| !["rows", "first"].contains(&name.as_str()))
    {
        let values: Vec<&Value> = rows.iter().map(|row| &row[name]).collect();
        if rows.is_empty() {
            continue;
        }
        assert_eq!(*short, in_short(short, &values), "{at}: {name}");
    }
}

#[test]
fn an_export_is_the_log_row_for_row_and_field_for_field() {
    let out = tempfile::tempdir().unwrap();
    for (world, changes) in WORLDS {
        let settings = sets(changes);
        let run = run(world, out.path(), &[&["--policy", "v2g"], settings.as_slice()].concat());
        let table = out.path().join("export");
        succeed(voltide().args(["log", "export", "--out"]).arg(&table).arg(&run));
        let told = told(&run);
        let exported = exported(&table);
        assert!(told.keys().eq(exported.keys()), "{world}: every event has a row");
        for (seq, (kind, short)) in &told {
            assert_same(&format!("{world}, {kind} {seq}"), short, &exported[seq]);
        }
        let stats = succeed(voltide().args(["--json", "log", "stats"]).arg(&run));
        let stats: Value = serde_json::from_str(&stats).unwrap();
        for (kind, of) in stats["kinds"].as_object().unwrap() {
            let kind = kind.split('.').next().unwrap();
            let of_kind = told.iter().filter(|(_, (name, _))| name == kind);
            let rows: usize = of_kind.map(|(seq, _)| exported[seq].len()).sum();
            assert_eq!(of["rows"].as_u64(), Some(rows as u64), "{world}, {kind}");
        }
        std::fs::remove_dir_all(&table).unwrap();
    }
}
