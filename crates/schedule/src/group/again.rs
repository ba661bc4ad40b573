//! A start from plans in force: where members are, and the prices that their plans imply.
//!
//! A member that could move energy from a slot to another one for a gain is only kept from it by a
//! limit there, so that the limit's price is at least that gain. The least prices of which this
//! holds for all members are found by raising them, member by member, until nobody could gain: a
//! shortest way through the slots. They hold exactly for plans that are optimal; for others they
//! are a place to begin.

use super::{
    GroupMember, GroupProblem, Plans, build::reach, dual::Wish, fit::missing, lagrange::Nearly,
    terms::Terms,
};
use crate::reach::Reach;

/// Rounds over all members in which prices are raised.
const ROUNDS: usize = 12;
/// Share of a power that is no more than an answer's rounding: moving it would not gain much.
const SHARE: f64 = 0.02;
/// Stored energy that plans may be off by, kWh.
const ENERGY: f64 = 1e-6;
/// Share of a limit's room from which on it is used up.
const FULL: f64 = 1.0 - 1e-3;

/// Plans in force to begin with.
pub(super) struct Start {
    pub(super) nearly: Nearly,
    /// Whether some of them miss energy that their members could have alone.
    pub(super) misses: bool,
}

/// Plans in force as a start, with who has none; nothing where nobody has any.
pub(super) fn start(problem: &GroupProblem<'_>, terms: &Terms, plans: Plans<'_>) -> Option<Start> {
    let mut misses = false;
    let mut fresh = Vec::with_capacity(problem.members.len());
    let mut power_kw = Vec::with_capacity(problem.members.len());
    for (index, member) in problem.members.iter().enumerate() {
        let reach = reach(&member.problem);
        let plan = plans.get(index).copied().flatten();
        let plan = plan.filter(|plan| fits(member, &reach, plan));
        let least = reach.unmet.target.map_or(0.0, |missed| missed.missing_kwh);
        misses |= plan.is_some_and(|plan| missing(&member.problem, plan) > least + ENERGY);
        fresh.push(plan.is_none());
        power_kw.push(plan.map_or_else(|| vec![0.0; member.problem.slots()], <[f64]>::to_vec));
    }
    if fresh.iter().all(|&fresh| fresh) {
        return None;
    }
    let wish = Wish { own: 1.0, missing_price: f64::INFINITY, free_kwh: 0.0 };
    let prices = if misses {
        terms.marginal(&terms.idle_kw)
    } else {
        implied(problem, terms, &power_kw, (wish, &fresh))
    };
    Some(Start { nearly: Nearly { fresh, ..Nearly::at(power_kw, prices) }, misses })
}

/// The prices by term that schedules imply.
pub(super) fn prices(
    problem: &GroupProblem<'_>,
    terms: &Terms,
    power_kw: &[Vec<f64>],
    wish: Wish,
) -> Vec<Vec<f64>> {
    implied(problem, terms, power_kw, (wish, &vec![false; power_kw.len()]))
}

fn implied(
    problem: &GroupProblem<'_>,
    terms: &Terms,
    power_kw: &[Vec<f64>],
    (wish, fresh): (Wish, &[bool]),
) -> Vec<Vec<f64>> {
    let reaches: Vec<Reach> = problem.members.iter().map(|of| reach(&of.problem)).collect();
    let mut implied = Implied::new(problem, terms, power_kw, wish);
    for _ in 0..ROUNDS {
        let mut rises = false;
        for index in (0..problem.members.len()).filter(|&index| !fresh[index]) {
            rises |= implied.raise(index, &reaches[index], &power_kw[index]);
        }
        if !rises {
            break;
        }
    }
    let mut prices = implied.costs;
    prices[..problem.nodes.len()].clone_from_slice(&implied.prices);
    prices
}

/// Whether a member can do what a plan says.
fn fits(member: &GroupMember<'_>, reach: &Reach, plan: &[f64]) -> bool {
    let problem = &member.problem;
    if plan.len() != problem.slots() {
        return false;
    }
    let mut kwh = problem.energy_kwh;
    for (slot, &kw) in plan.iter().enumerate() {
        kwh += problem.energy_for(kw);
        let within = kw >= -problem.discharge_kw_max.at(slot)
            && kw <= problem.charge_kw_max.at(slot)
            && kwh >= reach.floor[slot] - ENERGY
            && kwh <= reach.ceiling[slot] + ENERGY;
        if !within {
            return false;
        }
    }
    true
}

/// Prices that rise.
struct Implied<'a> {
    problem: &'a GroupProblem<'a>,
    wish: Wish,
    /// Whether a node's room is used up in a slot.
    full: Vec<Vec<bool>>,
    /// Prices of limits, by node.
    prices: Vec<Vec<f64>>,
    /// Prices of what costs, by term, and their sums by node.
    costs: Vec<Vec<f64>>,
    costs_by_node: Vec<Vec<f64>>,
    /// By slot of a stay: what a stored kWh more costs, and what one less gains.
    cost: Vec<f64>,
    gain: Vec<f64>,
    /// What a kWh less in another slot gains at most.
    other: Vec<f64>,
}

