//! What a user is told when something is wrong: exit code and message, word for word.
//!
//! Every test works in a room, a folder that it runs the program in, so that messages show paths
//! as a user would see them.

mod checked;
mod disk;
mod policies;
mod series;
mod usage;
mod warned;
mod worlds;

use crate::program::{fail, root, run_json, text, voltide};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

/// A folder to run the program in.
struct Room {
    folder: TempDir,
}

impl Room {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A room with the shipped world of one car as `world.ron`, changed by `edits`.
    fn with_world(edits: &[(&str, &str)]) -> Self {
        let mut world = fs::read_to_string(root().join("worlds/one-car.ron")).unwrap();
        for (from, to) in edits {
            assert!(world.contains(from), "the world has no {from}");
            world = world.replacen(from, to, 1);
        }
        let room = Self::new();
        room.write("world.ron", &world);
        room
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The program, to be run here.
    fn voltide(&self, arguments: &[&str]) -> Command {
        let mut command = voltide();
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    /// The message of a command that must fail with `code`, with a place for every path that
    /// differs from machine to machine.
    fn refused(&self, code: i32, arguments: &[&str]) -> String {
        let (found, message) = fail(&mut self.voltide(arguments));
        assert_eq!(found, code, "{message}");
        self.stable(&message)
    }

    fn stable(&self, message: &str) -> String {
        let beside = PathBuf::from(voltide().get_program());
        let beside = beside.parent().unwrap().display().to_string();
        let here = self.folder.path().canonicalize().unwrap().display().to_string();
        message.replace(&beside, "[bin]").replace(&here, "[room]")
    }

    /// Folder of the only run in `out`, from here.
    fn only_run(&self, out: &str) -> PathBuf {
        let worlds: Vec<_> = entries(&self.path(out));
        let runs: Vec<_> = worlds.iter().flat_map(|world| entries(world)).collect();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs[0].strip_prefix(self.folder.path()).unwrap().to_owned()
    }

    /// What the run's manifest says of how it ended.
    fn status(&self, run: &Path) -> String {
        let manifest =
            fs::read_to_string(self.folder.path().join(run).join("manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        manifest["status"].as_str().unwrap().to_owned()
    }

    /// Fails if something in the run's folder looks like a whole result.
    fn assert_nothing_looks_whole(&self, run: &Path) {
        for file in entries(&self.folder.path().join(run)) {
            let name = file.file_name().unwrap().to_str().unwrap();
            let is_hidden = name.starts_with('.');
            assert!(is_hidden || !name.ends_with(".parquet") && name != "manifest.json", "{name}");
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
