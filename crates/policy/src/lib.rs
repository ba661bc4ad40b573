//! The contract between the simulator and its dispatch policies: all that a policy's author needs.
//!
//! A policy turns an [`Observation`] into [`Schedules`]. It never sees the simulator, and its
//! schedules are wishes: battery, charger and site have the last word. This is a whole plugin:
//!
//! ```
//! use voltide_policy::{export_policy, Host, Observation, Policy, Result, Schedules};
//!
//! /// Charges every car at once, as fast as it can.
//! #[derive(serde::Deserialize, Default)]
//! struct Asap {}
//!
//! impl Policy for Asap {
//!     const NAME: &'static str = "asap";
//!
//!     fn plan(&mut self, _host: &Host, seen: &Observation, schedules: &mut Schedules) -> Result {
//!         for stay in seen.stays() {
//!             schedules.row(stay).charge_from(0, stay.energy_to_departure());
//!         }
//!         Ok(())
//!     }
//! }
//!
//! export_policy!(Asap);
//! ```
//!
//! The crate is a `cdylib` named `voltide_asap`; the program finds it by the name `asap`. For large
//! fleets, slices and `zip` over the columns are a few times faster than a helper per row.
//!
//! | module          | what it holds                                                |
//! |-----------------|--------------------------------------------------------------|
//! | [`observation`] | what a policy is shown and what it answers                   |
//! | [`policy`]      | the trait, its config, the macros that make a plugin of it   |
//! | [`storage`]     | storage problems that the program solves for a policy        |
//! | [`world`]       | what a policy is told of the world before it plans           |
//! | [`testing`]     | small observations for a policy's own tests                  |
//! | [`planner`]     | what the engine calls                                        |
//! | [`abi`]         | the binary contract, also for policies in C                  |

pub mod abi;
mod guard;
pub mod observation;
pub mod planner;
pub mod policy;
pub mod storage;
pub mod testing;
pub mod world;

pub use abi::Host;
pub use observation::{Observation, Schedules};
pub use planner::Replan;
pub use policy::{ConfigError, LogLevel, Policy, Result};
pub use world::World;
