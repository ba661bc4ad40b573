//! `voltide compare`: policies side by side, on the same draws.

use crate::program::{fail, root, succeed, text, voltide};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const ONE_CAR: &str = "worlds/one-car.ron";

/// The lines of JSON that a comparison prints, of one kind.
fn compare(kind: &str, arguments: &[&str]) -> Vec<Value> {
    let printed = succeed(voltide().args(["--json", "compare"]).args(arguments));
    let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["kind"] == kind).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn a_policy_saves_nothing_against_itself() {
    let rows = compare("comparison", &[ONE_CAR, "--policies", "uncontrolled,uncontrolled"]);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1]["saving_percent"]["mean"], 0.0);
    assert_eq!(rows[1]["emptier_kwh"]["mean"], 0.0);
    assert_eq!(rows[1]["put_off_kwh"]["mean"], 0.0);
    assert_eq!(rows[0], rows[1]);
    assert!(number(&rows[0]["net_cost"]["mean"]) > 0.0);
}

#[test]
fn it_says_what_single_runs_say() {
    let out = tempfile::tempdir().unwrap();
    let row = &compare("compared_run", &[ONE_CAR, "--policies", "uncontrolled", "--seeds", "5"])[0];
    let run = crate::program::run_json(ONE_CAR, out.path(), &["--seed", "5"]);
    for name in ["net_cost", "charged_kwh", "discharged_kwh", "missing_kwh"] {
        assert_eq!(row[name], run[name], "{name}");
    }
    assert_eq!(row["net_load_peak_kw"], run["net_load_peak"]["kw"]);
    assert_eq!(row["folder"], Value::Null);
}

#[test]
fn seeds_give_mean_and_standard_deviation() {
    let arguments = [ONE_CAR, "--policies", "uncontrolled", "--seeds", "1..4"];
    let costs: Vec<f64> =
        compare("compared_run", &arguments).iter().map(|run| number(&run["net_cost"])).collect();
    assert_eq!(costs.len(), 4);
    let mean = costs.iter().sum::<f64>() / 4.0;
    let sd = (costs.iter().map(|cost| (cost - mean) * (cost - mean)).sum::<f64>() / 3.0).sqrt();
    let row = &compare("comparison", &arguments)[0];
    assert_eq!(row["runs"], 4);
    assert!((number(&row["net_cost"]["mean"]) - mean).abs() < 1e-12);
    assert!((number(&row["net_cost"]["sd"]) - sd).abs() < 1e-12);
    assert!(sd > 0.0, "seeds differ");
}

#[test]
fn the_saving_of_v2g_is_split() {
    let arguments = ["worlds/v2g-street.ron", "--policies", "uncontrolled,smart,v2g"];
    let rows = compare("comparison", &arguments);
    let names: Vec<&str> = rows.iter().map(|row| row["policy"].as_str().unwrap()).collect();
    assert_eq!(names, ["uncontrolled", "smart", "smart-incentive", "v2g"]);
    let split = &compare("saving_split", &arguments)[0];
    let against_smart =
        compare("comparison", &["worlds/v2g-street.ron", "--policies", "smart,v2g"]);
    let saved = |row: usize| number(&against_smart[row]["saving"]["mean"]);
    assert!((number(&split["saving"]["mean"]) - saved(2)).abs() < 1e-9);
    assert!((number(&split["by_tariff"]["mean"]) - saved(1)).abs() < 1e-9);
    assert!((number(&split["by_discharge"]["mean"]) - (saved(2) - saved(1))).abs() < 1e-9);
    assert!(number(&rows[3]["discharged_kwh"]["mean"]) > 0.0);
    let table = succeed(voltide().arg("compare").args(arguments));
    assert!(table.contains("v2g saves "), "{table}");
}

#[test]
fn how_many_run_at_once_does_not_matter() {
    let with = |jobs: &str| {
        let mut command = voltide();
        command.args([
            "--json",
            "compare",
            ONE_CAR,
            "--policies",
            "uncontrolled,alap",
            "--seeds",
            "1..3",
        ]);
        succeed(command.args(["--jobs", jobs]))
    };
    assert_eq!(with("1"), with("4"));
}

#[test]
fn runs_that_were_kept_can_be_compared_again() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    let live =
        compare("compared_run", &[ONE_CAR, "--policies", "uncontrolled,alap", "--out", folder]);
    let folders: Vec<&str> = live.iter().map(|run| run["folder"].as_str().unwrap()).collect();
    assert!(
        folders.iter().all(|run| Path::new(run).join("manifest.json").is_file()),
        "{folders:?}"
    );
    assert_eq!(compare("compared_run", &folders), live);
}

#[test]
fn nothing_is_kept_unless_asked_for() {
    let scratch = tempfile::tempdir().unwrap();
    let mut command = voltide();
    command.env("TMPDIR", scratch.path()).args(["compare", ONE_CAR, "--policies", "uncontrolled"]);
    succeed(&mut command);
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
}

