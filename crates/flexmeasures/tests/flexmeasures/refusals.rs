//! What is turned down, and what is said about it.

use serde_json::{Value, json};
use voltide_flexmeasures::{Mode, read};

/// A battery for four hours, with `change` merged into it.
pub(crate) fn battery(change: Value) -> String {
    let mut problem = json!({
        "start": "2024-06-12T00:00:00+02:00", "end": "2024-06-12T04:00:00+02:00", "resolution": "PT15M",
        "timezone": "Europe/Amsterdam",
        "flex-model": {
            "soc-at-start": "50 kWh", "soc-min": "10 kWh", "soc-max": "100 kWh",
            "power-capacity": "50 kW", "roundtrip-efficiency": "90%"
        },
        "flex-context": {"consumption-price": [
            {"start": "2024-06-12T00:00:00+02:00", "duration": "PT2H", "value": "0.10 EUR/kWh"},
            {"start": "2024-06-12T02:00:00+02:00", "duration": "PT2H", "value": "0.30 EUR/kWh"}
        ]}
    });
    merge(&mut problem, change);
    problem.to_string()
}

/// Merges objects; null takes a field away.
pub(crate) fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (field, value) in from {
                if value.is_null() {
                    into.remove(&field);
                } else {
                    merge(into.entry(field).or_insert(Value::Null), value);
                }
            }
        }
        (into, from) => *into = from,
    }
}

fn refused(change: Value) -> String {
    let rejection = read(&battery(change), Mode::BestEffort).expect_err("it is wrong");
    rejection.to_string()
}

fn in_model(field: &str, value: Value) -> String {
    refused(json!({"flex-model": {field: value}}))
}

fn in_context(field: &str, value: Value) -> String {
    refused(json!({"flex-context": {field: value}}))
}

#[track_caller]
pub(crate) fn says(message: &str, path: &str, words: &str) {
    assert!(message.starts_with(&format!("{path}: ")), "{message}");
    assert!(message.contains(words), "{message}");
}

#[test]
fn a_field_that_is_not_known_or_not_supported_is_named() {
    says(&in_model("soc-maximum", json!(3)), "flex-model.soc-maximum", "unknown field");
    says(&in_model("coupling", json!("chp")), "flex-model.coupling", "not supported");
    says(&in_model("commodity", json!("gas")), "flex-model.commodity", "only electricity");
    says(
        &in_context("aggregate-power", json!({"sensor": 9})),
        "flex-context.aggregate-power",
        "not supported",
    );
    let filtered = json!({"sensor": 9, "source-types": ["forecaster"]});
    says(&in_model("soc-minima", filtered), "flex-model.soc-minima.source-types", "not supported");
}

#[test]
fn units_belong_to_their_quantities() {
    says(
        &in_model("power-capacity", json!("11 kWh")),
        "flex-model.power-capacity",
        "`kWh` is not a unit of power",
    );
    says(&in_model("power-capacity", json!(11)), "flex-model.power-capacity", "has no unit");
    says(&in_model("soc-unit", json!("kW")), "flex-model.soc-unit", "neither kWh nor MWh");
    says(
        &in_context("site-peak-consumption-price", json!("260 EUR/MWh")),
        "flex-context.site-peak-consumption-price",
        "MWh",
    );
}

#[test]
fn efficiencies_lie_above_zero_and_exclude_each_other() {
    says(
        &in_model("roundtrip-efficiency", json!("0%")),
        "flex-model.roundtrip-efficiency",
        "greater than 0",
    );
    says(
        &in_model("roundtrip-efficiency", json!("101%")),
        "flex-model.roundtrip-efficiency",
        "at most 100",
    );
    says(
        &in_model("charging-efficiency", json!("95%")),
        "flex-model.roundtrip-efficiency",
        "mutually exclusive",
    );
    says(
        &in_model("storage-efficiency", json!(0)),
        "flex-model.storage-efficiency",
        "greater than 0",
    );
}

#[test]
fn events_say_when_they_are() {
    let event = |fields: Value| {
        let mut event = json!({"value": "60 kWh"});
        merge(&mut event, fields);
        in_model("soc-minima", json!([event]))
    };
    let at = "2024-06-12T01:00:00+02:00";
    says(
        &event(json!({"datetime": "2024-06-12T01:00:00"})),
        "flex-model.soc-minima[0].datetime",
        "no UTC offset",
    );
    says(
        &event(json!({"datetime": at, "start": at})),
        "flex-model.soc-minima[0]",
        "beside `datetime`",
    );
    says(&event(json!({"duration": "PT1H"})), "flex-model.soc-minima[0]", "beside `duration`");
    says(&event(json!({"start": at})), "flex-model.soc-minima[0]", "two of");
    says(
        &event(json!({"start": at, "end": "2024-06-12T00:00:00+02:00"})),
        "flex-model.soc-minima[0]",
        "ends before",
    );
    let zoneless = refused(
        json!({"timezone": null, "flex-model": {"soc-minima": [{"value": 60, "start": at, "duration": "P1D"}]}}),
    );
    says(&zoneless, "flex-model.soc-minima[0]", "timezone");
}

