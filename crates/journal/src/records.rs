//! The records of an mcap file one after the other, each with its place.
//!
//! ```text
//! magic, records: opcode, length, body ..., DataEnd, summary ..., Footer, magic
//! ```
//! Memory is that of one record, whatever damage says of its length: a chunk says how long it is
//! three times, and all other records of a log are short.

use crate::plain;
use crc32fast::Hasher;
use mcap::{MAGIC, records::op};
use std::{
    fs::File,
    io::{BufReader, ErrorKind, Read},
    path::Path,
};

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

/// Opcode and length of a record.
pub(crate) const PREFIX: usize = 9;
/// Length of what a chunk's body begins with: start, end, length, checksum, compression (none),
/// length.
pub(crate) const CHUNK_HEADER: usize = 40;
/// No record but a chunk is longer than this.
pub(crate) const SHORT: u64 = 1 << 24;
/// Length of a `DataEnd`.
const DATA_END: u64 = 4;
/// Length of a `Footer`.
const FOOTER: u64 = 20;

/// Where in a file the reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Data,
    Summary,
    Magic,
    Over,
}

/// A file that is being read.
pub(crate) struct RecordReader {
    file: BufReader<File>,
    length: u64,
    place: u64,
    /// Over all data; after them over the summary.
    checksum: Hasher,
    part: Part,
    record: Vec<u8>,
}

impl RecordReader {
    /// Opens a file.
    pub(crate) fn open(path: &Path) -> Result<Self, Stop> {
        let file = plain::open(path).map_err(Stop::Io)?;
        let length = file.metadata().map_err(Stop::Io)?.len();
        let file = BufReader::with_capacity(1 << 16, file);
        let checksum = Hasher::new();
        let record = Vec::new();
        let mut reader = Self { file, length, place: 0, checksum, part: Part::Data, record };
        reader.read(MAGIC.len())?;
        if reader.record != MAGIC {
            return Err(damage("it does not begin as an mcap file does"));
        }
        // By the standard, the data begin with the magic.
        reader.checksum.update(MAGIC);
        Ok(reader)
    }

    /// Where the record that was handed out last ends.
    pub(crate) fn place(&self) -> u64 {
        self.place
    }

    /// Checksum of all data up to there.
    pub(crate) fn checksum(&self) -> u32 {
        self.checksum.clone().finalize()
    }

    /// The next record, as opcode and body; `None` once the file is over.
    pub(crate) fn next(&mut self) -> Result<Option<(u8, &[u8])>, Stop> {
        self.record.clear();
        match self.part {
            Part::Data | Part::Summary => {}
            Part::Magic => return self.check_end().map(|()| None),
            Part::Over => return Ok(None),
        }
        self.read(PREFIX)?;
        let (opcode, length) = split_prefix(&self.record);
        self.check_length(opcode, length)?;
        // Chunks may be long: before so much is read, the header has to agree with the length.
        if opcode == op::CHUNK {
            self.read(CHUNK_HEADER)?;
            if !ChunkHeader::of(&self.record[PREFIX..]).is_sound(length) {
                return Err(damage("a chunk's header contradicts its length"));
            }
        }
        self.read(PREFIX + length as usize - self.record.len())?;
        self.check(opcode)?;
        Ok(Some((opcode, &self.record[PREFIX..])))
    }

    /// Refuses lengths that no record of its kind has, before anything is read.
    fn check_length(&self, opcode: u8, length: u64) -> Result<(), Stop> {
        let fits = match opcode {
            op::CHUNK => self.part == Part::Data && length >= CHUNK_HEADER as u64,
            op::DATA_END => self.part == Part::Data && length == DATA_END,
            op::FOOTER => self.part == Part::Summary && length == FOOTER,
            op::HEADER..=op::DATA_END => length <= SHORT,
            _ => false,
        };
        if !fits {
            return Err(damage("a record is of no known kind, or too long for its kind"));
        }
        if length > self.length.saturating_sub(self.place) {
            return Err(damage("it ends before its footer"));
        }
        Ok(())
    }

