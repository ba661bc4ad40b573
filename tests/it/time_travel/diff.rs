//! `voltide diff`: every amount is what the tables say, and where runs part is told in words.

use super::{
    STREET,
    counts::{all_rows, rows, two_fleets},
    fork,
};
use crate::{
    program::{copy, fail, root, run, succeed, voltide},
    streams::tear,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

type Row = BTreeMap<String, String>;

fn number(row: &Row, name: &str) -> f64 {
    row[name].parse().unwrap_or_else(|_| panic!("{name} of {row:?} is no number"))
}

fn sum(rows: &[Row], name: &str) -> f64 {
    rows.iter().map(|row| number(row, name)).sum()
}

/// What a run comes to by its tables: another way to each amount than that of `diff`, which sums
/// ledgers. `gone` are the cars that a fork took out.
fn by_tables(run: &Path, gone: Range<i64>) -> BTreeMap<&'static str, f64> {
    let system = all_rows(run, "system_ticks");
    let sessions = all_rows(run, "sessions");
    let hours = number(&all_rows(run, "runs")[0], "tick_s") / 3600.0;
    let net_load = |row: &Row| {
        number(row, "base_load_kw") + number(row, "ev_charge_kw")
            - number(row, "ev_discharge_kw")
            - number(row, "wind_available_kw")
            - number(row, "pv_available_kw")
    };
    let (on_board, still_wanted) = at_the_end(run, &sessions, &gone);
    BTreeMap::from([
        ("simulated_h", system.len() as f64 * hours),
        ("charged_kwh", sum(&system, "ev_charge_kw") * hours),
        ("discharged_kwh", sum(&system, "ev_discharge_kw") * hours),
        ("energy_cost", sum(&sessions, "energy_cost")),
        ("v2g_revenue", sum(&sessions, "v2g_revenue")),
        ("degradation_cost", sum(&sessions, "degradation_cost")),
        ("net_cost", sum(&sessions, "net_cost")),
        ("missing_kwh", missing(run)),
        ("net_load_peak_kw", system.iter().map(net_load).fold(f64::NEG_INFINITY, f64::max)),
        ("on_board_kwh", on_board),
        ("still_wanted_kwh", still_wanted),
    ])
}

/// Stored energy that cars lacked when they left, by the events.
fn missing(run: &Path) -> f64 {
    let events = all_rows(run, "events");
    let missed = events.iter().filter(|row| row["kind"].starts_with("TargetMissed"));
    let payload = |row: &Row| {
        let payload = row["payload"].replace("\\\"", "\"");
        serde_json::from_str::<Value>(&payload).unwrap()["missing_kwh"].as_f64().unwrap()
    };
    missed.map(payload).sum()
}

/// Energy in all cars after the last slot, and what those with open sessions lack to their targets.
fn at_the_end(run: &Path, sessions: &[Row], gone: &Range<i64>) -> (f64, f64) {
    let last_tick = all_rows(run, "system_ticks").len() - 1;
    let cars = rows(run, "ev_ticks-");
    let last: BTreeMap<i64, &Row> = cars
        .iter()
        .filter(|(ev, _)| !gone.contains(ev))
        .filter_map(|(ev, rows)| rows.last().map(|row| (*ev, row)))
        .filter(|(_, row)| row["tick"] == last_tick.to_string())
        .collect();
    let open = sessions.iter().filter(|session| session["unplugged_at"].is_empty());
    let lacks = |session: &Row| {
        let row = last[&session["ev_id"].parse::<i64>().unwrap()];
        let capacity = if session["fleet"] == "night" { 40.0 } else { 60.0 };
        (number(session, "soc_target") * capacity - number(row, "energy_kwh")).max(0.0)
    };
    (last.values().map(|row| number(row, "energy_kwh")).sum(), open.map(lacks).sum())
}

/// A copy of a run that a crash cut off, with the tables of what is left.
fn cut_off(run: &Path, out: &Path) -> PathBuf {
    let cut = out.join("cut").join(run.file_name().unwrap());
    copy(run, &cut);
    tear(&cut);
    succeed(voltide().arg("replay").arg(&cut));
    cut
}

