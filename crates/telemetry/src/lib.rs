//! A run's history as Parquet tables.
//!
//! [`Telemetry`] is a [`voltide_journal::sink::Sink`]: it takes in events and the columns of
//! every tick, live or replayed, and writes one file a table (`ev_ticks`: one a local day, or a
//! month or year of a long run), `world.ron` and, last, `manifest.json`.
//!
//! | module      | what it holds                                                       |
//! |-------------|---------------------------------------------------------------------|
//! | [`mod@column`] | types, units and signs of columns, and how they are stored          |
//! | [`mod@table`] | the data dictionary: every column of every table                  |
//! | [`page`]    | `outputs/README.md` and `outputs/views.sql`, made from it           |
//! | [`sink`]    | [`Telemetry`]                                                       |
//! | [`summary`] | what a run came to, in a few numbers                                |
//! | [`error`]   | what can go wrong                                                   |
//!
//! The tables hold nothing but what events, columns and the scenario say, and nothing in their
//! encoding depends on machine, threads or time: a replay writes the same bytes.

#![warn(clippy::wildcard_enum_match_arm)]

pub mod column;
mod comparison;
pub mod error;
pub mod page;
pub mod sink;
mod slack;
pub mod summary;
pub mod table;

mod bills;
mod brief;
mod charger_rows;
mod closed;
mod detail;
mod ev_rows;
mod export;
mod file;
mod fleet_rows;
mod frame;
mod groups;
mod layout;
mod manifest;
mod named;
mod offers;
mod planned;
mod realised;
mod rows;
mod selection;
mod sessions;
mod span;
mod table_file;
mod tables;
mod value;
mod wanted;
mod world_hash;
mod writer;

pub use closed::{ClosedDay, closed_days};
pub use comparison::{ComparedFigure, write_comparison};
pub use error::TelemetryError;
pub use export::Export;
pub use manifest::{Beside, Described, damaged_files, described, lacks_manifest};
pub use named::{NamedColumn, NamedValues, write_named};
pub use selection::Options;
pub use sink::Telemetry;
pub use summary::{
    ClippedAnswer, ComponentCost, Extreme, FailedCall, FlexibilitySums, LostPolicy, MissedTargets,
    NO_CHARGER_DISCHARGES, NotFiniteAnswer, RECORDS, RunStatus, SlackUsed, SolverFallback, Summary,
    SystemCostRows, TableSize,
};
pub use world_hash::world_parts;
