//! What lies in a run's folder and is not the run's own: strays, links, and files of other
//! histories.

use super::salvage::{change, rolled_back, street};
use crate::{
    program::{assert_same_files, fail, files, run, succeed, text, voltide},
    resume::{chain, outputs},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};
use voltide_journal::lock;

#[test]
fn strays_in_a_log_change_nothing_for_any_verb() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    let (reference, hash) = (outputs(&run), chain(&run));
    let log = run.join("log");
    for stray in ["._000001.mcap", "000001 (copy).mcap", "000001.mcap~", "000000 (1).mcap", "HEAD~"]
    {
        fs::copy(log.join("000001.mcap"), log.join(stray)).unwrap();
    }
    fs::create_dir(log.join("000002.mcap")).unwrap();
    fs::create_dir(log.join("old")).unwrap();
    for verb in [
        &["log", "ls"][..],
        &["log", "cat"],
        &["log", "stats"],
        &["log", "verify"],
        &["log", "recover"],
    ] {
        succeed(voltide().args(verb).arg(&run));
    }
    succeed(voltide().args(["state", "--at", "12"]).arg(&run));
    succeed(voltide().args(["replay", "--verify"]).arg(&run));
    succeed(voltide().arg("replay").arg(&run));
    succeed(voltide().arg("resume").arg(&run));
    succeed(voltide().args(["fork", "--at", "12", "--out"]).arg(out.path().join("fork")).arg(&run));
    succeed(voltide().args(["log", "export", "--out"]).arg(out.path().join("events")).arg(&run));
    assert_eq!(chain(&run), hash);
    assert_same_files(&reference, &outputs(&run));
    succeed(voltide().args(["log", "recover", "--salvage"]).arg(out.path().join("new")).arg(&run));
    assert_eq!(chain(&out.path().join("new")), hash);
}

/// Puts a file or folder elsewhere and a link in its place.
fn link(path: &Path, elsewhere: &Path) {
    fs::rename(path, elsewhere).unwrap();
    symlink(elsewhere, path).unwrap();
}

#[test]
fn a_link_in_a_log_is_an_error_of_every_verb_and_is_left_alone() {
    for part in ["log", "log/HEAD", "log/000000.mcap", "log/000001.mcap"] {
        let out = tempfile::tempdir().unwrap();
        let run = run("worlds/one-car.ron", out.path(), &[]);
        let elsewhere = out.path().join("elsewhere");
        link(&run.join(part), &elsewhere);
        let before = files(&run);
        let verbs: [&[&str]; 9] = [
            &["log", "ls"],
            &["log", "cat"],
            &["log", "stats"],
            &["log", "verify"],
            &["log", "recover"],
            &["resume"],
            &["replay"],
            &["replay", "--verify"],
            &["telemetry", "--ev-ticks", "full"],
        ];
        // What sets a damaged head aside sets a link aside as well.
        let sets_aside = |verb: &[&str]| part == "log/HEAD" && verb == ["log", "recover"];
        for verb in verbs.into_iter().filter(|verb| !sets_aside(verb)) {
            let (_, message) = fail(voltide().args(verb).arg(&run));
            assert!(message.contains("symbolic link"), "{part}, {verb:?}: {message}");
        }
        assert_same_files(&before, &files(&run));
        assert!(run.join(part).is_symlink());
    }
}

#[test]
fn a_link_in_place_of_a_table_is_no_table_and_is_not_written_through() {
    let files_of_a_run =
        ["manifest.json", "world.ron", "sessions.parquet", "runs.parquet", "charger_ticks.parquet"];
    for name in files_of_a_run {
        let out = tempfile::tempdir().unwrap();
        let run = run("worlds/one-car.ron", out.path(), &[]);
        let reference = outputs(&run);
        let elsewhere = out.path().join("elsewhere");
        link(&run.join(name), &elsewhere);
        let content = fs::read(&elsewhere).unwrap();
        let (code, message) = fail(voltide().args(["log", "verify"]).arg(&run));
        assert!(code == 6 && message.contains(name), "{name}: {message}");
        succeed(voltide().arg("resume").arg(&run));
        assert_same_files(&reference, &outputs(&run));
        assert!(!run.join(name).is_symlink() && fs::read(&elsewhere).unwrap() == content, "{name}");
        link(&run.join(name), &elsewhere);
        succeed(voltide().arg("replay").arg(&run));
        assert_same_files(&reference, &outputs(&run));
        assert!(!run.join(name).is_symlink() && fs::read(&elsewhere).unwrap() == content, "{name}");
    }
}

