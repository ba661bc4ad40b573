//! One mcap file of a log, as it is written: a header, a chunk per group, a footer.

use crate::{
    disk::Disk,
    error::LogError,
    kind::{self, KINDS},
    mcap_file::{McapFile, Message},
    seal::{ChainHash, Record, SlotTimes, hash_from_hex, hash_to_hex},
};
use mcap::records::Metadata;
use std::{
    ffi::OsStr,
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

/// A segment that is being written. One that is dropped, because a write failed or the program
/// ends, writes nothing more: whatever reached the disk is left without a footer.
pub(crate) struct Segment<D: Disk> {
    path: PathBuf,
    file: D::File,
    writer: McapFile<D::File>,
    /// By kind; those of kinds that are only read come as they are needed.
    channels: Vec<Option<u16>>,
    times: SlotTimes,
}

impl<D: Disk> Segment<D> {
    /// Begins the segment's file in `folder`.
    pub(crate) fn create(
        disk: &mut D,
        folder: &Path,
        start: SegmentStart,
    ) -> Result<Self, LogError> {
        let path = folder.join(SegmentStart::file_name(start.number));
        let file = disk.create(&path).map_err(LogError::io("create", &path))?;
        let Metadata { name, metadata } = start.to_metadata();
        // Bodies are compressed where that pays. A chunk ends with its group and not at some size,
        // and is left as it is, so that a bit that flipped in it can be found and mended.
        let mut writer = McapFile::new(file.clone(), PROFILE);
        writer.metadata(&name, &metadata);
        let channels = vec![None; KINDS.len()];
        let mut segment = Self { path, file, writer, channels, times: start.times };
        // All of them and in this order: where a damaged log has lost what its channels mean, their
        // numbers still tell.
        for kind in 0..kind::written().count() {
            segment.channel(kind);
        }
        Ok(segment)
    }

    /// The channel of a kind, which is added where there is none.
    fn channel(&mut self, kind: usize) -> u16 {
        if let Some(channel) = self.channels[kind] {
            return channel;
        }
        let of = &KINDS[kind];
        let (schema_encoding, encoding) = of.encodings();
        let channel = self.writer.channel(of.name, (schema_encoding, &of.schema_data), encoding);
        self.channels[kind] = Some(channel);
        channel
    }

    /// Writes a group as one chunk and hands it to the system.
    pub(crate) fn write(&mut self, group: &[Record]) -> Result<(), LogError> {
        for record in group {
            let message = self.message(record);
            self.writer.message(message, &record.body);
        }
        self.writer.flush().map_err(LogError::io("write", &self.path))
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
    pub(crate) fn finish(self, disk: &mut D) -> Result<(), LogError> {
        let Self { path, file, writer, .. } = self;
        writer.finish().map_err(LogError::io("write", &path))?;
        disk.sync(&file).map_err(LogError::io("sync", &path))
    }

    fn message(&mut self, record: &Record) -> Message {
        let log_time = self
            .times
            .log_time(record.tick)
            .expect("times were checked when the event was appended");
        let channel = self.channel(record.kind);
        // The sequence is for foreign readers; the chain holds all 64 bits.
        Message { channel, sequence: record.seq as u32, log_time }
    }
}
