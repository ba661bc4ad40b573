//! The dispatch policies that voltide ships, as plain Rust.
//!
//! | policy             | charges                                          |
//! |--------------------|--------------------------------------------------|
//! | [`Uncontrolled`]   | at once, as fast as possible                     |
//! | [`Smart`]          | in the cheapest slots, at the tariff             |
//! | [`SmartIncentive`] | in the cheapest slots, at the incentive price    |
//! | [`V2g`]            | in cheap slots, and sells where drivers agree    |
//! | [`Alap`]           | as late as possible                              |
//! | [`Edf`]            | behind a site limit: who leaves first            |
//! | [`Llf`]            | behind a site limit: who has least time to spare |
//! | [`RoundRobin`]     | behind a site limit: everyone in turn            |
//! | [`Threshold`]      | when it is cheap, and sells when it is dear      |
//!
//! Each is also a plugin of its own under `plugins/`, which exports it and does nothing else; the
//! program has the same tables built in.

mod heuristics;
mod smart;
mod uncontrolled;
mod v2g;

pub use heuristics::{Alap, Edf, Llf, RoundRobin, Threshold};
pub use smart::{Smart, SmartIncentive};
pub use uncontrolled::Uncontrolled;
pub use v2g::{Solver, V2g};
use voltide_policy::{abi::PolicyTable, policy_table};

/// The tables of all shipped policies.
pub fn tables() -> Vec<&'static PolicyTable> {
    vec![
        policy_table!(Uncontrolled),
        policy_table!(Smart),
        policy_table!(SmartIncentive),
        policy_table!(V2g),
        policy_table!(Alap),
        policy_table!(Edf),
        policy_table!(Llf),
        policy_table!(RoundRobin),
        policy_table!(Threshold),
    ]
}
