//! The battery of one member at prices of its nodes, and tariffs that members share.

use super::{GroupMember, GroupProblem, fit::missing};
use crate::{
    options::Options,
    problem::{PerSlot, StorageProblem},
    ranking::Ranking,
    solver::Solver,
};
use std::collections::BTreeMap;
use voltide_policy::storage::{Method, TieRule};

/// Tariffs of one kind, that is node, efficiencies and wear, that a member is compared with; more
/// are not worth the search.
const COMPARED: usize = 16;

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

/// How a member's own prices count, and what a missing kWh costs; at an infinite price as little
/// is missing as can be, for nothing.
pub(super) type Terms = (f64, f64);

/// Solves members one by one; one for each run, with its memory.
#[derive(Default)]
pub(super) struct LoneSolver {
    solver: Solver,
    buy: Vec<f64>,
    sell: Vec<f64>,
}

impl LoneSolver {
    /// The best that a member can do where power costs `added` beside its own prices: a value a
    /// slot of its stay, per kW and slot.
    pub(super) fn solve(
        &mut self,
        problem: &StorageProblem<'_>,
        added: &[f64],
        terms: Terms,
    ) -> Lone {
        let priced = |own: &f64, added: &f64| own * terms.0 + added / problem.slot_hours;
        let rows = |own: &[f64], into: &mut Vec<f64>| {
            into.clear();
            into.extend(own.iter().zip(added).map(|(own, added)| priced(own, added)));
        };
        rows(problem.buy, &mut self.buy);
        rows(problem.sell, &mut self.sell);
        solve_at(&mut self.solver, problem, (&self.buy, &self.sell), None, terms)
    }

    /// The same at the prices that its tariff has now.
    pub(super) fn solve_at_tariff(
        &mut self,
        member: &GroupMember<'_>,
        tariff: &Tariff,
        terms: Terms,
    ) -> Lone {
        let stay = member.first_slot..member.first_slot + member.problem.slots();
        let prices = (&tariff.now_buy[stay.clone()], &tariff.now_sell[stay]);
        // A shared ranking has no hulls, which depend on the limits of a battery.
        let shared = tariff.ranking.is_convex() || !tariff.discharges;
        let shared = shared.then_some((&tariff.ranking, member.first_slot));
        solve_at(&mut self.solver, &member.problem, prices, shared, terms)
    }
}

fn solve_at(
    solver: &mut Solver,
    problem: &StorageProblem<'_>,
    (buy, sell): (&[f64], &[f64]),
    shared: Option<(&Ranking, usize)>,
    (own, missing_price): Terms,
) -> Lone {
    let priced = StorageProblem {
        buy,
        sell,
        degradation: problem.degradation * own,
        terminal_value: problem.terminal_value * own,
        tie: TieRule::Earliest,
        load_kw: &[],
        ..*problem
    };
    let met = best(solver, &priced, shared, problem.target_kwh);
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
    let mut missed = best(solver, &soft, shared, problem.target_kwh);
    missed.bound += missing_price * problem.target_kwh;
    if missed.missing_kwh > met.missing_kwh {
        return Lone { bound: missed.bound.min(met.bound), ..missed };
    }
    if priced.binaries() == 0 { met } else { Lone { bound: missed.bound.min(met.bound), ..met } }
}

fn best(
    solver: &mut Solver,
    problem: &StorageProblem<'_>,
    shared: Option<(&Ranking, usize)>,
    target_kwh: f64,
) -> Lone {
    let mut power_kw = vec![0.0; problem.slots()];
    let options = Options::default();
    let answer = solver.solve_valid(problem, shared, Method::Exact, options, &mut power_kw);
    let missing_kwh = missing(&StorageProblem { target_kwh, ..*problem }, &power_kw);
    Lone { power_kw, missing_kwh, bound: answer.objective }
}

/// Prices, efficiencies and wear that members at one node share, over all slots of the group.
pub(super) struct Tariff {
    node: usize,
    /// Charge and discharge efficiency, wear.
    numbers: [f64; 3],
    discharges: bool,
    /// Not a number where no member has been there.
    buy: Vec<f64>,
    sell: Vec<f64>,
    /// With the prices of nodes.
    now_buy: Vec<f64>,
    now_sell: Vec<f64>,
    ranking: Ranking,
}

