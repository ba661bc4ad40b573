//! Files that come damaged, or are none: an error that names the file, and no panic, wait or flood.

use proptest::prelude::*;
use std::{fs, path::Path, process::Command};
use tempfile::TempDir;
use voltide_world::{Problems, load};

const WORLD: &str = r#"(
    name: "files", clock: (start: "2024-06-03T00:00", time_zone: "UTC", step: "60 min", days: 1),
    currency: "EUR", tariff: Fixed("0.30 EUR/kWh"),
    system: (base_load: (path: "load.csv", column: "kw", unit: "kW")),
    fleets: {
        "drivers": (battery: (capacity: "60 kWh"), charger: (charge_max: "7 kW"),
            stays: Sessions(path: "sessions.csv")),
        "cars": (count: 1, battery: (capacity: "60 kWh"), charger: (charge_max: "7 kW"),
            stays: Overnight(arrive: "18:00", leave: "07:00"), trip_energy: "7 kWh", soc_on_arrival: 0.6,
            calendar: (path: "cars.ics", soc: 0.8)),
    },
)"#;

const SESSIONS: &str = "station_id,arrival,departure,requested_kwh
A-1,2024-06-03T06:00:00Z,2024-06-03T10:00:00Z,12.5
A-1,2024-06-03T12:00:00Z,2024-06-03T14:00:00Z,4.0
";

const CALENDAR: &str = "BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test
BEGIN:VEVENT
UID:1
DTSTAMP:20240603T000000Z
DTSTART:20240603T060000Z
DTEND:20240603T070000Z
SUMMARY:trip
END:VEVENT
END:VCALENDAR
";

fn load_csv() -> String {
    let rows = (0..24).map(|hour| format!("2024-06-03T{hour:02}:00:00Z,{hour}.5\n"));
    format!("ts,kw\n{}", rows.collect::<String>())
}

/// A folder with the world and its files.
fn room() -> TempDir {
    let room = tempfile::tempdir().expect("a folder for the test");
    for (name, text) in
        [("load.csv", &*load_csv()), ("sessions.csv", SESSIONS), ("cars.ics", CALENDAR)]
    {
        fs::write(room.path().join(name), text).expect("the folder is writable");
    }
    fs::write(room.path().join("world.ron"), WORLD).expect("the folder is writable");
    room
}

fn read(room: &Path) -> Result<Vec<f64>, Problems> {
    let scenario = load(&room.join("world.ron"), &[])?.scenario;
    Ok(scenario.system.base_load.expect("the world has a load").values.to_vec())
}

/// The load that a text gives, or the first problem and its help.
fn load_of(text: impl AsRef<[u8]>) -> Result<Vec<f64>, String> {
    let room = room();
    fs::write(room.path().join("load.csv"), text).expect("the folder is writable");
    read(room.path()).map_err(|problems| {
        let problem = &problems.list[0];
        let place = problem.place().map_or(0, |(_, line, _)| line);
        let folder = format!("{}/", room.path().display());
        let help = problem.help.as_deref().unwrap_or("");
        format!("{}; line {place}; {help}", problem.message.replace(&folder, ""))
    })
}

fn halves() -> Vec<f64> {
    (0..24).map(|hour| f64::from(hour) + 0.5).collect()
}

#[test]
fn csv_is_read_as_spreadsheets_write_it() {
    let text = load_csv();
    assert_eq!(load_of(format!("\u{feff}{text}")), Ok(halves()), "byte order mark");
    assert_eq!(load_of(text.replace('\n', "\r\n")), Ok(halves()), "CRLF");
    assert_eq!(load_of(text.replace('\n', "\r")), Ok(halves()), "CR");
    assert_eq!(load_of(text.replace(',', ";")), Ok(halves()), "semicolons");
    assert_eq!(load_of(text.replace(',', ";").replace('.', ",")), Ok(halves()), "decimal commas");
    let by_tabs = text.replace(',', "\t");
    assert_eq!(load_of(&by_tabs), Ok(halves()), "tabs");
    assert_eq!(load_of(by_tabs.replace('.', ",")), Ok(halves()), "tabs and decimal commas");
    let whole = text.replace(',', ";").replace(";7.5", ";7").replace('.', ",");
    assert_eq!(
        load_of(whole).map(|load| load[7]),
        Ok(7.0),
        "a number without decimals among others"
    );
    assert_eq!(load_of(text.replace('\n', "\n\n")), Ok(halves()), "empty lines");
}

