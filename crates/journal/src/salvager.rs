//! Chunk after chunk of a damaged log: what is whole is proved, mended where it can be, and written
//! on.
//!
//! ```text
//! a chunk ──what its channels mean, where slots lie──▶ a group ──the chain hash before it──▶ whole
//! ```
//! What a group needs to be read may be lost with the bytes before it. So all that the log says of
//! it elsewhere is tried, and the seal decides: it fits but one reading.

use crate::{
    body,
    disk::OsDisk,
    error::{Damage, LogError},
    event::{Build, RunStarted},
    head::Head,
    kind::{self, KINDS},
    layout::{FIRST_SEGMENT, FOLDER},
    mcap_log::write_build,
    records::Stop,
    salvaged::{BEYOND, DamagedBytes, Mended, Missing, Piece, Salvage},
    scan::{Chunk, Found, Scan},
    seal::{
        ChainHash, LOST, Record, SealedGroup, SlotTimes, check_group, hash_from_hex, hash_to_hex,
    },
    segment::{FORMAT, Segment, SegmentStart},
    segment_reader::Channels,
};
use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

/// Records have but the last 32 bits of their numbers: more events than this are not missing
/// between two of them, it is the later one that comes earlier.
const MOST_LOST: u64 = 1 << 31;

/// Where the history that was taken so far ends.
#[derive(Debug, Clone, Copy)]
struct Past {
    chain: ChainHash,
    next_seq: u64,
    last_tick: Option<u32>,
}

/// A group that was read from a chunk and proved.
struct Taken {
    group: Vec<Record>,
    sealed: SealedGroup,
    before: ChainHash,
    first_seq: u64,
    times: SlotTimes,
    channels: Channels,
}

/// A log that is being salvaged.
pub(crate) struct Salvager<'a> {
    staging: &'a Path,
    head: Option<Head>,
    build: Build,
    /// What segments say that they go on from.
    starts: Vec<SegmentStart>,
    channels: Channels,
    /// Those of this version, where a segment does not say what its channels stand for.
    own_channels: Channels,
    past: Option<Past>,
    /// The chain hash that a damaged group ends with, if those bytes are right.
    tail: Option<ChainHash>,
    /// Whether nothing was taken from the segment that is read.
    is_first_of_file: bool,
    /// Whether something is amiss since the group that was taken last.
    is_amiss: bool,
    /// The segment that is read.
    file: String,
    /// The number that the next one should have.
    next_segment: u32,
    piece: Option<PieceWriter>,
    salvage: Salvage,
}

impl<'a> Salvager<'a> {
    /// Begins with the log in `folder`, whose segments are `files`; what is whole goes to
    /// `staging`.
    pub(crate) fn begin(
        folder: &Path,
        staging: &'a Path,
        files: &[PathBuf],
    ) -> Result<Self, LogError> {
        let head = Head::read(folder).ok();
        // Of all segments beforehand: one whose metadata are lost is read by where slots lie in the
        // others.
        let mut starts = Vec::new();
        for file in files {
            starts.extend(start_of(file).map_err(LogError::io("read", file))?);
        }
        let salvage = Salvage {
            format: 1,
            acknowledged_tick: head.as_ref().and_then(|head| head.tick),
            head_known: head.is_some(),
            ..Salvage::default()
        };
        Ok(Self {
            staging,
            head,
            build: Build::default(),
            starts,
            channels: Channels::of_this_version(),
            own_channels: Channels::of_this_version(),
            past: None,
            tail: None,
            is_first_of_file: true,
            is_amiss: false,
            file: String::new(),
            next_segment: 0,
            piece: None,
            salvage,
        })
    }

    /// Takes what is whole of a segment.
    pub(crate) fn file(&mut self, path: &Path) -> Result<(), LogError> {
        let reading = || LogError::io("read", path);
        let name = path.file_name().unwrap_or_default();
        self.file = name.to_string_lossy().into_owned();
        let number = SegmentStart::number_of(name).unwrap_or_default();
        self.is_amiss |= number != self.next_segment;
        (self.next_segment, self.is_first_of_file) = (number + 1, true);
        let mut scan = Scan::open(path).map_err(reading())?;
        while let Some(found) = scan.next().map_err(reading())? {
            let chunk = match found {
                Found::Damage(bytes) => {
                    self.damaged(bytes, "these bytes are no records of a log");
                    continue;
                }
                Found::Chunk(chunk) => chunk,
            };
            if number < FIRST_SEGMENT {
                self.take_build(&chunk);
                scan.pass(&chunk);
            } else if self.take(path, &chunk, scan.start())? {
                scan.pass(&chunk);
            } else if self.is_of_another_history(scan.start()) {
                self.damaged(
                    0..scan.length(),
                    "it does not go on where the segment before it ends",
                );
                return Ok(());
            } else {
                let lost = scan.refuse(&chunk).map_err(reading())?;
                self.refused(&chunk, lost);
            }
        }
        Ok(())
    }

