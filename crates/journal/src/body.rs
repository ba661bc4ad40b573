//! Events to bytes and back; `kind` says which kinds are JSON and which are columns.

use crate::{
    columns::{Arrays, Columns},
    event::{Event, Recorded, TickSealed},
    kind::{self, KINDS},
};
use arrow_array::{Array, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::{
    CompressionType, MetadataVersion,
    reader::read_record_batch,
    root_as_message,
    writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions, write_message},
};
use arrow_schema::ArrowError;
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
        let kind = &KINDS[kind::position(kind).expect("every event has a kind")];
        let schema = kind.columns.clone().expect("the kind is one of columns");
        let batch = RecordBatch::try_new(schema, event.arrays()?)?;
        let mut size = 0;
        for column in batch.columns() {
            size += column.to_data().get_slice_memory_size()?;
        }
        let options = if size < COMPRESSED_FROM_BYTES { &self.plain } else { &self.compressed };
        let mut tracker = DictionaryTracker::new(false);
        let (_, message) = self.generator.encode(&batch, &mut tracker, options, &mut self.context)?;
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

/// The event of a body, and what caused it.
///
/// An older version of a kind is read here too, by its own name, and turned into the event of
/// today by a pure function; a log is never rewritten.
pub(crate) fn decode(kind: &str, body: Vec<u8>) -> Result<(Option<u64>, Event), BodyError> {
    fn control<T: DeserializeOwned>(
        body: &[u8],
        event: fn(T) -> Event,
    ) -> Result<(Option<u64>, Event), BodyError> {
        from_json(body).map(|(cause, content)| (cause, event(content)))
    }
    match kind {
        "RunStarted.v1" => control(&body, |started| Event::RunStarted(Box::new(started))),
        "RunForked.v1" => control(&body, Event::RunForked),
        "RunEnded.v1" => control(&body, Event::RunEnded),
        "TickStarted.v1" => control(&body, Event::TickStarted),
        "PolicyFaulted.v1" => control(&body, Event::PolicyFaulted),
        "SolveFinished.v1" => control(&body, Event::SolveFinished),
        "MarginViolated.v1" => control(&body, Event::MarginViolated),
        "ForecastIssued.v1" => columns(kind, body, Event::ForecastIssued),
        "UnitsDispatched.v1" => columns(kind, body, Event::UnitsDispatched),
        "SlotElapsed.v1" => control(&body, |_: Nothing| Event::SlotElapsed),
        "SeriesLoaded.v1" => columns(kind, body, Event::SeriesLoaded),
        "StaysLoaded.v1" => columns(kind, body, Event::StaysLoaded),
        "PricesSet.v1" => columns(kind, body, Event::PricesSet),
        "SessionEnded.v1" => columns(kind, body, Event::SessionEnded),
        "SessionStarted.v1" => columns(kind, body, Event::SessionStarted),
        "TargetMissed.v1" => columns(kind, body, Event::TargetMissed),
        "TripShort.v1" => columns(kind, body, Event::TripShort),
        "StaysExpected.v1" => columns(kind, body, Event::StaysExpected),
        "WillingnessAgreed.v1" => columns(kind, body, Event::WillingnessAgreed),
        "PlansAccepted.v1" => columns(kind, body, Event::PlansAccepted),
        "PolicyStateSaved.v1" => columns(kind, body, Event::PolicyStateSaved),
        "SetPointClipped.v1" => columns(kind, body, Event::SetPointClipped),
        "LimitViolated.v1" => columns(kind, body, Event::LimitViolated),
        kind::TICK_SEALED => sealed(kind, body),
        _ => Err(BodyError::NotAnEvent),
    }
}

fn sealed(kind: &str, mut body: Vec<u8>) -> Result<(Option<u64>, Event), BodyError> {
    let chain_hash = *body.last_chunk().ok_or(BodyError::Short)?;
    body.truncate(body.len() - chain_hash.len());
    columns(kind, body, |sealed| Event::TickSealed(TickSealed { chain_hash, ..sealed }))
}

fn columns<C: Columns>(
    kind: &str,
    body: Vec<u8>,
    event: impl FnOnce(C) -> Event,
) -> Result<(Option<u64>, Event), BodyError> {
    let (stream, trailer) = body.split_last_chunk().ok_or(BodyError::Short)?;
    let cause = u64::from_le_bytes(*trailer);
    let stream_length = stream.len();
    let batch = batch(kind, Buffer::from_vec(body).slice_with_length(0, stream_length))?;
    let content = C::from_arrays(&mut Arrays::new(batch.columns()))?;
    Ok(((cause != NO_CAUSE).then_some(cause), event(content)))
}

/// The one batch of `stream`, which holds its message and the end mark.
#[expect(
    clippy::default_trait_access,
    reason = "the empty map of dictionaries is of a type that we do not name"
)]
fn batch(kind: &str, stream: Buffer) -> Result<RecordBatch, BodyError> {
    let schema =
        kind::position(kind).and_then(|place| KINDS[place].columns.clone()).ok_or(BodyError::NotAnEvent)?;
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
    Ok(read_record_batch(&data, header, schema, &Default::default(), None, &message.version())?)
}
