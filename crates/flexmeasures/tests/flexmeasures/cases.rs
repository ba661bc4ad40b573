//! The reference cases.
use std::fs;
use voltide_flexmeasures::{Mode, read, solve};

#[test]
fn flexmeasures_quick() {
    let mut files: Vec<_> = fs::read_dir("../../tests/cases/flexmeasures")
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    for f in files {
        let text = fs::read_to_string(&f).unwrap();
        let v: serde_json::Value = serde_json::from_str(&text).unwrap();
        let t = std::time::SystemTime::UNIX_EPOCH;
        let _ = t;
        for mode in [Mode::FlexMeasures, Mode::BestEffort] {
            let got = match read(&text, mode) {
                Ok(p) => {
                    let a = solve(&p, mode);
                    format!(
                        "{:?} {:?} diff {:?}",
                        a.status,
                        a.objective(),
                        a.objective().zip(v["expected"]["objective"].as_f64()).map(|(a, b)| a - b)
                    )
                }
                Err(e) => format!("rejected {} {e}", e.stage.name()),
            };
            println!(
                "{:?} {:?}: {} {}: {}",
                f.file_name().unwrap(),
                mode,
                v["expected"]["status"],
                v["expected"]["objective"],
                got
            );
        }
    }
}
