//! A run whose acknowledged history is damaged loses no more than the damage took, and makes up
//! even that.

use crate::{
    program::{assert_same_files, fail, files, run, succeed, text, voltide},
    resume::{chain, chance, outputs, run_in, start, times},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A day of a few cars under a policy that keeps a state of its own and one that does not.
pub(super) const STREET: [&str; 6] =
    ["--policy", "v2g", "--set", "clock.days=1", "--set", "fleets.commuters.count=12"];

pub(super) fn street(out: &Path) -> PathBuf {
    run("worlds/v2g-street.ron", out, &STREET)
}

/// Puts what a closure makes of it in place of a file.
pub(super) fn change(file: &Path, by: impl FnOnce(&mut Vec<u8>)) {
    let mut content = fs::read(file).unwrap();
    by(&mut content);
    fs::write(file, content).unwrap();
}

fn salvage(run: &Path, into: &Path) -> serde_json::Value {
    let printed =
        succeed(voltide().args(["--json", "log", "recover", "--salvage"]).arg(into).arg(run));
    serde_json::from_str(&printed).unwrap()
}

/// The files that a salvaged run has besides those of any run.
fn without_salvage(run: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut found = outputs(run);
    found.retain(|name, _| name != "salvage.json" && !name.starts_with("beyond/"));
    found
}

#[test]
fn what_is_whole_of_a_damaged_run_is_replayed_and_what_is_not_is_made_up() {
    let out = tempfile::tempdir().unwrap();
    let damaged = street(&out.path().join("whole"));
    let (reference, hash) = (outputs(&damaged), chain(&damaged));
    change(&damaged.join("log/000001.mcap"), |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle..middle + 4000].fill(0);
    });
    let before = files(&damaged);
    let (code, message) = fail(voltide().arg("resume").arg(&damaged));
    assert!(code == 1 && message.contains("--salvage"), "{message}");
    let new = out.path().join("new");
    let said = salvage(&damaged, &new);
    assert_same_files(&before, &files(&damaged));
    let file: serde_json::Value =
        serde_json::from_slice(&fs::read(new.join("salvage.json")).unwrap()).unwrap();
    assert_eq!(said["missing"], file["missing"]);
    let (after, next) = (&said["missing"][0]["after_tick"], &said["missing"][0]["before_tick"]);
    let (last, next) = (after.as_u64().unwrap(), next.as_u64().unwrap());
    assert!(last + 1 < next && next < 96, "{said}");
    // The run up to the damage is one like any other.
    let (last, beyond) = (last.to_string(), new.join("beyond/1"));
    succeed(voltide().args(["state", "--at", &last]).arg(&new));
    assert!(succeed(voltide().args(["log", "verify"]).arg(&new)).contains("1 piece beyond damage"));
    assert!(succeed(voltide().args(["--json", "replay"]).arg(&new)).contains("interrupted"));
    // What is beyond it is listed, shown and exported.
    assert!(succeed(voltide().args(["log", "ls"]).arg(&beyond)).contains("finished"));
    let shown = succeed(voltide().args(["log", "cat", "--kind", "TickSealed"]).arg(&beyond));
    assert_eq!(shown.lines().count() as u64, 96 - next);
    succeed(voltide().args(["log", "stats"]).arg(&beyond));
    succeed(voltide().args(["log", "export", "--out"]).arg(out.path().join("events")).arg(&beyond));
    let (_, message) = fail(voltide().arg("replay").arg(&beyond));
    assert!(message.contains("salvaged from beyond damage"), "{message}");
    // And what is missing is made up again, to the byte.
    succeed(voltide().arg("resume").arg(&new));
    assert!(
        succeed(voltide().args(["log", "verify"]).arg(&new))
            .contains("equal to 1 of 1 piece beyond")
    );
    assert_eq!(chain(&new), hash);
    assert_same_files(&reference, &without_salvage(&new));
}

