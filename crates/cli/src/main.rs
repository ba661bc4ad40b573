//! The `voltide` program: glue between the crates, and the words it says to its user.

mod args;
mod batch;
mod beside_log;
mod cases;
mod chart;
mod comparison;
mod divergence;
mod estimate;
mod explain;
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
mod playback;
mod progress;
mod repeat;
mod replacement;
mod run_folder;
mod snapshots;
mod spread;
mod summary;
mod svg;
mod sweep;
mod table;
mod verb;
mod warnings;
mod watched;

use clap::Parser;
use failure::{Code, Failure};
use std::process::ExitCode;
use verb::CommandLine;

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
    match CommandLine::try_parse() {
        Ok(line) => obey(&line),
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
fn obey(line: &CommandLine) -> Result<ExitCode, Failure> {
    // Before any thread is started: each has the signals blocked that its parent had.
    interrupt::watch_signals()?;
    if line.args.wide {
        table::show_all();
    }
    line.verb.obey(&line.args)
}
