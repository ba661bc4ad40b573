//! Values over time as the file writes them, one shape for prices, fees and powers: a bare value,
//! `TimeOfUse` or `Series`.

use crate::dialect::{Report, WorldText};
use chrono::{Datelike, NaiveDate, Weekday};
use ron_places::{
    Named, Node, Place, Read, Spanned, choice, meant,
    read::{Fields, all, expected, missing, newtype, variant},
    shape,
    shape::{Choice, Kind, Payload, Variant},
    suggest,
};
use std::fmt::Debug;
use voltide_model::{
    physical::{self, Physical},
    quantity::{Kilowatts, Price, QuantityError, TimeOfDay},
};

/// A quantity that worlds give over time.
pub(crate) trait Amount: Read<WorldText> + Clone + Debug {
    /// What is written in a band of old: `price`.
    const OLD_FIELD: Option<&'static str>;
    /// What a band could have.
    const EXAMPLE: &'static str;
    /// What it is, and what a unit of it looks like.
    const UNITS: &'static str;
    /// What it may be.
    const RANGE: &'static Physical;

    /// The number in the base unit.
    fn number(&self) -> f64;

    /// What `1` of `unit` is.
    fn one(unit: &str) -> Result<Self, QuantityError>;

    /// The currency, of a price.
    fn currency(&self) -> Option<&str>;
}

impl Amount for Price {
    const OLD_FIELD: Option<&'static str> = Some("price");
    const EXAMPLE: &'static str = "\"0.18 EUR/kWh\"";
    const UNITS: &'static str = "price";
    const RANGE: &'static Physical = &physical::PRICE;

    fn number(&self) -> f64 {
        self.per_kwh
    }

    fn one(unit: &str) -> Result<Self, QuantityError> {
        format!("1 {unit}").parse()
    }

    fn currency(&self) -> Option<&str> {
        Some(&self.currency)
    }
}

impl Amount for Kilowatts {
    const OLD_FIELD: Option<&'static str> = None;
    const EXAMPLE: &'static str = "\"2 MW\"";
    const UNITS: &'static str = "power";
    const RANGE: &'static Physical = &physical::SYSTEM_POWER;

    fn number(&self) -> f64 {
        self.0
    }

    fn one(unit: &str) -> Result<Self, QuantityError> {
        format!("1 {unit}").parse()
    }

    fn currency(&self) -> Option<&str> {
        None
    }
}

/// A value that holds where it is written, in the quantity of its field.
#[derive(Debug, Clone)]
pub(crate) struct Value<Q>(pub(crate) Spanned<Q>);

impl<Q: Read<WorldText>> Read<WorldText> for Value<Q> {
    fn kind() -> Kind {
        Kind::Bare("value")
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        Spanned::read(node, report).map(Self)
    }
}

/// A value for every slot of a run.
#[derive(Debug, Clone)]
pub(crate) enum OverTime<Q: Amount> {
    /// The same at all times.
    Fixed(Spanned<Q>),
    /// By the time of day, the day of the week and the month.
    TimeOfUse(TimeOfUseFile<Q>),
    /// From a file.
    Series(Box<SeriesFile>),
}

const VARIANTS: [&str; 3] = ["Fixed", "TimeOfUse", "Series"];