#[test]
fn a_run_with_a_flipped_bit_is_salvaged_whole() {
    let out = tempfile::tempdir().unwrap();
    let damaged = street(&out.path().join("whole"));
    let hash = chain(&damaged);
    let log = damaged.join("log/000001.mcap");
    let whole = fs::read(&log).unwrap();
    for number in 0..times("VOLTIDE_DAMAGES", 6) {
        let at = chance(number, whole.len() as u64) as usize;
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (number % 8);
        fs::write(&log, flipped).unwrap();
        let new = out.path().join(format!("new-{number}"));
        let said = salvage(&damaged, &new);
        assert!(said["missing"].as_array().unwrap().is_empty(), "byte {at}: {said}");
        assert_eq!(chain(&new), hash, "byte {at}");
        fs::remove_dir_all(new).unwrap();
    }
}

#[test]
fn without_what_made_it_a_run_lacks_nothing_else() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    let reference = outputs(&run);
    let build = run.join("log/000000.mcap");
    fs::remove_file(&build).unwrap();
    for verb in [
        &["log", "ls"][..],
        &["log", "cat"],
        &["log", "stats"],
        &["state", "--at", "40"],
        &["replay"],
    ] {
        let output = voltide().args(verb).arg(&run).output().unwrap();
        assert!(output.status.success(), "{verb:?}: {}", text(&output.stderr));
        let said = text(&output.stderr).matches("it is not known what made the run").count();
        assert_eq!(said, 1, "{verb:?}: {}", text(&output.stderr));
    }
    succeed(voltide().args(["fork", "--at", "40", "--out"]).arg(out.path().join("fork")).arg(&run));
    let (code, message) = fail(voltide().args(["log", "verify"]).arg(&run));
    assert!(
        code == 6 && message.contains("000000.mcap") && message.contains("log recover"),
        "{message}"
    );
    succeed(voltide().args(["log", "recover"]).arg(&run));
    succeed(voltide().args(["log", "verify"]).arg(&run));
    // Only the tables that tell the build have changed, and the manifest with their hashes.
    let mut rebuilt = outputs(&run);
    for (name, content) in &reference {
        if ["runs.parquet", "events.parquet", "manifest.json"].contains(&name.as_str()) {
            rebuilt.insert(name.clone(), content.clone());
        }
    }
    assert_same_files(&reference, &rebuilt);
}

#[test]
fn a_run_that_was_killed_goes_on_without_what_made_it() {
    let out = tempfile::tempdir().unwrap();
    let whole = street(&out.path().join("whole"));
    let cut = out.path().join("cut").join(whole.file_name().unwrap());
    rolled_back(&whole, &cut);
    fs::write(cut.join("log/000000.mcap"), "nonsense").unwrap();
    let resumed = voltide().arg("resume").arg(&cut).output().unwrap();
    let message = text(&resumed.stderr);
    assert!(
        resumed.status.success() && message.contains("it is not known what made the run"),
        "{message}"
    );
    assert_eq!(chain(&cut), chain(&whole));
}

/// A copy of a run's log as it was about half way.
pub(super) fn rolled_back(run: &Path, to: &Path) {
    fs::create_dir_all(to.join("log")).unwrap();
    for name in ["000000.mcap", "000001.mcap"] {
        fs::copy(run.join("log").join(name), to.join("log").join(name)).unwrap();
    }
    change(&to.join("log/000001.mcap"), |bytes| bytes.truncate(bytes.len() * 6 / 10));
    succeed(voltide().args(["-q", "log", "recover"]).arg(to));
    fs::remove_dir_all(to.join("log/quarantine")).unwrap();
}

