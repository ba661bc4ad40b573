//! The decomposition: prices of limits and costs, schedules at them, a repair that keeps limits.
//!
//! It takes groups whose hard limits given power keeps by itself, if need be by curtailing
//! ([`takes`]); what may be [curtailed](Sun) are members, too. The [augmented Lagrangian](super::lagrange) gives schedules that nearly keep
//! limits. The repair places members one by one in the room that is left, those with the least
//! time to spare first, and then lets a part of them at a time find their joint optimum by the
//! program, others staying as they are: that never makes an answer worse, and keeps every limit.
//! The best answer known is the target at which steps aim that improve prices and so the bound.

use super::{
    GroupAnswer, GroupMember, GroupNode, GroupOptions, GroupProblem, Plans,
    again::{self, Start},
    build::reach,
    check::LIMIT_TOLERANCE,
    dual::{Aim, Wish, polish},
    exact::solve_program,
    fit::{self, Placed, Room},
    lagrange::{Nearly, ROUNDS_MAX, Tools, approach, still},
    lone::{LoneSolver, Tariffs},
    sun::Sun,
    terms::Terms,
};
use crate::problem::{PerSlot, StorageProblem};

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
/// Members from which on bounds are near without much polish.
const LARGE: usize = 500;
/// Relative gap that is good enough.
const GOOD: f64 = 1e-5;
/// The same for a large group whose nodes cost: parts of it have programs as large as its nodes.
const GOOD_AT_COSTS: f64 = 1e-4;
/// Missing energy below this is rounding, kWh.
const ROUNDING: f64 = 1e-7;

/// Missing energy that a program may exceed the least by, relative.
const HELD: f64 = 2e-8;

/// Rounds after which prices show whether wishes can be met.
const ROUNDS_TO_SEE: usize = 10;

/// Whether the decomposition takes a group with what of it may be curtailed.
pub(super) fn takes(problem: &GroupProblem<'_>, sun: &Sun) -> bool {
    let stands_still = |member: &GroupMember<'_>| {
        let (reach, energy) = (reach(&member.problem), member.problem.energy_kwh);
        reach.floor.iter().all(|&floor| floor <= energy)
            && reach.ceiling.iter().all(|&ceiling| ceiling >= energy)
    };
    keeps_limits(problem, &sun.idle_powers(problem)) && problem.members.iter().all(stands_still)
}

/// Schedules of all members, with what they leave missing and cost.
#[derive(Debug, Clone)]
struct Plan {
    power_kw: Vec<Vec<f64>>,
    /// Given power included.
    node_kw: Vec<Vec<f64>>,
    missing_kwh: f64,
    cost: f64,
}

/// What some members leave missing, kWh, and cost.
#[derive(Debug, Clone, Copy)]
struct Worth {
    missing_kwh: f64,
    cost: f64,
}

impl Worth {
    fn of<'p>(members: impl Iterator<Item = (&'p GroupMember<'p>, &'p Vec<f64>)>) -> Self {
        let mut worth = Self { missing_kwh: 0.0, cost: 0.0 };
        for (member, power) in members {
            worth.missing_kwh += fit::missing(&member.problem, power);
            worth.cost += member.problem.objective(power);
        }
        worth
    }

    fn is_better_than(self, other: Self) -> bool {
        let rounding = ROUNDING.max(HELD * other.missing_kwh);
        self.missing_kwh < other.missing_kwh - rounding
            || (self.missing_kwh <= other.missing_kwh + rounding && self.cost < other.cost)
    }
}

impl Plan {
    fn of(problem: &GroupProblem<'_>, terms: &Terms, power_kw: Vec<Vec<f64>>) -> Self {
        let nothing = vec![vec![0.0; problem.slots]; problem.nodes.len()];
        let node_kw = problem.node_powers(&power_kw, &nothing);
        let Worth { missing_kwh, cost } = Worth::of(problem.members.iter().zip(&power_kw));
        let cost = cost + terms.cost(&node_kw);
        Self { power_kw, node_kw, missing_kwh, cost }
    }

