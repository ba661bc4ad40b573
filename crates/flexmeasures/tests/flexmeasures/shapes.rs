//! Fields and combinations beyond the reference cases, each held against the independent checker,
//! with what must come of it.

use crate::{checker::Checker, refusals::battery};
use serde_json::{Value, json};
use voltide_flexmeasures::{Answer, Mode, Problem, Status, read, solve};

/// Solves a battery for four hours with `change`, in the mode of FlexMeasures; checked and priced.
fn solved(change: Value) -> (Problem, Answer) {
    let text = battery(change);
    let problem = read(&text, Mode::FlexMeasures).unwrap_or_else(|rejection| panic!("{rejection}"));
    let answer = solve(&problem, Mode::FlexMeasures);
    assert_eq!(answer.status, Status::Optimal);
    let case: Value = serde_json::from_str(&text).unwrap();
    let price = Checker::new(&case).judge(&answer.json(&problem));
    let objective = answer.objective().unwrap();
    assert!(
        (price - objective).abs() <= 1e-6 * objective.abs().max(1.0),
        "{objective} is priced {price}"
    );
    (problem, answer)
}

fn power(answer: &Answer) -> &[f64] {
    &answer.course.as_ref().unwrap().power[0]
}

fn energy(answer: &Answer) -> &[f64] {
    &answer.course.as_ref().unwrap().energy[0]
}

fn cost(answer: &Answer, name: &str) -> f64 {
    answer.costs.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}")).1
}

#[test]
fn directional_capacities_close_the_other_direction() {
    let (_, answer) =
        solved(json!({"flex-model": {"consumption-capacity": "20 kW", "power-capacity": null}}));
    assert!(power(&answer).iter().all(|&power| (0.0..=20.0).contains(&power)));
    let (_, answer) = solved(json!({"flex-model": {"production-capacity": "0 kW"}}));
    assert!(power(&answer).iter().all(|&power| power >= 0.0));
}

#[test]
fn capacities_change_with_time() {
    let windows = json!([
        {"start": "2024-06-12T00:00:00+02:00", "duration": "PT1H", "value": "5 kW"},
        {"start": "2024-06-12T03:00:00+02:00", "end": "2024-06-12T04:00:00+02:00", "value": "0 kW"}
    ]);
    let limits =
        json!({"flex-model": {"consumption-capacity": windows, "production-capacity": windows}});
    let (_, answer) = solved(limits);
    assert!(power(&answer)[..4].iter().all(|power| power.abs() <= 5.0 + 1e-9));
    assert!(power(&answer)[12..].iter().all(|power| power.abs() < 1e-9));
    assert!(power(&answer)[4..12].iter().any(|power| power.abs() > 40.0));
}

#[test]
fn capacities_of_a_device_can_be_breached_at_a_price() {
    let dear = json!([{"value": "100 kWh", "datetime": "2024-06-12T01:00:00+02:00"}]);
    let change = json!({
        "flex-model": {"consumption-capacity": "30 kW", "production-capacity": "30 kW", "soc-minima": dear},
        "flex-context": {"relax-capacity-constraints": true}
    });
    let (_, answer) = solved(change);
    assert!(power(&answer)[..4].iter().all(|&power| power > 45.0), "{:?}", power(&answer));
    assert!(cost(&answer, "any consumption breach device 0") > 100.0);
}

#[test]
fn a_wish_between_ticks_is_projected_onto_both() {
    let minimum = json!([{"value": "90 kWh", "datetime": "2024-06-12T03:07:00+02:00"}]);
    for relax in [true, false] {
        let change = json!({"flex-model": {"soc-minima": minimum}, "flex-context": {"relax-constraints": relax}});
        let (_, answer) = solved(change);
        let root = libm::sqrt(0.9);
        assert!(energy(&answer)[12] >= 90.0 - 50.0 * root * 7.0 / 60.0 - 1e-6);
        assert!(energy(&answer)[13] >= 90.0 - 50.0 / root * 8.0 / 60.0 - 1e-6);
        assert!(cost(&answer, "all soc minima") < 1e-6);
    }
    let target = json!([{"value": "77 kWh", "datetime": "2024-06-12T03:07:00+02:00"}]);
    let (_, answer) = solved(json!({"flex-model": {"soc-targets": target}}));
    assert!((energy(&answer)[13] - 77.0).abs() < 1e-6);
}

#[test]
fn minima_and_maxima_that_exclude_each_other_share_the_breach() {
    let pair = json!({
        "soc-minima": [{"value": "80 kWh", "datetime": "2024-06-12T02:00:00+02:00"}],
        "soc-maxima": [{"value": "60 kWh", "start": "2024-06-12T01:45:00+02:00", "end": "2024-06-12T02:15:00+02:00"}]
    });
    let (_, answer) = solved(json!({"flex-model": pair}));
    let at = energy(&answer)[8];
    assert!((60.0 - 1e-6..=80.0 + 1e-6).contains(&at), "{at}");
    assert!(
        answer
            .unresolved
            .iter()
            .any(|slack| slack.field == "soc-minima" || slack.field == "soc-maxima")
    );
}

