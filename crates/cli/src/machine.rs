//! What a run costs on this machine; for `profile.json` and `doctor`, never for results.
#![expect(
    clippy::disallowed_types,
    reason = "measures the machine; nothing simulated depends on it"
)]

use nix::sys::{
    resource::{UsageWho, getrusage},
    statvfs::statvfs,
};
use serde::Serialize;
use std::{collections::BTreeMap, path::Path, time::Instant};
use voltide_engine::Profile;

/// Marks on the way of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    at: Instant,
    cpu_s: f64,
}

impl Mark {
    pub(crate) fn now() -> Self {
        Self { at: Instant::now(), cpu_s: cpu_seconds() }
    }

    /// Wall seconds since.
    pub(crate) fn elapsed(&self) -> f64 {
        self.at.elapsed().as_secs_f64()
    }
}

/// What a run cost: the content of `profile.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Cost {
    /// Wall seconds of the whole program.
    pub wall_s: f64,
    /// CPU seconds of the whole program, all threads.
    pub cpu_s: f64,
    /// CPU seconds until the first tick.
    pub setup_cpu_s: f64,
    /// CPU seconds from the first tick to the last, telemetry in the background included.
    pub run_cpu_s: f64,
    /// CPU seconds for closing journal and tables.
    pub finish_cpu_s: f64,
    /// Most memory that was resident, MiB.
    pub peak_rss_mib: f64,
    /// Cars times ticks.
    pub ev_ticks: u64,
    /// CPU nanoseconds per car and tick, from the first tick to the last.
    pub run_cpu_ns_per_ev_tick: f64,
    /// Wall seconds of the simulation's own thread by phase.
    pub phases: BTreeMap<&'static str, f64>,
}

impl Cost {
    /// The cost of a run that began at `begun`, simulated between two marks, and ends now.
    pub(crate) fn of(begun: Mark, first_tick: Mark, last_tick: Mark, profile: &Profile) -> Self {
        let cpu_s = cpu_seconds();
        let ev_ticks = u64::from(profile.evs) * u64::from(profile.ticks);
        let run_cpu_s = last_tick.cpu_s - first_tick.cpu_s;
        Self {
            wall_s: begun.elapsed(),
            cpu_s,
            setup_cpu_s: first_tick.cpu_s,
            run_cpu_s,
            finish_cpu_s: cpu_s - last_tick.cpu_s,
            peak_rss_mib: peak_rss_mib(),
            ev_ticks,
            run_cpu_ns_per_ev_tick: run_cpu_s * 1e9 / (ev_ticks.max(1) as f64),
            phases: profile.seconds.clone(),
        }
    }
}

/// CPU seconds, user and system, of all threads so far; 0 where the system does not tell.
fn cpu_seconds() -> f64 {
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 * 1e-6;
    getrusage(UsageWho::RUSAGE_SELF)
        .map_or(0.0, |usage| seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// Most memory that was resident; 0 where the system does not tell.
fn peak_rss_mib() -> f64 {
    // `ru_maxrss` counts bytes on macOS, and KiB on Linux.
    let unit = if cfg!(target_os = "macos") { 1024.0 * 1024.0 } else { 1024.0 };
    getrusage(UsageWho::RUSAGE_SELF).map_or(0.0, |usage| usage.max_rss() as f64 / unit)
}

/// Bytes free for this user where `folder` is, or would be.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let existing = folder.ancestors().find(|part| part.exists()).unwrap_or(Path::new("."));
    let existing = if existing.as_os_str().is_empty() { Path::new(".") } else { existing };
    let stat = statvfs(existing).ok()?;
    Some(stat.blocks_available() * stat.fragment_size())
}
