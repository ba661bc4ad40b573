//! The chunks of a segment, from either side of what is damaged in it.
//!
//! Where a record is not what it should be, the reading goes on at the next chunk whose lengths
//! agree and whose checksum is right. A chunk that is damaged itself is handed out as well, as
//! doubtful: what its seal proves is true, whatever its checksum says.

use crate::{
    plain,
    records::{CHUNK_HEADER, ChunkHeader, PREFIX, SHORT, split_prefix},
    segment::SegmentStart,
};
use mcap::{
    MAGIC, parse_record,
    records::{Record, op},
};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    path::Path,
};

/// How much of a file is searched at once.
const WINDOW: usize = 1 << 20;
/// No metadata of a segment are longer.
const METADATA: u64 = 4096;

/// A segment that is searched for what is whole.
pub(crate) struct Scan {
    file: File,
    length: u64,
    place: u64,
    start: Option<SegmentStart>,
    /// Whether the end of the data has been found.
    is_over: bool,
}

/// What is found next.
pub(crate) enum Found {
    /// A chunk.
    Chunk(Chunk),
    /// Bytes that are no records; none at the end of a file that has no footer.
    Damage(Range<u64>),
}

/// A chunk as it lies in the file.
pub(crate) struct Chunk {
    /// Where.
    pub(crate) bytes: Range<u64>,
    /// Its records.
    pub(crate) records: Vec<u8>,
    /// What their checksum should be.
    checksum: u32,
    /// Whether it is.
    pub(crate) has_checksum: bool,
    /// Whether the header is right as well, and nothing was mended.
    pub(crate) is_sound: bool,
    /// The bit that was mended.
    pub(crate) mended: Option<Bit>,
}

/// A bit of a chunk's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bit {
    /// Place of its byte among the records.
    pub(crate) byte: usize,
    /// Its number in the byte.
    pub(crate) bit: u8,
}

impl Chunk {
    /// The same with the bit flipped back that makes the checksum right, if there is one.
    pub(crate) fn mended(&self) -> Option<Self> {
        let bit = flipped_bit(&self.records, self.checksum)?;
        let mut records = self.records.clone();
        records[bit.byte] ^= 1 << bit.bit;
        let bytes = self.bytes.clone();
        let checksum = self.checksum;
        Some(Self {
            bytes,
            records,
            checksum,
            has_checksum: true,
            is_sound: false,
            mended: Some(bit),
        })
    }

    /// Where in the file the byte is that was mended.
    pub(crate) fn mended_place(&self) -> Option<u64> {
        self.mended.map(|bit| self.bytes.end - (self.records.len() - bit.byte) as u64)
    }
}

/// A record that is as it should be.
enum Seen {
    Chunk(Chunk),
    Start(SegmentStart, u64),
    /// One of no interest, and where it ends.
    Other(u64),
    End,
}

