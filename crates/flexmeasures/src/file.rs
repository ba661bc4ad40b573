//! The JSON as it is written: flex model, flex context, and the envelope around them.
//!
//! Every field that FlexMeasures 1.0.1 knows stands here, so that what is not supported can say
//! so; a field that is not here is an error that names it.

use crate::{
    amount::{Amount, AmountVisitor},
    time::{Aware, IsoDuration},
};
use serde::{
    Deserialize, Deserializer,
    de::{
        Error, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer,
        value::SeqAccessDeserializer,
    },
};
use std::{collections::BTreeMap, fmt, marker::PhantomData};

/// A problem, and what stands around it in a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct File {
    pub(crate) name: Option<IgnoredAny>,
    pub(crate) description: Option<IgnoredAny>,
    pub(crate) tags: Option<IgnoredAny>,
    pub(crate) expected: Option<IgnoredAny>,
    pub(crate) timezone: Option<String>,
    pub(crate) start: Option<Aware>,
    pub(crate) end: Option<Aware>,
    pub(crate) duration: Option<IsoDuration>,
    pub(crate) resolution: Option<IsoDuration>,
    pub(crate) flex_model: Option<OneOrMany<Entry>>,
    pub(crate) flex_context: Option<Context>,
    pub(crate) sensors: BTreeMap<String, Series>,
}

/// A named series of a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Series {
    pub(crate) unit: String,
    pub(crate) resolution: IsoDuration,
    pub(crate) start: Aware,
    pub(crate) values: Vec<Option<f64>>,
    /// Sign of the values: decides where only `inflexible-device-sensors` names the sensor.
    #[serde(default, alias = "consumption_is_positive")]
    pub(crate) consumption_is_positive: Option<bool>,
}

/// One entry of a flex model: a storage device, a fixed device, or a group of devices.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Entry {
    pub(crate) sensor: Option<Id>,
    pub(crate) asset: Option<Id>,
    pub(crate) soc_unit: Option<String>,
    pub(crate) soc_at_start: Option<Amount>,
    pub(crate) state_of_charge: Option<Variable>,
    pub(crate) soc_min: Option<Amount>,
    pub(crate) soc_max: Option<Amount>,
    pub(crate) soc_minima: Option<Variable>,
    pub(crate) soc_maxima: Option<Variable>,
    pub(crate) soc_targets: Option<Variable>,
    pub(crate) soc_gain: Option<Vec<Variable>>,
    pub(crate) soc_usage: Option<Vec<Variable>>,
    pub(crate) roundtrip_efficiency: Option<Amount>,
    pub(crate) charging_efficiency: Option<Variable>,
    pub(crate) discharging_efficiency: Option<Variable>,
    pub(crate) storage_efficiency: Option<Variable>,
    pub(crate) prefer_charging_sooner: Option<bool>,
    pub(crate) prefer_curtailing_later: Option<bool>,
    pub(crate) power_capacity: Option<Variable>,
    pub(crate) consumption_capacity: Option<Variable>,
    pub(crate) production_capacity: Option<Variable>,
    pub(crate) operation_modes: Option<Vec<OperationMode>>,
    pub(crate) group: Option<GroupReference>,
    pub(crate) inflexible_consumption: Option<SensorReference>,
    pub(crate) inflexible_production: Option<SensorReference>,
    pub(crate) commodity: Option<Electricity>,
    pub(crate) coupling: Option<Unsupported>,
    pub(crate) coupling_coefficient: Option<Unsupported>,
    pub(crate) consumption: Option<Unsupported>,
    pub(crate) production: Option<Unsupported>,
}

/// The site that the devices are behind.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Context {
    pub(crate) consumption_price: Option<Variable>,
    pub(crate) production_price: Option<Variable>,
    pub(crate) consumption_price_sensor: Option<Id>,
    pub(crate) production_price_sensor: Option<Id>,
    pub(crate) site_power_capacity: Option<Variable>,
    pub(crate) site_consumption_capacity: Option<Variable>,
    pub(crate) site_production_capacity: Option<Variable>,
    pub(crate) site_consumption_breach_price: Option<Variable>,
    pub(crate) site_production_breach_price: Option<Variable>,
    pub(crate) site_peak_consumption: Option<Variable>,
    pub(crate) site_peak_consumption_price: Option<Variable>,
    pub(crate) site_peak_production: Option<Variable>,
    pub(crate) site_peak_production_price: Option<Variable>,
    pub(crate) soc_minima_breach_price: Option<Variable>,
    pub(crate) soc_maxima_breach_price: Option<Variable>,
    pub(crate) consumption_breach_price: Option<Variable>,
    pub(crate) production_breach_price: Option<Variable>,
    pub(crate) relax_constraints: Option<bool>,
    pub(crate) relax_soc_constraints: Option<bool>,
    pub(crate) relax_site_capacity_constraints: Option<bool>,
    pub(crate) relax_capacity_constraints: Option<bool>,
    pub(crate) inflexible_consumption: Option<Vec<SensorReference>>,
    pub(crate) inflexible_production: Option<Vec<SensorReference>>,
    pub(crate) inflexible_device_sensors: Option<Vec<Id>>,
    pub(crate) commitments: Option<Vec<Commitment>>,
    pub(crate) commodities: Option<Unsupported>,
    pub(crate) commodity: Option<Electricity>,
    pub(crate) aggregate_consumption: Option<Unsupported>,
    pub(crate) aggregate_production: Option<Unsupported>,
    pub(crate) aggregate_power: Option<Unsupported>,
}

