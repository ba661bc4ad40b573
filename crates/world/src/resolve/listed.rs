//! Commuters whose typical day is listed in a file.

use super::fleet::FleetResolver;
use crate::data_file::{EmpiricalFile, ListedFile};
use ron_places::Spanned;
use std::sync::Arc;
use voltide_model::{
    clock::Boundary,
    fleet::{ListedCar, Parking},
    rules::Rules,
    series::Series,
    site::Charger,
};

/// The columns besides the draws, each with its unit.
const COLUMNS: [(&str, &str); 8] = [
    ("home_arr_h", "h"),
    ("home_dep_h", "h"),
    ("work_arr_h", "h"),
    ("work_dep_h", "h"),
    ("at_work", "1"),
    ("s0", "1"),
    ("se", "1"),
    ("e_trip_kwh", "kWh"),
];

/// Hours of a day.
const DAY: f64 = 24.0;

impl FleetResolver<'_, '_> {
    pub(super) fn listed(
        &mut self,
        file: &ListedFile,
        charger: Option<Charger>,
    ) -> Option<Parking> {
        if self.boundary? != Boundary::Fold {
            let message = format!("`{}.stays`: listed cars tell of a typical day", self.path);
            let help = "add `boundary: Fold` and `planning: AtDayStart` to the world";
            self.resolver.report.add_help(file.place, message, "days differ in this world", help);
            return None;
        }
        let columns: Vec<Arc<[f64]>> = COLUMNS
            .iter()
            .map(|&(name, unit)| self.column(file, name, unit))
            .collect::<Option<_>>()?;
        let draws: Vec<Arc<[f64]>> = (0..24)
            .map(|hour| self.column(file, &format!("z{hour:02}"), "1"))
            .collect::<Option<_>>()?;
        let rules = self.resolver.values.rules();
        let mut cars = Vec::with_capacity(columns[0].len());
        for row in 0..columns[0].len() {
            let values = std::array::from_fn(|column| {
                let value = columns[column][row];
                if COLUMNS[column].1 == "h" { hours(value, rules) } else { value }
            });
            let car = car(values, |hour| draws[hour][row]);
            match car {
                Ok(car) => cars.push(car),
                Err(why) => {
                    let message = format!("car {row} of `{}`: {why}", file.path.value);
                    self.resolver.report.add(file.path.place, message, "this file");
                    return None;
                }
            }
        }
        Some(Parking::Listed { cars: cars.into(), charger: charger? })
    }

    fn column(&mut self, file: &ListedFile, column: &str, unit: &str) -> Option<Arc<[f64]>> {
        let name = format!("{}.stays.{column}", self.path);
        // Read and journaled like the values of a distribution, so that a rebuild finds them by
        // name.
        let source = EmpiricalFile {
            place: file.place,
            path: file.path.clone(),
            column: Spanned { value: column.to_owned(), place: file.path.place },
            unit: None,
        };
        let resolver = &mut *self.resolver;
        let values = resolver.values.samples(&name, unit, &source, 1.0, resolver.report)?;
        self.samples.push(Series { name, unit: unit.to_owned(), values: Arc::clone(&values) });
        Some(values)
    }
}

/// A listed time. Up to [`Rules::V1`] it was rounded to the second, which gave cars slots that they
/// were late for.
fn hours(listed: f64, rules: Rules) -> f64 {
    if rules >= Rules::V2 { listed } else { (listed * 3600.0).round() / 3600.0 }
}

/// A car from the values of [`COLUMNS`], if they make sense.
fn car(
    values: [f64; COLUMNS.len()],
    normal: impl Fn(usize) -> f64,
) -> Result<ListedCar, &'static str> {
    let [home_arrival, home_departure, work_arrival, work_departure, at_work, s0, se, trip_kwh] =
        values;
    let normals: [f64; 24] = std::array::from_fn(normal);
    let works = at_work > 0.5;
    let share = |value: f64| (0.0..=1.0).contains(&value);
    let home_hours = home_departure - home_arrival;
    match () {
        // First, since what is no number is on no side of a limit below.
        () if values.iter().chain(&normals).any(|value| !value.is_finite()) => {
            Err("a number is missing")
        }
        () if !(0.0..2.0 * DAY).contains(&home_arrival) || !(0.0..=DAY).contains(&home_hours) => {
            Err("it is not at home from `home_arr_h` to a later `home_dep_h` within 24 hours")
        }
        () if !share(s0) || !share(se) => Err("`s0` and `se` must lie between 0 and 1"),
        () if trip_kwh < 0.0 => Err("`e_trip_kwh` must be at least 0"),
        () if ![0.0, 1.0].contains(&at_work) => Err("`at_work` must be 0 or 1"),
        () if works
            && !(home_departure - DAY <= work_arrival
                && work_arrival <= work_departure
                && work_departure <= home_arrival) =>
        {
            Err("it is not at work between leaving home in the morning and coming back")
        }
        () => Ok(ListedCar {
            home: (home_arrival, home_departure),
            // The day that is lived begins with coming home, so that work comes on the date after.
            work: works.then_some((work_arrival + DAY, work_departure + DAY)),
            soc_on_arrival: s0,
            departure_soc: se,
            trip_kwh,
            normals,
        }),
    }
}
