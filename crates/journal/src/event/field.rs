//! What types the fields of events have: how each is kept as Arrow columns, told and compared.
//!
//! | type                       | in a batch       | in a single row | in short                      |
//! |----------------------------|------------------|-----------------|-------------------------------|
//! | [`Ids`]                    | two columns      | -               | nothing                       |
//! | `Vec<f64>`                 | a value a row    | a list          | the sum; number and range     |
//! | `Vec<u32>`, other numbers  | a value a row    | a list          | nothing; number and range     |
//! | `Vec<bool>`                | a value a row    | a list          | how many are true             |
//! | `Vec` of a [`super::code`] | a value a row    | a list          | how many of which             |
//! | [`Segments`]               | a list a row     | -               | how many                      |
//! | `String`, [`Bytes`], numbers | -              | a value         | itself; the number of bytes   |
//!
//! What an event of JSON holds is told as it is, by serde.

use super::fact::Form;
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryArray, ListArray, PrimitiveArray, StringArray, StructArray,
    UInt8Array, UInt16Array,
    cast::AsArray,
    types::{Float64Type, Int32Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type},
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{ArrowError, DataType, Field as ArrowField};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};
use voltide_model::rules::Rules;

/// What can be asked of a field, whatever its type.
pub(crate) trait Field {
    /// Its values: one a row of a batch, as many as there are in a list, or the single one.
    fn values(&self) -> Vec<Value>;

    /// In short; `None` where only the rows of a batch tell something.
    fn brief(&self, form: Form) -> Option<Value>;

    /// The place of the first number that is none.
    fn not_finite(&self) -> Option<usize> {
        None
    }
}

/// Whether the bits are the same.
pub(crate) trait Same {
    /// Whether the other's are.
    fn same(&self, other: &Self) -> bool;
}

/// A field that is kept as Arrow columns.
pub(crate) trait Columns: Sized {
    /// Its columns.
    fn fields(name: &str, form: Form) -> Vec<ArrowField>;
    /// Their values.
    fn arrays(&self, form: Form) -> Result<Vec<ArrayRef>, ArrowError>;
    /// The field back from its columns.
    fn take(arrays: &mut Arrays<'_>, form: Form) -> Result<Self, ArrowError>;
}

/// The columns of a batch, taken one after the other.
pub(crate) struct Arrays<'a>(std::slice::Iter<'a, ArrayRef>);

impl<'a> Arrays<'a> {
    /// Starts at the first column.
    pub(crate) fn new(columns: &'a [ArrayRef]) -> Self {
        Self(columns.iter())
    }

    fn next(&mut self) -> Result<&'a ArrayRef, ArrowError> {
        self.0.next().ok_or_else(|| unlike("a column is missing"))
    }

    /// The values of the next column: all rows, or the list in the only one.
    fn values(&mut self, form: Form) -> Result<ArrayRef, ArrowError> {
        let column = self.next()?;
        if form == Form::Rows {
            return Ok(Arc::clone(column));
        }
        let list = column.as_list_opt::<i32>().ok_or_else(|| unlike("a list was expected"))?;
        if list.len() == 1 { Ok(list.value(0)) } else { Err(unlike("one row was expected")) }
    }
}

/// A value of a list, or of a row of a batch.
pub(crate) trait Cell: Sized {
    /// As JSON.
    fn value(&self) -> Value;

    /// Whether the bits are the same.
    fn same(&self, other: &Self) -> bool;

    /// Whether it is a number; what is none by its type counts as one.
    fn is_finite(&self) -> bool {
        true
    }

    /// All rows of a batch in short.
    fn of_rows(cells: &[Self]) -> Option<Value>;

    /// A list in short.
    fn of_list(cells: &[Self]) -> Value;
}

/// A cell that Arrow has a type for.
pub(crate) trait Stored: Cell {
    /// Whether there may be none.
    const MAY_LACK: bool = false;
    /// The type.
    fn data_type() -> DataType;
    /// Cells as an array.
    fn array(cells: &[Self]) -> ArrayRef;
    /// Cells of an array.
    fn cells(array: &dyn Array) -> Result<Vec<Self>, ArrowError>;
}

impl<T: Cell> Field for Vec<T> {
    fn values(&self) -> Vec<Value> {
        self.iter().map(Cell::value).collect()
    }

