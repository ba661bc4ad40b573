//! What stands in one table is what another one says: cars behind sites, what was foreseen, and how
//! net load moved; in a world of two fleets, two tariffs and sites with limits, and in its forks.

use crate::{
    program::{assert_same_files, root, run, succeed, voltide},
    resume::outputs,
    tables::{column, counts, single, words},
    time_travel::{fork, tables},
};
use std::path::{Path, PathBuf};

/// Two fleets on tariffs of their own behind one connection, half of them behind another one first.
pub(crate) const SETS: [&str; 9] = [
    r#"sites.street=(import_limit: "90 kW", export_limit: "20 kW")"#,
    r#"sites.house=(import_limit: "60 kW", export_limit: "12 kW", parent: "street")"#,
    r#"tariffs.night=(buy: Fixed("0.30 CNY/kWh"))"#,
    "fleets.commuters.willingness.participation=Threshold(0.3)",
    "fleets.commuters.battery.degradation=0.05 CNY/kWh",
    "fleets.commuters.charger.site=street",
    "fleets.commuters.count=24",
    r#"fleets.neighbours=(count: 16, tariff: "night", battery: (capacity: "60 kWh", soc_min: 0.2),
        charger: (charge_max: "7 kW", discharge_max: "6 kW", site: "house"),
        stays: Overnight(arrive: Normal(mean: "17:30", sd: "30 min"), leave: "07:00"),
        trip_energy: "5 kWh", soc_on_arrival: 0.9, departure_soc: 0.6)"#,
    "telemetry.ev_ticks=Full",
];

fn street(out: &Path, more: &[&str]) -> PathBuf {
    street_under("v2g", out, more)
}

fn street_under(policy: &str, out: &Path, more: &[&str]) -> PathBuf {
    let mut arguments = vec!["--policy", policy];
    arguments.extend(SETS.iter().flat_map(|set| ["--set", set]));
    arguments.extend(more);
    root().join(run("worlds/v2g-street.ron", out, &arguments))
}

/// The values of a column of `ev_ticks`, day by day, as they are read by `read`.
fn of_cars<T>(run: &Path, name: &str, read: fn(&Path, &str, &str) -> Vec<T>) -> Vec<T> {
    let files = outputs(run).into_keys().filter(|name| name.starts_with("ev_ticks-"));
    let tables = files.filter_map(|name| Some(name.strip_suffix(".parquet")?.to_owned()));
    tables.flat_map(|table| read(run, &table, name)).collect()
}

/// Power that cars have in a column of `ev_ticks`, kW, by slot and site; cars behind the house are
/// behind the street, too.
fn by_site(run: &Path, power: impl Fn(usize) -> f64) -> Vec<[f64; 2]> {
    let slots = counts(run, "system_ticks", "tick").len();
    let sites = counts(run, "cars", "site_id");
    let names = words(run, "site_ticks", "site");
    let place = |site: i32| ["street", "house"].iter().position(|it| *it == names[site as usize]);
    let mut sums = vec![[0.0; 2]; slots];
    let rows = of_cars(run, "ev_id", counts).into_iter().zip(of_cars(run, "tick", counts));
    for (row, (ev, tick)) in rows.enumerate() {
        let sum = &mut sums[tick as usize];
        sum[0] += power(row);
        if place(sites[ev as usize]) == Some(1) {
            sum[1] += power(row);
        }
    }
    sums
}

/// Asserts it, and gives whether a site cuts what a car asks for.
#[track_caller]
fn assert_sites_add_up(run: &Path) -> bool {
    let [asked, planned, charge, discharge] =
        ["asked_kw", "planned_kw", "charge_kw", "discharge_kw"]
            .map(|name| of_cars(run, name, single).into_iter().map(f64::from).collect::<Vec<_>>());
    let drawn = |row: usize| charge[row] - discharge[row];
    for (name, sums) in
        [("asked_kw", by_site(run, |row| asked[row])), ("power_kw", by_site(run, drawn))]
    {
        let told = column(run, "site_ticks", name);
        let sites = words(run, "site_ticks", "site");
        for (row, tick) in counts(run, "site_ticks", "tick").into_iter().enumerate() {
            let sum = sums[tick as usize][usize::from(sites[row] == "house")];
            assert!((told[row] - sum).abs() < 1e-3, "{name} {tick} {}: {sum}", sites[row]);
        }
    }
    let rows = 0..asked.len();
    let cuts = rows.clone().any(|row| (asked[row] - drawn(row)).abs() > 0.1);
    for row in rows {
        let within = |less: f64, more: f64| less.abs() <= more.abs() + 1e-6 && less * more >= 0.0;
        assert!(within(drawn(row), asked[row]) && within(asked[row], planned[row]), "row {row}");
    }
    cuts
}

