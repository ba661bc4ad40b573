//! Parts of a group that nothing couples.
//!
//! A node without limits and costs couples nothing: what lies below such nodes falls apart, and the
//! whole is the sum of its parts.

use super::{GroupAnswer, GroupMember, GroupNode, GroupProblem, Plans};

/// A part of a group: which nodes and members it has.
struct Part {
    nodes: Vec<usize>,
    members: Vec<usize>,
}

impl GroupNode<'_> {
    /// Whether its power is limited or costs something.
    fn couples(&self, slots: usize) -> bool {
        let limited = |slot| {
            self.import_kw_max.at(slot).is_finite() || self.export_kw_max.at(slot).is_finite()
        };
        !self.costs.is_empty() || (0..slots).any(limited)
    }
}

/// The parts of a group, first what no node couples.
fn parts(problem: &GroupProblem<'_>) -> Vec<Part> {
    let couples: Vec<bool> = problem.nodes.iter().map(|node| node.couples(problem.slots)).collect();
    let top = |node| problem.upward(node).filter(|&above| couples[above]).last();
    let tops: Vec<Option<usize>> = (0..problem.nodes.len()).map(top).collect();
    let mut place = vec![0; problem.nodes.len()];
    let mut parts = vec![Part { nodes: Vec::new(), members: Vec::new() }];
    for (node, top) in tops.iter().enumerate() {
        if *top == Some(node) {
            place[node] = parts.len();
            parts.push(Part { nodes: Vec::new(), members: Vec::new() });
        }
    }
    let of = |node: usize| tops[node].map_or(0, |top| place[top]);
    (0..tops.len()).for_each(|node| parts[of(node)].nodes.push(node));
    for (index, member) in problem.members.iter().enumerate() {
        parts[of(member.node)].members.push(index);
    }
    parts.retain(|part| !part.nodes.is_empty());
    parts
}

/// Solves each part of a valid group by itself, if there are several; plans are handed on.
pub(super) fn solve_each(
    problem: &GroupProblem<'_>,
    plans: Plans<'_>,
    solve: impl Fn(&GroupProblem<'_>, Plans<'_>) -> GroupAnswer,
) -> GroupAnswer {
    let parts = parts(problem);
    if parts.len() < 2 {
        return solve(problem, plans);
    }
    let mut whole = GroupAnswer {
        power_kw: vec![Vec::new(); problem.members.len()],
        curtailed_kw: vec![Vec::new(); problem.nodes.len()],
        violation_kwh: 0.0,
        violation_bound_kwh: 0.0,
        missing_kwh: 0.0,
        missing_bound_kwh: 0.0,
        cost: 0.0,
        bound: 0.0,
        price: vec![Vec::new(); problem.nodes.len()],
        binaries: 0,
    };
    for part in &parts {
        let nodes = nodes(problem, part);
        let members = members(problem, part);
        let own = GroupProblem { members: &members, nodes: &nodes, ..*problem };
        let plan = |&index: &usize| plans.get(index).copied().flatten();
        let plans: Vec<Option<&[f64]>> = part.members.iter().map(plan).collect();
        whole.add(part, solve(&own, &plans));
    }
    whole
}

/// The nodes of a part; those whose parents are not in it have none.
fn nodes<'a>(problem: &GroupProblem<'a>, part: &Part) -> Vec<GroupNode<'a>> {
    let node = |&index: &usize| {
        let node = problem.nodes[index];
        let parent = node.parent.and_then(|parent| part.nodes.binary_search(&parent).ok());
        GroupNode { parent, ..node }
    };
    part.nodes.iter().map(node).collect()
}

fn members<'a>(problem: &GroupProblem<'a>, part: &Part) -> Vec<GroupMember<'a>> {
    let member = |&index: &usize| {
        let member = problem.members[index];
        let node = part.nodes.binary_search(&member.node).unwrap_or(0);
        GroupMember { node, ..member }
    };
    part.members.iter().map(member).collect()
}

impl GroupAnswer {
    /// Adds the answer of a part.
    fn add(&mut self, part: &Part, answer: Self) {
        for (&index, power_kw) in part.members.iter().zip(answer.power_kw) {
            self.power_kw[index] = power_kw;
        }
        let of_nodes = answer.curtailed_kw.into_iter().zip(answer.price);
        for (&index, (curtailed_kw, price)) in part.nodes.iter().zip(of_nodes) {
            self.curtailed_kw[index] = curtailed_kw;
            self.price[index] = price;
        }
        self.violation_kwh += answer.violation_kwh;
        self.violation_bound_kwh += answer.violation_bound_kwh;
        self.missing_kwh += answer.missing_kwh;
        self.missing_bound_kwh += answer.missing_bound_kwh;
        self.cost += answer.cost;
        self.bound += answer.bound;
        self.binaries += answer.binaries;
    }
}
