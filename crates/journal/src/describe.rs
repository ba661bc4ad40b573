//! Events as JSON, short enough for a line on the screen or a cell of a table.
//!
//! A batch is told by its number of rows and the sums of its columns, a series by its number of
//! values and their range, the world's text by its length.

use crate::event::{
    AnswerNotFinite, ClipReason, EndReason, Event, MissedReason, NotFinite, RunStarted, Stage, StaysLoaded,
};
use serde_json::{Map, Value, json};

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// "ev", "site", "series", "fleet", "tariff" or "policy"; "unit" where a difference is about
    /// one.
    pub kind: &'static str,
    /// Its number or name.
    pub id: String,
}

impl Event {
    /// Number of rows of a batch; `None` for an event that is none.
    pub fn rows(&self) -> Option<usize> {
        self.batch_ids().map(|(_, ids)| ids.len())
    }

    /// What the event is about, if that is one thing: a batch must have a single row.
    pub fn entity(&self) -> Option<Entity> {
        let named = |kind, name: &str| Some(Entity { kind, id: name.to_owned() });
        match self {
            Self::SeriesLoaded(event) => named("series", &event.name),
            Self::StaysLoaded(event) => named("fleet", &event.fleet),
            Self::PricesSet(event) => named("tariff", &event.tariff),
            Self::ForecastIssued(event) => named("series", &event.series),
            Self::PolicyFaulted(event) => named("policy", &event.policy),
            Self::PolicyStateSaved(event) => named("policy", &event.policy),
            _ => match self.batch_ids() {
                Some((kind, [id])) => named(kind, &id.to_string()),
                _ => None,
            },
        }
    }

    /// The session (stay) that the event is about, if it is a single one.
    pub fn session(&self) -> Option<u32> {
        let stays = match self {
            Self::SessionStarted(event) => &event.stay,
            Self::SessionEnded(event) => &event.stay,
            Self::TargetMissed(event) => &event.stay,
            Self::StaysExpected(event) => &event.stay,
            Self::PlansAccepted(event) => &event.stay,
            Self::AnswerNotFinite(event) => &event.stay,
            _ => return None,
        };
        if let [stay] = stays.as_slice() { Some(*stay) } else { None }
    }

    /// What the rows of a batch are about, and their ids.
    pub(crate) fn batch_ids(&self) -> Option<(&'static str, &[u32])> {
        match self {
            Self::SessionEnded(event) => Some(("ev", &event.ev)),
            Self::SessionStarted(event) => Some(("ev", &event.ev)),
            Self::TargetMissed(event) => Some(("ev", &event.ev)),
            Self::TripShort(event) => Some(("ev", &event.ev)),
            Self::StaysExpected(event) => Some(("ev", &event.ev)),
            Self::WillingnessAgreed(event) => Some(("ev", &event.ev)),
            Self::PlansAccepted(event) => Some(("ev", &event.ev)),
            Self::AnswerNotFinite(event) => Some(("ev", &event.ev)),
            Self::SetPointClipped(event) => Some(("ev", &event.ev)),
            Self::LimitViolated(event) => Some(("site", &event.site)),
            _ => None,
        }
    }
}

/// The event's content in short; the keys are the fields of the event, with their units.
pub fn describe(event: &Event) -> Value {
    match event {
        Event::RunStarted(event) => run_started(event),
        Event::SeriesLoaded(event) => {
            json!({ "name": event.name, "unit": event.unit, "values": range(&event.values) })
        }
        Event::StaysLoaded(event) => stays_loaded(event),
        Event::RunForked(event) => json!(event),
        Event::RunEnded(event) => json!({ "outcome": event.outcome }),
        Event::TickStarted(event) => json!({ "at_us": event.at_us }),
        Event::PricesSet(event) => json!({
            "tariff": event.tariff,
            "first_slot": event.first_slot,
            "buy": range(&event.buy),
            "sell": range(&event.sell),
            "incentive": range(&event.incentive),
            "k": range(&event.k),
            "net_load_kw": range(&event.net_load_kw),
        }),
        Event::PolicyFaulted(event) => json!({
            "policy": event.policy,
            "message": event.message,
            "lost": event.lost,
            "fallback": event.fallback,
            "first_stay": event.first_stay,
            "stays": event.stays,
        }),
        Event::PolicyStateSaved(event) => json!({ "policy": event.policy, "bytes": event.state.len() }),
        Event::ForecastIssued(event) => json!({
            "series": event.series,
            "first_slot": event.first_slot,
            "values": range(&event.values),
        }),
        Event::SolveFinished(event) => json!(event),
        Event::UnitsDispatched(event) => json!({
            "stage": Stage::named(event.stage).name(),
            "first_slot": event.first_slot,
            "steps": event.load_kw.len(),
            "units": event.units,
            "load_kw": range(&event.load_kw),
            "unserved_kw": sum(&event.unserved_kw),
            "spilled_kw": sum(&event.spilled_kw),
        }),
        Event::MarginViolated(event) => json!(event),
        Event::SlotElapsed => json!({}),
        Event::TickSealed(event) => json!({
            "events": event.events,
            "state_hash": format!("{:016x}", event.state_hash),
            "chain_hash": crate::seal::hash_to_hex(&event.chain_hash),
        }),
        _ => batch(event),
    }
}