    fn brief(&self, form: Form) -> Option<Value> {
        match form {
            Form::Rows => T::of_rows(self),
            Form::Record => Some(T::of_list(self)),
            Form::Control => Some(self.iter().map(Cell::value).collect()),
        }
    }

    fn not_finite(&self) -> Option<usize> {
        self.iter().position(|cell| !cell.is_finite())
    }
}

impl<T: Cell> Same for Vec<T> {
    fn same(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().zip(other).all(|(ours, theirs)| ours.same(theirs))
    }
}

impl<T: Stored> Columns for Vec<T> {
    fn fields(name: &str, form: Form) -> Vec<ArrowField> {
        let data_type = match form {
            Form::Rows => T::data_type(),
            Form::Record | Form::Control => DataType::List(item::<T>()),
        };
        vec![ArrowField::new(name, data_type, form == Form::Rows && T::MAY_LACK)]
    }

    fn arrays(&self, form: Form) -> Result<Vec<ArrayRef>, ArrowError> {
        let values = T::array(self);
        Ok(vec![if form == Form::Rows { values } else { one_list(item::<T>(), values)? }])
    }

    fn take(arrays: &mut Arrays<'_>, form: Form) -> Result<Self, ArrowError> {
        T::cells(&arrays.values(form)?)
    }
}

/// Types that Arrow has an array of primitives for.
macro_rules! numbers {
    ($($native:ty: $arrow:ty, $is_finite:expr, $of_rows:expr, $of_list:expr;)+) => {$(
        impl Cell for $native {
            fn value(&self) -> Value {
                json!(self)
            }

            fn same(&self, other: &Self) -> bool {
                self.to_ne_bytes() == other.to_ne_bytes()
            }

            fn is_finite(&self) -> bool {
                $is_finite(*self)
            }

            fn of_rows(cells: &[Self]) -> Option<Value> {
                $of_rows(cells)
            }

            fn of_list(cells: &[Self]) -> Value {
                $of_list(cells)
            }
        }

        impl Stored for $native {
            fn data_type() -> DataType {
                <$arrow>::DATA_TYPE
            }

            fn array(cells: &[Self]) -> ArrayRef {
                Arc::new(PrimitiveArray::<$arrow>::new(cells.to_vec().into(), None))
            }

            fn cells(array: &dyn Array) -> Result<Vec<Self>, ArrowError> {
                Ok(primitive::<$arrow>(array)?.values().to_vec())
            }
        }
    )+};
}

numbers! {
    f64: Float64Type, f64::is_finite, |cells| Some(sum(cells)), |cells: &[f64]| {
        range(cells.len(), cells.iter().copied())
    };
    i32: Int32Type, always, nothing, whole_range;
    u32: UInt32Type, always, nothing, whole_range;
    u8: UInt8Type, always, nothing, whole_range;
    u64: UInt64Type, always, nothing, count;
}

fn always<T>(_: T) -> bool {
    true
}

fn nothing<T>(_: &[T]) -> Option<Value> {
    None
}

fn whole_range<T: Copy + Into<f64>>(cells: &[T]) -> Value {
    range(cells.len(), cells.iter().map(|&cell| cell.into()))
}

fn count<T>(cells: &[T]) -> Value {
    json!({ "count": cells.len() })
}

/// Number and range of values; the range is null where there is no finite one.
fn range(count: usize, values: impl Iterator<Item = f64> + Clone) -> Value {
    let finite = || values.clone().filter(|value| value.is_finite());
    json!({ "count": count, "min": finite().reduce(f64::min), "max": finite().reduce(f64::max) })
}

/// The sum of a column; in words where a log of 0.1 holds what is no number, which JSON has not.
fn sum(values: &[f64]) -> Value {
    let sum = values.iter().fold(0.0, |sum, value| sum + value);
    super::NotFinite::of(sum).map_or_else(|| json!(sum), |no_number| no_number.name().into())
}

impl Cell for bool {
    fn value(&self) -> Value {
        json!(self)
    }

    fn same(&self, other: &Self) -> bool {
        self == other
    }

    fn of_rows(cells: &[Self]) -> Option<Value> {
        Some(cells.iter().filter(|cell| **cell).count().into())
    }

