//! `voltide sweep`: runs of one world over values, seeds and policies, that go on where they were
//! cut off.

use crate::program::{fail, root, run_json, succeed, text, voltide};
use arrow_array::{
    cast::AsArray,
    types::{Float64Type, Int64Type},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

const ONE_CAR: &str = "worlds/one-car.ron";
const POWER: &str = "fleets.commuters.charger.charge_max";

/// A sweep of a world into a folder.
fn sweep(file: &str, out: &Path, arguments: &[&str]) -> Command {
    let mut command = voltide();
    command.args(["--json", "sweep", file, "--out"]).arg(out).args(arguments);
    command
}

/// The lines of a kind among those that a sweep prints.
fn lines(printed: &str, kind: &str) -> Vec<Value> {
    let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["kind"] == kind).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// The folder of the only sweep below a folder.
fn folder_of(out: &Path) -> PathBuf {
    let entries = fs::read_dir(out.join("one-car")).unwrap().map(|entry| entry.unwrap().path());
    let is_sweep =
        |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("sweep");
    let sweeps: Vec<PathBuf> = entries.filter(is_sweep).collect();
    assert_eq!(sweeps.len(), 1, "{sweeps:?}");
    sweeps[0].clone()
}

/// All files below a folder but those that say what made a run, by path.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for path in fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("log/000000.mcap") {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (files(one), files(other));
    let names = |of: &BTreeMap<PathBuf, Vec<u8>>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&one), names(&other));
    for (name, bytes) in &one {
        assert!(*bytes == other[name], "{} differs", name.display());
    }
}

#[test]
fn a_sweep_says_what_runs_and_comparisons_say() {
    let (out, one) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let grid = format!("{POWER}=4 kW,7 kW");
    let asked = ["--grid", &grid, "--seeds", "1..4", "--policies", "uncontrolled,v2g"];
    let printed = succeed(&mut sweep(ONE_CAR, out.path(), &asked));
    let points = lines(&printed, "sweep_point");
    assert_eq!(points.len(), 16);
    let set = format!("{POWER}=4 kW");
    let of_it = |point: &&Value| {
        point["policy"] == "v2g" && point["seed"] == 3 && point["parameters"][POWER] == "4 kW"
    };
    let point = points.iter().find(of_it).unwrap();
    let off = "telemetry.ev_ticks=Off";
    let alone = ["--policy", "v2g", "--seed", "3", "--set", &set, "--set", off];
    let run = run_json(ONE_CAR, one.path(), &alone);
    for name in ["run_id", "net_cost", "charged_kwh", "missing_kwh"] {
        assert_eq!(point[name], run[name], "{name}");
    }
    let compared = ["compare", ONE_CAR, "--policies", "uncontrolled,v2g", "--seeds", "1..4"];
    let compared = succeed(voltide().arg("--json").args(compared).args(["--set", &set]));
    let compared = &lines(&compared, "comparison")[1];
    let policy = &lines(&printed, "sweep_policy")[1];
    for name in ["net_cost", "saving", "net_load_sd_kw"] {
        for part in ["mean", "sd"] {
            assert_eq!(policy[name][part], compared[name][part], "{name} {part}");
        }
    }
    // 3.1824: the 97.5th percentile of Student's t with 3 degrees of freedom.
    let half = 3.1824 * number(&policy["net_cost"]["sd"]) / 2.0;
    assert!((number(&policy["net_cost"]["half_width_95"]) / half - 1.0).abs() < 1e-4);
    let cost = |point: &Value| number(&point["net_cost"]);
    let less: Vec<f64> = points[..8].chunks(2).map(|it| cost(&it[1]) - cost(&it[0])).collect();
    let mean = less.iter().sum::<f64>() / 4.0;
    assert!((number(&policy["net_cost"]["less_first"]["mean"]) - mean).abs() < 1e-9);
}

