//! The checks by which FlexMeasures 1.0.1 refuses hard constraints before solving.
//!
//! They look at changes of stock since the start, in `MWh/h`, and compare them with capacities
//! times hours: 1/h² too strict between slots. That is theirs; only the mode that reproduces
//! FlexMeasures checks so.

use super::bounds::Bounds;
use crate::{
    error::{Read, Rejection},
    problem::Device,
    time::Grid,
};

/// Refuses bounds and targets that contradict each other by 1.0.1's rules.
pub(super) fn check(device: &Device, bounds: &Bounds, grid: &Grid, path: &str) -> Read<()> {
    let start = device.soc_at_start.unwrap_or(0.0);
    let change = |energy: f64| {
        let change = (energy - start) / 1000.0 / grid.hours();
        change.is_finite().then_some(change)
    };
    let (least, most) = device.static_range;
    let before = (least.and_then(change), most.and_then(change), Some(start / 1000.0));
    for j in 0..grid.slots {
        let (min, max) = (change(bounds.floor[j]), change(bounds.ceiling[j]));
        let equals = bounds.targets[j].and_then(change);
        let (last_min, last_max, last_equals) = match j.checked_sub(1) {
            Some(last) => (
                change(bounds.floor[last]),
                change(bounds.ceiling[last]),
                bounds.targets[last].and_then(change),
            ),
            None => before,
        };
        let up = device.charge_max[j] / 1000.0 * grid.hours();
        let down = device.discharge_max[j] / 1000.0 * grid.hours();
        let checks = [
            ("the least energy is above the most", excess(min, max), 0.0),
            ("the target is below the least energy", excess(min, equals), 0.0),
            ("the target is above the most energy", excess(equals, max), 0.0),
            ("two targets are too far apart", excess(equals, last_equals), up),
            ("two targets are too far apart", excess(last_equals, equals), down),
            ("the least energy rises too fast", excess(min, last_max), up),
            ("the most energy falls too fast", excess(last_min, max), down),
            ("the target is too far above the energy before", excess(equals, last_max), up),
            ("the target is too far below the energy before", excess(last_min, equals), down),
        ];
        // Rounded to six decimals before they are compared.
        let round = |value: f64| libm::round(value * 1e6);
        if let Some((what, ..)) = checks.into_iter().find(|(_, excess, allowed)| {
            excess.is_some_and(|excess| round(excess) > round(*allowed))
        }) {
            let at = grid.tick(j + 1).to_rfc3339();
            return Err(Rejection::prepare(
                path,
                format!("the hard constraints contradict each other: at {at} {what}"),
            ));
        }
    }
    Ok(())
}

/// How far the first is above the second, where both are set.
fn excess(high: Option<f64>, low: Option<f64>) -> Option<f64> {
    Some(high? - low?)
}
