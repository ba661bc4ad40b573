//! The storage service from both sides: slices to pointers for a policy, and back for the program.

#![expect(unsafe_code, reason = "this is the border between the program and a plugin")]

use super::{
    ByteSink, Host, STATUS_OK, STORAGE_ABOVE_MAXIMUM, STORAGE_FEASIBLE, STORAGE_HELD_BY_BOUNDS,
    STORAGE_INFEASIBLE, STORAGE_NO_SOLUTION, STORAGE_OPTIMAL, STORAGE_REACHED, STORAGE_SERVICE,
    STORAGE_STRICT, STORAGE_TOO_SHORT, STORAGE_UNBOUNDED, StorageAnswers, StorageFigures,
    StorageProblems, StorageSites, StorageTable, Versioned, copy_prefix, site_costs,
    view::{column, column_mut},
};
use crate::{
    observation::Schedules,
    storage::{
        BoundsMissed, GroupFigures, GroupSites, Method, MissedReason, Outcome, Share, SiteCost,
        StorageAnswer, StorageError, StorageRequest, TargetMissed, TieRule, Unmet,
    },
};
use std::{marker::PhantomData, ptr};

// SAFETY: numbers, pointers and optional functions behind a `size: u32`.
unsafe impl Versioned for StorageTable {}
// SAFETY: as above.
unsafe impl Versioned for StorageProblems {}
// SAFETY: as above.
unsafe impl Versioned for StorageAnswers {}
// SAFETY: as above.
unsafe impl Versioned for StorageSites {}
// SAFETY: as above.
unsafe impl Versioned for StorageFigures {}

/// The program's storage service, at a policy's disposal while the host is.
#[derive(Debug)]
pub struct Storage<'h> {
    table: StorageTable,
    host: PhantomData<&'h Host>,
}

impl Host {
    /// The program's storage service.
    ///
    /// # Errors
    /// Where the program does not have it, as in a policy's own tests.
    pub fn storage(&self) -> Result<Storage<'_>, StorageError> {
        let table = self.extension(STORAGE_SERVICE).ok_or(StorageError::Absent)?;
        // SAFETY: the name stands for this type of table, which outlives the instance and so the
        // host.
        let table = unsafe { copy_prefix(table.cast::<StorageTable>().as_ptr()) };
        Ok(Storage { table, host: PhantomData })
    }
}

