//! Reads reference instances; shared by the tests of several crates through `#[path]`.
//!
//! The instances are those of `tests/cases/paper`, and of the folder that `VOLTIDE_CASES` names (from the
//! repository's root), so that instances are added by putting them there.

use serde::{Deserialize, de::DeserializeOwned};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What an instance tests. A test takes the kinds it knows how to compute; a kind that is not here is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Price,
    Willingness,
    EvUncontrolled,
    EvSmart,
    EvV2g,
    Fleet,
    DispatchDa,
    DispatchIdWindow,
    TwoStageDay,
}

/// One instance.
pub(crate) struct Instance<T> {
    /// Where it was read from.
    pub(crate) path: PathBuf,
    /// What is in it.
    pub(crate) case: T,
}

impl<T> Instance<T> {
    /// The text of a file that the instance names relative to itself; looked for by name in the folder
    /// `data` beside the instances of this repository where it is not there.
    pub(crate) fn text_of(&self, named: &str) -> String {
        let beside = self.path.with_file_name(named);
        let name = Path::new(named).file_name().expect("a file is named");
        let path = if beside.exists() { beside } else { own_folder().join("data").join(name) };
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

fn own_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/paper")
}

/// The instances of one kind, in the order of their names.
pub(crate) fn instances<T: DeserializeOwned>(kind: Kind) -> Vec<Instance<T>> {
    #[derive(Deserialize)]
    struct Head {
        kind: Kind,
    }
    let further = std::env::var_os("VOLTIDE_CASES").map(|folder| own_folder().join("../../..").join(folder));
    let folders = std::iter::once(own_folder()).chain(further);
    let paths = folders.flat_map(|folder| files(&folder));
    let mut found = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).expect("it can be read");
        // Lists beside the instances are no instances.
        if text.trim_start().starts_with('[') {
            continue;
        }
        let head: Head =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if head.kind == kind {
            let case =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            found.push(Instance { path, case });
        }
    }
    assert!(!found.is_empty(), "there is no instance of kind {kind:?}");
    found
}

/// The JSON files of a folder, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths
}