/// Names and bytes of the files of a folder, but for what says how long a run took.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|file| file.is_file() && !file.ends_with("profile.json"));
    files.map(|file| (file.file_name().unwrap().into(), fs::read(&file).unwrap())).collect()
}

#[test]
fn runs_of_many_seeds_are_those_that_are_made_one_by_one() {
    let (one, many) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = many.path().to_str().unwrap();
    // Seeds of one digit and of two; 7 is that of the file.
    let arguments =
        [ONE_CAR, "--policies", "uncontrolled,v2g", "--seeds", "6..11", "--out", folder];
    let runs = compare("compared_run", &arguments);
    for policy in ["uncontrolled", "v2g"] {
        for seed in [6, 7, 8, 10, 11] {
            let of_it = |run: &&Value| run["policy"] == policy && run["seed"] == seed;
            let kept = runs.iter().find(of_it).unwrap()["folder"].as_str().unwrap();
            let arguments = ["--policy", policy, "--seed", &seed.to_string()];
            let alone = crate::program::run(ONE_CAR, one.path(), &arguments);
            assert_eq!(alone.file_name(), Path::new(kept).file_name());
            for part in ["", "log"] {
                let [ours, theirs] = [alone.join(part), Path::new(kept).join(part)];
                assert!(files(&ours) == files(&theirs), "{policy}, seed {seed}: {part}");
            }
        }
    }
}

#[test]
fn a_comparison_that_keeps_nothing_leaves_the_run_alone_that_it_begins_in() {
    let out = tempfile::tempdir().unwrap();
    let run = crate::program::run(ONE_CAR, out.path(), &[]);
    let before = files(&run);
    let world = root().join(ONE_CAR);
    let arguments = ["compare", world.to_str().unwrap(), "--policies", "alap"];
    succeed(voltide().current_dir(&run).args(arguments));
    assert!(files(&run) == before);
}

#[test]
fn a_wrong_comparison_ends_before_anything_runs() {
    let out = tempfile::tempdir().unwrap();
    let refused = |policies: &str| {
        let mut command = voltide();
        fail(command.args(["compare", ONE_CAR, "--policies", policies, "--out"]).arg(out.path()))
    };
    let (code, message) = refused("uncontrolled,nothing-of-the-kind");
    assert!(
        code == 5 && message.contains("no policy is named `nothing-of-the-kind`"),
        "{code} {message}"
    );
    let (code, message) = refused("uncontrolled,alap,uncontrolled");
    assert!(code == 3 && message.contains("`uncontrolled` is named twice"), "{code} {message}");
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
    assert_eq!(fail(voltide().args(["compare", ONE_CAR])).0, 2);
    assert_eq!(fail(voltide().args(["compare", ONE_CAR, ONE_CAR, "--policies", "alap"])).0, 2);
}

/// What is printed where lines have so many columns, and how wide its widest line is.
fn on_lines_of(width: usize, arguments: &[&str]) -> (String, usize) {
    let printed = succeed(voltide().env("COLUMNS", width.to_string()).args(arguments));
    // A path is not cut.
    let lines = printed.lines().filter(|line| !line.contains('/') && !line.contains("run_id="));
    let widest = lines.map(|line| line.chars().count()).max().unwrap();
    (printed, widest)
}

#[test]
fn what_is_printed_fits_its_line() {
    let out = tempfile::tempdir().unwrap();
    let street = "worlds/v2g-street.ron";
    let run = |policy: &str| crate::program::run(street, out.path(), &["--policy", policy]);
    let [one, other] = ["uncontrolled", "v2g"].map(run);
    let [one, other] = [&one, &other].map(|run| run.to_str().unwrap());
    let again = out.path().join("again");
    let asked: [&[&str]; 6] = [
        &["compare", street, "--policies", "uncontrolled,smart,v2g", "--seeds", "1..2", "--quiet"],
        &[
            "compare",
            "worlds/ten-units/day.ron",
            "--policies",
            "uncontrolled,edf",
            "--cases",
            "1,2",
            "--quiet",
        ],
        &["run", street, "--out", again.to_str().unwrap()],
        &["diff", one, other],
        &["log", "stats", one],
        &["state", one, "--at", "60"],
    ];
    for arguments in asked {
        for width in [80, 100, 120] {
            let (printed, widest) = on_lines_of(width, arguments);
            assert!(widest <= width, "{widest} columns instead of {width}:\n{printed}");
        }
    }
    let words = |text: &str| {
        let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        words.sort();
        words.dedup();
        words
    };
    let (narrow, _) = on_lines_of(80, asked[0]);
    assert_eq!(
        words(&narrow),
        words(&succeed(voltide().args(asked[0]))),
        "nothing is lost on the way"
    );
}

