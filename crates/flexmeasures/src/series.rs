//! Quantities that change with time, as one value a slot or one value a tick.
//!
//! An event of power, price or efficiency holds in the slots that lie in it; an event of stored
//! energy holds at all ticks from its start to its end, both included. Before and after the first
//! and last price, that price goes on.

use crate::{
    amount::Amount,
    error::{Read, Rejection},
    file::{Event, Id, SensorReference, Series, Variable},
    time::Grid,
};
use chrono::{DateTime, Duration, Utc};
use std::{collections::BTreeMap, fmt};

/// The largest power, energy or price: sums of products of them are far from the end of numbers.
const LARGEST: f64 = 1e30;

/// What a quantity measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Unit {
    /// kW.
    Power,
    /// kWh; bare numbers are given in units of this many kWh.
    Energy(f64),
    /// A share or a coefficient.
    Ratio,
    /// Money per kWh.
    EnergyPrice,
    /// Money per kW.
    PowerPrice,
}

/// Which value holds where events overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overlap {
    First,
    Last,
    Least,
    Most,
}

impl Overlap {
    fn put(self, cell: &mut Option<f64>, value: f64) {
        let before = *cell;
        *cell = Some(match (self, before) {
            (_, None) | (Self::Last, _) => value,
            (Self::First, Some(before)) => before,
            (Self::Least, Some(before)) => before.min(value),
            (Self::Most, Some(before)) => before.max(value),
        });
    }
}

/// A value from one instant to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stretch {
    pub(crate) start: DateTime<Utc>,
    pub(crate) end: DateTime<Utc>,
    pub(crate) value: f64,
}

/// Something that the file does not say, and what is taken for it; or how far the answer may be
/// from the optimum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Where in the JSON, as in `flex-context.consumption-price`; empty where it is about all of
    /// it.
    pub path: String,
    /// What is missing, what is taken instead, and how to say it, in lower case.
    pub text: String,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.text),
            path => write!(f, "{path}: {}", self.text),
        }
    }
}

/// Stored energy that is asked for: throughout, or by stretches.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Asked {
    /// At every tick.
    Always(f64),
    /// From and to given instants.
    Stretches(Vec<Stretch>),
    /// By a sensor; its values are never projected.
    Sensor(Vec<Stretch>),
}

/// What resolving needs: the slots, the named series, and the one currency of all prices.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) grid: Grid,
    pub(crate) sensors: &'a BTreeMap<String, Series>,
    pub(crate) currency: Option<(String, String)>,
    /// What was taken for something that is missing.
    pub(crate) notices: Vec<Notice>,
}

/// Refuses what sums and products may overflow with.
pub(crate) fn in_range(value: f64, written: &impl fmt::Display, path: &str) -> Read<f64> {
    if value.abs() <= LARGEST {
        return Ok(value);
    }
    let problem = format!(
        "`{written}` is beyond what costs can be computed with, {LARGEST:e} kW, kWh, or money per \
         kW or kWh; leave out a limit that is none"
    );
    Err(Rejection::schema(path, problem))
}

