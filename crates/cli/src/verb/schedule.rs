//! `voltide schedule`: a FlexMeasures problem in, a schedule with its costs and unmet wishes out.

use crate::{
    args::{Args, Deny},
    chart,
    failure::{Code, Failure},
    output, svg,
    table::{self, Table},
    warnings,
};
use clap::{Args as ClapArgs, ValueEnum};
use serde_json::{Value, json};
use std::{
    fs,
    io::{IsTerminal, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
};
use voltide_flexmeasures::{
    Answer, Conflict, Course, Input, Mode, Notice, Problem, Rejection, Status, solve,
};

#[derive(Debug, ClapArgs)]
pub(crate) struct Flags {
    /// Flex model and flex context (JSON)
    #[arg(value_name = "FLEX.json")]
    pub file: PathBuf,

    /// More JSON to merge into it, files named later win
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub merge: Vec<PathBuf>,

    /// Start of the schedule, with its UTC offset
    #[arg(long, value_name = "DATETIME")]
    pub start: Option<String>,

    /// Length of the schedule, as in PT24H
    #[arg(long, value_name = "DURATION")]
    pub duration: Option<String>,

    /// Length of a slot, as in PT5M
    #[arg(long, value_name = "DURATION")]
    pub resolution: Option<String>,

    /// Zone that durations in days are counted in
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,

    /// Stored energy of every device at the start, as in "20 kWh"
    #[arg(long, value_name = "ENERGY")]
    pub soc_at_start: Option<String>,

    /// Power of every device, as in "11 kW"
    #[arg(long, value_name = "POWER")]
    pub power_capacity: Option<String>,

    /// Series of a sensor from a CSV or Parquet file; may be given several times
    ///
    /// The column is `value` unless it is named. Its unit stands in the file's `sensors`, in the
    /// column's name (`load_kw`, `price_eur_per_mwh`), or after another colon.
    #[arg(long = "sensor", value_name = "NAME=FILE[:COLUMN[:UNIT]]")]
    pub sensors: Vec<String>,

    /// Draw the stored energy, and what was asked of it, as a picture (SVG)
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,

    /// What happens when something cannot be kept
    #[arg(long, value_enum, default_value_t = ModeFlag::BestEffort)]
    pub mode: ModeFlag,

    #[command(flatten)]
    pub deny: Deny,
}

/// How strictly a problem is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeFlag {
    /// As far as it goes.
    BestEffort,
    /// As FlexMeasures 1.0.1, refusals and prices of breaches included.
    Flexmeasures,
}

/// Characters of a chart's line, where there is room for them beside its name.
const CHART_WIDTH: usize = 96;

/// Solves a problem and prints the answer.
pub(crate) fn schedule(schedule: &Flags, args: &Args) -> Result<ExitCode, Failure> {
    let mode = match schedule.mode {
        ModeFlag::BestEffort => Mode::BestEffort,
        ModeFlag::Flexmeasures => Mode::FlexMeasures,
    };
    let problem = match gather(schedule)? {
        Ok(input) => input.problem(mode),
        Err(rejection) => Err(rejection),
    };
    let problem = match problem {
        Ok(problem) => problem,
        Err(rejection) => return refuse(&rejection, args),
    };
    warn(&problem.notices, schedule, args)?;
    let answer = solve(&problem, mode);
    warn(answer.shortfall(&problem).as_slice(), schedule, args)?;
    if let (Some(file), Some(course)) = (&schedule.svg, &answer.course) {
        fs::write(file, svg::courses(&problem, course, &answer.unresolved)).map_err(|error| {
            Failure::new(Code::Run, format!("cannot write {}: {error}", file.display()), None)
        })?;
    }
    if args.json {
        output::say_json("schedule", &answer.json(&problem));
    } else {
        print(&problem, &answer);
    }
    Ok(match answer.status {
        Status::Optimal | Status::Feasible(_) => ExitCode::SUCCESS,
        Status::Infeasible | Status::NoSolution => Code::Infeasible.into(),
    })
}

/// Says notices as every verb says warnings; the place in the JSON stands before the words.
fn warn(notices: &[Notice], schedule: &Flags, args: &Args) -> Result<(), Failure> {
    let said = notices.iter().map(|notice| voltide_world::Problem::new(notice.to_string()));
    warnings::tell(said.map(voltide_world::Problem::as_warning).collect(), &schedule.deny, args)
}

