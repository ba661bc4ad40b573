//! What a run will leave on disk, found by running a little of it.
//!
//! How much a slot leaves depends on world and policy in more ways than a formula would know. So
//! the run is begun in a temporary folder, and what it leaves after its first slot, its first day
//! and some more days tells what it will leave in the end:
//!
//! ```text
//! all cars    a day, or some more days where they are few
//! some cars   the more days, where all would take too long
//! few cars    many days or all, where the batteries of a fleet may run down for weeks
//! ```
//!
//! A run that is short goes to its end, so that its estimate is exact. Where only some cars are
//! run, sites have less to give in the same measure, and what is left is a line through both
//! numbers of cars.

use crate::{
    args::World as WorldArgs,
    failure::{Code, Failure},
    interrupt::Interrupt,
    live::{self, Prepared, all_cores},
    snapshots::{LOG_BYTES, ticks_between},
};
use std::{fs, path::Path, sync::Arc};
use tempfile::TempDir;
use voltide_engine::EngineError;
use voltide_host::Plugins;
use voltide_journal::{
    event::{Recorded, fact::Step},
    mcap_log,
    sink::Sink,
    snapshot::Encoded,
};
use voltide_model::{
    columns::TickColumns,
    scenario::{Durability, Scenario},
};
use voltide_telemetry::{Options, RunStatus, Telemetry, TelemetryError};

/// What a run will leave on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Estimate {
    /// Rows of the largest table.
    pub ev_rows: u64,
    /// Bytes of everything.
    pub bytes: u64,
}

/// Cars times ticks that are run for the days of an estimate.
const WORK: u64 = 2 << 20;
/// Cars times ticks that are run for its first day alone: many cars take more bytes a row than few,
/// since fewer of their slots are stored together.
const DAY_WORK: u64 = 8 << 20;
/// What a tick costs beside its cars, in cars.
const TICK_CARS: u64 = 200;
/// What scheduling a plant in a tick costs, in cars.
const PLANT_CARS: u64 = 20_000;
/// Cars that stand for all of a fleet, at least, where they are run for as many days as there is
/// time for.
const FEW_CARS: u64 = 100;
/// Days from the first one on in which every day of the week has been.
const WEEK: u64 = 7;
/// Bytes of `profile.json`.
const PROFILE_BYTES: f64 = 800.0;

impl Estimate {
    /// What the run of a prepared world will leave; `args` are those that it was prepared by, and
    /// `snapshots` are the ticks between two snapshots, where that is said.
    ///
    /// # Errors
    /// The world cannot be run, or the temporary folder cannot be written to.
    pub(crate) fn of(
        prepared: Prepared,
        (args, snapshots): (&WorldArgs, Option<u32>),
        plugins: &Plugins,
    ) -> Result<Self, Failure> {
        let scenario = &prepared.world.scenario;
        let cars = scenario.population.len() as u64;
        let slots = u64::from(scenario.clock.slots);
        let snapshot_plan = SnapshotPlan::of(snapshots, scenario);
        let trial = Trial::of(scenario);
        // A policy may remember what it planned, so that each trial gets one of its own.
        let load = || Prepared::load(args, plugins);
        let some = if trial.cars < cars { part(load()?, trial.cars) } else { prepared };
        let fewer = count(&some);
        let mut left = measure(some, &trial.marks)?;
        if let Some((mark, cars_of_it)) = trial.later {
            let marks = [&trial.marks[..], &[mark]].concat();
            let few = measure(part(load()?, cars_of_it), &marks)?;
            left.push(later(&left, &few));
        }
        if trial.cars < cars {
            let most = part(load()?, trial.cars_of_day);
            let more = count(&most);
            let many = measure(most, &trial.marks[..2])?;
            left = scale(&left, &many, fewer, more, cars as f64);
        }
        Ok(extrapolate(&trial.all_marks(), &left, slots, snapshot_plan))
    }
}

/// Cars of a world.
fn count(prepared: &Prepared) -> f64 {
    prepared.world.scenario.population.len() as f64
}

