//! Branch and bound over slots whose cost is not convex.
//!
//! Every such slot begins as its convex hull, the straight line from full discharge to full
//! charge. Where the sweep leaves one inside the line, the true cost is above it, and the search
//! branches there into charging only and discharging only. Every node is one sweep; every node
//! also gives a schedule that can be followed, at its true cost. Prices that are nearly the same
//! in many such slots make the tree explode; after a few nodes the curve of [`crate::general`]
//! takes over, whose size does not depend on prices.

use crate::{
    answer::Outcome,
    general,
    options::Options,
    problem::StorageProblem,
    ranking::{Ranking, hull_slope},
    reach::Reach,
    sweep::{Mode, Sweep},
};

/// Nodes after which the general value function is quicker.
const FEW: u32 = 60;

struct Search<'a> {
    problem: &'a StorageProblem<'a>,
    best: Vec<f64>,
    best_cost: f64,
    /// The least bound among nodes that were cut off.
    open_bound: f64,
}

/// What one node says.
struct Node {
    bound: f64,
    cost: f64,
    /// The slot where cost and bound differ most, and by how much.
    worst: Option<(usize, f64)>,
}

/// Leaves the best schedule found in `sweep.stored`; returns how good it is, and the number of
/// nodes.
pub(crate) fn search(
    sweep: &mut Sweep,
    problem: &StorageProblem<'_>,
    ranking: &Ranking,
    first: usize,
    reach: &Reach,
    options: Options,
) -> (Outcome, u32) {
    let root = (0..problem.slots())
        .map(|slot| if problem.needs_binary(slot) { Mode::Hull } else { Mode::Both })
        .collect();
    let mut search =
        Search { problem, best: Vec::new(), best_cost: f64::INFINITY, open_bound: f64::INFINITY };
    let mut stack: Vec<(Vec<Mode>, f64)> = vec![(root, f64::NEG_INFINITY)];
    let mut nodes = 0;
    while let Some((modes, inherited)) = stack.pop() {
        // At least one node, without which there is no schedule at all.
        if search.is_proven(inherited, options.gap) || nodes >= options.nodes.clamp(1, FEW) {
            search.open_bound = search.open_bound.min(inherited);
            continue;
        }
        nodes += 1;
        if !sweep.run::<true>(problem, ranking, first, reach, &modes) {
            continue;
        }
        let node = search.judge(&modes, &sweep.stored);
        if search.is_proven(node.bound, options.gap) {
            search.open_bound = search.open_bound.min(node.bound);
        } else if let Some((slot, _)) = node.worst {
            let likely = if sweep.stored[slot] > 0.0 { Mode::Charge } else { Mode::Discharge };
            let other = if likely == Mode::Charge { Mode::Discharge } else { Mode::Charge };
            // The likely one is popped first: a good schedule early cuts off more of the others.
            stack.push((with(&modes, slot, other), node.bound));
            stack.push((with(&modes, slot, likely), node.bound));
        }
    }
    // There is one: the root keeps its bounds, which were relaxed until some schedule does.
    sweep.stored.clone_from(&search.best);
    let bound = search.open_bound.min(search.best_cost);
    let proven = search.is_proven(bound, options.gap);
    if !proven && let Some(stored) = general::solve(problem, reach, options.nodes as usize) {
        sweep.stored = stored;
        return (Outcome::Optimal, nodes);
    }
    (Outcome::from_bound(search.best_cost, bound), nodes)
}

fn with(modes: &[Mode], slot: usize, mode: Mode) -> Vec<Mode> {
    let mut child = modes.to_vec();
    child[slot] = mode;
    child
}

impl Search<'_> {
    /// Whether no schedule below a node with this bound can be better than the best by more than
    /// `gap`.
    fn is_proven(&self, bound: f64, gap: f64) -> bool {
        bound >= self.best_cost - gap * self.best_cost.abs().max(1.0)
    }

    /// Compares true cost and bound of a sweep's answer, and keeps it if it is the best so far.
    fn judge(&mut self, modes: &[Mode], stored: &[f64]) -> Node {
        let problem = self.problem;
        let mut node = Node { bound: 0.0, cost: 0.0, worst: None };
        for (slot, (&mode, &energy)) in modes.iter().zip(stored).enumerate() {
            let slope = problem.slope(slot);
            let cost = energy * if energy > 0.0 { slope.charge } else { slope.discharge };
            node.cost += cost - problem.terminal_value * energy;
            node.bound += cost - problem.terminal_value * energy;
            if mode == Mode::Hull {
                let down = problem.discharge_kwh_max(slot);
                let line =
                    hull_slope(problem, slot, slope) * (energy + down) - slope.discharge * down;
                let above = cost - line;
                node.bound -= above;
                if above > node.worst.map_or(1e-12, |(_, most)| most) {
                    node.worst = Some((slot, above));
                }
            }
        }
        if node.cost < self.best_cost {
            self.best_cost = node.cost;
            self.best.clear();
            self.best.extend_from_slice(stored);
        }
        node
    }
}
