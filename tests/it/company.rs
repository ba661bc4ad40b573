//! Cars behind common limits in company: of other fleets, tariffs and sites, over midnight, with
//! who leaves early and with policies that do not do what they are asked.

use crate::{
    engine::{events, events_by, events_with, of_kind, scenario},
    program::{assert_same_files, files, run, succeed, voltide},
    resume::{chain, kill_in_its_run, outputs, start},
    tables::{column, words},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use voltide_host::Plugins;
use voltide_journal::event::{Event, Recorded};
use voltide_policy::{
    Observation, Schedules,
    observation::Shown,
    planner::{Correction, Planner, PolicyFault, PolicyInfo},
};

/// Two fleets with tariffs of their own at two ends of a tree of three levels; they stay over
/// midnight, and at the run's end.
const COMPANY: &str = r#"(
    name: "company", seed: 11, currency: "EUR",
    clock: (start: "2024-06-03T12:00", time_zone: "Europe/Berlin", step: "15 min", days: 2),
    tariff: TimeOfUse(default: "0.30 EUR/kWh",
        bands: [(from: "22:00", to: "06:00", price: "0.10 EUR/kWh")]),
    tariffs: {"works": (buy: TimeOfUse(default: "0.25 EUR/kWh",
        bands: [(from: "00:00", to: "04:00", price: "0.05 EUR/kWh"),
                (from: "17:00", to: "20:00", price: "0.50 EUR/kWh")]))},
    sites: {
        "town": (import_limit: "30 kW", export_limit: "8 kW"),
        "street": (import_limit: "26 kW", export_limit: "6 kW", parent: "town"),
        "house": (import_limit: "5 kW", export_limit: "5 kW", parent: "street"),
    },
    fleets: {
        "tenants": (count: 5, battery: (capacity: "50 kWh", soc_min: 0.1),
            charger: (charge_max: "11 kW", discharge_max: "7 kW", site: "house"),
            stays: Overnight(arrive: Normal(mean: "17:00", sd: "1 h"),
                leave: Normal(mean: "07:00", sd: "30 min")),
            trip_energy: "9 kWh", soc_on_arrival: 0.7, departure_soc: 0.8),
        "vans": (count: 5, tariff: "works", battery: (capacity: "60 kWh", soc_min: 0.1),
            charger: (charge_max: "11 kW", discharge_max: "7 kW", site: "street"),
            stays: Overnight(arrive: Normal(mean: "18:30", sd: "1 h"),
                leave: Normal(mean: "06:00", sd: "30 min")),
            trip_energy: "14 kWh", soc_on_arrival: 0.6, departure_soc: 0.8),
    },
    telemetry: (ev_ticks: Full),
)"#;

fn company(folder: &Path) -> PathBuf {
    let file = folder.join("company.ron");
    fs::write(&file, COMPANY).unwrap();
    file
}

#[test]
fn fleets_of_other_tariffs_and_levels_keep_all_limits_together() {
    let folder = tempfile::tempdir().unwrap();
    let world = company(folder.path());
    for policy in ["smart", "v2g"] {
        for planning in ["planning=AtPlugIn", "planning=AtDayStart"] {
            let out = folder.path().join(planning);
            let arguments = ["--policy", policy, "--set", planning];
            let run = run(world.to_str().unwrap(), &out, &arguments);
            let said = format!("{policy} {planning}");
            assert!(
                column(&run, "sessions", "missing_kwh").iter().all(|&kwh| kwh < 1e-6),
                "{said}"
            );
            let sites = words(&run, "site_ticks", "site");
            let asked = column(&run, "site_ticks", "asked_kw");
            for (site, most) in [("town", 30.0), ("street", 26.0), ("house", 5.0)] {
                let own = sites.iter().zip(&asked).filter(|(name, _)| *name == site);
                let highest = own.map(|(_, &kw)| kw).fold(0.0, f64::max);
                assert!(highest <= most + 1e-6, "{said}: {site} {highest} kW");
            }
            succeed(voltide().args(["replay", "--verify"]).arg(&run));
            let again = succeed(voltide().args(["--json", "replay", "--redecide"]).arg(&run));
            let again: Value = serde_json::from_str(&again).unwrap();
            assert_eq!(again["differing"], 0, "{said}: {again}");
        }
    }
}

