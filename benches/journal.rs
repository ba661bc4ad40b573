//! What the journal costs: its share of a run at each durability, its size, and how fast it is read.
//!
//! ```console
//! $ cargo bench -p voltide-benches --bench journal             # 10,000 cars
//! $ cargo bench -p voltide-benches --bench journal -- 1000000
//! ```
#![expect(clippy::print_stdout, reason = "prints what it measured")]
#![expect(
    clippy::unwrap_used,
    reason = "a measurement that meets an error stops, wherever that is"
)]

use std::{path::Path, sync::Arc};
use voltide_benches::{
    machine::cost_of,
    night::{
        NoJournal, NoTables, begin, begin_with, finish, journal, priced_scenario, scenario,
        step_through,
    },
    program::size,
    table::Table,
};
use voltide_engine::Replay;
use voltide_journal::{
    mcap_log::McapLog,
    reader,
    snapshot::{self, Encoded},
};
use voltide_model::scenario::{Durability, Scenario};

/// More cars than that are not given to CBC, which takes a millisecond for each.
const CBC_UP_TO: u32 = 20_000;

fn main() {
    let cars = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(10_000_u32);
    let scenario = scenario(cars);
    let ticks = scenario.clock.slots;
    println!("a day of {cars} cars, {ticks} ticks, uncontrolled, one thread, no tables\n");
    let bare = wall(|| drop(finish(begin(&scenario, 1, NoJournal, NoTables).unwrap()).unwrap()));
    println!("| durability | run s | journal s | share | bytes a car-day |\n|---|--:|--:|--:|--:|");
    for durability in
        [Durability::Tick, Durability::Every(16), Durability::Paced, Durability::Close]
    {
        let folder = tempfile::tempdir().unwrap();
        let log = McapLog::create(folder.path(), durability).unwrap();
        let mut spent = 0.0;
        let whole = wall(|| {
            let ended = finish(begin(&scenario, 1, log, NoTables).unwrap()).unwrap();
            spent = ended.profile.seconds["journal"];
        });
        let bytes = size(&folder.path().join("log")) as f64 / f64::from(cars);
        println!(
            "| {durability:?} | {whole:.3} | {spent:.3} | {:.1} % | {bytes:.1} |",
            100.0 * spent / whole
        );
    }
    println!("\nthe same run without a journal: {bare:.3} s");
    reading(&scenario);
    replays(cars);
}

/// How much sooner a replay has what a live run decided, with the prices that V2G is planned at.
fn replays(cars: u32) {
    let scenario = priced_scenario(cars);
    let mut table = Table::new(["policy", "live, CPU s", "replay, CPU s", "live / replay"]);
    let by_cbc = (cars <= CBC_UP_TO).then_some(("v2g", "solver: Milp"));
    for policy in [("uncontrolled", ""), ("smart", ""), ("v2g", "")].into_iter().chain(by_cbc) {
        let folder = tempfile::tempdir().unwrap();
        let run = begin_with(policy, &scenario, 1, journal(folder.path()), NoTables).unwrap();
        let live = cost_of(|| drop(finish(run).unwrap())).1.cpu_s;
        let replay = Replay::new(Arc::clone(&scenario), NoTables, 1, false);
        let replay = cost_of(|| play(replay, folder.path(), None)).1.cpu_s;
        let [live_s, replay_s] = [live, replay].map(|cpu| format!("{cpu:.3}"));
        table.row(
            [policy.0, policy.1].join(" ").trim_end(),
            [live_s, replay_s, format!("{:.1}", live / replay)],
        );
    }
    println!("\nprices that move:\n\n{table}");
}

/// How long it takes to come back to the last tick: from the start, and from a snapshot in the middle.
fn reading(scenario: &Arc<Scenario>) {
    let folder = tempfile::tempdir().unwrap();
    let log = McapLog::create(folder.path(), Durability::Close).unwrap();
    let mut run = begin(scenario, 1, log, NoTables).unwrap();
    let middle = scenario.clock.slots * 3 / 4;
    while run.tick() < middle {
        run.step().unwrap();
    }
    let mut taken = 0.0;
    let tick = middle - 1;
    taken += wall(|| Encoded::of(&run.snapshot().unwrap()).unwrap().write(folder.path()).unwrap());
    step_through(&mut run).unwrap();
    run.end(None).unwrap();
    let zero =
        wall(|| play(Replay::new(Arc::clone(scenario), NoTables, 1, false), folder.path(), None));
    let short = wall(|| {
        let snapshot = snapshot::read(folder.path(), tick).unwrap();
        let mut log = reader::open(folder.path()).unwrap();
        let sealed = log.skip_through(tick).unwrap().unwrap();
        let replay = Replay::after(&snapshot, &sealed, Arc::clone(scenario), NoTables, 1).unwrap();
        play(replay, folder.path(), Some(log));
    });
    let bytes = size(&folder.path().join("snapshots"));
    println!(
        "a snapshot takes {taken:.3} s and {:.1} bytes a car",
        bytes as f64 / scenario.population.len() as f64
    );
    println!(
        "back to the last tick: from the start {zero:.3} s, from a snapshot at three quarters {short:.3} s"
    );
}

fn play(mut replay: Replay<NoTables>, folder: &Path, log: Option<reader::LogReader>) {
    for recorded in log.map_or_else(|| reader::open(folder), Ok).unwrap() {
        replay.event(recorded.unwrap()).unwrap();
    }
    drop(replay.end().unwrap());
}

fn wall(what: impl FnOnce()) -> f64 {
    cost_of(what).1.wall_s
}