    fn of_list(cells: &[Self]) -> Value {
        count(cells)
    }
}

impl Stored for bool {
    fn data_type() -> DataType {
        DataType::UInt8
    }

    fn array(cells: &[Self]) -> ArrayRef {
        Arc::new(UInt8Array::from_iter_values(cells.iter().copied().map(u8::from)))
    }

    fn cells(array: &dyn Array) -> Result<Vec<Self>, ArrowError> {
        Ok(primitive::<UInt8Type>(array)?.values().iter().map(|number| *number != 0).collect())
    }
}

impl Cell for Option<f64> {
    fn value(&self) -> Value {
        json!(self)
    }

    fn same(&self, other: &Self) -> bool {
        self.map(f64::to_bits) == other.map(f64::to_bits)
    }

    fn is_finite(&self) -> bool {
        self.is_none_or(f64::is_finite)
    }

    fn of_rows(cells: &[Self]) -> Option<Value> {
        let known: Vec<f64> = cells.iter().copied().flatten().collect();
        Some(sum(&known))
    }

    fn of_list(cells: &[Self]) -> Value {
        range(cells.len(), cells.iter().copied().flatten())
    }
}

impl Stored for Option<f64> {
    const MAY_LACK: bool = true;

    fn data_type() -> DataType {
        DataType::Float64
    }

    fn array(cells: &[Self]) -> ArrayRef {
        Arc::new(cells.iter().copied().collect::<PrimitiveArray<Float64Type>>())
    }

    fn cells(array: &dyn Array) -> Result<Vec<Self>, ArrowError> {
        Ok(primitive::<Float64Type>(array)?.iter().collect())
    }
}

impl Cell for String {
    fn value(&self) -> Value {
        json!(self)
    }

    fn same(&self, other: &Self) -> bool {
        self == other
    }

    fn of_rows(_: &[Self]) -> Option<Value> {
        None
    }

    fn of_list(cells: &[Self]) -> Value {
        count(cells)
    }
}

impl Stored for String {
    fn data_type() -> DataType {
        DataType::Utf8
    }

    fn array(cells: &[Self]) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(cells))
    }

    fn cells(array: &dyn Array) -> Result<Vec<Self>, ArrowError> {
        let texts = array.as_string_opt::<i32>().ok_or_else(|| unlike("a text was expected"))?;
        Ok(texts.iter().flatten().map(str::to_owned).collect())
    }
}

/// Fields that hold one value: in JSON, or in a column of a single row.
macro_rules! single {
    ($($type:ty, |$value:ident| $brief:expr;)+) => {$(
        impl Field for $type {
            fn values(&self) -> Vec<Value> {
                vec![Cell::value(self)]
            }

            fn brief(&self, _: Form) -> Option<Value> {
                let $value = self;
                Some($brief)
            }
        }

        impl Same for $type {
            fn same(&self, other: &Self) -> bool {
                Cell::same(self, other)
            }
        }

        impl Columns for $type {
            fn fields(name: &str, _: Form) -> Vec<ArrowField> {
                vec![ArrowField::new(name, Self::data_type(), false)]
            }

            fn arrays(&self, _: Form) -> Result<Vec<ArrayRef>, ArrowError> {
                Ok(vec![Self::array(std::slice::from_ref(self))])
            }

            fn take(arrays: &mut Arrays<'_>, _: Form) -> Result<Self, ArrowError> {
                let cells = Self::cells(arrays.next()?)?;
                let [cell] = cells.try_into().map_err(|_| unlike("one row was expected"))?;
                Ok(cell)
            }
        }
    )+};
}

single! {
    u32, |value| json!(value);
    String, |value| json!(value);
    super::Stage, |value| json!(value.name());
}

/// Fields of JSON that are told as they are.
macro_rules! plain {
    ($($type:ty),+) => {$(
        impl Field for $type {
            fn values(&self) -> Vec<Value> {
                listed(json!(self))
            }

            fn brief(&self, _: Form) -> Option<Value> {
                Some(json!(self))
            }
        }

        impl Same for $type {
            fn same(&self, other: &Self) -> bool {
                self == other
            }
        }
    )+};
}

plain!(bool, i64, u64, Rules, super::Build);

fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        one @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            vec![one]
        }
    }
}