/// Stays that go on beyond the run's end are planned until their own.
#[test]
fn limits_are_kept_beyond_the_end_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let text = COMPANY.replace("T12:00", "T00:00");
    let scenario = scenario(&text, folder.path());
    for policy in ["smart", "v2g"] {
        let planner = Plugins::in_folders(vec![]).load(policy, "", 0).unwrap();
        let events = events(&scenario, planner);
        assert_eq!(unkept(&events), [], "{policy}");
        let last = of_kind(&events, |event| match event {
            Event::GroupSolved(solved) => Some(solved),
            _ => None,
        });
        let (tick, last) = last.last().unwrap();
        assert!(tick > 160 && last.violation_kwh < 1e-6, "{policy} {tick}: {last:?}");
    }
}

/// Each has a row, with what proves it.
#[test]
fn groups_stand_in_the_table_of_solves() {
    let folder = tempfile::tempdir().unwrap();
    let world = company(folder.path());
    let run = run(world.to_str().unwrap(), folder.path(), &["--policy", "v2g"]);
    let stages = words(&run, "solves", "stage");
    assert!(stages.len() > 5 && stages.iter().all(|stage| stage == "group"), "{stages:?}");
    assert!(words(&run, "solves", "site").iter().all(|site| site == "town"));
    let gaps = column(&run, "solves", "gap");
    assert!(gaps.iter().all(|&gap| gap <= 1e-3), "{gaps:?}");
    let missing = column(&run, "solves", "missing_kwh");
    let bounds = column(&run, "solves", "missing_bound_kwh");
    assert!(missing.iter().zip(&bounds).all(|(kwh, bound)| kwh - bound < 1e-6));
    assert!(column(&run, "solves", "violation_kwh").iter().all(|&kwh| kwh < 1e-6));
}

#[test]
fn company_takes_one_way_by_any_number_of_threads_killed_and_forked() {
    let folder = tempfile::tempdir().unwrap();
    let world = company(folder.path());
    let world = world.to_str().unwrap();
    let with = |threads: &str| {
        let arguments = ["--policy", "v2g", "--threads", threads];
        run(world, &folder.path().join(threads), &arguments)
    };
    let whole = with("1");
    assert_same_files(&files(&whole), &files(&with("2")));
    assert_same_files(&files(&whole), &files(&with("8")));
    for millis in [5, 60, 150, 400] {
        let out = folder.path().join(format!("killed-{millis}"));
        let arguments = ["run", "--policy", "v2g", "--set", "run.durability=Tick", "--out"];
        let arguments = [arguments.as_slice(), &[out.to_str().unwrap()]].concat();
        let child = start(&arguments, Path::new(world));
        let killed = kill_in_its_run(child, &out, Duration::from_millis(millis));
        succeed(voltide().arg("resume").arg(&killed));
        let same = run(
            world,
            &folder.path().join("same"),
            &["--policy", "v2g", "--set", "run.durability=Tick"],
        );
        assert_eq!(chain(&killed), chain(&same));
        assert_same_files(&outputs(&killed), &outputs(&same));
    }
    // A fork that changes nothing that matters to what is planned by then.
    let fork = succeed(
        voltide()
            .args(["--json", "fork", "--at", "40", "--set", "sites.town.import_limit=31 kW"])
            .arg(&whole),
    );
    let fork: Value = serde_json::from_str(&fork).unwrap();
    let fork = fork["folder"].as_str().unwrap();
    succeed(voltide().args(["replay", "--verify", fork]));
}

/// A policy that is shown trees; whatever else it is, a test says.
fn of_trees() -> PolicyInfo {
    PolicyInfo { name: "own".to_owned(), whole_tree: true, ..PolicyInfo::default() }
}

