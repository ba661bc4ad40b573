//! Linear and mixed-integer programs through `good_lp` and CBC, with every answer checked.
//!
//! A program remembers its own columns and rows, so that an answer can be held against them. That
//! is needed, because CBC's word alone does not mean much:
//!
//! | trap                                                                    | what is done here                    |
//! |-------------------------------------------------------------------------|--------------------------------------|
//! | out of time without a solution, it hands over a fractional point        | bounds, rows and integrality checked |
//! | preprocessing calls a point optimal that breaks bounds                  | the same check, then solved without  |
//! | an unbounded linear program is reported infeasible                      | solved once more without objective   |
//! | the objective's constant is dropped                                     | objective recomputed                 |
//! | stopped on nodes or gap reads as optimal                                | the secondary status is asked        |
//! | `good_lp` turns "stopped on nodes" into an error and loses the solution | the model below it is asked          |
//! | its time limit counts whole CPU seconds and differs between runs        | budgets are nodes and gap            |

use crate::{
    answer::Outcome,
    search::{self, Bounds, Fork, Work},
};
use coin_cbc::raw::SecondaryStatus;
use good_lp::{
    Constraint, Expression, IntoAffineExpression, ProblemVariables, Solution, Solver, SolverModel,
    Variable, VariableDefinition, coin_cbc as cbc, constraint,
    solvers::{SolutionStatus, coin_cbc::CoinCbcProblem},
};
use std::{
    hash::{Hash, Hasher},
    ops::Index,
};
use voltide_clp::{self as clp, Basis, Entry, LinearProgram, MalformedProgram};

/// What a checked answer may be off by, in a row or a bound, relative to the row's size.
const ROW_TOLERANCE: f64 = 1e-6;
/// What an integer may be off by.
const INTEGER_TOLERANCE: f64 = 1e-5;

/// Values by variable.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Values(Vec<f64>);

impl Index<&Variable> for Values {
    type Output = f64;

    fn index(&self, variable: &Variable) -> &f64 {
        &self.0[place(*variable)]
    }
}

impl FromIterator<(Variable, f64)> for Values {
    /// From values of variables in any order; those between that are left out are 0.
    fn from_iter<I: IntoIterator<Item = (Variable, f64)>>(values: I) -> Self {
        let mut all = Vec::new();
        for (variable, value) in values {
            let at = place(variable);
            all.resize(all.len().max(at + 1), 0.0);
            all[at] = value;
        }
        Self(all)
    }
}

impl Solution for Values {
    fn status(&self) -> SolutionStatus {
        SolutionStatus::Optimal
    }

    fn value(&self, variable: Variable) -> f64 {
        self[&variable]
    }
}

/// The place of a variable among those of its program. `good_lp` tells it to hashers alone.
pub(crate) fn place(variable: Variable) -> usize {
    #[derive(Default)]
    struct Place(usize);

    impl Hasher for Place {
        fn write(&mut self, bytes: &[u8]) {
            unreachable!("a variable is one number, not {} bytes", bytes.len())
        }

        fn write_usize(&mut self, place: usize) {
            self.0 = place;
        }

        fn finish(&self) -> u64 {
            self.0 as u64
        }
    }

    let mut found = Place::default();
    variable.hash(&mut found);
    found.0
}

/// When CBC may stop early.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Budget {
    /// Most nodes of the search tree.
    pub nodes: Option<u32>,
    /// Relative gap that is good enough; 0 asks for proof.
    pub gap: f64,
    /// CPU seconds, whole ones: a safety net, since results then depend on the machine.
    pub cpu_seconds: Option<u32>,
}

/// Who solves programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SolverName {
    /// Branch and cut, for programs of any kind.
    Cbc,
    /// The simplex that CBC stands upon, asked by itself.
    Clp,
    /// Nobody: what was planned before is followed.
    None,
}

impl SolverName {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cbc => "cbc",
            Self::Clp => "clp",
            Self::None => "none",
        }
    }
}

/// A checked answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Solved {
    /// Who found it.
    pub by: SolverName,
    /// How good it is.
    pub outcome: Outcome,
    /// The objective at `values`, constant included; NaN without a solution.
    pub objective: f64,
    /// Proven lower bound of the objective; minus infinity where there is none.
    pub bound: f64,
    /// The solution; empty without one.
    pub values: Values,
}

impl Solved {
    fn without_solution(outcome: Outcome) -> Self {
        Self {
            by: SolverName::Cbc,
            outcome,
            objective: f64::NAN,
            bound: f64::NEG_INFINITY,
            values: Values::default(),
        }
    }
}

/// Largest number that CBC is given: some of what it does takes larger ones for infinite.
const MAGNITUDE_MAX: f64 = 1e20;

