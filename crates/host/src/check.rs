//! Checks a policy's answer, and makes it keep the contract.

use voltide_policy::{Observation, Schedules, planner::Correction};

/// Power beyond a limit that comes from rounding and is cut without a word, kW.
const ROUNDING_KW: f64 = 1e-6;

/// Makes every value finite, within its charger's limits and zero before arrival and after
/// departure.
///
/// Returns the first slot of each row that was beyond a limit, and the first that was no number.
pub(crate) fn correct(seen: &Observation<'_>, schedules: &mut Schedules<'_>) -> Vec<Correction> {
    let mut corrections = Vec::new();
    for (row, power_kw) in schedules.rows().enumerate() {
        let limits =
            Limits { lowest: -seen.discharge_kw_max[row], highest: seen.charge_kw_max[row] };
        let window = seen.window(row);
        let (until, after) = power_kw.split_at_mut(window.end);
        let (before, used) = until.split_at_mut(window.start);
        // Nearly all rows keep to their limits, and need no more than to be read.
        if !(Limits::ZERO.hold(before) && limits.hold(used) && Limits::ZERO.hold(after)) {
            let cuts = [
                Limits::ZERO.cut(before, 0),
                limits.cut(used, window.start),
                Limits::ZERO.cut(after, window.end),
            ];
            let first = |of: fn(&Cut) -> Option<Correction>| cuts.iter().find_map(of);
            for found in
                [first(|cut| cut.not_finite), first(|cut| cut.beyond)].into_iter().flatten()
            {
                corrections.push(Correction { row: row as u32, ..found });
            }
        }
    }
    corrections
}

/// What was cut off of some slots: the first value that was no number, and the first beyond a
/// limit.
#[derive(Debug, Clone, Copy, Default)]
struct Cut {
    not_finite: Option<Correction>,
    beyond: Option<Correction>,
}

/// Between what powers must lie, kW.
#[derive(Debug, Clone, Copy)]
struct Limits {
    lowest: f64,
    highest: f64,
}

impl Limits {
    const ZERO: Self = Self { lowest: 0.0, highest: 0.0 };

    /// Whether all values are within; false for NaN.
    #[expect(clippy::needless_bitwise_bool, reason = "without a branch per value it vectorises")]
    fn hold(self, power_kw: &[f64]) -> bool {
        power_kw
            .iter()
            .fold(true, |hold, &power| hold & (power >= self.lowest) & (power <= self.highest))
    }

    /// Cuts the values to the limits, and what is not finite to 0.
    fn cut(self, power_kw: &mut [f64], first_slot: usize) -> Cut {
        let mut cut = Cut::default();
        for (slot, power) in (first_slot as u32..).zip(power_kw) {
            let asked_kw = *power;
            let wished = if asked_kw.is_finite() { asked_kw } else { 0.0 };
            *power = wished.min(self.highest).max(self.lowest);
            let found = Some(Correction { row: 0, slot, asked_kw, applied_kw: *power });
            if !asked_kw.is_finite() {
                cut.not_finite = cut.not_finite.or(found);
            } else if (asked_kw - *power).abs() > ROUNDING_KW {
                cut.beyond = cut.beyond.or(found);
            }
        }
        cut
    }
}
