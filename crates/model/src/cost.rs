//! What running the system costs, (36)-(43).
//!
//! ```text
//! F_g     = Σ_t (a·P² + b·P + c)·dt                     (37)   QuadraticCost
//! F_h     = Σ_t C_h·(P_dch + P_ch)·dt                   (38)   pumped hydro
//! F_dg    = Σ_t (C_wind·P_wind + C_pv·P_pv)·dt          (39)
//! F_cut   = Σ_t C_cut·P_cut·dt                          (40)
//! F_waste = Σ_t (C_waste·(P_avail - P))·dt              (41)
//! F_ess   = Σ_t C_ess·(P_dch + P_ch)·dt                 (43)
//! ```
//! A schedule is found with (37) as chords, which linear programs can hold, and billed with (37)
//! itself: [`chords`] and
//! `dispatch::bill`. A chord lies above the curve by at most `a·width²/4`.

use std::{num::NonZeroU32, ops::AddAssign};

/// The cost of thermal output, (37).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct QuadraticCost {
    /// Per kW²h.
    pub a: f64,
    /// Per kWh.
    pub b: f64,
    /// Per hour.
    pub c: f64,
}

impl QuadraticCost {
    /// What an hour at this output costs.
    pub fn per_hour(&self, power_kw: f64) -> f64 {
        (self.a * power_kw + self.b) * power_kw + self.c
    }
}

/// A piece of a cost curve that rises in a straight line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chord {
    /// How much output it covers, kW.
    pub width_kw: f64,
    /// What each kWh of it costs.
    pub slope_per_kwh: f64,
}

/// The curve between two outputs as `segments` chords of equal width, cheapest first.
///
/// A curve without a square is one chord, and none where the outputs are equal.
pub fn chords(
    cost: QuadraticCost,
    least_kw: f64,
    most_kw: f64,
    segments: NonZeroU32,
) -> Vec<Chord> {
    let count = if cost.a == 0.0 { 1 } else { segments.get() };
    let width_kw = (most_kw - least_kw) / f64::from(count);
    if width_kw <= 0.0 {
        return Vec::new();
    }
    // The chord of a parabola is as steep as the curve in its middle. With `a` not negative chords
    // become steeper, so that a program fills them in order without being told.
    let chord = |index: u32| {
        let middle = least_kw + (f64::from(index) + 0.5) * width_kw;
        Chord { width_kw, slope_per_kwh: 2.0 * cost.a * middle + cost.b }
    };
    (0..count).map(chord).collect()
}

/// What an hour at `power_kw`, not below `least_kw`, costs on the chords from `least_kw` up.
pub fn chords_per_hour(cost: QuadraticCost, least_kw: f64, chords: &[Chord], power_kw: f64) -> f64 {
    let mut left = power_kw - least_kw;
    let mut sum = cost.per_hour(least_kw);
    for chord in chords {
        let used = left.clamp(0.0, chord.width_kw);
        sum += used * chord.slope_per_kwh;
        left -= used;
    }
    sum
}

/// What a part of a unit's cost is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostComponent {
    /// Its name in tables.
    pub name: &'static str,
    /// The row of a system's cost that it is in: those of the paper's Table 3, and "other".
    pub row: &'static str,
    /// The part of a schedule's objective that it is in.
    pub part: &'static str,
    /// Its place in sums, which go on in this order: another rounds to another number.
    pub place: u8,
}

/// What the system costs by components: the one definition of system cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SystemCost {
    /// What units cost, by the place of the component.
    units: Vec<(CostComponent, f64)>,
    /// Energy not served or not taken, at the price that schedules avoid it by
    /// (`grid.slack.unserved`): a blackout is no way to save.
    pub unserved: f64,
}

impl SystemCost {
    /// Adds what a unit cost: its first component is what running it costs, the second, where there
    /// is one, the other part.
    pub fn add(&mut self, components: &[CostComponent], cost: UnitCost) {
        for (component, amount) in components.iter().zip([cost.running, cost.extra]) {
            self.add_to(*component, amount);
        }
    }

    fn add_to(&mut self, component: CostComponent, amount: f64) {
        match self.units.binary_search_by_key(&component.place, |(of, _)| of.place) {
            Ok(at) => self.units[at].1 += amount,
            Err(at) => self.units.insert(at, (component, amount)),
        }
    }

