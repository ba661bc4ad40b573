//! What can be run but is hardly meant: said once, counted, and an error where that is asked for.

use super::{Room, root, text};
use crate::program::{assert_same_files, files, run, succeed, voltide};
use serde_json::Value;
use std::{fs, path::Path};

/// A world with nothing to warn of, but for what edits do to it.
const WORLD: &str = r#"(
    name: "warned",
    clock: (start: "2024-06-03T00:00", time_zone: "Europe/Berlin", step: "15 min", days: 1),
    currency: "EUR",
    tariff: "0.30 EUR/kWh",
    feed_in: "0.20 EUR/kWh",
    tariffs: {"night": (buy: "0.25 EUR/kWh")},
    sites: {"town": (import_limit: "90 kW"), "depot": (import_limit: "30 kW", parent: "town")},
    fleets: {
        "cars": (
            count: 3,
            battery: (capacity: "60 kWh", soc_min: 0.2, charge_efficiency: 0.95, discharge_efficiency: 0.9),
            charger: (charge_max: "11 kW", discharge_max: "7 kW", site: "depot"),
            stays: Overnight(arrive: "17:30", leave: "07:00"),
            trip_energy: "7 kWh",
            soc_on_arrival: 0.6,
            departure_soc: Normal(mean: 0.8, sd: 0.1),
        ),
        "vans": (
            count: 1,
            tariff: "night",
            battery: (capacity: "60 kWh"),
            charger: (charge_max: "22 kW", site: "depot"),
            stays: Workplace(arrive: "08:00", leave: "16:30"),
            trip_energy: "7 kWh",
            soc_on_arrival: 0.6,
        ),
    },
    policy: "edf",
)"#;

