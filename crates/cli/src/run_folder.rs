//! Where a run lives on disk, who may write there, and what happens to the run that was there
//! before.
//!
//! Whoever writes to a run's folder holds its lock (`voltide_journal::lock`) from before anything
//! is touched until all is done. Readers need none.

use crate::{
    failure::{Code, Failure},
    replacement::{self, NEW, REBUILT},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use voltide_journal::{
    error::LogError,
    lock::{self, FILE as LOCK, Lock},
    plain,
};
use voltide_world::{Problem, World};

/// The folder of a run that is about to begin, and that nobody else writes to.
///
/// A run of the same id that is over stays until the new one is over, which is written beside it:
/// one that ends before leaves nothing. Only one that the user gives up for another makes room at
/// once, for a run that can be resumed: it is kept aside until the new one has begun, and put back
/// if it does not.
#[derive(Debug)]
pub(crate) struct RunFolder {
    /// The folder.
    pub path: PathBuf,
    /// Where the run is written until it is over: the folder itself, or one in it.
    pub place: PathBuf,
    done: bool,
    lock: Option<Lock>,
}

/// How a folder is claimed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    /// For what: the verb, which others are told who come too late.
    pub verb: &'static str,
    /// Whether another run may be given up for the new one.
    pub replace: bool,
    /// Whether a run that is not brought to its end is to leave nothing.
    pub whole_or_none: bool,
}

/// What a folder holds.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Over,
    Unfinished,
    Foreign,
}

impl RunFolder {
    /// Makes room for the run `id` of the world called `world` in `out`; `difference` says in what
    /// a run that is over there is another than the new one.
    pub(crate) fn claim(
        (out, world, id): (&Path, &str, &str),
        claim: Claim,
        difference: impl FnOnce(&Path) -> Option<String>,
    ) -> Result<Self, Failure> {
        fs::create_dir_all(out).map_err(|e| no_output(out, &e))?;
        let path = path(out, world, id);
        let lock = lock_anew(&path, claim.verb)?;
        // Done until there is room: what lies here so far is not this run's to tidy up.
        let mut folder = Self { place: path.clone(), path, done: true, lock: Some(lock) };
        replacement::tidy(&folder.path).map_err(|e| cannot("tidy up", &folder.path, &e))?;
        let repeats = folder.make_room(claim, difference)?;
        folder.done = false;
        // Beside what is there, which stays whole until this run is.
        if repeats || claim.whole_or_none {
            folder.place = folder.path.join(NEW);
            fs::create_dir(&folder.place).map_err(|e| cannot("create", &folder.place, &e))?;
        }
        Ok(folder)
    }

    /// Whether what is there is repeated; refuses what may not be touched.
    fn make_room(
        &self,
        claim: Claim,
        difference: impl FnOnce(&Path) -> Option<String>,
    ) -> Result<bool, Failure> {
        let path = &self.path;
        let refusal = match held_in(path) {
            Found::Nothing => return Ok(false),
            Found::Over => match difference(path) {
                None => return Ok(true),
                Some(what) => another(path, &what),
            },
            Found::Unfinished => unfinished(path),
            Found::Foreign => foreign(path),
        };
        if !claim.replace {
            return Err(refusal);
        }
        if !claim.whole_or_none {
            replacement::set_aside(path).map_err(|e| cannot("replace", path, &e))?;
        }
        Ok(false)
    }

    /// Whether the run that it is to repeat stays until this one is over.
    pub(crate) fn is_beside(&self) -> bool {
        self.place != self.path
    }

    /// What ends a run that has begun here; says what is left of it, where anything is.
    pub(crate) fn left_by(&self, failure: Failure) -> Failure {
        if self.is_beside() { failure } else { failure.leaving_in(&self.path) }
    }

    /// The run has begun: unless it is written beside it, what it replaces is deleted.
    pub(crate) fn begun(&mut self) -> Result<(), Failure> {
        if self.is_beside() {
            return Ok(());
        }
        self.done = true;
        replacement::forget(&self.path).map_err(|e| cannot("replace", &self.path, &e))
    }

