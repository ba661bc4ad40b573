//! Up to a million cars for a day: time per car and tick, memory per car, and how both grow.
//!
//! `cargo bench -p voltide-benches --bench million -- --cars 10000,100000,1000000`
//!
//! Every size is measured in processes of its own, so that no size finds memory that another left
//! behind; within a process the simulation and the loop by hand take turns.
#![expect(clippy::print_stdout, reason = "a measurement prints its tables")]

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, env, fs, path::Path, process::Command, sync::Arc};
use voltide_benches::{
    by_hand,
    machine::{Memory, Stopwatch, cost_of},
    median, night,
    script::Script,
    table::{Table, short, thousands},
};
use voltide_journal::log::EventLog;
use voltide_model::scenario::Scenario;

/// Phases in which all cars are gone through: what the loop by hand does too.
const PHYSICS: [&str; 3] = ["limit", "dispatch", "settle"];
/// The phases that are shown, in the order of a tick.
const PHASES: [&str; 8] =
    ["arrive", "price", "plan", "limit", "dispatch", "settle", "record", "journal"];

fn main() {
    let arguments: Vec<String> =
        env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.first().map(String::as_str) {
        Some("measure-time") => {
            print_json(&time(number(&arguments[1]), number(&arguments[2]), number(&arguments[3])));
        }
        Some("measure-memory") => {
            print_json(&memory(number(&arguments[1]), arguments[2] == "journal"));
        }
        _ => report(&Choice::from(&arguments)),
    }
}

/// What is to be measured.
struct Choice {
    cars: Vec<u32>,
    threads: Vec<usize>,
    rounds: u32,
}

impl Choice {
    fn from(arguments: &[String]) -> Self {
        let mut choice =
            Self { cars: vec![10_000, 100_000, 1_000_000], threads: vec![1, 2], rounds: 5 };
        for pair in arguments.chunks(2) {
            let value = pair.get(1).map_or("", String::as_str);
            match pair[0].as_str() {
                "--cars" => choice.cars = value.split(',').map(number).collect(),
                "--threads" => choice.threads = value.split(',').map(number).collect(),
                "--rounds" => choice.rounds = number(value),
                other => {
                    panic!("`{other}` is not one of --cars N,N,.. --threads N,N,.. --rounds N")
                }
            }
        }
        choice
    }
}

fn number<N: std::str::FromStr>(text: impl AsRef<str>) -> N {
    let text = text.as_ref();
    text.parse().unwrap_or_else(|_| panic!("`{text}` is not a number that makes sense here"))
}

/// One turn: the simulation and then the loop by hand, seconds.
#[derive(Serialize, Deserialize)]
struct Round {
    /// CPU time from the first tick to the closed journal, all threads.
    run_cpu: f64,
    /// The same on the wall.
    run_wall: f64,
    /// Wall time of the simulation's own thread by phase.
    phases: BTreeMap<String, f64>,
    /// Wall time of the loop by hand.
    by_hand: f64,
}

impl Round {
    fn phase(&self, name: &str) -> f64 {
        self.phases.get(name).copied().unwrap_or_default()
    }

    fn physics(&self) -> f64 {
        PHYSICS.iter().map(|phase| self.phase(phase)).sum()
    }
}

/// What one size took.
#[derive(Serialize, Deserialize)]
struct Time {
    cars: u32,
    /// CPU seconds for drawing the cars and their stays.
    draw_cpu: f64,
    /// CPU seconds for setting up the simulation.
    set_up_cpu: f64,
    journal_bytes: u64,
    rounds: Vec<Round>,
}

impl Time {
    fn ev_ticks(&self) -> f64 {
        f64::from(self.cars) * f64::from(night::SLOTS)
    }

    /// The middle round's nanoseconds per car and tick of some part.
    fn ns(&self, seconds: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(seconds)) * 1e9 / self.ev_ticks()
    }

    fn ratio(&self) -> f64 {
        median(self.rounds.iter().map(|round| round.physics() / round.by_hand))
    }
}

/// What one size holds at most and in the end, bytes more than before the world was drawn.
#[derive(Serialize, Deserialize, Clone, Copy)]
struct Held {
    world: f64,
    start: f64,
    end: f64,
    peak: f64,
}

/// Measures time in this process.
fn time(cars: u32, threads: usize, rounds: u32) -> Time {
    let (scenario, draw) = cost_of(|| night::scenario(cars));
    // The script is written by a run of its own, since the sink that does it would be measured,
    // too.
    let run = night::begin(&scenario, threads, night::NoJournal, Script::default());
    let script = run.and_then(night::finish).expect("the world runs").sink;
    let mut time =
        Time { cars, draw_cpu: draw.cpu_s, set_up_cpu: 0.0, journal_bytes: 0, rounds: Vec::new() };
    for _ in 0..rounds {
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let log = night::journal(folder.path());
        let (run, set_up) = cost_of(|| night::begin(&scenario, threads, log, night::NoTables));
        let (ended, cost) = cost_of(|| run.and_then(night::finish).expect("the world runs"));
        let phases =
            ended.profile.seconds.iter().map(|(&name, &seconds)| (name.to_owned(), seconds));
        time.rounds.push(Round {
            run_cpu: cost.cpu_s,
            run_wall: cost.wall_s,
            phases: phases.collect(),
            by_hand: by_hand::run(&scenario, &script).seconds,
        });
        time.set_up_cpu = set_up.cpu_s;
        time.journal_bytes = bytes_in(folder.path());
    }
    time
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |path: &Path| {
        if path.is_dir() { bytes_in(path) } else { path.metadata().map_or(0, |it| it.len()) }
    };
    entries.map(|entry| size(&entry.path())).sum()
}

