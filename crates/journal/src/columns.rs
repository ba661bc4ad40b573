//! Events as Arrow columns.
//!
//! A batch has a row per car. What is no batch, like a series, is a single row whose values are
//! lists. Ids of cars, stays and chargers ascend, so that they are kept as gaps to the id before,
//! in two columns of 16 bits: `<name>_gap`, and `<name>_gap_high`, nearly always zero.

use crate::event::{
    AnswerNotFinite, ForecastIssued, LimitViolated, PlansAccepted, PolicyStateSaved, PricesSet, SeriesLoaded,
    SessionEnded, SessionStarted, SetPointClipped, StaysExpected, StaysLoaded, TargetMissed, TickSealed,
    TripShort, UnitsDispatched, WillingnessAgreed,
};
use crate::number::Value;
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryArray, ListArray, PrimitiveArray, StringArray, StructArray,
    UInt16Array,
    cast::AsArray,
    types::{Float64Type, Int32Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type},
};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field};
use std::{marker::PhantomData, sync::Arc};

/// An event that is kept as columns.
pub(crate) trait Columns: Sized {
    /// The columns of its batch.
    fn fields() -> Vec<Field>;
    /// The values, in the order of the fields.
    fn arrays(&self) -> Result<Vec<ArrayRef>, ArrowError>;
    /// The event back from its columns.
    fn from_arrays(arrays: &mut Arrays<'_>) -> Result<Self, ArrowError>;
    /// The first of its numbers that is none: the column, and the row.
    fn not_finite(&self) -> Option<(&'static str, usize)>;
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

    fn primitive<T: ArrowPrimitiveType>(&mut self) -> Result<&'a [T::Native], ArrowError> {
        primitive::<T>(self.next()?)
    }

    fn row_list(&mut self) -> Result<ArrayRef, ArrowError> {
        let list = self.next()?.as_list_opt::<i32>().ok_or_else(|| unlike("a list was expected"))?;
        if list.len() == 1 { Ok(list.value(0)) } else { Err(unlike("one row was expected")) }
    }
}

/// How one field of an event becomes columns.
trait Codec {
    type Values;
    fn fields(name: &str) -> Vec<Field>;
    fn arrays(values: &Self::Values) -> Result<Vec<ArrayRef>, ArrowError>;
    fn take(arrays: &mut Arrays<'_>) -> Result<Self::Values, ArrowError>;
    /// Whether the bits are the same.
    fn same(ours: &Self::Values, theirs: &Self::Values) -> bool;
    /// The row of the first number that is none.
    fn not_finite(_values: &Self::Values) -> Option<usize> {
        None
    }
}

/// Ascending ids as gaps.
struct Ids;
/// A value a row.
struct Each<T>(PhantomData<T>);
/// One value in a single row.
struct One<T>(PhantomData<T>);
/// A list of values in a single row.
struct List<T>(PhantomData<T>);
/// A list of values some of which are not known, in a single row.
struct SomeOf<T>(PhantomData<T>);
/// A text in a single row.
struct Text;
/// A list of texts in a single row.
struct Texts;
/// Bytes in a single row.
struct Bytes;

macro_rules! columns {
    ($event:ident { $($field:ident: $codec:ty),+ $(; $rest:ident)? }) => {
        impl Columns for $event {
            fn fields() -> Vec<Field> {
                [$(<$codec>::fields(stringify!($field))),+].concat()
            }
            fn arrays(&self) -> Result<Vec<ArrayRef>, ArrowError> {
                Ok([$(<$codec>::arrays(&self.$field)?),+].concat())
            }
            fn from_arrays(arrays: &mut Arrays<'_>) -> Result<Self, ArrowError> {
                Ok(Self { $($field: <$codec>::take(arrays)?,)+ $($rest: <_>::default())? })
            }
            fn not_finite(&self) -> Option<(&'static str, usize)> {
                $(if let Some(row) = <$codec>::not_finite(&self.$field) {
                    return Some((stringify!($field), row));
                })+
                None
            }
        }

        impl PartialEq for $event {
            fn eq(&self, other: &Self) -> bool {
                $(<$codec>::same(&self.$field, &other.$field))&&+ $(&& self.$rest == other.$rest)?
            }
        }

        impl Eq for $event {}
    };
}

columns!(SeriesLoaded { name: Text, unit: Text, values: List<Float64Type> });
columns!(StaysLoaded {
    fleet: Text,
    arrives: List<Int32Type>,
    leaves: List<Int32Type>,
    announced: List<Int32Type>,
    requested_kwh: List<Float64Type>,
    delivered_kwh: SomeOf<Float64Type>,
    station: Texts
});
columns!(PricesSet {
    tariff: Text,
    first_slot: One<UInt32Type>,
    buy: List<Float64Type>,
    sell: List<Float64Type>,
    tou: List<Float64Type>,
    incentive: List<Float64Type>,
    k: List<Float64Type>,
    net_load_kw: List<Float64Type>,
    net_load_mean_kw: List<Float64Type>
});
columns!(ForecastIssued {
    series: Text,
    first_slot: One<UInt32Type>,
    values: List<Float64Type>,
    arrival_slot: List<UInt32Type>,
    load_slot: List<UInt32Type>,
    load_kw: List<Float64Type>
});
columns!(UnitsDispatched {
    stage: One<UInt8Type>,
    first_slot: One<UInt32Type>,
    step: One<UInt32Type>,
    units: One<UInt32Type>,
    power_kw: List<Float64Type>,
    available_kw: List<Float64Type>,
    charge_kw: List<Float64Type>,
    energy_kwh: List<Float64Type>,
    price_per_kwh: List<Float64Type>,
    on: List<UInt8Type>,
    load_kw: List<Float64Type>,
    unserved_kw: List<Float64Type>,
    spilled_kw: List<Float64Type>
});
columns!(WillingnessAgreed { ev: Ids, slot: Each<UInt32Type>, agreed: Each<UInt8Type> });
columns!(SessionEnded {
    ev: Ids,
    stay: Ids,
    energy_kwh: Each<Float64Type>,
    charged_kwh: Each<Float64Type>,
    discharged_kwh: Each<Float64Type>,
    energy_cost: Each<Float64Type>,
    v2g_revenue: Each<Float64Type>,
    missing_kwh: Each<Float64Type>,
    reason: Each<UInt8Type>
});
columns!(SessionStarted {
    ev: Ids,
    stay: Ids,
    charger: Ids,
    energy_kwh: Each<Float64Type>,
    driven_kwh: Each<Float64Type>,
    departure_slot: Each<UInt32Type>,
    departure_kwh: Each<Float64Type>
});
columns!(TargetMissed { ev: Ids, stay: Ids, missing_kwh: Each<Float64Type>, reason: Each<UInt8Type> });
columns!(StaysExpected { ev: Ids, stay: Ids, expected_kwh: Each<Float64Type> });
columns!(TripShort { ev: Ids, wanted_kwh: Each<Float64Type>, driven_kwh: Each<Float64Type> });
columns!(PolicyStateSaved { policy: Text, state: Bytes });
columns!(AnswerNotFinite { ev: Ids, stay: Ids, slot: Each<UInt32Type>, answer: Each<UInt8Type> });
columns!(SetPointClipped {
    ev: Ids,
    asked_kw: Each<Float64Type>,
    applied_kw: Each<Float64Type>,
    reason: Each<UInt8Type>
});
columns!(LimitViolated { site: Ids, asked_kw: Each<Float64Type>, limit_kw: Each<Float64Type> });
columns!(TickSealed {
    events: One<UInt32Type>,
    components: Texts,
    block_hashes: List<UInt64Type>,
    state_hash: One<UInt64Type>; chain_hash
});

/// A list of segments a row, each a slot and a power.
impl Columns for PlansAccepted {
    fn fields() -> Vec<Field> {
        let segments = list_field("segments", segment_type());
        [Ids::fields("ev"), Ids::fields("stay"), vec![segments]].concat()
    }

