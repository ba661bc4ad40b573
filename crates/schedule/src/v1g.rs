//! Smart charging without discharge in closed form: fill the cheapest price classes first.
//!
//! Solves (12) where nothing but the end binds: no discharge, a start within the bounds, no lower
//! bound above the start and no upper bound below the final energy on the way.

use crate::{
    answer::{Outcome, StorageAnswer, Unmet, target_missed},
    level::{Level, Share},
    options::Options,
    problem::{PerSlot, StorageProblem},
};
use voltide_policy::storage::TieRule;

/// Scratch memory of the closed form.
#[derive(Debug, Default)]
pub(crate) struct ClosedForm {
    order: Vec<u32>,
    shares: Vec<Share>,
    level: Level,
}

impl ClosedForm {
    /// Solves one valid problem, or gives `None` where the closed form does not apply.
    pub(crate) fn solve(
        &mut self,
        problem: &StorageProblem<'_>,
        options: Options,
        power_kw: &mut [f64],
    ) -> Option<StorageAnswer> {
        let amount = amount(problem)?;
        let mut unmet = Unmet::default();
        let missing = problem.target_kwh - problem.energy_kwh - amount;
        if missing > crate::answer::ENERGY_TOLERANCE {
            unmet.target = Some(target_missed(problem, missing));
        }
        power_kw.fill(0.0);
        if options.strict && !unmet.is_empty() {
            return Some(StorageAnswer::without_schedule(Outcome::Infeasible, unmet));
        }
        self.order.clear();
        self.order.extend(0..problem.slots() as u32);
        // Zeros have two signs, which sort apart and are one price.
        let price = |slot: u32| problem.buy[slot as usize] + 0.0;
        // By slot at one price, so that an unstable sort has one result and the earliest is first.
        self.order.sort_unstable_by(|&a, &b| price(a).total_cmp(&price(b)).then(a.cmp(&b)));
        self.fill_classes(problem, amount, power_kw);
        Some(StorageAnswer {
            outcome: Outcome::Optimal,
            objective: problem.objective(power_kw),
            unmet,
        })
    }

    /// Charges `amount` kWh in the cheapest classes, the last of them by the tie rule.
    fn fill_classes(&mut self, problem: &StorageProblem<'_>, amount: f64, power_kw: &mut [f64]) {
        let mut rest = amount / (problem.charge_efficiency * problem.slot_hours);
        #[expect(clippy::float_cmp, reason = "a price class is exactly one price")]
        let same_price = |a: &u32, b: &u32| problem.buy[*a as usize] == problem.buy[*b as usize];
        for class in self.order.chunk_by(same_price) {
            let room: f64 = class.iter().map(|&slot| problem.charge_kw_max.at(slot as usize)).sum();
            // A class that is used up leaves nothing to choose.
            if matches!(problem.tie, TieRule::Earliest) || room <= rest {
                rest = fill_in_order(problem, class, rest, power_kw);
            } else {
                self.shares.clear();
                self.shares.extend(class.iter().map(|&slot| share(problem, slot as usize)));
                self.level.fill(&mut self.shares, rest);
                self.shares.iter().for_each(|share| power_kw[share.slot] = share.power);
                rest = 0.0;
            }
            if rest <= 0.0 {
                return;
            }
        }
    }
}

fn share(problem: &StorageProblem<'_>, slot: usize) -> Share {
    let load_kw = problem.load_to_fill(slot);
    Share { slot, load: load_kw, low: 0.0, high: problem.charge_kw_max.at(slot), power: 0.0 }
}

fn fill_in_order(
    problem: &StorageProblem<'_>,
    class: &[u32],
    rest: f64,
    power_kw: &mut [f64],
) -> f64 {
    class.iter().fold(rest, |rest, &slot| {
        let power = problem.charge_kw_max.at(slot as usize).min(rest);
        power_kw[slot as usize] = power;
        rest - power
    })
}

/// Energy to charge, kWh: what is missing, more where charging pays; `None` where bounds bind on
/// the way.
fn amount(problem: &StorageProblem<'_>) -> Option<f64> {
    let slots = problem.slots();
    let last = slots.checked_sub(1)?;
    let start = problem.energy_kwh;
    let most = problem.energy_kwh_max.at(last);
    let target = problem.target_kwh.max(problem.energy_kwh_min.at(last)).min(most);
    let all: f64 = (0..slots).map(|slot| problem.charge_kwh_max(slot)).sum();
    // At break-even nothing moves.
    let pays = |&slot: &usize| problem.slope(slot).charge < problem.terminal_value;
    let paying: f64 = (0..slots).filter(pays).map(|slot| problem.charge_kwh_max(slot)).sum();
    let amount = (target - start).max(paying.min(most - start)).max(0.0).min(all);
    let no_discharge = none_above(problem.discharge_kw_max, 0.0);
    let no_floor = none_above(problem.energy_kwh_min, start);
    let no_ceiling = match problem.energy_kwh_max {
        PerSlot::Same(most) => most >= start,
        PerSlot::Each(values) => values.iter().all(|&most| most >= start + amount),
    };
    (no_discharge && no_floor && no_ceiling).then_some(amount)
}

fn none_above(values: PerSlot<'_>, most: f64) -> bool {
    match values {
        PerSlot::Same(value) => value <= most,
        PerSlot::Each(values) => values.iter().all(|&value| value <= most),
    }
}