impl Storage<'_> {
    /// Solves every row: its schedule goes to row i of `schedules`, all of which is written; what
    /// could not be met is in its answer.
    ///
    /// # Errors
    /// Where the request makes no sense; the message says which row or column. What has been
    /// written to `schedules` is then not to be used.
    pub fn solve(
        &self,
        request: &StorageRequest<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result<Vec<StorageAnswer>, StorageError> {
        let solve = self.table.solve.ok_or(StorageError::Absent)?;
        let context = self.table.context;
        // SAFETY: both structs point to slices that outlive the call and have the lengths that they
        // say.
        answered(request, schedules, |problems, answers| unsafe {
            solve(context, problems, answers)
        })
    }

    /// Solves all rows together, behind the limits of `sites`: least power beyond limits first,
    /// then least energy missing, then least cost. The schedules are written as by
    /// [`solve`](Self::solve); method and tie rule of the request are not looked at.
    ///
    /// # Errors
    /// As [`solve`](Self::solve), and where the program solves no groups.
    pub fn solve_group(
        &self,
        request: &StorageRequest<'_>,
        sites: &GroupSites<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result<(Vec<StorageAnswer>, GroupFigures), StorageError> {
        let solve = self.table.solve_group.ok_or(StorageError::NoGroups)?;
        let context = self.table.context;
        let costs = site_costs::pointed_at(sites.costs, request.horizon)?;
        let costs: Vec<_> = costs.iter().map(ptr::from_ref).collect();
        let mut sites = StorageSites::new(sites, request.len(), request.horizon)?;
        sites.cost = costs.as_ptr();
        let mut read = GroupFigures::default();
        let figures = StorageFigures::point_at(&mut read);
        // SAFETY: the structs point to slices that outlive the call and have the lengths that they
        // say, and to figures that do.
        let answers = answered(request, schedules, |problems, answers| unsafe {
            solve(context, problems, &raw const sites, answers, &raw const figures)
        })?;
        Ok((answers, read))
    }
}

/// Lets `solve` answer a request into `schedules`.
fn answered(
    request: &StorageRequest<'_>,
    schedules: &mut Schedules<'_>,
    solve: impl FnOnce(*const StorageProblems, *const StorageAnswers) -> i32,
) -> Result<Vec<StorageAnswer>, StorageError> {
    let problems = StorageProblems::new(request)?;
    let rows = request.len();
    let horizon = request.horizon;
    if schedules.power_kw.len() != rows * horizon {
        let found = schedules.power_kw.len();
        return refuse(format!("the schedules have {found} values, not {rows} x {horizon}"));
    }
    let mut columns = AnswerColumns::new(rows);
    let mut message = Vec::new();
    let sink = ByteSink::new(&mut message);
    let answers = columns.point_at(schedules.power_kw, horizon, &sink);
    let status = solve(&raw const problems, &raw const answers);
    if status == STATUS_OK {
        columns.read()
    } else {
        refuse(String::from_utf8_lossy(&message).into_owned())
    }
}

impl StorageSites {
    /// Points at the columns of `sites`, for a request of so many rows and slots; their costs are
    /// pointed at by who calls.
    ///
    /// # Errors
    /// When a column has another length than the others ask for.
    pub fn new(sites: &GroupSites<'_>, rows: usize, horizon: usize) -> Result<Self, StorageError> {
        let series = sites.parent_site.len() * horizon;
        for (name, found, expected) in [
            ("site_id", sites.site_id.len(), rows),
            ("import_kw_max", sites.import_kw_max.len(), series),
            ("export_kw_max", sites.export_kw_max.len(), series),
        ] {
            if found != expected {
                return refuse(format!("column {name} has {found} values, not {expected}"));
            }
        }
        check_length("given_kw", sites.given_kw.len(), series)?;
        check_length("planned_kw", sites.planned_kw.len(), rows * horizon)?;
        Ok(Self {
            size: size_of::<Self>() as u32,
            rows: count("rows", rows)?,
            horizon: count("slots", horizon)?,
            sites: count("sites", sites.parent_site.len())?,
            site_id: sites.site_id.as_ptr(),
            parent_site: sites.parent_site.as_ptr(),
            import_kw_max: sites.import_kw_max.as_ptr(),
            export_kw_max: sites.export_kw_max.as_ptr(),
            given_kw: optional(sites.given_kw),
            planned_kw: optional(sites.planned_kw),
            costs: count("costs", sites.costs.len())?,
            share: sites.share as u32,
            cost: ptr::null(),
        })
    }

    /// The columns as slices; one that is null has no values. Costs are given apart, by
    /// [`costs`](Self::costs).
    ///
    /// # Errors
    /// Where a code is unknown, or the sizes are beyond all memory.
    ///
    /// # Safety
    ///
    /// Every pointer is null or points to as many values as the contract says, unchanged for `'a`.
    pub unsafe fn view<'a>(&self) -> Result<GroupSites<'a>, StorageError> {
        let [rows, slots, sites] =
            [self.rows, self.horizon, self.sites].map(|count| count as usize);
        // Series of sites are as large as those of tariffs would be.
        let series = Sizes::new(rows, slots, sites, 0)?.tariffs;
        let matrix = rows * slots;
        // SAFETY: as the caller promises.
        unsafe {
            Ok(GroupSites {
                site_id: column(self.site_id, rows),
                parent_site: column(self.parent_site, sites),
                import_kw_max: column(self.import_kw_max, series),
                export_kw_max: column(self.export_kw_max, series),
                given_kw: column(self.given_kw, series),
                planned_kw: column(self.planned_kw, matrix),
                costs: &[],
                share: decode("share", self.share, &[Share::Cost, Share::Even])?,
            })
        }
    }

    /// What the power of sites costs.
    ///
    /// # Errors
    /// Where a code is unknown, or the sizes are beyond all memory.
    ///
    /// # Safety
    ///
    /// As for [`view`](Self::view).
    pub unsafe fn costs<'a>(&self) -> Result<Vec<SiteCost<'a>>, StorageError> {
        Sizes::new(self.costs as usize, 1, 0, 0)?;
        // SAFETY: as the caller promises.
        unsafe {
            let costs = column(self.cost, self.costs as usize);
            if costs.len() != self.costs as usize || costs.iter().any(|cost| cost.is_null()) {
                return refuse("a cost of power is missing".to_owned());
            }
            costs.iter().map(|&cost| copy_prefix(cost).view(self.horizon as usize)).collect()
        }
    }
}

impl StorageFigures {
    fn point_at(figures: &mut GroupFigures) -> Self {
        Self {
            size: size_of::<Self>() as u32,
            reserved: 0,
            violation_kwh: &raw mut figures.violation_kwh,
            missing_kwh: &raw mut figures.missing_kwh,
            missing_bound_kwh: &raw mut figures.missing_bound_kwh,
            cost: &raw mut figures.cost,
            cost_bound: &raw mut figures.cost_bound,
        }
    }

    /// Writes the figures to those places that are there.
    ///
    /// # Safety
    ///
    /// Every pointer is null or points to a value that nobody else touches during the call.
    pub unsafe fn write(&self, figures: &GroupFigures) {
        for (place, value) in [
            (self.violation_kwh, figures.violation_kwh),
            (self.missing_kwh, figures.missing_kwh),
            (self.missing_bound_kwh, figures.missing_bound_kwh),
            (self.cost, figures.cost),
            (self.cost_bound, figures.cost_bound),
        ] {
            // SAFETY: as the caller promises.
            unsafe { column_mut(place, 1) }.fill(value);
        }
    }
}

pub(super) fn refuse<T>(message: String) -> Result<T, StorageError> {
    Err(StorageError::Refused(message))
}

/// How many values the kinds of columns have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    rows: usize,
    slots: usize,
    tariffs: usize,
    bits: usize,
    offsets: usize,
    bounds: usize,
}

