//! One run in the place of another, in steps of which each can be the last.
//!
//! ```text
//! .new/         a run on its way, which is worth nothing before it is over
//! .rebuilt/     tables on their way, likewise
//! .replacing/   the run that was here, on its way aside or back: its log goes first and comes
//!               back last
//! .replaced/    the run that was here, complete; what lies beside it belongs to the one that
//!               follows
//! ```
//!
//! A run is the one that was here until the log of the one that follows lies in its place. A
//! process that is killed leaves one of these states, and whoever holds the folder next leads it
//! back or on.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};
use voltide_journal::{lock::FILE as LOCK, plain};

/// Folder of a run on its way.
pub(crate) const NEW: &str = ".new";
/// Folder of tables on their way.
pub(crate) const REBUILT: &str = ".rebuilt";
/// Folder of a run on its way aside or back.
const REPLACING: &str = ".replacing";
/// Folder of a run that is set aside.
const REPLACED: &str = ".replaced";
/// The folder without which there is no run.
const LOG: &str = "log";
/// The log's folder until it has begun.
const NEW_LOG: &str = "log.new";

/// Whether a run lies aside.
pub(crate) fn is_under_way(folder: &Path) -> bool {
    [REPLACING, REPLACED].iter().any(|name| folder.join(name).is_dir())
}

/// How often a reader looks whether a run has got its place.
const LOOKS: u32 = 100;
/// How long it waits between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// Waits a little for a run that another process is putting in its place.
pub(crate) fn wait_for_log(folder: &Path) {
    wait_while(|| is_under_way(folder) && !folder.join(LOG).is_dir() && is_held(folder));
}

/// Gives what `check` finds of a run, which is only read. What does not hold of one that was
/// replaced meanwhile, or that another process is at work on, is looked at once more.
pub(crate) fn look_again<T, E>(
    folder: &Path,
    check: impl Fn() -> Result<T, E>,
    holds: impl Fn(&T) -> bool,
) -> Result<T, E> {
    let before = marks(folder);
    let found = check();
    let is_sure = found.as_ref().is_ok_and(holds) || !is_held(folder);
    if is_sure && marks(folder) == before {
        return found;
    }
    wait_while(|| is_under_way(folder) && is_held(folder));
    check()
}

fn wait_while(goes_on: impl Fn() -> bool) {
    for _ in 0..LOOKS {
        if !goes_on() {
            return;
        }
        sleep(LOOK);
    }
}

/// Whether a process is at work in a folder, or was killed there. To try its lock would keep others
/// from it.
pub(crate) fn is_held(folder: &Path) -> bool {
    folder.join(LOCK).exists()
}

/// What tells a run from the one that takes its place: the numbers of its log's folder and
/// manifest.
fn marks(folder: &Path) -> [Option<u64>; 2] {
    [LOG, "manifest.json"]
        .map(|name| fs::symlink_metadata(folder.join(name)).ok().map(|it| it.ino()))
}

/// Removes what an earlier holder left half-done, and puts back the run that it had set aside.
pub(crate) fn tidy(folder: &Path) -> io::Result<()> {
    remove(&folder.join(NEW))?;
    tidy_tables(folder)?;
    if plain::is_folder(&folder.join(REPLACING))? {
        put_back(folder)?;
    }
    if plain::is_folder(&folder.join(REPLACED))? {
        if folder.join(LOG).is_dir() {
            // The log is moved last: the run that follows is in its place as a whole.
            return forget(folder);
        }
        // Without a log these are the first files of a run that did not get its place.
        for entry in entries(folder, &[REPLACED])? {
            remove(&entry)?;
        }
        // While it is moved back it is no longer complete, and this can be cut off as well.
        fs::rename(folder.join(REPLACED), folder.join(REPLACING))?;
        put_back(folder)?;
    }
    if folder.join(LOG).is_dir() { Ok(()) } else { remove_unbegun(folder) }
}

/// Removes tables that an earlier holder left half-done.
pub(crate) fn tidy_tables(folder: &Path) -> io::Result<()> {
    remove(&folder.join(REBUILT))
}

/// Sets the run in a folder aside.
pub(crate) fn set_aside(folder: &Path) -> io::Result<()> {
    let aside = folder.join(REPLACING);
    fs::create_dir(&aside)?;
    // First, since there is no run without one: half of it never passes for a whole.
    if folder.join(LOG).is_dir() {
        fs::rename(folder.join(LOG), aside.join(LOG))?;
    }
    for entry in entries(folder, &[NEW, REPLACING])? {
        move_to(&entry, &aside)?;
    }
    fs::rename(&aside, folder.join(REPLACED))?;
    sync(folder)
}

/// Deletes the run that is set aside.
pub(crate) fn forget(folder: &Path) -> io::Result<()> {
    remove(&folder.join(REPLACED))
}

