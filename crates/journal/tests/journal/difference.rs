//! Two events of one kind differ where one value does, and the difference says which.

use crate::{history::tick_events, round_trip::any_event};
use proptest::prelude::*;
use serde_json::{Value, json};
use voltide_journal::{difference::Difference, event::*};
use voltide_model::id::{EvId, SiteId, StayId};

/// Entity, field, slot and the two values.
type Told = (Option<(&'static str, String)>, Option<String>, Option<u32>, Value, Value);

fn told(one: &Event, other: &Event) -> Told {
    let Difference { entity, field, slot, one, other } = one.first_difference(other).unwrap();
    (entity.map(|Entity { kind, id }| (kind, id)), field, slot, one, other)
}

fn expected(
    entity: Option<(&'static str, &str)>,
    field: &str,
    slot: Option<u32>,
    one: impl Into<Value>,
    other: impl Into<Value>,
) -> Told {
    let entity = entity.map(|(kind, id)| (kind, id.to_owned()));
    (entity, Some(field.to_owned()), slot, one.into(), other.into())
}

/// Plans of the cars 3 and 8.
fn plans(first_kw: f64, from: u32) -> Event {
    Event::PlansAccepted(PlansAccepted {
        ev: [3, 8].map(EvId).to_vec().into(),
        stay: [0, 1].map(StayId).to_vec().into(),
        segments: Segments {
            offset: vec![0, 1, 4],
            slot: vec![20, 20, from, 40],
            power_kw: vec![0.0, first_kw, 7.0, 0.0],
        },
    })
}

#[test]
fn of_two_schedules_the_first_slot_with_another_power_is_named() {
    let car = Some(("ev", "8"));
    assert_eq!(
        told(&plans(0.0, 30), &plans(0.0, 28)),
        expected(car, "power_kw", Some(28), 0.0, 7.0)
    );
    assert_eq!(
        told(&plans(2.0, 30), &plans(0.0, 28)),
        expected(car, "power_kw", Some(20), 2.0, 0.0)
    );
    assert_eq!(
        told(&plans(7.0, 30), &plans(7.0, 28)).1.as_deref(),
        Some("segments"),
        "coded otherwise"
    );
}

#[test]
fn a_car_that_only_one_batch_has_is_named_with_all_that_is_said_of_it() {
    let short = |ev: &[u32]| {
        let kwh = |kwh: f64| vec![kwh; ev.len()];
        Event::TripShort(TripShort {
            ev: ev.iter().map(|&ev| EvId(ev)).collect(),
            wanted_kwh: kwh(9.0),
            driven_kwh: kwh(4.0),
        })
    };
    let row = json!({ "ev": 5, "wanted_kwh": 9.0, "driven_kwh": 4.0 });
    let entity = Some(("ev", "5".to_owned()));
    assert_eq!(
        told(&short(&[2, 5, 7]), &short(&[2, 7])),
        (entity.clone(), None, None, row.clone(), Value::Null)
    );
    assert_eq!(told(&short(&[2]), &short(&[2, 5])), (entity, None, None, Value::Null, row));
}

#[test]
fn an_agreement_is_told_with_its_slot_and_a_reason_by_its_name() {
    let agreed = |agreed: bool| {
        Event::WillingnessAgreed(WillingnessAgreed {
            ev: [4, 4].map(EvId).to_vec().into(),
            slot: vec![8, 12],
            agreed: vec![true, agreed],
        })
    };
    assert_eq!(
        told(&agreed(false), &agreed(true)),
        expected(Some(("ev", "4")), "agreed", Some(12), false, true)
    );
    let missed = |reason: MissedReason| {
        Event::TargetMissed(TargetMissed {
            ev: [4].map(EvId).to_vec().into(),
            stay: [9].map(StayId).to_vec().into(),
            missing_kwh: vec![1.0],
            reason: vec![reason],
        })
    };
    let told = told(&missed(MissedReason::SiteLimit), &missed(MissedReason::Schedule));
    assert_eq!(told, expected(Some(("ev", "4")), "reason", None, "site_limit", "schedule"));
}

#[test]
fn a_price_is_told_with_its_tariff_and_slot() {
    let prices = |buy: [f64; 3]| {
        let prices = PricesSet { tariff: "night".into(), first_slot: 96, ..PricesSet::default() };
        Event::PricesSet(PricesSet { buy: buy.to_vec(), ..prices })
    };
    let tariff = Some(("tariff", "night"));
    let told = told(&prices([0.3, 0.3, 0.3]), &prices([0.3, 0.2, 0.3]));
    assert_eq!(told, expected(tariff, "buy", Some(97), 0.3, 0.2));
}

#[test]
fn a_unit_is_told_with_the_slot_of_the_step() {
    let dispatched = |power: f64, load: f64| {
        Event::UnitsDispatched(UnitsDispatched {
            first_slot: 96,
            step: 4,
            units: 3,
            power_kw: vec![1.0, 2.0, 3.0, 4.0, power, 6.0],
            load_kw: vec![6.0, load],
            ..UnitsDispatched::default()
        })
    };
    let unit = told(&dispatched(5.0, 15.0), &dispatched(5.5, 15.5));
    assert_eq!(unit, expected(Some(("unit", "1")), "power_kw", Some(100), 5.0, 5.5));
    let load = told(&dispatched(5.0, 15.0), &dispatched(5.0, 15.5));
    assert_eq!(load, expected(None, "load_kw", Some(100), 15.0, 15.5));
}

#[test]
fn sites_and_outcomes_are_told() {
    let violated = |limit: f64| {
        Event::LimitViolated(LimitViolated {
            site: [0, 2].map(SiteId).to_vec().into(),
            asked_kw: vec![9.0; 2],
            limit_kw: vec![5.0, limit],
        })
    };
    let told_of_sites = told(&violated(5.0), &violated(4.0));
    assert_eq!(told_of_sites, expected(Some(("site", "2")), "limit_kw", None, 5.0, 4.0));
    let ended = |outcome: &str| Event::RunEnded(RunEnded { outcome: outcome.into() });
    assert_eq!(told(&ended("a"), &ended("b")), expected(None, "outcome", None, "a", "b"));
}

#[test]
fn events_of_two_kinds_have_nothing_to_compare() {
    let events = tick_events(4);
    for (place, one) in events.iter().enumerate() {
        for (at, other) in events.iter().enumerate() {
            assert!(one.first_difference(other).is_none(), "{place} and {at}");
        }
    }
}

/// Whether two events of a kind hold the same values, but for the numbers of stays.
fn says_the_same(one: &Event, other: &Event) -> bool {
    let without_stays = |event: &Event| match event.clone() {
        Event::SessionEnded(it) => Event::SessionEnded(SessionEnded { stay: Ids::default(), ..it }),
        Event::SessionStarted(it) => {
            Event::SessionStarted(SessionStarted { stay: Ids::default(), ..it })
        }
        Event::TargetMissed(it) => Event::TargetMissed(TargetMissed { stay: Ids::default(), ..it }),
        Event::StaysExpected(it) => {
            Event::StaysExpected(StaysExpected { stay: Ids::default(), ..it })
        }
        Event::PlansAccepted(it) => {
            Event::PlansAccepted(PlansAccepted { stay: Ids::default(), ..it })
        }
        Event::PolicyFaulted(it) => {
            Event::PolicyFaulted(PolicyFaulted { first_stay: StayId(0), ..it })
        }
        event => event,
    };
    without_stays(one) == without_stays(other)
}

#[test]
fn the_numbers_of_stays_do_not_count() {
    let short = |stay: u32| {
        let missing_kwh = vec![1.0];
        let reason = vec![MissedReason::TooShort];
        let stay = [stay].map(StayId).to_vec().into();
        Event::TargetMissed(TargetMissed {
            ev: [4].map(EvId).to_vec().into(),
            stay,
            missing_kwh,
            reason,
        })
    };
    assert_eq!(short(7).first_difference(&short(5)), None);
}

#[test]
fn slots_that_only_one_run_knows_do_not_count() {
    let prices = |buy: &[f64]| {
        let prices = PricesSet { tariff: "night".into(), first_slot: 96, ..PricesSet::default() };
        Event::PricesSet(PricesSet { buy: buy.to_vec(), ..prices })
    };
    assert_eq!(prices(&[0.3, 0.2]).first_difference(&prices(&[0.3, 0.2, 0.9])), None);
    assert_eq!(told(&prices(&[0.3, 0.2]), &prices(&[0.3, 0.4, 0.9])).2, Some(97));
    assert_eq!(told(&prices(&[0.3]), &prices(&[])).4, Value::Null, "none at all");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn there_is_a_difference_where_two_events_of_a_kind_are_not_equal(one in any_event(), other in any_event()) {
        prop_assert_eq!(one.first_difference(&one.clone()), None);
        let same = says_the_same(&one, &other) || one.kind() != other.kind();
        let beyond = matches!(one, Event::PricesSet(_) | Event::ForecastIssued(_) | Event::UnitsDispatched(_));
        prop_assert!(beyond || one.first_difference(&other).is_none() == same);
    }
}
