//! `voltide report`: what the page holds, and that it holds nothing but the tables.

use crate::{
    program::{copy, fail, root, run, succeed, text, voltide},
    python::python,
    tables,
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const STREET: &str = "worlds/v2g-street.ron";

/// A page of runs, and the data that it carries.
struct Page {
    html: String,
    data: Value,
}

impl Page {
    fn of(runs: &[&Path], folder: &Path) -> Self {
        let file = folder.join("page.html");
        succeed(voltide().arg("report").args(runs).arg("-o").arg(&file));
        Self::read(&file)
    }

    fn read(file: &Path) -> Self {
        let html = fs::read_to_string(file).unwrap();
        let begin = r#"id="voltide-data">"#;
        let data = &html[html.find(begin).unwrap() + begin.len()..];
        let data = serde_json::from_str(&data[..data.find("</script>").unwrap()]).unwrap();
        Self { html, data }
    }

    fn charts(&self) -> Vec<&str> {
        let charts = self.data["charts"].as_array().unwrap().iter();
        charts.map(|chart| chart["id"].as_str().unwrap()).collect()
    }

    fn figure(&self, key: &str, run: usize) -> f64 {
        let figures = self.data["figures"].as_array().unwrap().iter();
        let figure = figures.clone().find(|figure| figure["key"] == key);
        figure.unwrap()["values"][run].as_f64().unwrap()
    }
}

#[test]
fn a_page_of_two_policies_is_whole_and_asks_for_no_other_file() {
    let out = tempfile::tempdir().unwrap();
    let plain = run(STREET, out.path(), &["--policy", "uncontrolled"]);
    let v2g = run(STREET, out.path(), &["--policy", "v2g"]);
    let page = Page::of(&[&plain, &v2g], out.path());
    for asks in ["src=\"", "href=\"http", "@import", "url(", "fetch(", "XMLHttpRequest"] {
        assert!(!page.html.contains(asks), "{asks}");
    }
    let charts = page.charts();
    for chart in
        ["net-load", "prices", "cars", "plugged", "soc-v2g", "flow", "drivers-cost", "occupancy"]
    {
        assert!(charts.contains(&chart), "{chart} is not in {charts:?}");
    }
    assert!(charts.contains(&"carpet-v2g") && charts.contains(&"carpet-uncontrolled"));
    // A chart has its title and a picture with something in it, also where no script runs.
    let pictures: Vec<&str> = page.html.split("<svg ").skip(1).collect();
    assert_eq!(pictures.len(), charts.len() + 1);
    for picture in pictures {
        let picture = &picture[..picture.find("</svg>").unwrap()];
        assert!(picture.contains("<title>") && picture.contains("<text "), "{picture}");
        assert!(picture.contains("<path ") || picture.contains("<rect "), "{picture}");
        assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
    }
    assert_eq!(page.data["runs"][1]["label"], "v2g");
    assert!(page.figure("discharged", 1) > 0.0);
}

impl Page {
    /// The values of a column of a chart.
    fn column(&self, chart: &str, column: &str) -> Vec<f64> {
        let charts = self.data["charts"].as_array().unwrap();
        let chart = charts.iter().find(|it| it["id"] == chart).unwrap();
        let columns = chart["columns"].as_array().unwrap();
        let column = columns.iter().find(|it| it["name"] == column).unwrap();
        let values = column["values"].as_array().unwrap().iter();
        values.map(|value| value.as_f64().unwrap_or(f64::NAN)).collect()
    }
}

/// Quantiles are those of `fleet_ticks`, though no car is recorded; energy that is given is taken.
#[test]
fn the_fan_needs_no_car_in_the_tables_and_energy_is_balanced() {
    let out = tempfile::tempdir().unwrap();
    let few = ["--set", "fleets.commuters.count=100", "--set", "clock.days=1"];
    let off = ["--policy", "v2g", "--set", "telemetry.ev_ticks=Off"];
    let week = run("worlds/germany/week.ron", out.path(), &[&few[..], &off].concat());
    let page = Page::of(&[&week], out.path());
    let told = tables::column(&week, "fleet_ticks", "soc_75");
    let shown = page.column("soc-v2g", "25 to 75 %, to");
    assert_eq!(told.len(), shown.len());
    let same = |(told, shown): (&f64, &f64)| {
        (told.is_nan() && shown.is_nan()) || (100.0 * told - shown).abs() < 1e-4
    };
    assert!(told.iter().zip(&shown).all(same) && told.iter().any(|soc| *soc > 0.5));
    let parts = page.data["charts"].as_array().unwrap().iter().find(|it| it["id"] == "flow");
    let columns = parts.unwrap()["columns"].as_array().unwrap();
    let sum = |bar: usize| {
        let values = columns.iter().skip(1).filter_map(|it| it["values"][bar].as_f64());
        values.sum::<f64>()
    };
    assert!(sum(0) > 1.0 && (sum(0) / sum(1) - 1.0).abs() < 1e-5, "{} {}", sum(0), sum(1));
    let ahead = page.column("stages-v2g", "day-ahead");
    assert_eq!(ahead.iter().filter(|load| load.is_finite()).count(), ahead.len());
}

#[test]
fn the_same_runs_give_the_same_page() {
    let out = tempfile::tempdir().unwrap();
    let one = run("worlds/one-car.ron", out.path(), &[]);
    let first = Page::of(&[&one], out.path()).html;
    assert_eq!(first, Page::of(&[&one], out.path()).html);
}

#[test]
fn a_world_is_run_first_under_every_policy() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("page.html");
    let mut command = voltide();
    command.args(["report", "worlds/one-car.ron", "--policies", "uncontrolled,smart"]);
    succeed(command.arg("--runs").arg(out.path()).arg("-o").arg(&file));
    let labels = &Page::read(&file).data["runs"];
    assert_eq!([&labels[0]["label"], &labels[1]["label"]], ["uncontrolled", "smart"]);
    assert_eq!(fs::read_dir(out.path().join("one-car")).unwrap().count(), 2);
}

