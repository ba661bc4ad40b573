//! The augmented Lagrangian: members move one by one towards what is best for them at prices of
//! limits that rise where these are broken, and of costs that rise with power.

use super::{
    GroupProblem,
    dual::{Wish, bound},
    fit::missing,
    lone::{Lone, LoneSolver, Tariffs},
    terms::{Term, Terms},
};
use crate::problem::StorageProblem;

/// Rounds of prices after which an answer that is nearly right ends them.
const ROUNDS: usize = 60;
/// Most rounds of prices.
pub(super) const ROUNDS_MAX: usize = 200;
/// Gap and breach, relative, of an answer that is nearly right.
const NEARLY: f64 = 1e-4;
/// What of limits may be broken then, relative: a repair takes it away.
const BROKEN: f64 = 1e-3;
/// A breach that is far from it: wishes may not be met.
const FAR: f64 = 1e-2;
/// Most doublings of the stiffness of what costs.
const DOUBLINGS: u32 = 12;
/// Rounds after which a breach that stays is looked at.
const SETTLED: usize = 10;
/// The same for limits: prices of stiffer ones swing with each member's step.
const LIMIT_DOUBLINGS: u32 = 5;
/// Least passes over all members at a round's prices; few members get more, as each of them must
/// go a longer way.
const PASSES: usize = 2;
/// What prices differ by where they are the same throughout, per kWh.
const FLAT: f64 = 0.05;
/// Rounds after which the bound is looked at again.
const CHECK: usize = 2;
/// Evaluations of a slope by which the best share of a way is found.
const SECANTS: usize = 8;
/// Members of one part move at prices of one moment, each as far as is good when it does: ranking
/// slots by price is the larger part of the work.
const PARTS: usize = 64;

/// Schedules that keep limits nearly, and prices that are nearly right.
#[derive(Debug, Clone)]
pub(super) struct Nearly {
    pub(super) power_kw: Vec<Vec<f64>>,
    /// By term and slot, per kW and slot.
    pub(super) prices: Vec<Vec<f64>>,
    /// Who has no schedule yet.
    pub(super) fresh: Vec<bool>,
    /// The lower bound that the prices prove at missing energy that is free, kWh.
    pub(super) bound: f64,
    pub(super) free_kwh: f64,
    /// Whether schedules were still far from keeping limits.
    pub(super) is_far: bool,
}

impl Nearly {
    /// Schedules and prices to begin with.
    pub(super) fn at(power_kw: Vec<Vec<f64>>, prices: Vec<Vec<f64>>) -> Self {
        Self {
            fresh: vec![false; power_kw.len()],
            power_kw,
            prices,
            bound: f64::NEG_INFINITY,
            free_kwh: 0.0,
            is_far: false,
        }
    }
}

/// What members are solved with.
pub(super) struct Tools {
    pub(super) solver: LoneSolver,
    pub(super) tariffs: Tariffs,
}

struct Course<'a> {
    problem: &'a GroupProblem<'a>,
    terms: &'a Terms,
    wish: Wish,
    /// Prices so far, by term and slot, per kW and slot.
    prices: Vec<Vec<f64>>,
    /// How fast they rise with a distance, by term.
    stiffness: Vec<f64>,
    /// How often it was doubled.
    doublings: u32,
    /// The same of limits, by node.
    limit_doublings: Vec<u32>,
    /// Levels of peaks, by term.
    levels: Vec<f64>,
    power_kw: Vec<Vec<f64>>,
    fresh: Vec<bool>,
    /// Power of nodes, given power included.
    node_kw: Vec<Vec<f64>>,
    /// A node's power on the way of the member that moves.
    trial_kw: Vec<f64>,
    /// Prices of the member that moves, by slot of its stay.
    added: Vec<f64>,
    /// What it changes, by slot of the group, kW.
    changes: Vec<(usize, f64)>,
}

