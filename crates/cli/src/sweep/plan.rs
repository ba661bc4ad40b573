//! Which runs a sweep has.
//!
//! A point is a run: a value for each path of the grid, a seed, and a policy. Points of the same
//! values and seed have the same draws; they are a group, are compared with each other, and stay
//! together when a sweep is made in parts.

use crate::{
    batch::Job,
    failure::{Code, Failure},
};
use std::{ops::RangeInclusive, path::PathBuf};

/// Most points of a sweep: each is a run of its own.
const POINTS_MAX: u128 = 100_000;
/// What of the tables of runs is left out unless something else is asked for.
const DETAIL: &str = "telemetry.ev_ticks";
const NO_DETAIL: &str = "telemetry.ev_ticks=Off";

/// A path into the world, and the values that are put there one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Axis {
    /// The path.
    pub path: String,
    /// The values, as RON.
    pub values: Vec<String>,
}

impl Axis {
    /// An axis as `--grid` spells it: `path=a,b,c`.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (path, values) =
            text.split_once('=').ok_or("write a path and its values, as in clock.days=1,7")?;
        let values: Vec<String> =
            split(values).into_iter().map(|value| value.trim().to_owned()).collect();
        if path.trim().is_empty() || values.iter().any(String::is_empty) {
            return Err("write a path and its values, as in clock.days=1,7");
        }
        Ok(Self { path: path.trim().to_owned(), values })
    }
}

/// The parts of a text between commas that stand outside of brackets and quotes.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut begin = 0;
    let mut depth = 0_i32;
    let mut quoted = false;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts
}

/// A part of a sweep: one of several that together are the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    /// Its number, from 0.
    pub number: usize,
    /// How many there are.
    pub count: usize,
}

impl Shard {
    /// All in one part.
    pub(crate) const WHOLE: Self = Self { number: 0, count: 1 };

    /// A part as `--shard` spells it: `0/3`.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (number, count) = text.split_once('/').unwrap_or((text, ""));
        match (number.parse(), count.parse()) {
            (Ok(number), Ok(count)) if number < count => Ok(Self { number, count }),
            _ => Err("write a part and how many there are, as in 0/3, 1/3 and 2/3"),
        }
    }

    /// Whether a group is of this part.
    pub(crate) fn has(self, group: usize) -> bool {
        group % self.count == self.number
    }
}

/// A sweep as it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The world file.
    pub world: PathBuf,
    /// What is put into the world of every point.
    pub sets: Vec<String>,
    /// What the points differ in.
    pub grid: Vec<Axis>,
    /// Seeds; `None` for the world's own.
    pub seeds: Option<RangeInclusive<u64>>,
    /// Policies; none for the world's own.
    pub policies: Vec<String>,
}

impl Plan {
    /// Refuses what is no sweep, and leaves out tables of single cars unless they are asked for.
    pub(crate) fn checked(mut self) -> Result<Self, Failure> {
        for (place, axis) in self.grid.iter().enumerate() {
            check(axis, &self.grid[..place])?;
        }
        let twice = repeated(&self.policies);
        if let Some(policy) = twice {
            return Err(wrong(&format!("policy `{policy}` is named twice"), "name each once"));
        }
        let points = self.points();
        if points > POINTS_MAX {
            let what =
                format!("the sweep has {points} points, and a sweep has at most {POINTS_MAX}");
            return Err(wrong(&what, "leave out values or seeds, or make several sweeps of it"));
        }
        if !self.says(DETAIL) {
            self.sets.push(NO_DETAIL.to_owned());
        }
        Ok(self)
    }

    /// Whether tables of single cars are left out without being asked for.
    pub(crate) fn leaves_out_detail(&self) -> bool {
        self.sets.last().is_some_and(|set| set == NO_DETAIL)
    }

    /// Whether a path, or one that it begins with, is put into the world.
    fn says(&self, path: &str) -> bool {
        let set = self.sets.iter().filter_map(|set| Some(set.split_once('=')?.0.trim()));
        let mut paths = set.chain(self.grid.iter().map(|axis| axis.path.as_str()));
        paths.any(|it| it == path || path.starts_with(&format!("{it}.")))
    }

    /// Number of combinations of values.
    fn cells(&self) -> u128 {
        let lengths = self.grid.iter().map(|axis| axis.values.len() as u128);
        lengths.fold(1, u128::saturating_mul)
    }

    fn seed_count(&self) -> u128 {
        let seeds = self.seeds.as_ref();
        seeds.map_or(1, |seeds| u128::from(seeds.end() - seeds.start()) + 1)
    }

    fn points(&self) -> u128 {
        let policies = self.policies.len().max(1) as u128;
        self.cells().saturating_mul(self.seed_count()).saturating_mul(policies)
    }

    /// Number of groups: points of the same values and seed.
    pub(crate) fn groups(&self) -> usize {
        (self.cells() * self.seed_count()) as usize
    }

    /// The combination of values of a group.
    pub(crate) fn cell(&self, group: usize) -> usize {
        group / self.seed_count() as usize
    }

    /// The seed of a group; `None` for the world's own.
    pub(crate) fn seed(&self, group: usize) -> Option<u64> {
        let seeds = self.seeds.as_ref()?;
        Some(seeds.start() + (group % self.seed_count() as usize) as u64)
    }