/// A pointer to the values of a column, or null where it has none.
fn optional<T>(column: &[T]) -> *const T {
    if column.is_empty() { ptr::null() } else { column.as_ptr() }
}

/// Writes what has to be done for every column, once.
macro_rules! columns {
    ($($name:ident: $len:ident),* $(,)?) => {
        impl StorageRequest<'_> {
            /// Checks that each column has as many values as the others ask for, or none.
            ///
            /// # Errors
            /// At the first that has not; its name and both lengths.
            pub fn check_lengths(&self) -> Result<(), StorageError> {
                let size = self.sizes()?;
                $(check_length(stringify!($name), self.$name.len(), size.$len)?;)*
                Ok(())
            }
        }

        impl StorageProblems {
            fn point_at(&mut self, request: &StorageRequest<'_>) {
                $(self.$name = optional(request.$name);)*
            }

            /// Reads back what the function above wrote.
            ///
            /// # Safety
            ///
            /// As for [`StorageProblems::view`].
            unsafe fn read(&self, request: &mut StorageRequest<'_>, size: Sizes) {
                // SAFETY: as the caller promises.
                $(request.$name = unsafe { column(self.$name, size.$len) };)*
            }
        }
    };
}

pub(super) fn check_length(name: &str, found: usize, expected: usize) -> Result<(), StorageError> {
    // Which columns may be left out, the solver knows.
    if found == 0 || found == expected {
        return Ok(());
    }
    refuse(format!("column {name} has {found} values, not {expected}"))
}