/// Runs the rounds until schedules are within `enough`, relative, of both bound and limits, or
/// `rounds` of them if schedules are far from limits then.
pub(super) fn approach(
    problem: &GroupProblem<'_>,
    terms: &Terms,
    tools: &mut Tools,
    wish: Wish,
    (start, enough): (Option<Nearly>, f64),
    rounds: usize,
) -> Nearly {
    let begun = start.is_some();
    let start = start.unwrap_or_else(|| still(problem, terms));
    let mut course = Course::new(problem, terms, wish, start);
    let passes = (60 / problem.members.len().max(1)).clamp(PASSES, 20);
    let mut best = (f64::NEG_INFINITY, course.prices.clone());
    course.pass(tools, true);
    let flow_kw = flows(problem, &course.power_kw);
    course.stiffness = stiffness(problem, terms, wish, &course.node_kw, &flow_kw);
    course.find_levels();
    let mut is_far = false;
    // Cost, bound and breaches when they were looked at last.
    let mut last = (f64::INFINITY, f64::NEG_INFINITY, vec![f64::INFINITY; problem.nodes.len()]);
    for round in 0..ROUNDS_MAX {
        if round > 0 {
            (0..passes).for_each(|_| course.pass(tools, false));
            course.raise();
        }
        // At first only what was begun has prices that say something.
        if round % CHECK != 0 || (round == 0 && !begun) {
            continue;
        }
        let found = bound(problem, terms, tools, &course.prices, wish).value;
        if found > best.0 {
            best = (found, course.prices.clone());
        }
        let (cost, breaches) = (course.cost(), course.breaches());
        let breach = breaches.iter().copied().fold(0.0, f64::max);
        let apart = (cost - best.0).abs() / cost.abs().max(1.0);
        // Where energy may be missing, its price is where those of limits end.
        let stays = round >= SETTLED && wish.missing_price.is_infinite();
        let stuck = stays && course.stiffen_limits(&breaches, &last.2);
        course.stiffen_costs((cost - last.0).abs(), best.0 - last.1, (cost - best.0).abs());
        last = (cost, best.0, breaches);
        let (allowed, broken) =
            if round < ROUNDS { (enough, enough) } else { (enough.max(NEARLY), BROKEN) };
        is_far = breach > FAR || stuck;
        if (apart <= allowed && breach <= broken.max(allowed)) || (is_far && round >= rounds) {
            break;
        }
    }
    Nearly {
        bound: best.0,
        free_kwh: wish.free_kwh,
        is_far,
        fresh: course.fresh,
        ..Nearly::at(course.power_kw, best.1)
    }
}

/// Nobody moves, at prices of 0.
pub(super) fn still(problem: &GroupProblem<'_>, terms: &Terms) -> Nearly {
    let still = |member: &super::GroupMember<'_>| vec![0.0; member.problem.slots()];
    let power_kw = problem.members.iter().map(still).collect();
    let fresh = vec![true; problem.members.len()];
    Nearly { fresh, ..Nearly::at(power_kw, terms.marginal(&terms.idle_kw)) }
}

/// A breach of twice what flows at a node is worth the whole spread of prices: stiffer ones make
/// prices swing with each member's step, so that they prove little. What flows is `flow_kw`, or the
/// room for it where that is less.
fn stiffness(
    problem: &GroupProblem<'_>,
    terms: &Terms,
    wish: Wish,
    node_kw: &[Vec<f64>],
    flow_kw: &[f64],
) -> Vec<f64> {
    let own = wish.own * price_spread(problem, terms, node_kw);
    let spread = if wish.missing_price.is_finite() { own.max(wish.missing_price) } else { own };
    let largest = largest(problem);
    let one = |(term, &node): (usize, &usize)| {
        let room = |slot| terms.import_room(node, slot);
        let finite = (0..problem.slots).map(room).filter(|room| room.is_finite());
        let (sum, count) = finite.fold((0.0, 0.0), |(sum, count), room| (sum + room, count + 1.0));
        let room = sum / f64::max(count, 1.0);
        let room = if count > 0.0 { room.min(flow_kw[node]) } else { flow_kw[node] };
        let worth = match &terms.all[term] {
            Term::Peak { price, .. } => price.min(spread * problem.slot_hours),
            Term::Limits { .. } | Term::Lines(_) | Term::Quadratic { .. } => {
                spread * problem.slot_hours
            }
        };
        0.5 * worth.max(f64::MIN_POSITIVE) / room.max(largest)
    };
    terms.node.iter().enumerate().map(one).collect()
}

