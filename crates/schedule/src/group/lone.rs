//! The battery of one member at prices of its nodes.

use super::{GroupMember, GroupProblem, fit::missing};
use crate::{options::Options, problem::StorageProblem, solver::Solver};
use voltide_policy::storage::{Method, TieRule};

/// What a member's best schedule is at some prices.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Lone {
    /// Power by slot of the stay, kW.
    pub(super) power_kw: Vec<f64>,
    /// Energy below the target at the end, kWh.
    pub(super) missing_kwh: f64,
    /// Lower bound of its cost at these prices, missing energy at its price included.
    pub(super) bound: f64,
}

/// Solves members one by one; one for each run, with its memory.
#[derive(Default)]
pub(super) struct LoneSolver {
    solver: Solver,
    buy: Vec<f64>,
    sell: Vec<f64>,
}

impl LoneSolver {
    /// The best that `member` can do where power of its nodes has `prices` (a value a slot of the
    /// group, cost per kW and slot, by node) beside its own, which count `own` times. A missing kWh
    /// costs `missing_price`; at an infinite one as little is missing as can be, for nothing.
    pub(super) fn solve(
        &mut self,
        group: &GroupProblem<'_>,
        member: &GroupMember<'_>,
        prices: &[Vec<f64>],
        (own, missing_price): (f64, f64),
    ) -> Lone {
        let problem = &member.problem;
        self.buy.clear();
        self.buy.extend(problem.buy.iter().map(|price| price * own));
        self.sell.clear();
        self.sell.extend(problem.sell.iter().map(|price| price * own));
        for above in group.upward(member.node) {
            let added = &prices[above][member.first_slot..];
            for ((buy, sell), added) in self.buy.iter_mut().zip(&mut self.sell).zip(added) {
                *buy += added / group.slot_hours;
                *sell += added / group.slot_hours;
            }
        }
        let priced = StorageProblem {
            buy: &self.buy,
            sell: &self.sell,
            degradation: problem.degradation * own,
            terminal_value: problem.terminal_value * own,
            tie: TieRule::Earliest,
            load_kw: &[],
            ..*problem
        };
        let met = best(&mut self.solver, &priced, problem.target_kwh);
        if missing_price.is_infinite() || problem.slots() == 0 {
            return met;
        }
        let met = Lone { bound: met.bound + missing_price * met.missing_kwh, ..met };
        let soft = StorageProblem {
            terminal_value: priced.terminal_value + missing_price,
            target_kwh: f64::NEG_INFINITY,
            ..priced
        };
        // Worth its price up to the target, a kWh beyond which is worth nothing.
        let mut missed = best(&mut self.solver, &soft, problem.target_kwh);
        missed.bound += missing_price * problem.target_kwh;
        if missed.missing_kwh > met.missing_kwh {
            return Lone { bound: missed.bound.min(met.bound), ..missed };
        }
        if priced.binaries() == 0 {
            met
        } else {
            Lone { bound: missed.bound.min(met.bound), ..met }
        }
    }
}

fn best(solver: &mut Solver, problem: &StorageProblem<'_>, target_kwh: f64) -> Lone {
    let mut power_kw = vec![0.0; problem.slots()];
    let options = Options::default();
    let answer = solver.solve_valid(problem, None, Method::Exact, options, &mut power_kw);
    let missing_kwh = missing(&StorageProblem { target_kwh, ..*problem }, &power_kw);
    Lone { power_kw, missing_kwh, bound: answer.objective }
}
