//! The storage service: what policies ask for, solved by [`voltide_schedule`].

use std::panic::{self, AssertUnwindSafe};
use voltide_policy::storage::{GroupFigures, GroupSites, Method, StorageAnswer, StorageRequest};
use voltide_schedule::{solve_batch, solve_group_batch};

/// Rows that are worth a thread of their own.
const ROWS_PER_THREAD: usize = 256;

/// Solves every row of `request` into `power_kw`, n x H; the error is one that its author
/// understands.
pub(crate) fn solve(
    request: &StorageRequest<'_>,
    threads: usize,
    power_kw: &mut [f64],
) -> Result<Vec<StorageAnswer>, String> {
    if request.is_empty() {
        return Ok(Vec::new());
    }
    check_missing(request, power_kw)?;
    let mut answers = vec![StorageAnswer::default(); request.len()];
    let threads = match request.method {
        Method::Exact | Method::V1g => threads.min(request.len() / ROWS_PER_THREAD).max(1),
        // CBC solves one problem at a time.
        Method::Lp | Method::Milp => 1,
    };
    let solve = || solve_batch(request, threads, power_kw, &mut answers);
    // A panic must not cross into the policy.
    let solved = panic::catch_unwind(AssertUnwindSafe(solve));
    solved.map_err(|_| "the solver panicked".to_owned())?.map_err(|error| error.to_string())?;
    Ok(answers)
}

/// Solves all rows of `request` together behind the limits of `sites`, into `power_kw`, n x H; the
/// error is one that its author understands.
pub(crate) fn solve_group(
    request: &StorageRequest<'_>,
    sites: &GroupSites<'_>,
    power_kw: &mut [f64],
) -> Result<(Vec<StorageAnswer>, GroupFigures), String> {
    if request.is_empty() {
        return Ok((Vec::new(), GroupFigures::default()));
    }
    check_missing(request, power_kw)?;
    let mut answers = vec![StorageAnswer::default(); request.len()];
    let solve = || solve_group_batch(request, sites, power_kw, &mut answers);
    // A panic must not cross into the policy.
    let solved = panic::catch_unwind(AssertUnwindSafe(solve));
    let solved = solved.map_err(|_| "the solver panicked".to_owned())?;
    let figures = solved.map_err(|error| error.to_string())?;
    Ok((answers, figures))
}

/// Checks that what may not be null is there: a column that is null is read as one without values.
fn check_missing(request: &StorageRequest<'_>, power_kw: &[f64]) -> Result<(), String> {
    if power_kw.len() != request.len() * request.horizon {
        return Err("column power_kw is missing".to_owned());
    }
    if request.buy_price.is_empty() {
        return Err("column buy_price is missing".to_owned());
    }
    Ok(())
}
