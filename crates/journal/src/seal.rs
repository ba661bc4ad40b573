//! From events to sealed groups of records: the opening, a tick, or the ending.
//!
//! The chain hash of a group is BLAKE3 over the chain hash before it and all its records; the
//! first link is the `config_hash` of `RunStarted`. A tick is closed by its `TickSealed`, whose
//! body ends with the chain hash; the two others by a `Sealed` record with number and chain hash.

use crate::{
    body::{self, Encoder},
    error::{BodyError, LogError},
    event::{Build, Event, Hash, Recorded, TickSealed, fact::Step},
    hex, kind,
};
use serde::{Deserialize, Serialize};

/// What a [`crate::event::TickSealed`] is made from; the log adds the number of events and the
/// chain hash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seal {
    /// Number of the `TickSealed` event.
    pub seq: u64,
    /// The event that led to it.
    pub cause_seq: Option<u64>,
    /// The tick.
    pub tick: u32,
    /// Names of the hashed components, in order.
    pub components: Vec<String>,
    /// One hash per component and block of 2,048 cars, component-major.
    pub block_hashes: Vec<u64>,
    /// Hash of all block hashes.
    pub state_hash: u64,
}

/// A hash of all history up to some point.
pub(crate) type ChainHash = [u8; 32];
/// Stands for a chain hash that was lost, in what was salvaged of a damaged log.
pub(crate) const LOST: ChainHash = [0; 32];

/// A record as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Place of its kind in [`kind::KINDS`].
    pub(crate) kind: usize,
    /// Number of the event; of a record that is none, that of the event after it.
    pub(crate) seq: u64,
    /// The tick; 0 before the first.
    pub(crate) tick: u32,
    /// What it says.
    pub(crate) body: Vec<u8>,
}

impl Record {
    /// Whether it closes a group: a tick, or the opening or ending of a run.
    fn is_seal(&self) -> bool {
        [kind::SEALED, kind::TICK_SEALED].contains(&kind::KINDS[self.kind].name)
    }
}

/// Content of a [`kind::SEALED`] record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupSealed {
    /// Events of the group.
    pub(crate) events: u32,
    /// The chain hash after them, in hex.
    pub(crate) chain_hash: String,
}

/// How slots lie in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SlotTimes {
    /// Start of slot 0, microseconds since 1970 in UTC.
    pub(crate) start_us: i64,
    /// Length of a slot, s.
    pub(crate) slot_seconds: u32,
}

impl SlotTimes {
    /// The slot's start as a log time: nanoseconds since 1970, two's complement before that.
    pub(crate) fn log_time(&self, tick: u32) -> Option<u64> {
        // A `u32` of seconds in nanoseconds fits an `i64`. Only the product with the tick may not.
        let since_start =
            i64::from(tick).checked_mul(i64::from(self.slot_seconds) * 1_000_000_000)?;
        Some(self.start_us.checked_mul(1000)?.checked_add(since_start)?.cast_unsigned())
    }

    /// The slot that starts at a log time.
    pub(crate) fn tick(&self, log_time: u64) -> Option<u32> {
        let since_start = log_time.cast_signed().checked_sub(self.start_us.checked_mul(1000)?)?;
        let slot = i64::from(self.slot_seconds) * 1_000_000_000;
        let tick = since_start.checked_div(slot)?;
        // Rounded to a slot, a damaged time would pass for a right one.
        if tick * slot == since_start { u32::try_from(tick).ok() } else { None }
    }
}

/// The chain over a group's records.
pub(crate) struct Chain(blake3::Hasher);

impl Chain {
    /// Goes on from the hash before.
    pub(crate) fn from(before: &ChainHash) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(before);
        Self(hasher)
    }

    /// Adds a record, or that part of one that is not the chain hash.
    pub(crate) fn add(&mut self, record: &Record, body: &[u8]) {
        // The 0 ends the name, and the length comes before the body: no two sequences of records
        // give the hasher the same bytes.
        let name = kind::KINDS[record.kind].name;
        self.0.update(name.as_bytes()).update(&[0]);
        self.0.update(&record.seq.to_le_bytes()).update(&record.tick.to_le_bytes());
        self.0.update(&(body.len() as u64).to_le_bytes()).update(body);
    }

    /// The hash of all that was added.
    pub(crate) fn hash(&self) -> ChainHash {
        *self.0.finalize().as_bytes()
    }
}

/// A group whose seal is right.
#[derive(Debug)]
pub(crate) struct SealedGroup {
    /// Its events; of the records only what is no event is not among them.
    pub(crate) events: Vec<Record>,
    /// The chain hash after it.
    pub(crate) chain: ChainHash,
}

