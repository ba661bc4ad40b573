//! The storage service, and the policies that stand on it: laws for any car, and refusals.

use crate::{ask, bare, embedded, policies, try_embedded};
use proptest::{collection::vec, prelude::*};
use voltide_host::{HostError, Plugins};
use voltide_policy::{
    planner::PolicyFault,
    testing::{Car, ObservationBuilder},
};

fn rows(policy: &str, config: &str, shown: &ObservationBuilder) -> Vec<Vec<f64>> {
    ask(&mut *bare().load(policy, config, 0).unwrap(), shown).unwrap().0
}

/// What each car pays by (14).
fn costs(shown: &ObservationBuilder, rows: &[Vec<f64>]) -> Vec<f64> {
    let seen = shown.build();
    let wear = seen.degradation_per_kwh.iter();
    let cost = |(power_kw, wear): (&Vec<f64>, &f64)| {
        let slots = power_kw.iter().zip(seen.buy_price);
        slots.map(|(power, price)| price * power + wear * (-power).max(0.0)).sum::<f64>()
            * seen.slot_hours
    };
    rows.iter().zip(wear).map(cost).collect()
}

/// Energy at the end of each slot, kWh.
fn energies(car: &Car, power_kw: &[f64]) -> Vec<f64> {
    let mut energy = car.energy_kwh;
    let step = |&power: &f64| {
        let share =
            if power > 0.0 { car.charge_efficiency } else { 1.0 / car.discharge_efficiency };
        energy += 0.25 * power * share;
        energy
    };
    power_kw.iter().map(step).collect()
}

const HORIZON: usize = 40;

fn any_car() -> impl Strategy<Value = Car> {
    let battery = (20.0..100.0, 0.0..=1.0, 0.0..=1.0, 0.0..0.5, 0.6..=1.0);
    let charger = (1.0..22.0, 0.0..22.0, 0.7..=1.0, 0.7..=1.0);
    (battery, charger, 0.0..0.5, 1_u32..60, 0_u8..=1).prop_map(
        |(battery, charger, wear, stay, eligible)| {
            let (capacity_kwh, soc, departure_soc, soc_min, soc_max) = battery;
            Car {
                capacity_kwh,
                energy_kwh: soc * capacity_kwh,
                departure_energy_kwh: departure_soc * capacity_kwh,
                energy_kwh_min: soc_min * capacity_kwh,
                energy_kwh_max: soc_max * capacity_kwh,
                charge_kw_max: charger.0,
                discharge_kw_max: charger.1,
                charge_efficiency: charger.2,
                discharge_efficiency: charger.3,
                degradation_per_kwh: wear,
                departure_slot: 5 + stay,
                v2g_eligible: eligible,
                ..Car::default()
            }
        },
    )
}

fn any_shown() -> impl Strategy<Value = (Vec<Car>, ObservationBuilder)> {
    let prices = prop_oneof![vec(0.0..1.0, HORIZON), vec(-0.3..1.0, HORIZON)];
    (vec(any_car(), 1..6), prices, vec(any::<u8>(), 6 * HORIZON / 8)).prop_map(
        |(cars, prices, bits)| {
            let mut shown = cars
                .iter()
                .fold(ObservationBuilder::new(HORIZON).at(5), |shown, &car| shown.car(car));
            shown.sell_price.clone_from(&prices);
            shown.buy_price = prices;
            shown.agreed = bits[..cars.len() * HORIZON / 8].to_vec();
            (cars, shown)
        },
    )
}

