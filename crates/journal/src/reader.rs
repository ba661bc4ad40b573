//! Reading a log: every event in order, each tick checked before any of it is handed out.
//!
//! A chunk's checksum finds damage by accident, the chain also finds edits, and the head finds
//! that something is missing at the end. The first error ends the reading; all events before it
//! are as they were written.

use crate::{
    body,
    error::{Damage, LogError},
    event::{Build, Event, Recorded, fact::Step},
    head::Head,
    kind::{self, KINDS},
    layout::FOLDER,
    plain,
    records::Stop,
    seal::{ChainHash, Record, SealedGroup, SealedPast, SlotTimes, check_group},
    segment::SegmentStart,
    segment_reader::SegmentReader,
};
use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    path::{Path, PathBuf},
};

/// What a log holds, as far as it has been read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogSummary {
    /// Files.
    pub segments: u32,
    /// Their length together.
    pub bytes: u64,
    /// Sealed ticks.
    pub ticks: u32,
    /// The last of them.
    pub last_tick: Option<u32>,
    /// Events by kind.
    pub kinds: BTreeMap<&'static str, KindSummary>,
    /// What `RunEnded` says; `None` for a run that did not come to its end.
    pub outcome: Option<String>,
    /// The chain hash.
    pub chain_hash: [u8; 32],
}

/// What a log holds of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KindSummary {
    /// Events.
    pub events: u64,
    /// Rows of batches; of other events, one each.
    pub rows: u64,
    /// Length of their bodies.
    pub bytes: u64,
}

impl LogSummary {
    /// Events of all kinds.
    pub fn events(&self) -> u64 {
        self.kinds.values().map(|kind| kind.events).sum()
    }
}

/// Opens the log of a run.
///
/// # Errors
/// There is none, its head is damaged, or what made the run cannot be read.
pub fn open(run_folder: &Path) -> Result<LogReader, LogError> {
    let folder = log_folder(run_folder)?;
    open_with(&folder, Head::read(&folder)?)
}

/// The folder of a run's log.
///
/// # Errors
/// There is none, or it is a link.
pub(crate) fn log_folder(run_folder: &Path) -> Result<PathBuf, LogError> {
    let folder = run_folder.join(FOLDER);
    if plain::is_folder(&folder).map_err(LogError::io("open", &folder))? {
        Ok(folder)
    } else {
        Err(LogError::Missing(run_folder.to_owned()))
    }
}

/// Opens the log in `folder`, as far as `head` acknowledges it.
pub(crate) fn open_with(folder: &Path, head: Head) -> Result<LogReader, LogError> {
    let Segments { files, later, count, bytes } = Segments::find(folder)?;
    let summary = LogSummary { segments: count, bytes, ..LogSummary::default() };
    let mut reader = LogReader {
        head,
        folder: folder.to_owned(),
        files,
        later,
        number: 0,
        segment: None,
        build: Build::default(),
        lost_build: None,
        start: SegmentStart::default(),
        times: SlotTimes::default(),
        chain: [0; 32],
        next_seq: 0,
        groups_of_segment: 0,
        group_segment: 0,
        group: VecDeque::new(),
        ended: false,
        summary,
    };
    reader.take_build()?;
    Ok(reader)
}

/// Reads and checks the whole log of a run.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn verify(run_folder: &Path) -> Result<LogSummary, LogError> {
    let mut reader = open(run_folder)?;
    for recorded in &mut reader {
        recorded?;
    }
    match reader.lost_build {
        Some(damage) => Err(LogError::Damaged(damage)),
        None => Ok(reader.summary),
    }
}

/// The events of a run in order, with at most one tick in memory.
///
/// After an error it yields nothing.
pub struct LogReader {
    head: Head,
    folder: PathBuf,
    /// The segments, by number.
    files: Vec<PathBuf>,
    /// Segments after one that is missing.
    later: Vec<PathBuf>,
    /// Number of the segment that is read.
    number: usize,
    segment: Option<SegmentReader>,
    build: Build,
    lost_build: Option<Damage>,
    start: SegmentStart,
    times: SlotTimes,
    chain: ChainHash,
    /// Number of the first event after the group that was read last.
    next_seq: u64,
    /// Groups that were read from this segment.
    groups_of_segment: u32,
    /// The segment of the group that was read last.
    group_segment: u32,
    /// The events of that group that are still to be handed out.
    group: VecDeque<Record>,
    ended: bool,
    summary: LogSummary,
}