/// A price for deviating from an agreed flow.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Commitment {
    pub(crate) name: String,
    pub(crate) baseline: Variable,
    #[serde(default)]
    pub(crate) up_price: Option<Variable>,
    #[serde(default)]
    pub(crate) down_price: Option<Variable>,
    #[serde(default)]
    pub(crate) sensors: Option<Vec<Id>>,
    #[serde(default)]
    pub(crate) group: Option<GroupReference>,
    #[serde(default, rename = "commodity")]
    pub(crate) _commodity: Option<Electricity>,
}

/// A band of power that a device may run in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[derive(Default)]
pub(crate) struct OperationMode {
    pub(crate) consumption_range: Option<[Amount; 2]>,
    pub(crate) production_range: Option<[Amount; 2]>,
}

/// Which group a device belongs to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[derive(Default)]
pub(crate) struct GroupReference {
    pub(crate) asset: Option<Id>,
    pub(crate) sensor: Option<Id>,
}

/// A reference to a series.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct SensorReference {
    pub(crate) sensor: Id,
    #[serde(default)]
    pub(crate) default: Option<Amount>,
    #[serde(default, rename = "source-types")]
    pub(crate) _source_types: Option<Unsupported>,
    #[serde(default, rename = "exclude-source-types")]
    pub(crate) _exclude_source_types: Option<Unsupported>,
    #[serde(default, rename = "sources")]
    pub(crate) _sources: Option<Unsupported>,
    #[serde(default, rename = "source-account")]
    pub(crate) _source_account: Option<Unsupported>,
}

/// A value over a stretch of time, or at an instant.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Event {
    pub(crate) value: Amount,
    #[serde(default)]
    pub(crate) datetime: Option<Aware>,
    #[serde(default)]
    pub(crate) start: Option<Aware>,
    #[serde(default)]
    pub(crate) end: Option<Aware>,
    #[serde(default)]
    pub(crate) duration: Option<IsoDuration>,
}

/// A quantity that may change with time.
#[derive(Debug, Clone)]
pub(crate) enum Variable {
    /// The same throughout.
    Fixed(Amount),
    /// Given by events.
    Events(Vec<Event>),
    /// Given by a series.
    Sensor(SensorReference),
}

// By hand, since serde's `untagged` keeps a copy of what it tries: the path to what is wrong would
// end here, and all that is told would be that no kind fits.
impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyKind;
        impl<'de> Visitor<'de> for AnyKind {
            type Value = Variable;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quantity, a list of timed events, or {\"sensor\": name}")
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Variable, E> {
                AmountVisitor.visit_f64(number).map(Variable::Fixed)
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Variable, E> {
                AmountVisitor.visit_i64(number).map(Variable::Fixed)
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Variable, E> {
                AmountVisitor.visit_u64(number).map(Variable::Fixed)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Variable, E> {
                AmountVisitor.visit_str(text).map(Variable::Fixed)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, events: A) -> Result<Variable, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(events)).map(Variable::Events)
            }
            fn visit_map<A: MapAccess<'de>>(self, reference: A) -> Result<Variable, A::Error> {
                SensorReference::deserialize(MapAccessDeserializer::new(reference))
                    .map(Variable::Sensor)
            }
        }
        deserializer.deserialize_any(AnyKind)
    }
}

/// One entry, or a list of them.
#[derive(Debug)]
pub(crate) enum OneOrMany<T> {
    /// One device, without a name.
    One(Box<T>),
    /// Several, each with its sensor.
    Many(Vec<T>),
}

// By hand for the same reason as `Variable`: problems keep their path into the list.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object, or a list of them")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(OneOrMany::Many)
            }
            fn visit_map<A: MapAccess<'de>>(self, one: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(one))
                    .map(|one| OneOrMany::One(Box::new(one)))
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

/// Name of a sensor or an asset: a text, or a number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(pub(crate) String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Id;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the id or the name of a sensor")
            }
            fn visit_u64<E: Error>(self, id: u64) -> Result<Id, E> {
                Ok(Id(id.to_string()))
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Id, E> {
                Ok(Id(name.to_owned()))
            }
        }
        deserializer.deserialize_any(Name)
    }
}

/// A field that FlexMeasures knows and this program does not act on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unsupported;

impl<'de> Deserialize<'de> for Unsupported {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom(
            "this field is not supported: it is about sensors of a database, other commodities or \
             couplings; leave it out",
        ))
    }
}

/// The one commodity that is supported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Electricity;

impl<'de> Deserialize<'de> for Electricity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let commodity = String::deserialize(deserializer)?;
        if commodity == "electricity" {
            return Ok(Self);
        }
        Err(D::Error::custom(format!(
            "commodity `{commodity}` is not supported; only electricity is"
        )))
    }
}