impl<Q: Amount> Read<WorldText> for OverTime<Q> {
    fn kind() -> Kind {
        let variant = |name, docs, payload| Variant { name, docs, payload };
        let bare = match Q::kind() {
            Kind::Text(what) | Kind::Bare(what) => Some(what),
            Kind::Struct(_) | Kind::Choice(_) | Kind::Map(_) | Kind::List(_) | Kind::Any(_) => None,
        };
        Kind::Choice(Choice {
            name: "value over time",
            docs: &[
                " A price or a power in every slot. A bare value, `\"0.30 EUR/kWh\"` or `\"2 \
                 MW\"`, holds at all",
                " times; `(path: ...)` alone is a series.",
            ],
            variants: vec![
                variant(
                    "Fixed",
                    &[" The same at all times, as the bare value."],
                    Payload::Newtype(Value::<Q>::kind),
                ),
                variant(
                    "TimeOfUse",
                    &[" By the time of day, the day of the week and the month."],
                    Payload::Fields(TimeOfUseFile::<Q>::kind),
                ),
                variant(
                    "Series",
                    &[" From a file, with a unit such as `\"EUR/MWh\"` or `\"MW\"`."],
                    Payload::Fields(SeriesFile::kind),
                ),
            ],
            bare,
            bare_fields: Some(SeriesFile::kind),
        })
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        let name = node.variant().0;
        if name.is_empty() && node.text.starts_with('(') {
            return SeriesFile::read(node, report).map(|file| Self::Series(Box::new(file)));
        }
        if name.is_empty() && !node.text.starts_with(['{', '[']) {
            return Spanned::read(node, report).map(Self::Fixed);
        }
        // A name unlike any variant is rather a value that lacks its quotes than a variant
        // misspelt.
        if name.is_empty() || meant(name, VARIANTS).is_none() {
            let what = format!("{} or TimeOfUse(...), Series(...)", Q::kind().article_label());
            return expected(node, report, &what);
        }
        match variant(node, "value over time", &VARIANTS, report)? {
            "Fixed" => newtype::<_, Spanned<Q>>(node, report).map(Self::Fixed),
            "TimeOfUse" => TimeOfUseFile::read(node, report).map(Self::TimeOfUse),
            _ => SeriesFile::read(node, report).map(|file| Self::Series(Box::new(file))),
        }
    }
}

shape! {
    /// Values by the time of day, the day of the week and the month, on the wall clock of the
    /// world's time zone.
    pub(crate) struct TimeOfUseFile "time of use" for WorldText <Q: Amount> {
        /// The value outside all bands.
        default: Value<Q> => r#""0.30 EUR/kWh""#,
        /// Bands with values of their own; no two of them may hold at one moment.
        bands: Vec<BandFile<Q>> => r#"[(from: "23:00", to: "07:00", value: "0.18 EUR/kWh")]"#,
    }
}

shape! {
    /// A part of the day with a value of its own, every day or on some. A band across midnight
    /// belongs to the day on which it begins: `(from: "22:00", to: "06:00", days: [Fri], ...)` ends
    /// on Saturday.
    pub(crate) struct BandFields "band" for WorldText <Q: Amount> at place {
        /// When it begins.
        from: Option<Spanned<TimeOfDay>> = None => "`\"00:00\"`",
        /// When it ends; before `from` for a band across midnight.
        to: Option<Spanned<TimeOfDay>> = None => "`\"24:00\"`",
        /// Days of the week on which it begins: `Weekdays` (Monday to Friday), `Weekend`, a list
        /// such as `[Mon, Wed]`, or `(from: Fri, to: Mon)`, both included.
        days: Option<Days> = None => "every day",
        /// Months in which it begins: a list such as `[Jan, Feb]` or `[1, 2]`, or
        /// `(from: Oct, to: Mar)`, both included.
        months: Option<Months> = None => "every month",
        /// Its value.
        value: Option<Value<Q>> = None => "**required**, as `\"0.18 EUR/kWh\"`",
        /// An older word for `value`, of prices.
        price: Option<Value<Q>> = None => "none",
    }
}

/// A band with its value.
#[derive(Debug, Clone)]
pub(crate) struct BandFile<Q: Amount> {
    /// When it begins; at midnight where it is left out.
    pub(crate) from: Option<Spanned<TimeOfDay>>,
    /// When it ends; at midnight where it is left out.
    pub(crate) to: Option<Spanned<TimeOfDay>>,
    /// The days on which it begins.
    pub(crate) days: Days,
    /// The months in which it begins.
    pub(crate) months: Months,
    /// Its value.
    pub(crate) value: Spanned<Q>,
    /// Where it begins in the text.
    pub(crate) place: Place,
}

