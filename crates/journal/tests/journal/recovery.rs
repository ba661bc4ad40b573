//! A log that was cut off becomes whole again, and goes on as if nothing had happened.

use crate::history::{Scribe, broken_off_run, finished_run, read, tick_events};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};
use tempfile::{TempDir, tempdir};
use voltide_journal::{
    disk::{Fault, FaultyDisk, OsDisk},
    error::LogError,
    event::Recorded,
    head::Head,
    log::EventLog,
    mcap_log::McapLog,
    reader,
    recovery::{self, LogEnd, Recovery},
};
use voltide_model::scenario::Durability;

const TICKS: u32 = 12;

/// Ends a run of [`TICKS`] ticks that goes on from `end`.
fn go_on(run: &Path, end: &LogEnd) -> Vec<Recorded> {
    let (events, error) = read(run);
    assert!(error.is_none(), "{error:?}");
    let mut log = McapLog::resume(run, Durability::Every(16), end).unwrap();
    let mut scribe = Scribe::after(&mut log, events);
    scribe.ticks(end.last_tick.map_or(0, |tick| tick + 1)..TICKS).unwrap();
    scribe.end(TICKS).unwrap();
    scribe.events
}

/// Recovers a log and ends its run; the history must be that of a run that nothing happened to.
fn recover_and_go_on(run: &Path, whole: &[Recorded]) -> Recovery {
    let recovery = recovery::recover(run).unwrap();
    if recovery.end.outcome.is_none() {
        assert_eq!(go_on(run, &recovery.end), whole);
    }
    let (events, error) = read(run);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(events, whole);
    recovery
}

fn whole_history() -> Vec<Recorded> {
    finished_run(tempdir().unwrap().path(), TICKS)
}

fn segment(run: &Path, number: u32) -> PathBuf {
    run.join(format!("log/{number:06}.mcap"))
}

#[test]
fn a_run_that_was_killed_goes_on() {
    let run = tempdir().unwrap();
    broken_off_run(run.path(), 11);
    let recovery = recover_and_go_on(run.path(), &whole_history());
    assert_eq!((recovery.end.last_tick, recovery.newly_acknowledged), (Some(10), 11));
    assert!(recovery.quarantined.is_empty(), "no byte was cut");
    let summary = reader::verify(run.path()).unwrap();
    assert_eq!((summary.segments, summary.ticks), (3, TICKS));
    let aside = tempdir().unwrap();
    finished_run(aside.path(), TICKS);
    assert_eq!(summary.chain_hash, reader::verify(aside.path()).unwrap().chain_hash);
}

#[test]
fn a_log_that_is_whole_is_left_alone() {
    let run = tempdir().unwrap();
    finished_run(run.path(), TICKS);
    let before = fs::read(segment(run.path(), 1)).unwrap();
    let recovery = recovery::recover(run.path()).unwrap();
    assert_eq!((recovery.torn, recovery.newly_acknowledged), (None, 0));
    assert_eq!(recovery.end.outcome.as_deref(), Some("finished"));
    assert_eq!(fs::read(segment(run.path(), 1)).unwrap(), before);
}

#[test]
fn a_recovered_segment_has_the_data_of_a_run_that_stopped_there() {
    let (killed, stopped) = (tempdir().unwrap(), tempdir().unwrap());
    broken_off_run(killed.path(), 7);
    let data = fs::read(segment(killed.path(), 1)).unwrap();
    recovery::recover(killed.path()).unwrap();
    let mut log = McapLog::create(stopped.path(), Durability::Close).unwrap();
    let mut scribe = Scribe::new(&mut log);
    scribe.open("abc").unwrap();
    scribe.ticks(0..7).unwrap();
    log.close().unwrap();
    let (recovered, whole) = (
        fs::read(segment(killed.path(), 1)).unwrap(),
        fs::read(segment(stopped.path(), 1)).unwrap(),
    );
    // Data and their checksum; what follows them only says where in them something is.
    let end = data.len() + 13;
    assert_eq!(recovered[..data.len()], data);
    assert!(recovered[..end] == whole[..end]);
    assert!(recovered.len() < end + 40);
}

#[test]
fn a_torn_segment_is_cut_where_it_is() {
    let run = resumed_and_killed();
    let content = fs::read(segment(run.path(), 2)).unwrap();
    let end = within_the_last_tick();
    fs::write(segment(run.path(), 2), &content[..end]).unwrap();
    let before = fs::metadata(segment(run.path(), 2)).unwrap().ino();
    recovery::recover(run.path()).unwrap();
    assert_eq!(fs::metadata(segment(run.path(), 2)).unwrap().ino(), before, "it is the same file");
    let names: Vec<_> =
        fs::read_dir(run.path().join("log")).unwrap().flatten().map(|it| it.file_name()).collect();
    assert_eq!(names.len(), 5, "{names:?}");
}

#[test]
fn a_run_may_be_cut_off_and_go_on_again_and_again() {
    let (run, whole) = (tempdir().unwrap(), whole_history());
    broken_off_run(run.path(), 1);
    for tick in 1..TICKS {
        let end = recovery::recover(run.path()).unwrap().end;
        assert_eq!(end.last_tick, Some(tick - 1));
        let events = read(run.path()).0;
        let mut log = McapLog::resume(run.path(), Durability::Tick, &end).unwrap();
        Scribe::after(&mut log, events).ticks(tick..tick + 1).unwrap();
    }
    recover_and_go_on(run.path(), &whole);
    assert_eq!(reader::verify(run.path()).unwrap().segments, TICKS + 2);
}

