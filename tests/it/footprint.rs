//! What a run leaves on disk: as much as was said before, few files, and little that is only for speed.

use crate::{
    program::{assert_same_files, root, run, succeed, voltide},
    resume::outputs,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Bytes of all files in a folder and those below it.
fn bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap());
    let size = |entry: fs::DirEntry| {
        if entry.path().is_dir() { bytes(&entry.path()) } else { entry.metadata().unwrap().len() }
    };
    entries.map(size).sum()
}

/// Sizes of the snapshots of a run, in their order.
fn snapshots(run: &Path) -> Vec<u64> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(run.join("snapshots")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::metadata(file).unwrap().len()).collect()
}

/// Commuters on the smallest world's terms, at an hour a slot.
fn commuters(out: &Path, cars: u32, days: u32, more: &[&str]) -> PathBuf {
    let (cars, days) = (format!("fleets.commuters.count={cars}"), format!("clock.days={days}"));
    let sets = ["--set", &cars, "--set", &days, "--set", "clock.step=\"60 min\""];
    run("worlds/one-car.ron", out, &[&sets, more].concat())
}

/// A world whose prices follow the cars that were planned, and in which for days none is.
fn work_days(folder: &Path, days: u32) -> PathBuf {
    let hour = |hour: u32| {
        format!("2024-06-{:02}T{:02}:00:00+02:00,{}\n", 3 + hour / 24, hour % 24, 600 + hour)
    };
    let load: String = (0..24 * days).map(hour).collect();
    fs::write(folder.join("load.csv"), format!("ts,kw\n{load}")).unwrap();
    let world = folder.join("work-days.ron");
    let text = fs::read_to_string(root().join("worlds/one-car.ron")).unwrap();
    let overnight = &text[text.find("stays:").unwrap()..text.find("trip_energy:").unwrap()];
    let text = text
        .replace(
            overnight,
            "stays: Workplace(arrive: \"08:00\", leave: \"16:30\", days: Weekdays),\n",
        )
        .replace("2024-06-03T12:00", "2024-06-03T00:00")
        .replace("days: 1)", &format!("days: {days})"))
        .replace(
            "    fleets:",
            "    system: (base_load: (path: \"load.csv\", column: \"kw\", unit: \"kW\")),\n\
             incentive: (rho: 0.6, price_feedback: Batch(2)),\n    fleets:",
        );
    fs::write(&world, text).unwrap();
    world
}

/// Runs it with 12 cars.
fn run_work_days(folder: &Path, days: u32, out: &str, more: &[&str]) -> PathBuf {
    let world = work_days(folder, days);
    let sets = ["--policy", "smart-incentive", "--set", "fleets.commuters.count=12"];
    run(world.to_str().unwrap(), &folder.join(out), &[&sets, more].concat())
}

#[test]
fn snapshots_are_a_small_share_of_a_run_of_any_length_and_as_large_late_as_early() {
    let out = tempfile::tempdir().unwrap();
    let runs = [
        commuters(&out.path().join("30"), 20, 30, &["--policy", "smart"]),
        commuters(&out.path().join("400"), 20, 400, &["--policy", "smart"]),
        commuters(&out.path().join("many"), 2000, 10, &["--set", "telemetry.ev_ticks=Off"]),
        run_work_days(out.path(), 27, "work-days", &[]),
    ];
    for run in runs {
        let (sizes, whole) = (snapshots(&run), bytes(&run));
        let share = sizes.iter().sum::<u64>() as f64 / whole as f64;
        assert!(
            share < 0.1 && sizes.len() <= 64,
            "{share} in {} snapshots: {sizes:?}",
            sizes.len()
        );
        let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
        assert!(*most < 2 * least, "{sizes:?}");
    }
}

#[test]
fn prices_that_follow_cars_go_on_over_days_in_which_no_car_is_planned() {
    let out = tempfile::tempdir().unwrap();
    let with = run_work_days(out.path(), 9, "with", &["--snapshots", "37"]);
    let without = run_work_days(out.path(), 9, "without", &["--snapshots", "0"]);
    assert_same_files(&outputs(&with), &outputs(&without));
    // One every 37 slots, of 864.
    assert_eq!(snapshots(&with).len(), 23);
    // On Friday, when the weekend begins and ends, and after it: no car is planned from slot 480 to
    // 672.
    for at in ["400", "480", "672", "770"] {
        let state =
            |run: &Path| succeed(voltide().args(["state", "--ev", "7", "--at", at]).arg(run));
        assert_eq!(state(&with), state(&without), "at {at}");
        let forked = |run: &Path, name: &str| {
            let out = out.path().join(name).join(at);
            let set = "incentive.rho=0.5";
            succeed(voltide().args(["fork", "--at", at, "--set", set, "--out"]).arg(&out).arg(run));
            let world = fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
            let mut found = outputs(&fs::read_dir(world).unwrap().next().unwrap().unwrap().path());
            // The parent's name stands in the events.
            found.retain(|name, _| name != "events.parquet" && name != "manifest.json");
            found
        };
        assert_same_files(&forked(&with, "forks-with"), &forked(&without, "forks-without"));
    }
}

