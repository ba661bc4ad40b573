//! Stores at negative prices, by the whole program: one direction at a time, at the least cost.

use crate::{program::run, tables::column};

/// What `HiGHS` finds for the same programs with a binary for every store and slot.
const DAY_AHEAD: f64 = 77.97;
const FIRST_WINDOW: f64 = -41.478_125;

#[test]
fn a_day_of_negative_prices_costs_what_binaries_everywhere_cost() {
    let out = tempfile::tempdir().unwrap();
    let world = "tests/cases/binaries/both.ron";
    let run = run(world, out.path(), &["--set", "clock.days=1"]);
    let objectives = column(&run, "solves", "objective");
    let near = |found: f64, least: f64| (found - least).abs() <= 1e-4 * least.abs();
    assert!(near(objectives[0], DAY_AHEAD), "day ahead {}", objectives[0]);
    // After the day's path, which only has to lead somewhere.
    assert!(near(objectives[2], FIRST_WINDOW), "first window {}", objectives[2]);
    let mut gaps = column(&run, "solves", "gap");
    assert_eq!(gaps.len(), 98, "one day ahead, its path, and 96 windows");
    gaps.remove(1);
    assert!(gaps.iter().all(|&gap| gap <= 1e-4), "{gaps:?}");
}