    fn arrays(&self) -> Result<Vec<ArrayRef>, ArrowError> {
        let values =
            [Each::<UInt32Type>::arrays(&self.segment_slot)?, Each::<Float64Type>::arrays(&self.segment_kw)?];
        let DataType::Struct(parts) = segment_type() else { unreachable!("segments are structs") };
        let segments = StructArray::try_new(parts, values.concat(), None)?;
        let offsets = offsets(&self.segment_offset, segments.len())?;
        let lists = ListArray::try_new(item(segment_type()), offsets, Arc::new(segments), None)?;
        Ok([Ids::arrays(&self.ev)?, Ids::arrays(&self.stay)?, vec![Arc::new(lists)]].concat())
    }

    fn from_arrays(arrays: &mut Arrays<'_>) -> Result<Self, ArrowError> {
        let (ev, stay) = (Ids::take(arrays)?, Ids::take(arrays)?);
        let lists = arrays.next()?.as_list_opt::<i32>().ok_or_else(|| unlike("a list was expected"))?;
        let segments = lists.values().as_struct_opt().ok_or_else(|| unlike("a struct was expected"))?;
        let mut parts = Arrays::new(segments.columns());
        let segment_offset: Vec<u32> =
            lists.value_offsets().iter().map(|offset| offset.cast_unsigned()).collect();
        if segment_offset.first() != Some(&0) || segment_offset.last() != Some(&(segments.len() as u32)) {
            return Err(unlike("segments do not belong to any row"));
        }
        let segment_slot = Each::<UInt32Type>::take(&mut parts)?;
        let segment_kw = Each::<Float64Type>::take(&mut parts)?;
        Ok(Self { ev, stay, segment_offset, segment_slot, segment_kw })
    }