/// Puts the run that is on its way in the place of the one that is there.
pub(crate) fn take_place(folder: &Path) -> io::Result<()> {
    let new = folder.join(NEW);
    set_aside(folder)?;
    for entry in entries(&new, &[LOG])? {
        move_to(&entry, folder)?;
    }
    // Last: a folder holds the run whose log it holds.
    move_to(&new.join(LOG), folder)?;
    sync(folder)?;
    forget(folder)?;
    fs::remove_dir(new)
}

fn put_back(folder: &Path) -> io::Result<()> {
    let aside = folder.join(REPLACING);
    for entry in entries(&aside, &[LOG])? {
        move_to(&entry, folder)?;
    }
    if aside.join(LOG).is_dir() {
        move_to(&aside.join(LOG), folder)?;
    }
    sync(folder)?;
    fs::remove_dir(aside)
}

/// Removes what a run leaves that never began: a log and tables that are hidden still.
fn remove_unbegun(folder: &Path) -> io::Result<()> {
    for entry in entries(folder, &[])? {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == NEW_LOG || is_hidden(&name) {
            remove(&entry)?;
        }
    }
    Ok(())
}

/// Whether a table of this name is hidden: it is not whole yet, or of a day that is closed.
fn is_hidden(name: &str) -> bool {
    name.starts_with('.') && (name.ends_with(".partial") || name.ends_with(".closed"))
}

/// What lies in a folder, but its lock and `others`.
fn entries(folder: &Path, others: &[&str]) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let stays = name == LOCK || others.iter().any(|other| name == *other);
        if !stays {
            found.push(folder.join(name));
        }
    }
    Ok(found)
}

fn move_to(entry: &Path, folder: &Path) -> io::Result<()> {
    fs::rename(entry, folder.join(entry.file_name().unwrap_or_default()))
}

/// Removes a file or a folder that need not be there; a link goes, not what it leads to.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Makes the names in a folder durable.
fn sync(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Files below a folder, by path.
    fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
        let mut found = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for path in entries(&folder, &[]).unwrap() {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    drop(found.insert(path.clone(), read(&path)));
                }
            }
        }
        found
            .into_iter()
            .map(|(path, text)| (path.strip_prefix(folder).unwrap().to_owned(), text))
            .collect()
    }

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap()
    }

    fn write(folder: &Path, says: &str, names: &[&str]) {
        for name in names {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, says).unwrap();
        }
    }

    const OLD: [&str; 5] = [
        "log/HEAD",
        "log/000001.mcap",
        "snapshots/000095.snap",
        "ev_ticks-1.parquet",
        "manifest.json",
    ];
    const FOLLOWING: [&str; 4] =
        ["log/HEAD", "log/000001.mcap", "ev_ticks-2.parquet", "manifest.json"];

    /// All states that a process may leave which is killed while it replaces a run: the names in
    /// the folder are moved one by one in the order in which the program does.
    fn states(steps: usize) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        write(path, "old", &OLD);
        write(&path.join(NEW), "new", &FOLLOWING);
        let mut left = steps;
        let mut step = |from: PathBuf, to: PathBuf| {
            if left > 0 {
                left -= 1;
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::rename(from, to).unwrap();
            }
        };
        let aside = path.join(REPLACING);
        for name in ["log", "snapshots", "ev_ticks-1.parquet", "manifest.json"] {
            step(path.join(name), aside.join(name));
        }
        step(aside, path.join(REPLACED));
        for name in ["manifest.json", "ev_ticks-2.parquet", "log"] {
            step(path.join(NEW).join(name), path.join(name));
        }
        folder
    }

    #[test]
    fn whoever_comes_next_finds_one_of_the_two_runs_complete() {
        let expected = |says: &str, names: &[&str]| {
            names
                .iter()
                .map(|name| (PathBuf::from(name), says.to_owned()))
                .collect::<BTreeMap<_, _>>()
        };
        for steps in 0..=8 {
            let folder = states(steps);
            tidy(folder.path()).unwrap();
            let (says, names) =
                if steps == 8 { ("new", &FOLLOWING[..]) } else { ("old", &OLD[..]) };
            assert_eq!(files(folder.path()), expected(says, names), "after {steps} steps");
            assert!(!is_under_way(folder.path()) && !folder.path().join(NEW).exists());
        }
    }

    #[test]
    fn a_run_takes_the_place_of_another_as_a_whole() {
        let folder = states(0);
        take_place(folder.path()).unwrap();
        assert_eq!(
            files(folder.path()).keys().map(|it| it.to_str().unwrap()).collect::<Vec<_>>(),
            {
                let mut names = FOLLOWING.to_vec();
                names.sort_unstable();
                names
            }
        );
        assert!(files(folder.path()).values().all(|says| says == "new"));
    }
}
