//! The program as a user runs it, and the helpers that other tests run it with.

use std::{
    collections::BTreeMap,
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The program, to be run in the root of the repository.
pub(crate) fn voltide() -> Command {
    let beside = std::env::current_exe().unwrap();
    let program = beside.parent().unwrap().parent().unwrap().join("voltide");
    assert!(program.exists(), "{} is missing: run `cargo test --workspace`", program.display());
    in_root(&program)
}

/// The program by itself, copied into `folder`: there are no policies but the built-in ones. To be run
/// in the root of the repository.
pub(crate) fn alone(folder: &Path) -> Command {
    let program = folder.join("voltide");
    // A process of its own writes it: a file that is open for writing here is inherited by whatever
    // another test starts meanwhile, and cannot be executed until that has closed it.
    succeed(Command::new("cp").arg(voltide().get_program()).arg(&program));
    in_root(&program)
}

/// The folder in which cargo leaves the plugins of the shipped policies.
pub(crate) fn plugin_folder() -> PathBuf {
    Path::new(voltide().get_program()).parent().unwrap().join("deps")
}

/// The file of a shipped policy's plugin.
pub(crate) fn plugin(name: &str) -> PathBuf {
    plugin_folder().join(format!("{DLL_PREFIX}voltide_{name}{DLL_SUFFIX}"))
}

/// A program, to be run in the root of the repository.
pub(crate) fn in_root(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).env("NO_COLOR", "1").env_remove("VOLTIDE_PLUGIN_PATH");
    command.env_remove("COLUMNS");
    command
}

/// What a script comes to that may mount disks of its own, run in `folder` with the program and one more
/// argument; `None` where none can be mounted.
pub(crate) fn with_own_disks(folder: &Path, script: &str, argument: &Path) -> Option<Output> {
    let mut unshare = Command::new("unshare");
    unshare.current_dir(folder).env("NO_COLOR", "1");
    unshare.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
    let output = unshare.arg(voltide().get_program()).arg(argument).output().ok()?;
    let refused = output.status.code() == Some(99) || text(&output.stderr).contains("unshare");
    if refused {
        eprintln!("ignored: no disk can be mounted here: {}", text(&output.stderr));
    }
    (!refused).then_some(output)
}

/// Standard output of a command that must succeed.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Exit code and standard error of a command that must fail.
pub(crate) fn fail(command: &mut Command) -> (i32, String) {
    let Output { status, stderr, .. } = command.output().unwrap();
    assert!(!status.success(), "{command:?} succeeded");
    (status.code().unwrap(), text(&stderr))
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs a world into `out` with more arguments; returns the run's folder.
pub(crate) fn run(world: &str, out: &Path, arguments: &[&str]) -> PathBuf {
    let json = run_json(world, out, arguments);
    root().join(json["folder"].as_str().unwrap())
}

/// Runs a world into `out` with more arguments; returns its summary.
pub(crate) fn run_json(world: &str, out: &Path, arguments: &[&str]) -> serde_json::Value {
    run_json_with(&mut voltide(), world, out, arguments)
}

/// The same with another program.
pub(crate) fn run_json_with(
    program: &mut Command,
    world: &str,
    out: &Path,
    arguments: &[&str],
) -> serde_json::Value {
    let printed = succeed(program.args(["--json", "run", world, "--out"]).arg(out).args(arguments));
    // Warnings stand before the summary, an object each.
    let objects = serde_json::Deserializer::from_str(&printed).into_iter();
    objects.last().unwrap().unwrap()
}

/// Copies a folder with all that is below it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, target).map(drop).unwrap();
        }
    }
}

/// Content of every file of a run but what was measured on the machine, by path within the run.
pub(crate) fn files(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![run.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(run).unwrap().to_string_lossy().into_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found.remove("profile.json");
    found
}

/// Fails where something below a folder is hidden: nothing is left that was not whole.
pub(crate) fn assert_nothing_hidden(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(!name.starts_with('.') && name != "log.new", "{} is left", path.display());
        if path.is_dir() {
            assert_nothing_hidden(&path);
        }
    }
}

