//! Overrides: `path.to.field=value` worked into a text.
//!
//! The text is changed, not the values read from it: so what is kept is the text that was really
//! read, and a wrong value is reported at its place in the override.

use crate::{
    dialect::Dialect,
    document::{Document, Place, Spliced},
    node::{Key, Node},
    problem::{Problem, Problems, meant, suggest},
    read::{Read, shown},
    shape::{Choice, Kind, Payload, Struct},
};
use ron::value::RawValue;
use std::{ops::Range, sync::Arc};

/// Works overrides into the document of a `T`, one after the other; gives those that changed its
/// text, as they were given.
///
/// # Errors
///
/// An override that is not `path=value`, or names no place of the text.
pub fn splice<D: Dialect, T: Read<D>>(
    document: &mut Document,
    overrides: &[Override],
) -> Result<Vec<String>, Problems> {
    let mut problems = Vec::new();
    let mut changed = Vec::new();
    for given in Given::all(overrides) {
        // Compared as text, so that an override that says what is there already is none.
        let before = document.text.clone();
        if let Err(problem) = given.apply::<D>(document, T::kind()) {
            problems.push(*problem);
        }
        if document.text != before {
            changed.push(given.argument.to_owned());
        }
    }
    if problems.is_empty() { Ok(changed) } else { Err(Problems::errors(&document.name, problems)) }
}

/// A problem for each override of the field `first` or of something below it, for who does not let
/// it be changed: `message` says what cannot be, `help` what can.
pub fn refused(overrides: &[Override], first: &str, message: &str, help: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for given in Given::all(overrides) {
        // What is no override at all is told where it is worked in.
        let path = given.argument.split_once('=').map_or("", |(path, _)| path);
        if first_name(path) == first {
            problems.push(*given.wrong(message, 0..path.len(), help));
        }
    }
    problems
}

/// The first name of a path, without the quotes that it may have.
fn first_name(path: &str) -> &str {
    let path = path.trim();
    match path.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        Some((name, _)) => name,
        None => path.split_once('.').map_or(path, |(name, _)| name).trim(),
    }
}

/// One override, `path=value`, and what gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The override.
    pub text: String,
    /// The flag that stands for it, such as `--policy`; `None` for `--set`.
    pub flag: Option<&'static str>,
}

impl Override {
    /// One that `--set` gave.
    pub fn set(text: &str) -> Self {
        Self { text: text.to_owned(), flag: None }
    }
}

/// One override while it is worked in.
struct Given<'a> {
    /// What the command line calls it.
    origin: Arc<str>,
    argument: &'a str,
}

impl<'a> Given<'a> {
    /// All of them; those of `--set` are counted from 1.
    fn all(overrides: &'a [Override]) -> impl Iterator<Item = Self> {
        overrides.iter().scan(0, |sets, Override { text, flag }| {
            let origin = flag.map_or_else(
                || {
                    *sets += 1;
                    format!("--set #{sets}")
                },
                str::to_owned,
            );
            Some(Self { origin: origin.into(), argument: text })
        })
    }
}

/// A change of the text: what to put where.
struct Change {
    at: Range<usize>,
    text: String,
}

