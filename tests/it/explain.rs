//! `voltide explain`: why things came as they did, in sentences that stand on events.

use crate::{
    program::{fail, plugin_folder, run, succeed, voltide},
    tables::{column, counts, words},
};
use insta::assert_snapshot;
use serde_json::Value;
use std::{
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    fs,
    path::Path,
};

const ONE_CAR: &str = "worlds/one-car.ron";
const SITE: &str = "tests/cases/limit/site.ron";

/// The sentences about a subject, a line each.
fn explained(run: &Path, subject: &[&str]) -> String {
    succeed(voltide().arg("explain").arg(run).args(subject))
}

/// The same as programs read it.
fn object(run: &Path, subject: &[&str]) -> Value {
    let printed = succeed(voltide().args(["--json", "explain"]).arg(run).args(subject));
    serde_json::from_str(&printed).unwrap()
}

/// Reason and number of each session that missed its target.
fn missed(run: &Path) -> Vec<(i32, String)> {
    let reasons = words(run, "sessions", "missed_reason");
    let ids = counts(run, "sessions", "session_id");
    ids.into_iter().zip(reasons).filter(|(_, reason)| !reason.is_empty()).collect()
}

#[test]
fn a_car_that_was_served() {
    let out = tempfile::tempdir().unwrap();
    let run = run(ONE_CAR, out.path(), &["--policy", "smart"]);
    assert_snapshot!(explained(&run, &["--ev", "0"]));
}

#[test]
fn a_stay_that_was_too_short() {
    let out = tempfile::tempdir().unwrap();
    let sets = [
        "--set",
        "fleets.commuters.charger.charge_max=1 kW",
        "--set",
        "fleets.commuters.departure_soc=1.0",
    ];
    let run = run(ONE_CAR, out.path(), &sets);
    let said = object(&run, &["--ev", "0"]);
    assert_eq!(said["missed_reason"], "too_short");
    assert!(said["enough"]["missing_at_99_percent_kwh"].as_f64().unwrap() > 0.0, "{said}");
    assert_snapshot!(explained(&run, &["--ev", "0"]));
}

const SESSIONS: &str = "station_id,arrival,departure,estimated_departure,requested_kwh
a,2024-06-03T08:00,2024-06-03T09:00,2024-06-03T18:00,20
";

