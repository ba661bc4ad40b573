//! An mcap file as it is written: a header, chunks, a summary.
//!
//! It is equal to the byte to what the writer of the `mcap` crate makes of the same records, for a
//! tenth of the work where chunks are as small as a tick of a few cars. Nothing reaches the system
//! but by [`McapFile::flush`] and [`McapFile::finish`], each time in one piece.

use crate::records::{CHUNK_HEADER, PREFIX};
use crc32fast::Hasher;
use mcap::{MAGIC, records::op};
use std::{
    collections::BTreeMap,
    io::{self, Write},
};

/// Where in its chunk a message is.
#[derive(Debug, Clone, Copy)]
struct Place {
    channel: u16,
    log_time: u64,
    /// From the chunk's first record.
    offset: u64,
}

/// A message's header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message {
    /// What it is one of.
    pub(crate) channel: u16,
    /// Its number.
    pub(crate) sequence: u32,
    /// When it was written, and published.
    pub(crate) log_time: u64,
}

/// A file that is being written.
pub(crate) struct McapFile<W> {
    out: W,
    /// Bytes that the system has.
    written: u64,
    /// What it is handed next.
    pending: Vec<u8>,
    /// Where in `pending` the open chunk begins.
    chunk: Option<usize>,
    /// The messages of the open chunk.
    places: Vec<Place>,
    /// Over all that was handed over.
    checksum: Hasher,
    summary: Summary,
}

/// What is said of the file at its end: groups of records as they will stand there.
#[derive(Default)]
struct Summary {
    schemas: Vec<u8>,
    channels: Vec<u8>,
    chunks: Vec<u8>,
    metadata: Vec<u8>,
    schema_count: u16,
    chunk_count: u32,
    metadata_count: u32,
    /// Messages by channel.
    messages: BTreeMap<u16, u64>,
    /// The first and the last time of a message.
    times: Option<(u64, u64)>,
}

impl<W: Write> McapFile<W> {
    /// Begins a file; `program` is its profile and its library.
    pub(crate) fn new(out: W, program: &str) -> Self {
        let mut pending = MAGIC.to_vec();
        record(&mut pending, op::HEADER, |body| {
            text(body, program);
            text(body, program);
        });
        Self {
            out,
            written: 0,
            pending,
            chunk: None,
            places: Vec::new(),
            checksum: Hasher::new(),
            summary: Summary::default(),
        }
    }

    /// Adds texts by name, outside of any chunk.
    pub(crate) fn metadata(&mut self, name: &str, values: &BTreeMap<String, String>) {
        self.end_chunk();
        let offset = self.written + self.pending.len() as u64;
        record(&mut self.pending, op::METADATA, |body| {
            text(body, name);
            sized(body, |map| {
                for (key, value) in values {
                    text(map, key);
                    text(map, value);
                }
            });
        });
        let length = self.written + self.pending.len() as u64 - offset;
        self.summary.metadata_count += 1;
        record(&mut self.summary.metadata, op::METADATA_INDEX, |body| {
            body.extend(offset.to_le_bytes());
            body.extend(length.to_le_bytes());
            text(body, name);
        });
    }

    /// Adds a channel with a schema of the same name; gives its number.
    pub(crate) fn channel(
        &mut self,
        name: &str,
        (schema_encoding, schema): (&str, &[u8]),
        encoding: &str,
    ) -> u16 {
        self.begin_chunk();
        self.summary.schema_count += 1;
        let number = self.summary.schema_count;
        let schemas = self.summary.schemas.len();
        record(&mut self.summary.schemas, op::SCHEMA, |body| {
            body.extend(number.to_le_bytes());
            text(body, name);
            text(body, schema_encoding);
            sized(body, |data| data.extend(schema));
        });
        let channels = self.summary.channels.len();
        record(&mut self.summary.channels, op::CHANNEL, |body| {
            body.extend(number.to_le_bytes());
            body.extend(number.to_le_bytes());
            text(body, name);
            text(body, encoding);
            // Nothing more is said of it.
            body.extend(0_u32.to_le_bytes());
        });
        self.pending.extend(&self.summary.schemas[schemas..]);
        self.pending.extend(&self.summary.channels[channels..]);
        number
    }

    /// Adds a message to the chunk.
    pub(crate) fn message(&mut self, message: Message, body: &[u8]) {
        let Message { channel, sequence, log_time } = message;
        let first = self.begin_chunk() + PREFIX + CHUNK_HEADER;
        let offset = (self.pending.len() - first) as u64;
        self.places.push(Place { channel, log_time, offset });
        record(&mut self.pending, op::MESSAGE, |into| {
            into.extend(channel.to_le_bytes());
            into.extend(sequence.to_le_bytes());
            into.extend(log_time.to_le_bytes());
            into.extend(log_time.to_le_bytes());
            into.extend(body);
        });
        *self.summary.messages.entry(channel).or_default() += 1;
        self.summary.times = Some(widened(self.summary.times, log_time));
    }

