//! Series: energy a step, signs, and what they do not say.

use crate::{
    given,
    refusals::{battery, merge},
};
use serde_json::{Value, json};
use voltide_flexmeasures::{Answer, Mode, Problem, read, solve};

fn answer(case: &Value, mode: Mode) -> (Problem, Answer) {
    let problem = read(&case.to_string(), mode).unwrap_or_else(|rejection| panic!("{rejection}"));
    let answer = solve(&problem, mode);
    (problem, answer)
}

/// The notices of a battery with `change`.
fn notices(change: Value) -> Vec<String> {
    let problem =
        read(&battery(change), Mode::BestEffort).unwrap_or_else(|rejection| panic!("{rejection}"));
    problem.notices.iter().map(ToString::to_string).collect()
}

fn refused(change: Value, mode: Mode) -> String {
    read(&battery(change), mode).expect_err("it contradicts itself").to_string()
}

fn load(values: &Value, more: Value) -> Value {
    let mut sensor = json!({"unit": "kW", "resolution": "PT1H", "start": "2024-06-12T00:00:00+02:00", "values": values});
    merge(&mut sensor, more);
    json!({"load": sensor})
}

/// 1 kWh a quarter of an hour is 4 kW.
#[test]
fn energy_a_step_is_power_by_the_resolution_of_the_series() {
    let case = given("kwh");
    let (problem, _) = answer(&case, Mode::BestEffort);
    assert!(problem.fixed[0].power.iter().all(|power| (power + 4.0).abs() < 1e-12));
    let mut coarse = case;
    coarse["sensors"]["load"]["resolution"] = json!("PT30M");
    coarse["sensors"]["load"]["unit"] = json!("MWh");
    let (problem, _) = answer(&coarse, Mode::BestEffort);
    assert!(problem.fixed[0].power.iter().all(|power| (power + 2000.0).abs() < 1e-9));
}

/// FlexMeasures' attribute, in its own spelling: a load of 4 kW costs what it draws.
#[test]
fn a_sensor_says_its_sign_and_the_default_is_said() {
    let mut case = given("kwh");
    let (problem, silent) = answer(&case, Mode::FlexMeasures);
    assert!(problem.notices[0].text.contains("taken for production"), "{:?}", problem.notices);
    assert!(silent.objective().unwrap() < 0.01);
    case["sensors"]["load"]["consumption_is_positive"] = json!(true);
    let (problem, said) = answer(&case, Mode::FlexMeasures);
    assert!(problem.notices.is_empty(), "{:?}", problem.notices);
    assert!((problem.fixed[0].power[0] - 4.0).abs() < 1e-12);
    // 16 kWh, of which the battery's 5 kWh and 5 more from the cheap hours serve the dear ones.
    let load_alone = 8.0 * 0.1 + 8.0 * 0.5;
    assert!(said.objective().unwrap() < load_alone - 1.0, "{:?}", said.objective());
}

#[test]
fn signs_that_contradict_each_other_are_refused_as_flexmeasures_does() {
    let reference = json!([{"sensor": "load"}]);
    let sensors = load(&json!([1, 1, 1, 1]), json!({"consumption_is_positive": false}));
    let against =
        json!({"flex-context": {"inflexible-consumption": reference}, "sensors": sensors});
    let plain = load(&json!([1, 1, 1, 1]), json!({}));
    let twice = json!({
        "flex-context": {"inflexible-consumption": reference, "inflexible-production": reference},
        "sensors": plain
    });
    let both_ages = json!({
        "flex-context": {"inflexible-consumption": reference, "inflexible-device-sensors": ["other"]},
        "sensors": {"load": plain["load"], "other": plain["load"]}
    });
    for (change, words) in [
        (against, "contradicts the field"),
        (twice, "listed twice"),
        (both_ages, "give either the deprecated"),
    ] {
        let message = refused(change.clone(), Mode::FlexMeasures);
        assert!(
            message.starts_with("flex-context.inflexible-") && message.contains(words),
            "{message}"
        );
        let notices = notices(change);
        assert!(notices.iter().any(|notice| notice.contains(words)), "{notices:?}");
    }
}

#[test]
fn what_a_series_lacks_is_said_with_what_is_taken_for_it() {
    let holed = load(&json!([1, null, 1]), json!({}));
    let missing = |field: &str, value: Value, taken: &str| {
        let context = field.starts_with("inflexible") || field.starts_with("site");
        let part = if context { "flex-context" } else { "flex-model" };
        let found = notices(json!({part: {field: value}, "sensors": holed}));
        let said = found
            .iter()
            .any(|notice| notice.contains("no value for 8 of 16 slots") && notice.contains(taken));
        assert!(said, "{field}: {found:?}");
    };
    missing("inflexible-consumption", json!([{"sensor": "load"}]), "0 kW");
    missing("soc-usage", json!([{"sensor": "load"}]), "0 kW");
    missing("site-power-capacity", json!({"sensor": "load"}), "limits nothing");
    missing("consumption-capacity", json!({"sensor": "load"}), "limits nothing");
    // A default is what the user said.
    let defaulted = json!({"flex-model": {"soc-usage": [{"sensor": "load", "default": "1 kW"}]}, "sensors": holed});
    assert_eq!(notices(defaulted), Vec::<String>::new());
}

