//! The worlds that come with the program.

use std::path::{Path, PathBuf};
use voltide_model::scenario::Scenario;
use voltide_world::{Inputs, World, load, rebuild};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds").join(name)
}

fn loaded(name: &str, overrides: &[&str]) -> World {
    let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
    load(&shipped(name), &overrides).unwrap_or_else(|problems| panic!("{:?}", miette::Report::new(problems)))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Debug text, since NaN (an energy that is not recorded) is not equal to itself.
fn same(left: &Scenario, right: &Scenario) -> bool {
    format!("{left:?}") == format!("{right:?}")
}

#[test]
fn the_german_week_is_the_real_one_at_a_thousandth() {
    let scenario = loaded("germany/week.ron", &["fleets.commuters.count=10"]).scenario;
    let base = scenario.system.base_load.expect("the world has a load").values;
    assert_eq!(base.len(), 672);
    assert!((base[0] - (50361.0 - 195.0)).abs() < 1e-9, "first row of the data, MW as kW");
    assert!((mean(&base) / 1000.0 - 61.0).abs() < 1.0, "{} MW", mean(&base) / 1000.0);
    assert!((scenario.tariffs[0].buy.values[0] - 0.05559).abs() < 1e-12);
    assert_eq!(scenario.tariffs[0].sell.values, scenario.tariffs[0].buy.values);
    assert_eq!(scenario.clock.start.to_rfc3339(), "2018-10-07T22:00:00+00:00");
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
    assert!((11_000.0..11_700.0).contains(&given), "{given}");
}

#[test]
fn a_world_rebuilt_from_its_text_and_values_is_the_same() {
    let worlds = [("one-car.ron", vec![]), ("acn/caltech.ron", vec![]), ("germany/week.ron", vec!["seed=9"])];
    for (name, overrides) in worlds {
        let world = loaded(name, &overrides);
        let again = rebuild(&world.text, Inputs::from(&world.scenario)).expect("it was fine before");
        assert!(same(&again, &world.scenario), "{name}");
    }
}
