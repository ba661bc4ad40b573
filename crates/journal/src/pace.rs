//! When a log is made durable next, where its world leaves that to the program.
//!
//! That goes by the time of the machine. No byte of history depends on it: what is synced, and
//! when, changes only how much a power cut may take.
#![expect(
    clippy::disallowed_types,
    reason = "measures the machine; nothing that is written depends on it"
)]

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
    // Where the other 19 parts have passed since, the last sync took one of 20.
    (ticks >= TICKS || since >= TIME) && since >= took * (SHARE - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_durable_after_sixteen_ticks_or_a_second_but_never_for_more_than_a_twentieth_of_the_time()
     {
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

    /// What a long run of ticks and syncs that take so long comes to, by a clock of its own.
    struct Run {
        time: Duration,
        /// What all syncs took, but the last, which is not paid for yet.
        paid: Duration,
        syncs: u32,
        /// The most ticks, and the longest time, that a power cut could take.
        most_ticks: u32,
        longest: Duration,
    }

    impl Run {
        fn of(ticks: u32, tick: Duration, syncs_take: impl Fn(u32) -> Duration) -> Self {
            let mut run = Self {
                time: Duration::ZERO,
                paid: Duration::ZERO,
                syncs: 0,
                most_ticks: 0,
                longest: Duration::ZERO,
            };
            let (mut waiting, mut since, mut took) = (0, Duration::ZERO, Duration::ZERO);
            for _ in 0..ticks {
                run.time += tick;
                since += tick;
                waiting += 1;
                run.most_ticks = run.most_ticks.max(waiting);
                run.longest = run.longest.max(since);
                if is_due(waiting, since, took) {
                    run.paid += took;
                    took = syncs_take(run.syncs);
                    run.time += took;
                    run.syncs += 1;
                    waiting = 0;
                    since = Duration::ZERO;
                }
            }
            run
        }
    }

    /// Disks that take a microsecond to three seconds a sync, also by turns, under ticks of any
    /// length.
    #[test]
    fn the_syncs_of_a_long_run_take_a_twentieth_of_it_however_slow_the_disk() {
        let us = Duration::from_micros;
        for tick in [us(50), us(2_000), us(70_000), us(3_000_000)] {
            for slow in [us(1), us(5_000), us(120_000), us(3_000_000)] {
                for every in [1, 7] {
                    let syncs_take =
                        |sync: u32| if sync.is_multiple_of(every) { slow } else { us(1) };
                    let run = Run::of(100_000, tick, syncs_take);
                    let what = format!("ticks of {tick:?}, syncs of {slow:?} at times: {every}");
                    assert!(run.syncs > 0, "{what}");
                    assert!(
                        run.paid * SHARE <= run.time,
                        "{what}: {:?} of {:?}",
                        run.paid,
                        run.time
                    );
                    // Whatever waits longer waits for the last sync to be paid for.
                    let bound = TIME.min(tick * TICKS).max(slow * (SHARE - 1));
                    assert!(run.longest < bound + tick, "{what}: {:?}", run.longest);
                    assert!(
                        tick * run.most_ticks == run.longest,
                        "{what}: {} ticks",
                        run.most_ticks
                    );
                }
            }
        }
    }

    #[test]
    fn quick_disks_sync_at_every_sixteenth_tick_or_at_every_tick_of_a_second() {
        let quick = |_| Duration::from_micros(1);
        assert_eq!(Run::of(3200, Duration::from_millis(1), quick).syncs, 200);
        assert_eq!(Run::of(3200, Duration::from_millis(250), quick).syncs, 800);
        assert_eq!(Run::of(3200, Duration::from_secs(2), quick).syncs, 3200);
    }
}
