//! In what runs are not like each other, besides who planned: what a comparison must say of them.

use crate::output::thousands;
use std::sync::Arc;
use voltide_journal::event::RunForked;
use voltide_model::{clock::Clock, scenario::Scenario};
use voltide_telemetry::{RunStatus, world_parts};

/// What a run was made of, and how far it came.
pub(crate) struct Made {
    /// The scenario that holds at its end.
    pub scenario: Arc<Scenario>,
    /// Where it branches off from another; `None` where it is no fork.
    pub forked: Option<RunForked>,
    /// How it ended.
    pub status: RunStatus,
    /// Slots that were simulated.
    pub slots: u32,
}

impl Made {
    /// In what it is not like the first of the runs it is compared with, in words, and whether it
    /// did not come to its end.
    pub(crate) fn unlike(&self, first: &Self) -> Vec<String> {
        let all = [
            self.other("world", first, |it| it.scenario.name.clone()),
            self.other("seed", first, |it| it.scenario.seed.to_string()),
            self.other("clock", first, |it| clock(&it.scenario.clock)),
            self.other("cars", first, Self::cars),
            self.other_parts(first),
            self.other_past(first),
            self.unfinished(),
        ];
        all.into_iter().flatten().collect()
    }

    fn other(&self, what: &str, first: &Self, of: impl Fn(&Self) -> String) -> Option<String> {
        let here = of(self);
        let there = of(first);
        (here != there).then(|| format!("{what} {here}, not {there}"))
    }

    /// How many cars there are at the end, and how many were removed.
    fn cars(&self) -> String {
        let population = &self.scenario.population;
        let there = thousands(population.present_evs().count() as u64);
        match population.removed_count() {
            0 => there,
            removed => format!("{there} ({} removed)", thousands(removed.into())),
        }
    }

    /// Which parts of the world are others, but for those that have a line of their own.
    fn other_parts(&self, first: &Self) -> Option<String> {
        let parts = world_parts(&self.scenario).into_iter().zip(world_parts(&first.scenario));
        let others = parts.filter(|(here, there)| here != there).map(|((name, _), _)| name);
        let others: Vec<&str> = others.filter(|name| !["name", "clock"].contains(name)).collect();
        (!others.is_empty()).then(|| format!("another world in: {}", others.join(", ")))
    }

    /// Forks of one run at one tick have the same past, and are alike but for what holds from there
    /// on.
    fn other_past(&self, first: &Self) -> Option<String> {
        if self.branch() == first.branch() {
            return None;
        }
        let Some(forked) = &self.forked else { return Some("no fork, as the first is".to_owned()) };
        let from = self.scenario.clock.local(forked.at_tick).format("%Y-%m-%d %H:%M");
        let changes = match forked.changes.as_slice() {
            [] => "nothing changed".to_owned(),
            changes => changes.join(", "),
        };
        Some(format!(
            "a fork of {} from tick {} ({from}): {changes}",
            forked.parent_run, forked.at_tick
        ))
    }

    /// What tells where a fork branches off: its parent, the history up to there, and the tick.
    fn branch(&self) -> Option<(&str, &str, u32)> {
        let RunForked { parent_run, parent_chain_hash, at_tick, .. } = self.forked.as_ref()?;
        Some((parent_run, parent_chain_hash, *at_tick))
    }

    fn unfinished(&self) -> Option<String> {
        let why = match &self.status {
            RunStatus::Finished => return None,
            RunStatus::Interrupted => "unfinished".to_owned(),
            RunStatus::Failed(error) => format!("failed ({error})"),
        };
        let all = thousands(self.scenario.clock.slots.into());
        Some(format!("{why}: {} of {all} slots", thousands(self.slots.into())))
    }
}

/// A clock in words.
pub(crate) fn clock(clock: &Clock) -> String {
    let begins = clock.local(0).format("%Y-%m-%d %H:%M");
    let minutes = clock.slot_seconds / 60;
    format!("{} slots of {minutes} min from {begins} {}", clock.slots, clock.zone.name())
}
