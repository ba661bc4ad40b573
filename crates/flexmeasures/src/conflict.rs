//! Which constraint cannot hold, where there is no schedule.
//!
//! First each device on its own: the first instant at which a bound of its stored energy is out of
//! reach whatever it does. Then limits of power: with them at a price, the first one that the least
//! breach exceeds. What is left are bands of power.

use crate::{
    envelope::{Reachable, TOLERANCE},
    problem::{Device, Problem},
};

/// A constraint that no schedule keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// Whose constraint it is: a device, or a limit.
    pub owner: String,
    /// The field that asks for it.
    pub field: &'static str,
    /// The tick at which it is broken; the start of the slot for power.
    pub tick: usize,
    /// Why, in lower case.
    pub reason: String,
}

/// The first bound of a device's stored energy that is out of its reach.
pub(crate) fn within_devices(problem: &Problem) -> Option<Conflict> {
    problem.devices.iter().find_map(|device| stock_conflict(device, problem.grid.hours()))
}

fn stock_conflict(device: &Device, hours: f64) -> Option<Conflict> {
    let start = device.soc_at_start?;
    let mut reachable = Reachable::from(start);
    for j in 0..device.floor.len() {
        reachable.step(device, j, hours);
        let (low, high) = (reachable.low, reachable.high);
        let (floor, ceiling) = (device.floor[j], device.ceiling[j]);
        let conflict =
            |field, reason| Conflict { owner: device.name.clone(), field, tick: j + 1, reason };
        if floor > high + TOLERANCE {
            let reason = format!(
                "{floor:.3} kWh are asked for, and at most {high:.3} kWh can be stored by then, \
                 starting with {start:.3} kWh"
            );
            return Some(conflict(field_below(device, j), reason));
        }
        if ceiling < low - TOLERANCE {
            let reason = format!(
                "at most {ceiling:.3} kWh are allowed, and at least {low:.3} kWh are stored by \
                 then, starting with {start:.3} kWh"
            );
            return Some(conflict(field_above(device, j), reason));
        }
        if floor > ceiling + TOLERANCE {
            let reason = format!(
                "at least {floor:.3} kWh are asked for, and at most {ceiling:.3} kWh allowed"
            );
            return Some(conflict(field_below(device, j), reason));
        }
        // What later slots can reach starts from what this one may hold.
        reachable.keep(floor, ceiling);
    }
    None
}

/// The field that sets the least energy at the end of a slot.
fn field_below(device: &Device, j: usize) -> &'static str {
    named(device, j, device.floor[j], device.minima.as_ref(), "soc-minima", "soc-min")
}

/// The field that sets the most energy at the end of a slot.
fn field_above(device: &Device, j: usize) -> &'static str {
    named(device, j, device.ceiling[j], device.maxima.as_ref(), "soc-maxima", "soc-max")
}

fn named(
    device: &Device,
    j: usize,
    bound: f64,
    timed: Option<&Vec<Option<f64>>>,
    timed_name: &'static str,
    fixed_name: &'static str,
) -> &'static str {
    let asks = |levels: Option<&Vec<Option<f64>>>| {
        levels.and_then(|levels| levels[j]).is_some_and(|level| (level - bound).abs() < TOLERANCE)
    };
    // A target sets both bounds of its tick, so that it is asked first.
    if asks(device.targets.as_ref()) {
        "soc-targets"
    } else if asks(timed) {
        timed_name
    } else {
        fixed_name
    }
}

/// The first slot in which no band of a device can be kept, or the bands as a whole.
pub(crate) fn between_bands(problem: &Problem) -> Option<Conflict> {
    let banded = || problem.devices.iter().filter(|device| !device.bands.is_empty());
    let open = |device: &Device, j: usize| {
        device
            .bands
            .iter()
            .any(|&(low, high)| low <= device.charge_max[j] && high >= -device.discharge_max[j])
    };
    let conflict = |device: &Device, tick, reason: &str| Conflict {
        owner: device.name.clone(),
        field: "operation-modes",
        tick,
        reason: reason.to_owned(),
    };
    let closed = banded().find_map(|device| {
        let slot = (0..problem.grid.slots).find(|&j| !open(device, j))?;
        Some(conflict(device, slot, "no mode lies within the power that the device may have then"))
    });
    let whole = || {
        let reason = "no choice of modes keeps the bounds of stored energy and the limits of power";
        banded().next().map(|device| conflict(device, 0, reason))
    };
    closed.or_else(whole)
}
