//! The content lines of RFC 5545, taken apart: components with properties, whatever they mean.

/// How deep components may lie in each other; a calendar needs three.
const DEPTH_MAX: usize = 16;

/// What stands between `BEGIN` and `END`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Component {
    /// Its name, in capitals.
    pub(super) name: String,
    /// The line that it begins on, from 1.
    pub(super) line: usize,
    pub(super) properties: Vec<Property>,
    pub(super) components: Vec<Component>,
}

/// A line `NAME;PARAMETER=value:value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    /// Its name, in capitals.
    pub(super) name: String,
    /// Names in capitals, and values without quotes.
    parameters: Vec<(String, String)>,
    pub(super) value: String,
}

impl Component {
    /// All properties of a name, in order.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Property> {
        self.properties.iter().filter(move |property| property.name == name)
    }

    /// The one property of a name.
    ///
    /// # Errors
    /// There are several.
    pub(super) fn one<'a>(&'a self, name: &'a str) -> Result<Option<&'a Property>, String> {
        let mut all = self.all(name);
        let first = all.next();
        if all.next().is_some() { Err(format!("it has more than one {name}")) } else { Ok(first) }
    }
}

impl Property {
    /// The value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether the value is one of the words that RFC 5545 has for it, in whatever case.
    pub(super) fn is(&self, word: &str) -> bool {
        self.value.trim().eq_ignore_ascii_case(word)
    }
}

/// The components of a text.
///
/// # Errors
/// A line is none, or a component does not begin or end; says where.
pub(super) fn components(text: &str) -> Result<Vec<Component>, String> {
    let mut whole = Vec::new();
    let mut open = Vec::<Component>::new();
    for (number, line) in unfolded(text) {
        let property =
            property(&line).ok_or_else(|| format!("line {number} is no `NAME:value`"))?;
        let name = property.value.trim().to_ascii_uppercase();
        match property.name.as_str() {
            "BEGIN" if open.len() >= DEPTH_MAX => {
                return Err(format!(
                    "line {number}: components lie more than {DEPTH_MAX} deep in each other"
                ));
            }
            "BEGIN" => {
                open.push(Component {
                    name,
                    line: number,
                    properties: Vec::new(),
                    components: Vec::new(),
                });
            }
            "END" => {
                let ended = open.pop().filter(|component| component.name == name);
                let ended = ended
                    .ok_or_else(|| format!("line {number} ends a `{name}` that is not open"))?;
                open.last_mut().map_or(&mut whole, |parent| &mut parent.components).push(ended);
            }
            _ => {
                let of =
                    open.last_mut().ok_or_else(|| format!("line {number} is in no calendar"))?;
                of.properties.push(property);
            }
        }
    }
    match open.pop() {
        Some(component) => {
            Err(format!("the `{}` of line {} does not end", component.name, component.line))
        }
        None if whole.is_empty() => Err("it holds no calendar".to_owned()),
        None => Ok(whole),
    }
}

/// Lines with their numbers, those put together that were folded.
fn unfolded(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1..).zip(text.lines()) {
        // A blank at its beginning makes a line part of the one before (section 3.1).
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some((_, before))) => before.push_str(more),
            _ if line.trim().is_empty() => {}
            _ => lines.push((number, line.to_owned())),
        }
    }
    lines
}

/// A line taken apart; colons and semicolons between quotes are part of a parameter.
fn property(line: &str) -> Option<Property> {
    let mut quoted = false;
    let mut ends = Vec::new();
    let mut colon = None;
    for (at, sign) in line.char_indices() {
        match sign {
            '"' => quoted = !quoted,
            ';' if !quoted => ends.push(at),
            ':' if !quoted => {
                colon = Some(at);
                break;
            }
            _ => {}
        }
    }
    let colon = colon?;
    ends.push(colon);
    let name = line[..ends[0]].trim();
    if name.is_empty() {
        return None;
    }
    let parameters = ends.windows(2).map(|ends| {
        let (name, value) = line[ends[0] + 1..ends[1]].split_once('=')?;
        Some((name.trim().to_ascii_uppercase(), value.trim().trim_matches('"').to_owned()))
    });
    Some(Property {
        name: name.to_ascii_uppercase(),
        parameters: parameters.collect::<Option<_>>()?,
        value: line[colon + 1..].to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_unfolded_and_taken_apart() {
        let text = "\u{feff}begin:vcalendar\r\nBEGIN:VEVENT\r\nDTSTART;TZID=\"Europe/Ber\r\n lin\";x=1:2024\r\n\r\n\
                    SUMMARY:a: b\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let calendar = components(text).unwrap().remove(0);
        let event = &calendar.components[0];
        assert_eq!((calendar.name.as_str(), event.line), ("VCALENDAR", 2));
        let start = event.one("DTSTART").unwrap().unwrap();
        assert_eq!(
            (start.parameter("TZID"), start.parameter("X")),
            (Some("Europe/Berlin"), Some("1"))
        );
        assert_eq!((start.value.as_str(), event.properties[1].value.as_str()), ("2024", "a: b"));
    }

    #[test]
    fn what_is_no_calendar_is_refused_with_its_line() {
        let refused = |text: &str| components(text).unwrap_err();
        assert_eq!(
            refused("BEGIN:VCALENDAR\nfree text\nEND:VCALENDAR"),
            "line 2 is no `NAME:value`"
        );
        assert_eq!(
            refused("BEGIN:VCALENDAR\nEND:VEVENT"),
            "line 2 ends a `VEVENT` that is not open"
        );
        assert_eq!(
            refused("BEGIN:VCALENDAR\n\nBEGIN:VEVENT"),
            "the `VEVENT` of line 3 does not end"
        );
        assert_eq!(refused("SUMMARY:x"), "line 1 is in no calendar");
        assert_eq!(refused(" \n"), "it holds no calendar");
        assert!(refused(&"BEGIN:X\n".repeat(20_000)).contains("more than 16 deep"));
    }
}
