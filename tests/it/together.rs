//! Cars behind a limit are planned together where plans of each alone are too much.

use crate::{
    program::{assert_same_files, files, run, run_json, succeed, voltide},
    tables::column,
};
use serde_json::Value;

/// A policy, the least cost that is possible with all stays known (the joint optimum, by an
/// independent program), and the greatest at which the policy serves everyone.
type Costs = (&'static str, f64, f64);

/// What the fleet that acts as one is told.
const OF_FLEET: &str = "policies.coordinated=(discharge: true)";

/// A world, what is set in it, and what it costs.
const WORLDS: [(&str, &str, [Costs; 3]); 2] = [
    (
        "tests/cases/limit/site.ron",
        "sites.grid.import_limit=36 kW",
        [("smart", 102.833, 111.0), ("v2g", 77.900, 83.0), ("coordinated", 77.900, 83.0)],
    ),
    (
        "tests/cases/limit/night.ron",
        "sites.street.import_limit=120 kW",
        [("smart", 198.102, 198.2), ("v2g", 173.770, 174.6), ("coordinated", 173.770, 174.6)],
    ),
];

#[test]
fn policies_keep_the_limits_of_a_tree_and_serve_everyone() {
    let out = tempfile::tempdir().unwrap();
    for (world, set, policies) in WORLDS {
        for (policy, least, most) in policies {
            let sets = ["--policy", policy, "--set", set, "--set", OF_FLEET];
            let summary = run_json(world, out.path(), &sets);
            let run = summary["folder"].as_str().unwrap();
            assert_eq!(summary["missing_kwh"], 0.0, "{world} {policy}");
            assert_eq!(summary["site_limit_hits"], 0, "{world} {policy}");
            let cost = summary["net_cost"].as_f64().unwrap();
            assert!(cost >= least - 0.001 && cost <= most, "{world} {policy}: {cost}");
            succeed(voltide().args(["replay", "--verify", run]));
            let again = succeed(voltide().args(["--json", "replay", "--redecide", run]));
            let again: Value = serde_json::from_str(&again).unwrap();
            assert_eq!(again["differing"], 0, "{again}");
        }
    }
}

#[test]
fn planning_together_takes_the_same_way_for_any_number_of_threads() {
    let out = tempfile::tempdir().unwrap();
    let with = |threads: &str| {
        let arguments = ["--policy", "v2g", "--threads", threads];
        files(&run(WORLDS[1].0, &out.path().join(threads), &arguments))
    };
    let one = with("1");
    assert_same_files(&one, &with("2"));
    assert_same_files(&one, &with("8"));
}

#[test]
fn no_site_is_asked_for_more_than_its_limit() {
    let out = tempfile::tempdir().unwrap();
    let run = run(WORLDS[1].0, out.path(), &["--policy", "smart"]);
    let most = column(&run, "site_ticks", "asked_kw").into_iter().fold(0.0, f64::max);
    assert!((119.0..=120.0 + 1e-6).contains(&most), "{most} kW");
}
