//! The sink: copies on the engine's thread, everything else on the writer's.

use crate::{
    bills::BillBook,
    detail::Detail,
    error::TelemetryError,
    file::{Place, remove, remove_hidden, write_hidden},
    fleet_rows::{Arrival, FleetRows},
    frame::{Frame, PluggedIn},
    manifest::{self, Beside, Manifest},
    planned::Planned,
    realised::Realised,
    selection::{Options, Selection},
    sessions::{SessionRow, Sessions},
    summary::{RunStatus, Summary, TableSize, Tally},
    table::{TABLES, events::EventRow, runs::Run},
    table_file::WrittenFile,
    tables::Tables,
    wanted::cuts,
    writer::{Files, Writer},
};
use std::{collections::BTreeMap, path::Path, sync::Arc};
use voltide_journal::{
    event::{
        Event, Recorded, RunForked, RunStarted, SessionEnded, SessionStarted, SetPointClipped,
        SolveFinished, Stage, StaysExpected, TargetMissed, TickSealed, UnitsDispatched,
        WillingnessAgreed, WindowForeseen,
    },
    sink::Sink,
};
use voltide_model::{
    columns::TickColumns,
    id::StayId,
    saving::Bills,
    scenario::{EvTicks, Scenario},
};

/// How the run began, or of a fork's history the last run in it.
struct Begun {
    started: Box<RunStarted>,
    /// The scenario that began to hold then, and holds up to the end.
    scenario: Arc<Scenario>,
}

/// What is made of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    /// All tables.
    Tables,
    /// `ev_ticks` and `charger_ticks`.
    Detail,
    /// No table.
    Summary,
}

/// Writes a run's tables.
///
/// Dropped without [`finish`](Self::finish) it leaves nothing behind.
pub struct Telemetry {
    place: Place,
    selection: Selection,
    made: Made,
    /// `None` where no table is made.
    writer: Option<Writer>,
    frame: Frame,
    /// `None` before the history begins.
    begun: Option<Begun>,
    forked: Option<RunForked>,
    planned: Planned,
    realised: Realised,
    /// The chain hash that the log has after the last tick; `None` before the first, where it
    /// begins.
    chain_hash: Option<[u8; 32]>,
    sessions: Sessions,
    /// `None` where its table is not made.
    fleets: Option<FleetRows>,
    /// Where the day follows upon itself: stored energy that stays begin with, by stay, kWh. A
    /// session may be the second part of one.
    expected_kwh: BTreeMap<StayId, f64>,
    tally: Tally,
    bills: Option<BillBook>,
}

impl Telemetry {
    /// Begins all tables of a history that begins in a scenario, as hidden files in `folder`;
    /// [`finish`](Self::finish) gives them their names.
    ///
    /// # Errors
    /// When a file cannot be created, or `options` name a car that the run does not have.
    pub fn create(
        folder: &Path,
        scenario: &Scenario,
        options: Options,
    ) -> Result<Self, TelemetryError> {
        Self::begin(options.place(folder), scenario, &options, Made::Tables)
    }

    /// Makes all tables and keeps none of them: what is to be known are their hashes, which
    /// [`finish_beside`](Self::finish_beside) compares with those of files that are there.
    ///
    /// # Errors
    /// When `options` name a car that the run does not have.
    pub fn create_unkept(scenario: &Scenario, options: Options) -> Result<Self, TelemetryError> {
        Self::begin(Place::nowhere(), scenario, &options, Made::Tables)
    }

