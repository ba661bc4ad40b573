//! Where the values come from that a world does not hold itself.
//!
//! A world is resolved the same way twice: [`load`](crate::load) reads its files, and
//! [`rebuild`](crate::rebuild) takes what was read then from the journal, by name.

use crate::{
    calendar,
    data_file::{CalendarFile, EmpiricalFile, SessionsFile},
    dialect::Report,
    over_time::SeriesFile,
    published::PublishedFigure,
};
use ron_places::{Place, Spanned, suggest};
use std::{collections::BTreeMap, sync::Arc};
use voltide_model::{
    clock::Clock,
    fleet::{Parking, RecordedSession},
    physical::Physical,
    rules::Rules,
    scenario::Scenario,
    series::Series,
    wishes::SocWish,
};

/// Everything that a world's files held: with its text, all that a scenario is made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inputs {
    /// Series and values of distributions, by their names in [`Scenario::series`]. Those that the
    /// text itself tells, such as fixed prices, may be among them and are not needed.
    pub series: Vec<Series>,
    /// Recorded sessions.
    pub sessions: Vec<FleetSessions>,
    /// The rules that the run goes by; those of today where it begins now.
    pub rules: Rules,
}

/// The recorded sessions of one fleet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FleetSessions {
    /// Name of the fleet.
    pub fleet: String,
    /// Names of the stations.
    pub stations: Vec<String>,
    /// The sessions; each names its station by its index in `stations`.
    pub sessions: Vec<RecordedSession>,
}

impl From<&Scenario> for Inputs {
    /// What a rebuild of this scenario needs besides the world's text.
    fn from(scenario: &Scenario) -> Self {
        let recorded = scenario.fleets.iter().filter_map(|fleet| match &fleet.parking {
            Parking::Sessions { sessions, stations, .. } => Some(FleetSessions {
                fleet: fleet.name.clone(),
                stations: stations.to_vec(),
                sessions: sessions.to_vec(),
            }),
            _ => None,
        });
        Self {
            series: scenario.series().cloned().collect(),
            sessions: recorded.collect(),
            rules: scenario.rules,
        }
    }
}

impl FleetSessions {
    /// The same sessions in order of arrival, with only the stations used, in order of their names.
    ///
    /// `None` where a session's station has no name.
    pub(crate) fn sorted(mut self) -> Option<Self> {
        let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
        for session in &self.sessions {
            numbers.insert(self.stations.get(session.station as usize)?, 0);
        }
        for (index, number) in (0..).zip(numbers.values_mut()) {
            *number = index;
        }
        for session in &mut self.sessions {
            session.station = numbers[self.stations[session.station as usize].as_str()];
        }
        // Cars are numbered in this order: by time and name, not by where a row stands in its file.
        self.sessions.sort_by_key(|session| (session.arrives, session.station, session.leaves));
        let stations = numbers.into_keys().map(str::to_owned).collect();
        Some(Self { stations, ..self })
    }
}

/// A series that a world wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeriesRequest<'a> {
    /// Its name in the scenario.
    pub(crate) name: &'a str,
    /// Unit of the values wanted.
    pub(crate) unit: &'a str,
    /// Where the world says it is.
    pub(crate) file: &'a SeriesFile,
    /// The place of the value over time that it is for, all of it.
    pub(crate) whole: Place,
    /// Factor from the file's values to the unit.
    pub(crate) factor: f64,
    /// What is added to the file's values, in the unit.
    pub(crate) adder: f64,
    /// Whether negative values are wrong.
    pub(crate) not_negative: bool,
    /// What its values may be.
    pub(crate) range: &'a Physical,
    /// The slots.
    pub(crate) clock: &'a Clock,
}

/// Gives the values that a world's text only names; `None` after a problem was reported.
pub(crate) trait Values {
    /// Whether fleets may be without cars, because a fork took them out of a run.
    fn may_lack_cars(&self) -> bool {
        false
    }

    /// The rules that the run goes by.
    fn rules(&self) -> Rules {
        Rules::TODAY
    }

    /// Whether a series for the value at `whole` comes with all that is added to it over time.
    fn tells_sums(&self, _whole: Place, _report: &Report) -> bool {
        false
    }

