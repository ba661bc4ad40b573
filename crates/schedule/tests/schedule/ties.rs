//! Tie rules: one schedule each, at the same least cost.

use crate::instances::{Instance, Prices, Random, agree, count, random};
use voltide_schedule::{Method, TieRule, check};

fn instances() -> impl Iterator<Item = Instance> {
    let mut numbers = Random(2024);
    (0..count(2000)).map(move |round| {
        let slots = 4 + numbers.below(60);
        random(&mut numbers, Prices::of(round), slots)
    })
}

#[test]
fn every_rule_costs_the_least_and_keeps_the_bounds() {
    for car in instances() {
        let (earliest, _) = car.with(TieRule::Earliest, Method::Exact);
        for rule in [TieRule::Spread, TieRule::ValleyFill] {
            let (answer, power) = car.with(rule, Method::Exact);
            assert!(agree(answer.objective, earliest.objective, 1e-9), "{rule:?} {car:?}");
            check::schedule(&car.problem(), &power, 1e-8)
                .unwrap_or_else(|breach| panic!("{breach} {car:?}"));
        }
    }
}

#[test]
fn no_schedule_of_the_same_cost_stores_more_at_any_time_than_the_earliest() {
    for car in instances().filter(|car| car.problem().binaries() == 0) {
        let (_, earliest) = car.with(TieRule::Earliest, Method::Exact);
        let most = car.problem().energies(&earliest);
        for rule in [TieRule::Spread, TieRule::ValleyFill] {
            let (_, power) = car.with(rule, Method::Exact);
            for (energy, most) in car.problem().energies(&power).iter().zip(&most) {
                assert!(energy <= &(most + 1e-7), "{energy} {most} {car:?}");
            }
        }
    }
}

fn unevenness(power: &[f64], load: &[f64]) -> f64 {
    power.iter().zip(load).map(|(power, load)| (power + load) * (power + load)).sum()
}

/// Optimality of the level by its own definition: shifting a little power between any two slots
/// at the same cost, within all bounds, never makes load plus power more even.
#[test]
fn no_shift_of_equal_cost_makes_a_level_schedule_more_even() {
    let (step, mut shifts) = (1e-4, 0);
    for car in instances().take(count(300)).filter(|car| car.problem().binaries() == 0) {
        let flat = vec![0.0; car.buy.len()];
        for (rule, load) in [(TieRule::Spread, &flat), (TieRule::ValleyFill, &car.load)] {
            let (_, power) = car.with(rule, Method::Exact);
            let even = unevenness(&power, load);
            for from in 0..power.len() {
                for to in (0..power.len()).filter(|&to| to != from) {
                    let mut other = power.clone();
                    other[from] -= step;
                    other[to] += step;
                    let same_kind = power[from].min(other[from]) * power[to].max(other[to]) >= 0.0;
                    let prices = if other[to] > 0.0 { &car.buy } else { &car.sell };
                    // Prices that only look alike are no choice: the cheaper one is right.
                    let same_price = prices[from].to_bits() == prices[to].to_bits();
                    if same_kind
                        && same_price
                        && check::schedule(&car.problem(), &other, 1e-10).is_ok()
                    {
                        shifts += 1;
                        assert!(
                            unevenness(&other, load) >= even - 1e-6,
                            "{from} {to} {rule:?} {car:?}"
                        );
                    }
                }
            }
        }
    }
    assert!(shifts > 1000, "only {shifts} shifts could be tried");
}

#[test]
fn spread_is_equal_power_over_the_marginal_price_class() {
    let prices = [0.1, 0.5, 0.3, 0.3, 0.5, 0.3, 0.1, 0.3];
    let need = 2.0 * 7.0 * 0.25 * 0.95 + 3.0;
    let car = Instance::car(&prices, 20.0, 20.0 + need).without_discharge();
    for way in [Method::Exact, Method::V1g] {
        let (_, power) = car.with(TieRule::Spread, way);
        let each = 3.0 / (4.0 * 0.25 * 0.95);
        for (slot, expected) in [7.0, 0.0, each, each, 0.0, each, 7.0, each].into_iter().enumerate()
        {
            assert!((power[slot] - expected).abs() < 1e-12, "{way:?} slot {slot}");
        }
    }
}

#[test]
fn valley_fill_makes_load_and_power_level() {
    let mut car = Instance::car(&[0.3; 4], 20.0, 20.0 + 0.25 * 0.95 * 12.0).without_discharge();
    car.load = vec![1.0, 5.0, 3.0, 20.0];
    for way in [Method::Exact, Method::V1g] {
        let (_, power) = car.with(TieRule::ValleyFill, way);
        for (slot, expected) in [6.0, 2.0, 4.0, 0.0].into_iter().enumerate() {
            assert!((power[slot] - expected).abs() < 1e-9, "{way:?} {power:?}");
        }
    }
}

#[test]
fn discharge_is_spread_too() {
    let prices = [0.1, 0.1, 0.9, 0.9, 0.9, 0.9];
    let mut car = Instance::car(&prices, 30.0, 28.0);
    car.charge_kw.fill(0.0);
    let (_, power) = car.solve(Method::Exact);
    let each = -2.0 * 0.95 / (4.0 * 0.25);
    for (slot, expected) in [0.0, 0.0, each, each, each, each].into_iter().enumerate() {
        assert!((power[slot] - expected).abs() < 1e-12, "{power:?}");
    }
}

#[test]
fn a_floor_on_the_way_splits_the_level() {
    let mut car = Instance::car(&[0.3; 6], 20.0, 26.0).without_discharge();
    car.least[1] = 23.0;
    let (_, power) = car.solve(Method::Exact);
    let (before, after) = (3.0 / (2.0 * 0.25 * 0.95), 3.0 / (4.0 * 0.25 * 0.95));
    for (slot, power) in power.iter().enumerate() {
        let expected = if slot < 2 { before } else { after };
        assert!((power - expected).abs() < 1e-9, "slot {slot}: {power}");
    }
}

#[test]
fn nothing_moves_for_no_gain() {
    let mut car = Instance::car(&[0.0; 8], 30.0, 20.0);
    let still =
        |car: &Instance| car.solve(Method::Exact).1.iter().all(|&power| power.abs() < 1e-12);
    assert!(still(&car), "at a price of nothing");
    (car.charge_efficiency, car.discharge_efficiency) = (1.0, 1.0);
    car.buy = vec![0.2, 0.2, 0.2, 0.2, 0.3, 0.3, 0.3, 0.3];
    car.sell.clone_from(&car.buy);
    (car.degradation, car.target) = (0.1, 30.0);
    assert!(still(&car), "where wear eats the spread");
}
