//! From nodes of the file to values, collecting everything that is wrong on the way.

use crate::{
    document::{Place, Report},
    node::{Key, Node},
    problem::{meant, suggest},
    shape::{Kind, with_article},
};
use std::{ops::Deref, str::FromStr};
use voltide_model::quantity::{
    Hours, KilowattHours, Kilowatts, KilowattsPerHour, Price, QuantityError, Share, TimeOfDay,
};

/// A value that the file can hold.
pub(crate) trait Read: Sized {
    /// What it looks like.
    fn kind() -> Kind;

    /// Reads it; `None` after at least one problem was reported.
    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self>;

    /// What stands for it once it was reported as missing.
    fn absent() -> Option<Self> {
        None
    }
}

/// A value that may have been wrong, so that the rest can be checked without it.
#[derive(Debug, Clone)]
pub(crate) struct Try<T>(Option<T>);

impl<T> Try<T> {
    /// The value; `None` where a problem with it was reported.
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T> From<T> for Try<T> {
    fn from(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T: Read> Read for Try<T> {
    fn kind() -> Kind {
        T::kind()
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        Some(Self(T::read(node, report)))
    }

    fn absent() -> Option<Self> {
        Some(Self(None))
    }
}

/// A value with its place in the text.
#[derive(Debug, Clone)]
pub(crate) struct Spanned<T> {
    /// The value.
    pub(crate) value: T,
    /// Where it is written.
    pub(crate) place: Place,
}

impl<T> Deref for Spanned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Read> Read for Spanned<T> {
    fn kind() -> Kind {
        T::kind()
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        Some(Self { value: T::read(node, report)?, place: node.place })
    }
}

impl<T: Read> Read for Option<T> {
    fn kind() -> Kind {
        T::kind()
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        if node.text == "None" { Some(None) } else { T::read(node, report).map(Some) }
    }
}

impl<T: Read> Read for Box<T> {
    fn kind() -> Kind {
        T::kind()
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        T::read(node, report).map(Self::new)
    }
}

impl<T: Read> Read for Vec<T> {
    fn kind() -> Kind {
        Kind::List(T::kind)
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        let Some(items) = node.items() else {
            return expected(node, report, "a list in `[ ]`");
        };
        all(items.iter().map(|item| T::read(item, report)))
    }
}

/// `{"name": value}` in the order of the text, every name once.
#[derive(Debug, Clone)]
pub(crate) struct Named<T>(pub(crate) Vec<(Key, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Named<T> {
    /// The names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.name.as_str())
    }

    /// The position of a name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.names().position(|known| known == name)
    }
}

impl<T: Read> Read for Named<T> {
    fn kind() -> Kind {
        Kind::Map(T::kind)
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        let entries = match node.entries() {
            None => return expected(node, report, "a map from names, `{\"name\": ...}`"),
            Some(Err(place)) => {
                report.add_help(
                    place,
                    format!("a name in `{}` is not a string", node.path),
                    "not a string",
                    "names are written in quotes: {\"name\": ...}",
                );
                return None;
            }
            Some(Ok(entries)) => entries,
        };
        let mut seen: Vec<&Key> = Vec::new();
        for (key, _) in &entries {
            check_name(&key.name, key.place, report);
            check_repeated(&seen, key, &node.path, report);
            seen.push(key);
        }
        all(entries.iter().map(|(key, node)| Some((key.clone(), T::read(node, report)?)))).map(Self)
    }
}

/// All values, if none is missing; goes through all of them in any case.
pub(crate) fn all<T>(values: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let values: Vec<Option<T>> = values.collect();
    values.into_iter().collect()
}

fn check_repeated(seen: &[&Key], key: &Key, path: &str, report: &mut Report) {
    if seen.iter().any(|earlier| earlier.name == key.name) {
        report.add_help(
            key.place,
            format!("`{}` is given twice in {}", key.name, shown(path)),
            "the second one",
            "remove or rename one of the two",
        );
    }
}

/// Reports a name that could not stand in paths, file names and tables.
pub(crate) fn check_name(name: &str, place: Place, report: &mut Report) {
    let fine = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(fine) {
        report.add_help(
            place,
            format!("{name:?} cannot be a name"),
            "not a name",
            "a name is made of letters, digits, `-` and `_`",
        );
    }
}

/// Reports that a value is of the wrong kind.
pub(crate) fn expected<T>(node: &Node<'_>, report: &mut Report, what: &str) -> Option<T> {
    let message = format!("{} should be {what}, but it is {}", shown(&node.path), node.describe());
    let problem = report.add(node.head(), message, &format!("expected {what}"));
    if CHANGING.contains(&node.variant().0) {
        let help = "this is one value for the whole run; what may change over time is listed in \
                    worlds/README.md as `value over time`: prices of energy, and powers of load, wind, sun \
                    and units";
        problem.help = Some(help.to_owned());
    }
    None
}

/// Variants of values that change over time, which not every value may do.
pub(crate) const CHANGING: [&str; 2] = ["Series", "TimeOfUse"];

/// A path as messages show it.
pub(crate) fn shown(path: &str) -> String {
    if path.is_empty() { "the world".to_owned() } else { format!("`{path}`") }
}

/// The fields of one struct while it is being read.
pub(crate) struct Fields<'a> {
    found: Vec<(Key, Node<'a>)>,
    missing: Vec<(&'static str, &'static str)>,
    /// Fields that are there under a misspelt name, which was reported.
    misspelt: Vec<&'static str>,
    head: Place,
    path: String,
}

impl<'a> Fields<'a> {
    /// Takes the node apart and reports unknown and repeated fields.
    pub(crate) fn of(
        node: &Node<'a>,
        title: &str,
        known: &[&'static str],
        report: &mut Report,
    ) -> Option<Self> {
        let Some(found) = node.fields() else {
            return expected(node, report, &format!("{}, `({}: ...)`", with_article(title), known[0]));
        };
        let mut seen: Vec<&Key> = Vec::new();
        let mut misspelt = Vec::new();
        for (key, _) in &found {
            if !known.contains(&key.name.as_str()) {
                misspelt.extend(meant(&key.name, known.iter().copied()));
                let message = format!("{} has no field `{}`", with_article(title), key.name);
                report.add_help(
                    key.place,
                    message,
                    "unknown field",
                    suggest(&key.name, "field", known.iter().copied()),
                );
            }
            check_repeated(&seen, key, &node.path, report);
            seen.push(key);
        }
        Some(Self { missing: Vec::new(), misspelt, head: node.head(), path: node.path.clone(), found })
    }

    /// The value of a field, if it is there.
    pub(crate) fn take(&mut self, name: &str) -> Option<Node<'a>> {
        let at = self.found.iter().position(|(key, _)| key.name == name)?;
        Some(self.found.remove(at).1)
    }

    /// Notes that a field is missing for which `sample` would be a value.
    pub(crate) fn missing<T: Read>(&mut self, name: &'static str, sample: &'static str) -> Option<T> {
        if !self.misspelt.contains(&name) {
            self.missing.push((name, sample));
        }
        T::absent()
    }

    /// Reports what is missing.
    pub(crate) fn finish(self, report: &mut Report) {
        missing(self.head, &self.path, &self.missing, report);
    }
}

/// Reports the fields that a struct lacks, each with a value that it could have.
pub(crate) fn missing(head: Place, path: &str, fields: &[(&str, &str)], report: &mut Report) {
    if fields.is_empty() {
        return;
    }
    let names: Vec<String> = fields.iter().map(|(name, _)| format!("`{name}`")).collect();
    let lines: Vec<String> = fields.iter().map(|(name, sample)| format!("{name}: {sample},")).collect();
    report.add_help(
        head,
        format!("{} lacks {}", shown(path), names.join(" and ")),
        &format!("{} {} missing here", names.join(", "), if names.len() == 1 { "is" } else { "are" }),
        format!("add for example\n{}", lines.join("\n")),
    );
}

/// The name of the variant that a node holds, which is one of `known`.
pub(crate) fn variant(
    node: &Node<'_>,
    title: &str,
    known: &[&'static str],
    report: &mut Report,
) -> Option<&'static str> {
    let (name, _) = node.variant();
    if name.is_empty() {
        return expected(node, report, &format!("{} ({})", with_article(title), known.join(", ")));
    }
    let found = known.iter().find(|known| **known == name);
    if found.is_none() {
        let place = Place { start: node.place.start, end: node.place.start + name.len() };
        report.add_help(
            place,
            format!("{} cannot be `{name}`", shown(&node.path)),
            "unknown here",
            suggest(name, title, known.iter().copied()),
        );
    }
    found.copied()
}

/// Whether nothing follows the variant's name.
pub(crate) fn unit(node: &Node<'_>, report: &mut Report) -> bool {
    let (name, rest) = node.variant();
    if !rest.trim().is_empty() {
        report.add(node.place, format!("`{name}` takes no value"), "remove what is in parentheses");
    }
    rest.trim().is_empty()
}

/// The one value in a variant's parentheses.
pub(crate) fn newtype<T: Read>(node: &Node<'_>, report: &mut Report) -> Option<T> {
    match node.newtype() {
        Some(inner) => T::read(&inner, report),
        None => {
            expected(node, report, &format!("`{}(...)` with one {}", node.variant().0, T::kind().label()))
        }
    }
}

macro_rules! read_number {
    ($($ty:ty),*) => {$(
        impl Read for $ty {
            fn kind() -> Kind {
                Kind::Bare("whole number")
            }

            fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
                let value = node.parse::<$ty>();
                let what = format!("a whole number from 0 to {}", <$ty>::MAX);
                value.ok().or_else(|| expected(node, report, &what))
            }
        }
    )*};
}
read_number!(u32, u64);

/// A whole number from 1 to `MOST`; its user refuses 0 and what is above.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count<const MOST: u32 = { u32::MAX }>(pub(crate) u32);

impl<const MOST: u32> Read for Count<MOST> {
    fn kind() -> Kind {
        Kind::Bare("whole number")
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        let value = node.parse::<u32>().ok().map(Self);
        value.or_else(|| expected(node, report, &format!("a whole number from 1 to {MOST}")))
    }
}

impl Read for bool {
    fn kind() -> Kind {
        Kind::Bare("true or false")
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        node.parse::<Self>().ok().or_else(|| expected(node, report, "true or false"))
    }
}

impl Read for f64 {
    fn kind() -> Kind {
        Kind::Bare("number")
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        let value = node.parse::<Self>().ok().filter(|value| value.is_finite());
        value.or_else(|| expected(node, report, "a finite number"))
    }
}

impl Read for String {
    fn kind() -> Kind {
        Kind::Text("text")
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        let value = node.parse::<Self>().ok();
        value.or_else(|| expected(node, report, "a string in quotes"))
    }
}

impl Read for Share {
    fn kind() -> Kind {
        Kind::Bare("share")
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        let share = match (node.parse::<f64>(), node.parse::<String>()) {
            (Ok(number), _) => Self::new(number),
            (_, Ok(text)) => text.parse(),
            _ => return expected(node, report, "a share such as 0.95 or \"95 %\""),
        };
        share.map_err(|error| quantity_problem(node, &error, report)).ok()
    }
}

macro_rules! read_quantity {
    ($($ty:ty, $what:literal, $example:literal;)*) => {$(
        impl Read for $ty {
            fn kind() -> Kind {
                Kind::Text($what)
            }

            fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
                let what = format!("{} such as {}", with_article($what), $example);
                read_text(node, &what, report)
            }
        }
    )*};
}
read_quantity! {
    Kilowatts, "power", "\"7 kW\"";
    KilowattHours, "energy", "\"60 kWh\"";
    KilowattsPerHour, "ramp", "\"245 kW/h\"";
    Hours, "duration", "\"15 min\"";
    TimeOfDay, "time of day", "\"17:30\"";
    Price, "price", "\"0.30 EUR/kWh\"";
}

/// Reads a quantity from a string.
fn read_text<T: FromStr<Err = QuantityError>>(node: &Node<'_>, what: &str, report: &mut Report) -> Option<T> {
    let Ok(text) = node.parse::<String>() else {
        return expected(node, report, what);
    };
    text.parse().map_err(|error| quantity_problem(node, &error, report)).ok()
}

fn quantity_problem(node: &Node<'_>, error: &QuantityError, report: &mut Report) {
    let kind = with_article(error.kind);
    let help = format!("{kind} is written like {}", error.example);
    report.add_help(node.place, format!("`{}`: {}", node.path, error.problem), &format!("not {kind}"), help);
}

/// The verbatim text between the parentheses of a policy's config.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The text.
    pub(crate) text: String,
    /// Its byte offset in the document.
    pub(crate) offset: usize,
}

impl Read for Config {
    fn kind() -> Kind {
        Kind::Config
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        match node.inside() {
            Some((text, offset)) if node.text.starts_with('(') => {
                Some(Self { text: text.to_owned(), offset })
            }
            _ => expected(node, report, "the policy's own fields, `(...)`"),
        }
    }
}
