//! The numbers of events: equal where their bits are, and none that is none.

use super::*;
use crate::body::{Encoder, decode};

/// What a log gives back of an event.
fn read_back(event: &Event) -> Event {
    let recorded = Recorded { seq: 0, cause_seq: None, tick: 0, event: event.clone() };
    let body = Encoder::new().encode(&recorded).unwrap();
    decode(event.kind(), body).unwrap().1
}

/// An event of every kind that has numbers, with this number in one of their columns.
fn with(number: f64) -> Vec<(&'static str, Event)> {
    [in_columns(number), in_json(number)].concat()
}

fn ids<T: From<u32>>() -> Ids<T> {
    Ids(vec![T::from(7)])
}

/// Those that are kept as columns.
fn in_columns(number: f64) -> Vec<(&'static str, Event)> {
    let one = || vec![number];
    let text = String::new;
    vec![
        ("values", Event::SeriesLoaded(SeriesLoaded { name: text(), unit: text(), values: one() })),
        (
            "requested_kwh",
            Event::StaysLoaded(StaysLoaded { requested_kwh: one(), ..<_>::default() }),
        ),
        (
            "delivered_kwh",
            Event::StaysLoaded(StaysLoaded { delivered_kwh: vec![Some(number)], ..<_>::default() }),
        ),
        ("buy", Event::PricesSet(PricesSet { buy: one(), ..<_>::default() })),
        ("sell", Event::PricesSet(PricesSet { sell: one(), ..<_>::default() })),
        ("k", Event::PricesSet(PricesSet { k: one(), ..<_>::default() })),
        (
            "energy_kwh",
            Event::SessionEnded(SessionEnded {
                ev: ids(),
                stay: ids(),
                energy_kwh: one(),
                charged_kwh: one(),
                discharged_kwh: one(),
                energy_cost: one(),
                v2g_revenue: one(),
                missing_kwh: one(),
                reason: vec![EndReason::Departed],
            }),
        ),
        (
            "energy_kwh",
            Event::SessionStarted(SessionStarted {
                ev: ids(),
                stay: ids(),
                charger: ids(),
                energy_kwh: one(),
                driven_kwh: one(),
                departure_slot: vec![7],
                departure_kwh: one(),
            }),
        ),
        (
            "missing_kwh",
            Event::TargetMissed(TargetMissed {
                ev: ids(),
                stay: ids(),
                missing_kwh: one(),
                reason: vec![MissedReason::Removed],
            }),
        ),
        (
            "wanted_kwh",
            Event::TripShort(TripShort { ev: ids(), wanted_kwh: one(), driven_kwh: one() }),
        ),
        (
            "expected_kwh",
            Event::StaysExpected(StaysExpected { ev: ids(), stay: ids(), expected_kwh: one() }),
        ),
        (
            "segments",
            Event::PlansAccepted(PlansAccepted {
                ev: ids(),
                stay: ids(),
                segments: Segments { offset: vec![0, 1], slot: vec![3], power_kw: one() },
            }),
        ),
        ("load_kw", Event::ForecastIssued(ForecastIssued { load_kw: one(), ..<_>::default() })),
        ("load_kw", Event::WindowForeseen(WindowForeseen { load_kw: one(), ..<_>::default() })),
        ("power_kw", Event::UnitsDispatched(UnitsDispatched { power_kw: one(), ..<_>::default() })),
        (
            "asked_kw",
            Event::SetPointClipped(SetPointClipped {
                ev: ids(),
                asked_kw: one(),
                applied_kw: one(),
                reason: vec![ClipReason::Charger],
            }),
        ),
        (
            "asked_kw",
            Event::LimitViolated(LimitViolated { site: ids(), asked_kw: one(), limit_kw: one() }),
        ),
    ]
}

/// Those that are kept as JSON.
fn in_json(number: f64) -> Vec<(&'static str, Event)> {
    let text = String::new;
    let solve = |objective, bound, component, by| {
        Event::SolveFinished(SolveFinished {
            stage: text(),
            solver: text(),
            status: text(),
            objective,
            bound,
            components: vec![(text(), component)],
            unmet: vec![(text(), text(), by)],
            variables: 0,
            integers: 0,
            constraints: 0,
        })
    };
    vec![
        ("objective", solve(number, None, 1.0, 1.0)),
        ("bound", solve(1.0, Some(number), 1.0, 1.0)),
        ("components", solve(1.0, None, number, 1.0)),
        ("unmet", solve(1.0, None, 1.0, number)),
        ("up_kw", Event::MarginViolated(MarginViolated { up_kw: number, down_kw: 1.0 })),
        ("down_kw", Event::MarginViolated(MarginViolated { up_kw: 1.0, down_kw: number })),
    ]
}

#[test]
fn what_is_no_number_is_found_in_every_kind() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for (column, event) in with(number) {
            assert_eq!(event.not_finite().map(|found| found.0), Some(column), "{event:?}");
        }
    }
    assert!(with(-1e300).iter().all(|(_, event)| event.not_finite().is_none()));
}

#[test]
fn events_are_equal_where_their_bits_are() {
    for number in [f64::NAN, f64::INFINITY, -1.5] {
        for (column, event) in with(number) {
            assert_eq!(event, event.clone(), "{column}");
        }
    }
    for ((column, zero), (_, minus_zero)) in with(0.0).into_iter().zip(with(-0.0)) {
        assert_ne!(zero, minus_zero, "{column}");
    }
}

/// Logs of 0.1 hold such events.
#[test]
fn what_is_no_number_is_read_back_as_what_it_was() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for (column, event) in with(number).into_iter().filter(|(_, event)| {
            // JSON has no such numbers: a bound that was none was `null`, and is none.
            !matches!(event, Event::SolveFinished(solve) if solve.bound.is_some())
        }) {
            assert_eq!(read_back(&event), event, "{column}");
        }
    }
}