#[test]
fn peaks_commitments_and_small_breach_prices_are_paid_where_they_pay_off() {
    let (_, flat) = solved(
        json!({"flex-context": {"site-peak-consumption-price": "100 EUR/kW", "site-peak-consumption": "3 kW"}}),
    );
    assert!(power(&flat).iter().all(|&power| power <= 3.0 + 1e-6));
    let commitment = json!([{"name": "steady", "baseline": "0 kW", "up-price": "5 EUR/kW", "down-price": "-5 EUR/kW"}]);
    let (_, steady) = solved(json!({"flex-context": {"commitments": commitment}}));
    assert!(power(&steady).iter().all(|power| power.abs() < 1e-6));
    let full =
        json!({"soc-minima": [{"value": "100 kWh", "datetime": "2024-06-12T04:00:00+02:00"}]});
    let (_, cheap) = solved(
        json!({"flex-model": full, "flex-context": {"soc-minima-breach-price": "0.0001 EUR/kWh"}}),
    );
    assert!(energy(&cheap)[16] < 11.0, "breaching is cheaper than charging: {:?}", energy(&cheap));
}

#[test]
fn efficiencies_gains_and_losses_are_followed() {
    let change = json!({"flex-model": {
        "roundtrip-efficiency": null, "charging-efficiency": "300%", "discharging-efficiency": "90%",
        "storage-efficiency": 0.99, "soc-gain": ["500 W", "1 kW"],
        "soc-usage": [[{"start": "2024-06-12T00:00:00+02:00", "duration": "PT2H", "value": "3 kW"}]],
        "prefer-curtailing-later": false
    }});
    solved(change);
}

#[test]
fn feeding_in_at_a_higher_price_with_minima_and_a_limit_is_solved() {
    let minima = json!([{"value": "70 kWh", "datetime": "2024-06-12T02:00:00+02:00"}]);
    let change = json!({
        "flex-model": {"soc-minima": minima},
        "flex-context": {"production-price": "0.35 EUR/kWh"}
    });
    let (_, exact) = solved(change.clone());
    // A limit that does not bind any plan leads the same problem through the program.
    let mut limited = change;
    limited["flex-context"]["site-peak-consumption-price"] = json!("0.000000001 EUR/kW");
    let (_, program) = solved(limited);
    assert!((exact.objective().unwrap() - program.objective().unwrap()).abs() < 1e-5);
}

#[test]
fn fields_of_either_age_and_series_in_the_file_mean_the_same() {
    let (_, new) = solved(json!({"flex-context": {"relax-constraints": false}}));
    let series = json!({
        "unit": "EUR/MWh", "resolution": "PT1H", "start": "2024-06-12T00:00:00+02:00",
        "values": [100, 100, 300, 300]
    });
    let old = json!({
        "flex-context": {"consumption-price": null, "consumption-price-sensor": 41, "production-price-sensor": 41},
        "flex-model": {"soc-unit": "kWh", "soc-at-start": 50, "soc-min": 10, "soc-max": 100},
        "sensors": {"41": series}
    });
    let problem = read(&battery(old), Mode::FlexMeasures).unwrap();
    let answer = solve(&problem, Mode::FlexMeasures);
    assert!((answer.objective().unwrap() - new.objective().unwrap()).abs() < 1e-9);
}

#[test]
fn a_target_after_the_end_makes_the_schedule_longer() {
    let target = json!([{"value": "70 kWh", "datetime": "2024-06-12T05:00:00+02:00"}]);
    let problem =
        read(&battery(json!({"flex-model": {"soc-targets": target}})), Mode::FlexMeasures).unwrap();
    assert_eq!(problem.grid.slots, 20);
}

#[test]
fn a_limit_below_the_load_is_exceeded_as_little_as_can_be() {
    let load = json!({"unit": "kW", "resolution": "PT1H", "start": "2024-06-12T00:00:00+02:00", "values": [80, 80, 80, 80]});
    let text = battery(json!({
        "flex-context": {"site-power-capacity": "20 kW", "inflexible-consumption": [{"sensor": "load"}]},
        "sensors": {"load": load}
    }));
    let strict = read(&text, Mode::FlexMeasures).unwrap();
    assert_eq!(solve(&strict, Mode::FlexMeasures).status, Status::Infeasible);
    let problem = read(&text, Mode::BestEffort).unwrap();
    let answer = solve(&problem, Mode::BestEffort);
    assert_eq!(answer.status, Status::Optimal);
    assert!(answer.unresolved.iter().any(|slack| slack.field == "power-capacity"));
}