/// Charges everyone at once, whatever there is room for.
fn at_once(seen: &Observation<'_>, schedules: &mut Schedules<'_>) -> Vec<Correction> {
    for stay in seen.stays() {
        schedules.row(stay).charge_from(0, stay.energy_to_departure());
    }
    Vec::new()
}

fn unkept(events: &[Recorded]) -> Vec<(u32, u32, f64)> {
    let unkept = of_kind(events, |event| match event {
        Event::LimitUnkept(unkept) => Some(unkept),
        _ => None,
    });
    let rows = unkept.flat_map(|(tick, unkept)| {
        let rows = unkept.slot.iter().zip(&unkept.over_kw);
        rows.map(move |(&slot, &kw)| (tick, slot, kw)).collect::<Vec<_>>()
    });
    rows.collect()
}

#[test]
fn a_policy_that_does_not_keep_limits_when_it_is_shown_them_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(COMPANY, folder.path());
    let unkept = unkept(&events_by(&scenario, of_trees(), at_once));
    assert!(unkept.len() > 10, "{unkept:?}");
    assert!(unkept.iter().all(|&(tick, slot, kw)| slot >= tick && kw > 1e-9));
    let smart = Plugins::in_folders(vec![]).load("smart", "", 0).unwrap();
    assert_eq!(self::unkept(&events(&scenario, smart)), []);
}

/// A policy that fails when it is shown a tree.
struct Failing(PolicyInfo);

impl Planner for Failing {
    fn info(&self) -> &PolicyInfo {
        &self.0
    }

    fn plan(
        &mut self,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result<Vec<Correction>, PolicyFault> {
        if seen.shown == Shown::Tree {
            let policy = self.0.name.clone();
            return Err(PolicyFault { policy, message: "it is too much".into(), lost: false });
        }
        Ok(at_once(seen, schedules))
    }

    fn save(&mut self) -> Result<Vec<u8>, PolicyFault> {
        Ok(Vec::new())
    }

    fn load(&mut self, _state: &[u8]) -> Result<(), PolicyFault> {
        Ok(())
    }

    fn is_lost(&self) -> bool {
        false
    }

    fn give_up(&mut self) {}
}

#[test]
fn where_the_second_answer_fails_the_fallback_answers_for_the_whole_tree() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(COMPANY, folder.path());
    let smart = Plugins::in_folders(vec![]).load("smart", "", 0).unwrap();
    let events = events_with(&scenario, Box::new(Failing(of_trees())), Some(smart));
    let mut faults = 0;
    let mut most = 0;
    for (at, recorded) in events.iter().enumerate() {
        let Event::PolicyFaulted(fault) = &recorded.event else { continue };
        faults += 1;
        assert_eq!(fault.fallback, "smart");
        let answers = events[at..].iter().find_map(|next| match &next.event {
            Event::PlansAccepted(plans) => Some(plans),
            _ => None,
        });
        assert_eq!(answers.unwrap().stay.len() as u32, fault.stays);
        most = most.max(fault.stays);
    }
    assert!(faults > 3 && most > 3, "{faults} of {most} stays");
    // The fallback kept limits where the policy did not.
    assert_eq!(unkept(&events), []);
}

/// Two cars want 22 kWh each until 18:00 behind 11 kW, so that they draw energy that is dear, too;
/// one leaves before the two hours in which it is cheap.
fn one_leaves(folder: &Path, leaves: [&str; 2]) -> PathBuf {
    let head = "station_id,arrival,departure,estimated_departure,requested_kwh";
    let line = |(station, leaves): (&str, &str)| {
        format!("{station},2024-05-06T08:00,2024-05-06T{leaves},2024-05-06T18:00,22")
    };
    let lines = ["A", "B"].into_iter().zip(leaves).map(line);
    let lines: Vec<String> = std::iter::once(head.to_owned()).chain(lines).collect();
    fs::write(folder.join("sessions.csv"), lines.join("\n") + "\n").unwrap();
    let file = folder.join("leaves.ron");
    let world = r#"(
    name: "leaves", currency: "EUR",
    clock: (start: "2024-05-06T00:00", time_zone: "Europe/Berlin", step: "15 min", days: 1),
    tariff: TimeOfUse(default: "0.30 EUR/kWh",
        bands: [(from: "10:00", to: "12:00", price: "0.10 EUR/kWh")]),
    sites: {"lot": (import_limit: "11 kW")},
    fleets: {"drivers": (
        battery: (capacity: "60 kWh"),
        charger: (charge_max: "11 kW", site: "lot"),
        stays: Sessions(path: "sessions.csv", time_zone: "Europe/Berlin"),
    )},
)"#;
    fs::write(&file, world).unwrap();
    file
}

