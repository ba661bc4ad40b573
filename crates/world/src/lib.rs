//! World files to scenarios, with errors that point at the text.
//!
//! [`load`] reads a world file with the data files that it names, [`rebuild`] makes the same
//! [`Scenario`] from the world's text and what was read then, opening no file. Whatever is wrong
//! comes back as [`Problems`]: all of it at once, each with its place and what would be right.
//!
//! A world is RON with quantities as strings (`"7 kW"`); `worlds/README.md`, which is written by
//! [`mod@reference`] from the types here, lists every field.

mod branch;
mod calendar;
mod data_file;
mod dialect;
mod distribution;
mod file;
mod from_files;
mod grid_file;
mod guard;
mod identity;
mod input;
mod memory;
mod nesting;
mod over_time;
mod published;
mod ranges;
pub mod reference;
mod resolve;
mod sampled;
mod series;
mod sessions;
mod source;
mod sweep;
mod table;
mod values;

pub use input::{FleetSessions, Inputs};
pub use memory::free_memory;
pub use published::PublishedFigure;
pub use ron_places::{Override, Problem, Problems};
pub use sampled::{Sampled, read_column};
pub use sessions::SessionsRead;
pub use source::read_text;
pub use sweep::{Sweep, sweep};

use branch::Branch;
use dialect::WorldText;
use file::WorldFile;
use from_files::FromFiles;
use resolve::Draft;
use ron_places::{Document, Place, refused, splice};
use source::Unreadable;
use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};
use voltide_model::{clock::Clock, foresight::Foresight, scenario::Scenario};

/// A world as it was read.
#[derive(Debug, Clone)]
pub struct World {
    /// The world file.
    pub path: PathBuf,
    /// Its text with the overrides worked in; [`rebuild`] wants it back.
    pub text: String,
    /// What it says.
    pub scenario: Scenario,
    /// What others have published about it.
    pub published: Vec<PublishedFigure>,
    /// What became of the rows of its files of sessions; empty where no file was read.
    pub sessions_read: Vec<SessionsRead>,
    /// The overrides that changed something of the text, as they were given.
    pub overrides: Vec<String>,
    /// What can be run but is hardly meant, in the order in which it was found.
    pub warnings: Vec<Problem>,
    configs: Configs,
    document: Document,
    names: Names,
}

/// Where the text names the world, its seed and its policies; [`Place::NOWHERE`] for a default.
#[derive(Debug, Clone, Copy)]
struct Names {
    name: Place,
    seed: Place,
    policy: Place,
    fallback: Place,
}

/// The policies' configs by name: verbatim text, and its byte offset in the world's text.
type Configs = BTreeMap<String, (String, usize)>;

impl World {
    /// The config of a policy: the verbatim text between its parentheses, and the text's byte
    /// offset in [`text`](Self::text).
    pub fn config_of(&self, policy: &str) -> Option<(&str, usize)> {
        self.configs.get(policy).map(|(config, offset)| (config.as_str(), *offset))
    }

    /// The text as runs are told apart by it: without the choice of policies, and with their
    /// configs as they are read, not as they are typed.
    pub fn identity(&self) -> String {
        identity::identity(&self.document)
    }

    /// The same world with `seed` in the place of the one that an override gave, as if that had
    /// given this one: its cars are drawn anew, and neither text nor data is read again.
    ///
    /// `None` where it has to be: no override gave the seed, the text would be of another length,
    /// so that all places in it would move, or prices are formed from forecasts that go by the
    /// seed, which might fail.
    pub fn with_seed(&self, seed: u64) -> Option<Self> {
        let place = self.names.seed.range();
        let [before, after] = [self.scenario.seed, seed].map(|seed| seed.to_string());
        let given = format!("seed={before}");
        let drawn_prices =
            self.scenario.incentive.is_some() && !Foresight::of(&self.scenario).is_perfect();
        let stands_there = self.text.get(place.clone()) == Some(before.as_str());
        if drawn_prices || !stands_there || after.len() != place.len() {
            return None;
        }
        let mut world = self.clone();
        *world.overrides.iter_mut().find(|text| **text == given)? = format!("seed={after}");
        world.text.replace_range(place, &after);
        world.document.text = world.text.as_str().into();
        world.scenario.seed = seed;
        world.scenario.population = Arc::new(world.scenario.draw());
        Some(world)
    }

    /// The names of all policies that have a config, and the byte offsets of the configs.
    pub fn configured(&self) -> impl Iterator<Item = (&str, usize)> {
        self.configs.iter().map(|(name, (_, offset))| (name.as_str(), *offset))
    }

    /// Points a problem at the bytes `span` of [`text`](Self::text), or into the override that put
    /// them there, with `label` on them.
    pub fn point(&self, problem: Problem, span: Range<usize>, label: &str) -> Problem {
        self.document.point(problem, Place { start: span.start, end: span.end }, label)
    }

    /// Points a problem at the world's own name.
    pub fn point_at_name(&self, problem: Problem, label: &str) -> Problem {
        self.point_at(self.names.name, problem, label)
    }

