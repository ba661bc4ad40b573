//! The table `runs`: what was run, and how it ended.

use crate::{
    named::NamedColumn,
    rows::rows,
    summary::{RunStatus, Summary},
    value::{Text, Time, Word},
    world_hash::world_hash,
};
use voltide_journal::event::{RunForked, RunStarted};
use voltide_model::{clock::Clock, scenario::Scenario};

rows! {
    /// One row: what was run, and how it ended. What was put into the world (`--set`, a sweep) has
    /// a column of its own by its path, such as `fleets.cars.count`: a number where it is one, else
    /// text; runs of which the world says the same do without.
    pub runs {
        /// name of the world
        world: Word;
        /// policy that planned
        policy: Word;
        /// version of the policy
        policy_version: Word;
        /// SHA-256 of the plugin's file; empty for an embedded one
        plugin_hash: Text;
        /// seed of every draw (its 64 bits, read as signed)
        seed: u64;
        /// JSON: the policy's config and the overrides, as given
        params: Text;
        /// start of the first slot
        sim_start: Time;
        /// end of the last slot that was simulated
        sim_end: Time;
        /// length of a slot
        tick_s: u32 = "s";
        /// time zone of local days and daily patterns
        time_zone: Word;
        /// number of cars, with those that a fork took out
        ev_count: u32;
        /// ISO 4217 code of all money
        currency: Word;
        /// finished, interrupted or failed
        status: Word;
        /// why the run failed
        error: Option<Text>;
        /// version of voltide
        engine_version: Word;
        /// commit it was built from, where known
        git: Text;
        /// BLAKE3 of seed, rules, world text, series and sessions
        config_hash: Text;
        /// hash of the state after the last tick, in hex
        state_hash: Option<Text>;
        /// number of events
        events: u64;
        /// rows of all other tables except ev_ticks and charger_ticks
        rows: u64;
        /// SHA-256 of the world with its series and sessions, without seed and policy: runs of one
        /// world_hash and seed met the same cars, prices and limits
        world_hash: Text;
        /// the run that this one is a fork of; null where it is none
        parent_run_id: Option<Text>;
        /// the first slot that is the fork's own; null likewise
        forked_at_tick: Option<u32>;
        /// JSON: what the fork changed of its parent's world, as given; null likewise
        changes: Option<Text>;
    }
}

/// What the row is made from.
pub(crate) struct Run<'a> {
    pub(crate) started: &'a RunStarted,
    pub(crate) forked: Option<&'a RunForked>,
    pub(crate) summary: &'a Summary,
    pub(crate) status: &'a RunStatus,
}

/// What of a row is made as text.
pub(crate) struct Texts {
    params: String,
    changes: Option<String>,
    world_hash: String,
}

impl<'a> Run<'a> {
    /// The row's texts.
    pub(crate) fn texts(&self, scenario: &Scenario) -> Texts {
        Texts {
            params: params(self.started),
            changes: self.forked.map(|forked| json(&forked.changes)),
            world_hash: world_hash(scenario),
        }
    }

    /// What was put into the world, a column each; what has a column of its name already does
    /// without.
    pub(crate) fn parameters(&self) -> Vec<NamedColumn> {
        let mut given: Vec<(&str, &str)> = Vec::new();
        for (path, value) in self.started.overrides.iter().filter_map(|it| it.split_once('=')) {
            let path = path.trim();
            // The last one holds.
            given.retain(|(other, _)| !other.eq_ignore_ascii_case(path));
            given.push((path, value));
        }
        let is_free =
            |path: &str| !TABLE.columns.iter().any(|it| it.name.eq_ignore_ascii_case(path));
        let given = given.into_iter().filter(|(path, _)| is_free(path));
        given.map(|(path, value)| NamedColumn::of_path(path, &[Some(value)])).collect()
    }

    /// The row; `rows` counts those of all other tables but `ev_ticks` and `charger_ticks`.
    pub(crate) fn row(&self, texts: &'a Texts, rows: u64, clock: &Clock) -> Row<'a> {
        let Self { started, forked, summary, status } = *self;
        Row {
            world: &started.world,
            policy: &started.policy,
            policy_version: &started.build.policy_version,
            plugin_hash: &started.build.plugin_hash,
            seed: started.seed,
            params: &texts.params,
            sim_start: Time::of_slot(clock, 0),
            sim_end: Time::of_slot(clock, summary.slots),
            tick_s: started.slot_seconds,
            time_zone: &started.time_zone,
            ev_count: started.ev_count,
            currency: &summary.currency,
            status: status.name(),
            error: status.error(),
            engine_version: &started.build.engine_version,
            git: &started.build.git,
            config_hash: &started.config_hash,
            state_hash: summary.state_hash.as_deref(),
            events: summary.events,
            rows,
            world_hash: &texts.world_hash,
            parent_run_id: forked.map(|it| it.parent_run.as_str()),
            forked_at_tick: forked.map(|it| it.at_tick),
            changes: texts.changes.as_deref(),
        }
    }
}

/// What the policy was told, and what was changed in the world file, as JSON.
fn params(started: &RunStarted) -> String {
    #[derive(serde::Serialize)]
    struct Params<'a> {
        policy_config: &'a str,
        overrides: &'a [String],
    }
    let params = Params { policy_config: &started.policy_config, overrides: &started.overrides };
    json(&params)
}

fn json(strings: &impl serde::Serialize) -> String {
    serde_json::to_string(strings).expect("strings always have JSON")
}
