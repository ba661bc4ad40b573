//! What a file still lacks, all of it in one error.

use super::entry_path;
use crate::{
    Mode,
    error::{Read, Rejection},
    file::{Context, Entry, File, Id, OneOrMany, Variable},
};
use std::collections::BTreeMap;

/// Names everything that is missing.
pub(super) fn complain(file: &File, mode: Mode) -> Read<()> {
    let mut missing = Vec::new();
    let mut need = |there: bool, what: &str| {
        if !there {
            missing.push(what.to_owned());
        }
    };
    need(file.start.is_some(), "`start`");
    need(file.end.is_some() || file.duration.is_some(), "`end` or `duration`");
    need(file.resolution.is_some(), "`resolution`");
    need(file.flex_model.is_some(), "`flex-model`");
    let context = file.flex_context.as_ref();
    let priced = context.is_some_and(|context| {
        context.consumption_price.is_some() || context.consumption_price_sensor.is_some()
    });
    need(priced, "`flex-context.consumption-price`");
    let (single, entries): (bool, Vec<&Entry>) = match &file.flex_model {
        Some(OneOrMany::One(entry)) => (true, vec![entry]),
        Some(OneOrMany::Many(entries)) => (false, entries.iter().collect()),
        None => (false, Vec::new()),
    };
    let site = context.is_some_and(|context| context.site_power_capacity.is_some());
    let mut named: BTreeMap<&str, String> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let path = entry_path(single, index);
        if !is_group(entry, &entries) && !is_fixed(entry) {
            need(has_power(entry) || site, &format!("`{path}.power-capacity`"));
            // FlexMeasures takes an empty battery then, which hardly anybody means.
            let starts = entry.soc_at_start.is_some() || entry.state_of_charge.is_some();
            let empty = mode == Mode::FlexMeasures || !has_stock(entry);
            need(starts || empty, &format!("`{path}.soc-at-start`"));
        }
        note_references(entry, &path, &mut named);
    }
    if let Some(context) = context {
        note_context(context, &mut named);
    }
    // By the first place that names it, so that a series which many fields share is missing once.
    for (name, path) in named {
        need(file.sensors.contains_key(name), &format!("the series of sensor `{name}` ({path})"));
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Rejection::schema("", format!("still missing: {}", missing.join(", "))))
}

fn is_fixed(entry: &Entry) -> bool {
    entry.inflexible_consumption.is_some() || entry.inflexible_production.is_some()
}

fn is_group(entry: &Entry, all: &[&Entry]) -> bool {
    let own = super::own_key(entry);
    own.is_some()
        && all
            .iter()
            .filter_map(|other| other.group.as_ref())
            .any(|group| super::group_key(group) == own)
}

fn has_power(entry: &Entry) -> bool {
    entry.power_capacity.is_some()
        || entry.consumption_capacity.is_some()
        || entry.production_capacity.is_some()
}

/// Whether the absolute level of the stock matters.
pub(super) fn has_stock(entry: &Entry) -> bool {
    let bounds = entry.soc_min.is_some() || entry.soc_max.is_some();
    bounds
        || entry.soc_minima.is_some()
        || entry.soc_maxima.is_some()
        || entry.soc_targets.is_some()
}

type Named<'a> = BTreeMap<&'a str, String>;

fn note<'a>(variable: Option<&'a Variable>, path: String, named: &mut Named<'a>) {
    if let Some(Variable::Sensor(reference)) = variable {
        named.entry(&reference.sensor.0).or_insert(path);
    }
}

fn note_references<'a>(entry: &'a Entry, path: &str, named: &mut Named<'a>) {
    for (variable, field) in [
        (&entry.state_of_charge, "state-of-charge"),
        (&entry.soc_minima, "soc-minima"),
        (&entry.soc_maxima, "soc-maxima"),
        (&entry.soc_targets, "soc-targets"),
        (&entry.charging_efficiency, "charging-efficiency"),
        (&entry.discharging_efficiency, "discharging-efficiency"),
        (&entry.storage_efficiency, "storage-efficiency"),
        (&entry.power_capacity, "power-capacity"),
        (&entry.consumption_capacity, "consumption-capacity"),
        (&entry.production_capacity, "production-capacity"),
    ] {
        note(variable.as_ref(), format!("{path}.{field}"), named);
    }
    for (list, field) in [(&entry.soc_gain, "soc-gain"), (&entry.soc_usage, "soc-usage")] {
        for (index, variable) in list.iter().flatten().enumerate() {
            note(Some(variable), format!("{path}.{field}[{index}]"), named);
        }
    }
    for (reference, field) in [
        (&entry.inflexible_consumption, "inflexible-consumption"),
        (&entry.inflexible_production, "inflexible-production"),
    ] {
        if let Some(reference) = reference {
            named.entry(&reference.sensor.0).or_insert(format!("{path}.{field}"));
        }
    }
}

fn note_context<'a>(context: &'a Context, named: &mut Named<'a>) {
    for (variable, field) in [
        (&context.consumption_price, "consumption-price"),
        (&context.production_price, "production-price"),
        (&context.site_power_capacity, "site-power-capacity"),
        (&context.site_consumption_capacity, "site-consumption-capacity"),
        (&context.site_production_capacity, "site-production-capacity"),
        (&context.site_peak_consumption, "site-peak-consumption"),
        (&context.site_peak_consumption_price, "site-peak-consumption-price"),
        (&context.site_peak_production, "site-peak-production"),
        (&context.site_peak_production_price, "site-peak-production-price"),
    ] {
        note(variable.as_ref(), format!("flex-context.{field}"), named);
    }
    let by_id = [
        (&context.consumption_price_sensor, "consumption-price-sensor"),
        (&context.production_price_sensor, "production-price-sensor"),
    ];
    for (id, field) in by_id {
        if let Some(Id(name)) = id {
            named.entry(name).or_insert(format!("flex-context.{field}"));
        }
    }
    let loads =
        context.inflexible_consumption.iter().chain(&context.inflexible_production).flatten();
    let ids = context
        .inflexible_device_sensors
        .iter()
        .flatten()
        .chain(loads.map(|reference| &reference.sensor));
    for Id(name) in ids {
        named.entry(name).or_insert("flex-context.inflexible devices".to_owned());
    }
}
