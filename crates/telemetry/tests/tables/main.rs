//! What tables say about a history, read back from the files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::float_cmp, reason = "single cells are copies, not results of arithmetic")]

mod cells;
#[path = "../history/mod.rs"]
mod history;
mod read;
mod v2g;

use history::{play, scenario};
use parquet::{
    arrow::arrow_reader::ParquetRecordBatchReaderBuilder, file::metadata::RowGroupMetaData,
};
use read::{CARS, Rows, files, write, written};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    fs::{self, File},
    path::Path,
    process::Command,
    sync::Arc,
};
use tempfile::tempdir;
use voltide_journal::{
    describe::describe,
    event::{Event, Recorded, TickSealed},
    sink::Sink,
};
use voltide_model::{
    columns::TickColumns,
    scenario::{EvTicks, Scenario},
};
use voltide_telemetry::{
    Options, RunStatus, Telemetry, TelemetryError,
    table::{EV_TICKS, TABLES},
};

#[test]
fn every_table_is_there_and_follows_the_dictionary() {
    for level in [EvTicks::Off, EvTicks::Full] {
        let (folder, ..) = written(level);
        for table in TABLES {
            let days: &[&str] = if level == EvTicks::Full {
                &["2024-03-30", "2024-03-31"]
            } else {
                &["2024-03-30"]
            };
            let names = match table.name {
                "ev_ticks" => days.iter().map(|day| format!("ev_ticks-{day}.parquet")).collect(),
                name => vec![format!("{name}.parquet")],
            };
            for name in names {
                let file = File::open(folder.path().join(&name)).unwrap();
                let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
                assert_eq!(reader.schema().fields(), table.schema().fields(), "{name}");
            }
        }
    }
}

#[test]
fn full_detail_has_every_car_and_charger_in_every_tick() {
    let (folder, scenario, _) = written(EvTicks::Full);
    let slots = scenario.clock.slots;
    assert_eq!(slots, 96 + 92, "the second day is an hour short");
    let cars = Rows::read(folder.path(), "ev_ticks");
    assert_eq!(cars.len(), (slots * CARS) as usize);
    assert_eq!(
        Rows::read(folder.path(), "charger_ticks").len(),
        (slots * scenario.population.charger_count()) as usize
    );
    let expected = (0..slots.cast_signed())
        .flat_map(|tick| (0..CARS.cast_signed()).map(move |ev| (Some(tick), Some(ev))));
    assert!(cars.ints("tick").into_iter().zip(cars.ints("ev_id")).eq(expected));
}

#[test]
fn a_car_that_is_away_has_neither_charger_nor_session_nor_target() {
    let (folder, ..) = written(EvTicks::Full);
    let cars = Rows::read(folder.path(), "ev_ticks");
    let states = cars.words("state");
    for state in ["away", "idle", "charging", "discharging"] {
        assert!(states.iter().flatten().any(|seen| seen == state), "{state}");
    }
    let away: Vec<bool> = states.iter().map(|state| state.as_deref() == Some("away")).collect();
    let missing = |cells: Vec<Option<i32>>| cells.iter().map(Option::is_none).collect::<Vec<_>>();
    assert_eq!(missing(cars.ints("charger_id")), away);
    assert_eq!(missing(cars.ints("session_id")), away);
    assert_eq!(cars.singles("soc_target").iter().map(Option::is_none).collect::<Vec<_>>(), away);
}

