//! The log of a run in its folder, as mcap segments.
//!
//! ```text
//! create      run/log.new/
//! open_run    000000.mcap (what made the run), 000001.mcap with the opening, HEAD,
//!             all made durable; then log.new becomes log
//! seal        one chunk; made durable, and HEAD moved, as often as asked or as time allows
//! close       footer, sync, HEAD
//! resume      the next segment, which goes on from the chain hash of the one before
//! ```

use crate::{
    body,
    disk::{Disk, FaultyDisk, OsDisk},
    error::LogError,
    event::{Build, Recorded},
    head::Head,
    kind,
    layout::{FIRST_SEGMENT, FOLDER, LogEnd},
    log::{EventLog, Seal},
    pace::{Mark, Pace},
    seal::{Opening, Record, Sealer, hash_to_hex},
    segment::{FORMAT, Segment, SegmentStart},
};
use std::path::{Path, PathBuf};
use voltide_model::scenario::Durability;

/// Bytes of a run's log so far, less what made the run; 0 where there is none.
pub fn bytes(run_folder: &Path) -> u64 {
    let files = std::fs::read_dir(run_folder.join(FOLDER)).into_iter().flatten().flatten();
    // Its length differs between programs that make the same history. How many snapshots a run has
    // follows from the rest, so that equal runs have equal ones.
    let build = SegmentStart::file_name(FIRST_SEGMENT - 1);
    let of_history = files.filter(|file| {
        file.path().extension().is_some_and(|it| it == "mcap") && file.file_name() != build.as_str()
    });
    of_history.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
}

/// Name of a log's folder until the opening is durable.
const NEW_FOLDER: &str = "log.new";

/// A log on disk.
pub struct McapLog<D: Disk = OsDisk> {
    disk: D,
    run_folder: PathBuf,
    durability: Durability,
    sealer: Sealer,
    state: State<D>,
    /// Number of the segment that takes in ticks.
    segment: u32,
    /// Ticks that were sealed since the last sync.
    unsynced: u32,
    pace: Pace,
}

/// A log on a disk that fails when told to; for tests.
pub type FaultyLog = McapLog<FaultyDisk>;

enum State<D: Disk> {
    /// Takes in the opening.
    New,
    /// Takes in ticks.
    Open(Box<Segment<D>>),
    /// A write failed.
    Poisoned,
    /// All is written.
    Closed,
}

impl McapLog {
    /// Begins a log in `run_folder`, which is made if it is not there. Where others might write to
    /// it, the caller holds its [lock](crate::lock::lock).
    ///
    /// # Errors
    /// The folder holds a log already, or cannot be written to.
    pub fn create(run_folder: &Path, durability: Durability) -> Result<Self, LogError> {
        Self::create_on(OsDisk, run_folder, durability)
    }

    /// Goes on with the log in `run_folder`, from where its recovery found that it ends. The caller
    /// holds the folder's [lock](crate::lock::lock).
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn resume(
        run_folder: &Path,
        durability: Durability,
        from: &LogEnd,
    ) -> Result<Self, LogError> {
        Self::resume_on(OsDisk, run_folder, durability, from)
    }
}

impl<D: Disk> McapLog<D> {
    /// [`McapLog::create`] on a given disk.
    pub fn create_on(
        mut disk: D,
        run_folder: &Path,
        durability: Durability,
    ) -> Result<Self, LogError> {
        let folder = run_folder.join(FOLDER);
        if folder.exists() {
            return Err(LogError::Exists(run_folder.to_owned()));
        }
        // The log gets its name when its opening is written: until then there is no run.
        let new_folder = run_folder.join(NEW_FOLDER);
        disk.remove_folder(&new_folder).map_err(LogError::io("remove", &new_folder))?;
        disk.create_folder(&new_folder).map_err(LogError::io("create", &new_folder))?;
        let run_folder = run_folder.to_owned();
        let sealer = Sealer::default();
        let state = State::New;
        let segment = FIRST_SEGMENT;
        let pace = Pace::start();
        Ok(Self { disk, run_folder, durability, sealer, state, segment, unsynced: 0, pace })
    }

    /// [`McapLog::resume`] on a given disk.
    pub fn resume_on(
        mut disk: D,
        run_folder: &Path,
        durability: Durability,
        from: &LogEnd,
    ) -> Result<Self, LogError> {
        let folder = run_folder.join(FOLDER);
        let LogEnd { segment, past, .. } = *from;
        let start = SegmentStart {
            number: segment,
            next_seq: past.next_seq,
            chain: past.chain,
            times: past.times,
        };
        let state = State::Open(Box::new(Segment::create(&mut disk, &folder, start)?));
        disk.sync_folder(&folder).map_err(LogError::io("sync", &folder))?;
        let run_folder = run_folder.to_owned();
        let sealer = Sealer::after(past);
        let pace = Pace::start();
        Ok(Self { disk, run_folder, durability, sealer, state, segment, unsynced: 0, pace })
    }

