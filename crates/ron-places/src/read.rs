//! From nodes of a text to values, collecting everything that is wrong on the way.

use crate::{
    dialect::Dialect,
    document::{Document, Place, Report},
    node::{Key, Node},
    problem::{Problem, Problems, meant, suggest},
    shape::{Kind, with_article},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
};

/// A value that a text of this dialect can hold.
pub trait Read<D: Dialect>: Sized {
    /// What it looks like.
    fn kind() -> Kind;

    /// Reads it; `None` after at least one problem was reported.
    fn read(node: &Node<'_>, report: &mut Report<D>) -> Option<Self>;

    /// What stands for it once it was reported as missing.
    fn absent() -> Option<Self> {
        None
    }
}

/// A value that may have been wrong, so that the rest can be checked without it.
#[derive(Debug, Clone)]
pub struct Try<T>(Option<T>);

impl<T> Try<T> {
    /// The value; `None` where a problem with it was reported.
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T> From<T> for Try<T> {
    fn from(value: T) -> Self {
        Self(Some(value))
    }
}

impl<D: Dialect, T: Read<D>> Read<D> for Try<T> {
    fn kind() -> Kind {
        T::kind()
    }

    fn read(node: &Node<'_>, report: &mut Report<D>) -> Option<Self> {
        Some(Self(T::read(node, report)))
    }

    fn absent() -> Option<Self> {
        Some(Self(None))
    }
}

/// Reads a document whole; the value comes with the warnings.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn read<D: Dialect, T: Read<D>>(
    document: &Document,
    dialect: D,
) -> Result<(T, Vec<Problem>), Problems> {
    let mut report = Report::new(document.clone(), dialect);
    let value = report.read();
    report.finish(value)
}

impl<D: Dialect> Report<D> {
    /// Reads the whole document; `None` after at least one problem was reported.
    pub fn read<T: Read<D>>(&mut self) -> Option<T> {
        let document = self.document.clone();
        match Node::root::<D>(&document) {
            Ok(root) => T::read(&root, self),
            Err(problem) => {
                self.push(*problem);
                None
            }
        }
    }
}

/// A value with its place in the text.
#[derive(Debug, Clone)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it is written.
    pub place: Place,
}

impl<T> Deref for Spanned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<D: Dialect, T: Read<D>> Read<D> for Spanned<T> {
    fn kind() -> Kind {
        T::kind()
    }

    fn read(node: &Node<'_>, report: &mut Report<D>) -> Option<Self> {
        Some(Self { value: T::read(node, report)?, place: node.place })
    }
}

impl<D: Dialect, T: Read<D>> Read<D> for Option<T> {
    fn kind() -> Kind {
        T::kind()
    }

    fn read(node: &Node<'_>, report: &mut Report<D>) -> Option<Self> {
        // A string that says None has its quotes here.
        if node.text == "None" { Some(None) } else { T::read(node, report).map(Some) }
    }
}

impl<D: Dialect, T: Read<D>> Read<D> for Box<T> {
    fn kind() -> Kind {
        T::kind()
    }

    fn read(node: &Node<'_>, report: &mut Report<D>) -> Option<Self> {
        T::read(node, report).map(Self::new)
    }
}

impl<D: Dialect, T: Read<D>> Read<D> for Vec<T> {
    fn kind() -> Kind {
        Kind::List(T::kind)
    }

    fn read(node: &Node<'_>, report: &mut Report<D>) -> Option<Self> {
        let Some(items) = node.items() else {
            return expected(node, report, "a list in `[ ]`");
        };
        all(items.iter().map(|item| T::read(item, report)))
    }
}

/// `{"name": value}` in the order of the text, every name once.
#[derive(Debug, Clone)]
pub struct Named<T>(
    /// The names with their values, in order.
    pub Vec<(Key, T)>,
    /// Where each name stands among them.
    BTreeMap<String, usize>,
);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Vec::new(), BTreeMap::new())
    }
}

impl<T> Named<T> {
    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.name.as_str())
    }

    /// The position of a name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.1.get(name).copied()
    }
}

