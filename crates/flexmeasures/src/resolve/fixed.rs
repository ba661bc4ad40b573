//! Loads and generation that cannot be moved, and which sign their series have.
//!
//! | named in                                          | sign of its values                                  |
//! |---------------------------------------------------|-----------------------------------------------------|
//! | `inflexible-consumption`, `inflexible-production` | positive is what the field's name says              |
//! | `inflexible-device-sensors` (deprecated)          | `consumption_is_positive` of the sensor; without it |
//! |                                                   | positive is production, FlexMeasures' default       |
//!
//! FlexMeasures 1.0.1 refuses what contradicts itself there, and so does the mode that reproduces
//! it; otherwise the name of the field holds, with a notice.

use super::{Inventory, Placed, site};
use crate::{
    Mode,
    error::{Read, Rejection},
    file::{Context, Entry, Id, SensorReference, Variable},
    problem::FixedDevice,
    series::{Overlap, Reader, Unit},
};

/// A series that is named as a fixed device.
struct Named<'a> {
    reference: SensorReference,
    /// What its field says about the sign; `None` where the sensor does.
    consumes: Option<bool>,
    path: &'a str,
}

/// Fixed devices of the flex model, then those of the context.
pub(super) fn devices(
    reader: &mut Reader<'_>,
    inventory: &Inventory<'_>,
    context: &Context,
    mode: Mode,
) -> Read<Vec<FixedDevice>> {
    let mut fixed = Vec::new();
    for placed in &inventory.fixed {
        refuse_other_fields(placed)?;
        for (reference, field, consumes) in fields_of(placed.entry) {
            let path = format!("{}.{field}", placed.path);
            let named =
                Named { reference: reference.clone(), consumes: Some(consumes), path: &path };
            fixed.push(device(reader, &named, mode)?);
        }
    }
    refuse_both_ages(reader, context, mode)?;
    let mut seen: Vec<&Id> = Vec::new();
    for (references, field, consumes) in [
        (&context.inflexible_consumption, "inflexible-consumption", true),
        (&context.inflexible_production, "inflexible-production", false),
    ] {
        for (index, reference) in references.iter().flatten().enumerate() {
            let path = format!("flex-context.{field}[{index}]");
            if seen.contains(&&reference.sensor) {
                let problem = format!(
                    "sensor `{}` is listed twice among the inflexible devices, and would count \
                     twice",
                    reference.sensor.0
                );
                contradiction(reader, mode, &path, problem)?;
            }
            seen.push(&reference.sensor);
            let named =
                Named { reference: reference.clone(), consumes: Some(consumes), path: &path };
            fixed.push(device(reader, &named, mode)?);
        }
    }
    for (index, id) in context.inflexible_device_sensors.iter().flatten().enumerate() {
        let path = format!("flex-context.inflexible-device-sensors[{index}]");
        let named = Named { reference: site::reference_to(id), consumes: None, path: &path };
        fixed.push(device(reader, &named, mode)?);
    }
    Ok(fixed)
}

/// The series that an entry of the flex model names, with what its field says about the sign.
fn fields_of(entry: &Entry) -> impl Iterator<Item = (&SensorReference, &'static str, bool)> {
    let fields = [
        (&entry.inflexible_consumption, "inflexible-consumption", true),
        (&entry.inflexible_production, "inflexible-production", false),
    ];
    fields
        .into_iter()
        .filter_map(|(reference, field, consumes)| Some((reference.as_ref()?, field, consumes)))
}

fn refuse_other_fields(placed: &Placed<'_>) -> Read<()> {
    let entry = placed.entry;
    let used = [
        entry.soc_at_start.is_some(),
        entry.soc_min.is_some(),
        entry.soc_max.is_some(),
        entry.power_capacity.is_some(),
        entry.consumption_capacity.is_some(),
        entry.production_capacity.is_some(),
        entry.inflexible_consumption.is_some() && entry.inflexible_production.is_some(),
    ];
    if !used.contains(&true) {
        return Ok(());
    }
    let problem = "an entry with `inflexible-consumption` or `inflexible-production` has no other \
                   field of a device";
    Err(Rejection::schema(placed.path, problem))
}

/// The deprecated list and the new ones together.
fn refuse_both_ages(reader: &mut Reader<'_>, context: &Context, mode: Mode) -> Read<()> {
    let new = context.inflexible_consumption.is_some() || context.inflexible_production.is_some();
    if context.inflexible_device_sensors.is_none() || !new {
        return Ok(());
    }
    let problem = "give either the deprecated `inflexible-device-sensors`, or \
                   `inflexible-consumption` and `inflexible-production`";
    contradiction(reader, mode, "flex-context.inflexible-device-sensors", problem.to_owned())
}

/// Refuses what FlexMeasures refuses in its mode, and notes it otherwise.
fn contradiction(reader: &mut Reader<'_>, mode: Mode, path: &str, problem: String) -> Read<()> {
    match mode {
        Mode::FlexMeasures => Err(Rejection::schema(path, problem)),
        Mode::BestEffort => {
            reader.notice(path, problem);
            Ok(())
        }
    }
}

fn device(reader: &mut Reader<'_>, named: &Named<'_>, mode: Mode) -> Read<FixedDevice> {
    let sign = if consumes(reader, named, mode)? { 1.0 } else { -1.0 };
    let variable = Variable::Sensor(named.reference.clone());
    // Unknown power counts as none, as in FlexMeasures.
    let cells =
        reader.noted(&variable, Unit::Power, Overlap::First, named.path, "0 kW is taken there")?;
    let power = cells.into_iter().map(|cell| sign * cell.unwrap_or(0.0)).collect();
    Ok(FixedDevice { name: named.reference.sensor.0.clone(), power })
}

/// Whether positive values of a series are consumption.
fn consumes(reader: &mut Reader<'_>, named: &Named<'_>, mode: Mode) -> Read<bool> {
    let Id(name) = &named.reference.sensor;
    let said = reader.series(&named.reference.sensor, named.path)?.consumption_is_positive;
    match (named.consumes, said) {
        (Some(field), Some(said)) if field != said => {
            let problem = format!(
                "sensor `{name}` has `consumption_is_positive: {said}`, which contradicts the \
                 field that it is listed in; its positive values are {}",
                if field { "consumption here" } else { "production here" },
            );
            contradiction(reader, mode, named.path, problem)?;
            Ok(field)
        }
        (Some(field), _) => Ok(field),
        (None, Some(said)) => Ok(said),
        (None, None) => {
            let text = format!(
                "positive values of sensor `{name}` are taken for production, FlexMeasures' \
                 default; list it under `inflexible-consumption` where they are load, or give the \
                 sensor `consumption_is_positive`"
            );
            reader.notice(named.path, text);
            Ok(false)
        }
    }
}
