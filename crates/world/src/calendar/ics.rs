//! The events of an iCalendar file as RFC 5545 means them, each occurrence a reservation.
//!
//! | of an event                       | here                                                       |
//! |-----------------------------------|------------------------------------------------------------|
//! | `RRULE`, `RDATE`, `EXDATE`        | its occurrences, as far as the run may see them            |
//! | `RECURRENCE-ID`                   | takes the place of an occurrence                           |
//! | `STATUS:CANCELLED`                | does not take place                                        |
//! | `TRANSP:TRANSPARENT`              | takes place, but reserves nothing                          |
//! | `DTEND`, `DURATION`, neither      | its end; a day after a date, at once after a time          |
//! | `SEQUENCE`, `DTSTAMP`             | of several versions of one, the last; copies are one       |
//! | `METHOD:CANCEL`                   | its events do not take place, wherever else they stand     |
//! | `RANGE=THISANDFUTURE`, `EXRULE`   | refused                                                    |

use super::{
    content::{self, Component, Property},
    recurrence,
    time::{Span, Time, Zones},
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::{collections::BTreeMap, ops::Range};

/// From when to when an event takes place.
pub(super) type Taken = (DateTime<Utc>, DateTime<Utc>);

/// An event with what it is called in messages.
struct Event {
    name: String,
    uid: Option<String>,
    /// The occurrence of its series whose place it takes.
    replaces: Option<Time>,
    /// What a later version has more of.
    version: (u32, String),
    cancelled: bool,
    transparent: bool,
    start: Time,
    span: Span,
    rules: Vec<String>,
    /// Further occurrences; those that are periods have their own length.
    more: Vec<(Time, Option<Span>)>,
    /// Occurrences that do not take place.
    without: Vec<Time>,
}

/// When the events of a text take place. Of those that repeat only occurrences that begin within
/// `window` are told; floating times are in `zone`.
///
/// # Errors
/// What is wrong, and with which event.
pub(super) fn taken(
    text: &str,
    zone: Tz,
    window: &Range<DateTime<Utc>>,
) -> Result<Vec<Taken>, String> {
    let mut all = Vec::new();
    for calendar in content::components(text)? {
        let zones = Zones::of(&calendar, zone);
        let is_called_off = calendar.one("METHOD")?.is_some_and(|method| method.is("CANCEL"));
        let events: Vec<&Component> = match calendar.name.as_str() {
            "VEVENT" => vec![&calendar],
            _ => {
                calendar.components.iter().filter(|component| component.name == "VEVENT").collect()
            }
        };
        for (number, event) in (1..).zip(events) {
            let event = Event::read(event, number, &zones)?;
            all.push(Event { cancelled: event.cancelled || is_called_off, ..event });
        }
    }
    // One event may stand in several calendars of a file.
    let taken = series(all).into_iter().map(|series| series.taken(window));
    flat(taken)
}

/// An event and those that take the place of its occurrences.
struct Series {
    /// Several only where they share a name that should be one's own.
    masters: Vec<Event>,
    overrides: Vec<Event>,
}

/// Events by their series, in order of appearance; of versions of one event the last.
fn series(events: Vec<Event>) -> Vec<Series> {
    let mut of_uid: BTreeMap<String, usize> = BTreeMap::new();
    let mut all: Vec<Series> = Vec::new();
    for event in events {
        let place = match &event.uid {
            Some(uid) => *of_uid.entry(uid.clone()).or_insert(all.len()),
            // Nothing says that an event without a UID belongs to another.
            None => all.len(),
        };
        if place == all.len() {
            all.push(Series { masters: Vec::new(), overrides: Vec::new() });
        }
        let series = &mut all[place];
        let versions =
            if event.replaces.is_some() { &mut series.overrides } else { &mut series.masters };
        take_in(versions, event);
    }
    all
}

/// Adds an event, unless a later version of it is there, and in place of earlier ones and of
/// copies.
fn take_in(versions: &mut Vec<Event>, event: Event) {
    let instant = |event: &Event| event.replaces.map(Time::instant);
    let same = |other: &Event| instant(other) == instant(&event);
    if versions.iter().any(|other| same(other) && other.version > event.version) {
        return;
    }
    let is_copy = |other: &Event| {
        other.version == event.version
            && other.start.instant() == event.start.instant()
            && (other.span == event.span || event.cancelled || other.cancelled)
    };
    // Of a copy that is called off and one that is not, the former counts in either order.
    let cancelled =
        event.cancelled || versions.iter().any(|it| same(it) && is_copy(it) && it.cancelled);
    versions.retain(|other| !(same(other) && (other.version < event.version || is_copy(other))));
    versions.push(Event { cancelled, ..event });
}

impl Series {
    fn taken(&self, window: &Range<DateTime<Utc>>) -> Result<Vec<Taken>, String> {
        let mut taken = Vec::new();
        for master in &self.masters {
            let in_message = |problem| format!("{}: {problem}", master.name);
            let mut occurrences = master.occurrences(window).map_err(in_message)?;
            occurrences
                .retain(|(start, _)| !self.overrides.iter().any(|it| it.takes_place_of(*start)));
            if master.reserves() {
                taken.extend(
                    occurrences
                        .into_iter()
                        .map(|(start, span)| (start.instant(), start.after(span))),
                );
            }
        }
        // A series that is called off takes its exceptions with it.
        let called_off =
            !self.masters.is_empty() && self.masters.iter().all(|master| master.cancelled);
        let exceptions = self.overrides.iter().filter(|event| event.reserves() && !called_off);
        taken
            .extend(exceptions.map(|event| (event.start.instant(), event.start.after(event.span))));
        taken.sort_unstable();
        Ok(taken)
    }
}

impl Event {
    fn read(component: &Component, number: usize, zones: &Zones) -> Result<Self, String> {
        let summary =
            component.all("SUMMARY").next().map(|summary| format!("`{}`", summary.value.trim()));
        let name = summary.unwrap_or_else(|| format!("event {number}"));
        Self::named(name.clone(), component, zones).map_err(|problem| format!("{name}: {problem}"))
    }

    fn named(name: String, component: &Component, zones: &Zones) -> Result<Self, String> {
        let one = |name| component.one(name);
        let time = |property: &Property| zones.time(property, property.value.trim());
        let start = time(one("DTSTART")?.ok_or("it has no DTSTART")?)?;
        if component.all("EXRULE").next().is_some() {
            return Err("EXRULE is not read; write its occurrences down as EXDATE".to_owned());
        }
        let replaces = one("RECURRENCE-ID")?;
        if replaces.is_some_and(|property| property.parameter("RANGE").is_some()) {
            let problem =
                "a RECURRENCE-ID that changes this and all future occurrences is not read";
            return Err(format!("{problem}; end the series with UNTIL and begin another"));
        }
        let sequence =
            one("SEQUENCE")?.map_or(Some(0), |property| property.value.trim().parse().ok());
        let stamp = one("DTSTAMP")?.map(|property| property.value.trim().to_owned());
        Ok(Self {
            name,
            uid: one("UID")?.map(|property| property.value.trim().to_owned()),
            replaces: replaces.map(time).transpose()?,
            // Stamps are in UTC, so that as texts they are in the order of time.
            version: (sequence.ok_or("its SEQUENCE is no number")?, stamp.unwrap_or_default()),
            cancelled: one("STATUS")?.is_some_and(|status| status.is("CANCELLED")),
            transparent: one("TRANSP")?.is_some_and(|transparency| transparency.is("TRANSPARENT")),
            start,
            span: span(start, one("DTEND")?.map(time).transpose()?, one("DURATION")?)?,
            rules: component.all("RRULE").map(|rule| rule.value.trim().to_owned()).collect(),
            more: further(component, zones)?,
            without: flat(component.all("EXDATE").map(|property| zones.times(property)))?,
        })
    }

    fn reserves(&self) -> bool {
        !self.cancelled && !self.transparent
    }

    /// Whether it is there instead of the occurrence that would begin at `start`.
    fn takes_place_of(&self, start: Time) -> bool {
        self.replaces.is_some_and(|replaced| is_same(replaced, start))
    }

    /// The occurrences that begin within a window, each once, and how long they last. What does not
    /// repeat is told wherever it is.
    fn occurrences(&self, window: &Range<DateTime<Utc>>) -> Result<Vec<(Time, Span)>, String> {
        let mut by_instant: BTreeMap<DateTime<Utc>, (Time, Span)> = BTreeMap::new();
        let own_length = |time| (time, self.span);
        let repeats = !(self.rules.is_empty() && self.more.is_empty());
        // DTSTART is the first occurrence, whether it fits the rule or not (section 3.8.5.3).
        let mut all = vec![own_length(self.start)];
        for rule in &self.rules {
            all.extend(
                recurrence::walls(rule, self.start, window.end)?.into_iter().map(own_length),
            );
        }
        all.extend(self.more.iter().map(|&(time, span)| (time, span.unwrap_or(self.span))));
        for (time, span) in all {
            if !repeats || window.contains(&time.instant()) {
                by_instant.entry(time.instant()).or_insert((time, span));
            }
        }
        // Last, since EXDATE takes out what RDATE adds as well as what a rule does.
        by_instant.retain(|_, (time, _)| !self.without.iter().any(|it| is_same(*it, *time)));
        Ok(by_instant.into_values().collect())
    }
}

/// Whether a time names an occurrence: by its instant, or as a date by the day on which it begins.
fn is_same(named: Time, occurrence: Time) -> bool {
    if named.is_date {
        named.wall.date() == occurrence.wall.date()
    } else {
        named.instant() == occurrence.instant()
    }
}

/// How long an event lasts.
fn span(start: Time, end: Option<Time>, duration: Option<&Property>) -> Result<Span, String> {
    match (end, duration) {
        (Some(_), Some(_)) => Err("it has both DTEND and DURATION".to_owned()),
        (Some(end), None) => start.until(end),
        (None, Some(duration)) => {
            let span = Span::parsed(duration.value.trim())?;
            let in_days = matches!(span, Span::Nominal { seconds: 0, .. });
            if start.is_date && !in_days {
                return Err(
                    "it begins with a date, so that its DURATION is in days or weeks".to_owned()
                );
            }
            Ok(span)
        }
        (None, None) if start.is_date => Ok(Span::Nominal { days: 1, seconds: 0 }),
        (None, None) => Ok(Span::Exact(0)),
    }
}

/// What `RDATE` adds: times, or periods with an end or a duration.
fn further(component: &Component, zones: &Zones) -> Result<Vec<(Time, Option<Span>)>, String> {
    flat(component.all("RDATE").map(|property| {
        if !property.parameter("VALUE").is_some_and(|value| value.eq_ignore_ascii_case("PERIOD")) {
            return Ok(zones.times(property)?.into_iter().map(|time| (time, None)).collect());
        }
        let period = |text: &str| {
            let wrong = || format!("`{text}` of RDATE is no period");
            let (start, end) = text.trim().split_once('/').ok_or_else(wrong)?;
            let start = zones.time(property, start)?;
            let span = if end.starts_with(['P', '+', '-']) {
                Span::parsed(end)?
            } else {
                start.until(zones.time(property, end)?)?
            };
            Ok((start, Some(span)))
        };
        property.value.split(',').map(period).collect()
    }))
}

/// The items of all lists, or the first problem.
fn flat<T>(lists: impl Iterator<Item = Result<Vec<T>, String>>) -> Result<Vec<T>, String> {
    Ok(lists.collect::<Result<Vec<_>, String>>()?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Berlin;

    /// When the events of March and April 2024 take place, as `from/to` in UTC without the year;
    /// lines of an event are parted by a bar, events by two.
    fn taken_of(events: &str) -> Result<Vec<String>, String> {
        let events = events.split("||").map(|event| {
            let lines: Vec<&str> = event.split('|').map(str::trim).collect();
            format!("BEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\n", lines.join("\r\n"))
        });
        let text = format!("BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n", events.collect::<String>());
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let window = at("2024-03-01T00:00:00Z")..at("2024-05-01T00:00:00Z");
        let told =
            |(from, to): Taken| format!("{}/{}", from.format("%m%dT%H%M"), to.format("%m%dT%H%M"));
        Ok(taken(&text, Berlin, &window)?.into_iter().map(told).collect())
    }

    fn check(events: &str, expected: &[&str]) {
        assert_eq!(
            taken_of(events).as_deref(),
            Ok(expected.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>().as_slice()),
            "{events}"
        );
    }

    #[test]
    fn a_rule_repeats_on_the_wall_clock_also_when_clocks_change() {
        let berlin =
            "DTSTART;TZID=Europe/Berlin:20240325T080000|DTEND;TZID=Europe/Berlin:20240325T090000";
        let weeks = ["0325T0700/0325T0800", "0401T0600/0401T0700", "0408T0600/0408T0700"];
        check(&format!("{berlin}|RRULE:FREQ=WEEKLY;COUNT=3"), &weeks);
        check(&format!("{berlin}|rrule:freq=weekly;until=20240408T060000Z"), &weeks);
        check(&format!("{berlin}|RRULE:FREQ=WEEKLY;UNTIL=20240408"), &weeks);
        check(&format!("{berlin}|RRULE:FREQ=WEEKLY;UNTIL=20240408T055959Z"), &weeks[..2]);
        let utc = "DTSTART:20240325T080000Z|DURATION:PT1H|RRULE:FREQ=WEEKLY;COUNT=2";
        check(utc, &["0325T0800/0325T0900", "0401T0800/0401T0900"]);
        let floating = "DTSTART:20240330T230000|DURATION:P1D|RRULE:FREQ=DAILY;COUNT=2";
        check(floating, &["0330T2200/0331T2100", "0331T2100/0401T2100"]);
        let skipped = "DTSTART:20240330T023000|RRULE:FREQ=DAILY;COUNT=3";
        check(skipped, &["0330T0130/0330T0130", "0331T0130/0331T0130", "0401T0030/0401T0030"]);
    }

    #[test]
    fn dates_are_whole_days_in_the_zone_of_the_world() {
        check("DTSTART;VALUE=DATE:20240331", &["0330T2300/0331T2200"]);
        check("DTSTART:20240330|DTEND:20240401", &["0329T2300/0331T2200"]);
        check("DTSTART:20240331|DURATION:P2D", &["0330T2300/0401T2200"]);
        let days = ["0330T2300/0331T2200", "0331T2200/0401T2200"];
        check("DTSTART:20240331|RRULE:FREQ=DAILY;UNTIL=20240401", &days);
        check("DTSTART:20240330|RRULE:FREQ=DAILY;UNTIL=20240401|EXDATE;VALUE=DATE:20240330", &days);
    }

    #[test]
    fn what_is_cancelled_or_transparent_reserves_nothing() {
        let event = "DTSTART:20240401T080000Z";
        check(&format!("{event}|STATUS:TENTATIVE|TRANSP:OPAQUE"), &["0401T0800/0401T0800"]);
        check(&format!("{event}|STATUS:cancelled"), &[]);
        check(&format!("{event}|TRANSP:TRANSPARENT"), &[]);
        let window = DateTime::UNIX_EPOCH..DateTime::UNIX_EPOCH;
        let called_off = format!(
            "BEGIN:VCALENDAR\nMETHOD:CANCEL\nBEGIN:VEVENT\n{event}\nEND:VEVENT\nEND:VCALENDAR"
        );
        assert_eq!(taken(&called_off, Berlin, &window), Ok(Vec::new()));
    }

    #[test]
    fn dates_are_added_and_left_out_each_once() {
        let event = "DTSTART:20240401T080000Z|DTEND:20240401T081500Z";
        let also =
            "RDATE:20240402T080000Z,20240401T080000Z|RDATE;TZID=Europe/Berlin:20240403T100000";
        let days = ["0401T0800/0401T0815", "0402T0800/0402T0815", "0403T0800/0403T0815"];
        check(&format!("{event}|{also}"), &days);
        check(
            &format!("{event}|{also}|EXDATE;TZID=Europe/Berlin:20240402T100000"),
            &[days[0], days[2]],
        );
        check(&format!("{event}|{also}|EXDATE:20240401T080000Z,20240402T080000Z"), &days[2..]);
        let periods = "RDATE;VALUE=PERIOD:20240402T080000Z/PT2H,20240403T080000Z/20240403T083000Z";
        check(
            &format!("{event}|{periods}"),
            &[days[0], "0402T0800/0402T1000", "0403T0800/0403T0830"],
        );
    }

    #[test]
    fn exceptions_take_the_place_of_occurrences() {
        let series = "UID:a|DTSTART;TZID=Europe/Berlin:20240401T080000|DURATION:PT15M|RRULE:FREQ=DAILY;COUNT=3";
        let days = ["0401T0600/0401T0615", "0402T0600/0402T0615", "0403T0600/0403T0615"];
        check(series, &days);
        let moved = "UID:a|RECURRENCE-ID:20240402T060000Z|DTSTART:20240404T100000Z";
        check(&format!("{series}||{moved}"), &[days[0], days[2], "0404T1000/0404T1000"]);
        check(&format!("{moved}||{series}"), &[days[0], days[2], "0404T1000/0404T1000"]);
        check(&format!("{series}||{moved}|STATUS:CANCELLED"), &[days[0], days[2]]);
        check(&format!("{series}||{moved}|TRANSP:TRANSPARENT"), &[days[0], days[2]]);
        check(
            &format!("{series}||UID:a|RECURRENCE-ID;VALUE=DATE:20240402|DTSTART:20240404"),
            &[days[0], days[2], "0403T2200/0404T2200"],
        );
        check(moved, &["0404T1000/0404T1000"]);
        check(&format!("{series}|STATUS:CANCELLED||{moved}"), &[]);
        check(
            &format!("{series}||{}", moved.replace("UID:a", "UID:b")),
            &[days[0], days[1], days[2], "0404T1000/0404T1000"],
        );
    }

    #[test]
    fn of_several_versions_the_last_counts() {
        let version =
            |version: &str, day: u32| format!("UID:a|{version}|DTSTART:202404{day:02}T080000Z");
        let both = |one: &str, other: &str| format!("{}||{}", version(one, 2), version(other, 3));
        check(&both("SEQUENCE:1", "SEQUENCE:0"), &["0402T0800/0402T0800"]);
        check(
            &both("DTSTAMP:20240101T000000Z", "DTSTAMP:20240102T000000Z"),
            &["0403T0800/0403T0800"],
        );
        check(&both("X-A:1", "X-A:1"), &["0402T0800/0402T0800", "0403T0800/0403T0800"]);
    }

    #[test]
    fn an_event_that_stands_twice_in_a_file_takes_place_once() {
        let event = "UID:a|DTSTART:20240402T080000Z|DURATION:PT1H";
        let once = ["0402T0800/0402T0900"];
        check(&format!("{event}||{event}"), &once);
        check(&format!("{event}||{event}|STATUS:CANCELLED"), &[]);
        check(&format!("{event}|STATUS:CANCELLED||{event}"), &[]);
        let series = "UID:a|DTSTART:20240402T080000Z|RRULE:FREQ=DAILY;COUNT=2";
        let moved = "UID:a|RECURRENCE-ID:20240403T080000Z|DTSTART:20240404T100000Z";
        let days = ["0402T0800/0402T0800", "0404T1000/0404T1000"];
        check(&format!("{series}||{moved}||{series}||{moved}"), &days);
        let window = DateTime::UNIX_EPOCH..DateTime::UNIX_EPOCH;
        let calendar = |method: &str, more: &str| {
            let event = event.replace('|', "\n");
            format!(
                "BEGIN:VCALENDAR\n{method}\nBEGIN:VEVENT\n{event}{more}\nEND:VEVENT\nEND:VCALENDAR\n"
            )
        };
        let published = calendar("METHOD:PUBLISH", "");
        let number = |text: String| taken(&text, Berlin, &window).unwrap().len();
        assert_eq!(number(format!("{published}{published}")), 1);
        assert_eq!(number(format!("{published}{}", calendar("METHOD:CANCEL", "\nSEQUENCE:1"))), 0);
        assert_eq!(number(format!("{}{published}", calendar("METHOD:CANCEL", ""))), 0);
    }

    #[test]
    fn series_are_told_as_far_as_the_run_looks() {
        let daily = taken_of("DTSTART:19600101T080000|RRULE:FREQ=DAILY").unwrap();
        assert_eq!((daily.len(), daily[0].as_str()), (61, "0301T0700/0301T0700"));
        check(
            "DTSTART:20200229T080000Z|RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1MO",
            &["0401T0800/0401T0800"],
        );
        let far = "DTSTART:20400101T080000Z";
        check(&format!("{far}|RRULE:FREQ=DAILY"), &[]);
        check(far, &["0101T0800/0101T0800"]);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_event() {
        let event = "SUMMARY:Trip|DTSTART:20240401T080000Z";
        for (more, problem) in [
            ("RRULE:FREQ=MINUTELY", "every hour at most"),
            ("RRULE:FREQ=DAILY;INTERVAL=0", "at least 1"),
            ("RRULE:FREQ=SOMETIMES", "is not read"),
            ("RRULE:FREQ=DAILY;UNTIL=soon", "`SOON` of UNTIL is not a time"),
            ("EXRULE:FREQ=DAILY", "EXRULE is not read"),
            ("RECURRENCE-ID;RANGE=THISANDFUTURE:20240401T080000Z", "end the series with UNTIL"),
            ("DTSTART:20240402T080000Z", "more than one DTSTART"),
            ("DTEND:20240401T070000Z", "ends before it begins"),
            ("DTEND:20240402", "with a date, and not with both"),
            ("DTEND:20240401T090000Z|DURATION:PT1H", "both DTEND and DURATION"),
            ("DURATION:-PT1H", "negative"),
            ("DURATION:P9999D", "more than 3660 days"),
            ("RDATE;TZID=Moon/Base:20240401T080000", "no time zone `Moon/Base`"),
            ("RDATE;VALUE=PERIOD:20240401T080000Z", "is no period"),
            ("EXDATE;VALUE=DATE:20240401T080000Z", "is not the VALUE that it says"),
        ] {
            let refused = taken_of(&format!("{event}|{more}")).unwrap_err();
            assert!(
                refused.starts_with("`Trip`: ") && refused.contains(problem),
                "{more}: {refused}"
            );
        }
        let often = taken_of("DTSTART:19500101T080000Z|RRULE:FREQ=HOURLY").unwrap_err();
        assert!(often.contains("more than 50000 occurrences"), "{often}");
        assert_eq!(taken_of("SUMMARY:Trip|UID:1"), Err("`Trip`: it has no DTSTART".to_owned()));
        assert_eq!(
            taken_of("DTSTART:tomorrow").unwrap_err(),
            "event 1: `tomorrow` of DTSTART is not a time"
        );
    }

    #[test]
    fn a_zone_may_be_named_as_programs_do() {
        let declared = "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Home\nX-LIC-LOCATION:Europe/Berlin\nEND:VTIMEZONE\n\
                        BEGIN:VEVENT\nDTSTART;TZID=Home:20240401T080000\nEND:VEVENT\nEND:VCALENDAR";
        let window = DateTime::UNIX_EPOCH..DateTime::UNIX_EPOCH;
        let found = taken(declared, Tz::UTC, &window).unwrap();
        assert_eq!(found[0].0.to_rfc3339(), "2024-04-01T06:00:00+00:00");
        check(
            "DTSTART;TZID=\"/mozilla.org/20050126_1/Europe/Lisbon\":20240401T080000",
            &["0401T0700/0401T0700"],
        );
    }
}