/// What is run for an estimate.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trial {
    /// Ticks after which it is looked what there is, ascending.
    marks: Vec<u64>,
    /// Cars of the part that takes all of them.
    cars: u64,
    /// Cars of the part that takes the first two, if that is not the same.
    cars_of_day: u64,
    /// A later mark, and the cars of the part that takes all and this.
    later: Option<(u64, u64)>,
}

impl Trial {
    fn of(scenario: &Scenario) -> Self {
        let clock = &scenario.clock;
        let plant = if scenario.grid.is_some() { PLANT_CARS } else { 0 };
        let can_be_fewer = scenario.fleets.iter().any(|fleet| fleet.parking.is_drawn());
        let cars = scenario.population.len() as u64;
        let day = u64::from(clock.slots_per_24_hours());
        Self::new(cars, can_be_fewer, u64::from(clock.slots), day, TICK_CARS + plant)
    }

    fn new(all: u64, can_be_fewer: bool, slots: u64, day: u64, tick_cars: u64) -> Self {
        if slots * (all + tick_cars) <= WORK {
            return Self { marks: vec![slots], cars: all, cars_of_day: all, later: None };
        }
        // Two at least: growth is what lies between the first day and the last.
        let days = (WORK / 2 / (day * tick_cars)).clamp(2, 1 + WEEK);
        let cars = if can_be_fewer { all.min(WORK / (day * days)).max(1) } else { all };
        let affordable = WORK / (day * (all + tick_cars));
        let days = if cars == all { days.max(whole_weeks(affordable)) } else { days };
        let mut marks: Vec<u64> =
            [1, day, day * days].into_iter().filter(|mark| *mark < slots).collect();
        if marks.len() < 3 {
            marks.push(slots);
        }
        let last = marks.last().copied().unwrap_or_default();
        let later = if can_be_fewer { Self::later(cars, slots, day, tick_cars) } else { None };
        let later = later.filter(|(mark, _)| *mark > last);
        Self { marks, cars, cars_of_day: all.min(DAY_WORK / day).max(cars), later }
    }

    /// The last mark that less than `cars` can be run to, and how many they are.
    fn later(cars: u64, slots: u64, day: u64, tick_cars: u64) -> Option<(u64, u64)> {
        let affordable = day * whole_weeks(WORK / (day * (tick_cars + FEW_CARS)));
        let mark = slots.min(affordable);
        let fewer = (WORK / mark).checked_sub(tick_cars)?;
        (1..cars).contains(&fewer).then_some((mark, fewer))
    }

    fn all_marks(&self) -> Vec<u64> {
        self.marks.iter().copied().chain(self.later.map(|(mark, _)| mark)).collect()
    }
}

/// A day and as many whole weeks as there is time for.
fn whole_weeks(days: u64) -> u64 {
    1 + days.saturating_sub(1) / WEEK * WEEK
}

/// What a run has left after some ticks.
#[derive(Debug, Clone, Copy, Default)]
struct Footprint {
    /// Bytes of the log.
    log: f64,
    /// Bytes of everything else but snapshots: tables, and what a log has beside its ticks.
    other: f64,
    /// Bytes of a snapshot.
    snapshot: f64,
    /// Rows of the largest table.
    ev_rows: f64,
}

impl Footprint {
    /// Every number made of those of both.
    fn with(self, other: Self, of: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            log: of(self.log, other.log),
            other: of(self.other, other.other),
            snapshot: of(self.snapshot, other.snapshot),
            ev_rows: of(self.ev_rows, other.ev_rows),
        }
    }

    /// The value at `x` of the line through this at `from` and another at `to`.
    fn line(self, from: f64, other: Self, to: f64, x: f64) -> Self {
        self.with(other, |a, b| a + (b - a) * (x - from) / (to - from))
    }
}

/// What `cars` leave after each mark, where `fewer` leave `few` after all of them and `more` leave
/// `many` after the first two.
fn scale(
    few: &[Footprint],
    many: &[Footprint],
    fewer: f64,
    more: f64,
    cars: f64,
) -> Vec<Footprint> {
    let pairs = few.iter().zip(many);
    let mut all: Vec<Footprint> =
        pairs.map(|(few, many)| few.line(fewer, *many, more, cars)).collect();
    for marks in many.len() + 1..=few.len() {
        all.push(later(&all, &few[..marks]));
    }
    all
}