    /// The values of a combination, in the order of the grid; the last path changes first.
    pub(crate) fn values(&self, cell: usize) -> Vec<&str> {
        let mut rest = cell;
        let mut values = Vec::new();
        for axis in self.grid.iter().rev() {
            values.push(axis.values[rest % axis.values.len()].as_str());
            rest /= axis.values.len();
        }
        values.reverse();
        values
    }

    /// What is put into the world of a combination.
    pub(crate) fn sets(&self, cell: usize) -> Vec<String> {
        let values = self.grid.iter().zip(self.values(cell));
        let grid = values.map(|(axis, value)| format!("{}={value}", axis.path));
        self.sets.iter().cloned().chain(grid).collect()
    }

    /// The runs of a group, in the order of the policies.
    pub(crate) fn jobs(&self, group: usize) -> impl Iterator<Item = Job> {
        let sets = self.sets(self.cell(group));
        let seed = self.seed(group);
        self.policies.iter().map(move |policy| Job {
            policy: policy.clone(),
            seed,
            sets: sets.clone(),
        })
    }
}

/// Refuses an axis that says nothing, that another flag says, or that stands there before.
fn check(axis: &Axis, before: &[Axis]) -> Result<(), Failure> {
    let Axis { path, values } = axis;
    let flag = match path.as_str() {
        "seed" => Some("--seeds 1..50"),
        "policy" => Some("--policies smart,v2g"),
        _ => None,
    };
    if let Some(flag) = flag {
        return Err(wrong(&format!("`{path}` is no path of a grid"), &format!("say {flag}")));
    }
    if before.iter().any(|other| other.path == *path) {
        return Err(wrong(&format!("`{path}` stands twice in the grid"), "name each path once"));
    }
    if values.is_empty() {
        return Err(wrong(&format!("`{path}` has no values"), "give it one or more"));
    }
    match repeated(values) {
        Some(value) => {
            Err(wrong(&format!("`{path}` has the value {value} twice"), "give each value once"))
        }
        None => Ok(()),
    }
}

/// The first text that stands there twice.
fn repeated(texts: &[String]) -> Option<&String> {
    (0..texts.len()).find(|&at| texts[..at].contains(&texts[at])).map(|at| &texts[at])
}

fn wrong(what: &str, help: &str) -> Failure {
    Failure::new(Code::Usage, what, Some(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(grid: &[&str], seeds: Option<RangeInclusive<u64>>) -> Plan {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let grid = grid.iter().map(|text| Axis::parse(text).unwrap()).collect();
        let sets = texts(&["a=1"]);
        Plan { world: PathBuf::new(), sets, grid, seeds, policies: texts(&["smart", "v2g"]) }
    }

    #[test]
    fn commas_part_values_outside_of_brackets_and_quotes() {
        assert_eq!(split("1,2"), ["1", "2"]);
        assert_eq!(
            split("(a: 1, b: [2, 3]),\"x, \\\", y\",z"),
            ["(a: 1, b: [2, 3])", "\"x, \\\", y\"", "z"]
        );
        for wrong in ["count", "=1", "count=", "count=1,,2"] {
            assert!(Axis::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_combination_is_there_once_and_seeds_of_one_stand_together() {
        let plan = plan(&["x=1,2", "y=a,b,c"], Some(5..=6)).checked().unwrap();
        assert_eq!((plan.groups(), plan.points()), (12, 24));
        let cells: Vec<Vec<&str>> = (0..6).map(|cell| plan.values(cell)).collect();
        assert_eq!(cells[0], ["1", "a"]);
        assert_eq!(cells[1], ["1", "b"]);
        assert_eq!(cells[5], ["2", "c"]);
        assert_eq!((plan.cell(3), plan.seed(3)), (1, Some(6)));
        let sets = &plan.jobs(3).next().unwrap().sets;
        assert_eq!(*sets, ["a=1", "telemetry.ev_ticks=Off", "x=1", "y=b"]);
    }

    #[test]
    fn parts_are_together_the_whole() {
        let shards = ["0/3", "1/3", "2/3"].map(|text| Shard::parse(text).unwrap());
        for group in 0..10 {
            assert_eq!(shards.iter().filter(|shard| shard.has(group)).count(), 1);
        }
        for wrong in ["3/3", "1", "1/0", "a/2", "-1/2"] {
            assert!(Shard::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_sweep_is_refused() {
        let refused = |grid: &[&str], seeds: Option<RangeInclusive<u64>>| {
            plan(grid, seeds).checked().unwrap_err().problems()[0].message.clone()
        };
        assert!(refused(&["seed=1,2"], None).contains("`seed`"));
        assert!(refused(&["policy=a"], None).contains("`policy`"));
        assert!(refused(&["x=1", "x=2"], None).contains("twice"));
        assert!(refused(&["x=1,1"], None).contains("the value 1 twice"));
        let many = refused(&["x=1,2,3"], Some(1..=99_999));
        assert!(many.contains("599994 points") && many.contains("at most 100000"), "{many}");
    }

    #[test]
    fn tables_of_single_cars_are_left_out_unless_something_is_said_of_them() {
        assert!(plan(&["x=1"], None).checked().unwrap().leaves_out_detail());
        for said in ["telemetry.ev_ticks=Full,Off", "telemetry=()"] {
            assert!(!plan(&[said], None).checked().unwrap().leaves_out_detail(), "{said}");
        }
    }
}
