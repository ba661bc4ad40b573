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
        let mut room = Self::own(problem);
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

    /// The room of each member where all others do the most that could widen it; none for one
    /// whose own limits are narrower throughout.
    pub(super) fn at_best(group: &GroupProblem<'_>) -> Vec<Option<Self>> {
        let nodes = group.nodes.len();
        let mut drawn = vec![vec![0.0; group.slots]; nodes];
        let mut fed = drawn.clone();
        for member in group.members {
            for slot in 0..member.problem.slots() {
                let at = member.first_slot + slot;
                drawn[member.node][at] += member.problem.charge_kw_max.at(slot);
                fed[member.node][at] += member.problem.discharge_kw_max.at(slot);
            }
        }
        let others = [group.with_below(&drawn), group.with_below(&fed)];
        let given = group.idle_powers();
        let one = |member| Self::beside(group, member, &given, &others);
        group.members.iter().map(one).collect()
    }

    /// The room of one member where nodes have `given` power, and all can draw and feed in
    /// `others`, itself included.
    fn beside(
        group: &GroupProblem<'_>,
        member: &GroupMember<'_>,
        given: &[Vec<f64>],
        [drawn, fed]: &[Vec<Vec<f64>>; 2],
    ) -> Option<Self> {
        let problem = &member.problem;
        let mut room: Option<Self> = None;
        for above in group.upward(member.node) {
            let node = &group.nodes[above];
            if node.breach_price.is_some() {
                continue;
            }
            for slot in 0..problem.slots() {
                let at = member.first_slot + slot;
                let (up, down) =
                    (problem.charge_kw_max.at(slot), problem.discharge_kw_max.at(slot));
                let given = given[above][at];
                let import = node.import_kw_max.at(at) - given + (fed[above][at] - down);
                let export = node.export_kw_max.at(at) + given + (drawn[above][at] - up);
                if import < up || export < down {
                    let room = room.get_or_insert_with(|| Self::own(problem));
                    room.charge_kw[slot] = room.charge_kw[slot].min(import.max(0.0));
                    room.discharge_kw[slot] = room.discharge_kw[slot].min(export.max(0.0));
                }
            }
        }
        room
    }

    /// What a member's own limits leave it.
    fn own(problem: &StorageProblem<'_>) -> Self {
        let each = |of: PerSlot<'_>| (0..problem.slots()).map(|slot| of.at(slot)).collect();
        Self {
            charge_kw: each(problem.charge_kw_max),
            discharge_kw: each(problem.discharge_kw_max),
        }
    }

    /// Whether a schedule keeps within it.
    pub(super) fn holds(&self, power_kw: &[f64]) -> bool {
        let room = self.charge_kw.iter().zip(&self.discharge_kw);
        power_kw.iter().zip(room).all(|(&kw, (&up, &down))| kw <= up && -kw <= down)
    }

    /// Clips a schedule that only charges to it; gives what is left of it, kW.
    pub(super) fn clip(&self, power_kw: &mut [f64]) -> Vec<f64> {
        let slots = power_kw.iter_mut().zip(&self.charge_kw);
        let clip = |(kw, &up): (&mut f64, &f64)| {
            *kw = kw.min(up);
            up - *kw
        };
        slots.map(clip).collect()
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

/// What sums of powers may be off by, kW.
const ROUNDING_KW: f64 = 1e-10;

/// Members that were placed, and the power of nodes with them.
pub(super) struct Placed<'a> {
    problem: &'a GroupProblem<'a>,
    pub(super) power_kw: Vec<Vec<f64>>,
    pub(super) node_kw: Vec<Vec<f64>>,
}

impl<'a> Placed<'a> {
    /// Nobody moves yet.
    pub(super) fn new(problem: &'a GroupProblem<'a>) -> Self {
        let still = |member: &GroupMember<'_>| vec![0.0; member.problem.slots()];
        Self {
            problem,
            power_kw: problem.members.iter().map(still).collect(),
            node_kw: problem.idle_powers(),
        }
    }

    /// Gives a member a schedule, which stood still.
    pub(super) fn put(&mut self, index: usize, power_kw: Vec<f64>) {
        self.add(index, &power_kw, 1.0);
        self.power_kw[index] = power_kw;
    }

    /// Lets a member stand still; gives its schedule.
    pub(super) fn take(&mut self, index: usize) -> Vec<f64> {
        let still = vec![0.0; self.power_kw[index].len()];
        let power_kw = std::mem::replace(&mut self.power_kw[index], still);
        self.add(index, &power_kw, -1.0);
        power_kw
    }

    /// Whether hard limits above a member hold while it is there.
    pub(super) fn keeps_limits(&self, index: usize) -> bool {
        let member = &self.problem.members[index];
        let stay = member.first_slot..member.first_slot + member.problem.slots();
        self.problem.upward(member.node).all(|above| {
            let (node, power) = (&self.problem.nodes[above], &self.node_kw[above]);
            let breach = |slot: usize| node.breach(slot, power[slot]);
            node.breach_price.is_some() || stay.clone().all(|slot| breach(slot) <= ROUNDING_KW)
        })
    }

    fn add(&mut self, index: usize, power_kw: &[f64], sign: f64) {
        let member = &self.problem.members[index];
        for above in self.problem.upward(member.node) {
            let there = self.node_kw[above][member.first_slot..].iter_mut();
            there.zip(power_kw).for_each(|(sum, power)| *sum += sign * power);
        }
    }
}

/// Energy below the target at the end of a schedule, kWh.
pub(super) fn missing(problem: &StorageProblem<'_>, power_kw: &[f64]) -> f64 {
    let gained: f64 = power_kw.iter().map(|&power| problem.energy_for(power)).sum();
    (problem.target_kwh - problem.energy_kwh - gained).max(0.0)
}

/// Schedules without a proof: what is answered where no solver finds anything.
pub(super) fn one_by_one(problem: &GroupProblem<'_>) -> GroupAnswer {
    let nodes = problem.nodes.len();
    let curtailed_kw = vec![vec![0.0; problem.slots]; nodes];
    let mut placed = Placed::new(problem);
    let mut solver = Solver::default();
    for (index, member) in problem.members.iter().enumerate() {
        let room = Room::of(problem, member, &placed.node_kw);
        let own = room.within(&member.problem);
        let mut power_kw = vec![0.0; own.slots()];
        solver.solve_valid(&own, None, Method::Exact, Options::default(), &mut power_kw);
        placed.put(index, power_kw);
    }
    let power_kw = placed.power_kw;
    let mut answer = GroupAnswer {
        power_kw,
        curtailed_kw,
        violation_kwh: 0.0,
        violation_bound_kwh: 0.0,
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