    /// Ends the chunk and hands over all that there is.
    ///
    /// # Errors
    /// The system refuses; what it has then is not known, and nothing may be written any more.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.end_chunk();
        self.checksum.update(&self.pending);
        self.hand_over()
    }

    /// Ends the file.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.end_chunk();
        self.checksum.update(&self.pending);
        let checksum = self.checksum.clone().finalize();
        record(&mut self.pending, op::DATA_END, |body| body.extend(checksum.to_le_bytes()));
        let start = self.written + self.pending.len() as u64;
        self.summary.write(start, &mut self.pending);
        self.pending.extend(MAGIC);
        self.hand_over()
    }

    fn hand_over(&mut self) -> io::Result<()> {
        self.out.write_all(&self.pending)?;
        self.out.flush()?;
        self.written += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// Where in `pending` the open chunk begins, which is begun where none is open.
    fn begin_chunk(&mut self) -> usize {
        *self.chunk.get_or_insert_with(|| {
            let start = self.pending.len();
            // Its header is known when it ends.
            self.pending.resize(start + PREFIX + CHUNK_HEADER, 0);
            start
        })
    }

    fn end_chunk(&mut self) {
        let Some(start) = self.chunk.take() else { return };
        let records = start + PREFIX + CHUNK_HEADER;
        let length = (self.pending.len() - records) as u64;
        let checksum = crc32fast::hash(&self.pending[records..]);
        let times = self.places.iter().map(|place| place.log_time);
        let span = times.fold(None, |span, time| Some(widened(span, time)));
        let (first, last) = span.unwrap_or_default();
        let mut header = Vec::with_capacity(PREFIX + CHUNK_HEADER);
        record(&mut header, op::CHUNK, |body| {
            body.extend([first, last, length].map(u64::to_le_bytes).as_flattened());
            body.extend(checksum.to_le_bytes());
            // It is not compressed, which the empty name says.
            body.extend(0_u32.to_le_bytes());
            body.extend(length.to_le_bytes());
        });
        // What its length counts follows the header.
        header[1..PREFIX].copy_from_slice(&(CHUNK_HEADER as u64 + length).to_le_bytes());
        self.pending[start..records].copy_from_slice(&header);
        let chunk = self.written + start as u64;
        let end = self.pending.len();
        let offsets = self.index();
        let indexes = (self.pending.len() - end) as u64;
        self.summary.chunk_count += 1;
        record(&mut self.summary.chunks, op::CHUNK_INDEX, |body| {
            let chunk_length = (end - start) as u64;
            body.extend([first, last, chunk, chunk_length].map(u64::to_le_bytes).as_flattened());
            numbers(body, offsets.into_iter());
            body.extend(indexes.to_le_bytes());
            body.extend(0_u32.to_le_bytes());
            body.extend([length, length].map(u64::to_le_bytes).as_flattened());
        });
    }

    /// Writes where the chunk's messages are, channel by channel; gives where in the file that is.
    fn index(&mut self) -> Vec<(u16, u64)> {
        // Within a channel in the order of the chunk: the sort is stable.
        self.places.sort_by_key(|place| place.channel);
        let mut offsets = Vec::new();
        for places in self.places.chunk_by(|a, b| a.channel == b.channel) {
            let channel = places[0].channel;
            offsets.push((channel, self.written + self.pending.len() as u64));
            record(&mut self.pending, op::MESSAGE_INDEX, |body| {
                body.extend(channel.to_le_bytes());
                sized(body, |entries| {
                    for Place { log_time, offset, .. } in places {
                        entries.extend(log_time.to_le_bytes());
                        entries.extend(offset.to_le_bytes());
                    }
                });
            });
        }
        self.places.clear();
        offsets
    }
}

impl Summary {
    /// Writes the summary and the footer of a file whose data end at `start`.
    fn write(&self, start: u64, into: &mut Vec<u8>) {
        let from = into.len();
        let mut statistics = Vec::new();
        record(&mut statistics, op::STATISTICS, |body| self.statistics(body));
        let groups = [
            (op::SCHEMA, &self.schemas),
            (op::CHANNEL, &self.channels),
            (op::STATISTICS, &statistics),
            (op::CHUNK_INDEX, &self.chunks),
            (op::METADATA_INDEX, &self.metadata),
        ];
        let mut offsets = Vec::new();
        for (kind, records) in groups.into_iter().filter(|(_, records)| !records.is_empty()) {
            let group_start = start + (into.len() - from) as u64;
            into.extend(records);
            record(&mut offsets, op::SUMMARY_OFFSET, |body| {
                body.push(kind);
                body.extend(group_start.to_le_bytes());
                body.extend((records.len() as u64).to_le_bytes());
            });
        }
        let offsets_start = start + (into.len() - from) as u64;
        into.extend(offsets);
        let mut footer = Vec::new();
        record(&mut footer, op::FOOTER, |body| {
            body.extend(start.to_le_bytes());
            body.extend(offsets_start.to_le_bytes());
            body.extend([0; 4]);
        });
        // Its checksum is also of what of the footer comes before it.
        footer.truncate(footer.len() - 4);
        into.extend(footer);
        let checksum = crc32fast::hash(&into[from..]);
        into.extend(checksum.to_le_bytes());
    }

