//! RON values with their place in the text, parsed one level at a time.
//!
//! ron's own derive stops at the first thing that is wrong. Here the text is checked as RON once,
//! then every value is taken apart level by level as borrowed raw text: its offset in the
//! document is its place, and a problem in one field does not hide those of the next.

use crate::{
    dialect::Dialect,
    document::{Document, Place},
    problem::Problem,
    syntax,
};
use ron::value::RawValue;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use std::{fmt, marker::PhantomData};

/// A value of the document, as raw text.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// Its text, without white space and comments around it.
    pub text: &'a str,
    /// Where the text is in the document.
    pub place: Place,
    /// Its path from the root, `fleets.commuters.count`; empty for the root.
    pub path: String,
    document: &'a str,
}

/// A name with its place: a field of a struct or the key of a map.
#[derive(Debug, Clone)]
pub struct Key {
    /// The name.
    pub name: String,
    /// Where it is written.
    pub place: Place,
}

impl<'a> Node<'a> {
    /// The root of `document`, if its whole text is RON.
    ///
    /// # Errors
    ///
    /// What keeps the text from being RON, in words of who writes it.
    pub fn root<D: Dialect>(document: &'a Document) -> Result<Self, Box<Problem>> {
        let text: &'a str = &document.text;
        let raw = RawValue::from_ron(text)
            .map_err(|error| Box::new(syntax::problem::<D>(document, &error)))?;
        Ok(Self::of(text, raw, String::new()))
    }

    fn of(document: &'a str, raw: &'a RawValue, path: String) -> Self {
        let text = raw.trim().get_ron();
        Self { text, place: place_of(document, text), path, document }
    }

    fn child(&self, raw: &'a RawValue, name: &str) -> Self {
        let path =
            if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self::of(self.document, raw, path)
    }

    /// What kind of thing it is, for messages.
    pub fn describe(&self) -> String {
        match (self.variant().0, self.text.chars().next()) {
            (name, _) if !name.is_empty() => format!("`{name}`"),
            (_, Some('"' | 'r')) => "a string".to_owned(),
            (_, Some('0'..='9' | '+' | '-' | '.')) => format!("the number {}", self.text),
            (_, Some('(')) => "a struct in `( )`".to_owned(),
            (_, Some('{')) => "a map in `{ }`".to_owned(),
            (_, Some('[')) => "a list in `[ ]`".to_owned(),
            _ => format!("`{}`", self.text),
        }
    }

    /// The name that the value begins with, if any, and what follows it (with its place).
    pub fn variant(&self) -> (&'a str, &'a str) {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let end = self.text.find(|c| !is_name(c)).unwrap_or(self.text.len());
        let (name, rest) = self.text.split_at(end);
        let begins_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        // The `r` of a raw string is no name.
        let is_string = rest.starts_with(['"', '#', '\'']);
        if begins_name && !is_string { (name, rest) } else { ("", self.text) }
    }

    /// The place of the name, bracket or value that the text begins with.
    pub fn head(&self) -> Place {
        let (name, rest) = self.variant();
        let bracket = usize::from(rest.starts_with(['(', '{', '[']));
        let length =
            if name.is_empty() && bracket == 0 { self.text.len() } else { name.len() + bracket };
        Place { start: self.place.start, end: self.place.start + length }
    }

    /// The value as ron reads it.
    ///
    /// # Errors
    ///
    /// What ron says of it.
    pub fn parse<T: Deserialize<'a>>(&self) -> Result<T, String> {
        ron::from_str(self.text).map_err(|error| error.code.to_string())
    }

    /// The text inside the parentheses of a struct.
    pub fn inside(&self) -> Option<(&'a str, usize)> {
        let rest = self.variant().1.strip_suffix(')')?;
        let open = rest.find('(')?;
        let inside = &rest[open + 1..];
        Some((inside, place_of(self.document, inside).start))
    }

    /// The fields of a struct or of a variant with named fields.
    pub fn fields(&self) -> Option<Vec<(Key, Node<'a>)>> {
        let rest = self.variant().1;
        let fields: Fields<'a> = if rest.trim_start().starts_with('(') {
            ron::from_str(rest).ok()?
        } else {
            return None;
        };
        Some(
            fields
                .0
                .into_iter()
                .map(|(name, raw)| (self.key(name), self.child(raw, name)))
                .collect(),
        )
    }

    /// The only value in the parentheses of a variant.
    pub fn newtype(&self) -> Option<Node<'a>> {
        let (name, rest) = self.variant();
        let (raw,): (&'a RawValue,) =
            if name.is_empty() { return None } else { ron::from_str(rest).ok()? };
        let text = raw.trim().get_ron();
        // A variant's name is no part of a path.
        Some(Node { text, place: place_of(self.document, text), ..self.clone() })
    }

    /// The entries of a map with names as keys, in the order of the text.
    ///
    /// A key that is no string is an error with its place.
    pub fn entries(&self) -> Option<Result<Vec<(Key, Node<'a>)>, Place>> {
        let entries: Entries<'a> =
            if self.text.starts_with('{') { ron::from_str(self.text).ok()? } else { return None };
        let entry = |(key, raw): (&'a RawValue, &'a RawValue)| {
            let text = key.trim().get_ron();
            let place = place_of(self.document, text);
            let name: String = ron::from_str(text).map_err(|_| place)?;
            Ok((Key { place, name: name.clone() }, self.child(raw, &name)))
        };
        Some(entries.0.into_iter().map(entry).collect())
    }

    /// The items of a list.
    pub fn items(&self) -> Option<Vec<Node<'a>>> {
        let items: Vec<&'a RawValue> =
            if self.text.starts_with('[') { ron::from_str(self.text).ok()? } else { return None };
        Some(
            (0..)
                .zip(items)
                .map(|(index, raw): (usize, _)| self.child(raw, &index.to_string()))
                .collect(),
        )
    }

    fn key(&self, name: &'a str) -> Key {
        Key { name: name.to_owned(), place: place_of(self.document, name) }
    }
}

