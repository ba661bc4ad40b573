//! `voltide completions`.

use crate::{output, verb::CommandLine};
use clap::CommandFactory;
use clap_complete::Shell;
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// Prints the completions of a shell.
pub(crate) fn completions(shell: Shell) -> ExitCode {
    // What writes them takes a stream that fails for our mistake; memory does not fail.
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "voltide", &mut text);
    output::print(|| io::stdout().write_all(&text));
    ExitCode::SUCCESS
}
