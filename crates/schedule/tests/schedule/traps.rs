//! Every known way in which CBC's answer is not what it seems, and that the guard catches it.

use good_lp::{Variable, constraint, variable};
use voltide_schedule::{
    Outcome,
    linear::{Budget, Program, Values},
};

/// A knapsack that takes a search: even weights, an odd capacity, values close to the weights.
fn knapsack(items: usize) -> (Program, Vec<Variable>) {
    let mut program = Program::default();
    let taken: Vec<Variable> = (0..items).map(|_| program.add(variable().binary())).collect();
    for knapsack in 0..4 {
        let weight = |item: usize| (20 + (item * 37 + knapsack * 53) % 61) as f64;
        let load: good_lp::Expression =
            taken.iter().enumerate().map(|(item, &x)| weight(item) * x).sum();
        let half: f64 = (0..items).map(weight).sum::<f64>() / 2.0;
        program.require(constraint!(load <= half.floor()));
    }
    for (item, &x) in taken.iter().enumerate() {
        program.pay(-((40 + (item * 29) % 47) as f64) * x);
    }
    (program, taken)
}

#[test]
fn out_of_time_without_a_solution_is_no_solution() {
    // CBC hands over a point all the same: the relaxation's, which takes parts of items.
    let (program, _) = knapsack(40);
    let solved = program.solve(Budget { cpu_seconds: Some(0), ..Budget::default() });
    assert_eq!(solved.outcome, Outcome::NoSolution);
    assert!(solved.values == Values::default() && solved.objective.is_nan());
}

#[test]
fn out_of_time_with_a_solution_says_how_good_it_is() {
    let (program, _) = knapsack(200);
    let solved = program.solve(Budget { cpu_seconds: Some(1), ..Budget::default() });
    assert!(solved.outcome.has_solution(), "{:?}", solved.outcome);
    assert!(solved.bound <= solved.objective + 1e-6 && program.holds(&solved.values));
}

#[test]
fn an_unbounded_program_is_not_called_infeasible() {
    let mut program = Program::default();
    let x = program.add(variable().min(0.0));
    let y = program.add(variable().min(0.0).max(1.0));
    program.require(constraint!(x - y >= 1.0));
    program.pay(-1.0 * x);
    assert_eq!(program.solve(Budget::default()).outcome, Outcome::Unbounded);
}

#[test]
fn an_unbounded_integer_program_is_not_called_infeasible() {
    let mut program = Program::default();
    let x = program.add(variable().integer().min(0.0));
    let y = program.add(variable().binary());
    program.require(constraint!(x - y >= 1.0));
    program.pay(-1.0 * x);
    assert_eq!(program.solve(Budget::default()).outcome, Outcome::Unbounded);
}

#[test]
fn contradicting_rows_are_infeasible() {
    for integer in [false, true] {
        let mut program = Program::default();
        let x =
            program.add(if integer { variable().integer().min(0.0) } else { variable().min(0.0) });
        program.require(constraint!(x >= 2.0));
        program.require(constraint!(x <= 1.0));
        program.pay(1.0 * x);
        assert_eq!(
            program.solve(Budget::default()).outcome,
            Outcome::Infeasible,
            "integer: {integer}"
        );
    }
}

#[test]
fn the_constant_of_the_objective_counts() {
    let mut program = Program::default();
    let x = program.add(variable().min(1.0).max(2.0));
    program.pay(3.0 * x + 10.0);
    let solved = program.solve(Budget::default());
    assert_eq!(solved.outcome, Outcome::Optimal);
    assert!((solved.objective - 13.0).abs() < 1e-9 && (solved.bound - 13.0).abs() < 1e-9);
}

#[test]
fn stopped_on_nodes_is_feasible_with_a_gap() {
    let (program, _) = knapsack(40);
    let best = program.solve(Budget::default());
    assert_eq!(best.outcome, Outcome::Optimal);
    let stopped = program.solve(Budget { nodes: Some(1), ..Budget::default() });
    let Outcome::Feasible { gap } = stopped.outcome else { panic!("{:?}", stopped.outcome) };
    assert!(gap > 0.0 && gap < 1.0, "{gap}");
    assert!(stopped.bound <= best.objective + 1e-6 && stopped.objective >= best.objective - 1e-6);
    assert!(program.holds(&stopped.values));
}

#[test]
fn stopped_on_the_gap_says_how_large_it_is() {
    let (program, _) = knapsack(40);
    let stopped = program.solve(Budget { gap: 0.2, ..Budget::default() });
    assert!(
        matches!(stopped.outcome, Outcome::Feasible { gap } if gap <= 0.2),
        "{:?}",
        stopped.outcome
    );
}

#[test]
fn a_point_that_breaks_a_row_a_bound_or_integrality_does_not_hold() {
    let mut program = Program::default();
    let x = program.add(variable().min(0.0).max(4.0));
    let n = program.add(variable().integer().min(0.0).max(4.0));
    program.require(constraint!(x + n <= 5.0));
    program.require(constraint!(x - n == 1.0));
    let holds = |x_value: f64, n_value: f64| {
        program.holds(&[(x, x_value), (n, n_value)].into_iter().collect())
    };
    assert!(holds(2.0, 1.0));
    assert!(!holds(4.0, 3.0), "above the row");
    assert!(!holds(3.0, 1.0), "off the equality");
    assert!(!holds(2.5, 1.5), "not whole");
    assert!(!holds(0.0, -1.0), "below the bound");
    assert!(!holds(f64::NAN, 1.0), "not a number");
}

#[test]
fn solves_from_several_threads_do_not_disturb_each_other() {
    let expected = knapsack(25).0.solve(Budget::default()).objective;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..3 {
                    let objective = knapsack(25).0.solve(Budget::default()).objective;
                    assert!((objective - expected).abs() < 1e-9);
                }
            });
        }
    });
}