    /// The sum of the components that are in something together, such as a row.
    pub fn sum_of(&self, is_in: impl Fn(&CostComponent) -> bool) -> f64 {
        let within = self.units.iter().filter(|(component, _)| is_in(component));
        // Not `sum`, which makes -0.0 of nothing.
        within.fold(0.0, |sum, (_, amount)| sum + amount)
    }

    /// One row of it.
    pub fn row(&self, row: &str) -> f64 {
        self.sum_of(|component| component.row == row)
    }

    /// The sum of all.
    pub fn total(&self) -> f64 {
        // Neighbours in one row come first: totals of old runs were added up like that, and another
        // order rounds to another number.
        let rows = self.units.chunk_by(|(one, _), (next, _)| one.row == next.row);
        let sum = |row: &[(CostComponent, f64)]| row.iter().fold(0.0, |sum, (_, each)| sum + each);
        rows.fold(0.0, |all, row| all + sum(row)) + self.unserved
    }
}

impl AddAssign for SystemCost {
    fn add_assign(&mut self, more: Self) {
        for (component, amount) in more.units {
            self.add_to(component, amount);
        }
        self.unserved += more.unserved;
    }
}

/// What one unit costs in one slot, and the two parts of it that Table 3 keeps apart.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct UnitCost {
    /// Generating, storing, shedding or importing.
    pub running: f64,
    /// Starting, or curtailing.
    pub extra: f64,
}

impl UnitCost {
    /// Both together.
    pub fn total(&self) -> f64 {
        self.running + self.extra
    }

    /// Running alone.
    pub fn running(running: f64) -> Self {
        Self { running, extra: 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ten() -> NonZeroU32 {
        NonZeroU32::new(10).unwrap()
    }

    /// The case study's unit: at most 0.05 an hour above the curve, with ten chords over 605 kW.
    #[test]
    fn chords_of_the_case_study_are_close() {
        let cost = QuadraticCost { a: 5.8e-5, b: 0.278, c: 58.0 };
        let chords = chords(cost, 900.0, 1505.0, ten());
        let middle_of_a_chord = 900.0 + 30.25;
        let above = chords_per_hour(cost, 900.0, &chords, middle_of_a_chord)
            - cost.per_hour(middle_of_a_chord);
        assert!((above - 5.8e-5 * 60.5 * 60.5 / 4.0).abs() < 1e-9, "{above}");
    }

    #[test]
    fn a_straight_curve_is_one_chord_and_a_point_is_none() {
        let straight = QuadraticCost { a: 0.0, b: 0.3, c: 1.0 };
        assert_eq!(
            chords(straight, 10.0, 20.0, ten()),
            [Chord { width_kw: 10.0, slope_per_kwh: 0.3 }]
        );
        assert_eq!(chords(straight, 10.0, 10.0, ten()), []);
    }

    #[test]
    fn the_rows_add_up_to_the_total() {
        let component = |name, row, place| CostComponent { name, row, part: "any", place };
        let shed = component("shed", "penalty", 1);
        let unit = [component("fuel", "fuel", 0), component("waste", "penalty", 2)];
        let mut rows = SystemCost { units: Vec::new(), unserved: 16.0 };
        rows.add(&[shed], UnitCost::running(4.0));
        rows.add(&unit, UnitCost { running: 3.0, extra: 8.0 });
        let mut twice = rows.clone();
        twice += rows;
        assert!((twice.total() - 62.0).abs() < 1e-12);
        assert!((twice.row("penalty") - 24.0).abs() < 1e-12);
        assert!((twice.sum_of(|of| of.name == "waste") - 16.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn chords_lie_above_the_curve_by_at_most_a_quarter_of_a_width_squared(
            a in 0.0..1e-3_f64,
            b in 0.0..1.0_f64,
            least in 0.0..500.0_f64,
            range in 0.1..1000.0_f64,
            share in 0.0..1.0_f64,
        ) {
            let cost = QuadraticCost { a, b, c: 3.0 };
            let chords = chords(cost, least, least + range, ten());
            let power = least + share * range;
            let above = chords_per_hour(cost, least, &chords, power) - cost.per_hour(power);
            let width = range / 10.0;
            prop_assert!(above >= -1e-9 && above <= a * width * width / 4.0 + 1e-9, "{above}");
            prop_assert!(chords.windows(2).all(|pair| pair[0].slope_per_kwh <= pair[1].slope_per_kwh));
        }
    }
}