#[test]
fn columns_without_anything_in_them_are_shown_only_where_all_are_asked_for() {
    let asked = ["compare", ONE_CAR, "--policies", "uncontrolled,alap"];
    let header = |more: &[&str]| {
        let printed = succeed(voltide().args(asked).args(more));
        printed.lines().nth(2).unwrap().to_owned()
    };
    let short = header(&[]);
    for name in ["discharged kWh", "missed", "short trips", "faults", "broken answers"] {
        assert!(!short.contains(name), "{short}");
        assert!(header(&["--wide"]).contains(name), "{name}");
    }
    assert!(short.contains("cost EUR") && short.contains("charged kWh"), "{short}");
    let narrow = succeed(voltide().env("COLUMNS", "60").args(asked).arg("--wide"));
    assert_eq!(narrow, succeed(voltide().args(asked).arg("--wide")), "however wide it becomes");
}

#[test]
fn the_table_is_quiet_on_stderr() {
    let output =
        voltide().args(["compare", ONE_CAR, "--policies", "uncontrolled"]).output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert!(text(&output.stdout).starts_with("one-car, 1 car, 1.00 days, seed 7\n"));
}

/// What is said of the last of these runs besides its figures: in JSON, and under the table.
fn unlike(runs: &[&Path]) -> Vec<String> {
    let paths: Vec<&str> = runs.iter().map(|run| run.to_str().unwrap()).collect();
    let last = compare("compared_run", &paths).pop().unwrap();
    let said = last["unlike"].as_array().unwrap().iter();
    let said: Vec<String> = said.map(|what| what.as_str().unwrap().to_owned()).collect();
    let table = succeed(voltide().args(["--quiet", "compare"]).args(runs));
    assert!(said.iter().all(|what| table.contains(&format!(": {what}\n"))), "{said:?}: {table}");
    said
}

#[test]
fn what_is_unlike_besides_the_policy_is_said() {
    let out = tempfile::tempdir().unwrap();
    let run =
        |arguments: &[&str]| crate::program::run("worlds/v2g-street.ron", out.path(), arguments);
    let first = run(&["--policy", "uncontrolled"]);
    let fork = |arguments: &[&str]| crate::time_travel::fork(&first, "144", arguments);
    let from = format!(
        "a fork of {} from tick 144 (2024-06-04 12:00)",
        first.file_name().unwrap().to_str().unwrap().trim_start_matches("run_id=")
    );
    let dear = fork(&["--set", "tariff.default=0.10 CNY/kWh"]);
    let alap = fork(&["--policy", "alap"]);
    let few = fork(&["--set", "fleets.commuters.count=60"]);
    let cut = run(&["--policy", "smart"]);
    crate::streams::tear(&cut);
    let cases: [(&Path, &[&str]); 6] = [
        (&run(&["--policy", "alap"]), &[]),
        (&run(&["--seed", "3"]), &["seed 3, not 19"]),
        (&dear, &["another world in: tariffs", &format!("{from}: tariff.default=0.10 CNY/kWh")]),
        (&alap, &[&format!("{from}: policy=\"alap\"")]),
        (
            &few,
            &[
                "cars 60 (40 removed), not 100",
                "another world in: fleets",
                &format!("{from}: fleets.commuters.count=60"),
            ],
        ),
        (&cut, &["unfinished: 128 of 192 slots"]),
    ];
    for (other, expected) in cases {
        assert_eq!(unlike(&[&first, other]), expected);
    }
    let smart = fork(&["--policy", "smart"]);
    assert_eq!(unlike(&[&alap, &smart]), [""; 0], "forks at one tick have the same past");
    assert_eq!(unlike(&[&alap, &first]), ["no fork, as the first is"]);
}

#[test]
fn cases_say_which_they_are_and_what_is_priced() {
    let small = ["worlds/ten-units/day.ron", "--policies", "uncontrolled", "--cases", "2,1"];
    assert_eq!(compare("compared_run", &small)[0]["case"], 2);
    let figures = compare("compared_figure", &small);
    let prices = |figure: &Value| {
        let prices =
            [&figure["unserved_price_per_kwh"], &figure["margin_price_per_kwh"], &figure["seed"]];
        prices.map(|price| number(price).to_string())
    };
    assert!(figures.iter().all(|figure| prices(figure) == ["50", "30", "1"]), "{}", figures[0]);
    let table = succeed(voltide().arg("compare").args(small));
    for words in
        ["seed 1, case 2\n", "this table is of case 2", "a kWh at 50.00 USD", "margins, seed 1\n"]
    {
        assert!(table.contains(words), "{words}: {table}");
    }
}

/// Prices at which charging is paid for, more in the evening.
const NEGATIVE: &str = r#"tariff=TimeOfUse(default: "-0.10 CNY/kWh",
    bands: [(from: "20:00", to: "02:00", price: "-0.50 CNY/kWh")])"#;

#[test]
fn no_share_of_what_costs_nothing_is_explained() {
    let negative = ["worlds/v2g-street.ron", "--policies", "uncontrolled,v2g", "--set", NEGATIVE];
    let why = "-: no share, where those stays cost nothing or less in the first run (as at negative prices)";
    for (arguments, expected) in [(&negative[..], true), (&negative[..3], false)] {
        let table = succeed(voltide().arg("compare").args(arguments));
        assert_eq!(table.contains(why), expected, "{table}");
    }
}