#[test]
fn cars_add_up_to_the_system_and_to_their_chargers() {
    let (folder, scenario, summary) = written(EvTicks::Full);
    let cars = Rows::read(folder.path(), "ev_ticks");
    let chargers = Rows::read(folder.path(), "charger_ticks");
    let system = Rows::read(folder.path(), "system_ticks");
    let sum_of = |ticks: Vec<Option<i32>>, powers: Vec<Option<f32>>| {
        let mut sums = vec![0.0; scenario.clock.slots as usize];
        for (tick, power) in ticks.into_iter().zip(powers) {
            sums[tick.unwrap() as usize] += f64::from(power.unwrap());
        }
        sums
    };
    let close = |a: &[f64], b: &[f64]| {
        a.len() == b.len()
            && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-6 * b.abs().max(1e-3))
    };
    let (charge, discharge) = (system.reals("ev_charge_kw"), system.reals("ev_discharge_kw"));
    assert!(close(&sum_of(cars.ints("tick"), cars.singles("charge_kw")), &charge));
    assert!(close(&sum_of(cars.ints("tick"), cars.singles("discharge_kw")), &discharge));
    let net: Vec<f64> =
        charge.iter().zip(&discharge).map(|(charge, discharge)| charge - discharge).collect();
    let at_chargers = sum_of(chargers.ints("tick"), chargers.singles("power_kw"));
    assert!(at_chargers.iter().zip(&net).all(|(a, b)| (a - b).abs() < 1e-4));
    assert!(discharge.iter().any(|&kw| kw > 0.0));
    assert!((charge.iter().sum::<f64>() * 0.25 - summary.charged_kwh).abs() < 1e-9);
    let peak = summary.ev_peak.unwrap();
    assert_eq!(peak.kw, net[peak.tick as usize]);
    assert_eq!(peak.local_time[..11], *"2024-03-30T");
}

#[test]
fn sessions_that_are_open_at_the_end_have_their_ledger_and_no_end() {
    let (folder, scenario, summary) = written(EvTicks::Off);
    let sessions = Rows::read(folder.path(), "sessions");
    assert_eq!(sessions.len() as u64, summary.sessions_ended + summary.sessions_open);
    assert_eq!(sessions.len(), scenario.population.stays.len());
    let departures = sessions.reals("soc_departure").len() as u64;
    assert_eq!(departures, summary.sessions_ended);
    assert!(summary.sessions_open > 0);
    let total = |name: &str| sessions.reals(name).iter().sum::<f64>();
    assert!((total("charged_kwh") - summary.charged_kwh).abs() < 1e-9);
    assert!((total("discharged_kwh") - summary.discharged_kwh).abs() < 1e-9);
    assert!((total("degradation_cost") - 0.02 * summary.discharged_kwh).abs() < 1e-9);
    let net = total("energy_cost") - total("v2g_revenue") + total("degradation_cost");
    assert!((total("net_cost") - net).abs() < 1e-9);
}

#[test]
fn missed_targets_have_a_reason_and_others_have_none() {
    let (folder, _, summary) = written(EvTicks::Off);
    let sessions = Rows::read(folder.path(), "sessions");
    let reasons: Vec<String> = sessions.words("missed_reason").into_iter().flatten().collect();
    assert_eq!(reasons.len() as u64, summary.missed_targets);
    assert!(reasons.iter().any(|reason| reason == "site_limit"), "{reasons:?}");
    assert!(summary.site_limit_hits > 0 && summary.clipped_by_site > 0);
}

#[test]
fn a_summary_tells_how_many_files_and_rows_and_bytes_each_table_has() {
    let (folder, _, summary) = written(EvTicks::Full);
    let on_disk = files(folder.path());
    let tables: Vec<&str> = summary.tables.iter().map(|size| size.table).collect();
    assert_eq!(tables, TABLES.iter().map(|table| table.name).collect::<Vec<_>>());
    for size in &summary.tables {
        let named = |name: &str| name.split(['-', '.']).next() == Some(size.table);
        let bytes: Vec<usize> =
            on_disk.iter().filter(|(name, _)| named(name)).map(|(_, bytes)| bytes.len()).collect();
        assert_eq!(size.files as usize, bytes.len(), "{}", size.table);
        assert_eq!(size.bytes as usize, bytes.iter().sum::<usize>(), "{}", size.table);
        assert_eq!(size.rows as usize, Rows::read(folder.path(), size.table).len());
    }
}