/// Pivots after which Clp has lost its way: a hundred times what a program of a day takes.
const PIVOTS_MAX: u32 = 1_000_000;

/// What a search must decide beside the program's whole variables, and where it may begin.
#[derive(Debug, Clone, Default)]
pub(crate) struct Forks {
    /// Pairs of variables of which one must be nothing.
    pub(crate) pairs: Vec<(Variable, Variable)>,
    /// Variables that can be whole wherever all else is decided: to branch at them decides much.
    pub(crate) counts: Vec<Variable>,
    /// Values of some variables that a good answer is thought to have.
    pub(crate) starts: Vec<Vec<(Variable, f64)>>,
}

/// What CBC says about a program, before anything is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// Solved to the end.
    Complete,
    /// Infeasible or unbounded.
    Empty,
    /// Out of budget.
    Stopped,
}

/// A minimisation problem in the words of `good_lp`.
#[derive(Default)]
pub struct Program {
    variables: ProblemVariables,
    objective: Expression,
    rows: Vec<Constraint>,
}

impl Program {
    /// Adds a variable.
    pub fn add(&mut self, definition: VariableDefinition) -> Variable {
        self.variables.add(definition)
    }

    /// Adds a term to the objective, which is minimised.
    pub fn pay(&mut self, cost: impl IntoAffineExpression) {
        self.objective += Expression::from_other_affine(cost);
    }

    /// Adds a row.
    pub fn require(&mut self, row: Constraint) {
        self.rows.push(row);
    }

    /// The least and the largest value that a variable may have.
    pub(crate) fn bounds(&self, variable: Variable) -> (f64, f64) {
        let mut all = self.variables.iter_variables_with_def();
        all.nth(place(variable)).map_or((f64::NEG_INFINITY, f64::INFINITY), |(_, definition)| {
            (definition.get_min(), definition.get_max())
        })
    }

    /// Number of variables that must be whole.
    pub fn integers(&self) -> usize {
        self.variables
            .iter_variables_with_def()
            .filter(|(_, definition)| definition.is_integer())
            .count()
    }

