//! Which stored energies a device can have at all, and how far its wishes can be met.

use crate::problem::{Device, loss_coefficients};

/// Energy differences below this are rounding, kWh.
pub(crate) const TOLERANCE: f64 = 1e-9;

/// The energies on some course that keeps all bounds, at the end of each slot, kWh.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Tube {
    pub(crate) low: Vec<f64>,
    pub(crate) high: Vec<f64>,
}

/// The energy after a slot at full production and at full consumption, from two energies before it.
fn reach(device: &Device, j: usize, low: f64, high: f64, hours: f64) -> (f64, f64) {
    (
        device.after(j, low, -device.discharge_max[j], hours),
        device.after(j, high, device.charge_max[j], hours),
    )
}

impl Tube {
    /// The tube between `floor` and `ceiling`; `None` where no course keeps them.
    pub(crate) fn between(device: &Device, floor: &[f64], ceiling: &[f64], hours: f64) -> Option<Self> {
        let start = device.soc_at_start.unwrap_or(0.0);
        let (mut low, mut high) = (start, start);
        let mut tube = Self::default();
        for (j, (&floor, &ceiling)) in floor.iter().zip(ceiling).enumerate() {
            (low, high) = reach(device, j, low, high, hours);
            if floor > high + TOLERANCE || ceiling < low - TOLERANCE || floor > ceiling + TOLERANCE {
                return None;
            }
            low = low.max(floor.min(high));
            high = high.min(ceiling.max(low));
            tube.low.push(low);
            tube.high.push(high);
        }
        tube.look_back(device, hours).then_some(tube)
    }

    /// Takes out the energies from which the later ones cannot be reached; false if none is left.
    fn look_back(&mut self, device: &Device, hours: f64) -> bool {
        for j in (1..self.low.len()).rev() {
            let (a, b) = loss_coefficients(device.storage_efficiency[j]);
            let gained = b * (device.stored(j, device.charge_max[j], hours) + device.drift[j]);
            let lost = b * (device.stored(j, -device.discharge_max[j], hours) + device.drift[j]);
            let (needs, allows) = ((self.low[j] - gained) / a, (self.high[j] - lost) / a);
            if needs > self.high[j - 1] + TOLERANCE || allows < self.low[j - 1] - TOLERANCE {
                return false;
            }
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
    let (mut low, mut high) = (start, start);
    for j in 0..device.floor.len() {
        (low, high) = reach(device, j, low, high, hours);
        device.ceiling[j] = device.ceiling[j].max(low);
        device.floor[j] = device.floor[j].min(high).min(device.ceiling[j]);
        low = low.max(device.floor[j]);
        high = high.min(device.ceiling[j]).max(low);
    }
}
