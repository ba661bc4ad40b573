//! When a log is made durable next, where its world leaves that to the program.
//!
//! That goes by the time of the machine. No byte of history depends on it: what is synced, and when,
//! changes only how much a power cut may take.
#![expect(clippy::disallowed_types, reason = "measures the machine; nothing that is written depends on it")]

use std::time::{Duration, Instant};

/// Ticks after which it is time.
const TICKS: u32 = 16;
/// Time after which it is time, for ticks that take long.
const TIME: Duration = Duration::from_secs(1);
/// Syncs take at most one part of so many of a run's time.
const SHARE: u32 = 20;

/// How long ago the last sync was, and how long it took.
#[derive(Debug)]
pub(crate) struct Pace {
    ended: Instant,
    took: Duration,
}

impl Pace {
    /// Everything is durable now.
    pub(crate) fn start() -> Self {
        Self { ended: Instant::now(), took: Duration::ZERO }
    }

    /// Whether it is time, with so many ticks that are not durable.
    pub(crate) fn is_due(&self, ticks: u32) -> bool {
        is_due(ticks, self.ended.elapsed(), self.took)
    }

    /// Takes note of a sync that began at a mark and ends now.
    pub(crate) fn synced(&mut self, began: Mark) {
        *self = Self { ended: Instant::now(), took: began.0.elapsed() };
    }
}

/// When a sync begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark(Instant);

impl Mark {
    pub(crate) fn now() -> Self {
        Self(Instant::now())
    }
}

/// Whether it is time, so long after a sync that took so long.
fn is_due(ticks: u32, since: Duration, took: Duration) -> bool {
    (ticks >= TICKS || since >= TIME) && since >= took * (SHARE - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_durable_after_sixteen_ticks_or_a_second_but_never_for_more_than_a_twentieth_of_the_time() {
        let ms = Duration::from_millis;
        let cases = [
            (15, ms(900), ms(1), false),
            (16, ms(0), ms(0), true),
            (16, ms(18), ms(1), false),
            (16, ms(19), ms(1), true),
            (1, ms(999), ms(1), false),
            (1, ms(1000), ms(1), true),
            (500, ms(5000), ms(300), false),
            (500, ms(5700), ms(300), true),
        ];
        for (ticks, since, took, due) in cases {
            assert_eq!(is_due(ticks, since, took), due, "{ticks} ticks, {since:?} after {took:?}");
        }
    }
}
