//! From the JSON's words to numbers: which devices there are, and on what grid.

mod bounds;
mod capacity;
mod device;
mod fixed;
mod missing;
mod site;
mod stock;
mod validate;

use crate::{
    Mode,
    error::{Read, Rejection},
    file::{Entry, File, Id, OneOrMany},
    problem::{Members, Problem},
    series::Reader,
    time::{Grid, IsoDuration},
};
use std::collections::{BTreeMap, BTreeSet};

/// Most slots that a target after the end may stretch a schedule to. FlexMeasures' own longest
/// horizon.
const MOST_SLOTS: i64 = 2520;
/// Most slots that can be asked for: a year of five minutes fits.
const LARGEST_SCHEDULE: usize = 200_000;
/// Most devices times slots.
const LARGEST_FLEET: usize = 4_000_000;

/// One entry of the flex model with its place and its part.
#[derive(Debug, Clone, Copy)]
struct Placed<'a> {
    entry: &'a Entry,
    path: &'a str,
}

/// The flex model, sorted by what its entries are.
#[derive(Debug, Default)]
struct Inventory<'a> {
    devices: Vec<Placed<'a>>,
    names: Vec<String>,
    /// Fixed devices of the flex model.
    fixed: Vec<Placed<'a>>,
    /// Groups by key, with their entry.
    groups: BTreeMap<String, Placed<'a>>,
}

/// Reads a file into a problem.
pub(crate) fn resolve(file: &File, mode: Mode) -> Read<Problem> {
    // What is missing is told all at once; what comes after stops at the first mistake.
    missing::complain(file, mode)?;
    let (Some(model), Some(context)) = (&file.flex_model, &file.flex_context) else {
        return Err(Rejection::schema("", "flex-model and flex-context are missing"));
    };
    let entries: Vec<&Entry> = match model {
        OneOrMany::One(entry) => vec![entry],
        OneOrMany::Many(entries) => entries.iter().collect(),
    };
    let single = matches!(model, OneOrMany::One(_));
    let paths: Vec<String> = (0..entries.len()).map(|index| entry_path(single, index)).collect();
    let placed: Vec<Placed<'_>> =
        entries.iter().zip(&paths).map(|(&entry, path)| Placed { entry, path }).collect();
    let inventory = Inventory::sort(&placed, single)?;
    let mut reader =
        Reader { grid: grid(file)?, sensors: &file.sensors, currency: None, notices: Vec::new() };
    // Before anything is read slot by slot, since it says how many slots there are.
    extend_to_targets(&mut reader, &inventory)?;
    devices_fit(inventory.devices.len() + inventory.fixed.len(), reader.grid.slots)?;
    let sellers = site::site(&mut reader, context)?;
    let mut problem = Problem {
        grid: reader.grid,
        currency: String::new(),
        devices: Vec::new(),
        fixed: fixed::devices(&mut reader, &inventory, context, mode)?,
        limits: Vec::new(),
        terms: Vec::new(),
        notices: Vec::new(),
    };
    device::add_devices(&mut reader, &inventory, context, mode, &sellers, &mut problem)?;
    problem.notices = std::mem::take(&mut reader.notices);
    problem.currency = reader.currency.map(|(currency, _)| currency).unwrap_or_default();
    Ok(problem)
}

/// Where an entry of the flex model stands.
fn entry_path(single: bool, index: usize) -> String {
    if single { "flex-model".to_owned() } else { format!("flex-model[{index}]") }
}

fn grid(file: &File) -> Read<Grid> {
    let zone = file.timezone.as_ref().map(|name| {
        name.parse()
            .map_err(|_| Rejection::schema("timezone", format!("there is no time zone `{name}`")))
    });
    let zone = zone.transpose()?;
    let start = file.start.ok_or_else(|| Rejection::schema("start", "missing"))?.utc();
    let length = |duration: IsoDuration, path: &str| {
        duration.from(start, zone, false).map_err(|problem| Rejection::schema(path, problem))
    };
    let resolution = file.resolution.unwrap_or_default();
    let seconds = (length(resolution, "resolution")? - start).num_seconds();
    if seconds < 1 {
        return Err(Rejection::schema("resolution", "a slot lasts at least a second"));
    }
    let end = match (file.end, file.duration) {
        (Some(end), None) => end.utc(),
        (None, Some(duration)) => length(duration, "duration")?,
        _ => return Err(Rejection::schema("end", "give either `end` or `duration`")),
    };
    let slots = (end - start).num_seconds() / seconds;
    if slots < 1 {
        return Err(Rejection::schema("end", "there is no slot between start and end"));
    }
    let place = if file.end.is_some() { "end" } else { "duration" };
    let slots = few_enough(slots, seconds, place)?;
    Ok(Grid { start, seconds, slots, zone })
}