impl<Q: Amount> Read<WorldText> for BandFile<Q> {
    fn kind() -> Kind {
        BandFields::<Q>::kind()
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        let BandFields { from, to, days, months, value, price, place } =
            BandFields::<Q>::read(node, report)?;
        let value = match (value, price) {
            (Some(value), None) => value.0,
            // Worlds in old journals have this word, and bands of nothing but prices.
            (None, Some(price)) if Q::OLD_FIELD.is_some() => price.0,
            (None, None) => {
                missing(place, &node.path, &[("value", Q::EXAMPLE)], report);
                return None;
            }
            (Some(_) | None, Some(price)) => {
                let message = format!("`{}` has its value under `price`", node.path);
                let help = "`price` is an older word for the `value` of a band of prices; write \
                            `value`, once";
                report.add_help(price.0.place, message, "not here", help);
                return None;
            }
        };
        let days = days.unwrap_or(Days::ALL);
        let months = months.unwrap_or(Months::ALL);
        Some(Self { from, to, days, months, value, place })
    }
}

choice! {
    /// A day of the week.
    pub(crate) enum DayFile "day" for WorldText {
        /// Monday.
        Mon,
        /// Tuesday.
        Tue,
        /// Wednesday.
        Wed,
        /// Thursday.
        Thu,
        /// Friday.
        Fri,
        /// Saturday.
        Sat,
        /// Sunday.
        Sun,
    }
}

/// Names of months as the file writes them.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A month, from 0.
#[derive(Debug, Clone, Copy)]
struct MonthFile(usize);

impl Read<WorldText> for MonthFile {
    fn kind() -> Kind {
        Kind::Bare("month")
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        let number = node.parse::<usize>().ok().filter(|number| (1..=12).contains(number));
        let named = MONTHS.iter().position(|name| *name == node.text);
        let found = number.map(|number| number - 1).or(named);
        if found.is_none() {
            let message = format!("`{}` cannot be {}", node.path, node.describe());
            let help = suggest(node.text, "month", MONTHS);
            report.add_help(
                node.place,
                message,
                "not a month",
                format!("a month is 1 to 12, or its name; {help}"),
            );
        }
        found.map(Self)
    }
}

/// Both ends of a part of a circle.
struct Ends<T>(T, T);

impl<T: Read<WorldText>> Ends<T> {
    fn read(node: &Node<'_>, title: &str, report: &mut Report) -> Option<Self> {
        let mut fields = Fields::of(node, title, &["from", "to"], report)?;
        let mut end = |name| fields.take(name).map(|node| T::read(&node, report));
        let (from, to) = (end("from"), end("to"));
        let lacking: Vec<_> = [("from", from.is_none()), ("to", to.is_none())]
            .into_iter()
            .filter_map(|(name, lacks)| lacks.then_some((name, "...")))
            .collect();
        missing(node.head(), &node.path, &lacking, report);
        Some(Self(from??, to??))
    }
}

/// Those of `length` places in a circle that lie from one to another, both included.
fn around<const LENGTH: usize>(from: usize, to: usize) -> [bool; LENGTH] {
    let span = (to + LENGTH - from) % LENGTH;
    std::array::from_fn(|at| (at + LENGTH - from) % LENGTH <= span)
}

/// Days of the week, from Monday.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Days([bool; 7]);

impl Days {
    /// Every day.
    const ALL: Self = Self([true; 7]);

    /// Whether a date is one of them.
    pub(crate) fn contain(self, day: Weekday) -> bool {
        self.0[day.num_days_from_monday() as usize]
    }
}

impl DayFile {
    fn index(&self) -> usize {
        match self {
            Self::Mon => 0,
            Self::Tue => 1,
            Self::Wed => 2,
            Self::Thu => 3,
            Self::Fri => 4,
            Self::Sat => 5,
            Self::Sun => 6,
        }
    }
}

