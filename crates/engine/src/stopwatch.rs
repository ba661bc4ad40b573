//! Where the time goes: wall time per phase, for `profile.json` and nothing else.
#![expect(
    clippy::disallowed_types,
    reason = "measures the machine; nothing simulated depends on it"
)]

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Wall time spent so far, by what it was spent on.
#[derive(Debug, Clone)]
pub(crate) struct Stopwatch {
    last: Instant,
    /// A handful, and looked up many times a tick: faster in a list than in a tree.
    laps: Vec<(&'static str, Duration)>,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { last: Instant::now(), laps: Vec::new() }
    }

    /// Leaves out the time since the last lap.
    pub(crate) fn skip(&mut self) {
        self.last = Instant::now();
    }

    /// Books the time since the last lap to `name`.
    pub(crate) fn lap(&mut self, name: &'static str) {
        // Read once, so that no time falls between two laps.
        let now = Instant::now();
        match self.laps.iter_mut().find(|(known, _)| *known == name) {
            Some((_, lap)) => *lap += now - self.last,
            None => self.laps.push((name, now - self.last)),
        }
        self.last = now;
    }

    /// Seconds by name.
    pub(crate) fn seconds(&self) -> BTreeMap<&'static str, f64> {
        self.laps.iter().map(|(name, lap)| (*name, lap.as_secs_f64())).collect()
    }
}
