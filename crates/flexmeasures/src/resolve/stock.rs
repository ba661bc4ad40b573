//! What is asked of the stock: minima, maxima and targets, hard or at a price.

use super::{Placed, bounds::Bounds, site, validate};
use crate::{
    Mode,
    error::{Read, Rejection},
    file::{Context, Variable},
    problem::{Device, Paid, Problem, Subject, Term},
    project::Wishes,
    series::{Asked, Overlap, Reader, Unit},
};
use chrono::Duration;

/// Default price of breaching a bound of stored energy, per kWh.
const STOCK_BREACH: f64 = 1000.0;
/// A measured state of charge counts up to this many slots before or after the start. As far as
/// FlexMeasures looks.
const LOOK_AROUND: i32 = 4;

/// The stored energy that `state-of-charge` says there is at the start.
pub(super) fn measured(
    reader: &mut Reader<'_>,
    placed: Placed<'_>,
    bare: f64,
) -> Read<Option<f64>> {
    let path = format!("{}.state-of-charge", placed.path);
    let Some(variable) = &placed.entry.state_of_charge else { return Ok(None) };
    let (Asked::Stretches(stretches) | Asked::Sensor(stretches)) =
        reader.asked(variable, bare, &path)?
    else {
        return Err(Rejection::schema(path, "give a series; a fixed value is `soc-at-start`"));
    };
    let start = reader.grid.start;
    let holds = stretches.iter().filter(|stretch| stretch.start <= start && start < stretch.end);
    // Of several that hold then, the one that was measured last.
    if let Some(stretch) = holds.max_by_key(|stretch| stretch.start) {
        return Ok(Some(stretch.value));
    }
    let distance = |at: chrono::DateTime<chrono::Utc>| (start - at).abs();
    let near =
        stretches.iter().min_by_key(|stretch| distance(stretch.start).min(distance(stretch.end)));
    let radius = Duration::seconds(reader.grid.seconds) * LOOK_AROUND;
    let near = near.filter(|stretch| distance(stretch.start).min(distance(stretch.end)) <= radius);
    let Some(near) = near else {
        let problem =
            format!("no value is within {LOOK_AROUND} slots of the start; give `soc-at-start`");
        return Err(Rejection::schema(path, problem));
    };
    let measured = near.start.to_rfc3339();
    reader.notice(
        &path,
        format!("there is no value at the start; the one of {measured} is taken for it"),
    );
    Ok(Some(near.value))
}

/// Reads minima, maxima and targets, and notes them in the device as they were asked for.
pub(super) fn wishes(
    reader: &mut Reader<'_>,
    placed: Placed<'_>,
    bare: f64,
    device: &mut Device,
) -> Read<Wishes> {
    let Placed { entry, path } = placed;
    let mut read = |variable: &Option<Variable>, field: &str| {
        let path = format!("{path}.{field}");
        let asked =
            variable.as_ref().map(|variable| reader.asked(variable, bare, &path)).transpose()?;
        if field == "soc-minima" && asked.iter().flat_map(Asked::values).any(|value| value < 0.0) {
            return Err(Rejection::schema(path, "minima are not negative"));
        }
        if let (Some(Variable::Sensor(reference)), Some(asked)) = (variable, &asked) {
            reader.note_unasked(reference, asked, &path);
        }
        Ok(asked)
    };
    if let Some(Variable::Fixed(_)) = &entry.soc_targets {
        return Err(Rejection::schema(
            format!("{path}.soc-targets"),
            "targets are timed events, or a sensor",
        ));
    }
    let mut wishes = Wishes {
        minima: read(&entry.soc_minima, "soc-minima")?,
        maxima: read(&entry.soc_maxima, "soc-maxima")?,
        targets: read(&entry.soc_targets, "soc-targets")?,
        off_tick: false,
    };
    let grid = reader.grid;
    let at_ticks =
        |asked: &Option<Asked>, overlap| asked.as_ref().map(|asked| asked.at_ticks(&grid, overlap));
    device.minima = at_ticks(&wishes.minima, Overlap::Most);
    device.maxima = at_ticks(&wishes.maxima, Overlap::Least);
    device.targets = at_ticks(&wishes.targets, Overlap::First);
    // Noted before they are projected: what is missed is told of what was asked for.
    wishes.project(device, &grid);
    Ok(wishes)
}

/// Prices of breaching a wish: below minima and targets, above maxima and targets.
#[derive(Debug, Default)]
struct Prices {
    below: Option<Vec<f64>>,
    above: Option<Vec<f64>>,
}

