//! What the measurements share.
//!
//! | module      | what it is                                                             |
//! |-------------|------------------------------------------------------------------------|
//! | [`machine`] | CPU time, wall time and memory of this process and of those it starts  |
//! | [`night`]   | a world of cars that charge overnight at home, and a run of it         |
//! | [`script`]  | what such a run asked of its cars, written down tick by tick           |
//! | [`by_hand`] | the loop that one would write by hand for the same cars                |
//! | [`program`] | the program as it was built                                            |
//! | [`table`]   | Markdown tables                                                        |
#![expect(
    clippy::missing_panics_doc,
    reason = "a measurement that meets an error stops, wherever that is"
)]

pub mod by_hand;
pub mod machine;
pub mod night;
pub mod program;
pub mod script;
pub mod table;

/// The smallest, the middle and the largest of at least one value; the lower middle one of an even
/// number.
pub fn spread(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [values[0], values[(values.len() - 1) / 2], values[values.len() - 1]]
}

/// The middle one of `values`.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    spread(values.into_iter().collect())[1]
}
