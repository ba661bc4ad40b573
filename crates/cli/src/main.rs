//! The `voltide` program: glue between the crates, and the words it says to its user.

mod adopted;
mod args;
mod cases;
mod chart;
mod comparison;
mod estimate;
mod failure;
mod figures;
mod journaled;
mod likeness;
mod live;
mod machine;
mod output;
mod parting;
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
    failure::install_handler();
    let code = begin().unwrap_or_else(Failure::report);
    match output::undelivered().map(Failure::report) {
        Some(failed) if code == ExitCode::SUCCESS => failed,
        Some(_) | None => code,
    }
}

/// Does what the command line says.
fn begin() -> Result<ExitCode, Failure> {
    progress::survive_full_files()?;
    match Args::try_parse() {
        Ok(args) => obey(&args),
        Err(words) => Ok(tell(&words)),
    }
}

/// Says what the command line's parser has to say instead: help, the version, or what is wrong.
fn tell(words: &clap::Error) -> ExitCode {
    if words.use_stderr() {
        // Without stderr nobody can be told, and the exit code says it in short.
        let _ = words.print();
    } else {
        output::print(|| words.print());
    }
    ExitCode::from(words.exit_code() as u8)
}

/// Does what the verb says.
fn obey(args: &Args) -> Result<ExitCode, Failure> {
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
