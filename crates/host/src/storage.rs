//! The storage service: what policies ask for, solved by [`voltide_schedule`].

use std::{
    borrow::Cow,
    panic::{self, AssertUnwindSafe},
};
use voltide_policy::storage::{self, StorageAnswer, StorageRequest, Target};
use voltide_schedule::{Answer, Method, MissedReason, Options, Outcome, StorageBatch, TieRule, solve_batch};

/// Rows that are worth a thread of their own.
const ROWS_PER_THREAD: usize = 256;

/// Solves every row of `request` into `power_kw`, n x H; the error is one that its author understands.
pub(crate) fn solve(
    request: &StorageRequest<'_>,
    threads: usize,
    power_kw: &mut [f64],
) -> Result<Vec<StorageAnswer>, String> {
    if power_kw.len() != request.len() * request.horizon {
        return Err("column power_kw is missing".to_owned());
    }
    if request.is_empty() {
        return Ok(Vec::new());
    }
    if request.buy_price.is_empty() {
        return Err("column buy_price is missing".to_owned());
    }
    let columns = Columns::new(request);
    let batch = columns.batch(request);
    let mut answers = vec![Answer::default(); request.len()];
    let options = Options { strict: request.strict, ..Options::default() };
    let (method, threads) = match request.method {
        storage::Method::Exact => (Method::Exact, threads),
        storage::Method::V1g => (Method::V1g, threads),
        // CBC solves one problem at a time.
        storage::Method::Lp => (Method::Lp, 1),
        storage::Method::Milp => (Method::Milp, 1),
    };
    let threads = threads.min(request.len() / ROWS_PER_THREAD).max(1);
    let solve = || solve_batch(&batch, method, options, threads, power_kw, &mut answers);
    // A panic must not cross into the policy.
    let solved = panic::catch_unwind(AssertUnwindSafe(solve));
    solved.map_err(|_| "the solver panicked".to_owned())?.map_err(|error| error.to_string())?;
    Ok(answers.iter().map(answer).collect())
}

/// The columns that differ from what was handed over.
struct Columns<'a> {
    tariff: Cow<'a, [u32]>,
    first_slot: Vec<u32>,
    end_slot: Vec<u32>,
    bound_slot: Vec<u32>,
    discharge_kw_max: Cow<'a, [f64]>,
    degradation_per_kwh: Cow<'a, [f64]>,
    terminal_value_per_kwh: Cow<'a, [f64]>,
    load_kw: Cow<'a, [f64]>,
}

impl<'a> Columns<'a> {
    fn new(request: &StorageRequest<'a>) -> Self {
        let rows = request.len();
        let origin = request.origin_slot;
        let within = |&slot: &u32| slot.saturating_sub(origin).min(request.horizon as u32);
        Self {
            tariff: or_zeros(request.tariff_id, rows),
            first_slot: or_zeros(request.first_slot, rows).iter().map(within).collect(),
            end_slot: request.end_slot.iter().map(within).collect(),
            // Not cut to the horizon: what lies behind it binds nobody.
            bound_slot: request.bound_slot.iter().map(|slot| slot.saturating_sub(origin)).collect(),
            discharge_kw_max: or_zeros(request.discharge_kw_max, rows),
            degradation_per_kwh: or_zeros(request.degradation_per_kwh, rows),
            terminal_value_per_kwh: or_zeros(request.terminal_value_per_kwh, rows),
            load_kw: or_zeros(request.load_kw, request.horizon),
        }
    }

    fn batch<'s>(&'s self, request: &StorageRequest<'s>) -> StorageBatch<'s> {
        StorageBatch {
            slot_hours: request.slot_hours,
            horizon: request.horizon,
            buy_price: request.buy_price,
            sell_price: if request.sell_price.is_empty() { request.buy_price } else { request.sell_price },
            tie: match request.tie {
                storage::TieRule::Spread => TieRule::Spread,
                storage::TieRule::Earliest => TieRule::Earliest,
                storage::TieRule::ValleyFill => TieRule::ValleyFill(&self.load_kw),
            },
            tariff: &self.tariff,
            first_slot: &self.first_slot,
            end_slot: &self.end_slot,
            energy_kwh: request.energy_kwh,
            energy_kwh_min: request.energy_kwh_min,
            energy_kwh_max: request.energy_kwh_max,
            target_kwh: request.target_kwh,
            charge_kw_max: request.charge_kw_max,
            discharge_kw_max: &self.discharge_kw_max,
            charge_efficiency: request.charge_efficiency,
            discharge_efficiency: request.discharge_efficiency,
            degradation_per_kwh: &self.degradation_per_kwh,
            terminal_value_per_kwh: &self.terminal_value_per_kwh,
            may_discharge: request.may_discharge,
            bound_offset: request.bound_offset,
            bound_slot: &self.bound_slot,
            bound_kwh_min: request.bound_kwh_min,
            bound_kwh_max: request.bound_kwh_max,
        }
    }
}

/// The column, or zeros where it was left out.
fn or_zeros<T: Copy + Default>(column: &[T], len: usize) -> Cow<'_, [T]> {
    if column.is_empty() { vec![T::default(); len].into() } else { column.into() }
}

fn answer(answer: &Answer) -> StorageAnswer {
    let (outcome, gap) = match answer.outcome {
        Outcome::Optimal => (storage::Outcome::Optimal, 0.0),
        Outcome::Feasible { gap } => (storage::Outcome::Feasible, gap),
        Outcome::Infeasible => (storage::Outcome::Infeasible, 0.0),
        Outcome::Unbounded => (storage::Outcome::Unbounded, 0.0),
        Outcome::NoSolution => (storage::Outcome::NoSolution, 0.0),
    };
    let (target, missing_kwh) = answer.unmet.target.map_or((Target::Reached, 0.0), |missed| {
        let reason = match missed.reason {
            MissedReason::TooShort => Target::TooShort,
            MissedReason::AboveMaximum => Target::AboveMaximum,
            MissedReason::HeldByBounds => Target::HeldByBounds,
        };
        (reason, missed.missing_kwh)
    });
    let (slots_outside, worst_kwh) =
        answer.unmet.bounds.map_or((0, 0.0), |bounds| (bounds.slots, bounds.worst_kwh));
    StorageAnswer { outcome, objective: answer.objective, gap, target, missing_kwh, slots_outside, worst_kwh }
}
