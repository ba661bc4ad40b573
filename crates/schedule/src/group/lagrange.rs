//! The augmented Lagrangian: members move one by one towards what is best for them at prices of
//! limits that rise where these are broken.

use super::{
    GroupProblem,
    dual::{Rooms, Wish},
    fit::missing,
    lone::LoneSolver,
};

/// Rounds of prices.
const ROUNDS: usize = 60;
/// Least passes over all members at a round's prices; few members get more, as each of them must
/// go a longer way.
const PASSES: usize = 3;

/// Schedules that keep limits nearly, and prices that are nearly right.
pub(super) struct Nearly {
    pub(super) power_kw: Vec<Vec<f64>>,
    pub(super) prices: Vec<Vec<f64>>,
}

struct Course<'a> {
    problem: &'a GroupProblem<'a>,
    rooms: &'a Rooms,
    wish: Wish,
    /// Prices so far, by node and slot, per kW and slot.
    prices: Vec<Vec<f64>>,
    /// How fast they rise with a breach, by node.
    stiffness: Vec<f64>,
    /// Energy that enters each member, by slot of its stay, kWh.
    stored: Vec<Vec<f64>>,
    power_kw: Vec<Vec<f64>>,
    node_kw: Vec<Vec<f64>>,
}

/// Runs the rounds.
pub(super) fn approach(
    problem: &GroupProblem<'_>,
    rooms: &Rooms,
    solver: &mut LoneSolver,
    wish: Wish,
) -> Nearly {
    let empty: Vec<Vec<f64>> =
        problem.members.iter().map(|member| vec![0.0; member.problem.slots()]).collect();
    let mut course = Course {
        problem,
        rooms,
        wish,
        prices: vec![vec![0.0; problem.slots]; problem.nodes.len()],
        stiffness: stiffness(problem, rooms, wish),
        stored: empty.clone(),
        power_kw: empty,
        node_kw: vec![vec![0.0; problem.slots]; problem.nodes.len()],
    };
    let passes = (60 / problem.members.len().max(1)).clamp(PASSES, 20);
    for round in 0..ROUNDS {
        for _ in 0..if round == 0 { 1 } else { passes } {
            for member in 0..problem.members.len() {
                course.step(member, solver, round == 0);
            }
        }
        if round > 0 {
            course.raise();
        }
    }
    Nearly { power_kw: course.power_kw, prices: course.prices }
}

/// A breach of a tenth of a node's room is worth the whole spread of prices.
fn stiffness(problem: &GroupProblem<'_>, rooms: &Rooms, wish: Wish) -> Vec<f64> {
    let prices = || problem.members.iter().flat_map(|member| member.problem.buy);
    let highest = prices().fold(f64::NEG_INFINITY, |most, &price| most.max(price));
    let lowest = prices().fold(f64::INFINITY, |least, &price| least.min(price));
    let spread = if wish.own > 0.0 { (highest - lowest).max(0.05) } else { 1.0 };
    let largest = problem.members.iter().flat_map(|member| {
        (0..member.problem.slots()).map(|slot| member.problem.charge_kw_max.at(slot))
    });
    let largest = largest.fold(0.1, f64::max);
    let node = |import: &Vec<f64>| {
        let finite: Vec<f64> = import.iter().copied().filter(|room| room.is_finite()).collect();
        let mean = finite.iter().sum::<f64>() / finite.len().max(1) as f64;
        4.0 * spread * problem.slot_hours / mean.max(largest)
    };
    rooms.import.iter().map(node).collect()
}

impl Course<'_> {
    /// The price of a node's slot at a power beside given power.
    fn price(&self, node: usize, slot: usize, power: f64) -> f64 {
        let (price, stiffness) = (self.prices[node][slot], self.stiffness[node]);
        let over = price.max(0.0) + stiffness * (power - self.rooms.import[node][slot]);
        let under = (-price).max(0.0) + stiffness * (-power - self.rooms.export[node][slot]);
        over.max(0.0) - under.max(0.0)
    }

    fn prices_now(&self, index: usize) -> Vec<Vec<f64>> {
        let member = &self.problem.members[index];
        let mut prices = vec![Vec::new(); self.problem.nodes.len()];
        let end = member.first_slot + member.problem.slots();
        for above in self.problem.upward(member.node) {
            let price = |slot| {
                let is_there = (member.first_slot..end).contains(&slot);
                if is_there { self.price(above, slot, self.node_kw[above][slot]) } else { 0.0 }
            };
            prices[above] = (0..self.problem.slots).map(price).collect();
        }
        prices
    }

    /// Moves one member towards its best answer, as far as that lowers the whole.
    fn step(&mut self, index: usize, solver: &mut LoneSolver, whole: bool) {
        let member = &self.problem.members[index];
        let prices = self.prices_now(index);
        let terms = (self.wish.own, self.wish.missing_price);
        let lone = solver.solve(self.problem, member, &prices, terms);
        let problem = &member.problem;
        let stored: Vec<f64> = lone.power_kw.iter().map(|&kw| problem.energy_for(kw)).collect();
        let share = if whole { 1.0 } else { self.share(index, &lone.power_kw) };
        if share <= 0.0 {
            return;
        }
        for (slot, to) in stored.into_iter().enumerate() {
            let from = &mut self.stored[index][slot];
            *from += share * (to - *from);
            let power = problem.power_for(*from);
            let change = power - std::mem::replace(&mut self.power_kw[index][slot], power);
            for above in self.problem.upward(member.node) {
                self.node_kw[above][member.first_slot + slot] += change;
            }
        }
    }

    /// How far to go: where the whole rises no more along the way, found by bisection.
    fn share(&self, index: usize, to: &[f64]) -> f64 {
        let member = &self.problem.members[index];
        let from = &self.power_kw[index];
        let own = self.own_change(index, to);
        let slope = |share: f64| {
            let mut slope = own;
            for above in self.problem.upward(member.node) {
                for (slot, (to, from)) in (member.first_slot..).zip(to.iter().zip(from)) {
                    let change = to - from;
                    if change != 0.0 {
                        let power = self.node_kw[above][slot] + share * change;
                        slope += change * self.price(above, slot, power);
                    }
                }
            }
            slope
        };
        if slope(0.0) >= -1e-13 {
            return 0.0;
        }
        if slope(1.0) <= 0.0 {
            return 1.0;
        }
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..12 {
            let middle = f64::midpoint(low, high);
            if slope(middle) > 0.0 {
                high = middle;
            } else {
                low = middle;
            }
        }
        low
    }

    /// What a member's own cost and missing energy change by on the whole way.
    fn own_change(&self, index: usize, to: &[f64]) -> f64 {
        let problem = &self.problem.members[index].problem;
        let from = &self.power_kw[index];
        let mut change = self.wish.own * (problem.objective(to) - problem.objective(from));
        if self.wish.missing_price.is_finite() {
            change += self.wish.missing_price * (missing(problem, to) - missing(problem, from));
        }
        change
    }

    fn raise(&mut self) {
        for node in 0..self.prices.len() {
            for slot in 0..self.problem.slots {
                self.prices[node][slot] = self.price(node, slot, self.node_kw[node][slot]);
            }
        }
    }
}
