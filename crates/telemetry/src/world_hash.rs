//! What tells apart worlds of one name: a hash of all that decides what a run comes to, but for who
//! plans and with which draws.

use sha2::{Digest, Sha256};
use std::fmt::{self, Debug, Write};
use voltide_model::scenario::{PolicyChoice, Scenario};

/// SHA-256 of the resolved world, series and sessions included, in hex.
///
/// Neither seed nor policy are in it, nor what is recorded: runs with equal hashes and seeds differ
/// in what the policy made of the same cars, prices and limits.
pub(crate) fn world_hash(scenario: &Scenario) -> String {
    // Worlds without series of their own have the hash that they had before there were any.
    let has_series = !scenario.own_series.is_empty();
    let counting = parts(scenario).into_iter().filter(|(name, _)| has_series || *name != "series");
    hash(&counting.map(|(_, part)| part).collect::<Vec<_>>())
}

/// What the hash is made of, by name.
fn parts(scenario: &Scenario) -> [(&'static str, &dyn Debug); 13] {
    // Field by field: whether one that is added makes another world has to be decided here.
    let Scenario {
        rules,
        name,
        seed: _,
        clock,
        currency,
        tariffs,
        fleets,
        population: _,
        sites,
        system,
        own_series,
        grid,
        incentive,
        samples: _,
        policy: PolicyChoice { name: _, config: _, config_offset: _, fallback: _ },
        planning,
        ev_ticks: _,
        durability: _,
    } = scenario;
    [
        ("rules", rules),
        ("name", name),
        ("clock", clock),
        ("currency", currency),
        ("tariffs", tariffs),
        ("fleets", fleets),
        ("sites", sites),
        ("system", system),
        ("series", own_series),
        ("grid", grid),
        ("incentive", incentive),
        ("planning", planning),
        ("boundary", &clock.boundary),
    ]
}

/// The parts of the resolved world that `world_hash` is made of: the name of each, and its own
/// hash.
pub fn world_parts(scenario: &Scenario) -> [(&'static str, String); 13] {
    parts(scenario).map(|(name, part)| (name, hash(&[part])))
}

fn hash(parts: &[&dyn Debug]) -> String {
    let mut hash = Hash(Sha256::new());
    for part in parts {
        writeln!(hash, "{part:?}").expect("a hash takes any text");
    }
    format!("{:x}", hash.0.finalize())
}

/// Text that is hashed as it is written.
struct Hash(Sha256);

impl Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}