#[test]
fn figures_for_print_are_as_wide_as_they_say() {
    let out = tempfile::tempdir().unwrap();
    let one = run("worlds/one-car.ron", out.path(), &[]);
    let figures = out.path().join("figures");
    let mut command = voltide();
    command.arg("report").arg(&one).arg("-o").arg(out.path().join("page.html"));
    succeed(command.arg("--figures").arg(&figures));
    for width in ["85", "175"] {
        let svg = fs::read_to_string(figures.join(format!("net-load-{width}mm.svg"))).unwrap();
        assert!(svg.starts_with(&format!("<svg width=\"{width}mm\"")), "{svg}");
        assert!(svg.contains("<text ") && !svg.contains("var(--"), "{svg}");
    }
    let first = fs::read_to_string(figures.join("first.svg")).unwrap();
    assert!(first.contains("viewBox=\"0 0 1200 630\""));
}

/// README shows the picture, and the command that makes it.
#[test]
fn the_picture_in_readme_is_what_its_command_draws() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let begin = "$ voltide report ";
    let command = &readme[readme.find(begin).unwrap() + begin.len()..];
    let command = command.lines().next().unwrap();
    let shown = command.split(" -o ").next().unwrap();
    let out = tempfile::tempdir().unwrap();
    let figures = out.path().join("figures");
    let mut report = voltide();
    report.arg("report").args(shown.split_whitespace()).arg("--runs").arg(out.path());
    report.arg("-o").arg(out.path().join("page.html")).arg("--figures").arg(&figures);
    succeed(&mut report);
    let drawn = fs::read_to_string(figures.join("first.svg")).unwrap();
    let kept = fs::read_to_string(root().join("docs/street.svg")).unwrap();
    assert!(
        drawn == kept,
        "copy figures/first.svg of `voltide report {command}` to docs/street.svg"
    );
}

#[test]
fn what_cannot_be_shown_is_refused_with_what_to_do() {
    let out = tempfile::tempdir().unwrap();
    let (code, said) = fail(voltide().arg("report").arg(out.path()));
    assert!(code == 3 && said.contains("is no folder of a run"), "{said}");
    let one = run("worlds/one-car.ron", out.path(), &[]);
    fs::remove_file(one.join("runs.parquet")).unwrap();
    let (code, said) = fail(voltide().arg("report").arg(&one));
    assert!(code == 3 && said.contains("voltide replay"), "{said}");
    let (code, said) = fail(voltide().arg("report").arg(&one).args(["-o", "worlds/one-car.ron"]));
    assert!(code == 2 && said.contains(".html"), "{said}");
    let (code, said) = fail(voltide().arg("report").arg(&one).args(["--policies", "smart"]));
    assert!(code == 2 && said.contains("one world file"), "{said}");
}

