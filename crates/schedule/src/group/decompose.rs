//! The decomposition: prices of limits, schedules at them, and a repair that keeps limits.
//!
//! It takes groups whose only coupling are hard limits that given power keeps by itself
//! ([`takes`]). The [augmented Lagrangian](super::lagrange) gives schedules that nearly keep
//! limits. The repair places members one by one in the room that is left, those with the least
//! time to spare first, and then lets a part of them at a time find their joint optimum by the
//! program, others staying as they are: that never makes an answer worse, and keeps every limit.
//! The best answer known is the target at which steps aim that improve prices and so the bound.

use super::{
    GroupAnswer, GroupMember, GroupNode, GroupOptions, GroupProblem,
    build::reach,
    check::LIMIT_TOLERANCE,
    dual::{Rooms, Wish, polish},
    exact::solve_program,
    fit::{self, Room},
    lagrange::approach,
    lone::LoneSolver,
};
use crate::problem::PerSlot;

/// Columns of the program by which members find their joint optimum, a part of them at a time.
const BLOCK_COLUMNS: usize = 3_000;
/// Members in the largest part of a small group.
const BLOCK: usize = 16;
/// Most rounds of that.
const ROUNDS: usize = 8;
/// Rounds that may bring nothing.
const STALE: usize = 1;
/// Members solved for polishing prices at a time: steps times members.
const POLISH: usize = 40_000;
/// Relative gap that is good enough.
const GOOD: f64 = 1e-5;
/// Missing energy below this is rounding, kWh.
const ROUNDING: f64 = 1e-7;

/// Whether the decomposition takes a group.
pub(super) fn takes(problem: &GroupProblem<'_>) -> bool {
    let plain = |node: &GroupNode<'_>| {
        let curtails = (0..problem.slots).any(|slot| node.curtailable_kw.at(slot) > 0.0);
        node.costs.is_empty() && node.breach_price.is_none() && !curtails
    };
    let stands_still = |member: &GroupMember<'_>| {
        let (reach, energy) = (reach(&member.problem), member.problem.energy_kwh);
        reach.floor.iter().all(|&floor| floor <= energy)
            && reach.ceiling.iter().all(|&ceiling| ceiling >= energy)
    };
    problem.nodes.iter().all(plain)
        && problem.violation(&problem.idle_powers()) <= 0.0
        && problem.members.iter().all(stands_still)
}

/// Schedules of all members, with what they leave missing and cost.
#[derive(Debug, Clone)]
struct Plan {
    power_kw: Vec<Vec<f64>>,
    missing_kwh: f64,
    cost: f64,
}

impl Plan {
    fn of(problem: &GroupProblem<'_>, power_kw: Vec<Vec<f64>>) -> Self {
        let missing_kwh = problem.missing(&power_kw).iter().sum();
        let members = problem.members.iter().zip(&power_kw);
        let cost = members.map(|(member, power)| member.problem.objective(power)).sum();
        Self { power_kw, missing_kwh, cost }
    }

    /// Whether no limit is exceeded by more than sums round.
    fn keeps_limits(&self, problem: &GroupProblem<'_>) -> bool {
        let nothing = vec![vec![0.0; problem.slots]; problem.nodes.len()];
        let powers = problem.node_powers(&self.power_kw, &nothing);
        problem.nodes.iter().zip(&powers).all(|(node, powers)| {
            let breach = |(slot, &power): (usize, &f64)| node.breach(slot, power);
            powers.iter().enumerate().map(breach).all(|breach| breach <= LIMIT_TOLERANCE / 2.0)
        })
    }

    fn is_better_than(&self, other: &Self) -> bool {
        self.missing_kwh < other.missing_kwh - ROUNDING
            || (self.missing_kwh <= other.missing_kwh + ROUNDING && self.cost < other.cost)
    }
}

/// Solves a group that it [takes].
pub(super) fn solve(problem: &GroupProblem<'_>, options: GroupOptions) -> GroupAnswer {
    // What a limit leaves a member even if all others help is a limit of its own, which needs no
    // price.
    let own: Vec<Room> = Room::at_best(problem);
    let members: Vec<GroupMember<'_>> = problem
        .members
        .iter()
        .zip(&own)
        .map(|(member, room)| GroupMember { problem: room.within(&member.problem), ..*member })
        .collect();
    solve_within(&GroupProblem { members: &members, ..*problem }, options)
}