impl Iterator for LogReader {
    type Item = Result<Recorded, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.read_next().transpose();
        // What follows an error goes on from a chain hash that is not known to be right.
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

impl LogReader {
    /// What was read so far; segments and bytes are those of the whole log.
    pub fn summary(&self) -> &LogSummary {
        &self.summary
    }

    /// How far history is acknowledged.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// What segment 0 begins with, by what comes after it.
    pub(crate) fn start(&self) -> SegmentStart {
        self.start
    }

    /// Why it is not known what made the run; `None` where it is. All else can be read without.
    pub fn lost_build(&self) -> Option<&Damage> {
        self.lost_build.as_ref()
    }

    fn read_next(&mut self) -> Result<Option<Recorded>, LogError> {
        while self.group.is_empty() {
            if !self.read_group()? {
                return Ok(None);
            }
        }
        let Some(record) = self.group.pop_front() else { return Ok(None) };
        let name = KINDS[record.kind].name;
        let bytes = record.body.len();
        let (cause_seq, mut event) = body::decode(name, record.body).map_err(|error| {
            self.damaged(format!("{name} number {} cannot be read: {error}", record.seq))
        })?;
        // What made the run stands in a segment of its own, so that the chain is the same whoever
        // made it.
        if let Event::RunStarted(started) = &mut event {
            started.build = self.build.clone();
        }
        let recorded = Recorded { seq: record.seq, cause_seq, tick: record.tick, event };
        self.count(&recorded, bytes as u64);
        Ok(Some(recorded))
    }

    fn count(&mut self, recorded: &Recorded, bytes: u64) {
        let kind = self.summary.kinds.entry(recorded.event.kind()).or_default();
        kind.events += 1;
        kind.rows += recorded.event.rows().unwrap_or(1) as u64;
        kind.bytes += bytes;
        if recorded.event.step() == Step::Seal {
            self.sealed(recorded.tick);
        }
        if let Some(outcome) = recorded.event.outcome() {
            self.summary.outcome = Some(outcome.to_owned());
        }
    }

    /// Reads segment 0. Nothing that follows hangs on it, so that damage to it is only taken note
    /// of.
    fn take_build(&mut self) -> Result<(), LogError> {
        match self.read_build() {
            Ok(build) => self.build = build,
            Err(LogError::Damaged(damage) | LogError::Torn(damage)) => {
                self.lost_build = Some(damage);
            }
            Err(error) => return Err(error),
        }
        // Wherever the reading of segment 0 stopped: history begins with the next one.
        (self.number, self.segment) = (1, None);
        Ok(())
    }

    /// What made the run: the one record of segment 0.
    fn read_build(&mut self) -> Result<Build, LogError> {
        if !self.files[0].exists() {
            return Err(self.damaged(MISSING));
        }
        self.open_segment()?;
        let group = self.next_of_segment()?.unwrap_or_default();
        let build = match group.as_slice() {
            [record] if KINDS[record.kind].name == kind::BUILD => {
                body::from_json(&record.body).ok()
            }
            _ => None,
        };
        let (_, build) = build.ok_or_else(|| self.damaged("it does not say what made the run"))?;
        match self.next_of_segment()? {
            Some(_) => Err(self.damaged("it holds more than what made the run")),
            None => Ok(build),
        }
    }

    /// Passes over all events up to the seal of a tick, which is returned; they are checked, but
    /// not taken apart. `None` where the log has no such tick.
    ///
    /// # Errors
    /// As for reading on.
    pub fn skip_through(&mut self, tick: u32) -> Result<Option<Recorded>, LogError> {
        loop {
            while let Some(record) = self.group.front() {
                // The seal alone is decoded: its hashes are what the caller goes by.
                if KINDS[record.kind].name == kind::TICK_SEALED && record.tick == tick {
                    return self.read_next();
                }
                if let Some(record) = self.group.pop_front() {
                    self.note(&record)?;
                }
            }
            if !self.read_group()? {
                return Ok(None);
            }
        }
    }