/// What prices differ by between slots, of members and of nodes at their powers, per kWh.
fn price_spread(problem: &GroupProblem<'_>, terms: &Terms, node_kw: &[Vec<f64>]) -> f64 {
    let own = problem.members.iter().flat_map(|member| member.problem.buy.iter().copied());
    let spread = |(least, most): (f64, f64)| (most - least).max(0.0);
    let range = |(least, most): (f64, f64), price: f64| (least.min(price), most.max(price));
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    let own = spread(own.fold(none, range));
    if !terms.have_costs() {
        return own.max(FLAT);
    }
    let marginal = terms.marginal(node_kw);
    let of_nodes = marginal.iter().map(|prices| spread(prices.iter().copied().fold(none, range)));
    of_nodes.fold(0.0, f64::max) / problem.slot_hours + own
}

/// What members at and below each node draw and feed in on average, kW.
fn flows(problem: &GroupProblem<'_>, power_kw: &[Vec<f64>]) -> Vec<f64> {
    let mut flows = vec![0.0; problem.nodes.len()];
    for (member, power) in problem.members.iter().zip(power_kw) {
        let sum: f64 = power.iter().map(|power| power.abs()).sum();
        for above in problem.upward(member.node) {
            flows[above] += sum / problem.slots.max(1) as f64;
        }
    }
    flows
}

/// What members at and below each node could draw on average, kW.
fn chargers(problem: &GroupProblem<'_>) -> Vec<f64> {
    let most = |member: &super::GroupMember<'_>| {
        (0..member.problem.slots()).map(|slot| member.problem.charge_kw_max.at(slot)).collect()
    };
    let most: Vec<Vec<f64>> = problem.members.iter().map(most).collect();
    flows(problem, &most)
}

/// The power of the largest charger, kW.
fn largest(problem: &GroupProblem<'_>) -> f64 {
    let all = problem.members.iter().flat_map(|member| {
        (0..member.problem.slots()).map(|slot| member.problem.charge_kw_max.at(slot))
    });
    all.fold(0.1, f64::max)
}

/// What a power costs in a slot, per hour.
fn slot_money(problem: &StorageProblem<'_>, slot: usize, power: f64) -> f64 {
    power * if power > 0.0 { problem.buy[slot] } else { problem.sell[slot] - problem.degradation }
}

impl<'a> Course<'a> {
    fn new(problem: &'a GroupProblem<'a>, terms: &'a Terms, wish: Wish, start: Nearly) -> Self {
        let mut node_kw = terms.idle_kw.clone();
        for (member, power) in problem.members.iter().zip(&start.power_kw) {
            for above in problem.upward(member.node) {
                let there = node_kw[above][member.first_slot..].iter_mut();
                there.zip(power).for_each(|(sum, power)| *sum += power);
            }
        }
        let stiffness = stiffness(problem, terms, wish, &node_kw, &chargers(problem));
        let mut this = Self {
            problem,
            terms,
            wish,
            prices: start.prices,
            levels: vec![0.0; stiffness.len()],
            stiffness,
            doublings: 0,
            limit_doublings: vec![0; problem.nodes.len()],
            power_kw: start.power_kw,
            fresh: start.fresh,
            node_kw,
            trial_kw: Vec::new(),
            added: Vec::new(),
            changes: Vec::new(),
        };
        this.find_levels();
        this
    }

    fn costs_count(&self) -> bool {
        self.wish.own > 0.0
    }

    fn find_levels(&mut self) {
        (0..self.levels.len()).for_each(|term| self.find_level(term));
    }

    fn find_level(&mut self, term: usize) {
        let power = self.node_kw[self.terms.node[term]].iter().copied();
        self.levels[term] =
            self.terms.all[term].level(&self.prices[term], self.stiffness[term], power);
    }

    /// Lets each member move once; `fresh`: those without a schedule alone, all the way.
    fn pass(&mut self, tools: &mut Tools, fresh: bool) {
        let members = self.problem.members.len();
        let part = members.div_ceil(PARTS);
        let terms = (self.wish.own, self.wish.missing_price);
        let shared = tools.tariffs.all.len() * 4 <= part && !fresh;
        for index in 0..members {
            if fresh && !self.fresh[index] {
                continue;
            }
            let member = &self.problem.members[index];
            let lone = if shared {
                if index % part == 0 {
                    let now = self.terms.by_node(&self.prices_now());
                    tools.tariffs.price(self.problem, &now, terms.0);
                }
                tools.solver.solve_at_tariff(member, tools.tariffs.at(index), terms)
            } else {
                self.price_stay(index);
                tools.solver.solve(&member.problem, &self.added, terms)
            };
            self.step(index, lone, fresh);
        }
    }