/// What there is one mark later than `left` tells, by what fewer cars leave up to that mark: of
/// what the last days add, as much goes by cars as in those before.
fn later(left: &[Footprint], few: &[Footprint]) -> Footprint {
    let last = left.len() - 1;
    let growth = added_at(left, last)
        .with(added_at(few, last), |all, few| if few > 0.0 { all / few } else { 1.0 });
    let more = added_at(few, last + 1).with(growth, |few, growth| few * growth);
    let mut then = left[last].with(more, |before, more| before + more);
    // By a byte at least, where there are no snapshots.
    then.snapshot = left[last].snapshot * few[last + 1].snapshot / few[last].snapshot.max(1.0);
    then
}

/// What was added between the mark before and this one.
fn added_at(left: &[Footprint], mark: usize) -> Footprint {
    left[mark].with(left[mark - 1], |after, before| after - before)
}

/// When a run takes snapshots.
#[derive(Debug, Clone, Copy)]
struct SnapshotPlan {
    /// Ticks between two; 0 for none.
    every: u64,
    /// Whether only as many are taken as the log leaves room for.
    in_room: bool,
}

impl SnapshotPlan {
    fn of(said: Option<u32>, scenario: &Scenario) -> Self {
        let ticks = said.unwrap_or_else(|| ticks_between(scenario));
        Self { every: ticks.into(), in_room: said.is_none() }
    }

    /// The ticks before the last of `slots` after which one is due.
    fn ticks(self, slots: u64) -> impl Iterator<Item = u64> {
        let all = (1..).map(move |count| count * self.every);
        all.take_while(move |tick| self.every > 0 && *tick < slots)
    }

    /// Whether one is taken that makes all of them take so many bytes, beside a log of that size.
    fn takes(self, bytes: f64, log: f64) -> bool {
        !self.in_room || LOG_BYTES as f64 * bytes <= log
    }
}

/// What there is after all slots, from what there is after each mark, with the snapshots.
fn extrapolate(marks: &[u64], left: &[Footprint], slots: u64, plan: SnapshotPlan) -> Estimate {
    let snapshot = left.iter().map(|left| left.snapshot).fold(0.0, f64::max);
    let snapshots = plan.ticks(slots).fold(0.0, |spent, tick| {
        let fits = plan.takes(spent + snapshot, after(marks, left, tick).log);
        if fits { spent + snapshot } else { spent }
    });
    let end = after(marks, left, slots);
    let bytes = end.log + end.other + snapshots + PROFILE_BYTES;
    Estimate { ev_rows: end.ev_rows.round() as u64, bytes: bytes.round() as u64 }
}

/// What there is after a tick: by the line through the last two marks, or through nothing and the
/// only one.
fn after(marks: &[u64], left: &[Footprint], tick: u64) -> Footprint {
    let tick = tick as f64;
    match (marks, left) {
        ([from, to], [before, after]) | ([.., from, to], [.., before, after]) => {
            before.line(*from as f64, *after, *to as f64, tick)
        }
        ([only], [left]) => left.with(*left, |all, _| all * tick / *only as f64),
        _ => Footprint::default(),
    }
}

/// A world with no more than so many of its cars.
fn part(all: Prepared, cars: u64) -> Prepared {
    // A world may have no cars.
    let share = cars as f64 / count(&all).max(1.0);
    if share < 1.0 { sampled(all, share) } else { all }
}

/// The same with a share of the cars, and of what sites have to give.
fn sampled(mut prepared: Prepared, share: f64) -> Prepared {
    let scenario = &mut prepared.world.scenario;
    for fleet in scenario.fleets.iter_mut().filter(|fleet| fleet.parking.is_drawn()) {
        fleet.count = ((f64::from(fleet.count) * share).round() as u32).max(1);
    }
    for site in &mut scenario.sites {
        site.import_limit.0 *= share;
        site.export_limit.0 *= share;
    }
    scenario.population = Arc::new(scenario.draw());
    prepared
}

