//! Storage devices: power, efficiencies, what flows by itself, and what they cost.

use super::{Inventory, Placed, capacity, missing::has_stock, site, stock};
use crate::{
    Mode,
    amount::Amount,
    error::{Read, Rejection},
    file::{Context, OperationMode, Variable},
    problem::{Device, Members, Paid, Problem, Subject, Term},
    project::Wishes,
    series::{Overlap, Reader, Unit, in_range},
};

/// Default price of breaching a device's capacity, per kW.
const CAPACITY_BREACH: f64 = 100.0;
/// Below this an efficiency is a mistake, and its inverse the end of precision.
const LEAST_EFFICIENCY: f64 = 1e-9;
/// Share of the price spread that preferring a full storage may cost.
const PREFERENCE: f64 = 1e-4;

/// Adds all devices, and everything that they and their site cost.
pub(super) fn add_devices(
    reader: &mut Reader<'_>,
    inventory: &Inventory<'_>,
    context: &Context,
    mode: Mode,
    energy: &site::Energy,
    problem: &mut Problem,
) -> Read<()> {
    let mut wishes = Vec::new();
    for (index, &placed) in inventory.devices.iter().enumerate() {
        let (device, asked) = device(reader, placed, context, inventory.names[index].clone())?;
        problem.devices.push(device);
        wishes.push(asked);
    }
    // The members of the site are the devices that there are by then, so that all of them come
    // first.
    site::add_site(reader, inventory, context, energy, problem)?;
    for (index, placed) in inventory.devices.iter().enumerate() {
        prefer_full(placed, index, energy, problem);
    }
    for (index, (&placed, asked)) in inventory.devices.iter().zip(wishes).enumerate() {
        soften_capacities(reader, placed, index, context, problem)?;
        stock::add_wishes(reader, placed, index, asked, context, mode, problem)?;
    }
    Ok(())
}

fn device(
    reader: &mut Reader<'_>,
    placed: Placed<'_>,
    context: &Context,
    name: String,
) -> Read<(Device, Wishes)> {
    let Placed { entry, path } = placed;
    let bare = bare_unit(entry.soc_unit.as_deref(), path)?;
    let slots = reader.grid.slots;
    let mut energy = |amount: Option<&Amount>, field: &str| {
        amount
            .map(|amount| reader.amount(amount, Unit::Energy(bare), &format!("{path}.{field}")))
            .transpose()
    };
    let (least, most) =
        (energy(entry.soc_min.as_ref(), "soc-min")?, energy(entry.soc_max.as_ref(), "soc-max")?);
    let given = energy(entry.soc_at_start.as_ref(), "soc-at-start")?;
    if least.is_some_and(|least| least < 0.0) {
        return Err(Rejection::schema(format!("{path}.soc-min"), "it is not negative"));
    }
    if let (Some(least), Some(most)) = (least, most)
        && least > most
    {
        let problem = format!("{least} kWh is above `soc-max`, {most} kWh");
        return Err(Rejection::prepare(format!("{path}.soc-min"), problem));
    }
    let measured = stock::measured(reader, placed, bare)?;
    // An empty battery is FlexMeasures' default; the best effort refuses such a file beforehand.
    let soc_at_start = given.or(measured).or(has_stock(entry).then_some(0.0));
    let capacities = capacity::limits(reader, placed, context)?;
    let (charge_efficiency, discharge_efficiency) = efficiencies(reader, placed)?;
    let mut device = Device {
        name,
        soc_at_start,
        static_range: (least, most),
        charge_max: capacities.charge,
        discharge_max: capacities.discharge,
        charge_efficiency,
        discharge_efficiency,
        storage_efficiency: storage_efficiency(reader, placed)?,
        drift: drift(reader, placed)?,
        floor: vec![f64::NEG_INFINITY; slots],
        ceiling: vec![f64::INFINITY; slots],
        bands: bands(reader, entry.operation_modes.as_deref().unwrap_or_default(), path)?,
        minima: None,
        maxima: None,
        targets: None,
    };
    let wishes = stock::wishes(reader, placed, bare, &mut device)?;
    Ok((device, wishes))
}

/// kWh that a bare number stands for.
fn bare_unit(unit: Option<&str>, path: &str) -> Read<f64> {
    match unit {
        None | Some("kWh") => Ok(1.0),
        Some("MWh") => Ok(1000.0),
        Some(other) => Err(Rejection::schema(
            format!("{path}.soc-unit"),
            format!("`{other}` is neither kWh nor MWh"),
        )),
    }
}