proptest! {
    #[test]
    fn giving_back_costs_no_more_than_charging_and_that_no_more_than_charging_at_once(
        (_, shown) in any_shown()
    ) {
        let cost = |policy| costs(&shown, &rows(policy, "", &shown));
        let (v2g, smart, uncontrolled) = (cost("v2g"), cost("smart-incentive"), cost("uncontrolled"));
        for ((v2g, smart), uncontrolled) in v2g.iter().zip(&smart).zip(&uncontrolled) {
            prop_assert!(v2g <= &(smart + 1e-7), "v2g {v2g} > smart {smart}");
            prop_assert!(smart <= &(uncontrolled + 1e-7), "smart {smart} > uncontrolled {uncontrolled}");
        }
    }

    #[test]
    fn a_car_stays_within_its_bounds_and_discharges_only_where_it_may((cars, shown) in any_shown()) {
        for (row, (car, power_kw)) in cars.iter().zip(rows("v2g", "", &shown)).enumerate() {
            let (least, most) = (car.energy_kwh_min.min(car.energy_kwh), car.energy_kwh_max.max(car.energy_kwh));
            let energies = energies(car, &power_kw);
            prop_assert!(energies.iter().all(|energy| (least - 1e-7..=most + 1e-7).contains(energy)));
            for (slot, &power) in power_kw.iter().enumerate() {
                let agreed = shown.agreed[row * HORIZON / 8 + slot / 8] >> (slot % 8) & 1 == 1;
                prop_assert!(power >= 0.0 || (agreed && car.v2g_eligible == 1));
            }
            let slots = (car.departure_slot as usize - 5).min(HORIZON);
            let reachable = car.energy_kwh + slots as f64 * 0.25 * car.charge_kw_max * car.charge_efficiency;
            let target = car.departure_energy_kwh.min(most).min(reachable);
            prop_assert!(energies[HORIZON - 1] >= target - 1e-7, "{} < {target}", energies[HORIZON - 1]);
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let mut shown = ObservationBuilder::new(HORIZON);
    for n in 0..1500_u32 {
        let energy_kwh = 15.0 + f64::from(n % 41);
        let v2g = Car {
            discharge_kw_max: 7.0,
            v2g_eligible: 1,
            charge_efficiency: 0.95,
            ..Car::default()
        };
        shown = shown.car(Car { energy_kwh, departure_slot: 3 + n % 50, ..v2g });
    }
    shown.buy_price = (0..HORIZON).map(|slot| 0.1 + (slot * 7 % 13) as f64 / 20.0).collect();
    shown.sell_price.clone_from(&shown.buy_price);
    let with = |threads| {
        let plugins = Plugins::in_folders(Vec::new()).with_threads(threads);
        ask(&mut *plugins.load("v2g", "", 0).unwrap(), &shown).unwrap().0
    };
    assert_eq!(with(1), with(5));
}

#[test]
fn an_unreachable_target_gives_the_best_that_can_be_reached() {
    let mut shown = ObservationBuilder::new(4).car(Car { departure_slot: 3, ..Car::default() });
    shown.buy_price = vec![0.3, 0.2, 0.1, 0.0];
    for policy in ["smart", "v2g"] {
        assert_eq!(rows(policy, "", &shown), [[7.0, 7.0, 7.0, 0.0]]);
    }
}

#[test]
fn valley_filling_fills_the_valleys_of_load_and_planned_cars() {
    let mut shown =
        ObservationBuilder::new(4).car(Car { departure_energy_kwh: 22.0, ..Car::default() });
    shown.buy_price = vec![0.3; 4];
    let fault = ask(&mut *bare().load("smart", "tie: ValleyFill", 0).unwrap(), &shown).unwrap_err();
    assert!(fault.message.contains("needs a forecast of the net load"), "{fault}");
    shown.net_load_kw = vec![9.0, 1.0, 2.0, 9.0];
    shown.committed_ev_kw = vec![0.0, 0.0, 1.0, 0.0];
    let power_kw = rows("smart", "tie: ValleyFill", &shown).remove(0);
    for (found, expected) in power_kw.iter().zip([0.0, 5.0, 3.0, 0.0]) {
        assert!((found - expected).abs() < 1e-9, "{power_kw:?}");
    }
}

#[test]
fn a_wrong_config_is_pointed_at() {
    let span = |policy: &str, config: &str, offset| match bare()
        .load(policy, config, offset)
        .err()
        .unwrap()
    {
        HostError::Config { message, span, .. } => {
            let span = span.unwrap();
            format!("{message}: {} {}", span.offset() - offset, span.len())
        }
        other => other.to_string(),
    };
    insta::assert_snapshot!(span("v2g", "solver: Gurobi", 100), @"`Gurobi` is not one of: Exact, Lp, Milp: 8 6");
    insta::assert_snapshot!(span("v2g", "tie: Spread, gamma: 0.3", 100), @"there is no field `gamma`; there is: solver, tie: 13 5");
    insta::assert_snapshot!(span("smart", "tie: Latest", 100), @"`Latest` is not one of: Spread, Earliest, ValleyFill: 5 6");
}

/// What becomes of a request that the test's own policy spoils in some way.
fn refused(way: &str) -> String {
    let mut shown = ObservationBuilder::new(4).car(Car::default()).car(Car::default());
    shown.buy_price = vec![0.1; 4];
    let mut policy = try_embedded(policies::asker(), &format!("way: {way}")).unwrap();
    let PolicyFault { message, .. } = ask(&mut *policy, &shown).unwrap_err();
    message
}

#[test]
fn requests_that_make_no_sense_are_refused_with_a_reason() {
    insta::assert_snapshot!(refused("NoPrices"), @"column buy_price is missing");
    insta::assert_snapshot!(refused("NoEnergyLimit"), @"column energy_kwh_max has 0 values, not 2");
    insta::assert_snapshot!(refused("ShortColumn"), @"column target_kwh has 1 values, not 2");
    insta::assert_snapshot!(refused("NotANumber"), @"row 1: stored energy is NaN in slot 0; it must be a finite number");
    insta::assert_snapshot!(refused("NoEfficiency"), @"row 0: charge efficiency is 0 in slot 0; it must be above 0 and at most 1");
    insta::assert_snapshot!(refused("SmallMatrix"), @"the schedules have 4 values, not 2 x 4");
}

#[test]
fn a_call_without_cars_is_solved() {
    let mut policy = embedded(policies::asker());
    assert_eq!(ask(&mut *policy, &ObservationBuilder::new(4)), Ok((Vec::new(), Vec::new())));
}