    /// Points a problem at the name of the world's policy; where the text has none, at nothing.
    pub fn point_at_policy(&self, problem: Problem, label: &str) -> Problem {
        self.point_at(self.names.policy, problem, label)
    }

    /// Points a problem at the name of the world's fallback; where the text has none, at nothing.
    pub fn point_at_fallback(&self, problem: Problem, label: &str) -> Problem {
        self.point_at(self.names.fallback, problem, label)
    }

    fn point_at(&self, place: Place, problem: Problem, label: &str) -> Problem {
        if place == Place::NOWHERE { problem } else { self.document.point(problem, place, label) }
    }
}

/// Reads a world, and draws its cars.
///
/// `overrides` are `path.to.field=value`: the value is RON, and may go without quotes where the
/// field is a string (`policy=smart`, `fleets.commuters.battery.capacity=77 kWh`). A field that
/// the world leaves out is added to its struct. Names with a dot go in quotes.
///
/// # Errors
///
/// Everything that is wrong with the world, its data and the overrides.
pub fn load(path: &Path, overrides: &[String]) -> Result<World, Problems> {
    load_with(path, &as_set(overrides))
}

/// [`load`] with overrides that know which flag gave them, by which messages call them.
///
/// # Errors
///
/// As [`load`].
pub fn load_with(path: &Path, overrides: &[Override]) -> Result<World, Problems> {
    let Drafted { document, draft, overrides, sessions_read } = draft(path, overrides)?;
    Ok(World { sessions_read, overrides, ..draw(path, &document, draft) })
}

/// Reads a world and its data like [`load`], but draws no cars. Says what became of recorded
/// sessions.
///
/// # Errors
///
/// As [`load`].
pub fn check(path: &Path, overrides: &[String]) -> Result<Vec<SessionsRead>, Problems> {
    draft(path, &as_set(overrides)).map(|read| read.sessions_read)
}

/// The seed of a world that is read as by [`load_with`]; no cars are drawn.
///
/// # Errors
///
/// As [`load`].
pub fn seed(path: &Path, overrides: &[Override]) -> Result<u64, Problems> {
    draft(path, overrides).map(|read| read.draft.seed())
}

/// Makes the world again from its text and the values that it was made of, opening no file.
///
/// # Errors
///
/// Everything that is wrong with the text, or missing from the inputs.
pub fn rebuild(text: &str, mut inputs: Inputs) -> Result<World, Problems> {
    let document = Document::new(JOURNAL, text);
    let draft = resolve::resolve(&document, &mut inputs)?;
    Ok(draw(Path::new(JOURNAL), &document, draft))
}

/// [`rebuild`] with overrides as for [`load_with`]. Only data that they put other files for is
/// read, by paths from the current folder.
///
/// # Errors
///
/// As [`rebuild`] and [`load`].
pub fn rebuild_with(text: &str, overrides: &[Override], inputs: Inputs) -> Result<World, Problems> {
    // First, since data that is read for another clock would be found wrong for reasons of its own.
    keep_clock(overrides)?;
    let mut document = Document::new(JOURNAL, text);
    splice::<WorldText, WorldFile>(&mut document, overrides)?;
    // A journal knows no folder that paths in its world could start from.
    let mut values = Branch { inputs, files: FromFiles::new(Path::new("")) };
    let draft = resolve::resolve(&document, &mut values)?;
    Ok(draw(Path::new(JOURNAL), &document, draft))
}

/// The slot that `text` means: its number, or a time that lies in it, on the world's wall clock or
/// with an offset.
///
/// # Errors
///
/// `text` is neither, or means no slot of the clock.
pub fn slot(text: &str, clock: &Clock) -> Result<u32, String> {
    let last = clock.slots - 1;
    let slot = if let Ok(slot) = text.parse::<i64>() {
        slot
    } else {
        let instant = table::parse_instant(text, Some(clock.zone), None)?;
        // Rounded down: a time just before the run is in no slot, rather than in its first.
        clock.seconds_to(instant).div_euclid(i64::from(clock.slot_seconds))
    };
    u32::try_from(slot).ok().filter(|slot| *slot <= last).ok_or_else(|| {
        let first = clock.local(0);
        let end = clock.local(last);
        format!(
            "`{text}` is no slot of the run: it has the slots 0 to {last}, from {first} to {end}"
        )
    })
}

/// Refuses overrides of what is as it was in a run that is there.
fn keep_clock(overrides: &[Override]) -> Result<(), Problems> {
    let help =
        "the fork lasts as long as its parent, in the same steps; for another clock start a run";
    let problems = refused(overrides, "clock", "a fork cannot change the clock", help);
    if problems.is_empty() { Ok(()) } else { Err(Problems::errors("the fork", problems)) }
}

/// What a world is called that is read from a journal.
const JOURNAL: &str = "the journal's world";

fn draw(path: &Path, document: &Document, mut draft: Draft) -> World {
    let configs = std::mem::take(&mut draft.configs);
    let published = std::mem::take(&mut draft.published);
    let warnings = std::mem::take(&mut draft.warnings);
    let names = draft.names;
    World {
        path: path.to_owned(),
        text: document.text.to_string(),
        scenario: draft.draw(),
        published,
        sessions_read: Vec::new(),
        overrides: Vec::new(),
        warnings,
        configs,
        document: document.clone(),
        names,
    }
}

