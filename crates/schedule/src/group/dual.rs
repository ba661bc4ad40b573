//! Prices of limits, the lower bound that they prove, and how they are made better.
//!
//! Without limits a group falls apart into its members. At prices of the limits the sum of what
//! members then cost, less what the limits' room is worth, is no more than the least cost, whatever
//! the prices are.

use super::{GroupProblem, lagrange::Tools};

/// What is minimised: cost, or missing energy alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wish {
    /// How often members' own prices count.
    pub(super) own: f64,
    /// Price of a missing kWh; infinite where all that can be is met.
    pub(super) missing_price: f64,
    /// Missing energy that is free at that price, kWh.
    pub(super) free_kwh: f64,
}

/// Room of hard limits beside given power, by node and slot, kW.
pub(super) struct Rooms {
    pub(super) import: Vec<Vec<f64>>,
    pub(super) export: Vec<Vec<f64>>,
}

impl Rooms {
    /// Those of a problem whose given power is within all limits.
    pub(super) fn of(problem: &GroupProblem<'_>) -> Self {
        let given = problem.idle_powers();
        let rows = || problem.nodes.iter().zip(&given);
        let import = rows().map(|(node, given)| {
            let room = |(slot, given): (usize, &f64)| node.import_kw_max.at(slot) - given;
            given.iter().enumerate().map(room).collect()
        });
        let export = rows().map(|(node, given)| {
            let room = |(slot, given): (usize, &f64)| node.export_kw_max.at(slot) + given;
            given.iter().enumerate().map(room).collect()
        });
        Self { import: import.collect(), export: export.collect() }
    }

    /// What the room is worth at prices that are positive for import and negative for export.
    fn worth(&self, prices: &[Vec<f64>]) -> f64 {
        let mut worth = 0.0;
        for ((prices, import), export) in prices.iter().zip(&self.import).zip(&self.export) {
            for ((&price, import), export) in prices.iter().zip(import).zip(export) {
                if price > 0.0 {
                    worth += price * import;
                } else if price < 0.0 {
                    worth -= price * export;
                }
            }
        }
        worth
    }
}

/// A bound, and where the members are that it comes from.
pub(super) struct Bound {
    pub(super) value: f64,
    /// Power by node and slot beside given power, kW.
    power_kw: Vec<Vec<f64>>,
    missing_kwh: f64,
}

/// The bound at `prices`, by node and slot, per kW and slot.
pub(super) fn bound(
    problem: &GroupProblem<'_>,
    rooms: &Rooms,
    tools: &mut Tools,
    prices: &[Vec<f64>],
    wish: Wish,
) -> Bound {
    let mut value = -rooms.worth(prices);
    let mut power_kw = vec![vec![0.0; problem.slots]; problem.nodes.len()];
    let mut missing_kwh = 0.0;
    let Tools { solver, tariffs } = tools;
    tariffs.price(problem, prices, wish.own);
    for (index, member) in problem.members.iter().enumerate() {
        let lone =
            solver.solve_at_tariff(member, tariffs.at(index), (wish.own, wish.missing_price));
        value += lone.bound;
        missing_kwh += lone.missing_kwh;
        let own = lone.power_kw.iter();
        own.zip(&mut power_kw[member.node][member.first_slot..]).for_each(|(own, sum)| *sum += own);
    }
    if wish.missing_price.is_finite() {
        value -= wish.missing_price * wish.free_kwh;
    }
    Bound { value, power_kw: problem.with_below(&power_kw), missing_kwh }
}

/// The direction of steps, which turns where a slope would take back the one before.
#[derive(Default)]
struct Course {
    direction: Vec<f64>,
}

impl Course {
    fn turn(&mut self, slopes: impl Iterator<Item = f64>) {
        let slopes: Vec<f64> = slopes.collect();
        self.direction.resize(slopes.len(), 0.0);
        let along: f64 = slopes.iter().zip(&self.direction).map(|(a, b)| a * b).sum();
        let square = self.square();
        let kept = if square > 0.0 { (-1.5 * along / square).max(0.0) } else { 0.0 };
        let both = self.direction.iter_mut().zip(&slopes);
        both.for_each(|(direction, slope)| *direction = slope + kept * *direction);
    }

    fn square(&self) -> f64 {
        self.direction.iter().map(|part| part * part).sum()
    }
}

/// What a polish aims at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aim {
    /// The best answer known.
    pub(super) best: f64,
    /// Most steps.
    pub(super) steps: usize,
    /// Gap to it, relative, at which it ends.
    pub(super) enough: f64,
}

/// Improves prices by steps as long as the best answer known, `best`, says how far the bound can
/// be; gives the best bound, and leaves its prices and wish.
pub(super) fn polish(
    problem: &GroupProblem<'_>,
    rooms: &Rooms,
    tools: &mut Tools,
    prices: &mut Vec<Vec<f64>>,
    wish: &mut Wish,
    Aim { best, steps, enough }: Aim,
) -> f64 {
    let mut tried = prices.clone();
    let mut tried_wish = *wish;
    let mut highest = f64::NEG_INFINITY;
    let mut length = 1.0;
    let mut stale = 0;
    let mut course = Course::default();
    for _ in 0..steps {
        let at = bound(problem, rooms, tools, &tried, tried_wish);
        if at.value > highest + 1e-9 * best.abs().max(1.0) {
            (highest, stale) = (at.value, 0);
            *wish = tried_wish;
            prices.clone_from(&tried);
        } else {
            stale += 1;
            if stale > 15 {
                (length, stale) = (length * 0.5, 0);
                (tried_wish, tried) = (*wish, prices.clone());
                course = Course::default();
                continue;
            }
        }
        if best - highest <= enough * best.abs().max(1.0) || length < 1e-4 {
            break;
        }
        let slopes = slopes(rooms, &tried, &at);
        let more = if wish.missing_price.is_finite() && wish.own > 0.0 {
            at.missing_kwh - wish.free_kwh
        } else {
            0.0
        };
        course.turn(slopes.into_iter().flatten().chain([more]));
        let square = course.square();
        if square < 1e-18 {
            break;
        }
        let step = length * (best - at.value).max(0.0) / square;
        let more = course.direction.last().copied().unwrap_or(0.0);
        tried_wish.missing_price = (tried_wish.missing_price + step * more).max(0.0);
        for (price, slope) in tried.iter_mut().flatten().zip(&course.direction) {
            let before = *price;
            *price += step * slope;
            // A price that changes its sign rests at 0 first: the bound has a kink there.
            if before * *price < 0.0 {
                *price = 0.0;
            }
        }
    }
    highest
}

/// How the bound rises with each price.
fn slopes(rooms: &Rooms, prices: &[Vec<f64>], at: &Bound) -> Vec<Vec<f64>> {
    let node = |node: usize| {
        let slot = |(slot, &price): (usize, &f64)| {
            let power = at.power_kw[node][slot];
            let (import, export) = (rooms.import[node][slot], rooms.export[node][slot]);
            if price > 0.0 || (price == 0.0 && power > import) {
                power - import
            } else if price < 0.0 || power < -export {
                power + export
            } else {
                0.0
            }
        };
        prices[node].iter().enumerate().map(slot).collect()
    };
    (0..prices.len()).map(node).collect()
}
