//! A damaged log gives an error and the history before it: never other data, never a panic.

use crate::history::{broken_off_run, finished_run, read};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::{TempDir, tempdir};
use voltide_journal::{error::LogError, event::Recorded, head::Head, reader};

/// A log to damage again and again.
struct Patient {
    run: TempDir,
    written: Vec<Recorded>,
    head: Head,
}

impl Patient {
    fn new(write: impl FnOnce(&Path) -> Vec<Recorded>) -> Self {
        let run = tempdir().unwrap();
        let written = write(run.path());
        let head = Head::read(&run.path().join("log")).unwrap();
        Self { run, written, head }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.run.path().join("log").join(name)
    }

    /// Reads the log with `name` replaced by `bytes`, checks that what is read is a prefix and
    /// that the error tells damage from a torn end; gives the error.
    fn with(&self, name: &str, bytes: &[u8]) -> Option<LogError> {
        fs::write(self.file(name), bytes).unwrap();
        let (events, error) = read(self.run.path());
        assert_eq!(events, self.written[..events.len()]);
        let acknowledged = (events.len() as u64) < self.head.next_seq;
        match &error {
            None => assert_eq!(events.len(), self.written.len(), "history was lost without a word"),
            Some(LogError::Damaged(damage)) if name == BUILD => {
                assert_eq!(events.len(), self.written.len(), "all but the build is read");
                assert_eq!(damage.file, self.file(name));
            }
            Some(LogError::Damaged(damage)) => {
                assert!(acknowledged, "{damage}");
                assert_eq!(damage.file, self.file(name));
            }
            Some(LogError::Torn(damage)) => {
                assert!(!acknowledged, "{damage}");
                let last = events.iter().rev().find(|event| event.event.kind() == "TickSealed.v1");
                assert_eq!(damage.after_tick, last.map(|event| event.tick));
            }
            Some(_) => {}
        }
        error
    }

    /// Damages a file in many places and puts it right again; gives the number of silent ones.
    /// With `VOLTIDE_DAMAGES` in as many places as it says, that is, at most at every byte.
    fn damage(&self, name: &str, few: usize, damage: impl Fn(&[u8], usize) -> Vec<u8>) -> usize {
        let whole = fs::read(self.file(name)).unwrap();
        let count = std::env::var("VOLTIDE_DAMAGES").ok().and_then(|count| count.parse().ok());
        let step = (whole.len() / count.unwrap_or(few).max(few)).max(1);
        let silent = (0..whole.len())
            .step_by(step)
            .filter(|at| self.with(name, &damage(&whole, *at)).is_none());
        let silent = silent.count();
        fs::write(self.file(name), whole).unwrap();
        silent
    }
}

fn cut(whole: &[u8], at: usize) -> Vec<u8> {
    whole[..at].to_vec()
}

fn flip(whole: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    bytes[at] ^= 1 << (at % 8);
    bytes
}

/// Zeroes up to 512 bytes; differs from the original, for a log has no such run of zeros.
fn zero(whole: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let end = bytes.len().min(at + 512);
    bytes[at..end].fill(0);
    bytes
}

/// What made the run, and nothing else.
const BUILD: &str = "000000.mcap";
const SEGMENTS: [&str; 2] = [BUILD, "000001.mcap"];

#[test]
fn cuts_all_over_a_short_log_are_noticed() {
    let patient = Patient::new(|run| finished_run(run, 2));
    for name in SEGMENTS {
        assert_eq!(patient.damage(name, 1200, cut), 0, "{name}");
    }
}

#[test]
fn flipped_bits_all_over_a_short_log_are_noticed() {
    let patient = Patient::new(|run| finished_run(run, 2));
    for name in SEGMENTS {
        assert_eq!(patient.damage(name, 1200, flip), 0, "{name}");
    }
}

#[test]
fn damage_to_a_finished_log_is_noticed() {
    let patient = Patient::new(|run| finished_run(run, 60));
    for (damage, how) in
        [(cut as fn(&[u8], usize) -> Vec<u8>, "cut"), (flip, "flip"), (zero, "zero")]
    {
        assert_eq!(patient.damage("000001.mcap", 150, damage), 0, "{how}");
    }
}

#[test]
fn damage_to_a_log_that_broke_off_is_told_apart_by_head() {
    let patient = Patient::new(|run| broken_off_run(run, 60));
    assert_eq!(patient.head.tick, Some(47));
    for damage in [cut as fn(&[u8], usize) -> Vec<u8>, flip, zero] {
        assert_eq!(patient.damage("000001.mcap", 150, damage), 0);
    }
}

#[test]
fn every_damage_to_head_is_noticed() {
    let patient = Patient::new(|run| finished_run(run, 3));
    for damage in [cut as fn(&[u8], usize) -> Vec<u8>, flip] {
        assert_eq!(patient.damage("HEAD", usize::MAX, damage), 0);
    }
    fs::remove_file(patient.file("HEAD")).unwrap();
    assert!(matches!(reader::open(patient.run.path()), Err(LogError::Head { .. })));
}

