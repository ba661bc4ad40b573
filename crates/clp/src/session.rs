//! One program solved many times, each time with other bounds, from where the last solve ended.

use crate::{
    interface::Model,
    program::{LinearProgram, Outcome},
};

/// A program in Clp's hands. The same calls in the same order give the same answers.
pub struct Session<'p> {
    program: &'p LinearProgram,
    model: Model,
}

/// A vertex in Clp's own numbers, to go on from later in the same session.
#[derive(Debug, Clone)]
pub struct Vertex(Vec<u8>);

impl<'p> Session<'p> {
    /// Hands the program over; the first solve is cold.
    pub fn new(program: &'p LinearProgram) -> Self {
        let mut model = Model::load(&program.loaded());
        // Scales would be worked out anew at each solve, and near the last optimum a handful of
        // pivots cost less than that.
        model.take_as_it_is();
        Self { program, model }
    }

    /// Solves by the dual simplex between other bounds than the program's, in at most so many
    /// pivots. That there is no solution is asked of the primal simplex as well.
    ///
    /// # Panics
    /// If there is not one of each bound a column.
    pub fn solve(&mut self, lower: &[f64], upper: &[f64], pivots_max: u32) -> Outcome {
        self.model.bound(lower, upper);
        let mut outcome = Outcome::from_status(self.model.solve(pivots_max));
        if outcome == Outcome::Infeasible {
            outcome = Outcome::from_status(self.model.solve_primal(pivots_max));
        }
        outcome
    }

    /// The value of each column after the last solve.
    pub fn values(&self) -> &[f64] {
        self.model.values()
    }

    /// The objective after the last solve.
    pub fn objective(&self) -> f64 {
        let costs = self.program.costs().iter();
        costs.zip(self.values()).map(|(cost, value)| cost * value).sum()
    }

    /// Where the last solve ended.
    pub fn vertex(&self) -> Vertex {
        Vertex(self.model.statuses().to_vec())
    }

    /// Has the next solve begin there.
    pub fn go_to(&mut self, vertex: &Vertex) {
        self.model.begin_with(&vertex.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Entry;

    /// `x + y ≥ 4`, `x ≤ 3`, where x costs 1 and y 2.
    fn program() -> LinearProgram {
        let mut program = LinearProgram::new(&[(4.0, f64::INFINITY)]).unwrap();
        for (most, cost) in [(3.0, 1.0), (10.0, 2.0)] {
            program.add((0.0, most), cost, [Entry { row: 0, factor: 1.0 }]).unwrap();
        }
        program
    }

    #[test]
    fn other_bounds_have_other_optima_and_the_first_ones_the_first_again() {
        let program = program();
        let mut session = Session::new(&program);
        let (lower, upper) = program.bounds();
        let mut costs = Vec::new();
        for most in [3.0, 0.0, 1.0, 3.0] {
            assert_eq!(session.solve(lower, &[most, upper[1]], 100), Outcome::Optimal);
            costs.push(session.objective());
        }
        let right = [5.0, 8.0, 7.0, 5.0];
        assert!(
            costs.iter().zip(right).all(|(cost, right)| (cost - right).abs() < 1e-9),
            "{costs:?}"
        );
    }

    #[test]
    fn bounds_without_a_solution_are_told_and_do_no_harm() {
        let program = program();
        let mut session = Session::new(&program);
        let (lower, upper) = program.bounds();
        assert_eq!(session.solve(lower, upper, 100), Outcome::Optimal);
        let vertex = session.vertex();
        assert_eq!(session.solve(lower, &[1.0, 1.0], 100), Outcome::Infeasible);
        session.go_to(&vertex);
        assert_eq!(session.solve(lower, upper, 100), Outcome::Optimal);
        assert!((session.objective() - 5.0).abs() < 1e-9);
    }
}
