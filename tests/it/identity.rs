//! What a run is called: by all that decides what happens in it, and by nothing else.

use crate::program::{
    alone, fail, files, plugin, plugin_folder, run, run_json, succeed, text, voltide,
};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const WORLD: &str = "worlds/v2g-street.ron";
const ONE_CAR: &str = "worlds/one-car.ron";

/// The id of a run that is made for it.
fn id(world: &str, arguments: &[&str]) -> String {
    let out = tempfile::tempdir().unwrap();
    run_json(world, out.path(), arguments)["run_id"].as_str().unwrap().to_owned()
}

/// A copy of a shipped policy's plugin in a folder of its own, with these bytes after its end.
fn copied(name: &str, more: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let library = plugin(name);
    let copy = folder.path().join(library.file_name().unwrap());
    fs::write(&copy, [fs::read(library).unwrap(), more.to_vec()].concat()).unwrap();
    (folder, copy)
}

#[test]
fn a_config_is_named_as_it_is_read() {
    let with = |config: &str| {
        id(WORLD, &["--policy", "threshold", "--set", &format!("policies.threshold={config}")])
    };
    let one = with("(charge_below: 0.5, discharge_above: 1.5)");
    assert_eq!(one, with("(discharge_above:1.50,charge_below:5e-1,)"));
    assert_ne!(one, with("(charge_below: 0.5, discharge_above: 1.25)"));
}

#[test]
fn a_plugin_is_named_by_its_content_and_not_by_its_place() {
    let by = |arguments: &[&str]| id(ONE_CAR, arguments);
    let (folder, file) = copied("uncontrolled", b"");
    let (rebuilt, rebuilt_file) = copied("uncontrolled", b"rebuilt");
    let dir = |folder: &Path| folder.to_str().unwrap().to_owned();
    let here = by(&["--policy", "uncontrolled", "--plugin-dir", &dir(folder.path())]);
    let renamed = folder.path().join("mine.so");
    fs::copy(&file, &renamed).unwrap();
    for same in [&file, &renamed, &plugin("uncontrolled")] {
        assert_eq!(by(&["--policy", same.to_str().unwrap()]), here, "{}", same.display());
    }
    let built_in = by(&["--policy", "uncontrolled"]);
    let another = by(&["--policy", rebuilt_file.to_str().unwrap()]);
    assert_eq!(another, by(&["--policy", "uncontrolled", "--plugin-dir", &dir(rebuilt.path())]));
    assert!(
        here != built_in && here != another && another != built_in,
        "{here} {built_in} {another}"
    );
}

#[test]
fn a_run_of_a_rebuilt_plugin_stands_beside_the_earlier_one() {
    let out = tempfile::tempdir().unwrap();
    let (_first, first) = copied("uncontrolled", b"");
    let (_second, second) = copied("uncontrolled", b"rebuilt");
    let earlier = run(ONE_CAR, out.path(), &["--policy", first.to_str().unwrap()]);
    let before = files(&earlier);
    let later = run(ONE_CAR, out.path(), &["--policy", second.to_str().unwrap()]);
    assert_ne!(earlier, later);
    assert_eq!(before, files(&earlier));
}

#[test]
fn the_policy_that_stands_in_is_part_of_the_name() {
    let (_first, first) = copied("alap", b"");
    let (_second, second) = copied("alap", b"rebuilt");
    let with = |file: &Path| {
        let fallback = format!("fallback={:?}", file.to_str().unwrap());
        id(ONE_CAR, &["--policy", "uncontrolled", "--set", &fallback])
    };
    assert_ne!(with(&first), with(&second));
    assert_eq!(with(&first), with(&plugin("alap")));
}

#[test]
fn a_fork_is_named_by_what_its_parent_was() {
    let fork = |file: &Path| {
        let out = tempfile::tempdir().unwrap();
        let parent = run(ONE_CAR, out.path(), &["--policy", file.to_str().unwrap()]);
        let printed = succeed(voltide().args(["--json", "fork", "--at", "40"]).arg(parent));
        let fork: serde_json::Value = serde_json::from_str(&printed).unwrap();
        fork["run_id"].as_str().unwrap().to_owned()
    };
    let (_first, first) = copied("uncontrolled", b"");
    let (_second, second) = copied("uncontrolled", b"rebuilt");
    assert_eq!(fork(&first), fork(&plugin("uncontrolled")));
    assert_ne!(fork(&first), fork(&second));
}

