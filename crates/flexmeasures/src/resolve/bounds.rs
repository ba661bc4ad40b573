//! Where the stock of a device is kept.

use crate::{
    problem::Device,
    project::Wishes,
    series::{Asked, Overlap},
    time::Grid,
};

/// The bounds of a device at the end of each slot, kWh: its static range, its hard wishes within
/// it, and its hard targets.
#[derive(Debug)]
pub(super) struct Bounds {
    pub(super) floor: Vec<f64>,
    pub(super) ceiling: Vec<f64>,
    pub(super) targets: Vec<Option<f64>>,
}

impl Bounds {
    /// Those of a device, with what is asked of it for certain.
    pub(super) fn of(device: &Device, hard: &Wishes, grid: &Grid) -> Self {
        let (least, most) = device.static_range;
        let (least, most) = (least.unwrap_or(f64::NEG_INFINITY), most.unwrap_or(f64::INFINITY));
        let cells = |asked: &Option<Asked>, of_sensor| {
            let Some(asked) = asked else { return vec![None; grid.slots] };
            // Of the events in a list the last one holds, as in FlexMeasures.
            asked.at_ticks(
                grid,
                if matches!(asked, Asked::Sensor(_)) { of_sensor } else { Overlap::Last },
            )
        };
        let bounds = |cells: Vec<Option<f64>>, otherwise: f64| {
            // `clamp` panics at a range that is upside down; such a one was refused with the
            // device.
            cells.into_iter().map(|cell| cell.unwrap_or(otherwise).clamp(least, most)).collect()
        };
        Self {
            floor: bounds(cells(&hard.minima, Overlap::Most), least),
            ceiling: bounds(cells(&hard.maxima, Overlap::Least), most),
            targets: cells(&hard.targets, Overlap::First),
        }
    }

    /// Gives the device its bounds: targets within them.
    pub(super) fn set(self, device: &mut Device) {
        (device.floor, device.ceiling) = (self.floor, self.ceiling);
        for (j, target) in self.targets.iter().enumerate() {
            if let Some(target) = *target {
                let (floor, ceiling) = (device.floor[j], device.ceiling[j]);
                // A floor above its ceiling stays so, whatever the target: the contradiction is for
                // the search for conflicts to name, or for the best effort to relax.
                device.floor[j] = target.min(ceiling).max(floor);
                device.ceiling[j] = target.max(floor).min(ceiling);
            }
        }
    }
}
