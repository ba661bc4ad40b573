//! Where a run's history goes besides the log.

use crate::event::Recorded;
use std::sync::Arc;
use voltide_model::{columns::TickColumns, scenario::Scenario};

/// Takes in a run's history, live or replayed, in the same order with the same content.
///
/// Everything comes with the scenario that holds then. A history of forks goes through several,
/// with the same clock, each with the cars of the one before and maybe more after them; each begins
/// to hold with its `RunStarted`, before any tick of its own. Whoever keeps columns by car makes
/// them as long there as the scenario's cars are many.
pub trait Sink {
    /// What can go wrong, as text for the user.
    type Error: std::error::Error + Send + Sync + 'static;

    /// An event was recorded. Called in order of `seq`; `TickSealed` closes a tick.
    fn event(&mut self, scenario: &Arc<Scenario>, recorded: &Recorded) -> Result<(), Self::Error>;

    /// A tick was settled; called once a tick, after its `SlotElapsed` and before its `TickSealed`.
    fn tick(
        &mut self,
        scenario: &Arc<Scenario>,
        columns: &TickColumns<'_>,
    ) -> Result<(), Self::Error>;
}
