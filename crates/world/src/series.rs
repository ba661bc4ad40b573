//! Time series from files, resampled to slots.

use crate::{
    data_file::EmpiricalFile,
    dialect::Report,
    input::SeriesRequest,
    ranges::{from_to, with_unit},
    table::{Files, Table, Wanted},
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use ron_places::{Problem, Spanned, suggest};
use std::{collections::BTreeMap, sync::Arc};
use voltide_model::{
    clock::Clock,
    physical::{Lies, Physical},
};

/// Rows of a file: values that hold from their instants on, equally spaced.
#[derive(Debug)]
struct Samples {
    /// Instants of the rows, seconds from the clock's start.
    starts: Vec<i64>,
    /// Seconds that each row holds.
    spacing: i64,
    values: Vec<f64>,
}

/// The values of a series, one a slot, in the unit that the request's factor leads to.
pub(crate) fn read_series(
    files: &mut Files,
    request: SeriesRequest<'_>,
    report: &mut Report,
) -> Option<Arc<[f64]>> {
    let file = request.file;
    let zone = time_zone(file.time_zone.as_ref(), report)?;
    let time = file.time.as_ref().map_or(("ts", file.place), |time| (time.as_str(), time.place));
    let time = Wanted { name: time.0, place: time.1, optional: false };
    let columns = file.column.0.iter();
    let columns =
        columns.map(|(name, _)| Wanted { name: name.as_str(), place: name.place, optional: false });
    let wanted: Vec<Wanted<'_>> = std::iter::once(time).chain(columns).collect();
    let table = files.table(&file.path, &wanted, report)?;
    let read = samples(&table, request, zone, report).and_then(|samples| {
        samples.covers(&table, request.clock, report)?;
        Ok(samples.resample(request.clock))
    });
    match read {
        Ok(values) => Some(values),
        Err(problem) => {
            report.push(*problem);
            None
        }
    }
}

/// The time zone that a field names, if any; `None` after a problem.
#[expect(clippy::option_option, reason = "the outer one says that a problem was reported")]
pub(crate) fn time_zone(name: Option<&Spanned<String>>, report: &mut Report) -> Option<Option<Tz>> {
    let Some(name) = name else { return Some(None) };
    if let Ok(zone) = name.parse::<Tz>() {
        return Some(Some(zone));
    }
    let known = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    let help = suggest(name, "time zone", known);
    report.add_help(
        name.place,
        format!("there is no time zone `{}`", name.value),
        "unknown time zone",
        help,
    );
    None
}

/// Boxed, since the way without one is the usual one.
type Found<T> = Result<T, Box<Problem>>;

fn samples(
    table: &Table,
    request: SeriesRequest<'_>,
    zone: Option<Tz>,
    report: &mut Report,
) -> Found<Samples> {
    let mut unusual = None;
    let mut starts = Vec::with_capacity(table.len());
    let mut values = Vec::with_capacity(table.len());
    let mut previous: Option<DateTime<Utc>> = None;
    for row in 0..table.len() {
        let fail = |message: String, label: &str| {
            let problem = table.problem(row, &message, label, report);
            Box::new(problem.help(format!("read as series `{}`", request.name)))
        };
        let instant =
            table.instant(0, row, zone, previous).map_err(|error| fail(error, "this timestamp"))?;
        let instant =
            instant.ok_or_else(|| fail("the timestamp is missing".to_owned(), "no timestamp"))?;
        if let Some(previous) = previous.filter(|previous| *previous >= instant) {
            let what =
                if previous == instant { "is given twice" } else { "comes after a later one" };
            return Err(fail(format!("{} {what}", shown(instant)), "out of order"));
        }
        previous = Some(instant);
        starts.push(request.clock.seconds_to(instant));
        let mut value = 0.0;
        for (column, (name, factor)) in (1..).zip(&request.file.column.0) {
            let cell = table.number(column, row).map_err(|error| fail(error, "this number"))?;
            let cell =
                cell.ok_or_else(|| fail(format!("`{}` is empty", name.value), "no value"))?;
            value += cell * factor;
        }
        // What is added at all times is added row by row, as ever: after the mean over a slot, sums
        // would round to other prices than those of runs that are there.
        value = value * request.factor + request.adder;
        if !value.is_finite() || (request.not_negative && value < 0.0) {
            let rule = if value < 0.0 { "negative" } else { "not finite" };
            return Err(fail(format!("`{}` is {rule} here", request.name), "this value"));
        }
        match request.range.lies(value) {
            Lies::Usual => {}
            // One warning a series: where a unit is wrong, every row is unusual.
            Lies::Unusual => unusual = unusual.or(Some((row, value))),
            Lies::Impossible => {
                let Physical { name, unit, possible, .. } = request.range;
                let found = with_unit(value, unit);
                let message =
                    format!("`{}` is {found} here, which cannot be reckoned with", request.name);
                let problem = table.problem(row, &message, "this value", report);
                return Err(Box::new(
                    problem.help(format!("{name}: from {}", from_to(*possible, unit))),
                ));
            }
        }
        values.push(value);
    }
    if let Some((row, value)) = unusual {
        let Physical { name, unit, usual, .. } = request.range;
        let message =
            format!("`{}` is {} here, which is not usual", request.name, with_unit(value, unit));
        let problem = table.problem(row, &message, "this value", report);
        let help = format!("{name}: usual is {}; is the unit right?", from_to(*usual, unit));
        report.warnings.push(problem.help(help).as_warning());
    }
    let spacing = spacing(&starts);
    let samples = Samples { starts, spacing, values };
    samples.evenly_spaced(table, request, report)?;
    Ok(samples)
}

fn shown(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// The most frequent distance between neighbours; the smaller of two.
fn spacing(starts: &[i64]) -> i64 {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for pair in starts.windows(2) {
        *counts.entry(pair[1] - pair[0]).or_default() += 1;
    }
    let most = counts.iter().max_by_key(|(spacing, count)| (**count, -**spacing));
    most.map_or(0, |(spacing, _)| *spacing)
}

impl Samples {
    fn evenly_spaced(
        &self,
        table: &Table,
        request: SeriesRequest<'_>,
        report: &Report,
    ) -> Found<()> {
        let odd = self.starts.windows(2).position(|pair| pair[1] - pair[0] != self.spacing);
        let Some(before) = odd else { return Ok(()) };
        let distance = self.starts[before + 1] - self.starts[before];
        let (what, label) = if distance > self.spacing {
            ("a gap before it", "rows are missing before this one")
        } else {
            ("too close to the row before", "comes too early")
        };
        let message = format!(
            "{what}: it comes {} after {}, but rows are {} apart",
            minutes(distance),
            table.row_name(before),
            minutes(self.spacing)
        );
        let problem = table.problem(before + 1, &message, label, report);
        Err(Box::new(
            problem.help(format!("read as series `{}`; rows must be equally spaced", request.name)),
        ))
    }

    /// Whether the rows cover the clock's run.
    fn covers(&self, table: &Table, clock: &Clock, report: &Report) -> Found<()> {
        let run = i64::from(clock.slots) * i64::from(clock.slot_seconds);
        let (Some(first), Some(last)) = (self.starts.first(), self.starts.last()) else {
            return Err(Box::new(table.file_problem("there is no row in it", report)));
        };
        let needs = format!("the run needs {} to {}", shown(clock.start), shown(clock.end()));
        let at = |seconds: i64| shown(clock.start + chrono::Duration::seconds(seconds));
        if *first > 0 {
            let problem = table.problem(
                0,
                &format!("the series begins too late, at {}", at(*first)),
                "the first row",
                report,
            );
            return Err(Box::new(problem.help(needs)));
        }
        if last + self.spacing < run {
            let message =
                format!("the series is too short, it ends at {}", at(last + self.spacing));
            let problem = table.problem(self.starts.len() - 1, &message, "the last row", report);
            return Err(Box::new(problem.help(needs)));
        }
        Ok(())
    }

    /// The mean over each slot, weighted by time; the value itself where one row covers the slot.
    fn resample(&self, clock: &Clock) -> Arc<[f64]> {
        let length = i64::from(clock.slot_seconds);
        let mut row = 0;
        let slot_mean = |slot: u32| {
            let (start, end) = (i64::from(slot) * length, i64::from(slot + 1) * length);
            // Rows were found to cover the run, so that there is one for every slot.
            while self.starts[row] + self.spacing <= start {
                row += 1;
            }
            // Weighted by time and divided again, even a single value would be rounded.
            if self.starts[row] + self.spacing >= end {
                return self.values[row];
            }
            let mut sum = 0.0;
            let rows = self.starts[row..].iter().zip(&self.values[row..]);
            for (&begins, &value) in rows.take_while(|(begins, _)| **begins < end) {
                let overlap = (begins + self.spacing).min(end) - begins.max(start);
                sum += value * overlap as f64;
            }
            sum / length as f64
        };
        (0..clock.slots).map(slot_mean).collect()
    }
}

fn minutes(seconds: i64) -> String {
    if seconds % 60 == 0 { format!("{} min", seconds / 60) } else { format!("{seconds} s") }
}

/// The values of an empirical distribution, in the unit that `factor` leads to.
pub(crate) fn read_samples(
    files: &mut Files,
    name: &str,
    file: &EmpiricalFile,
    factor: f64,
    report: &mut Report,
) -> Option<Arc<[f64]>> {
    let wanted = Wanted { name: &file.column, place: file.column.place, optional: false };
    let table = files.table(&file.path, &[wanted], report)?;
    let mut values = Vec::with_capacity(table.len());
    for row in 0..table.len() {
        match table
            .number(0, row)
            .and_then(|cell| cell.ok_or_else(|| "the cell is empty".to_owned()))
        {
            Ok(value) => values.push(value * factor),
            Err(message) => {
                let problem = table.problem(row, &message, "this value", report);
                report.push(problem.help(format!("read as `{name}`")));
                return None;
            }
        }
    }
    Some(values.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::UTC;

    fn clock() -> Clock {
        Clock::new("2024-01-01T00:00:00".parse().expect("valid"), UTC, 900, 1).expect("valid")
    }

    fn resampled(first: i64, spacing: i64, values: &[f64]) -> Vec<f64> {
        let starts = (0..).map(|row| first + row * spacing).take(values.len()).collect();
        let mut clock = clock();
        clock.slots = 4;
        Samples { starts, spacing, values: values.to_vec() }.resample(&clock).to_vec()
    }

    #[test]
    fn longer_rows_are_held_and_shorter_ones_averaged() {
        assert_eq!(resampled(0, 1800, &[1.0, 2.0]), [1.0, 1.0, 2.0, 2.0]);
        assert_eq!(
            resampled(0, 450, &[1.0, 3.0, 2.0, 4.0, 0.0, 0.0, 5.0, 6.0]),
            [2.0, 3.0, 0.0, 5.5]
        );
        assert_eq!(resampled(-900, 900, &[9.0, 1.0, 2.0, 3.0, 4.0, 9.0]), [1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn rows_that_straddle_slots_count_by_their_share() {
        assert_eq!(resampled(-600, 1200, &[3.0, 6.0, 9.0, 3.0]), [4.0, 6.0, 9.0, 5.0]);
    }

    #[test]
    fn the_most_frequent_distance_is_the_spacing() {
        assert_eq!(spacing(&[0, 30, 45, 60, 75]), 15);
        assert_eq!(spacing(&[7]), 0);
    }
}
