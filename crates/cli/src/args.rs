//! The command line.

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};
use clap_complete::Shell;
use std::{ops::RangeInclusive, path::PathBuf};
use voltide_journal::event_names;
use voltide_model::scenario::EvTicks;

/// Simulates electric vehicles and the grid they charge from, tick by tick, and remembers everything.
///
/// Exit codes: 0 ok, 1 run failed or result not written, 2 usage, 3 world or input invalid,
/// 4 infeasible where best effort was switched off, or solver failed, 5 plugin could not be loaded,
/// 6 a check that was asked for failed, 130 interrupted.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, Parser)]
#[command(name = "voltide", version, max_term_width = 100)]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,

    /// Print one JSON object per line instead of tables, for what is wrong, too
    #[arg(long, global = true)]
    pub json: bool,

    /// Say nothing but results and errors: of a run only its folder
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Show every column and row of a table, those without anything in them too, however wide it becomes
    #[arg(long, global = true)]
    pub wide: bool,

    /// Show what policies log
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,

    /// Look for policy plugins here first; may be given several times
    #[arg(long, global = true, value_name = "DIR")]
    pub plugin_dir: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a world and write its tables
    Run(Run),
    /// Read and check worlds without running them; says everything that a run would refuse
    Check(Check),
    /// Run a world under several policies, or read several runs, and set them side by side
    ///
    /// Every policy meets the same cars with the same draws. Where smart and v2g are both compared,
    /// smart-incentive, which is smart at v2g's prices, is added, and the saving of v2g is split
    /// into what the tariff does and what discharging does.
    Compare(Compare),
    /// Go on with a run that crashed or was interrupted
    ///
    /// Its files are then those of a run that was never interrupted, to the byte, but for the parts of
    /// its log. A run that is over stays as it is.
    Resume(Resume),
    /// Branch off from a run at some moment, to see what would have been
    ///
    /// The new run has the parent's cars, draws and history up to that slot, and stores only what comes
    /// after. Without a change it goes the parent's way to the last event.
    Fork(Fork),
    /// Show the state of a run at some moment
    State(State),
    /// Say where two runs part, and what differs in the end
    ///
    /// The first thing that they do not agree on, in words, and what each comes to in energy and
    /// money. Amounts are as they are: what is still to be charged at the end stands beside them.
    Diff(Diff),
    /// Rebuild a run's tables from its log alone
    Replay(Replay),
    /// Look into a run's log
    Log {
        /// What to do with the log.
        #[command(subcommand)]
        verb: Log,
    },
    /// Rebuild per-car tables of a run at another level of detail
    Telemetry(Telemetry),
    /// Solve a FlexMeasures problem: flex model and flex context in JSON, an optimal schedule out
    ///
    /// Reads what FlexMeasures 1.0.1 reads, in old and new field names. What cannot be kept is
    /// approached as far as it goes and named, unless --mode flexmeasures asks for its refusals.
    Schedule(Schedule),
    /// Show which policies there are
    Plugins {
        /// What to do with the plugins.
        #[command(subcommand)]
        verb: Plugins,
    },
    /// Write a policy that builds and passes its own test, to start from
    NewPlugin(NewPlugin),
    /// Look whether this machine is ready for a run
    Doctor(Doctor),
    /// Print completions for a shell
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct World {
    /// World file (RON)
    #[arg(value_name = "WORLD.ron")]
    pub file: PathBuf,

    /// Policy to plan with, by name or path, instead of the world's
    #[arg(long, value_name = "POLICY")]
    pub policy: Option<String>,

    /// Seed of every draw, instead of the world's
    #[arg(long)]
    pub seed: Option<u64>,

    /// Put another value into the world, as in --set fleets.commuters.count=1000; may be given several times
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,
}

/// What is not to be let pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Denied {
    /// What can be run but is hardly meant.
    Warnings,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Deny {
    /// Take warnings for errors: exit with 3, and run nothing
    #[arg(long, value_name = "WHAT", value_enum)]
    deny: Option<Denied>,
}

impl Deny {
    /// Whether warnings are errors.
    pub(crate) fn warnings(&self) -> bool {
        self.deny == Some(Denied::Warnings)
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Run {
    #[command(flatten)]
    pub world: World,

    /// Folder that runs are written to
    #[arg(long, value_name = "DIR", default_value = "outputs")]
    pub out: PathBuf,

    /// Threads for the physics; results do not depend on it [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,

    /// Check the world and say what the run would be, without running it
    #[arg(long = "dry-run")]
    pub dry: bool,

    /// Exit with 6 if any of this happened
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',')]
    pub fail_on: Vec<FailOn>,

    /// Take a snapshot every so many slots, from which a resume, state or fork starts; 0 for none
    /// [default: one a simulated day, at most 64 a run, and fewer where they would be large beside the log]
    #[arg(long, value_name = "SLOTS")]
    pub snapshots: Option<u32>,

    /// Put the new run in the place of one of the same id that it would not repeat, or that is
    /// unfinished
    #[arg(long)]
    pub replace: bool,

