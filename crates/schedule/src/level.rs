//! One level of load plus power over several slots, each with its own limits.

/// One slot's part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Share {
    /// The slot.
    pub(crate) slot: usize,
    /// What is there without it, kW.
    pub(crate) load: f64,
    /// Least power, kW.
    pub(crate) low: f64,
    /// Most power, kW.
    pub(crate) high: f64,
    /// The power it gets, kW.
    pub(crate) power: f64,
}

/// Finds levels; holds scratch memory.
#[derive(Debug, Default)]
pub(crate) struct Level {
    open: Vec<u32>,
}

impl Level {
    /// Solves `min Σ (load + power)²` for a given sum of powers and `low ≤ power ≤ high`.
    ///
    /// The level without limits is right for the slots that it does not clip. Of the slots clipped
    /// on the side that weighs more, the limit is right too, so they are settled and the level is
    /// taken anew over the rest (variable fixing, Bitran and Hax 1981).
    pub(crate) fn fill(&mut self, shares: &mut [Share], sum: f64) {
        let mut rest = sum;
        self.open.clear();
        self.open.extend(0..shares.len() as u32);
        while !self.open.is_empty() {
            let load: f64 = self.open.iter().map(|&i| shares[i as usize].load).sum();
            let level = (rest + load) / self.open.len() as f64;
            let mut over = 0.0;
            let mut under = 0.0;
            for &i in &self.open {
                let share = &mut shares[i as usize];
                let wish = level - share.load;
                share.power = wish.clamp(share.low, share.high);
                over += (wish - share.high).max(0.0);
                under += (share.low - wish).max(0.0);
            }
            if over == 0.0 && under == 0.0 {
                return;
            }
            // The side that weighs more has a slot to settle, so that each round leaves fewer open.
            let (settle_high, settle_low) = (over >= under, under >= over);
            self.open.retain(|&i| {
                let share = &shares[i as usize];
                let wish = level - share.load;
                let settled = settle_high && wish >= share.high || settle_low && wish <= share.low;
                rest -= if settled { share.power } else { 0.0 };
                !settled
            });
        }
    }
}
