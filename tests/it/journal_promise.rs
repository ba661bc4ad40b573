//! The journal alone rebuilds every other file of a run.

use crate::program::{
    assert_same_files, fail, files, root, run, succeed, text, voltide, with_own_disks,
};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
    process::Stdio,
    time::{Duration, SystemTime},
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

/// Names, sizes and times of change of all that lies in a folder.
fn untouched(run: &Path) -> Vec<(String, u64, SystemTime)> {
    let mut found = Vec::new();
    let mut folders = vec![run.to_owned()];
    while let Some(folder) = folders.pop() {
        let content = fs::metadata(&folder).unwrap();
        found.push((folder.display().to_string(), 0, content.modified().unwrap()));
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let content = fs::metadata(&path).unwrap();
            found.push((path.display().to_string(), content.len(), content.modified().unwrap()));
            folders.extend(path.is_dir().then_some(path));
        }
    }
    found
}

#[test]
fn verify_reads_every_file_and_changes_none() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    let before = untouched(&run);
    succeed(voltide().args(["replay", "--verify"]).arg(&run));
    assert_eq!(before, untouched(&run));
    let names: Vec<String> = files(&run).into_keys().filter(|name| !name.contains('/')).collect();
    assert!(names.len() >= 13, "{names:?}");
    for name in names {
        let path = run.join(&name);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 4;
        for damaged in [Some(flipped), None] {
            match &damaged {
                Some(content) => fs::write(&path, content).unwrap(),
                None if name == "manifest.json" => continue,
                None => fs::remove_file(&path).unwrap(),
            }
            let (code, message) = fail(voltide().args(["replay", "--verify"]).arg(&run));
            assert!(code == 6 && message.contains(&name), "{name}: {code} {message}");
            assert_eq!(fs::read(&path).ok(), damaged, "{name} is as it was found");
        }
        fs::write(&path, whole).unwrap();
    }
    fs::copy(run.join("ev_ticks-2024-06-03.parquet"), run.join("ev_ticks-2024-06-05.parquet"))
        .unwrap();
    let (code, message) = fail(voltide().args(["replay", "--verify"]).arg(&run));
    assert!(code == 6 && message.contains("ev_ticks-2024-06-05.parquet"), "{message}");
    succeed(voltide().arg("replay").arg(&run));
    succeed(voltide().args(["replay", "--verify"]).arg(&run));
}

#[test]
fn other_detail_is_verified_as_the_manifest_describes_it() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/v2g-street.ron", out.path(), &[]);
    for detail in [
        &["--ev-ticks", "0.25"][..],
        &["--ev-ticks", "full", "--from", "5", "--to", "80"],
        &["--ev-ticks", "changes", "--ev", "7"],
        &["--ev-ticks", "off"],
    ] {
        succeed(voltide().arg("telemetry").args(detail).arg(&run));
        let verified = voltide().args(["replay", "--verify"]).arg(&run).output().unwrap();
        let message = text(&verified.stderr);
        assert!(verified.status.success() && message.contains("equal to the byte"), "{message}");
    }
    let charger_ticks = run.join("charger_ticks.parquet");
    fs::write(charger_ticks, "no table").unwrap();
    assert_eq!(fail(voltide().args(["replay", "--verify"]).arg(&run)).0, 6);
}

/// Makes a run's manifest one that an earlier version wrote, which did not say so.
fn written_by_an_earlier_version(run: &Path) {
    let path = run.join("manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    let text: String =
        text.split_inclusive('\n').filter(|line| !line.contains("\"voltide\":")).collect();
    let begin = &text[..text.rfind("\"hash\"").unwrap()];
    let with = |hash: &str| format!("{begin}\"hash\": \"{hash}\"\n}}\n");
    let hash = format!("{:x}", Sha256::digest(with("")));
    fs::write(path, with(&format!("sha256:{hash}"))).unwrap();
}

#[test]
fn tables_of_an_earlier_version_are_verified_by_their_hashes() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    written_by_an_earlier_version(&run);
    let before = untouched(&run);
    let verified = voltide().args(["replay", "--verify"]).arg(&run).output().unwrap();
    let message = text(&verified.stderr);
    assert!(verified.status.success() && message.contains("written by voltide 0.1.0"), "{message}");
    assert!(!message.contains("equal to the byte"), "{message}");
    assert_eq!(before, untouched(&run));
    fs::write(run.join("costs.parquet"), "no table").unwrap();
    let (code, message) = fail(voltide().args(["replay", "--verify"]).arg(&run));
    assert!(code == 6 && message.contains("costs.parquet"), "{message}");
}

/// Verifies a run on a disk that cannot be written to.
const ON_A_READ_ONLY_DISK: &str = r#"
mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 99
touch "$1/written" 2>/dev/null && exit 98
"$0" replay --verify "$1" && "$0" log verify "$1"
"#;

#[test]
fn verify_needs_to_write_nothing() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    let Some(output) = with_own_disks(&root(), ON_A_READ_ONLY_DISK, &run) else { return };
    let message = text(&output.stderr);
    assert!(output.status.success() && message.contains("equal to the byte"), "{message}");
}

#[test]
fn detail_of_a_run_is_not_written_into_another() {
    let out = tempfile::tempdir().unwrap();
    let one = run("worlds/one-car.ron", out.path(), &[]);
    let other = run("worlds/one-car.ron", out.path(), &["--seed", "8"]);
    let before = files(&other);
    for verb in [&["telemetry", "--ev-ticks", "full"][..], &["log", "export"]] {
        let (code, message) = fail(voltide().args(verb).arg(&one).arg("--out").arg(&other));
        assert!(code == 3 && message.contains("is the folder of a run"), "{message}");
    }
    assert_same_files(&before, &files(&other));
}

#[test]
fn log_verify_finds_a_flipped_bit() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    succeed(voltide().args(["log", "verify"]).arg(&run));
    let mut log =
        fs::File::options().read(true).write(true).open(run.join("log/000001.mcap")).unwrap();
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
    let run =
        fs::read_dir(out.path().join("germany-week")).unwrap().next().unwrap().unwrap().path();
    let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    assert!(manifest.contains("interrupted"));
    succeed(voltide().args(["log", "verify"]).arg(&run));
    let before = files(&run);
    succeed(voltide().args(["replay"]).arg(&run));
    assert_same_files(&before, &files(&run));
    let (code, message) =
        fail(voltide().args(["run", "worlds/germany/week.ron", "--out"]).arg(out.path()));
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
