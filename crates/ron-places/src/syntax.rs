//! What keeps a text from being RON, in words of who writes it.
//!
//! ron says where it could not go on, which is often far behind the mistake: a bracket or a quote
//! that was forgotten is noticed at the next one. Those are looked for first, in the whole text;
//! only then is it asked what stands around the place where ron gave up.

use crate::{
    dialect::Dialect,
    document::{Document, Place},
    problem::Problem,
};

/// The problem of a text that is not RON.
pub(crate) fn problem<D: Dialect>(
    document: &Document,
    error: &ron::error::SpannedError,
) -> Problem {
    let text = &document.text;
    let start = offset(text, error.span.start);
    let tokens = tokens(text);
    // A quote that is missing turns text into brackets and brackets into text, so that it comes
    // first.
    let found = open_quote(text, &tokens)
        .or_else(|| brackets(text, &tokens))
        .or_else(|| around(text, &tokens, &error.code, start));
    let found = found.unwrap_or_else(|| {
        let end = offset(text, error.span.end).max(start);
        Mistake {
            what: lower_first(&error.code.to_string()),
            place: Place { start, end },
            label: "here",
            help: D::FORM.to_owned(),
        }
    });
    let problem = Problem::new(format!("this is not RON: {}", found.what)).help(found.help);
    document.point(problem, found.place, found.label)
}

/// What is wrong, where, and what would be right.
struct Mistake {
    what: String,
    place: Place,
    label: &'static str,
    help: String,
}

impl Mistake {
    fn new(
        what: impl Into<String>,
        place: Place,
        label: &'static str,
        help: impl Into<String>,
    ) -> Self {
        Self { what: what.into(), place, label, help: help.into() }
    }
}

/// What a part of the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A name or a number, with what is written in one with it: `count`, `-0.5`, `11kW`.
    Word,
    /// A string, with its quotes.
    Text,
    /// A bracket, a comma, a colon, or what has no place in RON.
    Sign(char),
}

/// A part of the text.
#[derive(Debug, Clone, Copy)]
struct Token {
    kind: Kind,
    place: Place,
}

/// The parts of the text, without white space and comments.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = if first.is_whitespace() {
            (None, first.len_utf8())
        } else if rest.starts_with("//") {
            (None, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (None, block_comment(rest))
        } else if let Some(length) = string(rest) {
            (Some(Kind::Text), length)
        } else if is_of_word(first) {
            (Some(Kind::Word), rest.find(|c| !is_of_word(c)).unwrap_or(rest.len()))
        } else {
            (Some(Kind::Sign(first)), first.len_utf8())
        };
        tokens
            .extend(kind.map(|kind| Token { kind, place: Place { start: at, end: at + length } }));
        at += length;
    }
    tokens
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || "_.+-".contains(c)
}

/// The length of a comment, which may hold others.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_u32;
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let (deeper, length) = match &text[at..] {
            rest if rest.starts_with("/*") => (depth + 1, 2),
            rest if rest.starts_with("*/") => (depth - 1, 2),
            _ => (depth, first.len_utf8()),
        };
        depth = deeper;
        at += length;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// The length of the string that the text begins with, `"..."` or raw; to its end where it has
/// none.
fn string(text: &str) -> Option<usize> {
    let raw = text
        .strip_prefix('r')
        .map(|rest| rest.trim_start_matches('#'))
        .filter(|rest| rest.starts_with('"'));
    if let Some(rest) = raw {
        let begins = text.len() - rest.len() + 1;
        let closing = format!("\"{}", "#".repeat(begins - 2));
        return Some(
            text[begins..].find(&closing).map_or(text.len(), |end| begins + end + closing.len()),
        );
    }
    let inside = text.strip_prefix('"')?;
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        if c == '"' && !escaped {
            return Some(at + 2);
        }
        escaped = c == '\\' && !escaped;
    }
    Some(text.len())
}

/// A string that goes over the end of its line: RON has such, but a quote that was forgotten makes
/// one, which is likelier.
fn open_quote(text: &str, tokens: &[Token]) -> Option<Mistake> {
    let over_lines = |token: &&Token| {
        let string = &text[token.place.start..token.place.end];
        // A raw string ends with `#`, and a quote alone is no end of itself.
        let is_open =
            token.kind == Kind::Text && !(string.len() > 1 && string.ends_with(['"', '#']));
        is_open || (token.kind == Kind::Text && string.starts_with('"') && string.contains('\n'))
    };
    let start = tokens.iter().find(over_lines)?.place.start;
    let place = Place { start, end: start + 1 };
    let help = "a string has a quote before it and one behind it, on one line: \"EUR\"";
    Some(Mistake::new(
        "a quote is missing",
        place,
        "what begins here has no end on this line",
        help,
    ))
}