    /// One value a slot.
    fn series(&mut self, request: SeriesRequest<'_>, report: &mut Report) -> Option<Arc<[f64]>>;

    /// The values of an empirical distribution.
    fn samples(
        &mut self,
        name: &str,
        unit: &str,
        file: &EmpiricalFile,
        factor: f64,
        report: &mut Report,
    ) -> Option<Arc<[f64]>>;

    /// What others have published about the world; nothing where no file is read.
    fn published(
        &mut self,
        path: &Spanned<String>,
        report: &mut Report,
    ) -> Option<Vec<PublishedFigure>>;

    /// The reservations of a calendar; `name` is that of its series.
    fn reservations(
        &mut self,
        name: &str,
        file: &CalendarFile,
        clock: &Clock,
        report: &mut Report,
    ) -> Option<Vec<SocWish>>;

    /// The sessions of a fleet, sorted, all of them within reach of the clock.
    fn sessions(
        &mut self,
        fleet: &str,
        file: &SessionsFile,
        clock: &Clock,
        report: &mut Report,
    ) -> Option<FleetSessions>;
}

impl Inputs {
    pub(crate) fn named(
        &self,
        name: &str,
        unit: &str,
        place: Place,
        report: &mut Report,
    ) -> Option<Arc<[f64]>> {
        let Some(series) = self.series.iter().find(|series| series.name == name) else {
            let known = self.series.iter().map(|series| series.name.as_str());
            let help = suggest(name, "series", known);
            report.add_help(
                place,
                format!("the journal holds no series `{name}`"),
                "wanted here",
                help,
            );
            return None;
        };
        if series.unit != unit {
            let message =
                format!("series `{name}` is in `{}` in the journal, not in `{unit}`", series.unit);
            report.add(place, message, "wanted here");
            return None;
        }
        Some(Arc::clone(&series.values))
    }
}

impl Values for Inputs {
    // A fork may have taken out every car of a fleet, and its world is made again from its journal.
    fn may_lack_cars(&self) -> bool {
        true
    }

    fn rules(&self) -> Rules {
        self.rules
    }

    // Journals hold what a price comes to with all that is added to it.
    fn tells_sums(&self, _whole: Place, _report: &Report) -> bool {
        true
    }

    fn published(
        &mut self,
        _path: &Spanned<String>,
        _report: &mut Report,
    ) -> Option<Vec<PublishedFigure>> {
        // What others have published decides nothing, and so no journal holds it.
        Some(Vec::new())
    }

    fn series(&mut self, request: SeriesRequest<'_>, report: &mut Report) -> Option<Arc<[f64]>> {
        let values = self.named(request.name, request.unit, request.file.place, report)?;
        let found = values.len();
        let wanted = request.clock.slots as usize;
        // Ranges of quantities are not asked: what a run was made of holds, whatever is refused
        // today.
        if found != wanted || values.iter().any(|value| !value.is_finite()) {
            let message =
                format!("series `{}` of the journal is not {wanted} finite values", request.name);
            report.add(request.file.place, message, "wanted here");
            return None;
        }
        Some(values)
    }

    fn samples(
        &mut self,
        name: &str,
        unit: &str,
        file: &EmpiricalFile,
        // The journal's values are in the unit wanted: the factor was applied when they were read.
        _factor: f64,
        report: &mut Report,
    ) -> Option<Arc<[f64]>> {
        self.named(name, unit, file.place, report)
    }

    fn reservations(
        &mut self,
        name: &str,
        file: &CalendarFile,
        _clock: &Clock,
        report: &mut Report,
    ) -> Option<Vec<SocWish>> {
        calendar::from_series(|column, unit| {
            self.named(&format!("{name}.{column}"), unit, file.place, report)
        })
    }

    fn sessions(
        &mut self,
        fleet: &str,
        file: &SessionsFile,
        _clock: &Clock,
        report: &mut Report,
    ) -> Option<FleetSessions> {
        let found = self.sessions.iter().find(|sessions| sessions.fleet == fleet);
        let sorted = found.cloned().and_then(FleetSessions::sorted);
        if sorted.is_none() {
            report.add(
                file.place,
                format!("the journal holds no sessions of fleet `{fleet}`"),
                "wanted here",
            );
        }
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stations_are_numbered_by_name_and_sessions_sorted_by_arrival() {
        let session = |arrives, station| RecordedSession {
            arrives,
            leaves: arrives + 10,
            announced: arrives + 10,
            requested_kwh: 1.0,
            delivered_kwh: Some(1.0),
            station,
        };
        let recorded = FleetSessions {
            fleet: "acn".into(),
            stations: vec!["z".into(), "unused".into(), "a".into()],
            sessions: vec![session(50, 0), session(20, 2)],
        };
        let sorted = recorded.clone().sorted().unwrap();
        assert_eq!(sorted.stations, ["a", "z"]);
        assert_eq!(sorted.sessions, [session(20, 0), session(50, 1)]);
        let broken = FleetSessions { stations: vec![], ..recorded };
        assert_eq!(broken.sorted(), None);
    }
}
