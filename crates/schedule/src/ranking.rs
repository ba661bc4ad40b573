//! The stretches of energy that slots offer, in order of cost.
//!
//! A slot offers at most two stretches: refraining from discharge, worth `(sell − C_b)·η_d` per
//! kWh, and charging, at `buy/η_c`. The exact algorithm only ever asks for the cheapest or the
//! dearest stretch that is still open, so the 2T slopes are sorted once. Batteries with the same
//! prices, efficiencies and wear share the result.

use crate::problem::{Slope, StorageProblem};

/// Stands for a stretch that a slot does not offer.
pub(crate) const NO_RANK: u32 = u32::MAX;

/// What a stretch of energy is. In this order at equal cost, so that nothing moves for no gain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Leaving in the battery what could be discharged.
    Refrain = 0,
    /// From full discharge to full charge along the hull of a slot that is not convex.
    Hull = 1,
    /// Charging.
    Charge = 2,
}

/// All stretches by rank, cheapest first; equal slopes by kind, then by slot.
#[derive(Debug, Default)]
pub(crate) struct Ranking {
    /// Rank of each slot's stretches, by [`Kind`].
    pub(crate) ranks: Vec<[u32; 3]>,
    /// Cost per stored kWh, by rank.
    pub(crate) slope: Vec<f64>,
    /// Slot, by rank.
    pub(crate) slot: Vec<u32>,
    /// Price class, by rank: equal for stretches of the same slope and kind.
    pub(crate) class: Vec<u32>,
    /// Kind, by rank.
    kind: Vec<Kind>,
    keys: Vec<u128>,
    hulls: usize,
    /// Number of price classes.
    classes: usize,
}

impl Ranking {
    /// Ranks the stretches of one problem, hulls included where slots need a binary.
    pub(crate) fn rank(&mut self, problem: &StorageProblem<'_>) {
        self.keys.clear();
        self.hulls = 0;
        for slot in 0..problem.slots() {
            let slope = problem.slope(slot);
            let (up, down) = (problem.charge_kw_max.at(slot), problem.discharge_kw_max.at(slot));
            if down > 0.0 {
                self.keys.push(key(slope.discharge, Kind::Refrain, slot));
            }
            if up > 0.0 {
                self.keys.push(key(slope.charge, Kind::Charge, slot));
            }
            if up > 0.0 && down > 0.0 && !slope.is_convex() {
                self.keys.push(key(hull_slope(problem, slot, slope), Kind::Hull, slot));
                self.hulls += 1;
            }
        }
        self.sort(problem.slots());
    }

    /// Ranks the slots of a tariff for batteries of given charge and discharge efficiency and wear.
    /// There are no hulls, which depend on power limits; where slots are not convex the ranking
    /// says so.
    pub(crate) fn rank_prices(
        &mut self,
        buy: &[f64],
        sell: &[f64],
        [charge, discharge, wear]: [f64; 3],
    ) {
        self.keys.clear();
        self.hulls = 0;
        for (slot, (buy, sell)) in buy.iter().zip(sell).enumerate() {
            let slope = Slope { charge: buy / charge, discharge: (sell - wear) * discharge };
            // Whatever the limits of a battery are: the sweep leaves out stretches without a
            // length.
            self.keys.push(key(slope.discharge, Kind::Refrain, slot));
            self.keys.push(key(slope.charge, Kind::Charge, slot));
            self.hulls += usize::from(!slope.is_convex());
        }
        self.sort(buy.len());
    }

    fn sort(&mut self, slots: usize) {
        self.keys.sort_unstable();
        self.ranks.clear();
        self.ranks.resize(slots, [NO_RANK; 3]);
        self.slope.clear();
        self.slot.clear();
        self.kind.clear();
        self.class.clear();
        let mut class = 0;
        let mut last = None;
        for (rank, &key) in self.keys.iter().enumerate() {
            let (slope, kind, slot) = parts(key);
            // The key without its slot: slope and kind.
            class += u32::from(last.is_some_and(|last| last != key >> 32));
            last = Some(key >> 32);
            self.ranks[slot][kind as usize] = rank as u32;
            self.slope.push(slope);
            self.slot.push(slot as u32);
            self.kind.push(kind);
            self.class.push(class);
        }
        self.classes = class as usize + 1;
    }

    /// Whether no slot needs a binary.
    pub(crate) fn is_convex(&self) -> bool {
        self.hulls == 0
    }

    /// Whether some price class has more than one stretch, so that there may be a choice.
    pub(crate) fn has_ties(&self) -> bool {
        self.classes < self.len()
    }

    /// Whether `slot` needs a binary.
    #[inline]
    pub(crate) fn has_hull(&self, slot: usize) -> bool {
        self.ranks[slot][Kind::Hull as usize] != NO_RANK
    }

    /// Number of stretches.
    pub(crate) fn len(&self) -> usize {
        self.slope.len()
    }

    /// Number of stretches that pay when a kWh at the end is worth `value`. At break-even nothing
    /// moves.
    pub(crate) fn paying(&self, value: f64) -> usize {
        let dearer = self.slope.partition_point(|&slope| slope < value);
        let equal = self.slope[dearer..].iter().take_while(|&&slope| slope <= value).count();
        dearer
            + self.kind[dearer..dearer + equal]
                .iter()
                .take_while(|&&kind| kind == Kind::Refrain)
                .count()
    }
}

/// Slope of the straight line from full discharge to full charge.
pub(crate) fn hull_slope(problem: &StorageProblem<'_>, slot: usize, slope: Slope) -> f64 {
    let (up, down) = (problem.charge_kwh_max(slot), problem.discharge_kwh_max(slot));
    (slope.charge * up + slope.discharge * down) / (up + down)
}

/// Packs a stretch into a number that sorts by slope, kind and slot.
fn key(slope: f64, kind: Kind, slot: usize) -> u128 {
    // Adding 0 turns -0 into 0; flipping the right bits makes the order of floats that of integers.
    let bits = (slope + 0.0).to_bits();
    let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    u128::from(ordered) << 34 | (kind as u128) << 32 | slot as u128
}

/// The slope, kind and slot of a packed stretch.
fn parts(key: u128) -> (f64, Kind, usize) {
    let ordered = (key >> 34) as u64;
    let bits = if ordered >> 63 == 1 { ordered & !(1 << 63) } else { !ordered };
    let kind = match (key >> 32) & 3 {
        0 => Kind::Refrain,
        1 => Kind::Hull,
        _ => Kind::Charge,
    };
    (f64::from_bits(bits), kind, (key & 0xffff_ffff) as usize)
}
