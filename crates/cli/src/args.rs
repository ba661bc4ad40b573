//! What verbs share of the command line: flags that all of them take, worlds, and warnings.

use clap::{Args as ClapArgs, ValueEnum};
use std::path::PathBuf;

// These structs have no documentation: clap would show it in the place of the program's or a
// verb's.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Print one JSON object per line instead of tables, for what is wrong, too
    #[arg(long, global = true)]
    pub json: bool,

    /// Say nothing but results and errors: of a run only its folder
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Show every column and row of a table, those without anything in them too, however wide it
    /// becomes
    #[arg(long, global = true)]
    pub wide: bool,

    /// Show what policies log
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,

    /// Look for policy plugins here first; may be given several times
    #[arg(long, global = true, value_name = "DIR")]
    pub plugin_dir: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct World {
    /// World file (RON)
    #[arg(value_name = "WORLD.ron")]
    pub file: PathBuf,

    /// Policy to plan with, by name or path, instead of the world's
    #[arg(long, value_name = "POLICY")]
    pub policy: Option<String>,

    /// Seed of every draw, instead of the world's
    #[arg(long)]
    pub seed: Option<u64>,

    /// Put another value into the world, as in --set fleets.commuters.count=1000; may be given
    /// several times
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,
}

/// What is not to be let pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Denied {
    /// What can be run but is hardly meant.
    Warnings,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Deny {
    /// Take warnings for errors: exit with 3, and run nothing
    #[arg(long, value_name = "WHAT", value_enum)]
    deny: Option<Denied>,
}

impl Deny {
    /// Whether warnings are errors.
    pub(crate) fn warnings(&self) -> bool {
        self.deny == Some(Denied::Warnings)
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Threads {
    /// Threads for the physics; results do not depend on it [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

impl Threads {
    /// How many; `all` where that is not said.
    pub(crate) fn or_else(&self, all: fn() -> usize) -> usize {
        self.threads.map_or_else(all, usize::from)
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SnapshotTimes {
    /// Take a snapshot every so many slots, from which a resume, state or fork starts; 0 for none
    /// [default: one a simulated day, at most 64 a run, and fewer where they would be large beside
    /// the log]
    #[arg(long = "snapshots", value_name = "SLOTS")]
    pub every: Option<u32>,
}