/// What is said when a chain hash is wrong.
const BROKEN: &str = "its records are not those that were sealed";

/// Numbers the records of a group from `next_seq` on and checks that its seal follows from the
/// chain hash `before` it; where that is [`LOST`], the seal is taken at its word.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_group(
    mut group: Vec<Record>,
    before: &ChainHash,
    next_seq: u64,
) -> Result<SealedGroup, &'static str> {
    for (seq, record) in (next_seq..).zip(group.iter_mut()) {
        // A message of mcap has 32 bits for it; the others follow from the place in the log.
        if record.seq != u64::from(seq as u32) {
            return Err("the events are not numbered without gaps");
        }
        record.seq = seq;
    }
    let last = group.pop().ok_or("a chunk holds no record")?;
    if !last.is_seal() || group.iter().any(Record::is_seal) {
        return Err("a chunk does not end with its seal");
    }
    let is_tick = kind::KINDS[last.kind].name == kind::TICK_SEALED;
    let (body, said) =
        if is_tick { split_seal(&last.body)? } else { (&[][..], read_seal(&last.body)?) };
    if *before != LOST {
        let mut chain = Chain::from(before);
        for record in &group {
            chain.add(record, &record.body);
        }
        // A tick's seal says more than its hash; the other kind of seal says nothing else.
        if is_tick {
            chain.add(&last, body);
        }
        if chain.hash() != said {
            return Err(BROKEN);
        }
    }
    group.extend(is_tick.then_some(last));
    Ok(SealedGroup { events: group, chain: said })
}

/// A tick's seal without its chain hash, and that.
fn split_seal(body: &[u8]) -> Result<(&[u8], ChainHash), &'static str> {
    body.split_last_chunk::<32>().map(|(body, hash)| (body, *hash)).ok_or(BROKEN)
}

/// The chain hash in the seal of a group that is no tick.
fn read_seal(body: &[u8]) -> Result<ChainHash, &'static str> {
    let sealed = body::from_json::<GroupSealed>(body).map(|(_, sealed)| sealed);
    sealed.ok().and_then(|sealed| hash_from_hex(&sealed.chain_hash)).ok_or(BROKEN)
}

/// What the opening says about the run as a whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Opening {
    /// What made the run.
    pub(crate) build: Build,
    /// Where its slots lie.
    pub(crate) times: SlotTimes,
    /// The first link of the chain.
    pub(crate) chain: ChainHash,
    /// Number of its first event; a fork's follow those of its parent.
    pub(crate) first_seq: u64,
}

/// Gathers the records of a group until it is closed.
pub(crate) struct Sealer {
    encoder: Encoder,
    records: Vec<Record>,
    /// Set by `RunStarted`.
    opening: Option<Opening>,
    chain: ChainHash,
    next_seq: u64,
    last_tick: Option<u32>,
    opened: bool,
}

impl Default for Sealer {
    fn default() -> Self {
        Self {
            encoder: Encoder::new(),
            records: Vec::new(),
            opening: None,
            chain: [0; 32],
            next_seq: 0,
            last_tick: None,
            opened: false,
        }
    }
}

/// Where history goes on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SealedPast {
    /// The chain hash of all closed groups.
    pub(crate) chain: ChainHash,
    /// Number of the first event after them.
    pub(crate) next_seq: u64,
    /// The last sealed tick.
    pub(crate) last_tick: Option<u32>,
    /// The segment that ends with them.
    pub(crate) segment: u32,
    /// Where slots lie.
    pub(crate) times: SlotTimes,
}

impl Sealer {
    /// Goes on where sealed history ends.
    pub(crate) fn after(past: SealedPast) -> Self {
        let SealedPast { chain, next_seq, last_tick, times, .. } = past;
        let opening = Some(Opening { times, ..Opening::default() });
        Self { opening, chain, next_seq, last_tick, opened: true, ..Self::default() }
    }

    /// Encodes an event into the open group.
    pub(crate) fn append(&mut self, recorded: &Recorded) -> Result<(), LogError> {
        // A fork's events are numbered on from its parent's.
        if self.opening.is_none() {
            self.next_seq = recorded.seq;
        }
        assert_eq!(recorded.seq, self.next_seq, "events are appended in order");
        assert!(recorded.event.step() != Step::Seal, "the log itself seals a tick");
        if let Some(started) = recorded.event.starts() {
            let times =
                SlotTimes { start_us: started.start_us, slot_seconds: started.slot_seconds };
            let chain =
                hash_from_hex(&started.config_hash).ok_or_else(|| LogError::Unwritable {
                    kind: recorded.event.kind(),
                    what: format!("`{}` is no BLAKE3 hash in hex", started.config_hash),
                })?;
            self.chain = chain;
            let build = started.build.clone();
            let first_seq = recorded.seq;
            self.opening = Some(Opening { build, times, chain, first_seq });
        }
        let record = self.record(recorded)?;
        self.records.push(record);
        self.next_seq += 1;
        Ok(())
    }

