//! Which stored energies a device can have at all, and how far its wishes can be met.

use crate::problem::{Device, loss_coefficients};

/// Energy differences below this are rounding, kWh.
pub(crate) const TOLERANCE: f64 = 1e-9;

/// The energies on some course that keeps all bounds, at the end of each slot, kWh.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Envelope {
    pub(crate) low: Vec<f64>,
    pub(crate) high: Vec<f64>,
}

/// The energies that a device can have at an instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reachable {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Reachable {
    /// One energy alone.
    pub(crate) fn from(energy: f64) -> Self {
        Self { low: energy, high: energy }
    }

    /// Goes on by a slot, at full production and at full consumption.
    pub(crate) fn step(&mut self, device: &Device, j: usize, hours: f64) {
        self.low = device.after(j, self.low, -device.discharge_max[j], hours);
        self.high = device.after(j, self.high, device.charge_max[j], hours);
    }

    /// Keeps to bounds, as far as they can be kept.
    pub(crate) fn keep(&mut self, floor: f64, ceiling: f64) {
        self.low = self.low.max(floor.min(self.high));
        self.high = self.high.min(ceiling.max(self.low));
    }

    /// Whether no energy keeps the bounds.
    fn misses(self, floor: f64, ceiling: f64) -> bool {
        floor > self.high + TOLERANCE
            || ceiling < self.low - TOLERANCE
            || floor > ceiling + TOLERANCE
    }
}

impl Envelope {
    /// The envelope between `floor` and `ceiling`; `None` where no course keeps them.
    pub(crate) fn between(
        device: &Device,
        floor: &[f64],
        ceiling: &[f64],
        hours: f64,
    ) -> Option<Self> {
        let start = device.soc_at_start.unwrap_or(0.0);
        let mut reachable = Reachable::from(start);
        let mut envelope = Self::default();
        for (j, (&floor, &ceiling)) in floor.iter().zip(ceiling).enumerate() {
            reachable.step(device, j, hours);
            if reachable.misses(floor, ceiling) {
                return None;
            }
            reachable.keep(floor, ceiling);
            envelope.low.push(reachable.low);
            envelope.high.push(reachable.high);
        }
        envelope.look_back(device, hours).then_some(envelope)
    }

    /// Takes out the energies from which the later ones cannot be reached; false if none is left.
    fn look_back(&mut self, device: &Device, hours: f64) -> bool {
        for j in (1..self.low.len()).rev() {
            let (a, b) = loss_coefficients(device.storage_efficiency[j]);
            let gained = b * (device.stored(j, device.charge_max[j], hours) + device.drift[j]);
            let lost = b * (device.stored(j, -device.discharge_max[j], hours) + device.drift[j]);
            let needs = (self.low[j] - gained) / a;
            let allows = (self.high[j] - lost) / a;
            if needs > self.high[j - 1] + TOLERANCE || allows < self.low[j - 1] - TOLERANCE {
                return false;
            }
            // What is left beyond the other bound after the check above is rounding; cut off,
            // bounds never cross.
            self.low[j - 1] = self.low[j - 1].max(needs.min(self.high[j - 1]));
            self.high[j - 1] = self.high[j - 1].min(allows.max(self.low[j - 1]));
        }
        true
    }
}

/// Moves the bounds of a device just so far that some course keeps them: a device that starts
/// outside heads for them with full power, and a bound that cannot be kept is missed by as little
/// as can be.
pub(crate) fn relax_bounds(device: &mut Device, hours: f64) {
    let start = device.soc_at_start.unwrap_or(0.0);
    let mut reachable = Reachable::from(start);
    for j in 0..device.floor.len() {
        reachable.step(device, j, hours);
        device.ceiling[j] = device.ceiling[j].max(reachable.low);
        // Of a floor above its ceiling the ceiling holds.
        device.floor[j] = device.floor[j].min(reachable.high).min(device.ceiling[j]);
        reachable.keep(device.floor[j], device.ceiling[j]);
    }
}