/// Rows that wait for their group take memory, and a group that ends within a tick cannot be read
/// by the tick.
#[test]
fn groups_of_rows_end_with_a_tick_and_are_several_in_a_day_of_many_cars() {
    let (cars, ticks) = (3000, 90);
    let scenario = scenario(cars, 1, EvTicks::Off);
    let folder = tempdir().unwrap();
    let options = Options { ev_ticks: Some(EvTicks::Full), ..Options::default() };
    let mut detail = Telemetry::create_detail(folder.path(), &scenario, options).unwrap();
    play(&scenario, &mut detail, ticks).unwrap();
    detail.finish(RunStatus::Interrupted).unwrap();
    let file = File::open(folder.path().join("ev_ticks-2024-03-30.parquet")).unwrap();
    let groups = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().metadata().clone();
    let rows: Vec<i64> = groups.row_groups().iter().map(RowGroupMetaData::num_rows).collect();
    assert_eq!(rows.iter().sum::<i64>(), i64::from(cars * ticks));
    assert!(rows.len() > 1 && rows.iter().all(|rows| rows % i64::from(cars) == 0), "{rows:?}");
}

#[test]
fn an_event_is_described_as_in_the_log() {
    let (folder, scenario, _) = written(EvTicks::Off);
    let mut history = Recorder::default();
    play(&scenario, &mut history, scenario.clock.slots).unwrap();
    let events = Rows::read(folder.path(), "events");
    let (payloads, kinds, ids) =
        (events.texts("payload"), events.words("entity_kind"), events.texts("entity_id"));
    assert_eq!(payloads.len(), history.0.len());
    for (row, event) in history.0.iter().enumerate() {
        let mut described = describe(event);
        described.sort_all_objects();
        assert_eq!(payloads[row], Some(described.to_string()));
        let entity = event.entity();
        assert_eq!(kinds[row].as_deref(), entity.as_ref().map(|entity| entity.kind));
        assert_eq!(ids[row], entity.map(|entity| entity.id));
    }
    assert!(kinds.iter().flatten().any(|kind| kind == "ev") && kinds.contains(&None));
    let clipped = payloads.iter().flatten().find(|payload| payload.contains("\"site\":")).unwrap();
    assert!(clipped.starts_with(r#"{"applied_kw":"#), "keys are sorted: {clipped}");
}

/// The events of a history.
#[derive(Default)]
struct Recorder(Vec<Event>);

impl Sink for Recorder {
    type Error = Infallible;

    fn event(&mut self, _: &Arc<Scenario>, recorded: &Recorded) -> Result<(), Infallible> {
        self.0.push(recorded.event.clone());
        Ok(())
    }

    fn tick(&mut self, _: &Arc<Scenario>, _: &TickColumns<'_>) -> Result<(), Infallible> {
        Ok(())
    }
}

#[test]
fn changes_are_the_full_rows_whose_stay_or_power_is_new() {
    let (full, scenario, _) = written(EvTicks::Full);
    let (changes, ..) = written(EvTicks::Changes);
    let keyed = |folder: &Path| {
        let rows = Rows::read(folder, "ev_ticks");
        let keys = rows.ints("tick").into_iter().zip(rows.ints("ev_id"));
        let power = rows.singles("charge_kw").into_iter().zip(rows.singles("discharge_kw"));
        let wanted = rows.singles("asked_kw").into_iter().zip(rows.singles("planned_kw"));
        let states = rows.ints("session_id").into_iter().zip(power.zip(wanted));
        keys.zip(states).collect::<BTreeMap<_, _>>()
    };
    let (full, changes) = (keyed(full.path()), keyed(changes.path()));
    assert!(changes.len() * 3 < full.len(), "{} of {}", changes.len(), full.len());
    let mut last = BTreeMap::new();
    for ((tick, ev), row) in &full {
        if let Some(change) = changes.get(&(*tick, *ev)) {
            last.insert(*ev, *change);
        }
        assert_eq!(last[ev], *row, "between changes, the last one holds");
    }
    assert_eq!(changes.keys().filter(|(tick, _)| *tick == Some(0)).count(), CARS as usize);
    assert!(scenario.clock.slots > 0);
}

#[test]
fn a_sample_has_its_share_of_the_cars_in_every_tick() {
    let scenario = scenario(400, 1, EvTicks::Sample(0.1));
    let folder = tempdir().unwrap();
    write(folder.path(), &scenario, Options::default(), 4);
    let rows = Rows::read(folder.path(), "ev_ticks");
    let cars: Vec<_> = rows.ints("ev_id");
    let per_tick = cars.len() / 4;
    assert!((20..60).contains(&per_tick), "{per_tick}");
    assert_eq!(cars[..per_tick], cars[per_tick..2 * per_tick]);
    let occupied = Rows::read(folder.path(), "charger_ticks").len();
    assert!(occupied > 0 && occupied <= cars.len());
}

#[test]
fn the_same_history_gives_the_same_bytes() {
    let (first, scenario, _) = written(EvTicks::Full);
    let second = tempdir().unwrap();
    write(second.path(), &scenario, Options::default(), scenario.clock.slots);
    assert_eq!(files(first.path()), files(second.path()));
}

#[test]
fn detail_written_later_is_what_the_run_would_have_written() {
    let (full, ..) = written(EvTicks::Full);
    let (folder, scenario, _) = written(EvTicks::Off);
    let options = Options { ev_ticks: Some(EvTicks::Full), ..Options::default() };
    let mut detail = Telemetry::create_detail(folder.path(), &scenario, options).unwrap();
    play(&scenario, &mut detail, scenario.clock.slots).unwrap();
    detail.finish(RunStatus::Finished).unwrap();
    let (full, folder) = (files(full.path()), files(folder.path()));
    assert_eq!(full.keys().collect::<Vec<_>>(), folder.keys().collect::<Vec<_>>());
    for (name, content) in full.iter().filter(|(name, _)| *name != "manifest.json") {
        assert!(folder[name] == *content, "{name}");
    }
}

#[test]
fn detail_of_one_car_and_some_ticks_goes_to_a_folder_of_its_own() {
    let (folder, scenario) = (tempdir().unwrap(), scenario(CARS, 2, EvTicks::Off));
    let options = Options {
        ev_ticks: Some(EvTicks::Full),
        ticks: Some(90..100),
        ev: Some(5),
        ..Options::default()
    };
    let mut detail = Telemetry::create_detail(folder.path(), &scenario, options).unwrap();
    play(&scenario, &mut detail, scenario.clock.slots).unwrap();
    detail.finish(RunStatus::Finished).unwrap();
    let names: Vec<_> = files(folder.path()).into_keys().collect();
    assert_eq!(
        names,
        ["charger_ticks.parquet", "ev_ticks-2024-03-30.parquet", "ev_ticks-2024-03-31.parquet"]
    );
    let rows = Rows::read(folder.path(), "ev_ticks");
    assert_eq!(rows.ints("tick"), (90..100).map(Some).collect::<Vec<_>>());
    assert_eq!(rows.ints("ev_id"), vec![Some(5); 10]);
}

#[test]
fn a_car_that_is_not_there_is_refused() {
    let (folder, scenario) = (tempdir().unwrap(), scenario(CARS, 1, EvTicks::Off));
    let options = Options { ev: Some(CARS), ..Options::default() };
    let error = Telemetry::create(folder.path(), &scenario, options).err().unwrap();
    assert_eq!(error.to_string(), "there is no car 24: the run has the cars 0 to 23");
    assert!(files(folder.path()).is_empty());
}

#[test]
fn the_manifest_knows_every_file() {
    let (folder, ..) = written(EvTicks::Full);
    let files = files(folder.path());
    let manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let resources = manifest["resources"].as_array().unwrap();
    assert_eq!(resources.len() + 1, files.len());
    for resource in resources {
        let content = &files[resource["path"].as_str().unwrap()];
        assert_eq!(resource["bytes"], content.len());
        let hash = format!("{:x}", Sha256::digest(content));
        assert_eq!(resource["hash"], format!("sha256:{hash}"));
    }
    assert_eq!(manifest["status"], "finished");
    assert_eq!(manifest["ev_ticks"], "Full");
}

#[test]
fn an_interrupted_run_ends_with_its_last_settled_slot() {
    let (folder, scenario) = (tempdir().unwrap(), scenario(CARS, 2, EvTicks::Full));
    let summary = write(folder.path(), &scenario, Options::default(), 10);
    assert_eq!((summary.slots, summary.status.as_str()), (10, "interrupted"));
    let runs = Rows::read(folder.path(), "runs");
    assert_eq!(runs.words("status"), [Some("interrupted".to_owned())]);
    let rows = |table| Rows::read(folder.path(), table).len().cast_signed() as i64;
    let full = [
        "events",
        "cars",
        "sessions",
        "system_ticks",
        "unit_ticks",
        "site_ticks",
        "fleet_ticks",
        "costs",
        "solves",
        "windows",
        "forecasts",
        "paths",
    ];
    assert_eq!(runs.longs("rows"), [full.map(rows).iter().sum::<i64>()]);
    assert_eq!(runs.longs("events"), [rows("events")]);
    assert_eq!(Rows::read(folder.path(), "ev_ticks").len(), 10 * CARS as usize);
}

#[test]
fn tables_that_are_not_finished_leave_nothing() {
    let (folder, scenario) = (tempdir().unwrap(), scenario(CARS, 1, EvTicks::Full));
    let mut telemetry = Telemetry::create(folder.path(), &scenario, Options::default()).unwrap();
    play(&scenario, &mut telemetry, 20).unwrap();
    assert!(files(folder.path()).keys().all(|name| name.starts_with('.')));
    drop(telemetry);
    assert!(files(folder.path()).is_empty());
}

#[test]
fn a_history_without_a_start_is_refused() {
    let (folder, scenario) = (tempdir().unwrap(), scenario(CARS, 1, EvTicks::Full));
    let telemetry = Telemetry::create(folder.path(), &scenario, Options::default()).unwrap();
    assert!(matches!(telemetry.finish(RunStatus::Finished), Err(TelemetryError::NoRunStarted)));
    assert!(files(folder.path()).is_empty());
}

/// A folder that vanishes stands for a disk that fails: the next day's file cannot be created. The
/// days after it are more than what may wait for the writer.
#[test]
fn an_error_of_the_writer_surfaces_at_a_later_call_and_stays() {
    let (folder, scenario) = (tempdir().unwrap(), scenario(CARS, 6, EvTicks::Full));
    let gone = folder.path().join("gone");
    fs::create_dir(&gone).unwrap();
    let mut telemetry = Telemetry::create(&gone, &scenario, Options::default()).unwrap();
    fs::remove_dir_all(&gone).unwrap();
    let error = play(&scenario, &mut telemetry, scenario.clock.slots).unwrap_err();
    assert!(error.to_string().starts_with("cannot create "), "{error}");
    let sealed = Recorded {
        seq: 0,
        cause_seq: None,
        tick: 0,
        event: Event::TickSealed(TickSealed::default()),
    };
    assert!(matches!(telemetry.event(&scenario, &sealed), Err(TelemetryError::Stopped)));
    assert!(matches!(telemetry.finish(RunStatus::Finished), Err(TelemetryError::Stopped)));
}

#[test]
fn fields_say_their_unit_and_sign() {
    let schema = EV_TICKS.schema();
    let field = schema.field_with_name("energy_kwh").unwrap();
    assert_eq!(field.metadata().get("unit").map(String::as_str), Some("kWh"));
}

/// Set for a process whose files may only be small, as on a disk that is full.
const SMALL_FILES: &str = "VOLTIDE_TEST_SMALL_FILES";

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_no_table_and_no_manifest() {
    if std::env::var_os(SMALL_FILES).is_none() {
        let again = "trap '' XFSZ; ulimit -f 8; exec \"$0\" --exact a_full_disk_leaves_no_table_and_no_manifest";
        let mut shell = Command::new("sh");
        shell.args(["-c", again]).arg(std::env::current_exe().unwrap()).env(SMALL_FILES, "yes");
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let (folder, scenario) = (tempdir().unwrap(), scenario(CARS, 2, EvTicks::Full));
    let mut telemetry = Telemetry::create(folder.path(), &scenario, Options::default()).unwrap();
    let error = match play(&scenario, &mut telemetry, scenario.clock.slots) {
        Ok(()) => telemetry.finish(RunStatus::Finished).unwrap_err(),
        Err(error) => error,
    };
    assert!(error.to_string().starts_with("cannot write the table "), "{error}");
    assert!(!files(folder.path()).keys().any(|name| !name.starts_with('.')));
}
