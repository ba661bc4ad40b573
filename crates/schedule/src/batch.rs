//! Many batteries over one horizon, in columns, as the storage service hands them over.
//!
//! Batteries that share prices, efficiencies and wear share one ranking of the slots. Rows are
//! independent, so a batch may be split over threads without changing a digit.

use crate::{
    answer::Answer,
    problem::{PerSlot, ProblemError, StorageProblem, TieRule, validate_prices},
    ranking::Ranking,
    solver::{Method, Options, Solver},
};

/// Rankings kept at hand by each thread; more groups than this in turn are ranked again.
const RANKINGS_KEPT: usize = 64;

/// Storage problems as rows. Columns have one value a row; a series has `horizon` values.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StorageBatch<'a> {
    /// Length of a slot, h.
    pub slot_hours: f64,
    /// Number of slots H of the series and of a row of the answer.
    pub horizon: usize,
    /// Price of energy bought, per grid-side kWh, tariffs x H.
    pub buy_price: &'a [f64],
    /// Price of energy sold, per grid-side kWh, tariffs x H.
    pub sell_price: &'a [f64],
    /// Which of the cheapest schedules is meant; a load to fill has H values.
    pub tie: TieRule<'a>,

    /// Which tariff the battery pays.
    pub tariff: &'a [u32],
    /// First slot it may use.
    pub first_slot: &'a [u32],
    /// The slot after its last one.
    pub end_slot: &'a [u32],
    /// Stored energy at the beginning of its first slot, kWh.
    pub energy_kwh: &'a [f64],
    /// Least stored energy, kWh.
    pub energy_kwh_min: &'a [f64],
    /// Most stored energy, kWh.
    pub energy_kwh_max: &'a [f64],
    /// Least stored energy at the end of its last slot, kWh.
    pub target_kwh: &'a [f64],
    /// Most that may be charged with, kW.
    pub charge_kw_max: &'a [f64],
    /// Most that may be discharged with, kW, not negative.
    pub discharge_kw_max: &'a [f64],
    /// Stored per grid-side energy charged, in (0, 1].
    pub charge_efficiency: &'a [f64],
    /// Grid-side per stored energy discharged, in (0, 1].
    pub discharge_efficiency: &'a [f64],
    /// Cost of wear per grid-side kWh discharged.
    pub degradation_per_kwh: &'a [f64],
    /// What a kWh still stored at the end is worth.
    pub terminal_value_per_kwh: &'a [f64],

    /// One bit a row and slot of the horizon: may discharge. Row-major, least significant bit
    /// first, rows padded to whole bytes; empty where everyone may throughout.
    pub may_discharge: &'a [u8],
    /// Entries `bound_offset[i]..bound_offset[i + 1]` of the next three columns narrow the energy
    /// bounds of row i at given slots; n + 1 values, or empty.
    pub bound_offset: &'a [u32],
    /// The slot at whose beginning the bound holds.
    pub bound_slot: &'a [u32],
    /// Least energy then, kWh.
    pub bound_kwh_min: &'a [f64],
    /// Most energy then, kWh.
    pub bound_kwh_max: &'a [f64],
}

/// A batch that makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum BatchError {
    /// A column has the wrong number of values.
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
    /// A row makes no sense.
    #[error("row {row}: {problem}")]
    Row {
        /// The row.
        row: usize,
        /// What is wrong.
        problem: ProblemError,
    },
}

