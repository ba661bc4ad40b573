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
//! itself: [`chords`] and [`bill`]. A chord lies above the curve by at most `a·width²/4`.

use crate::{columns::UnitKind, dispatch::SlotDispatch, plant::Plant};
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

/// What the system costs, by the rows of the paper's Table 3 and some that it has not: the one
/// definition of system cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SystemCost {
    /// Thermal output, (37), by the quadratic curve.
    pub thermal: f64,
    /// Starts of thermal units.
    pub starts: f64,
    /// Throughput of pumped hydro, (38).
    pub pumped_hydro: f64,
    /// Throughput of batteries, (43).
    pub ess: f64,
    /// Wind delivered, (39).
    pub wind: f64,
    /// Sun delivered, (39).
    pub pv: f64,
    /// Load shed by agreement, (40).
    pub interruption: f64,
    /// Wind and sun not used, (41).
    pub curtailment: f64,
    /// Output that nobody steers.
    pub must_take: f64,
    /// Imports less exports.
    pub exchange: f64,
    /// Energy not served or not taken, at the price that schedules avoid it by (`grid.slack.unserved`):
    /// a blackout is no way to save.
    pub unserved: f64,
}

impl SystemCost {
    /// The row "Penalty/Curtail": interruption and curtailment.
    pub fn penalty(&self) -> f64 {
        self.interruption + self.curtailment
    }

    /// The sum of all.
    pub fn total(&self) -> f64 {
        let generation = self.thermal + self.starts + self.wind + self.pv + self.must_take;
        generation + self.pumped_hydro + self.ess + self.penalty() + self.exchange + self.unserved
    }
}

impl AddAssign for SystemCost {
    fn add_assign(&mut self, more: Self) {
        self.thermal += more.thermal;
        self.starts += more.starts;
        self.pumped_hydro += more.pumped_hydro;
        self.ess += more.ess;
        self.wind += more.wind;
        self.pv += more.pv;
        self.interruption += more.interruption;
        self.curtailment += more.curtailment;
        self.must_take += more.must_take;
        self.exchange += more.exchange;
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
}

impl UnitCost {
    /// Running alone.
    pub fn running(running: f64) -> Self {
        Self { running, extra: 0.0 }
    }
}

/// A row of the system's cost: its component's name in tables, and its sum.
pub type CostRow<'a> = (&'static str, &'a mut f64);

impl SystemCost {
    /// The rows that units of a kind add to: what running costs, and the other part where there is one.
    pub fn rows_of(&mut self, kind: UnitKind) -> (CostRow<'_>, Option<CostRow<'_>>) {
        match kind {
            UnitKind::Wind => {
                (("wind", &mut self.wind), Some(("curtailment", &mut self.curtailment)))
            }
            UnitKind::Pv => (("pv", &mut self.pv), Some(("curtailment", &mut self.curtailment))),
            UnitKind::Thermal => {
                (("thermal", &mut self.thermal), Some(("starts", &mut self.starts)))
            }
            UnitKind::PumpedHydro => (("pumped_hydro", &mut self.pumped_hydro), None),
            UnitKind::Ess => (("ess", &mut self.ess), None),
            UnitKind::Interruptible => (("interruption", &mut self.interruption), None),
            UnitKind::MustTake => (("must_take", &mut self.must_take), None),
            UnitKind::ImportExport => (("import_export", &mut self.exchange), None),
        }
    }

    /// Adds what a unit of a kind cost.
    pub fn add_unit(&mut self, kind: UnitKind, cost: UnitCost) {
        let ((_, running), extra) = self.rows_of(kind);
        *running += cost.running;
        if let Some((_, row)) = extra {
            *row += cost.extra;
        }
    }
}

/// What each unit costs in one slot of `hours`, in the plant's order.
pub fn unit_costs(plant: &Plant, slot: &SlotDispatch, hours: f64) -> Vec<UnitCost> {
    plant.devices().zip(&slot.units).map(|(unit, did)| unit.cost(did, hours)).collect()
}

/// What the units of one slot of `hours` cost, by rows: the bill, with (37) as it is printed. Energy not
/// served is no unit's.
pub fn bill(plant: &Plant, slot: &SlotDispatch, hours: f64) -> SystemCost {
    let mut rows = SystemCost::default();
    for (unit, did) in plant.devices().zip(&slot.units) {
        rows.add_unit(unit.kind(), unit.cost(did, hours));
    }
    rows
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
        let rows = SystemCost {
            thermal: 1.0,
            ess: 2.0,
            interruption: 4.0,
            curtailment: 8.0,
            ..Default::default()
        };
        let rows = SystemCost { unserved: 16.0, ..rows };
        let mut twice = rows;
        twice += rows;
        assert!((twice.total() - 62.0).abs() < 1e-12 && (twice.penalty() - 24.0).abs() < 1e-12);
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
