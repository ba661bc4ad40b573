//! A crate imports only crates above it, and keeps to what it may use.

use crate::program::root;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

/// The floors, from the top down, each with those that it may import; see ARCHITECTURE.md.
const FLOORS: &[(&str, &[&str])] = &[
    ("crates/model", &[]),
    ("crates/policy", &[]),
    ("crates/policies", &["policy"]),
    ("crates/clp", &[]),
    ("crates/schedule", &["model", "policy", "clp"]),
    ("crates/flexmeasures", &["model", "schedule"]),
    ("crates/ron-places", &[]),
    ("crates/world", &["model", "ron-places"]),
    ("crates/journal", &["model"]),
    ("crates/host", &["policy", "policies", "schedule"]),
    ("crates/engine", &["model", "policy", "schedule", "journal"]),
    ("crates/telemetry", &["model", "policies", "journal"]),
    ("crates/report", &["model"]),
    (
        "crates/cli",
        &[
            "model",
            "report",
            "policy",
            "world",
            "journal",
            "host",
            "engine",
            "telemetry",
            "flexmeasures",
            "alap",
            "coordinated",
            "edf",
            "llf",
            "round-robin",
            "smart",
            "smart-incentive",
            "threshold",
            "uncontrolled",
            "v2g",
        ],
    ),
    ("plugins/alap", &["policy", "policies"]),
    ("plugins/coordinated", &["policy", "policies"]),
    ("plugins/edf", &["policy", "policies"]),
    ("plugins/llf", &["policy", "policies"]),
    ("plugins/round-robin", &["policy", "policies"]),
    ("plugins/smart", &["policy", "policies"]),
    ("plugins/smart-incentive", &["policy", "policies"]),
    ("plugins/template", &["policy"]),
    ("plugins/threshold", &["policy", "policies"]),
    ("plugins/uncontrolled", &["policy", "policies"]),
    ("plugins/v2g", &["policy", "policies"]),
];

/// Libraries that only some floors may use.
const KEPT: &[(&str, &[&str])] = &[
    ("bevy_ecs", &["engine"]),
    ("bevy_tasks", &["engine"]),
    ("arrow-array", &["journal", "telemetry", "world", "report"]),
    ("parquet", &["telemetry", "world", "report"]),
    ("libloading", &["host"]),
    ("mcap", &["journal"]),
    ("clap", &["cli"]),
];

fn dependencies(folder: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let manifest: Table = manifest.parse().unwrap();
    let table = manifest.get("dependencies").and_then(Value::as_table).cloned().unwrap_or_default();
    table.keys().cloned().collect()
}

#[test]
fn crates_import_only_those_above_them() {
    for (folder, allowed) in FLOORS {
        for dependency in dependencies(folder) {
            let name = dependency.strip_prefix("voltide-").unwrap_or(&dependency);
            let is_floor = FLOORS.iter().any(|(floor, _)| floor.ends_with(&format!("/{name}")));
            assert!(!is_floor || allowed.contains(&name), "{folder} must not import {name}");
        }
    }
}

#[test]
fn every_crate_has_its_floor() {
    for rooms in ["crates", "plugins"] {
        for entry in fs::read_dir(root().join(rooms)).unwrap() {
            let folder = format!("{rooms}/{}", entry.unwrap().file_name().to_string_lossy());
            assert!(
                FLOORS.iter().any(|(floor, _)| *floor == folder),
                "{folder} is not in the floor plan"
            );
        }
    }
}

#[test]
fn libraries_stay_on_their_floors() {
    for (folder, _) in FLOORS {
        let name = folder.rsplit('/').next().unwrap();
        for (library, floors) in KEPT {
            let used = dependencies(folder).iter().any(|dependency| dependency == library);
            assert!(!used || floors.contains(&name), "{folder} must not use {library}");
        }
    }
}

#[test]
fn unsafe_code_is_kept_to_the_border() {
    let allowed = |file: &Path| {
        let file = file.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        ["crates/host/", "crates/policy/src/abi", "crates/clp/src/interface.rs"]
            .iter()
            .any(|border| file.starts_with(border))
    };
    for (file, text) in sources() {
        let found = text
            .lines()
            .any(|line| line.contains("unsafe ") && !line.trim_start().starts_with("//"));
        assert!(!found || allowed(&file), "{} has unsafe code", file.display());
    }
}

#[test]
fn files_are_short_enough_to_read() {
    let long: BTreeMap<_, _> = sources()
        .into_iter()
        .map(|(file, text)| (file, text.lines().count()))
        .filter(|(_, lines)| *lines > 700)
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

/// What only those rooms say that are about a kind of device: its types and its word in world files.
const DEVICES: [&[&str]; 7] = [
    &["MustTake", "must_take"],
    &["ThermalUnit", "ThermalFile"],
    &["InterruptibleLoad", "interruptible"],
    &["StoreKind", "StoreFile"],
    &["RenewableKind", "RenewableFile"],
    &["Exchange::", "Exchange,", "ExchangeFile"],
    &["Electrolyser", "electrolyser"],
];

/// See docs/decisions/devices-one-file.md.
#[test]
fn a_kind_of_device_stands_in_six_files() {
    let sources = sources();
    let code = |text: &str| {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default().lines();
        code.map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n")
            .collect::<String>()
    };
    let codes: Vec<_> = sources.iter().map(|(file, text)| (file, code(text))).collect();
    for words in DEVICES {
        let names_it = |text: &str| words.iter().any(|word| text.contains(word));
        let files: Vec<_> =
            codes.iter().filter(|(_, text)| names_it(text)).map(|(file, _)| file).collect();
        assert!((3..=6).contains(&files.len()), "{words:?}: {files:#?}");
    }
}

/// Every source file of the crates and plugins, with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> =
        FLOORS.iter().map(|(folder, _)| root().join(folder).join("src")).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}
