//! How tables are declared: each once, for the dictionary, its columns and its rows; and how those
//! are filled that are filled row by row.

use crate::{
    column::Table,
    error::TelemetryError,
    file::Place,
    layout::Layout,
    named::NamedColumn,
    table_file::{TableFile, WrittenFile},
};
use arrow_array::{ArrayRef, RecordBatch};
use std::sync::Arc;

/// Rows are handed to the file in batches of this many.
const BATCH_ROWS: usize = 8192;

/// The columns of a table, growing.
pub(crate) trait TableColumns: Default {
    /// Its entry in the dictionary.
    const TABLE: &'static Table;

    /// Takes out all columns, in the dictionary's order.
    fn take(&mut self) -> Vec<ArrayRef>;

    /// Takes out all rows.
    fn batch(&mut self) -> RecordBatch {
        let layout = Layout::of(Self::TABLE).expect("every table can be laid out");
        RecordBatch::try_new(Arc::clone(&layout.schema), self.take())
            .expect("dictionary and columns are of one declaration")
    }
}

/// The columns of a table that is filled row by row.
pub(crate) trait TableRows: TableColumns {
    /// One row: its values by name.
    type Row<'a>;

    /// Adds a row.
    fn push(&mut self, row: Self::Row<'_>);
}

/// Declares a table: `TABLE`, its entry in the dictionary, and `Columns`, its growing columns by
/// name.
///
/// ```text
/// /// What one row is.
/// [pub] NAME [by KEY, KEY ...] {
///     /// What the column is.
///     NAME: TYPE [= UNIT] [, sign(WHAT A POSITIVE VALUE MEANS)] [, repeating];
/// }
/// ```
/// Names, units, signs and meanings are told to readers as they stand there. The types are those of
/// [`crate::value`]; an `Option` may be null.
macro_rules! columns {
    (
        $(#[doc = $description:literal])+
        $visible:vis $name:ident $(by $($key:ident),+)? {$(
            $(#[doc = $meaning:literal])+
            $column:ident: $type:ty $(= $unit:literal)? $(, $note:ident $(($text:expr))?)*;
        )+}
    ) => {
        #[doc = concat!("The table `", stringify!($name), "`: its entry in the dictionary.")]
        $visible static TABLE: $crate::column::Table = $crate::column::Table {
            name: stringify!($name),
            description: concat!($($description),+).trim_ascii(),
            key: &[$($(stringify!($key)),+)?],
            columns: &[$(
                $crate::column::Column::new(
                    stringify!($column),
                    <$type as $crate::value::Value>::KIND,
                    concat!($($unit)?),
                    concat!($($meaning),+).trim_ascii(),
                )
                .optional(<$type as $crate::value::Value>::OPTIONAL)
                $(.$note($($text)?))*,
            )+],
        };

        /// The columns of the table, growing.
        #[derive(Default)]
        pub(crate) struct Columns {$(
            pub(crate) $column: $crate::value::Values<$type>,
        )+}

        impl $crate::rows::TableColumns for Columns {
            const TABLE: &'static $crate::column::Table = &TABLE;

            fn take(&mut self) -> Vec<arrow_array::ArrayRef> {
                vec![$(self.$column.take(),)+]
            }
        }
    };
}

/// Declares a table that is filled row by row: as [`columns`], and `Row`, a row's values by name.
macro_rules! rows {
    (
        $(#[doc = $description:literal])+
        $visible:vis $name:ident $(by $($key:ident),+)? {$(
            $(#[doc = $meaning:literal])+
            $column:ident: $type:ty $(= $unit:literal)? $(, $note:ident $(($text:expr))?)*;
        )+}
    ) => {
        $crate::rows::columns! {
            $(#[doc = $description])+
            $visible $name $(by $($key),+)? {$(
                $(#[doc = $meaning])+
                $column: $type $(= $unit)? $(, $note $(($text))?)*;
            )+}
        }

        /// A row of the table: its values by name.
        pub(crate) struct Row<'a> {$(
            pub(crate) $column: <$type as $crate::value::Value>::Cell<'a>,
        )+}

        impl $crate::rows::TableRows for Columns {
            type Row<'a> = Row<'a>;

            fn push(&mut self, row: Row<'_>) {
                $(self.$column.push(row.$column);)+
            }
        }
    };
}

pub(crate) use {columns, rows};

/// A table with its file and the rows that are not written yet.
pub(crate) struct RowTable<R> {
    file: TableFile,
    columns: R,
    pending: usize,
    rows: u64,
}

impl<R: TableRows> RowTable<R> {
    /// Begins the table's file in a place.
    pub(crate) fn create(place: &Place) -> Result<Self, TelemetryError> {
        let file = TableFile::create(place, R::TABLE, R::TABLE.glob())?;
        Ok(Self { file, columns: R::default(), pending: 0, rows: 0 })
    }

    /// Number of rows so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: R::Row<'_>) -> Result<(), TelemetryError> {
        self.columns.push(row);
        self.pending += 1;
        self.rows += 1;
        if self.pending == BATCH_ROWS { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), TelemetryError> {
        self.pending = 0;
        self.file.write(&self.columns.batch())?;
        if self.file.group_is_full(0) { self.file.end_group() } else { Ok(()) }
    }

    /// Writes all rows, with more columns than the table has, and the footer.
    pub(crate) fn close_wider(
        mut self,
        more: Vec<NamedColumn>,
    ) -> Result<WrittenFile, TelemetryError> {
        if more.is_empty() || self.pending == 0 {
            return self.close();
        }
        self.file.write_wider(&self.columns.batch(), more)?;
        self.file.close()
    }

    /// Writes the last rows and the footer.
    pub(crate) fn close(mut self) -> Result<WrittenFile, TelemetryError> {
        if self.pending > 0 {
            self.write()?;
        }
        self.file.close()
    }
}

#[cfg(test)]
mod tests {
    use super::{TableColumns, TableRows};
    use crate::{
        column::Kind,
        value::{Text, Word},
    };
    use arrow_array::{
        cast::AsArray,
        types::{Float64Type, Int32Type},
    };

    rows! {
        /// A row of
        /// two lines.
        samples by place {
            /// where
            place: u32;
            /// a measured
            /// power
            power_kw: Option<f64> = "kW", sign("positive draws"), repeating;
            /// what it is of
            word: Option<Word>;
            /// what to know of it
            note: Option<Text>;
        }
    }

    #[test]
    fn the_dictionary_says_what_the_declaration_says() {
        assert_eq!((TABLE.name, TABLE.description), ("samples", "A row of two lines."));
        assert_eq!(TABLE.key, ["place"]);
        let power = TABLE.columns[1];
        assert_eq!((power.name, power.kind, power.unit), ("power_kw", Kind::Real, "kW"));
        assert_eq!((power.description, power.sign), ("a measured power", "positive draws"));
        assert!(power.nullable && power.repeats);
        assert!(!TABLE.columns[0].nullable && !TABLE.columns[0].repeats);
    }

    #[test]
    fn a_value_that_is_missing_is_null_and_the_others_stay_where_they_are() {
        let mut columns = Columns::default();
        let missing = Row { place: 0, power_kw: None, word: None, note: None };
        columns.push(missing);
        columns.push(Row { place: 7, power_kw: Some(1.5), word: Some("a"), note: Some("b") });
        let batch = columns.batch();
        let column = |name| batch.column_by_name(name).unwrap();
        assert_eq!(column("place").as_primitive::<Int32Type>().values(), &[0, 7]);
        let powers = column("power_kw").as_primitive::<Float64Type>();
        assert_eq!(powers.iter().collect::<Vec<_>>(), [None, Some(1.5)]);
        let words = column("word").as_dictionary::<Int32Type>();
        let words = words.downcast_dict::<arrow_array::StringArray>().unwrap();
        assert_eq!(words.into_iter().collect::<Vec<_>>(), [None, Some("a")]);
        let notes = column("note").as_string::<i32>();
        assert_eq!(notes.iter().collect::<Vec<_>>(), [None, Some("b")]);
        assert_eq!(columns.batch().num_rows(), 0);
    }
}
