//! Devices that share no limit and no price that bends, solved apart.
//!
//! Devices belong together where a limit of their summed flow can bind, or where what their flow
//! costs does not simply add up: a price that differs above and below its baseline, or that is paid
//! for the largest deviation. Everything else is a price for each of them. Each part goes the
//! quickest way that leads to its optimum.

use crate::{
    envelope::TOLERANCE,
    exact::{self, Attempt, Slopes, flow_range},
    problem::{Course, Limit, Members, Paid, Problem, Subject, Term},
    program,
};
use voltide_schedule::Outcome;

/// Solves a problem part by part.
pub(crate) fn solve(problem: &Problem) -> (Outcome, Option<Course>) {
    let parts = parts(problem);
    if parts.len() < 2 {
        return solve_part(problem);
    }
    // A limit of fixed devices alone belongs to no part, and nothing that is scheduled mends it.
    if problem.limits.iter().any(|limit| limit.members.devices.is_empty() && binds(problem, limit))
    {
        return (Outcome::Infeasible, None);
    }
    let mut power = vec![Vec::new(); problem.devices.len()];
    let mut open = 0.0;
    for devices in &parts {
        let part = part_of(problem, devices);
        let (outcome, course) = solve_part(&part);
        let Some(course) = course else { return (outcome, None) };
        if let Outcome::Feasible { gap } = outcome {
            // A gap is relative to its part's cost, and costs of parts may cancel each other: gaps
            // are added up in money.
            open += gap * part.objective(&course).abs().max(1.0);
        }
        for (&device, column) in devices.iter().zip(course.power) {
            power[device] = column;
        }
    }
    let course = problem.course(power);
    let cost = problem.objective(&course);
    (Outcome::from_bound(cost, cost - open), Some(course))
}

fn solve_part(problem: &Problem) -> (Outcome, Option<Course>) {
    match exact::solve(problem) {
        Attempt::Solved(power, outcome) => (outcome, Some(problem.course(power))),
        Attempt::Infeasible => (Outcome::Infeasible, None),
        Attempt::Coupled => program::solve(problem),
    }
}

/// The devices of each part, in order.
fn parts(problem: &Problem) -> Vec<Vec<usize>> {
    let mut part: Vec<usize> = (0..problem.devices.len()).collect();
    let shared =
        problem.limits.iter().filter(|limit| binds(problem, limit)).map(|limit| &limit.members);
    let priced = problem.terms.iter().filter_map(|term| couples(problem, term));
    for members in shared.chain(priced) {
        let Some(&first) = members.devices.first() else { continue };
        for &other in &members.devices {
            let (old, new) = (part[other], part[first]);
            part.iter_mut().filter(|part| **part == old).for_each(|part| *part = new);
        }
    }
    let mut parts: Vec<(usize, Vec<usize>)> = Vec::new();
    for (device, &part) in part.iter().enumerate() {
        match parts.iter_mut().find(|(known, _)| *known == part) {
            Some((_, devices)) => devices.push(device),
            None => parts.push((part, vec![device])),
        }
    }
    parts.into_iter().map(|(_, devices)| devices).collect()
}

/// Whether a limit keeps its members from something that they could do.
fn binds(problem: &Problem, limit: &Limit) -> bool {
    (0..problem.grid.slots).any(|j| {
        let (low, high) = flow_range(problem, &limit.members, j);
        low < limit.least[j] - TOLERANCE || high > limit.most[j] + TOLERANCE
    })
}

/// The members of a term whose price of their flow is not a price for each.
fn couples<'a>(problem: &Problem, term: &'a Term) -> Option<&'a Members> {
    let Subject::Flow(members) = &term.subject else { return None };
    let bends = (0..problem.grid.slots).any(|j| match slopes(problem, term, members, j) {
        None => false,
        Some(slopes) if slopes.is_free() => false,
        Some(Slopes::Straight(_)) => term.paid == Paid::Largest,
        Some(Slopes::Bent { .. }) => true,
    });
    bends.then_some(members)
}

fn slopes(problem: &Problem, term: &Term, members: &Members, j: usize) -> Option<Slopes> {
    let (low, high) = flow_range(problem, members, j);
    Some(Slopes::between(term, j, term.baseline[j]?, low, high))
}

/// What is left of a problem for some of its devices.
fn part_of(problem: &Problem, devices: &[usize]) -> Problem {
    let place = |device: usize| devices.iter().position(|&own| own == device);
    let inside = |members: &Members| Members {
        devices: members.devices.iter().filter_map(|&device| place(device)).collect(),
        fixed: members.fixed.clone(),
    };
    let limits = problem.limits.iter().filter(|limit| binds(problem, limit)).filter_map(|limit| {
        let members = inside(&limit.members);
        (!members.devices.is_empty()).then(|| Limit { members, ..limit.clone() })
    });
    let terms = problem.terms.iter().filter_map(|term| match &term.subject {
        Subject::Stock(device) => {
            place(*device).map(|device| Term { subject: Subject::Stock(device), ..term.clone() })
        }
        Subject::Flow(members) => {
            let own = inside(members);
            let whole = own.devices.len() == members.devices.len();
            (!own.devices.is_empty()).then(|| {
                if whole {
                    Term { subject: Subject::Flow(own), ..term.clone() }
                } else {
                    // Without the others' share, which is a constant here; the whole is priced in
                    // the end.
                    share(problem, term, members, own.devices)
                }
            })
        }
    });
    Problem {
        devices: devices.iter().map(|&device| problem.devices[device].clone()).collect(),
        limits: limits.collect(),
        terms: terms.collect(),
        ..problem.clone()
    }
}

/// The part of a price that does not bend.
fn share(problem: &Problem, term: &Term, members: &Members, devices: Vec<usize>) -> Term {
    // By the range of all members: alone, a device may seem to be on one side of the baseline.
    let slope = |j: usize| match slopes(problem, term, members, j) {
        Some(Slopes::Straight(slope)) => slope,
        Some(Slopes::Bent { .. }) | None => 0.0,
    };
    let price: Vec<f64> = (0..problem.grid.slots).map(slope).collect();
    Term {
        name: term.name.clone(),
        subject: Subject::Flow(Members { devices, fixed: Vec::new() }),
        paid: Paid::Each,
        baseline: vec![Some(0.0); price.len()],
        up: price.clone(),
        down: price,
    }
}