    /// Start of slot 0 in microseconds since 1970 in UTC, and length of a slot in seconds, once an
    /// event has been read.
    pub fn slots(&self) -> (i64, u32) {
        (self.times.start_us, self.times.slot_seconds)
    }

    /// Where the history that was read ends.
    pub(crate) fn past(&self) -> SealedPast {
        SealedPast {
            chain: self.chain,
            next_seq: self.next_seq,
            last_tick: self.summary.last_tick,
            segment: self.group_segment,
            times: self.times,
        }
    }

    /// Checks all that is left, without taking events apart.
    pub(crate) fn check_rest(&mut self) -> Result<(), LogError> {
        while self.read_group()? {
            for record in std::mem::take(&mut self.group) {
                self.note(&record)?;
            }
        }
        Ok(())
    }

    /// Takes note of a record that is not handed out.
    fn note(&mut self, record: &Record) -> Result<(), LogError> {
        match KINDS[record.kind].name {
            kind::TICK_SEALED => self.sealed(record.tick),
            // A recovery reads bodies of no other kind, but has to know whether the run can go on.
            kind::RUN_ENDED => {
                let outcome = body::outcome(&record.body);
                self.summary.outcome =
                    Some(outcome.map_err(|error| self.damaged(error.to_string()))?);
            }
            _ => {}
        }
        Ok(())
    }

    fn sealed(&mut self, tick: u32) {
        self.summary.ticks += 1;
        self.summary.last_tick = Some(tick);
    }

    /// The segments, the number of the one that is read, and how many of its groups were.
    pub(crate) fn place(&self) -> (&[PathBuf], usize, u32) {
        (&self.files, self.number, self.groups_of_segment)
    }

    /// Segments that cannot be read, as one before them is missing.
    pub(crate) fn later(&self) -> &[PathBuf] {
        &self.later
    }

    /// Reads, checks and takes in the next group; false at the end of the log.
    fn read_group(&mut self) -> Result<bool, LogError> {
        if self.segment.is_none() {
            if self.number == self.files.len() {
                return self.check_end().map(|()| false);
            }
            self.open_segment()?;
        }
        if let Some(group) = self.next_of_segment()? {
            self.take(group)?;
            self.groups_of_segment += 1;
            self.group_segment = self.number as u32;
        } else {
            self.number += 1;
            self.segment = None;
            self.groups_of_segment = 0;
        }
        Ok(true)
    }

    fn open_segment(&mut self) -> Result<(), LogError> {
        let (segment, start) =
            SegmentReader::open(&self.files[self.number]).map_err(|stop| self.stopped(stop))?;
        // Nothing lies before these that they could be held against.
        let is_first = self.number == 0 || (self.number == 1 && self.lost_build.is_some());
        if is_first {
            (self.chain, self.next_seq) = (start.chain, start.next_seq);
            self.start = SegmentStart { number: 0, ..start };
        }
        let expected = SegmentStart {
            number: self.number as u32,
            next_seq: self.next_seq,
            chain: self.chain,
            // These are taken at their word. Ticks are made from them and are part of what the
            // chain hash covers, so that wrong ones break the chain.
            times: start.times,
        };
        if start != expected {
            return Err(self.damaged("it does not go on where the segment before it ends"));
        }
        (self.segment, self.times, self.groups_of_segment) = (Some(segment), start.times, 0);
        Ok(())
    }

    fn next_of_segment(&mut self) -> Result<Option<Vec<Record>>, LogError> {
        let Some(segment) = &mut self.segment else { return Ok(None) };
        segment.next_group().map_err(|stop| self.stopped(stop))
    }

