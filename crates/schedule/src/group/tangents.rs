//! Quadratic costs in the linear program: tangents, and more of them where an answer lies.
//!
//! Tangents lie below the cost, so that the program's optimum is a lower bound; the answer's cost
//! is that of the curve itself.

use super::{GroupProblem, NodeCost};

/// Tangents of a slot to begin with.
const FIRST: u32 = 9;
/// Powers nearer to each other than this need no tangent of their own, relative.
const NEAR: f64 = 1e-9;

/// Where quadratic costs have tangents.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tangents {
    /// Powers by node and slot in rising order, kW; empty where no cost is quadratic.
    pub(super) kw: Vec<Vec<Vec<f64>>>,
}

impl Tangents {
    /// Tangents all over the powers that nodes can have.
    pub(super) fn of(problem: &GroupProblem<'_>) -> Self {
        let nothing = vec![Vec::new(); problem.slots];
        let mut this = Self { kw: vec![nothing; problem.nodes.len()] };
        if !problem.nodes.iter().any(has_quadratic) {
            return this;
        }
        let [fed, drawn] = problem.reachable_powers();
        for (index, node) in problem.nodes.iter().enumerate().filter(|(_, of)| has_quadratic(of)) {
            for (slot, tangents) in this.kw[index].iter_mut().enumerate() {
                let least = fed[index][slot].max(-node.export_kw_max.at(slot));
                let most = drawn[index][slot].min(node.import_kw_max.at(slot)).max(least);
                let step = (most - least) / f64::from(FIRST - 1);
                *tangents = (0..FIRST).map(|at| least + f64::from(at) * step).collect();
                tangents.dedup_by(|a, b| is_near(*a, *b));
            }
        }
        this
    }

    /// By how much tangents lie below the cost of powers of nodes.
    pub(super) fn shortfall(&self, problem: &GroupProblem<'_>, node_kw: &[Vec<f64>]) -> f64 {
        let mut shortfall = 0.0;
        for ((node, tangents), powers) in problem.nodes.iter().zip(&self.kw).zip(node_kw) {
            for cost in node.costs.iter().filter(|cost| is_quadratic(cost)) {
                let below = |(slot, &power): (usize, &f64)| {
                    cost.pieces(slot, &tangents[slot]).map_or(0.0, |pieces| pieces.at(power))
                };
                let below: f64 = powers.iter().enumerate().map(below).sum();
                shortfall += cost.of(powers, problem.slot_hours) - problem.slot_hours * below;
            }
        }
        shortfall
    }

    /// Adds tangents at powers of nodes; says whether there are new ones.
    pub(super) fn add(&mut self, node_kw: &[Vec<f64>]) -> bool {
        let mut grown = false;
        for (slots, powers) in self.kw.iter_mut().zip(node_kw) {
            for (tangents, &power) in slots.iter_mut().zip(powers) {
                let at = tangents.partition_point(|&kw| kw < power);
                let beside = tangents[at.saturating_sub(1)..].iter().take(2);
                if tangents.is_empty() || beside.clone().any(|&kw| is_near(kw, power)) {
                    continue;
                }
                tangents.insert(at, power);
                grown = true;
            }
        }
        grown
    }
}

fn is_near(a: f64, b: f64) -> bool {
    (a - b).abs() <= NEAR * a.abs().max(1.0)
}

fn is_quadratic(cost: &NodeCost<'_>) -> bool {
    matches!(cost, NodeCost::Quadratic { .. })
}

fn has_quadratic(node: &super::GroupNode<'_>) -> bool {
    node.costs.iter().any(is_quadratic)
}
