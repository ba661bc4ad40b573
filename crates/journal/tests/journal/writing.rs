//! What reaches the disk, and when.

use crate::history::{Scribe, broken_off_run, finished_run, read};
use std::{fs, path::Path};
use tempfile::tempdir;
use voltide_journal::{
    disk::{Fault, FaultyDisk},
    error::LogError,
    event::{Event, SlotElapsed},
    head::Head,
    log::{EventLog, MemoryLog},
    mcap_log::{FaultyLog, McapLog},
    reader,
};
use voltide_model::scenario::Durability;

fn file(run: &Path, name: &str) -> Vec<u8> {
    fs::read(run.join("log").join(name)).unwrap()
}

#[test]
fn a_finished_run_is_read_back_as_it_was_written() {
    let run = tempdir().unwrap();
    let written = finished_run(run.path(), 60);
    let (events, error) = read(run.path());
    assert!(error.is_none(), "{error:?}");
    assert_eq!(events, written);
}

#[test]
fn the_memory_log_has_the_same_chain() {
    let run = tempdir().unwrap();
    let written = finished_run(run.path(), 5);
    let mut log = MemoryLog::default();
    Scribe::new(&mut log).write(5).unwrap();
    assert_eq!(log.events(), written);
}

#[test]
fn equal_runs_differ_only_in_what_made_them() {
    let runs = [tempdir().unwrap(), tempdir().unwrap()];
    for (run, git) in runs.iter().zip(["abc", "a commit with a longer name"]) {
        let mut log = McapLog::create(run.path(), Durability::Every(3)).unwrap();
        let mut scribe = Scribe::new(&mut log);
        scribe.open(git).unwrap();
        scribe.ticks(0..10).unwrap();
        scribe.end(10).unwrap();
    }
    let [one, other] = runs.each_ref().map(tempfile::TempDir::path);
    assert_eq!(file(one, "000001.mcap"), file(other, "000001.mcap"));
    assert_eq!(file(one, "HEAD"), file(other, "HEAD"));
    assert_ne!(file(one, "000000.mcap"), file(other, "000000.mcap"));
}

#[test]
fn a_log_appears_when_its_opening_is_durable() {
    let run = tempdir().unwrap();
    let mut log = McapLog::create(run.path(), Durability::Tick).unwrap();
    assert!(matches!(reader::open(run.path()), Err(LogError::Missing(_))));
    let mut scribe = Scribe::new(&mut log);
    scribe.open("abc").unwrap();
    let opening = scribe.events.len() as u64;
    let head = Head::read(&run.path().join("log")).unwrap();
    assert_eq!((head.tick, head.next_seq), (None, opening));
    assert_eq!(read(run.path()).0, scribe.events);
    assert!(matches!(McapLog::create(run.path(), Durability::Tick), Err(LogError::Exists(_))));
}

#[test]
fn head_moves_as_often_as_the_durability_says() {
    let head_after = |durability, ticks| {
        let run = tempdir().unwrap();
        let mut log = McapLog::create(run.path(), durability).unwrap();
        let mut scribe = Scribe::new(&mut log);
        scribe.open("abc").unwrap();
        scribe.ticks(0..ticks).unwrap();
        Head::read(&run.path().join("log")).unwrap().tick
    };
    assert_eq!(head_after(Durability::Tick, 5), Some(4));
    assert_eq!(head_after(Durability::Every(4), 11), Some(7));
    assert_eq!(head_after(Durability::Close, 11), None);
}

#[test]
fn a_tick_that_was_not_sealed_is_never_written() {
    let run = tempdir().unwrap();
    let mut log = McapLog::create(run.path(), Durability::Tick).unwrap();
    let mut scribe = Scribe::new(&mut log);
    scribe.open("abc").unwrap();
    scribe.ticks(0..3).unwrap();
    let sealed = scribe.events.clone();
    scribe.append(3, Event::SlotElapsed(SlotElapsed {})).unwrap();
    log.close().unwrap();
    log.close().unwrap();
    let (events, error) = read(run.path());
    assert!(error.is_none(), "{error:?}");
    assert_eq!(events, sealed);
    assert_eq!(reader::verify(run.path()).unwrap().outcome, None);
}

