//! From values to places in a picture.

use crate::words::grouped;

/// A straight scale from values to places.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    least: f64,
    most: f64,
    from: f64,
    to: f64,
    /// How far marks are apart.
    step: f64,
}

impl Scale {
    /// A scale that holds `least` to `most`, grown to round numbers, from place `from` to `to`.
    pub(crate) fn around(least: f64, most: f64, from: f64, to: f64) -> Self {
        let (least, most) = if least < most { (least, most) } else { (least - 1.0, least + 1.0) };
        let step = round_step(least, most, TICKS);
        let least = (least / step).floor() * step;
        Self { least, most: (most / step).ceil() * step, from, to, step }
    }

    /// The same, with 0 in it unless that would leave most of the picture empty.
    pub(crate) fn of_lines(least: f64, most: f64, from: f64, to: f64) -> Self {
        let least = if least > 0.0 && least < FAR_FROM_ZERO * most { 0.0 } else { least };
        Self::around(least, most, from, to)
    }

    /// A scale over just these values.
    pub(crate) fn over(least: f64, most: f64, from: f64, to: f64) -> Self {
        Self { least, most, from, to, step: round_step(least, most, TICKS) }
    }

    /// Where a value lies.
    pub(crate) fn at(&self, value: f64) -> f64 {
        self.from + (self.to - self.from) * (value - self.least) / (self.most - self.least)
    }

    /// Round values for marks, ascending.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        let first = (self.least / self.step).round() as i64;
        let last = (self.most / self.step).round() as i64;
        (first..=last).map(|at| at as f64 * self.step).collect()
    }

    /// A mark in words, with as many decimals as its neighbours need.
    pub(crate) fn told(&self, value: f64) -> String {
        let decimals = (0..=6).find(|&decimals| {
            let power = libm::pow(10.0, f64::from(decimals));
            (self.step * power - (self.step * power).round()).abs() < 1e-6
        });
        grouped(&format!("{value:.*}", decimals.unwrap_or(6) as usize))
    }
}

/// Lines whose least value is above this share of their greatest do not need the zero.
const FAR_FROM_ZERO: f64 = 0.6;
/// How many marks an axis has, about.
const TICKS: f64 = 4.0;

/// A step of 1, 2, 2.5 or 5 times a power of ten that parts a range in about `parts`.
fn round_step(least: f64, most: f64, parts: f64) -> f64 {
    let rough = ((most - least) / parts).max(f64::MIN_POSITIVE);
    let power = libm::pow(10.0, libm::log10(rough).floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power);
    steps.into_iter().find(|step| *step >= rough * 0.999).unwrap_or(10.0 * power)
}

/// Least and most of all numbers, 0 among them.
pub(crate) fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    extent(values.into_iter().chain([0.0]))
}

/// Least and most of the numbers; 0 and 0 where there are none.
pub(crate) fn extent(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let finite = values.into_iter().filter(|value| value.is_finite());
    let ends = finite.map(|value| (value, value));
    let ends = ends.reduce(|(least, most), (value, _)| (value.min(least), value.max(most)));
    ends.unwrap_or((0.0, 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "these numbers are exact")]
    fn axes_have_round_numbers() {
        let scale = Scale::around(0.0, 56.4, 100.0, 0.0);
        assert_eq!(scale.ticks(), [0.0, 20.0, 40.0, 60.0]);
        assert_eq!(scale.at(60.0), 0.0);
        assert_eq!(scale.told(20.0), "20");
        // Grown to round numbers, a scale keeps its step.
        let grown = Scale::around(-2.0, 61.0, 0.0, 1.0).ticks();
        assert_eq!(grown, [-20.0, 0.0, 20.0, 40.0, 60.0, 80.0]);
        let far = Scale::of_lines(50.0, 56.0, 0.0, 1.0).ticks();
        assert_eq!(far, [50.0, 52.0, 54.0, 56.0]);
        let below = Scale::around(-7.0, 7.0, 1.0, 0.0).ticks();
        assert_eq!(below, [-10.0, -5.0, 0.0, 5.0, 10.0]);
        assert_eq!(Scale::around(3.0, 3.0, 0.0, 1.0).ticks().len(), 5);
    }
}