impl Prices {
    fn read(reader: &mut Reader<'_>, context: &Context, off_tick: bool) -> Read<Self> {
        let default = site::relaxes_stock(context, off_tick).then_some(STOCK_BREACH);
        let mut price = |variable: &Option<Variable>, which: &str| {
            let path = format!("flex-context.soc-{which}-breach-price");
            site::breach_price(reader, variable.as_ref(), Unit::EnergyPrice, &path, default)
        };
        Ok(Self {
            below: price(&context.soc_minima_breach_price, "minima")?,
            above: price(&context.soc_maxima_breach_price, "maxima")?,
        })
    }
}

/// Adds the wishes of a device to the problem, as bounds or at their price.
pub(super) fn add_wishes(
    reader: &mut Reader<'_>,
    placed: Placed<'_>,
    index: usize,
    wishes: Wishes,
    context: &Context,
    mode: Mode,
    problem: &mut Problem,
) -> Read<()> {
    let grid = problem.grid;
    let prices = Prices::read(reader, context, wishes.off_tick)?;
    // Whoever has a wish has a level to start from, so that none is lost here.
    if problem.devices[index].soc_at_start.is_none() {
        return Ok(());
    }
    refuse_targets_outside(placed, &wishes, &prices, &problem.devices[index])?;
    // The best effort prices what it cannot keep like FlexMeasures does by default.
    let fallback = site::softens(mode).then(|| vec![STOCK_BREACH; grid.slots]);
    let below = prices.below.clone().or_else(|| fallback.clone());
    let above = prices.above.clone().or(fallback);
    let soft = |price: &Option<Vec<f64>>| price.clone().unwrap_or_else(|| vec![0.0; grid.slots]);
    let none = vec![0.0; grid.slots];
    let mut hard = Wishes::default();
    let mut add = |asked: &Option<Asked>, overlap, name, below: Vec<f64>, above: Vec<f64>| {
        if let Some(asked) = asked {
            add_soft(&asked.at_ticks(&grid, overlap), name, index, mode, &below, &above, problem);
        }
    };
    match below {
        Some(_) => add(&wishes.minima, Overlap::Most, "soc minima", soft(&below), none.clone()),
        None => hard.minima.clone_from(&wishes.minima),
    }
    match above {
        Some(_) => add(&wishes.maxima, Overlap::Least, "soc maxima", none, soft(&above)),
        None => hard.maxima.clone_from(&wishes.maxima),
    }
    // A target is missed to either side, and so is soft only where both have a price.
    if below.is_some() && above.is_some() {
        add(&wishes.targets, Overlap::First, "soc targets", soft(&below), soft(&above));
    } else {
        hard.targets.clone_from(&wishes.targets);
    }
    let asked = Bounds::of(&problem.devices[index], &hard, &grid);
    if mode == Mode::FlexMeasures {
        validate::check(&problem.devices[index], &asked, &grid, placed.path)?;
    }
    asked.set(&mut problem.devices[index]);
    Ok(())
}

/// A hard target outside the static range is a mistake, whatever the mode.
fn refuse_targets_outside(
    placed: Placed<'_>,
    wishes: &Wishes,
    prices: &Prices,
    device: &Device,
) -> Read<()> {
    if prices.below.is_some() && prices.above.is_some() {
        return Ok(());
    }
    let (least, most) = device.static_range;
    let (least, most) = (least.unwrap_or(f64::NEG_INFINITY), most.unwrap_or(f64::INFINITY));
    let outside =
        wishes.targets.iter().flat_map(Asked::values).find(|&value| value < least || value > most);
    outside.map_or(Ok(()), |value| {
        let problem = format!(
            "a target of {value} kWh is outside soc-min to soc-max, {least} to {most} kWh; \
             widen the range, or relax with `relax-soc-constraints`"
        );
        Err(Rejection::prepare(format!("{}.soc-targets", placed.path), problem))
    })
}

/// Adds what breaches of a wish cost.
///
/// FlexMeasures means the price of the largest breach, and the price times hours for every one; its
/// version 1.0.1 computes both on a stock that is scaled by slots per hour.
fn add_soft(
    levels: &[Option<f64>],
    name: &str,
    index: usize,
    mode: Mode,
    below: &[f64],
    above: &[f64],
    problem: &mut Problem,
) {
    let hours = problem.grid.hours();
    let scale = if mode == Mode::FlexMeasures { 1.0 / hours } else { 1.0 };
    for (paid, prefix, factor) in
        [(Paid::Largest, "any", scale), (Paid::Each, "all", scale * hours)]
    {
        problem.terms.push(Term {
            name: format!("{prefix} {name}"),
            subject: Subject::Stock(index),
            paid,
            baseline: levels.to_vec(),
            up: above.iter().map(|price| price * factor).collect(),
            down: below.iter().map(|price| -price * factor).collect(),
        });
    }
}
