//! How deep the components of an iCalendar file are nested, told before a parser goes into them.

/// Deepest nesting that is read; calendars have three levels: calendar, event, alarm.
const DEPTH_MAX: u32 = 16;

/// Whether the components of a calendar are nested as deep as none is. The error is the reason,
/// with the line.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let mut depth = 0_u32;
    for (line, words) in (1..).zip(text.lines()) {
        let begins = |word: &str| {
            words.trim_start().get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word))
        };
        depth = if begins("BEGIN:") {
            depth + 1
        } else {
            depth.saturating_sub(u32::from(begins("END:")))
        };
        if depth > DEPTH_MAX {
            return Err(format!(
                "line {line} begins a component in {DEPTH_MAX} others, and a calendar has at most \
                 three levels"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_may_follow_each_other_but_not_nest_without_end() {
        assert_eq!(check(&"BEGIN:VEVENT\nEND:VEVENT\n".repeat(1000)), Ok(()));
        assert!(check(&"begin:VEVENT\r\n".repeat(17)).unwrap_err().starts_with("line 17 "));
    }
}
