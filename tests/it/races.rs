//! Several at once, and cut off: who writes to a run's folder holds it, nobody else changes a byte
//! of it, and nothing is left that is not whole.

use crate::{
    program::{assert_nothing_hidden, assert_same_files, files, run, succeed, text, voltide},
    resume::{chance, run_in, times},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::Duration,
};
use tempfile::TempDir;

const WORLD: &str = "worlds/v2g-street.ron";
/// A run of the street.
const RUN: [&str; 5] = ["run", WORLD, "--policy", "smart", "--out"];
/// A comparison that makes the same run, and others.
const COMPARE: [&str; 5] = ["compare", WORLD, "--policies", "smart,alap", "--out"];

/// A run that nothing happened to.
struct Street {
    _room: TempDir,
    run: PathBuf,
    files: BTreeMap<String, Vec<u8>>,
    lasts: Duration,
}

impl Street {
    #[expect(clippy::disallowed_types, reason = "only decides when others are cut off")]
    fn run() -> Self {
        let room = tempfile::tempdir().unwrap();
        let begun = std::time::Instant::now();
        let run = run(WORLD, room.path(), &["--policy", "smart"]);
        let lasts = begun.elapsed();
        Self { files: files(&run), run, lasts, _room: room }
    }

    /// A folder of runs with a copy of it, and the copy.
    fn copied(&self) -> (TempDir, PathBuf) {
        let room = tempfile::tempdir().unwrap();
        let copy = room.path().join("v2g-street").join(self.run.file_name().unwrap());
        for (name, content) in &self.files {
            let path = copy.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        (room, copy)
    }

    /// Fails unless a run is this one, whole, with nothing beside it.
    fn assert_is(&self, run: &Path) {
        assert_same_files(&self.files, &files(run));
        assert_nothing_hidden(run.parent().unwrap());
    }

    /// A time within that of a run, or a little after it.
    fn moment(&self, number: u64) -> Duration {
        Duration::from_micros(chance(number, self.lasts.as_micros() as u64 * 5 / 4))
    }
}

fn spawn(arguments: &[&str], path: &Path) -> Child {
    let mut command = voltide();
    command.args(arguments).arg(path).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    succeed(Command::new("kill").args([name, &child.id().to_string()]));
}

/// What a child said that came too late; none if it did not.
fn too_late(output: &Output, holder: u32) -> Option<String> {
    let message = text(&output.stderr);
    if output.status.success() {
        return None;
    }
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("another program is writing to"), "{message}");
    assert!(message.contains(&format!("process {holder}, `voltide ")), "{holder}: {message}");
    Some(message)
}

#[test]
fn of_two_equal_runs_at_once_one_runs_and_the_other_names_it() {
    let street = Street::run();
    let mut late = 0;
    let mut out = tempfile::tempdir().unwrap();
    for number in 0..times("VOLTIDE_RACES", 12) {
        // Every second pair finds the run of the pair before.
        if number % 2 == 0 {
            out = tempfile::tempdir().unwrap();
        }
        let pair = [spawn(&RUN, out.path()), spawn(&RUN, out.path())];
        let ids = pair.each_ref().map(Child::id);
        let [one, other] = pair.map(|child| child.wait_with_output().unwrap());
        let messages = [too_late(&one, ids[1]), too_late(&other, ids[0])];
        let of_pair = messages.iter().flatten().count();
        assert!(of_pair < 2, "{messages:?}");
        late += of_pair;
        street.assert_is(&run_in(out.path()).unwrap());
    }
    assert!(late > 0, "no two ever met");
}

/// Every verb that writes to the folder of a run, with its arguments; the path comes last.
const WRITERS: [&[&str]; 7] = [
    &RUN,
    &["run", WORLD, "--policy", "smart", "--replace", "--out"],
    &COMPARE,
    &["resume"],
    &["replay"],
    &["telemetry", "--ev-ticks", "off"],
    &["log", "recover"],
];

/// What a verb of [`WRITERS`] is given last.
fn path_for<'a>(arguments: &[&str], out: &'a Path, run: &'a Path) -> &'a Path {
    if arguments.contains(&"--out") { out } else { run }
}

