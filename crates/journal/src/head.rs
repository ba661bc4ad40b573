//! `log/HEAD`: how far history is acknowledged.
//!
//! Neither a checksum nor the chain sees a cut between two records; the head does. It is one line
//! of JSON and one line with the BLAKE3 hash of the first, written beside it and renamed.

use crate::{
    disk::Disk,
    error::LogError,
    plain,
    seal::{self, ChainHash},
};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// Name of the file in the log's folder.
const NAME: &str = "HEAD";
/// Name that it is written under.
const NEW_NAME: &str = "HEAD.new";

/// The end of acknowledged history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Version of the log's format.
    pub format: u32,
    /// The segment that holds it.
    pub segment: u32,
    /// The last sealed tick.
    pub tick: Option<u32>,
    /// Number of the first event after it.
    pub next_seq: u64,
    /// The chain hash, in hex.
    pub chain_hash: String,
}

impl Head {
    /// Reads the head of the log in `folder`.
    ///
    /// # Errors
    /// [`LogError::Head`] if it cannot be read or is damaged.
    pub fn read(folder: &Path) -> Result<Self, LogError> {
        let path = folder.join(NAME);
        let damaged = |what: String| LogError::Head { path: path.clone(), what };
        let text = plain::read_text(&path).map_err(|error| damaged(error.to_string()))?;
        let (line, _) = text
            .split_once('\n')
            .filter(|(line, check)| check.strip_suffix('\n') == Some(&blake3_hex(line)))
            .ok_or_else(|| damaged("its two lines do not belong together".to_owned()))?;
        let head: Self = serde_json::from_str(line).map_err(|error| damaged(error.to_string()))?;
        if head.format != crate::segment::FORMAT {
            return Err(damaged(format!("this version does not know format {}", head.format)));
        }
        Ok(head)
    }

    /// Puts the head in place of the one before, durably.
    pub(crate) fn write<D: Disk>(&self, disk: &mut D, folder: &Path) -> Result<(), LogError> {
        let path = folder.join(NAME);
        let new_path = folder.join(NEW_NAME);
        let line = serde_json::to_string(self).expect("numbers and texts are JSON");
        let text = format!("{line}\n{}\n", blake3_hex(&line));
        let mut file = disk.create(&new_path).map_err(LogError::io("create", &new_path))?;
        file.write_all(text.as_bytes()).map_err(LogError::io("write", &new_path))?;
        // The content before the name: a power cut leaves the head before, or this one whole.
        disk.sync(&file).map_err(LogError::io("sync", &new_path))?;
        disk.rename(&new_path, &path).map_err(LogError::io("rename", &new_path))?;
        disk.sync_folder(folder).map_err(LogError::io("sync", folder))
    }

    /// The chain hash.
    pub(crate) fn chain(&self) -> Option<ChainHash> {
        seal::hash_from_hex(&self.chain_hash)
    }
}

/// Puts a head that cannot be read into `quarantine`, under a name that tells contents apart; gives
/// its place there, where there was one.
pub(crate) fn keep_damaged(folder: &Path, quarantine: &Path) -> Result<Option<PathBuf>, LogError> {
    let path = folder.join(NAME);
    if Head::read(folder).is_ok() || fs::symlink_metadata(&path).is_err() {
        return Ok(None);
    }
    // What cannot be read, such as a folder, is kept all the same, and as if it were empty.
    let hash = blake3::hash(&plain::read(&path).unwrap_or_default()).to_hex();
    let kept = quarantine.join(format!("{NAME}-{}", &hash[..8]));
    plain::create_folder(quarantine).map_err(LogError::io("create", quarantine))?;
    fs::rename(&path, &kept).map_err(LogError::io("rename", &path))?;
    Ok(Some(kept))
}

fn blake3_hex(line: &str) -> String {
    blake3::hash(line.as_bytes()).to_string()
}
