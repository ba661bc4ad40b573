//! `voltide log verify`: everything of a run that can be checked.

use crate::{
    args::Args,
    beside_log::{Ending, chain_after, kept_days, refuse_others},
    failure::{Code, Failure},
    journaled::{Journaled, build_lost, open_placed},
    log_summary::summary_json,
    output::{self, counted},
    replacement::look_again,
    verb::replay::refuse_undescribed,
};
use std::{collections::BTreeMap, path::Path, sync::Arc};
use voltide_journal::{
    event::{Event, Recorded, SessionEnded, SessionStarted},
    reader::{self, LogSummary},
    salvage,
    sink::Sink,
};
use voltide_model::{
    columns::TickColumns,
    id::{EvId, StayId},
    scenario::Scenario,
    stay::NO_STAY,
};
use voltide_telemetry::{ClosedDay, closed_days, damaged_files, described};

/// Checks every byte of the log, what its events say of each other, and the files beside it.
pub(crate) fn verify(run: &Path, args: &Args) -> Result<(), Failure> {
    let Verified { summary, open, files } = look_again(run, || verified(run, args), |_| true)?;
    mention_leftovers(run, args.quiet)?;
    let beyond = check_beyond(run)?;
    if args.json {
        output::say_json("log", &summary_json(&summary));
        return Ok(());
    }
    let ticks = output::thousands(summary.ticks.into());
    let events = output::thousands(summary.events());
    let chain = hex::encode(summary.chain_hash);
    output::tell(&format!(
        "ok: {ticks} ticks, {events} events, {open} sessions open, {files}, chain {chain}{beyond}"
    ));
    Ok(())
}

/// What was found of a run in which everything holds.
struct Verified {
    summary: LogSummary,
    /// Sessions that are open at its end.
    open: usize,
    /// What its files were held against.
    files: String,
}

fn verified(run: &Path, args: &Args) -> Result<Verified, Failure> {
    // First whether the bytes are those that were written, then whether they tell what can be.
    let summary = read_all(run)?;
    let journaled = Journaled::open(run, args.quiet)?;
    let config_hash = journaled.started.config_hash.clone();
    let audit = Audit::default();
    let replayed = journaled.replay(audit, true, args.quiet);
    let (Audit { open, chain_hash, .. }, status) =
        replayed.map_err(|failure| failure.with(Code::Check))?;
    refuse_undescribed(run, &status)?;
    let files = check_files(run, &Ending { config_hash, chain_hash, status: status.name() })?;
    Ok(Verified { summary, open: open.len(), files })
}

/// Reads and checks the log itself: checksums, chain and head.
fn read_all(run: &Path) -> Result<LogSummary, Failure> {
    let mut reader = open_placed(run)?;
    for recorded in &mut reader {
        recorded.map_err(|error| Failure::from(error).with(Code::Check))?;
    }
    if let Some(lost) = reader.lost_build() {
        let help = "all else is whole; `voltide log recover` puts a file in its place that says so";
        return Err(Failure::new(Code::Check, build_lost(lost), Some(help)));
    }
    Ok(reader.summary().clone())
}

/// Whether ticks that were made up again, in a run that was salvaged, are those that were found
/// beyond the damage.
fn check_beyond(run: &Path) -> Result<String, Failure> {
    let Some(salvage) = salvage::read(run)? else { return Ok(String::new()) };
    let mut agree = 0;
    for piece in &salvage.beyond {
        let Some(tick) = piece.last_tick else { continue };
        let own = chain_after(&mut reader::open(run)?, tick)?;
        let found = chain_after(&mut reader::open(&run.join(&piece.folder))?, tick)?;
        // A run that was not resumed so far has made up nothing.
        if own.is_some() && own != found {
            let what = format!(
                "the ticks that were made up again are not those that were lost: up to tick \
                 {tick} the log differs from {}",
                piece.folder
            );
            return Err(Failure::new(
                Code::Check,
                what,
                Some("another build or policy made them up"),
            ));
        }
        agree += u64::from(own.is_some());
    }
    let count = salvage.beyond.len() as u64;
    let pieces = counted(count, "piece", "pieces");
    Ok(match agree {
        _ if count == 0 => String::new(),
        0 => format!(", {pieces} beyond damage"),
        _ => format!(", equal to {agree} of {pieces} beyond damage"),
    })
}

