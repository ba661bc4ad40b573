//! Several devices: behind one limit, under prices that bend, and apart; and any magnitude.

use crate::{
    given,
    groups::solved,
    refusals::{battery, merge},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use voltide_flexmeasures::{Answer, Mode, Status, read, solve};

/// Slots of half an hour.
const SLOTS: usize = 8;

fn optimum(case: &Value) -> f64 {
    let problem = read(&case.to_string(), Mode::FlexMeasures)
        .unwrap_or_else(|rejection| panic!("{rejection}"));
    let answer: Answer = solve(&problem, Mode::FlexMeasures);
    assert_eq!(answer.status, Status::Optimal);
    answer.objective().unwrap()
}

/// Three batteries behind one limit under negative prices. `HiGHS` comes to -44.70 on the same
/// program in a second; CBC alone needs five minutes.
#[test]
fn three_batteries_behind_one_limit_have_the_optimum_of_highs() {
    let objective = solved(&given("n3")).objective().unwrap();
    assert!((objective + 44.700_273).abs() < 1e-5, "{objective}");
}

fn device(name: &str, power: f64, start: f64, efficiency: f64) -> Value {
    json!({
        "sensor": name, "soc-at-start": format!("{start} kWh"), "soc-min": "2 kWh", "soc-max": "30 kWh",
        "power-capacity": format!("{power} kW"), "roundtrip-efficiency": efficiency
    })
}

/// The modes of a device that may do either: a binary in every slot, and nothing that is derived.
fn with_modes(device: &Value) -> Value {
    let power = device["power-capacity"].clone();
    let mut with = device.clone();
    let ranges =
        json!([{"consumption-range": ["0 kW", power]}, {"production-range": ["0 kW", power]}]);
    merge(&mut with, json!({"operation-modes": ranges}));
    with
}

fn prices(values: &[f64], less: f64) -> Value {
    let at = |slot: usize| format!("2024-06-12T{:02}:{:02}:00+02:00", slot / 2, slot % 2 * 30);
    let event = |(slot, value): (usize, &f64)| json!({"start": at(slot), "end": at(slot + 1), "value": format!("{:.3} EUR/kWh", value - less)});
    values.iter().enumerate().map(event).collect()
}

fn site(devices: Vec<Value>, buy: &[f64], spread: f64, limit: Option<f64>) -> Value {
    let mut case = json!({
        "start": "2024-06-12T00:00:00+02:00", "end": "2024-06-12T04:00:00+02:00", "resolution": "PT30M",
        "flex-model": devices,
        "flex-context": {"consumption-price": prices(buy, 0.0), "production-price": prices(buy, spread)}
    });
    if let Some(limit) = limit {
        merge(&mut case, json!({"flex-context": {"site-power-capacity": format!("{limit} kW")}}));
    }
    case
}

fn any_devices(most: usize) -> impl Strategy<Value = Vec<Value>> {
    let one = (prop::sample::select(vec![7.0, 11.0, 22.0]), 2.0..28.0_f64, 0.7..1.0_f64);
    prop::collection::vec(one, 2..=most).prop_map(|devices| {
        let named = devices.into_iter().enumerate();
        named
            .map(|(i, (power, start, efficiency))| {
                device(&format!("b{i}"), power, start, efficiency)
            })
            .collect()
    })
}

/// What is derived against what is written out, for a problem in which cuts along a stock lost 0.0045.
#[test]
fn three_batteries_that_leave_little_between_schedules_have_the_optimum() {
    let devices = vec![
        device("b0", 11.0, 26.850_174_826_353_06, 0.914_075_745_976_18),
        device("b1", 22.0, 13.375_476_588_258_783, 0.826_643_320_073_368_5),
        device("b2", 11.0, 12.079_299_058_436_481, 0.768_673_297_253_352_8),
    ];
    let buy = [-0.067, -0.007, -0.045, -0.115, -0.095, 0.108, -0.048, -0.161];
    let limit = Some(0.750_762_058_496_733_8 * 22.0);
    let plain = optimum(&site(devices.clone(), &buy, 0.0, limit));
    let written_out = optimum(&site(devices.iter().map(with_modes).collect(), &buy, 0.0, limit));
    assert!((written_out + 5.331_166_723).abs() < 1e-6, "{written_out}");
    assert!((plain - written_out).abs() <= 1e-6 * plain.abs(), "{plain} and {written_out}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Binaries where they are needed, with hulls, against a binary in every slot.
    #[test]
    fn hulls_cut_no_optimum_off(
        devices in any_devices(3),
        buy in prop::collection::vec(-0.2..0.2_f64, SLOTS),
        spread in prop::sample::select(vec![-0.03, 0.0, 0.01, 0.1]),
        share in 0.3..1.2_f64,
        limited in any::<bool>(),
    ) {
        let limit = limited.then_some(share * 22.0);
        let plain = optimum(&site(devices.clone(), &buy, spread, limit));
        let modes = devices.iter().map(with_modes).collect();
        let written_out = optimum(&site(modes, &buy, spread, limit));
        prop_assert!((plain - written_out).abs() <= 1e-6 * plain.abs().max(1.0), "{plain} and {written_out}");
    }

    /// Devices that share neither a limit nor a price that bends cost what they cost alone.
    #[test]
    fn devices_that_share_nothing_cost_what_they_cost_alone(
        devices in any_devices(4),
        buy in prop::collection::vec(-0.2..0.2_f64, SLOTS),
    ) {
        let all = optimum(&site(devices.clone(), &buy, 0.0, Some(1000.0)));
        let each = devices.into_iter().map(|device| optimum(&site(vec![device], &buy, 0.0, None)));
        let sum: f64 = each.sum();
        prop_assert!((all - sum).abs() <= 1e-6 * sum.abs().max(1.0), "{all} and {sum}");
    }
}

/// One of two devices whose wish is too cheap to be a bound, or that has modes, leads no other one
/// into the program: the costs are those of each alone.
#[test]
fn a_device_that_needs_a_program_goes_there_alone() {
    let buy = [0.1, 0.2, -0.1, 0.3, 0.1, 0.25, 0.05, 0.4];
    let plain = device("b0", 11.0, 5.0, 0.9);
    let odd = with_modes(&device("b1", 7.0, 20.0, 0.8));
    let sum: f64 =
        [&plain, &odd].map(|one| optimum(&site(vec![one.clone()], &buy, 0.0, None))).iter().sum();
    let both = optimum(&site(vec![plain, odd], &buy, 0.0, None));
    assert!((both - sum).abs() < 1e-9, "{both} and {sum}");
}

/// Every amount of energy and power of a case times a factor.
fn scaled(value: &Value, factor: f64) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), scaled(field, factor))).collect()
        }
        Value::Array(list) => list.iter().map(|entry| scaled(entry, factor)).collect(),
        Value::String(text) => {
            let amount =
                text.split_once(' ').filter(|(_, unit)| ["kW", "kWh", "kVA"].contains(unit));
            let number =
                amount.and_then(|(number, unit)| Some((number.parse::<f64>().ok()?, unit)));
            number.map_or_else(
                || value.clone(),
                |(number, unit)| json!(format!("{:e} {unit}", number * factor)),
            )
        }
        other => other.clone(),
    }
}

