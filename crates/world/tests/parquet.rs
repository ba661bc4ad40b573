//! Parquet files as pandas, Polars, DuckDB and Spark write them, whole and damaged.
//!
//! `data/parquet/written_by.py` says how the files were made. Each has a few rows an hour or a day apart
//! from 2024-05-06T00:00Z on in `ts`, and values in `kw`.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use voltide_model::scenario::Scenario;
use voltide_world::{Problems, load};

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/parquet")
}

/// A world whose base load is the column `kw` of `load.parquet`, for as long as the rows reach.
fn world(days: u32) -> String {
    format!(
        "(name: \"load\", clock: (start: \"2024-05-06T00:00\", time_zone: \"UTC\", step: \"60 min\", days: {days}), \
         currency: \"EUR\", tariff: Fixed(\"0.30 EUR/kWh\"), \
         system: (base_load: (path: \"load.parquet\", column: \"kw\", unit: \"kW\", time_zone: \"UTC\")), \
         fleets: {{\"cars\": (count: 1, battery: (capacity: \"60 kWh\"), charger: (charge_max: \"7 kW\"), \
         stays: Overnight(arrive: \"18:00\", leave: \"07:00\"), trip_energy: \"7 kWh\", soc_on_arrival: 0.6)}})"
    )
}

/// A folder with the world and its file.
fn room(bytes: &[u8]) -> TempDir {
    let room = tempfile::tempdir().expect("a folder for the test");
    fs::write(room.path().join("world.ron"), world(1)).expect("the folder is writable");
    fs::write(room.path().join("load.parquet"), bytes).expect("the folder is writable");
    room
}

fn read(bytes: &[u8]) -> Result<Scenario, Problems> {
    load(&room(bytes).path().join("world.ron"), &[]).map(|world| world.scenario)
}

/// The load that a file of the folder gives, one value an hour.
fn load_of(name: &str) -> Vec<f64> {
    let bytes = fs::read(files().join(format!("{name}.parquet"))).expect("the file is there");
    let scenario = read(&bytes).unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
    scenario.system.base_load.expect("the world has a load").values.to_vec()
}

/// The names of the files in the folder, without those that are refused.
fn names() -> Vec<String> {
    let entries = fs::read_dir(files()).expect("the folder is there");
    let names =
        entries.map(|entry| entry.expect("readable").file_name().into_string().expect("a name"));
    let names = names.filter_map(|name| name.strip_suffix(".parquet").map(str::to_owned));
    let mut names: Vec<String> = names.filter(|name| !name.starts_with("wrong-")).collect();
    names.sort();
    names
}

/// What the script wrote: whole numbers or halves, an hour each or a day each.
fn written(name: &str) -> Vec<f64> {
    let is_whole =
        name.starts_with("int") && name != "int96" || name.starts_with("uint") || name == "delta";
    let half = if is_whole { 0.0 } else { 0.5 };
    (0..24)
        .map(|hour| if name.starts_with("date") { half } else { half + f64::from(hour) })
        .collect()
}

#[test]
fn every_way_to_write_the_same_values_is_read() {
    let names = names();
    assert!(names.len() > 50, "{names:?}");
    for name in names {
        assert_eq!(load_of(&name), written(&name), "{name}");
    }
}

fn refusal(name: &str) -> String {
    let bytes = fs::read(files().join(format!("{name}.parquet"))).expect("the file is there");
    let problems = read(&bytes).err().unwrap_or_else(|| panic!("{name} is read"));
    let problem = &problems.list[0];
    let folder =
        problem.message.find("/load.parquet").and_then(|end| problem.message[..end].rfind('`'));
    let folder = folder.map_or("", |start| &problem.message[start + 1..]);
    let folder = folder.split("load.parquet").next().unwrap_or("");
    format!("{}; {}", problem.message.replace(folder, ""), problem.help.as_deref().unwrap_or(""))
}

#[test]
fn what_cannot_be_read_is_named_with_its_type_and_row() {
    for (name, expected) in [
        (
            "wrong-twice",
            "`load.parquet` has more than one column `kw`; rename one of the two in the file",
        ),
        ("wrong-list", "column `kw` of `load.parquet`, row 1: its type, List"),
        (
            "wrong-duration",
            "column `kw` of `load.parquet`, row 1: its type, Duration(s), is not read",
        ),
        ("wrong-bytes", "column `ts` of `load.parquet`, row 1: these bytes are not text"),
        ("wrong-null", "row 1 of `load.parquet`: `kw` is empty"),
        ("wrong-year", "column `ts` of `load.parquet`, row 1: its year is beyond all calendars"),
    ] {
        let found = refusal(name);
        assert!(found.starts_with(expected), "{name}: {found}");
    }
}

#[test]
fn timestamps_without_a_zone_are_refused_with_what_spark_means() {
    let bytes = fs::read(files().join("timestamp-us-naive.parquet")).expect("the file is there");
    let room = room(&bytes);
    let world = world(1).replace(", time_zone: \"UTC\")", ")");
    fs::write(room.path().join("world.ron"), world).expect("the folder is writable");
    let problems = load(&room.path().join("world.ron"), &[]).expect_err("no zone");
    let message = &problems.list[0].message;
    assert!(
        message.contains("give the file's `time_zone`: `\"UTC\"` if Spark wrote it as int96"),
        "{message}"
    );
}

/// Its first gzip stream becomes one of a hundred thousand zeros.
#[test]
fn a_page_that_unpacks_to_more_than_it_tells_is_refused_before_it_is_kept() {
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![0; 100_000]).expect("memory");
    let bomb = bomb.finish().expect("memory");
    let mut bytes = fs::read(files().join("codec-gzip.parquet")).expect("the file is there");
    let begins =
        bytes.windows(3).position(|bytes| bytes == [0x1f, 0x8b, 8]).expect("a gzip stream");
    bytes[begins..begins + bomb.len()].copy_from_slice(&bomb);
    let problems = read(&bytes).expect_err("a bomb");
    let message = &problems.list[0].message;
    assert!(
        message.contains("load.parquet`") && message.contains("unpacks to more than"),
        "{message}"
    );
}

/// How many bytes of each file are damaged.
fn damages() -> usize {
    std::env::var("VOLTIDE_DAMAGES")
        .map_or(5, |number| number.parse().expect("a number of damages"))
}

#[test]
fn a_damaged_file_is_an_error_that_names_it() {
    let mut refused = 0;
    for name in names() {
        let whole = fs::read(files().join(format!("{name}.parquet"))).expect("the file is there");
        let room = room(&whole);
        let step = (whole.len() / damages()).max(1);
        for at in (0..whole.len()).step_by(step) {
            for mask in [0xff, 0x01, 0x80] {
                let mut bytes = whole.clone();
                bytes[at] ^= mask;
                fs::write(room.path().join("load.parquet"), &bytes)
                    .expect("the folder is writable");
                if let Err(problems) = load(&room.path().join("world.ron"), &[]) {
                    refused += 1;
                    let named = |problem: &voltide_world::Problem| {
                        problem.message.contains("load.parquet`")
                    };
                    assert!(problems.list.iter().all(named), "{name}, byte {at}: {problems:?}");
                }
            }
        }
        for length in (0..whole.len()).step_by(step) {
            fs::write(room.path().join("load.parquet"), &whole[..length])
                .expect("the folder is writable");
            assert!(load(&room.path().join("world.ron"), &[]).is_err(), "{name} to byte {length}");
        }
    }
    assert!(refused > 100, "only {refused} damages were seen");
}
