//! The journal alone rebuilds every other file of a run.

use crate::program::{assert_same_files, fail, files, run, succeed, voltide};
use std::{
    fs,
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
    process::Stdio,
    time::Duration,
};

/// Deletes everything of a run but its log.
fn keep_only_the_log(run: &Path) {
    for entry in fs::read_dir(run).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn a_replay_rebuilds_every_file_to_the_byte() {
    let runs = [
        ("worlds/one-car.ron", "uncontrolled"),
        ("worlds/acn/caltech.ron", "llf"),
        ("worlds/v2g-street.ron", "v2g"),
    ];
    for (world, policy) in runs {
        let out = tempfile::tempdir().unwrap();
        let run = run(world, out.path(), &["--policy", policy]);
        let before = files(&run);
        keep_only_the_log(&run);
        succeed(voltide().args(["replay"]).arg(&run));
        assert_same_files(&before, &files(&run));
        let verified = voltide().args(["replay", "--verify"]).arg(&run).output().unwrap();
        assert!(verified.status.success());
        assert!(String::from_utf8_lossy(&verified.stderr).contains("equal to the byte"));
    }
}

#[test]
fn verify_names_a_file_that_was_changed() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    let manifest = run.join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let at = text.find("\"hash\"").unwrap() + "\"hash\": \"sha256:".len();
    let other = if text.as_bytes()[at] == b'0' { "1" } else { "0" };
    fs::write(&manifest, format!("{}{other}{}", &text[..at], &text[at + 1..])).unwrap();
    let (code, message) = fail(voltide().args(["replay", "--verify"]).arg(&run));
    assert_eq!(code, 6);
    assert!(message.contains("differ"), "{message}");
}

#[test]
fn log_verify_finds_a_flipped_bit() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    succeed(voltide().args(["log", "verify"]).arg(&run));
    let mut log = fs::File::options().read(true).write(true).open(run.join("log/000001.mcap")).unwrap();
    let middle = log.metadata().unwrap().len() / 2;
    let mut byte = [0];
    log.seek(SeekFrom::Start(middle)).unwrap();
    log.read_exact(&mut byte).unwrap();
    log.seek(SeekFrom::Start(middle)).unwrap();
    log.write_all(&[byte[0] ^ 8]).unwrap();
    let (code, message) = fail(voltide().args(["log", "verify"]).arg(&run));
    assert_eq!(code, 6);
    assert!(message.contains("000001.mcap"), "{message}");
}

#[test]
fn an_interrupted_run_is_sealed_and_says_so() {
    let out = tempfile::tempdir().unwrap();
    let mut child = voltide()
        .args(["run", "worlds/germany/week.ron", "--out"])
        .arg(out.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_ticks(out.path());
    succeed(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]));
    let status = child.wait().unwrap();
    let mut message = String::new();
    child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    assert_eq!(status.code(), Some(130), "{message}");
    assert!(message.contains("interrupted after"), "{message}");
    let run = fs::read_dir(out.path().join("germany-week")).unwrap().next().unwrap().unwrap().path();
    let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    assert!(manifest.contains("interrupted"));
    succeed(voltide().args(["log", "verify"]).arg(&run));
    let before = files(&run);
    succeed(voltide().args(["replay"]).arg(&run));
    assert_same_files(&before, &files(&run));
    let (code, message) = fail(voltide().args(["run", "worlds/germany/week.ron", "--out"]).arg(out.path()));
    assert_eq!(code, 3);
    assert!(message.contains("unfinished"), "{message}");
}

/// Waits until the run in `out` has some ticks in its log.
fn wait_for_ticks(out: &Path) {
    for _ in 0..600 {
        std::thread::sleep(Duration::from_millis(50));
        let log = fs::read_dir(out.join("germany-week"))
            .ok()
            .and_then(|mut runs| runs.next())
            .and_then(|run| fs::metadata(run.ok()?.path().join("log/000001.mcap")).ok());
        if log.is_some_and(|log| log.len() > 400_000) {
            return;
        }
    }
    panic!("the run never began");
}