impl Reader<'_> {
    /// A quantity in the unit that `unit` stands for.
    pub(crate) fn amount(&mut self, amount: &Amount, unit: Unit, path: &str) -> Read<f64> {
        let fail = |problem| Rejection::schema(path, problem);
        let value = match unit {
            Unit::Power => amount.kilowatts().map_err(fail),
            Unit::Energy(bare) => amount.kilowatt_hours(bare).map_err(fail),
            Unit::Ratio => amount.ratio().map_err(fail),
            Unit::EnergyPrice => {
                amount.price().map_err(fail).and_then(|price| self.in_one_currency(price, path))
            }
            Unit::PowerPrice => amount
                .power_price()
                .map_err(fail)
                .and_then(|price| self.in_one_currency(price, path)),
        }?;
        in_range(value, amount, path)
    }

    fn in_one_currency(&mut self, (value, currency): (f64, String), path: &str) -> Read<f64> {
        let (first, place) =
            self.currency.get_or_insert_with(|| (currency.clone(), path.to_owned()));
        if *first == currency {
            return Ok(value);
        }
        let problem =
            format!("prices are in one currency: this is {currency}, but {place} is {first}");
        Err(Rejection::schema(path, problem))
    }

    /// A series of the file by its name.
    pub(crate) fn series(&self, Id(name): &Id, path: &str) -> Read<&Series> {
        self.sensors.get(name).ok_or_else(|| {
            Rejection::schema(path, format!("there is no series for sensor `{name}`"))
        })
    }

    /// The stretches that events or a series stand for; `None` for a fixed quantity.
    fn stretches(
        &mut self,
        variable: &Variable,
        unit: Unit,
        path: &str,
    ) -> Read<Option<Vec<Stretch>>> {
        match variable {
            Variable::Fixed(_) => Ok(None),
            Variable::Events(events) => {
                let each = events.iter().enumerate();
                let read =
                    each.map(|(index, event)| self.event(event, unit, &format!("{path}[{index}]")));
                read.collect::<Read<_>>().map(Some)
            }
            Variable::Sensor(reference) => self.sampled(reference, unit, path).map(Some),
        }
    }

    fn event(&mut self, event: &Event, unit: Unit, path: &str) -> Read<Stretch> {
        let value = self.amount(&event.value, unit, &format!("{path}.value"))?;
        let (start, end) =
            self.window(event).map_err(|problem| Rejection::schema(path, problem))?;
        if end < start {
            return Err(Rejection::schema(path, "the event ends before it starts"));
        }
        Ok(Stretch { start, end, value })
    }

    fn window(&self, event: &Event) -> Result<(DateTime<Utc>, DateTime<Utc>), String> {
        let zone = self.grid.zone;
        let (start, end) =
            (event.start.map(crate::time::Aware::utc), event.end.map(crate::time::Aware::utc));
        match (event.datetime, start, end, event.duration) {
            (Some(at), None, None, None) => Ok((at.utc(), at.utc())),
            (None, Some(start), Some(end), None) => Ok((start, end)),
            (None, Some(start), None, Some(duration)) => {
                Ok((start, duration.from(start, zone, false)?))
            }
            (None, None, Some(end), Some(duration)) => Ok((duration.from(end, zone, true)?, end)),
            (Some(_), ..) => {
                Err("beside `datetime` no `start`, `end` or `duration` is expected".to_owned())
            }
            (None, _, _, Some(_)) => {
                Err("beside `duration` either `start` or `end` is expected, and not both"
                    .to_owned())
            }
            _ => Err("give `datetime`, or two of `start`, `end` and `duration`".to_owned()),
        }
    }

    fn sampled(
        &mut self,
        reference: &SensorReference,
        unit: Unit,
        path: &str,
    ) -> Read<Vec<Stretch>> {
        let series = self.series(&reference.sensor, path)?.clone();
        let place = format!("sensors.{}", reference.sensor.0);
        let seconds =
            series.resolution.exact_seconds().filter(|&seconds| seconds > 0).ok_or_else(|| {
                let problem =
                    "a series has a resolution of at least a second, in hours, minutes or seconds";
                Rejection::schema(format!("{place}.resolution"), problem)
            })?;
        let factor = self.factor(&series.unit, unit, seconds, &format!("{place}.unit"))?;
        let fallback = reference
            .default
            .as_ref()
            .map(|default| self.amount(default, unit, &format!("{path}.default")));
        let fallback = fallback.transpose()?;
        // A step that no duration holds leads out of the calendar below, where the value is named.
        let step = Duration::try_seconds(seconds).unwrap_or(Duration::MAX);
        let mut start = series.start.utc();
        let mut found = Vec::with_capacity(series.values.len());
        for (index, value) in series.values.iter().enumerate() {
            let path = format!("{place}.values[{index}]");
            let end = start.checked_add_signed(step).ok_or_else(|| {
                let problem =
                    "this value lies outside of the calendar; shorten the series or its resolution";
                Rejection::schema(&path, problem)
            })?;
            let value = value.map(|value| in_range(value * factor, &value, &path)).transpose()?;
            found.extend(value.or(fallback).map(|value| Stretch { start, end, value }));
            start = end;
        }
        Ok(found)
    }

    /// What one of a series' unit is in the unit that `unit` stands for. Energy a step of the
    /// series is power, as in FlexMeasures: meters count so.
    fn factor(&mut self, name: &str, unit: Unit, seconds: i64, path: &str) -> Read<f64> {
        let one = Amount::Text(format!("1 {name}"));
        match (unit, one.kilowatt_hours(1.0)) {
            (Unit::Power, Ok(energy)) => Ok(energy * 3600.0 / seconds as f64),
            _ => self.amount(&one, unit, path),
        }
    }

    /// One value a slot, with a notice where a series lacks some; `taken` says what holds then.
    pub(crate) fn noted(
        &mut self,
        variable: &Variable,
        unit: Unit,
        overlap: Overlap,
        path: &str,
        taken: &str,
    ) -> Read<Vec<Option<f64>>> {
        let cells = self.per_slot(variable, unit, overlap, path)?;
        let (Variable::Sensor(reference), Some(first)) =
            (variable, cells.iter().position(Option::is_none))
        else {
            return Ok(cells);
        };
        let missing = cells.iter().filter(|cell| cell.is_none()).count();
        let text = format!(
            "sensor `{}` has no value for {missing} of {} slots, the first at {}; {taken}",
            reference.sensor.0,
            cells.len(),
            self.grid.tick(first).to_rfc3339(),
        );
        self.notice(path, text);
        Ok(cells)
    }

    /// Notes the ticks for which a sensor of stored energy asks nothing.
    pub(crate) fn note_unasked(&mut self, reference: &SensorReference, asked: &Asked, path: &str) {
        // Which value holds does not matter, only whether one does.
        let cells = asked.at_ticks(&self.grid, Overlap::First);
        let Some(first) = cells.iter().position(Option::is_none) else { return };
        let missing = cells.iter().filter(|cell| cell.is_none()).count();
        let text = format!(
            "sensor `{}` has no value for {missing} of {} ticks, the first at {}; nothing is asked \
             for there",
            reference.sensor.0,
            cells.len(),
            // A cell is for the tick at the end of its slot.
            self.grid.tick(first + 1).to_rfc3339(),
        );
        self.notice(path, text);
    }

    /// Notes something, once.
    pub(crate) fn notice(&mut self, path: &str, text: String) {
        // Some fields are read more than once, such as the site's capacity, once a device.
        let notice = Notice { path: path.to_owned(), text };
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// One value a slot; `None` where nothing is said about all of it.
    pub(crate) fn per_slot(
        &mut self,
        variable: &Variable,
        unit: Unit,
        overlap: Overlap,
        path: &str,
    ) -> Read<Vec<Option<f64>>> {
        let slots = self.grid.slots;
        if let Variable::Fixed(amount) = variable {
            return Ok(vec![Some(self.amount(amount, unit, path)?); slots]);
        }
        let stretches = self.stretches(variable, unit, path)?.unwrap_or_default();
        let mut cells = vec![None; slots];
        for stretch in &stretches {
            let first = self.grid.tick_from(stretch.start).max(0);
            for j in first..self.grid.tick_until(stretch.end).min(self.grid.last()) {
                // Only slots that lie in it as a whole: what holds in the rest of another nobody
                // says.
                overlap.put(&mut cells[j as usize], stretch.value);
            }
        }
        if let Variable::Sensor(reference) = variable {
            self.average(&stretches, &mut cells);
            if let Some(default) = &reference.default {
                let default = self.amount(default, unit, &format!("{path}.default"))?;
                for cell in &mut cells {
                    *cell = cell.or(Some(default));
                }
            }
        }
        Ok(cells)
    }

    /// The mean of a series that is finer than the slots, where it covers a slot.
    fn average(&self, stretches: &[Stretch], cells: &mut [Option<f64>]) {
        for (j, cell) in cells.iter_mut().enumerate().filter(|(_, cell)| cell.is_none()) {
            let (start, end) = (self.grid.tick(j), self.grid.tick(j + 1));
            let mut sum = 0.0;
            let mut seconds = 0;
            // Values of a series follow each other without overlap, so that both ends are in order.
            let first = stretches.partition_point(|stretch| stretch.end <= start);
            for stretch in stretches[first..].iter().take_while(|stretch| stretch.start < end) {
                let overlap = (stretch.end.min(end) - stretch.start.max(start)).num_seconds();
                sum += stretch.value * overlap as f64;
                seconds += overlap;
            }
            // A mean over the known part of a slot would be a guess about all of it.
            if seconds == self.grid.seconds {
                *cell = Some(sum / seconds as f64);
            }
        }
    }

    /// Prices of all slots.
    pub(crate) fn prices(&mut self, variable: &Variable, unit: Unit, path: &str) -> Read<Vec<f64>> {
        let cells = self.per_slot(variable, unit, Overlap::First, path)?;
        let known = |cell: &Option<f64>| cell.is_some();
        let (Some(first), Some(last)) =
            (cells.iter().position(known), cells.iter().rposition(known))
        else {
            return Err(Rejection::schema(path, "there is no value between start and end"));
        };
        self.note_ends(first, last, path);
        let filled = (0..cells.len()).map(|j| {
            cells[j.clamp(first, last)].ok_or_else(|| {
                let at = self.grid.tick(j).to_rfc3339();
                Rejection::schema(
                    path,
                    format!("there is a gap: no value holds for all of the slot at {at}"),
                )
            })
        });
        filled.collect()
    }

    /// Notes where values begin after the start, or end before the end.
    fn note_ends(&mut self, first: usize, last: usize, path: &str) {
        let grid = self.grid;
        let slots = self.grid.slots;
        if first > 0 {
            let begins = grid.tick(first).to_rfc3339();
            let start = grid.tick(0).to_rfc3339();
            let text = format!(
                "values begin at {begins}, and the schedule at {start}: the first one holds from \
                 the start"
            );
            self.notice(path, text);
        }
        if last + 1 < slots {
            let ends = grid.tick(last + 1).to_rfc3339();
            let end = grid.tick(slots).to_rfc3339();
            let text = format!(
                "values end at {ends}, and the schedule at {end}: the last one is held to the end"
            );
            self.notice(path, text);
        }
    }

    /// Stored energy that is asked for.
    pub(crate) fn asked(&mut self, variable: &Variable, bare: f64, path: &str) -> Read<Asked> {
        let unit = Unit::Energy(bare);
        match variable {
            Variable::Fixed(amount) => self.amount(amount, unit, path).map(Asked::Always),
            Variable::Events(_) => self
                .stretches(variable, unit, path)
                .map(|found| Asked::Stretches(found.unwrap_or_default())),
            Variable::Sensor(_) => self
                .stretches(variable, unit, path)
                .map(|found| Asked::Sensor(found.unwrap_or_default())),
        }
    }
}

