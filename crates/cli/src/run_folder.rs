//! Where a run lives on disk, and what happens to the one that was there before.

use crate::failure::{Code, Failure};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The folder of a run that is about to begin.
///
/// A run of the same id that is over is kept aside until the new one has begun, and put back if it
/// does not; an unfinished one is never touched.
#[derive(Debug)]
pub(crate) struct RunFolder {
    /// The folder.
    pub path: PathBuf,
    aside: Option<PathBuf>,
}

/// What a folder holds.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Over,
    Unfinished,
}

impl RunFolder {
    /// Makes room for the run `id` of the world called `world` in `out`.
    pub(crate) fn claim(out: &Path, world: &str, id: &str) -> Result<Self, Failure> {
        fs::create_dir_all(out).map_err(|e| no_output(out, &e))?;
        let path = out.join(file_name(world)).join(format!("run_id={id}"));
        let aside = out.join(file_name(world)).join(format!(".replaced-{id}"));
        match look(&path) {
            Found::Unfinished => return Err(unfinished(&path)),
            Found::Over => {
                remove(&aside)
                    .and_then(|()| fs::rename(&path, &aside))
                    .map_err(|e| cannot("replace", &path, &e))?;
            }
            Found::Nothing => remove(&path).map_err(|e| cannot("clear", &path, &e))?,
        }
        let aside = aside.exists().then_some(aside);
        fs::create_dir_all(&path).map_err(|e| cannot("create", &path, &e))?;
        Ok(Self { path, aside })
    }

    /// The run has begun: what it replaces is deleted.
    pub(crate) fn begun(&mut self) -> Result<(), Failure> {
        match self.aside.take() {
            Some(aside) => remove(&aside).map_err(|e| cannot("remove", &aside, &e)),
            None => Ok(()),
        }
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if look(&self.path) == Found::Nothing {
            // Nothing was begun; what cannot be put back stays aside, complete.
            let _ = remove(&self.path);
            if let Some(aside) = &self.aside {
                let _ = fs::rename(aside, &self.path);
            }
        }
    }
}

/// The id of a run: world, policy, seed, and the first 8 digits of its configuration's hash.
pub(crate) fn run_id(world: &str, policy: &str, seed: u64, config_hash: &str) -> String {
    format!("{}-{}-s{seed}-{}", file_name(world), file_name(policy), &config_hash[..8])
}

/// The id that a run's folder is named after.
pub(crate) fn id_in(run: &Path) -> String {
    let name = run.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.strip_prefix("run_id=").unwrap_or(&name).to_owned()
}

/// A name with everything replaced that might mean something to a file system or a glob.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' };
    name.chars().map(plain).collect()
}

fn look(path: &Path) -> Found {
    let over = fs::read_to_string(path.join("manifest.json"))
        .ok()
        .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .is_some_and(|manifest| manifest["status"] == "finished" || manifest["status"] == "failed");
    match (path.join("log").exists(), over) {
        (false, _) => Found::Nothing,
        (true, true) => Found::Over,
        (true, false) => Found::Unfinished,
    }
}

fn unfinished(path: &Path) -> Failure {
    let help = format!(
        "`voltide resume {0}` goes on with it; delete the folder to start the run again, \
         or give another folder with --out",
        path.display()
    );
    Failure::new(
        Code::Input,
        format!("{} holds an unfinished run of this world", path.display()),
        Some(&help),
    )
}

fn no_output(out: &Path, error: &io::Error) -> Failure {
    let what = if out.is_file() {
        format!("the output folder {} is a file", out.display())
    } else {
        format!("cannot create the output folder {}: {error}", out.display())
    };
    Failure::new(Code::Run, what, Some("give another folder with --out"))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(Code::Run, format!("cannot {what} {}: {error}", path.display()), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finish(folder: &RunFolder) {
        fs::create_dir_all(folder.path.join("log")).unwrap();
        fs::write(folder.path.join("manifest.json"), r#"{"status": "finished"}"#).unwrap();
    }

    #[test]
    fn a_run_that_is_over_is_replaced_only_once_the_new_one_has_begun() {
        let out = tempfile::tempdir().unwrap();
        let claim = || RunFolder::claim(out.path(), "w", "id");
        finish(&claim().ok().unwrap());
        drop(claim().ok().unwrap());
        assert!(claim().ok().unwrap().path.parent().unwrap().join(".replaced-id").exists());
        let mut second = claim().ok().unwrap();
        fs::create_dir_all(second.path.join("log")).unwrap();
        second.begun().ok().unwrap();
        assert!(claim().is_err(), "an unfinished run is not touched");
    }

    #[test]
    fn ids_are_plain_file_names() {
        assert_eq!(run_id("a/b c", "x", 7, "0123456789"), "a-b-c-x-s7-01234567");
    }
}
