//! `voltide doctor`: whether this machine is ready.

use crate::{
    args::{Args, World},
    estimate::Estimate,
    failure::{Code, Failure},
    live::Prepared,
    machine::free_bytes,
    output,
    verb::plugins::known_plugins,
};
use clap::Args as ClapArgs;
use serde_json::json;
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Debug, ClapArgs)]
pub(crate) struct Flags {
    /// World to estimate the output of
    #[arg(value_name = "WORLD.ron")]
    pub world: Option<PathBuf>,

    /// Put another value into the world; may be given several times
    #[arg(long = "set", value_name = "PATH=VALUE", requires = "world")]
    pub sets: Vec<String>,

    /// Folder that runs are written to
    #[arg(long, value_name = "DIR", default_value = "outputs")]
    pub out: PathBuf,
}

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    ok: bool,
    found: String,
}

/// Looks at everything a run needs; 6 if any of it is missing.
pub(crate) fn doctor(doctor: &Flags, args: &Args) -> Result<ExitCode, Failure> {
    let mut findings = vec![
        Finding { what: "voltide", ok: true, found: version() },
        Finding { what: "time zone data", ok: true, found: chrono_tz::IANA_TZDB_VERSION.into() },
        plugins(args),
        writable(&doctor.out),
    ];
    let needed = match &doctor.world {
        None => 0,
        Some(file) => needed(file, &doctor.sets, args)?,
    };
    findings.push(disk(&doctor.out, needed));
    for finding in &findings {
        let Finding { what, ok, found } = finding;
        if args.json {
            output::say_json("finding", &json!({ "what": what, "ok": ok, "found": found }));
        } else {
            output::tell(&format!("{} {what}: {found}", if *ok { "ok     " } else { "PROBLEM" }));
        }
    }
    let healthy = findings.iter().all(|finding| finding.ok);
    Ok(if healthy { ExitCode::SUCCESS } else { Code::Check.into() })
}

/// Bytes that a run of a world will leave.
fn needed(file: &Path, sets: &[String], args: &Args) -> Result<u64, Failure> {
    let world = World { file: file.to_owned(), policy: None, seed: None, sets: sets.to_vec() };
    let plugins = known_plugins(args);
    Ok(Estimate::of(Prepared::load(&world, &plugins)?, (&world, None), &plugins)?.bytes)
}

fn version() -> String {
    let git = env!("VOLTIDE_GIT");
    let commit = if git.is_empty() { String::new() } else { format!(" ({git})") };
    format!("{}{commit}", env!("CARGO_PKG_VERSION"))
}

fn plugins(args: &Args) -> Finding {
    let list = known_plugins(args).list();
    let refused: Vec<String> = list
        .iter()
        .filter_map(|found| {
            found.status.as_ref().err().map(|error| format!("{} refused: {error}", found.name))
        })
        .collect();
    // One name may stand for several files.
    let accepted: BTreeSet<&str> =
        list.iter().filter(|found| found.status.is_ok()).map(|found| found.name.as_str()).collect();
    let accepted: Vec<&str> = accepted.into_iter().collect();
    let found = if refused.is_empty() { accepted.join(", ") } else { refused.join("; ") };
    Finding { what: "policies", ok: refused.is_empty(), found }
}

fn writable(out: &Path) -> Finding {
    let result = try_writing(out);
    let found = match &result {
        Ok(()) => format!("{} can be written to", out.display()),
        Err(error) => format!("{} cannot be written to: {error}", out.display()),
    };
    Finding { what: "output folder", ok: result.is_ok(), found }
}

fn try_writing(out: &Path) -> io::Result<()> {
    fs::create_dir_all(out)?;
    // Rights alone do not tell: the disk may be full, or mounted to be read only.
    let probe = out.join(".voltide-doctor");
    fs::write(&probe, "written to see whether that works")?;
    fs::remove_file(&probe)
}

fn disk(out: &Path, needed: u64) -> Finding {
    let Some(free) = free_bytes(out) else {
        return Finding { what: "disk", ok: true, found: "free space is unknown".into() };
    };
    let need = if needed == 0 {
        String::new()
    } else {
        format!(", about {} needed", output::bytes(needed))
    };
    Finding {
        what: "disk",
        ok: free > needed,
        found: format!("{} free{need}", output::bytes(free)),
    }
}