fn batch(event: &Event) -> Value {
    match event {
        Event::SessionEnded(event) => json!({
            "rows": event.ev.len(),
            "energy_kwh": sum(&event.energy_kwh),
            "charged_kwh": sum(&event.charged_kwh),
            "discharged_kwh": sum(&event.discharged_kwh),
            "energy_cost": sum(&event.energy_cost),
            "v2g_revenue": sum(&event.v2g_revenue),
            "missing_kwh": sum(&event.missing_kwh),
            "removed": count(&event.reason, EndReason::Removed as u8),
        }),
        Event::SessionStarted(event) => json!({
            "rows": event.ev.len(),
            "energy_kwh": sum(&event.energy_kwh),
            "driven_kwh": sum(&event.driven_kwh),
            "departure_kwh": sum(&event.departure_kwh),
        }),
        Event::TargetMissed(event) => {
            let by_reason =
                MissedReason::ALL.map(|reason| (reason.name(), count(&event.reason, reason as u8)));
            let by_reason: Map<String, Value> =
                by_reason.into_iter().map(|(name, count)| (name.to_owned(), count.into())).collect();
            json!({ "rows": event.ev.len(), "missing_kwh": sum(&event.missing_kwh), "by_reason": by_reason })
        }
        Event::StaysExpected(event) => {
            json!({ "rows": event.ev.len(), "expected_kwh": sum(&event.expected_kwh) })
        }
        Event::TripShort(event) => json!({
            "rows": event.ev.len(),
            "wanted_kwh": sum(&event.wanted_kwh),
            "driven_kwh": sum(&event.driven_kwh),
        }),
        Event::WillingnessAgreed(event) => {
            json!({ "rows": event.ev.len(), "agreed": count(&event.agreed, 1) })
        }
        Event::PlansAccepted(event) => {
            json!({ "rows": event.ev.len(), "segments": event.segment_slot.len() })
        }
        Event::AnswerNotFinite(event) => answer_not_finite(event),
        Event::SetPointClipped(event) => json!({
            "rows": event.ev.len(),
            "asked_kw": sum(&event.asked_kw),
            "applied_kw": sum(&event.applied_kw),
            "by_charger": count(&event.reason, ClipReason::Charger as u8),
            "by_battery": count(&event.reason, ClipReason::Battery as u8),
            "by_site": count(&event.reason, ClipReason::Site as u8),
        }),
        Event::LimitViolated(event) => json!({
            "rows": event.site.len(),
            "asked_kw": sum(&event.asked_kw),
            "limit_kw": sum(&event.limit_kw),
        }),
        _ => Value::Null,
    }
}

fn run_started(event: &RunStarted) -> Value {
    json!({
        "build": event.build,
        "world": event.world,
        "world_text": { "bytes": event.world_text.len() },
        "overrides": event.overrides,
        "config_hash": event.config_hash,
        "rules": u32::from(event.rules),
        "seed": event.seed,
        "policy": event.policy,
        "policy_config": event.policy_config,
        "start_us": event.start_us,
        "slot_seconds": event.slot_seconds,
        "slots": event.slots,
        "time_zone": event.time_zone,
        "ev_count": event.ev_count,
    })
}

fn stays_loaded(event: &StaysLoaded) -> Value {
    let delivered: Vec<f64> = event.delivered_kwh.iter().copied().flatten().collect();
    json!({
        "fleet": event.fleet,
        "stays": event.arrives.len(),
        "requested_kwh": sum(&event.requested_kwh),
        "delivered_kwh": sum(&delivered),
    })
}

/// How many schedules held what, and the first of them.
fn answer_not_finite(event: &AnswerNotFinite) -> Value {
    let by_answer = NotFinite::ALL.map(|answer| (answer.name(), count(&event.answer, answer as u8)));
    let by_answer: Map<String, Value> =
        by_answer.into_iter().map(|(name, count)| (name.to_owned(), count.into())).collect();
    let first = event.ev.first().map(|ev| {
        json!({
            "ev": ev,
            "stay": event.stay[0],
            "slot": event.slot[0],
            "answer": NotFinite::name_of(event.answer[0]),
        })
    });
    json!({ "rows": event.ev.len(), "by_answer": by_answer, "first": first })
}

/// Number and range of values; the range is null where there is no finite one.
fn range(values: &[f64]) -> Value {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    json!({ "count": values.len(), "min": finite().reduce(f64::min), "max": finite().reduce(f64::max) })
}

/// The sum of a column; in words where a log of 0.1 holds what is no number, which JSON has not.
fn sum(values: &[f64]) -> Value {
    let sum = values.iter().fold(0.0, |sum, value| sum + value);
    NotFinite::of(sum).map_or_else(|| json!(sum), |no_number| no_number.name().into())
}

fn count(reasons: &[u8], reason: u8) -> usize {
    reasons.iter().map(|found| usize::from(*found == reason)).sum()
}