    fn not_finite(&self) -> Option<(&'static str, usize)> {
        Each::<Float64Type>::not_finite(&self.segment_kw).map(|row| ("segment_kw", row))
    }
}

impl PartialEq for PlansAccepted {
    fn eq(&self, other: &Self) -> bool {
        let Self { ev, stay, segment_offset, segment_slot, segment_kw } = self;
        (ev, stay) == (&other.ev, &other.stay)
            && (segment_offset, segment_slot) == (&other.segment_offset, &other.segment_slot)
            && all_same(segment_kw, &other.segment_kw)
    }
}

impl Eq for PlansAccepted {}

fn all_same<T: Value>(ours: &[T], theirs: &[T]) -> bool {
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| ours.same(*theirs))
}

fn first_not_finite<T: Value>(values: &[T]) -> Option<usize> {
    values.iter().position(|value| !value.is_finite())
}

impl Codec for Ids {
    type Values = Vec<u32>;

    fn fields(name: &str) -> Vec<Field> {
        let column = |suffix| Field::new(format!("{name}_gap{suffix}"), DataType::UInt16, false);
        vec![column(""), column("_high")]
    }

    fn arrays(ids: &Vec<u32>) -> Result<Vec<ArrayRef>, ArrowError> {
        let before = std::iter::once(&0).chain(ids);
        let (low, high): (Vec<u16>, Vec<u16>) = ids
            .iter()
            .zip(before)
            .map(|(id, before)| id.wrapping_sub(*before))
            .map(|gap| (gap as u16, (gap >> 16) as u16))
            .unzip();
        Ok(vec![Arc::new(UInt16Array::from(low)), Arc::new(UInt16Array::from(high))])
    }

    fn take(arrays: &mut Arrays<'_>) -> Result<Vec<u32>, ArrowError> {
        let (low, high) = (arrays.primitive::<UInt16Type>()?, arrays.primitive::<UInt16Type>()?);
        let gaps = low.iter().zip(high).map(|(low, high)| u32::from(*low) | u32::from(*high) << 16);
        Ok(gaps
            .scan(0_u32, |id, gap| {
                *id = id.wrapping_add(gap);
                Some(*id)
            })
            .collect())
    }

    fn same(ours: &Vec<u32>, theirs: &Vec<u32>) -> bool {
        ours == theirs
    }
}

impl<T: ArrowPrimitiveType<Native: Value>> Codec for Each<T> {
    type Values = Vec<T::Native>;

    fn fields(name: &str) -> Vec<Field> {
        vec![Field::new(name, T::DATA_TYPE, false)]
    }

    fn arrays(values: &Vec<T::Native>) -> Result<Vec<ArrayRef>, ArrowError> {
        Ok(vec![Arc::new(PrimitiveArray::<T>::try_new(ScalarBuffer::from(values.clone()), None)?)])
    }

    fn take(arrays: &mut Arrays<'_>) -> Result<Vec<T::Native>, ArrowError> {
        Ok(arrays.primitive::<T>()?.to_vec())
    }

    fn same(ours: &Vec<T::Native>, theirs: &Vec<T::Native>) -> bool {
        all_same(ours, theirs)
    }

    fn not_finite(values: &Vec<T::Native>) -> Option<usize> {
        first_not_finite(values)
    }
}

impl<T: ArrowPrimitiveType<Native: Value>> Codec for One<T> {
    type Values = T::Native;

