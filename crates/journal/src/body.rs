//! Events to bytes and back; `kind` says which kinds are JSON and which are columns.

use crate::{
    columns::{Arrays, Columns},
    event::{Event, Recorded, TickSealed},
    kind::{self, Kind},
    upcast::{self, Content},
};
use arrow_array::{Array, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::{
    CompressionType, MetadataVersion,
    reader::read_record_batch,
    root_as_message,
    writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions, write_message},
};
use arrow_schema::{ArrowError, SchemaRef};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The end-of-stream mark of Arrow IPC.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
/// What stands for no cause in a trailer.
const NO_CAUSE: u64 = u64::MAX;
/// Batches below this size are not compressed: the codec's set-up costs more than it saves.
const COMPRESSED_FROM_BYTES: usize = 2048;

/// A body that cannot be made or understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("{0}")]
    Columns(#[from] ArrowError),
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("it is cut short")]
    Short,
    #[error("it is not one whole batch")]
    NotABatch,
    #[error("it is no event")]
    NotAnEvent,
}

/// A body of JSON.
#[derive(Serialize, Deserialize)]
struct Control<T> {
    cause_seq: Option<u64>,
    event: T,
}

/// The content of an event that carries nothing.
#[derive(Serialize, Deserialize)]
struct Nothing {}

/// Turns events into bodies.
pub(crate) struct Encoder {
    context: IpcWriteContext,
    generator: IpcDataGenerator,
    plain: IpcWriteOptions,
    compressed: IpcWriteOptions,
}

impl Encoder {
    /// An encoder that compresses what is worth it.
    pub(crate) fn new() -> Self {
        let plain = IpcWriteOptions::try_new(8, false, MetadataVersion::V5).expect("8 is an alignment");
        let compressed = plain
            .clone()
            .try_with_compression(Some(CompressionType::ZSTD))
            .and_then(|options| options.try_with_compression_level(Some(1)))
            .expect("zstd is built in and has a level 1");
        Self {
            context: IpcWriteContext::default(),
            generator: IpcDataGenerator::default(),
            plain,
            compressed,
        }
    }

    /// The body of an event; of [`Event::TickSealed`] without its chain hash.
    pub(crate) fn encode(&mut self, recorded: &Recorded) -> Result<Vec<u8>, BodyError> {
        let cause = recorded.cause_seq;
        let kind = recorded.event.kind();
        match &recorded.event {
            Event::RunStarted(event) => json(cause, event),
            Event::RunForked(event) => json(cause, event),
            Event::RunEnded(event) => json(cause, event),
            Event::TickStarted(event) => json(cause, event),
            Event::PolicyFaulted(event) => json(cause, event),
            Event::SolveFinished(event) => json(cause, event),
            Event::MarginViolated(event) => json(cause, event),
            Event::ForecastIssued(event) => self.columns(kind, cause, event),
            Event::UnitsDispatched(event) => self.columns(kind, cause, event),
            Event::SlotElapsed => json(cause, &Nothing {}),
            Event::SeriesLoaded(event) => self.columns(kind, cause, event),
            Event::StaysLoaded(event) => self.columns(kind, cause, event),
            Event::PricesSet(event) => self.columns(kind, cause, event),
            Event::SessionEnded(event) => self.columns(kind, cause, event),
            Event::SessionStarted(event) => self.columns(kind, cause, event),
            Event::TargetMissed(event) => self.columns(kind, cause, event),
            Event::TripShort(event) => self.columns(kind, cause, event),
            Event::StaysExpected(event) => self.columns(kind, cause, event),
            Event::WillingnessAgreed(event) => self.columns(kind, cause, event),
            Event::PlansAccepted(event) => self.columns(kind, cause, event),
            Event::PolicyStateSaved(event) => self.columns(kind, cause, event),
            Event::SetPointClipped(event) => self.columns(kind, cause, event),
            Event::LimitViolated(event) => self.columns(kind, cause, event),
            Event::TickSealed(event) => self.columns(kind, cause, event),
        }
    }

    fn columns<C: Columns>(
        &mut self,
        kind: &str,
        cause: Option<u64>,
        event: &C,
    ) -> Result<Vec<u8>, BodyError> {
        let kind = kind::named(kind).expect("every event has a kind");
        let schema = kind.columns.clone().expect("the kind is one of columns");
        self.body(cause, &RecordBatch::try_new(schema, event.arrays()?)?)
    }

    /// The body of a batch.
    pub(crate) fn body(&mut self, cause: Option<u64>, batch: &RecordBatch) -> Result<Vec<u8>, BodyError> {
        let mut size = 0;
        for column in batch.columns() {
            size += column.to_data().get_slice_memory_size()?;
        }
        let options = if size < COMPRESSED_FROM_BYTES { &self.plain } else { &self.compressed };
        let mut tracker = DictionaryTracker::new(false);
        let (_, message) = self.generator.encode(batch, &mut tracker, options, &mut self.context)?;
        let mut body = Vec::with_capacity(message.ipc_message.len() + message.arrow_data.len() + 64);
        write_message(&mut body, message, options)?;
        body.extend(END);
        body.extend(cause.unwrap_or(NO_CAUSE).to_le_bytes());
        Ok(body)
    }
}

/// A body of JSON for any content.
pub(crate) fn json<T: Serialize>(cause_seq: Option<u64>, event: &T) -> Result<Vec<u8>, BodyError> {
    Ok(serde_json::to_vec(&Control { cause_seq, event })?)
}