#[test]
fn a_fork_is_salvaged_beside_its_parent() {
    let out = tempfile::tempdir().unwrap();
    let parent = street(out.path());
    succeed(voltide().args(["fork", "--at", "30", "--policy", "smart"]).arg(&parent));
    let runs = fs::read_dir(parent.parent().unwrap()).unwrap().flatten().map(|entry| entry.path());
    let fork = runs.into_iter().find(|run| *run != parent).unwrap();
    let hash = chain(&fork);
    change(&fork.join("log/000001.mcap"), |bytes| {
        let at = bytes.len() * 3 / 4;
        bytes[at..at + 3000].fill(0);
    });
    let new = parent.parent().unwrap().join("run_id=salvaged");
    let said = salvage(&fork, &new);
    assert_eq!(said["missing"].as_array().unwrap().len(), 1);
    assert_eq!(said["parent"]["is_there"], true);
    succeed(voltide().arg("resume").arg(&new));
    assert_eq!(chain(&new), hash);
    let far = out.path().join("elsewhere");
    let salvaged =
        voltide().args(["log", "recover", "--salvage"]).arg(&far).arg(&fork).output().unwrap();
    let message = text(&salvaged.stderr);
    let about: voltide_journal::salvage::Salvage =
        serde_json::from_slice(&fs::read(far.join("salvage.json")).unwrap()).unwrap();
    let sought = about.parent.unwrap();
    assert!(salvaged.status.success() && !sought.is_there, "{message}");
    assert!(message.contains(&sought.path.display().to_string()), "{message}");
    fail(voltide().arg("resume").arg(&far));
    crate::program::copy(&parent, &sought.path);
    succeed(voltide().arg("resume").arg(&far));
    assert_eq!(chain(&far), hash);
}

#[test]
fn a_salvage_goes_to_a_folder_of_its_own() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    let full = out.path().join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("mine"), "mine").unwrap();
    for into in [&run, &run.join("new"), &run.join("log/new/new"), &full, &full.join("mine")] {
        let (code, message) =
            fail(voltide().args(["log", "recover", "--salvage"]).arg(into).arg(&run));
        assert_eq!(code, 3, "{message}");
        assert!(
            message.contains("is there already") || message.contains("is inside the run"),
            "{message}"
        );
    }
    assert!(!run.join("new").exists() && !run.join("log/new").exists());
    fs::remove_file(full.join("mine")).unwrap();
    salvage(&run, &full);
    assert!(
        fs::read_dir(out.path())
            .unwrap()
            .flatten()
            .all(|entry| !entry.file_name().to_string_lossy().ends_with(".salvage"))
    );
}

/// Makes a log whole with no more memory than a part of it has.
const IN_LITTLE_MEMORY: &str = "ulimit -v 200000; exec \"$0\" log recover \"$1\"";

#[test]
fn a_long_torn_segment_is_cut_in_little_memory() {
    let out = tempfile::tempdir().unwrap();
    let whole = street(&out.path().join("whole"));
    let cut = out.path().join("cut").join(whole.file_name().unwrap());
    rolled_back(&whole, &cut);
    let log = cut.join("log/000001.mcap");
    let length = fs::metadata(&log).unwrap().len();
    fs::File::options().write(true).open(&log).unwrap().set_len(length + (300 << 20)).unwrap();
    let mut shell = Command::new("sh");
    let output = shell
        .args(["-c", IN_LITTLE_MEMORY])
        .arg(voltide().get_program())
        .arg(&cut)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(fs::metadata(&log).unwrap().len() < length + 100);
    succeed(voltide().arg("resume").arg(&cut));
    assert_eq!(chain(&cut), chain(&whole));
}

#[test]
fn a_run_that_goes_on_is_listed_meanwhile() {
    let out = tempfile::tempdir().unwrap();
    let mut child = start(&["run", "worlds/germany/week.ron", "--out"], out.path());
    let running = loop {
        std::thread::sleep(std::time::Duration::from_millis(5));
        if let Some(running) = run_in(out.path()) {
            break running;
        }
    };
    for _ in 0..5 {
        succeed(voltide().args(["log", "ls"]).arg(&running));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
