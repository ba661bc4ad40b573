//! The simulation: an ECS world advanced tick by tick, through events.
//!
//! ```text
//!            ┌────────────────────────── one tick ──────────────────────────┐
//!  calendar ─▶ arrive ─▶ price ─▶ agree ─▶ plan ─▶ limit ─▶ dispatch ─▶ settle ─▶ record
//!            └────┬─────────┬────────────────┬────────┬─────────────────┬────────┬──┘
//!                 ▼ events  ▼                ▼        ▼                 ▼        ▼ hashes
//!              apply(event): what is decided changes the state so     journal, sinks
//! ```
//!
//! A replay runs what follows from the state, in `agree`, `plan`, `limit`, `dispatch`, `settle` and
//! `record`. What was decided it reads from the journal and hands to the same `apply`.
//! A run is resumed by replaying what the journal holds of it, and going on live from there.
//!
//! | entities        | components                                                  | in         |
//! |-----------------|-------------------------------------------------------------|------------|
//! | cars            | stored energy, set-point, stay, ledger                      | `cars`     |
//! | their drivers   | the draw of the hour, willingness, whether they agree       | `cars`     |
//! | sites           | limit, the cars behind them, what they came to              | `sites`    |
//! | shared chargers | the car at them, the site that they stand behind            | `sites`    |
//! | units           | output, available power, filling, flexibility, cost; power  | `units`    |
//! |                 | before, commitment, what they hold                          |            |

mod apply;
mod batch;
mod bounds;
mod cars;
mod deciders;
mod drivers;
mod due;
mod ecs;
mod failure;
mod fork;
mod grid;
mod outbox;
mod outlook;
mod phase;
mod plan_book;
mod planning;
mod prices;
mod redecide;
mod remembered;
mod replay;
mod resume;
mod run_start;
mod settle_kernel;
mod simulation;
mod sites;
mod snapshot;
mod state;
mod state_hash;
mod stopwatch;
mod tick;
mod units;
mod workers;

pub use deciders::check_suited;
pub use ecs::Profile;
pub use failure::EngineError;
pub use fork::{Fork, fork_hash, inherit};
pub use redecide::{Planned, Redecided, Redecision};
pub use replay::Replay;
pub use run_start::{configuration_hash, identity_hash};
pub use simulation::{Ended, Simulation, Start, check_capacity};
