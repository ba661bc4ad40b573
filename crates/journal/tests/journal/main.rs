//! The journal as a whole: what is written is read back, and nothing else ever is.

mod damage;
mod history;
mod reading;
mod round_trip;
mod writing;
