//! Many batteries over one horizon, in the columns that policies hand over.
//!
//! Batteries that share prices, efficiencies and wear share one ranking of the slots. Rows are
//! independent, so a batch may be split over threads without changing a digit.

use crate::{
    answer::StorageAnswer,
    group::GroupError,
    options::Options,
    problem::{PerSlot, ProblemError, StorageProblem, validate_load, validate_prices},
    ranking::Ranking,
    solver::Solver,
};
use std::ops::Range;
use voltide_policy::storage::{StorageError, StorageRequest};

/// Rankings kept at hand by each thread; more groups than this in turn are ranked again.
const RANKINGS_KEPT: usize = 64;

/// A batch that makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BatchError {
    /// A column has another length than the others ask for.
    #[error(transparent)]
    Columns(#[from] StorageError),
    /// A column has the wrong number of values, or none where it may not be left out.
    #[error("column {column} has {found} values, not {expected}")]
    Length {
        /// Which column.
        column: &'static str,
        /// Values found.
        found: usize,
        /// Values expected.
        expected: usize,
    },
    /// A tariff's prices are not usable.
    #[error("tariff {tariff}: {problem}")]
    Tariff {
        /// The tariff.
        tariff: usize,
        /// What is wrong.
        problem: ProblemError,
    },
    /// A row names a tariff, slots or bounds that the batch does not have.
    #[error("row {row} points outside the batch")]
    OutOfRange {
        /// The row.
        row: usize,
    },
    /// A cost is of a site that the batch does not have.
    #[error("cost {cost} is of site {site}, which is not there")]
    NoSuchSite {
        /// Which cost.
        cost: usize,
        /// The site.
        site: u32,
    },
    /// A cost's supply curve does not have the steps that it says.
    #[error("cost {cost} has a supply curve with wrong offsets")]
    Steps {
        /// Which cost.
        cost: usize,
    },
    /// A row makes no sense.
    #[error("row {row}: {problem}")]
    Row {
        /// The row.
        row: usize,
        /// What is wrong.
        problem: ProblemError,
    },
    /// The sites that limit a group make no sense.
    #[error(transparent)]
    Group(#[from] GroupError),
}

/// Solves every row: its schedule goes to row i of `power_kw` (n x H, row-major, kW, positive
/// charges, 0 outside its slots), its answer to `answers[i]`.
///
/// `threads` only changes how long it takes. CBC solves one problem at a time however many there
/// are.
///
/// # Errors
/// At the first row that makes no sense; what has been written by then is not to be used.
pub fn solve_batch(
    request: &StorageRequest<'_>,
    threads: usize,
    power_kw: &mut [f64],
    answers: &mut [StorageAnswer],
) -> Result<(), BatchError> {
    let batch = Batch { request };
    batch.validate(power_kw.len(), answers.len())?;
    let rows = request.len();
    let horizon = request.horizon;
    // There are no chunks of width 0; rows that make no sense are refused all the same.
    if rows == 0 || horizon == 0 {
        return (0..rows).try_for_each(|row| batch.row(row, &mut Rows::default()).map(|_| ()));
    }
    let chunk = rows.div_ceil(threads.clamp(1, rows));
    std::thread::scope(|scope| {
        let parts = power_kw.chunks_mut(chunk * horizon).zip(answers.chunks_mut(chunk)).enumerate();
        let workers: Vec<_> = parts
            .map(|(part, (power, answers))| {
                let mut work = move || Worker::default().run(batch, part * chunk, power, answers);
                if chunk == rows { Ok(work()) } else { Err(scope.spawn(work)) }
            })
            .collect();
        // The first failing row is reported, whichever thread met it.
        workers.into_iter().try_for_each(|worker| match worker {
            Ok(result) => result,
            Err(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        })
    })
}

/// Scratch memory for the per-slot limits of one row.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    discharge: Vec<f64>,
    least: Vec<f64>,
    most: Vec<f64>,
}

#[derive(Debug, Default)]
struct Worker {
    solver: Solver,
    rows: Rows,
    rankings: Vec<(GroupKey, Ranking)>,
    last: usize,
}

/// What decides a ranking: tariff, and the bits of efficiencies and wear.
type GroupKey = (usize, [u64; 3]);

impl Worker {
    fn run(
        &mut self,
        batch: Batch<'_>,
        first_row: usize,
        power_kw: &mut [f64],
        answers: &mut [StorageAnswer],
    ) -> Result<(), BatchError> {
        let options = Options { strict: batch.request.strict, ..Options::default() };
        let schedules = power_kw.chunks_mut(batch.request.horizon);
        for (row, (power, answer)) in (first_row..).zip(schedules.zip(answers)) {
            let (problem, slots) = batch.row(row, &mut self.rows)?;
            power.fill(0.0);
            let power = &mut power[slots.clone()];
            let ranking = group(&mut self.rankings, &mut self.last, batch, row);
            // A shared ranking has no hulls, which depend on the limits of a battery; who cannot
            // discharge needs none.
            let shared =
                (ranking.is_convex() || no_discharge(&problem)).then_some((ranking, slots.start));
            *answer =
                self.solver.solve_valid(&problem, shared, batch.request.method, options, power);
        }
        Ok(())
    }
}

fn no_discharge(problem: &StorageProblem<'_>) -> bool {
    problem.discharge_kw_max == PerSlot::Same(0.0)
}

/// The ranking that row `row` shares with its group.
fn group<'r>(
    rankings: &'r mut Vec<(GroupKey, Ranking)>,
    last: &mut usize,
    batch: Batch<'_>,
    row: usize,
) -> &'r Ranking {
    let StorageRequest { charge_efficiency, discharge_efficiency, degradation_per_kwh, .. } =
        *batch.request;
    let wear = value(degradation_per_kwh, row);
    let numbers = [charge_efficiency[row], discharge_efficiency[row], wear];
    let key = (batch.tariff(row), numbers.map(f64::to_bits));
    // Neighbouring rows are mostly of one fleet.
    if rankings.get(*last).is_none_or(|(found, _)| *found != key) {
        *last = rankings.iter().position(|(found, _)| *found == key).unwrap_or_else(|| {
            let (buy, sell) = batch.prices(batch.tariff(row));
            let mut ranking = Ranking::default();
            ranking.rank_prices(buy, sell, numbers);
            if rankings.len() == RANKINGS_KEPT {
                rankings.clear();
            }
            rankings.push((key, ranking));
            rankings.len() - 1
        });
    }
    &rankings[*last].1
}

