//! Commands that make no sense, and runs that are not there.

use super::Room;
use insta::assert_snapshot;

#[test]
fn usage_errors_exit_with_2() {
    let room = Room::with_world(&[]);
    let refused = |arguments: &[&str]| room.refused(2, arguments);
    assert_snapshot!(refused(&["runn", "world.ron"]), @r"
    error: unrecognized subcommand 'runn'

      tip: a similar subcommand exists: 'run'

    Usage: voltide [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(refused(&["run"]), @r"
    error: the following required arguments were not provided:
      <WORLD.ron>

    Usage: voltide run <WORLD.ron>

    For more information, try '--help'.
    ");
    assert_snapshot!(refused(&["run", "world.ron", "--sed", "7"]), @r"
    error: unexpected argument '--sed' found

      tip: a similar argument exists: '--seed'

    Usage: voltide run --seed <SEED> <WORLD.ron>

    For more information, try '--help'.
    ");
    assert_snapshot!(refused(&["run", "world.ron", "--seed", "seven"]), @r"
    error: invalid value 'seven' for '--seed <SEED>': invalid digit found in string

    For more information, try '--help'.
    ");
    assert_snapshot!(refused(&["run", "world.ron", "--threads", "0"]), @r"
    error: invalid value '0' for '--threads <THREADS>': 0 is not in 1..=65535

    For more information, try '--help'.
    ");
    assert_snapshot!(refused(&["telemetry", "somewhere", "--ev-ticks", "everything"]), @r"
    error: invalid value 'everything' for '--ev-ticks <LEVEL>': write off, changes, full, or a share of the cars such as 0.01

    For more information, try '--help'.
    ");
    for range in ["1..18446744073709551615", "0..18446744073709551615", "1..100001"] {
        let message = refused(&["compare", "world.ron", "--policies", "smart", "--seeds", range]);
        assert!(message.contains("one comparison has at most 100000 seeds"), "{message}");
    }
    for range in ["5..1", "1..", "-1..2", "1..1.5", "18446744073709551616"] {
        let seeds = format!("--seeds={range}");
        let message = refused(&["compare", "world.ron", "--policies", "smart", &seeds]);
        assert!(message.contains("write the first and the last seed, as in 1..200"), "{message}");
    }
    let message = refused(&["log", "cat", "somewhere", "--kind", "SesionStarted"]);
    assert!(message.contains("a similar value exists: 'SessionStarted'"), "{message}");
}

#[test]
fn a_run_that_does_not_exist_has_no_log() {
    let room = Room::new();
    let messages =
        ["ls", "cat", "stats", "verify"].map(|verb| room.refused(3, &["log", verb, "nowhere"]));
    assert_snapshot!(messages[0], @r"
    × there is no run folder `nowhere`
    help: give the folder of a run; its name begins with `run_id=`
    ");
    assert!(messages.iter().all(|message| *message == messages[0]), "{messages:?}");
}

#[test]
fn a_folder_without_a_log_cannot_be_replayed() {
    let room = Room::new();
    let message = room.refused(3, &["replay", "."]);
    assert_snapshot!(message, @r"
    × `.` holds no log
    help: give the folder of a run; its name begins with `run_id=`
    ");
    assert_snapshot!(room.refused(3, &["telemetry", ".", "--ev-ticks", "full"]), @r"
    × `.` holds no log
    help: give the folder of a run; its name begins with `run_id=`
    ");
    assert!(super::entries(room.folder.path()).is_empty(), "nothing is written");
}

#[test]
fn a_detail_that_the_run_does_not_have_is_refused() {
    let room = Room::with_world(&[]);
    assert!(room.voltide(&["run", "world.ron"]).output().unwrap().status.success());
    let run = room.only_run("outputs");
    let telemetry = |more: &[&str]| {
        let arguments =
            [&["telemetry", run.to_str().unwrap(), "--ev-ticks", "full"], more].concat();
        room.refused(3, &arguments)
    };
    assert_snapshot!(telemetry(&["--ev", "7"]), @"× there is no car 7: the run has the cars 0 to 0");
    assert_snapshot!(telemetry(&["--from", "1000"]), @r"
    × --from 1000 --to 96 leaves no tick
    help: the run has the ticks 0 to 95; --to is the tick after the last
    ");
    assert_snapshot!(telemetry(&["--from", "90", "--to", "10"]), @r"
    × --from 90 --to 10 leaves no tick
    help: the run has the ticks 0 to 95; --to is the tick after the last
    ");
}

#[test]
fn a_fork_cannot_change_the_clock() {
    let room = Room::with_world(&[]);
    let run = crate::program::succeed(&mut room.voltide(&["run", "world.ron", "-q"]));
    for set in ["clock.days=3", "clock=(start: \"2024-06-03T12:00\")", " clock.step = 5 min"] {
        let message =
            room.refused(3, &["fork", run.trim(), "--at", "20", "--set", "seed=7", "--set", set]);
        assert!(message.contains("--set #2: a fork cannot change the clock"), "{message}");
        assert!(
            message.contains("for another clock start a run") && message.contains(set),
            "{message}"
        );
        assert_eq!(message.matches('×').count(), 1, "{message}");
    }
}