    fn take_build(&mut self, chunk: &Chunk) {
        // Only with a right checksum: there is no seal that could prove a guess.
        let group = chunk.is_sound.then(|| {
            self.starts
                .iter()
                .find_map(|start| Channels::default().group(&chunk.records, start.times, true).ok())
        });
        let build = group.flatten().and_then(|group| match group.as_slice() {
            [record] if KINDS[record.kind].name == kind::BUILD => {
                body::from_json(&record.body).ok()
            }
            _ => None,
        });
        match build {
            Some((_, build)) => (self.build, self.salvage.build_known) = (build, true),
            None => self.damaged(chunk.bytes.clone(), "it does not say what made the run"),
        }
    }

    /// Takes in a chunk's group, if it is whole.
    fn take(
        &mut self,
        path: &Path,
        chunk: &Chunk,
        start: Option<SegmentStart>,
    ) -> Result<bool, LogError> {
        // First as its checksum wants it: what a seal proves are events, but not what else a chunk
        // says.
        let mended = if chunk.has_checksum { None } else { chunk.mended() };
        for chunk in mended.iter().chain([chunk]) {
            if let Some(taken) = self.prove(path, chunk, start)? {
                self.mended(chunk, &taken);
                self.accept(taken)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn mended(&mut self, chunk: &Chunk, taken: &Taken) {
        if !chunk.is_sound {
            let tick = taken.group.last().map_or(0, |record| record.tick);
            self.salvage.mended.push(Mended {
                file: self.file.clone(),
                tick,
                byte: chunk.mended_place(),
            });
        }
    }

    /// Reads a chunk's records as a group that goes on from somewhere; where all is lost that it
    /// might go on from, its checksum must do.
    fn prove(
        &self,
        path: &Path,
        chunk: &Chunk,
        start: Option<SegmentStart>,
    ) -> Result<Option<Taken>, LogError> {
        let proved =
            self.read(path, chunk, start, |group, opening| self.links(group, opening, start))?;
        if proved.is_some() || !chunk.is_sound {
            return Ok(proved);
        }
        self.read(path, chunk, start, |group, _| {
            self.next_number(group).map(|seq| (LOST, seq)).into_iter().collect()
        })
    }

    /// Reads a chunk's records in each way that is open, until one fits one of the `links` that it
    /// may have to what comes before it.
    fn read(
        &self,
        path: &Path,
        chunk: &Chunk,
        start: Option<SegmentStart>,
        links: impl Fn(&[Record], Option<&RunStarted>) -> Vec<(ChainHash, u64)>,
    ) -> Result<Option<Taken>, LogError> {
        let opening = self.channels.clone().opening(&chunk.records, chunk.has_checksum);
        let mut unknown = None;
        for (channels, times) in self.readings(opening.as_ref(), start) {
            // What a reading that fails took for channels must not stay.
            let mut channels = channels.clone();
            let group = match channels.group(&chunk.records, times, chunk.has_checksum) {
                Ok(group) => group,
                Err(Stop::UnknownKind(name)) => {
                    unknown = Some(name);
                    continue;
                }
                Err(Stop::Damage(_) | Stop::Io(_)) => continue,
            };
            for (before, first_seq) in links(&group, opening.as_ref()) {
                if self.is_next(&before, first_seq)
                    && let Ok(sealed) = check_group(group.clone(), &before, first_seq)
                {
                    return Ok(Some(Taken { group, sealed, before, first_seq, times, channels }));
                }
            }
        }
        // Where the checksum is wrong, the unknown name may be the damage.
        match unknown.filter(|_| chunk.is_sound) {
            Some(name) => {
                Err(LogError::UnknownKind { file: path.to_owned(), name, known: kind::known() })
            }
            None => Ok(None),
        }
    }

    /// What channels may stand for, and where slots may lie in time.
    fn readings(
        &self,
        opening: Option<&RunStarted>,
        start: Option<SegmentStart>,
    ) -> Vec<(&Channels, SlotTimes)> {
        let times = self.times(opening, start);
        let of = |channels| times.iter().map(move |times| (channels, *times));
        of(&self.channels).chain(of(&self.own_channels)).collect()
    }

    /// Where slots may lie in time.
    fn times(&self, opening: Option<&RunStarted>, start: Option<SegmentStart>) -> Vec<SlotTimes> {
        let opening = opening.map(|started| SlotTimes {
            start_us: started.start_us,
            slot_seconds: started.slot_seconds,
        });
        let segments = start.iter().chain(&self.starts).map(|start| start.times);
        let mut times: Vec<SlotTimes> = Vec::new();
        for one in opening.into_iter().chain(segments) {
            if !times.contains(&one) {
                times.push(one);
            }
        }
        times
    }

    /// The chain hashes that a group may follow, each with the number that its first event then
    /// has.
    fn links(
        &self,
        group: &[Record],
        opening: Option<&RunStarted>,
        start: Option<SegmentStart>,
    ) -> Vec<(ChainHash, u64)> {
        let (Some(first), Some(next)) = (group.first(), self.next_number(group)) else {
            return Vec::new();
        };
        let segments = start.iter().chain(&self.starts).filter(|start| start.chain != LOST);
        let segments =
            segments.map(|start| (start.chain, number_from(start.next_seq, first.seq as u32)));
        let opening = opening.and_then(|started| hash_from_hex(&started.config_hash));
        let own = [self.past.map(|past| past.chain), self.tail, opening].into_iter().flatten();
        own.map(|hash| (hash, next)).chain(segments).collect()
    }

    /// The number that the first event of a group has if it is the next one that ends like this.
    fn next_number(&self, group: &[Record]) -> Option<u64> {
        let after = self.past.map_or(0, |past| past.next_seq);
        group.first().map(|first| number_from(after, first.seq as u32))
    }

    /// Whether a group may come next: right after what was taken, or later where something is
    /// amiss.
    fn is_next(&self, before: &ChainHash, first_seq: u64) -> bool {
        let Some(past) = self.past else { return true };
        let goes_on = past.chain == *before && past.next_seq == first_seq;
        goes_on
            || (self.is_amiss
                && first_seq.checked_sub(past.next_seq).is_some_and(|lost| lost < MOST_LOST))
    }

    /// Whether a segment says that it is none of this history, of which nothing is amiss so far.
    fn is_of_another_history(&self, start: Option<SegmentStart>) -> bool {
        let (Some(past), Some(start)) = (self.past, start) else { return false };
        !self.is_amiss
            && self.is_first_of_file
            && (start.chain != past.chain || start.next_seq != past.next_seq)
    }

    fn accept(&mut self, taken: Taken) -> Result<(), LogError> {
        let Taken { group, sealed, before, first_seq, times, channels } = taken;
        let goes_on =
            self.past.is_some_and(|past| past.chain == before && past.next_seq == first_seq);
        if !goes_on {
            let start = SegmentStart { number: 0, next_seq: first_seq, chain: before, times };
            self.begin_piece(start, is_opening(&group))?;
        }
        let piece = self.piece.as_mut().expect("what goes on has begun");
        piece.add(&group, &sealed)?;
        let last_tick = piece.about.last_tick.or(self.past.and_then(|past| past.last_tick));
        self.past = Some(Past { chain: sealed.chain, next_seq: piece.about.next_seq, last_tick });
        (self.channels, self.tail) = (channels, None);
        (self.is_amiss, self.is_first_of_file) = (false, false);
        Ok(())
    }

    fn begin_piece(&mut self, start: SegmentStart, is_opening: bool) -> Result<(), LogError> {
        self.end_piece()?;
        let is_whole = self.past.map_or(is_opening, |past| past.next_seq == start.next_seq);
        let is_log = self.past.is_none() && is_opening;
        let folder = if is_log {
            ".".to_owned()
        } else {
            format!("{BEYOND}/{}", self.salvage.beyond.len() + 1)
        };
        let piece = PieceWriter::begin(self.staging, folder, start, &self.build)?;
        if !is_whole {
            self.missing(start.next_seq);
        }
        self.piece = Some(piece);
        Ok(())
    }

    fn end_piece(&mut self) -> Result<(), LogError> {
        let Some(piece) = self.piece.take() else { return Ok(()) };
        let about = piece.end()?;
        let last =
            self.salvage.missing.last_mut().filter(|missing| missing.next_seq == about.first_seq);
        if let Some(missing) = last {
            missing.before_tick = about.first_tick;
        }
        if about.folder == "." {
            self.salvage.log = Some(about);
        } else {
            self.salvage.beyond.push(about);
        }
        Ok(())
    }

    /// Takes note that history up to an event is lost.
    fn missing(&mut self, next_seq: u64) {
        let (after_tick, first_seq) =
            self.past.map_or((None, 0), |past| (past.last_tick, past.next_seq));
        self.salvage.missing.push(Missing { after_tick, before_tick: None, first_seq, next_seq });
    }

    fn refused(&mut self, chunk: &Chunk, lost: Range<u64>) {
        // A tick's seal ends with the chain hash, and the chunk with the seal. Where the damage
        // lies further up, the next group goes on from these bytes.
        self.tail = chunk.records.last_chunk::<32>().copied();
        let what = if chunk.is_sound {
            "these records are not those that were sealed"
        } else {
            "a chunk's checksum is wrong"
        };
        self.damaged(lost, what);
    }

    fn damaged(&mut self, bytes: Range<u64>, what: &str) {
        self.is_amiss = true;
        let what = if bytes.is_empty() { "it ends before its footer" } else { what };
        self.salvage.damaged.push(DamagedBytes {
            file: self.file.clone(),
            from_byte: bytes.start,
            to_byte: bytes.end,
            what: what.to_owned(),
        });
    }

    /// Ends what was begun; gives what came of it.
    pub(crate) fn finish(mut self, source: PathBuf) -> Result<Salvage, LogError> {
        self.salvage.source = source;
        self.end_piece()?;
        let Some(past) = self.past else {
            let what = "nothing of its log is whole".to_owned();
            let file = self.salvage.source;
            return Err(LogError::Damaged(Damage { file, after_tick: None, what }));
        };
        let acknowledged = self.head.as_ref().map_or(0, |head| head.next_seq);
        if past.next_seq < acknowledged {
            // What is lost at the end may leave no bytes behind: then only `HEAD` says that it was
            // there.
            self.missing(acknowledged);
        }
        Ok(self.salvage)
    }
}

/// A stretch of history that is being written as a log.
struct PieceWriter {
    about: Piece,
    folder: PathBuf,
    segment: Segment<OsDisk>,
}

impl PieceWriter {
    /// Begins the log of the piece `folder` of `staging`.
    fn begin(
        staging: &Path,
        folder: String,
        start: SegmentStart,
        build: &Build,
    ) -> Result<Self, LogError> {
        let log = staging.join(&folder).join(FOLDER);
        fs::create_dir_all(&log).map_err(LogError::io("create", &log))?;
        write_build(&mut OsDisk, &log, start, build)?;
        let segment =
            Segment::create(&mut OsDisk, &log, SegmentStart { number: FIRST_SEGMENT, ..start })?;
        let first_seq = start.next_seq;
        let next_seq = start.next_seq;
        let proved = start.chain != LOST;
        let about = Piece { folder, first_seq, next_seq, proved, ..Piece::default() };
        Ok(Self { about, folder: log, segment })
    }

    fn add(&mut self, group: &[Record], sealed: &SealedGroup) -> Result<(), LogError> {
        self.segment.write(group)?;
        let about = &mut self.about;
        about.next_seq += sealed.events.len() as u64;
        about.chain_hash = hash_to_hex(&sealed.chain);
        for record in &sealed.events {
            match KINDS[record.kind].name {
                kind::TICK_SEALED => {
                    about.ticks += 1;
                    about.first_tick = about.first_tick.or(Some(record.tick));
                    about.last_tick = Some(record.tick);
                }
                kind::RUN_ENDED => about.outcome = body::outcome(&record.body).ok(),
                _ => {}
            }
        }
        Ok(())
    }

    /// Ends the log; gives what is in it.
    fn end(self) -> Result<Piece, LogError> {
        let Self { about, folder, segment } = self;
        segment.finish(&mut OsDisk)?;
        let tick = about.last_tick;
        let next_seq = about.next_seq;
        let chain_hash = about.chain_hash.clone();
        Head { format: FORMAT, segment: FIRST_SEGMENT, tick, next_seq, chain_hash }
            .write(&mut OsDisk, &folder)?;
        Ok(about)
    }
}

/// What a segment says that it goes on from, if it still does.
fn start_of(file: &Path) -> io::Result<Option<SegmentStart>> {
    let mut scan = Scan::open(file)?;
    scan.next()?;
    Ok(scan.start())
}

/// Whether a group is what a run opens with.
fn is_opening(group: &[Record]) -> bool {
    group.first().is_some_and(|first| KINDS[first.kind].name.starts_with("RunStarted."))
}

/// The first number from `from` on that ends with these 32 bits.
fn number_from(from: u64, low: u32) -> u64 {
    from + u64::from(low.wrapping_sub(from as u32))
}