    fn take(&mut self, group: Vec<Record>) -> Result<(), LogError> {
        let SealedGroup { events, chain } =
            check_group(group, &self.chain, self.next_seq).map_err(|what| self.damaged(what))?;
        let next_seq = self.next_seq + events.len() as u64;
        // `HEAD` acknowledges whole groups, so that a group that reaches beyond its number is of
        // another history, and so is one that ends there with another hash.
        let reaches_head = self.next_seq < self.head.next_seq && next_seq >= self.head.next_seq;
        if reaches_head && (next_seq != self.head.next_seq || self.head.chain() != Some(chain)) {
            return Err(self.damaged("history is another than HEAD acknowledges"));
        }
        self.chain = chain;
        self.next_seq = next_seq;
        self.summary.chain_hash = chain;
        self.group = events.into();
        Ok(())
    }

    fn check_end(&self) -> Result<(), LogError> {
        if !self.later.is_empty() || (self.head.segment as usize) >= self.files.len() {
            return Err(self.damaged(MISSING));
        }
        if self.next_seq < self.head.next_seq {
            return Err(self.damaged("the log ends before what HEAD acknowledges"));
        }
        Ok(())
    }

    fn stopped(&self, stop: Stop) -> LogError {
        match stop {
            Stop::Io(error) => LogError::io("read", &self.file())(error),
            Stop::UnknownKind(name) => {
                LogError::UnknownKind { file: self.file(), name, known: kind::known() }
            }
            Stop::Damage(what) => self.damaged(what),
        }
    }

    /// Damage in what comes after the group that was read last.
    fn damaged(&self, what: impl Into<String>) -> LogError {
        let damage =
            Damage { file: self.file(), after_tick: self.summary.last_tick, what: what.into() };
        // What `HEAD` acknowledges was durable before it said so. Only behind it does a crash leave
        // torn records, which a recovery may cut off.
        let acknowledged = self.next_seq < self.head.next_seq;
        if acknowledged { LogError::Damaged(damage) } else { LogError::Torn(damage) }
    }

    /// The segment that is read, or that would be next.
    fn file(&self) -> PathBuf {
        let number = self.number.min(self.files.len());
        // Behind the last segment none is missing: the message names a file that is there.
        if number == self.files.len()
            && self.later.is_empty()
            && (self.head.segment as usize) < number
        {
            return self.files[number - 1].clone();
        }
        self.folder.join(SegmentStart::file_name(number as u32))
    }
}

/// What is said of a segment that is not there.
const MISSING: &str = "it is missing";

/// The segments in a log's folder. All else in it is none: other names, and folders.
#[derive(Debug, Default)]
pub(crate) struct Segments {
    /// Those numbered from 0 without gaps; the first is named even where it is not there.
    pub(crate) files: Vec<PathBuf>,
    /// Those after a gap.
    pub(crate) later: Vec<PathBuf>,
    /// How many there are.
    pub(crate) count: u32,
    /// Their length together.
    pub(crate) bytes: u64,
}

impl Segments {
    /// Looks for them.
    ///
    /// # Errors
    /// The folder cannot be read, or a link has the name of a segment.
    pub(crate) fn find(folder: &Path) -> Result<Self, LogError> {
        // Sorted by number: a folder lists its files in no order.
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(folder).map_err(LogError::io("read", folder))? {
            let entry = entry.map_err(LogError::io("read", folder))?;
            let Some(number) = SegmentStart::number_of(&entry.file_name()) else { continue };
            let path = entry.path();
            if !plain::is_folder(&path).map_err(LogError::io("open", &path))? {
                let length = entry.metadata().map_err(LogError::io("read", &path))?.len();
                found.insert(number, (path, length));
            }
        }
        let bytes = found.values().map(|(_, length)| length).sum();
        let mut segments = Self { count: found.len() as u32, bytes, ..Self::default() };
        found.entry(0).or_insert_with(|| (folder.join(SegmentStart::file_name(0)), 0));
        for (number, (path, _)) in found {
            let goes_on = segments.files.len() == number as usize;
            if goes_on { segments.files.push(path) } else { segments.later.push(path) }
        }
        Ok(segments)
    }
}
