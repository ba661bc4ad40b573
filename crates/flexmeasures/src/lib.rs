//! FlexMeasures problems as they are: a flex model and a flex context in JSON, an optimal schedule
//! with its costs and unmet wishes out.
//!
//! | step                | where              | what happens                                                     |
//! |---------------------|--------------------|------------------------------------------------------------------|
//! | [`read`]            | `file`, `resolve`  | JSON to numbers by slot; errors name the place                   |
//! | [`solve`]           | `apart`            | devices that share nothing apart, in units that suit them        |
//! |                     | `exact`, `program` | single devices exactly, the others through CBC                   |
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
mod apart;
mod conflict;
mod envelope;
mod error;
mod exact;
mod file;
mod hull;
mod input;
mod magnitude;
mod problem;
mod program;
mod project;
mod resolve;
mod series;
mod time;
mod unique;

pub use answer::{Answer, Slack, Status};
pub use conflict::Conflict;
pub use error::{Rejection, Stage};
pub use input::Input;
pub use problem::{Course, Device, FixedDevice, Limit, Members, Paid, Problem, Subject, Term};
pub use series::Notice;
pub use time::Grid;

use magnitude::Units;

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

/// Price of exceeding a hard limit of power when the best effort is asked for, per kW. As much as
/// FlexMeasures takes by default for a breach of a site's limits.
const LIMIT_BREACH: f64 = 10_000.0;

/// Solves a problem that was read in the same mode.
pub fn solve(problem: &Problem, mode: Mode) -> Answer {
    if mode == Mode::FlexMeasures {
        let answer = attempt(problem, problem);
        let explained = (answer.status == Status::Infeasible).then(|| conflict(problem)).flatten();
        return Answer { conflict: explained, ..answer };
    }
    let mut relaxed = problem.clone();
    for device in &mut relaxed.devices {
        envelope::relax_bounds(device, problem.grid.hours());
    }
    // Bounds of stock that some course keeps stay as they are, so that they are relaxed in any
    // case. A limit of power with a price couples its devices, and so gets one only where nothing
    // else is left.
    let answer = attempt(problem, &relaxed);
    if answer.status != Status::Infeasible || relaxed.limits.is_empty() {
        return answer;
    }
    soften_limits(&mut relaxed);
    attempt(problem, &relaxed)
}

/// Solves `relaxed`, and holds the answer against `problem`.
fn attempt(problem: &Problem, relaxed: &Problem) -> Answer {
    let units = Units::of(relaxed);
    let small = units.shrink(relaxed);
    let (outcome, course) = apart::solve(&small);
    match course {
        Some(course) => {
            // What is missed is told by what was asked for, costs by what was solved.
            units.grow(Answer::of(&units.shrink(problem), &small, outcome.into(), course))
        }
        None => Answer::without_schedule(outcome.into()),
    }
}

/// The first constraint of a problem without a schedule that cannot hold.
fn conflict(problem: &Problem) -> Option<Conflict> {
    conflict::within_devices(problem)
        .or_else(|| exceeded(problem))
        .or_else(|| conflict::between_bands(problem))
}

/// The first limit that is exceeded where all of them have a price instead.
fn exceeded(problem: &Problem) -> Option<Conflict> {
    let mut priced = problem.clone();
    soften_limits(&mut priced);
    let answer = attempt(problem, &priced);
    let first = answer
        .unresolved
        .iter()
        // Wishes for stored energy have a price and may be missed; only limits are hard here.
        .filter(|slack| slack.unit == "kW")
        .min_by_key(|slack| slack.tick)?;
    let reason =
        format!("in the schedule that exceeds it least, it is exceeded by {:.3} kW", first.amount);
    Some(Conflict { owner: first.owner.clone(), field: first.field, tick: first.tick, reason })
}

/// Turns hard limits of power into prices.
fn soften_limits(problem: &mut Problem) {
    let hours = problem.grid.hours();
    for limit in std::mem::take(&mut problem.limits) {
        for (above, bound) in [(true, limit.most), (false, limit.least)] {
            for (paid, factor) in [(Paid::Largest, 1.0), (Paid::Each, hours)] {
                let price = vec![LIMIT_BREACH * factor; bound.len()];
                let free = vec![0.0; bound.len()];
                let (up, down) = if above {
                    (price, free)
                } else {
                    (free, price.iter().map(|price| -price).collect())
                };
                problem.terms.push(Term {
                    name: format!("{} exceeded", limit.name),
                    subject: Subject::Flow(limit.members.clone()),
                    paid,
                    baseline: bound
                        .iter()
                        // Zero times an infinite deviation is no number, and nor is a sum of costs
                        // with it.
                        .map(|&bound| bound.is_finite().then_some(bound))
                        .collect(),
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
