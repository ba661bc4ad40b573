//! Where a run's history goes besides the log.

use crate::event::Recorded;
use std::sync::Arc;
use voltide_model::{columns::TickColumns, scenario::Scenario};

/// Takes in a run's history, live or replayed, in the same order with the same content.
pub trait Sink {
    /// What can go wrong, as text for the user.
    type Error: std::error::Error + Send + Sync + 'static;

    /// An event was recorded. Called in order of `seq`; `TickSealed` closes a tick.
    fn event(&mut self, recorded: &Recorded) -> Result<(), Self::Error>;

    /// A tick was settled; called once a tick, after its `SlotElapsed` and before its `TickSealed`.
    fn tick(&mut self, columns: &TickColumns<'_>) -> Result<(), Self::Error>;

    /// From here on another scenario holds, with the same clock, and the same cars and maybe more
    /// after them: the run is a fork, and its parent's history is through.
    fn forked(&mut self, scenario: &Arc<Scenario>) -> Result<(), Self::Error> {
        let _ = scenario;
        Ok(())
    }
}
