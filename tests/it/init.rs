//! `voltide init`: a folder to begin in runs at once.

use crate::program::{alone, fail, succeed, voltide};
use std::{fs, path::Path};

/// The commands of a README, without those of cargo and those that need its policy built.
fn commands(folder: &Path) -> Vec<Vec<String>> {
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let lines = readme.lines().filter_map(|line| line.strip_prefix("$ voltide "));
    let own = lines.filter(|line| !line.contains("--plugin-dir"));
    own.map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

#[test]
fn what_the_readme_shows_runs_with_nothing_but_the_program() {
    for from in ["street", "depot"] {
        let folder = tempfile::tempdir().unwrap();
        let world = folder.path().join("begun");
        succeed(voltide().args(["init", "--from", from]).arg(&world));
        let commands = commands(&world);
        assert_eq!(commands.len(), 5, "{commands:?}");
        for command in commands {
            succeed(alone(folder.path()).current_dir(&world).args(command));
        }
        assert!(world.join("report.html").is_file());
        assert!(world.join("policy/src/lib.rs").is_file());
    }
}

#[test]
fn every_world_to_begin_from_is_whole() {
    for from in ["germany", "paper"] {
        let folder = tempfile::tempdir().unwrap();
        let world = folder.path().join("begun");
        succeed(voltide().args(["init", "--from", from]).arg(&world));
        succeed(voltide().current_dir(&world).args(["check", "world.ron", "--deny", "warnings"]));
    }
}

#[test]
fn nothing_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let (code, says) = fail(voltide().arg("init").arg(folder.path()));
    assert!(code == 3 && says.contains("exists already"), "{code} {says}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
