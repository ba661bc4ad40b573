//! What follows from the declaration of an event; [`super`] has the declarations.
//!
//! The macro writes a struct a kind, the enum of all, and for each a [`Kind`] and a way to its
//! fields whatever their types. All else is plain code over those.

pub use super::field::Form;

use super::{
    Entity, Event,
    field::{Arrays, Buffers, Field},
    older::{Content, Older},
};
use crate::error::BodyError;
use arrow_array::ArrayRef;
use arrow_schema::Field as ArrowField;

/// The steps of a run in which events are made; those from `Start` to `Seal` are a tick's, in their
/// order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Before the first tick, or the first after a fork.
    Opening,
    /// The clock moves.
    Start,
    /// Cars unplug and plug in.
    Arrive,
    /// Prices become known.
    Price,
    /// Drivers agree to discharge, or not.
    Agree,
    /// Schedules are made.
    Plan,
    /// Schedules are cut to what can be.
    Limit,
    /// Units are scheduled, and the balance is closed.
    Dispatch,
    /// Batteries and ledgers move.
    Settle,
    /// The tick is complete.
    Seal,
    /// After the last tick.
    Ending,
}

impl Step {
    /// Whether it is a step of a tick, and not before the first or after the last.
    pub fn is_of_a_tick(self) -> bool {
        Self::TICK.contains(&self)
    }

    /// The steps of a tick, in their order.
    pub const TICK: [Self; 9] = [
        Self::Start,
        Self::Arrive,
        Self::Price,
        Self::Agree,
        Self::Plan,
        Self::Limit,
        Self::Dispatch,
        Self::Settle,
        Self::Seal,
    ];
}

/// Where an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Somebody decided it, or drew it: a replay takes it from the journal.
    Decided(Step),
    /// It follows from the state: a replay comes to it by itself, and compares.
    Follows(Step),
}

/// All that is known of a kind of event without having one.
pub struct Kind {
    /// Its name, without the version.
    pub name: &'static str,
    /// Name and version that are written.
    pub version: &'static str,
    /// How its body is kept.
    pub form: Form,
    /// What happened.
    pub meaning: &'static [&'static str],
    /// Where it comes from; more than one where that depends on its content.
    pub origins: &'static [Origin],
    /// What it is about: "ev" or "site", one a row, or "series", "fleet", "tariff", "policy".
    pub about: Option<&'static str>,
    /// Whether the first row of a batch is told even in short.
    pub tells_first: bool,
    /// Its fields, in the order of the log.
    pub fields: &'static [FieldSaid],
    /// Its Arrow columns; none of an event that is JSON.
    pub(crate) columns: fn() -> Vec<ArrowField>,
    /// The event of a body's content.
    pub(crate) take: fn(Content) -> Result<Event, BodyError>,
    /// Versions that are read and no longer written.
    pub(crate) older: &'static [Older],
}

impl Kind {
    /// What happened, as a clause.
    pub fn happening(&self) -> String {
        let meaning = self.meaning.concat();
        let sentence = meaning.split(['.', ':']).next().unwrap_or_default().trim();
        let first = sentence.chars().next().map(|first| first.to_ascii_lowercase());
        first.into_iter().chain(sentence.chars().skip(1)).collect()
    }
}

/// What is known of a field.
#[derive(Debug, Clone, Copy)]
pub struct FieldSaid {
    /// Its name, the unit last.
    pub name: &'static str,
    /// Its type.
    pub kept: &'static str,
    /// Its unit; empty where it has none.
    pub unit: &'static str,
    /// What it means.
    pub meaning: &'static [&'static str],
}