fn efficiencies(reader: &mut Reader<'_>, placed: Placed<'_>) -> Read<(Vec<f64>, Vec<f64>)> {
    let Placed { entry, path } = placed;
    let sides = (&entry.charging_efficiency, &entry.discharging_efficiency);
    if let Some(roundtrip) = &entry.roundtrip_efficiency {
        let path = format!("{path}.roundtrip-efficiency");
        if sides.0.is_some() || sides.1.is_some() {
            let problem = "`roundtrip-efficiency` and charging or discharging efficiencies are \
                           mutually exclusive";
            return Err(Rejection::schema(path, problem));
        }
        let ratio = reader.amount(roundtrip, Unit::Ratio, &path)?;
        if !(LEAST_EFFICIENCY..=1.0).contains(&ratio) {
            return Err(Rejection::schema(
                path,
                "it must be greater than 0 % (1e-7 %) and at most 100 %",
            ));
        }
        // Half of the losses to each side, as in FlexMeasures.
        let each = vec![ratio.sqrt(); reader.grid.slots];
        return Ok((each.clone(), each));
    }
    let mut side = |variable: &Option<Variable>, field: &str| {
        let path = format!("{path}.{field}");
        let ratios = ratios(reader, variable.as_ref(), &path)?;
        if ratios.iter().any(|&ratio| ratio < LEAST_EFFICIENCY) {
            return Err(Rejection::schema(path, "it must be greater than 0 % (1e-7 %)"));
        }
        Ok(ratios)
    };
    Ok((side(sides.0, "charging-efficiency")?, side(sides.1, "discharging-efficiency")?))
}

/// Ratios by slot, 1 where nothing is said.
fn ratios(reader: &mut Reader<'_>, variable: Option<&Variable>, path: &str) -> Read<Vec<f64>> {
    let Some(variable) = variable else { return Ok(vec![1.0; reader.grid.slots]) };
    let cells =
        reader.noted(variable, Unit::Ratio, Overlap::First, path, "100 % is taken there")?;
    Ok(cells.into_iter().map(|cell| cell.unwrap_or(1.0)).collect())
}

/// What storage keeps over a slot. A fixed value is per slot; that of a series is per its own
/// resolution.
fn storage_efficiency(reader: &mut Reader<'_>, placed: Placed<'_>) -> Read<Vec<f64>> {
    let path = format!("{}.storage-efficiency", placed.path);
    let variable = placed.entry.storage_efficiency.as_ref();
    let mut kept = ratios(reader, variable, &path)?;
    if kept.iter().any(|kept| !(LEAST_EFFICIENCY..=1.0).contains(kept)) {
        return Err(Rejection::schema(
            path,
            "it must be greater than 0 % (1e-7 %) and at most 100 %",
        ));
    }
    if let Some(Variable::Sensor(reference)) = variable {
        let resolution = reader.series(&reference.sensor, &path)?.resolution.exact_seconds();
        let exponent =
            reader.grid.seconds as f64 / resolution.unwrap_or(reader.grid.seconds).max(1) as f64;
        for kept in &mut kept {
            *kept = libm::pow(*kept, exponent);
        }
    }
    Ok(kept)
}

/// Energy that flows into the stock by itself, kWh a slot.
fn drift(reader: &mut Reader<'_>, placed: Placed<'_>) -> Read<Vec<f64>> {
    let mut drift = vec![0.0; reader.grid.slots];
    let hours = reader.grid.hours();
    for (list, field, sign) in
        [(&placed.entry.soc_gain, "soc-gain", 1.0), (&placed.entry.soc_usage, "soc-usage", -1.0)]
    {
        let path = format!("{}.{field}", placed.path);
        if list.as_ref().is_some_and(Vec::is_empty) {
            return Err(Rejection::schema(path, "the list is empty; leave the field out"));
        }
        for (index, variable) in list.iter().flatten().enumerate() {
            let path = format!("{path}[{index}]");
            let cells = reader.noted(
                variable,
                Unit::Power,
                Overlap::First,
                &path,
                "0 kW is taken there",
            )?;
            drift
                .iter_mut()
                .zip(cells)
                .for_each(|(drift, cell)| *drift += sign * hours * cell.unwrap_or(0.0));
        }
    }
    Ok(drift)
}

