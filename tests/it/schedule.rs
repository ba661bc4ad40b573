//! `voltide schedule`: FlexMeasures problems from the command line.

use crate::program::{fail, root, succeed, text, voltide};
use insta::assert_snapshot;
use serde_json::Value;
use std::{fs, path::Path, process::Command};
use tempfile::TempDir;

fn case(name: &str) -> String {
    root().join(format!("tests/cases/flexmeasures/{name}.json")).display().to_string()
}

fn schedule(arguments: &[&str]) -> Command {
    let mut command = voltide();
    command.arg("schedule").args(arguments);
    command
}

fn last_line(printed: &str) -> Value {
    serde_json::from_str(printed.lines().last().unwrap()).unwrap()
}

/// The fragments that the FlexMeasures tutorial on V2G shows, and prices in a file.
fn tutorial(room: &Path) {
    let event = |value: u32, at: &str| {
        format!(r#"{{"value": {value}, "datetime": "2024-02-05T{at}:00+01:00"}}"#)
    };
    let held: Vec<String> =
        ["08:00", "08:05", "08:10", "08:15"].iter().map(|at| event(57, at)).collect();
    let files = [
        (
            "protection.json",
            r#"{"flex-model": {"soc-min": 15, "soc-max": 60, "soc-unit": "kWh", "soc-maxima":
            [{"value": 51, "start": "2024-02-04T10:35:00+01:00", "end": "2024-02-05T04:25:00+01:00"}]}}"#
                .to_owned(),
        ),
        ("reservation.json", format!(r#"{{"flex-model": {{"soc-minima": [{}]}}}}"#, held.join(", "))),
        (
            "prices.json",
            r#"{"flex-context": {"consumption-price-sensor": 41, "production-price-sensor": 42}}"#.to_owned(),
        ),
    ];
    for (name, content) in files {
        fs::write(room.join(name), content).unwrap();
    }
    let hours = (0..25).map(|hour| {
        let at = format!("2024-02-0{}T{:02}:00:00+01:00", 4 + (10 + hour) / 24, (10 + hour) % 24);
        let price = 200 + [0, -60, 40, 90][hour as usize % 4];
        format!("{at},{price},{}\n", price - 20)
    });
    let rows: String = hours.collect();
    fs::write(room.join("prices.csv"), format!("ts,buy_eur_per_mwh,sell_eur_per_mwh\n{rows}"))
        .unwrap();
}

#[test]
fn the_fragments_of_the_tutorial_are_completed_by_flags() {
    let room = TempDir::new().unwrap();
    tutorial(room.path());
    let fragments = ["protection.json", "--merge", "reservation.json", "prices.json"];
    let (code, message) = fail(schedule(&fragments).current_dir(room.path()));
    assert_eq!(code, 3);
    assert_snapshot!(message, @r"
      × rejected (schema): still missing: `start`, `end` or `duration`, `resolution`, `flex-model.power-capacity`, `flex-model.soc-at-start`, the series of sensor `41` (flex-context.consumption-price-sensor), the series of sensor `42` (flex-context.production-price-sensor)
    ");
    let complete = [
        "--start",
        "2024-02-04T10:30:00+01:00",
        "--duration",
        "PT24H",
        "--resolution",
        "PT5M",
        "--soc-at-start",
        "30 kWh",
        "--power-capacity",
        "11 kW",
        "--sensor",
        "41=prices.csv:buy_eur_per_mwh",
        "--sensor",
        "42=prices.csv:sell_eur_per_mwh",
    ];
    let printed =
        succeed(schedule(&fragments).args(complete).arg("--json").current_dir(room.path()));
    let answer = last_line(&printed);
    assert_eq!((&answer["status"], &answer["kind"]), (&"optimal".into(), &"schedule".into()));
    let energy: Vec<f64> = serde_json::from_value(answer["soc_kwh"]["battery"].clone()).unwrap();
    // 08:00 is slot 258 after 10:30 the day before.
    assert!(energy[258..=261].iter().all(|&energy| energy >= 57.0 - 1e-6));
    assert!(energy[1..=215].iter().all(|&energy| (15.0 - 1e-6..=51.0 + 1e-6).contains(&energy)));
    assert_eq!(answer["unresolved"], serde_json::json!([]));
}

#[test]
fn a_schedule_is_a_table_with_its_costs() {
    let printed = succeed(&mut schedule(&[&case("start_below_min")]));
    assert_snapshot!(printed, @r"
    from              to                battery kW  battery kWh at end
    2024-02-04 10:30  2024-02-04 10:55      11.000              14.348
    2024-02-04 10:55  2024-02-04 11:00       8.246              15.000
    2024-02-04 11:00  2024-02-05 01:00       0.000              15.000
    2024-02-05 01:00  2024-02-05 05:00      11.000              56.742
    2024-02-05 05:00  2024-02-05 05:05       3.263              57.000
    2024-02-05 05:05  2024-02-05 08:15       0.000              57.000
    2024-02-05 08:15  2024-02-05 10:30     -11.000              30.911

    for                                   cost EUR
    electricity net energy                7.180665
    electricity any consumption breach    0.000000
    electricity all consumption breaches  0.000000
    electricity any production breach     0.000000
    electricity all production breaches   0.000000
    prefer a full storage 0 sooner        0.002094
    any soc minima                        0.000000
    all soc minima                        0.000000
    any soc maxima                        0.000000
    all soc maxima                        0.000000
    objective                             7.182759

    unmet    constraint  at                                   by
    battery  soc-min     2024-02-04T09:35:00+00:00  4.130374 kWh
    battery  soc-min     2024-02-04T09:40:00+00:00  3.260747 kWh
    battery  soc-min     2024-02-04T09:45:00+00:00  2.391121 kWh
    battery  soc-min     2024-02-04T09:50:00+00:00  1.521495 kWh
    battery  soc-min     2024-02-04T09:55:00+00:00  0.651868 kWh
    ");
}

#[test]
fn what_cannot_be_solved_has_an_exit_code_and_a_last_line() {
    let run = |arguments: &[&str]| {
        let output = schedule(arguments).output().unwrap();
        (output.status.code().unwrap(), text(&output.stdout))
    };
    let (code, printed) = run(&[&case("naive_datetime_rejected"), "--json"]);
    let answer = last_line(&printed);
    assert_eq!((code, answer["status"].as_str()), (3, Some("rejected")));
    assert_eq!(answer["path"], "flex-model.soc-minima[0].datetime");
    let (code, printed) = run(&[&case("start_below_min"), "--mode", "flexmeasures", "--json"]);
    assert_eq!((code, last_line(&printed)["status"].as_str()), (4, Some("infeasible")));
    let (code, message) = fail(&mut schedule(&["nowhere.json"]));
    assert_eq!(code, 3);
    assert!(message.contains("cannot read nowhere.json"), "{message}");
    for wrong in ["41", "41=", "41=prices.csv:price"] {
        let (code, message) = fail(&mut schedule(&[&case("v2g_tutorial_soft"), "--sensor", wrong]));
        assert_eq!(code, 3, "{message}");
    }
}

/// A case of `tests/cases/schedule`.
fn given(name: &str) -> String {
    root().join(format!("tests/cases/schedule/{name}")).display().to_string()
}

#[test]
fn without_a_schedule_the_constraint_that_cannot_hold_is_named() {
    let output = schedule(&[&case("start_below_min"), "--mode", "flexmeasures"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert_snapshot!(text(&output.stdout), @r"
    status  infeasible
    cannot hold  battery: soc-min at 2024-02-04T09:35:00+00:00: 15.000 kWh are asked for, and at most 10.870 kWh can be stored by then, starting with 10.000 kWh
    ");
    let output =
        schedule(&[&case("start_below_min"), "--mode", "flexmeasures", "--json"]).output().unwrap();
    let conflict = &last_line(&text(&output.stdout))["conflict"];
    assert_eq!((&conflict["asset"], &conflict["field"]), (&"battery".into(), &"soc-min".into()));
    assert_eq!(conflict["datetime"], "2024-02-04T09:35:00+00:00");
}

#[test]
fn what_is_missing_is_said_on_stderr_and_in_json() {
    let output = schedule(&[&given("short.json"), "--json"]).output().unwrap();
    let said = "values end at 2024-06-03T03:00:00+00:00";
    assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
    let notice = last_line(&text(&output.stdout))["notices"][0]["notice"].clone();
    assert!(notice.as_str().unwrap().contains(said), "{notice}");
}

#[test]
fn a_series_from_a_file_says_its_sign_beside_it() {
    let room = TempDir::new().unwrap();
    let sign = r#"{"sensors": {"load": {"consumption_is_positive": true}}}"#;
    fs::write(room.path().join("sign.json"), sign).unwrap();
    let sensor = format!("load={}:load_kw", given("load.csv"));
    let mut with =
        schedule(&[&given("csv.json"), "--merge", "sign.json", "--sensor", &sensor, "--json"]);
    let answer = last_line(&succeed(with.current_dir(room.path())));
    assert_eq!(
        (&answer["power_kw"]["load"][0], &answer["notices"]),
        (&4.0.into(), &serde_json::json!([]))
    );
    let missing = room.path().join("holed.csv");
    fs::write(
        &missing,
        fs::read_to_string(given("load.csv")).unwrap().replacen(",4\n", ",NaN\n", 1),
    )
    .unwrap();
    let holed = format!("load={}:load_kw", missing.display());
    let output = schedule(&[&given("csv.json"), "--sensor", &holed]).output().unwrap();
    let message = text(&output.stderr);
    assert!(message.contains("NaN") || message.contains("no value for 1 of 16 slots"), "{message}");
}

#[test]
fn notices_are_warnings_that_can_be_denied() {
    let short = given("short.json");
    let output = schedule(&[&short]).output().unwrap();
    assert!(text(&output.stderr).contains("1 warning"), "{}", text(&output.stderr));
    let output = schedule(&[&short, "--json"]).output().unwrap();
    let warning = last_line(&text(&output.stderr));
    assert_eq!((&warning["kind"], &warning["severity"]), (&"problem".into(), &"warning".into()));
    let (code, message) = fail(&mut schedule(&[&short, "--deny", "warnings"]));
    assert_eq!(code, 3);
    assert!(message.contains("1 warning is an error with --deny warnings"), "{message}");
    let output = schedule(&[&short, "--deny", "warnings", "--json"]).output().unwrap();
    let problem = last_line(&text(&output.stdout));
    assert_eq!((output.status.code(), &problem["severity"]), (Some(3), &"error".into()));
    succeed(&mut schedule(&[&case("start_below_min"), "--deny", "warnings"]));
}