    fn worth(&self) -> Worth {
        Worth { missing_kwh: self.missing_kwh, cost: self.cost }
    }

    fn replace_if_better(&mut self, other: Self) {
        if other.worth().is_better_than(self.worth()) {
            *self = other;
        }
    }

    /// Power of nodes without some members, kW.
    fn without(&self, problem: &GroupProblem<'_>, block: &[usize]) -> Vec<Vec<f64>> {
        let mut node_kw = self.node_kw.clone();
        for &index in block {
            let member = &problem.members[index];
            for above in problem.upward(member.node) {
                let there = node_kw[above][member.first_slot..].iter_mut();
                there.zip(&self.power_kw[index]).for_each(|(sum, power)| *sum -= power);
            }
        }
        node_kw
    }
}

/// A member in a room of its own, if it has one.
fn limited<'a>(member: &GroupMember<'a>, room: Option<&'a Room>) -> GroupMember<'a> {
    match room {
        Some(room) => GroupMember { problem: room.within(&member.problem), ..*member },
        None => *member,
    }
}

/// How much is done for a group; gaps are relative.
#[derive(Debug, Clone, Copy)]
struct Effort {
    /// Gap and breach at which the augmented Lagrangian ends.
    near: f64,
    /// Gap at which a polish of prices ends.
    enough: f64,
    /// Gap beyond which parts of the members are planned together.
    good: f64,
    /// Most steps of a polish.
    steps: usize,
    /// Missing energy beyond its lower bound that is good enough, kWh.
    missing_kwh: f64,
}

impl Effort {
    /// That for a group; `again` where plans in force are a start, and the answer soon makes room
    /// for the next one.
    fn of(problem: &GroupProblem<'_>, again: bool) -> Self {
        let count = problem.members.len();
        let wanted =
            |of: &GroupMember<'_>| (of.problem.target_kwh - of.problem.energy_kwh).max(0.0);
        let wanted_kwh: f64 = problem.members.iter().map(wanted).sum();
        let missing_kwh =
            if count < LARGE && !again { 1e-6 } else { (1e-5 * wanted_kwh).max(1e-6) };
        if again {
            return Self { near: 5e-4, enough: 1e-4, good: 5e-4, steps: 60, missing_kwh };
        }
        let (near, enough) =
            if count < LARGE { (GOOD / 10.0, GOOD / 10.0) } else { (GOOD, GOOD / 2.0) };
        let steps = (POLISH / count.max(1)).clamp(100, 2_000);
        if count >= LARGE && problem.nodes.iter().any(|node| !node.costs.is_empty()) {
            return Self {
                near,
                enough: GOOD_AT_COSTS / 2.0,
                good: GOOD_AT_COSTS,
                steps,
                missing_kwh,
            };
        }
        Self { near, enough, good: GOOD, steps, missing_kwh }
    }
}

/// A group with what it is solved with.
struct Search<'a> {
    problem: &'a GroupProblem<'a>,
    options: GroupOptions,
    terms: Terms,
    tools: Tools,
    /// Missing energy that nobody can help, kWh.
    least_kwh: f64,
    effort: Effort,
}

/// Solves a group that it [takes]; `plans` are what members would do otherwise, as far as known.
pub(super) fn solve(
    problem: &GroupProblem<'_>,
    sun: &Sun,
    options: GroupOptions,
    plans: Plans<'_>,
) -> GroupAnswer {
    let nodes = sun.nodes(problem);
    let curtailing = sun.members(problem.slot_hours);
    let all: Vec<GroupMember<'_>> = problem.members.iter().chain(&curtailing).copied().collect();
    let whole = GroupProblem { members: &all, nodes: &nodes, ..*problem };
    // What a limit leaves a member even if all others help is a limit of its own, which needs no
    // price.
    let own = Room::at_best(&whole);
    let rows = all.iter().zip(&own);
    let members: Vec<GroupMember<'_>> =
        rows.map(|(member, room)| limited(member, room.as_ref())).collect();
    let whole = GroupProblem { members: &members, ..whole };
    let mut answer = Search::new(&whole, options).run(plans);
    answer.curtailed_kw = sun.curtailed(&answer.power_kw.split_off(problem.members.len()));
    answer.reckon(problem);
    answer
}

