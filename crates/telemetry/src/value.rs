//! What columns may hold: for each type its kind in the dictionary, and how its values are kept
//! until they are written.

use crate::column::Kind;
use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array,
    TimestampMicrosecondArray,
    builder::{StringBuilder, StringDictionaryBuilder},
    types::Int32Type,
};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, NullBuffer, ScalarBuffer};
use std::{convert::identity, sync::Arc};
use voltide_model::{clock::Clock, columns::slot_micros};

/// The type of a column.
pub(crate) trait Value {
    /// One of its values.
    type Cell<'a>;
    /// Its values, growing.
    type Store: Default;
    /// What the dictionary says of it.
    const KIND: Kind;
    /// Whether values may be missing.
    const OPTIONAL: bool = false;

    /// Adds a value.
    fn push(store: &mut Self::Store, cell: Self::Cell<'_>);

    /// Adds something in the place of a value that is missing.
    fn push_filler(store: &mut Self::Store);

    /// Takes out all values; those are missing that `nulls` says.
    fn take(store: &mut Self::Store, nulls: Option<NullBuffer>) -> ArrayRef;
}

/// A type whose values are kept side by side, so that a column can take in many at once.
pub(crate) trait Plain: Value<Store = Vec<Self::Kept>> {
    /// A value as it is kept.
    type Kept: Copy + Default;

    /// The value as it is kept.
    fn kept(self) -> Self::Kept;
}

/// The values of a column, growing.
pub(crate) struct Values<T: Value>(T::Store);

impl<T: Value> Default for Values<T> {
    fn default() -> Self {
        Self(T::Store::default())
    }
}

impl<T: Value> Values<T> {
    /// Adds a value.
    pub(crate) fn push(&mut self, cell: T::Cell<'_>) {
        T::push(&mut self.0, cell);
    }

    /// Takes out all values.
    pub(crate) fn take(&mut self) -> ArrayRef {
        T::take(&mut self.0, None)
    }
}

impl<T: Plain> Values<T> {
    /// Adds values.
    pub(crate) fn extend(&mut self, cells: impl Iterator<Item = T>) {
        self.0.extend(cells.map(T::kept));
    }

    /// Adds a value so many times.
    pub(crate) fn repeat(&mut self, cell: T, count: usize) {
        self.0.resize(self.0.len() + count, cell.kept());
    }
}

impl<T: Plain> Values<Option<T>> {
    /// Adds values, as far as they are there; something has to stand in for the others.
    pub(crate) fn extend(&mut self, are_there: &BooleanBuffer, cells: impl Iterator<Item = T>) {
        self.0.are_there.append_buffer(are_there);
        self.0.values.extend(cells.map(T::kept));
    }

    /// Adds so many values that are missing.
    pub(crate) fn extend_missing(&mut self, count: usize) {
        self.0.are_there.append_n(count, false);
        self.0.values.resize(self.0.values.len() + count, T::Kept::default());
    }
}

/// Values that may be missing.
pub(crate) struct Optional<S> {
    values: S,
    are_there: BooleanBufferBuilder,
}

impl<S: Default> Default for Optional<S> {
    fn default() -> Self {
        Self { values: S::default(), are_there: BooleanBufferBuilder::new(0) }
    }
}

impl<T: Value> Value for Option<T> {
    type Cell<'a> = Option<T::Cell<'a>>;
    type Store = Optional<T::Store>;
    const KIND: Kind = T::KIND;
    const OPTIONAL: bool = true;

    fn push(store: &mut Self::Store, cell: Self::Cell<'_>) {
        store.are_there.append(cell.is_some());
        match cell {
            Some(cell) => T::push(&mut store.values, cell),
            None => T::push_filler(&mut store.values),
        }
    }

    fn push_filler(store: &mut Self::Store) {
        Self::push(store, None);
    }

    fn take(store: &mut Self::Store, _: Option<NullBuffer>) -> ArrayRef {
        T::take(&mut store.values, Some(NullBuffer::new(store.are_there.finish())))
    }
}

/// An instant: microseconds since 1970 (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) i64);

impl Time {
    /// The start of a slot.
    pub(crate) fn of_slot(clock: &Clock, slot: u32) -> Self {
        Self(slot_micros(clock, slot))
    }

    fn micros(self) -> i64 {
        self.0
    }
}

/// Says as what the values of a type are kept, and in which array they are written.
macro_rules! plain {
    ($type:ty: $kind:ident, $kept:ty = $keep:expr, $array:expr) => {
        impl $crate::value::Plain for $type {
            type Kept = $kept;

            fn kept(self) -> $kept {
                $keep(self)
            }
        }

        impl $crate::value::Value for $type {
            type Cell<'a> = Self;
            type Store = Vec<$kept>;
            const KIND: $crate::column::Kind = $crate::column::Kind::$kind;

            fn push(store: &mut Vec<$kept>, cell: Self) {
                store.push($keep(cell));
            }

            fn push_filler(store: &mut Vec<$kept>) {
                store.push(<$kept>::default());
            }

            fn take(
                store: &mut Vec<$kept>,
                nulls: Option<arrow_buffer::NullBuffer>,
            ) -> arrow_array::ArrayRef {
                std::sync::Arc::new($array(std::mem::take(store).into(), nulls))
            }
        }
    };
}

pub(crate) use plain;

plain!(f64: Real, f64 = identity, Float64Array::new);
plain!(f32: Single, f32 = identity, Float32Array::new);
plain!(bool: Flag, bool = identity, flags);
plain!(i32: Int, i32 = identity, Int32Array::new);
plain!(u32: Int, i32 = u32::cast_signed, Int32Array::new);
plain!(u64: Long, i64 = u64::cast_signed, Int64Array::new);
plain!(Time: Time, i64 = Time::micros, instants);

fn instants(values: ScalarBuffer<i64>, nulls: Option<NullBuffer>) -> TimestampMicrosecondArray {
    TimestampMicrosecondArray::new(values, nulls).with_timezone("UTC")
}

fn flags(values: Vec<bool>, nulls: Option<NullBuffer>) -> BooleanArray {
    BooleanArray::new(BooleanBuffer::collect_bool(values.len(), |row| values[row]), nulls)
}

/// One of few words.
pub(crate) enum Word {}

impl Value for Word {
    type Cell<'a> = &'a str;
    type Store = StringDictionaryBuilder<Int32Type>;
    const KIND: Kind = Kind::Word;

    fn push(store: &mut Self::Store, cell: &str) {
        store.append_value(cell);
    }

    fn push_filler(store: &mut Self::Store) {
        store.append_null();
    }

    fn take(store: &mut Self::Store, _: Option<NullBuffer>) -> ArrayRef {
        // The builder knows by itself what is missing.
        Arc::new(store.finish())
    }
}

/// Text, JSON among it.
pub(crate) enum Text {}

impl Value for Text {
    type Cell<'a> = &'a str;
    type Store = StringBuilder;
    const KIND: Kind = Kind::Text;

    fn push(store: &mut Self::Store, cell: &str) {
        store.append_value(cell);
    }

    fn push_filler(store: &mut Self::Store) {
        store.append_null();
    }

    fn take(store: &mut Self::Store, _: Option<NullBuffer>) -> ArrayRef {
        Arc::new(store.finish())
    }
}
