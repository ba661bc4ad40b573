//! What rounding leaves of a sum in which everything cancels out.

// A sum of n parts is off by at most n times 1.1e-16 of what was summed up, so that this is enough
// for millions of parts.
/// What may be off by rounding and still counts as nothing, as a share of what was summed up.
pub const SHARE: f64 = 1e-9;

/// `amount`, or 0 where it is no more than rounding leaves of sums as large as `summed`, which
/// counts every part without its sign.
pub fn without_rounding(amount: f64, summed: f64) -> f64 {
    if amount.abs() > SHARE * summed { amount } else { 0.0 }
}

/// A sum that knows how much went into it, so that what cancels out comes to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Balance {
    amount: f64,
    summed: f64,
}

impl Balance {
    /// Adds `before` and takes `after` away.
    pub fn add(&mut self, before: f64, after: f64) {
        self.amount += before - after;
        self.summed += before.abs() + after.abs();
    }

    /// Adds another balance, each unit of it at `price`.
    pub fn add_at(&mut self, price: f64, other: Self) {
        self.amount += other.amount * price;
        self.summed += other.summed * price.abs();
    }

    /// What is left, without what rounding leaves.
    pub fn left(self) -> f64 {
        without_rounding(self.amount, self.summed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cancels_out_is_nothing_however_large_its_parts() {
        for size in [1e-6, 1.0, 1e9] {
            let mut balance = Balance::default();
            balance.add(0.1 * size, 0.3 * size);
            balance.add(0.2 * size, 0.0);
            let mut valued = Balance::default();
            valued.add_at(-0.3, balance);
            assert_eq!((balance.left(), valued.left()), (0.0, 0.0));
            balance.add(1e-6 * size, 0.0);
            assert!((balance.left() - 1e-6 * size).abs() < 1e-12 * size);
        }
        assert_eq!((without_rounding(0.0, 0.0), without_rounding(-2.0, 2.0)), (0.0, -2.0));
    }
}
