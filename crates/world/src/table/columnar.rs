//! Parquet files: columns of every type that a value, a name or an instant is written in.
//!
//! What pandas, Polars, DuckDB and Spark write is read: any codec, dictionaries, whole numbers of
//! all widths, decimals, dates, and timestamps of all units. A file that is damaged is an error:
//! pages are looked at before they are unpacked, and a panic of the library that unpacks them is
//! caught.

use super::{
    Table, Wanted,
    cells::{Column, Copied, Texts},
    pages,
};
use crate::{dialect::Report, guard::quietly, source::Unreadable};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType,
    cast::AsArray,
    types::{
        Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
        Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
        TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_schema::{DataType, TimeUnit};
use chrono::{DateTime, Utc};
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};
use std::{fmt::Display, fs::File, sync::Arc};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

impl Table {
    /// Reads the wanted columns of a file; false after a problem was reported.
    pub(super) fn read_parquet(
        &mut self,
        file: File,
        wanted: &[Wanted<'_>],
        report: &mut Report,
    ) -> Result<bool, Unreadable> {
        // The builder keeps the file, whose pages are looked at before it unpacks any.
        let same = file.try_clone()?;
        let builder = guarded(|| ParquetRecordBatchReaderBuilder::try_new(file))?;
        let schema = Arc::clone(builder.schema());
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let Some(indices) = self.find(&names, wanted, report) else { return Ok(false) };
        let mask =
            ProjectionMask::roots(builder.parquet_schema(), indices.iter().flatten().copied());
        pages::check(&same, builder.metadata(), &mask).map_err(damaged)?;
        let mut reader = guarded(|| builder.with_projection(mask).build())?;
        self.columns = indices.iter().map(|_| None).collect();
        // A batch has the columns that are read, in the order of the file.
        let mut read: Vec<usize> = indices.iter().flatten().copied().collect();
        read.sort_unstable();
        read.dedup();
        while let Some(batch) = guarded(|| reader.next().transpose())? {
            for (column, (index, wanted)) in self.columns.iter_mut().zip(indices.iter().zip(wanted))
            {
                let Some(at) =
                    index.and_then(|index| read.iter().position(|&known| known == index))
                else {
                    continue;
                };
                let appended = guarded(|| Ok::<_, String>(append(column, batch.column(at))))?;
                if let Err(wrong) = appended {
                    let row = self.rows + wrong.row + 1;
                    let name = wanted.name;
                    let message =
                        format!("column `{name}` of `{}`, row {row}: {}", self.name, wrong.reason);
                    report.add_help(wanted.place, message, "this column", wrong.help);
                    return Ok(false);
                }
            }
            self.rows += batch.num_rows();
        }
        Ok(true)
    }
}

/// A step of reading, of which an error or a panic says that the file is damaged.
fn guarded<T, E: Display>(step: impl FnOnce() -> Result<T, E>) -> Result<T, Unreadable> {
    match quietly(step) {
        Some(Ok(read)) => Ok(read),
        Some(Err(error)) => Err(damaged(error.to_string())),
        None => Err(damaged("what is in it contradicts itself".to_owned())),
    }
}

fn damaged(reason: String) -> Unreadable {
    let help = "write it again as Parquet, or as CSV";
    Unreadable::Other(format!("it is no Parquet file, or damaged: {reason}"), Some(help))
}

/// A cell, or a whole column, that is not read.
struct Wrong {
    /// The row of the batch, from 0.
    row: usize,
    reason: String,
    help: &'static str,
}

impl Wrong {
    fn of_type(of: &DataType) -> Self {
        let help = "numbers, text, dates and timestamps are read";
        Self { row: 0, reason: format!("its type, {of}, is not read"), help }
    }
}

/// Appends a column of a batch.
fn append(column: &mut Option<Column>, array: &ArrayRef) -> Result<(), Wrong> {
    let fits = match array.data_type() {
        DataType::Float64 => numbers::<Float64Type>(column, array, |value| value),
        DataType::Float32 => numbers::<Float32Type>(column, array, f64::from),
        DataType::Float16 => numbers::<Float16Type>(column, array, f64::from),
        DataType::Int64 => whole::<Int64Type>(column, array, |value| value),
        DataType::Int32 => whole::<Int32Type>(column, array, i64::from),
        DataType::Int16 => whole::<Int16Type>(column, array, i64::from),
        DataType::Int8 => whole::<Int8Type>(column, array, i64::from),
        DataType::UInt64 => return unsigned(column, array),
        DataType::UInt32 => whole::<UInt32Type>(column, array, i64::from),
        DataType::UInt16 => whole::<UInt16Type>(column, array, i64::from),
        DataType::UInt8 => whole::<UInt8Type>(column, array, i64::from),
        DataType::Boolean => {
            extend_whole(column, array.as_boolean().iter().map(|value| value.map(i64::from)))
        }
        DataType::Decimal32(_, scale) => decimals(
            column,
            array.as_primitive::<Decimal32Type>().iter().map(|it| it.map(f64::from)),
            *scale,
        ),
        DataType::Decimal64(_, scale) => {
            let values = array.as_primitive::<Decimal64Type>().iter();
            decimals(column, values.map(|it| it.map(|it| it as f64)), *scale)
        }
        DataType::Decimal128(_, scale) => {
            let values = array.as_primitive::<Decimal128Type>().iter();
            decimals(column, values.map(|it| it.map(|it| it as f64)), *scale)
        }
        DataType::Decimal256(_, scale) => {
            let values = array.as_primitive::<Decimal256Type>().iter();
            let to_f64 =
                |value: arrow_buffer::i256| value.to_string().parse().unwrap_or(f64::INFINITY);
            decimals(column, values.map(|it| it.map(to_f64)), *scale)
        }
        DataType::Utf8 => extend_text(column, array.as_string::<i32>().iter()),
        DataType::LargeUtf8 => extend_text(column, array.as_string::<i64>().iter()),
        DataType::Utf8View => extend_text(column, array.as_string_view().iter()),
        DataType::Binary => return bytes(column, array.as_binary::<i32>().iter()),
        DataType::LargeBinary => return bytes(column, array.as_binary::<i64>().iter()),
        DataType::BinaryView => return bytes(column, array.as_binary_view().iter()),
        DataType::Timestamp(unit, zone) => return timestamps(column, array, *unit, zone.is_some()),
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().iter();
            return times(
                column,
                days.map(|day| day.map(|day| i64::from(day).checked_mul(DAY))),
                false,
            );
        }
        DataType::Date64 => {
            let millis = array.as_primitive::<Date64Type>().iter();
            return times(column, millis.map(|at| at.map(|at| at.checked_mul(1000))), false);
        }
        DataType::Dictionary(_, _) => return dictionary(column, array),
        other => return Err(Wrong::of_type(other)),
    };
    if fits { Ok(()) } else { Err(Wrong::of_type(array.data_type())) }
}

