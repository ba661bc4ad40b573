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
        ("over_kw", Event::LimitUnkept(LimitUnkept { site: ids(), slot: vec![3], over_kw: one() })),
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
    let group = |cost, cost_bound| {
        Event::GroupSolved(GroupSolved { cost, cost_bound, ..GroupSolved::default() })
    };
    vec![
        ("cost", group(number, None)),
        ("cost_bound", group(1.0, Some(number))),
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
                && !matches!(event, Event::GroupSolved(solve) if solve.cost_bound.is_some())
        }) {
            assert_eq!(read_back(&event), event, "{column}");
        }
    }
}

/// Events of columns, with as many values and texts as are given.
fn of_lengths(values: &[f64], text: &str) -> Vec<Event> {
    let ids = || Ids((0..values.len() as u32).map(|id| EvId(id * 70_000)).collect());
    let count = values.len() as u32;
    let text = || text.to_owned();
    vec![
        Event::PlansAccepted(PlansAccepted {
            ev: ids(),
            stay: Ids((0..count).map(StayId).collect()),
            segments: Segments {
                offset: (0..=count).collect(),
                slot: (0..count).collect(),
                power_kw: values.to_vec(),
            },
        }),
        Event::TripShort(TripShort {
            ev: ids(),
            wanted_kwh: values.to_vec(),
            driven_kwh: values.to_vec(),
        }),
        Event::PricesSet(PricesSet { tariff: text(), buy: values.to_vec(), ..<_>::default() }),
        Event::SeriesLoaded(SeriesLoaded { name: text(), unit: text(), values: values.to_vec() }),
        Event::PolicyStateSaved(PolicyStateSaved {
            policy: text(),
            state: Bytes(text().into_bytes()),
        }),
        Event::WindowForeseen(WindowForeseen { load_kw: values.to_vec(), ..<_>::default() }),
        Event::StaysLoaded(StaysLoaded {
            fleet: text(),
            delivered_kwh: values.iter().map(|&value| (value > 0.0).then_some(value)).collect(),
            station: vec![text(); values.len()],
            ..<_>::default()
        }),
        Event::TickSealed(TickSealed {
            events: count,
            components: vec![text(); values.len()],
            block_hashes: values.iter().map(|value| value.to_bits()).collect(),
            ..<_>::default()
        }),
    ]
}

#[test]
fn a_body_whose_message_was_kept_is_the_one_that_arrow_makes() {
    let mut keeping = Encoder::new();
    for round in 0..3_u32 {
        // To 300 values: beyond 2 KiB bodies are compressed, and go by way of Arrow.
        for length in [0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 200, 254, 255, 256, 257, 300] {
            let value = |row: usize| f64::from(round * 7) - row as f64;
            let values: Vec<f64> = (0..length).map(value).collect();
            let text = ["", "v2g", "uncontrolled"][round as usize % 3];
            for event in of_lengths(&values, text) {
                let cause_seq = (round > 0).then_some(u64::from(round));
                let recorded = Recorded { seq: 0, cause_seq, tick: 0, event };
                let anew = Encoder::new().encode(&recorded).unwrap();
                assert!(keeping.encode(&recorded).unwrap() == anew, "{length}: {recorded:?}");
            }
        }
    }
}

#[test]
fn an_event_is_told_as_text_as_it_is_told_as_a_value() {
    let events = with(1.5).into_iter().map(|(_, event)| event);
    for event in events.chain(of_lengths(&[1.0, -2.5], "\"quoted\" and ä")) {
        let mut value = crate::describe::describe(&event);
        value.sort_all_objects();
        assert_eq!(crate::describe::described(&event), value.to_string());
    }
    let slot = Event::SlotElapsed(SlotElapsed {});
    assert_eq!(crate::describe::described(&slot), "{}");
}
