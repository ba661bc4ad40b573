//! Writes the tables of a hand-made history, for measuring what they cost.
//!
//! ```console
//! $ time cargo run --release -p voltide-telemetry --example write_tables -- 10000 7 full /tmp/tables
//! $ time cargo run --release -p voltide-telemetry --example write_tables -- 10000 7 none /tmp/tables
//! ```
//! The second does all but the tables; the difference of their user times is the tables' cost.
//! `asked` is `full` in a world where drivers are asked.

#[path = "../tests/history/mod.rs"]
mod history;

use std::{convert::Infallible, error::Error, path::Path, sync::Arc};
use voltide_journal::{event::Recorded, sink::Sink};
use voltide_model::{
    columns::TickColumns,
    scenario::{EvTicks, Scenario},
};
use voltide_telemetry::{Options, RunStatus, Telemetry};

/// Takes in a history and forgets it.
struct Nowhere;

impl Sink for Nowhere {
    type Error = Infallible;

    fn event(&mut self, _: &Arc<Scenario>, _: &Recorded) -> Result<(), Infallible> {
        Ok(())
    }

    fn tick(&mut self, _: &Arc<Scenario>, _: &TickColumns<'_>) -> Result<(), Infallible> {
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [cars, days, level, folder] = words.as_slice() else {
        return Err("usage: write_tables CARS DAYS none|off|changes|full|asked FOLDER".into());
    };
    let world = if level == "asked" { history::asking_scenario } else { history::scenario };
    let level = match level.as_str() {
        "none" => None,
        "off" => Some(EvTicks::Off),
        "changes" => Some(EvTicks::Changes),
        _ => Some(EvTicks::Full),
    };
    let scenario = world(cars.parse()?, days.parse()?, level.unwrap_or(EvTicks::Off));
    if level.is_none() {
        history::play(&scenario, &mut Nowhere, scenario.clock.slots)?;
        return Ok(());
    }
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder)?;
    let mut telemetry = Telemetry::create(folder, &scenario, Options::default())?;
    history::play(&scenario, &mut telemetry, scenario.clock.slots)?;
    telemetry.finish(RunStatus::Finished)?;
    Ok(())
}
