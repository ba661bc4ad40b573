//! Power that may be curtailed, as members of the decomposition.
//!
//! In each slot that of a node is a battery without prices, losses or bounds: charging it curtails
//! more, discharging it less than what is curtailed at first, which is the least by which given
//! power keeps hard limits.

use super::{GroupMember, GroupNode, GroupProblem};
use crate::problem::{PerSlot, StorageProblem};
use voltide_policy::storage::TieRule;

/// A slot in which what a node feeds in may be curtailed.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Curtailable {
    node: usize,
    slot: usize,
    most_kw: f64,
}

/// A group whose curtailable power is given power and members.
pub(super) struct Sun {
    places: Vec<Curtailable>,
    /// What is curtailed at first, by node and slot, kW.
    first_kw: Vec<Vec<f64>>,
    /// Given power with that, by node and slot, kW.
    given_kw: Vec<Vec<f64>>,
}

const FREE: [f64; 1] = [0.0];

impl Sun {
    pub(super) fn of(problem: &GroupProblem<'_>) -> Self {
        let mut places = Vec::new();
        for (index, node) in problem.nodes.iter().enumerate() {
            let most = (0..problem.slots).map(|slot| (slot, node.curtailable_kw.at(slot)));
            let here = most.filter(|&(_, most_kw)| most_kw > 0.0);
            places.extend(here.map(|(slot, most_kw)| Curtailable { node: index, slot, most_kw }));
        }
        let mut first_kw = vec![vec![0.0; problem.slots]; problem.nodes.len()];
        if !places.is_empty() {
            let mut node_kw = problem.idle_powers();
            // A node's own breach is seen before that of those above it.
            let mut order: Vec<usize> = (0..problem.nodes.len()).collect();
            order.sort_by_key(|&node| std::cmp::Reverse(problem.upward(node).count()));
            for &node in &order {
                keep_export(problem, node, &mut node_kw, &mut first_kw);
            }
        }
        let given = |(node, first): (&GroupNode<'_>, &Vec<f64>)| {
            first.iter().enumerate().map(|(slot, first)| node.given_kw.at(slot) + first).collect()
        };
        let given_kw = problem.nodes.iter().zip(&first_kw).map(given).collect();
        Self { places, first_kw, given_kw }
    }

    /// Powers of nodes where nobody moves, kW.
    pub(super) fn idle_powers(&self, problem: &GroupProblem<'_>) -> Vec<Vec<f64>> {
        problem.with_below(&self.given_kw)
    }

    pub(super) fn nodes<'a>(&'a self, problem: &GroupProblem<'a>) -> Vec<GroupNode<'a>> {
        let node = |(node, given): (&GroupNode<'a>, &'a Vec<f64>)| GroupNode {
            given_kw: PerSlot::Each(given),
            curtailable_kw: PerSlot::Same(0.0),
            ..*node
        };
        problem.nodes.iter().zip(&self.given_kw).map(node).collect()
    }

    /// The members that curtail, in the order of [`curtailed`](Self::curtailed).
    pub(super) fn members(&self, slot_hours: f64) -> Vec<GroupMember<'static>> {
        let member = |place: &Curtailable| {
            let first = self.first_kw[place.node][place.slot];
            let problem = StorageProblem {
                slot_hours,
                buy: &FREE,
                sell: &FREE,
                degradation: 0.0,
                charge_kw_max: PerSlot::Same(place.most_kw - first),
                discharge_kw_max: PerSlot::Same(first),
                energy_kwh_min: PerSlot::Same(0.0),
                energy_kwh_max: PerSlot::Same(place.most_kw * slot_hours),
                energy_kwh: first * slot_hours,
                target_kwh: 0.0,
                charge_efficiency: 1.0,
                discharge_efficiency: 1.0,
                terminal_value: 0.0,
                tie: TieRule::Earliest,
                load_kw: &[],
            };
            GroupMember { problem, first_slot: place.slot, node: place.node }
        };
        self.places.iter().map(member).collect()
    }

    /// What is curtailed where the members that curtail have these powers, by node and slot, kW.
    pub(super) fn curtailed(&self, power_kw: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut curtailed = self.first_kw.clone();
        for (place, power) in self.places.iter().zip(power_kw) {
            let kw = &mut curtailed[place.node][place.slot];
            *kw = power.iter().fold(*kw, |sum, power| sum + power).clamp(0.0, place.most_kw);
        }
        curtailed
    }
}

/// Curtails at and below a node what it feeds in beyond its hard limit, as far as that goes.
fn keep_export(
    problem: &GroupProblem<'_>,
    node: usize,
    node_kw: &mut [Vec<f64>],
    first_kw: &mut [Vec<f64>],
) {
    let limits = &problem.nodes[node];
    if limits.breach_price.is_some() {
        return;
    }
    for slot in 0..problem.slots {
        for (below, of) in problem.nodes.iter().enumerate() {
            let excess = -limits.export_kw_max.at(slot) - node_kw[node][slot];
            let is_below = problem.upward(below).any(|above| above == node);
            if excess <= 0.0 || !is_below {
                continue;
            }
            let more = excess.min(of.curtailable_kw.at(slot) - first_kw[below][slot]);
            first_kw[below][slot] += more;
            problem.upward(below).for_each(|above| node_kw[above][slot] += more);
        }
    }
}
