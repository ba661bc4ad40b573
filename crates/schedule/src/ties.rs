//! Which of the cheapest schedules: the power of the marginal price class, made level.
//!
//! The sweep gives one cheapest schedule. Its duals say what is common to all of them: the worth
//! `π_t` of a stored kWh, which may rise only where the battery is full and fall only where it is
//! at its lower bound. Stretches cheaper than `π_t` are used and dearer ones are not, in every
//! cheapest schedule; what is free is the share of each slot in the class that costs exactly `π_t`,
//! and between two changes of `π_t` the energy of that class is fixed. Within these limits the rule
//! `min Σ (load_t + p_t)²` has one solution: one level of load plus power, clipped to each slot's
//! limits. Where the level would carry the stored energy across a bound, the run splits at the
//! worst such point, which is at its bound in the solution (the known property of resource
//! allocation with nested bounds), and each part gets its own level.
//!
//! Slots that needed a binary keep what branch and bound decided.

use crate::{
    answer::ENERGY_TOLERANCE,
    level::{Level, Share},
    problem::StorageProblem,
    ranking::{Kind, NO_RANK, Ranking},
    reach::Reach,
};

/// Position on the scale of worths: `2c + 1` is price class c, `2c` lies just below it.
type Worth = u32;
const DEAREST: Worth = Worth::MAX;

/// An interval of worths; empty where `low > high`.
#[derive(Debug, Clone, Copy)]
struct Interval {
    low: Worth,
    high: Worth,
}

impl Interval {
    const ALL: Self = Self { low: 0, high: DEAREST };

    fn meet(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.min(other.high) }
    }

    fn is_empty(self) -> bool {
        self.low > self.high
    }
}

/// A run of slots whose energy at both ends is fixed.
#[derive(Debug, Clone, Copy)]
struct Run {
    from: usize,
    to: usize,
    start: f64,
    end: f64,
}

/// Scratch memory for making schedules level.
#[derive(Debug, Default)]
pub(crate) struct Ties {
    /// Energy at the end of each slot, kWh.
    energy: Vec<f64>,
    /// Worths that agree with everything up to each slot.
    agreed: Vec<Interval>,
    /// The worth chosen for each slot.
    worth: Vec<Worth>,
    shares: Vec<Share>,
    level: Level,
    runs: Vec<Run>,
}

impl Ties {
    /// Rearranges `stored` (kWh into the battery, by slot) by the problem's tie rule, at the same
    /// cost.
    pub(crate) fn level(
        &mut self,
        problem: &StorageProblem<'_>,
        ranking: &Ranking,
        first: usize,
        reach: &Reach,
        stored: &mut [f64],
    ) {
        self.follow(problem, stored);
        // Without worths that fit the sweep's answer stays, which is as cheap.
        if !self.find_worths(problem, ranking, first, reach, stored) {
            return;
        }
        let mut from = 0;
        for to in 1..=stored.len() {
            if to == stored.len() || self.worth[to] != self.worth[from] {
                let run = Run {
                    from,
                    to,
                    start: self.energy_before(problem, from),
                    end: self.energy[to - 1],
                };
                self.level_run(problem, ranking, first, reach, stored, run);
                from = to;
            }
        }
    }

    fn follow(&mut self, problem: &StorageProblem<'_>, stored: &[f64]) {
        let mut energy = problem.energy_kwh;
        self.energy.clear();
        self.energy.extend(stored.iter().map(|x| {
            energy += x;
            energy
        }));
    }

    fn energy_before(&self, problem: &StorageProblem<'_>, slot: usize) -> f64 {
        slot.checked_sub(1).map_or(problem.energy_kwh, |before| self.energy[before])
    }

    /// Chooses a worth for every slot; false where rounding leaves none that fits.
    fn find_worths(
        &mut self,
        problem: &StorageProblem<'_>,
        ranking: &Ranking,
        first: usize,
        reach: &Reach,
        stored: &[f64],
    ) -> bool {
        self.agreed.clear();
        let mut agreed = Interval::ALL;
        for (slot, &x) in stored.iter().enumerate() {
            agreed = agreed.meet(slot_worths(ranking, reach, first, slot, x));
            if agreed.is_empty() {
                return false;
            }
            self.agreed.push(agreed);
            agreed = self.after(reach, slot, agreed);
        }
        self.choose_backward(reach, end_worth(ranking, problem.terminal_value))
    }

    /// Worths that may follow `before` across the end of `slot`.
    fn after(&self, reach: &Reach, slot: usize, before: Interval) -> Interval {
        let (low, high) = self.at_bounds(reach, slot);
        Interval {
            low: if low { 0 } else { before.low },
            high: if high { DEAREST } else { before.high },
        }
    }

    /// Whether the energy at the end of `slot` is at its lower, and at its upper bound.
    fn at_bounds(&self, reach: &Reach, slot: usize) -> (bool, bool) {
        let energy = self.energy[slot];
        (
            energy <= reach.floor[slot] + ENERGY_TOLERANCE,
            energy >= reach.ceiling[slot] - ENERGY_TOLERANCE,
        )
    }

    fn choose_backward(&mut self, reach: &Reach, end: Worth) -> bool {
        self.worth.clear();
        self.worth.resize(self.agreed.len(), end);
        let mut next = end;
        for slot in (0..self.agreed.len()).rev() {
            let (low, high) = self.at_bounds(reach, slot);
            // Seen backward: below the next worth only where full, above it only where at the lower
            // bound.
            let allowed = Interval {
                low: if high { 0 } else { next },
                high: if low { DEAREST } else { next },
            };
            let choice = self.agreed[slot].meet(allowed);
            if choice.is_empty() {
                return false;
            }
            next = next.clamp(choice.low, choice.high);
            self.worth[slot] = next;
        }
        true
    }

