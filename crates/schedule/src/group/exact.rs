//! The group problem solved as one program, wish by wish.
//!
//! The program is linear. Where its answer charges and discharges a member at once, and the net of
//! both would break a limit or cost more, that slot gets a binary and all is solved again.

use super::{
    GroupAnswer, GroupOptions, GroupProblem, Share,
    build::Layout,
    check::LIMIT_TOLERANCE,
    draft::{Draft, Found},
    tangents::Tangents,
};
use crate::linear::Budget;
use voltide_clp::Basis;

/// What a phase's optimum may be exceeded by in the next ones, in its own unit.
const HELD: f64 = 1e-8;
/// The same where a solver's rounding does not leave it that.
const HELD_LOOSELY: f64 = 1e-6;
/// Power below this is a solver's rounding, kW.
const ROUNDING: f64 = 1e-6;

/// Most rounds of tangents.
const ROUNDS: usize = 40;
/// Relative gap at which tangents are as good as the curve.
const CURVED: f64 = 1e-8;

/// Solves a valid group as one program; nothing where no solver finds anything.
pub(super) fn solve_program(
    problem: &GroupProblem<'_>,
    options: GroupOptions,
) -> Option<GroupAnswer> {
    let mut tangents = Tangents::of(problem);
    let mut best = solve_at(problem, options, &tangents)?;
    let mut last_kw = problem.node_powers(&best.power_kw, &best.curtailed_kw);
    for _ in 0..ROUNDS {
        if best.gap() <= CURVED || !tangents.add(&last_kw) {
            break;
        }
        let Some(next) = solve_at(problem, options, &tangents) else { break };
        last_kw = problem.node_powers(&next.power_kw, &next.curtailed_kw);
        let bound = best.bound.max(next.bound);
        let is_better = next.cost < best.cost && next.missing_kwh <= best.missing_kwh + ROUNDING;
        best = if is_better { next } else { best };
        best.bound = bound;
    }
    Some(best)
}

/// Solves a group whose quadratic costs are tangents; the answer's cost is that of the curves.
fn solve_at(
    problem: &GroupProblem<'_>,
    options: GroupOptions,
    tangents: &Tangents,
) -> Option<GroupAnswer> {
    let mut layout = Layout::new(problem, tangents);
    let mut relaxed: Option<Vec<Vec<f64>>> = None;
    let mut binaries = 0;
    loop {
        // Breaches that need not be are ruled out, unless rounding leaves nothing then.
        let phases = solve_phases(&layout, options, true)
            .or_else(|| solve_phases(&layout, options, false))?;
        let price = relaxed.get_or_insert_with(|| prices(problem, &layout, &phases.last));
        let mut answer =
            GroupAnswer { price: price.clone(), binaries, ..read(problem, &layout, &phases) };
        let both = at_once(problem, &layout, &phases.last);
        if both.is_empty() || stands(problem, &layout, (&phases, tangents), &answer) {
            settle(problem, &layout, &phases.last, &mut answer);
            return Some(answer);
        }
        binaries += both.len();
        for (member, slot) in both {
            layout.exclude(member, slot);
        }
    }
}

/// What came of all phases.
struct Phases {
    /// Least violation, kW summed over slots.
    violation_kw: f64,
    /// Its lower bound; 0 where it is a solver's rounding.
    violation_bound_kw: f64,
    missing_bound_kwh: f64,
    last: Found,
}

/// A program with what was held so far, and where the last phase ended.
struct Course {
    draft: Draft,
    basis: Option<Basis>,
    budget: Budget,
}

impl Course {
    /// Minimises a sum of columns and holds it there; gives the least and its lower bound.
    fn least(&mut self, of: &[usize]) -> Option<(f64, f64)> {
        let mut cost = vec![0.0; self.draft.columns.len()];
        for &column in of {
            cost[column] = 1.0;
        }
        let found = self.minimise(&cost)?;
        self.hold(of, found.objective.max(0.0));
        Some((found.objective, found.bound))
    }

    fn minimise(&mut self, cost: &[f64]) -> Option<Found> {
        let found = self.draft.solve(cost, self.basis.as_ref(), self.budget)?;
        self.basis.clone_from(&found.basis);
        Some(found)
    }

    fn hold(&mut self, of: &[usize], most: f64) {
        let row = self.draft.row(f64::NEG_INFINITY, most + HELD * most.max(1.0));
        for &column in of {
            self.draft.enter(column, row, 1.0);
        }
    }

    /// Loosens everything that is held to a solver's rounding.
    fn loosen(&mut self, from: usize) {
        for (_, most) in &mut self.draft.rows[from..] {
            *most += HELD_LOOSELY * most.abs().max(1.0);
        }
    }
}

