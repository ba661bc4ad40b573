//! Data files that are wrong: the message names the row.

use super::Room;
use insta::assert_snapshot;

/// Hours 0 to 23 of a day, one value each.
fn hours() -> Vec<String> {
    (0..24).map(|hour| format!("2024-06-03T{hour:02}:00:00Z,{hour}.5")).collect()
}

/// What `check` says of a world whose load has these rows.
fn load(rows: &[String]) -> String {
    let system = r#"system: (base_load: (path: "load.csv", column: "load_mw", unit: "MW")),
    policy:"#;
    let clock = (
        r#"2024-06-03T12:00", time_zone: "Europe/Berlin""#,
        r#"2024-06-03T00:00", time_zone: "UTC""#,
    );
    let room = Room::with_world(&[clock, ("policy:", system)]);
    room.write("load.csv", &format!("ts,load_mw\n{}\n", rows.join("\n")));
    room.refused(3, &["check", "world.ron"])
}

/// What `check` says of a world whose sessions have these rows.
fn sessions(rows: &str) -> String {
    let room = Room::new();
    room.write(
        "world.ron",
        r#"(
    name: "recorded",
    clock: (start: "2024-06-03T00:00", time_zone: "UTC", step: "15 min", days: 1),
    currency: "EUR",
    tariff: Fixed("0.30 EUR/kWh"),
    fleets: {
        "drivers": (
            battery: (capacity: "60 kWh"),
            charger: (charge_max: "7 kW"),
            stays: Sessions(path: "sessions.csv"),
        ),
    },
)
"#,
    );
    room.write("sessions.csv", &format!("station_id,arrival,departure,requested_kwh\n{rows}"));
    room.refused(3, &["check", "world.ron"])
}

#[test]
fn a_series_that_ends_too_early_is_refused() {
    assert_snapshot!(load(&hours()[..23]), @r"
     × row 24 of `load.csv`: the series is too short, it ends at 2024-06-03T23:00:00Z
       ╭─[load.csv:24:1]
    23 │ 2024-06-03T21:00:00Z,21.5
    24 │ 2024-06-03T22:00:00Z,22.5
       · ────────────┬────────────
       ·             ╰── the last row
       ╰────
     help: the run needs 2024-06-03T00:00:00Z to 2024-06-04T00:00:00Z
    ");
}

#[test]
fn a_gap_in_a_series_is_found() {
    let mut rows = hours();
    rows.remove(8);
    assert_snapshot!(load(&rows), @r"
     × row 10 of `load.csv`: a gap before it: it comes 120 min after row 9, but rows are 60 min apart
       ╭─[load.csv:10:1]
     9 │ 2024-06-03T07:00:00Z,7.5
    10 │ 2024-06-03T09:00:00Z,9.5
       · ────────────┬───────────
       ·             ╰── rows are missing before this one
    11 │ 2024-06-03T10:00:00Z,10.5
       ╰────
     help: read as series `base_load`; rows must be equally spaced
    ");
}

#[test]
fn a_row_that_is_there_twice_is_found() {
    let mut rows = hours();
    rows.insert(9, rows[8].clone());
    assert_snapshot!(load(&rows), @r"
     × row 11 of `load.csv`: 2024-06-03T08:00:00Z is given twice
       ╭─[load.csv:11:1]
    10 │ 2024-06-03T08:00:00Z,8.5
    11 │ 2024-06-03T08:00:00Z,8.5
       · ────────────┬───────────
       ·             ╰── out of order
    12 │ 2024-06-03T09:00:00Z,9.5
       ╰────
     help: read as series `base_load`
    ");
}

#[test]
fn rows_out_of_order_are_found() {
    let mut rows = hours();
    rows.swap(8, 9);
    assert_snapshot!(load(&rows), @r"
     × row 11 of `load.csv`: 2024-06-03T08:00:00Z comes after a later one
       ╭─[load.csv:11:1]
    10 │ 2024-06-03T09:00:00Z,9.5
    11 │ 2024-06-03T08:00:00Z,8.5
       · ────────────┬───────────
       ·             ╰── out of order
    12 │ 2024-06-03T10:00:00Z,10.5
       ╰────
     help: read as series `base_load`
    ");
}

#[test]
fn a_value_that_is_no_number_is_found() {
    let mut rows = hours();
    rows[8] = "2024-06-03T08:00:00Z,NaN".into();
    assert_snapshot!(load(&rows), @r"
     × row 10 of `load.csv`: NaN is not a finite number
       ╭─[load.csv:10:1]
     9 │ 2024-06-03T07:00:00Z,7.5
    10 │ 2024-06-03T08:00:00Z,NaN
       · ────────────┬───────────
       ·             ╰── this number
    11 │ 2024-06-03T09:00:00Z,9.5
       ╰────
     help: read as series `base_load`
    ");
}

#[test]
fn a_data_file_that_is_not_there_is_named_at_its_place() {
    let room = Room::with_world(&[(
        r#"Normal(mean: "7.3 kWh", sd: "3 kWh", min: "0.5 kWh", max: "30 kWh")"#,
        "Empirical(path: \"trips.csv\", column: \"kwh\", unit: \"kWh\")",
    )]);
    assert_snapshot!(room.refused(3, &["check", "world.ron"]), @r#"
     × there is no file `trips.csv`
       ╭─[world.ron:26:42]
    25 │             ),
    26 │             trip_energy: Empirical(path: "trips.csv", column: "kwh", unit: "kWh"),
       ·                                          ─────┬─────
       ·                                               ╰── no such file
    27 │             soc_on_arrival: Normal(mean: 0.6, sd: 0.1, min: 0.2, max: 1.0),   // of the first stay only
       ╰────
     help: paths start at the world file's folder
    "#);
}

#[test]
fn a_session_that_ends_before_it_begins_is_refused() {
    let message = sessions(
        "east,2024-06-03T08:00:00Z,2024-06-03T12:00:00Z,5\nwest,2024-06-03T12:00:00Z,2024-06-03T08:00:00Z,5\n",
    );
    assert_snapshot!(message, @r"
     × row 3 of `sessions.csv`: the departure is not after the arrival
      ╭─[sessions.csv:3:1]
    2 │ east,2024-06-03T08:00:00Z,2024-06-03T12:00:00Z,5
    3 │ west,2024-06-03T12:00:00Z,2024-06-03T08:00:00Z,5
      · ────────────────────────┬───────────────────────
      ·                         ╰── leaves before it arrives
      ╰────
    ");
}

#[test]
fn a_session_without_a_finite_request_is_refused() {
    assert_snapshot!(sessions("east,2024-06-03T08:00:00Z,2024-06-03T12:00:00Z,inf\n"), @r"
     × row 2 of `sessions.csv`: inf is not a finite number
      ╭─[sessions.csv:2:1]
    1 │ station_id,arrival,departure,requested_kwh
    2 │ east,2024-06-03T08:00:00Z,2024-06-03T12:00:00Z,inf
      · ─────────────────────────┬────────────────────────
      ·                          ╰── this row
      ╰────
    ");
}