    /// Levels the slots of one worth.
    fn level_run(
        &mut self,
        problem: &StorageProblem<'_>,
        ranking: &Ranking,
        first: usize,
        reach: &Reach,
        stored: &mut [f64],
        run: Run,
    ) {
        let worth = self.worth[run.from];
        // An even worth lies between two classes: no stretch costs just that, and none is free.
        if worth.is_multiple_of(2) || run.to - run.from < 2 {
            return;
        }
        self.collect_shares(problem, ranking, first, run, worth / 2);
        if self.shares.len() < 2 {
            return;
        }
        self.runs.clear();
        self.runs.push(run);
        while let Some(run) = self.runs.pop() {
            self.level_part(problem, reach, stored, run);
        }
    }

    fn collect_shares(
        &mut self,
        problem: &StorageProblem<'_>,
        ranking: &Ranking,
        first: usize,
        run: Run,
        class: u32,
    ) {
        self.shares.clear();
        for slot in run.from..run.to {
            if ranking.has_hull(first + slot) {
                continue;
            }
            let ranks = ranking.ranks[first + slot];
            let is_free =
                |kind: Kind| ranking.class.get(ranks[kind as usize] as usize) == Some(&class);
            let load = problem.load_to_fill(slot);
            let share = |low, high| Share { slot, load, low, high, power: 0.0 };
            if is_free(Kind::Charge) && problem.charge_kw_max.at(slot) > 0.0 {
                self.shares.push(share(0.0, problem.charge_kw_max.at(slot)));
            } else if is_free(Kind::Refrain) && problem.discharge_kw_max.at(slot) > 0.0 {
                self.shares.push(share(-problem.discharge_kw_max.at(slot), 0.0));
            }
        }
    }

    /// Levels one run between fixed energies, or splits it where a bound would be crossed.
    fn level_part(
        &mut self,
        problem: &StorageProblem<'_>,
        reach: &Reach,
        stored: &mut [f64],
        run: Run,
    ) {
        let begin = self.shares.partition_point(|share| share.slot < run.from);
        let end = self.shares.partition_point(|share| share.slot < run.to);
        let shares = &mut self.shares[begin..end];
        if shares.is_empty() {
            return;
        }
        let free: f64 = shares.iter().map(|share| stored[share.slot]).sum();
        let all: f64 = stored[run.from..run.to].iter().sum();
        // A class is of one kind, so that one efficiency holds for all shares.
        let charging = shares[0].high > 0.0;
        let per_kw = problem.energy_for(if charging { 1.0 } else { -1.0 }).abs();
        self.level.fill(shares, (run.end - run.start - (all - free)) / per_kw);
        for share in shares {
            stored[share.slot] = share.power * per_kw;
        }
        if let Some((slot, bound)) = worst_crossing(reach, stored, run) {
            self.runs.push(Run { to: slot + 1, end: bound, ..run });
            self.runs.push(Run { from: slot + 1, start: bound, ..run });
        }
    }
}

/// Where in `run` the energy leaves its bounds most, and the bound it should stay at.
fn worst_crossing(reach: &Reach, stored: &[f64], run: Run) -> Option<(usize, f64)> {
    let mut energy = run.start;
    let mut worst = ENERGY_TOLERANCE;
    let mut found = None;
    // The end of the run is fixed, and lies within its bounds.
    for (slot, &x) in stored.iter().enumerate().take(run.to - 1).skip(run.from) {
        energy += x;
        for (outside, bound) in [
            (reach.floor[slot] - energy, reach.floor[slot]),
            (energy - reach.ceiling[slot], reach.ceiling[slot]),
        ] {
            if outside > worst {
                (worst, found) = (outside, Some((slot, bound)));
            }
        }
    }
    found
}

/// The worths under which a slot does what it does.
fn slot_worths(
    ranking: &Ranking,
    reach: &Reach,
    first: usize,
    slot: usize,
    stored: f64,
) -> Interval {
    if ranking.has_hull(first + slot) {
        return Interval::ALL;
    }
    let ranks = ranking.ranks[first + slot];
    let worth_of = |kind: Kind| {
        debug_assert_ne!(ranks[kind as usize], NO_RANK);
        2 * ranking.class[ranks[kind as usize] as usize] + 1
    };
    let (up, down) = (reach.up[slot], reach.down[slot]);
    // A stretch shorter than the tolerance is cut in its middle, or it would be neither used nor
    // left.
    let above = |length: f64, used: f64| length > 0.0 && used > ENERGY_TOLERANCE.min(length / 2.0);
    let below =
        |length: f64, used: f64| length > 0.0 && used < length - ENERGY_TOLERANCE.min(length / 2.0);
    // Used stretches bound the worth from below, stretches with something left from above.
    let mut worths = Interval::ALL;
    // The later of two binds more: in a convex slot refraining costs no more than charging.
    if above(down, stored + down) {
        worths.low = worth_of(Kind::Refrain);
    }
    if above(up, stored) {
        worths.low = worth_of(Kind::Charge);
    }
    if below(up, stored) {
        worths.high = worth_of(Kind::Charge);
    }
    if below(down, stored + down) {
        worths.high = worth_of(Kind::Refrain);
    }
    worths
}

/// The worth of what is left at the end: a gap, since at break-even nothing moves.
fn end_worth(ranking: &Ranking, value: f64) -> Worth {
    match ranking.paying(value) {
        0 => 0,
        paying => 2 * (ranking.class[paying - 1] + 1),
    }
}