/// The content of a body of JSON, and what caused it.
pub(crate) fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<(Option<u64>, T), BodyError> {
    let control: Control<T> = serde_json::from_slice(body)?;
    Ok((control.cause_seq, control.event))
}

/// The event of a body, and what caused it. What an earlier version wrote becomes the event of today.
pub(crate) fn decode(kind: &str, body: Vec<u8>) -> Result<(Option<u64>, Event), BodyError> {
    let kind = kind::named(kind).ok_or(BodyError::NotAnEvent)?;
    let (cause, chain_hash, content) = content(kind, body)?;
    let (kind, content) = upcast::to_current(kind, content)?;
    let event = match kind.name {
        "RunStarted.v2" => control(content, |started| Event::RunStarted(Box::new(started))),
        "RunForked.v1" => control(content, Event::RunForked),
        "RunEnded.v1" => control(content, Event::RunEnded),
        "TickStarted.v1" => control(content, Event::TickStarted),
        "PolicyFaulted.v1" => control(content, Event::PolicyFaulted),
        "SolveFinished.v1" => control(content, Event::SolveFinished),
        "MarginViolated.v1" => control(content, Event::MarginViolated),
        "ForecastIssued.v1" => columns(content, Event::ForecastIssued),
        "UnitsDispatched.v1" => columns(content, Event::UnitsDispatched),
        "SlotElapsed.v1" => control(content, |_: Nothing| Event::SlotElapsed),
        "SeriesLoaded.v1" => columns(content, Event::SeriesLoaded),
        "StaysLoaded.v1" => columns(content, Event::StaysLoaded),
        "PricesSet.v1" => columns(content, Event::PricesSet),
        "SessionEnded.v1" => columns(content, Event::SessionEnded),
        "SessionStarted.v1" => columns(content, Event::SessionStarted),
        "TargetMissed.v1" => columns(content, Event::TargetMissed),
        "TripShort.v1" => columns(content, Event::TripShort),
        "StaysExpected.v1" => columns(content, Event::StaysExpected),
        "WillingnessAgreed.v1" => columns(content, Event::WillingnessAgreed),
        "PlansAccepted.v1" => columns(content, Event::PlansAccepted),
        "PolicyStateSaved.v1" => columns(content, Event::PolicyStateSaved),
        "SetPointClipped.v1" => columns(content, Event::SetPointClipped),
        "LimitViolated.v1" => columns(content, Event::LimitViolated),
        kind::TICK_SEALED => {
            columns(content, |sealed| Event::TickSealed(TickSealed { chain_hash, ..sealed }))
        }
        _ => Err(BodyError::NotAnEvent),
    }?;
    Ok((cause, event))
}

/// What caused an event, the chain hash where the body ends with one, and the content.
fn content(kind: &Kind, mut body: Vec<u8>) -> Result<(Option<u64>, [u8; 32], Content), BodyError> {
    let Some(schema) = &kind.columns else {
        return from_json(&body).map(|(cause, value)| (cause, [0; 32], Content::Json(value)));
    };
    let mut chain_hash = [0; 32];
    if kind.name == kind::TICK_SEALED {
        chain_hash = *body.last_chunk().ok_or(BodyError::Short)?;
        body.truncate(body.len() - chain_hash.len());
    }
    let (stream, trailer) = body.split_last_chunk().ok_or(BodyError::Short)?;
    let cause = u64::from_le_bytes(*trailer);
    let stream_length = stream.len();
    let batch = batch(schema, Buffer::from_vec(body).slice_with_length(0, stream_length))?;
    Ok(((cause != NO_CAUSE).then_some(cause), chain_hash, Content::Columns(batch)))
}

fn control<T: DeserializeOwned>(content: Content, event: fn(T) -> Event) -> Result<Event, BodyError> {
    let Content::Json(value) = content else { return Err(BodyError::NotAnEvent) };
    Ok(event(serde_json::from_value(value)?))
}

fn columns<C: Columns>(content: Content, event: impl FnOnce(C) -> Event) -> Result<Event, BodyError> {
    let Content::Columns(batch) = content else { return Err(BodyError::NotAnEvent) };
    Ok(event(C::from_arrays(&mut Arrays::new(batch.columns()))?))
}

/// The one batch of `stream`, which holds its message and the end mark.
#[expect(
    clippy::default_trait_access,
    reason = "the empty map of dictionaries is of a type that we do not name"
)]
fn batch(schema: &SchemaRef, stream: Buffer) -> Result<RecordBatch, BodyError> {
    let (_, rest) = stream.split_first_chunk::<4>().ok_or(BodyError::Short)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(BodyError::Short)?;
    let length = u32::from_le_bytes(*length) as usize;
    let (message, rest) = rest.split_at_checked(length).ok_or(BodyError::Short)?;
    let message = root_as_message(message).map_err(|_| BodyError::NotABatch)?;
    let header = message.header_as_record_batch().ok_or(BodyError::NotABatch)?;
    let data_length = usize::try_from(message.bodyLength()).map_err(|_| BodyError::Short)?;
    let (_, end) = rest.split_at_checked(data_length).ok_or(BodyError::Short)?;
    if end != END {
        return Err(BodyError::NotABatch);
    }
    let data = stream.slice_with_length(8 + length, data_length);
    Ok(read_record_batch(&data, header, schema.clone(), &Default::default(), None, &message.version())?)
}