/// A folder for what is thrown away.
fn scratch() -> Result<TempDir, Failure> {
    tempfile::Builder::new().prefix("voltide-").tempdir().map_err(|error| {
        Failure::new(Code::Run, format!("cannot create a temporary folder: {error}"), None)
    })
}

/// Runs what was prepared to the last mark in a temporary folder; what there is after each.
fn measure(mut prepared: Prepared, marks: &[u64]) -> Result<Vec<Footprint>, Failure> {
    let folder = scratch()?;
    // What is thrown away need not be durable, and no byte depends on it.
    prepared.world.scenario.durability = Durability::Close;
    let start = prepared.start(all_cores());
    let sink = TelemetryAtMarks::begin(&start.scenario, marks)?;
    let mut simulation = live::begin(start, folder.path(), sink)?;
    let interrupt = Interrupt::catch();
    let mut left = Vec::new();
    for &mark in marks {
        let over = step_to(&mut simulation, mark, interrupt)?;
        let mut now =
            Footprint { log: mcap_log::bytes(folder.path()) as f64, ..Footprint::default() };
        if let Some(snapshot) = simulation.snapshot() {
            now.snapshot = Encoded::of(&snapshot)?.bytes() as f64;
        }
        left.push(now);
        if over {
            break;
        }
    }
    let tables = simulation.end(None)?.sink.finish()?;
    let log = bytes_in(&folder.path().join("log"));
    // A run that its policy ends is over for all marks.
    let last = left.last().copied().unwrap_or_default();
    left.resize(marks.len(), last);
    // What made the run, and what a log ends with, is the same after every mark.
    let beside_ticks = log - last.log;
    for (left, (tables, ev_rows)) in left.iter_mut().zip(tables) {
        left.other = tables + beside_ticks;
        left.ev_rows = ev_rows;
    }
    Ok(left)
}

