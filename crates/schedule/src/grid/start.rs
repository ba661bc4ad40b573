//! Where the simplex begins a program without integers: units serve the load in order of price.
//!
//! A vertex has as many basic columns as there are rows. Cold, these are the slacks of all rows,
//! and every equation costs a pivot before anything is decided. Here each equation begins with a
//! column of its own instead:
//!
//! | equation                           | its basic column                                        |
//! |------------------------------------|---------------------------------------------------------|
//! | an output is the sum of its chords | the output                                              |
//! | the balance of a slot              | the dearest chord or purchase that the load needs       |
//! | any other                          | the widest column of no cost, such as the energy held   |
//!
//! What is cheaper than the dearest that is needed is used in full, all else stands at its lower
//! bound. Bounds, ramps, stores and margins are left to the pivots.
//!
//! Nothing is asked but the program: what was planned before is in it as commitment, reference and
//! energy at the end. So a run that is resumed begins, and ends, at the same vertex.

use super::build::DispatchProgram;
use crate::linear::Solved;
use std::ops::Range;
use voltide_clp::{Basis, Entry, LinearProgram, Standing};

impl DispatchProgram<'_> {
    /// Solves the program, which must have no integers, from units in order of price.
    pub fn solve_linear(&self) -> Solved {
        let start = |program: &LinearProgram| in_order_of_price(program, self.balances.clone());
        self.program.solve_linear_from(start)
    }
}

/// The basis to begin with; `balances` are the rows of the slots' balances, one a slot.
fn in_order_of_price(program: &LinearProgram, balances: Range<usize>) -> Basis {
    let mut start = Start::new(program);
    for balance in balances {
        start.serve(balance);
    }
    for row in 0..program.rows() {
        start.give_a_column(row);
    }
    start.basis
}

/// What serves a load at a price: a column that is paid for by what it gives.
struct Offer {
    column: usize,
    price: f64,
    /// Most that it gives.
    most: f64,
}

struct Start<'p> {
    program: &'p LinearProgram,
    /// Columns and their factors by row, one row after the other.
    terms: Vec<(usize, f64)>,
    /// Where each row's terms begin, and where the last one's end.
    begins: Vec<usize>,
    basis: Basis,
}

impl<'p> Start<'p> {
    /// All columns at a bound, and all slacks basic.
    fn new(program: &'p LinearProgram) -> Self {
        let (lower, upper) = program.bounds();
        let at_bound = |(least, most): (&f64, &f64)| match (least.is_finite(), most.is_finite()) {
            (true, _) => Standing::AtLower,
            (false, true) => Standing::AtUpper,
            (false, false) => Standing::Free,
        };
        let columns = lower.iter().zip(upper).map(at_bound).collect();
        let rows = vec![Standing::Basic; program.rows()];
        let (terms, begins) = by_row(program);
        Self { program, terms, begins, basis: Basis { columns, rows } }
    }

    fn terms(&self, row: usize) -> &[(usize, f64)] {
        &self.terms[self.begins[row]..self.begins[row + 1]]
    }

    /// What a row must be, where it is an equation.
    fn equals(&self, row: usize) -> Option<f64> {
        let (least, most) = self.program.sides(row);
        #[expect(clippy::float_cmp, reason = "both sides of an equation are one number")]
        (least == most).then_some(least)
    }

    /// Makes a column basic in place of a row's slack.
    fn enter(&mut self, column: usize, row: usize) {
        self.basis.columns[column] = Standing::Basic;
        self.basis.rows[row] = Standing::Fixed;
    }

    /// Has a balance served by what is cheapest.
    fn serve(&mut self, balance: usize) {
        let Some(mut load) = self.equals(balance) else { return };
        let mut offers = Vec::new();
        for at in self.begins[balance]..self.begins[balance + 1] {
            let (column, factor) = self.terms[at];
            if factor > 0.0 {
                load -= self.offer(column, factor, balance, &mut offers);
            }
        }
        offers.sort_by(|one, next| {
            one.price.total_cmp(&next.price).then(one.column.cmp(&next.column))
        });
        for Offer { column, most, .. } in offers {
            if most >= load {
                return self.enter(column, balance);
            }
            load -= most;
            self.basis.columns[column] = Standing::AtUpper;
        }
    }

    /// Adds what a column that gives to a balance offers; returns what it gives for nothing.
    fn offer(
        &mut self,
        column: usize,
        factor: f64,
        balance: usize,
        offers: &mut Vec<Offer>,
    ) -> f64 {
        let price = self.program.costs()[column];
        let most = factor * self.program.bounds().1[column];
        if let Some(sum) = self.sum_of(column, balance) {
            return self.offer_chords(column, factor, sum, offers);
        }
        if price <= 0.0 && most.is_finite() {
            self.basis.columns[column] = Standing::AtUpper;
            return most;
        }
        if price > 0.0 && self.program.entries(column).len() == 1 {
            offers.push(Offer { column, price: price / factor, most });
        }
        0.0
    }