/// The file with everything that completes it; the inner error is about its content.
fn gather(schedule: &Flags) -> Result<Result<Input, Rejection>, Failure> {
    let mut texts = Vec::new();
    for file in std::iter::once(&schedule.file).chain(&schedule.merge) {
        texts.push(read(file)?);
    }
    let mut inputs = texts.iter().map(|text| Input::parse(text));
    let merged = inputs.try_fold(None, |all: Option<Input>, input| {
        let input = input?;
        Ok(Some(match all {
            None => input,
            Some(mut all) => {
                all.merge(input);
                all
            }
        }))
    });
    let mut input = match merged {
        Ok(input) => input.unwrap_or_default(),
        Err(rejection) => return Ok(Err(rejection)),
    };
    set_fields(&mut input, schedule);
    for sensor in &schedule.sensors {
        add_series(sensor, &mut input)?;
    }
    Ok(Ok(input))
}

/// Puts in what the user said besides the files, which has the last word.
fn set_fields(input: &mut Input, schedule: &Flags) {
    let fields = [
        ("start", &schedule.start),
        ("duration", &schedule.duration),
        ("resolution", &schedule.resolution),
        ("timezone", &schedule.timezone),
    ];
    for (field, value) in fields {
        if let Some(value) = value {
            input.set(field, value);
        }
    }
    let of_devices =
        [("soc-at-start", &schedule.soc_at_start), ("power-capacity", &schedule.power_capacity)];
    for (field, value) in of_devices {
        if let Some(value) = value {
            input.set_device(field, value);
        }
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    voltide_world::read_text(file).map_err(|reason| {
        let message = format!("cannot read {}: {reason}", file.display());
        Failure::new(Code::Input, message, None)
    })
}

fn incomplete(argument: &str) -> Failure {
    let help = "write NAME=FILE[:COLUMN[:UNIT]], as in --sensor 41=prices.csv:price:EUR/MWh";
    Failure::new(Code::Input, format!("--sensor `{argument}` is not complete"), Some(help))
}

/// Gives a sensor the series of a file.
fn add_series(argument: &str, input: &mut Input) -> Result<(), Failure> {
    let named = argument.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, rest) = named.ok_or_else(|| incomplete(argument))?;
    let mut parts = rest.splitn(3, ':');
    let path = parts.next().filter(|path| !path.is_empty());
    let path = PathBuf::from(path.ok_or_else(|| incomplete(argument))?);
    let column = parts.next().filter(|column| !column.is_empty()).unwrap_or("value");
    let unit = parts.next().map(str::to_owned);
    let unit = unit.or_else(|| input.unit_of(name).map(str::to_owned)).or_else(|| unit_in(column));
    let unit = unit.ok_or_else(|| {
        let help = "give it after another colon, as in --sensor 41=prices.csv:price:EUR/MWh";
        Failure::new(
            Code::Input,
            format!("column `{column}` of sensor `{name}` has no unit"),
            Some(help),
        )
    })?;
    let sampled = voltide_world::read_column("--sensor", &path, column)?;
    input.set_series(name, &unit, sampled.start, sampled.seconds, &sampled.values);
    Ok(())
}

/// The unit that a column's name ends with: `load_kw`, `price_eur_per_mwh`.
fn unit_in(column: &str) -> Option<String> {
    if let Some((money, energy)) = column.rsplit_once("_per_") {
        let currency =
            money.rsplit('_').next().filter(|code| code.len() == 3)?.to_ascii_uppercase();
        return unit_spelt(energy).map(|energy| format!("{currency}/{energy}"));
    }
    unit_spelt(column.rsplit_once('_')?.1).map(str::to_owned)
}

/// A unit of power or energy as columns spell it.
fn unit_spelt(text: &str) -> Option<&'static str> {
    let known =
        [("kw", "kW"), ("mw", "MW"), ("w", "W"), ("kwh", "kWh"), ("mwh", "MWh"), ("wh", "Wh")];
    known.into_iter().find(|(name, _)| *name == text).map(|(_, unit)| unit)
}

/// Says why a problem was turned down.
fn refuse(rejection: &Rejection, args: &Args) -> Result<ExitCode, Failure> {
    if !args.json {
        let message = format!("rejected ({}): {rejection}", rejection.stage.name());
        return Err(Failure::new(Code::Input, message, None));
    }
    let value = json!({
        "status": "rejected",
        "objective": Value::Null,
        "stage": rejection.stage.name(),
        "path": rejection.path,
        "error": rejection.problem,
        // As every verb tells what is wrong: the path leads through the problem, not to a file.
        "line": Value::Null,
        "column": Value::Null,
        "message": rejection.problem,
        "help": Value::Null,
        "code": Code::Input as u8,
    });
    output::say_json("schedule", &value);
    Ok(Code::Input.into())
}