impl<D: Dialect, T: Read<D>> Read<D> for Named<T> {
    fn kind() -> Kind {
        Kind::Map(T::kind)
    }

    fn read(node: &Node<'_>, report: &mut Report<D>) -> Option<Self> {
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
        let mut places = BTreeMap::new();
        for (at, (key, _)) in entries.iter().enumerate() {
            check_name(&key.name, key.place, report);
            if places.insert(key.name.clone(), at).is_some() {
                report_repeated(key, &node.path, report);
            }
        }
        let values = entries.iter().map(|(key, node)| Some((key.clone(), T::read(node, report)?)));
        Some(Self(all(values)?, places))
    }
}

/// All values, if none is missing; goes through all of them in any case.
pub fn all<T>(values: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    // Collecting into an `Option` at once would stop at the first that is wrong.
    let values: Vec<Option<T>> = values.collect();
    values.into_iter().collect()
}

fn report_repeated<D: Dialect>(key: &Key, path: &str, report: &mut Report<D>) {
    report.add_help(
        key.place,
        format!("`{}` is given twice in {}", key.name, shown::<D>(path)),
        "the second one",
        "remove or rename one of the two",
    );
}

/// Reports a name that could not stand in paths, file names and tables.
pub fn check_name<D: Dialect>(name: &str, place: Place, report: &mut Report<D>) {
    // A dot would end the name in paths, and a slash in file names.
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
pub fn expected<D: Dialect, T>(node: &Node<'_>, report: &mut Report<D>, what: &str) -> Option<T> {
    let message =
        format!("{} should be {what}, but it is {}", shown::<D>(&node.path), node.describe());
    let problem = report.add(node.head(), message, &format!("expected {what}"));
    problem.help = D::misplaced(node.variant().0).map(str::to_owned);
    None
}

/// A path as messages show it.
pub fn shown<D: Dialect>(path: &str) -> String {
    if path.is_empty() { D::WHOLE.to_owned() } else { format!("`{path}`") }
}

/// The fields of one struct while it is being read.
pub struct Fields<'a> {
    found: Vec<(Key, Node<'a>)>,
    missing: Vec<(&'static str, &'static str)>,
    /// Fields that are there under a misspelt name, which was reported.
    misspelt: Vec<&'static str>,
    head: Place,
    path: String,
}

impl<'a> Fields<'a> {
    /// Takes the node apart and reports unknown and repeated fields.
    pub fn of<D: Dialect>(
        node: &Node<'a>,
        title: &str,
        known: &[&'static str],
        report: &mut Report<D>,
    ) -> Option<Self> {
        let Some(found) = node.fields() else {
            return expected(
                node,
                report,
                &format!("{}, `({}: ...)`", with_article(title), known[0]),
            );
        };
        let mut seen = BTreeSet::new();
        let mut misspelt = Vec::new();
        for (key, _) in &found {
            if !known.contains(&key.name.as_str()) {
                // A field that is there under a wrong name is one problem, not a missing one beside
                // it.
                misspelt.extend(meant(&key.name, known.iter().copied()));
                let message = format!("{} has no field `{}`", with_article(title), key.name);
                report.add_help(
                    key.place,
                    message,
                    "unknown field",
                    suggest(&key.name, "field", known.iter().copied()),
                );
            }
            if !seen.insert(&key.name) {
                report_repeated(key, &node.path, report);
            }
        }
        Some(Self {
            missing: Vec::new(),
            misspelt,
            head: node.head(),
            path: node.path.clone(),
            found,
        })
    }

    /// The value of a field, if it is there.
    pub fn take(&mut self, name: &str) -> Option<Node<'a>> {
        let at = self.found.iter().position(|(key, _)| key.name == name)?;
        Some(self.found.remove(at).1)
    }

    /// Notes that a field is missing for which `sample` would be a value, and gives what stands for
    /// it in the meantime.
    pub fn missing<D: Dialect, T: Read<D>>(
        &mut self,
        name: &'static str,
        sample: &'static str,
        // Only its type is asked for: it says in which dialect `T` is read.
        _report: &Report<D>,
    ) -> Option<T> {
        if !self.misspelt.contains(&name) {
            self.missing.push((name, sample));
        }
        T::absent()
    }

    /// Reports what is missing.
    pub fn finish<D: Dialect>(self, report: &mut Report<D>) {
        missing(self.head, &self.path, &self.missing, report);
    }
}

/// Reports the fields that a struct lacks, each with a value that it could have.
pub fn missing<D: Dialect>(
    head: Place,
    path: &str,
    fields: &[(&str, &str)],
    report: &mut Report<D>,
) {
    if fields.is_empty() {
        return;
    }
    let names: Vec<String> = fields.iter().map(|(name, _)| format!("`{name}`")).collect();
    let lines: Vec<String> =
        fields.iter().map(|(name, sample)| format!("{name}: {sample},")).collect();
    report.add_help(
        head,
        format!("{} lacks {}", shown::<D>(path), names.join(" and ")),
        &format!(
            "{} {} missing here",
            names.join(", "),
            if names.len() == 1 { "is" } else { "are" }
        ),
        format!("add for example\n{}", lines.join("\n")),
    );
}

/// The name of the variant that a node holds, which is one of `known`.
pub fn variant<D: Dialect>(
    node: &Node<'_>,
    title: &str,
    known: &[&'static str],
    report: &mut Report<D>,
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
            format!("{} cannot be `{name}`", shown::<D>(&node.path)),
            "unknown here",
            suggest(name, title, known.iter().copied()),
        );
    }
    found.copied()
}

