//! What is whole of a damaged log is found on either side of the damage, and nothing else.

use crate::history::{Scribe, broken_off_run, finished_run, read};
use std::{
    collections::BTreeMap,
    fs,
    ops::Range,
    path::{Path, PathBuf},
};
use tempfile::{TempDir, tempdir};
use voltide_journal::{
    event::{Build, Event, Recorded},
    mcap_log::McapLog,
    reader, recovery,
    salvage::{self, Salvage},
};
use voltide_model::scenario::Durability;

/// A log in three segments, to damage again and again.
struct Patient {
    run: TempDir,
    written: Vec<Recorded>,
    files: BTreeMap<String, Vec<u8>>,
}

/// What came of a salvage.
struct Salvaged {
    into: TempDir,
    said: Salvage,
    /// The events of the run and of what is beyond the damage, as if the build were known.
    events: Vec<Recorded>,
}

impl Patient {
    fn new() -> Self {
        let run = tempdir().unwrap();
        broken_off_run(run.path(), 4);
        let mut written = Vec::new();
        for ticks in [4..7, 7..9] {
            let end = recovery::recover(run.path()).unwrap().end;
            let events = read(run.path()).0;
            let mut log = McapLog::resume(run.path(), Durability::Close, &end).unwrap();
            let mut scribe = Scribe::after(&mut log, events);
            scribe.ticks(ticks.clone()).unwrap();
            if ticks.end == 9 {
                scribe.end(9).unwrap();
                written = scribe.events;
            }
        }
        let files = files(run.path());
        Self { run, written, files }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.run.path().join("log").join(name)
    }

    /// Salvages the log with a file replaced, or removed; puts the file back.
    fn with(&self, name: &str, content: Option<&[u8]>) -> Salvaged {
        match content {
            Some(content) => fs::write(self.path(name), content).unwrap(),
            None => fs::remove_file(self.path(name)).unwrap(),
        }
        let before = files(self.run.path());
        let salvaged = salvaged(self.run.path());
        assert!(files(self.run.path()) == before, "the damaged run is only read");
        fs::write(self.path(name), &self.files[name]).unwrap();
        salvaged
    }

    /// Places to damage: at most as many as `few`, or as `VOLTIDE_DAMAGES` says.
    fn places(&self, name: &str, few: usize) -> impl Iterator<Item = usize> + use<> {
        let length = self.files[name].len();
        let count = std::env::var("VOLTIDE_DAMAGES").ok().and_then(|count| count.parse().ok());
        (0..length).step_by((length / count.unwrap_or(few).max(1)).max(1))
    }

    /// The events of the groups none of whose bytes are among the damaged ones of a file.
    fn untouched(&self, name: &str, damaged: &Range<usize>) -> Vec<Recorded> {
        let mut events = self.written.iter().cloned();
        let mut left = Vec::new();
        for (file, content) in
            self.files.iter().filter(|(file, _)| SEGMENTS.contains(&file.as_str()))
        {
            for (chunk, count) in chunks(content) {
                let group: Vec<Recorded> = events.by_ref().take(count).collect();
                let is_touched =
                    file == name && chunk.start < damaged.end && damaged.start < chunk.end;
                left.extend(group.into_iter().filter(|_| !is_touched));
            }
        }
        assert!(events.next().is_none(), "every event is in a group");
        left
    }

    /// Checks that at least these events were salvaged, and no other ones than were written, and
    /// that what is said to be missing is the rest.
    fn check(&self, salvaged: &Salvaged, whole: &[Recorded]) {
        let events = &salvaged.events;
        assert!(
            events.iter().all(|event| self.written[event.seq as usize] == *event),
            "{:#?}",
            salvaged.said
        );
        let found =
            |event: &Recorded| events.binary_search_by_key(&event.seq, |found| found.seq).is_ok();
        assert!(whole.iter().all(found), "{:#?}", salvaged.said);
        let missing =
            salvaged.said.missing.iter().flat_map(|missing| missing.first_seq..missing.next_seq);
        let mut seqs: Vec<u64> =
            events.iter().map(|recorded| recorded.seq).chain(missing).collect();
        seqs.sort_unstable();
        assert!(seqs == (0..self.written.len() as u64).collect::<Vec<_>>(), "{:#?}", salvaged.said);
    }
}

/// The segments that hold history.
const SEGMENTS: [&str; 3] = ["000001.mcap", "000002.mcap", "000003.mcap"];