/// A world file that was read, with what its data came to.
struct Drafted {
    document: Document,
    draft: Draft,
    /// Those that changed something of the text.
    overrides: Vec<String>,
    sessions_read: Vec<SessionsRead>,
}

/// Overrides that `--set` gave.
fn as_set(overrides: &[String]) -> Vec<Override> {
    overrides.iter().map(|text| Override::set(text)).collect()
}

fn draft(path: &Path, overrides: &[Override]) -> Result<Drafted, Problems> {
    let name = path.display().to_string();
    let text = source::text(path, source::TEXT_MAX).map_err(|why| unreadable(&name, why))?;
    let mut document = Document::new(&name, &text);
    let overrides = splice::<WorldText, WorldFile>(&mut document, overrides)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut files = FromFiles::new(folder);
    let draft = resolve::resolve(&document, &mut files)?;
    Ok(Drafted { document, draft, overrides, sessions_read: files.sessions_read })
}

fn unreadable(name: &str, why: Unreadable) -> Problems {
    let problem = match why {
        Unreadable::Missing => Problem::new(format!("there is no world file `{name}`"))
            .help("give the path of a .ron file, such as worlds/one-car.ron"),
        Unreadable::Other(reason, help) => {
            let problem = Problem::new(format!("cannot read the world file `{name}`: {reason}"));
            help.into_iter().fold(problem, Problem::help)
        }
    };
    Problems::errors(name, vec![problem])
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORLD: &str = "(name: \"w\", clock: (days: 7), fleets: \
                         {\"cars\": (count: 5, stays: Overnight(leave: \"07:00\"))}, telemetry: \
                         (), policies: {})";

    fn spliced(overrides: &[&str]) -> Result<String, String> {
        let mut document = Document::new("w.ron", WORLD);
        let overrides: Vec<Override> = overrides.iter().map(|&text| Override::set(text)).collect();
        match splice::<WorldText, WorldFile>(&mut document, &overrides) {
            Ok(_) => Ok(document.text.to_string()),
            Err(problems) => {
                Err(format!("{} ({})", problems, problems.list[0].help.as_deref().unwrap_or("")))
            }
        }
    }

    #[test]
    fn values_are_replaced_where_they_stand() {
        let text = spliced(&["fleets.cars.count=1000", "clock.days = 1", "name=other"]).unwrap();
        assert!(
            text.contains("count: 1000,")
                && text.contains("(days: 1)")
                && text.contains("name: \"other\"")
        );
    }

    #[test]
    fn missing_fields_are_added_in_every_form() {
        let has = |given: &str, expected: &str| {
            let text = spliced(&[given]).unwrap();
            assert!(text.contains(expected), "{text}");
        };
        has("telemetry.ev_ticks=Off", "telemetry: (ev_ticks: Off, )");
        has("run.durability=Every(4)", "(run: (durability: Every(4)), name");
        has("policy=smart", "(policy: \"smart\", name");
        has("policies.smart.gap=0.1", "policies: {\"smart\": (gap: 0.1), }");
        has(
            "sites.depot.import_limit=50 kW",
            "(sites: {\"depot\": (import_limit: \"50 kW\")}, name",
        );
        has(
            "fleets.cars.stays.arrive=Uniform(min: \"17:00\", max: \"18:00\")",
            "Overnight(arrive: Uniform(min",
        );
        has("fleets.cars.trip_energy=7 kWh", "(trip_energy: \"7 kWh\", count");
        has("fleets.cars.departure_soc=0.8", "(departure_soc: 0.8, count");
        has("seed=3 /* three */", "(seed: 3, name");
        has("fallback=None", "(fallback: None, name");
    }

    #[test]
    fn a_path_that_leads_nowhere_is_refused() {
        let error = |given: &str| spliced(&[given]).unwrap_err();
        assert_eq!(
            error("fleets.car.count=1"),
            "--set #1: there is no `car` in `fleets` (did you mean `cars`?)"
        );
        assert_eq!(
            error("clock.dayz=1"),
            "--set #1: there is no `dayz` in `clock` (did you mean `days`?)"
        );
        assert!(error("cars.count=1").contains("did you mean `fleets.cars`?"));
        assert!(error("fleat.cars.count=1").contains("did you mean `fleets`?"));
        assert!(error("fleets.vans=(count 2)").contains("a colon is missing"));
        assert!(error("fleets.vans=(count: 2").contains("a bracket is not closed"));
        assert!(
            error("fleets.cars.stays=Overnight(leave: 07:00)").contains("a value without quotes")
        );
        assert_eq!(
            error("fleets.leave=06:00"),
            "--set #1: there is no `leave` in `fleets` (did you mean `fleets.cars.stays.leave`?)"
        );
        assert!(error("clock.days.hours=1").contains("has no fields"));
        assert!(error("seed").contains("not `path=value`"));
        assert!(error("a..b=1").contains("`a..b` is not a path"));
    }
}