fn solve_phases(layout: &Layout, options: GroupOptions, strictly: bool) -> Option<Phases> {
    let budget = Budget { nodes: Some(options.nodes), gap: options.gap, cpu_seconds: None };
    let mut course = Course { draft: layout.draft.clone(), basis: None, budget };
    let held_from = course.draft.rows.len();
    let mut violation_kw = 0.0;
    let mut violation_bound_kw = 0.0;
    if !layout.violation.is_empty() {
        let (least, bound) = course.least(&layout.violation)?;
        violation_kw = least;
        violation_bound_kw = if bound > ROUNDING { bound } else { 0.0 };
        if strictly && least <= ROUNDING {
            layout.violation.iter().for_each(|&column| course.draft.columns[column].upper = 0.0);
        }
    }
    if !layout.off_bounds.is_empty() {
        course.least(&layout.off_bounds)?;
    }
    let missing: Vec<usize> = layout.members.iter().filter_map(|member| member.missing).collect();
    let mut missing_bound_kwh = 0.0;
    if !missing.is_empty() {
        let (least, bound) = course.least(&missing)?;
        missing_bound_kwh = bound.max(0.0);
        if options.share == Share::Even && least > HELD_LOOSELY {
            share_evenly(layout, &mut course)?;
        }
    }
    let last = course.minimise(&layout.cost).or_else(|| {
        course.loosen(held_from);
        course.minimise(&layout.cost)
    })?;
    Some(Phases { violation_kw, violation_bound_kw, missing_bound_kwh, last })
}

/// Bounds what each member misses to the least share of what it wanted that all can keep; those
/// that could have more without another's loss have more.
fn share_evenly(layout: &Layout, course: &mut Course) -> Option<()> {
    let wants = |member: &&super::build::MemberColumns| member.wanted_kwh > 0.0;
    let mut open: Vec<_> = layout.members.iter().filter(wants).collect();
    while !open.is_empty() {
        let mut draft = course.draft.clone();
        let share = draft.column(0.0, 1.0, Vec::new());
        let mut rows = Vec::with_capacity(open.len());
        for member in &open {
            let row = draft.row(f64::NEG_INFINITY, member.lone_missing_kwh);
            draft.enter(share, row, -member.wanted_kwh);
            member.missing.into_iter().for_each(|missing| draft.enter(missing, row, 1.0));
            rows.push(row as usize);
        }
        let mut cost = vec![0.0; draft.columns.len()];
        cost[share] = 1.0;
        let found = draft.solve(&cost, None, course.budget)?;
        let most = |member: &super::build::MemberColumns| {
            member.lone_missing_kwh + (found.objective + HELD) * member.wanted_kwh
        };
        for member in &open {
            let Some(missing) = member.missing else { continue };
            course.draft.columns[missing].upper = most(member) + HELD;
        }
        // Those whose row has a price could not have more; the others are shared among anew.
        let before = open.len();
        let mut rows = rows.into_iter();
        open.retain(|_| {
            let row = rows.next();
            row.and_then(|row| found.row_prices.get(row)).is_some_and(|price| price.abs() < 1e-9)
        });
        if open.len() == before || found.objective < HELD {
            break;
        }
    }
    course.basis = None;
    Some(())
}

fn prices(problem: &GroupProblem<'_>, layout: &Layout, found: &Found) -> Vec<Vec<f64>> {
    let of = |&row: &u32| {
        found.row_prices.get(row as usize).map_or(0.0, |price| price / problem.slot_hours)
    };
    layout.balance.iter().map(|rows| rows.iter().map(of).collect()).collect()
}

/// The answer as the solver has it, with the net power of each member.
fn read(problem: &GroupProblem<'_>, layout: &Layout, phases: &Phases) -> GroupAnswer {
    let values = &phases.last.values;
    let curtailed = |column: &Option<usize>| {
        column.map_or(0.0, |column| values[column].clamp(0.0, layout.draft.columns[column].upper))
    };
    let curtailed_kw: Vec<Vec<f64>> =
        layout.curtailed.iter().map(|slots| slots.iter().map(curtailed).collect()).collect();
    let members = problem.members.iter().zip(&layout.members);
    let power_kw = members
        .map(|(member, columns)| {
            let problem = &member.problem;
            let net = |slot: usize| {
                let charge = values[columns.charge[slot]].max(0.0);
                let discharge = columns.discharge.get(slot).map_or(0.0, |&at| values[at].max(0.0));
                let stored = problem.energy_for(charge) + problem.energy_for(-discharge);
                let (least, most) =
                    (-problem.discharge_kw_max.at(slot), problem.charge_kw_max.at(slot));
                problem.power_for(stored).clamp(least, most)
            };
            (0..problem.slots()).map(net).collect()
        })
        .collect();
    let mut answer = GroupAnswer {
        power_kw,
        curtailed_kw,
        violation_kwh: 0.0,
        violation_bound_kwh: phases.violation_bound_kw * problem.slot_hours,
        missing_kwh: 0.0,
        missing_bound_kwh: phases.missing_bound_kwh,
        cost: 0.0,
        bound: phases.last.bound + layout.constant,
        price: Vec::new(),
        binaries: 0,
    };
    answer.reckon(problem);
    answer
}

