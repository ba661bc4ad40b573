//! Finds, loads and guards dispatch policies.