    /// The equation that makes a column of no cost the sum of columns that are in no other row.
    fn sum_of(&self, column: usize, balance: usize) -> Option<usize> {
        if self.program.costs()[column] != 0.0 {
            return None;
        }
        let mut rows = self.program.entries(column).map(|entry| entry.row as usize);
        let equation = rows.find(|&row| row != balance && self.equals(row).is_some())?;
        let others = self.terms(equation).iter().filter(|term| term.0 != column);
        let mut chords = others.map(|term| self.program.entries(term.0).len());
        (self.terms(equation).len() > 1 && chords.all(|rows| rows == 1)).then_some(equation)
    }

    /// Offers the columns that an output is the sum of; returns what it gives without any.
    fn offer_chords(
        &mut self,
        output: usize,
        factor: f64,
        sum: usize,
        offers: &mut Vec<Offer>,
    ) -> f64 {
        let terms = &self.terms[self.begins[sum]..self.begins[sum + 1]];
        let of_output = terms.iter().find(|term| term.0 == output).map_or(1.0, |term| term.1);
        for &(column, of_chord) in terms.iter().filter(|term| term.0 != output) {
            let given = -of_chord / of_output * factor;
            if given > 0.0 {
                let price = self.program.costs()[column] / given;
                let most = given * self.program.bounds().1[column];
                offers.push(Offer { column, price, most });
            }
        }
        let least = self.equals(sum).unwrap_or_default() / of_output * factor;
        self.enter(output, sum);
        least
    }

    /// Gives an equation that has none yet a basic column, where there is one of no cost.
    fn give_a_column(&mut self, row: usize) {
        if self.basis.rows[row] != Standing::Basic || self.equals(row).is_none() {
            return;
        }
        let (lower, upper) = self.program.bounds();
        let width = |column: usize| upper[column] - lower[column];
        let is_open = |&column: &usize| {
            self.basis.columns[column] != Standing::Basic
                && self.program.costs()[column] == 0.0
                && width(column) > 0.0
        };
        let columns = self.terms(row).iter().map(|term| term.0).filter(is_open);
        let widest =
            columns.max_by(|&one, &next| width(one).total_cmp(&width(next)).then(one.cmp(&next)));
        if let Some(column) = widest {
            self.enter(column, row);
        }
    }
}

/// The columns of each row with their factors, one row after the other, and where each row begins.
fn by_row(program: &LinearProgram) -> (Vec<(usize, f64)>, Vec<usize>) {
    let mut begins = vec![0; program.rows() + 1];
    let entries = || {
        (0..program.columns())
            .flat_map(|column| program.entries(column).map(move |entry| (column, entry)))
    };
    for (_, Entry { row, .. }) in entries() {
        begins[row as usize + 1] += 1;
    }
    for row in 0..program.rows() {
        begins[row + 1] += begins[row];
    }
    let mut terms = vec![(0, 0.0); begins[program.rows()]];
    let mut next = begins.clone();
    for (column, Entry { row, factor }) in entries() {
        let at = &mut next[row as usize];
        terms[*at] = (column, factor);
        *at += 1;
    }
    (terms, begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A load of 7 that a unit of at least 2 serves, by a chord of 4 at price 1 and one of 9 at 3,
    /// or a purchase of at most 3 at 2.
    fn program() -> LinearProgram {
        let mut program = LinearProgram::new(&[(2.0, 2.0), (7.0, 7.0)]).unwrap();
        let at = |row, factor| Entry { row, factor };
        program.add((2.0, 15.0), 0.0, [at(0, 1.0), at(1, 1.0)]).unwrap();
        program.add((0.0, 4.0), 1.0, [at(0, -1.0)]).unwrap();
        program.add((0.0, 9.0), 3.0, [at(0, -1.0)]).unwrap();
        program.add((0.0, 3.0), 2.0, [at(1, 1.0)]).unwrap();
        program
    }

    #[test]
    fn the_dearest_that_the_load_needs_is_basic_and_the_cheaper_is_used_in_full() {
        use Standing::{AtLower, AtUpper, Basic, Fixed};
        let basis = in_order_of_price(&program(), 1..2);
        assert_eq!(basis.columns, [Basic, AtUpper, AtLower, Basic]);
        assert_eq!(basis.rows, [Fixed; 2]);
    }

    #[test]
    fn where_price_alone_decides_no_pivot_is_left() {
        let program = program();
        let start = in_order_of_price(&program, 1..2);
        let warm = program.solve(Some(&start), 100);
        let cold = program.solve(None, 100);
        assert_eq!(warm.pivots, 0);
        assert!(cold.pivots > 0);
        assert!((warm.objective - 6.0).abs() < 1e-9, "{}", warm.objective);
        assert!((cold.objective - 6.0).abs() < 1e-9, "{}", cold.objective);
    }
}
