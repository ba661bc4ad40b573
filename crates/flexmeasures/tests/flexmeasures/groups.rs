//! Peaks and breaches whose price or baseline changes: each group pays for its largest deviation.

use crate::{checker::Checker, given};
use proptest::prelude::*;
use serde_json::{Value, json};
use voltide_flexmeasures::{Answer, Mode, Status, read, solve};

/// Solves a case in the mode of FlexMeasures, and holds it against the independent reading.
pub(crate) fn solved(case: &Value) -> Answer {
    let problem = read(&case.to_string(), Mode::FlexMeasures)
        .unwrap_or_else(|rejection| panic!("{rejection}"));
    let answer = solve(&problem, Mode::FlexMeasures);
    assert_eq!(answer.status, Status::Optimal);
    let price = Checker::new(case).judge(&answer.json(&problem));
    let objective = answer.objective().unwrap();
    assert!(
        (price - objective).abs() <= 1e-6 * objective.abs().max(1.0),
        "{objective} is priced {price}"
    );
    answer
}

/// A price, a baseline, and wishes that change. `tests/cases/schedule/README.md` has the totals; that of
/// `twomin` is 10 SEK for each of 12 and 14 kWh, as the largest of its group and as one of all, and
/// 16 kWh of energy.
#[test]
fn a_change_of_price_or_baseline_begins_a_new_group() {
    for (name, total) in [("peak2", 28.88), ("peakbase", 22.0), ("twomin", 536.0)] {
        let objective = solved(&given(name)).objective().unwrap();
        assert!((objective - total).abs() < 5e-3, "{name}: {objective}, not {total}");
    }
}

/// Two wishes of one size at two instants are one group, as in FlexMeasures, which counts distinct values.
#[test]
fn wishes_that_are_all_one_value_are_one_group() {
    let mut case = given("twomin");
    case["flex-model"]["soc-minima"][0]["value"] = json!("30 kWh");
    let answer = solved(&case);
    let any = answer.costs.iter().find(|(name, _)| name == "any soc minima").unwrap().1;
    // 30 kWh less the 8 kWh of two hours is the largest of both.
    assert!((any - 220.0).abs() < 1e-6, "{any}");
}

/// Stretches of two hours of a peak's price and baseline.
fn stretches(values: &[f64], unit: &str) -> Value {
    let at = |hour: usize| format!("2025-11-26T{hour:02}:00:00+01:00");
    let stretch = |(index, value): (usize, &f64)| json!({"start": at(2 * index), "end": at(2 * index + 2), "value": format!("{value} {unit}")});
    values.iter().enumerate().map(stretch).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// The cost that is said is that of the schedule, group by group, and no schedule that draws
    /// the same in all hours is cheaper.
    #[test]
    fn peaks_that_change_are_priced_group_by_group(
        prices in prop::collection::vec(prop::sample::select(vec![0.0, 0.5, 2.0]), 4),
        levels in prop::collection::vec(prop::sample::select(vec![0.0, 3.0, 6.0]), 4),
    ) {
        let mut case = given("peak2");
        case["flex-context"]["site-peak-consumption-price"] = stretches(&prices, "SEK/kW");
        case["flex-context"]["site-peak-consumption"] = stretches(&levels, "kW");
        let objective = solved(&case).objective().unwrap();
        let mut groups: Vec<(f64, f64)> = prices.iter().copied().zip(levels.iter().copied()).collect();
        groups.dedup();
        let steady: f64 = groups.iter().map(|(price, level)| price * (5.0 - level).max(0.0)).sum();
        prop_assert!(objective <= 30.0 + steady + 0.01, "{objective} above {}", 30.0 + steady);
    }
}
