//! What made a run.

use serde::{Deserialize, Serialize};

/// What made a run: see [`RunStarted`](super::RunStarted).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Build {
    /// Version of voltide.
    pub engine_version: String,
    /// Commit it was built from, where known.
    pub git: String,
    /// Version of the policy.
    pub policy_version: String,
    /// SHA-256 of the plugin's file; empty for an embedded one.
    pub plugin_hash: String,
    /// File of the plugin; empty for an embedded one.
    pub plugin_file: String,
    /// Version of the time zone data.
    pub time_zone_data: String,
}

impl Build {
    /// Whether anything is known of it: not where the segment that says so was lost.
    pub fn is_known(&self) -> bool {
        *self != Self::default()
    }
}