/// Says what an earlier program left in the folder that a `resume` would not take for the run's
/// own.
fn mention_leftovers(run: &Path, quiet: bool) -> Result<(), Failure> {
    let own: Vec<String> = kept_days(run)?.iter().map(ClosedDay::file).collect();
    for file in closed_days(run).iter().map(ClosedDay::file).filter(|file| !own.contains(file)) {
        output::mention(
            quiet,
            &format!("`.{file}.partial` is not of this run's history, and is passed over"),
        );
    }
    Ok(())
}

fn check_files(run: &Path, ending: &Ending) -> Result<String, Failure> {
    let tables = described(run).map_err(Failure::from).map_err(|it| it.with(Code::Check))?;
    tables.iter().try_for_each(|tables| refuse_others(run, ending, tables))?;
    let Some(damaged) =
        damaged_files(run).map_err(Failure::from).map_err(|it| it.with(Code::Check))?
    else {
        return Ok("no manifest".to_owned());
    };
    if damaged.is_empty() {
        return Ok("files as their manifest says".to_owned());
    }
    let what = format!("files are not as the manifest says: {}", damaged.join(", "));
    Err(Failure::new(Code::Check, what, Some("`voltide replay` builds them again from the log")))
}

/// Looks whether sessions begin and end once, and whether energy is conserved: in every car, and
/// between the cars and the system.
#[derive(Default)]
struct Audit {
    /// Stored energy of each car, as its power has moved it, kWh.
    energy_kwh: Vec<f64>,
    /// Energy charged and discharged in each car's session, grid side, kWh.
    moved_kwh: Vec<(f64, f64)>,
    /// Open sessions: the car of each stay.
    open: BTreeMap<StayId, EvId>,
    /// The chain hash after the last tick; before the first, where the chain begins.
    chain_hash: String,
}

/// What does not add up.
#[derive(Debug, thiserror::Error)]
#[error("tick {tick}: {what}")]
struct Finding {
    tick: u32,
    what: String,
}

/// That something does not add up in a tick.
fn found<T>(tick: u32, what: String) -> Result<T, Finding> {
    Err(Finding { tick, what })
}

/// Energy or power that rounding may put between two sums, relative to their size and at least
/// absolute.
const TOLERANCE: f64 = 1e-9;

fn same(one: f64, other: f64) -> bool {
    // Never less than for 1,000 kWh: a small difference of large sums has the rounding of these.
    (one - other).abs() <= TOLERANCE * one.abs().max(other.abs()).max(1000.0)
}

/// Whether a session that begins at `tick` does so because its day follows upon itself. That such a
/// day ends with the energy it began with is for the replay to assert.
fn is_under_way(scenario: &Scenario, tick: u32, stay: StayId) -> bool {
    let is_cyclic = scenario.clock.typical_day().is_some();
    is_cyclic && tick == 0 && scenario.population.stays.first_slot(stay, &scenario.clock) > 0
}

impl Audit {
    /// A run begins, or a fork of it, with the cars of its parent and maybe more after them.
    fn enter(&mut self, scenario: &Scenario) {
        let added = &scenario.population.arrival_energy_kwh[self.energy_kwh.len()..];
        self.energy_kwh.extend_from_slice(added);
        self.moved_kwh.resize(self.energy_kwh.len(), (0.0, 0.0));
    }

