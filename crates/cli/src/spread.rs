//! Mean and spread of numbers as they come.

/// Mean and spread, by Welford's method.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1.0;
        // A sum of squares, less the square of the mean, would lose its digits to cancellation.
        let from_old = value - self.mean;
        self.mean += from_old / self.count;
        self.squares += from_old * (value - self.mean);
    }

    /// The mean; `None` without numbers.
    pub(crate) fn mean(&self) -> Option<f64> {
        (self.count > 0.0).then_some(self.mean)
    }

    /// Standard deviation where the numbers are all there are; 0 without any.
    pub(crate) fn of_all(&self) -> f64 {
        (self.squares / self.count.max(1.0)).sqrt()
    }

    /// Standard deviation where the numbers are a sample; `None` of fewer than two.
    pub(crate) fn of_sample(&self) -> Option<f64> {
        (self.count > 1.0).then(|| (self.squares / (self.count - 1.0)).sqrt())
    }
}

impl FromIterator<f64> for Spread {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut spread = Self::default();
        values.into_iter().for_each(|value| spread.add(value));
        spread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_is_that_of_the_textbook() {
        let spread: Spread = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].into_iter().collect();
        assert_eq!((spread.mean(), spread.of_all()), (Some(5.0), 2.0));
        assert_eq!(spread.of_sample(), Some((32.0_f64 / 7.0).sqrt()));
        assert_eq!(Spread::from_iter([3.0]).of_sample(), None);
        assert_eq!(Spread::default().mean(), None);
    }
}
