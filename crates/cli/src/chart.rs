//! Small charts of characters.

/// Bars from the lowest to the highest value.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One line of bars of at most `width` characters, each the mean of its part of the values.
pub(crate) fn bars(values: &[f64], width: usize) -> String {
    let (low, high) = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    let count = values.len().min(width);
    let ends: Vec<usize> = (0..=count).map(|part| part * values.len() / count.max(1)).collect();
    ends.windows(2).map(|ends| bar(&values[ends[0]..ends[1]], low, high)).collect()
}

/// The bar that stands for the mean of values between the lowest and the highest of all.
fn bar(values: &[f64], low: f64, high: f64) -> char {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let share = if high > low { (mean - low) / (high - low) } else { 0.0 };
    // The share of the highest value is 1, a place beyond the last bar.
    BARS[((share * BARS.len() as f64) as usize).min(BARS.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_follow_the_values() {
        assert_eq!(bars(&[0.0, 1.0, 2.0, 7.0], 80), "▁▂▃█");
        assert_eq!(bars(&[0.0, 0.0, 8.0, 8.0], 2), "▁█");
        assert_eq!(bars(&[3.0, 3.0], 80), "▁▁");
        assert_eq!(bars(&[], 80), "");
    }
}
