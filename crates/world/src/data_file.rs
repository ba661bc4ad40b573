//! The shapes by which a world names its data files; series stand with the
//! [values over time](crate::over_time) that they can be.
//!
//! The documentation here is part of the field reference `worlds/README.md`.

use crate::dialect::WorldText;
use ron_places::{Spanned, shape};
use voltide_model::quantity::Share;

shape! {
    /// The values of a column of a CSV or Parquet file, each equally likely.
    pub(crate) struct EmpiricalFile "empirical" for WorldText at place {
        /// Path of the file, from the world file's folder.
        path: Spanned<String> => r#""data/trips.csv""#,
        /// Name of the column.
        column: Spanned<String> => r#""trip_kwh""#,
        /// Unit of the values: energy such as `"kWh"`, or for times of day `"h"` after midnight.
        /// Shares need none.
        unit: Option<Spanned<String>> = None => "none",
    }
}

shape! {
    /// Reservations from a CSV or Parquet file with columns `from`, `to`, `soc` and `car` (the last
    /// may be missing), or from an iCalendar file, of which every occurrence of an event is one, as
    /// RFC 5545 means it: with `RRULE`, `RDATE` and `EXDATE`; without what is cancelled or
    /// transparent.
    pub(crate) struct CalendarFile "calendar" for WorldText at place {
        /// Path of the file, from the world file's folder.
        path: Spanned<String> => r#""data/reservations.csv""#,
        /// State of charge where the file tells none.
        soc: Option<Spanned<Share>> = None => "the column `soc`",
        /// Number of the car in its fleet where the file tells none, from 0.
        car: Option<Spanned<u32>> = None => "every car",
    }
}

shape! {
    /// Sessions that really took place. Each row that the run touches is a car that parks once:
    /// from `arrival` to `departure`, asking for `requested_kwh`: that is what it lacks on arrival
    /// to `departure_soc`, capped by what a battery of the given capacity takes. What a row does
    /// not tell comes from the fleet.
    pub(crate) struct SessionsFile "sessions" for WorldText at place {
        /// Path of the CSV or Parquet file, from the world file's folder.
        path: Spanned<String> => r#""data/sessions.csv""#,
        /// Time zone of timestamps that name no offset.
        time_zone: Option<Spanned<String>> = None => "timestamps name their offset",
        /// Names of the columns.
        columns: Option<SessionColumnsFile> = None => "those of the ACN data",
    }
}

shape! {
    /// The typical day of commuters, one car a row, for a world with `boundary: Fold`. Columns, in
    /// hours after the midnight before coming home, to the microsecond: `home_arr_h` and, on the
    /// next day and so above 24, `home_dep_h`; in hours of that day `work_arr_h`, `work_dep_h`;
    /// `at_work`, 1 where there is a charger at work, else 0; `s0` and `se`, the state of charge
    /// on coming home and the one wanted at departure; `e_trip_kwh`, the energy from home to work;
    /// and `z00` to `z23`, a standard normal draw of willingness for each hour of the day.
    pub(crate) struct ListedFile "listed" for WorldText at place {
        /// Path of the CSV or Parquet file, from the world file's folder.
        path: Spanned<String> => r#""data/fleet.csv""#,
    }
}

shape! {
    /// Names of the columns of a file of sessions.
    pub(crate) struct SessionColumnsFile "session columns" for WorldText {
        /// When the car plugs in.
        arrival: Option<Spanned<String>> = None => "\"arrival\"",
        /// When it unplugs.
        departure: Option<Spanned<String>> = None => "\"departure\"",
        /// When the driver said it would, which is what policies see. Without such a column, or in
        /// an empty cell, `departure`.
        estimated_departure: Option<Spanned<String>> = None => "\"estimated_departure\"",
        /// Energy asked for, kWh on the grid side.
        requested_kwh: Option<Spanned<String>> = None => "\"requested_kwh\"",
        /// Energy delivered in reality, kWh on the grid side, to compare with. May be missing.
        delivered_kwh: Option<Spanned<String>> = None => "\"delivered_kwh\"",
        /// Name of the station.
        station_id: Option<Spanned<String>> = None => "\"station_id\"",
    }
}