/// Refuses more slots than a schedule can sensibly have.
fn few_enough(slots: i64, seconds: i64, path: &str) -> Read<usize> {
    match usize::try_from(slots) {
        Ok(slots) if slots <= LARGEST_SCHEDULE => Ok(slots),
        _ => {
            let problem = format!(
                "{slots} slots of {seconds} s are more than a schedule has, at most \
                 {LARGEST_SCHEDULE}: end it sooner, or give a coarser `resolution`"
            );
            Err(Rejection::schema(path, problem))
        }
    }
}

/// Refuses more devices times slots than memory holds.
fn devices_fit(devices: usize, slots: usize) -> Read<()> {
    if devices.saturating_mul(slots) <= LARGEST_FLEET {
        return Ok(());
    }
    let problem = format!(
        "{devices} devices in {slots} slots are more than one problem holds, at most \
         {LARGEST_FLEET} device-slots: schedule devices that share no limit apart, or give a \
         coarser `resolution`"
    );
    Err(Rejection::schema("flex-model", problem))
}

/// A target after the end makes the schedule longer.
fn extend_to_targets(reader: &mut Reader<'_>, inventory: &Inventory<'_>) -> Read<()> {
    let mut last = reader.grid.last();
    for Placed { entry, path } in &inventory.devices {
        if let Some(targets) = &entry.soc_targets {
            // Only instants are looked at, so that the unit of bare numbers does not matter yet.
            let asked = reader.asked(targets, 1.0, &format!("{path}.soc-targets"))?;
            last = last
                .max(asked.last_end().map_or(0, |end| reader.grid.tick_from(end)).min(MOST_SLOTS));
        }
    }
    reader.grid.slots = last as usize;
    Ok(())
}

impl<'a> Inventory<'a> {
    fn sort(placed: &[Placed<'a>], single: bool) -> Read<Self> {
        let mut inventory = Self::default();
        let referenced: BTreeSet<String> = placed
            .iter()
            .filter_map(|placed| placed.entry.group.as_ref())
            .filter_map(group_key)
            .collect();
        let mut seen = BTreeSet::new();
        for &placed in placed {
            let Placed { entry, path } = placed;
            if !single {
                let Some(key) = own_key(entry) else {
                    return Err(Rejection::schema(
                        path,
                        "in a list every entry names its `sensor` or its `asset`",
                    ));
                };
                if !seen.insert(key.clone()) {
                    return Err(Rejection::schema(path, format!("{key} has an entry already")));
                }
                if referenced.contains(&key) {
                    inventory.groups.insert(key, placed);
                    continue;
                }
            }
            if entry.inflexible_consumption.is_some() || entry.inflexible_production.is_some() {
                inventory.fixed.push(placed);
                continue;
            }
            let name = entry.sensor.as_ref().or(entry.asset.as_ref()).map(|Id(name)| name.clone());
            inventory.names.push(name.unwrap_or_else(|| "battery".to_owned()));
            inventory.devices.push(placed);
        }
        if let Some(unknown) = referenced.iter().find(|key| !inventory.groups.contains_key(*key)) {
            return Err(Rejection::schema(
                "flex-model",
                format!("{unknown} is named as a group and has no entry"),
            ));
        }
        Ok(inventory)
    }

    /// The devices of a group, those of the groups in it included.
    fn members(&self, key: &str, fixed: &[Placed<'_>]) -> Read<Members> {
        // A chain of groups that is longer than there are groups goes round in a circle.
        let inside = |entry: &Entry| self.belongs(entry, key, self.groups.len() + 1);
        let mut members = Members::default();
        for (index, placed) in self.devices.iter().enumerate() {
            if inside(placed.entry)? {
                members.devices.push(index);
            }
        }
        for (index, placed) in fixed.iter().enumerate() {
            if inside(placed.entry)? {
                members.fixed.push(index);
            }
        }
        Ok(members)
    }

    fn belongs(&self, entry: &Entry, key: &str, depth: usize) -> Read<bool> {
        let Some(own) = entry.group.as_ref().and_then(group_key) else { return Ok(false) };
        if own == key {
            return Ok(true);
        }
        let group = self.groups.get(&own);
        match (group, depth) {
            (Some(placed), 0) => Err(Rejection::schema(placed.path, "the groups form a circle")),
            (Some(placed), _) => self.belongs(placed.entry, key, depth - 1),
            (None, _) => Ok(false),
        }
    }
}

fn own_key(entry: &Entry) -> Option<String> {
    key(entry.asset.as_ref(), entry.sensor.as_ref())
}

fn group_key(reference: &crate::file::GroupReference) -> Option<String> {
    key(reference.asset.as_ref(), reference.sensor.as_ref())
}

fn key(asset: Option<&Id>, sensor: Option<&Id>) -> Option<String> {
    match (asset, sensor) {
        (_, Some(Id(name))) => Some(format!("sensor:{name}")),
        (Some(Id(name)), None) => Some(format!("asset:{name}")),
        (None, None) => None,
    }
}
