//! Reading what earlier versions wrote.
//!
//! ```text
//! in the log (never rewritten)                                         read
//! TargetMissed.v1 ──step──▶ TargetMissed.v2 ──step──▶ ... ──▶ the event of today
//! ```
//!
//! Where the content of a kind changes, its declaration gets the next version, and says what it was
//! [`Older`] with the pure function that leads from there to the next. Chain hashes are those of
//! what was written, so that an old log verifies as ever.

use crate::{
    error::BodyError,
    event::older::{Content, Upcast, Way},
    kind::{self, Kind},
};
use arrow_array::RecordBatch;

/// The content of a record as today's version of its kind, and that kind.
pub(crate) fn to_current(
    mut kind: &'static Kind,
    mut content: Content,
) -> Result<(&'static Kind, Content), BodyError> {
    while let Some(Upcast { to, step }) = kind.upcast {
        kind = kind::named(to).ok_or(BodyError::NotAnEvent)?;
        content = match (step, content, &kind.columns) {
            (Way::Json(step), Content::Json(value), None) => Content::Json(step(value)),
            (Way::Columns(step), Content::Columns(batch), Some(schema)) => {
                Content::Columns(RecordBatch::try_new(schema.clone(), step(&batch))?)
            }
            _ => return Err(BodyError::NotAnEvent),
        };
    }
    Ok((kind, content))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::event::older::stays_v1;
    use crate::{
        body::{Encoder, content, decode, json},
        event::{Event, MarginViolated, MissedReason, Recorded, StaysLoaded, TargetMissed},
        kind::KINDS,
    };
    use arrow_array::ArrayRef;
    use arrow_array::{Float64Array, ListArray, UInt8Array};
    use arrow_schema::{DataType, Field, Schema};
    use serde_json::Value;
    use serde_json::json;
    use std::sync::Arc;
    use voltide_model::id::{EvId, StayId};

    /// Versions that never were: margins in one direction only, and before that in MW; missed
    /// targets without a reason.
    pub(crate) fn older() -> Vec<Kind> {
        fn in_kw(value: Value) -> Value {
            json!({"up_kw": value["up_mw"].as_f64().map(|up| 1e3 * up)})
        }
        fn both_ways(value: Value) -> Value {
            json!({"up_kw": value["up_kw"], "down_kw": 0.0})
        }
        fn with_reason(batch: &RecordBatch) -> Vec<ArrayRef> {
            let reason: ArrayRef =
                Arc::new(UInt8Array::from(vec![MissedReason::Schedule as u8; batch.num_rows()]));
            [batch.columns(), &[reason]].concat()
        }
        let kind = |name, columns, to, step| Kind::new(name, columns, Some(Upcast { to, step }));
        vec![
            kind("MarginViolated.v-1", None, "MarginViolated.v0", Way::Json(in_kw)),
            kind("MarginViolated.v0", None, "MarginViolated.v1", Way::Json(both_ways)),
            kind(
                "TargetMissed.v0",
                Some(missed_columns_of_old()),
                "TargetMissed.v1",
                Way::Columns(with_reason),
            ),
        ]
    }

    fn missed_columns_of_old() -> Vec<Field> {
        let mut fields = (TargetMissed::KIND.columns)();
        fields.pop();
        fields
    }

    #[test]
    fn json_of_two_versions_ago_is_read_as_today() {
        let expected =
            (Some(7), Event::MarginViolated(MarginViolated { up_kw: 250.0, down_kw: 0.0 }));
        for (kind, content) in [
            ("MarginViolated.v-1", json!({"up_mw": 0.25})),
            ("MarginViolated.v0", json!({"up_kw": 250.0})),
            ("MarginViolated.v1", json!({"up_kw": 250.0, "down_kw": 0.0})),
        ] {
            assert_eq!(decode(kind, json(Some(7), &content).unwrap()).unwrap(), expected, "{kind}");
        }
    }

    /// The columns of an event as they are written today.
    fn columns(event: Event) -> Vec<ArrayRef> {
        let recorded = Recorded { seq: 0, cause_seq: None, tick: 0, event };
        let body = Encoder::new().encode(&recorded).unwrap();
        let kind = kind::named(recorded.event.kind()).unwrap();
        let Content::Columns(batch) = content(kind, body).unwrap().2 else { panic!("JSON") };
        batch.columns().to_vec()
    }

    #[test]
    fn columns_of_an_earlier_version_are_read_as_today() {
        let today = TargetMissed {
            ev: [3, 70_000].map(EvId).to_vec().into(),
            stay: [5, 90_001].map(StayId).to_vec().into(),
            missing_kwh: vec![1.5, 0.25],
            reason: vec![MissedReason::Schedule; 2],
        };
        let columns = columns(Event::TargetMissed(today.clone()));
        let schema = Arc::new(Schema::new(missed_columns_of_old()));
        let old = RecordBatch::try_new(schema, columns[..columns.len() - 1].to_vec()).unwrap();
        let body = Encoder::new().body(Some(7), &old).unwrap();
        let read = decode("TargetMissed.v0", body).unwrap();
        assert_eq!(read, (Some(7), Event::TargetMissed(today.clone())));
        let event = Event::TargetMissed(today);
        let recorded = Recorded { seq: 9, cause_seq: Some(7), tick: 2, event };
        let body = Encoder::new().encode(&recorded).unwrap();
        assert_eq!(decode("TargetMissed.v1", body).unwrap(), read);
    }

    #[test]
    fn energy_that_was_not_recorded_was_nan_in_the_first_version() {
        let today = StaysLoaded {
            fleet: "garage".to_owned(),
            arrives: vec![1, 2],
            leaves: vec![3, 4],
            announced: vec![5, 6],
            requested_kwh: vec![7.0, 8.0],
            delivered_kwh: vec![None, Some(9.0)],
            station: vec!["a".to_owned(), "b".to_owned()],
        };
        let mut columns = columns(Event::StaysLoaded(today.clone()));
        let list = Float64Array::from(vec![f64::NAN, 9.0]);
        let offsets = arrow_buffer::OffsetBuffer::from_lengths([2]);
        let item = Arc::new(Field::new("item", DataType::Float64, false));
        columns[5] = Arc::new(ListArray::new(item, offsets, Arc::new(list), None));
        let schema = Arc::new(Schema::new(stays_v1()));
        let old = RecordBatch::try_new(schema, columns).unwrap();
        let body = Encoder::new().body(None, &old).unwrap();
        assert_eq!(decode("StaysLoaded.v1", body).unwrap(), (None, Event::StaysLoaded(today)));
    }

    #[test]
    fn content_of_the_wrong_form_is_an_error() {
        let batch = RecordBatch::new_empty(Arc::new(Schema::empty()));
        let body = Encoder::new().body(None, &batch).unwrap();
        assert!(decode("MarginViolated.v0", body).is_err());
        assert!(decode("TargetMissed.v0", json(None, &json!({})).unwrap()).is_err());
        assert!(
            decode("MarginViolated.v0", json(None, &json!({"up_kw": "much"})).unwrap()).is_err()
        );
    }

    #[test]
    fn every_way_ends_at_a_kind_that_is_written() {
        for kind in KINDS.iter() {
            let mut at = kind;
            let versions = std::iter::from_fn(|| {
                let upcast = at.upcast?;
                at = kind::named(upcast.to).unwrap();
                Some(at)
            });
            assert!(
                versions.take(KINDS.len()).count() < KINDS.len(),
                "{} goes round in circles",
                kind.name
            );
            assert!(kind::written().any(|written| written.name == at.name), "{}", kind.name);
        }
    }
}