#[test]
fn parameters_are_columns() {
    let out = tempfile::tempdir().unwrap();
    let count = "fleets.commuters.count";
    let grid = [&format!("{POWER}=4 kW,5 kW")[..], &format!("{count}=1,3")[..]];
    let asked = ["--grid", grid[0], "--grid", grid[1]];
    let printed = succeed(&mut sweep(ONE_CAR, out.path(), &asked));
    let column = |file: &Path, name: &str| {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()).unwrap();
        let batch = reader.build().unwrap().next().unwrap().unwrap();
        batch.column_by_name(name).cloned()
    };
    let table = folder_of(out.path()).join("points.parquet");
    let powers = column(&table, POWER).unwrap();
    let powers: Vec<&str> = powers.as_string::<i32>().iter().flatten().collect();
    assert_eq!(powers, ["4 kW", "4 kW", "5 kW", "5 kW"]);
    let counts = column(&table, count).unwrap();
    assert_eq!(counts.as_primitive::<Float64Type>().values().to_vec(), [1.0, 3.0, 1.0, 3.0]);
    let seeds = column(&table, "seed").unwrap();
    assert_eq!(seeds.as_primitive::<Int64Type>().values().to_vec(), [7; 4]);
    for point in lines(&printed, "sweep_point") {
        let id = point["run_id"].as_str().unwrap();
        let runs = out.path().join(format!("one-car/run_id={id}/runs.parquet"));
        let power = column(&runs, POWER).unwrap();
        assert_eq!(power.as_string::<i32>().value(0), point["parameters"][POWER]);
        // The world has one car as it is written.
        match (column(&runs, count), point["parameters"][count].as_str().unwrap()) {
            (Some(cars), said) => {
                let cars = cars.as_primitive::<Float64Type>().value(0);
                assert!((cars - said.parse::<f64>().unwrap()).abs() < 1e-9);
            }
            (None, said) => assert_eq!(said, "1"),
        }
        let level = column(&runs, "telemetry.ev_ticks").unwrap();
        assert_eq!(level.as_string::<i32>().value(0), "Off");
        // Its log says them, too: the table comes again to the byte.
        succeed(voltide().arg("replay").arg(runs.parent().unwrap()).arg("--verify"));
    }
}

/// Two hundred points.
const MANY: [&str; 6] = [
    "--grid",
    "fleets.commuters.charger.charge_max=4 kW,7 kW",
    "--seeds",
    "1..50",
    "--policies",
    "uncontrolled,alap",
];

/// Number of runs that are whole below a folder.
fn finished(out: &Path) -> usize {
    let runs = fs::read_dir(out.join("one-car")).into_iter().flatten();
    runs.filter(|run| run.as_ref().unwrap().path().join("manifest.json").is_file()).count()
}

#[test]
fn a_sweep_that_is_killed_goes_on_to_the_same_files() {
    let (whole, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let undisturbed = succeed(&mut sweep(ONE_CAR, whole.path(), &MANY));
    assert_eq!(lines(&undisturbed, "sweep_point").len(), 200);
    let mut killed = 0;
    for at in [20, 55, 90, 125, 160] {
        let mut command = sweep(ONE_CAR, cut.path(), &MANY);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while finished(cut.path()) < at && child.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().code().is_none());
    }
    assert_eq!(killed, 5);
    let before = finished(cut.path());
    assert!((160..200).contains(&before), "{before}");
    assert_eq!(succeed(&mut sweep(ONE_CAR, cut.path(), &MANY)), undisturbed);
    assert_same(whole.path(), cut.path());
}

#[test]
fn a_finished_point_is_not_run_again_unless_that_is_asked_for() {
    let out = tempfile::tempdir().unwrap();
    let asked = ["--seeds", "1..3"];
    let printed = succeed(&mut sweep(ONE_CAR, out.path(), &asked));
    let id = lines(&printed, "sweep_point")[0]["run_id"].as_str().unwrap().to_owned();
    let made_by = out.path().join(format!("one-car/run_id={id}/log/000000.mcap"));
    let made = || fs::metadata(&made_by).unwrap().modified().unwrap();
    let before = made();
    // What was noted is not needed to go on.
    fs::remove_dir_all(folder_of(out.path())).unwrap();
    assert_eq!(succeed(&mut sweep(ONE_CAR, out.path(), &asked)), printed);
    assert_eq!(made(), before);
    let again = [&asked[..], &["--replace"]].concat();
    assert_eq!(succeed(&mut sweep(ONE_CAR, out.path(), &again)), printed);
    assert_ne!(made(), before);
}

