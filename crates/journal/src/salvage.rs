//! What is whole of a damaged log, from either side of the damage, in a new run.
//!
//! ```text
//! DIR/log/              the run from its opening to the damage: it is replayed and resumed like
//!                       any other
//! DIR/beyond/1/log/     whole ticks behind the damage: they are listed and exported, but not
//!                       replayed
//! DIR/beyond/2/log/     those behind the next one, ...
//! DIR/salvage.json      what is missing, what was mended, where the damage is
//! ```
//!
//! A tick counts as whole where its seal follows from the chain hash before it. So a single flipped
//! bit costs nothing: the checksum of its chunk says which one it is, and the seal proves it. The
//! first tick behind damage may have lost the hash before it; then its checksum must do, which is
//! said. The damaged run is only read.

pub use crate::salvaged::{BEYOND, DamagedBytes, FILE, Mended, Missing, Parent, Piece, Salvage};

use crate::{
    error::LogError,
    event::fact::Step,
    layout::FOLDER,
    plain,
    reader::{self, Segments, log_folder},
    salvager::Salvager,
};
use std::{
    fs,
    io::{self, Write},
    path::{Component, Path, PathBuf},
};

/// Writes what is whole of the log in `run_folder` to the new folder `into`, which appears once it
/// is complete.
///
/// # Errors
/// There is no log, nothing of it is whole, a record is of a kind that this version does not know,
/// or `into` cannot be written.
pub fn salvage(run_folder: &Path, into: &Path) -> Result<Salvage, LogError> {
    let folder = log_folder(run_folder)?;
    let staging = staging_of(into);
    let clear = || match fs::remove_dir_all(&staging) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    clear().map_err(LogError::io("remove", &staging))?;
    let done = salvage_to(run_folder, &folder, (&staging, into));
    let done = done.and_then(|salvage| {
        fs::rename(&staging, into).map_err(LogError::io("create", into))?;
        Ok(salvage)
    });
    if done.is_err() {
        // The error says what went wrong; this only tidies up.
        let _ = clear();
    }
    done
}

/// Where the new run lies until it is complete: beside its place.
fn staging_of(into: &Path) -> PathBuf {
    let name = into.file_name().unwrap_or_default().to_string_lossy();
    into.with_file_name(format!(".{name}.salvage"))
}

fn salvage_to(
    run_folder: &Path,
    folder: &Path,
    (staging, into): (&Path, &Path),
) -> Result<Salvage, LogError> {
    fs::create_dir_all(staging).map_err(LogError::io("create", staging))?;
    let Segments { files, later, .. } = Segments::find(folder)?;
    // Segment 0 is named even where it is not there.
    let files: Vec<PathBuf> =
        files.into_iter().chain(later).filter(|file| file.is_file()).collect();
    let mut salvager = Salvager::begin(folder, staging, &files)?;
    for file in &files {
        salvager.file(file)?;
    }
    let source = fs::canonicalize(run_folder).unwrap_or_else(|_| run_folder.to_owned());
    let mut salvage = salvager.finish(source)?;
    if salvage.log.is_some() {
        salvage.parent = parent(staging, into)?;
    }
    write(staging, &salvage)?;
    Ok(salvage)
}

/// The parent of the run in `staging`, as it will be looked for from `into`, which lies beside it.
fn parent(staging: &Path, into: &Path) -> Result<Option<Parent>, LogError> {
    for recorded in reader::open(staging)? {
        let event = recorded?.event;
        if let Some(forked) = event.forks() {
            // A path through `into`, which is not there yet, would lead nowhere; this lies beside
            // it.
            let is_there = staging.join(&forked.parent).join(FOLDER).is_dir();
            let path = without_detours(&into.join(&forked.parent));
            return Ok(Some(Parent { run: forked.parent_run.clone(), path, is_there }));
        }
        // It stands in the opening.
        if event.step() == Step::Seal {
            break;
        }
    }
    Ok(None)
}

/// A path from the root without steps up.
fn without_detours(path: &Path) -> PathBuf {
    // By its words alone: to be resolved by the system it would have to be there.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.components().fold(PathBuf::new(), |mut straight, part| {
        if part == Component::ParentDir {
            straight.pop();
        } else {
            straight.push(part);
        }
        straight
    })
}

/// What was salvaged into `run_folder`; `None` for a run that was not.
///
/// # Errors
/// The file is there and cannot be read.
pub fn read(run_folder: &Path) -> Result<Option<Salvage>, LogError> {
    let path = run_folder.join(FILE);
    let content = match plain::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        content => content.map_err(LogError::io("read", &path))?,
    };
    let salvage = serde_json::from_slice(&content).map_err(io::Error::other);
    salvage.map(Some).map_err(LogError::io("read", &path))
}

fn write(folder: &Path, salvage: &Salvage) -> Result<(), LogError> {
    let path = folder.join(FILE);
    let text = serde_json::to_string_pretty(salvage).expect("numbers and texts are JSON");
    let mut file = plain::create(&path).map_err(LogError::io("create", &path))?;
    let written = file.write_all(format!("{text}\n").as_bytes()).and_then(|()| file.sync_data());
    written.map_err(LogError::io("write", &path))
}