/// What a car asks of its site, and what it draws, come to what the site's table says.
#[test]
fn cars_add_up_to_what_their_sites_are_asked_for_and_carry() {
    let out = tempfile::tempdir().unwrap();
    assert!(assert_sites_add_up(&street_under("uncontrolled", out.path(), &[])));
    let parent = street(out.path(), &[]);
    assert!(!assert_sites_add_up(&parent), "plans of v2g keep the limits");
    let limits = column(&parent, "site_ticks", "export_limit_kw");
    assert!(limits.contains(&20.0) && limits.contains(&12.0));
    let forks = out.path().join("forks");
    let arguments = ["--set", "fleets.neighbours.count=20", "--set", "fleets.commuters.count=20"];
    let child =
        fork(&parent, "70", &[&["--out", forks.to_str().unwrap()], &arguments[..]].concat());
    assert_sites_add_up(&child);
    let gone = words(&child, "cars", "fleet");
    assert_eq!(gone.iter().filter(|fleet| *fleet == "commuters").count(), 24);
    assert_eq!(gone.iter().filter(|fleet| *fleet == "neighbours").count(), 20);
}

/// The table of cars says what each of them is, for all that is told of it elsewhere.
#[test]
fn cars_have_the_capacity_the_fleet_and_the_tariff_that_they_go_by() {
    let out = tempfile::tempdir().unwrap();
    let run = street(out.path(), &[]);
    let capacity = column(&run, "cars", "capacity_kwh");
    let evs = of_cars(&run, "ev_id", counts);
    let states = of_cars(&run, "soc", single).into_iter().zip(of_cars(&run, "energy_kwh", single));
    for (ev, (soc, kwh)) in evs.iter().zip(states) {
        assert!((f64::from(soc) * capacity[*ev as usize] - f64::from(kwh)).abs() < 1e-3);
    }
    let fleets = words(&run, "cars", "fleet");
    let of_sessions = words(&run, "sessions", "fleet").into_iter();
    for (ev, fleet) in counts(&run, "sessions", "ev_id").into_iter().zip(of_sessions) {
        assert_eq!(fleets[ev as usize], fleet);
    }
    let tariffs = words(&run, "cars", "tariff");
    let of_night = fleets.iter().zip(&tariffs).filter(|(_, tariff)| *tariff == "night");
    assert!(of_night.clone().count() == 16 && of_night.clone().all(|(of, _)| of == "neighbours"));
    // Where a car stands is a charger of its own.
    let [first, second] =
        ["charger_id", "second_charger_id"].map(|name| counts(&run, "cars", name));
    for (ev, at) in evs.iter().zip(of_cars(&run, "charger_id", counts)) {
        assert!([-1, first[*ev as usize], second[*ev as usize]].contains(&at), "{ev} at {at}");
    }
}

/// A plant with forecasts that err, and cars behind a limit that makes windows begin early.
const PLANT: [&str; 5] = [
    "clock.days=2",
    "fleets.commuters.count=40",
    r#"sites.depot=(import_limit: "30 kW", export_limit: "10 kW")"#,
    "fleets.commuters.charger.site=depot",
    "grid.readings.ev_in_supply=true",
];

fn plant(out: &Path) -> PathBuf {
    let mut arguments = vec!["--policy", "v2g"];
    arguments.extend(PLANT.iter().flat_map(|set| ["--set", set]));
    root().join(run("worlds/germany/week.ron", out, &arguments))
}

