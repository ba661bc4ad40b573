//! What lies in a run's folder beside its log, held against the log before it is taken for the
//! run's own: tables may be those of another run, or of ticks that the log does not have any more.

use crate::{
    failure::{Code, Failure},
    journaled::{Journaled, open_placed},
};
use std::path::Path;
use voltide_journal::{
    error::LogError,
    reader::{self, LogReader},
};
use voltide_telemetry::{ClosedDay, Described, RunStatus, closed_days};

/// Where a run's history ends.
pub(crate) struct Ending {
    /// Hash of the run's configuration.
    pub config_hash: String,
    /// The chain hash after the last tick; before the first, where the chain begins.
    pub chain_hash: String,
    /// How the run ended.
    pub status: &'static str,
}

impl Ending {
    /// The end of a run's log, of which the last tick and the outcome are known.
    pub(crate) fn of(
        run: &Path,
        last_tick: Option<u32>,
        status: &RunStatus,
    ) -> Result<Self, Failure> {
        let config_hash = Journaled::open(run, true)?.started.config_hash;
        let chain_hash = match last_tick {
            Some(tick) => chain_after(&mut reader::open(run)?, tick)?.unwrap_or_default(),
            None => config_hash.clone(),
        };
        Ok(Self { config_hash, chain_hash, status: status.name() })
    }

    /// In what the tables are of another history, by what their manifest says.
    pub(crate) fn difference(&self, tables: &Described) -> Option<String> {
        differs("a run with configuration", &tables.config_hash, &self.config_hash)
            .or_else(|| {
                // Tables of 0.1.0 do not say it, and are taken at their other words.
                let said = tables.chain_hash.as_ref()?;
                differs("ticks up to the chain hash", said, &self.chain_hash)
            })
            .or_else(|| differs("a run that is", &tables.status, self.status))
    }
}

/// That tables are of something else than the log, where they are.
fn differs(what: &str, said: &str, own: &str) -> Option<String> {
    (said != own).then(|| format!("they are of {what} {said}, and the log of {own}"))
}

/// The closed days in a run's folder that are whole, and of the history in its log.
pub(crate) fn kept_days(run: &Path) -> Result<Vec<ClosedDay>, Failure> {
    let noted = closed_days(run);
    if noted.is_empty() {
        return Ok(Vec::new());
    }
    let mut log = open_placed(run)?;
    let mut kept = Vec::new();
    for day in noted {
        if chain_after(&mut log, day.last_tick)?.as_ref() == Some(&day.chain_hash)
            && day.is_whole(run)?
        {
            kept.push(day);
        }
    }
    Ok(kept)
}

/// The chain hash that a run's own log has after a tick that has not been read yet.
pub(crate) fn chain_after(log: &mut LogReader, tick: u32) -> Result<Option<String>, Failure> {
    match log.skip_through(tick) {
        Err(LogError::Torn(_)) => Ok(None),
        other => Ok(other?.and_then(|sealed| sealed.event.chain_hash())),
    }
}

/// An error if tables are not those of the log.
pub(crate) fn refuse_others(
    run: &Path,
    ending: &Ending,
    tables: &Described,
) -> Result<(), Failure> {
    let Some(difference) = ending.difference(tables) else { return Ok(()) };
    let what = format!("the tables in {} are not those of its log: {difference}", run.display());
    Err(Failure::new(Code::Check, what, Some("`voltide replay` builds them again from the log")))
}
