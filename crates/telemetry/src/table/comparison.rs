//! The table `comparison`: cases and policies beside what others have published.

use crate::{
    rows::rows,
    value::{Text, Word},
};

rows! {
    /// One row per case, figure and policy of a comparison; no table of a run.
    pub comparison by case, figure, policy {
        /// 1 without flexibility margins, 2 with them
        case: u32;
        /// what it is
        figure: Word;
        /// the policy
        policy: Word;
        /// in the world's currency, kWh or kW as the figure says
        amount: f64;
        /// what others have published; null where nothing
        published: Option<f64>;
        /// amount over published; null likewise
        ratio: Option<f64>;
        /// what to know of the published figure
        note: Option<Text>;
    }
}
