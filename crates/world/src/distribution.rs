//! Distributions as the file writes them: a bare value, or `Normal`, `Uniform`, `Empirical`.

use crate::{
    data_file::EmpiricalFile,
    dialect::{Report, WorldText},
    input::Values,
};
use ron_places::{
    Node, Place, Read, meant,
    read::{expected, variant},
    shape,
    shape::{Choice, Kind, Payload, Variant},
};
use voltide_model::{
    distribution::Distribution,
    quantity::{Hours, KilowattHours, Share, TimeOfDay},
};

/// A quantity that can be drawn.
pub(crate) trait Quantity: Read<WorldText> + Copy + std::fmt::Debug {
    /// What differences of it are measured in.
    type Spread: Quantity;
    /// Unit of [`value`](Self::value), as a series carries it.
    const UNIT: &'static str;

    /// The number in the base unit.
    fn value(self) -> f64;

    /// The number in the base unit that `1` of `unit` in a file is.
    fn factor(unit: &str) -> Result<f64, String>;
}

impl Quantity for KilowattHours {
    type Spread = Self;
    const UNIT: &'static str = "kWh";

    fn value(self) -> f64 {
        self.0
    }

    fn factor(unit: &str) -> Result<f64, String> {
        format!("1 {unit}").parse::<Self>().map(|one| one.0).map_err(|error| error.to_string())
    }
}

impl Quantity for Share {
    type Spread = Self;
    const UNIT: &'static str = "1";

    fn value(self) -> f64 {
        self.get()
    }

    fn factor(unit: &str) -> Result<f64, String> {
        match unit {
            "" | "1" => Ok(1.0),
            "%" => Ok(0.01),
            _ => Err(format!("`{unit}` is not a unit of share; leave it out, or use \"%\"")),
        }
    }
}

impl Quantity for Hours {
    type Spread = Self;
    const UNIT: &'static str = "h";

    fn value(self) -> f64 {
        self.0
    }

    fn factor(unit: &str) -> Result<f64, String> {
        format!("1 {unit}").parse::<Self>().map(|one| one.0).map_err(|error| error.to_string())
    }
}

impl Quantity for TimeOfDay {
    type Spread = Hours;
    const UNIT: &'static str = "h";

    fn value(self) -> f64 {
        self.0
    }

    fn factor(unit: &str) -> Result<f64, String> {
        Hours::factor(unit)
    }
}

/// A parameter of a distribution, in the quantity that the distribution is of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawn<T>(T);

impl<T: Read<WorldText>> Read<WorldText> for Drawn<T> {
    fn kind() -> Kind {
        Kind::Bare("what is drawn")
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        T::read(node, report).map(Self)
    }
}

/// A distribution of `Q`.
#[derive(Debug, Clone)]
pub(crate) struct Dist<Q: Quantity> {
    /// Where it is written.
    pub(crate) place: Place,
    shape: DistShape<Q>,
}

#[derive(Debug, Clone)]
enum DistShape<Q: Quantity> {
    Fixed(Q),
    Normal(NormalFile<Q>),
    Uniform(UniformFile<Q>),
    Empirical(EmpiricalFile),
}

shape! {
    /// A normal distribution, drawn again until the value lies between the bounds.
    pub(crate) struct NormalFile "normal" for WorldText <Q: Quantity> {
        /// Mean, before the bounds.
        mean: Drawn<Q> => "...",
        /// Standard deviation, before the bounds.
        sd: Drawn<Q::Spread> => "...",
        /// Smallest value.
        min: Option<Drawn<Q>> = None => "what is possible; for times of day 12 h before the mean",
        /// Largest value.
        max: Option<Drawn<Q>> = None => "what is possible; for times of day 12 h after the mean",
    }
}

shape! {
    /// Every value between the bounds equally likely.
    pub(crate) struct UniformFile "uniform" for WorldText <Q: Quantity> {
        /// Smallest value.
        min: Drawn<Q> => "...",
        /// Largest value.
        max: Drawn<Q> => "...",
    }
}

const VARIANTS: [&str; 3] = ["Normal", "Uniform", "Empirical"];

impl<Q: Quantity> Read<WorldText> for Dist<Q> {
    fn kind() -> Kind {
        let variant = |name, docs, payload| Variant { name, docs, payload };
        Kind::Choice(Choice {
            name: "distribution",
            docs: &[" What a number is drawn from. A bare value is that value, always."],
            variants: vec![
                variant(
                    "Normal",
                    &[" Normal within bounds."],
                    Payload::Fields(NormalFile::<Q>::kind),
                ),
                variant(
                    "Uniform",
                    &[" Uniform between bounds."],
                    Payload::Fields(UniformFile::<Q>::kind),
                ),
                variant(
                    "Empirical",
                    &[" Values from a file."],
                    Payload::Fields(EmpiricalFile::kind),
                ),
            ],
            bare: match Q::kind() {
                Kind::Text(what) | Kind::Bare(what) => Some(what),
                _ => None,
            },
            bare_fields: None,
        })
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        let what = "distribution";
        let name = node.variant().0;
        // `inf` and `NaN` look like names, and are numbers that are refused as such.
        let is_bare = name.is_empty() || node.parse::<f64>().is_ok();
        let shape = if is_bare && !node.text.starts_with(['(', '{', '[']) {
            Q::read(node, report).map(DistShape::Fixed)
        } else if name.is_empty() || meant(name, VARIANTS).is_none() {
            let what = format!(
                "{} or Normal(...), Uniform(...), Empirical(...)",
                Q::kind().article_label()
            );
            return expected(node, report, &what);
        } else {
            match variant(node, what, &VARIANTS, report)? {
                "Normal" => NormalFile::read(node, report).map(DistShape::Normal),
                "Uniform" => UniformFile::read(node, report).map(DistShape::Uniform),
                _ => EmpiricalFile::read(node, report).map(DistShape::Empirical),
            }
        };
        Some(Self { place: node.place, shape: shape? })
    }
}

