//! The reference cases: what FlexMeasures 1.0.1 answered, and what we do.
//!
//! `tests/cases/flexmeasures/README.md` says where they come from. `VOLTIDE_FLEX_CASES` names a
//! folder with more of them.

use crate::checker::Checker;
use serde_json::Value;
use std::{
    env, fs,
    path::{Path, PathBuf},
};
use voltide_flexmeasures::{Answer, Mode, Problem, Rejection, read, solve};

/// The folder that the repository has.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/flexmeasures")
}

/// Every case of a folder, sorted by name.
fn cases(folder: &Path) -> Vec<(String, String)> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there is no case in {}", folder.display());
    let text = |file: PathBuf| (file.display().to_string(), fs::read_to_string(&file).unwrap());
    files.into_iter().map(text).collect()
}

fn case(name: &str) -> (String, Value) {
    let text = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    let value = serde_json::from_str(&text).unwrap();
    (text, value)
}

fn answer(text: &str, mode: Mode) -> Result<(Problem, Answer), Rejection> {
    let problem = read(text, mode)?;
    let answer = solve(&problem, mode);
    Ok((problem, answer))
}

/// Relative to 1, or to the size of the number.
fn is_close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-6 * expected.abs().max(1.0)
}

/// Holds our answer against that of FlexMeasures; returns what differs.
fn differs(text: &str) -> Option<String> {
    let case: Value = serde_json::from_str(text).unwrap();
    let expected = &case["expected"];
    let (problem, answer) = match answer(text, Mode::FlexMeasures) {
        Ok(found) => found,
        Err(rejection) => {
            let right =
                expected["status"] == "rejected" && expected["stage"] == rejection.stage.name();
            return (!right).then(|| format!("rejected: {rejection}"));
        }
    };
    // FlexMeasures calls these infeasible, because it takes them for convex (its issue 2534).
    let bug = expected["termination"] == "infeasibleOrUnbounded";
    let status = if bug { "optimal" } else { expected["status"].as_str().unwrap() };
    if answer.status.name() != status {
        return Some(format!("{}, not {status}", answer.status.name()));
    }
    let objective = answer.objective()?;
    let json = answer.json(&problem);
    let price = Checker::new(&case).judge(&json);
    if !is_close(price, objective) {
        return Some(format!("says {objective}, but its schedule costs {price}"));
    }
    if !bug && !is_close(objective, expected["objective"].as_f64().unwrap()) {
        return Some(format!("{objective}, not {}", expected["objective"]));
    }
    None
}

fn all_agree(folder: &Path) {
    let wrong: Vec<String> = cases(folder)
        .into_iter()
        .filter_map(|(name, text)| differs(&text).map(|difference| format!("{name}: {difference}")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn flexmeasures_cases_have_the_status_and_objective_of_flexmeasures() {
    all_agree(&folder());
    if let Some(more) = env::var_os("VOLTIDE_FLEX_CASES") {
        all_agree(Path::new(&more));
    }
}

#[test]
fn flexmeasures_fails_where_producing_pays_more_than_consuming_costs() {
    let (text, case) = case("production_price_above_consumption_default");
    assert_eq!(case["expected"]["status"], "infeasible");
    // The same problem without relaxation and preference, which FlexMeasures solves.
    let (_, hard) = self::case("production_price_above_consumption_hard");
    let optimum = hard["expected"]["objective"].as_f64().unwrap();
    for mode in [Mode::FlexMeasures, Mode::BestEffort] {
        let (_, answer) = answer(&text, mode).unwrap();
        let energy =
            answer.costs.iter().find(|(name, _)| name == "electricity net energy").unwrap().1;
        assert!((energy - optimum).abs() < 1e-6, "{energy}");
    }
}

#[test]
fn a_flexmeasures_battery_below_its_minimum_charges_at_once() {
    let (text, _) = case("start_below_min");
    let (_, answer) = answer(&text, Mode::BestEffort).unwrap();
    let course = answer.course.as_ref().unwrap();
    let reached = course.energy[0].iter().position(|&energy| energy >= 15.0 - 1e-9).unwrap();
    // 5 kWh at 11 kW and 94.87 %: six slots of five minutes, the last one in part.
    assert_eq!(reached, 6);
    assert!(
        course.power[0][..5].iter().all(|&power| (power - 11.0).abs() < 1e-9),
        "{:?}",
        &course.power[0][..6]
    );
    assert!(course.energy[0][reached..].iter().all(|&energy| energy >= 15.0 - 1e-6));
    let missed: Vec<(&str, usize)> =
        answer.unresolved.iter().map(|slack| (slack.field, slack.tick)).collect();
    assert_eq!(missed, (1..6).map(|tick| ("soc-min", tick)).collect::<Vec<_>>());
}

#[test]
fn unmet_wishes_have_the_shape_of_flexmeasures() {
    for name in ["start_below_min_as_minima", "v2g_tutorial_soft"] {
        let (text, case) = case(name);
        let (problem, answer) = answer(&text, Mode::FlexMeasures).unwrap();
        let json = answer.json(&problem);
        assert_eq!(json["unresolved"], case["expected"]["unresolved"], "{name}");
        assert_eq!(
            answer.resolved.len() as u64,
            case["expected"]["resolved_count"].as_u64().unwrap()
        );
    }
}
