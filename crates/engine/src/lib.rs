//! The simulation: an ECS world advanced tick by tick, through events.
//!
//! ```text
//!            ┌────────────────────────── one tick ──────────────────────────┐
//!  calendar ─▶ arrive ─▶ price ─▶ agree ─▶ plan ─▶ limit ─▶ dispatch ─▶ settle ─▶ record
//!            └────┬─────────┬────────────────┬────────┬─────────────────┬────────┬──┘
//!                 ▼ events  ▼                ▼        ▼                 ▼        ▼ hashes
//!              apply(event): the only way in which state changes      journal, sinks
//! ```
//!
//! A replay runs the same `limit`, `dispatch`, `settle` and `record`; what the first four phases
//! decided it reads from the journal and hands to the same `apply`.

mod agenda;
mod apply;
mod bounds;
mod failure;
mod grid;
mod observe;
mod opening;
mod outbox;
mod phase;
mod plan_book;
mod prices;
mod settle;
mod simulation;
mod state;
mod state_hash;
mod stopwatch;
mod workers;

pub use failure::EngineError;
pub use opening::configuration_hash;
pub use simulation::{Ended, Profile, Replay, Simulation, Start};
