//! Rows of the table `events`: what an event was about, and its content as JSON.

use crate::{frame::EventRow, summary::count_clips};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write as _};
use voltide_journal::event::{
    Event, PricesSet, Recorded, RunStarted, SeriesLoaded, SessionEnded, SessionStarted, SetPointClipped,
    StaysLoaded, TickSealed,
};

/// The row of an event.
pub(crate) fn row(recorded: &Recorded) -> EventRow {
    let subject = Subject::of(&recorded.event);
    EventRow {
        seq: recorded.seq,
        tick: recorded.tick,
        kind: kind(&recorded.event),
        entity_kind: subject.kind,
        entity_id: subject.id,
        session_id: subject.session,
        cause_seq: recorded.cause_seq,
        payload: payload(&recorded.event),
    }
}

/// The event's name without the version of its schema.
fn kind(event: &Event) -> &'static str {
    let kind = event.kind();
    kind.split_once('.').map_or(kind, |(name, _)| name)
}

/// What an event is about.
struct Subject {
    kind: &'static str,
    id: Option<u32>,
    session: Option<u32>,
}

impl Subject {
    fn of(event: &Event) -> Self {
        match event {
            Event::RunStarted(_) | Event::SeriesLoaded(_) | Event::StaysLoaded(_) | Event::RunEnded(_) => {
                Self::whole("run")
            }
            Event::TickStarted(_) | Event::PricesSet(_) | Event::SlotElapsed | Event::TickSealed(_) => {
                Self::whole("system")
            }
            Event::PolicyFaulted(_) | Event::PolicyStateSaved(_) => Self::whole("policy"),
            Event::SessionEnded(batch) => Self::evs(&batch.ev, &batch.stay),
            Event::SessionStarted(batch) => Self::evs(&batch.ev, &batch.stay),
            Event::TargetMissed(batch) => Self::evs(&batch.ev, &batch.stay),
            Event::PlansAccepted(batch) => Self::evs(&batch.ev, &batch.stay),
            Event::TripShort(batch) => Self::evs(&batch.ev, &[]),
            Event::WillingnessAgreed(batch) => Self::evs(&batch.ev, &[]),
            Event::SetPointClipped(batch) => Self::evs(&batch.ev, &[]),
            Event::LimitViolated(batch) => Self { kind: "site", id: only(&batch.site), session: None },
        }
    }

    fn whole(kind: &'static str) -> Self {
        Self { kind, id: None, session: None }
    }

    fn evs(evs: &[u32], stays: &[u32]) -> Self {
        Self { kind: "ev", id: only(evs), session: only(stays) }
    }
}

/// The one value, where there is exactly one.
fn only(values: &[u32]) -> Option<u32> {
    if let [value] = values { Some(*value) } else { None }
}

fn sum(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |sum, value| sum + value)
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| sum(values) / values.len() as f64)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A state hash as it is written in tables.
pub(crate) fn state_hash(hash: u64) -> String {
    format!("{hash:016x}")
}

/// The event's content as JSON with its keys in a fixed order, whatever features `serde_json` was built with.
fn payload(event: &Event) -> String {
    if let Event::RunStarted(started) = event {
        return run_started(started);
    }
    match content(event) {
        Value::Object(fields) => sorted(fields.into_iter().collect()),
        other => other.to_string(),
    }
}

fn sorted(fields: BTreeMap<String, Value>) -> String {
    serde_json::to_string(&fields).expect("numbers and strings always have JSON")
}

fn content(event: &Event) -> Value {
    match event {
        Event::RunStarted(_) | Event::SlotElapsed => json!({}),
        Event::SeriesLoaded(loaded) => series_loaded(loaded),
        Event::StaysLoaded(loaded) => stays_loaded(loaded),
        Event::RunEnded(ended) => json!({ "outcome": ended.outcome }),
        Event::TickStarted(started) => json!({ "at_us": started.at_us }),
        Event::PricesSet(set) => prices_set(set),
        Event::SessionEnded(batch) => session_ended(batch),
        Event::SessionStarted(batch) => session_started(batch),
        Event::TargetMissed(batch) => {
            json!({ "evs": batch.ev.len(), "missing_kwh": sum(&batch.missing_kwh) })
        }
        Event::TripShort(batch) => json!({
            "evs": batch.ev.len(),
            "wanted_kwh": sum(&batch.wanted_kwh),
            "driven_kwh": sum(&batch.driven_kwh),
        }),
        Event::WillingnessAgreed(batch) => json!({ "rows": batch.ev.len() }),
        Event::PlansAccepted(batch) => {
            json!({ "evs": batch.ev.len(), "segments": batch.segment_slot.len() })
        }
        Event::PolicyFaulted(faulted) => json!(faulted),
        Event::PolicyStateSaved(saved) => json!({ "policy": saved.policy, "bytes": saved.state.len() }),
        Event::SetPointClipped(batch) => set_point_clipped(batch),
        Event::LimitViolated(batch) => json!({
            "sites": batch.site.len(),
            "asked_kw": sum(&batch.asked_kw),
            "limit_kw": sum(&batch.limit_kw),
        }),
        Event::TickSealed(sealed) => tick_sealed(sealed),
    }
}

/// All but the world's text, which lies beside the tables.
fn run_started(started: &RunStarted) -> String {
    let started = RunStarted { world_text: String::new(), ..started.clone() };
    serde_json::to_string(&started).expect("strings and numbers always have JSON")
}

fn series_loaded(loaded: &SeriesLoaded) -> Value {
    json!({
        "name": loaded.name,
        "unit": loaded.unit,
        "values": loaded.values.len(),
        "mean": mean(&loaded.values),
    })
}

fn stays_loaded(loaded: &StaysLoaded) -> Value {
    json!({
        "fleet": loaded.fleet,
        "sessions": loaded.arrives.len(),
        "requested_kwh": sum(&loaded.requested_kwh),
    })
}

fn prices_set(set: &PricesSet) -> Value {
    json!({
        "tariff": set.tariff,
        "first_slot": set.first_slot,
        "slots": set.buy.len(),
        "buy_mean": mean(&set.buy),
        "sell_mean": mean(&set.sell),
    })
}

fn session_started(batch: &SessionStarted) -> Value {
    json!({
        "evs": batch.ev.len(),
        "energy_kwh": sum(&batch.energy_kwh),
        "driven_kwh": sum(&batch.driven_kwh),
        "departure_kwh": sum(&batch.departure_kwh),
    })
}

fn session_ended(batch: &SessionEnded) -> Value {
    json!({
        "evs": batch.ev.len(),
        "charged_kwh": sum(&batch.charged_kwh),
        "discharged_kwh": sum(&batch.discharged_kwh),
        "energy_cost": sum(&batch.energy_cost),
        "v2g_revenue": sum(&batch.v2g_revenue),
        "missing_kwh": sum(&batch.missing_kwh),
    })
}

fn set_point_clipped(batch: &SetPointClipped) -> Value {
    let counts = count_clips(&batch.reason);
    json!({
        "evs": batch.ev.len(),
        "asked_kw": sum(&batch.asked_kw),
        "applied_kw": sum(&batch.applied_kw),
        "charger": counts.charger,
        "battery": counts.battery,
        "site": counts.site,
    })
}

fn tick_sealed(sealed: &TickSealed) -> Value {
    json!({
        "events": sealed.events,
        "state_hash": state_hash(sealed.state_hash),
        "chain_hash": hex(&sealed.chain_hash),
    })
}
