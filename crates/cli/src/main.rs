//! The `voltide` program: glue between the crates, and the words it says to its user.

mod adopted;
mod args;
mod cases;
mod chart;
mod comparison;
mod failure;
mod figures;
mod journaled;
mod live;
mod machine;
mod output;
mod progress;
mod repeat;
mod replacement;
mod run_folder;
mod shortcut;
mod summary;
mod svg;
mod verb;

use args::{Args, Verb};
use clap::Parser;
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    failure::install_handler();
    match obey(&args) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

/// Does what the verb says.
fn obey(args: &Args) -> Result<ExitCode, Failure> {
    progress::survive_full_files()?;
    progress::watch_signals()?;
    match &args.verb {
        Verb::Run(run) => verb::run::run(run, args),
        Verb::Check(check) => Ok(verb::check::check(check, args)),
        Verb::Compare(compare) => verb::compare::compare(compare, args),
        Verb::Resume(resume) => verb::resume::resume(resume, args),
        Verb::Fork(fork) => verb::fork::fork(fork, args),
        Verb::State(state) => verb::state::state(state, args),
        Verb::Diff(diff) => verb::diff::diff(diff, args),
        Verb::Replay(replay) => verb::replay::replay(replay, args),
        Verb::Log { verb } => verb::log::log(verb, args),
        Verb::Telemetry(telemetry) => verb::telemetry::telemetry(telemetry, args),
        Verb::Plugins { verb } => verb::plugins::plugins(verb, args),
        Verb::NewPlugin(new) => verb::new_plugin::new_plugin(new, args),
        Verb::Schedule(schedule) => verb::schedule::schedule(schedule, args),
        Verb::Doctor(doctor) => verb::doctor::doctor(doctor, args),
        Verb::Completions { shell } => Ok(verb::completions::completions(*shell)),
    }
}