    /// The price of a node's slot at a power.
    fn price(&self, node: usize, slot: usize, power: f64) -> f64 {
        let terms = self.terms.at[node].iter();
        terms.map(|&term| self.term_price(term, slot, power, self.levels[term])).sum()
    }

    fn term_price(&self, term: usize, slot: usize, power: f64, level: f64) -> f64 {
        if !self.terms.counts(term, self.costs_count()) {
            return 0.0;
        }
        let spring = (self.prices[term][slot], self.stiffness[term]);
        self.terms.all[term].price(slot, spring, power, level)
    }

    fn prices_now(&self) -> Vec<Vec<f64>> {
        let term = |(term, &node): (usize, &usize)| {
            let slot = |(slot, &power): (usize, &f64)| {
                self.term_price(term, slot, power, self.levels[term])
            };
            self.node_kw[node].iter().enumerate().map(slot).collect()
        };
        self.terms.node.iter().enumerate().map(term).collect()
    }

    fn price_stay(&mut self, index: usize) {
        let member = &self.problem.members[index];
        let mut added = std::mem::take(&mut self.added);
        added.clear();
        added.resize(member.problem.slots(), 0.0);
        for above in self.problem.upward(member.node) {
            for (slot, added) in (member.first_slot..).zip(&mut added) {
                *added += self.price(above, slot, self.node_kw[above][slot]);
            }
        }
        self.added = added;
    }

    /// Moves one member towards its best answer, as far as that lowers the whole.
    fn step(&mut self, index: usize, lone: Lone, whole: bool) {
        let member = &self.problem.members[index];
        let problem = &member.problem;
        let changes = (member.first_slot..).zip(lone.power_kw.iter().zip(&self.power_kw[index]));
        self.changes.clear();
        self.changes.extend(
            changes.map(|(slot, (to, from))| (slot, to - from)).filter(|change| change.1 != 0.0),
        );
        let share = if whole { 1.0 } else { self.share(index, &lone.power_kw) };
        if share <= 0.0 {
            return;
        }
        for at in 0..self.changes.len() {
            let slot = self.changes[at].0;
            let (from, to) = (
                &mut self.power_kw[index][slot - member.first_slot],
                lone.power_kw[slot - member.first_slot],
            );
            // Between two energies, so that what is stored lies between what it was.
            let stored = |power| problem.energy_for(power);
            let power = if share < 1.0 {
                problem.power_for(stored(*from) + share * (stored(to) - stored(*from)))
            } else {
                to
            };
            let change = power - std::mem::replace(from, power);
            for above in self.problem.upward(member.node) {
                self.node_kw[above][slot] += change;
            }
        }
        for above in self.problem.upward(member.node) {
            for &term in &self.terms.at[above][1..] {
                self.find_level(term);
            }
        }
    }

    /// How far to go: where the whole rises no more along the way.
    fn share(&mut self, index: usize, to: &[f64]) -> f64 {
        let own = self.own_change(index, to);
        let at_start = self.slope(index, own, 0.0);
        if at_start >= -1e-13 {
            return 0.0;
        }
        let at_end = self.slope(index, own, 1.0);
        if at_end <= 0.0 {
            return 1.0;
        }
        // Secants between both sides of the root; a side that stays counts half.
        let (mut low, mut high) = ((0.0, at_start), (1.0, at_end));
        let mut middle = 0.0;
        for _ in 0..SECANTS {
            middle = low.0 + (high.0 - low.0) * low.1 / (low.1 - high.1);
            let slope = self.slope(index, own, middle);
            if slope.abs() <= 1e-3 * at_start.abs() {
                break;
            }
            if slope > 0.0 {
                (high, low.1) = ((middle, slope), low.1 / 2.0);
            } else {
                (low, high.1) = ((middle, slope), high.1 / 2.0);
            }
        }
        middle
    }

