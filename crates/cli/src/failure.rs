//! What the user is told when something cannot be done, and the exit code for it.

use crate::output;
use miette::{Diagnostic, MietteHandlerOpts, Report, miette};
use std::{fmt, process::ExitCode};
use voltide_engine::EngineError;
use voltide_host::HostError;
use voltide_journal::error::LogError;
use voltide_telemetry::TelemetryError;
use voltide_world::Problems;

/// Exit codes beside 0; 2 (usage) is clap's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// The run failed.
    Run = 1,
    /// World or input is invalid.
    Input = 3,
    /// A plugin could not be loaded.
    Plugin = 5,
    /// A check that was asked for failed.
    Check = 6,
    /// The run was interrupted.
    Interrupted = 130,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// An error on its way to the user.
pub(crate) struct Failure {
    code: Code,
    report: Report,
}

impl Failure {
    /// A failure with a text of its own, and a help where there is one.
    pub(crate) fn new(code: Code, message: impl fmt::Display, help: Option<&str>) -> Self {
        let report = match help {
            Some(help) => miette!(help = help, "{message}"),
            None => miette!("{message}"),
        };
        Self { code, report }
    }

    pub(crate) fn diagnostic(code: Code, diagnostic: impl Diagnostic + Send + Sync + 'static) -> Self {
        Self { code, report: Report::new(diagnostic) }
    }

    /// A policy that could not be loaded; an error in its config points into the world's text.
    pub(crate) fn plugin(error: HostError, world: &voltide_world::World) -> Self {
        let code = if error.is_in_world() { Code::Input } else { Code::Plugin };
        let source = miette::NamedSource::new(world.path.display().to_string(), world.text.clone());
        Self { code, report: Report::new(error).with_source_code(source) }
    }

    /// Shows it and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        output::complain(&format!("{:?}", self.report));
        self.code.into()
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::diagnostic(Code::Input, problems)
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let code = if matches!(error, EngineError::Diverged { .. }) { Code::Check } else { Code::Run };
        let message = chain(&error);
        Self::new(code, message, None)
    }
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        Self::new(Code::Run, chain(&error), None)
    }
}

impl From<TelemetryError> for Failure {
    fn from(error: TelemetryError) -> Self {
        Self::new(Code::Run, chain(&error), None)
    }
}

/// An error and its causes in one line, each said once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

/// Lets miette fit its frames to the terminal.
pub(crate) fn install_handler() {
    // Refused only where a handler is installed already, which then serves as well.
    let _ = miette::set_hook(Box::new(|_| Box::new(MietteHandlerOpts::new().build())));
}