impl StorageProblems {
    /// Points at the columns of `request`.
    ///
    /// # Errors
    /// When a column has another length than the others ask for.
    pub fn new(request: &StorageRequest<'_>) -> Result<Self, StorageError> {
        // SAFETY: numbers and pointers may be zero.
        let mut problems: Self = unsafe { std::mem::MaybeUninit::zeroed().assume_init() };
        problems.size = size_of::<Self>() as u32;
        problems.method = request.method as u32;
        problems.tie = request.tie as u32;
        problems.flags = if request.strict { STORAGE_STRICT } else { 0 };
        problems.slot_hours = request.slot_hours;
        problems.origin_slot = request.origin_slot;
        problems.horizon = count("slots", request.horizon)?;
        problems.rows = count("rows", request.len())?;
        problems.tariffs = count("tariffs", request.buy_price.len() / request.horizon.max(1))?;
        problems.bounds = count("bounds", request.bound_slot.len())?;
        request.check_lengths()?;
        problems.point_at(request);
        Ok(problems)
    }

    /// The columns as slices.
    ///
    /// # Errors
    /// Where a code is unknown, or the sizes are beyond all memory.
    ///
    /// # Safety
    ///
    /// Every pointer is null or points to as many values as the contract says, unchanged for `'a`.
    pub unsafe fn view<'a>(&self) -> Result<StorageRequest<'a>, StorageError> {
        let method = [Method::Exact, Method::V1g, Method::Lp, Method::Milp];
        let tie = [TieRule::Spread, TieRule::Earliest, TieRule::ValleyFill];
        let mut request = StorageRequest {
            method: decode("method", self.method, &method)?,
            tie: decode("tie rule", self.tie, &tie)?,
            strict: self.flags & STORAGE_STRICT != 0,
            slot_hours: self.slot_hours,
            origin_slot: self.origin_slot,
            horizon: self.horizon as usize,
            ..StorageRequest::default()
        };
        let sizes = self.sizes()?;
        // SAFETY: as the caller promises.
        unsafe { self.read(&mut request, sizes) };
        Ok(request)
    }

    fn sizes(&self) -> Result<Sizes, StorageError> {
        let [rows, slots, tariffs, bounds] =
            [self.rows, self.horizon, self.tariffs, self.bounds].map(|count| count as usize);
        Sizes::new(rows, slots, tariffs, bounds)
    }
}

impl StorageRequest<'_> {
    fn sizes(&self) -> Result<Sizes, StorageError> {
        let tariffs = self.buy_price.len() / self.horizon.max(1);
        Sizes::new(self.len(), self.horizon, tariffs, self.bound_slot.len())
    }
}

columns!(
    buy_price: tariffs, sell_price: tariffs, load_kw: slots, tariff_id: rows, first_slot: rows,
    end_slot: rows, energy_kwh: rows, energy_kwh_min: rows, energy_kwh_max: rows, target_kwh: rows,
    charge_kw_max: rows, discharge_kw_max: rows, charge_efficiency: rows, discharge_efficiency: rows,
    degradation_per_kwh: rows, terminal_value_per_kwh: rows, may_discharge: bits,
    bound_offset: offsets, bound_slot: bounds, bound_kwh_min: bounds, bound_kwh_max: bounds,
);

