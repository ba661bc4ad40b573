//! The reference instances of the scheduling paper, computed by an independent implementation.
//!
//! Every `*.json` in `tests/cases/paper` is read, and in the folder that `VOLTIDE_CASES` names, so that
//! an instance is added by putting it there. All kinds are read here, and a kind that is not known
//! fails the test.

mod day;
mod dispatch;
mod fleet;
mod model;
mod one_ev;
mod system;

use crate::program::root;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// What does not agree, in words.
type Disagreement = String;

/// An instance, with the accessors that every kind needs.
pub(crate) struct Case {
    folder: PathBuf,
    value: Value,
}

impl Case {
    fn read(path: &Path) -> Self {
        let value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        Self { folder: path.parent().unwrap().to_owned(), value }
    }

    fn inputs(&self) -> &Value {
        &self.value["inputs"]
    }

    fn expected(&self) -> &Value {
        &self.value["expected"]
    }

    fn read_inputs<T: DeserializeOwned>(&self) -> T {
        serde_json::from_value(self.inputs().clone())
            .unwrap_or_else(|error| panic!("inputs: {error}"))
    }

    fn read_expected<T: DeserializeOwned>(&self) -> T {
        serde_json::from_value(self.expected().clone())
            .unwrap_or_else(|error| panic!("expected: {error}"))
    }

    fn tolerance(&self) -> f64 {
        number(&self.expected()["tol_rel"])
    }

    /// A file that the instance names: from its own folder, or the project's copy of the data.
    fn file(&self, name: &str) -> PathBuf {
        let named = Path::new(self.inputs()[name].as_str().unwrap());
        let beside = self.folder.join(named);
        if beside.is_file() {
            beside
        } else {
            root().join("tests/cases/paper/data").join(named.file_name().unwrap())
        }
    }

    /// The text of such a file.
    fn text_of(&self, name: &str) -> String {
        let path = self.file(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn check(&self) -> Result<(), Disagreement> {
        match self.value["kind"].as_str().unwrap_or("none") {
            "price" => model::prices(self),
            "willingness" => model::willingness(self),
            "ev_uncontrolled" => one_ev::uncontrolled(self),
            "ev_smart" => one_ev::smart(self),
            "ev_v2g" => one_ev::v2g(self),
            "fleet" => fleet::fleet(self),
            "two_stage_day" => day::two_stage_day(self),
            "dispatch_da" | "dispatch_id_window" => dispatch::dispatch(self),
            kind => Err(format!("kind `{kind}` is not known")),
        }
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list")).iter().map(number).collect()
}

/// `|found - expected| <= tolerance · max(1, |expected|)`.
fn agree(what: &str, found: f64, expected: f64, tolerance: f64) -> Result<(), Disagreement> {
    let within = (found - expected).abs() <= tolerance * expected.abs().max(1.0);
    within.then_some(()).ok_or_else(|| format!("{what} is {found}, not {expected}"))
}

fn all_agree(
    what: &str,
    found: &[f64],
    expected: &[f64],
    tolerance: f64,
) -> Result<(), Disagreement> {
    if found.len() != expected.len() {
        return Err(format!("{what} has {} values, not {}", found.len(), expected.len()));
    }
    let mut pairs = found.iter().zip(expected).enumerate();
    pairs.try_for_each(|(at, (&found, &expected))| {
        agree(&format!("{what}[{at}]"), found, expected, tolerance)
    })
}

/// The instances of a folder. A file without inputs tells of instances and is none.
fn instances(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    let of_a_group = |path: &PathBuf| Case::read(path).value.get("nodes").is_some();
    let holds_groups = paths.iter().any(of_a_group);
    paths.retain(|path| Case::read(path).value.get("inputs").is_some());
    paths.sort();
    // `group_cases` reads those of groups, in the same folder.
    assert!(holds_groups || !paths.is_empty(), "{} holds no instances", folder.display());
    paths
}

#[test]
fn all_cases_of_the_paper_are_met() {
    let further = env::var_os("VOLTIDE_CASES").map(|folder| root().join(folder));
    let folders = std::iter::once(root().join("tests/cases/paper")).chain(further);
    let paths: Vec<PathBuf> = folders.flat_map(|folder| instances(&folder)).collect();
    let wrong: Vec<String> = paths
        .iter()
        .filter_map(|path| {
            Case::read(path).check().err().map(|why| format!("{}: {why}", path.display()))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} cases disagree:\n{}",
        wrong.len(),
        paths.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_case_of_an_unknown_kind_is_no_success() {
    let value = serde_json::json!({ "kind": "tea leaves", "inputs": {} });
    let case = Case { folder: root(), value };
    assert_eq!(case.check(), Err("kind `tea leaves` is not known".to_owned()));
}
