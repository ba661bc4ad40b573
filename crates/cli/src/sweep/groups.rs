//! The groups of a sweep while its points are run: what of each is there, and its rows once all is.

use super::{notes::Notes, plan::Plan, row::Row};
use crate::{
    batch::{Made, replayed},
    failure::{Code, Failure},
    journaled::Journaled,
    measured::RunFigures,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What came of a point.
pub(crate) enum Point {
    /// It was run now.
    Made(String, Box<Made>),
    /// It had been run before.
    There(String, PathBuf),
    /// It failed; its id, where it had one, and why.
    Failed(Option<String>, String),
}

/// The groups of a sweep.
pub(crate) struct Groups<'a> {
    plan: &'a Plan,
    notes: Notes,
    /// The seed that points have which are given none.
    own_seed: u64,
    /// Groups of which some points are there.
    begun: Mutex<BTreeMap<usize, Vec<Option<Point>>>>,
    /// The rows of those of which all are.
    whole: Mutex<BTreeMap<usize, Vec<Row>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Groups<'a> {
    /// None is begun; `own_seed` is that of the world.
    pub(crate) fn new(plan: &'a Plan, folder: &Path, own_seed: u64) -> Result<Self, Failure> {
        let notes = Notes::open(folder)?;
        Ok(Self { plan, notes, own_seed, begun: Mutex::default(), whole: Mutex::default() })
    }

    /// Takes in what came of the point of a policy in a group.
    pub(crate) fn take(&self, group: usize, policy: usize, point: Point) -> Result<(), Failure> {
        let mut begun = locked(&self.begun);
        let new = || (0..self.plan.policies.len()).map(|_| None).collect();
        let points = begun.entry(group).or_insert_with(new);
        points[policy] = Some(point);
        if points.iter().any(Option::is_none) {
            return Ok(());
        }
        let points = begun.remove(&group).unwrap_or_default();
        // What follows may take long, and other groups do not wait for it.
        drop(begun);
        let rows = self.rows(group, points.into_iter().flatten().collect())?;
        locked(&self.whole).insert(group, rows);
        Ok(())
    }

    /// The rows of a group of which all points are there.
    fn rows(&self, group: usize, points: Vec<Point>) -> Result<Vec<Row>, Failure> {
        if let Some(rows) = self.notes.read(group).filter(|rows| are_of(rows, &points)) {
            return Ok(rows);
        }
        let seed = self.plan.seed(group).unwrap_or(self.own_seed);
        let outcomes: Vec<Outcome> = points.into_iter().map(read).collect::<Result<_, _>>()?;
        let first = outcomes.first().and_then(figures);
        let policies = self.plan.policies.iter().cloned();
        let rows = policies.zip(&outcomes).map(|(policy, it)| row(policy, seed, it, first));
        let rows: Vec<Row> = rows.collect();
        self.notes.write(group, &rows)?;
        Ok(rows)
    }

    /// The rows of all groups, those of other parts as noted; `None` where some are not there yet.
    pub(crate) fn all(&self) -> Option<Vec<Vec<Row>>> {
        let whole = locked(&self.whole);
        let rows = |group| whole.get(&group).cloned().or_else(|| self.notes.read(group));
        (0..self.plan.groups()).map(rows).collect()
    }

    /// The rows of the groups that are whole.
    pub(crate) fn own(&self) -> BTreeMap<usize, Vec<Row>> {
        locked(&self.whole).clone()
    }
}

/// Whether rows are noted of these very points, all of which were run before.
fn are_of(rows: &[Row], points: &[Point]) -> bool {
    let is_of = |(row, point): (&Row, &Point)| match point {
        Point::There(id, _) => row.error.is_none() && row.run_id.as_ref() == Some(id),
        Point::Made(..) | Point::Failed(..) => false,
    };
    rows.len() == points.len() && rows.iter().zip(points).all(is_of)
}

/// The id and the figures of a run, or the id where it had one, and why there are none.
type Outcome = Result<(String, Box<Made>), (Option<String>, String)>;

/// What came of a point, with its figures where it had been run before.
///
/// # Errors
/// The user wants to stop.
fn read(point: Point) -> Result<Outcome, Failure> {
    let (id, folder) = match point {
        Point::Made(id, made) => return Ok(Ok((id, made))),
        Point::Failed(id, why) => return Ok(Err((id, why))),
        Point::There(id, folder) => (id, folder),
    };
    match Journaled::open(&folder, true).and_then(|journaled| replayed(journaled, true)) {
        Ok((figures, _)) => {
            let seed = figures.bills.seed;
            Ok(Ok((id, Box::new(Made { seed, folder: Some(folder), figures }))))
        }
        Err(failure) if failure.code() == Code::Interrupted => Err(failure),
        Err(failure) => Ok(Err((Some(id), failure.in_words()))),
    }
}

fn figures(outcome: &Outcome) -> Option<&RunFigures> {
    outcome.as_ref().ok().map(|(_, made)| &made.figures)
}

/// The row of a point; `first` is the run that it is measured against.
fn row(policy: String, seed: u64, outcome: &Outcome, first: Option<&RunFigures>) -> Row {
    match outcome {
        Ok((id, made)) => {
            let summary = &made.figures.summary;
            let values = made.figures.values(first);
            Row::finished(summary, made.seed, id.clone(), &values)
        }
        Err((id, why)) => Row::failed(policy, seed, id.clone(), why.clone()),
    }
}
