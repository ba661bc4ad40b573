//! Charging sessions that really took place, from files such as those of ACN-Data.

use crate::{
    data_file::{SessionColumnsFile, SessionsFile},
    dialect::Report,
    input::FleetSessions,
    ranges::{from_to, with_unit},
    series::time_zone,
    table::{Files, Table, Wanted},
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use ron_places::{Problem, Spanned};
use std::{collections::BTreeMap, fmt};
use voltide_model::{
    clock::Clock,
    fleet::RecordedSession,
    physical::{CAR_ENERGY, Lies},
};

/// No car stays longer than this at a charger, in seconds.
const STAY_MAX: i64 = 366 * 24 * 3600;

/// How many sessions a fleet's file holds, and which of them the run does not reach.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct SessionsRead {
    /// Name of the fleet.
    pub fleet: String,
    /// Rows of the file.
    pub sessions: u32,
    /// Those that are over when the run begins: left out.
    pub before_start: u32,
    /// Those that begin when the run is over, or later: left out.
    pub after_end: u32,
}

impl fmt::Display for SessionsRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fleet, sessions, before_start, after_end } = self;
        let within = sessions - before_start - after_end;
        write!(
            f,
            "fleet `{fleet}`: {sessions} sessions read, {within} reach into the run, \
             {before_start} are over before it and {after_end} begin after it"
        )
    }
}

/// Reads a fleet's file of sessions, and says what became of its rows.
pub(crate) fn read(
    files: &mut Files,
    fleet: &str,
    file: &SessionsFile,
    clock: &Clock,
    report: &mut Report,
) -> Option<(FleetSessions, SessionsRead)> {
    let zone = time_zone(file.time_zone.as_ref(), report)?;
    let table = files.table(&file.path, &wanted(file), report)?;
    match (Reader { table: &table, zone, clock }).read(fleet, report) {
        Ok((sessions, read)) => Some((sessions.sorted()?, read)),
        Err(problem) => {
            report.push(*problem);
            None
        }
    }
}

/// The columns by their position in [`wanted`].
const ARRIVAL: usize = 0;
const DEPARTURE: usize = 1;
const ESTIMATE: usize = 2;
const REQUESTED: usize = 3;
const DELIVERED: usize = 4;
const STATION: usize = 5;

/// The columns of a file of sessions; two of them may be missing unless they are named.
fn wanted(file: &SessionsFile) -> [Wanted<'_>; 6] {
    let columns = file.columns.as_ref();
    let given = |field: fn(&SessionColumnsFile) -> &Option<Spanned<String>>| {
        columns.and_then(|columns| field(columns).as_ref())
    };
    [
        pick("arrival", given(|columns| &columns.arrival), file, false),
        pick("departure", given(|columns| &columns.departure), file, false),
        pick("estimated_departure", given(|columns| &columns.estimated_departure), file, true),
        pick("requested_kwh", given(|columns| &columns.requested_kwh), file, false),
        pick("delivered_kwh", given(|columns| &columns.delivered_kwh), file, true),
        pick("station_id", given(|columns| &columns.station_id), file, false),
    ]
}

fn pick<'a>(
    default: &'static str,
    given: Option<&'a Spanned<String>>,
    file: &SessionsFile,
    optional: bool,
) -> Wanted<'a> {
    match given {
        // Whoever names a column means that it is there.
        Some(given) => Wanted { name: given.as_str(), place: given.place, optional: false },
        None => Wanted { name: default, place: file.path.place, optional },
    }
}

/// Reads the sessions of one table.
struct Reader<'a> {
    table: &'a Table,
    zone: Option<Tz>,
    clock: &'a Clock,
}

