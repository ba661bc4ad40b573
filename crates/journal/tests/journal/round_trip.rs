//! Whatever an event holds, it is read back bit for bit.

use crate::history::{Scribe, read};
use proptest::{collection::vec, prelude::*};
use tempfile::tempdir;
use voltide_journal::{event::*, mcap_log::McapLog};
use voltide_model::{
    id::{SiteId, StayId},
    scenario::Durability,
};

/// Columns of equal length, at most 40 or some thousand rows.
fn rows() -> impl Strategy<Value = usize> {
    prop_oneof![0..40_usize, Just(3000)]
}

fn ids<T: From<u32> + std::fmt::Debug>(rows: usize) -> impl Strategy<Value = Ids<T>> {
    let sorted = |mut ids: Vec<u32>| {
        ids.sort_unstable();
        ids.into_iter().map(T::from).collect()
    };
    prop_oneof![vec(any::<u32>(), rows), vec(0..9000_u32, rows)].prop_map(sorted)
}

fn numbers(rows: usize) -> impl Strategy<Value = Vec<f64>> {
    vec(prop_oneof![any::<f64>(), Just(7.0), Just(-0.0), Just(f64::INFINITY)], rows)
}

fn counts(rows: usize) -> impl Strategy<Value = Vec<u32>> {
    vec(any::<u32>(), rows)
}

/// Codes of any kind, by a place in their list.
fn reasons<T: Copy>(all: &[T], places: &[u8]) -> Vec<T> {
    places.iter().map(|place| all[usize::from(*place) % all.len()]).collect()
}

fn places(rows: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), rows)
}

fn session_started() -> impl Strategy<Value = Event> {
    let columns = |n| (ids(n), ids(n), ids(n), numbers(n), numbers(n), counts(n), numbers(n));
    rows().prop_flat_map(columns).prop_map(
        |(ev, stay, charger, energy_kwh, driven_kwh, departure_slot, departure_kwh)| {
            Event::SessionStarted(SessionStarted {
                ev,
                stay,
                charger,
                energy_kwh,
                driven_kwh,
                departure_slot,
                departure_kwh,
            })
        },
    )
}

fn session_ended() -> impl Strategy<Value = Event> {
    let columns = |n| ((ids(n), ids(n), places(n)), vec(numbers(n), 6));
    rows().prop_flat_map(columns).prop_map(|((ev, stay, reason), mut numbers)| {
        let mut next = || numbers.pop().unwrap();
        Event::SessionEnded(SessionEnded {
            ev,
            stay,
            energy_kwh: next(),
            charged_kwh: next(),
            discharged_kwh: next(),
            energy_cost: next(),
            v2g_revenue: next(),
            missing_kwh: next(),
            reason: reasons(&EndReason::ALL, &reason),
        })
    })
}

fn small_batches() -> impl Strategy<Value = Event> {
    let columns = |n| (ids(n), ids(n), numbers(n), numbers(n), places(n), 0..8);
    rows().prop_flat_map(columns).prop_map(|(ev, stay, one, two, reason, kind)| match kind {
        0 => Event::TargetMissed(TargetMissed {
            ev,
            stay,
            missing_kwh: one,
            reason: reasons(&MissedReason::ALL, &reason),
        }),
        4 => Event::StaysExpected(StaysExpected { ev, stay, expected_kwh: one }),
        1 => Event::TripShort(TripShort { ev, wanted_kwh: one, driven_kwh: two }),
        2 => Event::WillingnessAgreed(WillingnessAgreed {
            ev,
            slot: stay.iter().map(|stay: &StayId| stay.0).collect(),
            agreed: reasons(&[true, false], &reason),
        }),
        5 => Event::AnswerNotFinite(AnswerNotFinite {
            slot: ev.iter().map(|ev| ev.0).collect(),
            ev,
            stay,
            answer: reasons(&NotFinite::ALL, &reason),
        }),
        3 => Event::SetPointClipped(SetPointClipped {
            ev,
            asked_kw: one,
            applied_kw: two,
            reason: reasons(&ClipReason::ALL, &reason),
        }),
        6 => Event::LimitUnkept(LimitUnkept {
            site: ev.iter().map(|ev| SiteId(ev.0)).collect(),
            slot: stay.iter().map(|stay: &StayId| stay.0).collect(),
            over_kw: one,
        }),
        _ => Event::LimitViolated(LimitViolated {
            site: ev.iter().map(|ev| SiteId(ev.0)).collect(),
            asked_kw: one,
            limit_kw: two,
        }),
    })
}

