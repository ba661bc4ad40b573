//! Runs of one car as a whole program: what a tick costs, and what a day costs where a process runs
//! many.
//!
//! `cargo build --release && cargo bench -p voltide-benches --bench small`
//!
//! Ticks are those of `worlds/one-car.ron` over 60 days less those over 10, with journal and tables;
//! days are 300 seeds of it less 100, once as runs that are kept and once for their figures alone.
//! So the start of the program does not count. `--rounds N` says how often, and `--program FILE`,
//! from the workspace's folder, of which program.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a measurement prints its tables")]

use std::{
    env,
    path::PathBuf,
    process::{Command, ExitCode},
};
use voltide_benches::{
    machine::cost_of_children,
    program::{program, root},
    spread,
    table::Table,
};

/// Ticks of a day.
const TICKS: f64 = 96.0;

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
    let choice = Choice::from_command_line()?;
    let ticks = choice.spread(|days| choice.run(days), (10, 60))?;
    let kept = choice.spread(|seeds| choice.compare(seeds, true), (100, 300))?;
    let figures = choice.spread(|seeds| choice.compare(seeds, false), (100, 300))?;
    let mut table = Table::new(["CPU", "min", "median", "max"]);
    table.row("a tick with journal and tables, µs", ticks.map(|s| shown(s / TICKS * 1e6)));
    table.row("a day that is kept, ms", kept.map(|s| shown(s * 1e3)));
    table.row("a day of which only figures are kept, ms", figures.map(|s| shown(s * 1e3)));
    println!("one car, uncontrolled, in quarter hours\n\n{table}");
    Ok(())
}

fn shown(value: f64) -> String {
    format!("{value:.1}")
}

/// What is to be measured.
struct Choice {
    program: PathBuf,
    rounds: usize,
}

impl Choice {
    fn from_command_line() -> Result<Self, String> {
        let arguments: Vec<String> =
            env::args().skip(1).filter(|argument| argument != "--bench").collect();
        let (mut rounds, mut other) = (5, None);
        for pair in arguments.chunks(2) {
            let count = pair.get(1).and_then(|count| count.parse().ok()).filter(|&count| count > 0);
            match (pair[0].as_str(), pair.get(1), count) {
                ("--rounds", _, Some(count)) => rounds = count,
                ("--program", Some(file), _) => other = Some(root().join(file)),
                _ => return Err("usage: [--rounds N] [--program FILE]".into()),
            }
        }
        Ok(Self { program: other.map_or_else(program, Ok)?, rounds })
    }

    /// CPU seconds of one more, of so many and of more: the least, the middle one and the most of
    /// all rounds.
    fn spread(
        &self,
        cpu_s: impl Fn(u32) -> Result<f64, String>,
        (few, many): (u32, u32),
    ) -> Result<[f64; 3], String> {
        let mut each = Vec::new();
        for _ in 0..self.rounds {
            each.push((cpu_s(many)? - cpu_s(few)?) / f64::from(many - few));
        }
        Ok(spread(each))
    }

    /// CPU seconds of a run of so many days.
    fn run(&self, days: u32) -> Result<f64, String> {
        self.cpu_s(&["run", "--set", &format!("clock.days={days}")], true)
    }

    /// CPU seconds of a comparison of so many seeds.
    fn compare(&self, seeds: u32, kept: bool) -> Result<f64, String> {
        let seeds = format!("1000..{}", 999 + seeds);
        self.cpu_s(
            &["compare", "--policies", "uncontrolled", "--jobs", "1", "--seeds", &seeds],
            kept,
        )
    }

    fn cpu_s(&self, arguments: &[&str], kept: bool) -> Result<f64, String> {
        let out = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
        let mut command = Command::new(&self.program);
        command.args(arguments).arg(root().join("worlds/one-car.ron")).arg("--quiet");
        if kept {
            command.arg("--out").arg(out.path());
        }
        let (output, cost) = cost_of_children(|| command.output());
        let output =
            output.map_err(|error| format!("cannot start {}: {error}", self.program.display()))?;
        if !output.status.success() {
            return Err(format!("the run failed:\n{}", String::from_utf8_lossy(&output.stderr)));
        }
        Ok(cost.cpu_s)
    }
}
