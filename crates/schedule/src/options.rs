//! How much a solver of storage problems may search, and when it gives up.

/// How much searching is allowed, and what happens when wishes cannot be met.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Most nodes of branch and bound, and most corners of a value function that is not convex;
    /// when they run out the best schedule so far is given with its gap.
    pub nodes: u32,
    /// Relative gap at which a search may stop.
    pub gap: f64,
    /// Refuse with [`Outcome::Infeasible`](crate::Outcome::Infeasible) instead of giving the best
    /// reachable schedule.
    pub strict: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { nodes: 20_000, gap: 1e-9, strict: false }
    }
}