    fn fields(name: &str) -> Vec<Field> {
        Each::<T>::fields(name)
    }

    fn arrays(value: &T::Native) -> Result<Vec<ArrayRef>, ArrowError> {
        Each::<T>::arrays(&vec![*value])
    }

    fn take(arrays: &mut Arrays<'_>) -> Result<T::Native, ArrowError> {
        arrays.primitive::<T>()?.first().copied().ok_or_else(|| unlike("one row was expected"))
    }

    fn same(ours: &T::Native, theirs: &T::Native) -> bool {
        ours.same(*theirs)
    }

    fn not_finite(value: &T::Native) -> Option<usize> {
        (!value.is_finite()).then_some(0)
    }
}

impl<T: ArrowPrimitiveType<Native: Value>> Codec for List<T> {
    type Values = Vec<T::Native>;

    fn fields(name: &str) -> Vec<Field> {
        vec![list_field(name, T::DATA_TYPE)]
    }

    fn arrays(values: &Vec<T::Native>) -> Result<Vec<ArrayRef>, ArrowError> {
        row_list(
            T::DATA_TYPE,
            Arc::new(PrimitiveArray::<T>::try_new(ScalarBuffer::from(values.clone()), None)?),
        )
    }

    fn take(arrays: &mut Arrays<'_>) -> Result<Vec<T::Native>, ArrowError> {
        Ok(primitive::<T>(&arrays.row_list()?)?.to_vec())
    }

    fn same(ours: &Vec<T::Native>, theirs: &Vec<T::Native>) -> bool {
        all_same(ours, theirs)
    }

    fn not_finite(values: &Vec<T::Native>) -> Option<usize> {
        first_not_finite(values)
    }
}

impl<T: ArrowPrimitiveType<Native: Value>> Codec for SomeOf<T> {
    type Values = Vec<Option<T::Native>>;

    fn fields(name: &str) -> Vec<Field> {
        vec![Field::new(name, DataType::List(item_or_null(T::DATA_TYPE)), false)]
    }

    fn arrays(values: &Vec<Option<T::Native>>) -> Result<Vec<ArrayRef>, ArrowError> {
        let values: PrimitiveArray<T> = values.iter().copied().collect();
        one_list(item_or_null(T::DATA_TYPE), Arc::new(values))
    }

    fn take(arrays: &mut Arrays<'_>) -> Result<Vec<Option<T::Native>>, ArrowError> {
        let list = arrays.row_list()?;
        let values = list.as_primitive_opt::<T>().ok_or_else(|| unlike("a column has another type"))?;
        Ok(values.iter().collect())
    }

    fn same(ours: &Vec<Option<T::Native>>, theirs: &Vec<Option<T::Native>>) -> bool {
        all_same(ours, theirs)
    }

    fn not_finite(values: &Vec<Option<T::Native>>) -> Option<usize> {
        first_not_finite(values)
    }
}

impl Codec for Text {
    type Values = String;

    fn fields(name: &str) -> Vec<Field> {
        vec![Field::new(name, DataType::Utf8, false)]
    }

    fn arrays(value: &String) -> Result<Vec<ArrayRef>, ArrowError> {
        Ok(vec![Arc::new(StringArray::from_iter_values([value]))])
    }

    fn take(arrays: &mut Arrays<'_>) -> Result<String, ArrowError> {
        texts(arrays.next()?)?.pop().ok_or_else(|| unlike("one row was expected"))
    }

    fn same(ours: &String, theirs: &String) -> bool {
        ours == theirs
    }
}

impl Codec for Texts {
    type Values = Vec<String>;

    fn fields(name: &str) -> Vec<Field> {
        vec![list_field(name, DataType::Utf8)]
    }

    fn arrays(values: &Vec<String>) -> Result<Vec<ArrayRef>, ArrowError> {
        row_list(DataType::Utf8, Arc::new(StringArray::from_iter_values(values)))
    }

    fn take(arrays: &mut Arrays<'_>) -> Result<Vec<String>, ArrowError> {
        texts(&arrays.row_list()?)
    }

    fn same(ours: &Vec<String>, theirs: &Vec<String>) -> bool {
        ours == theirs
    }
}

impl Codec for Bytes {
    type Values = Vec<u8>;

    fn fields(name: &str) -> Vec<Field> {
        vec![Field::new(name, DataType::Binary, false)]
    }

