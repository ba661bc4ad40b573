//! What a crash tore is cut off, so that a run can go on.
//!
//! ```text
//! damage before HEAD     refused: acknowledged history is never given up
//! damage after HEAD      the torn segment is written anew up to its last whole tick, with a
//!                        footer; a copy of it stays in log/quarantine/, later ones move there
//! whole ticks after HEAD kept, and acknowledged
//! ```
//!
//! Every step can be cut off itself: until the new segment takes the old one's name, the old one is
//! there, and a second recovery finds the same ticks.

use crate::{
    disk::{Disk, OsDisk},
    error::{Damage, LogError},
    head::{self, Head},
    mcap_log::FOLDER,
    reader::{self, LogReader},
    seal::{SealedPast, hash_to_hex},
    segment::{FORMAT, Segment, SegmentStart},
    segment_reader::{SegmentReader, Stop},
};
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The folder that damaged segments are kept in, inside the log's.
const QUARANTINE: &str = "quarantine";
/// The folder that segments are written anew in, inside the log's.
const NEW_FOLDER: &str = "new";

/// Where a log ends that is whole; a run goes on from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEnd {
    /// The last sealed tick; `None` before the first.
    pub last_tick: Option<u32>,
    /// What `RunEnded` says; `None` for a run that can go on.
    pub outcome: Option<String>,
    /// The segment that a run would go on in.
    pub(crate) segment: u32,
    pub(crate) past: SealedPast,
}

/// What was found and done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Where the log ends now.
    pub end: LogEnd,
    /// What was torn; `None` for a log that was whole.
    pub torn: Option<Damage>,
    /// Copies of what was cut.
    pub quarantined: Vec<PathBuf>,
    /// Sealed ticks that `HEAD` did not acknowledge yet, and does now.
    pub newly_acknowledged: u32,
}

/// Makes the log of a run whole.
///
/// # Errors
/// There is none, acknowledged history is damaged, or the folder cannot be written to.
pub fn recover(run_folder: &Path) -> Result<Recovery, LogError> {
    recover_on(&mut OsDisk, run_folder)
}

/// [`recover`] where `HEAD` is damaged or missing, so that what was acknowledged is not known: all that is
/// whole from the start counts, and is acknowledged anew. A copy of the damaged head is kept.
///
/// # Errors
/// As [`recover`]; or not even the opening is whole.
pub fn recover_without_head(run_folder: &Path) -> Result<Recovery, LogError> {
    let folder = run_folder.join(FOLDER);
    if !folder.is_dir() {
        return Err(LogError::Missing(run_folder.to_owned()));
    }
    let nothing = Head { format: FORMAT, segment: 0, tick: None, next_seq: 0, chain_hash: String::new() };
    let log = reader::open_with(&folder, nothing)?;
    let damaged = head::keep_damaged(&folder, &folder.join(QUARANTINE))?;
    let mut recovery = make_whole(&mut OsDisk, run_folder, log)?;
    recovery.quarantined.extend(damaged);
    Ok(recovery)
}

/// [`recover`] on a given disk.
pub fn recover_on<D: Disk>(disk: &mut D, run_folder: &Path) -> Result<Recovery, LogError> {
    make_whole(disk, run_folder, reader::open(run_folder)?)
}

fn make_whole<D: Disk>(disk: &mut D, run_folder: &Path, mut log: LogReader) -> Result<Recovery, LogError> {
    let torn = match log.check_rest() {
        Ok(()) => None,
        Err(LogError::Torn(damage)) => Some(damage),
        Err(error) => return Err(error),
    };
    if log.past().next_seq == 0 {
        return Err(torn.map_or(LogError::Missing(run_folder.to_owned()), LogError::Damaged));
    }
    let (files, number, groups) = log.place();
    let mut files = files.to_vec();
    let mut quarantined = Vec::new();
    if torn.is_some() {
        let mut yard = Yard { disk, folder: run_folder.join(FOLDER), quarantined: Vec::new() };
        yard.cut(&files[number..], groups)?;
        quarantined = yard.quarantined;
        files.truncate(number + usize::from(groups > 0));
    }
    let past = log.past();
    let acknowledged = log.head().clone();
    if past.next_seq != acknowledged.next_seq {
        let since = files.get(acknowledged.segment as usize..).unwrap_or_default();
        acknowledge(disk, &run_folder.join(FOLDER), since, past)?;
    }
    let ticks = |last: Option<u32>| last.map_or(0, |tick| tick + 1);
    let newly_acknowledged = ticks(past.last_tick) - ticks(acknowledged.tick);
    let end = LogEnd {
        last_tick: past.last_tick,
        outcome: log.summary().outcome.clone(),
        segment: files.len() as u32,
        past,
    };
    Ok(Recovery { end, torn, quarantined, newly_acknowledged })
}

