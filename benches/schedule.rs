//! FlexMeasures problems as a whole process: JSON in, schedule out.
//!
//! `cargo build --release && cargo bench -p voltide-benches --bench schedule`
//!
//! One battery by itself, and ten and a hundred that share a connection, each for 24 hours in slots of
//! five minutes, with a minimum in the morning and the soft limits that FlexMeasures has by default; and
//! three behind one limit in quarter hours at negative prices, which need binaries.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a measurement prints its tables")]

use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
};
use voltide_benches::{
    machine::{Cost, cost_of_children},
    program::program,
    spread,
    table::{Table, short},
};

/// Three batteries, 96 slots, a minimum each, and hours below zero.
const NEGATIVE: &str = include_str!("../tests/cases/schedule/n3.json");

fn main() -> ExitCode {
    match measure() {
        Ok(table) => {
            println!("{table}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<Table, String> {
    let program = program()?;
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let head = ["`voltide schedule`, 24 h", "CPU ms, min", "median", "max", "wall ms, median"];
    let mut table = Table::new(head);
    for (name, text, rounds) in [
        ("1 battery", problem(1).to_string(), 15),
        ("10 batteries behind one limit", problem(10).to_string(), 5),
        ("100 batteries behind one limit", problem(100).to_string(), 3),
        ("3 batteries behind one limit, negative prices", NEGATIVE.to_owned(), 3),
    ] {
        let file = folder.path().join(format!("{name}.json"));
        fs::write(&file, text)
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        let costs: Vec<Cost> =
            (0..rounds).map(|_| cost(&program, &file)).collect::<Result<_, _>>()?;
        let milliseconds =
            |of: fn(&Cost) -> f64| spread(costs.iter().map(|cost| of(cost) * 1e3).collect());
        let (cpu, wall) = (milliseconds(|cost| cost.cpu_s), milliseconds(|cost| cost.wall_s));
        table.row(name, cpu.into_iter().chain([wall[1]]).map(short));
    }
    Ok(table)
}

/// What one run costs; it must come to an optimum.
fn cost(program: &Path, file: &Path) -> Result<Cost, String> {
    let mut command = Command::new(program);
    command.args(["--json", "schedule", "--mode", "flexmeasures"]).arg(file);
    let (output, cost) = cost_of_children(|| command.output());
    let output = output.map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    let answer: Value =
        serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    if answer["status"] == "optimal" {
        Ok(cost)
    } else {
        Err(format!("the answer is {}", answer["status"]))
    }
}

/// Batteries that start and leave differently, behind 6 kW each where there are several.
fn problem(batteries: u32) -> Value {
    let model = |index: u32| {
        json!({
            "sensor": format!("ev{index}"),
            "soc-at-start": format!("{} kWh", 10 + 7 * index % 30),
            "soc-min": "5 kWh",
            "soc-max": "60 kWh",
            "power-capacity": "11 kW",
            "roundtrip-efficiency": "90 %",
            "soc-minima": [{
                "value": format!("{} kWh", 40 + 5 * index % 18),
                "datetime": format!("2024-06-12T{:02}:00:00+02:00", 6 + index % 6),
            }],
        })
    };
    let price = |of: fn(u32) -> f64| -> Vec<Value> {
        let event = |hour: u32| {
            json!({
                "start": format!("2024-06-12T{hour:02}:00:00+02:00"),
                "duration": "PT1H",
                "value": format!("{:.4} EUR/kWh", of(hour)),
            })
        };
        (0..24).map(event).collect()
    };
    json!({
        "start": "2024-06-12T00:00:00+02:00",
        "end": "2024-06-13T00:00:00+02:00",
        "resolution": "PT5M",
        "flex-model": (0..batteries).map(model).collect::<Vec<_>>(),
        "flex-context": {
            "consumption-price": price(|hour| 0.2 + 0.01 * f64::from(hour * 7 % 12)),
            "production-price": price(|hour| 0.05 + 0.01 * f64::from(hour * 7 % 12)),
            "site-power-capacity": format!("{} kVA", if batteries > 1 { 6 * batteries } else { 11 }),
        },
    })
}
