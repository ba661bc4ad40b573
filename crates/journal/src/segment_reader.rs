//! One mcap file of a log, as it is read: chunk after chunk, each checked before it is used.
//!
//! The file is taken apart by mcap's linear reader, which does no I/O and hands out whole chunks.
//! A chunk's checksum is verified here, before any of its records is looked at; a chunk without
//! one is refused, and so is a record that is longer than the file.

use crate::{
    kind::{self, KINDS},
    seal::Record,
    segment::{PROFILE, SegmentStart},
};
use mcap::{
    McapError, parse_record,
    records::{Record as McapRecord, op},
    sans_io::linear_reader::{LinearReadEvent, LinearReader, LinearReaderOptions},
};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

/// Opcode and length of a record.
const PREFIX: usize = 9;

/// Why no more can be read from a segment.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The system refused.
    Io(std::io::Error),
    /// The file is not as it was written.
    Damage(String),
    /// It holds a record of a kind that is not known.
    UnknownKind(String),
}

/// A segment that is being read.
pub(crate) struct SegmentReader {
    file: BufReader<File>,
    reader: LinearReader,
    taken: Taken,
}

/// What was taken from a segment so far.
struct Taken {
    headed: bool,
    start: Option<SegmentStart>,
    schemas: BTreeMap<u16, (String, Vec<u8>)>,
    /// The kind of each channel, or why its records cannot be read.
    channels: BTreeMap<u16, Result<usize, String>>,
}

/// One step through a segment.
enum Step {
    /// The reader needs so many bytes.
    Read(usize),
    /// A chunk's records.
    Group(Vec<Record>),
    /// Nothing of interest.
    Nothing,
}

impl SegmentReader {
    /// Opens a segment and reads what it goes on from.
    pub(crate) fn open(path: &Path) -> Result<(Self, SegmentStart), Stop> {
        let file = File::open(path).map_err(Stop::Io)?;
        let length = file.metadata().map_err(Stop::Io)?.len();
        let options = LinearReaderOptions::default()
            .with_emit_chunks(true)
            .with_record_length_limit(usize::try_from(length).unwrap_or(usize::MAX))
            .with_check_finishes_after_end_magic(true)
            .with_validate_data_section_crc(true)
            .with_validate_summary_section_crc(true);
        let reader = LinearReader::new_with_options(options);
        let taken = Taken { headed: false, start: None, schemas: BTreeMap::new(), channels: BTreeMap::new() };
        let mut segment = Self { file: BufReader::with_capacity(1 << 16, file), reader, taken };
        loop {
            match segment.step()? {
                Some(Step::Group(_)) | None => return Err(damage("it does not begin as a segment does")),
                Some(_) => {}
            }
            if let Some(start) = segment.taken.start {
                return Ok((segment, start));
            }
        }
    }

