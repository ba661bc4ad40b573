//! `voltide report`: runs as a page of pictures, and as figures for print.

use crate::{
    args::Args,
    failure::{Code, Failure},
    output,
};
use clap::Args as ClapArgs;
use serde_json::json;
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};
use voltide_report::{Report, ReportError};

#[derive(Debug, ClapArgs)]
pub(crate) struct Flags {
    /// Folders of runs; the first is what the others are measured against
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,

    /// The page to write
    #[arg(short, long, value_name = "FILE.html", default_value = "report.html",
          value_parser = page_name)]
    pub out: PathBuf,

    /// Write every chart as SVG, too, 85 and 175 mm wide, into this folder
    #[arg(long, value_name = "DIR")]
    pub figures: Option<PathBuf>,

    /// Show the page in the browser
    #[arg(long)]
    pub open: bool,
}

/// A page's name, so that no world or table is overwritten by a slip.
fn page_name(text: &str) -> Result<PathBuf, &'static str> {
    let path = PathBuf::from(text);
    let is_page = path.extension().is_some_and(|it| it == "html" || it == "htm");
    if is_page { Ok(path) } else { Err("a page's name ends in .html") }
}

/// Writes the page, and the figures where they are asked for.
pub(crate) fn report(flags: &Flags, args: &Args) -> Result<ExitCode, Failure> {
    let report = Report::read(&flags.runs, &command(flags)).map_err(|error| failure(&error))?;
    for warning in report.warnings() {
        output::mention(args.quiet, &format!("! {warning}"));
    }
    let html = report.html().map_err(|error| failure(&error))?;
    write_whole(&flags.out, &html)?;
    let figures = match &flags.figures {
        Some(folder) => report.figures(folder).map_err(|error| failure(&error))?,
        None => vec![],
    };
    say(flags, args, html.len() as u64, &figures);
    if flags.open {
        open(&flags.out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The command as it stands on the page: it makes the same page again.
fn command(flags: &Flags) -> String {
    let runs = flags.runs.iter().map(|run| run.display().to_string()).collect::<Vec<_>>();
    format!("voltide report {}", runs.join(" "))
}

fn say(flags: &Flags, args: &Args, bytes: u64, figures: &[PathBuf]) {
    if args.json {
        let names: Vec<String> = figures.iter().map(|it| it.display().to_string()).collect();
        let page = json!({ "page": flags.out.display().to_string(), "bytes": bytes,
                           "runs": flags.runs.len(), "figures": names });
        output::say_json("report", &page);
        return;
    }
    output::say(&format!("{}  {}", flags.out.display(), output::bytes(bytes)));
    if let Some(folder) = &flags.figures {
        let count = output::counted(figures.len() as u64, "figure", "figures");
        output::say(&format!("{}  {count}", folder.display()));
    }
}

/// Writes a file beside its place and moves it there, so that a page is old or new, and whole.
fn write_whole(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let written = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
        .and_then(|file| fs::write(file.path(), text).map(|()| file))
        .and_then(|file| file.persist(path).map_err(|error| error.error));
    written.map(|_| ()).map_err(|error| unwritten(path, &error))
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{} cannot be written: {error}", path.display());
    Failure::new(Code::Run, message, Some("say where with -o FILE.html"))
}

/// Gives the page to whatever shows pages here.
fn open(path: &Path) -> Result<(), Failure> {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let opened = Command::new(opener).arg(path).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let help = "the page is written: open it in a browser";
    let failed = |error| Failure::new(Code::Run, format!("no {opener} here: {error}"), Some(help));
    opened.map(|_| ()).map_err(failed)
}

fn failure(error: &ReportError) -> Failure {
    let causes = std::iter::successors(std::error::Error::source(error), |it| it.source());
    let causes = causes.map(|cause| format!(": {cause}")).collect::<String>();
    let code = match error {
        ReportError::NoRun(_) | ReportError::Content { .. } => Code::Input,
        ReportError::Table { .. } | ReportError::Rows { .. } | ReportError::File { .. } => {
            Code::Run
        }
    };
    let help = match error {
        ReportError::NoRun(_) => Some("name a run's folder, as `voltide run` prints it"),
        ReportError::Table { .. } | ReportError::Rows { .. } | ReportError::Content { .. } => {
            Some("`voltide replay` writes a run's tables again from its log")
        }
        ReportError::File { .. } => None,
    };
    Failure::new(code, format!("{error}{causes}"), help)
}