/// Solves every row: its schedule goes to row i of `power_kw` (n x H, row-major, kW, positive
/// charges, 0 outside its slots), its answer to `answers[i]`.
///
/// `threads` only changes how long it takes. CBC solves one problem at a time however many there are.
///
/// # Errors
/// At the first row that makes no sense; what has been written by then is not to be used.
pub fn solve_batch(
    batch: &StorageBatch<'_>,
    method: Method,
    options: Options,
    threads: usize,
    power_kw: &mut [f64],
    answers: &mut [Answer],
) -> Result<(), BatchError> {
    batch.validate(power_kw.len(), answers.len())?;
    let rows = batch.len();
    if rows == 0 || batch.horizon == 0 {
        return (0..rows).try_for_each(|row| batch.row(row, &mut Rows::default()).map(|_| ()));
    }
    let chunk = rows.div_ceil(threads.clamp(1, rows));
    std::thread::scope(|scope| {
        let parts = power_kw.chunks_mut(chunk * batch.horizon).zip(answers.chunks_mut(chunk)).enumerate();
        let workers: Vec<_> = parts
            .map(|(part, (power, answers))| {
                let mut work =
                    move || Worker::default().run(batch, part * chunk, method, options, power, answers);
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
struct Rows {
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
type GroupKey = (u32, [u64; 3]);

impl Worker {
    fn run(
        &mut self,
        batch: &StorageBatch<'_>,
        first_row: usize,
        method: Method,
        options: Options,
        power_kw: &mut [f64],
        answers: &mut [Answer],
    ) -> Result<(), BatchError> {
        for (i, (power, answer)) in power_kw.chunks_mut(batch.horizon).zip(answers).enumerate() {
            let row = first_row + i;
            let (problem, slots) = batch.row(row, &mut self.rows)?;
            power.fill(0.0);
            let power = &mut power[slots.clone()];
            let ranking = group(&mut self.rankings, &mut self.last, batch, row);
            let shared = (ranking.is_convex() || no_discharge(&problem)).then_some((ranking, slots.start));
            *answer = self.solver.solve_valid(&problem, shared, method, options, power);
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
    batch: &StorageBatch<'_>,
    row: usize,
) -> &'r Ranking {
    let numbers =
        [batch.charge_efficiency[row], batch.discharge_efficiency[row], batch.degradation_per_kwh[row]];
    let key = (batch.tariff[row], numbers.map(f64::to_bits));
    if rankings.get(*last).is_none_or(|(found, _)| *found != key) {
        *last = rankings.iter().position(|(found, _)| *found == key).unwrap_or_else(|| {
            let (buy, sell) = batch.prices(batch.tariff[row] as usize);
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

impl<'a> StorageBatch<'a> {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.tariff.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.tariff.is_empty()
    }

    fn prices(&self, tariff: usize) -> (&'a [f64], &'a [f64]) {
        let slots = tariff * self.horizon..(tariff + 1) * self.horizon;
        (&self.buy_price[slots.clone()], &self.sell_price[slots])
    }

    fn validate(&self, power: usize, answers: usize) -> Result<(), BatchError> {
        let rows = self.len();
        let length = |column, found, expected| {
            if found == expected { Ok(()) } else { Err(BatchError::Length { column, found, expected }) }
        };
        let (some, mask) = (usize::from(!self.bound_offset.is_empty()), rows * self.horizon.div_ceil(8));
        let bounds = self.bound_slot.len();
        let columns = [
            ("power_kw", power, rows * self.horizon),
            ("answers", answers, rows),
            ("sell_price", self.sell_price.len(), self.buy_price.len()),
            ("first_slot", self.first_slot.len(), rows),
            ("end_slot", self.end_slot.len(), rows),
            ("energy_kwh", self.energy_kwh.len(), rows),
            ("energy_kwh_min", self.energy_kwh_min.len(), rows),
            ("energy_kwh_max", self.energy_kwh_max.len(), rows),
            ("target_kwh", self.target_kwh.len(), rows),
            ("charge_kw_max", self.charge_kw_max.len(), rows),
            ("discharge_kw_max", self.discharge_kw_max.len(), rows),
            ("charge_efficiency", self.charge_efficiency.len(), rows),
            ("discharge_efficiency", self.discharge_efficiency.len(), rows),
            ("degradation_per_kwh", self.degradation_per_kwh.len(), rows),
            ("terminal_value_per_kwh", self.terminal_value_per_kwh.len(), rows),
            ("may_discharge", self.may_discharge.len(), if self.may_discharge.is_empty() { 0 } else { mask }),
            ("bound_offset", self.bound_offset.len(), some * (rows + 1)),
            ("bound_kwh_min", self.bound_kwh_min.len(), bounds),
            ("bound_kwh_max", self.bound_kwh_max.len(), bounds),
        ];
        columns.into_iter().try_for_each(|(column, found, expected)| length(column, found, expected))?;
        let tariffs = self.buy_price.len().checked_div(self.horizon).unwrap_or(0);
        length("buy_price", self.buy_price.len(), tariffs * self.horizon)?;
        (0..tariffs).try_for_each(|tariff| {
            let (buy, sell) = self.prices(tariff);
            validate_prices(buy, sell, self.tie).map_err(|problem| BatchError::Tariff { tariff, problem })
        })
    }

    /// Row `row` as a problem, and the slots of the horizon it spans.
    fn row<'r>(
        &self,
        row: usize,
        scratch: &'r mut Rows,
    ) -> Result<(StorageProblem<'r>, std::ops::Range<usize>), BatchError>
    where
        'a: 'r,
    {
        let slots = self.first_slot[row] as usize..self.end_slot[row] as usize;
        let tariff = self.tariff[row] as usize;
        let known = (tariff + 1) * self.horizon <= self.buy_price.len();
        if slots.start > slots.end || slots.end > self.horizon || !known {
            return Err(BatchError::OutOfRange { row });
        }
        let (buy, sell) = self.prices(tariff);
        let tie = match self.tie {
            TieRule::ValleyFill(load) => TieRule::ValleyFill(&load[slots.clone()]),
            other => other,
        };
        self.fill_discharge(row, &slots, &mut scratch.discharge);
        let has_bounds = self.fill_bounds(row, &slots, scratch)?;
        let bound = |same: &[f64], each: &'r Vec<f64>| {
            if has_bounds { PerSlot::Each(each) } else { PerSlot::Same(same[row]) }
        };
        let problem = StorageProblem {
            slot_hours: self.slot_hours,
            buy: &buy[slots.clone()],
            sell: &sell[slots.clone()],
            degradation: self.degradation_per_kwh[row],
            charge_kw_max: PerSlot::Same(self.charge_kw_max[row]),
            discharge_kw_max: if self.may_discharge.is_empty() || self.discharge_kw_max[row] == 0.0 {
                PerSlot::Same(self.discharge_kw_max[row])
            } else {
                PerSlot::Each(&scratch.discharge)
            },
            energy_kwh_min: bound(self.energy_kwh_min, &scratch.least),
            energy_kwh_max: bound(self.energy_kwh_max, &scratch.most),
            energy_kwh: self.energy_kwh[row],
            target_kwh: self.target_kwh[row],
            charge_efficiency: self.charge_efficiency[row],
            discharge_efficiency: self.discharge_efficiency[row],
            terminal_value: self.terminal_value_per_kwh[row],
            tie,
        };
        problem.validate_battery().map_err(|problem| BatchError::Row { row, problem })?;
        Ok((problem, slots))
    }

    /// The discharge limit of each slot, 0 where the driver did not agree.
    fn fill_discharge(&self, row: usize, slots: &std::ops::Range<usize>, limits: &mut Vec<f64>) {
        if self.may_discharge.is_empty() {
            return;
        }
        let bytes = self.horizon.div_ceil(8);
        let agreed = &self.may_discharge[row * bytes..(row + 1) * bytes];
        let most = self.discharge_kw_max[row];
        limits.clear();
        limits.extend(slots.clone().map(|slot| most * f64::from(agreed[slot / 8] >> (slot % 8) & 1)));
    }

    /// The energy bounds of each slot of a row that has bounds of its own; false where it has none.
    fn fill_bounds(
        &self,
        row: usize,
        slots: &std::ops::Range<usize>,
        scratch: &mut Rows,
    ) -> Result<bool, BatchError> {
        let Some(&[from, to]) = self.bound_offset.get(row..row + 2) else { return Ok(false) };
        let (from, to) = (from as usize, to as usize);
        if from > to || to > self.bound_slot.len() {
            return Err(BatchError::OutOfRange { row });
        }
        scratch.least.clear();
        scratch.most.clear();
        scratch.least.resize(slots.len(), self.energy_kwh_min[row]);
        scratch.most.resize(slots.len(), self.energy_kwh_max[row]);
        for entry in from..to {
            // What holds at the beginning of a slot holds at the end of the one before.
            let slot = self.bound_slot[entry] as usize;
            if slot > slots.start && slot <= slots.end {
                let end_of = slot - 1 - slots.start;
                scratch.least[end_of] = scratch.least[end_of].max(self.bound_kwh_min[entry]);
                scratch.most[end_of] = scratch.most[end_of].min(self.bound_kwh_max[entry]);
            }
        }
        Ok(from < to)
    }
}