impl<'a> Implied<'a> {
    fn new(
        problem: &'a GroupProblem<'a>,
        terms: &Terms,
        power_kw: &[Vec<f64>],
        wish: Wish,
    ) -> Self {
        let mut own = vec![vec![0.0; problem.slots]; problem.nodes.len()];
        for (member, power) in problem.members.iter().zip(power_kw) {
            let there = own[member.node][member.first_slot..].iter_mut();
            there.zip(power).for_each(|(sum, power)| *sum += power);
        }
        let sums = problem.with_below(&own);
        let full = |(node, sums): (usize, &Vec<f64>)| {
            let full =
                |(slot, &sum): (usize, &f64)| sum >= FULL * terms.import_room(node, slot) - ENERGY;
            sums.iter().enumerate().map(full).collect()
        };
        let with_idle = |(sums, idle): (&Vec<f64>, &Vec<f64>)| {
            sums.iter().zip(idle).map(|(sum, idle)| sum + idle).collect()
        };
        let node_kw: Vec<Vec<f64>> = sums.iter().zip(&terms.idle_kw).map(with_idle).collect();
        let mut costs = terms.marginal(&node_kw);
        costs.iter_mut().flatten().for_each(|price| *price *= wish.own);
        Self {
            problem,
            wish,
            full: sums.iter().enumerate().map(full).collect(),
            prices: vec![vec![0.0; problem.slots]; problem.nodes.len()],
            costs_by_node: terms.by_node(&costs),
            costs,
            cost: Vec::new(),
            gain: Vec::new(),
            other: Vec::new(),
        }
    }

    /// Raises prices where a member could gain; says whether it did.
    fn raise(&mut self, index: usize, reach: &Reach, power_kw: &[f64]) -> bool {
        let member = &self.problem.members[index];
        self.value(member, power_kw);
        self.look_around(member, reach, power_kw);
        let mut rises = false;
        for (slot, &power) in power_kw.iter().enumerate() {
            let lack = self.other[slot] - self.cost[slot];
            if !(lack > 1e-9 && lack.is_finite()) {
                continue;
            }
            let at = member.first_slot + slot;
            // The highest limit that is met keeps the most from drawing more.
            let met = self.problem.upward(member.node).filter(|&node| self.full[node][at]).last();
            if let Some(node) = met {
                let problem = &member.problem;
                let stored = if power < 0.0 {
                    1.0 / problem.discharge_efficiency
                } else {
                    problem.charge_efficiency
                };
                self.prices[node][at] += lack * stored * self.problem.slot_hours;
                rises = true;
            }
        }
        rises
    }

    /// What a stored kWh more or less is worth in each slot of a stay.
    fn value(&mut self, member: &GroupMember<'_>, power_kw: &[f64]) {
        let problem = &member.problem;
        let mut added = self.problem.prices_of(member, &self.prices);
        let of_costs = self.problem.prices_of(member, &self.costs_by_node);
        added.iter_mut().zip(of_costs).for_each(|(added, price)| *added += price);
        self.cost.clear();
        self.gain.clear();
        for (slot, &power) in power_kw.iter().enumerate() {
            let (up, down) = (problem.charge_kw_max.at(slot), problem.discharge_kw_max.at(slot));
            let added = added[slot] / problem.slot_hours;
            let own = self.wish.own;
            let charge = (own * problem.buy[slot] + added) / problem.charge_efficiency;
            let earned = own * (problem.sell[slot] - problem.degradation) + added;
            let discharge = earned * problem.discharge_efficiency;
            self.gain.push(if power > SHARE * up {
                charge
            } else if down > 0.0 && power > -(1.0 - SHARE) * down {
                discharge
            } else {
                f64::NEG_INFINITY
            });
            self.cost.push(if power < -SHARE * down {
                discharge
            } else if power < (1.0 - SHARE) * up {
                charge
            } else {
                f64::INFINITY
            });
        }
    }

    /// What a kWh less in another slot gains at most, bounds between both allowing.
    fn look_around(&mut self, member: &GroupMember<'_>, reach: &Reach, power_kw: &[f64]) {
        let energies = member.problem.energies(power_kw);
        self.other.clear();
        let mut best = f64::NEG_INFINITY;
        for (slot, &kwh) in energies.iter().enumerate() {
            self.other.push(best);
            best = best.max(self.gain[slot]);
            if kwh <= reach.floor[slot] + ENERGY {
                best = f64::NEG_INFINITY;
            }
        }
        // A kWh more at the end is worth its price where it is missing.
        let misses = missing(&member.problem, power_kw) > ENERGY;
        let priced = misses && self.wish.missing_price.is_finite();
        best = if priced { self.wish.missing_price } else { f64::NEG_INFINITY };
        for (slot, &kwh) in energies.iter().enumerate().rev() {
            if kwh >= reach.ceiling[slot] - ENERGY {
                best = f64::NEG_INFINITY;
            }
            self.other[slot] = self.other[slot].max(best);
            best = best.max(self.gain[slot]);
        }
    }
}