impl Asked {
    /// One value a slot, for the tick at its end.
    pub(crate) fn at_ticks(&self, grid: &Grid, overlap: Overlap) -> Vec<Option<f64>> {
        let (Self::Stretches(stretches) | Self::Sensor(stretches)) = self else {
            let Self::Always(value) = self else { return Vec::new() };
            return vec![Some(*value); grid.slots];
        };
        let mut cells = vec![None; grid.slots];
        for stretch in stretches {
            let last = grid.tick_until(stretch.end).min(grid.last());
            // What is stored at the start cannot be helped: what is asked for then is left out, as
            // in FlexMeasures.
            for tick in grid.tick_from(stretch.start).max(1)..=last {
                overlap.put(&mut cells[tick as usize - 1], stretch.value);
            }
        }
        cells
    }

    /// Every value, for checks.
    pub(crate) fn values(&self) -> impl Iterator<Item = f64> + '_ {
        let (always, stretches): (Option<f64>, &[Stretch]) = match self {
            Self::Always(value) => (Some(*value), &[]),
            Self::Stretches(stretches) | Self::Sensor(stretches) => (None, stretches),
        };
        always.into_iter().chain(stretches.iter().map(|stretch| stretch.value))
    }

    /// The last instant that anything is asked for.
    pub(crate) fn last_end(&self) -> Option<DateTime<Utc>> {
        let Self::Stretches(stretches) = self else { return None };
        stretches.iter().map(|stretch| stretch.end).max()
    }
}