fn plans_accepted() -> impl Strategy<Value = Event> {
    let columns = |n: usize| {
        vec(0..4_u32, n).prop_flat_map(move |counts_of_rows| {
            let ends = counts_of_rows.iter().scan(0, |end, count| {
                *end += count;
                Some(*end)
            });
            let offset: Vec<u32> = std::iter::once(0).chain(ends).collect();
            let segments = *offset.last().unwrap() as usize;
            (ids(n), ids(n), Just(offset), counts(segments), numbers(segments))
        })
    };
    rows().prop_flat_map(columns).prop_map(|(ev, stay, offset, slot, power_kw)| {
        let segments = Segments { offset, slot, power_kw };
        Event::PlansAccepted(PlansAccepted { ev, stay, segments })
    })
}

fn series() -> impl Strategy<Value = Event> {
    let name = any::<String>;
    prop_oneof![
        (name(), name(), rows().prop_flat_map(numbers)).prop_map(|(name, unit, values)| {
            Event::SeriesLoaded(SeriesLoaded { name, unit, values })
        }),
        (name(), any::<u32>(), rows().prop_flat_map(numbers), rows().prop_flat_map(numbers))
            .prop_map(|(tariff, first_slot, buy, sell)| Event::PricesSet(PricesSet {
                tariff,
                first_slot,
                incentive: buy.clone(),
                k: sell.clone(),
                buy,
                sell,
                ..PricesSet::default()
            })),
    ]
}

fn stays_loaded() -> impl Strategy<Value = Event> {
    let seconds = |n| vec(any::<i32>(), n);
    let columns = move |n| {
        let stations = vec(any::<String>(), n);
        (any::<String>(), seconds(n), seconds(n), seconds(n), numbers(n), numbers(n), stations)
    };
    (0..40_usize).prop_flat_map(columns).prop_map(
        |(fleet, arrives, leaves, announced, requested_kwh, delivered_kwh, station)| {
            let delivered_kwh =
                delivered_kwh.into_iter().map(|kwh| (kwh > 0.0).then_some(kwh)).collect();
            Event::StaysLoaded(StaysLoaded {
                fleet,
                arrives,
                leaves,
                announced,
                requested_kwh,
                delivered_kwh,
                station,
            })
        },
    )
}

fn control() -> impl Strategy<Value = Event> {
    let text = any::<String>;
    prop_oneof![
        any::<i64>().prop_map(|at_us| Event::TickStarted(TickStarted { at_us })),
        Just(Event::SlotElapsed(SlotElapsed {})),
        (text(), text(), text(), any::<u32>(), any::<u32>()).prop_map(
            |(policy, message, fallback, first_stay, stays)| {
                Event::PolicyFaulted(PolicyFaulted {
                    policy,
                    message,
                    lost: stays == 1,
                    fallback,
                    first_stay: StayId(first_stay),
                    stays,
                })
            }
        ),
        (text(), vec(any::<u8>(), 0..5000)).prop_map(|(policy, state)| Event::PolicyStateSaved(
            PolicyStateSaved { policy, state: Bytes(state) }
        )),
        text().prop_map(|outcome| Event::RunEnded(RunEnded { outcome })),
    ]
}

pub(crate) fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        session_started(),
        session_ended(),
        small_batches(),
        plans_accepted(),
        series(),
        stays_loaded(),
        control()
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn events_are_read_back_as_written(events in vec(any_event(), 1..8), tick in 0..60_u32) {
        let run = tempdir().unwrap();
        let mut log = McapLog::create(run.path(), Durability::Close).unwrap();
        let mut scribe = Scribe::new(&mut log);
        scribe.open("abc").unwrap();
        for event in events {
            scribe.append(tick, event).unwrap();
        }
        scribe.seal(tick).unwrap();
        scribe.end(tick).unwrap();
        let written = scribe.events;
        let (read, error) = read(run.path());
        prop_assert!(error.is_none(), "{:?}", error);
        prop_assert_eq!(read, written);
    }
}

#[test]
fn energy_that_was_not_recorded_is_no_number() {
    let run = tempdir().unwrap();
    let mut log = McapLog::create(run.path(), Durability::Close).unwrap();
    let mut scribe = Scribe::new(&mut log);
    let delivered_kwh = vec![None, Some(3.5)];
    let stays = StaysLoaded { delivered_kwh: delivered_kwh.clone(), ..StaysLoaded::default() };
    scribe.append(0, crate::history::run_started("abc")).unwrap();
    scribe.append(0, Event::StaysLoaded(stays)).unwrap();
    voltide_journal::log::EventLog::open_run(&mut log).unwrap();
    let Event::StaysLoaded(read) = read(run.path()).0.remove(1).event else {
        panic!("another event")
    };
    assert_eq!(read.delivered_kwh, delivered_kwh);
}
