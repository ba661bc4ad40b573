//! The contract between the simulator and its dispatch policies.

pub mod observation;
pub mod planner;

pub use observation::{Observation, Schedules};