impl GroupAnswer {
    /// Computes the figures of the schedules.
    pub(super) fn reckon(&mut self, problem: &GroupProblem<'_>) {
        let powers = problem.node_powers(&self.power_kw, &self.curtailed_kw);
        self.violation_kwh = problem.violation(&powers);
        self.missing_kwh = problem.missing(&self.power_kw).iter().sum();
        self.cost = problem.cost(&self.power_kw, &powers);
    }
}

/// Members and slots of their stays that charge and discharge at once.
fn at_once(problem: &GroupProblem<'_>, layout: &Layout, found: &Found) -> Vec<(usize, usize)> {
    let mut both = Vec::new();
    for (index, (member, columns)) in problem.members.iter().zip(&layout.members).enumerate() {
        for (slot, &discharge) in columns.discharge.iter().enumerate() {
            let least = found.values[discharge].min(found.values[columns.charge[slot]]);
            if least > ROUNDING && member.problem.charge_kw_max.at(slot) > 0.0 {
                both.push((index, slot));
            }
        }
    }
    both
}

/// Whether the net of charging and discharging at once is as good as both.
fn stands(
    problem: &GroupProblem<'_>,
    layout: &Layout,
    (phases, tangents): (&Phases, &Tangents),
    answer: &GroupAnswer,
) -> bool {
    let powers = problem.node_powers(&answer.power_kw, &answer.curtailed_kw);
    let keeps = problem.nodes.iter().enumerate().all(|(node, of)| {
        (0..problem.slots).all(|slot| {
            let admitted = admitted(layout, &phases.last, node, slot);
            of.breach_price.is_some() || of.breach(slot, powers[node][slot]) <= admitted + ROUNDING
        })
    });
    let slots = problem.slot_hours;
    let violation = answer.violation_kwh <= phases.violation_kw * slots + ROUNDING;
    let allowance = 1e-7 * answer.cost.abs().max(1.0);
    let cost = answer.cost - tangents.shortfall(problem, &powers);
    keeps && violation && cost <= answer.bound + allowance
}

/// How far a node's power is beyond its limits in a solution, kW.
fn admitted(layout: &Layout, found: &Found, node: usize, slot: usize) -> f64 {
    let Some([over, under]) = layout.breach[node][slot] else { return 0.0 };
    let breach = found.values[over].max(found.values[under]);
    if breach > ROUNDING { breach } else { 0.0 }
}

/// Takes what a solver's rounding leaves beyond limits from those who cause it.
fn settle(problem: &GroupProblem<'_>, layout: &Layout, found: &Found, answer: &mut GroupAnswer) {
    let hard = |node: &usize| problem.nodes[*node].breach_price.is_none();
    // What one node's change does to another is smaller each time.
    for _ in 0..8 {
        let mut settled = true;
        for node in (0..problem.nodes.len()).filter(hard) {
            let powers = problem.node_powers(&answer.power_kw, &answer.curtailed_kw);
            for (slot, &power) in powers[node].iter().enumerate() {
                let beyond = problem.nodes[node].breach(slot, power);
                let excess = beyond - admitted(layout, found, node, slot);
                if excess > LIMIT_TOLERANCE / 10.0 {
                    let sign =
                        if power > problem.nodes[node].import_kw_max.at(slot) { 1.0 } else { -1.0 };
                    lessen(problem, node, slot, sign, excess, &mut answer.power_kw);
                    settled = false;
                }
            }
        }
        if settled {
            break;
        }
    }
    answer.reckon(problem);
}

/// Takes `excess` kW of drawing (`sign` 1) or feeding in (−1) from those below a node that do so,
/// in proportion; what they do not have, from those that can do the contrary.
fn lessen(
    problem: &GroupProblem<'_>,
    node: usize,
    slot: usize,
    sign: f64,
    excess: f64,
    power_kw: &mut [Vec<f64>],
) {
    let below: Vec<(usize, usize)> = (0..power_kw.len())
        .filter_map(|index| {
            let member = &problem.members[index];
            let at = slot.checked_sub(member.first_slot)?;
            let is_there = at < member.problem.slots();
            (is_there && problem.upward(member.node).any(|above| above == node))
                .then_some((index, at))
        })
        .collect();
    let does = |&(index, at): &(usize, usize), power_kw: &[Vec<f64>]| {
        (power_kw[index][at] * sign).max(0.0)
    };
    let sum: f64 = below.iter().map(|place| does(place, power_kw)).sum();
    let kept = if sum > excess { 1.0 - excess / sum } else { 0.0 };
    for place in &below {
        if does(place, power_kw) > 0.0 {
            power_kw[place.0][place.1] *= kept;
        }
    }
    let mut left = (excess - sum).max(0.0);
    for &(index, at) in &below {
        let member = &problem.members[index].problem;
        let (least, most) = (-member.discharge_kw_max.at(at), member.charge_kw_max.at(at));
        let before = power_kw[index][at];
        let after = (before - sign * left).clamp(least, most);
        power_kw[index][at] = after;
        left -= (after - before).abs();
    }
}
