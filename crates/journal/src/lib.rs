//! The journal: every accepted fact of a run, in an append-only log.
//!
//! ```text
//! log/000000.mcap   what made the run: the one record that may differ between equal runs
//! log/000001.mcap   what happened, one chunk a tick; a resumed run adds 000002.mcap, ...
//! log/HEAD          the last acknowledged tick and its chain hash
//! ```
//!
//! | module       | what it holds                                                        |
//! |--------------|----------------------------------------------------------------------|
//! | [`event`]    | the vocabulary: each event declared once                             |
//! | [`sink`]     | where a run's history goes besides the log                           |
//! | [`log`]      | [`log::EventLog`], and the log in memory                             |
//! | [`mcap_log`] | the log in a run's folder                                            |
//! | [`lock`]     | who may write to a run's folder                                      |
//! | [`disk`]     | the file operations it needs, and a disk that fails when told to     |
//! | [`reader`]   | reading and checking a log, a tick at a time                         |
//! | [`recovery`] | what a crash tore is cut off, so that a run can go on                |
//! | [`salvage`]  | what is whole of a damaged log, from either side of the damage          |
//! | [`plain`]    | files of a run's folder, which are never links                       |
//! | [`head`]     | `log/HEAD`                                                           |
//! | [`describe`] | events as JSON for people and tables                                 |
//! | [`difference`] | where two events of one kind first say different things                |
//! | [`snapshot`] | the state after a tick, beside the log, so that readers need not begin at zero |
//! | [`units`]    | schedules of generating units as events, and back                     |
//! | [`error`]    | what can go wrong                                                    |
//!
//! A tick is acknowledged once `HEAD` names it: damage before that is refused, damage after it
//! is the torn end of a crash. Every tick ends with a [`event::TickSealed`] whose chain hash
//! covers the tick's records and, through the hash before it, all of history. A log is read a
//! tick at a time, and no event of a tick is handed out before its chain hash has been checked.

#![warn(clippy::wildcard_enum_match_arm)]

mod body;
pub mod describe;
pub mod difference;
pub mod disk;
pub mod error;
pub mod event;
pub mod head;
mod hex;
mod kind;
mod layout;
pub mod lock;
pub mod log;
mod mcap_file;
pub mod mcap_log;
mod number;
mod pace;
pub mod plain;
pub mod reader;
mod records;
pub mod recovery;
pub mod salvage;
mod salvaged;
mod salvager;
mod scan;
mod seal;
mod segment;
mod segment_reader;
pub mod sink;
pub mod snapshot;
pub mod units;
mod upcast;

pub use kind::event_names;