    /// Makes no table, only the summary and the bills.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_summary(scenario: &Scenario) -> Result<Self, TelemetryError> {
        let options = Options { ev_ticks: Some(EvTicks::Off), bills: true, ..Options::default() };
        Self::begin(Place::nowhere(), scenario, &options, Made::Summary)
    }

    /// Begins `ev_ticks` and `charger_ticks` alone: the detail of a run that has its other tables
    /// already.
    ///
    /// In a run's own folder they replace those that are there, and its manifest is brought up to
    /// date.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_detail(
        folder: &Path,
        scenario: &Scenario,
        options: Options,
    ) -> Result<Self, TelemetryError> {
        Self::begin(options.place(folder), scenario, &options, Made::Detail)
    }

    /// Begins the files of what is made, in a place.
    fn begin(
        place: Place,
        scenario: &Scenario,
        options: &Options,
        made: Made,
    ) -> Result<Self, TelemetryError> {
        let selection = Selection::new(scenario, options)?;
        let clock = scenario.clock;
        let files = match made {
            Made::Summary => None,
            Made::Tables | Made::Detail => {
                let tables = (made == Made::Tables).then(|| Tables::create(&place, clock));
                let kept_days = options.kept_days.clone();
                let detail = Detail::create(&place, clock, selection.clone(), kept_days)?;
                Some(Files { tables: tables.transpose()?, detail })
            }
        };
        Ok(Self {
            place,
            selection,
            made,
            writer: files.map(Writer::spawn).transpose()?,
            frame: Frame::default(),
            begun: None,
            forked: None,
            planned: Planned::default(),
            realised: Realised::default(),
            chain_hash: None,
            sessions: Sessions::default(),
            fleets: (made == Made::Tables).then(FleetRows::default),
            expected_kwh: BTreeMap::new(),
            tally: Tally::new(scenario),
            bills: options.bills.then(|| BillBook::new(scenario)),
        })
    }

    /// Closes all tables, gives them their names, and writes `world.ron` and last `manifest.json`.
    ///
    /// # Errors
    /// When a file cannot be written, now or before, or the history had no `RunStarted`. A folder
    /// without a manifest is not whole.
    pub fn finish(self, status: RunStatus) -> Result<Summary, TelemetryError> {
        self.finish_with_bills(status).map(|(summary, _)| summary)
    }

    /// The same, with the bills of all stays; they are empty unless [`Options::bills`] asked for
    /// them.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_with_bills(self, status: RunStatus) -> Result<(Summary, Bills), TelemetryError> {
        let closed = self.close(status)?;
        let Closed { place, files, manifest, started, summary, bills, made } = closed;
        match made {
            Made::Tables => publish(&place, files, manifest, &started.world_text)?,
            Made::Detail => publish_detail(&place.folder, files, manifest.ev_ticks)?,
            Made::Summary => {}
        }
        Ok((summary, bills))
    }

    /// Closes all tables, and instead of giving them their names reads the files of `run`: also
    /// returns the names of those that are not equal to the byte, or not there. Nothing is written.
    ///
    /// # Errors
    /// As [`finish`](Self::finish), or a file is there and cannot be read.
    pub fn finish_beside(
        self,
        run: &Path,
        status: RunStatus,
    ) -> Result<(Summary, Beside), TelemetryError> {
        let Closed { files, mut manifest, started, summary, .. } = self.close(status)?;
        manifest.add_all(&files, &started.world_text);
        Ok((summary, manifest.beside(run)?))
    }

    fn close(mut self, status: RunStatus) -> Result<Closed, TelemetryError> {
        let begun = self.begun.take().ok_or(TelemetryError::NoRunStarted)?;
        let Begun { started, scenario } = begun;
        if let Some(last) = self.realised.last() {
            self.tally.flexibility(&scenario, &last.system);
            self.frame.settled.push(last);
        }
        self.send(&scenario)?;
        // From here on nobody else writes: what is left goes straight to the files.
        let mut files = self.writer.as_mut().map(Writer::join).transpose()?;
        let open: Vec<_> = self.sessions.open(&scenario).collect();
        for session in &open {
            self.session(session);
        }
        let bills = self.bills.take().map(BillBook::finish).unwrap_or_default();
        let mut summary = self.tally.finish(&scenario, &status);
        // `runs` last: it counts the rows of the others.
        if let Some(tables) = files.as_mut().and_then(|files| files.tables.as_mut()) {
            open.iter().try_for_each(|session| tables.session(&scenario, session))?;
            tables.cars(&scenario)?;
            tables.costs(&scenario, &summary)?;
            let forked = self.forked.as_ref();
            let run = Run { started: &started, forked, summary: &summary, status: &status };
            tables.run(&scenario, &run)?;
        }
        let files = files.map_or(Ok(Vec::new()), Files::close)?;
        summary.tables = sizes(&files);
        let level = self.selection.level_name(scenario.clock.slots);
        let chain_hash = self.chain_hash.map_or_else(|| started.config_hash.clone(), hex::encode);
        let history = (started.as_ref(), chain_hash.as_str());
        let manifest = Manifest::new(history, &status, &scenario.currency, level);
        let Self { place, made, .. } = self;
        Ok(Closed { place, files, manifest, started, summary, bills, made })
    }

    /// Counts a session that ended, or that is open at the end.
    fn session(&mut self, row: &SessionRow) {
        self.tally.session(row);
        if let Some(bills) = &mut self.bills {
            bills.session(row);
        }
    }

    /// A run begins, or a fork of it, and with it another scenario. This is the one place where
    /// columns by car, and what is sorted or chosen by the cars, are made to fit; on the writer's
    /// side `Files::frame`.
    fn run_started(&mut self, scenario: &Arc<Scenario>, tick: u32, started: &RunStarted) {
        self.selection.enter(scenario);
        self.sessions.enter(scenario);
        if let Some(fleets) = &mut self.fleets {
            fleets.enter(scenario, tick);
        }
        self.frame.begins = true;
        self.tally.run_started(scenario, started);
        self.chain_hash = None;
        let started = Box::new(started.clone());
        self.begun = Some(Begun { started, scenario: Arc::clone(scenario) });
    }

    fn session_started(&mut self, scenario: &Scenario, tick: u32, started: &SessionStarted) {
        self.sessions.started(tick, started);
        for row in 0..started.ev.len() {
            self.plug_in(scenario, tick, started, row);
        }
    }

    fn session_ended(&mut self, scenario: &Scenario, tick: u32, ended: &SessionEnded) {
        self.sessions.ended(scenario, tick, ended);
        if let Some(fleets) = &mut self.fleets {
            fleets.unplug(ended);
        }
    }

    fn answered(&mut self, tick: u32, said: &WillingnessAgreed) {
        if let Some(fleets) = &mut self.fleets {
            fleets.answered(said, tick);
        }
    }

    fn target_missed(&mut self, missed: &TargetMissed) {
        self.tally.target_missed(missed);
        self.sessions.missed(missed);
    }

    fn set_point_clipped(&mut self, scenario: &Scenario, tick: u32, clipped: &SetPointClipped) {
        self.tally.set_point_clipped(scenario, tick, clipped);
        self.frame.cuts.extend(cuts(clipped));
    }

    fn solve_finished(&mut self, scenario: &Scenario, tick: u32, solve: &SolveFinished) {
        self.tally.solve_finished(scenario, tick, solve);
        self.frame.solves.push((tick, solve.clone()));
    }

    fn window_foreseen(&mut self, tick: u32, foreseen: &WindowForeseen) {
        if self.made == Made::Tables {
            self.frame.foreseen.push((tick, foreseen.clone()));
        }
    }

    fn units_dispatched(&mut self, scenario: &Scenario, tick: u32, dispatched: &UnitsDispatched) {
        if dispatched.stage == Stage::DayPath && self.made == Made::Tables {
            self.frame.paths.push((tick, dispatched.clone()));
        }
        self.frame.planned.extend(self.planned.take_up(scenario, dispatched));
    }

    /// Where the day follows upon itself: notes what stays are expected to begin with.
    fn stays_expected(&mut self, scenario: &Scenario, expected: &StaysExpected) {
        if scenario.clock.typical_day().is_some() {
            let stays = expected.stay.iter().copied();
            self.expected_kwh.extend(stays.zip(expected.expected_kwh.iter().copied()));
        }
    }

    fn tick_sealed(
        &mut self,
        scenario: &Arc<Scenario>,
        sealed: &TickSealed,
    ) -> Result<(), TelemetryError> {
        self.tally.tick_sealed(sealed);
        self.chain_hash = Some(sealed.chain_hash);
        self.frame.chain_hash = Some(sealed.chain_hash);
        self.send(scenario)
    }

    /// Notes what a car that plugged in begins with and wants.
    fn plug_in(&mut self, scenario: &Scenario, tick: u32, started: &SessionStarted, row: usize) {
        let (ev, stay) = (started.ev[row], started.stay[row]);
        let (energy_kwh, target_kwh) = (started.energy_kwh[row], started.departure_kwh[row]);
        let began_kwh = self.expected_kwh.get(&stay).copied().unwrap_or(energy_kwh);
        self.frame.plugged_in.push(PluggedIn {
            ev,
            arrival_kwh: began_kwh,
            departure_kwh: target_kwh,
        });
        if let Some(fleets) = &mut self.fleets {
            let arrival = Arrival { ev, stay, energy_kwh, began_kwh, target_kwh };
            fleets.plug_in(scenario, arrival, tick);
        }
    }

    /// Counts an event, and keeps what its row says.
    fn note(&mut self, recorded: &Recorded) {
        self.tally.event();
        if self.made == Made::Tables {
            self.frame.events.push(EventRow::of(recorded));
        }
    }

    /// Hands the frame over to the writer.
    fn send(&mut self, scenario: &Arc<Scenario>) -> Result<(), TelemetryError> {
        // Only now: that a target was missed is told after the session's end.
        let ended = self.sessions.take_ended();
        for session in &ended {
            self.session(session);
        }
        self.frame.sessions = ended;
        match &mut self.writer {
            Some(writer) => self.frame = writer.send(scenario, std::mem::take(&mut self.frame))?,
            None => self.frame.clear(),
        }
        Ok(())
    }
}

