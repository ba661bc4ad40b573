//! Events to bytes and back; `kind` says which kinds are JSON and which are columns.

pub(crate) use crate::event::control::{from_json, json};

use crate::{
    error::BodyError,
    event::{
        Buffers, Event, KINDS, Recorded, RunEnded,
        fact::{Body, Form},
        older::Content,
    },
    kind::{self, Kind},
    upcast,
};
use arrow_array::{Array, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::{
    CompressionType, MetadataVersion,
    reader::read_record_batch,
    root_as_message,
    writer::{
        DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions, write_message,
    },
};
use arrow_schema::SchemaRef;
use std::collections::BTreeMap;

/// The end-of-stream mark of Arrow IPC.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
/// Length of what follows the mark: what caused the event.
const TRAILER: usize = 8;
/// What stands for no cause in a trailer.
const NO_CAUSE: u64 = u64::MAX;
/// Batches below this size are not compressed: the codec's set-up costs more than it saves.
const COMPRESSED_FROM_BYTES: usize = Buffers::MOST_BYTES;
/// Messages of short bodies that are kept: a run of few cars has a few dozen.
const KEPT_MESSAGES: usize = 256;

/// Turns events into bodies.
pub(crate) struct Encoder {
    context: IpcWriteContext,
    generator: IpcDataGenerator,
    plain: IpcWriteOptions,
    compressed: IpcWriteOptions,
    /// Of the body that is made.
    buffers: Buffers,
    /// What short bodies begin with, by the shape of their buffers: their numbers follow it.
    messages: BTreeMap<Vec<usize>, Vec<u8>>,
}

impl Encoder {
    /// An encoder that compresses what is worth it.
    pub(crate) fn new() -> Self {
        let plain =
            IpcWriteOptions::try_new(8, false, MetadataVersion::V5).expect("8 is an alignment");
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
            buffers: Buffers::default(),
            messages: BTreeMap::new(),
        }
    }

    /// The body of an event; of a sealed tick without its chain hash.
    pub(crate) fn encode(&mut self, recorded: &Recorded) -> Result<Vec<u8>, BodyError> {
        let fact = recorded.event.fact();
        let place = kind::position(fact.kind().version).expect("every event has a kind");
        if fact.kind().form == Form::Control {
            return self.encode_anew(place, recorded);
        }
        self.buffers.begin(place);
        fact.buffers(&mut self.buffers);
        let Some(shape) = self.buffers.shape() else { return self.encode_anew(place, recorded) };
        if let Some(message) = self.messages.get(shape) {
            return Ok(short_body(message, self.buffers.data(), recorded.cause_seq));
        }
        let body = self.encode_anew(place, recorded)?;
        self.keep_message(&body);
        Ok(body)
    }

    /// The same by way of Arrow's arrays.
    fn encode_anew(&mut self, place: usize, recorded: &Recorded) -> Result<Vec<u8>, BodyError> {
        let cause = recorded.cause_seq;
        match recorded.event.fact().body(cause)? {
            Body::Json(body) => Ok(body),
            Body::Columns(arrays) => {
                let schema = kind::KINDS[place].columns.clone();
                let schema = schema.expect("the kind is one of columns");
                self.body(cause, &RecordBatch::try_new(schema, arrays)?)
            }
        }
    }

    /// Keeps what the body begins with whose buffers were listed last.
    fn keep_message(&mut self, body: &[u8]) {
        let shape = self.buffers.shape().expect("all buffers were taken in");
        let message = body.len().checked_sub(self.buffers.data().len() + END.len() + TRAILER);
        let (message, rest) = body.split_at(message.expect("a body holds its buffers"));
        assert!(rest.starts_with(self.buffers.data()), "a body holds its buffers one by one");
        if self.messages.len() == KEPT_MESSAGES {
            self.messages.clear();
        }
        self.messages.insert(shape.to_vec(), message.to_vec());
    }

    /// The body of a batch.
    pub(crate) fn body(
        &mut self,
        cause: Option<u64>,
        batch: &RecordBatch,
    ) -> Result<Vec<u8>, BodyError> {
        let mut size = 0;
        for column in batch.columns() {
            size += column.to_data().get_slice_memory_size()?;
        }
        let options = if size < COMPRESSED_FROM_BYTES { &self.plain } else { &self.compressed };
        let mut tracker = DictionaryTracker::new(false);
        let (_, message) =
            self.generator.encode(batch, &mut tracker, options, &mut self.context)?;
        let mut body =
            Vec::with_capacity(message.ipc_message.len() + message.arrow_data.len() + 64);
        write_message(&mut body, message, options)?;
        end_body(&mut body, cause);
        Ok(body)
    }
}