/// A log's folder while something is cut from it.
struct Yard<'a, D> {
    disk: &'a mut D,
    folder: PathBuf,
    quarantined: Vec<PathBuf>,
}

impl<D: Disk> Yard<'_, D> {
    /// Cuts the log after the first `groups` of the first of `files`, its last ones.
    fn cut(&mut self, files: &[PathBuf], groups: u32) -> Result<(), LogError> {
        let Some((torn, later)) = files.split_first() else { return Ok(()) };
        // From the last one on, so that the numbers left never have a gap.
        for file in later.iter().rev() {
            self.set_aside(file)?;
        }
        if groups > 0 {
            self.write_anew(torn, groups)?;
        } else {
            self.set_aside(torn)?;
        }
        self.disk.sync_folder(&self.folder).map_err(LogError::io("sync", &self.folder))
    }

    /// Writes the first `groups` of a segment to a file with a footer, which takes its name.
    fn write_anew(&mut self, file: &Path, groups: u32) -> Result<(), LogError> {
        let new_folder = self.folder.join(NEW_FOLDER);
        self.disk.create_folder(&new_folder).map_err(LogError::io("create", &new_folder))?;
        let (mut reader, start) = SegmentReader::open(file).map_err(stopped(file))?;
        let mut segment = Segment::create(self.disk, &new_folder, start)?;
        for _ in 0..groups {
            let group = reader.next_group().map_err(stopped(file))?.unwrap_or_default();
            segment.write(&group)?;
        }
        let new = new_folder.join(SegmentStart::file_name(start.number));
        if length(file)? != length(&new)? {
            self.copy_aside(file)?;
        }
        segment.finish(self.disk)?;
        self.disk.rename(&new, file).map_err(LogError::io("rename", &new))?;
        self.disk.sync_folder(&self.folder).map_err(LogError::io("sync", &self.folder))?;
        self.disk.remove_folder(&new_folder).map_err(LogError::io("remove", &new_folder))
    }

    fn set_aside(&mut self, file: &Path) -> Result<(), LogError> {
        let content = fs::read(file).map_err(LogError::io("read", file))?;
        let aside = self.place_for(file, &content)?;
        self.disk.rename(file, &aside).map_err(LogError::io("rename", file))?;
        self.keep(aside)
    }

    fn copy_aside(&mut self, file: &Path) -> Result<(), LogError> {
        let content = fs::read(file).map_err(LogError::io("read", file))?;
        let aside = self.place_for(file, &content)?;
        let mut copy = self.disk.create(&aside).map_err(LogError::io("create", &aside))?;
        copy.write_all(&content).map_err(LogError::io("write", &aside))?;
        self.disk.sync(&copy).map_err(LogError::io("sync", &aside))?;
        self.keep(aside)
    }

    /// Where a damaged segment is kept: under a name that tells contents apart, so that a recovery
    /// that is cut off and done again makes no second copy.
    fn place_for(&mut self, file: &Path, content: &[u8]) -> Result<PathBuf, LogError> {
        let quarantine = self.folder.join(QUARANTINE);
        self.disk.create_folder(&quarantine).map_err(LogError::io("create", &quarantine))?;
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        Ok(quarantine.join(format!("{stem}-{}.mcap", &blake3::hash(content).to_hex()[..8])))
    }

    fn keep(&mut self, aside: PathBuf) -> Result<(), LogError> {
        self.quarantined.push(aside);
        let quarantine = self.folder.join(QUARANTINE);
        self.disk.sync_folder(&quarantine).map_err(LogError::io("sync", &quarantine))
    }
}

/// Moves `HEAD` to the end of a whole log; `files` are the segments since the old one.
fn acknowledge<D: Disk>(
    disk: &mut D,
    folder: &Path,
    files: &[PathBuf],
    past: SealedPast,
) -> Result<(), LogError> {
    for file in files {
        let open = disk.open(file).map_err(LogError::io("open", file))?;
        disk.sync(&open).map_err(LogError::io("sync", file))?;
    }
    let SealedPast { last_tick: tick, next_seq, segment, .. } = past;
    Head { format: FORMAT, segment, tick, next_seq, chain_hash: hash_to_hex(&past.chain) }.write(disk, folder)
}

fn length(file: &Path) -> Result<u64, LogError> {
    fs::metadata(file).map(|found| found.len()).map_err(LogError::io("read", file))
}

fn stopped(file: &Path) -> impl FnOnce(Stop) -> LogError {
    |stop| {
        let error = match stop {
            Stop::Io(error) => error,
            Stop::Damage(what) | Stop::UnknownKind(what) => io::Error::other(what),
        };
        LogError::io("read", file)(error)
    }
}
