//! Values per slot.

use std::sync::Arc;

/// A named series with one value a slot, from slot 0.
///
/// Slots after the last value repeat the last 24 hours: a plan for a stay that outlasts the
/// simulation needs some price there, and nothing after the end is ever simulated.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it is, as the world file calls it: `base_load`, `tariff.buy`, ...
    pub name: String,
    /// Unit of the values: `kW` or `EUR/kWh`.
    pub unit: String,
    /// One value a slot.
    pub values: Arc<[f64]>,
}

impl Series {
    /// The value in `slot`, with `day` slots in 24 hours.
    pub fn at(&self, slot: u32, day: u32) -> f64 {
        let slot = slot as usize;
        let count = self.values.len();
        let day = day as usize;
        if slot < count {
            return self.values[slot];
        }
        // Of a run that is shorter than a day all is repeated.
        let period = day.min(count);
        self.values[count - period + (slot - count) % period]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_repeats_beyond_the_end() {
        let series = Series {
            name: "price".into(),
            unit: "EUR/kWh".into(),
            values: [9.0, 1.0, 2.0, 3.0].into(),
        };
        let seen: Vec<f64> = (2..9).map(|slot| series.at(slot, 3)).collect();
        assert_eq!(seen, [2.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.0]);
    }
}
