//! The data dictionary: every column of every table, in the order in which it is written.
//!
//! Each table is declared once, in a file of its own; see `columns!` in `rows` for
//! how. Schemas, the metadata of Arrow fields, the manifest and `outputs/README.md` come from
//! there, and the rows that the tables are filled with.

pub(crate) mod cars;
pub(crate) mod charger_ticks;
pub(crate) mod comparison;
pub(crate) mod costs;
pub(crate) mod ev_ticks;
pub(crate) mod events;
pub(crate) mod fleet_ticks;
pub(crate) mod forecasts;
pub(crate) mod paths;
pub(crate) mod runs;
pub(crate) mod sessions;
pub(crate) mod site_ticks;
pub(crate) mod solves;
pub(crate) mod system_ticks;
pub(crate) mod unit_ticks;
pub(crate) mod windows;

pub use cars::TABLE as CARS;
pub use charger_ticks::TABLE as CHARGER_TICKS;
pub use comparison::TABLE as COMPARISON;
pub use costs::TABLE as COSTS;
pub use ev_ticks::TABLE as EV_TICKS;
pub use events::TABLE as EVENTS;
pub use fleet_ticks::TABLE as FLEET_TICKS;
pub use forecasts::TABLE as FORECASTS;
pub use paths::TABLE as PATHS;
pub use runs::TABLE as RUNS;
pub use sessions::TABLE as SESSIONS;
pub use site_ticks::TABLE as SITE_TICKS;
pub use solves::TABLE as SOLVES;
pub use system_ticks::TABLE as SYSTEM_TICKS;
pub use unit_ticks::TABLE as UNIT_TICKS;
pub use windows::TABLE as WINDOWS;

use crate::column::Table;

/// All tables of a run, in the order of the documentation.
pub static TABLES: [&Table; 15] = [
    &RUNS,
    &EVENTS,
    &CARS,
    &SESSIONS,
    &SYSTEM_TICKS,
    &UNIT_TICKS,
    &SITE_TICKS,
    &FLEET_TICKS,
    &EV_TICKS,
    &CHARGER_TICKS,
    &COSTS,
    &SOLVES,
    &WINDOWS,
    &FORECASTS,
    &PATHS,
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_unit_stands_last_in_its_columns_name() {
        let suffixes = [
            ("kW", "_kw"),
            ("kWh", "_kwh"),
            ("currency/kWh", "_per_kwh"),
            ("s", "_s"),
            ("h", "_h"),
        ];
        for column in TABLES.iter().flat_map(|table| table.columns) {
            for (unit, suffix) in suffixes {
                let has = column.name.ends_with(suffix)
                    && (suffix != "_kwh" || !column.name.ends_with("_per_kwh"));
                assert_eq!(column.unit == unit, has, "{}", column.name);
            }
        }
    }

    #[test]
    fn names_are_unique_and_keys_exist() {
        for table in TABLES {
            let names: BTreeSet<_> = table.columns.iter().map(|column| column.name).collect();
            assert_eq!(names.len(), table.columns.len(), "{}", table.name);
            assert!(table.key.iter().all(|key| names.contains(key)), "{}", table.name);
        }
    }
}