/// A number of JSON: what is none is `null`, whichever it was.
fn as_written(number: f64) -> Option<u64> {
    number.is_finite().then(|| number.to_bits())
}

impl Field for f64 {
    fn values(&self) -> Vec<Value> {
        vec![json!(self)]
    }

    fn brief(&self, _: Form) -> Option<Value> {
        Some(json!(self))
    }

    fn not_finite(&self) -> Option<usize> {
        (!self.is_finite()).then_some(0)
    }
}

impl Same for f64 {
    fn same(&self, other: &Self) -> bool {
        as_written(*self) == as_written(*other)
    }
}

impl Field for Option<f64> {
    fn values(&self) -> Vec<Value> {
        vec![json!(self)]
    }

    fn brief(&self, _: Form) -> Option<Value> {
        Some(json!(self))
    }

    fn not_finite(&self) -> Option<usize> {
        self.as_ref().and_then(Field::not_finite)
    }
}

impl Same for Option<f64> {
    fn same(&self, other: &Self) -> bool {
        self.map(as_written) == other.map(as_written)
    }
}

/// Numbers beside names, in lists of JSON.
macro_rules! named_numbers {
    ($($type:ty: |$it:ident| $names:expr, $number:expr;)+) => {$(
        impl Cell for $type {
            fn value(&self) -> Value {
                json!(self)
            }

            fn same(&self, other: &Self) -> bool {
                let parts = |$it: &Self| ($names.map(str::to_owned), as_written($number));
                parts(self) == parts(other)
            }

            fn is_finite(&self) -> bool {
                let $it = self;
                $number.is_finite()
            }

            fn of_rows(_: &[Self]) -> Option<Value> {
                None
            }

            fn of_list(cells: &[Self]) -> Value {
                count(cells)
            }
        }
    )+};
}

named_numbers! {
    (String, f64): |it| [it.0.as_str()], it.1;
    (String, String, f64): |it| [it.0.as_str(), it.1.as_str()], it.2;
}

/// Ids of cars, stays, chargers or sites, which ascend: kept as gaps to the id before, in two
/// columns of 16 bits, `<name>_gap` and `<name>_gap_high`, nearly always zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids(pub Vec<u32>);

impl Deref for Ids {
    type Target = Vec<u32>;

    fn deref(&self) -> &Vec<u32> {
        &self.0
    }
}

impl DerefMut for Ids {
    fn deref_mut(&mut self) -> &mut Vec<u32> {
        &mut self.0
    }
}

impl From<Vec<u32>> for Ids {
    fn from(ids: Vec<u32>) -> Self {
        Self(ids)
    }
}

