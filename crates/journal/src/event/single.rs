//! Fields that hold one value: how each is kept, told and compared.

use super::{
    Build, Stage,
    cell::as_written,
    field::{Arrays, Buffers, Cell, Columns, Field, Form, Same, Stored, unlike},
};
use crate::hex;
use arrow_array::{ArrayRef, BinaryArray, cast::AsArray};
use arrow_schema::{ArrowError, DataType, Field as ArrowField};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{ops::Deref, sync::Arc};
use voltide_model::{id::StayId, rules::Rules};

/// Fields that hold one value: in JSON, or in a column of a single row.
macro_rules! single {
    ($($type:ty),+) => {$(
        impl Field for $type {
            fn values(&self) -> Vec<Value> {
                vec![Cell::value(self)]
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

            fn buffers(&self, _: Form, into: &mut Buffers) {
                Stored::buffers(std::slice::from_ref(self), into);
            }

            fn take(arrays: &mut Arrays<'_>, _: Form) -> Result<Self, ArrowError> {
                let cells = Self::cells(arrays.next()?)?;
                let [cell] = cells.try_into().map_err(|_| unlike("one row was expected"))?;
                Ok(cell)
            }
        }
    )+};
}

single!(u32, String, Stage);

/// Fields of JSON that are told as they are.
macro_rules! plain {
    ($($type:ty),+) => {$(
        impl Field for $type {
            fn values(&self) -> Vec<Value> {
                vec![json!(self)]
            }
        }
    )+};
}

plain!(bool, i64, u64, Rules, Build, StayId);

/// Fields that are the same where they are equal.
macro_rules! alike {
    ($($type:ty),+) => {$(
        impl Same for $type {
            fn same(&self, other: &Self) -> bool {
                self == other
            }
        }
    )+};
}

alike!(bool, i64, u64, Rules, Build, StayId, Bytes, Hash, [u8; 32], LongText);

impl Field for f64 {
    fn values(&self) -> Vec<Value> {
        vec![json!(self)]
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

    fn not_finite(&self) -> Option<usize> {
        self.as_ref().and_then(Field::not_finite)
    }
}

impl Same for Option<f64> {
    fn same(&self, other: &Self) -> bool {
        self.map(as_written) == other.map(as_written)
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

impl Columns for Bytes {
    fn fields(name: &str, _: Form) -> Vec<ArrowField> {
        vec![ArrowField::new(name, DataType::Binary, false)]
    }

    fn arrays(&self, _: Form) -> Result<Vec<ArrayRef>, ArrowError> {
        Ok(vec![Arc::new(BinaryArray::from_iter_values([&self.0]))])
    }

    fn buffers(&self, _: Form, into: &mut Buffers) {
        into.array(1);
        into.offsets([self.0.len()].into_iter());
        into.buffer(&self.0);
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
        vec![hex::digits(&self.0.to_be_bytes()).into()]
    }
}

impl Columns for Hash {
    fn fields(name: &str, _: Form) -> Vec<ArrowField> {
        vec![ArrowField::new(name, DataType::UInt64, false)]
    }

    fn arrays(&self, _: Form) -> Result<Vec<ArrayRef>, ArrowError> {
        Ok(vec![Stored::array(&[self.0])])
    }

    fn buffers(&self, _: Form, into: &mut Buffers) {
        Stored::buffers(&[self.0], into);
    }

    fn take(arrays: &mut Arrays<'_>, _: Form) -> Result<Self, ArrowError> {
        let cells = u64::cells(arrays.next()?)?;
        cells.first().copied().map(Self).ok_or_else(|| unlike("one row was expected"))
    }
}

impl Field for [u8; 32] {
    fn values(&self) -> Vec<Value> {
        vec![hex::digits(self).into()]
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
