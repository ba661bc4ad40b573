//! Flipped bits, zeroed pages and cuts, in every file of a run.

use crate::{
    program::{assert_same_files, files, run, succeed, text, voltide},
    resume::{chance, outputs, times},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Spoils a file in the `number`-th way.
fn spoil(content: &[u8], number: u64) -> Vec<u8> {
    let mut spoilt = content.to_vec();
    let at = chance(number, content.len() as u64) as usize;
    match number % 3 {
        0 => spoilt[at] ^= 1 << (number / 3 % 8),
        1 => spoilt.truncate(at),
        _ => {
            let page = at / 4096 * 4096;
            let end = (page + 4096).min(content.len());
            spoilt[page..end].fill(0);
        }
    }
    spoilt
}

fn write_all(run: &Path, content: &BTreeMap<String, Vec<u8>>) {
    let _ = fs::remove_dir_all(run);
    for (name, content) in content {
        let path = run.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// What became of damaged files.
#[derive(Debug, Default)]
struct Toll {
    identical: u32,
    refused: u32,
}

#[test]
fn damage_is_an_error_that_names_the_file_or_changes_nothing() {
    let out = tempfile::tempdir().unwrap();
    let run: PathBuf = run(
        "worlds/v2g-street.ron",
        out.path(),
        &[
            "--policy",
            "v2g",
            "--snapshots",
            "60",
            "--set",
            "clock.days=1",
            "--set",
            "fleets.commuters.count=20",
        ],
    );
    let (whole, reference) = (files(&run), outputs(&run));
    let rounds = times("VOLTIDE_DAMAGES", 12);
    let mut toll: BTreeMap<&str, Toll> = BTreeMap::new();
    for (name, content) in whole.iter().filter(|(_, content)| !content.is_empty()) {
        let class = match Path::new(name).extension().and_then(|extension| extension.to_str()) {
            Some("mcap") => "log",
            None if name == "log/HEAD" => "HEAD",
            Some("snap") => "snapshots",
            Some("parquet") => "tables",
            _ => "other",
        };
        for number in 0..rounds {
            let spoilt = spoil(content, number);
            if spoilt == *content {
                continue;
            }
            write_all(&run, &whole);
            fs::write(run.join(name), spoilt).unwrap();
            let resumed = voltide().arg("resume").arg(&run).output().unwrap();
            let message = text(&resumed.stderr);
            assert!(!message.contains("panicked"), "{name}, damage {number}: {message}");
            let toll = toll.entry(class).or_default();
            if resumed.status.success() {
                toll.identical += 1;
                assert_same_files(&reference, &outputs(&run));
            } else {
                toll.refused += 1;
                let file = name.rsplit('/').next().unwrap();
                assert!(message.contains(file), "{name}, damage {number}: {message}");
                assert!(["log", "HEAD"].contains(&class), "{name}, damage {number}: {message}");
            }
        }
    }
    eprintln!("damaged files, {rounds} times each: {toll:?}");
    assert!(toll["log"].refused > 0 && toll["HEAD"].refused > 0);
}

#[test]
fn log_verify_finds_every_damage_to_log_and_tables() {
    let out = tempfile::tempdir().unwrap();
    let run: PathBuf = run("worlds/one-car.ron", out.path(), &[]);
    let whole = files(&run);
    let checked =
        whole.iter().filter(|(name, _)| name.starts_with("log/") || name.ends_with(".parquet"));
    for (name, content) in checked {
        for number in 0..times("VOLTIDE_DAMAGES", 6) {
            let spoilt = spoil(content, number);
            if spoilt == *content {
                continue;
            }
            write_all(&run, &whole);
            fs::write(run.join(name), &spoilt).unwrap();
            let verified = voltide().args(["log", "verify"]).arg(&run).output().unwrap();
            let message = text(&verified.stderr);
            let file = name.rsplit('/').next().unwrap();
            let unseen = verified.status.success();
            // Indexes that only repeat what chunks say may be damaged without loss.
            assert!(
                !unseen || Path::new(name).extension().is_some_and(|it| it == "mcap"),
                "{name}, damage {number} is not seen"
            );
            assert!(unseen || message.contains(file), "{name}, damage {number}: {message}");
        }
    }
}

#[test]
fn a_damaged_head_is_taken_up_again_when_asked_for() {
    let out = tempfile::tempdir().unwrap();
    let run: PathBuf = run("worlds/one-car.ron", out.path(), &[]);
    let before = files(&run);
    fs::write(run.join("log/HEAD"), "nonsense").unwrap();
    let resumed = voltide().arg("resume").arg(&run).output().unwrap();
    assert_eq!(resumed.status.code(), Some(1));
    assert!(text(&resumed.stderr).contains("voltide log recover"), "{}", text(&resumed.stderr));
    let recovered = voltide().args(["log", "recover"]).arg(&run).output().unwrap();
    assert!(recovered.status.success());
    assert_eq!(
        text(&recovered.stdout),
        "the log is whole and ends after tick 95; 96 ticks acknowledged that were not before\n"
    );
    assert_eq!(fs::read(run.join("log/HEAD")).unwrap(), before["log/HEAD"]);
    // A second one takes nothing of the first away.
    fs::write(run.join("log/HEAD"), "more nonsense").unwrap();
    succeed(voltide().args(["log", "recover"]).arg(&run));
    let kept = files(&run.join("log/quarantine")).into_values();
    let kept: BTreeSet<Vec<u8>> = kept.collect();
    assert_eq!(kept, BTreeSet::from([b"nonsense".to_vec(), b"more nonsense".to_vec()]));
}

#[test]
fn a_recovered_fork_says_how_many_ticks_of_its_own_are_acknowledged() {
    let out = tempfile::tempdir().unwrap();
    let parent: PathBuf = run("worlds/one-car.ron", out.path(), &[]);
    let fork = succeed(voltide().args(["-q", "fork", "--at", "90"]).arg(&parent));
    let fork = PathBuf::from(fork.trim());
    fs::remove_file(fork.join("log/HEAD")).unwrap();
    let said = succeed(voltide().args(["log", "recover"]).arg(&fork));
    assert_eq!(
        said,
        "the log is whole and ends after tick 95; 6 ticks acknowledged that were not before\n"
    );
}