impl Sizes {
    /// Lengths of columns, all of which fit into memory as numbers of 8 bytes.
    pub(super) fn new(
        rows: usize,
        slots: usize,
        tariffs: usize,
        bounds: usize,
    ) -> Result<Self, StorageError> {
        // A slice of more than `isize::MAX` bytes must not even be made, and the numbers may come
        // from a policy in any language.
        let fits = |values: usize| {
            values.checked_mul(8).is_some_and(|bytes| isize::try_from(bytes).is_ok())
        };
        let matrix = rows.checked_mul(slots).filter(|&values| fits(values));
        let prices = tariffs.checked_mul(slots).filter(|&values| fits(values));
        let (Some(_), Some(tariffs)) = (matrix, prices) else {
            return refuse(format!(
                "{rows} rows and {tariffs} tariffs of {slots} slots are too many"
            ));
        };
        let bits = rows * slots.div_ceil(8);
        Ok(Self { rows, slots, tariffs, bits, offsets: rows + 1, bounds })
    }
}

pub(super) fn count(what: &str, count: usize) -> Result<u32, StorageError> {
    u32::try_from(count).or_else(|_| refuse(format!("{count} {what} are too many")))
}

/// The value with the number `code`; values are numbered from 0.
fn decode<T: Copy>(what: &str, code: u32, values: &[T]) -> Result<T, StorageError> {
    let value = values.get(code as usize).copied();
    value.map_or_else(|| refuse(format!("no {what} has the number {code}")), Ok)
}

impl StorageAnswers {
    /// The matrix for the schedules.
    ///
    /// # Safety
    ///
    /// `power_kw` is null or points to n x H values that nobody else touches for `'a`.
    pub unsafe fn power_kw<'a>(&self) -> &'a mut [f64] {
        // SAFETY: as the caller promises.
        unsafe { column_mut(self.power_kw, self.rows as usize * self.horizon as usize) }
    }

    /// Writes the answers to those columns that are there.
    ///
    /// # Safety
    ///
    /// Every pointer is null or points to n values that nobody else touches during the call.
    pub unsafe fn write(&self, answers: &[StorageAnswer]) {
        let rows = self.rows as usize;
        // SAFETY: as the caller promises.
        unsafe {
            fill(column_mut(self.outcome, rows), answers, |answer| outcome_code(answer.outcome));
            fill(column_mut(self.objective, rows), answers, |answer| answer.objective);
            fill(column_mut(self.gap, rows), answers, |answer| gap(answer.outcome));
            fill(column_mut(self.target, rows), answers, |answer| target_code(answer.unmet));
            fill(column_mut(self.missing_kwh, rows), answers, |answer| missing_kwh(answer.unmet));
            fill(column_mut(self.slots_outside, rows), answers, |answer| {
                slots_outside(answer.unmet)
            });
            fill(column_mut(self.worst_kwh, rows), answers, |answer| worst_kwh(answer.unmet));
        }
    }
}

fn fill<T>(column: &mut [T], answers: &[StorageAnswer], value: impl Fn(&StorageAnswer) -> T) {
    column.iter_mut().zip(answers).for_each(|(place, answer)| *place = value(answer));
}

fn outcome_code(outcome: Outcome) -> u32 {
    match outcome {
        Outcome::Optimal => STORAGE_OPTIMAL,
        Outcome::Feasible { .. } => STORAGE_FEASIBLE,
        Outcome::Infeasible => STORAGE_INFEASIBLE,
        Outcome::Unbounded => STORAGE_UNBOUNDED,
        Outcome::NoSolution => STORAGE_NO_SOLUTION,
    }
}

fn gap(outcome: Outcome) -> f64 {
    if let Outcome::Feasible { gap } = outcome { gap } else { 0.0 }
}

/// Reads back what the two functions above wrote.
fn outcome(code: u32, gap: f64) -> Result<Outcome, StorageError> {
    match code {
        STORAGE_OPTIMAL => Ok(Outcome::Optimal),
        STORAGE_FEASIBLE => Ok(Outcome::Feasible { gap }),
        STORAGE_INFEASIBLE => Ok(Outcome::Infeasible),
        STORAGE_UNBOUNDED => Ok(Outcome::Unbounded),
        STORAGE_NO_SOLUTION => Ok(Outcome::NoSolution),
        other => refuse(format!("no outcome has the number {other}")),
    }
}

