//! One file per verb.

pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod fork;
pub(crate) mod log;
pub(crate) mod log_salvage;
mod log_verify;
pub(crate) mod new_plugin;
pub(crate) mod plugins;
pub(crate) mod redecide;
pub(crate) mod replay;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod schedule;
pub(crate) mod state;
pub(crate) mod telemetry;