fn solve_within(problem: &GroupProblem<'_>, options: GroupOptions) -> GroupAnswer {
    let rooms = Rooms::of(problem);
    let mut solver = LoneSolver::default();
    let least: f64 = problem
        .members
        .iter()
        .map(|member| reach(&member.problem).unmet.target.map_or(0.0, |missed| missed.missing_kwh))
        .sum();
    let steps = (POLISH / problem.members.len().max(1)).clamp(100, 2_000);
    let mut wish = Wish { own: 1.0, missing_price: f64::INFINITY, free_kwh: 0.0 };
    let nearly = approach(problem, &rooms, &mut solver, wish);
    let mut prices = nearly.prices;
    let mut plan = repair(problem, &mut solver, &nearly.power_kw, &prices);
    let mut missing_bound_kwh = least;
    if plan.missing_kwh > least + ROUNDING {
        improve(problem, &mut plan, options, 0);
    }
    if plan.missing_kwh > least + ROUNDING {
        let scarce = Wish { own: 0.0, missing_price: 1.0, free_kwh: 0.0 };
        let mut nearly = approach(problem, &rooms, &mut solver, scarce);
        let other = repair(problem, &mut solver, &nearly.power_kw, &nearly.prices);
        if other.is_better_than(&plan) {
            plan = other;
        }
        let mut bound = f64::NEG_INFINITY;
        let mut stale = 0;
        for round in 1..ROUNDS {
            let before = plan.missing_kwh;
            improve(problem, &mut plan, options, round);
            let terms = (plan.missing_kwh, steps);
            let mut scarce = scarce;
            let found =
                polish(problem, &rooms, &mut solver, &mut nearly.prices, &mut scarce, terms);
            bound = bound.max(found);
            stale = if before - plan.missing_kwh < ROUNDING { stale + 1 } else { 0 };
            if plan.missing_kwh - bound.max(least) < 1e-6 || stale > STALE {
                break;
            }
        }
        missing_bound_kwh = bound.max(least);
        wish.missing_price = missing_price(problem);
        wish.free_kwh = plan.missing_kwh;
        let nearly = approach(problem, &rooms, &mut solver, wish);
        let other = repair(problem, &mut solver, &nearly.power_kw, &nearly.prices);
        if other.is_better_than(&plan) {
            plan = other;
        }
        prices = nearly.prices;
    }
    wish.free_kwh = plan.missing_kwh;
    let mut bound = f64::NEG_INFINITY;
    let mut gap = f64::INFINITY;
    let mut stale = 0;
    for round in 0..=ROUNDS {
        let terms = (plan.cost, steps);
        bound = bound.max(polish(problem, &rooms, &mut solver, &mut prices, &mut wish, terms));
        let before = gap;
        gap = (plan.cost - bound) / plan.cost.abs().max(1.0);
        // What neither side makes better any more is a gap between them, or beyond their reach.
        stale = if gap > 0.9 * before { stale + 1 } else { 0 };
        if gap <= GOOD || round == ROUNDS || stale > STALE {
            break;
        }
        improve(problem, &mut plan, options, ROUNDS + round);
    }
    answer(problem, plan, (missing_bound_kwh, bound), &prices)
}

/// A price of missing energy that is above what moving a kWh in time can cost.
fn missing_price(problem: &GroupProblem<'_>) -> f64 {
    let prices = problem.members.iter().flat_map(|member| {
        member.problem.buy.iter().chain(member.problem.sell).map(|price| price.abs())
    });
    4.0 * prices.fold(0.1, f64::max)
}

fn answer(
    problem: &GroupProblem<'_>,
    plan: Plan,
    (missing_bound_kwh, bound): (f64, f64),
    prices: &[Vec<f64>],
) -> GroupAnswer {
    let nodes = problem.nodes.len();
    let mut price = vec![vec![0.0; problem.slots]; nodes];
    for (node, price) in price.iter_mut().enumerate() {
        for above in problem.upward(node) {
            let own = price.iter_mut().zip(&prices[above]);
            own.for_each(|(price, own)| *price += own / problem.slot_hours);
        }
    }
    let mut answer = GroupAnswer {
        power_kw: plan.power_kw,
        curtailed_kw: vec![vec![0.0; problem.slots]; nodes],
        violation_kwh: 0.0,
        violation_bound_kwh: 0.0,
        missing_kwh: 0.0,
        missing_bound_kwh,
        cost: 0.0,
        bound,
        price,
        binaries: 0,
    };
    answer.reckon(problem);
    answer
}