#[test]
fn what_is_written_beside_a_log_is_not_written_through_links() {
    let out = tempfile::tempdir().unwrap();
    let whole = street(&out.path().join("whole"));
    let cut = out.path().join("cut").join(whole.file_name().unwrap());
    rolled_back(&whole, &cut);
    let (victim, folder) = (out.path().join("victim"), out.path().join("folder"));
    fs::write(&victim, "precious").unwrap();
    fs::create_dir(&folder).unwrap();
    for name in [
        ".sessions.parquet.partial",
        ".manifest.json.partial",
        "profile.json",
        "log/HEAD.new",
        ".ev_ticks-2024-06-03.parquet.closed",
    ] {
        symlink(&victim, cut.join(name)).unwrap();
    }
    symlink(&folder, cut.join("snapshots")).unwrap();
    let resumed = voltide().args(["resume", "--snapshots", "10"]).arg(&cut).output().unwrap();
    let message = text(&resumed.stderr);
    assert!(resumed.status.success() && message.contains("no snapshots are taken"), "{message}");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    fs::remove_file(cut.join("snapshots")).unwrap();
    assert_same_files(&outputs(&whole), &outputs(&cut));
}

#[test]
fn what_was_set_aside_is_not_fetched_through_a_link() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    let folder = out.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("mine"), "mine").unwrap();
    for name in [".replacing", ".replaced"] {
        symlink(&folder, run.join(name)).unwrap();
        let (_, message) = fail(voltide().arg("replay").arg(&run));
        assert!(message.contains("symbolic link"), "{message}");
        assert!(folder.join("mine").exists());
        fs::remove_file(run.join(name)).unwrap();
    }
}

#[test]
fn a_manifest_that_leads_out_of_its_folder_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    let reference = outputs(&run);
    let victim = out.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    for path in [victim.display().to_string(), "ev_ticks-/../../../victim".to_owned()] {
        let mut manifest: Value = serde_json::from_slice(&reference["manifest.json"]).unwrap();
        manifest["resources"][1]["path"] = path.into();
        fs::write(run.join("manifest.json"), manifest.to_string()).unwrap();
        let (_, message) = fail(voltide().args(["log", "verify"]).arg(&run));
        assert!(message.contains("is no file beside it"), "{message}");
        fail(voltide().args(["telemetry", "--ev-ticks", "off"]).arg(&run));
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }
    succeed(voltide().arg("resume").arg(&run));
    assert_same_files(&reference, &outputs(&run));
}

/// The chain hash after a tick.
fn chain_after(run: &Path, tick: u32) -> String {
    let tick = tick.to_string();
    let printed = succeed(
        voltide().args(["--json", "log", "cat", "--kind", "TickSealed", "--tick", &tick]).arg(run),
    );
    let sealed: Value = serde_json::from_str(&printed).unwrap();
    sealed["payload"]["chain_hash"].as_str().unwrap().to_owned()
}

/// The name of the first day's file of cars.
fn first_day(run: &Path) -> String {
    outputs(run).into_keys().find(|name| name.starts_with("ev_ticks-")).unwrap()
}