    /// Runs a step; if it fails, no other will ever run: what reached the disk is unknown.
    fn step<T>(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        match self.state {
            State::Poisoned => return Err(LogError::Poisoned),
            State::Closed => return Err(LogError::Closed),
            State::New | State::Open(_) => {}
        }
        let done = step(self);
        if done.is_err() {
            self.state = State::Poisoned;
        }
        done
    }

    fn write_opening(&mut self) -> Result<(), LogError> {
        let new_folder = self.run_folder.join(NEW_FOLDER);
        let (opening, group) = self.sealer.open_run();
        let Opening { chain, times, first_seq: next_seq, .. } = opening;
        let start = |number| SegmentStart { number, next_seq, chain, times };
        write_build(&mut self.disk, &new_folder, start(FIRST_SEGMENT - 1), &opening.build)?;
        let mut segment = Segment::create(&mut self.disk, &new_folder, start(FIRST_SEGMENT))?;
        segment.write(&group)?;
        segment.sync(&mut self.disk)?;
        self.state = State::Open(Box::new(segment));
        // The folder gets its name last: a log without `HEAD` would count as damaged.
        self.write_head(&new_folder)?;
        let folder = self.run_folder.join(FOLDER);
        self.disk.rename(&new_folder, &folder).map_err(LogError::io("rename", &new_folder))?;
        self.segment().moved_to(&folder);
        self.disk.sync_folder(&self.run_folder).map_err(LogError::io("sync", &self.run_folder))
    }

    fn write_tick(&mut self, seal: Seal) -> Result<Recorded, LogError> {
        let (sealed, group) = self.sealer.seal(seal)?;
        self.segment().write(&group)?;
        self.unsynced += 1;
        let due = match self.durability {
            Durability::Paced => self.pace.is_due(self.unsynced),
            Durability::Tick => true,
            Durability::Every(ticks) => self.unsynced >= ticks,
            Durability::Close => false,
        };
        if due {
            self.sync()?;
        }
        Ok(sealed)
    }

    /// Makes what was sealed durable.
    fn sync(&mut self) -> Result<(), LogError> {
        let began = Mark::now();
        let State::Open(segment) = &self.state else {
            unreachable!("ticks are sealed in an open log")
        };
        segment.sync(&mut self.disk)?;
        // After the segment: what `HEAD` acknowledges has to be durable already.
        self.write_head(&self.run_folder.join(FOLDER))?;
        self.unsynced = 0;
        self.pace.synced(began);
        Ok(())
    }

    fn write_ending(&mut self) -> Result<(), LogError> {
        let ending = self.sealer.end_run();
        // A run that was never opened has no log to end. What it left is removed when the next one
        // begins.
        let State::Open(mut segment) = std::mem::replace(&mut self.state, State::Closed) else {
            return Ok(());
        };
        if let Some(group) = ending {
            segment.write(&group)?;
        }
        segment.finish(&mut self.disk)?;
        self.write_head(&self.run_folder.join(FOLDER))
    }

    fn segment(&mut self) -> &mut Segment<D> {
        let State::Open(segment) = &mut self.state else {
            unreachable!("a run is opened before its first tick is sealed")
        };
        segment
    }

    fn write_head(&mut self, folder: &Path) -> Result<(), LogError> {
        let head = Head {
            format: FORMAT,
            segment: self.segment,
            tick: self.sealer.last_tick(),
            next_seq: self.sealer.next_seq(),
            chain_hash: hash_to_hex(&self.sealer.chain()),
        };
        head.write(&mut self.disk, folder)
    }
}

impl<D: Disk> EventLog for McapLog<D> {
    fn append(&mut self, recorded: &Recorded) -> Result<(), LogError> {
        self.step(|log| log.sealer.append(recorded))
    }

    fn open_run(&mut self) -> Result<(), LogError> {
        self.step(Self::write_opening)
    }

    fn seal(&mut self, seal: Seal) -> Result<Recorded, LogError> {
        self.step(|log| log.write_tick(seal))
    }

    fn close(&mut self) -> Result<(), LogError> {
        if matches!(self.state, State::Closed) {
            return Ok(());
        }
        self.step(Self::write_ending)
    }
}

/// Writes segment 0 of a log: what made the run.
pub(crate) fn write_build<D: Disk>(
    disk: &mut D,
    folder: &Path,
    start: SegmentStart,
    build: &Build,
) -> Result<(), LogError> {
    let body = body::json(None, build).expect("texts are JSON");
    let kind = kind::position(kind::BUILD).expect("it is a kind");
    let mut segment = Segment::create(disk, folder, start)?;
    segment.write(&[Record { kind, seq: 0, tick: 0, body }])?;
    segment.finish(disk)
}
