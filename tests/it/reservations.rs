//! Wishes for stored energy in worlds: bounds at given times, and reservations.

use crate::{
    program::{fail, root, run, succeed, voltide},
    tables::{column, counts, single},
};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const WORLD: &str = "worlds/reservation.ron";
/// Slots of five minutes from 10:30 to 08:00, at whose end the reservation begins.
const RESERVED: usize = 258;

/// A copy of the world with another text for its reservations, beside its data.
fn with_reservations(room: &Path, text: &str) -> PathBuf {
    let world = fs::read_to_string(root().join(WORLD)).unwrap();
    let line = world.lines().find(|line| line.trim().starts_with("reservations:")).unwrap();
    let data = room.join("reservation/data");
    fs::create_dir_all(&data).unwrap();
    fs::copy(root().join("worlds/reservation/data/prices.csv"), data.join("prices.csv")).unwrap();
    let file = room.join("world.ron");
    fs::write(&file, world.replace(line, text)).unwrap();
    file
}

/// The state of charge at the end of every slot, and reservations in and met by the one session.
fn course(run: &Path) -> (Vec<f32>, i32, i32) {
    let days = ["ev_ticks-2024-02-04", "ev_ticks-2024-02-05"];
    let soc: Vec<f32> = days.iter().flat_map(|day| single(run, day, "soc")).collect();
    assert_eq!(soc.len(), 288);
    (
        soc,
        counts(run, "sessions", "reservations")[0],
        counts(run, "sessions", "reservations_met")[0],
    )
}

#[test]
fn the_tutorial_keeps_its_limits_and_meets_the_reservation() {
    let out = TempDir::new().unwrap();
    let run = run(WORLD, out.path(), &[]);
    let (soc, reservations, met) = course(&run);
    assert_eq!((reservations, met), (1, 1));
    // Element j is the end of slot j: 08:00 is the end of slot 257.
    assert!(
        soc[RESERVED - 1..=RESERVED + 2].iter().all(|&soc| soc >= 0.95 - 1e-6),
        "{:?}",
        &soc[RESERVED - 1..]
    );
    // Lifted are the 35 minutes that full power needs, and three hours more.
    let lifted = RESERVED - 7 - 36;
    assert!(soc[..lifted].iter().all(|&soc| (0.25 - 1e-6..=0.85 + 1e-6).contains(&soc)));
    let moved = |power: &str| column(&run, "sessions", power)[0];
    assert!(moved("charged_kwh") > 20.0 && moved("discharged_kwh") > 20.0, "it earns by cycling");
    succeed(voltide().args(["replay", "--verify"]).arg(root().join(&run)));
}

#[test]
fn a_policy_that_does_not_look_misses_the_reservation() {
    let out = TempDir::new().unwrap();
    let run = run(WORLD, out.path(), &["--policy", "uncontrolled"]);
    let (_, reservations, met) = course(&run);
    assert_eq!((reservations, met), (1, 0));
}

