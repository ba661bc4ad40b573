//! The German week as a whole program: world file in, journal and tables out.
//!
//! `cargo build --release && cargo bench -p voltide-benches --bench week`
//!
//! Runs the program as it is in `target/release` on `worlds/germany/week.ron`, or on the world given
//! with `--world`, several times into a temporary folder.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a measurement prints its tables")]

use serde_json::Value;
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};
use voltide_benches::{
    machine::{Cost, cost_of_children},
    program::{program, root, run_in, size},
    spread,
    table::{Table, short, thousands},
};

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), String> {
    let (choice, program) = (Choice::from_command_line()?, program()?);
    let runs: Vec<Run> =
        (0..choice.rounds).map(|_| Run::of(&program, &choice.world)).collect::<Result<_, _>>()?;
    report(&choice, &runs);
    Ok(())
}

/// What is to be measured.
struct Choice {
    world: PathBuf,
    rounds: usize,
}

impl Choice {
    fn from_command_line() -> Result<Self, String> {
        let mut choice = Self { world: root().join("worlds/germany/week.ron"), rounds: 7 };
        let arguments: Vec<String> =
            env::args().skip(1).filter(|argument| argument != "--bench").collect();
        for pair in arguments.chunks(2) {
            let count = pair.get(1).and_then(|count| count.parse().ok()).filter(|&count| count > 0);
            match (pair[0].as_str(), pair.get(1), count) {
                ("--rounds", _, Some(count)) => choice.rounds = count,
                // The working folder of a bench is its package's, not that of whoever asked for it.
                ("--world", Some(world), _) => choice.world = root().join(world),
                _ => {
                    return Err(
                        "usage: [--rounds N] [--world FILE, from the workspace's folder]".into()
                    );
                }
            }
        }
        Ok(choice)
    }
}

/// One run of the program.
struct Run {
    cost: Cost,
    /// `profile.json`.
    profile: Value,
    /// `manifest.json`.
    manifest: Value,
    journal_bytes: u64,
}

impl Run {
    fn of(program: &Path, world: &Path) -> Result<Self, String> {
        let out = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
        let mut command = Command::new(program);
        command.arg("run").arg(world).arg("--quiet").arg("--out").arg(out.path());
        let (output, cost) = cost_of_children(|| command.output());
        let output =
            output.map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        if !output.status.success() {
            return Err(format!("the run failed:\n{}", String::from_utf8_lossy(&output.stderr)));
        }
        let folder = run_in(out.path()).ok_or("the run left no log behind")?;
        Ok(Self {
            cost,
            profile: json(&folder.join("profile.json"))?,
            manifest: json(&folder.join("manifest.json"))?,
            journal_bytes: size(&folder.join("log")),
        })
    }

    fn of_tables(&self, what: &str) -> u64 {
        let tables = self.manifest["resources"].as_array().into_iter().flatten();
        tables
            .filter(|table| table["format"] == "parquet")
            .filter_map(|table| table[what].as_u64())
            .sum()
    }

    fn phases(&self) -> BTreeMap<&str, f64> {
        let phases = self.profile["phases"].as_object().into_iter().flatten();
        phases.map(|(name, seconds)| (name.as_str(), seconds.as_f64().unwrap_or(0.0))).collect()
    }
}

fn json(file: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
}

fn report(choice: &Choice, runs: &[Run]) {
    // What is written is the same in every run.
    let last = &runs[runs.len() - 1];
    let rows = last.of_tables("rows");
    println!("`voltide run {}`, {} runs, all cores.\n", name(&choice.world), runs.len());
    println!("{}", cost_table(runs, rows));
    println!(
        "{} EV-ticks; {} rows in {} bytes of tables, {} bytes of journal.\n",
        thousands(last.profile["ev_ticks"].as_u64().unwrap_or(0)),
        thousands(rows),
        thousands(last.of_tables("bytes")),
        thousands(last.journal_bytes),
    );
    println!("Where the simulation's own thread spent its time, by `profile.json`:\n");
    println!("{}", phase_table(runs));
}

fn name(world: &Path) -> String {
    world.strip_prefix(root()).unwrap_or(world).display().to_string()
}

fn cost_table(runs: &[Run], rows: u64) -> Table {
    let mut table = Table::new(["of the whole program", "min", "median", "max"]);
    let mut row = |name: &str, value: &dyn Fn(&Run) -> f64| {
        table.row(name, spread(runs.iter().map(value).collect()).map(short));
    };
    let profile =
        |key: &'static str| move |run: &Run| run.profile[key].as_f64().unwrap_or(f64::NAN);
    row("CPU s", &|run| run.cost.cpu_s);
    row("wall s", &|run| run.cost.wall_s);
    row("rows per CPU s", &|run| rows as f64 / run.cost.cpu_s);
    row("rows per wall s", &|run| rows as f64 / run.cost.wall_s);
    row("set-up, CPU s", &profile("setup_cpu_s"));
    row("ticks, CPU s", &profile("run_cpu_s"));
    row("closing, CPU s", &profile("finish_cpu_s"));
    row("ticks, CPU ns per car and tick", &profile("run_cpu_ns_per_ev_tick"));
    row("most memory, MiB", &profile("peak_rss_mib"));
    table
}

fn phase_table(runs: &[Run]) -> Table {
    let mut table = Table::new(["wall ms", "min", "median", "max"]);
    let phases = runs.iter().map(Run::phases).collect::<Vec<_>>();
    for &phase in phases[0].keys() {
        let milliseconds =
            phases.iter().map(|phases| phases.get(phase).map_or(0.0, |seconds| seconds * 1e3));
        table.row(phase, spread(milliseconds.collect()).map(short));
    }
    table
}
