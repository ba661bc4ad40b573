//! What is kept of a sweep's groups, so that it goes on where it was cut off: one file a group, in
//! the sweep's folder, as soon as all of its points are done.
//!
//! A note is only believed of runs that are there. It spares to read them, and tells parts of a
//! sweep of each other.

use super::row::Row;
use crate::failure::{Code, Failure};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use voltide_journal::plain;

/// Folder of the notes in that of the sweep.
const FOLDER: &str = "groups";

/// The notes of a sweep.
#[derive(Debug)]
pub(crate) struct Notes {
    folder: PathBuf,
    made_by: String,
}

/// What is known of a group.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    /// Version of the program that made it.
    voltide: String,
    /// Its points, in the order of the policies.
    points: Vec<Row>,
}

impl Notes {
    /// Those of the sweep in `folder`, which is made where it is not there.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let folder = folder.join(FOLDER);
        fs::create_dir_all(&folder).map_err(|error| cannot("create", &folder, &error))?;
        let made_by = format!("{} {}", env!("CARGO_PKG_VERSION"), env!("VOLTIDE_GIT"));
        Ok(Self { folder, made_by })
    }

    /// The points of a group, where this version of the program has noted them.
    pub(crate) fn read(&self, group: usize) -> Option<Vec<Row>> {
        // One that cannot be read is as good as none: the group is looked at again.
        let text = plain::read_text(&self.path(group)).ok()?;
        let note: Note = serde_json::from_str(&text).ok()?;
        (note.voltide == self.made_by).then_some(note.points)
    }

    /// Notes the points of a group.
    pub(crate) fn write(&self, group: usize, points: &[Row]) -> Result<(), Failure> {
        let note = Note { voltide: self.made_by.clone(), points: points.to_vec() };
        let text = serde_json::to_string(&note).expect("a note always has JSON");
        let path = self.path(group);
        let beside = path.with_extension(format!("{}.part", std::process::id()));
        let written = fs::write(&beside, text + "\n").and_then(|()| fs::rename(&beside, &path));
        written.map_err(|error| cannot("write", &path, &error))
    }

    fn path(&self, group: usize) -> PathBuf {
        self.folder.join(format!("{group:06}.json"))
    }
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(Code::Run, format!("cannot {what} {}: {error}", path.display()), None)
}