    /// The run is over, its tables are whole: it takes its place.
    pub(crate) fn over(&mut self) -> Result<(), Failure> {
        if !self.is_beside() {
            return Ok(());
        }
        replacement::take_place(&self.path).map_err(|e| cannot("replace", &self.path, &e))?;
        self.done = true;
        Ok(())
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if !self.done {
            // What cannot be tidied up here is so by the next who claims the folder.
            let _ = replacement::tidy(&self.path);
        }
        // Its file lies in the folder that may go.
        self.lock = None;
        // Only an empty one goes: one in which nothing has begun.
        let _ = fs::remove_dir(&self.path);
    }
}

/// A folder that is there, and that nobody else writes to.
#[derive(Debug)]
pub(crate) struct Held {
    path: PathBuf,
    _lock: Lock,
}

impl Held {
    /// Holds the folder of a run, for a verb that changes what is in it.
    pub(crate) fn run(run: &Path, verb: &str) -> Result<Self, Failure> {
        if !is_run(run) {
            return Err(LogError::Missing(run.to_owned()).into());
        }
        let held = Self { path: run.to_owned(), _lock: lock::lock(run, verb)? };
        replacement::tidy(run).map_err(|e| cannot("tidy up", run, &e))?;
        Ok(held)
    }

    /// Holds a folder that is no run's own, and makes it where it is not there.
    pub(crate) fn other(folder: &Path, verb: &str) -> Result<Self, Failure> {
        fs::create_dir_all(folder).map_err(|e| cannot("create", folder, &e))?;
        if is_run(folder) {
            let what = format!(
                "{} is the folder of a run, which has files of these names",
                folder.display()
            );
            return Err(Failure::new(
                Code::Input,
                what,
                Some("give a folder of its own with --out"),
            ));
        }
        let held = Self { path: folder.to_owned(), _lock: lock::lock(folder, verb)? };
        replacement::tidy_tables(folder).map_err(|e| cannot("tidy up", folder, &e))?;
        Ok(held)
    }

    /// A folder in it for files that are not whole yet.
    pub(crate) fn scratch(&self) -> Result<Scratch, Failure> {
        let path = self.path.join(REBUILT);
        fs::create_dir(&path).map_err(|e| cannot("create", &path, &e))?;
        Ok(Scratch(path))
    }
}

/// A folder that is removed with all that is still in it.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed here is by the next who holds the folder around it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether a folder holds a run, or one that is on its way aside.
fn is_run(folder: &Path) -> bool {
    folder.join("log").is_dir()
        || folder.join("manifest.json").is_file()
        || replacement::is_under_way(folder)
}

/// Locks a folder that need not be there; another one that gives up its own may remove it
/// meanwhile.
fn lock_anew(path: &Path, verb: &str) -> Result<Lock, Failure> {
    loop {
        fs::create_dir_all(path).map_err(|e| cannot("create", path, &e))?;
        if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
            let what = format!("{} is a symbolic link", path.display());
            return Err(Failure::new(Code::Input, what, Some("give another folder with --out")));
        }
        match lock::lock(path, verb) {
            // Who held it removed it between the two steps.
            Err(LogError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            locked => return Ok(locked?),
        }
    }
}

/// The id of a run: world, policy, seed, and the first 8 digits of the hash of all that decides it.
pub(crate) fn run_id(world: &str, policy: &str, seed: u64, hash: &str) -> String {
    format!("{}-{}-s{seed}-{}", file_name(world), file_name(policy), &hash[..8])
}

/// Most bytes that the name of a file or folder has on the disks of this world.
const NAME_BYTES: usize = 255;

/// Whether a disk takes the names of the folders that a run is written to.
///
/// # Errors
///
/// They are too long, for the world's name or its policy's.
pub(crate) fn check_names(world: &World, policy: &str) -> Result<(), Failure> {
    // Whatever its digits are, a hash takes the same room.
    let id = run_id(&world.scenario.name, policy, world.scenario.seed, "00000000");
    let bytes = file_name(&world.scenario.name).len().max(RUN_PREFIX.len() + id.len());
    if bytes <= NAME_BYTES {
        return Ok(());
    }
    let what =
        format!("the run's folder would have a name of {bytes} bytes, and disks take {NAME_BYTES}");
    let problem = Problem::new(what).help("give the world or its policy a shorter name");
    Err(Failure::of(Code::Input, world.point_at_name(problem, "too long with the policy's name")))
}