#[test]
fn a_closed_day_is_kept_only_where_it_is_whole_and_of_this_history() {
    let out = tempfile::tempdir().unwrap();
    let days = ["--set", "clock.days=2", "--set", "fleets.commuters.count=5"];
    let whole = run("worlds/v2g-street.ron", &out.path().join("whole"), &days);
    let reference = outputs(&whole);
    let name = first_day(&whole);
    let date = name.trim_start_matches("ev_ticks-").trim_end_matches(".parquet");
    let content = "as if it were a table";
    let true_note = json!({
        "date": date, "rows": 1, "bytes": content.len(), "sha256": format!("{:x}", Sha256::digest(content)),
        "first_tick": 0, "last_tick": 95, "chain_hash": chain_after(&whole, 95),
        "voltide": env!("CARGO_PKG_VERSION"),
    });
    let cut = out.path().join("cut").join(whole.file_name().unwrap());
    let kept = |note: &Value| {
        let _ = fs::remove_dir_all(&cut);
        rolled_back(&whole, &cut);
        fs::write(cut.join(format!(".{name}.partial")), content).unwrap();
        fs::write(cut.join(format!(".{name}.closed")), note.to_string()).unwrap();
        succeed(voltide().args(["-q", "resume"]).arg(&cut));
        let kept = fs::read(cut.join(&name)).unwrap() == content.as_bytes();
        if !kept {
            assert_same_files(&reference, &outputs(&cut));
        }
        kept
    };
    assert!(kept(&true_note), "what is true is believed");
    let false_notes = [
        ("chain_hash", json!("ab".repeat(32))),
        ("chain_hash", json!(chain_after(&whole, 94))),
        ("last_tick", json!(94)),
        ("last_tick", json!(4_294_967_295_u32)),
        ("first_tick", json!(1)),
        ("voltide", json!("0.0.9")),
        ("sha256", json!("00")),
        ("date", json!("../../2024")),
    ];
    for (field, value) in false_notes {
        let mut note = true_note.clone();
        note[field] = value;
        assert!(!kept(&note), "{note}");
    }
    let mut early = true_note.clone();
    (early["last_tick"], early["chain_hash"]) = (json!(60), json!(chain_after(&whole, 60)));
    assert!(!kept(&early), "a day that was cut off is not whole");
    let mut old = true_note;
    old.as_object_mut().unwrap().remove("chain_hash");
    assert!(!kept(&old), "a note of 0.1.0 proves nothing");
}

#[test]
fn tables_of_another_history_than_the_log_are_found_and_built_again() {
    let out = tempfile::tempdir().unwrap();
    let own = street(&out.path().join("own"));
    let reference = outputs(&own);
    // Tables that are newer than the log.
    let back = out.path().join("back").join(own.file_name().unwrap());
    rolled_back(&own, &back);
    for (name, content) in &reference {
        fs::write(back.join(name), content).unwrap();
    }
    let (code, message) = fail(voltide().args(["log", "verify"]).arg(&back));
    assert!(code == 6 && message.contains("not those of its log"), "{message}");
    succeed(voltide().arg("resume").arg(&back));
    succeed(voltide().args(["log", "verify"]).arg(&back));
    assert_same_files(&reference, &outputs(&back));
    // Tables of another run, all whole by their own manifest.
    let other = run("worlds/one-car.ron", &out.path().join("other"), &[]);
    for name in reference.keys() {
        fs::remove_file(own.join(name)).unwrap();
    }
    for (name, content) in &outputs(&other) {
        fs::write(own.join(name), content).unwrap();
    }
    let (code, message) = fail(voltide().args(["log", "verify"]).arg(&own));
    assert!(code == 6 && message.contains("not those of its log"), "{message}");
    succeed(voltide().arg("resume").arg(&own));
    succeed(voltide().args(["log", "verify"]).arg(&own));
    let rebuilt = outputs(&own);
    assert!(reference.iter().all(|(name, content)| rebuilt.get(name) == Some(content)));
}

#[test]
fn tables_of_another_outcome_are_built_again() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    let reference = outputs(&run);
    // As a version without the field wrote it, of a run that was then cut off.
    let mut manifest: Value = serde_json::from_slice(&reference["manifest.json"]).unwrap();
    manifest.as_object_mut().unwrap().remove("chain_hash");
    manifest["status"] = "interrupted".into();
    fs::write(run.join("manifest.json"), serde_json::to_string_pretty(&manifest).unwrap()).unwrap();
    let (code, message) = fail(voltide().args(["log", "verify"]).arg(&run));
    assert!(code == 6 && message.contains("interrupted"), "{message}");
    succeed(voltide().arg("resume").arg(&run));
    assert_same_files(&reference, &outputs(&run));
}

#[test]
fn closed_days_that_are_not_of_a_run_are_mentioned_when_it_is_verified() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    let name = first_day(&run);
    let date = name.trim_start_matches("ev_ticks-").trim_end_matches(".parquet");
    let note = json!({
        "date": date, "rows": 1, "bytes": 1, "sha256": "00", "first_tick": 0, "last_tick": 95,
        "chain_hash": "ab".repeat(32), "voltide": env!("CARGO_PKG_VERSION"),
    });
    fs::write(run.join(format!(".{name}.closed")), note.to_string()).unwrap();
    let verified = voltide().args(["log", "verify"]).arg(&run).output().unwrap();
    assert!(verified.status.success() && text(&verified.stderr).contains("is passed over"));
    change(&run.join(format!(".{name}.closed")), Vec::clear);
    succeed(voltide().args(["log", "verify"]).arg(&run));
}