fn print(problem: &Problem, answer: &Answer) {
    let Some(course) = &answer.course else {
        output::tell(&format!("status  {}", answer.status.name()));
        if let Some(conflict) = &answer.conflict {
            let at = problem.grid.tick(conflict.tick).to_rfc3339();
            let Conflict { owner, field, reason, .. } = conflict;
            output::tell(&format!("cannot hold  {owner}: {field} at {at}: {reason}"));
        }
        return;
    };
    output::say(&slots(problem, course));
    if stdout().is_terminal() {
        output::say(&format!("\n{}", charts(problem, course)));
    }
    let objective = ("objective".to_owned(), answer.objective().unwrap_or(f64::NAN));
    let costs = answer.costs.iter().chain(std::iter::once(&objective));
    let costs = costs.map(|(name, cost)| vec![name.clone(), format!("{cost:.6}")]).collect();
    let header = format!("cost {}", problem.currency);
    output::say(&format!("\n{}", output::table(&["for", &header], costs, &[1])));
    output::say(&format!("\n{}", wishes(problem, answer)));
}

/// The start of a slot on the wall clock of the problem's zone, or in UTC where it has none.
fn start_of(problem: &Problem, tick: usize) -> String {
    let at = problem.grid.tick(tick);
    match problem.grid.zone {
        Some(zone) => at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string(),
        None => at.format("%Y-%m-%d %H:%M UTC").to_string(),
    }
}

/// Whether every device has the same power in two slots, as far as a table shows it.
fn are_alike(course: &Course, one: usize, other: usize) -> bool {
    course.power.iter().all(|power| (power[one] - power[other]).abs() < 1e-6)
}

/// One row for every stretch of slots in which no power changes.
fn slots(problem: &Problem, course: &Course) -> String {
    let mut header = vec!["from".to_owned(), "to".to_owned()];
    for device in &problem.devices {
        header.push(format!("{} kW", device.name));
        header.push(format!("{} kWh at end", device.name));
    }
    let mut rows = Vec::new();
    let mut from = 0;
    for to in 1..=problem.grid.slots {
        if to < problem.grid.slots && are_alike(course, from, to) {
            continue;
        }
        let mut row = vec![start_of(problem, from), start_of(problem, to)];
        for (power, energy) in course.power.iter().zip(&course.energy) {
            // Adding 0 makes the negative zero, which would be shown with its sign, the positive
            // one.
            row.push(format!("{:.3}", power[from] + 0.0));
            row.push(format!("{:.3}", energy[to]));
        }
        rows.push(row);
        from = to;
    }
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let right: Vec<usize> = (2..header.len()).collect();
    Table { keys: 2, ..Table::new(&header, rows, &right) }.fitted()
}

fn charts(problem: &Problem, course: &Course) -> String {
    let room = table::line_width().map_or(CHART_WIDTH, |width| width.saturating_sub(22));
    let width = room.clamp(1, CHART_WIDTH);
    let mut lines = Vec::new();
    for (index, device) in problem.devices.iter().enumerate() {
        lines.push(format!(
            "{:>20}  {}",
            format!("{} kW", device.name),
            chart::bars(&course.power[index], width)
        ));
        let energy = chart::bars(&course.energy[index][1..], width);
        lines.push(format!("{:>20}  {energy}", format!("{} kWh", device.name)));
    }
    lines.join("\n")
}

/// What is missed, by field, and how much is met.
fn wishes(problem: &Problem, answer: &Answer) -> String {
    if answer.unresolved.is_empty() {
        return format!("all constraints are met ({} timed wishes)", answer.resolved.len());
    }
    let rows = answer.unresolved.iter().map(|missed| {
        let at = problem.grid.tick(missed.tick).to_rfc3339();
        vec![
            missed.owner.clone(),
            missed.field.to_owned(),
            at,
            format!("{:.6} {}", missed.amount, missed.unit),
        ]
    });
    output::table(&["unmet", "constraint", "at", "by"], rows.collect(), &[3])
}

#[cfg(test)]
mod tests {
    use super::unit_in;

    #[test]
    fn units_stand_in_the_names_of_columns() {
        assert_eq!(unit_in("load_kw").as_deref(), Some("kW"));
        assert_eq!(unit_in("price_eur_per_mwh").as_deref(), Some("EUR/MWh"));
        assert_eq!(unit_in("price_per_kwh"), None);
        assert_eq!(unit_in("value"), None);
    }
}
