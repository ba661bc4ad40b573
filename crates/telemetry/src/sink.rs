//! The sink: copies on the engine's thread, everything else on the writer's.

use crate::{
    closed::ClosedDay,
    detail::{Detail, Selection},
    error::TelemetryError,
    events,
    file::{Place, WrittenFile},
    frame::{Frame, PlannedUnit},
    manifest::{self, Beside, Manifest},
    sessions::Sessions,
    summary::{RunStatus, Summary, TableSize, Tally},
    table::TABLES,
    tables::Tables,
    writer::{Files, Writer},
};
use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};
use voltide_journal::{
    event::{Event, Recorded, RunStarted, Stage, UnitsDispatched},
    sink::Sink,
    units::{pack, scheduled_unit, unpack},
};
use voltide_model::{
    columns::{TickColumns, UnitKind},
    cost::unit_costs,
    dispatch::SlotDispatch,
    scenario::{EvTicks, Scenario},
};

/// How much of single cars and chargers is recorded; the other tables are always full.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// The level; `None` for the scenario's.
    pub ev_ticks: Option<EvTicks>,
    /// The ticks; `None` for all.
    pub ticks: Option<Range<u32>>,
    /// The one car; `None` for all that the level records.
    pub ev: Option<u32>,
    /// Number of cars in the end, where forks add some to those of the scenario; `None` for the scenario's.
    pub ev_count: Option<u32>,
    /// Days of `ev_ticks` that lie in the folder already, whole and still hidden; see [`crate::closed_days`].
    pub kept_days: Vec<ClosedDay>,
    /// Where files are hidden until they are whole, on the same disk; `None` for the folder itself.
    pub yard: Option<PathBuf>,
}

impl Options {
    fn place(&self, folder: &Path) -> Place {
        self.yard.as_deref().map_or_else(|| Place::folder(folder), |yard| Place::through(yard, folder))
    }
}

/// Writes a run's tables.
///
/// Dropped without [`finish`](Self::finish) it leaves nothing behind.
pub struct Telemetry {
    place: Place,
    scenario: Arc<Scenario>,
    selection: Selection,
    only_detail: bool,
    writer: Writer,
    frame: Frame,
    started: Option<Box<RunStarted>>,
    sessions: Sessions,
    tally: Tally,
}

impl Telemetry {
    /// Begins all tables, as hidden files in `folder`; [`finish`](Self::finish) gives them their names.
    ///
    /// # Errors
    /// When a file cannot be created, or `options` name a car that the run does not have.
    pub fn create(folder: &Path, scenario: Arc<Scenario>, options: Options) -> Result<Self, TelemetryError> {
        Self::begin(options.place(folder), scenario, &options, true)
    }

    /// Makes all tables and keeps none of them: what is to be known are their hashes, which
    /// [`finish_beside`](Self::finish_beside) compares with those of files that are there.
    ///
    /// # Errors
    /// When `options` name a car that the run does not have.
    pub fn create_unkept(scenario: Arc<Scenario>, options: Options) -> Result<Self, TelemetryError> {
        Self::begin(Place::nowhere(), scenario, &options, true)
    }

    /// Makes no table, only the summary.
    ///
    /// # Errors
    /// When the thread that writes cannot be started.
    pub fn create_summary(scenario: Arc<Scenario>) -> Result<Self, TelemetryError> {
        let options = Options { ev_ticks: Some(EvTicks::Off), ..Options::default() };
        Self::begin(Place::nowhere(), scenario, &options, false)
    }

