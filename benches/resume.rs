//! The way back as a whole program: what a run that was killed costs to finish, from its snapshots and
//! without them, and how long a look at its past takes.
//!
//! `cargo build --release && cargo bench -p voltide-benches --bench resume`
//!
//! The German week is killed when its log holds three quarters of what the whole week's does. Every
//! measurement starts from a copy of what was left.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a measurement prints its table")]
#![expect(
    clippy::unwrap_used,
    reason = "a measurement that meets an error stops, wherever that is"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    thread::sleep,
    time::Duration,
};
use voltide_benches::{
    machine::{Cost, cost_of_children},
    median,
    program::{program, root, run_in, size},
    table::{Table, short},
};

const ROUNDS: usize = 5;

fn main() -> ExitCode {
    match program() {
        Ok(program) => measure(&program),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn measure(program: &Path) {
    let out = tempfile::tempdir().unwrap();
    let whole_out = out.path().join("whole");
    let run = |out: &Path| {
        let mut command = Command::new(program);
        command
            .args(["run", "--quiet", "--out"])
            .arg(out)
            .arg(root().join("worlds/germany/week.ron"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let whole = cost(&mut run(&whole_out));
    let bytes = size(&run_in(&whole_out).unwrap().join("log"));
    let killed =
        killed_at(run(&out.path().join("killed")), &out.path().join("killed"), bytes * 3 / 4);
    let share = 100.0 * size(&killed.join("log")) as f64 / bytes as f64;
    println!(
        "the German week, killed when {share:.0} % of its log were written; {ROUNDS} rounds\n"
    );
    let mut table = Table::new(["", "CPU s", "wall s"]);
    let mut row = |name: &str, costs: Vec<Cost>| {
        let middle = |of: fn(&Cost) -> f64| short(median(costs.iter().map(of)));
        table.row(name, [middle(|cost| cost.cpu_s), middle(|cost| cost.wall_s)]);
    };
    row("the whole week, uninterrupted", vec![whole]);
    for (snapshots, name) in [(true, "from its snapshots"), (false, "without snapshots")] {
        let again = |arguments: &'static [&'static str]| -> Vec<Cost> {
            (0..ROUNDS).map(|_| on_a_copy(program, &killed, snapshots, arguments)).collect()
        };
        row(&format!("`resume` to the end, {name}"), again(&["resume"]));
    }
    let finished = run_in(&whole_out).unwrap();
    for (snapshots, name) in [(true, "from its snapshots"), (false, "without snapshots")] {
        let look = |_| on_a_copy(program, &finished, snapshots, &["state", "--at", "600"]);
        row(&format!("`state --at 600`, {name}"), (0..ROUNDS).map(look).collect());
    }
    let replay = |_| on_a_copy(program, &finished, true, &["replay"]);
    row("`replay`: all tables anew", (0..ROUNDS).map(replay).collect());
    println!("{table}");
}

/// What a verb costs on a copy of a run.
fn on_a_copy(program: &Path, run: &Path, snapshots: bool, arguments: &[&str]) -> Cost {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join(run.file_name().unwrap());
    copy_all(run, &copy);
    if !snapshots {
        fs::remove_dir_all(copy.join("snapshots")).unwrap();
    }
    let mut command = Command::new(program);
    cost(command.args(arguments).arg("--quiet").arg(&copy).stdout(Stdio::null()))
}

fn cost(command: &mut Command) -> Cost {
    let (status, cost) = cost_of_children(|| command.status());
    assert!(status.unwrap().success(), "{command:?} failed");
    cost
}

/// Starts a run and kills it once its log has so many bytes; its folder.
fn killed_at(mut command: Command, out: &Path, bytes: u64) -> PathBuf {
    let mut child = command.spawn().unwrap();
    while run_in(out).is_none_or(|run| size(&run.join("log")) < bytes) {
        assert!(child.try_wait().unwrap().is_none(), "the run was over before it could be killed");
        // Often enough to kill it near the mark, and seldom enough to leave it the processor.
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    run_in(out).unwrap()
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_all(&source, &target);
        } else {
            fs::copy(&source, &target).unwrap();
        }
    }
}