/// The folder of the run `id` of the world called `world` in `out`.
pub(crate) fn path(out: &Path, world: &str, id: &str) -> PathBuf {
    of_world(out, world).join(format!("{RUN_PREFIX}{id}"))
}

/// The folder of all runs of the world called `world` in `out`.
pub(crate) fn of_world(out: &Path, world: &str) -> PathBuf {
    out.join(file_name(world))
}

/// What the name of a run's folder begins with.
const RUN_PREFIX: &str = "run_id=";

/// The id that a run's folder is named after, by whatever path it is found.
pub(crate) fn id_in(run: &Path) -> String {
    let run = fs::canonicalize(run).unwrap_or_else(|_| run.to_owned());
    let name = run.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.strip_prefix(RUN_PREFIX).unwrap_or(&name).to_owned()
}

/// A name with everything replaced that might mean something to a file system or a glob.
fn file_name(name: &str) -> String {
    name.chars().map(|c| if is_plain(c) { c } else { '-' }).collect()
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "._-".contains(c)
}

/// How the run in a folder ended, as its manifest says.
fn status(path: &Path) -> Option<String> {
    // Nothing but the status, which manifests of every version have.
    let text = plain::read_text(&path.join("manifest.json")).ok()?;
    let manifest = serde_json::from_str::<serde_json::Value>(&text).ok()?;
    manifest["status"].as_str().map(str::to_owned)
}

/// Whether a folder holds a run that reached its last slot, with its tables.
pub(crate) fn is_finished(path: &Path) -> bool {
    path.join("log").is_dir() && status(path).is_some_and(|status| status == "finished")
}

/// What a folder holds that is locked already.
fn held_in(path: &Path) -> Found {
    let over = status(path).is_some_and(|status| status == "finished" || status == "failed");
    match (path.join("log").is_dir(), over) {
        (true, true) => Found::Over,
        (true, false) => Found::Unfinished,
        // The lock is the caller's own.
        (false, _) if holds_only(path, LOCK) => Found::Nothing,
        (false, _) => Found::Foreign,
    }
}

/// Whether there is nothing in a folder but a file of this name.
fn holds_only(path: &Path, name: &str) -> bool {
    let mut entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.all(|entry| entry.file_name() == name)
}

fn unfinished(path: &Path) -> Failure {
    let help = format!(
        "`voltide resume {0}` goes on with it; --replace starts the run again in its place, \
         and --out gives another folder",
        path.display()
    );
    Failure::new(
        Code::Input,
        format!("{} holds an unfinished run of this world", path.display()),
        Some(&help),
    )
}

fn another(path: &Path, difference: &str) -> Failure {
    let what =
        format!("{} holds a run that the new one would not repeat: {difference}", path.display());
    let help = "--replace puts the new run in its place, and --out in another folder";
    Failure::new(Code::Input, what, Some(help))
}

fn foreign(path: &Path) -> Failure {
    let what = format!("{} holds files, but no log of a run", path.display());
    let help = "move them away, put the new run in their place with --replace, or give another \
        folder with --out";
    Failure::new(Code::Input, what, Some(help))
}

