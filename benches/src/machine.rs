//! What things cost on this machine: CPU time, wall time, memory.
#![expect(
    clippy::disallowed_types,
    reason = "measures the machine; nothing simulated depends on it"
)]

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeVal,
};
use std::{fs, time::Instant};

/// CPU seconds and wall seconds.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// User and system time of all threads.
    pub cpu_s: f64,
    /// Time on the wall.
    pub wall_s: f64,
}

/// What `work` gave, and what this process spent on it, all threads together.
pub fn cost_of<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    cost(UsageWho::RUSAGE_SELF, work)
}

/// What `work` gave, and what the processes spent that it started and waited for.
pub fn cost_of_children<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    cost(UsageWho::RUSAGE_CHILDREN, work)
}

fn cost<T>(who: UsageWho, work: impl FnOnce() -> T) -> (T, Cost) {
    let (cpu, wall) = (cpu_seconds(who), Instant::now());
    let result = work();
    (result, Cost { cpu_s: cpu_seconds(who) - cpu, wall_s: wall.elapsed().as_secs_f64() })
}

fn cpu_seconds(who: UsageWho) -> f64 {
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 * 1e-6;
    let usage = getrusage(who).expect("the system tells what was used");
    seconds(usage.user_time()) + seconds(usage.system_time())
}

/// Wall seconds, added up over many short pieces of work.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stopwatch {
    /// The sum so far.
    pub seconds: f64,
}

impl Stopwatch {
    /// Does `work` and adds the time that it took.
    pub fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let result = work();
        self.seconds += begun.elapsed().as_secs_f64();
        result
    }
}

/// Memory of this process, bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Resident now.
    pub resident: u64,
    /// Most that was ever resident.
    pub peak: u64,
}

impl Memory {
    /// Memory as of now; `None` where there is no `/proc`.
    pub fn now() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let kib = |name: &str| -> Option<u64> {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        Some(Self { resident: kib("VmRSS:")? * 1024, peak: kib("VmHWM:")? * 1024 })
    }
}