    /// Begins `ev_ticks` and `charger_ticks` alone: the detail of a run that has its other tables already.
    ///
    /// In a run's own folder they replace those that are there, and its manifest is brought up to date.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_detail(
        folder: &Path,
        scenario: Arc<Scenario>,
        options: Options,
    ) -> Result<Self, TelemetryError> {
        Self::begin(options.place(folder), scenario, &options, false)
    }

    /// Begins `ev_ticks` and `charger_ticks` in a place, and the other tables where `all` are
    /// wanted.
    fn begin(
        place: Place,
        scenario: Arc<Scenario>,
        options: &Options,
        all: bool,
    ) -> Result<Self, TelemetryError> {
        let selection = Selection::new(&scenario, options)?;
        let tables = all.then(|| Tables::create(&place, scenario.clone())).transpose()?;
        let detail = Detail::create(&place, &scenario, selection.clone(), options.kept_days.clone())?;
        Ok(Self {
            place,
            selection,
            only_detail: !all,
            writer: Writer::spawn(Files { tables, detail })?,
            frame: Frame::default(),
            started: None,
            sessions: Sessions::new(scenario.clone()),
            tally: Tally::new(scenario.clone()),
            scenario,
        })
    }

    /// Closes all tables, gives them their names, and writes `world.ron` and last `manifest.json`.
    ///
    /// # Errors
    /// When a file cannot be written, now or before, or the history had no `RunStarted`. A folder
    /// without a manifest is not whole.
    pub fn finish(self, status: RunStatus) -> Result<Summary, TelemetryError> {
        let Closed { place, files, manifest, started, summary, only_detail } = self.close(status)?;
        if only_detail {
            publish_detail(&place.folder, files, manifest.ev_ticks)?;
        } else {
            publish(&place, files, manifest, &started.world_text)?;
        }
        Ok(summary)
    }

    /// Closes all tables, and instead of giving them their names reads the files of `run`: also
    /// returns the names of those that are not equal to the byte, or not there. Nothing is written.
    ///
    /// # Errors
    /// As [`finish`](Self::finish), or a file is there and cannot be read.
    pub fn finish_beside(self, run: &Path, status: RunStatus) -> Result<(Summary, Beside), TelemetryError> {
        let Closed { files, mut manifest, started, summary, .. } = self.close(status)?;
        manifest.add_all(&files, &started.world_text);
        Ok((summary, manifest.beside(run)?))
    }

    fn close(mut self, status: RunStatus) -> Result<Closed, TelemetryError> {
        self.send()?;
        let mut files = self.writer.join()?;
        let open: Vec<_> = self.sessions.open().collect();
        for session in &open {
            self.tally.session(session);
        }
        let started = self.started.take().ok_or(TelemetryError::NoRunStarted)?;
        let mut summary = self.tally.finish(&status);
        if let Some(tables) = &mut files.tables {
            open.iter().try_for_each(|session| tables.session(session))?;
            tables.costs(&summary)?;
            tables.run(&started, &summary, &status)?;
        }
        let files = files.close()?;
        summary.tables = sizes(&files);
        let level = self.selection.level_name(self.scenario.clock.slots);
        let manifest = Manifest::new(&started, &status, &self.scenario.currency, level);
        let Self { place, only_detail, .. } = self;
        Ok(Closed { place, files, manifest, started, summary, only_detail })
    }

    /// Hands the frame over to the writer.
    fn send(&mut self) -> Result<(), TelemetryError> {
        self.frame.sessions = self.sessions.take_ended();
        for session in &self.frame.sessions {
            self.tally.session(session);
        }
        self.frame = self.writer.send(std::mem::take(&mut self.frame))?;
        Ok(())
    }
}

impl Sink for Telemetry {
    type Error = TelemetryError;

    fn event(&mut self, recorded: &Recorded) -> Result<(), TelemetryError> {
        self.tally.event(&recorded.event);
        if !self.only_detail {
            self.frame.events.push(events::row(recorded));
        }
        match &recorded.event {
            Event::RunStarted(started) => self.started = Some(started.clone()),
            Event::SessionStarted(started) => {
                self.sessions.started(recorded.tick, started);
                let targets = started.ev.iter().zip(&started.departure_kwh);
                self.frame.targets.extend(targets.map(|(&ev, &kwh)| (ev, kwh)));
            }
            Event::SessionEnded(ended) => self.sessions.ended(recorded.tick, ended),
            Event::TargetMissed(missed) => self.sessions.missed(missed),
            Event::SolveFinished(solve) => self.frame.solves.push((recorded.tick, solve.clone())),
            Event::UnitsDispatched(dispatched) => {
                self.frame.planned.extend(planned(&self.scenario, dispatched));
            }
            Event::TickSealed(_) => self.send()?,
            _ => {}
        }
        Ok(())
    }