/// Makes schedules that keep limits nearly into ones that keep them.
fn repair(
    problem: &GroupProblem<'_>,
    solver: &mut LoneSolver,
    nearly: &[Vec<f64>],
    prices: &[Vec<f64>],
) -> Plan {
    let mut order: Vec<usize> = (0..problem.members.len()).collect();
    order.sort_by(|&a, &b| {
        let slack = |index: usize| slack(&problem.members[index]);
        slack(a).total_cmp(&slack(b)).then(a.cmp(&b))
    });
    let mut placed = fit::Placed::new(problem);
    let none = vec![vec![0.0; problem.slots]; problem.nodes.len()];
    for &index in &order {
        let member = &problem.members[index];
        let room = Room::of(problem, member, &placed.node_kw);
        if room.holds(&nearly[index]) {
            placed.put(index, nearly[index].clone());
            continue;
        }
        let own = GroupMember { problem: room.within(&member.problem), ..*member };
        let lone = solver.solve(problem, &own, prices, (1.0, f64::INFINITY));
        placed.put(index, lone.power_kw);
    }
    // Once more at their own prices, in the room that is left in the end.
    for &index in &order {
        let member = &problem.members[index];
        let before = placed.take(index);
        let room = Room::of(problem, member, &placed.node_kw);
        let own = GroupMember { problem: room.within(&member.problem), ..*member };
        let lone = solver.solve(problem, &own, &none, (1.0, f64::INFINITY));
        let missing = fit::missing(&member.problem, &before);
        let better = lone.missing_kwh < missing - ROUNDING
            || (lone.missing_kwh <= missing + 1e-9
                && member.problem.objective(&lone.power_kw) < member.problem.objective(&before));
        placed.put(index, if better { lone.power_kw } else { before.clone() });
        // Others may lean on what it draws or feeds in.
        if better && !placed.keeps_limits(index) {
            placed.take(index);
            placed.put(index, before);
        }
    }
    Plan::of(problem, placed.power_kw)
}

/// Hours of a member's stay beyond those that it needs.
fn slack(member: &GroupMember<'_>) -> f64 {
    let problem = &member.problem;
    let most: f64 = (0..problem.slots()).map(|slot| problem.charge_kwh_max(slot)).sum();
    let wanted = (problem.target_kwh - problem.energy_kwh).max(0.0);
    let stay = problem.slots() as f64 * problem.slot_hours;
    if most > 0.0 { stay * (1.0 - wanted / most) } else { stay }
}

/// Lets a part of the members at a time find their joint optimum, all of them once.
fn improve(problem: &GroupProblem<'_>, plan: &mut Plan, options: GroupOptions, round: usize) {
    let mut order: Vec<usize> = (0..problem.members.len()).collect();
    shuffle(&mut order, round as u64);
    let columns = |index: &usize| problem.members[*index].columns();
    // Half of the members at most: a part is a part.
    let most = BLOCK.max(order.len().div_ceil(2));
    let mut rest = order.as_slice();
    while !rest.is_empty() {
        let fits = rest.iter().scan(0, |sum, index| {
            *sum += columns(index);
            Some(*sum)
        });
        let count = fits.take_while(|&sum| sum <= BLOCK_COLUMNS).count().clamp(1, most);
        let (block, others) = rest.split_at(count);
        rest = others;
        let Some(better) = joint(problem, plan, options, block) else { continue };
        if better.is_better_than(plan) && better.keeps_limits(problem) {
            *plan = better;
        }
    }
}

/// The plan in which the members of a block have their joint optimum.
fn joint(
    problem: &GroupProblem<'_>,
    plan: &Plan,
    options: GroupOptions,
    block: &[usize],
) -> Option<Plan> {
    let mut given: Vec<Vec<f64>> = problem
        .nodes
        .iter()
        .map(|node| (0..problem.slots).map(|slot| node.given_kw.at(slot)).collect())
        .collect();
    for (index, member) in problem.members.iter().enumerate() {
        if !block.contains(&index) {
            let there = given[member.node][member.first_slot..].iter_mut();
            there.zip(&plan.power_kw[index]).for_each(|(given, power)| *given += power);
        }
    }
    let nodes: Vec<GroupNode<'_>> = problem
        .nodes
        .iter()
        .zip(&given)
        .map(|(node, given)| GroupNode { given_kw: PerSlot::Each(given), ..*node })
        .collect();
    let members: Vec<GroupMember<'_>> = block.iter().map(|&at| problem.members[at]).collect();
    let part = GroupProblem { members: &members, nodes: &nodes, ..*problem };
    let found = solve_program(&part, options)?;
    let mut power_kw = plan.power_kw.clone();
    for (&index, power) in block.iter().zip(found.power_kw) {
        power_kw[index] = power;
    }
    Some(Plan::of(problem, power_kw))
}

/// An order that is the same on every machine.
fn shuffle(order: &mut [usize], seed: u64) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
    for last in (1..order.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let other = usize::try_from(state % (last as u64 + 1)).unwrap_or(0);
        order.swap(last, other);
    }
}
