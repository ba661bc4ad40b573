//! Values of lists, and of rows of batches: how each is kept, told and compared.

use super::{
    NotFinite,
    code::Code,
    field::{Buffers, Cell, Stored, primitive, unlike},
};
use arrow_array::{
    Array, ArrayRef, PrimitiveArray, StringArray, UInt8Array,
    cast::AsArray,
    types::{ArrowPrimitiveType, Float64Type, Int32Type, UInt8Type, UInt32Type, UInt64Type},
};
use arrow_schema::{ArrowError, DataType};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Types that Arrow has an array of primitives for.
macro_rules! numbers {
    ($($native:ty: $arrow:ty, $is_finite:expr, $of_rows:expr, $of_list:expr;)+) => {$(
        impl Cell for $native {
            fn value(&self) -> Value {
                json!(self)
            }

            // By bits: what is no number is itself, and the two zeros are not one.
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

            fn buffers(cells: &[Self], into: &mut Buffers) {
                into.array(cells.len());
                into.buffer(cells);
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
fn range(count: usize, values: impl Iterator<Item = f64>) -> Value {
    let finite: Vec<f64> = values.filter(Cell::is_finite).collect();
    let least = finite.iter().copied().reduce(f64::min);
    let most = finite.into_iter().reduce(f64::max);
    json!({ "count": count, "min": least, "max": most })
}

/// The sum of a column; in words where a log of 0.1 holds what is no number, which JSON has not.
fn sum(values: &[f64]) -> Value {
    // From 0, since `sum` begins at -0, which no values at all would then come to.
    let sum = values.iter().fold(0.0, |sum, value| sum + value);
    NotFinite::of(sum).map_or_else(|| json!(sum), |no_number| no_number.name().into())
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

    fn buffers(cells: &[Self], into: &mut Buffers) {
        into.array(cells.len());
        into.buffer(cells);
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

    fn buffers(_: &[Self], into: &mut Buffers) {
        // Values may be missing.
        into.give_up();
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

    fn buffers(cells: &[Self], into: &mut Buffers) {
        if cells.is_empty() {
            // No texts have no offsets, either.
            return into.give_up();
        }
        let ends = cells.iter().scan(0, |end, cell| {
            *end += cell.len();
            Some(*end)
        });
        into.array(cells.len());
        into.offsets(ends);
        into.buffer(cells.concat().as_bytes());
    }

    fn cells(array: &dyn Array) -> Result<Vec<Self>, ArrowError> {
        let texts = array.as_string_opt::<i32>().ok_or_else(|| unlike("a text was expected"))?;
        Ok(texts.iter().flatten().map(str::to_owned).collect())
    }
}

/// How many of `cells` are what; what none is, is left out.
pub(crate) fn counts<C: Code>(cells: &[C]) -> Value {
    let count = |code: C| cells.iter().filter(|found| **found == code).count();
    let counted = C::ALL.iter().map(|&code| (code.word().to_owned(), count(code)));
    let found = counted.filter(|(_, count)| *count > 0);
    found.map(|(word, count)| (word, count.into())).collect::<Map<_, _>>().into()
}

impl<C: Code> Cell for C {
    fn value(&self) -> Value {
        self.word().into()
    }

    fn same(&self, other: &Self) -> bool {
        self == other
    }

    fn of_rows(cells: &[Self]) -> Option<Value> {
        Some(counts(cells))
    }

    fn of_list(cells: &[Self]) -> Value {
        counts(cells)
    }
}

impl<C: Code> Stored for C {
    fn data_type() -> DataType {
        DataType::UInt8
    }

    fn array(cells: &[Self]) -> ArrayRef {
        Arc::new(UInt8Array::from_iter_values(cells.iter().map(|code| code.number())))
    }

    fn buffers(cells: &[Self], into: &mut Buffers) {
        let numbers: Vec<u8> = cells.iter().map(|code| code.number()).collect();
        u8::buffers(&numbers, into);
    }

    fn cells(array: &dyn Array) -> Result<Vec<Self>, ArrowError> {
        let numbers = primitive::<UInt8Type>(array)?;
        let code = |number: &u8| {
            Self::of_number(*number)
                .ok_or_else(|| unlike(&format!("this version of voltide knows no code {number}")))
        };
        numbers.values().iter().map(code).collect()
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

/// A number of JSON: what is none is `null`, whichever it was.
pub(crate) fn as_written(number: f64) -> Option<u64> {
    number.is_finite().then(|| number.to_bits())
}
