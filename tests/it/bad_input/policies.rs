//! Policies that cannot be loaded, do not like their config, or fail when they are asked.

use super::{Room, root, run_json, voltide};
use crate::program::{alone, fail, succeed};
use insta::assert_snapshot;
use std::{
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    fs,
    path::Path,
    process::Command,
};

/// A policy in C that answers NaN for every slot, built for the ABI's major version `ABI_LATER` later.
pub(super) const C_POLICY: &str = r#"#include "voltide_policy.h"
static int32_t plan(void *self, const voltide_observation *seen, voltide_schedules *answer) {
    (void)self;
    for (size_t at = 0; at < (size_t)seen->stays * answer->horizon; at++)
        answer->power_kw[at] = 0.0 / 0.0;
    return VOLTIDE_STATUS_OK;
}
static const voltide_policy POLICY = {
    .size = sizeof POLICY, .major = VOLTIDE_ABI_MAJOR + ABI_LATER, .magic = VOLTIDE_MAGIC,
    .name = VOLTIDE_TEXT("nan"), .version = VOLTIDE_TEXT("1"), .plan = plan,
};
const voltide_policy *voltide_policy_v1(uint16_t major, uint16_t minor) {
    (void)major, (void)minor;
    return &POLICY;
}
"#;

/// Compiles C into a plugin called `name` in the room.
pub(super) fn compile(room: &Room, name: &str, source: &str) {
    room.write("plugin.c", source);
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-shared", "-fPIC", "-I"]).arg(root().join("crates/policy/include"));
    cc.arg("-o").arg(room.path(name)).arg(room.path("plugin.c"));
    assert!(cc.status().unwrap().success());
}

/// A room with a policy that panics at the slot that its config names: when it is first asked.
fn with_broken(fallback: &str) -> Room {
    let policies = "policies: {\"broken\": (slot: 5000)},";
    let policy = format!("policy: \"./broken.so\",\n    fallback: {fallback},\n    {policies}");
    let room = Room::with_world(&[("policy: \"uncontrolled\",", &policy)]);
    let beside = Path::new(voltide().get_program()).parent().unwrap().to_owned();
    let library = beside.join("deps").join(format!("{DLL_PREFIX}broken_policy{DLL_SUFFIX}"));
    fs::copy(library, room.path("broken.so")).unwrap();
    room
}

#[test]
fn a_config_under_a_misspelt_name_is_refused() {
    let room = Room::with_world(&[(
        "policy:",
        "policies: {\"smrat\": (), \"of_my_own\": ()},\n    policy:",
    )]);
    let message = room.refused(3, &["run", "world.ron"]);
    assert!(
        message.contains("no policy is named `smrat`, so that its config goes unread"),
        "{message}"
    );
    assert!(message.contains("did you mean `smart`?") && message.contains("╰── here"), "{message}");
    succeed(&mut room.voltide(&["run", "world.ron", "--set", "policies={\"of_my_own\": ()}"]));
}