/// What `days` may be instead of a list.
const DAY_NAMES: [&str; 10] =
    ["Daily", "Weekdays", "Weekend", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl Read<WorldText> for Days {
    fn kind() -> Kind {
        Kind::Bare("days")
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        if node.text.starts_with('(') {
            let Ends(from, to) = Ends::<DayFile>::read(node, "range of days", report)?;
            return Some(Self(around(from.index(), to.index())));
        }
        if let Some(items) = node.items() {
            return some(&items, node, report, |day: DayFile| day.index()).map(Self);
        }
        match variant(node, "days", &DAY_NAMES, report)? {
            "Daily" => Some(Self::ALL),
            "Weekdays" => Some(Self(around(0, 4))),
            "Weekend" => Some(Self(around(5, 6))),
            _ => DayFile::read(node, report).map(|day| Self(around(day.index(), day.index()))),
        }
    }
}

/// Months, from January.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Months([bool; 12]);

impl Months {
    /// Every month.
    const ALL: Self = Self([true; 12]);

    /// Whether the month, from 0, is one of them.
    pub(crate) fn contain(self, month: u32) -> bool {
        self.0[month as usize]
    }
}

impl Read<WorldText> for Months {
    fn kind() -> Kind {
        Kind::Bare("months")
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        if node.text.starts_with('(') {
            let Ends(from, to) = Ends::<MonthFile>::read(node, "range of months", report)?;
            return Some(Self(around(from.0, to.0)));
        }
        match node.items() {
            Some(items) => some(&items, node, report, |month: MonthFile| month.0).map(Self),
            None => MonthFile::read(node, report).map(|month| Self(around(month.0, month.0))),
        }
    }
}

/// The places of a list in a circle; none at all is wrong.
fn some<T: Read<WorldText>, const LENGTH: usize>(
    items: &[Node<'_>],
    list: &Node<'_>,
    report: &mut Report,
    index: impl Fn(T) -> usize,
) -> Option<[bool; LENGTH]> {
    if items.is_empty() {
        return expected(list, report, "at least one");
    }
    let mut found = [false; LENGTH];
    for item in all(items.iter().map(|item| T::read(item, report)))? {
        found[index(item)] = true;
    }
    Some(found)
}

impl<Q: Amount> BandFile<Q> {
    /// Whether the band begins on a date.
    pub(crate) fn begins_on(&self, date: NaiveDate) -> bool {
        self.days.contain(date.weekday()) && self.months.contain(date.month0())
    }
}

shape! {
    /// Values over time from a CSV or Parquet file. Each row holds from its timestamp to the
    /// next; rows are equally spaced, in order and without gaps. A slot takes the mean of the rows
    /// over it, weighted by time: longer rows are held, shorter ones averaged.
    pub(crate) struct SeriesFile "series" for WorldText at place within whole {
        /// Path of the file, from the world file's folder.
        path: Spanned<String> => r#""data/series.csv""#,
        /// Name of the column, or several with factors to sum: `{"total": 1, "pumping": -1}`.
        column: ColumnFile => r#""load_mw""#,
        /// Unit of the values.
        unit: Spanned<String> => r#""MW""#,
        /// Factor on the values.
        scale: Spanned<f64> = Spanned { value: 1.0, place: Place::NOWHERE } => "1",
        /// Prices added in every slot, each by the name of what it is for, such as a grid fee; they
        /// may change over time, too. Only prices have them.
        adders: Named<OverTime<Price>> = Named::default() => "none",
        /// Name of the column of timestamps, RFC 3339 or `2018-10-08T00:00`.
        time: Option<Spanned<String>> = None => "\"ts\"",
        /// Time zone of timestamps that name no offset.
        time_zone: Option<Spanned<String>> = None => "timestamps name their offset",
    }
}

/// One column, or several with factors.
#[derive(Debug, Clone)]
pub(crate) struct ColumnFile(pub(crate) Vec<(Spanned<String>, f64)>);

impl Read<WorldText> for ColumnFile {
    fn kind() -> Kind {
        Kind::Text("column name, or {column name: factor}")
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        match node.entries() {
            None if node.text.starts_with('{') => expected(node, report, "a map"),
            None => Some(Self(vec![(Spanned::read(node, report)?, 1.0)])),
            Some(Err(place)) => {
                report.add(place, "a column's name is not a string", "not a string");
                None
            }
            Some(Ok(entries)) if entries.is_empty() => {
                expected(node, report, "at least one column")
            }
            Some(Ok(entries)) => all(entries.iter().map(|(key, node)| {
                let name = Spanned { value: key.name.clone(), place: key.place };
                Some((name, f64::read(node, report)?))
            }))
            .map(Self),
        }
    }
}