/// Fails with the names of the files that differ, not with their content.
pub(crate) fn assert_same_files(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(a), names(b));
    let differing: Vec<_> =
        a.iter().filter(|(name, content)| b[*name] != **content).map(|(name, _)| name).collect();
    assert!(differing.is_empty(), "{differing:?} differ");
}

#[test]
fn the_smallest_world_runs_in_one_command() {
    let out = tempfile::tempdir().unwrap();
    let summary = run_json("worlds/one-car.ron", out.path(), &[]);
    assert_eq!(summary["status"], "finished");
    assert_eq!(summary["ev_count"], 1);
    assert!(summary["charged_kwh"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_dry_run_writes_nothing() {
    let out = tempfile::tempdir().unwrap();
    let printed = succeed(
        voltide().args(["run", "worlds/one-car.ron", "--dry-run", "--out"]).arg(out.path()),
    );
    assert!(printed.contains("one-car"), "{printed}");
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
}

#[test]
fn a_run_may_be_repeated_and_replaces_itself() {
    let out = tempfile::tempdir().unwrap();
    let first = files(&run("worlds/one-car.ron", out.path(), &[]));
    let second = files(&run("worlds/one-car.ron", out.path(), &[]));
    assert_same_files(&first, &second);
    assert_eq!(
        fs::read_dir(out.path().join("one-car")).unwrap().count(),
        1,
        "nothing is left aside"
    );
}

#[test]
fn a_check_that_was_asked_for_sets_the_exit_code() {
    let out = tempfile::tempdir().unwrap();
    let never_reached = ["--set", "fleets.commuters.charger.charge_max=0.1 kW"];
    let mut command = voltide();
    command
        .args(["run", "worlds/one-car.ron", "--fail-on", "missed-target", "--out"])
        .arg(out.path());
    assert_eq!(fail(command.args(never_reached)).0, 6);
}

#[test]
fn policies_are_built_in_and_found_beside_the_program() {
    let printed = succeed(voltide().args(["plugins", "list"]));
    let does = |line: &str| line.starts_with("uncontrolled ") && line.contains("charges at once");
    assert!(printed.lines().any(does), "{printed}");
    let found = printed.lines().find(|line| line.contains("libvoltide_uncontrolled"));
    assert!(
        found.is_some_and(|line| line.contains("the name means the built-in policy")),
        "{printed}"
    );
    let alone = succeed(alone(tempfile::tempdir().unwrap().path()).args(["plugins", "list"]));
    assert!(!alone.contains("file"), "there is nothing to say of files: {alone}");
}

#[test]
fn a_list_of_policies_says_what_their_configs_are() {
    let printed = succeed(voltide().args(["plugins", "list"]));
    for listed in built_in_policies() {
        let config = listed["config"].as_str().unwrap();
        let fields = listed["config_fields"].as_str().unwrap();
        assert_eq!(
            printed.contains(&format!("config {config}: {fields}")),
            config != "()",
            "{printed}"
        );
    }
}

/// What is listed of the built-in policies.
fn built_in_policies() -> Vec<serde_json::Value> {
    let listed = succeed(voltide().args(["--json", "plugins", "list"]));
    let listed = listed.lines().map(|line| serde_json::from_str(line).unwrap());
    listed.filter(|policy: &serde_json::Value| policy["file"].is_null()).collect()
}

/// What a command prints where lines have so many columns.
fn printed_within(width: usize, arguments: &[&str]) -> String {
    succeed(voltide().args(arguments).env("COLUMNS", width.to_string()))
}

/// Lines that are wider than they may be, but for words that are longer than a line by themselves.
fn too_wide(printed: &str, width: usize) -> Vec<&str> {
    let columns = |line: &str| line.chars().count();
    let is_one_word = |line: &str| line.split_whitespace().count() == 1;
    printed.lines().filter(|line| columns(line) > width && !is_one_word(line)).collect()
}

#[test]
fn lines_are_as_wide_as_the_terminal_whatever_is_asked() {
    let out = tempfile::tempdir().unwrap();
    let made = |policy: &str| run("worlds/v2g-street.ron", out.path(), &["--policy", policy]);
    let smart = made("smart");
    let smart = smart.to_str().unwrap();
    let v2g = made("v2g");
    let v2g = v2g.to_str().unwrap();
    let prices = "worlds/reservation/data/prices.csv";
    let buy = format!("buy={prices}:buy_eur_per_kwh");
    let sell = format!("sell={prices}:sell_eur_per_kwh");
    let infeasible = "worlds/reservation/infeasible.json";
    let acn = "worlds/acn/caltech.ron";
    let to = out.path().to_str().unwrap();
    let asked: [&[&str]; 13] = [
        &["run", "worlds/one-car.ron", "--replace", "--out", to],
        &["run", acn, "--set", "clock.days=2", "--policy", "smart", "--replace", "--out", to],
        &["run", "worlds/one-car.ron", "--dry-run"],
        &[
            "compare",
            "worlds/v2g-street.ron",
            "--policies",
            "uncontrolled,smart,v2g",
            "--seeds",
            "1..2",
        ],
        &["compare", smart, v2g],
        &["diff", smart, v2g],
        &["state", smart, "--at", "2024-06-03T18:15"],
        &["log", "ls", smart],
        &["log", "stats", smart],
        &["log", "verify", smart],
        &["plugins", "list"],
        &["doctor", "worlds/one-car.ron", "--out", to],
        &["schedule", infeasible, "--sensor", &buy, "--sensor", &sell],
    ];
    for arguments in asked {
        for width in [60, 80, 100, 120] {
            let printed = printed_within(width, arguments);
            assert_eq!(too_wide(&printed, width), Vec::<&str>::new(), "{width}: {arguments:?}");
        }
    }
}

#[test]
fn what_is_said_to_discharge_does_where_it_pays_and_nothing_else() {
    let out = tempfile::tempdir().unwrap();
    let listed = built_in_policies();
    assert_eq!(listed.len(), 10);
    for policy in listed {
        let name = policy["name"].as_str().unwrap();
        // A fleet that acts as one discharges only if it is told so.
        let told = "policies.coordinated=(discharge: true)";
        let asked = ["--policy", name, "--set", "incentive.price_feedback=None", "--set", told];
        let summary = run_json("worlds/v2g-street.ron", out.path(), &asked);
        let discharged = summary["discharged_kwh"].as_f64().unwrap() > 0.0;
        assert_eq!(policy["discharges"], discharged, "{name}");
        let never = (!discharged).then(|| format!("policy `{name}` never discharges"));
        assert_eq!(summary["no_discharge_reason"].as_str(), never.as_deref(), "{name}");
    }
}

#[test]
fn the_plugin_and_the_built_in_policy_do_the_same() {
    let out = tempfile::tempdir().unwrap();
    let folder = plugin_folder();
    let loaded = run("worlds/one-car.ron", out.path(), &["--plugin-dir", folder.to_str().unwrap()]);
    let log = fs::read(loaded.join("log/000001.mcap")).unwrap();
    let started =
        succeed(voltide().args(["--json", "log", "cat", "--kind", "RunStarted"]).arg(&loaded));
    let started: serde_json::Value = serde_json::from_str(&started).unwrap();
    let file = started["payload"]["build"]["plugin_file"].as_str().unwrap();
    assert!(file.contains("libvoltide_uncontrolled"), "the plugin was used: {file:?}");

    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("outputs");
    succeed(alone(folder.path()).args(["run", "worlds/one-car.ron", "--out"]).arg(&out));
    let run_folder = crate::resume::run_in(&out).unwrap();
    assert_ne!(run_folder.file_name(), loaded.file_name(), "they are two policies");
    assert_eq!(fs::read(run_folder.join("log/000001.mcap")).unwrap(), log);
}

#[test]
fn doctor_finds_this_machine_ready() {
    let out = tempfile::tempdir().unwrap();
    let printed =
        succeed(voltide().args(["doctor", "worlds/one-car.ron", "--out"]).arg(out.path()));
    assert!(!printed.contains("PROBLEM"), "{printed}");
}