/// The first bracket that does not go with the others.
fn brackets(text: &str, tokens: &[Token]) -> Option<Mistake> {
    let mut open: Vec<(char, Place)> = Vec::new();
    let mut suspect = None;
    for &Token { kind, place } in tokens {
        match kind {
            Kind::Sign(opening @ ('(' | '[' | '{')) => open.push((opening, place)),
            Kind::Sign(closing @ (')' | ']' | '}')) => match open.pop() {
                Some((opening, at)) if closing == closes(opening) => {
                    // Rather the bracket before it is meant where this one stands further left.
                    let leans = indent(text, place.start) < indent(text, at.start);
                    suspect = suspect.or(leans.then_some((opening, at)));
                }
                Some(last) => return Some(unlike(text, last, (closing, place), suspect)),
                None => {
                    let help = "take it away, or open the bracket that it closes";
                    let what = format!("a `{closing}` closes nothing");
                    return Some(Mistake::new(what, place, "no bracket is open here", help));
                }
            },
            Kind::Sign(_) | Kind::Word | Kind::Text => {}
        }
    }
    let (opening, place) = suspect.filter(|_| !open.is_empty()).or(open.pop())?;
    Some(not_closed(opening, place))
}

/// A bracket that is closed by one of another kind.
fn unlike(
    text: &str,
    (opening, at): (char, Place),
    (closing, place): (char, Place),
    suspect: Option<(char, Place)>,
) -> Mistake {
    if let Some((opening, place)) = suspect {
        return not_closed(opening, place);
    }
    let right = closes(opening);
    let what = format!("a `{closing}` where `{right}` should be");
    let line = text[..at.start].matches('\n').count() + 1;
    let help = format!("the `{opening}` of line {line} is still open, and is closed by `{right}`");
    Mistake::new(what, place, "closes a bracket of another kind", help)
}

fn not_closed(opening: char, place: Place) -> Mistake {
    let right = closes(opening);
    let help = format!("every `{opening}` has its `{right}`");
    Mistake::new("a bracket is not closed", place, "this one", help)
}