/// An event, whatever its kind.
pub(crate) trait Fact {
    /// Its kind.
    fn kind(&self) -> &'static Kind;
    /// Its fields by name.
    fn fields(&self) -> Vec<(&'static str, &dyn Field)>;
    /// The ids of the rows of a batch.
    fn ids(&self) -> Option<&[u32]>;
    /// The stays of the rows of a batch.
    fn stays(&self) -> Option<&[u32]>;
    /// The one thing that it is about, of an event that is no batch.
    fn about(&self) -> Option<Entity>;
    /// Where it comes from.
    fn origin(&self) -> Origin;
    /// What of it is kept; JSON holds what caused it, too.
    fn body(&self, cause: Option<u64>) -> Result<Body, BodyError>;
    /// The buffers of the columns of its body, where it is columns.
    fn buffers(&self, into: &mut Buffers);
}

/// What of an event is kept.
pub(crate) enum Body {
    /// Of one that is JSON: all of its body.
    Json(Vec<u8>),
    /// Of one that is columns: their values.
    Columns(Vec<ArrayRef>),
}

/// The event whose fields are these columns.
pub(crate) fn from_columns<F>(
    content: Content,
    take: impl FnOnce(&mut Arrays<'_>) -> Result<F, arrow_schema::ArrowError>,
) -> Result<F, BodyError> {
    let Content::Columns(batch) = content else { return Err(BodyError::NotAnEvent) };
    Ok(take(&mut Arrays::new(batch.columns()))?)
}

/// The event whose fields are this JSON.
pub(crate) fn from_json<F: serde::de::DeserializeOwned>(content: Content) -> Result<F, BodyError> {
    let Content::Json(value) = content else { return Err(BodyError::NotAnEvent) };
    Ok(serde_json::from_value(value)?)
}

/// Declares events; see [`super`].
///
/// ```text
/// event NAME vN:
///     rows by ID [in STAYS] [with first]
///         | record [about KIND = FIELD] | control [about KIND = FIELD],
///     decided | follows in STEP [, or decided in STEP if METHOD]
///     [, once [VERSIONS]]
/// { fields, with their units } [beside { fields that its columns or its JSON do not hold }]
/// ```
macro_rules! events {
    ($(
        $(#[doc = $meaning:literal])+
        event $name:ident $version:ident: $form:ident
        $(by $entity:ident $(in $stays:ident)? $(with $first:ident)?)? $(about $topic:ident = $id:ident)?,
        $origin:ident in $step:ident $(, or $other:ident in $other_step:ident if $when:ident)?
        $(, once $older:path)?
        {
            $(
                $(#[doc = $said:literal])+
                $(#[serde($($serde:tt)+)])?
                $field:ident: $type:ty $(= $unit:literal)?,
            )*
        }
        $(beside {
            $(
                $(#[doc = $beside_said:literal])+
                $(#[serde($($beside_serde:tt)+)])?
                $beside:ident: $beside_type:ty,
            )+
        })?
    )+) => {
        /// Everything that can happen.
        ///
        /// Events are equal where their bits are: a replay that comes to the same NaN, which logs
        /// of 0.1 may hold, comes to the same event, and one that comes to another zero does not.
        /// That all events are [`Eq`] keeps the usual comparison of numbers out.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Event { $($(#[doc = $meaning])+ $name($name),)+ }

        /// Every kind of event, in the order of the log's channels.
        pub static KINDS: &[&Kind] = &[$(&$name::KIND),+];

        impl Event {
            pub(crate) fn fact(&self) -> &dyn Fact {
                match self { $(Self::$name(fact) => fact,)+ }
            }
        }

        $(
            events! { @$form
                $(#[doc = $meaning])+
                $name {
                    $(
                        $(#[doc = $said])+
                        $(#[doc = concat!("\n\nUnit: ", $unit, ".")])?
                        $(#[serde($($serde)+)])?
                        $field: $type,
                    )*
                    $($(
                        $(#[doc = $beside_said])+
                        $(#[serde($($beside_serde)+)])?
                        $beside: $beside_type,
                    )+)?
                }
            }

            impl $name {
                /// What is known of all of its kind.
                pub const KIND: Kind = Kind {
                    name: stringify!($name),
                    version: concat!(stringify!($name), ".", stringify!($version)),
                    form: events!(@is $form),
                    meaning: &[$($meaning),+],
                    origins: &[
                        events!(@from $origin $step),
                        $(events!(@from $other $other_step))?
                    ],
                    about: events!(@about $($entity)? $($topic)?),
                    tells_first: events!(@first $($($first)?)?),
                    fields: &[
                        $(FieldSaid {
                            name: stringify!($field),
                            kept: stringify!($type),
                            unit: concat!($($unit)?),
                            meaning: &[$($said),+],
                        },)*
                        $($(FieldSaid {
                            name: stringify!($beside),
                            kept: stringify!($beside_type),
                            unit: "",
                            meaning: &[$($beside_said),+],
                        },)+)?
                    ],
                    columns: events!(@columns $form $($field: $type,)*),
                    take: |content| {
                        events!(@take $form content $name
                            [$($field)*] [$($($beside)+)?])
                            .map(Event::$name)
                    },
                    older: events!(@older $($older)?),
                };
            }

            impl Fact for $name {
                fn kind(&self) -> &'static Kind {
                    &Self::KIND
                }
                fn fields(&self) -> Vec<(&'static str, &dyn Field)> {
                    vec![
                        $((stringify!($field), &self.$field),)*
                        $($((stringify!($beside), &self.$beside),)+)?
                    ]
                }
                fn ids(&self) -> Option<&[u32]> {
                    events!(@slice self $($entity)?)
                }
                fn stays(&self) -> Option<&[u32]> {
                    events!(@slice self $($($stays)?)?)
                }
                fn about(&self) -> Option<Entity> {
                    events!(@entity self $($topic $id)?)
                }
                fn origin(&self) -> Origin {
                    $(if self.$when() {
                        return events!(@from $other $other_step);
                    })?
                    events!(@from $origin $step)
                }
                fn body(&self, cause: Option<u64>) -> Result<Body, BodyError> {
                    events!(@body $form self cause $($field)*)
                }
                fn buffers(&self, into: &mut Buffers) {
                    events!(@buffers $form self into $($field)*);
                }
            }

            impl PartialEq for $name {
                fn eq(&self, other: &Self) -> bool {
                    // An event may have no fields.
                    let _ = other;
                    $(Same::same(&self.$field, &other.$field) &&)*
                    $($(Same::same(&self.$beside, &other.$beside) &&)+)?
                    true
                }
            }

            impl Eq for $name {}
        )+
    };

    (@control $(#[$doc:meta])+ $name:ident {
        $($(#[$attribute:meta])+ $field:ident: $type:ty,)*
    }) => {
        $(#[$doc])+
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        pub struct $name { $($(#[$attribute])+ pub $field: $type,)* }
    };
    (@rows $($tokens:tt)+) => { events! { @columnar $($tokens)+ } };
    (@record $($tokens:tt)+) => { events! { @columnar $($tokens)+ } };
    (@columnar $(#[$doc:meta])+ $name:ident {
        $($(#[$attribute:meta])+ $field:ident: $type:ty,)*
    }) => {
        $(#[$doc])+
        #[derive(Debug, Clone, Default)]
        pub struct $name { $($(#[$attribute])+ pub $field: $type,)* }
    };

    (@is control) => { Form::Control };
    (@is record) => { Form::Record };
    (@is rows) => { Form::Rows };

    (@from decided $step:ident) => { Origin::Decided(Step::$step) };
    (@from follows $step:ident) => { Origin::Follows(Step::$step) };

    (@about) => { None };
    (@about $word:ident) => { Some(stringify!($word)) };

    (@first) => { false };
    (@first first) => { true };

    (@older) => { &[] };
    (@older $older:path) => { $older };

    (@slice $it:ident) => { None };
    (@slice $it:ident $ids:ident) => { Some(bytemuck::cast_slice(&$it.$ids.0)) };

    (@entity $it:ident) => { None };
    (@entity $it:ident $topic:ident $id:ident) => {
        Some(Entity { kind: stringify!($topic), id: $it.$id.clone() })
    };

    (@columns control $($field:ident: $type:ty,)*) => { Vec::new };
    (@columns $form:ident $($field:ident: $type:ty,)*) => {
        || [$(<$type as Columns>::fields(stringify!($field), events!(@is $form))),*].concat()
    };

    (@take control $content:ident $name:ident [$($field:ident)*] [$($beside:ident)*]) => {
        fact::from_json::<$name>($content)
    };
    (@take $form:ident $content:ident $name:ident [$($field:ident)*] [$($beside:ident)*]) => {
        fact::from_columns($content, |arrays| Ok($name {
            $($field: Columns::take(arrays, events!(@is $form))?,)*
            $($beside: Default::default(),)*
        }))
    };

    (@body control $it:ident $cause:ident $($field:ident)*) => {
        Ok(Body::Json(control::json($cause, $it)?))
    };
    (@body $form:ident $it:ident $cause:ident $($field:ident)*) => {{
        // Columns have what caused them behind them.
        let _ = $cause;
        Ok(Body::Columns([$(Columns::arrays(&$it.$field, events!(@is $form))?),*].concat()))
    }};

    (@buffers control $it:ident $into:ident $($field:ident)*) => { $into.give_up() };
    (@buffers $form:ident $it:ident $into:ident $($field:ident)*) => {
        $(Columns::buffers(&$it.$field, events!(@is $form), $into);)*
    };
}

pub(super) use events;