fn numbers<T: ArrowPrimitiveType>(
    column: &mut Option<Column>,
    array: &ArrayRef,
    to_f64: impl Fn(T::Native) -> f64,
) -> bool {
    let values = array.as_primitive::<T>().iter();
    extend_numbers(column, values.map(|value| value.map_or(f64::NAN, &to_f64)))
}

fn whole<T: ArrowPrimitiveType>(
    column: &mut Option<Column>,
    array: &ArrayRef,
    to_i64: impl Fn(T::Native) -> i64,
) -> bool {
    extend_whole(column, array.as_primitive::<T>().iter().map(|value| value.map(&to_i64)))
}

/// Whole numbers of which the largest do not fit.
fn unsigned(column: &mut Option<Column>, array: &ArrayRef) -> Result<(), Wrong> {
    let values = array.as_primitive::<UInt64Type>();
    let large =
        values.iter().position(|value| value.is_some_and(|value| i64::try_from(value).is_err()));
    if let Some(row) = large {
        let reason = format!("{} is larger than {}", values.value(row), i64::MAX);
        return Err(Wrong { row, reason, help: "write such names as text" });
    }
    extend_whole(column, values.iter().map(|value| value.map(u64::cast_signed)));
    Ok(())
}

fn decimals(
    column: &mut Option<Column>,
    values: impl Iterator<Item = Option<f64>>,
    scale: i8,
) -> bool {
    // Dividing by a power of ten that is exact rounds once, as reading the same number as text
    // does.
    let power = (0..scale.unsigned_abs()).fold(1.0, |power, _| power * 10.0);
    let scaled = |value: f64| if scale < 0 { value * power } else { value / power };
    extend_numbers(column, values.map(|value| value.map_or(f64::NAN, scaled)))
}

fn extend_numbers(column: &mut Option<Column>, values: impl Iterator<Item = f64>) -> bool {
    let Column::Numbers(cells) = column.get_or_insert_with(|| Column::Numbers(Vec::new())) else {
        return false;
    };
    cells.extend(values);
    true
}

fn extend_whole(column: &mut Option<Column>, values: impl Iterator<Item = Option<i64>>) -> bool {
    let Column::Whole(cells) = column.get_or_insert_with(|| Column::Whole(Vec::new())) else {
        return false;
    };
    cells.extend(values);
    true
}

fn extend_text<'a>(
    column: &mut Option<Column>,
    values: impl Iterator<Item = Option<&'a str>>,
) -> bool {
    let empty = || Column::Text(Texts::Copied(Copied::default()));
    let Column::Text(Texts::Copied(cells)) = column.get_or_insert_with(empty) else {
        return false;
    };
    values.for_each(|value| cells.push(value.unwrap_or("")));
    true
}

