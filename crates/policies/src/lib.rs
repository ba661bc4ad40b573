//! The dispatch policies that voltide ships, as plain Rust.
//!
//! | policy           | charges                                          |
//! |------------------|--------------------------------------------------|
//! | [`Uncontrolled`] | at once, as fast as possible                     |
//!
//! Each is also a plugin of its own under `plugins/`, which exports it and does nothing else; the
//! program has the same tables built in.

mod uncontrolled;

pub use uncontrolled::Uncontrolled;
use voltide_policy::{abi::PolicyTable, policy_table};

/// The tables of all shipped policies.
pub fn tables() -> Vec<&'static PolicyTable> {
    vec![policy_table!(Uncontrolled)]
}
