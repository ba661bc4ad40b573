//! What tells apart worlds of one name: a hash of all that decides what a run comes to, but for who plans
//! and with which draws.

use sha2::{Digest, Sha256};
use std::fmt::{self, Debug, Write};
use voltide_model::scenario::{PolicyChoice, Scenario};

/// SHA-256 of the resolved world, series and sessions included, in hex.
///
/// Neither seed nor policy are in it, nor what is recorded: runs with equal hashes and seeds differ in
/// what the policy made of the same cars, prices and limits.
pub(crate) fn world_hash(scenario: &Scenario) -> String {
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
        grid,
        incentive,
        samples: _,
        policy: PolicyChoice { name: _, config: _, config_offset: _, fallback: _ },
        planning,
        boundary,
        ev_ticks: _,
        durability: _,
    } = scenario;
    let parts: [&dyn Debug; 12] =
        [rules, name, clock, currency, tariffs, fleets, sites, system, grid, incentive, planning, boundary];
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
