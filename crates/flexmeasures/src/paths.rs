//! Sums of a device's balances over stretches of slots, of which rounding makes cuts.

use crate::{
    mir::{self, Column, Cut, Entry, Switch},
    problem::{Device, loss_coefficients},
    tube::Tube,
};

/// Longest stretch that is looked at, slots.
const LONGEST: usize = 48;
/// Most cuts of a device at a time.
const MOST_CUTS: usize = 40;
/// What a cut may miss a solution by and still bind it, relative to the size of its right side.
const BINDING: f64 = 1e-6;

/// A device with a solution of its program, in which binaries need not be whole.
#[derive(Debug)]
pub(crate) struct Relaxed<'a> {
    pub(crate) device: &'a Device,
    pub(crate) tube: &'a Tube,
    pub(crate) charge: Vec<f64>,
    pub(crate) discharge: Vec<f64>,
    pub(crate) stock: Vec<f64>,
    /// Where the device has a binary.
    pub(crate) charging: Vec<Option<f64>>,
    pub(crate) hours: f64,
}

/// What a row asks of the stock at the end of a stretch: as much as is balanced, or as little.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Side {
    Most,
    Least,
}

impl Relaxed<'_> {
    /// The most violated cuts.
    pub(crate) fn cuts(&self) -> Vec<Cut> {
        let open: Vec<usize> =
            (0..self.charge.len()).filter(|&j| self.charging[j].is_some_and(is_fractional)).collect();
        let mut found: Vec<(f64, Cut)> = Vec::new();
        for (place, &first) in open.iter().enumerate() {
            for &last in open[place..].iter().take_while(|&&last| last < first + LONGEST) {
                for side in [Side::Most, Side::Least] {
                    let (entries, most) = self.row(first, last, side);
                    found.extend(mir::cut(&entries, most));
                }
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found.truncate(MOST_CUTS);
        found.into_iter().map(|(_, cut)| cut).collect()
    }

    /// The summed balance of a stretch, as a row that is at most something.
    fn row(&self, first: usize, last: usize, side: Side) -> (Vec<Entry>, f64) {
        let sign = if side == Side::Most { 1.0 } else { -1.0 };
        let mut entries = vec![self.stock(last, -sign)];
        let (mut kept, mut most) = (sign, 0.0);
        for j in (first..=last).rev() {
            let (a, b) = loss_coefficients(self.device.storage_efficiency[j]);
            let moved = kept * b * self.hours;
            most -= kept * b * self.device.drift[j];
            entries.push(self.charge(j, moved * self.device.charge_efficiency[j]));
            entries.push(self.discharge(j, -moved / self.device.discharge_efficiency[j]));
            kept *= a;
        }
        match first.checked_sub(1) {
            Some(before) => entries.push(self.stock(before, kept)),
            None => most -= kept * self.device.soc_at_start.unwrap_or(0.0),
        }
        (entries, most)
    }

    fn stock(&self, j: usize, factor: f64) -> Entry {
        let (low, high) = (self.tube.low[j], self.tube.high[j]);
        Entry { column: Column::Stock(j), factor, value: self.stock[j], low, high, switch: None }
    }

    fn charge(&self, j: usize, factor: f64) -> Entry {
        let (column, high) = (Column::Charge(j), self.device.charge_max[j]);
        Entry { column, factor, value: self.charge[j], low: 0.0, high, switch: self.switch(j, false) }
    }

    fn discharge(&self, j: usize, factor: f64) -> Entry {
        let (column, high) = (Column::Discharge(j), self.device.discharge_max[j]);
        Entry { column, factor, value: self.discharge[j], low: 0.0, high, switch: self.switch(j, true) }
    }

    fn switch(&self, slot: usize, inverted: bool) -> Option<Switch> {
        self.charging[slot].map(|value| Switch { slot, value, inverted })
    }

    /// Whether a cut is kept by the solution, and only just.
    pub(crate) fn binds(&self, cut: &Cut) -> bool {
        let value = |column: Column| match column {
            Column::Charge(j) => self.charge[j],
            Column::Discharge(j) => self.discharge[j],
            Column::Stock(j) => self.stock[j],
            Column::Charging(j) => self.charging[j].unwrap_or(0.0),
        };
        let sum: f64 = cut.terms.iter().map(|&(column, factor)| factor * value(column)).sum();
        cut.most - sum <= BINDING * cut.most.abs().max(1.0)
    }
}

fn is_fractional(value: f64) -> bool {
    value > 1e-6 && value < 1.0 - 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SLOTS: usize = 6;

    fn device(efficiency: f64, kept: f64, drift: f64) -> Device {
        let each = |value: f64| vec![value; SLOTS];
        Device {
            name: String::new(),
            soc_at_start: Some(20.0),
            static_range: (Some(2.0), Some(30.0)),
            charge_max: each(22.0),
            discharge_max: each(15.0),
            charge_efficiency: each(efficiency),
            discharge_efficiency: each(efficiency),
            storage_efficiency: each(kept),
            drift: each(drift),
            floor: each(2.0),
            ceiling: each(30.0),
            bands: Vec::new(),
            minima: None,
            maxima: None,
            targets: None,
        }
    }

    /// A schedule that keeps the tube, by powers as shares of what is possible.
    fn follow(device: &Device, tube: &Tube, shares: &[f64], hours: f64) -> (Vec<f64>, Vec<f64>) {
        let (mut energy, mut power, mut stock) = (20.0, Vec::new(), Vec::new());
        for (j, share) in shares.iter().enumerate() {
            let mut found = 0.0;
            for step in 0..=20 {
                let wish = share * (1.0 - f64::from(step) / 20.0);
                let wish = wish * if wish > 0.0 { device.charge_max[j] } else { device.discharge_max[j] };
                let after = device.after(j, energy, wish, hours);
                if after >= tube.low[j] && after <= tube.high[j] {
                    found = wish;
                    break;
                }
            }
            energy = device.after(j, energy, found, hours);
            power.push(found);
            stock.push(energy);
        }
        (power, stock)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        #[test]
        fn no_cut_loses_a_schedule_that_chooses_a_direction(
            efficiency in 0.7..1.0_f64,
            kept in prop::sample::select(vec![1.0, 0.97]),
            drift in prop::sample::select(vec![0.0, 0.3]),
            shares in prop::collection::vec(-1.0..1.0_f64, SLOTS),
            relaxed in prop::collection::vec((0.0..1.0_f64, 0.0..1.0_f64, 2.0..30.0_f64, 0.01..0.99_f64), SLOTS),
        ) {
            let device = device(efficiency, kept, drift);
            let tube = Tube::between(&device, &device.floor, &device.ceiling, 0.5).unwrap();
            let (power, stock) = follow(&device, &tube, &shares, 0.5);
            prop_assume!(stock.iter().zip(&tube.low).all(|(stock, low)| *stock >= low - 1e-9));
            prop_assume!(stock.iter().zip(&tube.high).all(|(stock, high)| *stock <= high + 1e-9));
            let at = |j: usize| (relaxed[j].3, relaxed[j].0 * relaxed[j].3, relaxed[j].1 * (1.0 - relaxed[j].3));
            let solution = Relaxed {
                device: &device,
                tube: &tube,
                charge: (0..SLOTS).map(|j| 22.0 * at(j).1).collect(),
                discharge: (0..SLOTS).map(|j| 15.0 * at(j).2).collect(),
                stock: (0..SLOTS).map(|j| relaxed[j].2.clamp(tube.low[j], tube.high[j])).collect(),
                charging: (0..SLOTS).map(|j| Some(at(j).0)).collect(),
                hours: 0.5,
            };
            for cut in solution.cuts() {
                let value = |column: Column| match column {
                    Column::Charge(j) => power[j].max(0.0),
                    Column::Discharge(j) => (-power[j]).max(0.0),
                    Column::Stock(j) => stock[j],
                    Column::Charging(j) => if power[j] > 0.0 { 1.0 } else { 0.0 },
                };
                let sum: f64 = cut.terms.iter().map(|&(column, factor)| factor * value(column)).sum();
                prop_assert!(sum <= cut.most + 1e-6, "{cut:?}: {sum} with {power:?} and {stock:?}");
            }
        }
    }
}
