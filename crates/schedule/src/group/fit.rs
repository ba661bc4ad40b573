//! Members placed one after another in the room that the others leave.

use super::{GroupAnswer, GroupMember, GroupProblem};
use crate::{
    options::Options,
    problem::{PerSlot, StorageProblem},
    solver::Solver,
};
use voltide_policy::storage::Method;

/// The room that a member has in each slot of its stay, others staying as they are.
pub(super) struct Room {
    charge_kw: Vec<f64>,
    discharge_kw: Vec<f64>,
}

impl Room {
    /// What hard limits above `member` leave it where nodes have `powers` without it, kW.
    pub(super) fn of(
        group: &GroupProblem<'_>,
        member: &GroupMember<'_>,
        powers: &[Vec<f64>],
    ) -> Self {
        let problem = &member.problem;
        let mut room = Self {
            charge_kw: (0..problem.slots()).map(|slot| problem.charge_kw_max.at(slot)).collect(),
            discharge_kw: (0..problem.slots())
                .map(|slot| problem.discharge_kw_max.at(slot))
                .collect(),
        };
        for above in group.upward(member.node) {
            let node = &group.nodes[above];
            if node.breach_price.is_some() {
                continue;
            }
            let powers = powers[above][member.first_slot..].iter();
            let both = room.charge_kw.iter_mut().zip(&mut room.discharge_kw).zip(powers);
            for (at, ((charge, discharge), power)) in (member.first_slot..).zip(both) {
                *charge = charge.min(node.import_kw_max.at(at) - power).max(0.0);
                *discharge = discharge.min(node.export_kw_max.at(at) + power).max(0.0);
            }
        }
        room
    }

    /// The member's problem within that room. Bounds that standing still keeps can be kept.
    pub(super) fn within<'a>(&'a self, problem: &StorageProblem<'a>) -> StorageProblem<'a> {
        StorageProblem {
            charge_kw_max: PerSlot::Each(&self.charge_kw),
            discharge_kw_max: PerSlot::Each(&self.discharge_kw),
            ..*problem
        }
    }
}

/// Schedules without a proof: what is answered where no solver finds anything.
pub(super) fn one_by_one(problem: &GroupProblem<'_>) -> GroupAnswer {
    let nodes = problem.nodes.len();
    let curtailed_kw = vec![vec![0.0; problem.slots]; nodes];
    let mut power_kw: Vec<Vec<f64>> =
        problem.members.iter().map(|member| vec![0.0; member.problem.slots()]).collect();
    let mut solver = Solver::default();
    for (index, member) in problem.members.iter().enumerate() {
        let powers = problem.node_powers(&power_kw, &curtailed_kw);
        let room = Room::of(problem, member, &powers);
        let own = room.within(&member.problem);
        solver.solve_valid(&own, None, Method::Exact, Options::default(), &mut power_kw[index]);
    }
    let mut answer = GroupAnswer {
        power_kw,
        curtailed_kw,
        violation_kwh: 0.0,
        missing_kwh: 0.0,
        missing_bound_kwh: 0.0,
        cost: 0.0,
        bound: f64::NEG_INFINITY,
        price: vec![vec![0.0; problem.slots]; nodes],
        binaries: 0,
    };
    answer.reckon(problem);
    answer
}