#[test]
fn parts_are_together_the_whole() {
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let undisturbed = succeed(&mut sweep(ONE_CAR, whole.path(), &MANY[..4]));
    for shard in ["0/3", "2/3", "1/3"] {
        let part = [&MANY[..4], &["--shard", shard]].concat();
        let printed = succeed(&mut sweep(ONE_CAR, parts.path(), &part));
        let expected = if shard == "1/3" { undisturbed.as_str() } else { "" };
        assert_eq!(printed, expected, "{shard}");
    }
    assert_same(whole.path(), parts.path());
}

#[test]
fn one_broken_point_does_not_stop_the_others() {
    let out = tempfile::tempdir().unwrap();
    let powers: Vec<String> = (0..200)
        .map(|at| if at == 77 { "-7 kW".to_owned() } else { format!("{}.{at:03} kW", 4) })
        .collect();
    let grid = format!("{POWER}={}", powers.join(","));
    let output = sweep(ONE_CAR, out.path(), &["--grid", &grid]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("-7 kW uncontrolled seed 7: "), "{said}");
    let points = lines(&text(&output.stdout), "sweep_point");
    let failed = points.iter().filter(|point| point["status"] == "failed").count();
    assert_eq!((points.len(), failed, finished(out.path())), (200, 1, 199));
    assert_eq!(points[77]["error"], "`charge_max` is negative");
}

#[test]
fn a_sweep_file_says_the_same_as_flags() {
    let (flags, file) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let asked = ["--grid", "clock.days=1,2", "--seeds", "1..2", "--policies", "alap"];
    let printed = succeed(&mut sweep(ONE_CAR, flags.path(), &asked));
    let path = file.path().join("sweep.ron");
    let world = root().join(ONE_CAR);
    let said = format!(
        "(world: {world:?}, grid: {{\"clock.days\": [1, 2]}}, seeds: \"1..2\", policies: [\"alap\"])"
    );
    fs::write(&path, said).unwrap();
    let out = file.path().join("runs");
    assert_eq!(succeed(&mut sweep(path.to_str().unwrap(), &out, &[])), printed);
    assert_same(flags.path(), &out);
    let (code, said) = fail(&mut sweep(path.to_str().unwrap(), &out, &asked[..2]));
    assert_eq!((code, said.as_str()), (2, ""), "an object on stdout");
}

#[test]
fn a_wrong_sweep_ends_before_anything_runs() {
    let out = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str]| {
        let mut command = voltide();
        command.args(["sweep", ONE_CAR, "--out"]).arg(out.path()).args(arguments);
        fail(&mut command)
    };
    for (arguments, code, words) in [
        (&["--grid", "fleets.commuter.count=1,2"][..], 3, "did you mean `commuters`?"),
        (&["--grid", "fleets.commuters.count=-1,-2"], 3, "count"),
        (&["--grid", "clock.days=1,7", "--seeds", "1..90000"], 2, "180000 points"),
        (&["--seeds", "1..1000000000"], 2, "at most 100000 seeds"),
        (&["--grid", "seed=1,2"], 2, "--seeds"),
        (&["--grid", "clock.days"], 2, "clock.days=1,7"),
        (&["--policies", "smart,smart"], 2, "named twice"),
        (&["--policies", "nobody"], 5, "nobody"),
        (&["--shard", "3/3"], 2, "0/3"),
    ] {
        let (found, message) = refused(arguments);
        assert!(found == code && message.contains(words), "{found} {message}");
    }
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
}
