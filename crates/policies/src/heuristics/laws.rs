//! What holds for all policies that share a site's connection.

use super::{Edf, Llf, RoundRobin};
use proptest::prelude::*;
use voltide_policy::{
    Policy,
    observation::NO_SITE,
    testing::{Car, ObservationBuilder, plan},
};

/// One site with a limit, and slots of an hour.
pub(super) fn behind(limit_kw: f64, horizon: usize) -> ObservationBuilder {
    sites(&[(NO_SITE, limit_kw)], horizon)
}

/// Sites given by parent and limit, and slots of an hour.
fn sites(sites: &[(u32, f64)], horizon: usize) -> ObservationBuilder {
    let mut shown = ObservationBuilder::new(horizon);
    shown.slot_hours = 1.0;
    shown.parent_site = sites.iter().map(|site| site.0).collect();
    shown.site_import_kw_max = sites.iter().flat_map(|site| vec![site.1; horizon]).collect();
    shown
}

/// A car at site 0 that needs some energy and has a charger of 7 kW.
pub(super) fn car(needed_kwh: f64, departure_slot: u32) -> Car {
    let departure_energy_kwh = 10.0 + needed_kwh;
    Car {
        site_id: 0,
        energy_kwh: 10.0,
        departure_energy_kwh,
        energy_kwh_max: departure_energy_kwh + 10.0,
        departure_slot,
        ..Car::default()
    }
}

/// The answer to the millionth of a kW; limits are used up but for rounding.
pub(super) fn planned<P: Policy + Clone>(policy: &P, shown: &ObservationBuilder) -> Vec<Vec<f64>> {
    let powers = plan(&mut policy.clone(), shown).unwrap();
    powers
        .into_iter()
        .map(|row| row.into_iter().map(|kw| (kw * 1e6).round() / 1e6).collect())
        .collect()
}

/// The three policies' answers.
fn answers(shown: &ObservationBuilder) -> [Vec<Vec<f64>>; 3] {
    let turns = &mut RoundRobin { increment_kw: 1.4 };
    [plan(&mut Edf {}, shown), plan(&mut Llf {}, shown), plan(turns, shown)].map(Result::unwrap)
}

/// Site 0 is the root of 1 and 2, 3 stands alone; and some cars stand behind none.
fn any_crowd() -> impl Strategy<Value = ObservationBuilder> {
    let place = prop_oneof![1 => Just(NO_SITE), 6 => 0_u32..4];
    let battery = (0.0..80.0, 0.3..=1.0, 0.7..=1.0);
    let car =
        (place, battery, 0.0..25.0, 0_u32..12, 1_u32..20).prop_map(|parts| {
            let (
                site_id,
                (energy_kwh, soc_max, charge_efficiency),
                charge_kw_max,
                arrival_slot,
                slots,
            ) = parts;
            Car {
                site_id,
                energy_kwh,
                capacity_kwh: 80.0,
                energy_kwh_max: 80.0 * soc_max,
                departure_energy_kwh: 70.0,
                charge_kw_max,
                charge_efficiency,
                arrival_slot,
                departure_slot: (arrival_slot + slots).max(6),
                ..Car::default()
            }
        });
    (prop::collection::vec(car, 0..12), prop::array::uniform4(0.0..40.0)).prop_map(
        |(cars, limits)| {
            let parents = [NO_SITE, 0, 0, NO_SITE];
            let tree: Vec<_> = parents.into_iter().zip(limits).collect();
            cars.into_iter().fold(sites(&tree, 16).at(5), ObservationBuilder::car)
        },
    )
}

/// Power behind each site in a slot, kW.
fn loads(shown: &ObservationBuilder, powers: &[Vec<f64>], slot: usize) -> [f64; 4] {
    let behind = |site: u32, of: u32| of == site || (site == 0 && (1..3).contains(&of));
    let rows = || shown.build().site_id.iter().zip(powers);
    [0, 1, 2, 3]
        .map(|site| rows().filter(|(of, _)| behind(site, **of)).map(|(_, kw)| kw[slot]).sum())
}

proptest! {
    #[test]
    fn no_limit_is_exceeded_and_none_is_left_unused(shown in any_crowd()) {
        let seen = shown.build();
        for powers in answers(&shown) {
            for slot in 0..16 {
                let loads = loads(&shown, &powers, slot);
                let limit = |site: usize| seen.site_import_kw_max[site * 16 + slot];
                prop_assert!((0..4).all(|site| loads[site] <= limit(site)));
                let full = |site: u32| site < 4 && limit(site as usize) - loads[site as usize] < 1e-6;
                for (row, kw) in powers.iter().enumerate() {
                    let stay = seen.arrival_slot[row]..seen.departure_slot[row];
                    let there = stay.contains(&(5 + slot as u32));
                    prop_assert!(kw[slot] == 0.0 || there);
                    prop_assert!((0.0..=seen.charge_kw_max[row]).contains(&kw[slot]));
                    let later: f64 = kw[slot + 1..].iter().sum();
                    let site = seen.site_id[row];
                    let waits = later > 1e-6 && seen.charge_kw_max[row] - kw[slot] > 1e-6;
                    prop_assert!(!(waits && there) || full(site) || (site < 3 && full(0)));
                }
            }
        }
    }

    #[test]
    fn no_car_gets_more_than_it_needs_and_all_do_where_the_limit_leaves_room(shown in any_crowd()) {
        let mut roomy = shown.clone();
        roomy.site_import_kw_max.fill(1000.0);
        for (answer, room) in answers(&shown).iter().zip(answers(&roomy)) {
            let seen = shown.build();
            for stay in seen.stays() {
                let needed = stay.energy_to_departure();
                prop_assert!(answer[stay.row].iter().sum::<f64>() <= needed + 1e-6);
                let slots = stay.window().len() as f64;
                let expected = needed.min(slots * stay.charge_kw_max());
                prop_assert!((room[stay.row].iter().sum::<f64>() - expected).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn asked_twice_they_answer_the_same(shown in any_crowd()) {
        prop_assert_eq!(answers(&shown), answers(&shown.clone()));
    }

    #[test]
    fn trees_are_shared_without_regard_to_each_other(shown in any_crowd()) {
        let mut other = shown.clone();
        other.site_import_kw_max[3 * 16..].fill(0.0);
        for (answer, other) in answers(&shown).iter().zip(answers(&other)) {
            for (row, &site) in shown.build().site_id.iter().enumerate() {
                prop_assert!(site == 3 || answer[row] == other[row]);
            }
        }
    }
}

#[test]
fn every_site_above_a_car_has_its_limit() {
    let at = |site_id| Car { site_id, ..car(40.0, 1) };
    let shown =
        sites(&[(NO_SITE, 10.0), (0, 6.0), (0, 9.0)], 1).car(at(1)).car(at(2)).car(at(NO_SITE));
    for policy in answers(&shown) {
        assert!((policy[0][0] + policy[1][0] - 10.0).abs() < 1e-6);
        assert!(policy[0][0] <= 6.0 && policy[1][0] <= 7.0);
        assert!((policy[2][0] - 7.0).abs() < 1e-6);
    }
}

#[test]
fn plans_of_cars_that_are_not_shown_keep_their_power() {
    let mut shown = behind(10.0, 2).car(car(40.0, 2));
    shown.site_committed_kw = vec![6.0, 11.0];
    assert_eq!(planned(&Edf {}, &shown), [[4.0, 0.0]]);
    shown.planned_kw = vec![5.0, 7.0];
    assert_eq!(planned(&Edf {}, &shown), [[7.0, 6.0]]);
}