#[test]
fn a_shipped_name_means_the_built_in_policy_unless_the_user_says_otherwise() {
    let room = tempfile::tempdir().unwrap();
    let library = plugin("uncontrolled");
    fs::copy(&library, room.path().join(library.file_name().unwrap())).unwrap();
    let said = |more: &[&str], variable: Option<&Path>| {
        let out = tempfile::tempdir().unwrap();
        let mut command = alone(room.path());
        command
            .args(["run", ONE_CAR, "--policy", "uncontrolled", "--out"])
            .arg(out.path())
            .args(more);
        if let Some(folder) = variable {
            command.env("VOLTIDE_PLUGIN_PATH", folder);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let run = crate::resume::run_in(out.path()).unwrap();
        let world = run.file_name().unwrap().to_str().unwrap().to_owned();
        (text(&output.stderr), world)
    };
    let (nothing, built_in) = said(&[], None);
    assert_eq!(nothing, "");
    let dir = plugin_folder();
    let dir = dir.to_str().unwrap();
    for (more, variable) in [(vec!["--plugin-dir", dir], None), (vec![], Some(plugin_folder()))] {
        let (message, file) = said(&more, variable.as_deref());
        assert!(message.contains("`uncontrolled` is") && message.contains("built in"), "{message}");
        assert_ne!(file, built_in);
    }
    assert_eq!(said(&["-q", "--plugin-dir", dir], None).0, "");
    let listed = succeed(alone(room.path()).args(["plugins", "list", "--plugin-dir", dir]));
    assert!(listed.contains("ok, in place of the built-in policy"), "{listed}");
    let listed = succeed(alone(room.path()).args(["plugins", "list"]));
    assert!(!listed.contains("in place of"), "{listed}");
}

#[test]
fn a_policy_of_ones_own_is_found_beside_the_program() {
    let room = tempfile::tempdir().unwrap();
    let broken = plugin_folder().join("libbroken_policy.so");
    fs::copy(broken, room.path().join("libvoltide_broken.so")).unwrap();
    let out = tempfile::tempdir().unwrap();
    let mut command = alone(room.path());
    command.args([
        "run",
        ONE_CAR,
        "--policy",
        "broken",
        "--set",
        "policies.broken=(slot: 0)",
        "--out",
    ]);
    let output = command.arg(out.path()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "", "nothing of that name is built in");
}

#[test]
fn a_run_that_would_not_be_repeated_is_replaced_only_where_that_is_asked_for() {
    let out = tempfile::tempdir().unwrap();
    let threshold = |config: &str, more: &[&str]| {
        let mut command = voltide();
        command.args(["run", WORLD, "--policy", "threshold", "--set"]);
        command.arg(format!("policies.threshold={config}")).args(more).arg("--out").arg(out.path());
        command
    };
    succeed(&mut threshold("(charge_below: 0.5, discharge_above: 1.5)", &[]));
    let found = crate::resume::run_in(out.path()).unwrap();
    let before = files(&found);
    let (code, message) = fail(&mut threshold("(charge_below:0.5, discharge_above:1.5)", &[]));
    assert_eq!(code, 3);
    assert!(message.contains("(charge_below: 0.5") && message.contains("--replace"), "{message}");
    assert_eq!(before, files(&found));
    succeed(&mut threshold("(charge_below: 0.5, discharge_above: 1.5)", &[]));
    assert_eq!(before, files(&found));
    succeed(&mut threshold("(charge_below:0.5, discharge_above:1.5)", &["--replace"]));
    assert_ne!(before, files(&found));
    assert_eq!(fs::read_dir(out.path().join("v2g-street")).unwrap().count(), 1);
}

#[test]
fn what_changes_nothing_of_a_world_makes_no_other_run() {
    let out = tempfile::tempdir().unwrap();
    let first = files(&run(ONE_CAR, out.path(), &[]));
    let same = ["--policy", "uncontrolled", "--seed", "7", "--set", "name=one-car"];
    assert_eq!(first, files(&run(ONE_CAR, out.path(), &same)));
    succeed(
        voltide().args(["compare", ONE_CAR, "--policies", "uncontrolled", "--out"]).arg(out.path()),
    );
    assert_eq!(fs::read_dir(out.path().join("one-car")).unwrap().count(), 1);
}