/// A log with two segments of history, the second one cut off after tick `last`.
fn killed_after(last: u32) -> TempDir {
    let run = tempdir().unwrap();
    broken_off_run(run.path(), 5);
    let end = recovery::recover(run.path()).unwrap().end;
    let events = read(run.path()).0;
    let mut log = McapLog::resume(run.path(), Durability::Close, &end).unwrap();
    Scribe::after(&mut log, events).ticks(5..last + 1).unwrap();
    run
}

fn resumed_and_killed() -> TempDir {
    killed_after(8)
}

/// A byte within the chunk of tick 8.
fn within_the_last_tick() -> usize {
    fs::read(segment(killed_after(7).path(), 2)).unwrap().len() + 100
}

#[test]
fn wherever_the_last_segment_is_cut_the_run_goes_on() {
    let whole = whole_history();
    let content = fs::read(segment(resumed_and_killed().path(), 2)).unwrap();
    let every = if std::env::var_os("VOLTIDE_FAULTS").is_some() { 1 } else { 499 };
    for length in (0..content.len()).step_by(every) {
        let run = resumed_and_killed();
        fs::write(segment(run.path(), 2), &content[..length]).unwrap();
        let recovery = recover_and_go_on(run.path(), &whole);
        assert!((Some(4)..=Some(8)).contains(&recovery.end.last_tick), "{recovery:?}");
    }
}

#[test]
fn what_is_cut_is_kept() {
    let (run, whole) = (resumed_and_killed(), whole_history());
    let mut content = fs::read(segment(run.path(), 2)).unwrap();
    content[within_the_last_tick()] ^= 1;
    fs::write(segment(run.path(), 2), &content).unwrap();
    let recovery = recover_and_go_on(run.path(), &whole);
    assert_eq!(recovery.end.last_tick, Some(7));
    let [kept] = recovery.quarantined.as_slice() else { panic!("{recovery:?}") };
    let last = fs::read(segment(killed_after(7).path(), 2)).unwrap().len();
    assert!(fs::read(kept).unwrap() == content[last..], "what is cut, and nothing else");
}

#[test]
fn acknowledged_history_is_never_cut() {
    let run = tempdir().unwrap();
    broken_off_run(run.path(), 18);
    let mut content = fs::read(segment(run.path(), 1)).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(segment(run.path(), 1), &content).unwrap();
    assert!(matches!(recovery::recover(run.path()), Err(LogError::Damaged(_))));
    assert_eq!(fs::read(segment(run.path(), 1)).unwrap(), content);
}

#[test]
fn a_recovery_that_fails_anywhere_can_be_done_again() {
    let (whole, end) = (whole_history(), within_the_last_tick());
    for fault in [Fault::Fail, Fault::Tear, Fault::Shorten, Fault::Drop] {
        for at in 0.. {
            let run = resumed_and_killed();
            let torn = fs::read(segment(run.path(), 2)).unwrap();
            fs::write(segment(run.path(), 2), &torn[..end]).unwrap();
            let mut disk = FaultyDisk::new(fault, at);
            let first = recovery::recover_on(&mut disk, run.path());
            assert!(first.is_ok() || disk.operations() > at, "{fault:?} at {at}: {first:?}");
            if fault == Fault::Drop {
                // What the disk only claims to have done may be missing, but nothing else appears.
                let (events, _) = read(run.path());
                assert_eq!(events, whole[..events.len()], "at {at}");
            } else {
                let recovery = recover_and_go_on(run.path(), &whole);
                assert_eq!(recovery.end.last_tick, Some(7), "{fault:?} at {at}");
            }
            if disk.operations() <= at {
                break;
            }
        }
    }
}

#[test]
fn a_resumed_log_that_fails_anywhere_can_be_resumed() {
    let whole = whole_history();
    for fault in [Fault::Fail, Fault::Tear, Fault::Shorten] {
        for at in 0.. {
            let run = resumed_and_killed();
            let end = recovery::recover(run.path()).unwrap().end;
            let events = read(run.path()).0;
            let disk = FaultyDisk::new(fault, at);
            if let Ok(mut log) =
                McapLog::resume_on(disk.clone(), run.path(), Durability::Every(2), &end)
            {
                let mut scribe = Scribe::after(&mut log, events);
                let done = scribe.ticks(9..TICKS).and_then(|()| scribe.end(TICKS));
                assert_eq!(
                    done.is_err(),
                    fault != Fault::Shorten && disk.operations() > at,
                    "{fault:?} at {at}"
                );
            }
            recover_and_go_on(run.path(), &whole);
            if disk.operations() <= at {
                break;
            }
        }
    }
}

#[test]
fn head_follows_the_segments() {
    let run = resumed_and_killed();
    recovery::recover_on(&mut OsDisk, run.path()).unwrap();
    let head = Head::read(&run.path().join("log")).unwrap();
    assert_eq!((head.segment, head.tick), (2, Some(8)));
    assert_eq!(head.next_seq, 3 + 9 * (tick_events(0).len() as u64 + 1));
}
