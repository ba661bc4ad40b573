//! Fields of batches that are more than a value a row: ascending ids, and schedules.

use super::field::{Arrays, Buffers, Columns, Field, Form, Same, Stored, primitive, unlike};
use arrow_array::{
    ArrayRef, ListArray, StructArray, UInt16Array, cast::AsArray, types::UInt16Type,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{ArrowError, DataType, Field as ArrowField};
use serde_json::{Value, json};
use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// Ids of cars, stays, chargers or sites, which ascend: kept as gaps to the id before, in two
/// columns of 16 bits, `<name>_gap` and `<name>_gap_high`, nearly always zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids<T>(pub Vec<T>);

/// What an id can do that ascends in a batch.
pub(crate) trait Id: Copy + From<u32> + Into<u32> {}

impl<T: Copy + From<u32> + Into<u32>> Id for T {}

impl<T> Default for Ids<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for Ids<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T> DerefMut for Ids<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

impl<T> From<Vec<T>> for Ids<T> {
    fn from(ids: Vec<T>) -> Self {
        Self(ids)
    }
}

impl<T> FromIterator<T> for Ids<T> {
    fn from_iter<I: IntoIterator<Item = T>>(ids: I) -> Self {
        Self(ids.into_iter().collect())
    }
}

impl<'a, T> IntoIterator for &'a Ids<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// The gap before each id, as its lower and its upper half.
fn gaps<T: Id>(ids: &[T]) -> (Vec<u16>, Vec<u16>) {
    // Ids that ascend have small gaps, whose upper halves are nearly all 0 and take no room in a
    // column of their own. Where they do not, as stays by car, a gap wraps.
    let numbers = || ids.iter().map(|&id| -> u32 { id.into() });
    let before = std::iter::once(0).chain(numbers());
    let gaps = numbers().zip(before).map(|(id, before)| id.wrapping_sub(before));
    gaps.map(|gap| (gap as u16, (gap >> 16) as u16)).unzip()
}

impl<T: Id> Field for Ids<T> {
    fn values(&self) -> Vec<Value> {
        self.0.iter().map(|&id| Value::from(id.into())).collect()
    }

    fn brief(&self, _: Form) -> Option<Value> {
        None
    }
}

impl<T: PartialEq> Same for Ids<T> {
    fn same(&self, other: &Self) -> bool {
        self == other
    }
}

impl<T: Id> Columns for Ids<T> {
    fn fields(name: &str, _: Form) -> Vec<ArrowField> {
        let gap = |suffix| ArrowField::new(format!("{name}_gap{suffix}"), DataType::UInt16, false);
        vec![gap(""), gap("_high")]
    }

    fn arrays(&self, _: Form) -> Result<Vec<ArrayRef>, ArrowError> {
        let (low, high) = gaps(&self.0);
        Ok(vec![Arc::new(UInt16Array::from(low)), Arc::new(UInt16Array::from(high))])
    }

    fn buffers(&self, _: Form, into: &mut Buffers) {
        let (low, high) = gaps(&self.0);
        for half in [low, high] {
            into.array(half.len());
            into.buffer(&half);
        }
    }

    fn take(arrays: &mut Arrays<'_>, _: Form) -> Result<Self, ArrowError> {
        let low = primitive::<UInt16Type>(arrays.next()?)?;
        let high = primitive::<UInt16Type>(arrays.next()?)?;
        let gaps = low.values().iter().zip(high.values());
        let gaps = gaps.map(|(low, high)| u32::from(*low) | u32::from(*high) << 16);
        let ids = gaps.scan(0_u32, |id, gap| {
            *id = id.wrapping_add(gap);
            Some(T::from(*id))
        });
        Ok(ids.collect())
    }
}

/// Run-length coded schedules, one a row.
///
/// That of row i is the segments `offset[i]..offset[i + 1]`; a segment's power holds from its slot
/// to the next segment's, and the power of the last one is 0.
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
        // Checked here, since `OffsetBuffer` panics; Arrow's offsets are signed.
        let ends = starts[0] == 0 && starts[starts.len() - 1] as usize == count;
        if !ends || !starts.is_sorted() || i32::try_from(count).is_err() {
            return Err(unlike("segment offsets do not ascend from 0 to the number of segments"));
        }
        Ok(OffsetBuffer::new(starts.iter().map(|start| start.cast_signed()).collect()))
    }
}

impl Field for Segments {
    fn values(&self) -> Vec<Value> {
        let segment =
            |(slot, power_kw): (&u32, &f64)| json!({ "slot": slot, "power_kw": power_kw });
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
        (&self.offset, &self.slot) == (&other.offset, &other.slot)
            && self.power_kw.same(&other.power_kw)
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

    fn buffers(&self, _: Form, into: &mut Buffers) {
        let rows = self.offset.len().saturating_sub(1);
        if rows == 0 || self.list_offsets().is_err() || self.slot.len() != self.power_kw.len() {
            return into.give_up();
        }
        into.array(rows);
        into.buffer(&self.offset);
        into.array(self.slot.len());
        Stored::buffers(&self.slot, into);
        Stored::buffers(&self.power_kw, into);
    }

    fn take(arrays: &mut Arrays<'_>, _: Form) -> Result<Self, ArrowError> {
        let lists = arrays.next()?;
        let lists = lists.as_list_opt::<i32>().ok_or_else(|| unlike("a list was expected"))?;
        let segments = lists.values();
        let parts = segments.as_struct_opt().ok_or_else(|| unlike("a struct was expected"))?;
        let offset: Vec<u32> =
            lists.value_offsets().iter().map(|offset| offset.cast_unsigned()).collect();
        if offset.first() != Some(&0) || offset.last() != Some(&(segments.len() as u32)) {
            return Err(unlike("segments do not belong to any row"));
        }
        let mut parts = Arrays::new(parts.columns());
        let slot = Vec::take(&mut parts, Form::Rows)?;
        Ok(Self { offset, slot, power_kw: Vec::take(&mut parts, Form::Rows)? })
    }
}