/// Text that does not say that it is text, as older programs write it.
fn bytes<'a>(
    column: &mut Option<Column>,
    values: impl Iterator<Item = Option<&'a [u8]>>,
) -> Result<(), Wrong> {
    let texts =
        values.enumerate().map(|(row, value)| match value.map(std::str::from_utf8).transpose() {
            Ok(text) => Ok(text),
            Err(_) => Err(Wrong {
                row,
                reason: "these bytes are not text".to_owned(),
                help: "write text",
            }),
        });
    let texts: Vec<Option<&str>> = texts.collect::<Result<_, _>>()?;
    extend_text(column, texts.into_iter());
    Ok(())
}

fn timestamps(
    column: &mut Option<Column>,
    array: &ArrayRef,
    unit: TimeUnit,
    zoned: bool,
) -> Result<(), Wrong> {
    match unit {
        TimeUnit::Second => {
            let seconds = array.as_primitive::<TimestampSecondType>().iter();
            times(column, seconds.map(|at| at.map(|at| at.checked_mul(1_000_000))), zoned)
        }
        TimeUnit::Millisecond => {
            let millis = array.as_primitive::<TimestampMillisecondType>().iter();
            times(column, millis.map(|at| at.map(|at| at.checked_mul(1000))), zoned)
        }
        TimeUnit::Microsecond => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().iter();
            times(column, micros.map(|at| at.map(Some)), zoned)
        }
        TimeUnit::Nanosecond => {
            let nanos = array.as_primitive::<TimestampNanosecondType>().iter();
            // Plain division would round towards 1970, up before it and down after it.
            times(column, nanos.map(|at| at.map(|at| Some(at.div_euclid(1000)))), zoned)
        }
    }
}

/// Microseconds from 1970; the inner ones are missing where there are more than fit.
fn times(
    column: &mut Option<Column>,
    micros: impl Iterator<Item = Option<Option<i64>>>,
    zoned: bool,
) -> Result<(), Wrong> {
    let instant = |(row, micros): (usize, Option<Option<i64>>)| {
        let at = micros.map(|micros| micros.and_then(DateTime::from_timestamp_micros));
        match at {
            Some(None) => {
                let reason = "its year is beyond all calendars".to_owned();
                Err(Wrong { row, reason, help: "the unit of the timestamps may be another" })
            }
            Some(at) => Ok(at),
            None => Ok(None),
        }
    };
    let instants: Vec<Option<DateTime<Utc>>> =
        micros.enumerate().map(instant).collect::<Result<_, _>>()?;
    let empty = || if zoned { Column::Instants(Vec::new()) } else { Column::WallClock(Vec::new()) };
    match column.get_or_insert_with(empty) {
        Column::Instants(cells) => cells.extend(instants),
        Column::WallClock(cells) => {
            cells.extend(
                instants.into_iter().map(|instant| instant.map(|instant| instant.naive_utc())),
            );
        }
        Column::Text(_) | Column::Numbers(_) | Column::Whole(_) => {
            return Err(Wrong {
                row: 0,
                reason: "its type changes".to_owned(),
                help: "write one type",
            });
        }
    }
    Ok(())
}

/// Values that stand in a table of their own, such as the categories of pandas.
fn dictionary(column: &mut Option<Column>, array: &ArrayRef) -> Result<(), Wrong> {
    let coded = array.as_any_dictionary();
    let mut known = None;
    // A wrong value has a place in the dictionary, which is none of a row.
    append(&mut known, coded.values()).map_err(|wrong| Wrong { row: 0, ..wrong })?;
    let keys = coded.normalized_keys();
    let rows = keys.into_iter().enumerate().map(|(row, key)| array.is_valid(row).then_some(key));
    let fits = match &known {
        None => true,
        Some(Column::Text(texts)) => {
            extend_text(column, rows.map(|key| key.map(|key| texts.get(key))))
        }
        Some(Column::Numbers(numbers)) => {
            extend_numbers(column, rows.map(|key| key.map_or(f64::NAN, |key| numbers[key])))
        }
        Some(Column::Whole(numbers)) => {
            extend_whole(column, rows.map(|key| key.and_then(|key| numbers[key])))
        }
        Some(Column::Instants(instants)) => {
            let micros = rows.map(|key| key.and_then(|key| instants[key]));
            return times(column, micros.map(|at| at.map(|at| Some(at.timestamp_micros()))), true);
        }
        Some(Column::WallClock(walls)) => {
            let micros = rows.map(|key| key.and_then(|key| walls[key]));
            return times(
                column,
                micros.map(|at| at.map(|at| Some(at.and_utc().timestamp_micros()))),
                false,
            );
        }
    };
    if fits { Ok(()) } else { Err(Wrong::of_type(array.data_type())) }
}