#[test]
fn costs_grow_with_the_problem_from_milliwatts_to_terawatts() {
    for name in ["peak2", "twomin", "n3"] {
        let case = given(name);
        let usual = optimum(&case);
        for factor in [1e-6, 1e-3, 1e4, 1e9] {
            let objective = optimum(&scaled(&case, factor)) / factor;
            // The preference for a full storage is per MWh where prices do not differ.
            assert!(
                (objective - usual).abs() <= 1e-6 * usual.abs(),
                "{name} · {factor}: {objective}, not {usual}"
            );
        }
    }
}

#[test]
fn counts_and_magnitudes_have_limits_that_say_what_would_be_right() {
    let refused =
        |change: Value| read(&battery(change), Mode::BestEffort).expect_err("too much").to_string();
    let endless = refused(json!({"end": null, "duration": "PT99999999H"}));
    assert!(
        endless.contains("slots of 900 s are more than a schedule has, at most 200000"),
        "{endless}"
    );
    let beyond = refused(json!({"end": null, "duration": "PT99999999999999H"}));
    assert!(beyond.contains("out of the calendar"), "{beyond}");
    let dear = refused(json!({"flex-context": {"consumption-price": "1e300 EUR/kWh"}}));
    assert!(dear.contains("beyond what costs can be computed with"), "{dear}");
    let weak = refused(json!({"flex-model": {"roundtrip-efficiency": 1e-320}}));
    assert!(weak.contains("greater than 0 %"), "{weak}");
}