/// The value of a row in a column; 0 where it may be left out and is.
fn value<T: Copy + Default>(column: &[T], row: usize) -> T {
    column.get(row).copied().unwrap_or_default()
}

/// A request as the solver reads it: slots from its origin on, and what a column that is left out
/// stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) request: &'a StorageRequest<'a>,
}

impl<'a> Batch<'a> {
    fn tariff(self, row: usize) -> usize {
        value(self.request.tariff_id, row) as usize
    }

    /// The slots of the horizon in which row `row` may use its battery; not checked.
    fn slots(self, row: usize) -> Range<usize> {
        let within = |slot: u32| self.after_origin(slot).min(self.request.horizon);
        within(value(self.request.first_slot, row))..within(self.request.end_slot[row])
    }

    fn after_origin(self, slot: u32) -> usize {
        slot.saturating_sub(self.request.origin_slot) as usize
    }

    fn prices(self, tariff: usize) -> (&'a [f64], &'a [f64]) {
        let StorageRequest { horizon, buy_price, sell_price, .. } = *self.request;
        let slots = tariff * horizon..(tariff + 1) * horizon;
        let sell_price = if sell_price.is_empty() { buy_price } else { sell_price };
        (&buy_price[slots.clone()], &sell_price[slots])
    }

    pub(crate) fn validate(self, power: usize, answers: usize) -> Result<(), BatchError> {
        let request = self.request;
        let rows = request.len();
        length("power_kw", power, rows * request.horizon)?;
        length("answers", answers, rows)?;
        request.check_lengths()?;
        let bounds = request.bound_slot.len();
        length("end_slot", request.end_slot.len(), rows)?;
        length("energy_kwh_min", request.energy_kwh_min.len(), rows)?;
        length("energy_kwh_max", request.energy_kwh_max.len(), rows)?;
        length("target_kwh", request.target_kwh.len(), rows)?;
        length("charge_kw_max", request.charge_kw_max.len(), rows)?;
        length("charge_efficiency", request.charge_efficiency.len(), rows)?;
        length("discharge_efficiency", request.discharge_efficiency.len(), rows)?;
        length("bound_kwh_min", request.bound_kwh_min.len(), bounds)?;
        length("bound_kwh_max", request.bound_kwh_max.len(), bounds)?;
        (0..self.tariffs()).try_for_each(|tariff| {
            self.validate_tariff(tariff).map_err(|problem| BatchError::Tariff { tariff, problem })
        })
    }

    fn tariffs(self) -> usize {
        self.request.buy_price.len().checked_div(self.request.horizon).unwrap_or(0)
    }