fn salvaged(run: &Path) -> Salvaged {
    let into = tempdir().unwrap();
    let said = salvage::salvage(run, &into.path().join("new")).unwrap();
    let folder = into.path().join("new");
    assert_eq!(salvage::read(&folder).unwrap().as_ref(), Some(&said));
    let mut events = Vec::new();
    for piece in said.log.iter().chain(&said.beyond) {
        let (more, error) = read(&folder.join(&piece.folder));
        assert!(error.is_none(), "{error:?}");
        assert_eq!(
            (more[0].seq, more.len() as u64),
            (piece.first_seq, piece.next_seq - piece.first_seq)
        );
        events.extend(more);
    }
    let whole = read_build(&mut events);
    assert_eq!(whole.unwrap_or(said.build_known), said.build_known);
    Salvaged { into, said, events }
}

/// Whether the build is known where a run opens; makes it known.
fn read_build(events: &mut [Recorded]) -> Option<bool> {
    let Some(Event::RunStarted(started)) = events.first_mut().map(|first| &mut first.event) else {
        return None;
    };
    let is_known = started.build != Build::default();
    started.build = Build { engine_version: "0.1.0".into(), git: "abc".into(), ..Build::default() };
    Some(is_known)
}

fn files(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries =
        fs::read_dir(run.join("log")).unwrap().flatten().filter(|entry| entry.path().is_file());
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect()
}

/// Where the chunks of a segment are, and how many events each holds.
fn chunks(content: &[u8]) -> Vec<(Range<usize>, usize)> {
    let mut chunks = Vec::new();
    for (at, end) in records(content, 8, content.len() - 8) {
        if content[at] == 6 {
            let messages =
                records(content, at + 49, end).iter().filter(|(at, _)| content[*at] == 5).count();
            // The opening and the ending are closed by a record that is no event; a tick is closed
            // by one.
            chunks.push((at..end, if messages == 6 { 6 } else { messages - 1 }));
        }
    }
    chunks
}

/// Where records begin and end.
fn records(content: &[u8], mut at: usize, end: usize) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    while at < end {
        let length = u64::from_le_bytes(content[at + 1..at + 9].try_into().unwrap()) as usize;
        found.push((at, at + 9 + length));
        at += 9 + length;
    }
    found
}

fn flipped(content: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = content.to_vec();
    bytes[at] ^= 1 << (at % 8);
    bytes
}

#[test]
fn of_a_whole_log_all_is_salvaged() {
    let patient = Patient::new();
    let salvaged = salvaged(patient.run.path());
    patient.check(&salvaged, &patient.written);
    let Salvage { log, beyond, missing, mended, damaged, build_known, .. } = salvaged.said;
    assert!(
        build_known
            && beyond.is_empty()
            && missing.is_empty()
            && mended.is_empty()
            && damaged.is_empty()
    );
    let log = log.unwrap();
    assert_eq!(
        (log.first_tick, log.last_tick, log.outcome.as_deref()),
        (Some(0), Some(8), Some("finished"))
    );
    let (new, old) = (salvaged.into.path().join("new"), patient.run.path());
    assert_eq!(reader::verify(&new).unwrap().chain_hash, reader::verify(old).unwrap().chain_hash);
}

#[test]
fn a_flipped_bit_costs_nothing_wherever_it_is() {
    let patient = Patient::new();
    for name in SEGMENTS {
        // Where records begin every byte is of another kind: those are tried one by one.
        let begins = (0..100).chain([105, 160, 230]).filter(|_| name == SEGMENTS[1]);
        for at in begins.chain(patient.places(name, 40)) {
            let salvaged = patient.with(name, Some(&flipped(&patient.files[name], at)));
            patient.check(&salvaged, &patient.written);
            assert!(salvaged.said.beyond.is_empty() && salvaged.said.build_known, "{name} at {at}");
            let mended =
                salvaged.said.mended.iter().filter_map(|mended| mended.byte).collect::<Vec<_>>();
            assert!(mended.is_empty() || mended == [at as u64], "{name} at {at}: {mended:?}");
        }
    }
}

