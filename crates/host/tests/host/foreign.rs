//! A policy in C, compiled against the header, found and asked like any other.

use crate::{ask, bare, printed};
use std::{env::consts, fs, path::Path, process::Command};
use voltide_host::Plugins;
use voltide_policy::{
    observation::Shown,
    planner::Replan,
    testing::{Car, ObservationBuilder},
};

/// Compiles a C file of this folder into a plugin named `name`.
fn compile(source: &str, folder: &Path, name: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library =
        folder.join(format!("{}voltide_{name}{}", consts::DLL_PREFIX, consts::DLL_SUFFIX));
    let status = Command::new("cc")
        .args(["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC", "-I"])
        .arg(root.join("../policy/include"))
        .arg("-o")
        .arg(library)
        .arg(root.join("tests/host").join(source))
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn a_policy_in_c_is_found_and_plans() {
    let folder = tempfile::tempdir().unwrap();
    compile("half_speed.c", folder.path(), "half_speed");
    let plugins = Plugins::in_folders(vec![folder.path().to_owned()]);
    let mut policy = plugins.load("half-speed", "", 0).unwrap();
    let info = policy.info();
    assert_eq!(
        (info.version.as_str(), info.replan, info.hash.len()),
        ("1.2", Replan::Every(4), 64)
    );
    let shown = ObservationBuilder::new(3)
        .at(5)
        .car(Car { departure_slot: 7, ..Car::default() })
        .car(Car { charge_kw_max: 11.0, ..Car::default() });
    let (rows, corrections) = ask(&mut *policy, &shown).unwrap();
    assert_eq!(rows, [[3.5, 3.5, 0.0], [5.5, 5.5, 5.5]]);
    assert_eq!(corrections, []);
    let refused = plugins.load("half-speed", "gain: 2", 9).err().unwrap();
    assert_eq!(
        refused.to_string(),
        "policy `half-speed` does not accept its config: the policy takes no config"
    );
}

#[test]
fn a_policy_in_c_solves_through_the_storage_service() {
    let folder = tempfile::tempdir().unwrap();
    compile("cheapest.c", folder.path(), "cheapest");
    let plugins = Plugins::in_folders(vec![folder.path().to_owned()]);
    let mut policy = plugins.load("cheapest", "", 0).unwrap();
    let mut shown = ObservationBuilder::new(4).at(5).car(Car {
        departure_slot: 9,
        departure_energy_kwh: 23.0,
        ..Car::default()
    });
    let fault = ask(&mut *policy, &shown).unwrap_err();
    assert_eq!(fault.message, "column buy_price is missing");
    shown.buy_price = vec![0.3, 0.1, 0.2, 0.4];
    assert_eq!(ask(&mut *policy, &shown).unwrap().0, [[0.0, 7.0, 5.0, 0.0]]);
}

/// Two cars that lack 3 kWh, behind a yard that has 10 kW, of which 2 are given, behind a street.
fn behind_a_yard() -> ObservationBuilder {
    let car = Car { site_id: 1, departure_slot: 9, departure_energy_kwh: 23.0, ..Car::default() };
    let mut shown = ObservationBuilder::new(4).at(5).car(car).car(car);
    shown.buy_price = vec![0.3, 0.1, 0.2, 0.4];
    shown.parent_site = vec![u32::MAX, 0];
    shown.site_import_kw_max = [[50.0; 4], [10.0; 4]].concat();
    shown.site_export_kw_max = [[50.0; 4], [10.0; 4]].concat();
    shown.site_others_kw = vec![2.0; 8];
    shown.shown = Shown::Tree;
    shown
}

/// Power of both cars in each slot, kW.
fn sums(rows: &[Vec<f64>]) -> Vec<f64> {
    (0..4).map(|slot| rows.iter().map(|row| row[slot]).sum::<f64>()).collect()
}

fn assert_close(found: &[f64], expected: &[f64]) {
    let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart < 1e-6, "{found:?} is not {expected:?}");
}

#[test]
fn a_policy_in_c_has_a_group_solved_behind_the_limits_of_sites() {
    let folder = tempfile::tempdir().unwrap();
    compile("together.c", folder.path(), "together");
    let plugins = Plugins::in_folders(vec![folder.path().to_owned()]);
    let mut policy = plugins.load("together", "", 0).unwrap();
    assert!(policy.info().whole_tree);
    // 24 kW for a slot in all, 8 at most in each: the cheapest three.
    let mut shown = behind_a_yard();
    assert_close(&sums(&ask(&mut *policy, &shown).unwrap().0), &[8.0, 8.0, 8.0, 0.0]);
    assert_eq!(policy.take_groups().iter().map(|group| group.rows).collect::<Vec<_>>(), [2]);
    assert_eq!(policy.take_groups(), [], "they are taken once");
    // Plans in force are where the search begins, and not where it ends.
    shown.planned_kw = vec![6.0; 8];
    assert_close(&sums(&ask(&mut *policy, &shown).unwrap().0), &[8.0, 8.0, 8.0, 0.0]);
    shown.shown = Shown::Due;
    assert_close(&sums(&ask(&mut *policy, &shown).unwrap().0), &[14.0, 0.0, 0.0, 0.0]);
    assert_eq!(policy.take_groups(), [], "each was planned alone");
    shown.shown = Shown::Tree;
    shown.site_import_kw_max[0] = f64::NAN;
    let fault = ask(&mut *policy, &shown).unwrap_err().message;
    assert!(fault.contains("import limit is NaN in slot 0"), "{fault}");
}

#[test]
fn smart_and_v2g_keep_limits_where_a_tree_is_shown() {
    for name in ["smart", "smart-incentive", "v2g"] {
        let mut policy = bare().load(name, "", 0).unwrap();
        let rows = ask(&mut *policy, &behind_a_yard()).unwrap().0;
        assert_close(&sums(&rows), &[8.0, 8.0, 8.0, 0.0]);
    }
}

#[test]
fn a_library_without_the_symbol_is_no_policy() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("empty.c"), "int nothing;").unwrap();
    compile(folder.path().join("empty.c").to_str().unwrap(), folder.path(), "nothing");
    let found = Plugins::in_folders(vec![folder.path().to_owned()]).list();
    let text = printed(found[0].status.clone().unwrap_err());
    let text = text.replace(folder.path().canonicalize().unwrap().to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(text, @r"
    × [dir]/libvoltide_nothing.so is not a voltide policy: it has no symbol `voltide_policy_v1`
    help: write `voltide_policy::export_policy!(YourPolicy);` in the plugin's lib.rs
    ");
}

#[test]
fn a_policy_that_returns_no_table_speaks_another_major() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("later.c");
    fs::write(&source, "const void *voltide_policy_v1(void) { return 0; }").unwrap();
    compile(source.to_str().unwrap(), folder.path(), "later");
    let found = Plugins::in_folders(vec![folder.path().to_owned()]).list();
    assert_eq!(found[0].abi.as_deref(), Some("another major"));
    let error = found[0].status.clone().unwrap_err().to_string();
    assert!(
        error.ends_with("was built for policy ABI another major, this program speaks 1.3"),
        "{error}"
    );
}

#[test]
fn a_text_file_is_no_library() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    fs::write(&file, "not a library").unwrap();
    let error = bare().check(&file).status.unwrap_err().to_string();
    assert!(error.contains("notes.txt is not a library that can be loaded here: "), "{error}");
}
