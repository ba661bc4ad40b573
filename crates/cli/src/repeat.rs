//! Whether a new run would repeat one that is over, event by event, or be another of the same name.
//!
//! Nothing is run to find out. All that decides what happens in a run stands in what its journal
//! opens with, or in its id: a policy that is built in goes by its version, one in a file by its
//! content. What of the opening is not in the id is compared here. Where a plugin lies changes
//! nothing and is not.

use crate::journaled::forked;
use std::path::Path;
use voltide_engine::Fork;
use voltide_journal::{
    error::LogError,
    event::{Build, Recorded, RunForked, RunStarted},
    reader,
};

/// What the journal of a run would open with.
pub(crate) struct Opening<'a> {
    /// How it starts.
    pub started: RunStarted,
    /// Where it branches off, if it is a fork.
    pub forked: Option<Branch<'a>>,
}

/// Where a fork branches off.
pub(crate) struct Branch<'a> {
    /// Its first tick.
    pub at_tick: u32,
    /// The folder of its parent.
    pub parent: &'a Path,
    /// What it is a fork of, and what is different; the way to the parent's folder is not looked
    /// at.
    pub fork: &'a Fork,
}

/// Segments of a log that was written in one go: what made the run, and what happened.
const IN_ONE_GO: u32 = 2;

impl Opening<'_> {
    /// In what the run in `folder`, which is over, is another than the new one; nothing where that
    /// repeats it.
    pub(crate) fn difference(&self, folder: &Path) -> Option<String> {
        let (opening, segments) = match read(folder) {
            Ok(read) => read,
            Err(error) => return Some(format!("its log cannot be read: {error}")),
        };
        let Some(there) = opening.first().and_then(|recorded| recorded.event.starts()) else {
            return Some("its log does not say how it started".to_owned());
        };
        built_otherwise(&there.build, &self.started.build)
            .or_else(|| said_otherwise(there, &self.started))
            .or_else(|| self.forked_otherwise(folder, forked(&opening)))
            .or_else(|| {
                (segments > IN_ONE_GO)
                    .then(|| "it was resumed, by whatever was there then".to_owned())
            })
    }

    fn forked_otherwise(&self, folder: &Path, there: Option<&RunForked>) -> Option<String> {
        let same = match (there, &self.forked) {
            (None, None) => true,
            (Some(there), Some(here)) => here.is_that_of(folder, there),
            (None, Some(_)) | (Some(_), None) => false,
        };
        (!same)
            .then(|| "it branches off elsewhere, or its changes were put in other words".to_owned())
    }
}

impl Branch<'_> {
    /// Whether the fork in `folder` branches off here, with the same changes.
    fn is_that_of(&self, folder: &Path, there: &RunForked) -> bool {
        // The way to the parent is written from the fork's folder, and the same folder has many
        // ways to it.
        let parent = folder.join(&there.parent).canonicalize().ok();
        parent.is_some_and(|parent| self.parent.canonicalize().is_ok_and(|here| here == parent))
            && there.at_tick == self.at_tick
            && there.parent_run == self.fork.parent_run
            && there.parent_chain_hash == self.fork.parent_chain_hash
            && there.changes == self.fork.changes
    }
}

/// What a log opens with, and how many segments it has.
fn read(folder: &Path) -> Result<(Vec<Recorded>, u32), LogError> {
    let mut reader = reader::open(folder)?;
    let mut opening = Vec::new();
    while let Some(recorded) = reader.next().transpose()?.filter(|recorded| recorded.event.opens())
    {
        opening.push(recorded);
    }
    Ok((opening, reader.summary().segments))
}

fn built_otherwise(there: &Build, here: &Build) -> Option<String> {
    if there.engine_version != here.engine_version || there.git != here.git {
        return Some(format!(
            "it was made by voltide {}, this is {}",
            version(there),
            version(here)
        ));
    }
    if there.time_zone_data != here.time_zone_data {
        return Some(format!(
            "it was made with time zone data {}, this program has {}",
            there.time_zone_data, here.time_zone_data
        ));
    }
    // Not where its file lies, or what it is called: a policy is what its content is.
    let is_other_policy =
        there.policy_version != here.policy_version || there.plugin_hash != here.plugin_hash;
    is_other_policy.then(|| "another version of its policy planned it".to_owned())
}

/// A version, and the commit where it is known.
fn version(build: &Build) -> String {
    let commit = if build.git.is_empty() { String::new() } else { format!(" ({})", build.git) };
    format!("{}{commit}", build.engine_version)
}

fn said_otherwise(there: &RunStarted, here: &RunStarted) -> Option<String> {
    if there.overrides != here.overrides {
        let before = listed(&there.overrides);
        let now = listed(&here.overrides);
        return Some(format!("it was asked for with {before}, now with {now}"));
    }
    let is_same_text = there.policy == here.policy
        && there.policy_config == here.policy_config
        && there.world_text == here.world_text;
    if !is_same_text {
        return Some("its world, which says the same, is put in other words".to_owned());
    }
    // The rest as a whole, so that no field that is new is forgotten.
    let rest = RunStarted { build: here.build.clone(), ..there.clone() };
    (rest != *here).then(|| "it has another configuration".to_owned())
}