fn no_output(out: &Path, error: &io::Error) -> Failure {
    let what = if out.is_file() {
        format!("the output folder {} is a file", out.display())
    } else {
        format!("cannot create the output folder {}: {error}", out.display())
    };
    Failure::new(Code::Run, what, Some("give another folder with --out"))
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(Code::Run, format!("cannot {what} {}: {error}", path.display()), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Claim = Claim { verb: "run", replace: false, whole_or_none: false };

    fn claim(out: &Path, claim: Claim) -> Result<RunFolder, Failure> {
        RunFolder::claim((out, "w", "id"), claim, |_| None)
    }

    fn claim_another(out: &Path, claim: Claim) -> Result<RunFolder, Failure> {
        RunFolder::claim((out, "w", "id"), claim, |_| Some("it is another".to_owned()))
    }

    fn begin(folder: &mut RunFolder, says: &str) {
        fs::create_dir_all(folder.place.join("log")).unwrap();
        fs::write(folder.place.join("log/says"), says).unwrap();
        folder.begun().ok().unwrap();
    }

    fn finish(folder: &mut RunFolder, says: &str) {
        begin(folder, says);
        fs::write(folder.place.join("manifest.json"), r#"{"status": "finished"}"#).unwrap();
        folder.over().ok().unwrap();
    }

    fn said(out: &Path) -> String {
        fs::read_to_string(out.join("w/run_id=id/log/says")).unwrap()
    }

    fn entries(out: &Path) -> usize {
        fs::read_dir(out.join("w/run_id=id")).unwrap().count()
    }

    #[test]
    fn a_run_that_never_began_leaves_no_folder() {
        let out = tempfile::tempdir().unwrap();
        for whole_or_none in [false, true] {
            drop(claim(out.path(), Claim { whole_or_none, ..RUN }).ok().unwrap());
            assert_eq!(fs::read_dir(out.path().join("w")).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_run_that_is_over_stays_until_one_that_repeats_it_is() {
        let out = tempfile::tempdir().unwrap();
        finish(&mut claim(out.path(), RUN).ok().unwrap(), "first");
        begin(&mut claim(out.path(), RUN).ok().unwrap(), "given up");
        assert_eq!((said(out.path()).as_str(), entries(out.path())), ("first", 2));
        finish(&mut claim(out.path(), RUN).ok().unwrap(), "second");
        assert_eq!((said(out.path()).as_str(), entries(out.path())), ("second", 2));
    }

    #[test]
    fn another_run_is_replaced_only_where_that_is_asked_for_and_once_the_new_one_has_begun() {
        let out = tempfile::tempdir().unwrap();
        finish(&mut claim(out.path(), RUN).ok().unwrap(), "first");
        assert!(claim_another(out.path(), RUN).is_err());
        let replace = Claim { replace: true, ..RUN };
        drop(claim_another(out.path(), replace).ok().unwrap());
        assert_eq!((said(out.path()).as_str(), entries(out.path())), ("first", 2));
        begin(&mut claim_another(out.path(), replace).ok().unwrap(), "other");
        assert_eq!((said(out.path()).as_str(), entries(out.path())), ("other", 1));
        assert!(claim(out.path(), RUN).is_err(), "an unfinished run is not touched");
        drop(claim(out.path(), Claim { whole_or_none: true, ..replace }).ok().unwrap());
        assert_eq!(said(out.path()), "other");
        begin(&mut claim(out.path(), replace).ok().unwrap(), "again");
        assert_eq!(said(out.path()), "again");
    }

    #[test]
    fn files_that_are_no_runs_are_not_touched() {
        let out = tempfile::tempdir().unwrap();
        let path = out.path().join("w/run_id=id");
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("sessions.parquet"), "kept").unwrap();
        assert!(claim(out.path(), RUN).is_err());
        assert_eq!(entries(out.path()), 1);
    }

    #[test]
    fn one_that_comes_too_late_changes_nothing() {
        let out = tempfile::tempdir().unwrap();
        let mut first = claim(out.path(), RUN).ok().unwrap();
        assert!(claim(out.path(), Claim { replace: true, ..RUN }).is_err());
        begin(&mut first, "first");
        assert!(claim(out.path(), Claim { replace: true, ..RUN }).is_err());
        assert!(Held::run(&first.path, "replay").is_err());
        assert_eq!(said(out.path()), "first");
        drop(first);
        assert!(Held::run(&out.path().join("w/run_id=id"), "replay").is_ok());
    }

    #[test]
    fn ids_are_plain_file_names() {
        assert_eq!(run_id("a/b c", "x", 7, "0123456789"), "a-b-c-x-s7-01234567");
    }
}
