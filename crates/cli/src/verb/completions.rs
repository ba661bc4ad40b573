//! `voltide completions`.

use crate::args::Args;
use clap::CommandFactory;
use clap_complete::Shell;
use std::{io, process::ExitCode};

/// Prints the completions of a shell.
pub(crate) fn completions(shell: Shell) -> ExitCode {
    clap_complete::generate(shell, &mut Args::command(), "voltide", &mut io::stdout());
    ExitCode::SUCCESS
}
