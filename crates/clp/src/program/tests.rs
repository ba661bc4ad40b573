use super::*;
use proptest::prelude::*;

const MANY: u32 = 10_000;

/// Three products from two scarce goods: 2·x + y at most 4, x + 3·z at most 6; 3·x + 2·y + 4·z is
/// earned.
fn products() -> LinearProgram {
    let mut program =
        LinearProgram::new(&[(f64::NEG_INFINITY, 4.0), (f64::NEG_INFINITY, 6.0)]).unwrap();
    let entry = |row, factor| Entry { row, factor };
    program.add((0.0, f64::INFINITY), -3.0, [entry(0, 2.0), entry(1, 1.0)]).unwrap();
    program.add((0.0, 3.0), -2.0, [entry(0, 1.0)]).unwrap();
    program.add((0.0, f64::INFINITY), -4.0, [entry(1, 3.0)]).unwrap();
    program
}

/// By hand: y is cheapest in the first good, so 3 of it, then half an x, and z takes the rest.
#[test]
fn an_optimum_is_that_of_pencil_and_paper() {
    let solution = products().solve(None, MANY);
    assert_eq!(solution.outcome, Outcome::Optimal);
    let expected = [0.5, 3.0, 5.5 / 3.0];
    let off = solution.values.iter().zip(expected).map(|(value, it)| (value - it).abs());
    assert!(off.fold(0.0, f64::max) < 1e-9, "{:?}", solution.values);
    assert!((solution.objective - (-1.5 - 6.0 - 22.0 / 3.0)).abs() < 1e-9);
}

#[test]
fn a_solve_from_its_own_basis_needs_no_pivot() {
    let first = products().solve(None, MANY);
    let again = products().solve(Some(&first.basis), MANY);
    assert!(first.pivots > 0);
    assert_eq!((again.outcome, again.pivots), (Outcome::Optimal, 0));
    assert_eq!(again.values, first.values);
}

#[test]
fn what_has_no_optimum_says_so() {
    let mut infeasible = LinearProgram::new(&[(5.0, 6.0)]).unwrap();
    infeasible.add((0.0, 1.0), 1.0, [Entry { row: 0, factor: 1.0 }]).unwrap();
    assert_eq!(infeasible.solve(None, MANY).outcome, Outcome::Infeasible);
    let mut unbounded = LinearProgram::new(&[(0.0, f64::INFINITY)]).unwrap();
    unbounded.add((0.0, f64::INFINITY), -1.0, [Entry { row: 0, factor: 1.0 }]).unwrap();
    assert_eq!(unbounded.solve(None, MANY).outcome, Outcome::Unbounded);
    assert_eq!(products().solve(None, 0).outcome, Outcome::Stopped);
}

#[test]
fn a_program_without_columns_or_rows_is_solved() {
    let nothing = LinearProgram::new(&[]).unwrap().solve(None, MANY);
    assert_eq!((nothing.outcome, nothing.values.len()), (Outcome::Optimal, 0));
    let mut no_rows = LinearProgram::new(&[]).unwrap();
    no_rows.add((1.0, 2.0), 1.0, []).unwrap();
    assert_eq!(no_rows.solve(None, MANY).values, [1.0]);
}

#[test]
fn what_is_no_number_or_of_no_row_is_refused() {
    assert!(LinearProgram::new(&[(f64::NAN, 1.0)]).is_err());
    let mut program = products();
    let before = program.clone();
    assert!(program.add((0.0, f64::NAN), 1.0, []).is_err());
    assert!(program.add((0.0, 1.0), f64::INFINITY, []).is_err());
    let entries = [Entry { row: 0, factor: 1.0 }, Entry { row: 2, factor: 1.0 }];
    assert!(program.add((0.0, 1.0), 1.0, entries).is_err());
    assert_eq!(program, before);
}

prop_compose! {
    /// A program with an optimum: bounded columns, and rows that the least values keep.
    fn any_program()(
        columns in prop::collection::vec(
            (-5.0..5.0_f64, prop::collection::vec(0.0..3.0_f64, 4)),
            1..12,
        ),
        most in prop::collection::vec(0.0..20.0_f64, 4),
    ) -> LinearProgram {
        let rows: Vec<(f64, f64)> = most.iter().map(|&most| (f64::NEG_INFINITY, most)).collect();
        let mut program = LinearProgram::new(&rows).unwrap();
        for (cost, factors) in columns {
            let entries = (0..).zip(factors).map(|(row, factor)| Entry { row, factor });
            program.add((0.0, 10.0), cost, entries).unwrap();
        }
        program
    }
}

proptest! {
    /// Weak duality from both sides: what the prices of rows prove is what the values cost.
    #[test]
    fn prices_prove_the_optimum(program in any_program()) {
        let solution = program.solve(None, MANY);
        prop_assert_eq!(solution.outcome, Outcome::Optimal);
        let rows = solution.row_prices.iter().zip(&program.row_upper);
        let of_rows: f64 = rows.map(|(price, most)| price * most).sum();
        let of_columns: f64 = solution.reduced_costs.iter().map(|cost| cost.min(0.0) * 10.0).sum();
        let off = (solution.objective - of_rows - of_columns).abs();
        prop_assert!(off < 1e-6 * solution.objective.abs().max(1.0));
        prop_assert!(solution.row_prices.iter().all(|&price| price <= 1e-7));
    }

    /// The optimum does not depend on where the search begins.
    #[test]
    fn any_basis_leads_to_the_same_optimum(
        program in any_program(),
        standings in prop::collection::vec(1_u8..4, 16),
    ) {
        let cold = program.solve(None, MANY);
        let standing = |at: usize| Standing::from_status(standings[at]);
        let basis = Basis {
            columns: (0..program.columns()).map(standing).collect(),
            rows: (0..program.rows()).map(|row| standing(12 + row)).collect(),
        };
        let warm = program.solve(Some(&basis), MANY);
        prop_assert_eq!(warm.outcome, Outcome::Optimal);
        let off = (warm.objective - cold.objective).abs();
        prop_assert!(off < 1e-7 * cold.objective.abs().max(1.0));
        prop_assert_eq!(&program.solve(Some(&basis), MANY), &warm, "deterministic");
    }
}