/// Where `part`, borrowed from `document`, is in it.
fn place_of(document: &str, part: &str) -> Place {
    let start = part.as_ptr() as usize - document.as_ptr() as usize;
    Place { start, end: start + part.len() }
}

/// The fields of a struct, with duplicates, in order.
struct Fields<'a>(Vec<(&'a str, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldsVisitor(PhantomData))
    }
}

struct FieldsVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for FieldsVisitor<'a> {
    type Value = Fields<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("named fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'a>, A::Error> {
        let mut fields = Vec::new();
        while let Some(Identifier(name)) = map.next_key()? {
            fields.push((name, map.next_value()?));
        }
        Ok(Fields(fields))
    }

    // Without fields, `()` may come as an empty sequence or as a unit.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Fields<'a>, A::Error> {
        match seq.next_element::<de::IgnoredAny>()? {
            None => Ok(Fields(Vec::new())),
            Some(_) => Err(de::Error::custom("expected named fields")),
        }
    }

    fn visit_unit<E: de::Error>(self) -> Result<Fields<'a>, E> {
        Ok(Fields(Vec::new()))
    }
}

/// A field's name, borrowed from the text.
struct Identifier<'a>(&'a str);

impl<'de: 'a, 'a> Deserialize<'de> for Identifier<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowed;
        impl<'de> Visitor<'de> for Borrowed {
            type Value = &'de str;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field's name")
            }
            fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<&'de str, E> {
                Ok(name)
            }
        }
        // Borrowed, since where the name lies in memory says where it stands in the text.
        deserializer.deserialize_identifier(Borrowed).map(Self)
    }
}

/// The entries of a map, with duplicates, in order.
struct Entries<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Pairs<'a> {
            type Value = Entries<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'a>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Pairs(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Plain;

    fn names(fields: &[(Key, Node<'_>)]) -> Vec<String> {
        fields
            .iter()
            .map(|(key, node)| format!("{}={}@{}", key.name, node.text, node.path))
            .collect()
    }

    #[test]
    fn a_struct_comes_apart_with_unknown_and_repeated_fields() {
        let document =
            Document::new("w", "// a text\n( a: 1, /* b */ b : Normal(mean: 2), a: \"x\", ) ");
        let root = Node::root::<Plain>(&document).unwrap();
        let fields = root.fields().unwrap();
        assert_eq!(names(&fields), ["a=1@a", "b=Normal(mean: 2)@b", "a=\"x\"@a"]);
        assert_eq!(names(&fields[1].1.fields().unwrap()), ["mean=2@b.mean"]);
        let place = fields[1].0.place;
        assert_eq!(&document.text[place.start..place.end], "b");
    }

    #[test]
    fn maps_lists_and_newtypes_keep_their_places() {
        let document = Document::new("w", "(m: {\"k\": [1, 2]}, f: Fixed( \"7 kW\" ), e: ())");
        let root = Node::root::<Plain>(&document).unwrap();
        let fields = root.fields().unwrap();
        let entries = fields[0].1.entries().unwrap().unwrap();
        assert_eq!(names(&entries), ["k=[1, 2]@m.k"]);
        assert_eq!(entries[0].1.items().unwrap()[1].place, Place { start: 14, end: 15 });
        assert_eq!(fields[1].1.newtype().unwrap().text, "\"7 kW\"");
        assert!(fields[2].1.fields().unwrap().is_empty());
    }

    #[test]
    fn broken_ron_is_a_problem_with_a_place() {
        let problem = Node::root::<Plain>(&Document::new("w", "(a: 1,\n b 2)")).unwrap_err();
        assert_eq!(problem.place().map(|(_, line, _)| line), Some(2));
    }
}
