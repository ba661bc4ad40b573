//! Prices of terms, the lower bound that they prove, and how they are made better.
//!
//! Without what couples them a group falls apart into its members. At prices of limits and costs
//! the sum of what members then cost, less what each [term](Terms) is worth by itself, is no more
//! than the least cost, whatever the prices are.

use super::{GroupProblem, lagrange::Tools, terms::Terms};

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

/// A bound, and where the members are that it comes from.
pub(super) struct Bound {
    pub(super) value: f64,
    /// Power by node and slot, kW.
    node_kw: Vec<Vec<f64>>,
    missing_kwh: f64,
}

/// The bound at `prices`, by term and slot, per kW and slot.
pub(super) fn bound(
    problem: &GroupProblem<'_>,
    terms: &Terms,
    tools: &mut Tools,
    prices: &[Vec<f64>],
    wish: Wish,
) -> Bound {
    let mut value = -terms.worth(prices, wish.own > 0.0);
    let mut power_kw = vec![vec![0.0; problem.slots]; problem.nodes.len()];
    let mut missing_kwh = 0.0;
    let Tools { solver, tariffs } = tools;
    tariffs.price(problem, &terms.by_node(prices), wish.own);
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
    let mut node_kw = problem.with_below(&power_kw);
    for (power, idle) in node_kw.iter_mut().flatten().zip(terms.idle_kw.iter().flatten()) {
        *power += idle;
    }
    Bound { value, node_kw, missing_kwh }
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
    terms: &Terms,
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
        let at = bound(problem, terms, tools, &tried, tried_wish);
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
        let slopes = terms.slopes(&tried, &at.node_kw, wish.own > 0.0);
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
        terms.project(&mut tried, wish.own > 0.0);
    }
    highest
}
