//! The `voltide` program: glue between the crates, and the words it says to its user.

mod adopted;
mod args;
mod cases;
mod chart;
mod comparison;
mod estimate;
mod failure;
mod figure;
mod interrupt;
mod journaled;
mod likeness;
mod live;
mod log_summary;
mod machine;
mod measured;
mod output;
mod parting;
mod progress;
mod repeat;
mod replacement;
mod run_folder;
mod shortcut;
mod snapshots;
mod spread;
mod summary;
mod svg;
mod table;
mod verb;
mod warnings;
mod watched;

use args::{Args, Verb};
use clap::Parser;
use failure::{Code, Failure};
use std::process::ExitCode;

fn main() -> ExitCode {
    failure::install_handler();
    let as_json = is_json();
    let report = |failure: Failure| failure.report(as_json);
    let code = begin(as_json).unwrap_or_else(report);
    match output::undelivered().map(undelivered).map(report) {
        Some(failed) if code == ExitCode::SUCCESS => failed,
        Some(_) | None => code,
    }
}

/// That the result did not arrive, and why.
fn undelivered(why: String) -> Failure {
    let what = format!("the result could not be written to standard output: {why}");
    let help = "what belongs into folders is there; ask again with standard output elsewhere";
    Failure::new(Code::Run, what, Some(help))
}

/// Whether JSON is asked for, also by a command line that cannot be read otherwise.
fn is_json() -> bool {
    std::env::args_os()
        .skip(1)
        .take_while(|argument| argument != "--")
        .any(|argument| argument == "--json")
}

/// Does what the command line says.
fn begin(as_json: bool) -> Result<ExitCode, Failure> {
    interrupt::survive_full_files()?;
    match Args::try_parse() {
        Ok(args) => obey(&args),
        Err(words) if as_json && words.use_stderr() => Err(misused(&words)),
        Err(words) => Ok(tell(&words)),
    }
}

/// A wrong use of the command line: what is wrong, and below it what would be right.
fn misused(words: &clap::Error) -> Failure {
    let text = words.to_string();
    let (what, help) = text.trim().split_once('\n').unwrap_or((text.trim(), ""));
    let what = what.trim_start_matches("error: ");
    Failure::new(Code::Usage, what, Some(help.trim()).filter(|help| !help.is_empty()))
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
    interrupt::watch_signals()?;
    if args.wide {
        table::show_all();
    }
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
