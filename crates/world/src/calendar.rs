//! Reservation calendars from CSV, Parquet and iCalendar files.

mod content;
mod ics;
mod recurrence;
mod time;

use crate::{
    data_file::CalendarFile,
    dialect::Report,
    table::{Files, Table, Wanted},
};
use chrono::{DateTime, TimeDelta, Utc};
use std::{ops::Range, sync::Arc};
use voltide_model::{clock::Clock, series::Series, wishes::SocWish};

/// Events that repeat are looked at from so long before a run until so long after it: stays reach
/// beyond its ends, and a reservation may lift a maximum long before.
const REPEATED_AROUND: TimeDelta = TimeDelta::days(31);

/// The columns of a calendar as series hold them, each with its unit. Cars are counted from 0 in
/// their fleet; -1 stands for all of them.
const COLUMNS: [(&str, &str); 4] = [("from", "s"), ("to", "s"), ("soc", "1"), ("car", "1")];

/// The reservations of a fleet as series, from which [`from_series`] makes them again.
pub(crate) fn to_series(name: &str, wishes: &[SocWish]) -> Vec<Series> {
    let value = |wish: &SocWish, column: &str| match column {
        "from" => wish.from as f64,
        "to" => wish.to as f64,
        "soc" => wish.soc,
        _ => wish.car.map_or(-1.0, f64::from),
    };
    let series = |(column, unit): (&str, &str)| Series {
        name: format!("{name}.{column}"),
        unit: unit.to_owned(),
        // Seconds and numbers of cars are far below 2^53, so that they come back as they were.
        values: wishes.iter().map(|wish| value(wish, column)).collect(),
    };
    COLUMNS.map(series).into()
}

/// The reservations that series hold; `series` gives the one of a column, in a unit.
pub(crate) fn from_series(
    mut series: impl FnMut(&str, &str) -> Option<Arc<[f64]>>,
) -> Option<Vec<SocWish>> {
    let column = |(column, unit)| series(column, unit);
    let columns: Vec<Arc<[f64]>> = COLUMNS.map(column).into_iter().collect::<Option<_>>()?;
    let row = |row: usize| {
        let [from, to, soc, car] = [0, 1, 2, 3].map(|column| columns[column].get(row).copied());
        let car = car?;
        Some(SocWish {
            from: from? as i64,
            to: to? as i64,
            soc: soc?,
            car: (car >= 0.0).then_some(car as u32),
        })
    };
    (0..columns[0].len()).map(row).collect()
}

/// Reads the file of a calendar.
pub(crate) fn read(
    files: &mut Files,
    file: &CalendarFile,
    clock: &Clock,
    report: &mut Report,
) -> Option<Vec<SocWish>> {
    if file.path.to_ascii_lowercase().ends_with(".ics") {
        return read_ics(files, file, clock, report);
    }
    let place = file.path.place;
    let wanted = ["from", "to", "soc", "car"].map(|name| Wanted {
        name,
        place,
        optional: name == "car" || (name == "soc" && file.soc.is_some()),
    });
    let table = files.table(&file.path, &wanted, report)?;
    let rows = (0..table.len())
        .map(|row| read_row(&table, row, file, clock).map_err(|message| (row, message)));
    match rows.collect::<Result<Vec<_>, _>>() {
        Ok(wishes) => Some(wishes),
        Err((row, message)) => {
            let problem = table.problem(row, &message, "this row", report);
            report.push(problem);
            None
        }
    }
}

fn read_row(
    table: &Table,
    row: usize,
    file: &CalendarFile,
    clock: &Clock,
) -> Result<SocWish, String> {
    let instant = |column: usize, name: &str| {
        let at = table.instant(column, row, Some(clock.zone), None)?;
        at.ok_or_else(|| format!("`{name}` is empty"))
    };
    let soc = table.number(2, row)?.or(file.soc.as_ref().map(|soc| soc.get()));
    let car = table
        .number(3, row)?
        .map(car_number)
        .transpose()?
        .or(file.car.as_ref().map(|car| car.value));
    let soc = soc.ok_or("`soc` is empty")?;
    let from = clock.seconds_to(instant(0, "from")?);
    checked(SocWish { from, to: clock.seconds_until(instant(1, "to")?), soc, car })
}

/// The number of a car, which counts from 0.
fn car_number(number: f64) -> Result<u32, String> {
    let whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    if whole {
        Ok(number as u32)
    } else {
        Err(format!("`car` is {number}, but cars are numbered from 0"))
    }
}

/// A reservation that makes sense.
pub(crate) fn checked(wish: SocWish) -> Result<SocWish, String> {
    if !(0.0..=1.0).contains(&wish.soc) {
        return Err(format!("a state of charge of {} is not between 0 and 1", wish.soc));
    }
    if wish.to < wish.from { Err("it ends before it begins".to_owned()) } else { Ok(wish) }
}

fn read_ics(
    files: &mut Files,
    file: &CalendarFile,
    clock: &Clock,
    report: &mut Report,
) -> Option<Vec<SocWish>> {
    let text = files.whole_text(&file.path, report)?;
    let car = file.car.as_ref().map(|car| car.value);
    let wishes = soc_of(file).and_then(|soc| {
        let taken = ics::taken(&text, clock.zone, &window(clock))?;
        let wish = |(from, to)| {
            checked(SocWish { from: clock.seconds_to(from), to: clock.seconds_until(to), soc, car })
        };
        taken.into_iter().map(wish).collect::<Result<Vec<_>, String>>()
    });
    match wishes {
        Ok(wishes) => Some(wishes),
        Err(problem) => {
            let message = format!("calendar `{}`: {problem}", file.path.value);
            report.add(file.path.place, message, "this file");
            None
        }
    }
}

/// When occurrences of events that repeat begin that cars of the run may look at.
fn window(clock: &Clock) -> Range<DateTime<Utc>> {
    clock.start.to_utc() - REPEATED_AROUND..clock.slot_start(clock.slots).to_utc() + REPEATED_AROUND
}

fn soc_of(file: &CalendarFile) -> Result<f64, String> {
    let soc = file.soc.as_ref().map(|soc| soc.get());
    soc.ok_or_else(|| "iCalendar tells no state of charge; give `soc`".to_owned())
}
