//! How much power a device can take and give.

use super::Placed;
use crate::{
    error::{Read, Rejection},
    file::{Context, Variable},
    series::{Overlap, Reader, Unit},
};

/// The limits of a device, kW by slot.
#[derive(Debug, Default)]
pub(super) struct Capacities {
    pub(super) power: Vec<f64>,
    pub(super) charge: Vec<f64>,
    pub(super) discharge: Vec<f64>,
}

/// A capacity by slot, where it is said; not negative.
pub(super) fn cells(
    reader: &mut Reader<'_>,
    variable: Option<&Variable>,
    path: &str,
) -> Read<Vec<Option<f64>>> {
    let Some(variable) = variable else { return Ok(vec![None; reader.grid.slots]) };
    let cells = reader.noted(
        variable,
        Unit::Power,
        Overlap::Least,
        path,
        "this field limits nothing there",
    )?;
    match cells.iter().flatten().find(|&&capacity| capacity < 0.0) {
        Some(negative) => Err(Rejection::schema(
            path,
            format!("a capacity is not negative, but this is {negative} kW"),
        )),
        None => Ok(cells),
    }
}

/// The limits of a device.
///
/// What holds in both directions is `power-capacity`; without it the larger of the two directional
/// capacities, and without them that of the site. Where only one direction is given and not 0, the
/// other one is closed.
pub(super) fn limits(
    reader: &mut Reader<'_>,
    placed: Placed<'_>,
    context: &Context,
) -> Read<Capacities> {
    let entry = placed.entry;
    let path = placed.path;
    let given = cells(reader, entry.power_capacity.as_ref(), &format!("{path}.power-capacity"))?;
    let charge = cells(
        reader,
        entry.consumption_capacity.as_ref(),
        &format!("{path}.consumption-capacity"),
    )?;
    let discharge =
        cells(reader, entry.production_capacity.as_ref(), &format!("{path}.production-capacity"))?;
    let site =
        cells(reader, context.site_power_capacity.as_ref(), "flex-context.site-power-capacity")?;
    let consumes = entry.consumption_capacity.is_some();
    let produces = entry.production_capacity.is_some();
    let mut capacities = Capacities::default();
    for j in 0..reader.grid.slots {
        // A capacity with a gap limits nothing there, and cannot stand for the other one.
        let larger = charge[j].into_iter().chain(discharge[j]).reduce(f64::max);
        let power = if entry.power_capacity.is_some() { given[j] } else { larger.or(site[j]) };
        capacities.power.push(power.ok_or_else(|| {
            let at = reader.grid.tick(j).to_rfc3339();
            Rejection::schema(
                format!("{path}.power-capacity"),
                format!("no capacity holds for all of the slot at {at}"),
            )
        })?);
    }
    let is_open = |cells: &[Option<f64>]| cells.iter().flatten().any(|&capacity| capacity > 0.0);
    let side = |own: &[Option<f64>], own_given: bool, other: &[Option<f64>], other_given: bool| {
        // As in FlexMeasures: a charger that names only what it consumes feeds nothing in.
        let closed = !own_given && other_given && is_open(other);
        let power = capacities.power.iter().zip(own);
        power
            .map(|(&power, own)| if closed { 0.0 } else { own.unwrap_or(power).min(power) })
            .collect::<Vec<f64>>()
    };
    let (charge, discharge) = (
        side(&charge, consumes, &discharge, produces),
        side(&discharge, produces, &charge, consumes),
    );
    Ok(Capacities { charge, discharge, ..capacities })
}
