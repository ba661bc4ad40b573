//! Folders that cannot be written to, runs that were killed, and full disks.

use super::{Output, Room, entries, root, text, voltide};
use insta::assert_snapshot;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

/// A world whose run takes a second or two.
fn week() -> String {
    root().join("worlds/germany/week.ron").display().to_string()
}

#[test]
fn an_output_folder_that_is_a_file_is_refused() {
    let room = Room::with_world(&[]);
    room.write("results", "");
    assert_snapshot!(room.refused(1, &["run", "world.ron", "--out", "results"]), @r"
    × the output folder results is a file
    help: give another folder with --out
    ");
    assert_snapshot!(room.refused(1, &["run", "world.ron", "--out", "results/here"]), @r"
    × cannot create the output folder results/here: Not a directory (os error 20)
    help: give another folder with --out
    ");
    assert_eq!(fs::read(room.path("results")).unwrap(), b"");
}

/// Runs a week into `outputs` and kills it in the middle.
fn kill_a_run(room: &Room) {
    let mut command = room.voltide(&["run", &week()]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let long_enough = || {
        let worlds =
            fs::read_dir(room.path("outputs/germany-week")).into_iter().flatten().flatten();
        let logs = worlds.filter_map(|run| fs::metadata(run.path().join("log/000001.mcap")).ok());
        logs.into_iter().any(|log| log.len() > 400_000)
    };
    for _ in 0..6000 {
        if long_enough() {
            break;
        }
        assert_eq!(child.try_wait().unwrap(), None, "the run ended before it was killed");
        sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None, "killed");
}

#[test]
fn a_run_that_was_killed_looks_unfinished_and_can_be_replayed_as_far_as_it_came() {
    let room = Room::new();
    kill_a_run(&room);
    let run = room.only_run("outputs");
    room.assert_nothing_looks_whole(&run);
    let again = room.refused(3, &["run", &week()]);
    assert_snapshot!(again.replace(run.to_str().unwrap(), "[run]"), @r"
    × [run] holds an unfinished run of this world
    help: `voltide resume [run]` goes on with it; --replace starts the run again in its place, and --out gives another folder
    ");
    room.assert_nothing_looks_whole(&run);

    let run_name = run.to_str().unwrap();
    let verified = room.refused(6, &["log", "verify", run_name]);
    assert!(verified.contains("all acknowledged ticks are whole"), "{verified}");
    for verb in [&["replay", "--verify"][..], &["replay"]] {
        room.assert_nothing_looks_whole(&run);
        let replay = room.voltide(verb).arg(run_name).output().unwrap();
        let message = text(&replay.stderr);
        assert!(replay.status.success(), "{message}");
        assert!(message.contains("the run was cut off: its log ends after tick"), "{message}");
    }
    assert_eq!(room.status(&run), "interrupted");
    let names = entries(&room.path(run_name));
    let partial = names.iter().find(|name| name.to_string_lossy().contains(".partial"));
    assert_eq!(partial, None, "the replay tidies up");
    room.refused(3, &["run", &week()]);
}

/// Runs a week in a shell that cuts every file off at 512,000 bytes, or less.
fn run_with_short_files(room: &Room, blocks: u32) -> (Option<i32>, String) {
    let script = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell
        .current_dir(room.path(""))
        .env("NO_COLOR", "1")
        .arg("-c")
        .arg(script)
        .arg(voltide().get_program());
    let Output { status, stderr, .. } = shell.args(["run", &week()]).output().unwrap();
    (status.code(), room.stable(&text(&stderr)))
}

#[test]
fn a_file_that_may_not_grow_ends_the_run_and_not_the_program() {
    let room = Room::new();
    let (code, message) = run_with_short_files(&room, 500);
    assert_eq!(code, Some(1), "{message}");
    let run = room.only_run("outputs");
    room.assert_nothing_looks_whole(&run);
    assert_snapshot!(message.replace(run.to_str().unwrap(), "[run]"), @r"
      × cannot write `[run]/log/000001.mcap`: File too large (os error 27)

    the run stays unfinished: what it recorded is in the log of [run]
    when the cause is gone, `voltide resume [run]` goes on from there
    ");
    room.refused(3, &["run", &week()]);
}

#[test]
fn a_run_that_cannot_begin_leaves_no_folder() {
    let room = Room::new();
    let (code, message) = run_with_short_files(&room, 10);
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("File too large"), "{message}");
    assert_eq!(entries(&room.path("outputs/germany-week")), Vec::<std::path::PathBuf>::new());
}

/// Runs a week on a disk of 300 kB that only the shell and its children see, and copies what is
/// left into the room.
const ON_A_SMALL_DISK: &str = r#"
mount -t tmpfs -o size=300k none outputs || exit 99
"$0" "$@"
code=$?
cp -r outputs left
exit $code
"#;

#[test]
fn a_full_disk_ends_the_run_with_an_error() {
    let room = Room::new();
    fs::create_dir(room.path("outputs")).unwrap();
    let mut unshare = Command::new("unshare");
    unshare.current_dir(room.path("")).env("NO_COLOR", "1");
    unshare.args(["--user", "--map-root-user", "--mount", "sh", "-c", ON_A_SMALL_DISK]);
    let output = unshare.arg(voltide().get_program()).args(["run", &week()]).output();
    let Some(Output { status, stderr, .. }) =
        output.ok().filter(|output| has_mounted(&room, output))
    else {
        eprintln!("ignored: no disk can be mounted here");
        return;
    };
    let message = text(&stderr);
    assert_eq!(status.code(), Some(1), "{message}");
    let run = room.only_run("left");
    room.assert_nothing_looks_whole(&run);
    let run = Path::new("outputs").join(run.strip_prefix("left").unwrap());
    assert!(message.contains("No space left on device"), "{message}");
    assert!(message.contains("the run stays unfinished"), "{message}");
    assert!(message.contains(run.to_str().unwrap()), "{message}");
}

fn has_mounted(room: &Room, output: &Output) -> bool {
    output.status.code() != Some(99) && room.path("left").exists()
}