#[test]
fn what_is_no_regular_file_in_a_run_is_an_error_and_holds_up_no_reader() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    for part in ["log/HEAD", "log/000000.mcap", "log/000001.mcap", "manifest.json", "runs.parquet"]
    {
        let aside = out.path().join("aside");
        fs::rename(run.join(part), &aside).unwrap();
        mkfifo(&run.join(part));
        for verb in [&["log", "verify"][..], &["replay", "--verify"]] {
            let (code, message) = fail(voltide().args(verb).arg(&run));
            let is_told = message.contains("named pipe") || (code == 6 && message.contains(part));
            assert!(is_told, "{part}, {verb:?}: {message}");
        }
        if part.starts_with("log/") {
            for verb in [&["resume"][..], &["replay"], &["state", "--at", "3"], &["log", "ls"]] {
                let (_, message) = fail(voltide().args(verb).arg(&run));
                assert!(message.contains("named pipe"), "{part}, {verb:?}: {message}");
            }
        }
        fs::remove_file(run.join(part)).unwrap();
        fs::rename(&aside, run.join(part)).unwrap();
    }
    mkfifo(&run.join(".lock"));
    let (_, message) = fail(voltide().arg("replay").arg(&run));
    assert!(message.contains("named pipe"), "{message}");
}

/// Makes a named pipe, which nobody writes to.
fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_run_has_its_id_by_whatever_path_it_is_found() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    let link = out.path().join("link");
    symlink(&run, &link).unwrap();
    let replayed = |from: &Path, path: &str| {
        let mut replay = voltide();
        succeed(replay.current_dir(from).args(["--json", "replay", path]))
    };
    let id = run.file_name().unwrap().to_str().unwrap().trim_start_matches("run_id=").to_owned();
    for said in
        [replayed(&run, "."), replayed(out.path(), "link"), replayed(&run.join("log"), "..")]
    {
        assert!(said.contains(&id), "{said}");
    }
}

#[test]
fn tables_of_a_finished_run_without_their_manifest_are_no_verified_run() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    fs::remove_file(run.join("manifest.json")).unwrap();
    for verb in [&["log", "verify"][..], &["replay", "--verify"]] {
        let (code, message) = fail(voltide().args(verb).arg(&run));
        assert!(code == 6 && message.contains("missing: manifest.json"), "{verb:?}: {message}");
    }
    for name in outputs(&run).keys().filter(|name| name.ends_with(".parquet")) {
        fs::remove_file(run.join(name)).unwrap();
    }
    succeed(voltide().args(["log", "verify"]).arg(&run));
    succeed(voltide().args(["replay", "--verify"]).arg(&run));
}

#[test]
fn damage_behind_the_last_tick_of_a_finished_run_is_found_by_both_that_verify() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    change(&run.join("log/000001.mcap"), |content| *content.last_mut().unwrap() ^= 1);
    for verb in [&["log", "verify"][..], &["replay", "--verify"]] {
        let (code, message) = fail(voltide().args(verb).arg(&run));
        assert!(code == 6 && message.contains("000001.mcap"), "{verb:?}: {message}");
    }
}

#[test]
fn readers_wait_for_a_run_that_is_being_put_in_its_place() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    let aside = run.join(".replaced");
    fs::create_dir(&aside).unwrap();
    fs::rename(run.join("log"), aside.join("log")).unwrap();
    // Nobody is at work: its process was killed.
    let readers =
        [&["log", "verify"][..], &["replay", "--verify"], &["state", "--at", "3"], &["log", "ls"]];
    for verb in readers {
        let (code, message) = fail(voltide().args(verb).arg(&run));
        assert!(code == 1 && message.contains("voltide resume"), "{verb:?}: {message}");
    }
    let held = lock::lock(&run, "run").unwrap();
    let mut waiting = voltide();
    waiting.args(["replay", "--verify"]).arg(&run);
    let waiting = waiting.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    fs::rename(aside.join("log"), run.join("log")).unwrap();
    fs::remove_dir(&aside).unwrap();
    drop(held);
    assert!(waiting.wait_with_output().unwrap().status.success());
}
