//! Which cars and ticks `ev_ticks` and `charger_ticks` record.

use crate::{closed::ClosedDay, error::TelemetryError, file::Place};
use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};
use voltide_model::{
    id::EvId,
    random::{name_hash, splitmix64},
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
    /// Number of cars in the end, where forks add some to those of the scenario; `None` for the
    /// scenario's.
    pub ev_count: Option<u32>,
    /// Whether the bills of all stays are kept, for
    /// [`finish_with_bills`](crate::Telemetry::finish_with_bills): 48 bytes a stay.
    pub bills: bool,
    /// Days of `ev_ticks` that lie in the folder already, whole and still hidden; see
    /// [`crate::closed_days`].
    pub kept_days: Vec<ClosedDay>,
    /// Where files are hidden until they are whole, on the same disk; `None` for the folder itself.
    pub hidden_in: Option<PathBuf>,
}

impl Options {
    /// What records what [`Selection::level_name`] spells; `None` where its words are not known.
    pub(crate) fn of_level_name(name: &str) -> Option<Self> {
        let mut words = name.split(", ");
        let mut options = Self { ev_ticks: Some(level(words.next()?)?), ..Self::default() };
        for word in words {
            match word.split_once(' ')? {
                ("ticks", range) => {
                    let (from, to) = range.split_once("..")?;
                    options.ticks = Some(from.parse().ok()?..to.parse().ok()?);
                }
                ("car", ev) => options.ev = Some(ev.parse().ok()?),
                _ => return None,
            }
        }
        Some(options)
    }

    /// Where the files go that lie in `folder` in the end.
    pub(crate) fn place(&self, folder: &Path) -> Place {
        self.hidden_in
            .as_deref()
            .map_or_else(|| Place::folder(folder), |hidden_in| Place::through(hidden_in, folder))
    }
}

/// Which cars and ticks are recorded.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    level: EvTicks,
    ticks: Range<u32>,
    /// The one car that is recorded; `None` for all that the level records.
    ev: Option<u32>,
    /// Ids of the recorded cars, ascending; `None` for all.
    ids: Option<Arc<[EvId]>>,
}

impl Selection {
    /// What `options` choose of the scenario.
    pub(crate) fn new(scenario: &Scenario, options: &Options) -> Result<Self, TelemetryError> {
        let count = options.ev_count.unwrap_or(scenario.population.len() as u32);
        if let Some(ev) = options.ev.filter(|&ev| ev >= count) {
            return Err(TelemetryError::NoSuchEv { ev: EvId(ev), count });
        }
        let level = options.ev_ticks.unwrap_or(scenario.ev_ticks);
        let ticks = options.ticks.clone().unwrap_or(0..scenario.clock.slots);
        Ok(Self { level, ticks, ev: options.ev, ids: None })
    }

    /// A scenario begins to hold, with the cars of the one before and maybe more after them.
    pub(crate) fn enter(&mut self, scenario: &Scenario) {
        let evs = 0..scenario.population.len() as u32;
        self.ids = match (self.ev, self.level) {
            // None as long as no scenario has the car: a fork may add it.
            (Some(ev), _) => Some(evs.filter(|&it| it == ev).map(EvId).collect()),
            (None, EvTicks::Sample(share)) => Some(sample(scenario, share)),
            (None, _) => None,
        };
    }

    /// Whether cars are recorded in `tick`.
    pub(crate) fn records(&self, tick: u32) -> bool {
        self.level != EvTicks::Off && self.ticks.contains(&tick)
    }

    /// Whether only what has changed since the tick before is recorded.
    pub(crate) fn records_changes(&self) -> bool {
        self.level == EvTicks::Changes
    }

    /// The ticks in which cars are recorded, where they are at all.
    pub(crate) fn ticks(&self) -> &Range<u32> {
        &self.ticks
    }

    /// Ids of the recorded cars of a scenario, ascending.
    pub(crate) fn ids_of(&self, scenario: &Scenario) -> Vec<EvId> {
        match (&self.ids, self.level) {
            (_, EvTicks::Off) => Vec::new(),
            (Some(ids), _) => ids.to_vec(),
            (None, _) => (0..scenario.population.len() as u32).map(EvId).collect(),
        }
    }

    /// Ids of the recorded cars; `None` for all.
    pub(crate) fn ids(&self) -> Option<&[EvId]> {
        self.ids.as_deref()
    }

    /// The level, as the world file spells it, and the ticks and the car where it is not all of
    /// them.
    pub(crate) fn level_name(&self, slots: u32) -> String {
        // A share has the digits from which the same number is read back.
        let level = format!("{:?}", self.level);
        let ticks = (self.ticks != (0..slots)).then(|| format!(", ticks {:?}", self.ticks));
        let car = self.ev.map(|ev| format!(", car {ev}"));
        [Some(level), ticks, car].into_iter().flatten().collect()
    }
}

/// The cars of a sample: chosen by fleet and index alone, so that a new fleet changes no choice.
fn sample(scenario: &Scenario, share: f64) -> Arc<[EvId]> {
    let ranges = scenario.population.fleets.iter();
    ranges
        .flat_map(|range| {
            let name = name_hash(&scenario.fleets[range.fleet].name);
            range.cars().filter(move |&ev| is_in_sample(name, range.index_of(ev), share))
        })
        .collect()
}

/// Whether a sample of this share has a car: by the hash of its fleet's name and its number there.
/// A larger share has all cars of a smaller one.
fn is_in_sample(fleet: u32, index: u32, share: f64) -> bool {
    let word = splitmix64(u64::from(fleet) << 32 | u64::from(index));
    // As many bits as a double keeps to the last.
    ((word >> 11) as f64) < share * (1_u64 << 53) as f64
}

/// A level of detail, as [`Selection::level_name`] spells it.
fn level(text: &str) -> Option<EvTicks> {
    match text {
        "Off" => Some(EvTicks::Off),
        "Changes" => Some(EvTicks::Changes),
        "Full" => Some(EvTicks::Full),
        sample => {
            sample.strip_prefix("Sample(")?.strip_suffix(')')?.parse().ok().map(EvTicks::Sample)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_sample_has_all_cars_of_a_smaller_one() {
        let chosen = |share| (0..1000).filter(move |&index| is_in_sample(7, index, share));
        let few: Vec<u32> = chosen(0.1).collect();
        assert!((70..130).contains(&few.len()), "{}", few.len());
        assert!(few.iter().all(|&index| is_in_sample(7, index, 0.2)));
        assert_eq!((chosen(0.0).count(), chosen(1.0).count()), (0, 1000));
    }

    #[test]
    fn the_hash_of_a_sample_spreads_neighbours() {
        let low = (0..10_000_u64).filter(|&index| splitmix64(77 << 32 | index) >> 63 == 0).count();
        assert!((4800..5200).contains(&low), "{low}");
    }
}