/// Overrides as they are shown.
fn listed(overrides: &[String]) -> String {
    if overrides.is_empty() {
        return "nothing changed".to_owned();
    }
    overrides.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use voltide_journal::{event::Event, log::EventLog, mcap_log::McapLog};
    use voltide_model::{rules::Rules, scenario::Durability};

    fn started() -> RunStarted {
        let text = |text: &str| text.to_owned();
        let build = Build {
            engine_version: text("0.1.0"),
            policy_version: text("1"),
            plugin_hash: text("ab"),
            ..Build::default()
        };
        RunStarted {
            build,
            world: text("w"),
            world_text: text("(name: \"w\")").into(),
            overrides: vec![text("seed=1")],
            config_hash: "ab".repeat(32),
            seed: 1,
            rules: Rules::TODAY,
            policy: text("smart"),
            policy_config: String::new(),
            start_us: 0,
            slot_seconds: 900,
            slots: 96,
            time_zone: text("UTC"),
            ev_count: 1,
        }
    }

    /// The log of a run that starts so.
    fn logged(started: RunStarted, forked: Option<RunForked>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut log = McapLog::create(folder.path(), Durability::Close).unwrap();
        let started = Event::RunStarted(started);
        for (seq, event) in
            (0..).zip([Some(started), forked.map(Event::RunForked)].into_iter().flatten())
        {
            log.append(&Recorded { seq, cause_seq: None, tick: 0, event }).unwrap();
        }
        log.open_run().unwrap();
        log.close().unwrap();
        folder
    }

    fn difference(change: impl FnOnce(&mut RunStarted)) -> Option<String> {
        let there = logged(started(), None);
        let mut started = started();
        change(&mut started);
        Opening { started, forked: None }.difference(there.path())
    }

    #[test]
    fn a_run_that_opens_alike_is_repeated_wherever_its_plugin_lies() {
        assert_eq!(difference(|_| ()), None);
        assert_eq!(difference(|it| it.build.plugin_file = "/elsewhere.so".to_owned()), None);
    }

    #[test]
    fn all_else_is_another_run_and_is_named() {
        let says = |change: fn(&mut RunStarted), word: &str| {
            let difference = difference(change).unwrap_or_default();
            assert!(difference.contains(word), "{difference}");
        };
        says(
            |it| it.build.engine_version = "0.2.0".to_owned(),
            "made by voltide 0.1.0, this is 0.2.0",
        );
        says(|it| it.build.git = "abc".to_owned(), "this is 0.1.0 (abc)");
        says(|it| it.build.time_zone_data = "2030a".to_owned(), "time zone data");
        says(|it| it.build.plugin_hash = "cd".to_owned(), "policy");
        says(|it| it.build.policy_version = "2".to_owned(), "policy");
        says(|it| it.overrides.clear(), "asked for with seed=1, now with nothing changed");
        says(|it| it.world_text = "(name:\"w\")".into(), "other words");
        says(|it| it.policy_config = " ".to_owned(), "other words");
        says(|it| it.config_hash = "cd".repeat(32), "another configuration");
        says(|it| it.slots = 97, "another configuration");
    }

    #[test]
    fn a_run_without_a_log_that_can_be_read_is_another() {
        let there = logged(started(), None);
        std::fs::write(there.path().join("log/000001.mcap"), "no log").unwrap();
        let opening = Opening { started: started(), forked: None };
        assert!(opening.difference(there.path()).unwrap().contains("cannot be read"));
    }

    #[test]
    fn a_fork_is_told_from_a_run_and_from_other_forks() {
        let parent = logged(started(), None);
        let path = parent.path().to_str().unwrap().to_owned();
        let forked = RunForked {
            parent: path,
            parent_run: "p".to_owned(),
            at_tick: 3,
            parent_chain_hash: "ab".to_owned(),
            changes: vec![],
            replan: false,
            reprice: false,
        };
        let fork = Fork {
            parent_run: forked.parent_run.clone(),
            parent_chain_hash: forked.parent_chain_hash.clone(),
            ..Fork::default()
        };
        let there = logged(started(), Some(forked));
        let differs = |at_tick: u32, fork: &Fork| {
            let branch = Branch { at_tick, parent: parent.path(), fork };
            Opening { started: started(), forked: Some(branch) }.difference(there.path()).is_some()
        };
        assert!(!differs(3, &fork));
        assert!(differs(4, &fork));
        assert!(differs(3, &Fork { changes: vec!["seed=1".to_owned()], ..fork.clone() }));
        assert!(differs(3, &Fork { parent_chain_hash: "cd".to_owned(), ..fork.clone() }));
        assert!(Opening { started: started(), forked: None }.difference(there.path()).is_some());
    }
}