/// Of every slot the row of `windows` that its schedule came of.
fn followed(run: &Path) -> Vec<usize> {
    let stages = words(run, "windows", "stage");
    let slots = counts(run, "windows", "slot");
    let issued = counts(run, "windows", "tick");
    let mut rows = vec![usize::MAX; counts(run, "system_ticks", "tick").len()];
    for row in (0..slots.len()).filter(|&row| stages[row] == "intra_day") {
        // The first slot of a window is the one in which it is solved; a later one replaces it.
        if slots[row] == issued[row] {
            rows[slots[row] as usize] = row;
        }
    }
    assert!(rows.iter().all(|row| *row != usize::MAX), "every slot is scheduled in itself");
    rows
}

/// What was foreseen of a slot when it began is what was settled, and margins are supply less
/// demand; what units and cars offer by themselves adds up to it, in both stages.
#[test]
fn what_was_foreseen_of_a_slot_is_what_came() {
    let out = tempfile::tempdir().unwrap();
    let run = plant(out.path());
    let of = |name: &str| column(&run, "windows", name);
    let system = |name: &str| column(&run, "system_ticks", name);
    let [load, ev] = ["load_kw", "ev_kw"].map(of);
    let [base, charge, discharge] = ["base_load_kw", "ev_charge_kw", "ev_discharge_kw"].map(system);
    for (tick, &row) in followed(&run).iter().enumerate() {
        let cars = charge[tick] - discharge[tick];
        assert!((ev[row] - cars).abs() < 1e-6, "{tick}: {} kW foreseen, {cars} kW", ev[row]);
        assert!((load[row] - cars - base[tick]).abs() < 1e-6, "{tick}: {} kW", load[row]);
    }
    for way in ["up", "down"] {
        let [margin, supply, demand] =
            ["margin", "flex_supply", "flex_demand"].map(|part| of(&format!("{part}_{way}_kw")));
        for row in 0..margin.len() {
            assert!((supply[row] - demand[row] - margin[row]).abs() < 2e-6, "{way} {row}");
        }
        assert_units_add_up(&run, way, &supply);
    }
}

/// What units offer in a stage, with what cars do, is what the stage has at hand.
#[track_caller]
fn assert_units_add_up(run: &Path, way: &str, supply: &[f64]) {
    let stages = words(run, "unit_ticks", "stage");
    let ticks = counts(run, "unit_ticks", "tick");
    let offered = column(run, "unit_ticks", &format!("flex_{way}_kw"));
    let of_units = |stage: &str, slot: i32| {
        let rows = (0..ticks.len()).filter(|&row| stages[row] == stage && ticks[row] == slot);
        rows.map(|row| offered[row]).sum::<f64>()
    };
    let of_cars = column(run, "windows", &format!("ev_flex_{way}_kw"));
    let window_stages = words(run, "windows", "stage");
    let slots = counts(run, "windows", "slot");
    let committed = crate::tables::flags(run, "windows", "committed");
    let day_ahead =
        (0..slots.len()).filter(|&row| window_stages[row] == "day_ahead" && committed[row]);
    for row in day_ahead.chain(followed(run)) {
        let cars = if of_cars[row].is_nan() { 0.0 } else { of_cars[row] };
        let sum = of_units(&window_stages[row], slots[row]) + cars;
        let told = supply[row];
        assert!((sum - told).abs() < 1e-3 * (1.0 + told.abs() * 1e-3), "{way} {row}: {sum} {told}");
    }
}

/// Tables that tell what happened, of a plant, too, are the same replayed, and in a fork that
/// changes nothing.
#[test]
fn a_plants_tables_are_the_same_replayed_and_forked() {
    let out = tempfile::tempdir().unwrap();
    let run = plant(out.path());
    let before = outputs(&run);
    succeed(voltide().arg("replay").arg(&run));
    assert_same_files(&before, &outputs(&run));
    let forks = out.path().join("forks");
    // Within a day, and within a window.
    let child = fork(&run, "70", &["--out", forks.to_str().unwrap()]);
    assert_same_files(&tables(&run), &tables(&child));
}
