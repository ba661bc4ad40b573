//! Finds, loads and guards dispatch policies.
//!
//! ```
//! use voltide_host::Plugins;
//! use voltide_policy::{Schedules, testing::{Car, ObservationBuilder}};
//!
//! let plugins = Plugins::new(&[]);
//! let mut policy = plugins.load("uncontrolled", "", 0)?;
//! let shown = ObservationBuilder::new(24).car(Car::default());
//! let mut power_kw = [0.0; 24];
//! policy.plan(&shown.build(), &mut Schedules { power_kw: &mut power_kw, horizon: 24 })?;
//! assert_eq!(power_kw[..17], [[7.0; 16].as_slice(), &[0.0]].concat());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A policy comes from a plugin, a shared library that exports one symbol, or is built into the
//! program as the same table of functions; both go through the same checks and the same calls. What
//! it answers is made to keep the contract before the engine sees it. The storage problems that
//! policies hand over are solved here, by [`voltide_schedule`].

mod check;
mod error;
mod instance;
mod plugin;
mod plugins;
mod search;
mod services;
mod storage;

pub use error::HostError;
pub use plugins::{Found, Plugins, Rank, name_before};
pub use search::PLUGIN_PATH;
pub use services::Log;
