//! One mcap file of a log, as it is read: chunk after chunk, each checked before it is used.
//!
//! A chunk's checksum is verified here, before any of its records is looked at; a chunk without
//! one is refused, and so is a record that is longer than the file.

use crate::{
    body,
    event::RunStarted,
    kind::{self, KINDS},
    records::{CHUNK_HEADER, ChunkHeader, PREFIX, RecordReader, Stop, split_prefix},
    seal::{Record, SlotTimes},
    segment::{PROFILE, SegmentStart},
};
use mcap::{
    parse_record,
    records::{Record as McapRecord, op},
};
use std::{collections::BTreeMap, path::Path};

/// A segment that is being read.
pub(crate) struct SegmentReader {
    records: RecordReader,
    taken: Taken,
}

/// What was taken from a segment so far.
struct Taken {
    headed: bool,
    start: Option<SegmentStart>,
    channels: Channels,
}

/// What the channels of a segment stand for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Channels {
    schemas: BTreeMap<u16, (String, Vec<u8>)>,
    /// The kind of each channel, or why its records cannot be read.
    kinds: BTreeMap<u16, Result<usize, String>>,
}

/// One step through a segment.
enum Step {
    /// A chunk's records.
    Group(Vec<Record>),
    /// A record that only says where in the chunk before it something is.
    Index,
    /// Nothing of interest.
    Nothing,
}

/// The data of a segment up to the end of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Data {
    /// Their length.
    pub(crate) length: u64,
    /// Their checksum.
    pub(crate) checksum: u32,
}

impl SegmentReader {
    /// Opens a segment and reads what it goes on from.
    pub(crate) fn open(path: &Path) -> Result<(Self, SegmentStart), Stop> {
        let taken = Taken { headed: false, start: None, channels: Channels::default() };
        let mut segment = Self { records: RecordReader::open(path)?, taken };
        loop {
            match segment.step()? {
                Some(Step::Group(_)) | None => {
                    return Err(damage("it does not begin as a segment does"));
                }
                Some(Step::Index | Step::Nothing) => {}
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
                Some(Step::Index | Step::Nothing) => {}
                None => return Ok(None),
            }
        }
    }

    /// The data of a segment with its first `groups`, and with what is written after the last of
    /// them to find one's way in it.
    pub(crate) fn data_of(path: &Path, groups: u32) -> Result<Data, Stop> {
        let (mut segment, _) = Self::open(path)?;
        for _ in 0..groups {
            segment.next_group()?;
        }
        loop {
            let data =
                Data { length: segment.records.place(), checksum: segment.records.checksum() };
            match segment.step() {
                Ok(Some(Step::Index)) => {}
                Ok(Some(Step::Group(_) | Step::Nothing) | None) | Err(_) => return Ok(data),
            }
        }
    }

    fn step(&mut self) -> Result<Option<Step>, Stop> {
        match self.records.next()? {
            Some((opcode, body)) => self.taken.record(opcode, body).map(Some),
            None => Ok(None),
        }
    }
}

