//! Worlds that are wrong, and overrides that are.

use super::Room;
use crate::program::{fail, voltide};
use insta::assert_snapshot;
use std::fs;

/// What `check` says of the shipped world with one thing changed.
fn checked(from: &str, to: &str) -> String {
    Room::with_world(&[(from, to)]).refused(3, &["check", "world.ron"])
}

/// What `run` says of the shipped world with an override; nothing may be left behind.
fn overridden(set: &str) -> String {
    let room = Room::with_world(&[]);
    let message = room.refused(3, &["run", "world.ron", "--set", set]);
    assert!(!room.path("outputs").exists());
    message
}

#[test]
fn a_missing_world_is_named() {
    assert_snapshot!(Room::new().refused(3, &["run", "nowhere.ron"]), @r"
    × there is no world file `nowhere.ron`
    help: give the path of a .ron file, such as worlds/one-car.ron
    ");
}

#[test]
fn a_folder_is_no_world() {
    assert_snapshot!(Room::new().refused(3, &["run", "."]), @"× cannot read the world file `.`: it is a folder");
}

#[test]
fn a_wrong_unit_is_shown_with_the_right_ones() {
    assert_snapshot!(checked(r#""60 kWh""#, r#""60 kW""#), @r#"
     × `fleets.commuters.battery.capacity`: `kW` is not a unit of energy
       ╭─[world.ron:15:27]
    14 │             battery: (
    15 │                 capacity: "60 kW",
       ·                           ───┬───
       ·                              ╰── not an energy
    16 │                 soc_min: 0.2,
       ╰────
     help: an energy is written like "60 kWh" (Wh, kWh, MWh or GWh)
    "#);
}

#[test]
fn an_unknown_field_is_one_problem_even_where_it_leaves_another_missing() {
    assert_snapshot!(checked("charge_max:", "chargemax:"), @r#"
     × a charger has no field `chargemax`
       ╭─[world.ron:21:23]
    20 │             ),
    21 │             charger: (chargemax: "7 kW", discharge_max: "7 kW", connection: "11 kW"),
       ·                       ────┬────
       ·                           ╰── unknown field
    22 │             stays: Overnight(
       ╰────
     help: did you mean `charge_max`?
    "#);
}

#[test]
fn several_problems_are_shown_at_once() {
    let edits = [
        ("Europe/Berlin", "Europe/Berln"),
        ("soc_max: 1.0", "soc_max: 95"),
        ("            count: 1,\n", ""),
    ];
    assert_snapshot!(Room::with_world(&edits).refused(3, &["check", "world.ron"]), @r#"
      × `fleets.commuters.battery.soc_max`: 95 is not between 0 and 1
        ╭─[world.ron:16:26]
     15 │                 soc_min: 0.2,
     16 │                 soc_max: 95,
        ·                          ─┬
        ·                           ╰── not a share
     17 │                 charge_efficiency: 0.95,
        ╰────
      help: a share is written like 0.95 or "95 %"

      × there is no time zone `Europe/Berln`
       ╭─[world.ron:5:51]
     4 │     seed: 7,
     5 │     clock: (start: "2024-06-03T12:00", time_zone: "Europe/Berln", step: "15 min", days: 1),
       ·                                                   ───────┬──────
       ·                                                          ╰── unknown time zone
     6 │     currency: "EUR",
       ╰────
      help: did you mean `Europe/Berlin`?

      × `fleets.commuters` lacks `count`
        ╭─[world.ron:12:22]
     11 │     fleets: {
     12 │         "commuters": (
        ·                      ┬
        ·                      ╰── `count` is missing here
     13 │             battery: (
        ╰────
      help: add for example
            count: 100,

    world.ron has 3 problems
    "#);
}

#[test]
fn a_sound_world_is_told_apart_from_a_broken_one() {
    let room = Room::with_world(&[]);
    let output = room.voltide(&["check", "nowhere.ron", "world.ron"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "world.ron: ok\n");
}

#[test]
fn a_fleet_without_cars_is_refused() {
    assert_snapshot!(checked("count: 1,", "count: 0,"), @r#"
     × `fleets.commuters` has no cars
       ╭─[world.ron:13:20]
    12 │         "commuters": (
    13 │             count: 0,
       ·                    ┬
       ·                    ╰── zero cars
    14 │             battery: (
       ╰────
     help: give at least 1, or remove the fleet
    "#);
}

#[test]
fn more_cars_than_can_be_numbered_are_refused() {
    assert_snapshot!(overridden("fleets.commuters.count=4000000000"), @r#"
     × 12000000000 stays are more than can be numbered
      ╭─[world.ron:2:1]
    1 │ // One car, one day: the smallest world. It runs in a blink.
    2 │ (
      · ┬
      · ╰── this world
    3 │     name: "one-car",
      ╰────
     help: simulate fewer cars or fewer days
    "#);
}

#[test]
fn a_negative_capacity_is_refused() {
    assert_snapshot!(checked(r#""60 kWh""#, r#""-60 kWh""#), @r#"
     × `fleets.commuters.battery.capacity` is -60 kWh
       ╭─[world.ron:15:27]
    14 │             battery: (
    15 │                 capacity: "-60 kWh",
       ·                           ────┬────
       ·                               ╰── out of range
    16 │                 soc_min: 0.2,
       ╰────
     help: it must be above 0 kWh
    "#);
}

#[test]
fn nan_and_infinity_are_no_quantities() {
    let edits = [
        ("mean: 0.6", "mean: NaN"),
        (r#""3 kWh""#, r#""inf kWh""#),
        (r#""7 kW""#, r#""1e999 kW""#),
    ];
    assert_snapshot!(Room::with_world(&edits).refused(3, &["check", "world.ron"]), @r#"
      × `fleets.commuters.charger.charge_max`: `1e999 kW` is not a finite number
        ╭─[world.ron:21:35]
     20 │             ),
     21 │             charger: (charge_max: "1e999 kW", discharge_max: "7 kW", connection: "11 kW"),
        ·                                   ─────┬────
        ·                                        ╰── not a power
     22 │             stays: Overnight(
        ╰────
      help: a power is written like "7 kW" (W, kW, MW or GW)

      × `fleets.commuters.trip_energy.sd`: `inf kWh` does not begin with a number
        ╭─[world.ron:26:54]
     25 │             ),
     26 │             trip_energy: Normal(mean: "7.3 kWh", sd: "inf kWh", min: "0.5 kWh", max: "30 kWh"),
        ·                                                      ────┬────
        ·                                                          ╰── not an energy
     27 │             soc_on_arrival: Normal(mean: NaN, sd: 0.1, min: 0.2, max: 1.0),   // of the first stay only
        ╰────
      help: an energy is written like "60 kWh" (Wh, kWh, MWh or GWh)

      × `fleets.commuters.soc_on_arrival.mean`: NaN is not between 0 and 1
        ╭─[world.ron:27:42]
     26 │             trip_energy: Normal(mean: "7.3 kWh", sd: "inf kWh", min: "0.5 kWh", max: "30 kWh"),
     27 │             soc_on_arrival: Normal(mean: NaN, sd: 0.1, min: 0.2, max: 1.0),   // of the first stay only
        ·                                          ─┬─
        ·                                           ╰── not a share
     28 │             departure_soc: Normal(mean: 0.85, sd: 0.15, min: 0.2, max: 1.0),
        ╰────
      help: a share is written like 0.95 or "95 %"

    world.ron has 3 problems
    "#);
}

#[test]
fn an_override_with_a_wrong_value_points_at_itself() {
    assert_snapshot!(overridden("fleets.commuters.battery.capacity=60 kilowatt"), @r#"
     × `fleets.commuters.battery.capacity`: `kilowatt` is not a unit of energy
      ╭─[from --set #1:1:35]
    1 │ fleets.commuters.battery.capacity=60 kilowatt
      ·                                   ─────┬─────
      ·                                        ╰── not an energy
      ╰────
     help: an energy is written like "60 kWh" (Wh, kWh, MWh or GWh)
    "#);
    assert_snapshot!(overridden("fleets.commuters.battery.capacity=sixty"), @r"
     × `fleets.commuters.battery.capacity` should be an energy or Normal(...), Uniform(...), Empirical(...), but it is `sixty`
      ╭─[from --set #1:1:35]
    1 │ fleets.commuters.battery.capacity=sixty
      ·                                   ──┬──
      ·                                     ╰── expected an energy or Normal(...), Uniform(...), Empirical(...)
      ╰────
    ");
}

#[test]
fn an_override_that_leads_nowhere_suggests_where_to() {
    assert_snapshot!(overridden("fleets.commuter.count=5"), @r"
     × --set #1: there is no `commuter` in `fleets`
      ╭─[from --set #1:1:8]
    1 │ fleets.commuter.count=5
      ·        ────┬───
      ·            ╰── this override
      ╰────
     help: did you mean `commuters`?
    ");
    assert_snapshot!(overridden("clock..days=5"), @r"
     × --set #1: `clock..days` is not a path
      ╭─[from --set #1:1:1]
    1 │ clock..days=5
      · ─────┬─────
      ·      ╰── this override
      ╰────
     help: a path is names with dots between them, such as fleets.commuters.count
    ");
    assert_snapshot!(overridden("seed"), @r"
     × --set #1: it is not `path=value`
      ╭─[from --set #1:1:1]
    1 │ seed
      · ──┬─
      ·   ╰── this override
      ╰────
     help: for example clock.days=1
    ");
}

#[test]
fn the_second_override_is_called_the_second() {
    let room = Room::with_world(&[]);
    let sets = ["--set", "seed=2", "--set", "clock.dayz=2"];
    let message = room.refused(3, &[&["check", "world.ron"], &sets[..]].concat());
    assert_snapshot!(message, @r"
     × --set #2: there is no `dayz` in `clock`
      ╭─[from --set #2:1:7]
    1 │ clock.dayz=2
      ·       ──┬─
      ·         ╰── this override
      ╰────
     help: did you mean `days`?
    ");
}

/// What overrides of a shipped world are refused with, its first line.
fn refused_with(world: &str, set: &str) -> String {
    let (code, message) = fail(voltide().args(["check", world, "--set", set]));
    assert_eq!(code, 3, "{set}: {message}");
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Without these limits a run panics, takes all memory, or ends in the solver.
#[test]
fn values_and_counts_that_cannot_be_reckoned_with_are_named() {
    let (car, units) = ("worlds/one-car.ron", "worlds/ten-units/day.ron");
    for (world, set, expected) in [
        (car, "grid=()", "`grid` has no units"),
        (
            car,
            "fleets.commuters.count=700000000",
            "cars with 2100000000 stays take 209 GiB of memory",
        ),
        (
            car,
            "fleets.commuters.battery.capacity=1e308 kWh",
            "is 1e308 kWh, which cannot be reckoned with",
        ),
        (
            car,
            "fleets.commuters.trip_energy=1e308 kWh",
            "is 1e308 kWh, which cannot be reckoned with",
        ),
        (
            car,
            "fleets.commuters.charger.charge_max=1e308 kW",
            "is 1e308 kW, which cannot be reckoned with",
        ),
        (
            car,
            r#"feed_in=Fixed("1e100 EUR/kWh")"#,
            "is 1e100 per kWh, which cannot be reckoned with",
        ),
        (units, "grid.stages.segments=4294967295", "`segments` is 4294967295; the most is 100"),
        (units, "grid.slack.unserved=1e100 USD/kWh", "cannot be reckoned with"),
    ] {
        let message = refused_with(world, set);
        assert!(message.contains(expected), "{set}: {message}");
    }
}

#[test]
fn an_override_that_is_not_deep_enough_is_shown_the_whole_path() {
    let message = overridden("count=5");
    assert!(message.contains("did you mean `fleets.commuters.count`?"), "{message}");
    assert!(overridden("soc_min=0.1").contains("did you mean `fleets.commuters.battery.soc_min`?"));
    assert!(
        overridden("fleets.soc_min=0.1")
            .contains("did you mean `fleets.commuters.battery.soc_min`?")
    );
    assert!(overridden("cluck.days=5").contains("did you mean `clock`?"));
}

#[test]
fn a_decimal_comma_is_known_for_what_it_is() {
    for (set, meant) in [
        ("fleets.commuters.battery.capacity=7,4 kWh", "`7.4 kWh`"),
        ("fleets.commuters.charger.charge_max=1.234,5 kW", "`1234.5 kW`"),
        ("tariff=0,30 EUR/kWh", "`0.30 EUR/kWh`"),
        ("fleets.commuters.battery.soc_min=\"12,5 %\"", "`12.5 %`"),
        ("clock.step=0,25 h", "`0.25 h`"),
    ] {
        let message = overridden(set);
        assert!(
            message.contains("has a comma; the decimal sign is a point") && message.contains(meant),
            "{message}"
        );
    }
    let message = checked("soc_min: 0.2", "soc_min: 0,2");
    assert!(
        message.contains("a number has a comma in it") && message.contains("world.ron:16:27"),
        "{message}"
    );
}

#[test]
fn a_missing_comma_is_shown_where_it_belongs() {
    for line in ["seed: 7", "seed: 7 // seven", "seed: 7   /* seven, \"7 */ // lucky"] {
        let message = checked("seed: 7,", line);
        assert!(
            message.contains("a comma is missing") && message.contains("world.ron:4:11"),
            "{line}: {message}"
        );
    }
    let message = checked("time_zone: \"Europe/Berlin\",", "time_zone: \"http://Berlin\"");
    assert!(message.contains("world.ron:5:65"), "{message}");
}

#[test]
fn a_value_that_holds_for_the_whole_run_is_not_given_over_time() {
    for (set, of) in [
        (
            "sites.depot=(import_limit: TimeOfUse(default: \"5 kW\", bands: []))",
            "`sites.depot.import_limit`",
        ),
        (
            "sites.depot=(import_limit: Series(path: \"x.csv\", column: \"kw\"))",
            "`sites.depot.import_limit`",
        ),
        (
            "fleets.commuters.charger.charge_max=TimeOfUse(default: \"5 kW\", bands: [])",
            "`fleets.commuters.charger.charge_max`",
        ),
        (
            "fleets.commuters.departure_soc=Series(path: \"x.csv\")",
            "`fleets.commuters.departure_soc`",
        ),
    ] {
        let message = overridden(set);
        let flat = message.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            flat.contains(of) && flat.contains("this is one value for the whole run"),
            "{message}"
        );
    }
}

/// A program may write a world in one line, and an override of any length.
#[test]
fn of_a_very_long_line_what_is_beside_the_place_is_shown() {
    let room = Room::with_world(&[("soc_min: 0.2", "soc_min: 7")]);
    let world = fs::read_to_string(room.path("world.ron")).unwrap();
    let code =
        world.lines().map(|line| line.split("//").next().unwrap().trim()).collect::<String>();
    let filler = "/* ä */".repeat(20_000);
    room.write("world.ron", &code.replacen("battery:", &format!("{filler}battery:"), 1));
    let message = room.refused(3, &["check", "world.ron"]);
    assert!(message.contains("[world.ron:1:140"), "{message}");
    assert!(
        message.contains("…") && message.lines().all(|line| line.chars().count() < 200),
        "{message}"
    );
    assert!(message.contains("soc_min: 7"), "{message}");
    let name = "n".repeat(100_000);
    let message =
        room.refused(3, &["check", "world.ron", "--set", &format!("fleets.{name}=(count: 1)")]);
    assert!(message.contains("[from --set #1:1:"), "{message}");
}

#[test]
fn counts_begin_at_one() {
    for set in [
        "fleets.commuters.count=-3",
        "clock.days=-1",
        "run.durability=Every(-1)",
        "fleets.commuters.count=1.5",
    ] {
        let message = overridden(set);
        assert!(message.contains("a whole number from 1 to"), "{message}");
    }
    let message = overridden("clock.days=1e9");
    assert!(message.contains("a whole number from 1 to 20000,"), "{message}");
}