/// Measures memory in this process; `None` where the system does not tell.
fn memory(cars: u32, with_journal: bool) -> Option<Held> {
    let before = Memory::now()?;
    let scenario = night::scenario(cars);
    let world = Memory::now()?;
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let (start, end) = if with_journal {
        // What the journal keeps is told by the difference to a run without one.
        held_by_run(&scenario, night::journal(folder.path()))?
    } else {
        held_by_run(&scenario, night::NoJournal)?
    };
    // The program itself, with the libraries that it loads, is no memory of cars.
    let more = |bytes: u64| bytes.saturating_sub(before.resident) as f64;
    Some(Held {
        world: more(world.resident),
        start: more(start.resident),
        end: more(end.resident),
        peak: more(end.peak),
    })
}

/// Memory before the first tick and after the last.
fn held_by_run(scenario: &Arc<Scenario>, log: impl EventLog) -> Option<(Memory, Memory)> {
    let mut run = night::begin(scenario, 1, log, night::NoTables).expect("the world is set up");
    let start = Memory::now()?;
    night::step_through(&mut run).expect("the world runs");
    Some((start, Memory::now()?))
}

fn print_json(measured: &impl Serialize) {
    println!("{}", serde_json::to_string(measured).expect("numbers are JSON"));
}

/// Measures in a process of its own.
fn measured<T: for<'a> Deserialize<'a>>(arguments: &[&str]) -> T {
    let program = env::current_exe().expect("the program knows where it is");
    let output = Command::new(program).args(arguments).output().expect("the program starts itself");
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(&said).unwrap_or_else(|_| panic!("{arguments:?} failed: {said}{error}"))
}

fn report(choice: &Choice) {
    let mut total = Stopwatch::default();
    total.time(|| {
        println!(
            "One fleet of cars, overnight at home, uncontrolled: one day of {} slots.",
            night::SLOTS
        );
        println!("Journal on, durability {:?}, `ev_ticks: Off`, no tables.", night::DURABILITY);
        for &threads in &choice.threads {
            let time = |&cars: &u32| -> Time {
                let numbers = [cars.to_string(), threads.to_string(), choice.rounds.to_string()];
                measured(&["measure-time", &numbers[0], &numbers[1], &numbers[2]])
            };
            let times: Vec<Time> = choice.cars.iter().map(time).collect();
            println!("\nTime, {threads} thread(s), the middle one of {} rounds:\n", choice.rounds);
            println!("{}", time_table(&times));
            println!("{}", verdict(&times));
        }
        println!(
            "\nMemory, bytes a car, beyond what the process held before the world was drawn:\n"
        );
        println!("{}", memory_table(&choice.cars));
    });
    println!("All of it took {:.0} s.", total.seconds);
}

fn time_table(times: &[Time]) -> Table {
    let mut table = Table::new(
        ["ns per car and tick".to_owned()]
            .into_iter()
            .chain(times.iter().map(|time| cars(time.cars))),
    );
    let mut row = |name: &str, value: &dyn Fn(&Time) -> f64| {
        table.row(name, times.iter().map(|time| short(value(time))));
    };
    row("whole run, CPU", &|time| time.ns(|round| round.run_cpu));
    row("whole run, wall", &|time| time.ns(|round| round.run_wall));
    for phase in PHASES {
        row(&format!("- {phase}"), &|time| time.ns(|round| round.phase(phase)));
    }
    row("physics (limit, dispatch, settle)", &|time| time.ns(Round::physics));
    row("the loop by hand", &|time| time.ns(|round| round.by_hand));
    row("physics / by hand", &Time::ratio);
    row("drawing cars and stays, CPU s", &|time| time.draw_cpu);
    row("setting up the simulation, CPU s", &|time| time.set_up_cpu);
    row("journal, bytes a car and day", &|time| time.journal_bytes as f64 / f64::from(time.cars));
    table
}

fn cars(count: u32) -> String {
    format!("{} cars", thousands(count.into()))
}

/// How the largest size compares with the smallest.
fn verdict(times: &[Time]) -> String {
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return String::new() };
    let run = last.ns(|round| round.run_cpu) / first.ns(|round| round.run_cpu);
    let physics = last.ns(Round::physics) / first.ns(Round::physics);
    let by_hand = last.ns(|round| round.by_hand) / first.ns(|round| round.by_hand);
    format!(
        "A tick of one of {} costs {run:.2} times that of one of {} (physics {physics:.2}, by hand {by_hand:.2}).",
        cars(last.cars),
        cars(first.cars),
    )
}

fn memory_table(sizes: &[u32]) -> Table {
    let held = |journal: &str| -> Vec<Option<Held>> {
        sizes.iter().map(|size| measured(&["measure-memory", &size.to_string(), journal])).collect()
    };
    let (without, with) = (held("none"), held("journal"));
    let mut table = Table::new(
        ["bytes a car".to_owned()].into_iter().chain(sizes.iter().map(|&size| cars(size))),
    );
    let mut row = |name: &str, all: &[Option<Held>], of: fn(&Held) -> f64| {
        let bytes = |(held, &size): (&Option<Held>, &u32)| {
            held.as_ref().map_or("not known".into(), |held| short(of(held) / f64::from(size)))
        };
        table.row(name, all.iter().zip(sizes).map(bytes));
    };
    row("cars and stays, drawn", &without, |held| held.world);
    row("simulation set up, no journal", &without, |held| held.start);
    row("after the last tick, no journal", &without, |held| held.end);
    row("at most, no journal", &without, |held| held.peak);
    row("after the last tick, with journal", &with, |held| held.end);
    row("at most, with journal", &with, |held| held.peak);
    table
}
