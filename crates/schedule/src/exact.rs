//! The exact algorithm: the value function of stored energy as a set of open stretches.
//!
//! Going forward in time, the least cost of having stored E kWh is convex and piecewise linear in
//! E. It is kept as the lowest reachable energy, the highest, and the stretches of energy between
//! them, cheapest first. A slot adds its own two stretches (an inf-convolution); a lower energy
//! bound uses up the cheapest ones, an upper bound drops the dearest. What a slot does is the used
//! length of its own stretches, so there is no pass backward. The stretches are ranked beforehand
//! ([`Ranking`]) and the open ones are a set of bits, so that every step finds its stretch in a
//! few instructions.
//!
//! Slots whose cost is not convex are treated in [`crate::branch`], ties in [`crate::ties`].

use crate::{
    answer::{Outcome, StorageAnswer},
    branch,
    options::Options,
    problem::StorageProblem,
    ranking::Ranking,
    reach::Reach,
    sweep::Sweep,
    ties::Ties,
};
use voltide_policy::storage::TieRule;

/// The exact algorithm with its scratch memory; one for each thread.
#[derive(Debug, Default)]
pub(crate) struct Exact {
    ranking: Ranking,
    sweep: Sweep,
    reach: Reach,
    ties: Ties,
    nodes: u32,
}

impl Exact {
    /// Solves one valid problem and writes its power to `power_kw`, one value a slot.
    pub(crate) fn solve(
        &mut self,
        problem: &StorageProblem<'_>,
        options: Options,
        power_kw: &mut [f64],
    ) -> StorageAnswer {
        // Taken out for the call, which borrows all of `self`.
        let mut ranking = std::mem::take(&mut self.ranking);
        ranking.rank(problem);
        let answer = self.solve_ranked(problem, &ranking, 0, options, power_kw);
        self.ranking = ranking;
        answer
    }

    /// Nodes that the last problem took; 1 where every slot is convex.
    pub(crate) fn nodes(&self) -> u32 {
        self.nodes
    }

    /// Solves a problem whose slot 0 is slot `first` of `ranking`.
    pub(crate) fn solve_ranked(
        &mut self,
        problem: &StorageProblem<'_>,
        ranking: &Ranking,
        first: usize,
        options: Options,
        power_kw: &mut [f64],
    ) -> StorageAnswer {
        self.reach.explore(problem);
        let unmet = self.reach.unmet;
        if options.strict && !unmet.is_empty() {
            power_kw.fill(0.0);
            return StorageAnswer::without_schedule(Outcome::Infeasible, unmet);
        }
        let outcome = if ranking.is_convex() {
            self.nodes = 1;
            self.sweep.run::<false>(problem, ranking, first, &self.reach, &[]);
            Outcome::Optimal
        } else {
            let (outcome, nodes) =
                branch::search(&mut self.sweep, problem, ranking, first, &self.reach, options);
            self.nodes = nodes;
            outcome
        };
        // Equal stretches are ranked by slot, so that the sweep's own answer is the earliest.
        if ranking.has_ties() && !matches!(problem.tie, TieRule::Earliest) {
            self.ties.level(problem, ranking, first, &self.reach, &mut self.sweep.stored);
        }
        for (slot, (power, &energy)) in power_kw.iter_mut().zip(&self.sweep.stored).enumerate() {
            let (least, most) =
                (-problem.discharge_kw_max.at(slot), problem.charge_kw_max.at(slot));
            // From power to energy and back rounds, and limits are exact.
            *power = problem.power_for(energy).clamp(least, most);
        }
        StorageAnswer { outcome, objective: problem.objective(power_kw), unmet }
    }
}
