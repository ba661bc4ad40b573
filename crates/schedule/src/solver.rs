//! One battery, four ways to its cheapest schedule.

pub use voltide_policy::storage::{Method, TieRule};

use crate::{
    answer::StorageAnswer,
    exact::Exact,
    problem::{ProblemError, StorageProblem},
    programs,
    ranking::Ranking,
    v1g::ClosedForm,
};

/// How much searching is allowed, and what happens when wishes cannot be met.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Most nodes of branch and bound, and most corners of a value function that is not convex;
    /// when they run out the best schedule so far is given with its gap.
    pub nodes: u32,
    /// Relative gap at which a search may stop.
    pub gap: f64,
    /// Refuse with [`Outcome::Infeasible`](crate::Outcome::Infeasible) instead of giving the best
    /// reachable schedule.
    pub strict: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { nodes: 20_000, gap: 1e-9, strict: false }
    }
}

/// Solves storage problems one by one; holds scratch memory, so keep one for each thread.
/// Answers never depend on what was solved before.
#[derive(Debug, Default)]
pub struct Solver {
    exact: Exact,
    closed: ClosedForm,
}

impl Solver {
    /// Solves `problem` and writes its schedule to `power_kw` (kW, positive charges; one value a slot).
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

    /// Solves a valid problem; `shared` is a ranking of its prices, and the slot in it where they begin.
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
