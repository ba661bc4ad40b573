//! One sweep through time over a convex problem, and the set of open stretches that it keeps.

use crate::{
    answer::ENERGY_TOLERANCE,
    problem::StorageProblem,
    ranking::{Kind, NO_RANK, Ranking},
    reach::Reach,
};

/// How a slot enters one convex problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Both directions, convex.
    Both,
    /// Charging only.
    Charge,
    /// Discharging only.
    Discharge,
    /// The convex hull of a cost that is not convex.
    Hull,
}

/// One sweep through time over a convex problem.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    /// Energy that enters (> 0) or leaves each slot, kWh.
    pub(crate) stored: Vec<f64>,
    open: Open,
    /// What is left of each open stretch, by rank, kWh.
    left: Vec<f64>,
}

#[expect(
    clippy::inline_always,
    reason = "the sweep as one loop takes a tenth less time than with calls"
)]
impl Sweep {
    /// Solves the convex problem in which slot t has `modes[t]` (`MODES`), or all slots are convex.
    /// Returns whether the bounds of `reach` can be kept; they can, unless modes forbid it.
    pub(crate) fn run<const MODES: bool>(
        &mut self,
        problem: &StorageProblem<'_>,
        ranking: &Ranking,
        first: usize,
        reach: &Reach,
        modes: &[Mode],
    ) -> bool {
        self.open.clear(ranking.len());
        // Not cleared: only what is left of open stretches is read, and opening one sets it.
        self.left.resize(ranking.len(), 0.0);
        self.stored.clear();
        let (mut least, mut most) = (problem.energy_kwh, problem.energy_kwh);
        let mut kept = true;
        for (slot, (&floor, &ceiling)) in reach.floor.iter().zip(&reach.ceiling).enumerate() {
            // A constant where all slots are convex, which takes modes out of the loop.
            let mode = if MODES { modes[slot] } else { Mode::Both };
            let (up, down) =
                self.offer(ranking.ranks[first + slot], mode, reach.up[slot], reach.down[slot]);
            (least, most) =
                (self.raise(ranking, first, least - down, floor), self.lower(most + up, ceiling));
            if least < floor || most > ceiling {
                // No stretch is left: what is missing is rounding, or modes that do not suffice.
                kept &= floor - least < ENERGY_TOLERANCE && most - ceiling < ENERGY_TOLERANCE;
                (least, most) = (least.max(floor), most.min(ceiling));
            }
        }
        self.take_all_below(ranking, first, ranking.paying(problem.terminal_value));
        kept
    }

    /// Uses the cheapest open stretches until no less than `floor` is stored, or none is left.
    #[inline(always)]
    fn raise(&mut self, ranking: &Ranking, first: usize, mut least: f64, floor: f64) -> f64 {
        while least < floor {
            let Some(rank) = self.open.first() else { break };
            let missing = floor - least;
            let taken = self.shorten(rank, missing);
            self.stored[ranking.slot[rank] as usize - first] += taken;
            // Not the sum, which may round to less than the floor and ask for one more stretch.
            least = if taken < missing { least + taken } else { floor };
        }
        least
    }

    /// Drops the dearest open stretches until no more than `ceiling` is stored, or none is left.
    #[inline(always)]
    fn lower(&mut self, mut most: f64, ceiling: f64) -> f64 {
        while most > ceiling {
            let Some(rank) = self.open.last() else { break };
            let excess = most - ceiling;
            let dropped = self.shorten(rank, excess);
            most = if dropped < excess { most - dropped } else { ceiling };
        }
        most
    }

    /// Opens the stretches of a slot; returns the energies it can add and remove in its mode.
    #[inline(always)]
    fn offer(&mut self, ranks: [u32; 3], mode: Mode, up: f64, down: f64) -> (f64, f64) {
        let (up, down) = match mode {
            Mode::Charge => (up, 0.0),
            Mode::Discharge => (0.0, down),
            Mode::Both | Mode::Hull => (up, down),
        };
        if mode == Mode::Hull {
            self.add(ranks[Kind::Hull as usize], up + down);
        } else {
            self.add(ranks[Kind::Refrain as usize], down);
            self.add(ranks[Kind::Charge as usize], up);
        }
        // At first all that can be is discharged; stretches that are used raise it from there.
        self.stored.push(-down);
        (up, down)
    }

    #[inline(always)]
    fn add(&mut self, rank: u32, length: f64) {
        if length > 0.0 {
            // What has a length was ranked: only stretches without one are left out.
            debug_assert_ne!(rank, NO_RANK);
            self.open.insert(rank as usize);
            self.left[rank as usize] = length;
        }
    }

    /// Takes at most `by` from an open stretch; gives how much that was.
    #[inline(always)]
    fn shorten(&mut self, rank: usize, by: f64) -> f64 {
        let left = self.left[rank];
        if left <= by {
            self.open.remove(rank);
            left
        } else {
            self.left[rank] = left - by;
            by
        }
    }

    /// Uses all open stretches of a rank below `end`.
    fn take_all_below(&mut self, ranking: &Ranking, first: usize, end: usize) {
        while let Some(rank) = self.open.first().filter(|&rank| rank < end) {
            self.open.remove(rank);
            self.stored[ranking.slot[rank] as usize - first] += self.left[rank];
        }
    }
}

/// A set of ranks that finds its least and its greatest member quickly.
#[derive(Debug, Default)]
struct Open {
    words: Vec<u64>,
    /// No word before this one has a member.
    low: usize,
    /// No word from this one on has a member.
    high: usize,
}

impl Open {
    fn clear(&mut self, ranks: usize) {
        self.words.clear();
        self.words.resize(ranks.div_ceil(64), 0);
        (self.low, self.high) = (self.words.len(), 0);
    }

    #[inline]
    fn insert(&mut self, rank: usize) {
        let word = rank / 64;
        self.words[word] |= 1 << (rank % 64);
        self.low = self.low.min(word);
        self.high = self.high.max(word + 1);
    }

    #[inline]
    fn remove(&mut self, rank: usize) {
        self.words[rank / 64] &= !(1 << (rank % 64));
    }

    #[inline]
    fn first(&mut self) -> Option<usize> {
        while self.low < self.high {
            let word = self.words[self.low];
            if word != 0 {
                return Some(self.low * 64 + word.trailing_zeros() as usize);
            }
            self.low += 1;
        }
        None
    }

    #[inline]
    fn last(&mut self) -> Option<usize> {
        while self.low < self.high {
            let word = self.words[self.high - 1];
            if word != 0 {
                return Some(self.high * 64 - 1 - word.leading_zeros() as usize);
            }
            self.high -= 1;
        }
        None
    }
}