impl FromIterator<u32> for Ids {
    fn from_iter<I: IntoIterator<Item = u32>>(ids: I) -> Self {
        Self(ids.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a Ids {
    type Item = &'a u32;
    type IntoIter = std::slice::Iter<'a, u32>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl Field for Ids {
    fn values(&self) -> Vec<Value> {
        self.0.values()
    }

    fn brief(&self, _: Form) -> Option<Value> {
        None
    }
}

impl Same for Ids {
    fn same(&self, other: &Self) -> bool {
        self == other
    }
}

impl Columns for Ids {
    fn fields(name: &str, _: Form) -> Vec<ArrowField> {
        let gap = |suffix| ArrowField::new(format!("{name}_gap{suffix}"), DataType::UInt16, false);
        vec![gap(""), gap("_high")]
    }

    fn arrays(&self, _: Form) -> Result<Vec<ArrayRef>, ArrowError> {
        let before = std::iter::once(&0).chain(&self.0);
        let gaps = self.0.iter().zip(before).map(|(id, before)| id.wrapping_sub(*before));
        let (low, high): (Vec<u16>, Vec<u16>) = gaps.map(|gap| (gap as u16, (gap >> 16) as u16)).unzip();
        Ok(vec![Arc::new(UInt16Array::from(low)), Arc::new(UInt16Array::from(high))])
    }

    fn take(arrays: &mut Arrays<'_>, _: Form) -> Result<Self, ArrowError> {
        let low = primitive::<UInt16Type>(arrays.next()?)?;
        let high = primitive::<UInt16Type>(arrays.next()?)?;
        let gaps = low.values().iter().zip(high.values());
        let gaps = gaps.map(|(low, high)| u32::from(*low) | u32::from(*high) << 16);
        let ids = gaps.scan(0_u32, |id, gap| {
            *id = id.wrapping_add(gap);
            Some(*id)
        });
        Ok(ids.collect())
    }
}

/// Run-length coded schedules, one a row.
///
/// That of row i is the segments `offset[i]..offset[i + 1]`; a segment's power holds from its slot to
/// the next segment's, and the power of the last one is 0.
#[derive(Debug, Clone, Default)]
pub struct Segments {
    /// n + 1 ascending offsets into the segments, from 0 to their number.
    pub offset: Vec<u32>,
    /// First slot of each segment (a tick number).
    pub slot: Vec<u32>,
    /// Power from that slot on, kW.
    pub power_kw: Vec<f64>,
}

impl Segments {
    /// Slots and powers of the segments of a row.
    pub fn of(&self, row: usize) -> (&[u32], &[f64]) {
        let range = self.offset[row] as usize..self.offset[row + 1] as usize;
        (&self.slot[range.clone()], &self.power_kw[range])
    }

    fn parts() -> [ArrowField; 2] {
        [
            ArrowField::new("slot", DataType::UInt32, false),
            ArrowField::new("power_kw", DataType::Float64, false),
        ]
    }

    fn item() -> Arc<ArrowField> {
        Arc::new(ArrowField::new("item", DataType::Struct(Self::parts().to_vec().into()), false))
    }

    /// List offsets; none at all stand for no rows.
    ///
    /// # Errors
    /// They do not ascend from 0 to the number of segments.
    fn list_offsets(&self) -> Result<OffsetBuffer<i32>, ArrowError> {
        let count = self.slot.len();
        let starts = if self.offset.is_empty() { &[0] } else { self.offset.as_slice() };
        let ends = starts[0] == 0 && starts[starts.len() - 1] as usize == count;
        if !ends || !starts.is_sorted() || i32::try_from(count).is_err() {
            return Err(unlike("segment offsets do not ascend from 0 to the number of segments"));
        }
        Ok(OffsetBuffer::new(starts.iter().map(|start| start.cast_signed()).collect()))
    }
}

impl Field for Segments {
    fn values(&self) -> Vec<Value> {
        let segment = |(slot, power_kw): (&u32, &f64)| json!({ "slot": slot, "power_kw": power_kw });
        let rows = 0..self.offset.len().saturating_sub(1);
        rows.map(|row| {
            let (slots, power_kw) = self.of(row);
            slots.iter().zip(power_kw).map(segment).collect()
        })
        .collect()
    }

    fn brief(&self, _: Form) -> Option<Value> {
        Some(self.slot.len().into())
    }

    fn not_finite(&self) -> Option<usize> {
        self.power_kw.not_finite()
    }
}

impl Same for Segments {
    fn same(&self, other: &Self) -> bool {
        (&self.offset, &self.slot) == (&other.offset, &other.slot) && self.power_kw.same(&other.power_kw)
    }
}

impl Columns for Segments {
    fn fields(name: &str, _: Form) -> Vec<ArrowField> {
        vec![ArrowField::new(name, DataType::List(Self::item()), false)]
    }

    fn arrays(&self, _: Form) -> Result<Vec<ArrayRef>, ArrowError> {
        let parts = vec![Stored::array(&self.slot), Stored::array(&self.power_kw)];
        let segments = StructArray::try_new(Self::parts().to_vec().into(), parts, None)?;
        let offsets = self.list_offsets()?;
        Ok(vec![Arc::new(ListArray::try_new(Self::item(), offsets, Arc::new(segments), None)?)])
    }

    fn take(arrays: &mut Arrays<'_>, _: Form) -> Result<Self, ArrowError> {
        let lists = arrays.next()?;
        let lists = lists.as_list_opt::<i32>().ok_or_else(|| unlike("a list was expected"))?;
        let segments = lists.values();
        let parts = segments.as_struct_opt().ok_or_else(|| unlike("a struct was expected"))?;
        let offset: Vec<u32> = lists.value_offsets().iter().map(|offset| offset.cast_unsigned()).collect();
        if offset.first() != Some(&0) || offset.last() != Some(&(segments.len() as u32)) {
            return Err(unlike("segments do not belong to any row"));
        }
        let mut parts = Arrays::new(parts.columns());
        let slot = Vec::take(&mut parts, Form::Rows)?;
        Ok(Self { offset, slot, power_kw: Vec::take(&mut parts, Form::Rows)? })
    }
}

/// Bytes that only whoever wrote them understands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Field for Bytes {
    fn values(&self) -> Vec<Value> {
        self.0.values()
    }

    fn brief(&self, _: Form) -> Option<Value> {
        Some(json!({ "bytes": self.0.len() }))
    }
}

impl Same for Bytes {
    fn same(&self, other: &Self) -> bool {
        self == other
    }
}

impl Columns for Bytes {
    fn fields(name: &str, _: Form) -> Vec<ArrowField> {
        vec![ArrowField::new(name, DataType::Binary, false)]
    }

    fn arrays(&self, _: Form) -> Result<Vec<ArrayRef>, ArrowError> {
        Ok(vec![Arc::new(BinaryArray::from_iter_values([&self.0]))])
    }

    fn take(arrays: &mut Arrays<'_>, _: Form) -> Result<Self, ArrowError> {
        let column = arrays.next()?;
        let bytes = column.as_binary_opt::<i32>().ok_or_else(|| unlike("bytes were expected"))?;
        let first = bytes.iter().flatten().next();
        first.map(|bytes| Self(bytes.to_vec())).ok_or_else(|| unlike("one row was expected"))
    }
}

/// A hash of 64 bits, told as hexadecimal digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hash(pub u64);

impl Field for Hash {
    fn values(&self) -> Vec<Value> {
        vec![format!("{:016x}", self.0).into()]
    }

    fn brief(&self, _: Form) -> Option<Value> {
        self.values().pop()
    }
}

impl Same for Hash {
    fn same(&self, other: &Self) -> bool {
        self == other
    }
}

impl Columns for Hash {
    fn fields(name: &str, _: Form) -> Vec<ArrowField> {
        vec![ArrowField::new(name, DataType::UInt64, false)]
    }

    fn arrays(&self, _: Form) -> Result<Vec<ArrayRef>, ArrowError> {
        Ok(vec![Stored::array(&[self.0])])
    }

    fn take(arrays: &mut Arrays<'_>, _: Form) -> Result<Self, ArrowError> {
        let cells = u64::cells(arrays.next()?)?;
        cells.first().copied().map(Self).ok_or_else(|| unlike("one row was expected"))
    }
}

impl Field for [u8; 32] {
    fn values(&self) -> Vec<Value> {
        vec![crate::seal::hash_to_hex(self).into()]
    }

    fn brief(&self, _: Form) -> Option<Value> {
        self.values().pop()
    }
}

impl Same for [u8; 32] {
    fn same(&self, other: &Self) -> bool {
        self == other
    }
}

/// A text too long to be told; in short it is its length.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LongText(pub String);

impl Deref for LongText {
    type Target = String;

    fn deref(&self) -> &String {
        &self.0
    }
}

impl From<String> for LongText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for LongText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Field for LongText {
    fn values(&self) -> Vec<Value> {
        vec![json!(self.0)]
    }

    fn brief(&self, _: Form) -> Option<Value> {
        Some(json!({ "bytes": self.0.len() }))
    }
}

impl Same for LongText {
    fn same(&self, other: &Self) -> bool {
        self == other
    }
}

/// An object of these fields.
pub(crate) fn object<'a>(fields: impl Iterator<Item = (&'a str, Value)>) -> Map<String, Value> {
    fields.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn item<T: Stored>() -> Arc<ArrowField> {
    Arc::new(ArrowField::new("item", T::data_type(), T::MAY_LACK))
}

/// A single row that holds all values.
pub(crate) fn one_list(item: Arc<ArrowField>, values: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    Ok(Arc::new(ListArray::try_new(item, offsets, values, None)?))
}

fn primitive<T: ArrowPrimitiveType>(array: &dyn Array) -> Result<&PrimitiveArray<T>, ArrowError> {
    array.as_primitive_opt::<T>().ok_or_else(|| unlike("a column has another type"))
}

pub(crate) fn unlike(what: &str) -> ArrowError {
    ArrowError::SchemaError(what.to_owned())
}
