//! `voltide report`: runs as a page of pictures, and as figures for print.

use crate::{
    args::{Args, Deny, World},
    failure::{Code, Failure},
    live::Prepared,
    output,
    verb::{compare, plugins::known_plugins},
};
use clap::Args as ClapArgs;
use serde_json::json;
use std::{
    fs, io,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};
use voltide_report::{Report, ReportError};

#[derive(Debug, ClapArgs)]
pub(crate) struct Flags {
    /// Folders of runs, or a world file (RON) that is run first; the first run is what the others
    /// are measured against
    #[arg(value_name = "RUN | WORLD.ron", required = true)]
    pub subjects: Vec<PathBuf>,

    /// Policies to run the world with, by name or path [default: the world's own]
    #[arg(long, value_name = "POLICY", value_delimiter = ',')]
    pub policies: Vec<String>,

    /// Seeds to run the world with, as in --seeds 1..20 (both included), instead of the world's
    #[arg(long, value_name = "A..B", value_parser = compare::seeds)]
    pub seeds: Option<RangeInclusive<u64>>,

    /// Cases of a world with a plant: 1 without flexibility margins, 2 with them
    #[arg(long, value_name = "CASE", value_delimiter = ',',
          value_parser = clap::value_parser!(u32).range(1..=2))]
    pub cases: Vec<u32>,

    /// Put another value into the world; may be given several times
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,

    /// Folder that the world's runs are written to
    #[arg(long, value_name = "DIR", default_value = "outputs")]
    pub runs: PathBuf,

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

    #[command(flatten)]
    pub deny: Deny,
}

/// A page's name, so that no world or table is overwritten by a slip.
fn page_name(text: &str) -> Result<PathBuf, &'static str> {
    let path = PathBuf::from(text);
    let is_page = path.extension().is_some_and(|it| it == "html" || it == "htm");
    if is_page { Ok(path) } else { Err("a page's name ends in .html") }
}

/// Writes the page, and the figures where they are asked for.
pub(crate) fn report(flags: &Flags, args: &Args) -> Result<ExitCode, Failure> {
    let Some(runs) = runs(flags, args)? else { return Ok(Code::Interrupted.into()) };
    let report = Report::read(&runs, &command(flags)).map_err(|error| failure(&error))?;
    for warning in report.warnings() {
        output::mention(args.quiet, &format!("! {warning}"));
    }
    let html = report.html();
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

/// The runs to show: those that are named, or those of a world, which are made; `None` where the
/// user stopped it.
fn runs(flags: &Flags, args: &Args) -> Result<Option<Vec<PathBuf>>, Failure> {
    let is_world = |path: &&PathBuf| path.extension().is_some_and(|it| it == "ron");
    match flags.subjects.as_slice() {
        [world] if is_world(&world) => {
            let policies = match flags.policies.as_slice() {
                [] => vec![own_policy(world, flags, args)?],
                policies => policies.to_vec(),
            };
            compare::folders(world, &as_compared(world, flags, policies), args)
        }
        runs if flags.runs_are_made() || runs.iter().any(|it| is_world(&it)) => Err(unclear()),
        runs => Ok(Some(runs.to_vec())),
    }
}

impl Flags {
    /// Whether anything is said that goes with a world alone.
    fn runs_are_made(&self) -> bool {
        let Self { policies, seeds, cases, sets, .. } = self;
        !policies.is_empty() || seeds.is_some() || !cases.is_empty() || !sets.is_empty()
    }
}

fn unclear() -> Failure {
    let message = "a report is of folders of runs, or of one world file";
    let help = "--policies, --seeds, --cases and --set go with one world file";
    Failure::new(Code::Usage, message, Some(help))
}

/// The policy that the world names.
fn own_policy(world: &Path, flags: &Flags, args: &Args) -> Result<String, Failure> {
    let world_args =
        World { file: world.to_owned(), policy: None, seed: None, sets: flags.sets.clone() };
    let prepared = Prepared::load(&world_args, &known_plugins(args))?;
    Ok(prepared.world.scenario.policy.name.clone())
}

/// What `compare` would be told to make the same runs.
fn as_compared(world: &Path, flags: &Flags, policies: Vec<String>) -> compare::Flags {
    compare::Flags {
        subjects: vec![world.to_owned()],
        policies,
        seeds: flags.seeds.clone(),
        cases: flags.cases.clone(),
        sets: flags.sets.clone(),
        out: Some(flags.runs.clone()),
        jobs: None,
        replace: false,
        deny: flags.deny.clone(),
    }
}

/// The command as it stands on the page: it shows the same again.
fn command(flags: &Flags) -> String {
    let mut words = vec!["voltide report".to_owned()];
    words.extend(flags.subjects.iter().map(|it| it.display().to_string()));
    if !flags.policies.is_empty() {
        words.push(format!("--policies {}", flags.policies.join(",")));
    }
    words.extend(flags.seeds.iter().map(|it| format!("--seeds {}..{}", it.start(), it.end())));
    let cases: Vec<String> = flags.cases.iter().map(u32::to_string).collect();
    if !cases.is_empty() {
        words.push(format!("--cases {}", cases.join(",")));
    }
    words.extend(flags.sets.iter().map(|it| format!("--set '{it}'")));
    words.join(" ")
}

fn say(flags: &Flags, args: &Args, bytes: u64, figures: &[PathBuf]) {
    if args.json {
        let names: Vec<String> = figures.iter().map(|it| it.display().to_string()).collect();
        let page = json!({ "page": flags.out.display().to_string(), "bytes": bytes,
                           "figures": names });
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
    let beside = path.with_extension("html.part");
    let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| unwritten(path, &error))
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
    let said: Vec<String> =
        std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect();
    let code = match error {
        ReportError::NoRun(_) | ReportError::Content { .. } => Code::Input,
        ReportError::Table { .. } | ReportError::Rows { .. } | ReportError::File { .. } => {
            Code::Run
        }
    };
    let help = match error {
        ReportError::NoRun(folder) if folder.join("log").is_dir() => {
            Some("its tables are not there: `voltide replay` writes them from its log")
        }
        ReportError::NoRun(_) => Some("name a run's folder, as `voltide run` prints it"),
        ReportError::Table { .. } | ReportError::Rows { .. } | ReportError::Content { .. } => {
            Some("`voltide replay` writes a run's tables again from its log")
        }
        ReportError::File { .. } => None,
    };
    Failure::new(code, said.join(": "), help)
}