#[test]
fn an_unknown_policy_is_refused_with_the_nearest() {
    let room = Room::with_world(&[]);
    let beside = tempfile::tempdir().unwrap();
    fs::create_dir(beside.path().join("deps")).unwrap();
    let mut command = alone(beside.path());
    command.current_dir(room.folder.path()).args(["run", "world.ron", "--policy", "uncontroled"]);
    let (code, message) = fail(&mut command);
    assert_eq!(code, 5, "{message}");
    let message = message.replace(&beside.path().display().to_string(), "[bin]");
    assert_snapshot!(message, @r"
    × no policy is named `uncontroled`
    help: did you mean `uncontrolled`? known policies: alap, coordinated, edf, llf, round-robin, smart, smart-incentive, threshold, uncontrolled, v2g
          looked for libvoltide_uncontroled.so in
            [bin]/deps
            [bin]
    ");
    assert!(!room.path("outputs").exists());
}

#[test]
fn an_unknown_fallback_is_refused_before_the_run() {
    let room = Room::with_world(&[("policy:", "fallback: \"nobody\",\n    policy:")]);
    let message = room.refused(5, &["run", "world.ron"]);
    assert!(message.contains("no policy is named `nobody`"), "{message}");
}

#[test]
fn what_a_flag_puts_into_a_world_is_shown_as_the_flag() {
    let room = Room::with_world(&[]);
    let message = room.refused(3, &["run", "world.ron", "--set", "seed=3", "--policy", ""]);
    assert!(message.contains("[from --policy:1:8]"), "{message}");
    let message = room.refused(3, &["run", "world.ron", "--policy", "smart", "--set", "name=a b"]);
    assert!(message.contains("[from --set #1:1:6]"), "{message}");
}

#[test]
fn a_plugin_that_is_not_there_is_named() {
    let room = Room::with_world(&[]);
    assert_snapshot!(room.refused(5, &["run", "world.ron", "--policy", "./nothing.so"]), @r"
    × there is no plugin ./nothing.so
    help: a path in a world file starts at its folder, one after --policy at the current folder; `voltide plugins list` shows the policies that have a name
    ");
}

#[test]
fn a_file_that_is_no_library_is_refused() {
    let room = Room::with_world(&[]);
    room.write("notes.so", "not a library");
    let message = room.refused(5, &["run", "world.ron", "--policy", "./notes.so"]);
    let (message, loader_says) = message.split_once(": ").unwrap();
    assert_snapshot!(message.trim(), @"× [room]/notes.so is not a library that can be loaded here");
    assert!(!loader_says.contains("notes.so"), "the file is named once: {loader_says}");
}

#[test]
fn a_plugin_that_is_no_file_is_not_waited_for() {
    let room = Room::with_world(&[]);
    assert!(Command::new("mkfifo").arg(room.path("pipe.so")).status().unwrap().success());
    for policy in ["./pipe.so", "/dev/zero", "./"] {
        let message = room.refused(5, &["check", "world.ron", "--policy", policy]);
        assert!(
            message.contains("it is a pipe, a device or a folder, not a file"),
            "{policy}: {message}"
        );
    }
}

#[test]
fn a_library_that_is_no_policy_is_refused() {
    let room = Room::with_world(&[]);
    compile(&room, "nothing.so", "int nothing;");
    assert_snapshot!(room.refused(5, &["run", "world.ron", "--policy", "./nothing.so"]), @r"
    × [room]/nothing.so is not a voltide policy: it has no symbol `voltide_policy_v1`
    help: write `voltide_policy::export_policy!(YourPolicy);` in the plugin's lib.rs
    ");
}

#[test]
fn a_plugin_for_another_abi_is_refused() {
    let room = Room::with_world(&[]);
    compile(&room, "later.so", &C_POLICY.replace("ABI_LATER", "1"));
    assert_snapshot!(room.refused(5, &["run", "world.ron", "--policy", "./later.so"]), @r"
    × [room]/later.so was built for policy ABI 2.0, this program speaks 1.3
    help: build the plugin against voltide-policy of this program's version
    ");
    assert_snapshot!(room.refused(5, &["plugins", "check", "later.so"]), @r"
    × [room]/later.so was built for policy ABI 2.0, this program speaks 1.3
    help: build the plugin against voltide-policy of this program's version
    ");
}

#[test]
fn a_wrong_config_is_shown_in_the_world() {
    let room =
        Room::with_world(&[("policy:", "policies: {\"uncontrolled\": (gap: 0.1)},\n    policy:")]);
    assert_snapshot!(room.refused(3, &["run", "world.ron"]), @r#"
     × policy `uncontrolled` does not accept its config: there is no field `gap`: it has no fields
       ╭─[world.ron:31:33]
    30 │     },
    31 │     policies: {"uncontrolled": (gap: 0.1)},
       ·                                 ─┬─
       ·                                  ╰── here
    32 │     policy: "uncontrolled",
       ╰────
     help: its config is the value under `uncontrolled` in the world's `policies`
    "#);
}

#[test]
fn a_policy_that_is_named_by_its_path_has_the_config_under_its_own_name() {
    let room = with_broken("None");
    let message = room.refused(3, &["run", "world.ron", "--set", "policies.broken.slot=\"last\""]);
    assert_snapshot!(message, @r#"
     × policy `broken` does not accept its config: expected integer
      ╭─[from --set #1:1:22]
    1 │ policies.broken.slot="last"
      ·                      ───┬──
      ·                         ╰── here
      ╰────
     help: its config is the value under `broken` in the world's `policies`
    "#);
}

#[test]
fn a_policy_that_panics_is_replaced_by_the_fallback() {
    let room = with_broken("\"uncontrolled\"");
    let summary = run_json(room.path("world.ron").to_str().unwrap(), &room.path("outputs"), &[]);
    assert_eq!(summary["status"], "finished");
    assert_eq!(summary["policy"], "broken");
    assert_eq!(summary["policy_faults"], 1);
    assert_eq!(summary["missed_targets"], 0, "the fallback charged the car");
    let asked = ["run", "world.ron", "--fail-on", "policy-fault"];
    assert_eq!(room.voltide(&asked).output().unwrap().status.code(), Some(6));
}

#[test]
fn a_panic_is_said_at_once_and_in_the_summary() {
    let room = with_broken("\"uncontrolled\"");
    let output = room.voltide(&["run", "world.ron"]).output().unwrap();
    let (printed, said) = (super::text(&output.stdout), super::text(&output.stderr));
    let panic = "panicked at crates/host/tests/broken/src/lib.rs:28: index out of bounds: the len is 49 but the \
                 index is 5000";
    let at_once = format!(
        "! slot 27: policy `broken`: {panic}; `uncontrolled` answers in its place for the rest of the run\n"
    );
    assert_eq!(said, at_once, "and no second time");
    let calls = format!(
        "answered by `uncontrolled`; the first of `broken` in slot 27, 2024-06-03T18:45: {panic}\n"
    );
    assert!(printed.contains(&calls), "{printed}");
    assert!(
        printed
            .contains("`broken` panicked in slot 27, 2024-06-03T18:45, and was not asked again\n"),
        "{printed}"
    );
    let summary =
        run_json(room.path("world.ron").to_str().unwrap(), &room.path("again"), &["--quiet"]);
    assert_eq!(summary["first_policy_fault"]["message"], panic);
    assert_eq!(summary["first_policy_fault"]["tick"], 27);
    assert_eq!(summary["first_policy_fault"]["fallback"], "uncontrolled");
    assert_eq!(summary["lost_policy"]["tick"], 27);
    let quiet = room.voltide(&["run", "world.ron", "--quiet", "--out", "quiet"]).output().unwrap();
    assert_eq!(super::text(&quiet.stderr), "");
    let set = "policies={\"broken\": (slot: 5000)}";
    let policies = "uncontrolled,./broken.so";
    let mut compare =
        room.voltide(&["compare", "world.ron", "--policies", policies, "--seeds", "1..3"]);
    let output = compare.args(["--set", set]).output().unwrap();
    assert_eq!(super::text(&output.stderr).matches("panicked").count(), 1, "once, not once a seed");
    let table = super::text(&output.stdout);
    assert!(
        table.contains("! broken: 1 calls failed, answered by `uncontrolled`; the first"),
        "{table}"
    );
    assert!(table.contains("and was not asked again, with seed 1\n"), "{table}");
}

#[test]
fn answers_beyond_the_charger_are_said_and_counted() {
    let room = Room::with_world(&[("policy: \"uncontrolled\"", "policy: \"./nan.so\"")]);
    let source = C_POLICY.replace("ABI_LATER", "0").replace("= 0.0 / 0.0", "= 1e6");
    compile(&room, "nan.so", &source);
    let output = room.voltide(&["run", "world.ron"]).output().unwrap();
    let said = super::text(&output.stderr);
    assert!(
        said.starts_with(
            "! slot 27: policy `nan` broke the contract: 1,000,000.0 kW for car 0 in "
        ),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    let printed = super::text(&output.stdout);
    assert!(
        printed
            .contains("1 schedule broke the contract, cut to what the charger can do; the first "),
        "{printed}"
    );
    let checked = ["run", "world.ron", "--fail-on", "broken-answer", "--json", "--out", "again"];
    let output = room.voltide(&checked).output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["first_clipped"]["asked_kw"], 1e6);
    let others = ["run", "world.ron", "--fail-on", "policy-fault", "--quiet", "--out", "others"];
    assert_eq!(room.voltide(&others).output().unwrap().status.code(), Some(0), "no call failed");
}

#[test]
fn a_policy_that_panics_without_a_fallback_ends_the_run() {
    let room = with_broken("None");
    assert_snapshot!(room.refused(1, &["run", "world.ron"]), @r"
    × tick 27: policy `broken`: panicked at crates/host/tests/broken/src/lib.rs:28: index out of bounds: the len is 49 but the index is 5000, and no fallback could stand in
    help: `fallback` in the world names the policy that stands in; the tables hold what came before
    ");
    let run = room.only_run("outputs");
    assert_eq!(room.status(&run), "failed");
    let replay = room.voltide(&["replay", "--verify"]).arg(&run).output().unwrap();
    assert!(replay.status.success(), "{}", super::text(&replay.stderr));
    assert_eq!(room.status(&run), "failed", "also once it was replayed");
    assert!(room.refused(1, &["run", "world.ron"]).contains("panicked"), "it may be run again");
    assert_eq!(room.only_run("outputs"), run, "and replaces itself");
}

#[test]
fn an_answer_that_is_no_number_is_cut_and_counted() {
    let room = Room::with_world(&[("policy: \"uncontrolled\"", "policy: \"./nan.so\"")]);
    compile(&room, "nan.so", &C_POLICY.replace("ABI_LATER", "0"));
    let summary = run_json(room.path("world.ron").to_str().unwrap(), &room.path("outputs"), &[]);
    assert_eq!(summary["status"], "finished");
    assert_eq!(summary["policy"], "nan");
    assert_eq!(summary["policy_faults"], 0);
    assert_eq!(summary["answers_not_finite"], 1);
    assert_eq!(summary["first_not_finite"]["answer"], "NaN");
    assert_eq!(summary["clipped_by_charger"], 0);
    assert_eq!(summary["charged_kwh"], 0.0);
    assert_eq!(summary["missed_targets"], 1);
}

/// The payloads of the events of one kind, and the rows of the one event.
fn told(room: &Room, run: &str, kind: &str) -> Vec<serde_json::Value> {
    let printed = succeed(&mut room.voltide(&["--json", "log", "cat", run, "--kind", kind]));
    let lines =
        printed.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.map(|line| line["payload"].clone()).collect()
}

#[test]
fn a_run_that_was_answered_no_number_says_so_and_is_read_again() {
    for (answer, name) in [("0.0 / 0.0", "NaN"), ("1.0 / 0.0", "inf"), ("-1.0 / 0.0", "-inf")] {
        let room = Room::with_world(&[("policy: \"uncontrolled\"", "policy: \"./nan.so\"")]);
        let source = C_POLICY.replace("ABI_LATER", "0").replace(
            "answer->power_kw[at] = 0.0 / 0.0",
            &format!("answer->power_kw[at] = at == 2 ? {answer} : 1.0"),
        );
        compile(&room, "nan.so", &source);
        let printed =
            succeed(&mut room.voltide(&["run", "world.ron", "--fail-on", "policy-fault"]));
        let run = room.only_run("outputs");
        let run = run.to_str().unwrap();
        let found = told(&room, run, "AnswerNotFinite");
        let first = &found[0]["first"];
        assert_eq!((found.len(), &first["answer"]), (1, &name.into()), "{found:?}");
        let ev = first["ev"].as_u64().unwrap();
        let slot = first["slot"].as_u64().unwrap();
        let line = format!("the first is {name} for car {ev} in slot {slot}, ");
        assert!(printed.contains(&line), "{printed}");
        let planned = told(&room, run, "SessionStarted").len() as u64;
        assert_eq!(planned, 1, "so that the third slot of the answer is told");
        let verbs: [&[&str]; 4] = [
            &["replay", "--verify"],
            &["log", "verify"],
            &["log", "export", "--out", "log"],
            &["log", "stats"],
        ];
        for verb in verbs {
            succeed(&mut room.voltide(&[verb, &[run]].concat()));
        }
        succeed(&mut room.voltide(&["state", run, "--at", "80"]));
        succeed(&mut room.voltide(&["fork", run, "--at", "80"]));
        let mut checked =
            room.voltide(&["run", "world.ron", "--fail-on", "broken-answer", "--out", "again"]);
        assert_eq!(fail(&mut checked).0, 6, "{name}");
    }
}
