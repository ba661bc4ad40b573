//! The worlds that come with the program.

use arrow_array::{ArrayRef, Float64Array, Int32Array, RecordBatch, TimestampSecondArray};
use parquet::arrow::ArrowWriter;
use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::Arc,
};
use voltide_model::{
    device::{InterruptibleLoad, MustTake, Renewable, Store, ThermalUnit},
    flexibility::Readings,
    id::{ChargerId, SiteId},
    price::{ExpectedPrice, IncentiveRule, LocalDays, PriceFeedback},
    rules::Rules,
    scenario::Scenario,
    two_stage::DayAheadEv,
    willingness::Participation,
};
use voltide_world::{Inputs, World, load, rebuild};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds").join(name)
}

fn loaded(name: &str, overrides: &[&str]) -> World {
    let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
    load(&shipped(name), &overrides)
        .unwrap_or_else(|problems| panic!("{:?}", miette::Report::new(problems)))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// By debug text, since a scenario is not compared elsewhere.
fn same(left: &Scenario, right: &Scenario) -> bool {
    format!("{left:?}") == format!("{right:?}")
}

#[test]
fn a_world_with_another_seed_is_the_one_that_is_read_with_it() {
    let worlds: [(&str, &[&str]); 3] = [
        ("one-car.ron", &["seed=100", "policies.v2g=(solver: Milp)", "policy=v2g"]),
        // Its prices follow net load, which is known.
        ("v2g-street.ron", &["seed=100"]),
        ("ten-units/day.ron", &["clock.days=1", "seed=100"]),
    ];
    for (name, overrides) in worlds {
        let read = |seed: &str| {
            let given = overrides.iter().map(|text| text.replace("seed=100", seed));
            loaded(name, &given.collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>())
        };
        let (first, other) = (read("seed=100"), read("seed=999"));
        let seeded = first.with_seed(999).expect("a seed as long stands in the text");
        assert!(same(&seeded.scenario, &other.scenario), "{name}");
        assert!(!same(&seeded.scenario, &first.scenario), "{name}");
        assert_eq!(seeded.text, other.text, "{name}");
        assert_eq!(seeded.identity(), other.identity(), "{name}");
        assert_eq!(seeded.overrides, other.overrides, "{name}");
        assert_eq!(seeded.config_of("v2g"), other.config_of("v2g"), "{name}");
    }
}

#[test]
fn a_world_is_read_anew_where_another_seed_might_change_more_than_its_cars() {
    let with_seed = |name: &str, overrides: &[&str], seed| loaded(name, overrides).with_seed(seed);
    // Another length moves all that follows.
    assert!(with_seed("one-car.ron", &["seed=99"], 100).is_none());
    // The file's own seed, and that of a file without one, are no override's.
    assert!(with_seed("one-car.ron", &[], 8).is_none());
    // Prices by forecasts with drawn errors may turn out not to exist.
    let drawn = ["seed=5", "system.forecasts=(base_load: Ar1(phi: 0.8, sd: 0.05))"];
    assert!(with_seed("v2g-street.ron", &drawn[..1], 6).is_some());
    assert!(with_seed("v2g-street.ron", &drawn, 6).is_none());
}

#[test]
fn the_german_week_is_the_real_one_at_a_thousandth() {
    let scenario = loaded("germany/week.ron", &["fleets.commuters.count=10"]).scenario;
    let base = scenario.system.base_load.expect("the world has a load").values;
    assert_eq!(base.len(), 672);
    assert!((base[0] - (50361.0 - 195.0)).abs() < 1e-9, "first row of the data, MW as kW");
    assert!((mean(&base) / 1000.0 - 61.0).abs() < 1.0, "{} MW", mean(&base) / 1000.0);
    assert!(
        (scenario.tariffs[0].buy.values[0] - 0.24 - 0.05559).abs() < 1e-12,
        "day-ahead price and adders"
    );
    assert_eq!(scenario.tariffs[0].sell.values, scenario.tariffs[0].buy.values);
    assert_eq!(scenario.clock.start.to_rfc3339(), "2018-10-07T22:00:00+00:00");
}

/// The last two columns of the data were computed by an independent implementation.
#[test]
fn the_v2g_street_has_the_prices_of_its_data() {
    let scenario = loaded("v2g-street.ron", &[]).scenario;
    let rule = scenario.incentive.expect("it has an incentive").rule;
    let days = LocalDays::covering(&scenario.clock, scenario.clock.slots);
    let day = scenario.clock.slots_per_24_hours();
    let load: Vec<f64> = scenario.system.net_load_kw(0..days.slots(), day).collect();
    let signal = rule.signal(&load, &days).expect("a positive mean");
    let data =
        std::fs::read_to_string(shipped("paper/data/day_twice_15min.csv")).expect("it is there");
    let rows: Vec<Vec<&str>> = data.lines().skip(1).map(|row| row.split(',').collect()).collect();
    assert_eq!((rows.len(), signal.k.len()), (192, 192));
    for (slot, row) in rows.iter().enumerate() {
        let [tou, k, price] = [6, 7, 8].map(|column| row[column].parse::<f64>().expect("a number"));
        assert!((signal.k[slot] - k).abs() <= 1e-12, "K_p of slot {slot}");
        assert!(
            (scenario.tariffs[0].buy.values[slot] - tou).abs() <= 1e-12,
            "tariff of slot {slot}"
        );
        assert!((rule.price(signal.k[slot], tou) - price).abs() <= 1e-12, "price of slot {slot}");
    }
}

#[test]
fn the_papers_grid_is_that_of_its_parameters() {
    let scenario = loaded("paper/paper.ron", &["grid.margins=false"]).scenario;
    let grid = scenario.grid.as_deref().expect("it has a grid");
    let parameters =
        std::fs::read_to_string(shipped("../tests/cases/paper/data/paper_params.json"));
    let parameters: serde_json::Value =
        serde_json::from_str(&parameters.expect("it is there")).expect("JSON");
    let system = &parameters["sys"];
    let close = |ours: f64, block: &str, name: &str| {
        let theirs = system[block][name].as_f64().expect("a number");
        assert!((ours - theirs).abs() <= 1e-12 * theirs, "{block}.{name}: {ours}, not {theirs}");
    };
    let unit = grid.plant.each::<ThermalUnit>().next().expect("it has one");
    close(unit.power_min.0, "thermal", "pmin");
    close(unit.power_max.0, "thermal", "pmax");
    close(unit.ramp.0, "thermal", "ramp");
    close(unit.cost.a, "thermal", "a");
    close(unit.cost.b, "thermal", "b");
    close(unit.cost.c, "thermal", "c");
    for (store, block) in grid.plant.each::<Store>().zip(["phs", "ess"]) {
        close(store.charge_max.0, block, "p_ch");
        close(store.discharge_max.0, block, "p_dch");
        close(store.energy_min.0, block, "wmin");
        close(store.energy_max.0, block, "wmax");
        close(store.initial_energy.0, block, "w0");
        close(store.day_end_energy.expect("it has one").0, block, "w_end");
        close(store.charge_efficiency.get(), block, "eta");
        close(store.discharge_efficiency.get(), block, "eta");
        close(store.throughput_cost, block, "c");
    }
    for (unit, (cost, waste)) in
        grid.plant.each::<Renewable>().zip([("c_wind", "c_wind_waste"), ("c_pv", "c_pv_waste")])
    {
        close(unit.cost, "vre", cost);
        close(unit.waste_price, "vre", waste);
        assert!(unit.available.values != scenario.system.wind.as_ref().expect("a forecast").values);
    }
    let load = grid.plant.each::<InterruptibleLoad>().next().expect("it has one");
    close(load.power_max.0, "cut", "pmax");
    close(load.price, "cut", "c");
    assert_eq!(grid.rules.readings, Readings::PRINTED);
    assert!(!grid.rules.margins);
    let lengths = [grid.rules.day_ahead_step, grid.rules.window, grid.rules.step, grid.rules.blend];
    assert_eq!(lengths.map(NonZeroU32::get), [4, 16, 1, 16]);
}

#[test]
fn the_day_ahead_may_be_shown_no_cars_or_leave_it_to_the_policy() {
    let shown = |overrides: &[&str]| {
        let grid = loaded("paper/paper.ron", overrides).scenario.grid.expect("it has a grid");
        grid.rules.day_ahead_ev.clone()
    };
    assert_eq!(shown(&[]), DayAheadEv::AsPaper);
    assert_eq!(shown(&["grid.day_ahead_ev=None"]), DayAheadEv::None);
    assert_eq!(shown(&["grid.day_ahead_ev=Uncontrolled"]), DayAheadEv::Uncontrolled);
}

#[test]
fn the_german_units_can_serve_the_week_and_follow_the_system() {
    let scenario = loaded("germany/week.ron", &["fleets.commuters.count=10"]).scenario;
    let plant = &scenario.grid.as_deref().expect("it has a grid").plant;
    let installed: f64 = plant.each::<ThermalUnit>().map(|unit| unit.power_max.0).sum();
    assert!((installed - 88_500.0).abs() < 1e-6, "{installed} kW");
    let wind = plant.each::<Renewable>().next().expect("it has wind");
    assert_eq!(wind.available, scenario.system.wind.expect("it has wind"));
    assert_eq!(plant.each::<MustTake>().count(), 3);
}

#[test]
fn the_ten_units_have_their_commitments() {
    let scenario = loaded("ten-units/day.ron", &["fleets.commuters.count=10"]).scenario;
    let plant = &scenario.grid.as_deref().expect("it has a grid").plant;
    let thermal: Vec<&ThermalUnit> = plant.each().collect();
    assert_eq!(thermal.len(), 10);
    let on = thermal.iter().filter(|unit| unit.commitment.is_some_and(|how| how.initially_on));
    assert_eq!(on.count(), 2);
    // At full output the first unit costs 1000 + 16.19·455 + 0.00048·455² dollars an hour.
    assert!((thermal[0].cost.per_hour(455_000.0) - 8_465.822).abs() < 1e-6);
}

#[test]
fn drivers_have_the_terms_of_the_file() {
    let street = loaded("v2g-street.ron", &[]).scenario;
    let (_, participation) = street.fleets[0].v2g.willingness.expect("they are asked");
    assert_eq!(participation, Participation::Threshold("0.5".parse().expect("a share")));
    assert_eq!(street.fleets[0].v2g.soc_min.to_string(), "0.3");
    let incentive = street.incentive.expect("it has an incentive");
    assert_eq!(incentive.rule, IncentiveRule { rho: 0.6, floor: Some(0.0) });
    assert_eq!(incentive.feedback, PriceFeedback::Batch(NonZeroU32::new(5).expect("not 0")));
    assert_eq!(incentive.expected, ExpectedPrice::Proportional(1.0));
    let plain = loaded("one-car.ron", &[]).scenario;
    assert_eq!(plain.fleets[0].v2g.soc_min, plain.fleets[0].battery.soc_min);
    assert!(plain.incentive.is_none() && plain.fleets[0].v2g.willingness.is_none());
}

#[test]
fn every_session_of_caltech_is_a_car() {
    let scenario = loaded("acn/caltech.ron", &[]).scenario;
    assert_eq!(scenario.population.len(), 855);
    assert_eq!(scenario.stations(0).len(), 50);
    let notes = scenario.population.notes;
    assert!((notes.delivered_kwh - 7361.0).abs() < 1.0, "{}", notes.delivered_kwh);
    assert!((notes.requested_kwh - 13_261.508).abs() < 1e-6);
    let given = notes.requested_kwh - notes.capped_kwh;
    // Only batteries cap what was asked for, not the departures that nobody knew.
    assert!((13_200.0..13_261.0).contains(&given), "{given}");
}

#[test]
fn a_parquet_file_is_read_like_a_csv_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let starts: Vec<i64> = (0..24).map(|hour| 1_717_200_000 + hour * 3600).collect();
    let columns: [(&str, ArrayRef); 3] = [
        ("at", Arc::new(TimestampSecondArray::from(starts).with_timezone("UTC"))),
        ("load_kw", Arc::new((0..24).map(f64::from).collect::<Float64Array>())),
        ("pumping_kw", Arc::new(Int32Array::from(vec![2; 24]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let file =
        std::fs::File::create(folder.path().join("load.parquet")).expect("the folder is writable");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("a batch");
    writer.close().expect("a footer");
    let text = std::fs::read_to_string(shipped("one-car.ron")).expect("it comes with the program");
    let world = folder.path().join("world.ron");
    std::fs::write(&world, text).expect("the folder is writable");
    let overrides = [
        "clock=(start: \"2024-06-01T00:00\", time_zone: \"UTC\", step: \"30 min\", days: 1)",
        "system.base_load=(path: \"load.parquet\", time: \"at\", unit: \"kW\", \
         column: {\"load_kw\": 1, \"pumping_kw\": -0.5})",
    ];
    let loaded = load(&world, &overrides.map(str::to_owned)).expect("a fine world").scenario;
    let load = loaded.system.base_load.expect("it has a load").values;
    assert_eq!(load[..4], [-1.0, -1.0, 0.0, 0.0]);
    assert_eq!((load.len(), load[47]), (48, 22.0));
}

#[test]
fn a_policys_config_is_its_verbatim_text() {
    let config = "policies.smart=( gap: 0.1, solver: Exact )";
    let world = loaded("one-car.ron", &["policy=smart", config]);
    let policy = &world.scenario.policy;
    assert_eq!(
        (policy.name.as_str(), policy.config.as_str()),
        ("smart", " gap: 0.1, solver: Exact ")
    );
    assert!(world.text[policy.config_offset..].starts_with(&policy.config));
    assert_eq!(policy.fallback.as_deref(), Some("uncontrolled"));
}

#[test]
fn sites_come_after_their_parents() {
    let sites = "sites={\"row\": (import_limit: \"20 kW\", parent: \"depot\"), \"depot\": (import_limit: \"30 kW\")}";
    let scenario = loaded("one-car.ron", &[sites, "fleets.commuters.charger.site=row"]).scenario;
    let names: Vec<&str> = scenario.sites.iter().map(|site| site.name.as_str()).collect();
    assert_eq!((names, scenario.sites[1].parent), (vec!["depot", "row"], Some(SiteId(0))));
    assert_eq!(scenario.population.charger(ChargerId(0)).site, Some(SiteId(1)));
}

#[test]
fn a_shorter_run_has_only_the_sessions_that_it_touches() {
    let scenario = loaded("acn/caltech.ron", &["clock.days=1"]).scenario;
    assert!((20..60).contains(&scenario.population.len()), "{}", scenario.population.len());
}

#[test]
fn a_world_rebuilt_from_its_text_and_values_is_the_same() {
    let worlds = [
        ("one-car.ron", vec![]),
        ("acn/caltech.ron", vec![]),
        ("germany/week.ron", vec!["seed=9"]),
        ("v2g-street.ron", vec![]),
    ];
    for (name, overrides) in worlds {
        let world = loaded(name, &overrides);
        let again = rebuild(&world.text, Inputs::from(&world.scenario))
            .expect("it was fine before")
            .scenario;
        assert!(same(&again, &world.scenario), "{name}");
    }
}

/// The first slot and the slot after the last one of every stay.
fn slots(scenario: &Scenario) -> Vec<(u32, u32)> {
    let stays = &scenario.population.stays;
    let of =
        |stay| (stays.first_slot(stay, &scenario.clock), stays.end_slot(stay, &scenario.clock));
    stays.ids().map(of).collect()
}

/// Cars 0 and 1 come at 17:15 and 0.49 s, and at 17:15 less 0.49 s.
#[test]
fn a_listed_car_that_comes_within_a_slot_does_not_have_it() {
    let path = shipped("../tests/golden/worlds/listed.ron");
    let World { scenario, text, .. } = load(&path, &[]).expect("the world is right");
    let first_at_home = |scenario: &Scenario| {
        let stays = &scenario.population.stays;
        let homes = (0..stays.len()).filter(|&stay| stays.charger[stay].0.is_multiple_of(2));
        homes.take(2).map(|stay| slots(scenario)[stay].0).collect::<Vec<_>>()
    };
    assert_eq!(first_at_home(&scenario), [70, 69]);
    let as_before = Inputs { rules: Rules::V1, ..Inputs::from(&scenario) };
    let before = rebuild(&text, as_before).expect("it is in the journal").scenario;
    assert_eq!(first_at_home(&before), [69, 69], "0.1.0 rounded to the second");
    let again = rebuild(&text, Inputs::from(&scenario)).expect("it is in the journal").scenario;
    assert_eq!(slots(&again), slots(&scenario));
}

#[test]
fn a_recorded_car_that_comes_within_a_slot_does_not_have_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let sessions = "arrival,departure,requested_kwh,station_id\n\
        2024-06-03T08:15:00.49Z,2024-06-03T09:59:59.51Z,5,a\n\
        2024-06-03T08:14:59.51Z,2024-06-03T10:00:00.49Z,5,b\n\
        2024-06-03T08:15:00Z,2024-06-03T10:00:00Z,5,c\n";
    std::fs::write(folder.path().join("sessions.csv"), sessions).expect("the folder is writable");
    let world = r#"(
        name: "half-a-second", currency: "EUR", tariff: Fixed("0.30 EUR/kWh"),
        clock: (start: "2024-06-03T00:00", time_zone: "UTC", step: "15 min", days: 1),
        fleets: {"cars": (
            battery: (capacity: "60 kWh"), charger: (charge_max: "7 kW"),
            stays: Sessions(path: "sessions.csv"), departure_soc: 1.0,
        )},
    )"#;
    let path = folder.path().join("world.ron");
    std::fs::write(&path, world).expect("the folder is writable");
    let World { scenario, text, .. } =
        load(&path, &[]).unwrap_or_else(|problems| panic!("{problems:?}"));
    // The sessions are in order of arrival: b, then c, then a.
    assert_eq!(slots(&scenario), [(33, 40), (33, 40), (34, 39)]);
    let again = rebuild(&text, Inputs::from(&scenario)).expect("it is in the journal").scenario;
    assert_eq!(slots(&again), slots(&scenario));
}

/// A reservation that ends 0.49 s after 08:15 holds until the slot's edge after it.
#[test]
fn a_reservation_that_ends_within_a_slot_holds_to_its_end() {
    let sets = [
        r#"fleets.car.reservations=[(from: "2024-02-05T08:00:00.49", to: "2024-02-05T08:15:00.49", soc: 0.9)]"#,
    ];
    let World { scenario, text, .. } = loaded("reservation.ron", &sets);
    let seconds = |scenario: &Scenario| {
        let wish = scenario.fleets[0].wishes.reservations[0];
        (wish.from.rem_euclid(1800), wish.to.rem_euclid(1800))
    };
    assert_eq!(seconds(&scenario), (0, 901));
    let as_before = Inputs { rules: Rules::V1, ..Inputs::from(&scenario) };
    let before = rebuild(&text, as_before).expect("it is in the journal").scenario;
    assert_eq!(seconds(&before), (0, 900));
}