#[test]
fn the_head_of_another_run_is_refused() {
    let patient = Patient::new(|run| finished_run(run, 3));
    let longer = Patient::new(|run| finished_run(run, 5));
    fs::copy(longer.file("HEAD"), patient.file("HEAD")).unwrap();
    let (events, error) = read(patient.run.path());
    assert_eq!(events, patient.written);
    assert!(matches!(error, Some(LogError::Damaged(_))), "{error:?}");
}

#[test]
fn a_missing_segment_is_noticed() {
    let patient = Patient::new(|run| finished_run(run, 3));
    fs::remove_file(patient.file("000001.mcap")).unwrap();
    let (events, error) = read(patient.run.path());
    assert!(events.is_empty(), "{events:?}");
    let error = shown(&error.unwrap(), patient.run.path());
    insta::assert_snapshot!(error, @"`run/log/000001.mcap` is damaged before the end of the first tick: it is missing");
}

#[test]
fn a_lost_build_is_noticed_and_loses_nothing_else() {
    let patient = Patient::new(|run| finished_run(run, 3));
    fs::remove_file(patient.file(BUILD)).unwrap();
    let (events, error) = read(patient.run.path());
    assert_eq!(events, patient.written);
    let error = shown(&error.unwrap(), patient.run.path());
    insta::assert_snapshot!(error, @"`run/log/000000.mcap` is damaged before the end of the first tick: it is missing");
    assert!(reader::verify(patient.run.path()).is_err());
}

#[test]
fn bytes_after_the_footer_are_noticed() {
    let patient = Patient::new(|run| finished_run(run, 3));
    let mut bytes = fs::read(patient.file("000001.mcap")).unwrap();
    bytes.push(0);
    assert!(matches!(patient.with("000001.mcap", &bytes), Some(LogError::Torn(_))));
}

/// Replaces the first `old` in a chunk of the file and makes the chunk's checksum right again.
fn edit(whole: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let mut at = 8;
    while at + 9 <= bytes.len() {
        let length = u64::from_le_bytes(bytes[at + 1..at + 9].try_into().unwrap()) as usize;
        let (body, end) = (at + 9, at + 9 + length);
        let records = body + 40;
        let found = (bytes[at] == 6)
            .then(|| bytes[records..end].windows(old.len()).position(|part| part == old));
        if let Some(Some(place)) = found {
            bytes[records + place..records + place + new.len()].copy_from_slice(new);
            let checksum = crc32fast::hash(&bytes[records..end]);
            bytes[body + 24..body + 28].copy_from_slice(&checksum.to_le_bytes());
            return bytes;
        }
        at = end;
    }
    panic!("nothing to edit");
}

fn shown(error: &LogError, run: &Path) -> String {
    error.to_string().replace(&run.display().to_string(), "run")
}

#[test]
fn an_edit_with_a_right_checksum_breaks_the_chain() {
    let patient = Patient::new(|run| finished_run(run, 3));
    let whole = fs::read(patient.file("000001.mcap")).unwrap();
    let error = patient
        .with("000001.mcap", &edit(&whole, b"\"at_us\":1538958", b"\"at_us\":1538959"))
        .unwrap();
    insta::assert_snapshot!(shown(&error, patient.run.path()), @"`run/log/000001.mcap` is damaged after tick 1: its records are not those that were sealed");
    let error = patient.with("000001.mcap", &edit(&whole, b"one-car", b"two-car")).unwrap();
    insta::assert_snapshot!(shown(&error, patient.run.path()), @"`run/log/000001.mcap` is damaged before the end of the first tick: its records are not those that were sealed");
}

#[test]
fn an_unknown_kind_is_named() {
    let patient = Patient::new(|run| finished_run(run, 3));
    let whole = fs::read(patient.file("000001.mcap")).unwrap();
    let error =
        patient.with("000001.mcap", &edit(&whole, b"SlotElapsed.v1", b"SlotElapsed.v9")).unwrap();
    insta::assert_snapshot!(shown(&error, patient.run.path()), @"`run/log/000001.mcap` holds `SlotElapsed.v9`, which this version does not know; it knows Build.v1, Sealed.v1, RunStarted.v2, SeriesLoaded.v1, StaysLoaded.v2, RunForked.v1, RunEnded.v1, TickStarted.v1, PricesSet.v1, SessionEnded.v1, SessionStarted.v1, TargetMissed.v1, TripShort.v1, StaysExpected.v1, WillingnessAgreed.v1, PlansAccepted.v1, GroupSolved.v1, LimitUnkept.v1, ForecastIssued.v1, SolveFinished.v1, WindowForeseen.v1, UnitsDispatched.v1, MarginViolated.v1, PolicyFaulted.v1, PolicyStateSaved.v1, AnswerNotFinite.v1, SetPointClipped.v1, LimitViolated.v1, SlotElapsed.v1, TickSealed.v1, RunStarted.v1, StaysLoaded.v1");
}

#[test]
fn a_schema_that_is_another_is_refused() {
    let patient = Patient::new(|run| finished_run(run, 3));
    let whole = fs::read(patient.file("000001.mcap")).unwrap();
    let error = patient.with("000001.mcap", &edit(&whole, b"applied_kw", b"applied_MW")).unwrap();
    insta::assert_snapshot!(shown(&error, patient.run.path()), @"`run/log/000001.mcap` is damaged before the end of the first tick: the schema of SetPointClipped.v1 is another than this version's");
}