    fn statistics(&self, body: &mut Vec<u8>) {
        let (first, last) = self.times.unwrap_or_default();
        body.extend(self.messages.values().sum::<u64>().to_le_bytes());
        body.extend(self.schema_count.to_le_bytes());
        // Each channel has its own schema, and nothing is attached.
        body.extend(u32::from(self.schema_count).to_le_bytes());
        body.extend(0_u32.to_le_bytes());
        body.extend(self.metadata_count.to_le_bytes());
        body.extend(self.chunk_count.to_le_bytes());
        body.extend([first, last].map(u64::to_le_bytes).as_flattened());
        numbers(body, self.messages.iter().map(|(&channel, &count)| (channel, count)));
    }
}

/// Adds a record: opcode, length, body.
fn record(into: &mut Vec<u8>, opcode: u8, write: impl FnOnce(&mut Vec<u8>)) {
    into.push(opcode);
    let start = into.len();
    into.extend([0; 8]);
    write(into);
    let length = (into.len() - start - 8) as u64;
    into[start..start + 8].copy_from_slice(&length.to_le_bytes());
}

/// Adds bytes behind their number.
fn sized(into: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = into.len();
    into.extend([0; 4]);
    write(into);
    let length = (into.len() - start - 4) as u32;
    into[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

fn text(into: &mut Vec<u8>, text: &str) {
    sized(into, |bytes| bytes.extend(text.as_bytes()));
}

/// Adds a map of numbers by channel.
fn numbers(into: &mut Vec<u8>, entries: impl Iterator<Item = (u16, u64)>) {
    sized(into, |map| {
        for (channel, number) in entries {
            map.extend(channel.to_le_bytes());
            map.extend(number.to_le_bytes());
        }
    });
}

/// The span of times with one more.
fn widened(times: Option<(u64, u64)>, time: u64) -> (u64, u64) {
    let (first, last) = times.unwrap_or((time, time));
    (first.min(time), last.max(time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcap::{
        WriteOptions,
        records::{MessageHeader, Metadata},
        write::NoSeek,
    };
    use proptest::{collection::vec, prelude::*};

    /// Kinds of records: names with schemas.
    const KINDS: [(&str, &[u8]); 3] = [("A.v1", b"schema of A"), ("B.v2", b""), ("C.v1", b"{}")];

    /// A message: its kind, time, and body.
    type Written = (usize, u64, Vec<u8>);

    fn start() -> BTreeMap<String, String> {
        ["format", "segment"].map(|key| (key.to_owned(), format!("{key} 1"))).into()
    }

    /// The file that the `mcap` crate writes; the last kind gets its channel when it is needed.
    fn by_the_crate(groups: &[Vec<Written>]) -> Vec<u8> {
        let options = WriteOptions::new()
            .compression(None)
            .chunk_size(None)
            .disable_seeking(true)
            .profile("p")
            .library("p");
        let mut writer = options.create(NoSeek::new(Vec::new())).unwrap();
        writer.write_metadata(&Metadata { name: "start".into(), metadata: start() }).unwrap();
        let mut channels = Vec::new();
        let mut channel = |writer: &mut mcap::Writer<_>, kind: usize| {
            while channels.len() <= kind {
                let (name, schema) = KINDS[channels.len()];
                let schema = writer.add_schema(name, "s", schema).unwrap();
                channels.push(writer.add_channel(schema, name, "e", &BTreeMap::new()).unwrap());
            }
            channels[kind]
        };
        channel(&mut writer, 1);
        for (group, sequence) in groups.iter().zip(0..) {
            for (kind, log_time, body) in group {
                let channel_id = channel(&mut writer, *kind);
                let publish_time = *log_time;
                let header =
                    MessageHeader { channel_id, sequence, log_time: *log_time, publish_time };
                writer.write_to_known_channel(&header, body).unwrap();
            }
            writer.flush().unwrap();
        }
        writer.finish().unwrap();
        writer.into_inner().into_inner()
    }

    fn by_us(groups: &[Vec<Written>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut file = McapFile::new(&mut bytes, "p");
        file.metadata("start", &start());
        let mut channels = Vec::new();
        let mut channel = |file: &mut McapFile<_>, kind: usize| {
            while channels.len() <= kind {
                let (name, schema) = KINDS[channels.len()];
                channels.push(file.channel(name, ("s", schema), "e"));
            }
            channels[kind]
        };
        channel(&mut file, 1);
        for (group, sequence) in groups.iter().zip(0..) {
            for (kind, log_time, body) in group {
                let channel = channel(&mut file, *kind);
                file.message(Message { channel, sequence, log_time: *log_time }, body);
            }
            file.flush().unwrap();
        }
        file.finish().unwrap();
        bytes
    }

    proptest! {
        #[test]
        fn a_file_is_the_one_that_the_mcap_crate_writes(
            groups in vec(vec((0..3_usize, 0..1000_u64, vec(any::<u8>(), 0..40)), 0..6), 0..5),
        ) {
            prop_assert_eq!(by_us(&groups), by_the_crate(&groups));
        }
    }
}