fn target_code(unmet: Unmet) -> u32 {
    match unmet.target.map(|missed| missed.reason) {
        None => STORAGE_REACHED,
        Some(MissedReason::TooShort) => STORAGE_TOO_SHORT,
        Some(MissedReason::AboveMaximum) => STORAGE_ABOVE_MAXIMUM,
        Some(MissedReason::HeldByBounds) => STORAGE_HELD_BY_BOUNDS,
    }
}

fn missing_kwh(unmet: Unmet) -> f64 {
    unmet.target.map_or(0.0, |missed| missed.missing_kwh)
}

/// Reads back what the two functions above wrote.
fn target(code: u32, missing_kwh: f64) -> Result<Option<TargetMissed>, StorageError> {
    let reason = match code {
        STORAGE_REACHED => return Ok(None),
        STORAGE_TOO_SHORT => MissedReason::TooShort,
        STORAGE_ABOVE_MAXIMUM => MissedReason::AboveMaximum,
        STORAGE_HELD_BY_BOUNDS => MissedReason::HeldByBounds,
        other => return refuse(format!("no state of a target has the number {other}")),
    };
    Ok(Some(TargetMissed { missing_kwh, reason }))
}

fn slots_outside(unmet: Unmet) -> u32 {
    unmet.bounds.map_or(0, |missed| missed.slots)
}

fn worst_kwh(unmet: Unmet) -> f64 {
    unmet.bounds.map_or(0.0, |missed| missed.worst_kwh)
}

/// Owns the columns that a policy gets its answers in.
#[derive(Debug)]
struct AnswerColumns {
    outcome: Vec<u32>,
    objective: Vec<f64>,
    gap: Vec<f64>,
    target: Vec<u32>,
    missing_kwh: Vec<f64>,
    slots_outside: Vec<u32>,
    worst_kwh: Vec<f64>,
}

impl AnswerColumns {
    fn new(rows: usize) -> Self {
        let codes = vec![0; rows];
        let numbers = vec![0.0; rows];
        Self {
            outcome: codes.clone(),
            objective: numbers.clone(),
            gap: numbers.clone(),
            target: codes.clone(),
            missing_kwh: numbers.clone(),
            slots_outside: codes,
            worst_kwh: numbers,
        }
    }

    fn point_at(
        &mut self,
        power_kw: &mut [f64],
        horizon: usize,
        message: &ByteSink,
    ) -> StorageAnswers {
        StorageAnswers {
            size: size_of::<StorageAnswers>() as u32,
            rows: self.outcome.len() as u32,
            horizon: horizon as u32,
            reserved: 0,
            power_kw: power_kw.as_mut_ptr(),
            outcome: self.outcome.as_mut_ptr(),
            objective: self.objective.as_mut_ptr(),
            gap: self.gap.as_mut_ptr(),
            target: self.target.as_mut_ptr(),
            missing_kwh: self.missing_kwh.as_mut_ptr(),
            slots_outside: self.slots_outside.as_mut_ptr(),
            worst_kwh: self.worst_kwh.as_mut_ptr(),
            message,
        }
    }

    fn read(&self) -> Result<Vec<StorageAnswer>, StorageError> {
        (0..self.outcome.len()).map(|row| self.answer(row)).collect()
    }

    fn answer(&self, row: usize) -> Result<StorageAnswer, StorageError> {
        let slots = self.slots_outside[row];
        let bounds = BoundsMissed { slots, worst_kwh: self.worst_kwh[row] };
        Ok(StorageAnswer {
            outcome: outcome(self.outcome[row], self.gap[row])?,
            objective: self.objective[row],
            unmet: Unmet {
                target: target(self.target[row], self.missing_kwh[row])?,
                bounds: (slots > 0).then_some(bounds),
            },
        })
    }
}

#[cfg(test)]
mod tests;