/// What is wrong with a row, with a label for it.
type Wrong = (String, &'static str);

impl Reader<'_> {
    /// All sessions that the run touches, and how many it does not.
    fn read(
        &self,
        fleet: &str,
        report: &Report,
    ) -> Result<(FleetSessions, SessionsRead), Box<Problem>> {
        let mut read = SessionsRead { fleet: fleet.to_owned(), ..SessionsRead::default() };
        let run = i64::from(self.clock.slots) * i64::from(self.clock.slot_seconds);
        let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
        let mut stations = Vec::new();
        let mut sessions: Vec<RecordedSession> = Vec::new();
        let mut rows = Vec::new();
        for row in 0..self.table.len() {
            let fail = |(message, label): Wrong| {
                Box::new(self.table.problem(row, &message, label, report))
            };
            let (arrives, leaves, announced) = self.times(row).map_err(fail)?;
            let (requested_kwh, delivered_kwh) = self.energies(row).map_err(fail)?;
            let name = self.table.text(STATION, row);
            if name.is_empty() {
                return Err(fail(("the station has no name".to_owned(), "no station")));
            }
            read.sessions += 1;
            read.before_start += u32::from(leaves <= 0);
            read.after_end += u32::from(arrives >= run);
            if leaves <= 0 || arrives >= run {
                continue;
            }
            let station = *numbers.entry(name).or_insert_with_key(|name| {
                stations.push(name.clone());
                stations.len() as u32 - 1
            });
            // They fit: a run is shorter than 2^31 seconds by years, and each is within one of it.
            let [arrives, leaves, announced] =
                [arrives, leaves, announced].map(|seconds| seconds as i32);
            sessions.push(RecordedSession {
                arrives,
                leaves,
                announced,
                requested_kwh,
                delivered_kwh,
                station,
            });
            rows.push(row);
        }
        if sessions.is_empty() {
            let message = "none of its sessions falls within the run";
            return Err(Box::new(self.table.file_problem(message, report)));
        }
        self.check_overlaps(&sessions, &rows, &stations, report)?;
        Ok((FleetSessions { fleet: fleet.to_owned(), stations, sessions }, read))
    }

    /// Arrival, departure and announced departure, in seconds from the clock's start.
    fn times(&self, row: usize) -> Result<(i64, i64, i64), Wrong> {
        let cell = |column| {
            // Sessions stand in any order: no row tells which of two equal times is meant, so that
            // it is the first.
            self.table.instant(column, row, self.zone, None).map_err(|error| (error, "this row"))
        };
        let needed = |instant: Option<DateTime<Utc>>, what: &str| {
            instant.ok_or_else(|| (format!("the {what} is missing"), "incomplete"))
        };
        let arrival = needed(cell(ARRIVAL)?, "arrival")?;
        let departure = needed(cell(DEPARTURE)?, "departure")?;
        let estimate = cell(ESTIMATE)?.unwrap_or(departure);
        if departure <= arrival {
            return Err((
                "the departure is not after the arrival".to_owned(),
                "leaves before it arrives",
            ));
        }
        // Slots begin and end at whole seconds: of a fraction only matters on which side it lies.
        let arrives = self.clock.seconds_until(arrival);
        let [leaves, announced] = [departure, estimate].map(|at| self.clock.seconds_to(at));
        if leaves - arrives > STAY_MAX || (announced - arrives).abs() > STAY_MAX {
            return Err(("the stay lasts longer than a year".to_owned(), "too long"));
        }
        Ok((arrives, leaves, announced))
    }

    /// Energy requested, and delivered in reality where that was recorded.
    fn energies(&self, row: usize) -> Result<(f64, Option<f64>), Wrong> {
        let cell = |column| self.table.number(column, row).map_err(|error| (error, "this row"));
        let requested = cell(REQUESTED)?
            .ok_or_else(|| ("the requested energy is missing".to_owned(), "incomplete"))?;
        let delivered = cell(DELIVERED)?;
        if requested < 0.0 || delivered.is_some_and(|energy| energy < 0.0) {
            return Err(("energy is negative".to_owned(), "negative energy"));
        }
        if let Some(energy) = delivered
            .into_iter()
            .chain([requested])
            .find(|&kwh| CAR_ENERGY.lies(kwh) == Lies::Impossible)
        {
            let found = with_unit(energy, "kWh");
            let most = from_to(CAR_ENERGY.possible, "kWh");
            return Err((
                format!("{found} cannot be reckoned with: a session is of {most}"),
                "out of range",
            ));
        }
        Ok((requested, delivered))
    }

    /// Refuses two cars at one station at a time.
    fn check_overlaps(
        &self,
        sessions: &[RecordedSession],
        rows: &[usize],
        stations: &[String],
        report: &Report,
    ) -> Result<(), Box<Problem>> {
        let mut order: Vec<usize> = (0..sessions.len()).collect();
        // An arrival is rounded up and a departure down to the second, so that one car may follow
        // another at once.
        order.sort_by_key(|&index| (sessions[index].station, sessions[index].arrives));
        for pair in order.windows(2) {
            let (before, after) = (&sessions[pair[0]], &sessions[pair[1]]);
            if before.station == after.station && after.arrives < before.leaves {
                let station = &stations[after.station as usize];
                let taken = self.table.row_name(rows[pair[0]]);
                let message = format!("station `{station}` is still taken by {taken}");
                let problem =
                    self.table.problem(rows[pair[1]], &message, "two cars at one station", report);
                return Err(Box::new(problem));
            }
        }
        Ok(())
    }
}