/// Whether nothing follows the variant's name.
pub fn unit<D: Dialect>(node: &Node<'_>, report: &mut Report<D>) -> bool {
    let (name, rest) = node.variant();
    if !rest.trim().is_empty() {
        report.add(node.place, format!("`{name}` takes no value"), "remove what is in parentheses");
    }
    rest.trim().is_empty()
}

/// The one value in a variant's parentheses.
pub fn newtype<D: Dialect, T: Read<D>>(node: &Node<'_>, report: &mut Report<D>) -> Option<T> {
    match node.newtype() {
        Some(inner) => T::read(&inner, report),
        None => expected(
            node,
            report,
            &format!("`{}(...)` with one {}", node.variant().0, T::kind().label()),
        ),
    }
}

macro_rules! read_number {
    ($($ty:ty),*) => {$(
        impl<D: Dialect> Read<D> for $ty {
            fn kind() -> Kind {
                Kind::Bare("whole number")
            }

            fn read(node: &Node<'_>, report: &mut Report<D>) -> Option<Self> {
                let value = node.parse::<$ty>();
                let what = format!("a whole number from 0 to {}", <$ty>::MAX);
                value.ok().or_else(|| expected(node, report, &what))
            }
        }
    )*};
}
read_number!(u32, u64);

impl<D: Dialect> Read<D> for bool {
    fn kind() -> Kind {
        Kind::Bare("true or false")
    }

    fn read(node: &Node<'_>, report: &mut Report<D>) -> Option<Self> {
        node.parse::<Self>().ok().or_else(|| expected(node, report, "true or false"))
    }
}

impl<D: Dialect> Read<D> for f64 {
    fn kind() -> Kind {
        Kind::Bare("number")
    }

    fn read(node: &Node<'_>, report: &mut Report<D>) -> Option<Self> {
        // RON has `inf` and `NaN`, and one of them makes all sums like it.
        let value = node.parse::<Self>().ok().filter(|value| value.is_finite());
        value.or_else(|| expected(node, report, "a finite number"))
    }
}

impl<D: Dialect> Read<D> for String {
    fn kind() -> Kind {
        Kind::Text("text")
    }

    fn read(node: &Node<'_>, report: &mut Report<D>) -> Option<Self> {
        let value = node.parse::<Self>().ok();
        value.or_else(|| expected(node, report, "a string in quotes"))
    }
}
