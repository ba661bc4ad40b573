//! FlexMeasures problems as they are: a flex model and a flex context in JSON, an optimal schedule
//! with its costs and unmet wishes out.
//!
//! | step                | where              | what happens                                                     |
//! |---------------------|--------------------|------------------------------------------------------------------|
//! | [`read`]            | `file`, `resolve`  | JSON to numbers by slot; errors name the place                   |
//! | [`solve`]           | `exact`, `program` | devices that nothing couples exactly, the others through CBC     |
//! | [`Answer::json`]    | `answer`           | schedule, split of costs, unmet and met wishes in FlexMeasures' shape |
//!
//! [`Mode`] says what happens when something cannot be kept. Fields, defaults and formulas are
//! those of FlexMeasures 1.0.1.

#[cfg(not(any(feature = "bundled-cbc", feature = "system-cbc")))]
compile_error!("choose where CBC comes from: feature `bundled-cbc` (the default) or `system-cbc`");

#[cfg(test)]
mod agreement;
mod amount;
mod answer;
mod error;
mod exact;
mod file;
mod hull;
mod input;
mod problem;
mod program;
mod project;
mod resolve;
mod series;
mod time;
mod tube;

pub use answer::{Answer, Slack, Status};
pub use error::{Rejection, Stage};
pub use input::Input;
pub use problem::{Course, Device, FixedDevice, Limit, Members, Paid, Problem, Subject, Term};
pub use series::Notice;
pub use time::Grid;

use exact::Attempt;
use voltide_schedule::Outcome;

/// What happens when something cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Bounds and wishes are approached as far as they can be, and what is missed is named.
    #[default]
    BestEffort,
    /// As FlexMeasures 1.0.1: hard constraints are refused or infeasible, and a breach of stored
    /// energy costs 1/h times what its manual says.
    FlexMeasures,
}

/// Price of exceeding a hard limit of power when the best effort is asked for, per kW.
const LIMIT_BREACH: f64 = 10_000.0;

/// Solves a problem that was read in the same mode.
pub fn solve(problem: &Problem, mode: Mode) -> Answer {
    if mode == Mode::FlexMeasures {
        return attempt(problem, problem);
    }
    let mut relaxed = problem.clone();
    for device in &mut relaxed.devices {
        tube::relax_bounds(device, problem.grid.hours());
    }
    let answer = attempt(problem, &relaxed);
    if answer.status != Status::Infeasible || relaxed.limits.is_empty() {
        return answer;
    }
    soften_limits(&mut relaxed);
    attempt(problem, &relaxed)
}

/// Solves `relaxed`, and holds the answer against `problem`.
fn attempt(problem: &Problem, relaxed: &Problem) -> Answer {
    let (outcome, course) = match exact::solve(relaxed) {
        Attempt::Solved(power, outcome) => (outcome, Some(relaxed.course(power))),
        Attempt::Infeasible => (Outcome::Infeasible, None),
        Attempt::Coupled => program::solve(relaxed),
    };
    match course {
        Some(course) => Answer::of(problem, relaxed, outcome.into(), course),
        None => Answer::without_schedule(outcome.into()),
    }
}

/// Turns hard limits of power into prices.
fn soften_limits(problem: &mut Problem) {
    let hours = problem.grid.hours();
    for limit in std::mem::take(&mut problem.limits) {
        for (above, bound) in [(true, limit.most), (false, limit.least)] {
            for (paid, factor) in [(Paid::Largest, 1.0), (Paid::Each, hours)] {
                let price = vec![LIMIT_BREACH * factor; bound.len()];
                let free = vec![0.0; bound.len()];
                let (up, down) =
                    if above { (price, free) } else { (free, price.iter().map(|price| -price).collect()) };
                problem.terms.push(Term {
                    name: format!("{} exceeded", limit.name),
                    subject: Subject::Flow(limit.members.clone()),
                    paid,
                    baseline: bound.iter().map(|&bound| bound.is_finite().then_some(bound)).collect(),
                    up,
                    down,
                });
            }
        }
    }
}

/// Reads a problem from a JSON text.
///
/// # Errors
///
/// The first thing that is wrong, with its place in the JSON; or everything that is missing.
pub fn read(text: &str, mode: Mode) -> Result<Problem, Rejection> {
    Input::parse(text)?.problem(mode)
}
