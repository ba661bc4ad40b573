//! A small history to write, and ways to write and read it.

use std::path::Path;
use voltide_journal::{
    error::LogError,
    event::{
        Build, ClipReason, Event, PlansAccepted, PricesSet, Recorded, RunEnded, RunStarted,
        Segments, SeriesLoaded, SessionStarted, SetPointClipped, SlotElapsed, TickStarted,
    },
    log::{EventLog, Seal},
    mcap_log::McapLog,
    reader,
};
use voltide_model::{
    id::{ChargerId, EvId, StayId},
    rules::Rules,
    scenario::Durability,
};

/// Midnight of 8 October 2018 in UTC.
pub(crate) const START_US: i64 = 1_538_956_800_000_000;

/// `RunStarted` of a run whose slots are 15 minutes.
pub(crate) fn run_started(git: &str) -> Event {
    Event::RunStarted(RunStarted {
        build: Build { engine_version: "0.1.0".into(), git: git.into(), ..Build::default() },
        world: "one-car".into(),
        world_text: "World(name: \"one-car\")".into(),
        overrides: vec!["seed=7".into()],
        config_hash: "ab".repeat(32),
        seed: 7,
        rules: Rules::TODAY,
        policy: "uncontrolled".into(),
        policy_config: String::new(),
        start_us: START_US,
        slot_seconds: 900,
        slots: 60,
        time_zone: "Europe/Berlin".into(),
        ev_count: 40,
    })
}

/// The events of one tick but for its seal.
pub(crate) fn tick_events(tick: u32) -> Vec<Event> {
    let row = f64::from(tick);
    let started = SessionStarted {
        ev: [tick, tick + 70_000].map(EvId).to_vec().into(),
        stay: [2 * tick, 2 * tick + 1].map(StayId).to_vec().into(),
        charger: [tick, 0].map(ChargerId).to_vec().into(),
        energy_kwh: vec![row, 12.5],
        driven_kwh: vec![0.25, 7.3],
        departure_slot: vec![tick + 4, tick + 30],
        departure_kwh: vec![48.0, 48.0],
    };
    let plans = PlansAccepted {
        ev: [tick, tick + 70_000].map(EvId).to_vec().into(),
        stay: [2 * tick, 2 * tick + 1].map(StayId).to_vec().into(),
        segments: Segments {
            offset: vec![0, 2, 3],
            slot: vec![tick, tick + 3, tick],
            power_kw: vec![7.0, 0.0, 0.0],
        },
    };
    let ev: Vec<u32> = (0..40).map(|car| car * 3).collect();
    let asked_kw: Vec<f64> = ev.iter().map(|car| f64::from(*car) + row).collect();
    let clipped = SetPointClipped {
        applied_kw: asked_kw.iter().map(|kw| kw / 3.0).collect(),
        reason: vec![ClipReason::Site; 40],
        ev: ev.into_iter().map(EvId).collect(),
        asked_kw,
    };
    vec![
        Event::TickStarted(TickStarted { at_us: START_US + i64::from(tick) * 900_000_000 }),
        Event::SessionStarted(started),
        Event::PlansAccepted(plans),
        Event::SetPointClipped(clipped),
        Event::SlotElapsed(SlotElapsed {}),
    ]
}

/// Writes a history step by step, numbering its events.
pub(crate) struct Scribe<'a> {
    log: &'a mut dyn EventLog,
    /// The events so far, as recorded.
    pub(crate) events: Vec<Recorded>,
}

impl<'a> Scribe<'a> {
    pub(crate) fn new(log: &'a mut dyn EventLog) -> Self {
        Self { log, events: Vec::new() }
    }

    /// Goes on after `events`.
    pub(crate) fn after(log: &'a mut dyn EventLog, events: Vec<Recorded>) -> Self {
        Self { log, events }
    }