    /// Adds the record to the checksum of its part, or compares the checksum that it holds.
    fn check(&mut self, opcode: u8) -> Result<(), Stop> {
        // Both records end with a checksum. That of a `DataEnd` is of what comes before the record;
        // that of a `Footer` is also of the footer's own bytes before it.
        let (before, checksum) = self.record.split_at(self.record.len().saturating_sub(4));
        match opcode {
            op::DATA_END => {
                self.part = Part::Summary;
                same(
                    std::mem::take(&mut self.checksum),
                    checksum,
                    "the checksum of its data is wrong",
                )
            }
            op::FOOTER => {
                self.part = Part::Magic;
                self.checksum.update(before);
                same(
                    std::mem::take(&mut self.checksum),
                    checksum,
                    "the checksum of its summary is wrong",
                )
            }
            _ => {
                self.checksum.update(&self.record);
                Ok(())
            }
        }
    }

    /// Whether nothing but the magic follows the footer.
    fn check_end(&mut self) -> Result<(), Stop> {
        self.read(MAGIC.len())?;
        if self.record != MAGIC || self.place < self.length {
            return Err(damage("it does not end as an mcap file does"));
        }
        self.part = Part::Over;
        Ok(())
    }

    /// Reads on to the end of the record.
    fn read(&mut self, bytes: usize) -> Result<(), Stop> {
        let from = self.record.len();
        self.record.resize(from + bytes, 0);
        self.file.read_exact(&mut self.record[from..]).map_err(|error| {
            if error.kind() == ErrorKind::UnexpectedEof {
                damage("it ends before its footer")
            } else {
                Stop::Io(error)
            }
        })?;
        self.place += bytes as u64;
        Ok(())
    }
}

/// What a chunk says of itself before its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChunkHeader {
    /// Length of its records before they are compressed.
    pub(crate) plain: u64,
    /// Their checksum.
    pub(crate) checksum: u32,
    /// Length of the compression's name; none is used.
    pub(crate) compression: u32,
    /// Length of its records as they are stored.
    pub(crate) stored: u64,
}

impl ChunkHeader {
    /// Reads the header that a chunk's body begins with.
    pub(crate) fn of(header: &[u8]) -> Self {
        let long = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| header[at + byte]));
        let number = |at: usize| u32::from_le_bytes(std::array::from_fn(|byte| header[at + byte]));
        Self { plain: long(16), checksum: number(24), compression: number(28), stored: long(32) }
    }

    /// Whether it fits a chunk of this length.
    pub(crate) fn is_sound(&self, length: u64) -> bool {
        let records = length.checked_sub(CHUNK_HEADER as u64);
        self.compression == 0 && Some(self.plain) == records && Some(self.stored) == records
    }
}

/// What a file ends with that has these data, and no summary.
pub(crate) fn ending(data_checksum: u32) -> Vec<u8> {
    let mut footer = vec![op::FOOTER];
    footer.extend(FOOTER.to_le_bytes());
    // Neither a summary nor offsets into one.
    footer.extend([0; 16]);
    let summary_checksum = crc32fast::hash(&footer);
    let mut ending = vec![op::DATA_END];
    ending.extend(DATA_END.to_le_bytes());
    ending.extend(data_checksum.to_le_bytes());
    ending.extend(footer);
    ending.extend(summary_checksum.to_le_bytes());
    ending.extend(MAGIC);
    ending
}

/// Opcode and length of a record.
pub(crate) fn split_prefix(record: &[u8]) -> (u8, u64) {
    (record[0], u64::from_le_bytes(std::array::from_fn(|byte| record[1 + byte])))
}

fn same(checked: Hasher, stored: &[u8], what: &str) -> Result<(), Stop> {
    if checked.finalize().to_le_bytes() == *stored { Ok(()) } else { Err(damage(what)) }
}

fn damage(what: &str) -> Stop {
    Stop::Damage(what.to_owned())
}
