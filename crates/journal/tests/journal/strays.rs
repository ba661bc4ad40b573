//! What lies in a log's folder and is no part of the log changes nothing; links are not followed.

use crate::history::{broken_off_run, finished_run, read};
use proptest::prelude::*;
use std::{fs, os::unix::fs::symlink, path::Path};
use tempfile::tempdir;
use voltide_journal::{
    disk::{Disk, OsDisk},
    recovery, salvage, snapshot,
};

/// Names that systems, editors and people leave behind.
const STRAYS: [&str; 16] = [
    "._000001.mcap",
    "000001 (copy).mcap",
    "000001.mcap~",
    "copy.mcap",
    "1.mcap",
    "0000001.mcap",
    "+00001.mcap",
    "-00001.mcap",
    "000002.MCAP",
    "000002.mcap.bak",
    ".mcap",
    ".000002.mcap.swp",
    "000002.mcap ",
    "HEAD (1)",
    "._HEAD",
    ".DS_Store",
];

#[test]
fn strays_are_no_part_of_a_log() {
    let run = tempdir().unwrap();
    let written = broken_off_run(run.path(), 20);
    let log = run.path().join("log");
    for stray in STRAYS {
        fs::copy(log.join("000001.mcap"), log.join(stray)).unwrap();
    }
    fs::create_dir(log.join("000002.mcap")).unwrap();
    fs::create_dir_all(log.join("old/000003.mcap")).unwrap();
    assert_eq!(read(run.path()).0, written);
    let recovery = recovery::recover(run.path()).unwrap();
    assert_eq!((recovery.end.last_tick, recovery.quarantined.len()), (Some(19), 0));
    let (events, error) = read(run.path());
    assert!(error.is_none() && events == written, "{error:?}");
    let said = salvage::salvage(run.path(), &run.path().with_extension("new")).unwrap();
    fs::remove_dir_all(run.path().with_extension("new")).unwrap();
    assert!(said.damaged.is_empty(), "{said:?}");
    for stray in STRAYS {
        assert!(log.join(stray).exists(), "{stray} is left alone");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_lies_beside_a_log_changes_nothing(names in proptest::collection::vec("[0-9 ._~a-zA-Z+-]{1,9}(\\.mcap)?", 1..9)) {
        let run = tempdir().unwrap();
        let written = finished_run(run.path(), 2);
        let log = run.path().join("log");
        let is_segment = |name: &str| {
            let number = name.strip_suffix(".mcap").filter(|number| number.len() == 6);
            number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        };
        for name in names.iter().filter(|name| !is_segment(name) && !log.join(name).exists()) {
            fs::write(log.join(name), "stray").unwrap();
        }
        let (events, error) = read(run.path());
        prop_assert!(error.is_none(), "{:?}", error);
        prop_assert!(events == written);
    }
}

/// Puts a file elsewhere and a link in its place.
fn link(path: &Path, elsewhere: &Path) {
    fs::rename(path, elsewhere).unwrap();
    symlink(elsewhere, path).unwrap();
}

#[test]
fn a_link_in_place_of_a_part_of_the_log_is_an_error_that_names_it() {
    for part in ["log", "log/HEAD", "log/000000.mcap", "log/000001.mcap"] {
        let (run, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
        broken_off_run(run.path(), 20);
        link(&run.path().join(part), &elsewhere.path().join("it"));
        let error = read(run.path()).1.unwrap().to_string();
        assert!(error.contains(part) && error.contains("symbolic link"), "{part}: {error}");
        let error = recovery::recover(run.path()).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("symbolic link"), "{part}: {error}");
        if part != "log/HEAD" {
            assert!(salvage::salvage(run.path(), &elsewhere.path().join("new")).is_err(), "{part}");
        }
    }
}

#[test]
fn a_link_named_like_a_later_segment_is_an_error() {
    let (run, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    finished_run(run.path(), 2);
    let victim = elsewhere.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, run.path().join("log/000002.mcap")).unwrap();
    assert!(read(run.path()).1.unwrap().to_string().contains("symbolic link"));
    assert!(recovery::recover(run.path()).is_err());
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}

#[test]
fn what_is_written_takes_the_place_of_a_link_and_not_of_what_it_leads_to() {
    let (run, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    broken_off_run(run.path(), 20);
    let victim = elsewhere.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    let head = run.path().join("log/HEAD.new");
    symlink(&victim, &head).unwrap();
    recovery::recover(run.path()).unwrap();
    assert!(read(run.path()).1.is_none());
    OsDisk.create(&run.path().join("log/new")).unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}

#[test]
fn nothing_is_written_through_a_link_to_a_folder() {
    let (run, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    broken_off_run(run.path(), 20);
    symlink(elsewhere.path(), run.path().join("log/quarantine")).unwrap();
    symlink(elsewhere.path(), run.path().join("snapshots")).unwrap();
    let segment = run.path().join("log/000001.mcap");
    let whole = fs::read(&segment).unwrap();
    fs::write(&segment, &whole[..whole.len() - 100]).unwrap();
    assert!(recovery::recover(run.path()).unwrap_err().to_string().contains("symbolic link"));
    assert_eq!(
        fs::read(&segment).unwrap().len(),
        whole.len() - 100,
        "nothing is cut that cannot be kept"
    );
    let encoded = snapshot::Encoded::of(&snapshot::Snapshot::default()).unwrap();
    let error = encoded.write(run.path()).unwrap_err().to_string();
    assert!(error.contains("symbolic link"), "{error}");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    fs::write(elsewhere.path().join("000000.snap"), "").unwrap();
    assert!(snapshot::ticks(run.path()).is_empty() && snapshot::read(run.path(), 0).is_none());
}