    /// How the whole changes at a share of the way, where the member's own part changes by `own`.
    fn slope(&mut self, index: usize, own: f64, share: f64) -> f64 {
        let mut slope = own;
        for above in self.problem.upward(self.problem.members[index].node) {
            for &term in &self.terms.at[above] {
                if !self.terms.counts(term, self.costs_count()) {
                    continue;
                }
                let level = self.level_at(term, share);
                let spring = (self.prices[term].as_slice(), self.stiffness[term]);
                let way = (self.node_kw[above].as_slice(), self.changes.as_slice(), share);
                slope += self.terms.all[term].slope_along(spring, way, level);
            }
        }
        slope
    }

    /// The level of a peak at a share of the way.
    fn level_at(&mut self, term: usize, share: f64) -> f64 {
        if !matches!(self.terms.all[term], Term::Peak { .. }) {
            return 0.0;
        }
        self.trial_kw.clone_from(&self.node_kw[self.terms.node[term]]);
        for &(slot, change) in &self.changes {
            self.trial_kw[slot] += share * change;
        }
        let trial = self.trial_kw.iter().copied();
        self.terms.all[term].level(&self.prices[term], self.stiffness[term], trial)
    }

    /// What a member's own cost and missing energy change by on the whole way.
    fn own_change(&self, index: usize, to: &[f64]) -> f64 {
        let member = &self.problem.members[index];
        let problem = &member.problem;
        let from = &self.power_kw[index];
        let (mut money, mut energy) = (0.0, 0.0);
        for &(at, _) in &self.changes {
            let slot = at - member.first_slot;
            money += problem.slot_hours
                * (slot_money(problem, slot, to[slot]) - slot_money(problem, slot, from[slot]));
            energy += problem.energy_for(to[slot]) - problem.energy_for(from[slot]);
        }
        let mut change = self.wish.own * (money - problem.terminal_value * energy);
        if self.wish.missing_price.is_finite() {
            change += self.wish.missing_price * (missing(problem, to) - missing(problem, from));
        }
        change
    }

    fn raise(&mut self) {
        self.prices = self.prices_now();
        // What springs round is no price: a bound would not be one.
        let costs = self.costs_count();
        self.terms.project(&mut self.prices, costs);
        self.find_levels();
    }

    /// Doubles the stiffness of what costs where schedules have come to rest, and the bound gains too
    /// little beside what it lacks.
    fn stiffen_costs(&mut self, moved: f64, gained: f64, apart: f64) {
        if moved > 0.1 * apart || gained > 0.25 * apart || self.doublings >= DOUBLINGS {
            return;
        }
        self.doublings += 1;
        let limits = self.problem.nodes.len();
        self.stiffness[limits..].iter_mut().for_each(|stiffness| *stiffness *= 2.0);
        self.find_levels();
    }

    /// What the schedules cost, limits left aside.
    fn cost(&self) -> f64 {
        let wish = self.wish;
        let mut cost = if self.costs_count() { self.terms.cost(&self.node_kw) } else { 0.0 };
        let mut missed = 0.0;
        for (member, power) in self.problem.members.iter().zip(&self.power_kw) {
            cost += wish.own * member.problem.objective(power);
            missed += missing(&member.problem, power);
        }
        if wish.missing_price.is_finite() {
            cost += wish.missing_price * (missed - wish.free_kwh);
        }
        cost
    }

    /// The largest breach of each node's limits, as a share of the room there, or of the largest
    /// charger.
    fn breaches(&self) -> Vec<f64> {
        self.terms.breaches(&self.node_kw, largest(self.problem))
    }

    /// Doubles the stiffness of limits whose breach does not get smaller, whose prices would take
    /// long to rise; says whether there are any.
    fn stiffen_limits(&mut self, breaches: &[f64], last: &[f64]) -> bool {
        let mut stuck = false;
        for (node, (&breach, &last)) in breaches.iter().zip(last).enumerate() {
            if breach > BROKEN && breach > 0.9 * last {
                stuck = true;
                if self.limit_doublings[node] < LIMIT_DOUBLINGS {
                    self.limit_doublings[node] += 1;
                    self.stiffness[node] *= 2.0;
                }
            }
        }
        stuck
    }
}
