//! Every answer is made to keep the contract.

#![expect(clippy::float_cmp, reason = "powers pass through unchanged or are set to a limit")]

use crate::{ask, policies, try_embedded};
use proptest::{collection::vec, prelude::*};
use voltide_policy::{
    planner::Correction,
    testing::{Car, ObservationBuilder},
};

/// A car that stays for four of six slots, seen at tick 10.
fn shown() -> ObservationBuilder {
    let car =
        Car { departure_slot: 14, charge_kw_max: 7.0, discharge_kw_max: 3.0, ..Car::default() };
    ObservationBuilder::new(6).at(10).car(car)
}

fn corrected(config: &str) -> (Vec<f64>, Vec<Correction>) {
    let mut policy = try_embedded(policies::parrot(), config).unwrap();
    let (mut rows, corrections) = ask(&mut *policy, &shown()).unwrap();
    (rows.remove(0), corrections)
}

#[test]
fn an_answer_within_its_limits_is_left_alone() {
    let (power_kw, corrections) = corrected("power_kw: [7, -3, 0, 2.5, 0, 0]");
    assert_eq!(power_kw, [7.0, -3.0, 0.0, 2.5, 0.0, 0.0]);
    assert_eq!(corrections, []);
}

#[test]
fn power_beyond_the_charger_is_cut_and_the_first_slot_reported() {
    let (power_kw, corrections) = corrected("power_kw: [1, -4, 9, 0, 0, 0]");
    assert_eq!(power_kw, [1.0, -3.0, 7.0, 0.0, 0.0, 0.0]);
    assert_eq!(corrections, [Correction { row: 0, slot: 1, asked_kw: -4.0, applied_kw: -3.0 }]);
}

#[test]
fn power_after_departure_becomes_zero() {
    let (power_kw, corrections) = corrected("power_kw: [1, 1, 1, 1, 1, 1]");
    assert_eq!(power_kw, [1.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
    assert_eq!(corrections, [Correction { row: 0, slot: 4, asked_kw: 1.0, applied_kw: 0.0 }]);
}

#[test]
fn what_is_not_finite_becomes_zero() {
    let (power_kw, corrections) = corrected("power_kw: [1, inf, NaN, 1, 0, 0]");
    assert_eq!(power_kw, [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!(
        corrections,
        [Correction { row: 0, slot: 1, asked_kw: f64::INFINITY, applied_kw: 0.0 }]
    );
    let (power_kw, corrections) = corrected("power_kw: [NaN, 0, 0, 0, NaN, 0]");
    assert_eq!(power_kw, [0.0; 6]);
    assert!(corrections.len() == 1 && corrections[0].slot == 0 && corrections[0].asked_kw.is_nan());
    let (power_kw, corrections) = corrected("power_kw: [9, 1, NaN, 9, 1, NaN]");
    assert_eq!(power_kw, [7.0, 1.0, 0.0, 7.0, 0.0, 0.0]);
    let slots: Vec<_> = corrections.iter().map(|it| (it.slot, it.asked_kw.is_nan())).collect();
    assert_eq!(slots, [(2, true), (0, false)], "each by its first slot");
}

#[test]
fn rounding_beyond_a_limit_is_cut_without_a_word() {
    let (power_kw, corrections) = corrected("power_kw: [7.0000000001, 0, 0, 0, 0, 0]");
    assert_eq!(power_kw[0], 7.0);
    assert_eq!(corrections, []);
}

#[test]
fn a_call_without_stays_is_answered() {
    let mut policy = try_embedded(policies::parrot(), "").unwrap();
    let nobody = ObservationBuilder::new(6);
    assert_eq!(ask(&mut *policy, &nobody), Ok((Vec::new(), Vec::new())));
}

fn any_power() -> impl Strategy<Value = f64> {
    prop_oneof![8 => -20.0..20.0, 1 => Just(f64::NAN), 1 => Just(f64::NEG_INFINITY)]
}

proptest! {
    #[test]
    fn any_answer_comes_out_within_limits(asked in vec(any_power(), 6)) {
        let list: Vec<_> = asked.iter().map(|power| format!("{power:?}")).collect();
        let (power_kw, corrections) = corrected(&format!("power_kw: [{}]", list.join(", ")));
        for (slot, (&power, &asked)) in power_kw.iter().zip(&asked).enumerate() {
            let (lowest, highest) = if slot < 4 { (-3.0, 7.0) } else { (0.0, 0.0) };
            prop_assert!((lowest..=highest).contains(&power));
            let told = corrections.iter().any(|it| {
                it.slot as usize <= slot && it.asked_kw.is_finite() == asked.is_finite()
            });
            prop_assert!(power == asked || told, "no word of slot {slot}");
            prop_assert!(!(lowest..=highest).contains(&asked) || power == asked);
        }
        prop_assert_eq!(corrections.is_empty(), power_kw == asked);
    }
}
