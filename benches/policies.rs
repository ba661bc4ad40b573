//! A day of a fleet under each policy that prices matter to, end to end with the journal.
//!
//! `cargo bench -p voltide-benches --bench policies`
//!
//! 100,000 cars and 96 slots, or `-- --cars N`; one thread, default durability, no tables. Prices have
//! one peak, net load moves with them, and drivers are asked.
#![expect(clippy::print_stdout, reason = "a measurement prints its table")]

use std::{env, process::ExitCode};
use voltide_benches::{
    machine::cost_of,
    night::{self, SLOTS},
    table::{Table, short, thousands},
};

/// Policies in the order of what they do.
const POLICIES: [&str; 4] = ["uncontrolled", "smart", "smart-incentive", "v2g"];

fn main() -> ExitCode {
    let arguments: Vec<String> =
        env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let cars = match arguments.as_slice() {
        [] => 100_000,
        [flag, count] if flag == "--cars" => count.parse().unwrap_or(0),
        _ => 0,
    };
    if cars == 0 {
        println!("usage: [--cars N]");
        return ExitCode::FAILURE;
    }
    let mut table = Table::new(["policy", "CPU s", "wall s", "ns/car-tick", "plan, µs/car-day"]);
    for policy in POLICIES {
        table.row(policy, measured(policy, cars));
    }
    println!("{} cars, {SLOTS} slots\n{table}", thousands(u64::from(cars)));
    ExitCode::SUCCESS
}

fn measured(policy: &str, cars: u32) -> Vec<String> {
    let scenario = night::priced_scenario(cars);
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let log = night::journal(folder.path());
    let run = night::begin_with((policy, ""), &scenario, 1, log, night::NoTables)
        .expect("the world is set up");
    let (ended, cost) = cost_of(|| night::finish(run).expect("it runs to its end"));
    let plan = ended.profile.seconds.get("plan").copied().unwrap_or_default();
    vec![
        short(cost.cpu_s),
        short(cost.wall_s),
        short(1e9 * cost.cpu_s / f64::from(cars) / f64::from(SLOTS)),
        short(1e6 * plan / f64::from(cars)),
    ]
}