/// Starts a run, holds it where it has just begun, and tries all that would write to its folder.
fn nobody_writes_beside(street: &Street, out: &Path, run: Option<&Path>) {
    let mut child = spawn(&RUN, out);
    let begun = |out: &Path| match run {
        Some(run) => run.join(".new/log").is_dir().then(|| run.to_owned()),
        None => run_in(out),
    };
    let mut found = None;
    while found.is_none() && child.try_wait().unwrap().is_none() {
        sleep(Duration::from_micros(200));
        found = begun(out);
    }
    signal(&child, "-STOP");
    let going_on = found.expect("the run ended before it was seen");
    for arguments in WRITERS {
        let path = path_for(arguments, out, &going_on);
        let output = voltide().args(arguments).arg(path).output().unwrap();
        assert!(too_late(&output, child.id()).is_some(), "{arguments:?} went on beside a run");
    }
    succeed(voltide().args(["log", "ls"]).arg(&going_on));
    if run.is_some() {
        succeed(voltide().args(["replay", "--verify"]).arg(&going_on));
    }
    signal(&child, "-CONT");
    assert!(child.wait().unwrap().success());
    // The comparison made its other run before it met this one, or not at all.
    assert_same_files(&street.files, &files(&going_on));
    assert_nothing_hidden(out);
}

#[test]
fn a_run_that_goes_on_is_changed_by_nobody_else() {
    let street = Street::run();
    let out = tempfile::tempdir().unwrap();
    nobody_writes_beside(&street, out.path(), None);
    let (out, run) = street.copied();
    nobody_writes_beside(&street, out.path(), Some(&run));
}

#[test]
fn whatever_two_write_at_once_a_run_stays_whole() {
    let street = Street::run();
    let rebuild: [&[&str]; 6] = [
        &["replay"],
        &["telemetry", "--ev-ticks", "full"],
        &["resume"],
        &["log", "recover"],
        &COMPARE,
        &RUN,
    ];
    let mut late = 0;
    for number in 0..times("VOLTIDE_RACES", 12) {
        let (out, run) = street.copied();
        let arguments = rebuild[number as usize % rebuild.len()];
        let pair =
            [spawn(&RUN, out.path()), spawn(arguments, path_for(arguments, out.path(), &run))];
        let ids = pair.each_ref().map(Child::id);
        let [one, other] = pair.map(|child| child.wait_with_output().unwrap());
        let messages = [too_late(&one, ids[1]), too_late(&other, ids[0])];
        assert!(messages.iter().flatten().count() < 2, "{messages:?}");
        late += messages.iter().flatten().count();
        succeed(voltide().args(["replay", "--verify"]).arg(&run));
        assert_nothing_hidden(out.path());
        if arguments[0] != "telemetry" {
            assert_same_files(&street.files, &files(&run));
        }
    }
    assert!(late > 0, "no two ever met");
}

#[test]
fn forks_at_once_are_one_fork_and_leave_the_parent_alone() {
    let street = Street::run();
    let (out, parent) = street.copied();
    let path = out.path().to_str().unwrap();
    let fork = ["fork", "--at", "60", "--policy", "alap", "--out", path];
    let mut found = None;
    for _ in 0..times("VOLTIDE_RACES", 12) / 4 {
        let pair = [spawn(&fork, &parent), spawn(&fork, &parent)];
        let ids = pair.each_ref().map(Child::id);
        let [one, other] = pair.map(|child| child.wait_with_output().unwrap());
        let messages = [too_late(&one, ids[1]), too_late(&other, ids[0])];
        assert!(messages.iter().flatten().count() < 2, "{messages:?}");
        let forks =
            fs::read_dir(out.path().join("v2g-street")).unwrap().flatten().map(|it| it.path());
        let forks: Vec<PathBuf> = forks.filter(|fork| *fork != parent).collect();
        assert_eq!(forks.len(), 1, "{forks:?}");
        let first = found.get_or_insert_with(|| files(&forks[0]));
        assert_same_files(first, &files(&forks[0]));
        street.assert_is(&parent);
    }
}