/// Overrides, and what is said of each: message, and place in it.
const CASES: [(&[&str], &str, (&str, u64)); 14] = [
    (
        &["fleets.cars.departure_soc=0.1"],
        "`fleets.cars.departure_soc` is 0.100 where `soc_min` is 0.2",
        ("from --set #1", 27),
    ),
    (
        &["fleets.cars.departure_soc=Uniform(min: 0.1, max: 0.9)"],
        "is 0.100 where `soc_min` is 0.2",
        ("from --set #1", 27),
    ),
    (
        &["fleets.cars.charger.charge_max=7 MW"],
        "`charge_max` is 7000 kW, which is not usual",
        ("from --set #1", 32),
    ),
    (
        &["fleets.cars.charger.discharge_max=7 MW"],
        "`discharge_max` is 7000 kW, which is not usual",
        ("from --set #1", 35),
    ),
    (
        &["feed_in=0.40 EUR/kWh"],
        "a kWh that is fed in earns 0.4, and one that is bought costs 0.3 EUR/kWh",
        ("from --set #1", 9),
    ),
    (
        &["tariffs.night.sell=0.4 EUR/kWh", "fleets.cars.tariff=night"],
        "earns 0.4, and one that is bought costs 0.25 EUR/kWh",
        ("from --set #1", 20),
    ),
    (
        &[
            r#"feed_in=TimeOfUse(default: "0.1 EUR/kWh", bands: [(from: "22:00", value: "0.5 EUR/kWh")])"#,
        ],
        "at 2024-06-03 22:00 a kWh that is fed in earns 0.5",
        ("from --set #1", 9),
    ),
    (
        &[r#"sites.mall=(import_limit: "50 kW")"#],
        "no charger stands behind site `mall`",
        ("from --set #1", 1),
    ),
    (
        &[r#"tariffs.day=(buy: "0.3 EUR/kWh")"#],
        "no fleet has the tariff `day`",
        ("from --set #1", 1),
    ),
    (
        &["sites.depot.import_limit=10 kW"],
        "`import_limit` is 10 kW, and the least charger behind it has 11 kW",
        ("from --set #1", 26),
    ),
    (
        &["sites.town.import_limit=10 kW"],
        "`import_limit` is 10 kW, and the least charger behind it has 11 kW",
        ("from --set #1", 25),
    ),
    (
        &["sites.depot.export_limit=2 kW"],
        "`export_limit` is 2 kW, and the least charger behind it has 7 kW",
        ("from --set #1", 26),
    ),
    (
        &[r#"policies={"threshold": ()}"#],
        "nothing uses the config of policy `threshold`",
        ("from --set #1", 11),
    ),
    (
        &["policy=alap"],
        "policy `alap` does not know the limit of site `depot`: 30 kW, for chargers of 55 kW",
        ("from --set #1", 8),
    ),
];

fn room() -> Room {
    let room = Room::new();
    room.write("world.ron", WORLD);
    room
}

/// The warnings of `check --json`.
fn warnings(room: &Room, sets: &[&str]) -> Vec<Value> {
    let sets = sets.iter().flat_map(|set| ["--set", set]);
    let printed = succeed(room.voltide(&["check", "world.ron", "--json"]).args(sets));
    let found: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(found["ok"], true);
    found["warnings"].as_array().unwrap().clone()
}

#[test]
fn what_is_hardly_meant_is_a_warning_at_its_place() {
    let room = room();
    assert_eq!(warnings(&room, &[]), [] as [Value; 0]);
    for (sets, message, (path, column)) in CASES {
        let found = warnings(&room, sets);
        assert_eq!(found.len(), 1, "{sets:?}: {found:?}");
        let warning = &found[0];
        assert!(warning["message"].as_str().unwrap().contains(message), "{sets:?}: {warning}");
        assert_eq!(
            (warning["path"].as_str(), warning["column"].as_u64()),
            (Some(path), Some(column)),
            "{sets:?}"
        );
        assert_eq!((&warning["severity"], &warning["code"]), (&"warning".into(), &Value::Null));
    }
}

#[test]
fn what_is_meant_is_no_warning() {
    let room = room();
    for sets in [
        // Where prices are below 0 for both, taking energy is paid for.
        &["tariff=-0.1 EUR/kWh", "feed_in=-0.1 EUR/kWh"][..],
        // Losses and wear eat up what selling earns.
        &["feed_in=0.34 EUR/kWh"],
        &["feed_in=0.40 EUR/kWh", "fleets.cars.battery.degradation=0.1 EUR/kWh"],
        // Nobody can sell.
        &["feed_in=3 EUR/kWh", "fleets.cars.charger.discharge_max=0 kW"],
        // Nothing may be fed in.
        &["sites.depot.export_limit=0 kW"],
        // The limit never binds, or the policy is the baseline.
        &["policy=smart", "sites.depot.import_limit=60 kW"],
        &["policy=uncontrolled"],
        // The fallback reads it.
        &[r#"policies={"threshold": ()}"#, "fallback=threshold"],
        // Only one in a thousand wants so little.
        &["fleets.cars.departure_soc=Normal(mean: 0.8, sd: 0.2)"],
    ] {
        assert_eq!(warnings(&room, sets), [] as [Value; 0], "{sets:?}");
    }
}

#[test]
fn example_worlds_have_no_warnings() {
    let worlds: Vec<String> = ["", "acn", "germany", "paper", "ten-units"]
        .iter()
        .flat_map(|folder| fs::read_dir(root().join("worlds").join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ron"))
        .map(|path| path.display().to_string())
        .collect();
    assert!(worlds.len() >= 10, "{worlds:?}");
    let output = voltide().args(["check", "--deny", "warnings"]).args(&worlds).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", text(&output.stderr));
}

const TWO: [&str; 4] =
    ["--set", "fleets.cars.departure_soc=0.1", "--set", r#"tariffs.day=(buy: "0.3 EUR/kWh")"#];

#[test]
fn warnings_are_said_once_and_counted_and_denied_by_every_verb_that_reads_a_world() {
    let room = room();
    succeed(&mut room.voltide(&["run", "world.ron", "-q"]));
    let parent = room.only_run("outputs");
    let fork = ["fork", parent.to_str().unwrap(), "--at", "20", "--out", "forks"];
    let changes = ["--set", "sites.depot.import_limit=10 kW", "--set", "feed_in=0.4 EUR/kWh"];
    let compare = ["compare", "world.ron", "--policies", "uncontrolled,edf", "--out", "compared"];
    let run = ["run", "world.ron", "--out", "runs"];
    let check = ["check", "world.ron"];
    let verbs: [(&[&str], &[&str]); 4] =
        [(&check, &TWO), (&run, &TWO), (&compare, &TWO), (&fork, &changes)];
    for (verb, sets) in verbs {
        let denied = [verb, sets, &["--deny", "warnings"]].concat();
        let message = room.refused(3, &denied);
        assert!(
            message.contains("2 warnings are errors with --deny warnings"),
            "{verb:?}: {message}"
        );
        assert!(message.contains('×') && !message.contains('⚠'), "{message}");
        for folder in ["forks", "runs", "compared"] {
            assert!(!room.path(folder).exists(), "{verb:?} leaves something");
        }
    }
    for (verb, sets) in verbs {
        let output = room.voltide(&[verb, sets].concat()).output().unwrap();
        assert!(output.status.success(), "{verb:?}");
        let said = text(&output.stderr);
        assert_eq!(said.matches('⚠').count(), 2, "{verb:?}: {said}");
        assert_eq!(said.trim_end().lines().last(), Some("2 warnings"), "{verb:?}: {said}");
        let quiet = room.voltide(
            &[verb, sets, &["-q"], if verb[0] == "check" { &[] } else { &["--replace"] }].concat(),
        );
        let quiet = { quiet }.output().unwrap();
        assert_eq!(text(&quiet.stderr), "", "{verb:?}");
    }
}

#[test]
fn with_json_warnings_are_objects_beside_the_result() {
    let room = room();
    let output =
        room.voltide(&[&["--json", "run", "world.ron"], &TWO[..]].concat()).output().unwrap();
    let result: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    assert_eq!(result["status"], "finished");
    let said = text(&output.stderr);
    let warnings: Vec<Value> =
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(warnings.len(), 2, "{said}");
    assert!(
        warnings.iter().all(|it| it["kind"] == "problem" && it["severity"] == "warning"),
        "{said}"
    );
}

#[test]
fn quiet_prints_only_the_folder() {
    let room = room();
    let printed = succeed(room.voltide(&["run", "world.ron", "-q"]).args(TWO));
    assert_eq!(printed, format!("{}\n", room.only_run("outputs").display()));
    let fork = succeed(&mut room.voltide(&["-q", "fork", printed.trim(), "--at", "20"]));
    assert!(room.path(fork.trim_end()).join("manifest.json").is_file(), "{fork}");
}

/// `--deny warnings` on a world that has none changes nothing, and neither does hearing of them.
#[test]
fn warnings_are_no_part_of_a_run() {
    let room = room();
    let world = room.path("world.ron").display().to_string();
    let more = [&TWO[..], &["--quiet"]].concat();
    let heard = run(&world, &room.path("heard"), &TWO);
    let unheard = run(&world, &room.path("unheard"), &more);
    assert_eq!(heard.file_name(), unheard.file_name());
    let bytes = |run: &Path| {
        let mut files = files(run);
        files.remove("profile.json");
        files
    };
    assert_same_files(&bytes(&heard), &bytes(&unheard));
}

#[test]
fn overrides_add_fleets_sites_and_tariffs() {
    let room = room();
    let sets = [
        r#"fleets.pool=(count: 2, tariff: "pool", battery: (capacity: "40 kWh"),
            charger: (charge_max: "11 kW", site: "mall"),
            stays: Overnight(arrive: "18:00", leave: "06:00"), trip_energy: "5 kWh", soc_on_arrival: 0.5)"#,
        r#"sites.mall=(import_limit: "50 kW")"#,
        r#"tariffs.pool=(buy: "0.28 EUR/kWh")"#,
    ];
    assert_eq!(warnings(&room, &sets), [] as [Value; 0]);
    let sets = sets.map(|set| ["--set", set]).concat();
    let printed = succeed(room.voltide(&["--json", "run", "world.ron", "--dry-run"]).args(sets));
    let found: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(found["ev_count"], 6, "three cars, one van and two of the pool");
}