/// The bands of power of operation modes, kW. A bare number is in MW, as in FlexMeasures.
fn bands(reader: &mut Reader<'_>, modes: &[OperationMode], path: &str) -> Read<Vec<(f64, f64)>> {
    let mut range = |ends: &[Amount; 2], path: &str| {
        let mut end = |amount: &Amount| match amount {
            Amount::Number(megawatts) => in_range(megawatts * 1000.0, megawatts, path),
            Amount::Text(_) => reader.amount(amount, Unit::Power, path),
        };
        let (low, high) = (end(&ends[0])?, end(&ends[1])?);
        if low < 0.0 || low > high {
            return Err(Rejection::schema(
                path,
                "a range goes from a least to a most power, neither negative",
            ));
        }
        Ok((low, high))
    };
    let mut bands = Vec::new();
    for (index, mode) in modes.iter().enumerate() {
        let path = format!("{path}.operation-modes[{index}]");
        let consumption = mode
            .consumption_range
            .as_ref()
            .map(|ends| range(ends, &format!("{path}.consumption-range")));
        let production = mode
            .production_range
            .as_ref()
            .map(|ends| range(ends, &format!("{path}.production-range")));
        bands.push(match (consumption.transpose()?, production.transpose()?) {
            (Some((low, high)), None) => (low, high),
            (None, Some((low, high))) => (-high, -low),
            // Ranges that both begin at 0 are one band through it; others are two, which no mode
            // is.
            (Some((low, high)), Some((least, most))) if low.max(least) < f64::EPSILON => {
                (-most, high)
            }
            (Some(_), Some(_)) => {
                return Err(Rejection::schema(path, "two ranges in one mode both start at 0"));
            }
            (None, None) => {
                return Err(Rejection::schema(
                    path,
                    "a mode has a consumption or a production range",
                ));
            }
        });
    }
    Ok(bands)
}

/// A tiny price of not being full, larger sooner than later: among schedules of one cost, the one
/// that charges sooner and discharges later.
fn prefer_full(placed: &Placed<'_>, index: usize, energy: &site::Energy, problem: &mut Problem) {
    let device = &problem.devices[index];
    let (Some(most), Some(_)) = (device.static_range.1, device.soc_at_start) else { return };
    if !placed.entry.prefer_charging_sooner.unwrap_or(true) {
        return;
    }
    let slots = problem.grid.slots;
    let (least, dearest) =
        energy.buy.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &price| {
            (low.min(price), high.max(price))
        });
    // FlexMeasures counts in MWh, so that without a spread the price is 1e-4 per MWh.
    let spread = if dearest > least { dearest - least } else { 1e-3 };
    // It counts what is stored in MWh/h: hence the hours.
    let steepest = spread * PREFERENCE / slots as f64 / problem.grid.hours();
    let falls = placed.entry.prefer_curtailing_later.unwrap_or(true);
    // Of one slot alone the slope would be 0/0.
    let last = (slots.max(2) - 1) as f64;
    let down =
        (0..slots).map(|j| if falls { -steepest * (1.0 - j as f64 / last) } else { -steepest });
    problem.terms.push(Term {
        name: format!("prefer a full storage {index} sooner"),
        subject: Subject::Stock(index),
        paid: Paid::Each,
        baseline: vec![Some(most); slots],
        up: vec![0.0; slots],
        down: down.collect(),
    });
}

/// Makes directional capacities soft where a breach has a price; a capacity of 0 stays hard.
fn soften_capacities(
    reader: &mut Reader<'_>,
    placed: Placed<'_>,
    index: usize,
    context: &Context,
    problem: &mut Problem,
) -> Read<()> {
    let prices = [&context.consumption_breach_price, &context.production_breach_price];
    let relaxed = context.relax_capacity_constraints.unwrap_or(false) && !site::is_old(context);
    let default =
        (relaxed && prices.iter().all(|price| price.is_none())).then_some(CAPACITY_BREACH);
    let power = capacity::limits(reader, placed, context)?.power;
    let given =
        [placed.entry.consumption_capacity.is_some(), placed.entry.production_capacity.is_some()];
    for (side, which) in [(1, "production"), (0, "consumption")] {
        let path = format!("flex-context.{which}-breach-price");
        let price =
            site::breach_price(reader, prices[side].as_ref(), Unit::PowerPrice, &path, default)?;
        let device = &mut problem.devices[index];
        let limit = if side == 0 { &mut device.charge_max } else { &mut device.discharge_max };
        let Some(price) = price.filter(|_| given[side] && limit.iter().any(|&limit| limit > 0.0))
        else {
            continue;
        };
        // The power capacity is hard, also where a directional one has a price.
        let limit = std::mem::replace(limit, power.clone());
        let consumes = side == 0;
        let device = format!(" device {index}");
        let subject = Subject::Flow(Members { devices: vec![index], fixed: Vec::new() });
        site::Breach { what: "", which, device: &device, consumes, limit: &limit, price: &price }
            .add(subject, problem);
    }
    Ok(())
}