    fn validate_tariff(self, tariff: usize) -> Result<(), ProblemError> {
        let (buy, sell) = self.prices(tariff);
        validate_prices(buy, sell)?;
        validate_load(self.request.tie, self.request.load_kw, buy.len())
    }

    /// Row `row` as a problem, and the slots of the horizon it spans.
    pub(crate) fn row<'r>(
        self,
        row: usize,
        scratch: &'r mut Rows,
    ) -> Result<(StorageProblem<'r>, Range<usize>), BatchError>
    where
        'a: 'r,
    {
        let request = self.request;
        let slots = self.slots(row);
        if slots.start > slots.end || self.tariff(row) >= self.tariffs() {
            return Err(BatchError::OutOfRange { row });
        }
        let (buy, sell) = self.prices(self.tariff(row));
        let discharges = self.fill_discharge(row, &slots, &mut scratch.discharge);
        let has_bounds = self.fill_bounds(row, &slots, scratch)?;
        let scratch = &*scratch;
        let problem = StorageProblem {
            slot_hours: request.slot_hours,
            buy: &buy[slots.clone()],
            sell: &sell[slots.clone()],
            degradation: value(request.degradation_per_kwh, row),
            charge_kw_max: PerSlot::Same(request.charge_kw_max[row]),
            discharge_kw_max: if discharges {
                PerSlot::Each(&scratch.discharge)
            } else {
                PerSlot::Same(value(request.discharge_kw_max, row))
            },
            energy_kwh_min: if has_bounds {
                PerSlot::Each(&scratch.least)
            } else {
                PerSlot::Same(request.energy_kwh_min[row])
            },
            energy_kwh_max: if has_bounds {
                PerSlot::Each(&scratch.most)
            } else {
                PerSlot::Same(request.energy_kwh_max[row])
            },
            energy_kwh: request.energy_kwh[row],
            target_kwh: request.target_kwh[row],
            charge_efficiency: request.charge_efficiency[row],
            discharge_efficiency: request.discharge_efficiency[row],
            terminal_value: value(request.terminal_value_per_kwh, row),
            tie: request.tie,
            load_kw: request.load_kw.get(slots.clone()).unwrap_or_default(),
        };
        problem.validate_battery().map_err(|problem| BatchError::Row { row, problem })?;
        Ok((problem, slots))
    }

    /// The discharge limit of each slot, 0 where the driver did not agree; false where all slots
    /// have the limit of the row.
    fn fill_discharge(self, row: usize, slots: &Range<usize>, limits: &mut Vec<f64>) -> bool {
        let StorageRequest { may_discharge, discharge_kw_max, horizon, .. } = *self.request;
        let most = value(discharge_kw_max, row);
        if may_discharge.is_empty() || most == 0.0 {
            return false;
        }
        // Bits count from the horizon's first slot, wherever the row begins.
        let bytes = horizon.div_ceil(8);
        let agreed = &may_discharge[row * bytes..(row + 1) * bytes];
        limits.clear();
        limits
            .extend(slots.clone().map(|slot| most * f64::from(agreed[slot / 8] >> (slot % 8) & 1)));
        true
    }

    /// The energy bounds of each slot of a row that has bounds of its own; false where it has none.
    fn fill_bounds(
        self,
        row: usize,
        slots: &Range<usize>,
        scratch: &mut Rows,
    ) -> Result<bool, BatchError> {
        let request = self.request;
        let Some(&[from, to]) = request.bound_offset.get(row..row + 2) else { return Ok(false) };
        let entries = from as usize..to as usize;
        if entries.start > entries.end || entries.end > request.bound_slot.len() {
            return Err(BatchError::OutOfRange { row });
        }
        scratch.least.clear();
        scratch.most.clear();
        scratch.least.resize(slots.len(), request.energy_kwh_min[row]);
        scratch.most.resize(slots.len(), request.energy_kwh_max[row]);
        for entry in entries.clone() {
            // What holds at the beginning of a slot holds at the end of the one before.
            let slot = self.after_origin(request.bound_slot[entry]);
            if slot > slots.start && slot <= slots.end {
                let end_of = slot - 1 - slots.start;
                scratch.least[end_of] = scratch.least[end_of].max(request.bound_kwh_min[entry]);
                scratch.most[end_of] = scratch.most[end_of].min(request.bound_kwh_max[entry]);
            }
        }
        Ok(!entries.is_empty())
    }
}

fn length(column: &'static str, found: usize, expected: usize) -> Result<(), BatchError> {
    if found == expected { Ok(()) } else { Err(BatchError::Length { column, found, expected }) }
}