impl Given<'_> {
    fn apply<D: Dialect>(&self, document: &mut Document, kind: Kind) -> Result<(), Box<Problem>> {
        let Some((path, value)) = self.argument.split_once('=') else {
            return Err(self.wrong(
                "it is not `path=value`",
                0..self.argument.len(),
                &format!("for example {}", D::OVERRIDE),
            ));
        };
        let value = value.trim();
        let end = self.argument.trim_end().len();
        let spliced = Spliced {
            range: 0..0,
            origin: Arc::clone(&self.origin),
            argument: self.argument.into(),
            value: end - value.len()..end,
            value_at: None,
        };
        let names = self.names::<D>(path)?;
        // By itself first: worked in, a bracket that is not closed would be a mistake of the whole
        // text, far behind it.
        if begins_with_bracket(value) {
            Node::root::<D>(&Document::new(&format!("from {}", self.origin), value))?;
        }
        // Nodes borrow the text that is about to change.
        let snapshot = document.clone();
        let root = Node::root::<D>(&snapshot)?;
        let change = self.change::<D>(&root, kind, &names, value)?;
        document.splice(change.at, &change.text, spliced);
        Ok(())
    }

    fn wrong(&self, message: &str, span: Range<usize>, help: &str) -> Box<Problem> {
        let document = Document::new(&format!("from {}", self.origin), self.argument);
        let place = Place { start: span.start, end: span.end };
        let problem = Problem::new(format!("{}: {message}", self.origin)).help(help);
        Box::new(document.point(problem, place, "this override"))
    }

    /// The names of the path, with their places in the argument.
    fn names<D: Dialect>(&self, path: &str) -> Result<Vec<(String, Range<usize>)>, Box<Problem>> {
        let mut names = Vec::new();
        let mut at = 0;
        while at <= path.len() {
            let rest = &path[at..];
            let (name, length) = match rest.strip_prefix('"').and_then(|rest| rest.split_once('"'))
            {
                Some((name, _)) => (name, name.len() + 2),
                None => {
                    rest.split_once('.').map_or((rest, rest.len()), |(name, _)| (name, name.len()))
                }
            };
            if name.trim().is_empty()
                || !matches!(path.as_bytes().get(at + length), None | Some(b'.'))
            {
                let help = format!("a path is names with dots between them, such as {}", D::PATH);
                return Err(self.wrong(&format!("`{path}` is not a path"), 0..path.len(), &help));
            }
            names.push((name.trim().to_owned(), at..at + length));
            at += length + 1;
        }
        Ok(names)
    }

    /// What to change below `node`, which looks like `kind`, to set what `names` lead to.
    fn change<D: Dialect>(
        &self,
        node: &Node<'_>,
        kind: Kind,
        names: &[(String, Range<usize>)],
        value: &str,
    ) -> Result<Change, Box<Problem>> {
        let Some(((name, span), rest)) = names.split_first() else {
            let text = quoted::<D>(value, &kind);
            return Ok(Change { at: node.place.start..node.place.end, text });
        };
        let is_map = node.text.starts_with('{');
        let children = children(node).ok_or_else(|| {
            let message = format!("`{}` has no fields, it is {}", node.path, node.describe());
            self.wrong(&message, span.clone(), "end the path there")
        })?;
        if let Some((_, child)) = children.iter().find(|(key, _)| key.name == *name) {
            return self.change::<D>(child, below(&kind, node, name), rest, value);
        }
        let known = known(&kind, node, &children);
        let is_known = known.iter().any(|known| known == name);
        let inner = below(&kind, node, name);
        let is_entry = matches!(inner, Kind::Struct(_)) && !value.starts_with('(');
        // An entry that is made by one of its fields lacks all the others.
        let half_made = is_map && !matches!(inner, Kind::Any(_)) && (!rest.is_empty() || is_entry);
        let unknown = !is_map && !is_known && !known.is_empty();
        if node.text.starts_with('[') || half_made || unknown {
            let message = format!("there is no `{name}` in {}", shown::<D>(&node.path));
            let names = || known.iter().map(String::as_str);
            // Of a path that goes on it is rather the name that is misspelt than where it begins.
            let is_misspelt = !rest.is_empty() && meant(name, names()).is_some();
            let paths = if is_misspelt { Vec::new() } else { deeper(node, &kind, name) };
            let help = match paths.as_slice() {
                [] => suggest(name, "name", names()),
                [path] => format!("did you mean `{path}`?"),
                paths => format!("did you mean one of `{}`?", paths.join("`, `")),
            };
            return Err(self.wrong(&message, span.clone(), &help));
        }
        let text = written::<D>(&inner, rest, value);
        let key = if is_map { string(name) } else { name.clone() };
        let open = node.head().end;
        if !node.text[..open - node.place.start].ends_with(['(', '{']) {
            // A variant without fields yet, such as `Off`.
            let message = format!("`{}` is {}, which has no fields", node.path, node.describe());
            return Err(self.wrong(&message, span.clone(), "end the path there"));
        }
        // Behind the opening bracket a comma may always follow; before the closing one it depends
        // on what stands there.
        Ok(Change { at: open..open, text: format!("{key}: {text}, ") })
    }
}

/// What no shape tells of.
const UNKNOWN: Kind = Kind::Any("anything");

/// Most paths that are suggested.
const PATHS: usize = 3;

/// Paths of fields or entries called `name` that are below `node`, or could be.
fn deeper(node: &Node<'_>, kind: &Kind, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (key, child) in children(node).unwrap_or_default() {
        let kind = below(kind, node, &key.name);
        let fields = fields_of(&kind, &child).map(|shape| shape.fields).unwrap_or_default();
        let entries = if child.text.starts_with('{') {
            children(&child).unwrap_or_default()
        } else {
            Vec::new()
        };
        let has_field = fields.iter().any(|field| field.name == name);
        if has_field || entries.iter().any(|(key, _)| key.name == name) {
            found.push(format!("{}.{name}", child.path));
        }
        found.extend(deeper(&child, &kind, name));
    }
    found.truncate(PATHS);
    found
}

