//! Slots in which stores can go both ways, as the hull of what they can do one way at a time.
//!
//! ```text
//! for each choice m of which store charges and which discharges:
//!     x_m between its bounds times y_m, nothing flows the other way,
//!     what is given and taken in choice m makes up the load times y_m
//! Σ_m y_m = 1,   Σ_m x_m = x for all that the slot's balance holds
//! ```
//! In a linear program a store may be half charging and half discharging. Its balance then mixes
//! what no single choice could do at that cost: who discharges needs someone who takes it, and who
//! charges someone who gives it. The hull asks for that choice by choice.
//!
//! How often a store charges within a span of slots is a whole number. To branch at that number
//! decides more than to branch at one slot, for which another one would stand in.

use super::build::DispatchProgram;
use crate::linear::place;
use good_lp::{Expression, IntoAffineExpression, Variable, constraint, variable};

/// Most stores of which every choice is written down.
const STORES_MAX: usize = 3;

/// A store's two directions in a slot, with the most that each of them can be, kW.
struct Directions {
    charge: (Variable, f64),
    discharge: (Variable, f64),
}

impl DispatchProgram<'_> {
    /// The pairs of directions of which one must be nothing, in a slot.
    pub(super) fn pairs(&self, slot: usize) -> Vec<(Variable, Variable)> {
        self.units.iter().filter_map(|unit| unit.directions(slot)).collect()
    }

    /// Adds the hulls of some slots with these loads, kW; gives columns that count how often stores
    /// charge.
    pub(super) fn add_hulls(&mut self, slots: &[(usize, f64)]) -> Vec<Variable> {
        let charging: Vec<_> =
            slots.iter().map(|&(slot, load_kw)| self.add_hull(slot, load_kw)).collect();
        self.add_counts(&charging)
    }

    /// Adds the hull of a slot; gives how much of it each store charges. Nothing where there are
    /// too many stores: for these it is only said that shares of both directions make up a whole.
    fn add_hull(&mut self, slot: usize, load_kw: f64) -> Vec<Expression> {
        let stores = self.stores(slot);
        for store in &stores {
            let ((charge, most_charge), (discharge, most_discharge)) =
                (store.charge, store.discharge);
            let shares = charge / most_charge + discharge / most_discharge;
            self.program.require(constraint!(shares <= 1.0));
        }
        if stores.len() > STORES_MAX {
            return Vec::new();
        }
        let share = || variable().min(0.0).max(1.0);
        let shares: Vec<Variable> =
            (0..1 << stores.len()).map(|_| self.program.add(share())).collect();
        let all: Expression = shares.iter().sum();
        self.program.require(constraint!(all == 1.0));
        let mut balances = vec![Expression::default(); shares.len()];
        for (column, factor) in self.terms(slot) {
            self.split(column, &stores, &shares, |choice, part| {
                balances[choice] += factor * part;
            });
        }
        for (balance, &share) in balances.into_iter().zip(&shares) {
            self.program.require(constraint!(balance == load_kw * share));
        }
        let charging = |store: usize| {
            let with = shares.iter().enumerate().filter(move |(choice, _)| charges(*choice, store));
            with.map(|(_, &share)| share).sum()
        };
        (0..stores.len()).map(charging).collect()
    }

    /// The stores that can go both ways in a slot.
    fn stores(&self, slot: usize) -> Vec<Directions> {
        let with_most = |variable| (variable, self.program.bounds(variable).1);
        let pairs = self.pairs(slot).into_iter();
        let both = pairs.map(|(charge, discharge)| Directions {
            charge: with_most(charge),
            discharge: with_most(discharge),
        });
        both.filter(|store| store.charge.1 > 0.0 && store.discharge.1 > 0.0).collect()
    }

    /// The columns of a slot's balance, in the program's order.
    fn terms(&self, slot: usize) -> Vec<(Variable, f64)> {
        let given = self.given(slot);
        let mut terms: Vec<_> = given.linear_coefficients().collect();
        terms.sort_by_key(|(column, _)| place(*column));
        terms
    }

    /// Makes a column the sum of what it is in each choice.
    fn split(
        &mut self,
        column: Variable,
        stores: &[Directions],
        shares: &[Variable],
        mut take: impl FnMut(usize, Variable),
    ) {
        let (least, most) = self.program.bounds(column);
        let mut sum = Expression::default();
        for (choice, &share) in shares.iter().enumerate() {
            if is_shut(column, choice, stores) {
                continue;
            }
            let part = self.program.add(variable().min(least.min(0.0)));
            if most < f64::INFINITY {
                self.program.require(constraint!(part <= most * share));
            }
            if least != 0.0 && least > f64::NEG_INFINITY {
                self.program.require(constraint!(part >= least * share));
            }
            sum += part;
            take(choice, part);
        }
        self.program.require(constraint!(sum == column));
    }

    /// Adds columns that count how often each store charges: in all slots, in their halves, in the
    /// halves of these, and so on.
    fn add_counts(&mut self, charging: &[Vec<Expression>]) -> Vec<Variable> {
        let stores = charging.first().map_or(0, Vec::len);
        let mut counts = Vec::new();
        for store in 0..stores {
            for (from, to) in spans(charging.len()) {
                let most = (to - from) as f64;
                let count = self.program.add(variable().min(0.0).max(most));
                let sum: Expression =
                    charging[from..to].iter().map(|slot| slot[store].clone()).sum();
                self.program.require(constraint!(sum == count));
                counts.push(count);
            }
        }
        counts
    }
}

/// Whether a store charges in a choice.
fn charges(choice: usize, store: usize) -> bool {
    (choice >> store) & 1 == 0
}

/// Whether a column is nothing in a choice.
fn is_shut(column: Variable, choice: usize, stores: &[Directions]) -> bool {
    let mut stores = stores.iter().enumerate();
    stores.any(|(at, store)| {
        column == if charges(choice, at) { store.discharge.0 } else { store.charge.0 }
    })
}

/// All of `0..len`, its halves, the halves of these and so on, down to two.
fn spans(len: usize) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut open = vec![(0, len)];
    while let Some((from, to)) = open.pop() {
        if to - from < 2 {
            continue;
        }
        found.push((from, to));
        let middle = usize::midpoint(from, to);
        open.extend([(from, middle), (middle, to)]);
    }
    found
}