/// Steps to a tick; whether the policy has ended the run before.
fn step_to(
    simulation: &mut live::LiveRun<TelemetryAtMarks>,
    tick: u64,
    interrupt: Interrupt,
) -> Result<bool, Failure> {
    while u64::from(simulation.tick()) < tick {
        if interrupt.raised() {
            return Err(Failure::new(Code::Interrupted, "interrupted", None));
        }
        match simulation.step() {
            Ok(()) => {}
            Err(EngineError::Policy { .. }) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// Telemetry as it would be if the run ended at marks.
struct TelemetryAtMarks {
    /// Those of marks to come, the next one first.
    coming: Vec<(u64, TempDir, Telemetry)>,
    /// Bytes and rows of the largest table of those that are through.
    through: Vec<(f64, f64)>,
}

impl TelemetryAtMarks {
    fn begin(scenario: &Scenario, marks: &[u64]) -> Result<Self, Failure> {
        let mut coming = Vec::new();
        // A Parquet file takes no rows after its footer: each mark has tables of its own.
        for &mark in marks {
            let folder = scratch()?;
            let telemetry = Telemetry::create(folder.path(), scenario, Options::default())?;
            coming.push((mark, folder, telemetry));
        }
        Ok(Self { coming, through: Vec::new() })
    }

    /// Closes the tables of the next mark.
    fn close(&mut self) -> Result<(), TelemetryError> {
        let (_, folder, telemetry) = self.coming.remove(0);
        let summary = telemetry.finish(RunStatus::Finished)?;
        let rows = summary
            .tables
            .iter()
            .find(|table| table.table == "ev_ticks")
            .map_or(0, |table| table.rows);
        self.through.push((bytes_in(folder.path()), rows as f64));
        Ok(())
    }

    /// Bytes and rows of the largest table at each mark.
    fn finish(mut self) -> Result<Vec<(f64, f64)>, TelemetryError> {
        while !self.coming.is_empty() {
            self.close()?;
        }
        Ok(self.through)
    }
}

impl Sink for TelemetryAtMarks {
    type Error = TelemetryError;

    fn event(
        &mut self,
        scenario: &Arc<Scenario>,
        recorded: &Recorded,
    ) -> Result<(), TelemetryError> {
        self.coming
            .iter_mut()
            .try_for_each(|(_, _, telemetry)| telemetry.event(scenario, recorded))?;
        let sealed = recorded.event.step() == Step::Seal;
        let ticks = u64::from(recorded.tick) + 1;
        // The tables of a mark end with the seal of its last tick.
        let is_reached = self.coming.first().is_some_and(|(mark, ..)| *mark == ticks);
        if sealed && is_reached { self.close() } else { Ok(()) }
    }

    fn tick(
        &mut self,
        scenario: &Arc<Scenario>,
        columns: &TickColumns<'_>,
    ) -> Result<(), TelemetryError> {
        self.coming.iter_mut().try_for_each(|(_, _, telemetry)| telemetry.tick(scenario, columns))
    }
}

/// Length of the files in a folder.
fn bytes_in(folder: &Path) -> f64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len() as f64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_runs_go_to_their_end_and_long_ones_for_whole_weeks() {
        let trial = |cars, slots| Trial::new(cars, true, slots, 96, TICK_CARS);
        assert_eq!(trial(1, 7 * 96).marks, [7 * 96]);
        assert_eq!(trial(100, 365 * 96).marks, [1, 96, 71 * 96]);
        assert_eq!(trial(100, 365 * 96).later, None, "71 days are what there is time for");
        let many = trial(10_000, 365 * 96);
        assert_eq!((many.all_marks(), many.cars), (vec![1, 96, 8 * 96, 71 * 96], 2730));
        assert_eq!((many.cars_of_day, many.later), (10_000, Some((71 * 96, 107))));
        assert_eq!(trial(10_000, 40 * 96).later, Some((40 * 96, 346)), "few cars go to the end");
        let most = trial(1_000_000, 96);
        assert_eq!((most.marks, most.cars_of_day), (vec![1, 96], 87_381));
        let plant = Trial::new(10_000, true, 7 * 96, 96, TICK_CARS + PLANT_CARS);
        assert_eq!((plant.marks, plant.cars, plant.later), (vec![1, 96, 2 * 96], 10_000, None));
        let recorded = Trial::new(50_000, false, 7 * 96, 96, TICK_CARS);
        assert_eq!(recorded.cars, 50_000, "recorded cars are not fewer");
    }

    #[test]
    fn what_grows_evenly_is_estimated_to_the_byte() {
        let left = |cars: f64, ticks: f64| Footprint {
            log: 5000.0 + ticks * (100.0 + 2.0 * cars),
            other: 700.0 + ticks * (10.0 + 3.0 * cars),
            snapshot: 40.0 * cars,
            ev_rows: ticks * cars,
        };
        let marks = [1, 96, 768, 4800];
        let after = |cars: f64, marks: &[u32]| -> Vec<Footprint> {
            marks.iter().map(|&mark| left(cars, f64::from(mark))).collect()
        };
        let mut few = after(100.0, &marks[..3]);
        few.push(later(&few, &after(10.0, &marks)));
        let all = scale(&few, &after(400.0, &marks[..2]), 100.0, 400.0, 1000.0);
        let shots = SnapshotPlan { every: 960, in_room: true };
        let estimate = extrapolate(&marks.map(u64::from), &all, 9600, shots);
        let whole = left(1000.0, 9600.0);
        let snapshots = 9.0 * 40_000.0;
        assert_eq!(estimate.ev_rows, 9_600_000);
        let bytes = whole.log + whole.other + snapshots + PROFILE_BYTES;
        assert!((estimate.bytes as f64 / bytes - 1.0).abs() < 0.01, "{estimate:?}, not {bytes}");
    }

    #[test]
    fn snapshots_that_are_asked_for_are_in_the_estimate_however_little_is_logged() {
        let left = [Footprint { log: 96.0, other: 0.0, snapshot: 1000.0, ev_rows: 96.0 }];
        let bytes =
            |every, in_room| extrapolate(&[96], &left, 960, SnapshotPlan { every, in_room }).bytes;
        let none = bytes(0, false);
        assert_eq!(none, 960 + PROFILE_BYTES as u64);
        assert_eq!(bytes(4, false) - none, 239 * 1000);
        assert_eq!(bytes(4, true), none, "a snapshot is more than a tenth of this log");
    }
}