/// The fields, entries or items of a node.
fn children<'a>(node: &Node<'a>) -> Option<Vec<(Key, Node<'a>)>> {
    if node.text.starts_with('{') {
        return node.entries()?.ok();
    }
    if node.text.starts_with('[') {
        let items = (0..).zip(node.items()?);
        let key =
            |index: usize, item: &Node<'_>| Key { name: index.to_string(), place: item.place };
        return Some(items.map(|(index, item)| (key(index, &item), item)).collect());
    }
    node.fields()
}

/// The struct that a node with this kind is, or that its variant holds.
fn fields_of(kind: &Kind, node: &Node<'_>) -> Option<Struct> {
    match kind {
        Kind::Struct(shape) => Some(shape.clone()),
        Kind::Choice(choice) if node.variant().0.is_empty() => match choice.bare_fields?() {
            Kind::Struct(shape) => Some(shape),
            Kind::Text(_)
            | Kind::Bare(_)
            | Kind::Choice(_)
            | Kind::Map(_)
            | Kind::List(_)
            | Kind::Any(_) => None,
        },
        Kind::Choice(choice) => {
            let variant =
                choice.variants.iter().find(|variant| variant.name == node.variant().0)?;
            match variant.payload {
                Payload::Fields(kind) => fields_of(&kind(), node),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What the child `name` of a node looks like.
fn below(kind: &Kind, node: &Node<'_>, name: &str) -> Kind {
    match kind {
        Kind::Map(value) | Kind::List(value) => value(),
        _ => fields_of(kind, node)
            .and_then(|shape| shape.fields.into_iter().find(|field| field.name == name))
            .map_or(UNKNOWN, |field| (field.kind)()),
    }
}

/// The names that a node may have below it; none where anything goes.
fn known(kind: &Kind, node: &Node<'_>, children: &[(Key, Node<'_>)]) -> Vec<String> {
    match fields_of(kind, node) {
        Some(shape) => shape.fields.iter().map(|field| field.name.to_owned()).collect(),
        None if matches!(kind, Kind::Any(_)) => Vec::new(),
        None => children.iter().map(|(key, _)| key.name.clone()).collect(),
    }
}

/// The text of a value that is not there yet, below the `names` that lead to it.
fn written<D: Dialect>(kind: &Kind, names: &[(String, Range<usize>)], value: &str) -> String {
    let Some(((name, _), rest)) = names.split_first() else {
        return quoted::<D>(value, kind);
    };
    match kind {
        Kind::Choice(Choice { bare_fields: Some(fields), .. }) => {
            written::<D>(&fields(), names, value)
        }
        Kind::Map(inner) => {
            format!("{{{}: {}}}", string(name), written::<D>(&inner(), rest, value))
        }
        Kind::Struct(shape) => {
            let field = shape.fields.iter().find(|field| field.name == name);
            let inner = field.map_or(UNKNOWN, |field| (field.kind)());
            format!("({name}: {})", written::<D>(&inner, rest, value))
        }
        _ => format!("({name}: {})", written::<D>(&UNKNOWN, rest, value)),
    }
}

/// Whether a value is meant as a struct, a list, a map, or a variant with something in brackets.
fn begins_with_bracket(value: &str) -> bool {
    value.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').starts_with(['(', '[', '{'])
}

/// The value as RON: in quotes where a string is due, or where it is no RON by itself.
fn quoted<D: Dialect>(value: &str, kind: &Kind) -> String {
    let raw = RawValue::from_ron(value).ok().map(|raw| raw.trim().get_ron());
    let is_text = matches!(kind, Kind::Text(_));
    match raw {
        Some(raw)
            if !is_text
                // Some values that are text may be a map, too.
                || raw.starts_with(['"', '{'])
                || raw.starts_with("r#")
                || raw.starts_with("r\"")
                || raw == "None" =>
        {
            raw.to_owned()
        }
        // No name and no quantity begins like this; where it is read it is told what it is.
        Some(raw) if raw.split_once('(').is_some_and(|(name, _)| D::misplaced(name).is_some()) => {
            raw.to_owned()
        }
        _ => string(value),
    }
}

fn string(text: &str) -> String {
    format!("\"{}\"", text.escape_default())
}