/// A car in a world that counts in another currency.
fn in_pounds(out: &Path) -> PathBuf {
    let world = out.join("pounds.ron");
    let text = fs::read_to_string(root().join("worlds/one-car.ron")).unwrap();
    fs::write(&world, text.replace("EUR", "GBP")).unwrap();
    run(world.to_str().unwrap(), out, &[])
}

fn diff(one: &Path, other: &Path) -> Value {
    super::json(voltide().arg("diff").arg(one).arg(other))
}

#[test]
fn every_amount_is_what_the_tables_say() {
    let out = tempfile::tempdir().unwrap();
    let street = run(STREET, out.path(), &["--policy", "smart"]);
    let giving = fork(&street, "2024-06-04T12:00", &["--policy", "v2g"]);
    let fleets = two_fleets(out.path(), &[]);
    let fewer = fork(&fleets, "88", &["--set", "fleets.commuters.count=4", "--policy", "alap"]);
    let more = fork(&fleets, "88", &["--set", "fleets.night.count=9"]);
    let cut = cut_off(&street, out.path());
    let hourly = two_fleets(out.path(), &["--set", "clock.step=1 h", "--set", "clock.days=2"]);
    for (one, other, gone) in [
        (&street, &giving, 0..0),
        (&fleets, &fewer, 4..12),
        (&more, &fewer, 4..12),
        (&street, &cut, 0..0),
        (&fleets, &hourly, 0..0),
        (&street, &fleets, 0..0),
    ] {
        let diff = diff(one, other);
        let tables = [by_tables(one, 0..0), by_tables(other, gone)];
        for (name, here) in &tables[0] {
            let there = tables[1][name];
            for (side, expected) in [("one", *here), ("other", there), ("difference", there - here)]
            {
                // Energy is in tables with the digits of 32 bits.
                let digits =
                    if ["on_board_kwh", "still_wanted_kwh"].contains(name) { 1e-3 } else { 1e-6 };
                let told = diff[side][*name].as_f64();
                let two_currencies = diff["one"]["currency"] != diff["other"]["currency"];
                let money =
                    ["energy_cost", "v2g_revenue", "degradation_cost", "net_cost"].contains(name);
                if side == "difference" && money && two_currencies {
                    assert_eq!(told, None, "{name}");
                    continue;
                }
                let told = told.unwrap_or_else(|| panic!("{name} of {side}: {diff}"));
                assert!(
                    (told - expected).abs() < digits,
                    "{name} of {side}: {told}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn wear_is_part_of_the_net_cost() {
    let out = tempfile::tempdir().unwrap();
    let street = run(STREET, out.path(), &["--policy", "smart"]);
    let giving = fork(&street, "2024-06-04T12:00", &["--policy", "v2g"]);
    let other = &diff(&street, &giving)["other"];
    let amount = |name: &str| other[name].as_f64().unwrap();
    assert!(amount("degradation_cost") > 0.0);
    let net = amount("energy_cost") - amount("v2g_revenue") + amount("degradation_cost");
    assert!((amount("net_cost") - net).abs() < 1e-9);
    let summary: Value =
        serde_json::from_str(&succeed(voltide().args(["--json", "replay"]).arg(&giving))).unwrap();
    assert_eq!(other["net_cost"], summary["net_cost"], "what `drivers pay` in the summary");
}

/// The first paragraph of what `diff` says.
fn parting(one: &Path, other: &Path) -> String {
    let said = succeed(voltide().arg("diff").arg(one).arg(other));
    said.split("\n\n").next().unwrap().to_owned()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn where_runs_part_is_said_in_words() {
    let out = tempfile::tempdir().unwrap();
    let street = run(STREET, out.path(), &["--policy", "smart"]);
    let fleets = two_fleets(out.path(), &[]);
    let plant = run("worlds/ten-units/day.ron", out.path(), &[]);
    let other = |change: &str| two_fleets(out.path(), &["--set", change]);
    let changed = |parent: &Path, at: &str, change: &str| fork(parent, at, &["--set", change]);
    let cases: [(&Path, PathBuf, &[&str]); 11] = [
        (
            &street,
            changed(&street, "144", "tariff.default=0.10 CNY/kWh"),
            &[
                "at tick 144 (2024-06-04 12:00)",
                "in one: the slot passed (SlotElapsed)",
                "in the other: prices became known (PricesSet): tariff `tariff`",
            ],
        ),
        (
            &fleets,
            changed(&fleets, "88", "fleets.commuters.count=4"),
            &[
                "at tick 88 (2024-06-03 22:00)",
                "in one: the slot passed (SlotElapsed)",
                "in the other: cars unplugged (SessionEnded): 8 of them, the first is car 4, \
                 number 4 of fleet `commuters`",
            ],
        ),
        (
            &fleets,
            changed(&fleets, "72", "sites.street.import_limit=9 kW"),
            &[
                "at tick 72 (2024-06-03 18:00)",
                "in one: the slot passed (SlotElapsed)",
                "in the other: a site met its limit (LimitViolated): site `street`",
            ],
        ),
        (
            &fleets,
            other("clock.days=2"),
            &[
                "at tick 192 (2024-06-05 00:00)",
                "in one: the slot began (TickStarted)",
                "in the other: the run ended (RunEnded): finished",
            ],
        ),
        (
            &fleets,
            other("clock.step=1 h"),
            &[
                "at tick 0 (2024-06-03 00:00), where cars plugged in (SessionStarted)",
                "car 0, number 0 of fleet `commuters`, departure slot: 2024-06-03 07:45 in one, \
                 2024-06-03 07:00 in the other",
            ],
        ),
        (
            &fleets,
            other("seed=12"),
            &[
                "at tick 0 (2024-06-03 00:00), where cars plugged in (SessionStarted)",
                "car 0, number 0 of fleet `commuters`, energy: 37.705 kWh in one, 29.730 kWh in the other",
            ],
        ),
        (
            &fleets,
            other("fleets.night.count=6"),
            &[
                "at tick 0 (2024-06-03 00:00), where cars plugged in (SessionStarted)",
                "car 17, number 5 of fleet `night`: only in the other",
            ],
        ),
        (
            &fleets,
            other("tariff.default=0.31 EUR/kWh"),
            &[
                "at tick 0 (2024-06-03 00:00), where prices became known (PricesSet)",
                "tariff `tariff`, price of buying at 2024-06-03 07:00: 0.300 EUR/kWh in one, \
                 0.310 EUR/kWh in the other",
            ],
        ),
        (
            &fleets,
            other("policy=alap"),
            &[
                "at tick 0 (2024-06-03 00:00), where schedules came into force (PlansAccepted)",
                "car 0, number 0 of fleet `commuters`, power from 2024-06-03 00:00: 7.000 kW in one, \
                 0.000 kW in the other",
            ],
        ),
        (
            &street,
            cut_off(&street, out.path()),
            &[
                "at tick 128 (2024-06-04 08:00)",
                "in one: the slot began (TickStarted)",
                "in the other: nothing more; its log ends there, and it is unfinished",
            ],
        ),
        (
            &plant,
            changed(&plant, "20", "grid.margins=true"),
            &[
                "at tick 20 (2024-06-03 20:00), where the problem of the intra_day stage was solved (SolveFinished)",
                "variables: 218 in one, 239 in the other",
            ],
        ),
    ];
    for (one, other, lines) in cases {
        assert_eq!(parting(one, &other), format!("the runs part {}", lines.join("\n")));
    }
}

#[test]
fn money_of_two_currencies_has_no_difference() {
    let out = tempfile::tempdir().unwrap();
    let euros = run("worlds/one-car.ron", out.path(), &[]);
    let pounds = in_pounds(out.path());
    let said = succeed(voltide().arg("diff").arg(&euros).arg(&pounds));
    assert!(
        said.contains("there is no difference of money: one counts in EUR, the other in GBP"),
        "{said}"
    );
    let net_cost = said.lines().find(|line| line.starts_with("net cost EUR | GBP")).unwrap();
    assert!(net_cost.ends_with('-'), "{net_cost}");
    assert_eq!(diff(&euros, &pounds)["difference"]["net_cost"], Value::Null);
    assert_eq!(fail(voltide().args(["diff", "nowhere"]).arg(&euros)).0, 3);
}

#[test]
fn machines_are_told_the_same_in_fields() {
    let out = tempfile::tempdir().unwrap();
    let fleets = two_fleets(out.path(), &[]);
    let dearer = two_fleets(out.path(), &["--set", "tariff.default=0.31 EUR/kWh"]);
    let first = &diff(&fleets, &dearer)["first"];
    assert_eq!((&first["tick"], &first["local_time"]), (&json!(0), &json!("2024-06-03T00:00")));
    assert_eq!(first["one"]["event"], "PricesSet.v1");
    let difference = json!({
        "entity": { "kind": "tariff", "id": "tariff", "name": "tariff `tariff`" },
        "field": "buy",
        "slot": 28,
        "slot_local_time": "2024-06-03T07:00",
        "one": 0.3,
        "other": 0.31,
    });
    assert_eq!(first["difference"], difference);
    assert_eq!(diff(&fleets, &fleets)["first"], Value::Null);
}

#[test]
fn what_is_put_off_does_not_look_like_a_saving() {
    let out = tempfile::tempdir().unwrap();
    let prompt = run(STREET, out.path(), &["--policy", "uncontrolled"]);
    let late = run(STREET, out.path(), &["--policy", "smart"]);
    let said = succeed(voltide().arg("diff").arg(&prompt).arg(&late));
    let less = -diff(&prompt, &late)["difference"]["on_board_kwh"].as_f64().unwrap();
    assert!(less > 100.0);
    let note = format!("less on board at the end is no saving: the other has {less:.3} kWh less");
    assert_eq!(said.lines().last(), Some(note.as_str()));
}

/// What is said of less on board; nothing where that is not said.
fn less_on_board(one: &Path, other: &Path) -> Option<String> {
    let said = succeed(voltide().arg("diff").arg(one).arg(other));
    said.lines().find(|line| line.starts_with("less on board")).map(str::to_owned)
}

#[test]
fn removed_cars_count_nowhere() {
    let out = tempfile::tempdir().unwrap();
    let fleets = two_fleets(out.path(), &[]);
    let fewer = fork(&fleets, "88", &["--set", "fleets.commuters.count=4"]);
    assert_eq!(less_on_board(&fleets, &fewer), None, "those that are left do as before");
    let state = super::json(voltide().arg("state").arg(&fewer).args(["--at", "287"]));
    assert_eq!(state["cars"], 9);
    let on_board = diff(&fleets, &fewer)["other"]["on_board_kwh"].as_f64().unwrap();
    assert!((state["stored_kwh"].as_f64().unwrap() - on_board).abs() < 1e-9, "{state}");
    let before = super::json(voltide().arg("state").arg(&fewer).args(["--at", "87"]));
    assert_eq!(before["cars"], 17);
    let said = succeed(voltide().arg("replay").arg(&fewer));
    assert!(said.contains("9 cars (and 8 removed), 288 slots"), "{said}");
}

#[test]
fn nothing_is_left_for_later_in_a_day_that_follows_upon_itself() {
    let out = tempfile::tempdir().unwrap();
    let few = ["--set", "fleets.\"commuters\".count=20"];
    let run = |policy: &str| {
        run("worlds/paper/drawn.ron", out.path(), &[&few[..], &["--policy", policy]].concat())
    };
    let (one, other) = (run("uncontrolled"), run("alap"));
    let difference = diff(&one, &other)["difference"]["on_board_kwh"].as_f64().unwrap();
    assert!(difference.abs() > 1.0);
    assert_eq!(less_on_board(&one, &other), None);
}

#[test]
fn prices_that_are_announced_anew_and_are_as_before_are_no_parting() {
    let out = tempfile::tempdir().unwrap();
    let fleets = two_fleets(out.path(), &[]);
    let said = parting(&fleets, &fork(&fleets, "80", &["--policy", "alap"]));
    assert!(said.starts_with("the runs part at tick 80 (2024-06-03 20:00)"), "{said}");
    assert!(said.contains("schedules came into force") && !said.contains("prices"), "{said}");
}

#[test]
fn what_rounding_leaves_is_no_difference() {
    let out = tempfile::tempdir().unwrap();
    let fleets = two_fleets(out.path(), &["--set", "clock.days=2"]);
    let late = two_fleets(out.path(), &["--set", "clock.days=2", "--policy", "alap"]);
    let diff = diff(&fleets, &late);
    for side in ["one", "other", "difference"] {
        for (name, value) in diff[side].as_object().unwrap() {
            let amount = value.as_f64().unwrap_or_default();
            assert!(amount == 0.0 || amount.abs() > 1e-9, "{name} of {side} is {amount}");
        }
    }
}