impl<'a> Search<'a> {
    fn new(problem: &'a GroupProblem<'a>, options: GroupOptions) -> Self {
        let lone = |member: &GroupMember<'_>| {
            reach(&member.problem).unmet.target.map_or(0.0, |missed| missed.missing_kwh)
        };
        Self {
            problem,
            options,
            terms: Terms::of(problem),
            tools: Tools { solver: LoneSolver::default(), tariffs: Tariffs::of(problem) },
            least_kwh: problem.members.iter().map(lone).sum(),
            effort: Effort::of(problem, false),
        }
    }

    fn run(mut self, plans: Plans<'_>) -> GroupAnswer {
        let mut wish = Wish { own: 1.0, missing_price: f64::INFINITY, free_kwh: 0.0 };
        let mut missing_bound_kwh = self.least_kwh;
        let start = again::start(self.problem, &self.terms, plans);
        if start.is_some() {
            self.effort = Effort::of(self.problem, true);
        }
        let (mut nearly, mut plan) = self.first_plan(wish, start);
        if self.misses(&plan) {
            let scarcity = self.meet_wishes(&mut plan, &mut missing_bound_kwh);
            if self.misses(&plan) {
                wish.missing_price = self.missing_price(&plan);
                wish.free_kwh = plan.missing_kwh;
                nearly = self.approach(wish, Some(scarce_start(&plan, &scarcity, wish)));
                plan.replace_if_better(self.repair(&nearly));
            }
        }
        if nearly.is_far && wish.missing_price.is_infinite() {
            nearly = self.approach(wish, Some(nearly));
            plan.replace_if_better(self.repair(&nearly));
        }
        wish.free_kwh = plan.missing_kwh;
        let bound = self.lower_cost(&mut plan, &mut nearly, wish);
        let prices = self.terms.by_node(&nearly.prices);
        answer(self.problem, plan, (missing_bound_kwh, bound), &prices)
    }

    /// Schedules of least cost, as if all wishes could be met; far from it where they cannot.
    fn first_plan(&mut self, wish: Wish, start: Option<Start>) -> (Nearly, Plan) {
        let start = start.map(|start| (start.misses, start.nearly));
        if let Some((true, start)) = start {
            let plan = self.repair(&start);
            return (Nearly { is_far: true, ..still(self.problem, &self.terms) }, plan);
        }
        let course = (start.map(|(_, start)| start), self.effort.near);
        let nearly =
            approach(self.problem, &self.terms, &mut self.tools, wish, course, ROUNDS_TO_SEE);
        let mut plan = self.repair(&nearly);
        if self.misses(&plan) && !nearly.is_far {
            self.improve(&mut plan, 0);
        }
        (nearly, plan)
    }

    fn misses(&self, plan: &Plan) -> bool {
        plan.missing_kwh > self.least_kwh + ROUNDING
    }

    /// A price of missing energy that is above what moving a kWh in time can cost.
    fn missing_price(&self, plan: &Plan) -> f64 {
        let prices = self.problem.members.iter().flat_map(|member| {
            member.problem.buy.iter().chain(member.problem.sell).map(|price| price.abs())
        });
        let marginal = self.terms.marginal(&plan.node_kw);
        let of_nodes = marginal.iter().flatten().fold(0.0, |most: f64, of| most.max(of.abs()));
        4.0 * (prices.fold(0.1, f64::max) + of_nodes / self.problem.slot_hours)
    }

    fn approach(&mut self, wish: Wish, start: Option<Nearly>) -> Nearly {
        let course = (start, self.effort.near);
        approach(self.problem, &self.terms, &mut self.tools, wish, course, ROUNDS_MAX)
    }

    fn polish(&mut self, prices: &mut Vec<Vec<f64>>, wish: &mut Wish, best: f64) -> f64 {
        let aim = Aim { best, steps: self.effort.steps, enough: self.effort.enough };
        polish(self.problem, &self.terms, &mut self.tools, prices, wish, aim)
    }

    /// Looks for the least missing energy, and raises its lower bound; gives the prices that prove
    /// it, kWh per kW and slot.
    fn meet_wishes(&mut self, plan: &mut Plan, bound: &mut f64) -> Vec<Vec<f64>> {
        let scarce = Wish { own: 0.0, missing_price: 1.0, free_kwh: 0.0 };
        let start = again::prices(self.problem, &self.terms, &plan.power_kw, scarce);
        let mut nearly = self.approach(scarce, Some(Nearly::at(plan.power_kw.clone(), start)));
        *bound = bound.max(nearly.bound);
        plan.replace_if_better(self.repair(&nearly));
        let mut stale = 0;
        for round in 1..ROUNDS {
            if plan.missing_kwh - *bound < self.effort.missing_kwh || stale > STALE {
                break;
            }
            let before = plan.missing_kwh;
            self.improve(plan, round);
            let mut scarce = scarce;
            let found = self.polish(&mut nearly.prices, &mut scarce, plan.missing_kwh);
            *bound = bound.max(found);
            stale = if before - plan.missing_kwh < ROUNDING { stale + 1 } else { 0 };
        }
        nearly.prices
    }

    /// Looks for the least cost at the missing energy; gives its lower bound.
    fn lower_cost(&mut self, plan: &mut Plan, nearly: &mut Nearly, mut wish: Wish) -> f64 {
        let free = if wish.missing_price.is_finite() { wish.missing_price } else { 0.0 };
        let mut bound = nearly.bound + free * (nearly.free_kwh - wish.free_kwh);
        let mut gap = (plan.cost - bound) / plan.cost.abs().max(1.0);
        let mut stale = 0;
        for round in 0..=ROUNDS {
            if gap <= self.effort.enough {
                break;
            }
            bound = bound.max(self.polish(&mut nearly.prices, &mut wish, plan.cost));
            let before = gap;
            gap = (plan.cost - bound) / plan.cost.abs().max(1.0);
            // What neither side makes better any more is a gap between them, or beyond their reach.
            stale = if gap > 0.9 * before { stale + 1 } else { 0 };
            if gap <= self.effort.good || round == ROUNDS || stale > STALE {
                break;
            }
            self.improve(plan, ROUNDS + round);
        }
        bound
    }

    /// Makes schedules that keep limits nearly into ones that keep them: in two ways, of which the
    /// better one stands.
    fn repair(&mut self, nearly: &Nearly) -> Plan {
        let order = most_urgent_first(self.problem);
        let mut placed = self.place(nearly, &order);
        self.settle(&mut placed, &order);
        let mut plan = Plan::of(self.problem, &self.terms, placed.power_kw);
        let mut placed = self.thin_out(nearly, &order);
        if keeps_limits(self.problem, &placed.node_kw) {
            self.settle(&mut placed, &order);
            plan.replace_if_better(Plan::of(self.problem, &self.terms, placed.power_kw));
        }
        plan
    }

    /// Places members one by one in the room that the others have left so far.
    fn place(&mut self, nearly: &Nearly, order: &[usize]) -> Placed<'a> {
        let added = self.terms.by_node(&nearly.prices);
        let mut placed = Placed::new(self.problem);
        for &index in order {
            let power_kw = self.within_room(&placed, index, &added, nearly.power_kw[index].clone());
            placed.put(index, power_kw);
        }
        placed
    }

    /// Lets those that are beyond limits do less, those first that have the most time to spare.
    /// Limits may be broken still where one leans on what another does.
    fn thin_out(&mut self, nearly: &Nearly, order: &[usize]) -> Placed<'a> {
        let added = self.terms.by_node(&nearly.prices);
        let mut placed = Placed::new(self.problem);
        for (index, power_kw) in nearly.power_kw.iter().enumerate() {
            placed.put(index, power_kw.clone());
        }
        for &index in order.iter().rev() {
            let power_kw = placed.take(index);
            let power_kw = self.within_room(&placed, index, &added, power_kw);
            placed.put(index, power_kw);
        }
        placed
    }

    /// A member's schedule, or what it can do best in the room that others leave it.
    fn within_room(
        &mut self,
        placed: &Placed<'_>,
        index: usize,
        prices: &[Vec<f64>],
        power_kw: Vec<f64>,
    ) -> Vec<f64> {
        let member = &self.problem.members[index];
        let room = Room::of(self.problem, member, &placed.node_kw);
        if room.holds(&power_kw) {
            return power_kw;
        }
        let added = self.problem.prices_of(member, prices);
        let discharges = (0..power_kw.len()).any(|at| member.problem.discharge_kw_max.at(at) > 0.0);
        if !discharges {
            return self.clip(&member.problem, &room, &added, power_kw);
        }
        let within = room.within(&member.problem);
        self.tools.solver.solve(&within, &added, (1.0, f64::INFINITY)).power_kw
    }

    /// What a schedule that only charges has within a room, and elsewhere what is lost by that: as
    /// near to it as can be, for it is nearly right.
    fn clip(
        &mut self,
        problem: &StorageProblem<'_>,
        room: &Room,
        added: &[f64],
        mut power_kw: Vec<f64>,
    ) -> Vec<f64> {
        let ceiling = reach(problem).ceiling;
        let wanted: f64 = power_kw.iter().map(|&kw| problem.energy_for(kw)).sum();
        let left = room.clip(&mut power_kw);
        let kept = problem.energies(&power_kw);
        let space: Vec<f64> =
            ceiling.iter().zip(&kept).map(|(most, kwh)| (most - kwh).max(0.0)).collect();
        let gained = kept.last().map_or(0.0, |kwh| kwh - problem.energy_kwh);
        let more = StorageProblem {
            charge_kw_max: PerSlot::Each(&left),
            energy_kwh_min: PerSlot::Same(0.0),
            energy_kwh_max: PerSlot::Each(&space),
            energy_kwh: 0.0,
            target_kwh: wanted - gained,
            terminal_value: 0.0,
            ..*problem
        };
        let more = self.tools.solver.solve(&more, added, (1.0, f64::INFINITY)).power_kw;
        let both = power_kw.iter_mut().zip(more).enumerate();
        both.for_each(|(slot, (kw, more))| *kw = (*kw + more).min(problem.charge_kw_max.at(slot)));
        power_kw
    }

    /// Solves members once more at their own prices, in the room that is left in the end. Where
    /// power of nodes costs, these are not all that counts.
    fn settle(&mut self, placed: &mut Placed<'_>, order: &[usize]) {
        if self.terms.have_costs() {
            return;
        }
        let problem = self.problem;
        let free = vec![0.0; problem.slots];
        for &index in order {
            let member = &problem.members[index];
            let before = placed.take(index);
            let room = Room::of(problem, member, &placed.node_kw);
            let free = &free[..member.problem.slots()];
            let within = room.within(&member.problem);
            let lone = self.tools.solver.solve(&within, free, (1.0, f64::INFINITY));
            let missing = fit::missing(&member.problem, &before);
            let better = lone.missing_kwh < missing - ROUNDING
                || (lone.missing_kwh <= missing + 1e-9
                    && member.problem.objective(&lone.power_kw)
                        < member.problem.objective(&before));
            placed.put(index, if better { lone.power_kw } else { before.clone() });
            // Others may lean on what it draws or feeds in.
            if better && !placed.keeps_limits(index) {
                placed.take(index);
                placed.put(index, before);
            }
        }
    }

    /// Lets a part of the members at a time find their joint optimum, all of them once.
    fn improve(&mut self, plan: &mut Plan, round: usize) {
        let mut order: Vec<usize> = (0..self.problem.members.len()).collect();
        shuffle(&mut order, round as u64);
        let columns = |index: &usize| self.problem.members[*index].columns();
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
            join(self.problem, &self.terms, self.options, plan, block);
        }
    }
}