    #[command(flatten)]
    pub deny: Deny,
}

/// What `--fail-on` looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// A car left below its target.
    MissedTarget,
    /// A trip wanted more energy than there was.
    ShortTrip,
    /// A site's limit cut what its cars asked for.
    SiteLimit,
    /// The policy panicked or returned an error, and was replaced for a call.
    PolicyFault,
    /// An answer broke the contract: NaN or infinity, more than the charger can, or power after departure.
    BrokenAnswer,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Compare {
    /// A world file (RON) with --policies, or the folders of runs
    #[arg(value_name = "WORLD.ron | RUN", required = true)]
    pub subjects: Vec<PathBuf>,

    /// Policies to run the world with, by name or path; the others are measured against the first
    #[arg(long, value_name = "POLICY", value_delimiter = ',')]
    pub policies: Vec<String>,

    /// Seeds to run the world with, as in --seeds 1..200 (both included), instead of the world's
    #[arg(long, value_name = "A..B", value_parser = seeds, requires = "policies")]
    pub seeds: Option<RangeInclusive<u64>>,

    /// Cases of a world with a plant: 1 without flexibility margins, 2 with them; adds tables of system
    /// cost and missing flexibility
    #[arg(long, value_name = "CASE", value_delimiter = ',', requires = "policies",
          value_parser = clap::value_parser!(u32).range(1..=2))]
    pub cases: Vec<u32>,

    /// Put another value into the world; may be given several times
    #[arg(long = "set", value_name = "PATH=VALUE", requires = "policies")]
    pub sets: Vec<String>,

    /// Folder that runs are written to [default: nothing is kept]
    #[arg(long, value_name = "DIR", requires = "policies")]
    pub out: Option<PathBuf>,

    /// Runs at the same time; results do not depend on it [default: as cores and memory allow]
    #[arg(short, long, value_parser = clap::value_parser!(u16).range(1..), requires = "policies")]
    pub jobs: Option<u16>,

    /// Put the new run in the place of one of the same id that it would not repeat, or that is
    /// unfinished
    #[arg(long, requires = "out")]
    pub replace: bool,

    #[command(flatten)]
    pub deny: Deny,
}

/// Most seeds of one comparison: each is a run of its own.
const SEEDS_MAX: u64 = 100_000;