#[test]
fn prices_have_one_currency_one_name_and_no_gaps() {
    says(
        &in_context("production-price", json!("0.1 GBP/kWh")),
        "flex-context.production-price",
        "this is GBP",
    );
    says(&in_context("production-price-sensor", json!(42)), "still missing", "sensor `42`");
    let series = json!({"unit": "EUR/kWh", "resolution": "PT1H", "start": "2024-06-12T00:00:00+02:00", "values": [0.1, 0.2, 0.3, 0.4]});
    let both = refused(
        json!({"flex-context": {"consumption-price-sensor": 41}, "sensors": {"41": series}}),
    );
    says(&both, "flex-context.consumption-price", "not both");
    let gap = json!([
        {"start": "2024-06-12T00:00:00+02:00", "duration": "PT1H", "value": "0.1 EUR/kWh"},
        {"start": "2024-06-12T02:00:00+02:00", "duration": "PT2H", "value": "0.3 EUR/kWh"}
    ]);
    says(
        &in_context("consumption-price", gap),
        "flex-context.consumption-price",
        "2024-06-11T23:00:00+00:00",
    );
    let elsewhere =
        json!([{"start": "2023-06-12T00:00:00+02:00", "duration": "PT1H", "value": "0.1 EUR/kWh"}]);
    says(
        &in_context("consumption-price", elsewhere),
        "flex-context.consumption-price",
        "no value between",
    );
}

#[test]
fn ends_of_a_band_are_numbers_that_costs_can_be_computed_with() {
    for end in [json!("nan"), json!(1e300)] {
        let modes = json!([{"consumption-range": [0, end]}]);
        let path = "flex-model.operation-modes[0].consumption-range";
        says(&in_model("operation-modes", modes), path, "beyond what costs");
    }
}

#[test]
fn where_capacities_have_gaps_that_of_the_site_holds() {
    let gaps = json!([{"start": "2024-06-12T00:00:00+02:00", "duration": "PT1H", "value": "3 kW"}]);
    let alone = json!({"flex-model": {"power-capacity": null, "consumption-capacity": gaps}});
    let message = refused(alone);
    says(&message, "flex-model.power-capacity", "no capacity holds for all of the slot at");
}

#[test]
fn all_that_is_missing_is_named_at_once() {
    let fragment = r#"{"flex-model": {"soc-min": 15, "soc-max": 51}, "flex-context": {"consumption-price-sensor": 41}}"#;
    let message = read(fragment, Mode::BestEffort).expect_err("it is incomplete").to_string();
    for missing in [
        "`start`",
        "`end` or `duration`",
        "`resolution`",
        "power-capacity",
        "soc-at-start",
        "sensor `41`",
    ] {
        assert!(message.contains(missing), "{missing}: {message}");
    }
}

#[test]
fn hard_targets_stay_within_the_static_range() {
    let target = json!({
        "flex-model": {"soc-targets": [{"value": "120 kWh", "datetime": "2024-06-12T02:00:00+02:00"}]},
        "flex-context": {"relax-constraints": false}
    });
    says(&refused(target), "flex-model.soc-targets", "outside soc-min to soc-max");
    says(&in_model("soc-min", json!("120 kWh")), "flex-model.soc-min", "above `soc-max`");
}

#[test]
fn hard_constraints_that_contradict_each_other_are_refused_by_the_rules_of_flexmeasures() {
    let pair = json!({
        "flex-model": {
            "soc-minima": [{"value": "80 kWh", "datetime": "2024-06-12T02:00:00+02:00"}],
            "soc-maxima": [{"value": "60 kWh", "datetime": "2024-06-12T02:00:00+02:00"}]
        },
        "flex-context": {"relax-constraints": false}
    });
    let text = battery(pair);
    let rejection = read(&text, Mode::FlexMeasures).expect_err("it cannot be kept");
    assert_eq!(rejection.stage.name(), "prepare");
    says(&rejection.to_string(), "flex-model", "the least energy is above the most");
    assert!(read(&text, Mode::BestEffort).is_ok(), "the best effort approaches both");
}

#[test]
fn devices_of_a_list_have_names_of_their_own() {
    let list = |models: Value, words: &str| {
        let mut problem: Value = serde_json::from_str(&battery(json!({}))).unwrap();
        problem["flex-model"] = models;
        let message =
            read(&problem.to_string(), Mode::BestEffort).expect_err("it is wrong").to_string();
        says(&message, "flex-model[1]", words);
    };
    let device = |name: Option<&str>| {
        let mut device = json!({"soc-at-start": 1, "power-capacity": "1 kW"});
        if let Some(name) = name {
            device["sensor"] = json!(name);
        }
        device
    };
    list(json!([device(Some("a")), device(None)]), "names its `sensor`");
    list(json!([device(Some("a")), device(Some("a"))]), "already");
}