/// A body with the message of an earlier one of the same shape.
fn short_body(message: &[u8], data: &[u8], cause: Option<u64>) -> Vec<u8> {
    // Room for the chain hash of a seal, too.
    let mut body = Vec::with_capacity(message.len() + data.len() + END.len() + TRAILER + 32);
    body.extend(message);
    body.extend(data);
    end_body(&mut body, cause);
    body
}

fn end_body(body: &mut Vec<u8>, cause: Option<u64>) {
    body.extend(END);
    body.extend(cause.unwrap_or(NO_CAUSE).to_le_bytes());
}

/// What the end of a run says that it came to.
pub(crate) fn outcome(body: &[u8]) -> Result<String, BodyError> {
    from_json::<RunEnded>(body).map(|(_, ended)| ended.outcome)
}

/// The event of a body, and what caused it. What an earlier version wrote becomes the event of
/// today.
pub(crate) fn decode(kind: &str, body: Vec<u8>) -> Result<(Option<u64>, Event), BodyError> {
    let kind = kind::named(kind).ok_or(BodyError::NotAnEvent)?;
    let (cause, chain_hash, content) = content(kind, body)?;
    let (kind, content) = upcast::to_current(kind, content)?;
    let declared = KINDS.iter().find(|declared| declared.version == kind.name);
    let mut event = (declared.ok_or(BodyError::NotAnEvent)?.take)(content)?;
    if let Event::TickSealed(sealed) = &mut event {
        sealed.chain_hash = chain_hash;
    }
    Ok((cause, event))
}

/// What caused an event, the chain hash where the body ends with one, and the content.
pub(crate) fn content(
    kind: &Kind,
    mut body: Vec<u8>,
) -> Result<(Option<u64>, [u8; 32], Content), BodyError> {
    let Some(schema) = &kind.columns else {
        return from_json(&body).map(|(cause, value)| (cause, [0; 32], Content::Json(value)));
    };
    let mut chain_hash = [0; 32];
    if kind.name == kind::TICK_SEALED {
        // It covers the body before it and was added when that was encoded.
        chain_hash = *body.last_chunk().ok_or(BodyError::Short)?;
        body.truncate(body.len() - chain_hash.len());
    }
    let (stream, trailer) = body.split_last_chunk().ok_or(BodyError::Short)?;
    let cause = u64::from_le_bytes(*trailer);
    let stream_length = stream.len();
    // Columns are slices of the body, and are not copied out of it.
    let batch = batch(schema, Buffer::from_vec(body).slice_with_length(0, stream_length))?;
    Ok(((cause != NO_CAUSE).then_some(cause), chain_hash, Content::Columns(batch)))
}

/// The one batch of `stream`, which holds its message and the end mark.
#[expect(
    clippy::default_trait_access,
    reason = "the empty map of dictionaries is of a type that we do not name"
)]
fn batch(schema: &SchemaRef, stream: Buffer) -> Result<RecordBatch, BodyError> {
    // 0xffffffff, by which IPC tells this form from that of before Arrow 0.15; nothing else writes
    // here.
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
    Ok(read_record_batch(
        &data,
        header,
        schema.clone(),
        &Default::default(),
        None,
        &message.version(),
    )?)
}