/// A range of seeds as the flag spells it: `1..200`, or a single one.
fn seeds(text: &str) -> Result<RangeInclusive<u64>, &'static str> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    match (first.parse(), last.trim_start_matches('=').parse()) {
        (Ok(first), Ok(last)) if first <= last && last - first < SEEDS_MAX => Ok(first..=last),
        (Ok(first), Ok(last)) if first <= last => Err("one comparison has at most 100000 seeds"),
        _ => Err("write the first and the last seed, as in 1..200"),
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Check {
    /// World files (RON)
    #[arg(value_name = "WORLD.ron", required = true)]
    pub worlds: Vec<PathBuf>,

    /// Policy to plan with, by name or path, instead of the worlds'
    #[arg(long, value_name = "POLICY")]
    pub policy: Option<String>,

    /// Seed of every draw, instead of the worlds'
    #[arg(long)]
    pub seed: Option<u64>,

    /// Put another value into the worlds; may be given several times
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,

    #[command(flatten)]
    pub deny: Deny,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Resume {
    /// Folder of the run
    pub run: PathBuf,

    /// Threads for the physics; results do not depend on it [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,

    /// Go on even where the policy's plugin is another file than the one that the run began with
    #[arg(long)]
    pub any_plugin: bool,

    /// Take a snapshot every so many slots, from which a resume, state or fork starts; 0 for none
    /// [default: one a simulated day, at most 64 a run, and fewer where they would be large beside the log]
    #[arg(long, value_name = "SLOTS")]
    pub snapshots: Option<u32>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Fork {
    /// Folder of the parent
    pub run: PathBuf,

    /// The first slot that is the fork's own: its number, or a time within it
    #[arg(long, value_name = "TICK|TIME")]
    pub at: String,

    /// Policy to plan with from then on, by name or path; every plugged car is planned anew
    #[arg(long, value_name = "POLICY")]
    pub policy: Option<String>,

    /// Put another value into the world: series, prices, policy, limits, costs or the count of a fleet;
    /// may be given several times
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,

    /// Folder that runs are written to [default: where the parent is]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Threads for the physics; results do not depend on it [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,

    /// Take a snapshot every so many slots, from which a resume, state or fork starts; 0 for none
    /// [default: one a simulated day, at most 64 a run, and fewer where they would be large beside the log]
    #[arg(long, value_name = "SLOTS")]
    pub snapshots: Option<u32>,

    /// Put the new run in the place of one of the same id that it would not repeat, or that is
    /// unfinished
    #[arg(long)]
    pub replace: bool,

    #[command(flatten)]
    pub deny: Deny,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct State {
    /// Folder of the run
    pub run: PathBuf,

    /// The slot: its number, or a time within it
    #[arg(long, value_name = "TICK|TIME")]
    pub at: String,

    /// Only this car
    #[arg(long)]
    pub ev: Option<u32>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Diff {
    /// Folder of a run
    #[arg(value_name = "RUN")]
    pub one: PathBuf,

    /// Folder of another run
    #[arg(value_name = "RUN")]
    pub other: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Replay {
    /// Folder of the run
    pub run: PathBuf,

    /// Compare the state after every tick with the log, and the files that are there with what they
    /// would be; writes nothing
    #[arg(long)]
    pub verify: bool,

    /// Ask the policy again at every call, and say how its answers differ from the recorded ones; writes
    /// nothing
    #[arg(long, conflicts_with = "verify")]
    pub redecide: bool,

    /// Ask this policy instead of the run's own, by name or path
    #[arg(long, value_name = "POLICY", requires = "redecide")]
    pub policy: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Log {
    /// Files, ticks and size of the log
    Ls {
        /// Folder of the run.
        run: PathBuf,
    },
    /// Every event, one a line
    Cat {
        /// Folder of the run.
        run: PathBuf,
        /// Only events of this kind
        #[arg(long, value_parser = PossibleValuesParser::new(event_names()))]
        kind: Option<String>,
        /// Only events of this tick
        #[arg(long)]
        tick: Option<u32>,
    },
    /// Events, rows and bytes by kind
    Stats {
        /// Folder of the run.
        run: PathBuf,
    },
    /// Check all that can be checked: checksums, chain, head, sessions, conservation of energy, and the
    /// files that the manifest names
    Verify {
        /// Folder of the run.
        run: PathBuf,
    },
    /// Write all events to a Parquet table, a row per car or site
    Export {
        /// Folder of the run.
        run: PathBuf,
        /// Folder to write events.parquet to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Make a log whole that a crash tore, and say what was done
    ///
    /// Acknowledged ticks are never given up. What is cut off is kept in log/quarantine. Where acknowledged
    /// ticks are damaged, --salvage finds what is whole on either side of the damage.
    Recover {
        /// Folder of the run.
        run: PathBuf,
        /// Leave the run as it is, and write all that is whole of its log to this new folder, with a
        /// salvage.json that says what is missing
        #[arg(long, value_name = "DIR")]
        salvage: Option<PathBuf>,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Telemetry {
    /// Folder of the run
    pub run: PathBuf,

    /// Level of detail: off, changes, full, or a share of the cars such as 0.01
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    pub ev_ticks: EvTicks,

    /// First tick
    #[arg(long)]
    pub from: Option<u32>,

    /// Tick after the last
    #[arg(long)]
    pub to: Option<u32>,

    /// Only this car
    #[arg(long)]
    pub ev: Option<u32>,

    /// Folder to write to [default: the run's own]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// A level of detail as the flag spells it, in any case.
fn level(text: &str) -> Result<EvTicks, &'static str> {
    match text.to_lowercase().as_str() {
        "off" => Ok(EvTicks::Off),
        "changes" => Ok(EvTicks::Changes),
        "full" => Ok(EvTicks::Full),
        share => match share.parse() {
            Ok(share) if (0.0..=1.0).contains(&share) => Ok(EvTicks::Sample(share)),
            _ => Err("write off, changes, full, or a share of the cars such as 0.01"),
        },
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Plugins {
    /// Every policy that would be found
    List,
    /// Whether a file would be accepted
    Check {
        /// The plugin.
        file: PathBuf,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct NewPlugin {
    /// Name of the policy: lower-case letters, digits and hyphens
    #[arg(value_parser = plugin_name)]
    pub name: String,

    /// Language to write it in
    #[arg(long, value_enum, default_value_t = Lang::Rust)]
    pub lang: Lang,

    /// Folder to write it to, which must not exist yet [default: NAME]
    #[arg(long)]
    pub dir: Option<PathBuf>,
}

/// A language that policies are written out in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// A crate.
    Rust,
    /// A file with a Makefile and the header.
    C,
}

/// A name that a crate, a file and a world can all spell.
fn plugin_name(name: &str) -> Result<String, &'static str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    if begins && name.chars().all(plain) && !name.ends_with('-') && !name.contains("--") {
        return Ok(name.to_owned());
    }
    Err("write lower-case letters, digits and single hyphens, a letter first, as in two-prices")
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Schedule {
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
    #[arg(long, value_enum, default_value_t = Mode::BestEffort)]
    pub mode: Mode,

    #[command(flatten)]
    pub deny: Deny,
}

/// How strictly a problem is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// As far as it goes.
    BestEffort,
    /// As FlexMeasures 1.0.1, refusals and prices of breaches included.
    Flexmeasures,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Doctor {
    /// World to estimate the output of
    #[arg(value_name = "WORLD.ron")]
    pub world: Option<PathBuf>,

    /// Put another value into the world; may be given several times
    #[arg(long = "set", value_name = "PATH=VALUE", requires = "world")]
    pub sets: Vec<String>,

    /// Folder that runs are written to
    #[arg(long, value_name = "DIR", default_value = "outputs")]
    pub out: PathBuf,
}
