//! The occurrences of a recurrence rule, by the crate `rrule`.
//!
//! Rules speak of wall clocks, so the crate is given wall-clock times as if clocks never changed,
//! and where they do is decided afterwards, for each occurrence by itself.

use super::time::{Time, parsed};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use rrule::{Frequency, RRule, RRuleSet, Unvalidated};

/// Most occurrences that a series may have until the end of what is looked at. `rrule` counts no
/// further than 65,535.
const OCCURRENCES_MAX: u16 = 50_000;

/// The occurrences of a series that begins at `start`, up to `end`.
///
/// # Errors
/// The rule is none, or has more occurrences than anybody would reserve a car for.
pub(super) fn walls(rule: &str, start: Time, end: DateTime<Utc>) -> Result<Vec<Time>, String> {
    let text = on_wall_clock(rule, start)?;
    let wrong =
        |problem: &dyn std::fmt::Display| format!("its rule `{rule}` is not read: {problem}");
    let read: RRule<Unvalidated> =
        format!("RRULE:{text}").parse().map_err(|error| wrong(&error))?;
    if matches!(read.get_freq(), Frequency::Minutely | Frequency::Secondly) {
        return Err(wrong(&"a car is reserved every hour at most"));
    }
    if read.get_interval() == 0 || read.get_count() == Some(0) {
        return Err(wrong(&"INTERVAL and COUNT are at least 1"));
    }
    // Labelled as UTC, where no time is skipped and none comes twice.
    let labelled = |wall: NaiveDateTime| wall.and_utc().with_timezone(&rrule::Tz::UTC);
    let first = labelled(start.wall);
    let read = read.validate(first).map_err(|error| wrong(&error))?;
    // No zone is more than a day away from another.
    let last = labelled(end.naive_utc() + TimeDelta::days(1));
    let found = RRuleSet::new(first).rrule(read).before(last).all(OCCURRENCES_MAX);
    if found.limited {
        let help = "give it an UNTIL or a COUNT, or let it begin later";
        return Err(wrong(&format!(
            "it goes on for more than {OCCURRENCES_MAX} occurrences, or they are too far between; \
             {help}"
        )));
    }
    Ok(found.dates.into_iter().map(|at| Time { wall: at.naive_utc(), ..start }).collect())
}

/// A rule with its UNTIL on the wall clock of the series, and in capitals.
fn on_wall_clock(rule: &str, start: Time) -> Result<String, String> {
    let part = |part: &str| {
        let part = part.trim().to_ascii_uppercase();
        let Some(until) = part.strip_prefix("UNTIL=") else { return Ok(part) };
        let until =
            parsed(until, start.zone).ok_or_else(|| format!("`{until}` of UNTIL is not a time"))?;
        let wall = match (until.is_date, start.is_date) {
            // The whole of the last day.
            (true, false) => until.wall + TimeDelta::seconds(86_399),
            (true, true) => until.wall,
            (false, _) => until.instant().with_timezone(&start.zone).naive_local(),
        };
        // `rrule` wants it in the zone of the start, which is labelled as UTC.
        Ok(format!("UNTIL={}Z", wall.format("%Y%m%dT%H%M%S")))
    };
    let parts: Vec<String> =
        rule.split(';').filter(|part| !part.is_empty()).map(part).collect::<Result<_, String>>()?;
    Ok(parts.join(";"))
}