impl Scan {
    /// Opens a segment.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = plain::open(path)?;
        let length = file.metadata()?.len();
        // The magic is passed over unread: nothing that a seal proves hangs on it.
        Ok(Self { file, length, place: MAGIC.len() as u64, start: None, is_over: false })
    }

    /// What the segment says that it goes on from, as far as has been read.
    pub(crate) fn start(&self) -> Option<SegmentStart> {
        self.start
    }

    /// Length of the file.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The next chunk, or damage; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Found>> {
        while !self.is_over && self.place < self.length {
            match self.record_at(self.place)? {
                Some(Seen::Chunk(chunk)) => return Ok(Some(Found::Chunk(chunk))),
                Some(Seen::Start(start, end)) => (self.start, self.place) = (Some(start), end),
                Some(Seen::Other(end)) => self.place = end,
                Some(Seen::End) => self.is_over = true,
                None => return self.search(self.place + 1).map(Found::Damage).map(Some),
            }
        }
        let has_end = std::mem::replace(&mut self.is_over, true);
        Ok((!has_end).then_some(Found::Damage(self.length..self.length)))
    }

    /// Goes on after a chunk.
    pub(crate) fn pass(&mut self, chunk: &Chunk) {
        self.place = chunk.bytes.end;
    }

    /// Goes on within a chunk that was none; gives what is lost.
    pub(crate) fn refuse(&mut self, chunk: &Chunk) -> io::Result<Range<u64>> {
        self.place = chunk.bytes.start;
        self.search(chunk.bytes.start + 1)
    }

    fn record_at(&mut self, place: u64) -> io::Result<Option<Seen>> {
        let Some(prefix) = self.read(place, PREFIX as u64)? else { return Ok(None) };
        let (opcode, length) = split_prefix(&prefix);
        let body = place + PREFIX as u64;
        // Each length is bounded before so much is read: damage may say any.
        let seen = match opcode {
            op::HEADER if length <= METADATA => self.header(body, length)?,
            op::METADATA if length <= METADATA => self.metadata(body, length)?,
            op::MESSAGE_INDEX if length <= SHORT => self.index(body, length)?,
            op::DATA_END if length == 4 => Some(Seen::End),
            _ => None,
        };
        if seen.is_some() {
            return Ok(seen);
        }
        // What is left is a chunk, even if a bit of its opcode is another.
        // A message index (7) is one bit from a chunk (6): one that is no whole index gets here,
        // too.
        let is_chunk = (opcode ^ op::CHUNK).count_ones() <= 1;
        if is_chunk {
            self.chunk(place, opcode, length).map(|chunk| chunk.map(Seen::Chunk))
        } else {
            Ok(None)
        }
    }

    /// The chunk at a place. Two of the three lengths that it has must agree.
    fn chunk(&mut self, place: u64, opcode: u8, length: u64) -> io::Result<Option<Chunk>> {
        let body = place + PREFIX as u64;
        let Some(header) = self.read(body, CHUNK_HEADER as u64)? else { return Ok(None) };
        let header = ChunkHeader::of(&header);
        // A damaged length may be less than the header's; wrapped it agrees with neither of the
        // others.
        let said = length.wrapping_sub(CHUNK_HEADER as u64);
        let Some(agreed) = most_said([said, header.plain, header.stored]) else { return Ok(None) };
        let from = body + CHUNK_HEADER as u64;
        let Some(records) = self.read(from, agreed)? else { return Ok(None) };
        let checksum = header.checksum;
        let has_checksum = checksum == crc32fast::hash(&records);
        let is_sound = has_checksum && opcode == op::CHUNK && header.is_sound(length);
        let bytes = place..from + agreed;
        Ok(Some(Chunk { bytes, records, checksum, has_checksum, is_sound, mended: None }))
    }

    /// A header, which is as long as what it holds.
    fn header(&mut self, body: u64, length: u64) -> io::Result<Option<Seen>> {
        let Some(content) = self.read(body, length)? else { return Ok(None) };
        let Ok(Record::Header(found)) = parse_record(op::HEADER, &content) else { return Ok(None) };
        // The parser takes what it needs and leaves the rest: with a flipped bit in its length, a
        // record would swallow those after it.
        let holds = texts([&found.profile, &found.library]);
        Ok((holds == length).then_some(Seen::Other(body + length)))
    }

    /// Metadata, which are as long as what they hold.
    fn metadata(&mut self, body: u64, length: u64) -> io::Result<Option<Seen>> {
        let Some(content) = self.read(body, length)? else { return Ok(None) };
        let Ok(Record::Metadata(found)) = parse_record(op::METADATA, &content) else {
            return Ok(None);
        };
        let pairs = found.metadata.iter().flat_map(|(key, value)| [key, value]);
        let holds = texts([&found.name]) + 4 + texts(pairs);
        let start = SegmentStart::from_metadata(&found).filter(|_| holds == length);
        Ok(start.map(|start| Seen::Start(start, body + length)))
    }

    /// An index: the channel's number and a list that says how long it is.
    fn index(&mut self, body: u64, length: u64) -> io::Result<Option<Seen>> {
        let (Some(head), true) = (self.read(body, 6)?, body + length <= self.length) else {
            return Ok(None);
        };
        let list = u32::from_le_bytes(std::array::from_fn(|byte| head[2 + byte]));
        Ok((u64::from(list) + 6 == length).then_some(Seen::Other(body + length)))
    }

    /// Goes to the next sound chunk, or metadata, from a place on; gives the bytes that were passed
    /// over.
    fn search(&mut self, from: u64) -> io::Result<Range<u64>> {
        let lost = self.place;
        let mut at = from;
        while at < self.length {
            let window = self.read(at, (WINDOW as u64).min(self.length - at))?.unwrap_or_default();
            // Only chunks hold history, and only metadata say where it goes on from. Their first
            // byte has to be in the window, the rest is read from the file.
            for (offset, &byte) in (0..).zip(&window) {
                if (byte == op::CHUNK || byte == op::METADATA) && self.is_sound_at(at + offset)? {
                    self.place = at + offset;
                    return Ok(lost..self.place);
                }
            }
            at += window.len() as u64;
        }
        self.place = self.length;
        // The end of the file is somewhere in what was passed over.
        self.is_over = true;
        Ok(lost..self.length)
    }

    fn is_sound_at(&mut self, place: u64) -> io::Result<bool> {
        let Some(head) = self.read(place, (PREFIX + CHUNK_HEADER) as u64)? else {
            return Ok(false);
        };
        let (opcode, length) = split_prefix(&head);
        // Every 6 in the file gets here. The lengths are compared first, since a checksum may take
        // in all that is left of it.
        if opcode == op::CHUNK && !ChunkHeader::of(&head[PREFIX..]).is_sound(length) {
            return Ok(false);
        }
        Ok(match self.record_at(place)? {
            Some(Seen::Chunk(chunk)) => chunk.is_sound,
            Some(Seen::Start(..)) => true,
            Some(Seen::Other(_) | Seen::End) | None => false,
        })
    }

    /// Bytes of the file; `None` where it does not have as many.
    fn read(&mut self, place: u64, count: u64) -> io::Result<Option<Vec<u8>>> {
        // Both may come from a damaged length.
        if place.checked_add(count).is_none_or(|end| end > self.length) {
            return Ok(None);
        }
        let mut bytes = vec![0; count as usize];
        self.file.seek(SeekFrom::Start(place))?;
        self.file.read_exact(&mut bytes)?;
        Ok(Some(bytes))
    }
}