fn closes(opening: char) -> char {
    match opening {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// How far the line of a place is set in.
fn indent(text: &str, at: usize) -> usize {
    let line = &text[text[..at].rfind('\n').map_or(0, |end| end + 1)..];
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// What is wrong by what stands around the place at which ron gave up.
fn around(text: &str, tokens: &[Token], error: &ron::Error, at: usize) -> Option<Mistake> {
    let next = tokens.partition_point(|token| token.place.start < at);
    let before = *tokens.get(next.checked_sub(1)?)?;
    let after = tokens.get(next).copied();
    if let Some(mistake) = comma_in_number(text, tokens, next) {
        return Some(mistake);
    }
    let inside = innermost(&tokens[..next]);
    let follows = |sign: char| after.is_some_and(|after| after.kind == Kind::Sign(sign));
    let shown = after.map_or(before.place, |after| after.place);
    if follows('\'') {
        let help = "strings have double quotes: \"EUR\"";
        return Some(Mistake::new("a string in single quotes", shown, "a single quote", help));
    }
    // ron gives up within a number that goes on as none does, or before one.
    // Before signs are asked about: `17:30` would be a colon in a wrong place, and `95 %` a comma
    // that is missing.
    let at_number = unquoted(text, before, after);
    let at_number = at_number.or_else(|| unquoted(text, after?, tokens.get(next + 1).copied()));
    if at_number.is_some() {
        return at_number;
    }
    if follows('=') {
        let help = "a field is written `name: value`";
        return Some(Mistake::new("an `=` where `:` should be", shown, "not a colon", help));
    }
    if !matches!(error, ron::Error::ExpectedComma) {
        return None;
    }
    if follows(';') {
        let help = "fields, entries and items have commas between them";
        return Some(Mistake::new("a `;` where `,` should be", shown, "not a comma", help));
    }
    if follows(':') {
        return Some(colon(before, inside));
    }
    // At the first token this wraps to where none is.
    let begins = tokens.get(next.wrapping_sub(2)).is_none_or(|token| token.kind != Kind::Sign(':'));
    let is_name =
        before.kind == Kind::Word && text[before.place.start..].starts_with(char::is_alphabetic);
    let last = text[..before.place.end].chars().next_back().map_or(0, char::len_utf8);
    let place = Place { start: before.place.end - last, end: before.place.end };
    if begins && is_name && inside == Some('(') {
        let help = "a field is written `name: value`";
        return Some(Mistake::new(
            "a colon is missing",
            place,
            "a colon is missing after this",
            help,
        ));
    }
    let help = "fields of a struct, entries of a map and items of a list have commas between them";
    Some(Mistake::new("a comma is missing", place, "a comma is missing after this", help))
}

/// A colon where none may be, after `before` and in the bracket `inside`.
fn colon(before: Token, inside: Option<char>) -> Mistake {
    let place = before.place;
    match (before.kind, inside) {
        (_, Some('[')) => {
            let help = "items of a list have no names; one with fields is a struct: `[(from: ..., \
                        to: ...)]`";
            Mistake::new("a name in a list", place, "a name", help)
        }
        (Kind::Text, _) => {
            let help = "fields of a struct, in `( )`, have no quotes: `(count: ...)`; names of a \
                        map, in `{ }`, have: `{\"vans\": ...}`";
            Mistake::new("a field's name in quotes", place, "in quotes", help)
        }
        (Kind::Word | Kind::Sign(_), _) => {
            let help =
                "either all values in a bracket have names or none: `Normal(mean: ..., sd: ...)`";
            Mistake::new("a name after a value without one", place, "a name", help)
        }
    }
}

/// A number with a decimal comma, or with commas between thousands, just before ron gave up.
fn comma_in_number(text: &str, tokens: &[Token], next: usize) -> Option<Mistake> {
    // ron gives up at the digits behind the comma, or behind them.
    let of_number = |from: usize| {
        let [whole, comma, rest] = tokens.get(from..from + 3)? else { return None };
        let digits = |token: &Token, of: fn(&str) -> Option<char>| {
            of(&text[token.place.start..token.place.end]).is_some_and(|c| c.is_ascii_digit())
        };
        let touches = whole.place.end == comma.place.start
            && text[comma.place.end..rest.place.start].trim_end_matches(' ').is_empty();
        let is_number = digits(whole, |word| word.chars().next_back())
            && digits(rest, |word| word.chars().next());
        let is_comma = comma.kind == Kind::Sign(',');
        (touches && is_comma && is_number).then_some(comma.place)
    };
    let place = [2, 3].into_iter().find_map(|back| of_number(next.checked_sub(back)?))?;
    let help = "the decimal sign is a point, as in 0.95, and thousands are not set apart: 1000";
    Some(Mistake::new("a number has a comma in it", place, "a comma", help))
}

/// A quantity, a time or a date without quotes.
fn unquoted(text: &str, before: Token, after: Option<Token>) -> Option<Mistake> {
    let word = &text[before.place.start..before.place.end];
    let is_numeric = before.kind == Kind::Word
        && word.trim_start_matches(['+', '-', '.']).starts_with(|c: char| c.is_ascii_digit());
    let after = after.filter(|after| !text[before.place.end..after.place.start].contains('\n'));
    let goes_on = after.is_some_and(|after| match after.kind {
        Kind::Word => true,
        Kind::Sign(sign) => ":%/€$°".contains(sign),
        Kind::Text => false,
    });
    if !is_numeric || !(goes_on || word.parse::<f64>().is_err()) {
        return None;
    }
    let help = "quantities, times and dates are written in quotes: \"11 kW\", \"17:30\", \
                \"2024-06-03T12:00\"";
    Some(Mistake::new(
        "a value without quotes",
        before.place,
        "more than a number begins here",
        help,
    ))
}

/// The bracket that is open behind these tokens.
fn innermost(tokens: &[Token]) -> Option<char> {
    let mut open = Vec::new();
    for token in tokens {
        match token.kind {
            Kind::Sign(opening @ ('(' | '[' | '{')) => open.push(opening),
            Kind::Sign(')' | ']' | '}') => drop(open.pop()),
            Kind::Sign(_) | Kind::Word | Kind::Text => {}
        }
    }
    open.pop()
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// The byte offset of a line and column as ron counts them.
fn offset(text: &str, position: ron::error::Position) -> usize {
    let mut lines = text.split_inclusive('\n');
    let before: usize = lines.by_ref().take(position.line.saturating_sub(1)).map(str::len).sum();
    let line = lines.next().unwrap_or("");
    before
        + line.char_indices().nth(position.col.saturating_sub(1)).map_or(line.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dialect::Plain, node::Node};

    const WORLD: &str = r#"(
    name: "street",
    clock: (start: "2024-06-03T12:00", step: "15 min"), // a comment, "quoted ( 
    sites: {"street": (import_limit: "60 kW")},
    bands: [(from: "23:00", value: 0.5)],
    fleets: {"vans": (
        count: 25,
        arrive: Normal(mean: "17:30", sd: "1 h"),
        raw: r"a\b",
    )},
)
"#;

    /// What is said of the world with one part of it written otherwise, and the place.
    fn said(from: &str, to: &str) -> (String, (usize, usize)) {
        assert!(WORLD.contains(from), "{from}");
        let document = Document::new("w", &WORLD.replacen(from, to, 1));
        let problem =
            Node::root::<Plain>(&document).err().unwrap_or_else(|| panic!("`{to}` is RON"));
        let (_, line, column) = problem.place().unwrap();
        (problem.message.strip_prefix("this is not RON: ").unwrap().to_owned(), (line, column))
    }

    #[test]
    fn each_mistake_is_called_what_it_is_at_its_place() {
        assert!(Node::root::<Plain>(&Document::new("w", WORLD)).is_ok());
        for (from, to, what, place) in [
            ("25,", "25", "a comma is missing", (7, 17)),
            ("\"60 kW\")", "\"60 kW\" a: 1)", "a comma is missing", (4, 44)),
            ("count:", "count", "a colon is missing", (7, 13)),
            ("count:", "count =", "an `=` where `:` should be", (7, 15)),
            ("\"15 min\"", "\"15 min\"; a: 1", "a `;` where `,` should be", (3, 54)),
            ("\"street\",", "\"street,", "a quote is missing", (2, 11)),
            ("\"street\",", "street\",", "a quote is missing", (2, 17)),
            ("\"street\",", "'street',", "a string in single quotes", (2, 11)),
            ("    )},", "    ),", "a `)` where `}` should be", (11, 1)),
            ("    )},", "    }),", "a `}` where `)` should be", (10, 5)),
            ("    )},", "    )}},", "a `}` where `)` should be", (10, 7)),
            ("\"1 h\")", "\"1 h\"", "a bracket is not closed", (8, 23)),
            ("0.5)]", "0.5)", "a `)` where `]` should be", (11, 1)),
            ("\n)\n", "\n))\n", "a `)` closes nothing", (11, 2)),
            ("\n)\n", "\n", "a bracket is not closed", (1, 1)),
            ("[(from", "[from", "a `)` where `]` should be", (5, 38)),
            ("[(from: \"23:00\", value: 0.5)]", "[from: \"23:00\"]", "a name in a list", (5, 13)),
            ("fleets: {\"vans\": (", "fleets: (\"vans\": (", "a `}` where `)` should be", (10, 6)),
            ("name: ", "\"name\": ", "a field's name in quotes", (2, 5)),
            ("mean: \"17:30\"", "\"17:30\"", "a name after a value without one", (8, 33)),
            ("\"60 kW\"", "60 kW", "a value without quotes", (4, 38)),
            ("\"60 kW\"", "60kW", "a value without quotes", (4, 38)),
            ("\"60 kW\"", "95 %", "a value without quotes", (4, 38)),
            ("\"17:30\"", "17:30", "a value without quotes", (8, 30)),
            ("\"17:30\"", "07:30", "a value without quotes", (8, 30)),
            ("\"2024-06-03T12:00\"", "2024-06-03T12:00", "a value without quotes", (3, 20)),
            ("0.5", "0,5", "a number has a comma in it", (5, 37)),
            ("25,", "1,000,", "a number has a comma in it", (7, 17)),
        ] {
            let (message, at) = said(from, to);
            assert_eq!((message.as_str(), at), (what, place), "{from} -> {to}");
        }
    }

    #[test]
    fn no_text_is_too_broken_to_be_told() {
        let signs = [
            "(", ")", "[", "{", "}", "\"", "\\", "a", "1", ",", ":", "'", "/*", "*/", "//", "\n",
            "r#", "é",
        ];
        for first in signs {
            for second in signs {
                for third in signs {
                    let _ = Node::root::<Plain>(&Document::new(
                        "w",
                        &format!("{first}{second}{third}"),
                    ));
                }
            }
        }
    }
}
