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
