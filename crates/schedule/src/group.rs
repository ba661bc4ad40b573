//! Many batteries behind common limits: the group problem as plain data.
//!
//! [`GroupProblem`] is a set of storage problems, each as [`StorageProblem`] has it, at the nodes
//! of a forest. The power of a node is what is given there, less what of its feed-in is curtailed,
//! and that of all members and nodes below it:
//!
//! ```text
//! P_n,t = given_n,t + curtailed_n,t + Σ members (c − d) + Σ children P
//! −export_n,t ≤ P_n,t ≤ import_n,t           hard, or soft at a price a kWh of breach
//! ```
//! Wishes are met in order: the least violation of hard limits (kWh), which power that is given or
//! energy bounds that must be headed for can cause; the least distance from energy bounds on the
//! way; the least energy missing at the members' ends; the least cost. Every problem has an answer.
//!
//! [`solve_group`] solves the linear program of the whole (`build`) in these phases, and with
//! binaries where members would otherwise charge and discharge at once (`exact`); or apart, at
//! prices of the limits (`decompose`), where that is cheaper. [`check_group`] holds an answer
//! against its problem.

mod again;
mod answer;
mod build;
mod check;
mod cost;
mod decompose;
mod draft;
mod dual;
mod exact;
mod fit;
mod lagrange;
mod lone;
mod parts;
mod sun;
mod tangents;
mod terms;
mod validate;

pub use answer::GroupAnswer;
pub use check::{GroupBreach, LIMIT_TOLERANCE, check_group};
pub use validate::GroupError;
pub use voltide_policy::storage::Share;

use crate::problem::{PerSlot, StorageProblem};

/// One battery of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupMember<'a> {
    /// Its problem, over the slots of its own stay.
    pub problem: StorageProblem<'a>,
    /// Slot of the group in which its first slot lies.
    pub first_slot: usize,
    /// Index of the node that it is at.
    pub node: usize,
}

/// A step of a supply curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SupplyStep {
    /// How much there is of it, kW.
    pub kw: f64,
    /// What it costs, per kWh; not negative.
    pub price: f64,
}

impl GroupMember<'_> {
    /// About how many columns it has in a program.
    fn columns(&self) -> usize {
        let slots = self.problem.slots();
        let discharges = (0..slots).any(|slot| self.problem.discharge_kw_max.at(slot) > 0.0);
        slots * if discharges { 3 } else { 1 }
    }
}

/// What the power of a node costs, given power included, beside what members pay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NodeCost<'a> {
    /// A price on how far the highest power lies above a baseline.
    Peak {
        /// Per kW above the baseline, not negative.
        price_per_kw: f64,
        /// What is free, since it is sunk, kW.
        baseline_kw: f64,
    },
    /// A supply curve a slot, used from the cheapest step up; power below zero costs nothing.
    Supply {
        /// The steps of each slot, in any order.
        steps: &'a [Vec<SupplyStep>],
        /// Price of what lies beyond all steps, per kWh; no less than any step's.
        beyond: f64,
    },
    /// A price on the distance from a series.
    Follow {
        /// The series, kW a slot.
        series_kw: &'a [f64],
        /// Per kWh of distance, not negative.
        price: f64,
    },
    /// A marginal price that rises with the distance from an anchor, `slope/2·(P − anchor)²` an
    /// hour: valley filling, or a supply curve of one straight line.
    Quadratic {
        /// Where the marginal price is 0, kW.
        anchor_kw: PerSlot<'a>,
        /// By what it rises, per kWh and kW, not negative.
        slope: PerSlot<'a>,
    },
    /// Buying and selling at the node's meter. Members whose power is paid for there have prices
    /// of 0 themselves.
    Meter {
        /// Price of power above zero, per kWh.
        buy: &'a [f64],
        /// Price of power below zero, per kWh; in no slot above the price of buying.
        sell: &'a [f64],
    },
}

/// A place where power is limited, costs something, or both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupNode<'a> {
    /// Its name, for errors.
    pub name: &'a str,
    /// Index of the node above it; none for a connection itself.
    pub parent: Option<usize>,
    /// Most that may be drawn, kW, not negative; infinite for no limit.
    pub import_kw_max: PerSlot<'a>,
    /// Most that may be fed in, kW, not negative; infinite for no limit.
    pub export_kw_max: PerSlot<'a>,
    /// Power that is there already, kW; positive draws.
    pub given_kw: PerSlot<'a>,
    /// How much of what is fed in by given power may be curtailed, kW, not negative.
    pub curtailable_kw: PerSlot<'a>,
    /// Price of a kWh beyond the limits, not negative; none where limits are hard.
    pub breach_price: Option<f64>,
    /// What its power costs.
    pub costs: &'a [NodeCost<'a>],
}

impl<'a> GroupNode<'a> {
    /// A node without a limit, power or cost of its own.
    pub fn open(name: &'a str, parent: Option<usize>) -> Self {
        Self {
            name,
            parent,
            import_kw_max: PerSlot::Same(f64::INFINITY),
            export_kw_max: PerSlot::Same(f64::INFINITY),
            given_kw: PerSlot::Same(0.0),
            curtailable_kw: PerSlot::Same(0.0),
            breach_price: None,
            costs: &[],
        }
    }
}

/// Batteries and what couples them, over T slots of one length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupProblem<'a> {
    /// Number of slots T.
    pub slots: usize,
    /// Length of a slot, h; that of every member.
    pub slot_hours: f64,
    /// The batteries.
    pub members: &'a [GroupMember<'a>],
    /// The forest of nodes, in any order.
    pub nodes: &'a [GroupNode<'a>],
}

