//! What the user is told when something cannot be done, and the exit code for it.

use crate::{output, replacement, run_folder::RunFolder};
use miette::{Diagnostic, MietteHandlerOpts, Report, miette};
use std::{
    fmt,
    io::{IsTerminal, stderr},
    path::Path,
    process::ExitCode,
};
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
    /// Infeasible where best effort was switched off, or the solver found nothing.
    Infeasible = 4,
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
    /// What went wrong; several only where a world has several problems.
    reports: Vec<Report>,
    /// A last word below them.
    closing: Option<String>,
}

impl Failure {
    /// A failure with a text of its own, and a help where there is one.
    pub(crate) fn new(code: Code, message: impl fmt::Display, help: Option<&str>) -> Self {
        let report = match help {
            Some(help) => miette!(help = help, "{message}"),
            None => miette!("{message}"),
        };
        Self::of(code, report)
    }

    pub(crate) fn diagnostic(code: Code, diagnostic: impl Diagnostic + Send + Sync + 'static) -> Self {
        Self::of(code, Report::new(diagnostic))
    }

    fn of(code: Code, report: Report) -> Self {
        Self { code, reports: vec![report], closing: None }
    }

    /// A policy that could not be loaded; an error in its config points into the world's text.
    pub(crate) fn plugin(error: HostError, world: &voltide_world::World) -> Self {
        let code = if error.is_in_world() { Code::Input } else { Code::Plugin };
        let source = miette::NamedSource::new(world.path.display().to_string(), world.text.clone());
        Self::of(code, Report::new(error).with_source_code(source))
    }

    /// The same where it ends a run that has begun in a folder: says what is left of it.
    pub(crate) fn leaving(self, folder: &RunFolder) -> Self {
        if folder.is_beside() { self } else { self.leaving_in(&folder.path) }
    }

    /// The same where it ends a run that goes on: says what is left of it.
    pub(crate) fn leaving_in(self, run: &Path) -> Self {
        let closing = format!(
            "the run stays unfinished: what it recorded is in the log of {0}\n\
             when the cause is gone, `voltide resume {0}` goes on from there",
            run.display()
        );
        Self { closing: Some(closing), ..self }
    }

    /// The same with another exit code.
    pub(crate) fn with(self, code: Code) -> Self {
        Self { code, ..self }
    }

    /// Shows it and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let shown = self.reports.iter().map(|report| format!("{report:?}").trim_end().to_owned());
        output::complain(&shown.chain(self.closing).collect::<Vec<_>>().join("\n\n"));
        self.code.into()
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        let Problems { world, list } = problems;
        let closing = (list.len() > 1).then(|| format!("{world} has {} problems", list.len()));
        Self { code: Code::Input, reports: list.into_iter().map(Report::new).collect(), closing }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let code = match error {
            EngineError::Diverged { .. } => Code::Check,
            EngineError::Unsuited { .. } | EngineError::TooMuchCapacity | EngineError::NotFinite { .. } => {
                Code::Input
            }
            EngineError::Grid { .. } => Code::Infeasible,
            _ => Code::Run,
        };
        let message = chain(&error);
        Self::new(code, message, None)
    }
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        let help = match &error {
            LogError::Head { .. } => Some("`voltide log recover` takes up all that is whole"),
            LogError::Damaged(_) => {
                Some("`voltide log recover RUN --salvage DIR` writes all that is whole to a new run")
            }
            LogError::Busy { .. } => Some("wait until it has ended; what only reads may go on beside it"),
            _ => None,
        };
        let LogError::Missing(run) = &error else { return Self::new(Code::Run, chain(&error), help) };
        let nowhere = || format!("there is no run folder `{}`", run.display());
        if replacement::is_under_way(run) {
            let what = format!("the run in {} was being put in its place", run.display());
            let help = format!("`voltide resume {}` puts it right", run.display());
            return Self::new(Code::Run, what, Some(&help));
        }
        let what = if run.exists() { error.to_string() } else { nowhere() };
        Self::new(Code::Input, what, Some("give the folder of a run; its name begins with `run_id=`"))
    }
}

impl From<TelemetryError> for Failure {
    fn from(error: TelemetryError) -> Self {
        let code = if matches!(error, TelemetryError::NoSuchEv { .. }) { Code::Input } else { Code::Run };
        Self::new(code, chain(&error), None)
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

/// Lets miette fit its messages to the terminal; elsewhere lines stay whole, so that they can be
/// searched, and paths copied.
pub(crate) fn install_handler() {
    // Refused only where a handler is installed already, which then serves as well.
    let _ = miette::set_hook(Box::new(|_| {
        let options = MietteHandlerOpts::new().wrap_lines(stderr().is_terminal()).break_words(false);
        Box::new(options.build())
    }));
}