#[test]
fn values_that_begin_late_or_end_early_are_held_with_a_notice() {
    let (problem, answer) = answer(&given("short"), Mode::BestEffort);
    let notice = problem.notices[0].to_string();
    assert!(
        notice.contains("flex-context.consumption-price: values end at 2024-06-03T03:00:00"),
        "{notice}"
    );
    assert_eq!(answer.json(&problem)["notices"][0]["path"], "flex-context.consumption-price");
    let late =
        json!([{"start": "2024-06-12T01:00:00+02:00", "duration": "PT3H", "value": "0.1 EUR/kWh"}]);
    let found = notices(json!({"flex-context": {"consumption-price": late}}));
    assert!(found[0].contains("values begin at 2024-06-11T23:00:00"), "{found:?}");
}

/// A sensor with two hours of values that lack the second quarter of an hour of the first one.
fn holed(unit: &str) -> Value {
    json!({
        "unit": unit, "resolution": "PT15M", "start": "2024-06-12T00:00:00+02:00",
        "values": [1, null, 1, 1, 1, 1, 1, 1]
    })
}

/// A change of the battery in which `field` takes a holed sensor; `shape` says how it is named there.
fn with_holes(part: &str, field: &str, unit: &str, shape: fn(Value) -> Value) -> Value {
    let mut change = json!({"flex-model": {}, "sensors": {"gap": holed(unit)}});
    if field.ends_with("charging-efficiency") {
        change["flex-model"]["roundtrip-efficiency"] = Value::Null;
    }
    change[part][field] = shape(json!({"sensor": "gap"}));
    change
}

/// What a gap means by field: none is passed over.
#[test]
fn a_gap_is_said_or_refused_in_every_field_that_takes_a_sensor() {
    let plain: fn(Value) -> Value = |sensor| sensor;
    let listed: fn(Value) -> Value = |sensor| json!([sensor]);
    let id: fn(Value) -> Value = |_| json!(["gap"]);
    let agreed: fn(Value) -> Value =
        |sensor| json!([{"name": "deal", "baseline": sensor, "up-price": "1 EUR/kW"}]);
    let priced: fn(Value) -> Value =
        |sensor| json!([{"name": "deal", "baseline": "1 kW", "up-price": sensor}]);
    let (model, context) = ("flex-model", "flex-context");
    for (part, field, unit, shape, said) in [
        (model, "soc-minima", "kWh", plain, "nothing is asked for"),
        (model, "soc-maxima", "kWh", plain, "nothing is asked for"),
        (model, "soc-targets", "kWh", plain, "nothing is asked for"),
        (model, "soc-gain", "kW", listed, "0 kW"),
        (model, "soc-usage", "kW", listed, "0 kW"),
        (model, "charging-efficiency", "", plain, "100 %"),
        (model, "discharging-efficiency", "", plain, "100 %"),
        (model, "storage-efficiency", "", plain, "100 %"),
        (model, "consumption-capacity", "kW", plain, "limits nothing"),
        (model, "production-capacity", "kW", plain, "limits nothing"),
        (context, "site-power-capacity", "kW", plain, "limits nothing"),
        (context, "site-consumption-capacity", "kW", plain, "limits nothing"),
        (context, "site-production-capacity", "kW", plain, "limits nothing"),
        (context, "inflexible-consumption", "kW", listed, "0 kW"),
        (context, "inflexible-production", "kW", listed, "0 kW"),
        (context, "inflexible-device-sensors", "kW", id, "0 kW"),
        (context, "commitments", "kW", agreed, "nothing is agreed"),
        (context, "commitments", "EUR/kW", priced, "free there"),
    ] {
        let found = notices(with_holes(part, field, unit, shape));
        let is_said = |notice: &String| {
            notice.starts_with(&format!("{part}.{field}"))
                && notice.contains(said)
                && notice.contains("gap")
        };
        assert!(found.iter().any(is_said), "{field}: {found:?}");
    }
    for (part, field, unit) in [
        (model, "power-capacity", "kW"),
        (context, "consumption-price", "EUR/kWh"),
        (context, "production-price", "EUR/kWh"),
        (context, "site-peak-consumption-price", "EUR/kW"),
        (context, "site-peak-production-price", "EUR/kW"),
        (context, "site-consumption-breach-price", "EUR/kW"),
        (context, "site-production-breach-price", "EUR/kW"),
        (context, "soc-minima-breach-price", "EUR/kWh"),
        (context, "soc-maxima-breach-price", "EUR/kWh"),
        (context, "consumption-breach-price", "EUR/kW"),
        (context, "production-breach-price", "EUR/kW"),
    ] {
        let message = refused(with_holes(part, field, unit, plain), Mode::BestEffort);
        let is_named =
            message.contains(field) && message.contains("of the slot at 2024-06-11T22:15:00");
        assert!(is_named, "{field}: {message}");
    }
}

#[test]
fn a_measurement_beside_the_start_is_taken_with_a_notice() {
    let sensor = json!({
        "unit": "kWh", "resolution": "PT15M", "start": "2024-06-12T00:00:00+02:00", "values": [null, 6]
    });
    let change = json!({
        "flex-model": {"soc-at-start": null, "state-of-charge": {"sensor": "gap"}},
        "sensors": {"gap": sensor}
    });
    let found = notices(change);
    assert!(
        found[0].contains("flex-model.state-of-charge: there is no value at the start"),
        "{found:?}"
    );
}