    /// The records of the next chunk; `None` after the footer.
    pub(crate) fn next_group(&mut self) -> Result<Option<Vec<Record>>, Stop> {
        loop {
            match self.step()? {
                Some(Step::Group(group)) => return Ok(Some(group)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    fn step(&mut self) -> Result<Option<Step>, Stop> {
        let step = match self.reader.next_event() {
            None => return Ok(None),
            Some(Err(McapError::UnexpectedEof)) => return Err(damage("it ends before its footer")),
            Some(Err(error)) => return Err(damage(&error.to_string())),
            Some(Ok(LinearReadEvent::ReadRequest(bytes))) => Step::Read(bytes),
            Some(Ok(LinearReadEvent::Record { opcode, data })) => self.taken.record(opcode, data)?,
        };
        if let Step::Read(bytes) = step {
            let read = self.file.read(self.reader.insert(bytes)).map_err(Stop::Io)?;
            self.reader.notify_read(read);
        }
        Ok(Some(step))
    }
}

impl Taken {
    /// Takes in a record that is in no chunk. Indexes and statistics only repeat what chunks say.
    fn record(&mut self, opcode: u8, data: &[u8]) -> Result<Step, Stop> {
        match opcode {
            op::CHUNK => return self.chunk(data).map(Step::Group),
            op::HEADER => match parse(opcode, data)? {
                McapRecord::Header(header) if header.profile == PROFILE => self.headed = true,
                _ => return Err(damage("its header is not ours")),
            },
            op::METADATA => match parse(opcode, data)? {
                McapRecord::Metadata(found) if self.headed && self.start.is_none() => {
                    let start = SegmentStart::from_metadata(&found);
                    self.start = Some(start.ok_or_else(|| damage("its metadata are not ours"))?);
                }
                _ => return Err(damage("metadata are where none belong")),
            },
            _ => {}
        }
        Ok(Step::Nothing)
    }

    fn chunk(&mut self, data: &[u8]) -> Result<Vec<Record>, Stop> {
        let start = self.start.ok_or_else(|| damage("a chunk comes before the metadata"))?;
        let mut records = checked_chunk(data)?;
        let mut group = Vec::new();
        while !records.is_empty() {
            let (opcode, body, rest) = split_record(records)?;
            records = rest;
            match parse(opcode, body)? {
                McapRecord::Schema { header, data } => {
                    self.schemas.insert(header.id, (header.name, data.into_owned()));
                }
                McapRecord::Channel(channel) => {
                    let kind = self.kind_of(channel.schema_id)?;
                    self.channels.insert(channel.id, kind);
                }
                McapRecord::Message { header, data } => {
                    let kind = self
                        .channels
                        .get(&header.channel_id)
                        .ok_or_else(|| damage("a channel is missing"))?;
                    let kind = *kind.as_ref().map_err(|name| Stop::UnknownKind(name.clone()))?;
                    let tick =
                        start.times.tick(header.log_time).filter(|_| header.publish_time == header.log_time);
                    let tick = tick.ok_or_else(|| damage("a record's time is no slot's start"))?;
                    let seq = u64::from(header.sequence);
                    group.push(Record { kind, seq, tick, body: data.into_owned() });
                }
                _ => return Err(damage("a chunk holds what is no record of ours")),
            }
        }
        Ok(group)
    }

    /// The kind that a schema stands for, or its name if it is not known.
    fn kind_of(&self, schema: u16) -> Result<Result<usize, String>, Stop> {
        let (name, data) = self.schemas.get(&schema).ok_or_else(|| damage("a schema is missing"))?;
        match kind::position(name) {
            Some(place) if KINDS[place].fits(data) => Ok(Ok(place)),
            Some(_) => Err(damage(&format!("the schema of {name} is another than this version's"))),
            None => Ok(Err(name.clone())),
        }
    }
}

/// The records of a chunk, whose checksum is right and which is not compressed.
fn checked_chunk(chunk: &[u8]) -> Result<&[u8], Stop> {
    // Start time, end time, length, checksum, name of the compression (an empty one), length.
    let (header, records) = chunk.split_first_chunk::<40>().ok_or_else(|| damage("a chunk has no header"))?;
    let length = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| header[at + byte]));
    let number = |at: usize| u32::from_le_bytes(std::array::from_fn(|byte| header[at + byte]));
    let whole = records.len() as u64;
    if number(28) != 0 || length(16) != whole || length(32) != whole {
        return Err(damage("a chunk's header contradicts its length"));
    }
    if number(24) != crc32fast::hash(records) {
        return Err(damage("a chunk's checksum is wrong"));
    }
    Ok(records)
}

/// Opcode and body of the first record, and what follows it.
fn split_record(records: &[u8]) -> Result<(u8, &[u8], &[u8]), Stop> {
    let short = || damage("a chunk's last record is cut short");
    let ([opcode, length @ ..], rest) = records.split_first_chunk::<PREFIX>().ok_or_else(short)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| short())?;
    let (body, rest) = rest.split_at_checked(length).ok_or_else(short)?;
    Ok((*opcode, body, rest))
}

/// A record of one of the kinds that a log is made of; the parser is not asked for any other.
fn parse(opcode: u8, body: &[u8]) -> Result<McapRecord<'_>, Stop> {
    match opcode {
        op::HEADER | op::METADATA | op::SCHEMA | op::CHANNEL | op::MESSAGE => {
            parse_record(opcode, body).map_err(|error| damage(&error.to_string()))
        }
        _ => Err(damage("a chunk holds what is no record of ours")),
    }
}

fn damage(what: &str) -> Stop {
    Stop::Damage(what.to_owned())
}