#[test]
fn a_calendar_means_the_same_as_a_list() {
    let room = TempDir::new().unwrap();
    let listed = course(&run(WORLD, room.path(), &[]));
    let csv = "from,to,soc,car\n2024-02-05T08:00,2024-02-05T08:15,0.95,0\n";
    let ics = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20240101T000000Z\r\n\
               SUMMARY:to the office\r\nDTSTART;TZID=Europe/Amsterdam:20240205T080000\r\n\
               DTEND;TZID=Europe/Amsterdam:20240205T081500\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    for (name, text, calendar) in [
        ("trips.csv", csv, r#"calendar: (path: "trips.csv"),"#),
        ("trips.ics", ics, r#"calendar: (path: "trips.ics", soc: 0.95),"#),
    ] {
        fs::write(room.path().join(name), text).unwrap();
        let world = with_reservations(room.path(), calendar);
        let out = room.path().join(name.replace('.', "-"));
        let read = run(world.to_str().unwrap(), &out, &[]);
        assert!(listed == course(&read), "{name}");
        // The journal holds the calendar: the file is not needed any more.
        fs::remove_file(room.path().join(name)).unwrap();
        succeed(voltide().args(["replay", "--verify"]).arg(root().join(&read)));
    }
}

#[test]
fn wishes_that_make_no_sense_are_pointed_at() {
    let room = TempDir::new().unwrap();
    let refused = |text: &str| {
        let world = with_reservations(room.path(), text);
        let (code, message) = fail(voltide().arg("check").arg(world));
        assert_eq!(code, 3);
        message
    };
    let message = refused(
        r#"reservations: [(from: "2024-02-05T08:00", to: "2024-02-05T07:00", soc: 0.95)],"#,
    );
    assert!(message.contains("ends before it begins"), "{message}");
    let message =
        refused(r#"reservations: [(from: "8 o'clock", to: "2024-02-05T08:15", soc: 0.95)],"#);
    assert!(message.contains("not a time"), "{message}");
    let message = refused(r#"calendar: (path: "nowhere.ics", soc: 0.9),"#);
    assert!(message.contains("nowhere.ics"), "{message}");
    let often = calendar(&["DTSTART:20240205T080000Z|RRULE:FREQ=SECONDLY"]);
    fs::write(room.path().join("often.ics"), often).unwrap();
    let message = refused(r#"calendar: (path: "often.ics", soc: 0.9),"#);
    assert!(message.contains("every hour at most"), "{message}");
    fs::write(room.path().join("odd.csv"), "from,to,soc\n2024-02-05T08:00,2024-02-05T08:15,95\n")
        .unwrap();
    let message = refused(r#"calendar: (path: "odd.csv"),"#);
    assert!(message.contains("not between 0 and 1"), "{message}");
    for car in ["-1", "0.5"] {
        let text = format!("from,to,soc,car\n2024-02-05T08:00,2024-02-05T08:15,0.9,{car}\n");
        fs::write(room.path().join("odd.csv"), text).unwrap();
        let message = refused(r#"calendar: (path: "odd.csv"),"#);
        assert!(message.contains("cars are numbered from 0"), "{message}");
    }
}

#[test]
fn a_wish_is_for_a_car_that_there_is() {
    let room = TempDir::new().unwrap();
    let csv = "from,to,soc,car\n2024-02-05T08:00,2024-02-05T08:15,0.95,0\n2024-02-05T08:00,2024-02-05T08:15,0.95,3\n";
    fs::write(room.path().join("trips.csv"), csv).unwrap();
    fs::write(room.path().join("trips.ics"), calendar(&["DTSTART:20240205T080000Z"])).unwrap();
    let reserved = |car: u32| {
        format!(
            r#"reservations: [(from: "2024-02-05T08:00", to: "2024-02-05T08:15", soc: 0.95, car: {car})],"#
        )
    };
    for text in [
        reserved(3).as_str(),
        r#"calendar: (path: "trips.csv"),"#,
        r#"calendar: (path: "trips.ics", soc: 0.9, car: 3),"#,
        "soc_maxima: [(soc: 0.9, car: 3)],",
        "soc_minima: [(soc: 0.1, car: 3)],",
    ] {
        let world = with_reservations(room.path(), text);
        let few = fs::read_to_string(&world).unwrap();
        let few = few
            .lines()
            .filter(|line| !line.trim().starts_with("soc_m") || text.contains(line.trim()));
        fs::write(&world, few.collect::<Vec<_>>().join("\n").replace("count: 1,", "count: 3,"))
            .unwrap();
        let (code, message) = fail(voltide().arg("check").arg(&world));
        assert_eq!(code, 3, "{text}: {message}");
        assert!(message.contains("is for car 3, which fleet `car` does not have"), "{message}");
        assert!(message.contains("numbered from 0 to 2; the nearest is 2"), "{message}");
        succeed(voltide().arg("check").arg(&world).args(["--set", "fleets.car.count=4"]));
    }
}

/// What a fork takes out keeps its wishes until then; what it adds is for cars that it has.
#[test]
fn a_fork_wishes_for_cars_that_it_has() {
    let room = TempDir::new().unwrap();
    let reserved = r#"[(from: "2024-02-05T07:00", to: "2024-02-05T07:15", soc: 0.95, car: 1)]"#;
    let world = with_reservations(room.path(), &format!("reservations: {reserved},"));
    let two = ["--set", "fleets.car.count=2"];
    let parent = run(world.to_str().unwrap(), room.path(), &two);
    let fork = |sets: &[&str]| {
        let mut program = voltide();
        program.args(["fork", "--at", "20"]).arg(&parent);
        for set in sets {
            program.args(["--set", set]);
        }
        program
    };
    succeed(&mut fork(&["fleets.car.count=1"]));
    succeed(&mut fork(&[
        "fleets.car.count=3",
        &format!("fleets.car.reservations={}", reserved.replace("car: 1", "car: 2")),
    ]));
    let absent = format!("fleets.car.reservations={}", reserved.replace("car: 1", "car: 2"));
    let (code, message) = fail(&mut fork(&[&absent]));
    assert!(
        code == 3 && message.contains("is for car 2, which fleet `car` does not have"),
        "{message}"
    );
    assert!(message.contains("the nearest is 1"), "{message}");
}

/// A calendar of events whose lines are parted by bars.
fn calendar(events: &[&str]) -> String {
    let event =
        |event: &&str| format!("BEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\n", event.replace('|', "\r\n"));
    format!("BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n", events.iter().map(event).collect::<String>())
}

/// Reservations of the run of a car that stands from 10:30 until the next 10:15, and energy charged.
fn of_events(events: &[&str]) -> (i32, f64) {
    let room = TempDir::new().unwrap();
    fs::write(room.path().join("car.ics"), calendar(events)).unwrap();
    let file = room.path().join("cal.ron");
    fs::write(&file, CALENDAR).unwrap();
    let run = run(file.to_str().unwrap(), room.path(), &[]);
    // A fleet without any tells none.
    let reserved = counts(&run, "sessions", "reservations").into_iter().map(|all| all.max(0)).sum();
    (reserved, column(&run, "sessions", "charged_kwh").iter().sum())
}

const CALENDAR: &str = r#"(
    name: "cal",
    clock: (start: "2024-02-04T10:30", time_zone: "Europe/Amsterdam", step: "15 min", days: 1),
    currency: "EUR",
    tariff: Fixed("0.30 EUR/kWh"),
    fleets: {"car": (
        count: 1,
        battery: (capacity: "60 kWh"),
        charger: (charge_max: "11 kW", discharge_max: "11 kW"),
        stays: Overnight(arrive: "10:30", leave: "10:15"),
        trip_energy: "7 kWh", soc_on_arrival: 0.5, departure_soc: 0.25,
        calendar: (path: "car.ics", soc: 0.95),
    )},
    policy: "smart",
)"#;

/// The car stands with 30 kWh: 95 % are 27 kWh more.
#[test]
fn events_reserve_cars_as_their_calendar_means_it() {
    let trip = "UID:1|DTSTART:20240205T070000Z|DTEND:20240205T071500Z";
    let of = |more: &str| of_events(&[&format!("{trip}{more}")]);
    let (reserved, charged_kwh) = of("");
    assert_eq!(reserved, 1);
    assert!((charged_kwh - 27.0).abs() < 1e-9, "{charged_kwh}");
    assert_eq!(of("|STATUS:CANCELLED"), (0, 0.0));
    assert_eq!(of("|TRANSP:TRANSPARENT"), (0, 0.0));
    assert_eq!(of("|RDATE:20240204T150000Z").0, 2);
    assert_eq!(of("|RDATE:20240204T150000Z|EXDATE:20240205T070000Z").0, 1);
    assert_eq!(of("|RRULE:FREQ=HOURLY;COUNT=3").0, 3);
    let called_off =
        "UID:1|RECURRENCE-ID:20240205T080000Z|DTSTART:20240205T080000Z|STATUS:CANCELLED";
    assert_eq!(of_events(&[&format!("{trip}|RRULE:FREQ=HOURLY;COUNT=3"), called_off]).0, 2);
}

/// A world of one car that comes home at 09:00 and leaves at 08:45, from seven on.
const OVER_TWO: &str = r#"(
    name: "res",
    clock: (start: "2024-02-05T07:00", time_zone: "Europe/Amsterdam", step: "15 min", days: 2),
    currency: "EUR",
    tariff: Fixed("0.30 EUR/kWh"),
    fleets: {"car": (
        count: 2,
        battery: (capacity: "60 kWh"),
        charger: (charge_max: "22 kW"),
        stays: Overnight(arrive: "09:00", leave: "08:45"),
        trip_energy: "12 kWh", soc_on_arrival: 0.5, departure_soc: 0.7,
        reservations: [(from: "FROM", to: "TO", soc: SOC, car: 1)],
    )},
)"#;

/// Reservations in and met by the sessions of car 1 in order of departure.
fn over_stays(from: &str, to: &str, soc: &str) -> Vec<(i32, i32)> {
    let room = TempDir::new().unwrap();
    let file = room.path().join("res.ron");
    fs::write(&file, OVER_TWO.replace("FROM", from).replace("TO", to).replace("SOC", soc)).unwrap();
    let run = run(file.to_str().unwrap(), room.path(), &["--policy", "smart"]);
    let (cars, all) = (counts(&run, "sessions", "car"), counts(&run, "sessions", "reservations"));
    let rows = all.into_iter().zip(counts(&run, "sessions", "reservations_met"));
    cars.into_iter().zip(rows).filter(|(car, _)| *car == 1).map(|(_, row)| row).collect()
}

#[test]
fn a_reservation_over_several_stays_counts_once_and_is_met_if_it_is_in_all() {
    let hours = |from: &str, to: &str, soc: &str| {
        over_stays(&format!("2024-02-{from}"), &format!("2024-02-{to}"), soc)
    };
    assert_eq!(
        hours("05T08:00", "05T08:30", "0.6"),
        [(1, 1), (0, 0), (0, 0)],
        "the first stay alone"
    );
    assert_eq!(hours("05T08:00", "05T10:00", "0.4"), [(0, 0), (1, 1), (0, 0)], "met in both");
    assert_eq!(
        hours("05T08:00", "05T10:00", "0.9"),
        [(0, 0), (1, 0), (0, 0)],
        "no time before the first"
    );
    assert_eq!(hours("05T08:30", "05T10:00", "0.7"), [(0, 0), (1, 0), (0, 0)], "the trip takes it");
    assert_eq!(hours("05T08:00", "06T10:00", "0.4"), [(0, 0), (0, 0), (1, 1)], "all three");
    assert_eq!(hours("06T20:00", "07T10:00", "0.4"), [(0, 0), (0, 0), (1, 1)], "beyond the end");
}
