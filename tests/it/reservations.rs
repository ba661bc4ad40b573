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
    (soc, counts(run, "sessions", "reservations")[0], counts(run, "sessions", "reservations_met")[0])
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
    let message =
        refused(r#"reservations: [(from: "2024-02-05T08:00", to: "2024-02-05T07:00", soc: 0.95)],"#);
    assert!(message.contains("ends before it begins"), "{message}");
    let message = refused(r#"reservations: [(from: "8 o'clock", to: "2024-02-05T08:15", soc: 0.95)],"#);
    assert!(message.contains("not a time"), "{message}");
    let message = refused(r#"calendar: (path: "nowhere.ics", soc: 0.9),"#);
    assert!(message.contains("nowhere.ics"), "{message}");
    fs::write(room.path().join("weekly.ics"), "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20240205T080000Z\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n").unwrap();
    let message = refused(r#"calendar: (path: "weekly.ics", soc: 0.9),"#);
    assert!(message.contains("repeat"), "{message}");
    fs::write(room.path().join("odd.csv"), "from,to,soc\n2024-02-05T08:00,2024-02-05T08:15,95\n").unwrap();
    let message = refused(r#"calendar: (path: "odd.csv"),"#);
    assert!(message.contains("not between 0 and 1"), "{message}");
}