    /// Closes the opening.
    pub(crate) fn open_run(&mut self) -> (Opening, Vec<Record>) {
        assert!(!self.opened, "a run is opened once");
        let opening = self.opening.clone().expect("a run opens with `RunStarted`");
        self.opened = true;
        (opening, self.close_group(0))
    }

    /// Closes a tick.
    pub(crate) fn seal(&mut self, seal: Seal) -> Result<(Recorded, Vec<Record>), LogError> {
        assert!(self.opened, "a run is opened before its first tick is sealed");
        assert_eq!(seal.seq, self.next_seq, "events are appended in order");
        let event = Event::TickSealed(TickSealed {
            events: self.records.len() as u32,
            components: seal.components,
            block_hashes: seal.block_hashes,
            state_hash: Hash(seal.state_hash),
            chain_hash: [0; 32],
        });
        let mut recorded =
            Recorded { seq: seal.seq, cause_seq: seal.cause_seq, tick: seal.tick, event };
        let mut record = self.record(&recorded)?;
        // The hash covers the seal's body without the hash itself, which no text could hold.
        let chain_hash = self.link(Some(&record));
        record.body.extend(chain_hash);
        self.records.push(record);
        self.next_seq += 1;
        self.last_tick = Some(seal.tick);
        if let Event::TickSealed(sealed) = &mut recorded.event {
            sealed.chain_hash = chain_hash;
        }
        Ok((recorded, std::mem::take(&mut self.records)))
    }

    /// Closes what came after the last tick, if that is the run's end; drops it otherwise.
    pub(crate) fn end_run(&mut self) -> Option<Vec<Record>> {
        let ended =
            self.records.last().is_some_and(|last| kind::KINDS[last.kind].name == kind::RUN_ENDED);
        if !self.opened || !ended {
            // These are of a tick that was not sealed: a resumed run decides it again, from this
            // number on, which is also what `HEAD` then says.
            self.next_seq -= self.records.len() as u64;
            self.records.clear();
            return None;
        }
        let tick = self.records.last().map_or(0, |last| last.tick);
        Some(self.close_group(tick))
    }

    /// The chain hash of all closed groups.
    pub(crate) fn chain(&self) -> ChainHash {
        self.chain
    }

    /// Number of the first event that is in no closed group, when no group is open.
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// The last sealed tick.
    pub(crate) fn last_tick(&self) -> Option<u32> {
        self.last_tick
    }

    fn close_group(&mut self, tick: u32) -> Vec<Record> {
        let events = self.records.len() as u32;
        let sealed = GroupSealed { events, chain_hash: hash_to_hex(&self.link(None)) };
        let body = body::json(None, &sealed).expect("a number and a text are JSON");
        let kind = kind::position(kind::SEALED).expect("it is a kind");
        self.records.push(Record { kind, seq: self.next_seq, tick, body });
        std::mem::take(&mut self.records)
    }

    fn link(&mut self, last: Option<&Record>) -> ChainHash {
        let mut chain = Chain::from(&self.chain);
        for record in self.records.iter().chain(last) {
            chain.add(record, &record.body);
        }
        self.chain = chain.hash();
        self.chain
    }

    fn record(&mut self, recorded: &Recorded) -> Result<Record, LogError> {
        let name = recorded.event.kind();
        let unwritable = |what: String| LogError::Unwritable { kind: name, what };
        let opening = self.opening.as_ref().expect("the first event is `RunStarted`");
        // Refused when it is appended: mcap has room for these times only, and readers make the
        // tick from them.
        if opening.times.log_time(recorded.tick).is_none() {
            return Err(unwritable(format!(
                "tick {} lies outside the years 1677 to 2262",
                recorded.tick
            )));
        }
        let kind = kind::position(name).expect("every event has a kind");
        let body = self
            .encoder
            .encode(recorded)
            .map_err(|error: BodyError| unwritable(error.to_string()))?;
        Ok(Record { kind, seq: recorded.seq, tick: recorded.tick, body })
    }
}

/// A hash as 64 lower-case hex digits.
pub(crate) fn hash_to_hex(hash: &ChainHash) -> String {
    hex::digits(hash)
}

/// A hash from 64 hex digits.
pub(crate) fn hash_from_hex(hex: &str) -> Option<ChainHash> {
    blake3::Hash::from_hex(hex).ok().map(|hash| *hash.as_bytes())
}
