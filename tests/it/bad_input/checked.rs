//! What a run would refuse is said by `check`, word for word; and programs read it as objects.

use super::{
    Room,
    policies::{C_POLICY, compile},
    root, text,
};
use serde_json::Value;
use std::{fs, process::Output};

/// A world with sessions of price feedback, in which policies that plan whole sites cannot plan.
fn write_street(room: &Room) {
    let street = fs::read_to_string(root().join("worlds/v2g-street.ron")).unwrap();
    let data = root().join("worlds/paper/data").display().to_string();
    room.write("street.ron", &street.replace("paper/data", &data));
}

/// Arguments after `run` or `check` with which a run ends with 2, 3 or 5.
fn refusals() -> Vec<Vec<String>> {
    let long = format!("name={}", "long".repeat(60));
    let huge = "fleets.commuters.battery.capacity=1e308 kWh";
    let cases: [&[&str]; 24] = [
        &["nowhere.ron"],
        &["."],
        &["world.ron", "--set", "policy=smrt"],
        &["world.ron", "--policy", "smrt"],
        &["world.ron", "--policy", "./nothing.so"],
        &["world.ron", "--set", "policy=./notes.so"],
        &["world.ron", "--policy", "./empty.so"],
        &["world.ron", "--policy", "./later.so"],
        &["world.ron", "--set", "fallback=nobody"],
        &["world.ron", "--set", r#"policies={"smrat": ()}"#],
        &["world.ron", "--set", r#"policies={"uncontrolled": (gap: 0.1)}"#],
        &["world.ron", "--set", "policies.threshold.charge_below=true", "--policy", "threshold"],
        &[
            "world.ron",
            "--set",
            "policy=smrt",
            "--set",
            "fallback=nobody",
            "--set",
            r#"policies={"smrat": ()}"#,
        ],
        &["world.ron", "--set", &long],
        &["world.ron", "--set", huge, "--set", "fleets.commuters.count=2"],
        &["world.ron", "--set", "fleets.commuters.battery.capacity=60 kW"],
        &["world.ron", "--set", "fleets.commuters.cuont=2"],
        &["world.ron", "--set", "seed"],
        &["world.ron", "--set", "clock.days=0"],
        &[
            "world.ron",
            "--set",
            "tariff=(path: \"none.csv\", column: \"price\", unit: \"EUR/MWh\")",
        ],
        &["street.ron", "--policy", "edf"],
        &["street.ron", "--set", "policy=llf"],
        &["world.ron", "--seed", "seven"],
        &["world.ron", "--sed", "7"],
    ];
    cases.iter().map(|case| case.iter().map(|&word| word.to_owned()).collect()).collect()
}

fn room() -> Room {
    let room = Room::with_world(&[]);
    write_street(&room);
    room.write("notes.so", "not a library");
    compile(&room, "empty.so", "int nothing;");
    compile(&room, "later.so", &C_POLICY.replace("ABI_LATER", "1"));
    room
}

fn said(room: &Room, verb: &[&str], case: &[String]) -> Output {
    let case: Vec<&str> = case.iter().map(String::as_str).collect();
    room.voltide(&[verb, &case[..]].concat()).output().unwrap()
}

#[test]
fn check_says_what_run_would_refuse_in_the_same_words() {
    let room = room();
    for case in refusals() {
        let run = said(&room, &["run"], &case);
        let (code, words) = (run.status.code().unwrap(), text(&run.stderr));
        assert!([2, 3, 5].contains(&code), "{case:?} ends with {code}: {words}");
        for verb in ["check", "run --dry-run"] {
            let other = said(&room, &verb.split(' ').collect::<Vec<_>>(), &case);
            let usage = |words: &str| {
                words
                    .replace("voltide check", "voltide run")
                    .replace("run --dry-run", "run")
                    .replace("<WORLD.ron>...", "<WORLD.ron>")
            };
            assert_eq!(usage(&text(&other.stderr)), words, "{verb} {case:?}");
            assert_eq!(other.status.code(), Some(code), "{verb} {case:?}");
        }
        assert!(!room.path("outputs").exists(), "{case:?} leaves something");
    }
}

#[test]
fn all_that_is_wrong_with_policies_is_said_at_once() {
    let sets = ["policy=smrt", "fallback=nobody", r#"policies={"smrat": ()}"#];
    let arguments = sets.map(|set| ["--set", set]).concat();
    let message =
        Room::with_world(&[]).refused(5, &[&["check", "world.ron"], &arguments[..]].concat());
    for part in [
        "no policy is named `smrt`",
        "no policy is named `nobody`",
        "`smrat`, so that",
        "has 3 problems",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

/// The objects that a command prints, one a line.
fn objects(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn with_json_every_problem_is_an_object() {
    let room = room();
    for case in refusals() {
        let plain = said(&room, &["run"], &case);
        let run = said(&room, &["--json", "run"], &case);
        assert_eq!(run.status.code(), plain.status.code(), "{case:?}");
        let found = objects(&run);
        assert!(!found.is_empty(), "{case:?}");
        for problem in &found {
            assert_eq!(
                (&problem["kind"], &problem["severity"]),
                (&"problem".into(), &"error".into())
            );
            assert_eq!(
                problem["code"].as_i64(),
                plain.status.code().map(i64::from),
                "{case:?}: {problem}"
            );
            let first = problem["message"].as_str().unwrap().lines().next().unwrap();
            assert!(text(&plain.stderr).contains(first), "{case:?}: {problem}");
            let place = ["path", "line", "column"].map(|field| problem[field].is_null());
            assert!(place == [true; 3] || place == [false; 3], "{problem}");
        }
        let check = said(&room, &["--json", "check"], &case);
        if plain.status.code() == Some(2) {
            continue;
        }
        let [check] = &objects(&check)[..] else { panic!("{case:?}") };
        let strip = |problem: &Value, field| problem.as_object().unwrap().get(field).cloned();
        for (one, other) in check["problems"].as_array().unwrap().iter().zip(&found) {
            for field in ["path", "line", "column", "message", "help", "code", "severity"] {
                assert_eq!(strip(one, field), strip(other, field), "{case:?}");
            }
        }
        assert_eq!(check["problems"].as_array().unwrap().len(), found.len(), "{case:?}");
    }
}

#[test]
fn other_verbs_tell_problems_as_objects_too() {
    let room = room();
    assert!(room.voltide(&["run", "world.ron", "-q"]).status().unwrap().success());
    let run = room.only_run("outputs");
    let run = run.to_str().unwrap();
    let bad = ["--set", "tariff=0.3 EUR/kW"];
    let cases: [(&[&str], i64); 9] = [
        (&["compare", "world.ron", "--policies", "smart,smrt"], 5),
        (&["compare", "world.ron", "--policies", "smart,edf", bad[0], bad[1]], 3),
        (&["fork", run, "--at", "20", bad[0], bad[1]], 3),
        (&["doctor", "world.ron", bad[0], bad[1]], 3),
        (&["replay", "nowhere"], 3),
        (&["resume", "nowhere"], 3),
        (&["state", run, "--at", "never"], 3),
        (&["log", "ls", "nowhere"], 3),
        (&["plugins", "check", "notes.so"], 5),
    ];
    for (case, code) in cases {
        let output = room.voltide(&[&["--json"], case].concat()).output().unwrap();
        assert_eq!(
            output.status.code().map(i64::from),
            Some(code),
            "{case:?}: {}",
            text(&output.stderr)
        );
        let problem = objects(&output).pop().unwrap();
        assert_eq!(
            (&problem["kind"], problem["code"].as_i64()),
            (&"problem".into(), Some(code)),
            "{case:?}"
        );
        if case.contains(&bad[1]) {
            let place = ["path", "line", "column"].map(|field| problem[field].clone());
            assert_eq!(
                Value::from(place.to_vec()),
                serde_json::json!(["from --set #1", 1, 8]),
                "{case:?}"
            );
        }
    }
}

#[test]
fn a_wrong_config_from_an_override_points_into_it() {
    let room =
        Room::with_world(&[("policy:", "policies: {\"v2g\": (solver: Exact)},\n    policy:")]);
    let set = "policies.v2g.solver=Magic";
    let place = "╭─[from --set #2:1:21]";
    let arguments = ["--set", "seed=3", "--set", set];
    for verb in [
        &["run", "world.ron", "--policy", "v2g"][..],
        &["check", "world.ron", "--policy", "v2g"],
        &["compare", "world.ron", "--policies", "v2g,smart"],
        &["doctor", "world.ron", "--set", "policy=v2g"],
    ] {
        let number = if verb[0] == "doctor" { place.replace("#2", "#3") } else { place.to_owned() };
        let message = room.refused(3, &[verb, &arguments[..]].concat());
        assert!(message.contains(&number) && message.contains(set), "{verb:?}: {message}");
    }
    assert!(room.voltide(&["run", "world.ron", "-q"]).status().unwrap().success());
    let run = room.only_run("outputs");
    let fork = [
        "fork",
        run.to_str().unwrap(),
        "--at",
        "20",
        "--policy",
        "v2g",
        "--set",
        "seed=7",
        "--set",
        set,
    ];
    let message = room.refused(3, &fork);
    assert!(message.contains(place), "{message}");
}