/// Names of the files of `ev_ticks`.
fn ev_ticks(run: &Path) -> Vec<String> {
    let names =
        fs::read_dir(run).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("ev_ticks-")).collect();
    names.sort();
    names
}

#[test]
fn a_long_run_has_few_files_and_an_earlier_cut_into_days_gives_way() {
    let out = tempfile::tempdir().unwrap();
    let run = commuters(out.path(), 1, 400, &[]);
    let files = ev_ticks(&run);
    // A file a month: 400 days from June 3rd on lie in 14 of them.
    assert_eq!((files.len(), files[0].as_str()), (14, "ev_ticks-2024-06.parquet"));
    assert!(fs::metadata(run.join("manifest.json")).unwrap().len() < 120_000);
    let before = outputs(&run);
    // As if an earlier version had cut it in another way.
    let (june, day) = ("ev_ticks-2024-06.parquet", "ev_ticks-2024-06-03.parquet");
    fs::rename(run.join(june), run.join(day)).unwrap();
    let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    fs::write(run.join("manifest.json"), manifest.replace(june, day)).unwrap();
    succeed(voltide().arg("replay").arg(&run));
    assert_same_files(&before, &outputs(&run));
}

/// Worlds, with what they are run with, whose estimates are compared with what a run leaves.
const ESTIMATED: [&str; 15] = [
    "worlds/one-car.ron",
    "worlds/one-car.ron --set clock.days=7 --set fleets.commuters.count=40 --policy edf",
    "worlds/one-car.ron --set clock.days=365 --set clock.step=\"60min\"",
    "worlds/one-car.ron --set clock.days=120 --set clock.step=\"60min\" --set fleets.commuters.count=900 \
     --policy smart --set telemetry.ev_ticks=Changes",
    "worlds/one-car.ron --set fleets.commuters.count=10000",
    "worlds/one-car.ron --set clock.days=12 --set clock.step=\"60min\" --set fleets.commuters.count=10000 \
     --policy v2g --set telemetry.ev_ticks=Off",
    "worlds/one-car.ron --set clock.days=40 --set fleets.commuters.count=300 --policy llf --set \
     telemetry.ev_ticks=Sample(0.1)",
    // Batteries run down for weeks behind this limit.
    "worlds/one-car.ron --set clock.days=60 --set clock.step=\"60min\" --set fleets.commuters.count=10000 \
     --set telemetry.ev_ticks=Changes --set fleets.commuters.charger.site=street --set \
     sites={\"street\":(import_limit:\"60kW\")}",
    "worlds/v2g-street.ron --policy v2g",
    "worlds/v2g-street.ron --policy smart --set fleets.commuters.count=1",
    "worlds/acn/caltech.ron --policy threshold",
    "worlds/reservation.ron",
    "worlds/ten-units/day.ron",
    "worlds/paper/paper.ron --policy smart",
    "worlds/germany/week.ron --set fleets.commuters.count=300 --set clock.days=3",
];

#[test]
fn a_dry_run_and_doctor_say_what_a_run_will_leave() {
    // Others, one a line.
    let others = std::env::var("VOLTIDE_ESTIMATES").map(|file| fs::read_to_string(file).unwrap());
    let others = others.unwrap_or_default();
    for words in ESTIMATED.into_iter().chain(others.lines()) {
        let arguments: Vec<&str> = words.split_whitespace().collect();
        let out = tempfile::tempdir().unwrap();
        let run = run(arguments[0], out.path(), &arguments[1..]);
        let left = bytes(&run) as f64;
        let said = succeed(voltide().args(["--json", "run", "--dry-run"]).args(&arguments));
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        let ratio = said["bytes"].as_f64().unwrap() / left;
        eprintln!("{ratio:.3} of {left} bytes: {words}");
        assert!((1.0 / 1.3..=1.3).contains(&ratio), "{words}: {said}, but {left} bytes were left");
        if arguments.len() == 1 {
            let doctor =
                succeed(voltide().args(["doctor", "--out"]).arg(out.path()).args(&arguments));
            let needed = said["bytes"].as_u64().unwrap();
            assert!(doctor.contains(" needed") && needed > 0, "{doctor}");
        }
    }
}