#[test]
fn rows_are_named_by_their_lines_whatever_ends_them() {
    let wrong = load_csv().replace("8.5", "eight");
    for (text, what) in [
        (wrong.clone(), "LF"),
        (wrong.replace('\n', "\r\n"), "CRLF"),
        (format!("\u{feff}{}", wrong.replace('\n', "\r\n")), "byte order mark and CRLF"),
        (wrong.replace('\n', "\r"), "CR"),
    ] {
        let found = load_of(text).expect_err(what);
        assert!(
            found.starts_with("row 10 of `load.csv`: `eight` is not a number; line 10"),
            "{what}: {found}"
        );
    }
}

#[test]
fn what_csv_cannot_be_read_as_is_said_with_what_would_be_right() {
    let text = load_csv();
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (text, expected) in [
        (wide, "cannot read `load.csv`: it is UTF-16 text; line 4; save it as UTF-8"),
        (b"ts,kw\n\xff\n".to_vec(), "cannot read `load.csv`: it is not UTF-8 text (line 2)"),
        (
            text.replace("ts,kw", "ts,kw,kw").into_bytes(),
            "`load.csv` has more than one column `kw`",
        ),
        (
            text.replacen(",8.5", ",8,5", 1).into_bytes(),
            "row 10 of `load.csv`: 3 cells where the header has 2; line 10",
        ),
        (
            text.replacen(",8.5", ",\"8,5\"", 1).into_bytes(),
            "row 10 of `load.csv`: `8,5` is not a number; decimals",
        ),
        (
            text.replacen(",8.5", ",1e300", 1).into_bytes(),
            "row 10 of `load.csv`: `base_load` is 1e300 kW here",
        ),
        (
            text.replacen(",8.5", ",inf", 1).into_bytes(),
            "row 10 of `load.csv`: inf is not a finite number",
        ),
        (
            text.replace(',', ";").replace('.', ",").replacen("8,5", "8.500", 1).into_bytes(),
            "row 10 of `load.csv`: `8.500` has `.` where row 2 has `,`; write all decimals alike; line 10",
        ),
        (
            text.replace(',', ";").replacen("8.5", "1,234", 1).into_bytes(),
            "row 10 of `load.csv`: `1,234` has `,` where row 2 has `.`; write all decimals alike; line 10",
        ),
        (
            text.replace(',', ";").replacen("8.5", "1.008,5", 1).into_bytes(),
            "row 10 of `load.csv`: `1.008,5` is not a number; thousands are not set apart, as in",
        ),
        (Vec::new(), "`load.csv` has no column `ts`"),
    ] {
        let found = load_of(&text).expect_err(expected);
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    for name in ["world.ron", "load.csv", "sessions.csv", "cars.ics"] {
        for (make, with) in [("mkfifo", None), ("mkdir", None), ("ln", Some(["-s", "/dev/zero"]))] {
            let room = room();
            let path = room.path().join(name);
            fs::remove_file(&path).expect("it is there");
            let made = Command::new(make).args(with.into_iter().flatten()).arg(&path).status();
            assert!(made.expect("the tools of every system").success());
            let problems = read(room.path()).expect_err(name);
            assert!(
                problems.list.iter().any(|it| it.message.contains(name)),
                "{name}: {problems:?}"
            );
        }
    }
}

#[test]
fn components_of_a_calendar_nest_no_deeper_than_any_calendar() {
    let room = room();
    fs::write(room.path().join("cars.ics"), "BEGIN:VEVENT\n".repeat(20_000)).expect("writable");
    let problems = read(room.path()).expect_err("nested");
    assert!(
        problems.list[0].message.contains("cars.ics`: line 17 begins a component"),
        "{problems:?}"
    );
}

/// How many damages are tried; few in the suite.
fn damages() -> u32 {
    std::env::var("VOLTIDE_DAMAGES")
        .map_or(300, |number| number.parse().expect("a number of damages"))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: damages(), failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn a_damaged_text_file_is_read_or_an_error_that_names_it(
        file in 0_usize..3,
        edits in prop::collection::vec((0.0_f64..1.0, any::<u8>(), 0_usize..4), 1..4),
    ) {
        let room = room();
        let name = ["load.csv", "sessions.csv", "cars.ics"][file];
        let mut bytes = fs::read(room.path().join(name)).expect("it is there");
        for (share, byte, length) in edits {
            let at = (share * bytes.len() as f64) as usize;
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, [byte]);
        }
        fs::write(room.path().join(name), &bytes).expect("writable");
        if let Err(problems) = read(room.path()) {
            let named = |it: &voltide_world::Problem| it.message.contains(name);
            prop_assert!(problems.list.iter().all(named), "{name}: {problems:?}");
        }
    }
}
