//! One mcap file of a log, as it is written: a header, a chunk per group, a footer.

use crate::{
    disk::Disk,
    error::LogError,
    kind::{self, KINDS},
    seal::{ChainHash, Record, SlotTimes, hash_from_hex, hash_to_hex},
};
use mcap::{
    McapError, McapResult, WriteOptions, Writer,
    records::{MessageHeader, Metadata},
    write::NoSeek,
};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

/// Version of the log's format: files, segments and chain. Events have versions of their own.
pub(crate) const FORMAT: u32 = 1;
/// mcap profile and library; no version in it, so that equal runs give equal bytes.
pub(crate) const PROFILE: &str = "voltide";
/// Name of the metadata record that a segment begins with.
pub(crate) const METADATA: &str = "voltide.segment";

/// What a segment goes on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SegmentStart {
    /// Its number; the file's name.
    pub(crate) number: u32,
    /// Number of its first event.
    pub(crate) next_seq: u64,
    /// The chain hash before it.
    pub(crate) chain: ChainHash,
    /// Where slots lie.
    pub(crate) times: SlotTimes,
}

impl SegmentStart {
    /// The file's name.
    pub(crate) fn file_name(number: u32) -> String {
        format!("{number:06}.mcap")
    }

    /// The number of the segment that has this name; `None` for any other file.
    pub(crate) fn number_of(name: &OsStr) -> Option<u32> {
        let number = name.to_str()?.strip_suffix(".mcap")?.parse().ok()?;
        // To the letter: `1.mcap` would be a second name of one segment.
        (name == Self::file_name(number).as_str()).then_some(number)
    }

    fn to_metadata(self) -> Metadata {
        let values = [
            ("format", FORMAT.to_string()),
            ("segment", self.number.to_string()),
            ("next_seq", self.next_seq.to_string()),
            ("chain_hash", hash_to_hex(&self.chain)),
            ("start_us", self.times.start_us.to_string()),
            ("slot_seconds", self.times.slot_seconds.to_string()),
        ];
        let metadata = values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Metadata { name: METADATA.to_owned(), metadata }
    }

    /// What the metadata record of a segment says, if it is one of ours to the letter.
    pub(crate) fn from_metadata(found: &Metadata) -> Option<Self> {
        let get = |key: &str| found.metadata.get(key);
        let start = Self {
            number: get("segment")?.parse().ok()?,
            next_seq: get("next_seq")?.parse().ok()?,
            chain: hash_from_hex(get("chain_hash")?)?,
            times: SlotTimes {
                start_us: get("start_us")?.parse().ok()?,
                slot_seconds: get("slot_seconds")?.parse().ok()?,
            },
        };
        let expected = start.to_metadata();
        (expected.name == found.name && expected.metadata == found.metadata).then_some(start)
    }
}

/// A segment that is being written.
pub(crate) struct Segment<D: Disk> {
    path: PathBuf,
    file: D::File,
    /// `None` only while it is dropped.
    writer: Option<FileWriter<D>>,
    /// By kind; those of kinds that are only read come as they are needed.
    channels: BTreeMap<usize, u16>,
    times: SlotTimes,
}

type FileWriter<D> = Writer<NoSeek<BufWriter<<D as Disk>::File>>>;

impl<D: Disk> Segment<D> {
    /// Begins the segment's file in `folder`.
    pub(crate) fn create(
        disk: &mut D,
        folder: &Path,
        start: SegmentStart,
    ) -> Result<Self, LogError> {
        let path = folder.join(SegmentStart::file_name(start.number));
        let file = disk.create(&path).map_err(LogError::io("create", &path))?;
        let mut segment =
            Self { path, file, writer: None, channels: BTreeMap::new(), times: start.times };
        segment.begin(start).map_err(io_error).map_err(LogError::io("write", &segment.path))?;
        Ok(segment)
    }

    fn begin(&mut self, start: SegmentStart) -> McapResult<()> {
        let buffered = BufWriter::with_capacity(1 << 16, self.file.clone());
        let writer = self.writer.insert(options().create(NoSeek::new(buffered))?);
        writer.write_metadata(&start.to_metadata())?;
        // All of them and in this order: where a damaged log has lost what its channels mean, their
        // numbers still tell.
        (0..kind::written().count()).try_for_each(|kind| self.channel(kind).map(drop))
    }

    /// The channel of a kind, which is added where there is none.
    fn channel(&mut self, kind: usize) -> McapResult<u16> {
        if let Some(&channel) = self.channels.get(&kind) {
            return Ok(channel);
        }
        let writer = self.writer();
        let of = &KINDS[kind];
        let (schema_encoding, encoding) = of.encodings();
        let schema = writer.add_schema(of.name, schema_encoding, &of.schema_data())?;
        let channel = writer.add_channel(schema, of.name, encoding, &BTreeMap::new())?;
        self.channels.insert(kind, channel);
        Ok(channel)
    }

    /// Writes a group as one chunk and hands it to the system.
    pub(crate) fn write(&mut self, group: &[Record]) -> Result<(), LogError> {
        let written = group.iter().try_for_each(|record| {
            let header = self.header(record)?;
            self.writer().write_to_known_channel(&header, &record.body)
        });
        written
            .and_then(|()| self.writer().flush())
            .map_err(io_error)
            .map_err(LogError::io("write", &self.path))
    }

    /// Takes note that its folder has another name.
    pub(crate) fn moved_to(&mut self, folder: &Path) {
        if let Some(name) = self.path.file_name() {
            self.path = folder.join(name);
        }
    }

    /// Makes all that was written durable.
    pub(crate) fn sync(&self, disk: &mut D) -> Result<(), LogError> {
        disk.sync(&self.file).map_err(LogError::io("sync", &self.path))
    }

    /// Writes the footer and makes the file durable.
    pub(crate) fn finish(mut self, disk: &mut D) -> Result<(), LogError> {
        self.writer().finish().map_err(io_error).map_err(LogError::io("write", &self.path))?;
        self.sync(disk)
    }

    fn writer(&mut self) -> &mut FileWriter<D> {
        self.writer.as_mut().expect("a segment has a writer until it is dropped")
    }

    fn header(&mut self, record: &Record) -> McapResult<MessageHeader> {
        let time = self
            .times
            .log_time(record.tick)
            .expect("times were checked when the event was appended");
        let channel_id = self.channel(record.kind)?;
        // The sequence is for foreign readers; the chain holds all 64 bits.
        Ok(MessageHeader {
            channel_id,
            sequence: record.seq as u32,
            log_time: time,
            publish_time: time,
        })
    }
}

/// A segment that is dropped, because a write failed or the program ends, writes nothing more:
/// mcap's own writer would add a footer to whatever reached the disk.
impl<D: Disk> Drop for Segment<D> {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            drop(writer.into_inner().into_inner().into_parts());
        }
    }
}

fn options() -> WriteOptions {
    // Bodies are compressed where that pays. A chunk ends with its group and not at some size, and
    // is left as it is, so that a bit that flipped in it can be found and mended.
    WriteOptions::new()
        .compression(None)
        .chunk_size(None)
        .disable_seeking(true)
        .profile(PROFILE)
        .library(PROFILE)
}

fn io_error(error: McapError) -> io::Error {
    if let McapError::Io(error) = error { error } else { io::Error::other(error) }
}