#[test]
fn a_summary_counts_what_there_is() {
    let run = tempdir().unwrap();
    let written = finished_run(run.path(), 60);
    let summary = reader::verify(run.path()).unwrap();
    assert_eq!((summary.segments, summary.ticks, summary.last_tick), (2, 60, Some(59)));
    assert_eq!(summary.events(), written.len() as u64);
    assert_eq!(summary.kinds["SetPointClipped.v1"].rows, 60 * 40);
    assert_eq!(summary.outcome.as_deref(), Some("finished"));
    let bytes: usize =
        ["000000.mcap", "000001.mcap"].iter().map(|name| file(run.path(), name).len()).sum();
    assert_eq!(summary.bytes, bytes as u64);
}

#[test]
fn a_config_hash_that_is_none_is_refused() {
    let run = tempdir().unwrap();
    let mut log = McapLog::create(run.path(), Durability::Close).unwrap();
    let Event::RunStarted(mut started) = crate::history::run_started("abc") else { unreachable!() };
    started.config_hash = "beef".into();
    let error = Scribe::new(&mut log).append(0, Event::RunStarted(started)).unwrap_err();
    insta::assert_snapshot!(error, @"cannot write RunStarted.v2: `beef` is no BLAKE3 hash in hex");
}

/// Writes until a fault; checks that nothing is taken after an error.
fn write_with_fault(
    run: &Path,
    fault: Fault,
    at: u64,
) -> (Vec<voltide_journal::event::Recorded>, bool, u64) {
    let disk = FaultyDisk::new(fault, at);
    let Ok(mut log) = FaultyLog::create_on(disk.clone(), run, Durability::Every(2)) else {
        return (Vec::new(), true, disk.operations());
    };
    let mut scribe = Scribe::new(&mut log);
    let failed = scribe.write(6).is_err();
    let events = scribe.events;
    if failed {
        let operations = disk.operations();
        assert!(matches!(log.close(), Err(LogError::Poisoned)));
        drop(log);
        assert_eq!(disk.operations(), operations, "a poisoned log touches the disk no more");
    }
    (events, failed, disk.operations())
}

#[test]
fn a_log_that_failed_is_a_prefix_and_keeps_what_it_acknowledged() {
    let whole = {
        let run = tempdir().unwrap();
        write_with_fault(run.path(), Fault::Fail, u64::MAX)
    };
    for fault in [Fault::Fail, Fault::Tear, Fault::Shorten] {
        for at in 0..whole.2 {
            let run = tempdir().unwrap();
            let (_, failed, _) = write_with_fault(run.path(), fault, at);
            let (events, error) = read(run.path());
            assert_eq!(events, whole.0[..events.len()], "{fault:?} at {at}");
            let lost = matches!(error, Some(LogError::Damaged(_) | LogError::Head { .. }));
            assert!(!lost, "{fault:?} at {at}: {error:?}");
            assert_eq!(failed, fault != Fault::Shorten, "{fault:?} at {at}");
        }
    }
}

#[test]
fn a_disk_that_lies_never_makes_wrong_history() {
    let whole = {
        let run = tempdir().unwrap();
        write_with_fault(run.path(), Fault::Fail, u64::MAX)
    };
    for at in 0..whole.2 {
        let run = tempdir().unwrap();
        write_with_fault(run.path(), Fault::Drop, at);
        let (events, error) = read(run.path());
        assert_eq!(events, whole.0[..events.len()], "at {at}");
        assert!(error.is_some() || events == whole.0, "at {at}");
    }
}

#[test]
fn a_full_disk_says_what_it_could_not_do() {
    let run = tempdir().unwrap();
    let mut log =
        FaultyLog::create_on(FaultyDisk::new(Fault::Tear, 18), run.path(), Durability::Tick)
            .unwrap();
    let error = Scribe::new(&mut log).write(6).unwrap_err().to_string();
    let error = error.replace(&run.path().display().to_string(), "run");
    insta::assert_snapshot!(error, @"cannot create `run/log/HEAD.new`: no space left on the device");
}

#[test]
fn a_run_that_broke_off_ends_in_a_torn_log() {
    let run = tempdir().unwrap();
    let written = broken_off_run(run.path(), 20);
    let (events, error) = read(run.path());
    assert_eq!(events, written);
    let error = error.unwrap().to_string().replace(&run.path().display().to_string(), "run");
    insta::assert_snapshot!(error, @"`run/log/000001.mcap` is damaged after tick 19: it ends before its footer; all acknowledged ticks are whole");
}
