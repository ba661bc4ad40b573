//! Shapes of a file, declared once: for reading, for overrides and for the reference.
//!
//! [`shape!`](crate::shape!) declares a struct and [`choice!`](crate::choice!) an enum as a text
//! writes them, each field with its documentation and either its default and how that is written,
//! or the value to paste when it is missing. `for Dialect` says in whose texts it stands, [`Plain`]
//! where it is left out; `at place` keeps where the struct begins in a field of that name,
//! `within place` all of it. Both derive [`Read`](crate::Read), which takes a value of the text
//! apart, and [`Kind`](crate::shape::Kind), from which the field reference is written and overrides
//! know what they set.
//!
//! What a program has already, such as a type of its model, is not declared again: with
//! `use Existing as "title" { ... }` in place of the declaration both say how a text writes it,
//! with all fields and a name for every variant that it has.
//!
//! [`Plain`]: crate::Plain

/// Declares a struct as a text writes it; see [`declare`](mod@crate::declare).
#[macro_export]
macro_rules! shape {
    ($(#[doc = $doc:literal])*
    $vis:vis struct $name:ident $title:literal $(for $dialect:ident)? $(<$q:ident: $bound:ident>)?
    $(at $place:ident)? $(within $whole:ident)? {
        $($(#[doc = $field_doc:literal])* $field:ident: $ty:ty $(= $default:expr)? => $sample:literal,)*
    }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        $vis struct $name $(<$q: $bound>)? {
            $($(#[doc = $field_doc])* $vis $field: $ty,)*
            $(
                /// Where it begins in the text.
                $vis $place: $crate::Place,
            )?
            $(
                /// All of it in the text.
                $vis $whole: $crate::Place,
            )?
        }

        $crate::shape! {
            @read [$(<$q: $bound>)?] $name [$(<$q>)?] $title [$($dialect)?] [$($place)?] [$($whole)?]
            [$($doc),*] {
                $([$($field_doc),*] $field: $ty $(= $default)? => $sample,)*
            }
        }
    };
    ($(#[doc = $doc:literal])* use $name:ident as $title:literal $(for $dialect:ident)? {
        $($(#[doc = $field_doc:literal])* $field:ident: $ty:ty $(= $default:expr)? => $sample:literal,)*
    }) => {
        $crate::shape! {
            @read [] $name [] $title [$($dialect)?] [] [] [$($doc),*] {
                $([$($field_doc),*] $field: $ty $(= $default)? => $sample,)*
            }
        }
    };
    (@read [$($bounds:tt)*] $name:ident [$($parameters:tt)*] $title:literal
    [$($dialect:ident)?] [$($place:ident)?] [$($whole:ident)?] [$($doc:literal),*] {
        $([$($field_doc:literal),*] $field:ident: $ty:ty $(= $default:expr)? => $sample:literal,)*
    }) => {
        impl $($bounds)* $crate::Read<$crate::shape!(@dialect $($dialect)?)> for $name $($parameters)* {
            fn kind() -> $crate::shape::Kind {
                type InDialect = $crate::shape!(@dialect $($dialect)?);
                $crate::shape::Kind::Struct($crate::shape::Struct {
                    name: $title,
                    docs: &[$($doc),*],
                    fields: vec![$($crate::shape::Field {
                        name: stringify!($field),
                        docs: &[$($field_doc),*],
                        kind: <$ty as $crate::Read<InDialect>>::kind,
                        required: $crate::shape!(@required $($default)?),
                        sample: $sample,
                    }),*],
                })
            }

            fn read(
                node: &$crate::Node<'_>,
                report: &mut $crate::Report<$crate::shape!(@dialect $($dialect)?)>,
            ) -> Option<Self> {
                let known = [$(stringify!($field)),*];
                let mut fields = $crate::read::Fields::of(node, $title, &known, report)?;
                // All fields are read before the first that is wrong ends it, so that each tells
                // its own problem.
                $(let $field: Option<$ty> = match fields.take(stringify!($field)) {
                    Some(node) => $crate::Read::read(&node, report),
                    None => $crate::shape!(@absent fields report $field $sample; $($default)?),
                };)*
                fields.finish(report);
                Some(Self { $($field: $field?,)* $($place: node.head(),)? $($whole: node.place,)? })
            }
        }
    };
    (@dialect) => { $crate::Plain };
    (@dialect $dialect:ident) => { $dialect };
    (@required) => { true };
    (@required $default:expr) => { false };
    (@absent $fields:ident $report:ident $field:ident $sample:literal;) => {
        $fields.missing(stringify!($field), $sample, $report)
    };
    (@absent $fields:ident $report:ident $field:ident $sample:literal; $default:expr) => {
        Some($default)
    };
}

/// Declares an enum as a text writes it; see [`declare`](mod@crate::declare).
#[macro_export]
macro_rules! choice {
    ($(#[doc = $doc:literal])* $vis:vis enum $name:ident $title:literal $(for $dialect:ident)? {
        $($(#[doc = $variant_doc:literal])* $variant:ident $(($inner:ty))? $({$fields:ty})?,)*
    }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        $vis enum $name {
            $($(#[doc = $variant_doc])* $variant $(($inner))? $(($fields))?,)*
        }

        $crate::choice! {
            $(#[doc = $doc])*
            use $name as $title $(for $dialect)? {
                $($(#[doc = $variant_doc])* $variant $(($inner))? $({$fields})?,)*
            }
        }
    };
    ($(#[doc = $doc:literal])* use $name:ident as $title:literal $(for $dialect:ident)? {
        $($(#[doc = $variant_doc:literal])* $variant:ident $(($inner:ty))? $({$fields:ty})?,)*
    }) => {
        impl $crate::Read<$crate::shape!(@dialect $($dialect)?)> for $name {
            fn kind() -> $crate::shape::Kind {
                type InDialect = $crate::shape!(@dialect $($dialect)?);
                $crate::shape::Kind::Choice($crate::shape::Choice {
                    name: $title,
                    docs: &[$($doc),*],
                    variants: vec![$($crate::shape::Variant {
                        name: stringify!($variant),
                        docs: &[$($variant_doc),*],
                        payload: $crate::choice!(@payload InDialect $(($inner))? $({$fields})?),
                    }),*],
                    bare: None,
                    bare_fields: None,
                })
            }

            fn read(
                node: &$crate::Node<'_>,
                report: &mut $crate::Report<$crate::shape!(@dialect $($dialect)?)>,
            ) -> Option<Self> {
                // A variant without a name in the text would be one that nobody can ask for.
                const _: fn(&$name) = |value| match value {
                    $($name::$variant { .. } => (),)*
                };
                let known = [$(stringify!($variant)),*];
                match $crate::read::variant(node, $title, &known, report)? {
                    $(stringify!($variant) => {
                        $crate::choice!(@read node report $variant $(($inner))? $({$fields})?)
                    })*
                    _ => None,
                }
            }
        }
    };
    (@payload $dialect:ident) => { $crate::shape::Payload::Unit };
    (@payload $dialect:ident ($inner:ty)) => {
        $crate::shape::Payload::Newtype(<$inner as $crate::Read<$dialect>>::kind)
    };
    (@payload $dialect:ident {$fields:ty}) => {
        $crate::shape::Payload::Fields(<$fields as $crate::Read<$dialect>>::kind)
    };
    (@read $node:ident $report:ident $variant:ident) => {
        $crate::read::unit($node, $report).then_some(Self::$variant)
    };
    (@read $node:ident $report:ident $variant:ident ($inner:ty)) => {
        $crate::read::newtype::<_, $inner>($node, $report).map(Self::$variant)
    };
    (@read $node:ident $report:ident $variant:ident {$fields:ty}) => {
        <$fields as $crate::Read<_>>::read($node, $report).map(Self::$variant)
    };
}