    fn tick(&mut self, columns: &TickColumns<'_>) -> Result<(), TelemetryError> {
        self.sessions.settled(columns);
        self.tally.settled(columns.tick, columns.system, columns.units);
        self.frame.copy(columns, self.selection.records(columns.tick), self.selection.ids());
        Ok(())
    }

    fn forked(&mut self, scenario: &Arc<Scenario>) -> Result<(), TelemetryError> {
        self.scenario = Arc::clone(scenario);
        self.selection.forked(scenario);
        self.sessions.forked(scenario);
        self.tally.forked(scenario);
        self.frame.scenario = Some(Arc::clone(scenario));
        self.send()
    }
}

/// Rows and bytes by table, in the dictionary's order.
fn sizes(files: &[WrittenFile]) -> Vec<TableSize> {
    let size = |name: &'static str| {
        let of_table = files.iter().filter(|file| file.table.name == name);
        let none = TableSize { table: name, files: 0, rows: 0, bytes: 0 };
        of_table.fold(none, |sum, file| TableSize {
            files: sum.files + 1,
            rows: sum.rows + file.rows,
            bytes: sum.bytes + file.bytes,
            ..sum
        })
    };
    TABLES.iter().map(|table| size(table.name)).filter(|size| size.files > 0).collect()
}

/// What a schedule of units comes to, step by step.
fn planned(scenario: &Scenario, dispatched: &UnitsDispatched) -> Vec<PlannedUnit> {
    let Some(grid) = &scenario.grid else { return Vec::new() };
    let stage = Stage::named(dispatched.stage);
    let hours = scenario.clock.slot_hours() * f64::from(dispatched.step);
    let step = |(at, slot): (u32, SlotDispatch)| {
        let costs = unit_costs(&grid.plant, &slot, hours);
        let packed = pack(&grid.plant, stage, 0, 1, std::slice::from_ref(&slot));
        let unit = |(id, kind): (usize, UnitKind)| PlannedUnit {
            slot: dispatched.first_slot + at * dispatched.step,
            stage: stage.name(),
            unit: scheduled_unit(&packed, id, kind, Some(costs[id]), None),
        };
        scenario.unit_kinds().into_iter().enumerate().map(unit).collect::<Vec<_>>()
    };
    (0..).zip(unpack(&grid.plant, dispatched)).flat_map(step).collect()
}

/// Tables that are whole and have no names yet.
struct Closed {
    place: Place,
    files: Vec<WrittenFile>,
    manifest: Manifest,
    started: Box<RunStarted>,
    summary: Summary,
    only_detail: bool,
}

/// Gives a run's files their names, in place of all that were there under a manifest, or
/// half-written.
fn publish(
    place: &Place,
    files: Vec<WrittenFile>,
    mut manifest: Manifest,
    world_text: &str,
) -> Result<(), TelemetryError> {
    let world = manifest::write_hidden(place, manifest::WORLD, world_text)?;
    manifest.add_all(&files, world_text);
    let before = manifest::table_files(&place.folder);
    manifest::remove(&place.folder, manifest::FILE)?;
    for old in before.iter().filter(|old| !manifest.names(old)) {
        manifest::remove(&place.folder, old)?;
    }
    files.into_iter().try_for_each(WrittenFile::publish)?;
    world.publish()?;
    manifest::remove_hidden(&place.folder)?;
    manifest.write(&place.folder)
}

/// Puts other detail in the place of a run's; without a manifest there is nothing to replace.
fn publish_detail(folder: &Path, files: Vec<WrittenFile>, level: String) -> Result<(), TelemetryError> {
    let Some(mut manifest) = Manifest::read(folder)? else {
        return files.into_iter().try_for_each(WrittenFile::publish);
    };
    manifest::remove(folder, manifest::FILE)?;
    for old in manifest.remove_detail() {
        manifest::remove(folder, &old)?;
    }
    manifest.ev_ticks = level;
    for file in &files {
        manifest.add_table(file);
    }
    files.into_iter().try_for_each(WrittenFile::publish)?;
    manifest.write(folder)
}
