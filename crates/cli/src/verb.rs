//! The verbs: each a file, with its flags and what it does, and a line in [`Verb`].

pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod fork;
pub(crate) mod init;
pub(crate) mod log;
pub(crate) mod log_salvage;
mod log_verify;
pub(crate) mod new_plugin;
pub(crate) mod plugins;
pub(crate) mod redecide;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod schedule;
pub(crate) mod state;
pub(crate) mod sweep;
pub(crate) mod telemetry;

use crate::{args::Args, failure::Failure};
use clap::{Parser, Subcommand};
use clap_complete::Shell;
use std::process::ExitCode;

/// Simulates electric vehicles and the grid they charge from, tick by tick, and remembers
/// everything.
///
/// Exit codes: 0 ok, 1 run failed or result not written, 2 usage, 3 world or input invalid,
/// 4 infeasible where best effort was switched off, or solver failed, 5 plugin could not be loaded,
/// 6 a check that was asked for failed, 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "voltide", version, max_term_width = 100)]
pub(crate) struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,

    #[command(flatten)]
    pub args: Args,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a world and write its tables
    Run(run::Flags),
    /// Read and check worlds without running them; says everything that a run would refuse
    Check(check::Flags),
    /// Run a world under several policies, or read several runs, and set them side by side
    ///
    /// Every policy meets the same cars with the same draws. Where smart and v2g are both compared,
    /// smart-incentive, which is smart at v2g's prices, is added, and the saving of v2g is split
    /// into what the tariff does and what discharging does.
    Compare(compare::Flags),
    /// Run a world over a grid of values, seeds and policies, and sum up what they come to
    ///
    /// Every point is a run of its own, in its folder; what was put into the world is a column of
    /// the table `runs`. Finished points are not run again: a sweep that was cut off goes on when
    /// it is called again. One that fails is a row with its error, and does not stop the others.
    /// With --shard 0/3, 1/3 and 2/3 three machines that share a folder make it together.
    Sweep(sweep::Flags),
    /// Go on with a run that crashed or was interrupted
    ///
    /// Its files are then those of a run that was never interrupted, to the byte, but for the parts
    /// of its log. A run that is over stays as it is.
    Resume(resume::Flags),
    /// Branch off from a run at some moment, to see what would have been
    ///
    /// The new run has the parent's cars, draws and history up to that slot, and stores only what
    /// comes after. Without a change it goes the parent's way to the last event.
    Fork(fork::Flags),
    /// Show the state of a run at some moment
    State(state::Flags),
    /// Say why a car, a session, a site, a unit or a slot came as it did
    ///
    /// In sentences, each with the numbers of the events that it stands on, which `log cat` shows.
    /// Of a target that was missed it says, too, what would have been enough, found and confirmed
    /// by forks of which nothing is kept.
    Explain(explain::Flags),
    /// Say where two runs part, and what differs in the end
    ///
    /// The first thing that they do not agree on, in words, and what each comes to in energy and
    /// money. Amounts are as they are: what is still to be charged at the end stands beside them.
    Diff(diff::Flags),
    /// Rebuild a run's tables from its log alone
    Replay(replay::Flags),
    /// Show runs as a page of pictures that opens anywhere, and as figures for print
    ///
    /// One file that asks for no other, with all pictures drawn, their data to copy, and the query
    /// that gives each. Everything in it is read from the runs' tables.
    Report(report::Flags),
    /// Look into a run's log
    Log {
        /// What to do with the log.
        #[command(subcommand)]
        verb: log::Verb,
    },
    /// Rebuild per-car tables of a run at another level of detail
    Telemetry(telemetry::Flags),
    /// Solve a FlexMeasures problem: flex model and flex context in JSON, an optimal schedule out
    ///
    /// Reads what FlexMeasures 1.0.1 reads, in old and new field names. What cannot be kept is
    /// approached as far as it goes and named, unless --mode flexmeasures asks for its refusals.
    Schedule(schedule::Flags),
    /// Show which policies there are
    Plugins {
        /// What to do with the plugins.
        #[command(subcommand)]
        verb: plugins::Verb,
    },
    /// Write a policy that builds and passes its own test, to start from
    NewPlugin(new_plugin::Flags),
    /// Write a folder to begin in: a world with its data, a policy to start from, and what to do
    Init(init::Flags),
    /// Look whether this machine is ready for a run
    Doctor(doctor::Flags),
    /// Print completions for a shell
    Completions {
        /// The shell.
        shell: Shell,
    },
}

impl Verb {
    /// Does what it says.
    pub(crate) fn obey(&self, args: &Args) -> Result<ExitCode, Failure> {
        match self {
            Self::Run(run) => run::run(run, args),
            Self::Check(check) => Ok(check::check(check, args)),
            Self::Compare(compare) => compare::compare(compare, args),
            Self::Sweep(sweep) => sweep::sweep(sweep, args),
            Self::Resume(resume) => resume::resume(resume, args),
            Self::Fork(fork) => fork::fork(fork, args),
            Self::State(state) => state::state(state, args),
            Self::Explain(explain) => explain::explain(explain, args),
            Self::Diff(diff) => diff::diff(diff, args),
            Self::Replay(replay) => replay::replay(replay, args),
            Self::Report(report) => report::report(report, args),
            Self::Log { verb } => log::log(verb, args),
            Self::Telemetry(telemetry) => telemetry::telemetry(telemetry, args),
            Self::Plugins { verb } => plugins::plugins(verb, args),
            Self::NewPlugin(new) => new_plugin::new_plugin(new, args),
            Self::Init(init) => init::init(init, args),
            Self::Schedule(schedule) => schedule::schedule(schedule, args),
            Self::Doctor(doctor) => doctor::doctor(doctor, args),
            Self::Completions { shell } => Ok(completions::completions(*shell)),
        }
    }
}