impl Sink for Telemetry {
    type Error = TelemetryError;

    fn event(
        &mut self,
        scenario: &Arc<Scenario>,
        recorded: &Recorded,
    ) -> Result<(), TelemetryError> {
        self.note(recorded);
        let tick = recorded.tick;
        match &recorded.event {
            Event::RunStarted(started) => self.run_started(scenario, tick, started),
            Event::RunForked(forked) => self.forked = Some(forked.clone()),
            Event::SessionStarted(started) => self.session_started(scenario, tick, started),
            Event::StaysExpected(expected) => self.stays_expected(scenario, expected),
            Event::SessionEnded(ended) => self.session_ended(scenario, tick, ended),
            Event::WillingnessAgreed(said) => self.answered(tick, said),
            Event::TargetMissed(missed) => self.target_missed(missed),
            Event::TripShort(short) => self.tally.trip_short(short),
            Event::PlansAccepted(plans) => self.tally.plans_accepted(scenario, plans),
            Event::AnswerNotFinite(answers) => self.tally.answer_not_finite(scenario, answers),
            Event::SetPointClipped(clip) => self.set_point_clipped(scenario, tick, clip),
            Event::LimitViolated(violated) => self.tally.limit_violated(violated),
            Event::PolicyFaulted(fault) => self.tally.policy_faulted(scenario, tick, fault),
            Event::SolveFinished(solve) => self.solve_finished(scenario, tick, solve),
            Event::LimitUnkept(unkept) => self.tally.limit_unkept(unkept),
            Event::GroupSolved(solved) => {
                self.frame.planned_together.push((tick, solved.clone()));
            }
            Event::WindowForeseen(foreseen) => self.window_foreseen(tick, foreseen),
            Event::UnitsDispatched(dispatched) => {
                self.units_dispatched(scenario, tick, dispatched);
            }
            Event::TickSealed(sealed) => self.tick_sealed(scenario, sealed)?,
            // Of these only the table of events tells; what they lead to stands in the columns.
            Event::SeriesLoaded(_)
            | Event::StaysLoaded(_)
            | Event::RunEnded(_)
            | Event::TickStarted(_)
            | Event::PricesSet(_)
            | Event::ForecastIssued(_)
            | Event::MarginViolated(_)
            | Event::PolicyStateSaved(_)
            | Event::SlotElapsed(_) => {}
        }
        Ok(())
    }