/// By which way a group is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GroupWay {
    /// By the decomposition where it takes the group and one program would be large, by the program
    /// elsewhere.
    #[default]
    Chosen,
    /// As one program.
    Program,
    /// By the decomposition where it takes the group: where given power keeps hard limits, if
    /// need be by curtailing, and no energy bounds must be headed for. It shares by cost. By the
    /// program elsewhere.
    Decomposition,
}

/// Columns up to which one program is the cheaper way: 100 members of 96 slots that discharge, or
/// 300 that do not.
const PROGRAM_COLUMNS_MAX: usize = 30_000;

/// The same where plans in force are a start: some ten members.
const AGAIN_COLUMNS_MAX: usize = 500;

/// How a group is to be solved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupOptions {
    /// By which way.
    pub way: GroupWay,
    /// Who misses energy.
    pub share: Share,
    /// Most nodes of a search with binaries.
    pub nodes: u32,
    /// Relative gap at which such a search may stop.
    pub gap: f64,
}

impl GroupOptions {
    /// What holds where nothing is said.
    pub const DEFAULT: Self =
        Self { way: GroupWay::Chosen, share: Share::Cost, nodes: 20_000, gap: 1e-6 };
}

impl Default for GroupOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Plans in force, by member: its power by slot of its stay, kW; none for one that has no plan.
pub type Plans<'a> = &'a [Option<&'a [f64]>];

/// Solves a group: its wishes in their order.
///
/// # Errors
/// Where the problem makes no sense. One whose wishes cannot be met is an answer that says so.
pub fn solve_group(
    problem: &GroupProblem<'_>,
    options: GroupOptions,
) -> Result<GroupAnswer, GroupError> {
    solve_group_from(problem, options, &[])
}

/// Solves a group as [`solve_group`] does, from plans in force, one a member or none at all. They
/// say where to look first; one that does not fit its member's problem is left aside.
///
/// # Errors
/// Where the problem makes no sense.
pub fn solve_group_from(
    problem: &GroupProblem<'_>,
    options: GroupOptions,
    plans: Plans<'_>,
) -> Result<GroupAnswer, GroupError> {
    problem.validate()?;
    Ok(parts::solve_each(problem, plans, |part, plans| solve_part(part, options, plans)))
}

/// Solves a valid group, or a part of one that nothing couples to the others.
fn solve_part(problem: &GroupProblem<'_>, options: GroupOptions, plans: Plans<'_>) -> GroupAnswer {
    let apart = match options.way {
        GroupWay::Program => false,
        GroupWay::Decomposition => true,
        GroupWay::Chosen => {
            let again = plans.iter().any(Option::is_some);
            problem.columns() > if again { AGAIN_COLUMNS_MAX } else { PROGRAM_COLUMNS_MAX }
        }
    };
    if apart && options.share == Share::Cost {
        let sun = sun::Sun::of(problem);
        if decompose::takes(problem, &sun) {
            return decompose::solve(problem, &sun, options, plans);
        }
    }
    let answer = exact::solve_program(problem, options);
    answer.unwrap_or_else(|| fit::one_by_one(problem))
}

impl GroupProblem<'_> {
    /// About how many columns the program has.
    pub(crate) fn columns(&self) -> usize {
        self.members.iter().map(GroupMember::columns).sum()
    }

    /// The nodes whose power a node counts in: itself, its parent, and so on. The problem is valid.
    pub(crate) fn upward(&self, node: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(node), |&below| self.nodes[below].parent)
    }

    /// What nodes have with all below them, from what they have themselves, by node and slot.
    pub(crate) fn with_below(&self, own: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut sums = vec![vec![0.0; self.slots]; self.nodes.len()];
        for (index, own) in own.iter().enumerate() {
            for above in self.upward(index) {
                sums[above].iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
            }
        }
        sums
    }

    /// What nodes have themselves, from what they have with all below them, by node and slot.
    pub(crate) fn without_below(&self, sums: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut own = sums.to_vec();
        for (node, sums) in self.nodes.iter().zip(sums) {
            if let Some(parent) = node.parent {
                own[parent].iter_mut().zip(sums).for_each(|(own, sum)| *own -= sum);
            }
        }
        own
    }

    /// Prices of a member's node and all above it, by slot of its stay.
    pub(crate) fn prices_of(&self, member: &GroupMember<'_>, prices: &[Vec<f64>]) -> Vec<f64> {
        let mut added = vec![0.0; member.problem.slots()];
        for above in self.upward(member.node) {
            let there = &prices[above][member.first_slot..];
            added.iter_mut().zip(there).for_each(|(added, price)| *added += price);
        }
        added
    }

    /// What an answer's schedules cost.
    pub(crate) fn cost_of(&self, answer: &GroupAnswer) -> f64 {
        let GroupAnswer { power_kw, curtailed_kw, .. } = answer;
        self.cost(power_kw, &self.node_powers(power_kw, curtailed_kw))
    }

    /// The power of every node and slot under schedules of the members and curtailed power, kW.
    ///
    /// # Panics
    /// If the problem is not valid or the schedules are not as long as its members' stays.
    pub fn node_powers(&self, power_kw: &[Vec<f64>], curtailed_kw: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut powers = vec![vec![0.0; self.slots]; self.nodes.len()];
        for (index, (node, curtailed)) in self.nodes.iter().zip(curtailed_kw).enumerate() {
            for above in self.upward(index) {
                for (slot, power) in powers[above].iter_mut().enumerate() {
                    *power += node.given_kw.at(slot) + curtailed[slot];
                }
            }
        }
        for (member, own) in self.members.iter().zip(power_kw) {
            for above in self.upward(member.node) {
                for (power, own) in powers[above][member.first_slot..].iter_mut().zip(own) {
                    *power += own;
                }
            }
        }
        powers
    }
}