    fn started(
        &mut self,
        scenario: &Scenario,
        tick: u32,
        started: &SessionStarted,
    ) -> Result<(), Finding> {
        for (row, (&ev, &stay)) in started.ev.iter().zip(&started.stay).enumerate() {
            let before = self.energy_kwh[ev.row()];
            let driven = started.driven_kwh[row];
            let energy = started.energy_kwh[row];
            if self.open.insert(stay, ev).is_some() {
                return found(tick, format!("session {stay} begins twice"));
            }
            if !is_under_way(scenario, tick, stay) && !same(before - driven, energy) {
                let balance = format!("had {before} kWh, drove {driven} kWh");
                return found(tick, format!("car {ev} {balance} and arrives with {energy} kWh"));
            }
            self.energy_kwh[ev.row()] = energy;
            self.moved_kwh[ev.row()] = (0.0, 0.0);
        }
        Ok(())
    }

    fn ended(&mut self, tick: u32, ended: &SessionEnded) -> Result<(), Finding> {
        for (row, (&ev, &stay)) in ended.ev.iter().zip(&ended.stay).enumerate() {
            if self.open.remove(&stay) != Some(ev) {
                return found(tick, format!("session {stay} of car {ev} ends without being open"));
            }
            let stored = self.energy_kwh[ev.row()];
            let (charged, discharged) = self.moved_kwh[ev.row()];
            if !same(stored, ended.energy_kwh[row]) {
                return found(
                    tick,
                    format!("car {ev} leaves with {} kWh, not {stored} kWh", ended.energy_kwh[row]),
                );
            }
            if !same(charged, ended.charged_kwh[row])
                || !same(discharged, ended.discharged_kwh[row])
            {
                return found(
                    tick,
                    format!(
                        "session {stay} moved {charged} and {discharged} kWh, not what it says"
                    ),
                );
            }
        }
        Ok(())
    }

    fn settled(&mut self, scenario: &Scenario, columns: &TickColumns<'_>) -> Result<(), Finding> {
        let hours = scenario.clock.slot_hours();
        let tick = columns.tick;
        let mut charge = 0.0;
        let mut discharge = 0.0;
        for range in &scenario.population.fleets {
            let battery = scenario.fleets[range.fleet].battery.slot(hours);
            for car in range.cars().map(EvId::row) {
                let power = columns.power_kw[car];
                let stored = columns.energy_kwh[car];
                let expected = battery.after(self.energy_kwh[car], power);
                if !same(expected, stored) {
                    return found(
                        tick,
                        format!("car {car} stores {stored} kWh, not {expected} kWh"),
                    );
                }
                if columns.stay[car] == NO_STAY && power != 0.0 {
                    return found(tick, format!("car {car} has {power} kW and is away"));
                }
                // On from what is stored, so that roundings do not add up from slot to slot.
                self.energy_kwh[car] = stored;
                self.moved_kwh[car].0 += power.max(0.0) * hours;
                self.moved_kwh[car].1 += (-power).max(0.0) * hours;
                charge += power.max(0.0);
                discharge += (-power).max(0.0);
            }
        }
        let system = columns.system;
        if !same(charge, system.ev_charge_kw) || !same(discharge, system.ev_discharge_kw) {
            return found(
                tick,
                format!("all cars have {charge} and {discharge} kW, not what the system has"),
            );
        }
        if !same(system.residual_kw() + 1.0, 1.0) {
            return found(tick, format!("the balance is open by {} kW", system.residual_kw()));
        }
        Ok(())
    }
}

impl Sink for Audit {
    type Error = Finding;

    fn event(&mut self, scenario: &Arc<Scenario>, recorded: &Recorded) -> Result<(), Finding> {
        let Recorded { tick, event, .. } = recorded;
        if event.starts().is_some() {
            self.enter(scenario);
        }
        if let Some(chain_hash) = event.chain_hash() {
            self.chain_hash = chain_hash;
        }
        if let Event::SessionStarted(started) = event {
            self.started(scenario, *tick, started)?;
        }
        if let Event::SessionEnded(ended) = event {
            self.ended(*tick, ended)?;
        }
        Ok(())
    }

    fn tick(&mut self, scenario: &Arc<Scenario>, columns: &TickColumns<'_>) -> Result<(), Finding> {
        self.settled(scenario, columns)
    }
}
