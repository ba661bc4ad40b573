//! Batches taken apart: one JSON object a row, for tables.

use crate::event::{AnswerNotFinite, Event, NotFinite, PlansAccepted};
use serde_json::{Map, Value, json};

/// A row of a batch: its fields by name, with their units.
pub type Row = Map<String, Value>;

/// Takes columns of one struct apart into rows.
macro_rules! rows {
    ($event:expr, $first:ident $(, $field:ident)*) => {
        (0..$event.$first.len())
            .map(|row| {
                let fields = [
                    (stringify!($first), json!($event.$first[row])),
                    $((stringify!($field), json!($event.$field[row]))),*
                ];
                fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            })
            .collect()
    };
}

impl Event {
    /// The rows of a batch; `None` for an event that is none.
    pub fn entity_rows(&self) -> Option<Vec<Row>> {
        Some(match self {
            Self::SessionEnded(it) => rows!(
                it,
                ev,
                stay,
                energy_kwh,
                charged_kwh,
                discharged_kwh,
                energy_cost,
                v2g_revenue,
                missing_kwh,
                reason
            ),
            Self::SessionStarted(it) => {
                rows!(it, ev, stay, charger, energy_kwh, driven_kwh, departure_slot, departure_kwh)
            }
            Self::TargetMissed(it) => rows!(it, ev, stay, missing_kwh),
            Self::TripShort(it) => rows!(it, ev, wanted_kwh, driven_kwh),
            Self::WillingnessAgreed(it) => rows!(it, ev, slot, agreed),
            Self::PlansAccepted(it) => plans(it),
            Self::AnswerNotFinite(it) => answers(it),
            Self::SetPointClipped(it) => rows!(it, ev, asked_kw, applied_kw, reason),
            Self::LimitViolated(it) => rows!(it, site, asked_kw, limit_kw),
            _ => return None,
        })
    }
}

fn answers(event: &AnswerNotFinite) -> Vec<Row> {
    let mut rows: Vec<Row> = rows!(event, ev, stay, slot);
    for (row, &answer) in rows.iter_mut().zip(&event.answer) {
        row.insert("answer".to_owned(), json!(NotFinite::name_of(answer)));
    }
    rows
}

fn plans(event: &PlansAccepted) -> Vec<Row> {
    let segments = |row: usize| {
        let range = event.segment_offset[row] as usize..event.segment_offset[row + 1] as usize;
        let segment = |(slot, kw): (&u32, &f64)| json!({ "slot": slot, "power_kw": kw });
        event.segment_slot[range.clone()]
            .iter()
            .zip(&event.segment_kw[range])
            .map(segment)
            .collect::<Vec<_>>()
    };
    let row = |row: usize| {
        let fields = [
            ("ev", json!(event.ev[row])),
            ("stay", json!(event.stay[row])),
            ("segments", json!(segments(row))),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    };
    (0..event.ev.len()).map(row).collect()
}