#[test]
fn what_is_whole_on_either_side_of_damage_is_salvaged() {
    let patient = Patient::new();
    for name in SEGMENTS {
        let whole = &patient.files[name];
        for at in patient.places(name, 12) {
            let zeroed = at..(at + 512).min(whole.len());
            let mut bytes = whole.clone();
            bytes[zeroed.clone()].fill(0);
            patient.check(&patient.with(name, Some(&bytes)), &patient.untouched(name, &zeroed));
            let taken_out = [&whole[..zeroed.start], &whole[zeroed.end..]].concat();
            patient.check(&patient.with(name, Some(&taken_out)), &patient.untouched(name, &zeroed));
            let cut = at..whole.len();
            patient.check(&patient.with(name, Some(&whole[..at])), &patient.untouched(name, &cut));
            let put_in = [&whole[..at], &[6; 100], &whole[at..]].concat();
            let inside = chunks(whole).iter().any(|(chunk, _)| chunk.start < at && at < chunk.end);
            let split = if inside { at..at + 1 } else { 0..0 };
            patient.check(&patient.with(name, Some(&put_in)), &patient.untouched(name, &split));
        }
    }
}

#[test]
fn a_lost_file_costs_what_is_in_it() {
    let patient = Patient::new();
    for name in SEGMENTS {
        let salvaged = patient.with(name, None);
        patient.check(&salvaged, &patient.untouched(name, &(0..usize::MAX)));
        assert_eq!(salvaged.said.missing.len(), 1, "{:#?}", salvaged.said);
        assert_eq!(
            salvaged.said.log.is_some(),
            name != SEGMENTS[0],
            "without its opening it is no run"
        );
        assert!(salvaged.said.beyond.iter().all(|piece| piece.proved));
    }
    let salvaged = patient.with("000000.mcap", None);
    patient.check(&salvaged, &patient.written);
    assert!(!salvaged.said.build_known && salvaged.said.missing.is_empty());
    let salvaged = patient.with("HEAD", None);
    patient.check(&salvaged, &patient.written);
    assert!(!salvaged.said.head_known && salvaged.said.build_known);
}

#[test]
fn what_is_missing_is_told_by_ticks() {
    let patient = Patient::new();
    let (chunk, _) = chunks(&patient.files["000002.mcap"])[1].clone();
    let mut bytes = patient.files["000002.mcap"].clone();
    bytes[chunk.start + 200..chunk.start + 300].fill(0);
    let said = patient.with("000002.mcap", Some(&bytes)).said;
    let [missing] = said.missing.as_slice() else { panic!("{said:#?}") };
    assert_eq!((missing.after_tick, missing.before_tick), (Some(4), Some(6)));
    assert_eq!((missing.first_seq, missing.next_seq), (3 + 5 * 6, 3 + 6 * 6));
    let [damaged] = said.damaged.as_slice() else { panic!("{said:#?}") };
    assert_eq!((damaged.file.as_str(), damaged.from_byte), ("000002.mcap", chunk.start as u64));
    let [beyond] = said.beyond.as_slice() else { panic!("{said:#?}") };
    assert_eq!((beyond.folder.as_str(), beyond.ticks, beyond.proved), ("beyond/1", 3, true));
}

#[test]
fn a_tick_behind_damage_that_took_its_chain_hash_is_kept_and_said_to_be_unproved() {
    let patient = Patient::new();
    let (chunk, _) = chunks(&patient.files["000002.mcap"])[1].clone();
    let mut bytes = patient.files["000002.mcap"].clone();
    bytes[chunk.clone()].fill(0);
    let salvaged = patient.with("000002.mcap", Some(&bytes));
    patient.check(&salvaged, &patient.untouched("000002.mcap", &chunk));
    assert!(!salvaged.said.beyond[0].proved);
}

#[test]
fn a_segment_of_another_run_is_no_part_of_it() {
    let patient = Patient::new();
    let other = tempdir().unwrap();
    finished_run(other.path(), 20);
    for (from, to) in [
        (other.path().join("log/000001.mcap"), "000004.mcap"),
        (patient.path("000002.mcap"), "000007.mcap"),
    ] {
        fs::copy(from, patient.path(to)).unwrap();
        let salvaged = salvaged(patient.run.path());
        patient.check(&salvaged, &patient.written);
        assert!(
            salvaged.said.damaged.iter().all(|damaged| damaged.file == to),
            "{:#?}",
            salvaged.said
        );
        assert!(!salvaged.said.damaged.is_empty());
        fs::remove_file(patient.path(to)).unwrap();
    }
}

#[test]
fn nothing_is_left_where_nothing_is_whole() {
    let (run, into) = (tempdir().unwrap(), tempdir().unwrap());
    finished_run(run.path(), 2);
    fs::write(run.path().join("log/000001.mcap"), vec![0; 5000]).unwrap();
    let error = salvage::salvage(run.path(), &into.path().join("new")).unwrap_err().to_string();
    assert!(error.contains("nothing of its log is whole"), "{error}");
    assert_eq!(fs::read_dir(into.path()).unwrap().count(), 0);
}
