//! What a crash tore is cut off, so that a run can go on.
//!
//! ```text
//! damage before HEAD     refused: acknowledged history is never given up
//! damage after HEAD      the torn segment is cut in place after its last whole tick and gets a
//!                        footer; what is cut stays in log/quarantine/, later segments move there
//! whole ticks after HEAD kept, and acknowledged
//! 000000.mcap is lost    another one takes its place, which says that the build is not known
//! ```
//!
//! Every step can be cut off itself: what is to be cut is safe before it is cut, and a second
//! recovery finds the same ticks. Memory is that of one tick, however long a segment is.

pub use crate::layout::LogEnd;

use crate::{
    disk::{Disk, OsDisk},
    error::{Damage, LogError},
    event::Build,
    head::{self, Head},
    mcap_log::write_build,
    plain,
    reader::{self, LogReader},
    records::{self, Stop},
    seal::{SealedPast, hash_to_hex},
    segment::{FORMAT, SegmentStart},
    segment_reader::{Data, SegmentReader},
};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// The folder that damaged segments are kept in, inside the log's.
const QUARANTINE: &str = "quarantine";
/// How much of a file is in memory while it is copied.
const PIECE: usize = 1 << 16;

/// What was found and done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Where the log ends now.
    pub end: LogEnd,
    /// What was torn; `None` for a log that was whole.
    pub torn: Option<Damage>,
    /// Why it is not known what made the run; `None` where it is.
    pub lost_build: Option<Damage>,
    /// What was cut or replaced.
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

/// [`recover`] where `HEAD` is damaged or missing, so that what was acknowledged is not known: all
/// that is whole from the start counts, and is acknowledged anew. A copy of the damaged head is
/// kept.
///
/// # Errors
/// As [`recover`]; or not even the opening is whole.
pub fn recover_without_head(run_folder: &Path) -> Result<Recovery, LogError> {
    let folder = reader::log_folder(run_folder)?;
    // Where nothing is acknowledged, all damage counts as torn and may be cut.
    let nothing =
        Head { format: FORMAT, segment: 0, tick: None, next_seq: 0, chain_hash: String::new() };
    let log = reader::open_with(&folder, nothing)?;
    // Before a new head takes its place.
    let damaged = head::keep_damaged(&folder, &folder.join(QUARANTINE))?;
    let mut recovery = make_whole(&mut OsDisk, run_folder, log)?;
    recovery.quarantined.extend(damaged);
    Ok(recovery)
}

/// [`recover`] on a given disk.
pub fn recover_on<D: Disk>(disk: &mut D, run_folder: &Path) -> Result<Recovery, LogError> {
    make_whole(disk, run_folder, reader::open(run_folder)?)
}

fn make_whole<D: Disk>(
    disk: &mut D,
    run_folder: &Path,
    mut log: LogReader,
) -> Result<Recovery, LogError> {
    let torn = check_rest(&mut log)?;
    // A log without one whole group says nothing of its run: there is nothing to go on from.
    if log.past().next_seq == 0 {
        return Err(torn.map_or(LogError::Missing(run_folder.to_owned()), LogError::Damaged));
    }
    let (files, number, groups) = log.place();
    let mut files = files.to_vec();
    let mut repair =
        Repair { disk, folder: reader::log_folder(run_folder)?, quarantined: Vec::new() };
    if torn.is_some() {
        let cut = [&files[number..], log.later()].concat();
        repair.cut(&cut, groups)?;
        // A segment with a whole group is cut and stays; one without is set aside.
        files.truncate(number + usize::from(groups > 0));
    }
    let past = log.past();
    if log.lost_build().is_some() {
        repair.forget_build(&files[0], log.start())?;
    }
    let Repair { disk, folder, quarantined } = repair;
    let acknowledged = log.head().clone();
    if torn.is_some() || past.next_seq != acknowledged.next_seq {
        let since = files.get(acknowledged.segment as usize..).unwrap_or_default();
        acknowledge(disk, &folder, since, past)?;
    }
    let newly_acknowledged = match (past.last_tick, acknowledged.tick) {
        // Never below 0: damage before `HEAD` was refused, so that the log reaches at least as far.
        (Some(last), Some(acknowledged)) => last - acknowledged,
        // The log of a fork does not begin with tick 0.
        _ => log.summary().ticks,
    };
    let end = LogEnd {
        last_tick: past.last_tick,
        outcome: log.summary().outcome.clone(),
        // Segments count from 0, so that this is the next one. A segment with a footer takes in no
        // more.
        segment: files.len() as u32,
        past,
    };
    let lost_build = log.lost_build().cloned();
    Ok(Recovery { end, torn, lost_build, quarantined, newly_acknowledged })
}

/// Checks what is left of a log; gives where a crash tore it.
fn check_rest(log: &mut LogReader) -> Result<Option<Damage>, LogError> {
    match log.check_rest() {
        Ok(()) => Ok(None),
        Err(LogError::Torn(damage)) => Ok(Some(damage)),
        Err(error) => Err(error),
    }
}

/// A log's folder while something is cut from it.
struct Repair<'a, D> {
    disk: &'a mut D,
    folder: PathBuf,
    quarantined: Vec<PathBuf>,
}