/// What a distribution may reach.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    /// Least value that makes sense, and the default lower bound.
    pub(crate) min: f64,
    /// Largest value that makes sense, and the default upper bound.
    pub(crate) max: f64,
    /// Whether `min` itself is excluded, in which case there is no default lower bound.
    pub(crate) above_min: bool,
    /// What the bounds are, for messages: "0 kWh", "`soc_max`".
    pub(crate) what: &'static str,
}

impl<Q: Quantity> Dist<Q> {
    /// The distribution in the base unit, checked against `range`.
    ///
    /// `name` is its path in the world, by which `values` gives what it is drawn from.
    pub(crate) fn resolve(
        &self,
        name: &str,
        range: Range,
        values: &mut dyn Values,
        report: &mut Report,
    ) -> Option<Distribution> {
        let distribution = match &self.shape {
            DistShape::Fixed(value) => Distribution::Fixed(value.value()),
            DistShape::Normal(normal) => normal.resolve(range),
            DistShape::Uniform(uniform) => {
                Distribution::Uniform { min: uniform.min.0.value(), max: uniform.max.0.value() }
            }
            DistShape::Empirical(file) => {
                let factor = file.factor::<Q>(name, report)?;
                Distribution::Empirical(values.samples(name, Q::UNIT, file, factor, report)?)
            }
        };
        if let Err(error) = distribution.check() {
            report.add(
                self.place,
                format!("`{name}` cannot be drawn: {error}"),
                "this distribution",
            );
            return None;
        }
        self.check_range(name, &distribution, range, report).then_some(distribution)
    }

    fn check_range(
        &self,
        name: &str,
        distribution: &Distribution,
        range: Range,
        report: &mut Report,
    ) -> bool {
        let (low, high) = distribution.bounds();
        let below = if range.above_min { low <= range.min } else { low < range.min };
        if !below && high <= range.max {
            return true;
        }
        let reached = if below { low } else { high };
        let message = if reached.is_finite() {
            let verb = if matches!(self.shape, DistShape::Fixed(_)) { "is" } else { "may be" };
            format!("`{name}` {verb} {reached} {}", unit_word(Q::UNIT))
        } else {
            format!("`{name}` may fall to any value")
        };
        let help = match (&self.shape, below) {
            (DistShape::Normal(_), true) => format!("it must be {}; give `min`", range.what),
            (DistShape::Normal(_), false) => format!("it must be {}; give `max`", range.what),
            _ => format!("it must be {}", range.what),
        };
        report.add_help(self.place, message.trim_end().to_owned(), "out of range", help);
        false
    }
}

fn unit_word(unit: &'static str) -> &'static str {
    if unit == "1" { "" } else { unit }
}

impl<Q: Quantity> NormalFile<Q> {
    fn resolve(&self, range: Range) -> Distribution {
        let low = if range.above_min { f64::NEG_INFINITY } else { range.min };
        Distribution::Normal {
            mean: self.mean.0.value(),
            sd: self.sd.0.value(),
            min: self.min.map_or(low, |min| min.0.value()),
            max: self.max.map_or(range.max, |max| max.0.value()),
        }
    }
}

impl EmpiricalFile {
    /// The factor to the base unit that the file's unit means.
    fn factor<Q: Quantity>(&self, name: &str, report: &mut Report) -> Option<f64> {
        let (unit, place) = match &self.unit {
            Some(unit) => (unit.value.as_str(), unit.place),
            None => ("", self.place),
        };
        let factor = Q::factor(unit);
        factor
            .map_err(|error| report.add(place, format!("`{name}`: {error}"), "give `unit`").clone())
            .ok()
    }
}

impl Dist<TimeOfDay> {
    /// The middle of the distribution in hours, where the file tells it.
    pub(crate) fn middle(&self) -> Option<f64> {
        match &self.shape {
            DistShape::Fixed(value) => Some(value.0),
            DistShape::Normal(normal) => Some(normal.mean.0.0),
            DistShape::Uniform(uniform) => Some(f64::midpoint(uniform.min.0.0, uniform.max.0.0)),
            DistShape::Empirical(_) => None,
        }
    }
}
