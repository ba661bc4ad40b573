//! `voltide replay`: the tables of a run, built from its log alone.

use super::redecide::redecide;
use crate::{
    args::Args,
    failure::{Code, Failure},
    interrupt::Interrupt,
    journaled::Journaled,
    output::{self, counted},
    replacement::look_again,
    run_folder::{Held, id_in},
    summary,
};
use clap::Args as ClapArgs;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};
use voltide_telemetry::{
    Beside, Described, Options, RunStatus, Summary, Telemetry, damaged_files, described,
    lacks_manifest,
};

#[derive(Debug, ClapArgs)]
pub(crate) struct Flags {
    /// Folder of the run
    pub run: PathBuf,

    /// Compare the state after every tick with the log, and the files that are there with what they
    /// would be; writes nothing
    #[arg(long)]
    pub verify: bool,

    /// Ask the policy again at every call, and say how its answers differ from the recorded ones;
    /// writes nothing
    #[arg(long, conflicts_with = "verify")]
    pub redecide: bool,

    /// Ask this policy instead of the run's own, by name or path
    #[arg(long, value_name = "POLICY", requires = "redecide")]
    pub policy: Option<String>,
}

/// Rebuilds a run's tables; with `--verify` says whether everything is as it would be, and writes
/// nothing.
pub(crate) fn replay(replay: &Flags, args: &Args) -> Result<ExitCode, Failure> {
    match replay {
        Flags { redecide: true, run, policy, .. } => redecide(run, policy.as_ref(), args),
        Flags { verify: true, run, .. } => verify(run, args),
        Flags { run, .. } => rebuild(run, args),
    }
}

fn rebuild(run: &Path, args: &Args) -> Result<ExitCode, Failure> {
    let _interrupt = Interrupt::catch();
    let held = Held::run(run, "replay")?;
    let scratch = held.scratch()?;
    let journaled = Journaled::open(run, args.quiet)?;
    let options = Options { hidden_in: Some(scratch.path().to_owned()), ..Options::default() };
    let telemetry = Telemetry::create(run, &journaled.scenario, options)?;
    let (telemetry, status) = journaled.replay(telemetry, false, args.quiet)?;
    let summary = telemetry.finish(status)?;
    summary::print(&id_in(run), run, &summary, None, args);
    Ok(ExitCode::SUCCESS)
}

/// What is known of a run's files.
enum Checked {
    /// They were made by another version, and are what its manifest says, or not.
    ByHash { described: Described, damaged: Vec<String> },
    /// They were read and compared with those of a replay.
    ByContent(Beside),
    /// There is no manifest, so that nobody says that there are files.
    Nothing,
}

impl Checked {
    /// Whether the files are as they should be.
    fn holds(&self) -> bool {
        match self {
            Self::ByHash { damaged, .. } => damaged.is_empty(),
            Self::ByContent(beside) => beside.differing.is_empty(),
            Self::Nothing => true,
        }
    }
}

fn verify(run: &Path, args: &Args) -> Result<ExitCode, Failure> {
    let (summary, checked) =
        look_again(run, || compared(run, args), |(_, checked)| checked.holds())?;
    summary::print(&id_in(run), run, &summary, None, args);
    let state = format!(
        "verified: the state after each of {} is that of the log",
        counted(summary.slots.into(), "tick", "ticks")
    );
    let said = match checked {
        Checked::Nothing => format!("{state}; there was no manifest, and no files were compared"),
        Checked::ByContent(Beside { files, differing }) => {
            refuse("files differ from what the log says", &differing)?;
            format!("{state}, and all {files} files are equal to the byte")
        }
        Checked::ByHash { described, damaged } => {
            refuse("files differ from what their manifest says", &damaged)?;
            format!("{state}; {}", by_hash(&described))
        }
    };
    output::mention(args.quiet, &said);
    Ok(ExitCode::SUCCESS)
}

/// Plays a run and compares its files; those of another version of voltide are not what this one
/// would make, and are only held against their manifest.
fn compared(run: &Path, args: &Args) -> Result<(Summary, Checked), Failure> {
    let described = described(run).map_err(Failure::from).map_err(|it| it.with(Code::Check))?;
    let own = described.as_ref().filter(|it| it.is_of_this_version()).and_then(Described::options);
    let journaled = Journaled::open(run, args.quiet)?;
    let scenario = Arc::clone(&journaled.scenario);
    let Some(options) = own else {
        let telemetry = Telemetry::create_summary(&scenario)?;
        let (telemetry, status) = journaled.replay(telemetry, true, args.quiet)?;
        refuse_undescribed(run, &status)?;
        let summary = telemetry.finish(status)?;
        let Some(described) = described else { return Ok((summary, Checked::Nothing)) };
        let damaged = damaged_files(run)?.unwrap_or_default();
        return Ok((summary, Checked::ByHash { described, damaged }));
    };
    // A fork may have more cars than the scenario that its history begins in.
    let ev_count = Some(journaled.world.scenario.population.len() as u32);
    let telemetry = Telemetry::create_unkept(&scenario, Options { ev_count, ..options })?;
    let (telemetry, status) = journaled.replay(telemetry, true, args.quiet)?;
    let (summary, beside) = telemetry.finish_beside(run, status)?;
    Ok((summary, Checked::ByContent(beside)))
}

/// Refuses tables of a run that is over which no manifest describes: it is written with them.
pub(crate) fn refuse_undescribed(run: &Path, status: &RunStatus) -> Result<(), Failure> {
    if *status == RunStatus::Interrupted || !lacks_manifest(run) {
        return Ok(());
    }
    refuse("missing", &["manifest.json".to_owned()])
}

fn by_hash(described: &Described) -> String {
    let version = described.version.as_deref().unwrap_or("0.1.0");
    format!(
        "the tables were written by voltide {version}, whose bytes this version does not make: \
         all {} files have the hashes that their manifest says",
        described.files
    )
}

fn refuse(what: &str, files: &[String]) -> Result<(), Failure> {
    if files.is_empty() {
        return Ok(());
    }
    let help = "`voltide replay` builds them again from the log";
    Err(Failure::new(Code::Check, format!("{what}: {}", files.join(", ")), Some(help)))
}