impl<D: Disk> Repair<'_, D> {
    /// Cuts the log after the first `groups` of the first of `files`, its last ones.
    fn cut(&mut self, files: &[PathBuf], groups: u32) -> Result<(), LogError> {
        let Some((torn, later)) = files.split_first() else { return Ok(()) };
        // From the last one on, so that the numbers left never have a gap.
        for file in later.iter().rev() {
            self.set_aside(file)?;
        }
        if groups > 0 {
            let data = SegmentReader::data_of(torn, groups).map_err(stopped(torn))?;
            self.cut_in_place(torn, data)?;
        } else {
            self.set_aside(torn)?;
        }
        self.disk.sync_folder(&self.folder).map_err(LogError::io("sync", &self.folder))
    }

    /// Leaves a segment its whole data, and a footer.
    fn cut_in_place(&mut self, file: &Path, data: Data) -> Result<(), LogError> {
        let ending = records::ending(data.checksum);
        // Copied before it is cut, so that a crash in between loses nothing.
        self.keep_rest(file, data.length, &ending)?;
        let mut open = self.disk.open(file).map_err(LogError::io("open", file))?;
        self.disk.cut(&open, data.length).map_err(LogError::io("cut", file))?;
        open.write_all(&ending).map_err(LogError::io("write", file))?;
        self.disk.sync(&open).map_err(LogError::io("sync", file))
    }

    /// Copies what a file holds from a place on, unless it is but part of the `ending` that comes
    /// there.
    fn keep_rest(&mut self, file: &Path, from: u64, ending: &[u8]) -> Result<(), LogError> {
        let reading = LogError::io("read", file);
        let mut content = plain::open(file).map_err(LogError::io("open", file))?;
        let length = content.metadata().map_err(LogError::io("read", file))?.len();
        let mut rest = vec![0; ending.len().min(length.saturating_sub(from) as usize)];
        let is_short = length - from.min(length) < ending.len() as u64;
        content
            .seek(SeekFrom::Start(from))
            .and_then(|_| content.read_exact(&mut rest))
            .map_err(reading)?;
        // A footer that was being written when the crash came holds nothing to keep.
        if is_short && ending.starts_with(&rest) {
            return Ok(());
        }
        let aside = self.place_for(file, from)?;
        let mut copy = self.disk.create(&aside).map_err(LogError::io("create", &aside))?;
        content.seek(SeekFrom::Start(from)).map_err(LogError::io("read", file))?;
        in_pieces(&mut content, file, |piece| {
            copy.write_all(piece).map_err(LogError::io("write", &aside))
        })?;
        self.disk.sync(&copy).map_err(LogError::io("sync", &aside))?;
        self.keep(aside)
    }

    fn set_aside(&mut self, file: &Path) -> Result<(), LogError> {
        let aside = self.place_for(file, 0)?;
        self.disk.rename(file, &aside).map_err(LogError::io("rename", file))?;
        self.keep(aside)
    }

    /// Where a segment is kept from a place on: under a name that tells contents apart, so that a
    /// recovery that is cut off and done again makes no second copy.
    fn place_for(&mut self, file: &Path, from: u64) -> Result<PathBuf, LogError> {
        let quarantine = self.folder.join(QUARANTINE);
        self.disk.create_folder(&quarantine).map_err(LogError::io("create", &quarantine))?;
        // In pieces, since what is torn may be longer than memory.
        let mut hasher = blake3::Hasher::new();
        let mut content = plain::open(file).map_err(LogError::io("open", file))?;
        content.seek(SeekFrom::Start(from)).map_err(LogError::io("read", file))?;
        in_pieces(&mut content, file, |piece| {
            hasher.update(piece);
            Ok(())
        })?;
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let hash = &hasher.finalize().to_hex()[..8];
        let name = if from == 0 {
            format!("{stem}-{hash}.mcap")
        } else {
            format!("{stem}-{hash}-from-{from}")
        };
        Ok(quarantine.join(name))
    }

    fn keep(&mut self, aside: PathBuf) -> Result<(), LogError> {
        self.quarantined.push(aside);
        // Both folders: the file has its name in the one, the quarantine in the other.
        let quarantine = self.folder.join(QUARANTINE);
        self.disk.sync_folder(&quarantine).map_err(LogError::io("sync", &quarantine))?;
        self.disk.sync_folder(&self.folder).map_err(LogError::io("sync", &self.folder))
    }

    /// Puts a segment 0 in place of a lost one that says that the build is not known.
    fn forget_build(&mut self, file: &Path, start: SegmentStart) -> Result<(), LogError> {
        if file.exists() {
            self.set_aside(file)?;
        }
        write_build(self.disk, &self.folder, start, &Build::default())?;
        self.disk.sync_folder(&self.folder).map_err(LogError::io("sync", &self.folder))
    }
}

/// Hands over what is left of a file, piece by piece.
fn in_pieces(
    content: &mut File,
    file: &Path,
    mut take: impl FnMut(&[u8]) -> Result<(), LogError>,
) -> Result<(), LogError> {
    let mut piece = vec![0; PIECE];
    loop {
        match content.read(&mut piece).map_err(LogError::io("read", file))? {
            0 => return Ok(()),
            count => take(&piece[..count])?,
        }
    }
}

/// Moves `HEAD` to the end of a whole log; `files` are the segments since the old one.
fn acknowledge<D: Disk>(
    disk: &mut D,
    folder: &Path,
    files: &[PathBuf],
    past: SealedPast,
) -> Result<(), LogError> {
    // What `HEAD` acknowledges must be durable before it says so.
    for file in files {
        let open = disk.open(file).map_err(LogError::io("open", file))?;
        disk.sync(&open).map_err(LogError::io("sync", file))?;
    }
    let SealedPast { last_tick: tick, next_seq, segment, .. } = past;
    Head { format: FORMAT, segment, tick, next_seq, chain_hash: hash_to_hex(&past.chain) }
        .write(disk, folder)
}

fn stopped(file: &Path) -> impl FnOnce(Stop) -> LogError {
    |stop| {
        // These groups were read as whole before: only the disk can stop the reading here.
        let error = match stop {
            Stop::Io(error) => error,
            Stop::Damage(what) | Stop::UnknownKind(what) => io::Error::other(what),
        };
        LogError::io("read", file)(error)
    }
}
