//! What the user is told when something cannot be done, and the exit code for it.

use crate::{output, replacement};
use miette::{Diagnostic, MietteHandlerOpts, Report};
use serde_json::{Value, json};
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
use voltide_world::{Problem, Problems};

/// Exit codes beside 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// The run failed.
    Run = 1,
    /// The command line is wrong.
    Usage = 2,
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

/// What could not be done, on its way to the user.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    /// What is wrong, with the warnings that were met on the way.
    problems: Vec<Problem>,
    /// A last word below them.
    closing: Option<String>,
}

impl Failure {
    /// A failure with a text of its own, and a help where there is one.
    pub(crate) fn new(code: Code, message: impl fmt::Display, help: Option<&str>) -> Self {
        let problem = Problem::new(message.to_string());
        Self::of(code, help.map_or(problem.clone(), |help| problem.help(help)))
    }

    /// A failure for one reason.
    pub(crate) fn of(code: Code, problem: Problem) -> Self {
        Self { code, problems: vec![problem], closing: None }
    }

    /// A failure that the library of policies tells; `point` adds its place in the world's text.
    pub(crate) fn plugin(error: &HostError, point: impl FnOnce(Problem) -> Problem) -> Self {
        let code = if error.is_in_world() { Code::Input } else { Code::Plugin };
        let problem = Problem::new(error.to_string());
        let help = error.help().map(|help| help.to_string());
        Self::of(code, point(help.map_or(problem.clone(), |help| problem.help(help))))
    }

    /// The same with the places that `point` gives its problems.
    pub(crate) fn placed(self, point: impl Fn(Problem) -> Problem) -> Self {
        Self { problems: self.problems.into_iter().map(point).collect(), ..self }
    }

    /// Warnings that are to be errors.
    pub(crate) fn denied(warnings: Vec<Problem>) -> Self {
        let count =
            output::counted(warnings.len() as u64, "warning is an error", "warnings are errors");
        Self {
            code: Code::Input,
            problems: warnings.into_iter().map(Problem::as_error).collect(),
            closing: Some(format!("{count} with --deny warnings")),
        }
    }

    /// This and the other one together, with the exit code of this one.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.problems.extend(other.problems);
        Self { closing: self.closing.or(other.closing), ..self }
    }

    /// The same with the warnings of the world that could not be run.
    pub(crate) fn beside(mut self, warnings: Vec<Problem>, world: &str) -> Self {
        self.closing = counted(world, self.problems.len(), warnings.len());
        self.problems.extend(warnings);
        self
    }

    /// Its exit code.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// What is wrong, in one line.
    pub(crate) fn in_words(&self) -> String {
        let said: Vec<&str> = self.problems.iter().map(|it| it.message.as_str()).collect();
        said.join("; ")
    }

    /// What is wrong.
    pub(crate) fn problems(&self) -> &[Problem] {
        &self.problems
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

    /// Shows it and gives the exit code: in frames on stderr, or one JSON object a problem on
    /// stdout.
    pub(crate) fn report(self, as_json: bool) -> ExitCode {
        let Self { code, problems, closing } = self;
        if as_json {
            for problem in &problems {
                output::say_json("problem", &object(problem, code));
            }
            // Beside the objects, which stdout holds alone.
            if let Some(closing) = &closing {
                output::complain(closing);
            }
        } else {
            output::complain(
                &frames(&problems).into_iter().chain(closing).collect::<Vec<_>>().join("\n\n"),
            );
        }
        code.into()
    }
}

/// Each problem as people read it.
pub(crate) fn frames(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(frame).collect()
}

fn frame(problem: &Problem) -> String {
    format!("{:?}", Report::new(problem.clone())).trim_end().to_owned()
}

/// A problem as programs read it: `code` is the exit code that it leads to, and null for a warning;
/// path, line and column (from 1) are null where no text shows it.
pub(crate) fn object(problem: &Problem, code: Code) -> Value {
    let (path, line, column) = match problem.place() {
        Some((path, line, column)) => (Some(path), Some(line), Some(column)),
        None => (None, None, None),
    };
    let code = (!problem.is_warning()).then_some(code as u8);
    json!({
        "severity": if problem.is_warning() { "warning" } else { "error" },
        "path": path,
        "line": line,
        "column": column,
        "message": problem.message,
        "help": problem.help,
        "code": code,
    })
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        let Problems { name, list, warnings } = problems;
        let closing = counted(&name, list.len(), warnings.len());
        Self { code: Code::Input, problems: list.into_iter().chain(warnings).collect(), closing }
    }
}

/// How much is wrong with a world, where that is more than one thing.
fn counted(world: &str, errors: usize, warnings: usize) -> Option<String> {
    if errors + warnings < 2 {
        return None;
    }
    let errors = output::counted(errors as u64, "problem", "problems");
    let beside = (warnings > 0).then(|| format!(" and {}", warnings_counted(warnings)));
    Some(format!("{world} has {errors}{}", beside.unwrap_or_default()))
}

/// A number of warnings, in words.
pub(crate) fn warnings_counted(count: usize) -> String {
    output::counted(count as u64, "warning", "warnings")
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let code = match error {
            EngineError::Diverged { .. } => Code::Check,
            EngineError::Unsuited { .. }
            | EngineError::TooMuchCapacity
            | EngineError::NotFinite { .. } => Code::Input,
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
            LogError::Damaged(_) => Some(
                "`voltide log recover RUN --salvage DIR` writes all that is whole to a new run",
            ),
            LogError::Busy { .. } => {
                Some("wait until it has ended; what only reads may go on beside it")
            }
            _ => None,
        };
        let LogError::Missing(run) = &error else {
            return Self::new(Code::Run, chain(&error), help);
        };
        if replacement::is_under_way(run) {
            let what = format!("the run in {} was being put in its place", run.display());
            let help = format!("`voltide resume {}` puts it right", run.display());
            return Self::new(Code::Run, what, Some(&help));
        }
        let what = if run.exists() {
            error.to_string()
        } else {
            format!("there is no run folder `{}`", run.display())
        };
        Self::new(
            Code::Input,
            what,
            Some("give the folder of a run; its name begins with `run_id=`"),
        )
    }
}

impl From<TelemetryError> for Failure {
    fn from(error: TelemetryError) -> Self {
        let code =
            if matches!(error, TelemetryError::NoSuchEv { .. }) { Code::Input } else { Code::Run };
        Self::new(code, chain(&error), None)
    }
}

/// An error and its causes in one line, each said once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Some errors say their causes themselves.
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
        let options =
            MietteHandlerOpts::new().wrap_lines(stderr().is_terminal()).break_words(false);
        Box::new(options.build())
    }));
}
