//! The canonical queries in the real DuckDB, and every table in the real Polars.
//!
//! ```console
//! $ VOLTIDE_PYTHON=.venv/bin/python cargo test -p voltide-telemetry --test queries -- --ignored
//! ```
//! needs a Python with `duckdb`, `polars` and `pytz`.

mod history;

use history::{play, scenario};
use std::{env, fs, path::Path, process::Command};
use voltide_model::scenario::EvTicks;
use voltide_telemetry::{Options, RunStatus, Telemetry};

#[test]
#[ignore = "needs VOLTIDE_PYTHON: a Python with duckdb, polars and pytz"]
fn the_canonical_queries_run_and_the_audits_are_empty() {
    let python = env::var_os("VOLTIDE_PYTHON").expect("VOLTIDE_PYTHON names the program");
    let root = tempfile::tempdir().unwrap();
    for (run, level) in [("a", EvTicks::Full), ("b", EvTicks::Changes), ("c", EvTicks::Off)] {
        let folder = root.path().join(format!("outputs/hand-made/run_id={run}"));
        fs::create_dir_all(&folder).unwrap();
        let scenario = scenario(200, 2, level);
        let mut telemetry = Telemetry::create(&folder, scenario.clone(), Options::default()).unwrap();
        play(&scenario, &mut telemetry, scenario.clock.slots).unwrap();
        telemetry.finish(RunStatus::Finished).unwrap();
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(python)
        .arg(here.join("tests/queries.py"))
        .arg(here.join("../../outputs").canonicalize().unwrap())
        .current_dir(root.path())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}