    fn arrays(value: &Vec<u8>) -> Result<Vec<ArrayRef>, ArrowError> {
        Ok(vec![Arc::new(BinaryArray::from_iter_values([value]))])
    }

    fn take(arrays: &mut Arrays<'_>) -> Result<Vec<u8>, ArrowError> {
        let bytes = arrays.next()?.as_binary_opt::<i32>().ok_or_else(|| unlike("bytes were expected"))?;
        bytes.iter().flatten().next().map(<[u8]>::to_vec).ok_or_else(|| unlike("one row was expected"))
    }

    fn same(ours: &Vec<u8>, theirs: &Vec<u8>) -> bool {
        ours == theirs
    }
}

fn item(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new("item", data_type, false))
}

fn list_field(name: &str, data_type: DataType) -> Field {
    Field::new(name, DataType::List(item(data_type)), false)
}

fn segment_type() -> DataType {
    let parts = [Each::<UInt32Type>::fields("slot"), Each::<Float64Type>::fields("power_kw")];
    DataType::Struct(parts.concat().into())
}

fn item_or_null(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new("item", data_type, true))
}

fn row_list(data_type: DataType, values: ArrayRef) -> Result<Vec<ArrayRef>, ArrowError> {
    one_list(item(data_type), values)
}

/// A single row that holds all values.
fn one_list(item: Arc<Field>, values: ArrayRef) -> Result<Vec<ArrayRef>, ArrowError> {
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    Ok(vec![Arc::new(ListArray::try_new(item, offsets, values, None)?)])
}

/// Upcasts `StaysLoaded.v1`, in whose last column but one NaN stands for what was not recorded.
pub(crate) mod stays_loaded_v1 {
    use super::{
        Arc, ArrayRef, AsArray, Codec, Field, Float64Type, List, SomeOf, StaysLoaded, item_or_null, one_list,
    };
    use crate::columns::Columns;
    use arrow_array::{Array, Float64Array, RecordBatch};

    /// Where `delivered_kwh` stands.
    const DELIVERED: usize = 5;

    /// The columns as they were.
    pub(crate) fn fields() -> Vec<Field> {
        let mut fields = StaysLoaded::fields();
        let today = SomeOf::<Float64Type>::fields("delivered_kwh");
        debug_assert_eq!(fields[DELIVERED..=DELIVERED], today);
        fields.splice(DELIVERED..=DELIVERED, List::<Float64Type>::fields("delivered_kwh"));
        fields
    }

    /// The columns as they are today.
    pub(crate) fn to_v2(batch: &RecordBatch) -> Vec<ArrayRef> {
        let mut columns = batch.columns().to_vec();
        let list = columns[DELIVERED].as_list::<i32>().values();
        let values = list.as_primitive::<Float64Type>().values().iter();
        let recorded: Float64Array = values.map(|&energy| (!energy.is_nan()).then_some(energy)).collect();
        let item = item_or_null(list.data_type().clone());
        let delivered = one_list(item, Arc::new(recorded)).expect("a list of one row can be made");
        columns.splice(DELIVERED..=DELIVERED, delivered);
        columns
    }
}

/// List offsets of `starts`, which must ascend from 0 to `count`; none at all stand for no rows.
fn offsets(starts: &[u32], count: usize) -> Result<OffsetBuffer<i32>, ArrowError> {
    let starts = if starts.is_empty() { &[0] } else { starts };
    let ascends = starts[0] == 0 && starts.is_sorted() && starts[starts.len() - 1] as usize == count;
    if !ascends || i32::try_from(count).is_err() {
        return Err(unlike("segment offsets do not ascend from 0 to the number of segments"));
    }
    Ok(OffsetBuffer::new(starts.iter().map(|start| start.cast_signed()).collect()))
}

fn primitive<T: ArrowPrimitiveType>(array: &ArrayRef) -> Result<&[T::Native], ArrowError> {
    let array = array.as_primitive_opt::<T>().ok_or_else(|| unlike("a column has another type"))?;
    Ok(array.values())
}

fn texts(array: &ArrayRef) -> Result<Vec<String>, ArrowError> {
    let texts = array.as_string_opt::<i32>().ok_or_else(|| unlike("a text was expected"))?;
    Ok(texts.iter().flatten().map(str::to_owned).collect())
}

fn unlike(what: &str) -> ArrowError {
    ArrowError::SchemaError(what.to_owned())
}