impl Taken {
    /// Takes in a record that is in no chunk. Indexes and statistics only repeat what chunks say.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all kinds of mcap records are meant")]
    fn record(&mut self, opcode: u8, data: &[u8]) -> Result<Step, Stop> {
        match opcode {
            op::CHUNK => return self.chunk(data).map(Step::Group),
            op::MESSAGE_INDEX => return Ok(Step::Index),
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

    fn chunk(&mut self, chunk: &[u8]) -> Result<Vec<Record>, Stop> {
        let start = self.start.ok_or_else(|| damage("a chunk comes before the metadata"))?;
        self.channels.group(checked_chunk(chunk)?, start.times, true)
    }
}

impl Channels {
    /// The channels of this version, for a segment that does not say what its channels stand for.
    pub(crate) fn of_this_version() -> Self {
        // mcap numbers them from 1.
        let kinds =
            (0..kind::written().count()).map(|place| (place as u16 + 1, Ok(place))).collect();
        Self { schemas: BTreeMap::new(), kinds }
    }

    /// How a run started, where that is among a chunk's records; what else is there is not looked
    /// at.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all kinds of mcap records are meant")]
    pub(crate) fn opening(&mut self, mut records: &[u8], is_sound: bool) -> Option<RunStarted> {
        while let Ok((opcode, body, rest)) = split_record(records) {
            records = rest;
            match parse(opcode, body).ok()? {
                McapRecord::Schema { header, data } => {
                    self.schemas.insert(header.id, (header.name, data.into_owned()));
                }
                McapRecord::Channel(channel) => {
                    self.kinds.insert(channel.id, self.kind_of(channel.schema_id, is_sound).ok()?);
                }
                McapRecord::Message { header, data } => {
                    let kind = self.kinds.get(&header.channel_id)?.as_ref().ok()?;
                    let (_, event) = body::decode(KINDS[*kind].name, data.into_owned()).ok()?;
                    return event.starts().cloned();
                }
                _ => return None,
            }
        }
        None
    }

    /// The records of ours in a chunk's records, whose schemas and channels are taken note of;
    /// `is_sound` if their checksum is right.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all kinds of mcap records are meant")]
    pub(crate) fn group(
        &mut self,
        mut records: &[u8],
        times: SlotTimes,
        is_sound: bool,
    ) -> Result<Vec<Record>, Stop> {
        let mut group = Vec::new();
        while !records.is_empty() {
            let (opcode, body, rest) = split_record(records)?;
            records = rest;
            match parse(opcode, body)? {
                McapRecord::Schema { header, data } => {
                    self.schemas.insert(header.id, (header.name, data.into_owned()));
                }
                McapRecord::Channel(channel) => {
                    let kind = self.kind_of(channel.schema_id, is_sound)?;
                    self.kinds.insert(channel.id, kind);
                }
                McapRecord::Message { header, data } => {
                    let kind = self
                        .kinds
                        .get(&header.channel_id)
                        .ok_or_else(|| damage("a channel is missing"))?;
                    // Only a record makes an unknown kind an error: a segment has a channel for
                    // every kind of its version, written or not.
                    let kind = *kind.as_ref().map_err(|name| Stop::UnknownKind(name.clone()))?;
                    // Both times are written alike, so that another one is damage.
                    let tick = times
                        .tick(header.log_time)
                        .filter(|_| header.publish_time == header.log_time);
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
    fn kind_of(&self, schema: u16, is_sound: bool) -> Result<Result<usize, String>, Stop> {
        let (name, data) =
            self.schemas.get(&schema).ok_or_else(|| damage("a schema is missing"))?;
        match kind::position(name) {
            Some(place) if KINDS[place].fits(data, is_sound) => Ok(Ok(place)),
            Some(_) => Err(damage(&format!("the schema of {name} is another than this version's"))),
            None => Ok(Err(name.clone())),
        }
    }
}

/// The records of a chunk, whose checksum is right.
fn checked_chunk(chunk: &[u8]) -> Result<&[u8], Stop> {
    let records = &chunk[CHUNK_HEADER..];
    if ChunkHeader::of(chunk).checksum != crc32fast::hash(records) {
        return Err(damage("a chunk's checksum is wrong"));
    }
    Ok(records)
}

/// Opcode and body of the first record, and what follows it.
fn split_record(records: &[u8]) -> Result<(u8, &[u8], &[u8]), Stop> {
    let short = || damage("a chunk's last record is cut short");
    let (prefix, rest) = records.split_first_chunk::<PREFIX>().ok_or_else(short)?;
    let (opcode, length) = split_prefix(prefix);
    let length = usize::try_from(length).map_err(|_| short())?;
    let (body, rest) = rest.split_at_checked(length).ok_or_else(short)?;
    Ok((opcode, body, rest))
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