    /// Number of variables.
    pub fn columns(&self) -> usize {
        self.variables.len()
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The objective, which is minimised.
    pub fn objective(&self) -> &Expression {
        &self.objective
    }

    /// The program in the words of any solver that `good_lp` knows, to compare with.
    pub fn model<S: Solver>(&self, solver: S) -> S::Model {
        self.with_objective(self.objective.clone(), solver)
    }

    /// Solves with CBC, cold, and checks the answer.
    pub fn solve(&self, budget: Budget) -> Solved {
        if !self.is_reckonable() {
            return Solved::without_solution(Outcome::NoSolution);
        }
        let (claim, solved) = self.attempt(&self.objective, budget, true);
        // What ran out of its budget is not given it a second time.
        if solved.outcome.has_solution() || claim == Claim::Stopped {
            return solved;
        }
        // Whatever was claimed may be the preprocessing's fault.
        let (claim, solved) = self.attempt(&self.objective, budget, false);
        if solved.outcome.has_solution() || claim != Claim::Empty {
            return solved;
        }
        // Infeasible and unbounded look alike; without an objective nothing is unbounded.
        let (claim, point) = self.attempt(&Expression::default(), budget, false);
        let open = self.has_open_column();
        Solved::without_solution(match claim {
            Claim::Empty => Outcome::Infeasible,
            // Between bounds nothing falls without end, whatever was claimed.
            Claim::Complete if open && point.outcome.has_solution() => Outcome::Unbounded,
            Claim::Complete | Claim::Stopped => Outcome::NoSolution,
        })
    }

    /// Solves a program without integers with Clp, cold, and checks the answer; what Clp cannot
    /// solve, or calls without a solution, CBC is asked about.
    pub fn solve_linear(&self) -> Solved {
        let by_clp = if self.is_reckonable() { self.by_clp(true, None) } else { None };
        by_clp.unwrap_or_else(|| self.solve(Budget::default()))
    }

    /// The same from a basis that is made from the program.
    pub(crate) fn solve_linear_from(&self, start: impl Fn(&LinearProgram) -> Basis) -> Solved {
        let by_clp = if self.is_reckonable() { self.by_clp(true, Some(&start)) } else { None };
        by_clp.unwrap_or_else(|| self.solve(Budget::default()))
    }

    /// Solves a program with whole columns, and with pairs of which one must be nothing, by a search
    /// upon Clp, and checks the answer.
    pub(crate) fn search(&self, forks: &Forks, work: Work) -> Solved {
        let nothing = || Solved::without_solution(Outcome::NoSolution);
        if !self.is_reckonable() {
            return nothing();
        }
        let Ok(program) = self.to_clp() else { return nothing() };
        let held = |&(variable, value): &(Variable, f64)| Bounds {
            column: place(variable),
            lower: value,
            upper: value,
        };
        let starts: Vec<Vec<Bounds>> =
            forks.starts.iter().map(|start| start.iter().map(held).collect()).collect();
        let offset = self.objective.constant();
        let found = search::search(&program, offset, &self.forks(forks), &starts, work);
        let best = found.best.map(Values).filter(|values| self.holds(values));
        let Some(values) = best else { return nothing() };
        let objective = self.objective().eval_with(&values);
        let bound = (found.bound + offset).min(objective);
        let outcome = Outcome::from_bound(objective, bound);
        Solved { by: SolverName::Clp, outcome, objective, bound, values }
    }

    /// All that a search must decide.
    fn forks(&self, forks: &Forks) -> Vec<Fork> {
        let all = self.variables.iter_variables_with_def();
        let whole = all.filter(|(_, definition)| definition.is_integer());
        let whole = whole.map(|(variable, _)| Fork::Whole(place(variable)));
        let pairs = forks.pairs.iter().map(|&(one, next)| Fork::OneOf(place(one), place(next)));
        let counts = forks.counts.iter().map(|&count| Fork::Count(place(count)));
        whole.chain(pairs).chain(counts).collect()
    }

    /// Solves with Clp as if no variable had to be whole; there may be no solution where Clp finds
    /// none.
    pub fn solve_relaxed(&self) -> Solved {
        // What is too large for CBC need not be for Clp, whose answer is checked.
        self.by_clp(false, None).unwrap_or_else(|| Solved::without_solution(Outcome::NoSolution))
    }

    /// Values of a solution that nobody solved for: those given, and 0 of all other variables.
    pub fn at_rest(&self, given: Vec<(Variable, f64)>) -> Values {
        let mut all = Values(vec![0.0; self.columns()]);
        for (variable, value) in given {
            all.0[place(variable)] = value;
        }
        all
    }

    /// Requires that a variable has a value.
    pub fn fix(&mut self, variable: Variable, value: f64) {
        self.require(constraint!(variable == value));
    }

    /// Asks Clp alone, from a basis or cold; where numbers need not be `whole`, only bounds and rows
    /// are checked.
    fn by_clp(
        &self,
        whole: bool,
        start: Option<&dyn Fn(&LinearProgram) -> Basis>,
    ) -> Option<Solved> {
        let program = self.to_clp().ok()?;
        let basis = start.map(|start| start(&program));
        let found = program.solve(basis.as_ref(), PIVOTS_MAX);
        let values = Values(found.values);
        if found.outcome != clp::Outcome::Optimal || !self.holds_as(&values, whole) {
            return None;
        }
        let objective = self.objective().eval_with(&values);
        let by = SolverName::Clp;
        let outcome = Outcome::Optimal;
        Some(Solved { by, outcome, objective, bound: objective, values })
    }

    /// The program by columns.
    fn to_clp(&self) -> Result<LinearProgram, MalformedProgram> {
        let sides = self.rows.iter().map(|row| {
            let most = -row.expression().constant();
            (if row.is_equality() { most } else { f64::NEG_INFINITY }, most)
        });
        let mut program = LinearProgram::new(&sides.collect::<Vec<_>>())?;
        let (entries, begins) = self.by_column();
        let mut cost = vec![0.0; self.columns()];
        for (variable, factor) in self.objective().linear_coefficients() {
            cost[place(variable)] = factor;
        }
        let columns = self.variables.iter_variables_with_def().zip(cost).zip(begins.windows(2));
        for (((_, definition), cost), ends) in columns {
            let bounds = (definition.get_min(), definition.get_max());
            program.add(bounds, cost, entries[ends[0]..ends[1]].iter().copied())?;
        }
        Ok(program)
    }

    /// The entries of all columns, one column after the other, and where each column begins.
    fn by_column(&self) -> (Vec<Entry>, Vec<usize>) {
        let mut terms = Vec::new();
        let mut begins = vec![0; self.columns() + 1];
        for (row, of) in (0..).zip(&self.rows) {
            for (variable, factor) in of.expression().linear_coefficients() {
                let column = place(variable);
                begins[column + 1] += 1;
                terms.push((column, Entry { row, factor }));
            }
        }
        for column in 0..self.columns() {
            begins[column + 1] += begins[column];
        }
        let mut entries = vec![Entry { row: 0, factor: 0.0 }; terms.len()];
        let mut next = begins.clone();
        for (column, entry) in terms {
            entries[next[column]] = entry;
            next[column] += 1;
        }
        (entries, begins)
    }

    /// Whether all numbers are of a size that CBC can reckon with; it may crash where they are not.
    fn is_reckonable(&self) -> bool {
        let fits = |number: f64| number.abs() <= MAGNITUDE_MAX;
        let are_fine = |expression: &Expression| {
            let mut factors = expression.linear_coefficients();
            fits(expression.constant()) && factors.all(|(_, factor)| fits(factor))
        };
        let bound = |number: f64| number.is_infinite() || fits(number);
        are_fine(&self.objective)
            && self.rows.iter().all(|row| are_fine(row.expression()))
            && self
                .variables
                .iter_variables_with_def()
                .all(|(_, definition)| bound(definition.get_min()) && bound(definition.get_max()))
    }

    /// Runs CBC once; says what it claims, and what is left of that after the check.
    fn attempt(&self, objective: &Expression, budget: Budget, preprocess: bool) -> (Claim, Solved) {
        let solution = self.to_cbc(objective.clone(), budget, preprocess).as_inner().solve();
        let raw = solution.raw();
        let finished = self.integers() == 0
            || matches!(
                raw.secondary_status(),
                SecondaryStatus::HasSolution | SecondaryStatus::Unlaunched
            );
        let claim = if raw.is_proven_infeasible() || raw.is_continuous_unbounded() {
            Claim::Empty
        } else if raw.is_proven_optimal() && finished {
            Claim::Complete
        } else {
            Claim::Stopped
        };
        let values = Values(raw.col_solution().to_vec());
        if claim == Claim::Empty || !self.holds(&values) {
            return (claim, Solved::without_solution(Outcome::NoSolution));
        }
        let at_values = objective.eval_with(&values);
        let bound = match claim {
            Claim::Complete => at_values,
            // The solver's bound is that of its search, and a linear program has no search.
            _ if self.integers() == 0 => f64::NEG_INFINITY,
            _ => raw.best_possible_value() + objective.constant(),
        };
        (
            claim,
            Solved {
                by: SolverName::Cbc,
                outcome: Outcome::from_bound(at_values, bound),
                objective: at_values,
                bound,
                values,
            },
        )
    }

    fn to_cbc(&self, objective: Expression, budget: Budget, preprocess: bool) -> CoinCbcProblem {
        let mut model = self.with_objective(objective, cbc);
        model.set_parameter("preprocess", if preprocess { "sos" } else { "off" });
        model.set_parameter("ratioGap", &budget.gap.to_string());
        if let Some(nodes) = budget.nodes {
            model.set_parameter("maxNodes", &nodes.to_string());
        }
        if let Some(seconds) = budget.cpu_seconds {
            model.set_parameter("seconds", &seconds.to_string());
        }
        model
    }

    fn with_objective<S: Solver>(&self, objective: Expression, solver: S) -> S::Model {
        let mut model = self.variables.clone().minimise(objective).using(solver);
        for row in &self.rows {
            model.add_constraint(row.clone());
        }
        model
    }

    fn has_open_column(&self) -> bool {
        let is_open = |definition: &VariableDefinition| {
            definition.get_min().is_infinite() || definition.get_max().is_infinite()
        };
        self.variables.iter_variables_with_def().any(|(_, definition)| is_open(definition))
    }

    /// Whether `values` keep every bound, every row and every integrality.
    pub fn holds(&self, values: &Values) -> bool {
        self.holds_as(values, true)
    }

    fn holds_as(&self, values: &Values, whole: bool) -> bool {
        let in_bounds = |(variable, definition): (Variable, &VariableDefinition)| {
            // All comparisons are such that a NaN does not hold.
            let value = values[&variable];
            let slack = ROW_TOLERANCE * value.abs().max(1.0);
            let whole = !whole
                || !definition.is_integer()
                || (value - value.round()).abs() <= INTEGER_TOLERANCE;
            value >= definition.get_min() - slack && value <= definition.get_max() + slack && whole
        };
        self.variables.iter_variables_with_def().all(in_bounds)
            && self.rows.iter().all(|row| row_holds(row, values))
    }
}

fn row_holds(row: &Constraint, values: &Values) -> bool {
    let expression = row.expression();
    let size = |(variable, factor): (Variable, f64)| (factor * values[&variable]).abs();
    // A row of large terms is off by their rounding, however small what they leave.
    let largest = expression.linear_coefficients().map(size).fold(1.0, f64::max);
    let residual = expression.eval_with(values);
    residual <= ROW_TOLERANCE * largest
        && (!row.is_equality() || residual >= -ROW_TOLERANCE * largest)
}
