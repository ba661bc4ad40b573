//! `voltide plugins`: which policies there are, and what would be accepted.

use crate::{
    args::Args,
    failure::{Code, Failure},
    output,
};
use clap::Subcommand;
use serde_json::json;
use std::{path::PathBuf, process::ExitCode, sync::Arc};
use voltide_host::{Found, Plugins, Rank};
use voltide_policy::planner::PolicyInfo;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Every policy that would be found
    List,
    /// Whether a file would be accepted
    Check {
        /// The plugin.
        file: PathBuf,
    },
}

/// The policies that this program can use, by its flags and environment.
pub(crate) fn known_plugins(args: &Args) -> Plugins {
    let plugins = Plugins::new(&args.plugin_dir);
    if !args.verbose {
        return plugins;
    }
    plugins.with_log(Arc::new(|level, policy, message| {
        output::complain(&format!("{policy}: {level:?}: {message}"));
    }))
}

/// Lists the policies, or checks a file.
pub(crate) fn plugins(verb: &Verb, args: &Args) -> Result<ExitCode, Failure> {
    let plugins = known_plugins(args);
    match verb {
        Verb::List => {
            print(&plugins.list(), args.json);
            Ok(ExitCode::SUCCESS)
        }
        Verb::Check { file } => {
            let found = plugins.check(file);
            // Why a file is refused is said once, as the error.
            if found.status.is_ok() || args.json {
                print(std::slice::from_ref(&found), args.json);
            }
            match found.status {
                Ok(_) => Ok(ExitCode::SUCCESS),
                Err(error) => Err(Failure::plugin(&error, |problem| problem).with(Code::Plugin)),
            }
        }
    }
}

fn print(found: &[Found], as_json: bool) {
    if as_json {
        return found.iter().for_each(|found| output::say_json("plugin", &to_json(found)));
    }
    let (built_in, files): (Vec<&Found>, Vec<&Found>) =
        found.iter().partition(|one| one.file.is_none());
    let tables = [of_built_in(&built_in), of_files(&files)];
    output::say(&tables.into_iter().flatten().collect::<Vec<_>>().join("\n\n"));
}

/// The policies of the program itself: what each does, and its config where it has one.
fn of_built_in(found: &[&Found]) -> Option<String> {
    let rows: Vec<_> = found.iter().flat_map(|found| built_in_rows(found)).collect();
    (!rows.is_empty()).then(|| output::table(&["built in", "what it does"], rows, &[]))
}

fn built_in_rows(found: &Found) -> Vec<Vec<String>> {
    let about = found.about();
    let does = match &found.status {
        Ok(_) => about.map_or_else(String::new, |about| about.does.to_owned()),
        Err(error) => format!("refused: {error}"),
    };
    let configured = about.filter(|about| !about.fields.is_empty());
    let config = configured.map(|about| format!("config {}: {}", about.config, about.fields));
    let rows = std::iter::once((found.name.clone(), does));
    rows.chain(config.map(|config| (String::new(), config)))
        .map(|(name, text)| vec![name, text])
        .collect()
}

/// The policies in files, and what becomes of each.
fn of_files(found: &[&Found]) -> Option<String> {
    let header = ["in a file", "version", "abi", "sha256", "file", "status"];
    let rows: Vec<_> = found.iter().map(|found| file_row(found)).collect();
    (!rows.is_empty()).then(|| output::table(&header, rows, &[]))
}

fn file_row(found: &Found) -> Vec<String> {
    let file = found.file.as_ref().map_or_else(String::new, |file| file.display().to_string());
    let (version, hash, status) = match &found.status {
        Ok(info) => (info.version.clone(), info.hash.chars().take(12).collect(), rank(&found.rank)),
        Err(error) => (String::new(), String::new(), format!("refused: {error}")),
    };
    vec![found.name.clone(), version, found.abi.clone().unwrap_or_default(), hash, file, status]
}

/// What the name of a policy that would be accepted means, where there are others of it.
fn rank(rank: &Rank) -> String {
    match rank {
        Rank::First => "ok".to_owned(),
        Rank::InPlaceOfBuiltIn => "ok, in place of the built-in policy".to_owned(),
        Rank::BehindBuiltIn => "only by its path: the name means the built-in policy".to_owned(),
        Rank::Behind(file) => format!("hidden: the name means {}", file.display()),
    }
}

/// Says that a policy that was loaded bears the name of one that is built in, where it is not that
/// one.
pub(crate) fn mention_shadowing(policy: &PolicyInfo, plugins: &Plugins, quiet: bool) {
    if !policy.file.is_empty() && plugins.is_built_in(&policy.name) {
        let what =
            format!("`{}` is {} here, not the policy that is built in", policy.name, policy.file);
        output::mention(quiet, &what);
    }
}

fn to_json(found: &Found) -> serde_json::Value {
    let (info, error) = match &found.status {
        Ok(info) => (Some(info), None),
        Err(error) => (None, Some(error.to_string())),
    };
    json!({
        "name": found.name,
        "file": found.file,
        "abi": found.abi,
        "version": info.map(|info| &info.version),
        "sha256": info.map(|info| &info.hash),
        "rank": rank(&found.rank),
        "error": error,
        "what_it_does": found.about().map(|about| about.does),
        "discharges": found.about().map(|about| about.discharges),
        "config": found.about().map(|about| about.config),
        "config_fields": found.about().map(|about| about.fields),
    })
}