#[test]
fn runs_of_other_worlds_are_shown_and_told_apart() {
    let out = tempfile::tempdir().unwrap();
    let one = run("worlds/one-car.ron", out.path(), &[]);
    let street = run(STREET, out.path(), &[]);
    let mut command = voltide();
    command.arg("report").args([&one, &street]).arg("-o").arg(out.path().join("page.html"));
    let output = command.output().unwrap();
    assert!(text(&output.stderr).contains("of another world"), "{}", text(&output.stderr));
    assert!(fs::read_to_string(out.path().join("page.html")).unwrap().contains("of another world"));
}

/// Asks DuckDB the query of each figure and of each chart over time, prints what it says, and makes
/// one column of the run's tables larger by a tenth where it is told to.
const ASKED: &str = r#"
import duckdb, json, pathlib, polars, sys
folder, data = pathlib.Path(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text())
if len(sys.argv) > 3:
    table, column = sys.argv[3].split(".")
    file = next(folder.glob(f"**/{table}.parquet"))
    frame = polars.read_parquet(file, hive_partitioning=False)
    frame.with_columns(polars.col(column) * 1.1).write_parquet(file)
connection = duckdb.connect()
connection.execute("SET enable_progress_bar = false")
connection.execute(f"SET VARIABLE outputs = '{folder}'")
connection.execute(pathlib.Path("outputs/views.sql").read_text())
asked = {it["key"]: dict(connection.execute(it["query"]).fetchall()) for it in data["figures"]}
for chart in data["charts"]:
    asked[chart["id"]] = connection.execute(f"SELECT count(*) FROM ({chart['query']})").fetchone()[0]
print(json.dumps(asked))
"#;

fn asked(folder: &Path, page: &Page, changed: Option<&str>) -> Value {
    let data = folder.join("data.json");
    fs::write(&data, page.data.to_string()).unwrap();
    let mut command = Command::new(python());
    command.args(["-c", ASKED]).arg(folder).arg(&data).args(changed).current_dir(root());
    serde_json::from_str(&succeed(&mut command)).unwrap()
}

/// What a unit is in kW, kWh or money.
fn size(unit: &str) -> f64 {
    match unit {
        "MW" | "MWh" => 1e3,
        "GW" | "GWh" => 1e6,
        _ => 1.0,
    }
}

#[test]
#[ignore = "needs python3 with venv and PyPI"]
fn every_figure_is_what_its_query_says_and_follows_the_tables() {
    let out = tempfile::tempdir().unwrap();
    let few = ["--set", "fleets.commuters.count=200", "--set", "clock.days=2"];
    let world = "worlds/germany/week.ron";
    let runs = ["uncontrolled", "v2g"]
        .map(|policy| run(world, out.path(), &[&few[..], &["--policy", policy]].concat()));
    let runs: Vec<&Path> = runs.iter().map(PathBuf::as_path).collect();
    let page = Page::of(&runs, out.path());
    let asked_for = asked(out.path(), &page, None);
    for figure in page.data["figures"].as_array().unwrap() {
        for (at, made) in page.data["runs"].as_array().unwrap().iter().enumerate() {
            let by_sql = asked_for[figure["key"].as_str().unwrap()][made["id"].as_str().unwrap()]
                .as_f64()
                .unwrap();
            let shown = figure["values"][at].as_f64().unwrap();
            let shown = shown * size(figure["unit"].as_str().unwrap());
            let apart = (shown - by_sql).abs();
            assert!(apart <= 1e-9 * by_sql.abs().max(1.0), "{figure}: {by_sql}");
        }
    }
    assert!(page.charts().iter().all(|chart| asked_for[*chart].as_u64().unwrap() > 0));
    // No second source: where a table says more, the page does, too.
    let other = out.path().join("other");
    copy(runs[1], &other.join(runs[1].file_name().unwrap()));
    asked(&other, &page, Some("system_ticks.net_load_kw"));
    let changed = Page::of(&[&other.join(runs[1].file_name().unwrap())], out.path());
    let (before, after) = (page.figure("peak", 1), changed.figure("peak", 0));
    assert!((after / before - 1.1).abs() < 1e-9, "{before} {after}");
}