/// Length of texts, each after its own.
fn texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> u64 {
    texts.into_iter().map(|text| 4 + text.len() as u64).sum()
}

/// What two of three say.
fn most_said([one, other, third]: [u64; 3]) -> Option<u64> {
    if one == other || one == third { Some(one) } else { (other == third).then_some(other) }
}

/// The bit whose flip gives `bytes` this CRC-32.
///
/// A CRC is linear: what a bit adds to it depends on nothing but its distance from the end. So what
/// is wrong with the checksum is taken back, byte by byte from the end, until it is what one bit
/// adds.
fn flipped_bit(bytes: &[u8], checksum: u32) -> Option<Bit> {
    let table: [u32; 256] = std::array::from_fn(|byte| {
        (0..8).fold(
            byte as u32,
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    });
    let mut by_top = [0_u32; 256];
    // No two entries have the same top byte, so that it says by which entry a step went and the
    // step can be taken back.
    (0..256).for_each(|byte| by_top[(table[byte] >> 24) as usize] = byte as u32);
    let mut wrong = crc32fast::hash(bytes) ^ checksum;
    for byte in (0..bytes.len()).rev() {
        if let Some(bit) = (0..8).find(|bit| table[1 << bit] == wrong) {
            return Some(Bit { byte, bit });
        }
        let low = by_top[(wrong >> 24) as usize];
        wrong = (wrong ^ table[low as usize]) << 8 | low;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_bit_is_found_by_the_checksum_alone() {
        let bytes: Vec<u8> = (0..500_u32).map(|place| ((place * place) >> 3) as u8).collect();
        let checksum = crc32fast::hash(&bytes);
        for number in 0..bytes.len() * 8 {
            let (byte, bit) = (number / 8, (number % 8) as u8);
            let mut flipped = bytes.clone();
            flipped[byte] ^= 1 << bit;
            assert_eq!(flipped_bit(&flipped, checksum), Some(Bit { byte, bit }));
        }
        assert_eq!(flipped_bit(&bytes, checksum), None);
    }
}