/// Where limits keep energy from being met, their prices are that energy's first.
fn scarce_start(plan: &Plan, scarcity: &[Vec<f64>], wish: Wish) -> Nearly {
    let times = |prices: &Vec<f64>| prices.iter().map(|price| price * wish.missing_price).collect();
    Nearly::at(plan.power_kw.clone(), scarcity.iter().map(times).collect())
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

/// Members by the time that they have to spare.
fn most_urgent_first(problem: &GroupProblem<'_>) -> Vec<usize> {
    let slacks: Vec<f64> = problem.members.iter().map(slack).collect();
    let mut order: Vec<usize> = (0..problem.members.len()).collect();
    order.sort_by(|&a, &b| slacks[a].total_cmp(&slacks[b]).then(a.cmp(&b)));
    order
}

/// Hours of a member's stay beyond those that it needs.
fn slack(member: &GroupMember<'_>) -> f64 {
    let problem = &member.problem;
    let most: f64 = (0..problem.slots()).map(|slot| problem.charge_kwh_max(slot)).sum();
    let wanted = (problem.target_kwh - problem.energy_kwh).max(0.0);
    let stay = problem.slots() as f64 * problem.slot_hours;
    if most > 0.0 { stay * (1.0 - wanted / most) } else { stay }
}

/// Gives the members of a block their joint optimum, others staying as they are, if it is better.
fn join(
    problem: &GroupProblem<'_>,
    terms: &Terms,
    options: GroupOptions,
    plan: &mut Plan,
    block: &[usize],
) {
    let given = plan.without(problem, block);
    let own = problem.without_below(&given);
    let nodes: Vec<GroupNode<'_>> = problem
        .nodes
        .iter()
        .zip(&own)
        .map(|(node, own)| GroupNode { given_kw: PerSlot::Each(own), ..*node })
        .collect();
    let members: Vec<GroupMember<'_>> = block.iter().map(|&at| problem.members[at]).collect();
    let part = GroupProblem { members: &members, nodes: &nodes, ..*problem };
    let Some(found) = solve_program(&part, options) else { return };
    let mut before = Worth::of(members.iter().zip(block.iter().map(|&at| &plan.power_kw[at])));
    let mut after = Worth::of(members.iter().zip(&found.power_kw));
    before.cost += terms.cost(&plan.node_kw);
    let node_kw = part.node_powers(&found.power_kw, &found.curtailed_kw);
    after.cost += terms.cost(&node_kw);
    if !after.is_better_than(before) {
        return;
    }
    if !keeps_limits(problem, &node_kw) {
        return;
    }
    plan.node_kw = node_kw;
    plan.missing_kwh += after.missing_kwh - before.missing_kwh;
    plan.cost += after.cost - before.cost;
    for (&index, power) in block.iter().zip(found.power_kw) {
        plan.power_kw[index] = power;
    }
}

/// Whether no limit is exceeded by more than sums round.
fn keeps_limits(problem: &GroupProblem<'_>, node_kw: &[Vec<f64>]) -> bool {
    problem.nodes.iter().zip(node_kw).all(|(node, powers)| {
        let breach = |(slot, &power): (usize, &f64)| node.breach(slot, power);
        let mut breaches = powers.iter().enumerate().map(breach);
        node.breach_price.is_some() || breaches.all(|breach| breach <= LIMIT_TOLERANCE / 2.0)
    })
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
