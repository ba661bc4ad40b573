//! The dispatch policies that voltide ships, as plain Rust.
//!
//! [`ABOUT`] says what each does: [`Uncontrolled`], [`Smart`], [`SmartIncentive`], [`V2g`],
//! [`Coordinated`], [`Alap`], [`Edf`], [`Llf`], [`RoundRobin`] and [`Threshold`].
//!
//! Each is also a plugin of its own under `plugins/`, which exports it and does nothing else; the
//! program has the same tables built in.

mod about;
mod coordinated;
mod heuristics;
mod smart;
mod uncontrolled;
mod v2g;

pub use about::{ABOUT, About, about};
pub use coordinated::{Coordinated, Objective};
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
        policy_table!(Coordinated),
        policy_table!(Alap),
        policy_table!(Edf),
        policy_table!(Llf),
        policy_table!(RoundRobin),
        policy_table!(Threshold),
    ]
}
