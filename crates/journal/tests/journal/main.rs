//! The journal as a whole: what is written is read back, and nothing else ever is.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod damage;
mod difference;
mod history;
mod reading;
mod recovery;
mod round_trip;
mod salvage;
mod strays;
mod writing;