#[test]
fn who_leaves_early_leaves_room_to_the_others() {
    let folder = tempfile::tempdir().unwrap();
    for leaves in [["09:00", "18:00"], ["18:00", "09:00"]] {
        let world = one_leaves(folder.path(), leaves);
        let out = folder.path().join(leaves[0].replace(':', ""));
        let run = run(world.to_str().unwrap(), &out, &["--policy", "smart"]);
        let drawn = column(&run, "system_ticks", "ev_charge_kw");
        let in_hours = |hours: std::ops::Range<usize>| -> f64 {
            drawn[hours.start * 4..hours.end * 4].iter().sum::<f64>() / 4.0
        };
        // Whoever stays has all of the two cheap hours for what is left, and draws nothing dear.
        assert!(in_hours(9..10) + in_hours(12..18) < 1e-6, "{leaves:?}: {drawn:?}");
        let charged = column(&run, "sessions", "charged_kwh");
        let most = charged.iter().fold(0.0_f64, |most, &kwh| most.max(kwh));
        assert!((most - 22.0).abs() < 1e-6, "{leaves:?}: {charged:?} kWh");
        let again = succeed(voltide().args(["--json", "replay", "--redecide"]).arg(&run));
        let again: Value = serde_json::from_str(&again).unwrap();
        assert_eq!(again["differing"], 0, "{again}");
    }
}

/// A driver who was asked is asked again only where prices are others by then: here none are.
#[test]
fn drivers_are_not_asked_again_at_the_same_prices() {
    let folder = tempfile::tempdir().unwrap();
    let hour = |hour: u32| {
        format!("2024-06-{:02}T{:02}:00:00+02:00,{}\n", 3 + hour / 24, hour % 24, 100 + hour % 24)
    };
    let load = "ts,kw\n".to_owned() + &(0..72).map(hour).collect::<String>();
    fs::write(folder.path().join("load.csv"), load).unwrap();
    let system = r#"system: (base_load: (path: "load.csv", column: "kw", unit: "kW")),
    incentive: (rho: 0.5), sites:"#;
    let willingness = "departure_soc: 0.8, willingness: (optimistic: (a: 1, b: 8, c: 0.65),
        pessimistic: (a: 3, b: 6, c: 0.145), participation: Threshold(0.3))";
    let willing = COMPANY.replace("sites:", system).replace("departure_soc: 0.8", willingness);
    let scenario = scenario(&willing, folder.path());
    let v2g = Plugins::in_folders(vec![]).load("v2g", "", 0).unwrap();
    let events = events(&scenario, v2g);
    let mut asked = std::collections::BTreeSet::new();
    let mut trees = 0;
    for recorded in &events {
        match &recorded.event {
            Event::SessionStarted(started) => {
                started.ev.iter().for_each(|ev| {
                    asked.remove(ev);
                });
            }
            Event::PricesSet(_) => asked.clear(),
            Event::WillingnessAgreed(said) => {
                let of_call: std::collections::BTreeSet<_> = said.ev.iter().copied().collect();
                for ev in of_call {
                    assert!(asked.insert(ev), "car {ev} is asked twice by {}", recorded.tick);
                }
            }
            Event::GroupSolved(_) => trees += 1,
            _ => {}
        }
    }
    assert!(trees > 3 && !asked.is_empty(), "{trees} trees");
}
