//! What types the fields of events have: how each is kept as Arrow columns, told and compared.
//!
//! | type                       | in a batch       | in a single row | in short                      |
//! |----------------------------|------------------|-----------------|-------------------------------|
//! | `Ids`                      | two columns      | -               | nothing                       |
//! | `Vec<f64>`                 | a value a row    | a list          | the sum; number and range     |
//! | `Vec<u32>`, other numbers  | a value a row    | a list          | nothing; number and range     |
//! | `Vec<bool>`                | a value a row    | a list          | how many are true             |
//! | `Vec` of a [`super::code`] | a value a row    | a list          | how many of which             |
//! | `Segments`                 | a list a row     | -               | how many                      |
//! | `String`, `Bytes`, numbers | -              | a value         | itself; the number of bytes   |
//!
//! What an event of JSON holds is told as it is, by serde.

use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, ListArray, PrimitiveArray, cast::AsArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{ArrowError, DataType, Field as ArrowField};
use bytemuck::{NoUninit, cast_slice};
use serde_json::{Map, Value};
use std::sync::Arc;

/// How the body of an event is kept, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One thing that happened: JSON.
    Control,
    /// One thing with long lists: Arrow columns of a single row.
    Record,
    /// The same to many at once: Arrow columns with a row each, of ascending ids.
    Rows,
}

/// What can be asked of a field, whatever its type.
pub(crate) trait Field {
    /// Its values: one a row of a batch, as many as there are in a list, or the single one.
    fn values(&self) -> Vec<Value>;

    /// In short; `None` where only the rows of a batch tell something. A single value is itself.
    fn brief(&self, _form: Form) -> Option<Value> {
        self.values().pop()
    }

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
    /// The buffers that these arrays have.
    fn buffers(&self, form: Form, into: &mut Buffers);
    /// The field back from its columns.
    fn take(arrays: &mut Arrays<'_>, form: Form) -> Result<Self, ArrowError>;
}

/// The buffers of a few short columns, one after the other as they stand in a body that is not
/// compressed: to bring them there as arrays takes ten times as long.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    shape: Vec<usize>,
    data: Vec<u8>,
    is_too_much: bool,
}

/// Buffers begin at multiples of so many bytes.
const ALIGNMENT: usize = 8;

impl Buffers {
    /// No more than so many bytes are taken in.
    pub(crate) const MOST_BYTES: usize = 2048;

    /// Begins the buffers of a kind of event, by its number.
    pub(crate) fn begin(&mut self, kind: usize) {
        self.shape.clear();
        self.shape.push(kind);
        self.data.clear();
        self.is_too_much = false;
    }

    /// Begins an array of so many values, none of which is missing: its first buffer is empty.
    pub(crate) fn array(&mut self, values: usize) {
        self.shape.push(values);
    }

    /// Adds a buffer of the array.
    pub(crate) fn buffer<T: NoUninit>(&mut self, values: &[T]) {
        let bytes: &[u8] = cast_slice(values);
        if self.data.len() + bytes.len() + ALIGNMENT > Self::MOST_BYTES {
            return self.give_up();
        }
        self.shape.push(bytes.len());
        self.data.extend(bytes);
        self.data.resize(self.data.len().next_multiple_of(ALIGNMENT), 0);
    }

    /// Adds the buffer of offsets of lists that end there.
    pub(crate) fn offsets(&mut self, ends: impl Iterator<Item = usize>) {
        let offsets = std::iter::once(0).chain(ends).map(i32::try_from);
        match offsets.collect::<Result<Vec<i32>, _>>() {
            Ok(offsets) => self.buffer(&offsets),
            Err(_) => self.give_up(),
        }
    }

    /// They are too many, or not of the simple kind.
    pub(crate) fn give_up(&mut self) {
        self.is_too_much = true;
    }

    /// What the message before the data goes by: kind, number of values of each array, length of
    /// each buffer; `None` where not all was taken in.
    pub(crate) fn shape(&self) -> Option<&[usize]> {
        (!self.is_too_much).then_some(&self.shape)
    }

    /// All buffers, aligned.
    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }
}

/// The columns of a batch, taken one after the other.
pub(crate) struct Arrays<'a>(std::slice::Iter<'a, ArrayRef>);

impl<'a> Arrays<'a> {
    /// Starts at the first column.
    pub(crate) fn new(columns: &'a [ArrayRef]) -> Self {
        Self(columns.iter())
    }

    /// The next column.
    pub(crate) fn next(&mut self) -> Result<&'a ArrayRef, ArrowError> {
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
    /// The buffers of this array.
    fn buffers(cells: &[Self], into: &mut Buffers);
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

    fn buffers(&self, form: Form, into: &mut Buffers) {
        if form != Form::Rows {
            into.array(1);
            into.offsets([self.len()].into_iter());
        }
        T::buffers(self, into);
    }

    fn take(arrays: &mut Arrays<'_>, form: Form) -> Result<Self, ArrowError> {
        T::cells(&arrays.values(form)?)
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

/// The values of an array of this type.
pub(crate) fn primitive<T: ArrowPrimitiveType>(
    array: &dyn Array,
) -> Result<&PrimitiveArray<T>, ArrowError> {
    array.as_primitive_opt::<T>().ok_or_else(|| unlike("a column has another type"))
}

/// Columns that are not those of the event.
pub(crate) fn unlike(what: &str) -> ArrowError {
    ArrowError::SchemaError(what.to_owned())
}
