//! Shapes of the world file, declared once: for reading, for overrides and for the reference.
//!
//! [`shape!`] declares a struct and [`choice!`] an enum as the file writes them, each field with
//! its documentation and either the line to paste when it is missing or its default; `at place`
//! keeps where the struct begins in a field of that name, `within place` all of it. Both derive
//! [`Read`](crate::read::Read), which takes a value of the file apart, and [`Kind`], from which
//! the field reference is written and overrides know what they set.

/// What a value of the file looks like.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Something written as a string, by what it is: "power", "name".
    Text(&'static str),
    /// Something written without quotes, or in one of several ways.
    Bare(&'static str),
    /// Named fields in parentheses.
    Struct(Struct),
    /// One of several variants.
    Choice(Choice),
    /// `{"name": value}`.
    Map(fn() -> Kind),
    /// `[value, ...]`.
    List(fn() -> Kind),
    /// Fields that a policy defines.
    Config,
}

/// Named fields in parentheses.
#[derive(Debug, Clone)]
pub(crate) struct Struct {
    /// What it is called in the reference.
    pub(crate) name: &'static str,
    /// Its documentation, line by line.
    pub(crate) docs: &'static [&'static str],
    /// Its fields, in order.
    pub(crate) fields: Vec<Field>,
}

/// One field of a [`Struct`].
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its documentation, line by line.
    pub(crate) docs: &'static [&'static str],
    /// What its value looks like.
    pub(crate) kind: fn() -> Kind,
    /// Whether it must be given.
    pub(crate) required: bool,
    /// Its default, or where it is required an example.
    pub(crate) sample: &'static str,
}

/// One of several variants.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    /// What it is called in the reference.
    pub(crate) name: &'static str,
    /// Its documentation, line by line.
    pub(crate) docs: &'static [&'static str],
    /// Its variants, in order.
    pub(crate) variants: Vec<Variant>,
    /// What may stand there without a variant's name.
    pub(crate) bare: Option<&'static str>,
    /// The fields that may stand there in parentheses without a variant's name.
    pub(crate) bare_fields: Option<fn() -> Kind>,
}

/// One variant of a [`Choice`].
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its documentation, line by line.
    pub(crate) docs: &'static [&'static str],
    /// What follows the name.
    pub(crate) payload: Payload,
}

/// What follows the name of a [`Variant`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Payload {
    /// Nothing.
    Unit,
    /// One value in parentheses.
    Newtype(fn() -> Kind),
    /// Named fields in parentheses.
    Fields(fn() -> Kind),
}

impl Kind {
    /// A word for it, with the name of the section that describes it where there is one.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Text(what) | Self::Bare(what) => (*what).to_owned(),
            Self::Struct(Struct { name, .. }) | Self::Choice(Choice { name, .. }) => (*name).to_owned(),
            Self::Map(value) => format!("{{name: {}}}", value().label()),
            Self::List(item) => format!("[{}]", item().label()),
            Self::Config => "fields of the policy".to_owned(),
        }
    }

    /// The label with its article: "an energy".
    pub(crate) fn article_label(&self) -> String {
        with_article(&self.label())
    }
}

/// `word` with "a" or "an" before it.
pub(crate) fn with_article(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {word}")
}

/// Declares a struct of the file; see the module.
macro_rules! shape {
    ($(#[doc = $doc:literal])* struct $name:ident $title:literal $(<$q:ident: $bound:ident>)? $(at $place:ident)? $(within $whole:ident)? {
        $($(#[doc = $field_doc:literal])* $field:ident: $ty:ty $(= $default:expr)? => $sample:literal,)*
    }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        pub(crate) struct $name $(<$q: $bound>)? {
            $($(#[doc = $field_doc])* pub(crate) $field: $ty,)*
            $(
                /// Where it begins in the text.
                pub(crate) $place: $crate::document::Place,
            )?
            $(
                /// All of it in the text.
                pub(crate) $whole: $crate::document::Place,
            )?
        }

        impl $(<$q: $bound>)? $crate::read::Read for $name $(<$q>)? {
            fn kind() -> $crate::shape::Kind {
                $crate::shape::Kind::Struct($crate::shape::Struct {
                    name: $title,
                    docs: &[$($doc),*],
                    fields: vec![$($crate::shape::Field {
                        name: stringify!($field),
                        docs: &[$($field_doc),*],
                        kind: <$ty as $crate::read::Read>::kind,
                        required: $crate::shape::shape!(@required $($default)?),
                        sample: $sample,
                    }),*],
                })
            }

            fn read(node: &$crate::node::Node<'_>, report: &mut $crate::document::Report) -> Option<Self> {
                let mut fields = $crate::read::Fields::of(node, $title, &[$(stringify!($field)),*], report)?;
                $(let $field: Option<$ty> = match fields.take(stringify!($field)) {
                    Some(node) => <$ty as $crate::read::Read>::read(&node, report),
                    None => $crate::shape::shape!(@absent fields $field $sample; $($default)?),
                };)*
                fields.finish(report);
                Some(Self { $($field: $field?,)* $($place: node.head(),)? $($whole: node.place,)? })
            }
        }
    };
    (@required) => { true };
    (@required $default:expr) => { false };
    (@absent $fields:ident $field:ident $sample:literal;) => {
        $fields.missing(stringify!($field), $sample)
    };
    (@absent $fields:ident $field:ident $sample:literal; $default:expr) => { Some($default) };
}

/// Declares an enum of the file; see the module.
macro_rules! choice {
    ($(#[doc = $doc:literal])* enum $name:ident $title:literal {
        $($(#[doc = $variant_doc:literal])* $variant:ident $(($inner:ty))? $({$fields:ty})?,)*
    }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        pub(crate) enum $name {
            $($(#[doc = $variant_doc])* $variant $(($inner))? $(($fields))?,)*
        }

        impl $crate::read::Read for $name {
            fn kind() -> $crate::shape::Kind {
                $crate::shape::Kind::Choice($crate::shape::Choice {
                    name: $title,
                    docs: &[$($doc),*],
                    variants: vec![$($crate::shape::Variant {
                        name: stringify!($variant),
                        docs: &[$($variant_doc),*],
                        payload: $crate::shape::choice!(@payload $(($inner))? $({$fields})?),
                    }),*],
                    bare: None,
                    bare_fields: None,
                })
            }

            fn read(node: &$crate::node::Node<'_>, report: &mut $crate::document::Report) -> Option<Self> {
                let name = $crate::read::variant(node, $title, &[$(stringify!($variant)),*], report)?;
                match name {
                    $(stringify!($variant) => {
                        $crate::shape::choice!(@read node, report, $variant $(($inner))? $({$fields})?)
                    })*
                    _ => None,
                }
            }
        }
    };
    (@payload) => { $crate::shape::Payload::Unit };
    (@payload ($inner:ty)) => { $crate::shape::Payload::Newtype(<$inner as $crate::read::Read>::kind) };
    (@payload {$fields:ty}) => { $crate::shape::Payload::Fields(<$fields as $crate::read::Read>::kind) };
    (@read $node:ident, $report:ident, $variant:ident) => {
        $crate::read::unit($node, $report).then_some(Self::$variant)
    };
    (@read $node:ident, $report:ident, $variant:ident ($inner:ty)) => {
        $crate::read::newtype::<$inner>($node, $report).map(Self::$variant)
    };
    (@read $node:ident, $report:ident, $variant:ident {$fields:ty}) => {
        <$fields as $crate::read::Read>::read($node, $report).map(Self::$variant)
    };
}

pub(crate) use {choice, shape};