/// What is cut off, and what its path is.
const CUT_OFF: [&[&str]; 6] = [
    &["replay"],
    &["telemetry", "--ev-ticks", "full"],
    &RUN,
    &COMPARE,
    &[
        "compare",
        WORLD,
        "--policies",
        "smart,alap,edf",
        "--set",
        "incentive.price_feedback=None",
        "--out",
    ],
    &["replay", "--verify"],
];

/// Cuts a verb off with a signal; whether it was still at work.
fn cut_off(arguments: &[&str], path: &Path, scratch: &Path, name: &str, wait: Duration) -> bool {
    let mut command = voltide();
    command
        .env("TMPDIR", scratch)
        .args(arguments)
        .arg(path)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    sleep(wait);
    signal(&child, name);
    let code = child.wait().unwrap().code();
    // A signal that comes before the program has begun ends it like any other.
    assert!([Some(0), Some(130), None].contains(&code), "{arguments:?}: {code:?}");
    code != Some(0)
}

/// Fails unless all runs below a folder of runs are over and whole.
fn assert_all_whole(out: &Path) {
    let worlds = fs::read_dir(out).into_iter().flatten().flatten();
    for run in worlds.flat_map(|world| fs::read_dir(world.path()).unwrap().flatten()) {
        let manifest = fs::read_to_string(run.path().join("manifest.json")).unwrap();
        assert!(manifest.contains("\"status\": \"finished\""), "{}", run.path().display());
    }
    assert_nothing_hidden(out);
}

#[test]
fn what_is_interrupted_leaves_nothing_behind() {
    let street = Street::run();
    let scratch = tempfile::tempdir().unwrap();
    let mut cut = 0;
    for number in 0..times("VOLTIDE_INTERRUPTS", 24) {
        let (out, run) = street.copied();
        let arguments = CUT_OFF[number as usize % CUT_OFF.len()];
        let name = ["-INT", "-TERM"][number as usize / CUT_OFF.len() % 2];
        let path = path_for(arguments, out.path(), &run);
        let early = cut_off(arguments, path, scratch.path(), name, street.moment(number));
        cut += u32::from(early);
        if early || arguments[0] != "telemetry" {
            assert_same_files(&street.files, &files(&run));
        }
        assert_all_whole(out.path());
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "{arguments:?}");
    }
    assert!(cut > 0, "nothing was ever cut off");
}

#[test]
fn what_is_killed_leaves_only_what_the_next_tidies_up() {
    let street = Street::run();
    let scratch = tempfile::tempdir().unwrap();
    for number in 0..times("VOLTIDE_KILLS", 12).min(1000) {
        let (out, run) = street.copied();
        let arguments = CUT_OFF[number as usize % CUT_OFF.len()];
        let path = path_for(arguments, out.path(), &run);
        // At other moments than the interrupts of the test before.
        cut_off(arguments, path, scratch.path(), "-KILL", street.moment(number + 77));
        succeed(voltide().arg("replay").arg(&run));
        assert_same_files(&street.files, &files(&run));
        if arguments[0] == "compare" {
            succeed(voltide().args(arguments).arg(path));
            assert_all_whole(out.path());
        }
        street.assert_is(&run);
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "{arguments:?}");
    }
}

#[test]
fn an_interrupted_comparison_is_repeated() {
    let whole = tempfile::tempdir().unwrap();
    succeed(voltide().args(COMPARE).arg(whole.path()));
    let out = tempfile::tempdir().unwrap();
    let mut child = spawn(&COMPARE, out.path());
    let any = |out: &Path| {
        let worlds = fs::read_dir(out).into_iter().flatten().flatten();
        worlds
            .flat_map(|it| fs::read_dir(it.path()).unwrap().flatten())
            .any(|it| it.path().join(".new").is_dir())
    };
    while !any(out.path()) && child.try_wait().unwrap().is_none() {
        sleep(Duration::from_micros(200));
    }
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_all_whole(out.path());
    succeed(voltide().args(COMPARE).arg(out.path()));
    assert_same_files(&files(whole.path()), &files(out.path()));
}