#[test]
fn a_car_that_left_early() {
    let out = tempfile::tempdir().unwrap();
    let world = "(name: \"stays\", currency: \"EUR\", tariff: \"0.30 EUR/kWh\",
        clock: (start: \"2024-06-03T00:00\", time_zone: \"UTC\", step: \"15 min\", days: 1),
        fleets: {\"cars\": (battery: (capacity: \"60 kWh\"), charger: (charge_max: \"8 kW\"),
            stays: Sessions(path: \"sessions.csv\", time_zone: \"UTC\"))})";
    fs::write(out.path().join("sessions.csv"), SESSIONS).unwrap();
    fs::write(out.path().join("stays.ron"), world).unwrap();
    let run = run(out.path().join("stays.ron").to_str().unwrap(), &out.path().join("runs"), &[]);
    assert_snapshot!(explained(&run, &["--session", "0"]));
}

#[test]
fn a_site_that_was_too_small() {
    let out = tempfile::tempdir().unwrap();
    let set = ["--policy", "uncontrolled", "--set", "sites.hall.import_limit=8 kW"];
    let run = run(SITE, out.path(), &set);
    let all = missed(&run);
    let (session, _) = all.iter().find(|(_, reason)| reason == "site_limit").unwrap();
    let said = object(&run, &["--session", &session.to_string()]);
    assert_eq!(said["missed_reason"], "site_limit");
    // What is said to be enough is, when it is run as it is said; a little less is not.
    let set = said["enough"]["set"].as_str().unwrap();
    let at = said["enough"]["at"].to_string();
    let fork = ["fork", "--at", &at, "--set", set, "--quiet"];
    let folder = succeed(voltide().args(fork).arg(&run));
    let forked = Path::new(folder.trim());
    assert!(missed(forked).iter().all(|(id, _)| id != session), "{set}");
    assert!(said["enough"]["missing_at_99_percent_kwh"].as_f64().unwrap() > 0.0, "{said}");
    assert_snapshot!(explained(&run, &["--session", &session.to_string()]));
    assert_snapshot!(explained(&run, &["--site", "hall"]));
}

#[test]
fn a_price_that_was_never_worth_it() {
    let out = tempfile::tempdir().unwrap();
    let set = ["--policy", "threshold", "--set", "policies.threshold=(charge_below: Some(0.01))"];
    let run = run(ONE_CAR, out.path(), &set);
    assert_snapshot!(explained(&run, &["--ev", "0"]));
}

#[test]
fn a_driver_who_was_not_willing() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/v2g-street.ron", out.path(), &["--policy", "v2g"]);
    let said = |ev: usize| explained(&run, &["--ev", &ev.to_string()]);
    let unwilling = (0..40).map(said).find(|said| said.contains("did not agree to discharge"));
    assert_snapshot!(unwilling.unwrap());
}

#[test]
fn a_policy_that_failed() {
    let out = tempfile::tempdir().unwrap();
    let broken = plugin_folder().join(format!("{DLL_PREFIX}broken_policy{DLL_SUFFIX}"));
    let sets = ["--set", "policies.broken=(slot: 50000)", "--set", "fallback=uncontrolled"];
    let policy = ["--policy", broken.to_str().unwrap()];
    let run = run(ONE_CAR, out.path(), &[&policy[..], &sets].concat());
    assert_snapshot!(explained(&run, &["--ev", "0"]));
}

#[test]
fn a_car_that_a_fork_took_out() {
    let out = tempfile::tempdir().unwrap();
    let parent = run("worlds/v2g-street.ron", out.path(), &["--policy", "uncontrolled"]);
    let fork = ["--set", "fleets.commuters.count=60"];
    // Just after the first have come home, and before they are full.
    let fork = crate::time_travel::fork(&parent, "72", &fork);
    let all = missed(&fork);
    let removed = all.iter().find(|(_, reason)| reason == "removed");
    let (session, _) = removed.unwrap_or_else(|| panic!("{all:?}"));
    assert_snapshot!(explained(&fork, &["--session", &session.to_string()]));
}

/// The reason is the one of the table: both are that of the event.
#[test]
fn reasons_are_those_of_the_table() {
    let out = tempfile::tempdir().unwrap();
    let run = run(SITE, out.path(), &["--set", "sites.grid.import_limit=20 kW"]);
    let all = missed(&run);
    assert!(all.len() > 3, "{all:?}");
    let ids = counts(&run, "sessions", "session_id");
    let kwh = column(&run, "sessions", "missing_kwh");
    for (session, reason) in all.iter().take(4) {
        let said = object(&run, &["--session", &session.to_string()]);
        assert_eq!(said["missed_reason"], **reason);
        let row = ids.iter().position(|id| id == session).unwrap();
        assert_eq!(said["missing_kwh"], kwh[row]);
    }
}

#[test]
fn units_and_slots_are_explained_too() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/ten-units/day.ron", out.path(), &[]);
    let slot = explained(&run, &["--tick", "12"]);
    assert!(slot.contains("net load was") && slot.contains("[event "), "{slot}");
    let names = words(&run, "unit_ticks", "unit");
    let unit = explained(&run, &["--unit", &names[0]]);
    assert!(unit.starts_with(&format!("Unit `{}` gave ", names[0])), "{unit}");
}

#[test]
fn what_is_not_there_cannot_be_explained() {
    let out = tempfile::tempdir().unwrap();
    let run = run(ONE_CAR, out.path(), &[]);
    let refused = |subject: &[&str]| fail(voltide().arg("explain").arg(&run).args(subject));
    for (subject, code, says) in [
        (&[][..], 2, "--ev"),
        (&["--ev", "0", "--tick", "3"], 2, "cannot be used with"),
        (&["--ev", "7"], 3, "there is no car 7"),
        (&["--ev", "0", "--at", "0"], 3, "car 0 is not plugged in in slot 0"),
        (&["--session", "99"], 3, "there is no session 99"),
        (&["--session", "-1"], 3, "held no whole slot"),
        (&["--site", "depot"], 3, "the run has no site"),
        (&["--unit", "coal"], 3, "there is no unit `coal`"),
        (&["--tick", "4000"], 3, "is no slot of the run"),
    ] {
        let (found, message) = refused(subject);
        assert!(found == code && message.contains(says), "{subject:?} {found}: {message}");
    }
    let (code, _) = fail(voltide().arg("explain").arg(out.path()).args(["--ev", "0"]));
    assert_eq!(code, 3);
}