impl Tariff {
    fn of(problem: &GroupProblem<'_>, member: &GroupMember<'_>) -> Self {
        let unknown = vec![f64::NAN; problem.slots];
        Self {
            node: member.node,
            numbers: numbers(member),
            discharges: discharges(member),
            now_buy: unknown.clone(),
            now_sell: unknown.clone(),
            buy: unknown.clone(),
            sell: unknown,
            ranking: Ranking::default(),
        }
    }

    /// Whether a member of its kind has its prices.
    fn is_of(&self, member: &GroupMember<'_>) -> bool {
        let same = |known: &[f64], own: &[f64]| {
            let mut both = known[member.first_slot..].iter().zip(own);
            both.all(|(known, own)| known.is_nan() || known.to_bits() == own.to_bits())
        };
        same(&self.buy, member.problem.buy) && same(&self.sell, member.problem.sell)
    }

    fn learn(&mut self, member: &GroupMember<'_>) {
        let stay = member.first_slot..member.first_slot + member.problem.slots();
        self.buy[stay.clone()].copy_from_slice(member.problem.buy);
        self.sell[stay].copy_from_slice(member.problem.sell);
    }

    /// Takes over prices of nodes, per kW and slot, beside which its own count `own` times.
    fn price(&mut self, problem: &GroupProblem<'_>, prices: &[Vec<f64>], own: f64) {
        let mut added = vec![0.0; problem.slots];
        for above in problem.upward(self.node) {
            added.iter_mut().zip(&prices[above]).for_each(|(sum, price)| *sum += price);
        }
        for (known, now) in [(&self.buy, &mut self.now_buy), (&self.sell, &mut self.now_sell)] {
            for ((now, &price), added) in now.iter_mut().zip(known).zip(&added) {
                let there = !price.is_nan();
                *now = if there { price * own + added / problem.slot_hours } else { 0.0 };
            }
        }
        let [charge, discharge, wear] = self.numbers;
        self.ranking.rank_prices(&self.now_buy, &self.now_sell, [charge, discharge, wear * own]);
    }
}

fn numbers(member: &GroupMember<'_>) -> [f64; 3] {
    let StorageProblem { charge_efficiency, discharge_efficiency, degradation, .. } =
        member.problem;
    [charge_efficiency, discharge_efficiency, degradation]
}

fn discharges(member: &GroupMember<'_>) -> bool {
    match member.problem.discharge_kw_max {
        PerSlot::Same(kw) => kw > 0.0,
        PerSlot::Each(kw) => kw.iter().any(|&kw| kw > 0.0),
    }
}

/// The tariffs of a group's members.
pub(super) struct Tariffs {
    pub(super) all: Vec<Tariff>,
    /// Index by member.
    pub(super) of: Vec<usize>,
}

impl Tariffs {
    pub(super) fn of(problem: &GroupProblem<'_>) -> Self {
        let mut this = Self { all: Vec::new(), of: Vec::with_capacity(problem.members.len()) };
        let mut kinds: BTreeMap<(usize, [u64; 3], bool), Vec<usize>> = BTreeMap::new();
        for member in problem.members {
            let kind = (member.node, numbers(member).map(f64::to_bits), discharges(member));
            let known = kinds.entry(kind).or_default();
            let found = known.iter().copied().find(|&index| this.all[index].is_of(member));
            let index = found.unwrap_or_else(|| {
                this.all.push(Tariff::of(problem, member));
                this.all.len() - 1
            });
            if found.is_none() && known.len() < COMPARED {
                known.push(index);
            }
            this.all[index].learn(member);
            this.of.push(index);
        }
        this
    }

    /// Takes over prices of nodes, per kW and slot, beside which members' own count `own` times.
    pub(super) fn price(&mut self, problem: &GroupProblem<'_>, prices: &[Vec<f64>], own: f64) {
        self.all.iter_mut().for_each(|tariff| tariff.price(problem, prices, own));
    }

    /// That of a member.
    pub(super) fn at(&self, member: usize) -> &Tariff {
        &self.all[self.of[member]]
    }
}
