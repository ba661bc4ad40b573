//! One battery, four ways to its cheapest schedule.

use crate::{
    answer::StorageAnswer,
    exact::Exact,
    options::Options,
    problem::{ProblemError, StorageProblem},
    programs,
    ranking::Ranking,
    v1g::ClosedForm,
};
use voltide_policy::storage::Method;

/// Solves storage problems one by one; holds scratch memory, so keep one for each thread.
/// Answers never depend on what was solved before.
#[derive(Debug, Default)]
pub struct Solver {
    exact: Exact,
    closed: ClosedForm,
}

impl Solver {
    /// Solves `problem` and writes its schedule to `power_kw` (kW, positive charges; one value a
    /// slot).
    ///
    /// # Errors
    /// Where the problem makes no sense. One that cannot be met is an answer with
    /// [`Unmet`](crate::Unmet).
    ///
    /// # Panics
    /// If `power_kw` has not one value a slot.
    pub fn solve(
        &mut self,
        problem: &StorageProblem<'_>,
        method: Method,
        options: Options,
        power_kw: &mut [f64],
    ) -> Result<StorageAnswer, ProblemError> {
        assert_eq!(power_kw.len(), problem.slots(), "one power a slot");
        problem.validate()?;
        Ok(self.solve_valid(problem, None, method, options, power_kw))
    }

    /// Nodes of branch and bound that the last exact answer took; 1 where every slot was convex.
    pub fn nodes(&self) -> u32 {
        self.exact.nodes()
    }

    /// Solves a valid problem; `shared` is a ranking of its prices, and the slot in it where they
    /// begin.
    pub(crate) fn solve_valid(
        &mut self,
        problem: &StorageProblem<'_>,
        shared: Option<(&Ranking, usize)>,
        method: Method,
        options: Options,
        power_kw: &mut [f64],
    ) -> StorageAnswer {
        match method {
            Method::Lp => programs::solve(problem, false, options, power_kw),
            Method::Milp => programs::solve(problem, true, options, power_kw),
            Method::V1g => self
                .closed
                .solve(problem, options, power_kw)
                .unwrap_or_else(|| self.solve_exact(problem, shared, options, power_kw)),
            Method::Exact => self.solve_exact(problem, shared, options, power_kw),
        }
    }

    fn solve_exact(
        &mut self,
        problem: &StorageProblem<'_>,
        shared: Option<(&Ranking, usize)>,
        options: Options,
        power_kw: &mut [f64],
    ) -> StorageAnswer {
        match shared {
            Some((ranking, first)) => {
                self.exact.solve_ranked(problem, ranking, first, options, power_kw)
            }
            None => self.exact.solve(problem, options, power_kw),
        }
    }
}