    fn tick(
        &mut self,
        scenario: &Arc<Scenario>,
        columns: &TickColumns<'_>,
    ) -> Result<(), TelemetryError> {
        self.sessions.settled(scenario, columns);
        self.tally.settled(scenario, columns);
        self.realised.settle(scenario, columns, &mut self.frame.settled);
        for settled in &self.frame.settled {
            self.tally.flexibility(scenario, &settled.system);
        }
        self.frame.planned.extend(self.planned.followed_in(columns.tick));
        if let Some(fleets) = &mut self.fleets {
            self.frame.groups = fleets.settled(scenario, columns);
        }
        if self.writer.is_some() {
            self.frame.copy(columns, self.selection.records(columns.tick), self.selection.ids());
        }
        Ok(())
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

/// Tables that are whole and have no names yet.
struct Closed {
    place: Place,
    files: Vec<WrittenFile>,
    manifest: Manifest,
    started: Box<RunStarted>,
    summary: Summary,
    bills: Bills,
    made: Made,
}

/// Gives a run's files their names, in place of all that were there under a manifest, or
/// half-written.
fn publish(
    place: &Place,
    files: Vec<WrittenFile>,
    mut manifest: Manifest,
    world_text: &str,
) -> Result<(), TelemetryError> {
    let world = write_hidden(place, manifest::WORLD, world_text)?;
    manifest.add_all(&files, world_text);
    let before = manifest::table_files(&place.folder);
    // A folder is whole by its manifest: the old one goes before anything else, and the new one
    // comes after all else, so that a kill in between leaves none that says too much.
    remove(&place.folder, manifest::FILE)?;
    for old in before.iter().filter(|old| !manifest.names(old)) {
        remove(&place.folder, old)?;
    }
    files.into_iter().try_for_each(WrittenFile::publish)?;
    world.publish()?;
    remove_hidden(&place.folder)?;
    manifest.write(&place.folder)
}

/// Puts other detail in the place of a run's; without a manifest there is nothing to replace.
fn publish_detail(
    folder: &Path,
    files: Vec<WrittenFile>,
    level: String,
) -> Result<(), TelemetryError> {
    let Some(mut manifest) = Manifest::read(folder)? else {
        return files.into_iter().try_for_each(WrittenFile::publish);
    };
    remove(folder, manifest::FILE)?;
    // The manifest is gone first and comes last, as in `publish`.
    for old in manifest.remove_detail() {
        remove(folder, &old)?;
    }
    manifest.ev_ticks = level;
    for file in &files {
        manifest.add_table(file);
    }
    files.into_iter().try_for_each(WrittenFile::publish)?;
    manifest.write(folder)
}