    pub(crate) fn append(&mut self, tick: u32, event: Event) -> Result<(), LogError> {
        let seq = self.events.len() as u64;
        let recorded = Recorded { seq, cause_seq: seq.checked_sub(1), tick, event };
        self.log.append(&recorded)?;
        self.events.push(recorded);
        Ok(())
    }

    pub(crate) fn open(&mut self, git: &str) -> Result<(), LogError> {
        self.append(0, run_started(git))?;
        let values = (0..60).map(f64::from).collect();
        self.append(
            0,
            Event::SeriesLoaded(SeriesLoaded {
                name: "base_load".into(),
                unit: "kW".into(),
                values,
            }),
        )?;
        let (buy, sell) = (vec![0.3; 60], vec![0.1; 60]);
        self.append(
            0,
            Event::PricesSet(PricesSet {
                tariff: "home".into(),
                first_slot: 0,
                buy,
                sell,
                ..PricesSet::default()
            }),
        )?;
        self.log.open_run()
    }

    pub(crate) fn seal(&mut self, tick: u32) -> Result<(), LogError> {
        let seq = self.events.len() as u64;
        let components = vec!["energy".into(), "ledger".into()];
        let hash = u64::from(tick).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let block_hashes = vec![hash, !hash];
        let seal = Seal {
            seq,
            cause_seq: seq.checked_sub(1),
            tick,
            components,
            block_hashes,
            state_hash: hash,
        };
        self.events.push(self.log.seal(seal)?);
        Ok(())
    }

    pub(crate) fn ticks(&mut self, ticks: std::ops::Range<u32>) -> Result<(), LogError> {
        for tick in ticks {
            for event in tick_events(tick) {
                self.append(tick, event)?;
            }
            self.seal(tick)?;
        }
        Ok(())
    }

    pub(crate) fn end(&mut self, tick: u32) -> Result<(), LogError> {
        self.append(tick, Event::RunEnded(RunEnded { outcome: "finished".into() }))?;
        self.log.close()
    }

    pub(crate) fn write(&mut self, ticks: u32) -> Result<(), LogError> {
        self.open("abc")?;
        self.ticks(0..ticks)?;
        self.end(ticks)
    }
}

/// Writes a whole run and returns its events.
pub(crate) fn finished_run(folder: &Path, ticks: u32) -> Vec<Recorded> {
    let mut log = McapLog::create(folder, Durability::Close).unwrap();
    let mut scribe = Scribe::new(&mut log);
    scribe.write(ticks).unwrap();
    scribe.events
}

/// Writes a run that is cut off: durable every 16 ticks, never closed.
pub(crate) fn broken_off_run(folder: &Path, ticks: u32) -> Vec<Recorded> {
    let mut log = McapLog::create(folder, Durability::Every(16)).unwrap();
    let mut scribe = Scribe::new(&mut log);
    scribe.open("abc").unwrap();
    scribe.ticks(0..ticks).unwrap();
    scribe.events
}

/// What can be read of a log, and the error that ended it. Where only what made the run is lost, that is
/// the error, and the events are given as if it were not.
pub(crate) fn read(folder: &Path) -> (Vec<Recorded>, Option<LogError>) {
    let mut events = Vec::new();
    let mut log = match reader::open(folder) {
        Err(error) => return (events, Some(error)),
        Ok(log) => log,
    };
    let error =
        log.by_ref().find_map(|recorded| recorded.map(|recorded| events.push(recorded)).err());
    let lost = log.lost_build().cloned();
    if lost.is_some() {
        know_build(&mut events);
    }
    (events, error.or(lost.map(LogError::Damaged)))
}

/// Puts in what made the run, where it was lost.
fn know_build(events: &mut [Recorded]) {
    let Some(Event::RunStarted(started)) = events.first_mut().map(|first| &mut first.event) else {
        return;
    };
    assert_eq!(started.build, Build::default(), "what is not known is not made up");
    if let Event::RunStarted(whole) = run_started("abc") {
        started.build = whole.build;
    }
}
