//! Records of figures: what a run, or a part of one, comes to.
//!
//! A figure is declared once, with its unit and its meaning, by [`figures!`](crate::figures): the
//! struct's field, its documentation, its name in JSON and its row in `docs/figures.md` follow from
//! that.

/// What is known of a record of figures without having one.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// Its name.
    pub name: &'static str,
    /// What it is, by the lines of its documentation.
    pub meaning: &'static [&'static str],
    /// Its figures, in order.
    pub fields: &'static [Field],
}

/// What is known of a figure in a record.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name, in JSON too, the unit last.
    pub name: &'static str,
    /// Its type, as Rust writes it.
    pub kept: &'static str,
    /// Its unit; `currency` of money, empty where it has none.
    pub unit: &'static str,
    /// What a positive value means; empty where that goes without saying.
    pub sign: &'static str,
    /// What it is, by the lines of its documentation.
    pub meaning: &'static [&'static str],
}

impl Record {
    /// The figure of this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// Declares records of figures.
///
/// ```
/// voltide_model::figures! {
///     /// What a car did.
///     #[derive(Debug, Default)]
///     pub struct Moved {
///         /// Energy that it charged.
///         charged_kwh: f64 = "kWh",
///         /// Mean power.
///         mean_kw: f64 = "kW", "positive charges",
///         /// Sessions that it had.
///         sessions: u64,
///     }
/// }
/// let fields = Moved::RECORD.fields;
/// assert_eq!((fields[1].name, fields[1].unit), ("mean_kw", "kW"));
/// assert_eq!(fields[2].meaning, [" Sessions that it had."]);
/// ```
#[macro_export]
macro_rules! figures {
    ($(
        $(#[doc = $meaning:literal])+
        $(#[derive($($derived:path),+)])?
        pub struct $name:ident {
            $(
                $(#[doc = $said:literal])+
                $field:ident: $type:ty $(= $unit:literal $(, $sign:literal)?)?,
            )+
        }
    )+) => {$(
        $(#[doc = $meaning])+
        $(#[derive($($derived),+)])?
        pub struct $name {$(
            $(#[doc = $said])+
            $(#[doc = concat!("\n\nUnit: ", $unit, $("; ", $sign,)? ".")])?
            pub $field: $type,
        )+}

        impl $name {
            /// What is known of all of them.
            pub const RECORD: $crate::figure::Record = $crate::figure::Record {
                name: stringify!($name),
                meaning: &[$($meaning),+],
                fields: &[$($crate::figure::Field {
                    name: stringify!($field),
                    kept: stringify!($type),
                    unit: concat!($($unit)?),
                    sign: concat!($($($sign)?)?),
                    meaning: &[$($said),+],
                },)+],
            };
        }
    )+};
}
